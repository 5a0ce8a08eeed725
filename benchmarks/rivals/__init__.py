"""One adapter per tool: its own way from a list of strings to pairs, as fast as possible with the
tool's own settings.

`whole` starts from fresh strings and includes everything: folding, words, shingles, sketches,
index, queries. `ready` starts from shingles that are the same for all tools and made before the
clock runs. Neither turns what the tool hands back into a common form; that is `answer`, after the
clock has stopped.

Rules for an adapter: settings that the tool's documentation shows, threshold 0.8, word 5-grams;
only the tool's own calls, numpy and the standard library around it, words being Python strings
where the user brings them; the fastest form of those that we could find, said in its docstring
together with what was tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from benchmarks.corpora.score import Answer
from benchmarks.rivals.shingles import Shingles


@dataclass(frozen=True)
class Tool:
    """A way to use a tool; `answer(native, documents)` is what it hands back, in common form."""

    name: str
    package: str
    settings: str
    whole: Callable[[list[str], float, int], Any]
    answer: Callable[[Any, int], Answer]
    ready: Callable[[Shingles, float, int], Any] | None = None
    strings: bool = False  # the ready path takes shingles as strings
    ours: bool = False
    tuned: bool = False  # is fed hashes of our making, which the tool does not offer: shown, and compared with apart
    samples: bool = False  # looks at some tokens only, so is listed but never counted as a rival

    @property
    def version(self) -> str:
        """The version of the installed package; ours is that of the code that runs."""
        if self.ours:
            return str(import_module("dedup").__version__)
        try:
            return version(self.package)
        except PackageNotFoundError:
            return "source tree"


MODULES: Final = {
    "dedup": "dedup",
    "dedup-lsh": "dedup",
    "datasketch": "datasketch",
    "datasketch-tuned": "datasketch",
    "datatrove": "datatrove",
    "fastsketchlsh": "fastsketchlsh",
    "fastsketchlsh-tuned": "fastsketchlsh",
    "gaoya": "gaoya",
    "rensa": "rensa",
    "rensa-tuned": "rensa",
    "rensa-flags": "rensa",
    "rensa-rho": "rensa",
    "setsimilaritysearch": "setsimilaritysearch",
}


def tool(name: str) -> Tool:
    """The tool of this name; its packages are imported now."""
    if name not in MODULES:
        raise ValueError(f"Expected a tool among {', '.join(MODULES)}; got {name!r}")
    tools: dict[str, Tool] = import_module(f"benchmarks.rivals.{MODULES[name]}").TOOLS
    return tools[name]

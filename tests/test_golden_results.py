"""Golden results: what fixed collections give, to the last bit, on every machine and with any number of threads.

``golden/results.json`` holds for each search the sha256 of its tables, and a few numbers beside it, so that a person
sees what has changed. The collections are made by `tests.corpora`, whose digests are there too: if one of them
differs, the generator has changed and not the library. Correct is what the oracles say, elsewhere; these gates say *the
same as before*. Where they fail on purpose, that is a change of outputs: the first line of a changelog entry, and then

    python -m tests.test_golden_results
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import dedup
from tests import corpora

PATH = Path(__file__).parent / "golden" / "results.json"
TABLES = ("pairs", "clusters", "kept", "removed", "repeated")


def mixed() -> list[str]:
    """Give families, planted copies, a chain, all scripts, and what is empty or short."""
    texts = corpora.families() + corpora.planted().texts + corpora.chain() + corpora.in_all_scripts()[0]
    return [*texts, "", "...", "one", "one two", "one two", "One, two!"]


def articles() -> list[str]:
    """Give pages whose bodies occur twice, and pages that share paragraphs."""
    bodies = [corpora.body(seed, 8) for seed in range(12)]
    pages = ["\n\n".join(bodies[i][:5] + bodies[(i + 1) % 12][5:]) for i in range(12)]
    return [corpora.doubled_article(seed).text for seed in range(1, 6)] + pages


def excerpts() -> list[str]:
    """Give texts of which some are inside others."""
    bodies = ["\n".join(corpora.body(seed, 10)) for seed in range(20)]
    parts = [body[len(body) // 3 : 2 * len(body) // 3] for body in bodies[::2]]
    return [*bodies, *parts, *corpora.families(seed=9, count=8, size=4)]


def news() -> list[str]:
    """Give generated news, as the benchmarks measure with; skipped if the benchmarks are not next to the tests."""
    generator = pytest.importorskip("benchmarks.corpora.named")
    texts: list[str] = generator.corpus(500, 800, 3)
    return texts


CORPORA: dict[str, Callable[[], list[str]]] = {"mixed": mixed, "articles": articles, "excerpts": excerpts, "news": news}

SEARCHES: dict[str, tuple[str, dict[str, Any]]] = {
    "documents": ("mixed", {}),
    "documents at 0.5": ("mixed", {"threshold": 0.5}),
    "documents, the longest kept": ("mixed", {"keep": "longest"}),
    "documents by chars:8": ("mixed", {"shingle": "chars:8", "threshold": 0.6}),
    "documents by lsh": ("mixed", {"method": "lsh"}),
    "documents by lsh, another seed and recall": ("mixed", {"method": "lsh", "seed": 7, "recall": 0.9}),
    "news": ("news", {}),
    "news by lsh": ("news", {"method": "lsh"}),
    "paragraphs": ("articles", {"unit": "paragraph"}),
    "paragraphs by lsh": ("articles", {"unit": "paragraph", "method": "lsh"}),
    "containment": ("excerpts", {"metric": "containment", "threshold": 0.9}),
}


@cache
def texts_of(name: str) -> list[str]:
    """Make a collection once."""
    return CORPORA[name]()


def digest_of_texts(texts: list[str]) -> str:
    """Give the sha256 of texts, each with its length in front."""
    state = hashlib.sha256()
    for text in texts:
        data = text.encode()
        state.update(len(data).to_bytes(8, "little") + data)
    return state.hexdigest()


def plain(value: Any) -> Any:
    """Give a value of a table as JSON has it, floats to the last bit."""
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return value


def digest_of_tables(result: dedup.Duplicates) -> str:
    """Give the sha256 of names, types and rows of the tables."""
    state = hashlib.sha256()
    for name in TABLES:
        table = getattr(result, name)
        types = [f"{field.name}: {field.type}" for field in table.schema] if hasattr(table, "schema") else [table.type]
        rows = [plain(row) for row in table.to_pylist()]
        state.update(json.dumps([name, list(map(str, types)), rows], sort_keys=True).encode())
    return state.hexdigest()


def search(name: str, threads: int | None = None) -> dict[str, Any]:
    """Run a search; give the numbers and the digest."""
    corpus, options = SEARCHES[name]
    result = dedup.find_duplicates(texts_of(corpus), threads=threads, **options)
    numbers = {"pairs": result.pairs.num_rows, "clustered": result.clusters.num_rows, "removed": len(result.removed)}
    return {**numbers, "sha256": digest_of_tables(result)}


def generate() -> dict[str, Any]:
    """Make the file's content."""
    return {
        "corpora": {name: digest_of_texts(texts_of(name)) for name in CORPORA},
        "searches": {name: search(name) for name in SEARCHES},
    }


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    """Give the file."""
    loaded: dict[str, Any] = json.loads(PATH.read_text(encoding="ascii"))
    return loaded


@pytest.mark.parametrize("name", CORPORA)
def test_the_collections(golden: dict[str, Any], name: str) -> None:
    """The collections are made as before: if not, the other gates here mean nothing."""
    assert golden["corpora"][name] == digest_of_texts(texts_of(name))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", SEARCHES)
def test_the_results(golden: dict[str, Any], name: str, threads: int) -> None:
    """The tables are the same as before, to the last bit."""
    assert golden["searches"][name] == search(name, threads)


def test_the_searches_find_something(golden: dict[str, Any]) -> None:
    """No gate is empty, and none is for a search that is no longer made."""
    assert set(SEARCHES) == set(golden["searches"])
    assert all(found["pairs"] > 10 for found in golden["searches"].values())


if __name__ == "__main__":
    PATH.write_text(json.dumps(generate(), indent=1) + "\n", encoding="ascii")

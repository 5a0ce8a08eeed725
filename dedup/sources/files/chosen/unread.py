"""The files of a folder that are not read, since their names give no known format: counted by kind, some named."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

__all__ = ["Unread"]

KINDS_SHOWN, EXAMPLES_SHOWN = 5, 3
"""Kinds and names that are shown, at most."""

NOT_NAMED = "without a suffix"


class Unread:
    """The files that were found in folders and are not read."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.examples: list[str] = []

    def add(self, path: str, kind: str | None = None) -> None:
        """Count a file; if no kind is given, its kind is its suffix."""
        self.kinds[kind or suffix_of(path)] += 1
        self.examples = sorted([*self.examples, path])[:EXAMPLES_SHOWN]

    def __len__(self) -> int:
        return self.kinds.total()

    def to_dict(self) -> dict[str, Any]:
        """Return their number, the number of each kind, and some of their paths."""
        return {"files": len(self), "kinds": dict(sorted(self.kinds.items())), "examples": self.examples}

    def __str__(self) -> str:
        """Return it as text for people."""
        ranked = sorted(self.kinds.items(), key=lambda each: (-each[1], each[0]))
        shown = [f"{count:,} {kind}" for kind, count in ranked[:KINDS_SHOWN]]
        rest = sum(count for _, count in ranked[KINDS_SHOWN:])
        if rest:
            shown.append(f"{rest:,} of other kinds")
        names = ", ".join(self.examples) + (", ..." if len(self) > len(self.examples) else "")
        return f"{len(self):,} file{'s' * (len(self) != 1)} not read: {', '.join(shown)} ({names})"


def suffix_of(path: str) -> str:
    """Return the suffix of a path; before a suffix of compression, with the one before it.

    >>> suffix_of("a/b.json.gz"), suffix_of("a.MD"), suffix_of("Makefile")
    ('.json.gz', '.md', 'without a suffix')
    """
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    packed = len(suffixes) > 1 and suffixes[-1] in {".gz", ".zst", ".bz2", ".xz"}
    return "".join(suffixes[-2:] if packed else suffixes[-1:]) or NOT_NAMED

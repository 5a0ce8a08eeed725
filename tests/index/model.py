"""The index in plain Python: a list of documents, and all pairs by brute force. And an index that merges early."""

from __future__ import annotations

import os
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest

import dedup
from dedup.index import writer
from dedup.index.postings import memtable, merge
from tests import oracles_match

SHINGLE = "words:2"


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Give the pairs of words of a text of plain lower-case words; a text of one word is one shingle."""
    words = text.split()
    if len(words) < 2:
        return frozenset([tuple(words)] if words else [])
    return frozenset(pairwise(words))


def similarity(left: str, right: str, metric: str = "jaccard") -> float:
    """Give the similarity of two texts; a text without a word has 0 with everything."""
    a, b = shingles(left), shingles(right)
    if not a or not b:
        return 0.0
    shared = len(a & b)
    return shared / (min(len(a), len(b)) if metric == "containment" else len(a) + len(b) - shared)


@lru_cache(maxsize=1 << 14)
def signature(text: str, lanes: int) -> tuple[int, ...]:
    """Give the signature of a text."""
    made = dedup.minhash.signatures(dedup.shingling.shingles([text], shingle=SHINGLE), num_perm=lanes)
    return tuple(np.asarray(made)[0].tolist())


class Document(NamedTuple):
    """A document of the model."""

    name: Any
    text: str


class Model:
    """The documents of an index, in the order in which they were added."""

    def __init__(self, threshold: float, bands: tuple[int, int] | None = None) -> None:
        self.threshold, self.bands = threshold, bands
        self.documents: list[Document] = []
        self.next_id = 0

    def copy(self) -> Model:
        """Give the same state."""
        other = Model(self.threshold, self.bands)
        other.documents, other.next_id = list(self.documents), self.next_id
        return other

    def names(self, count: int) -> list[int]:
        """Give the next running numbers."""
        self.next_id += count
        return list(range(self.next_id - count, self.next_id))

    def add(self, names: list[Any], texts: list[str]) -> None:
        """Add texts; an id that is there is replaced."""
        self.remove([name for name in names if name in {each.name for each in self.documents}])
        self.documents += map(Document, names, texts)

    def remove(self, names: list[Any]) -> None:
        """Remove documents."""
        self.documents = [each for each in self.documents if each.name not in set(names)]

    def met(self, text: str, other: str) -> bool:
        """Say whether an index finds one of two texts by the other: by a band, if it has bands."""
        if self.bands is None:
            return True
        count, rows = self.bands
        one, two = signature(text, count * rows), signature(other, count * rows)
        return any(one[i : i + rows] == two[i : i + rows] for i in range(0, count * rows, rows))

    def seen(self, text: str, more: list[str] = []) -> bool:  # noqa: B006
        """Say whether a document, or one of some more texts, reaches the threshold with a text."""
        others = [*(document.text for document in self.documents), *more]
        return any(similarity(text, other) >= self.threshold and self.met(text, other) for other in others)

    def pairs(self, texts: list[str], threshold: float, metric: str = "jaccard") -> list[tuple[int, Any, float]]:
        """Give the pairs of texts with documents, in order."""
        return [
            (row, document.name, value)
            for row, text in enumerate(texts)
            for document in self.documents
            if (value := similarity(text, document.text, metric)) >= threshold and self.met(text, document.text)
        ]

    def passages(self, texts: list[str], size: int) -> list[tuple[Any, ...]]:
        """Give the passages that texts have from documents, as rows of the table."""
        found = oracles_match.passages(texts, [document.text for document in self.documents], size)
        return [(*each[:3], self.documents[each.right].name, *each[4:], 1.0) for each in found]

    def new(self, texts: list[str]) -> list[int]:
        """Give the rows of the texts that are not seen before."""
        kept: list[int] = []
        for row, text in enumerate(texts):
            if not self.seen(text, [texts[i] for i in kept]):
                kept.append(row)
        return kept


def make_small(patch: pytest.MonkeyPatch) -> None:
    """Make segments of a few documents, and merges in small steps that stay behind; without the wait for a disk."""
    patch.setattr(os, "fsync", lambda _: None)
    patch.setattr(writer, "FLUSH_DOCUMENTS", 4)
    patch.setattr(writer, "COMMIT_DOCUMENTS", 3)
    patch.setattr(writer, "FEED_DOCUMENTS", 5)
    patch.setattr(merge, "SLICE_ENTRIES", 8)
    patch.setattr(memtable, "FEW_KEYS", 64)
    patch.setattr(memtable, "LATER_KEYS", 40)

"""Word 5-grams by Python's fastest means, for tools that leave this to their user.

Words are Python strings, `text.lower().split()`, as in the README of each of these tools. Three
ways were timed (one core, news of 2 kB): joining each five words into a string, 20 MB/s; the hash
of each tuple of five words, 30 MB/s; the hash of each word and a polynomial over five of them in
numpy, 37 MB/s in blocks of 64 texts, which fit into the cache. The last is used for tools that take
hashes. Python's hash of a string is 64 bits of SipHash, good enough for all of them; it changes
from process to process unless PYTHONHASHSEED is set, as the runner does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

SIZE: Final = 5
BLOCK: Final = 64  # texts, few enough that their words are still in the cache when they are hashed

_ODD: Final = np.uint64(0x9E3779B97F4A7C15)

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]


@dataclass(frozen=True)
class Shingles:
    """Shingles of all texts: hashes in a row with offsets, and on demand as strings."""

    texts: list[str]
    hashes: U64
    offsets: I64

    def blocks(self) -> Iterator[tuple[U64, I64]]:
        """Hashes of a few texts in a row, and how many each text has."""
        for start in range(0, len(self.texts), BLOCK):
            part = self.offsets[start : start + BLOCK + 1]
            yield self.hashes[part[0] : part[-1]], np.diff(part)

    @cached_property
    def strings(self) -> list[list[str]]:
        """Five words joined by spaces, a list for each text."""
        return [joined(text) for text in self.texts]


def _words(text: str) -> list[str]:
    """The words of a text; one shorter than a shingle is filled up, so that it is one shingle."""
    found = text.lower().split()
    return found if len(found) >= SIZE or not found else found + [""] * (SIZE - len(found))


def joined(text: str) -> list[str]:
    """The shingles of a text as strings."""
    found = _words(text)
    return list(map(" ".join, zip(found, found[1:], found[2:], found[3:], found[4:], strict=False)))


def blocks(texts: list[str]) -> Iterator[tuple[U64, I64]]:
    """Hashes of the shingles of a few texts in a row, and how many each text has."""
    for start in range(0, len(texts), BLOCK):
        words = [_words(text) for text in texts[start : start + BLOCK]]
        counts = np.array([len(found) for found in words], dtype=np.int64)
        total = int(counts.sum())
        if total == 0:
            yield np.empty(0, dtype=np.uint64), counts
            continue
        hashed = np.fromiter(map(hash, chain.from_iterable(words)), np.int64, count=total).view(np.uint64)
        rolled = hashed[: 1 - SIZE] * _ODD
        for place in range(1, SIZE - 1):
            rolled += hashed[place : place + 1 - SIZE]
            rolled *= _ODD
        rolled += hashed[SIZE - 1 :]
        rolled ^= rolled >> np.uint64(32)
        rolled *= _ODD
        ends = np.cumsum(counts[counts > 0])
        inside = np.ones(total, dtype=np.bool_)
        for place in range(1, SIZE):
            inside[ends - place] = False  # five words that begin here reach into the next text
        yield rolled[inside[: len(rolled)]], np.maximum(counts - (SIZE - 1), 0)


def hashed(texts: list[str]) -> tuple[U64, I64]:
    """Hashes of all shingles in a row, and the offsets of the texts in it."""
    made = list(blocks(texts))
    if not made:
        return np.empty(0, dtype=np.uint64), np.zeros(1, dtype=np.int64)
    counts = np.concatenate([count for _, count in made])
    offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts)))
    return np.concatenate([part for part, _ in made]), offsets


def rows(counts: I64) -> Iterator[tuple[int, int]]:
    """Where each text begins and ends in its block."""
    ends = np.cumsum(counts).tolist()
    return zip([0, *ends], ends, strict=False)


def ready(texts: list[str]) -> Shingles:
    """The shingles that every tool's `ready` path starts from."""
    return Shingles(texts, *hashed(texts))


def listed(found: list[list[int]]) -> tuple[I64, I64]:
    """Pairs from one list of partners for each document."""
    counts = np.array([len(partners) for partners in found], dtype=np.int64)
    flat = np.fromiter(chain.from_iterable(found), dtype=np.int64, count=int(counts.sum()))
    return np.repeat(np.arange(len(found), dtype=np.int64), counts), flat

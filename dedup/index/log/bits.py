"""Sets of document numbers, one bit each: which documents were removed, and which have copies."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["Bits", "numbers_in"]

Numbers = npt.NDArray[np.int64]


class Bits:
    """A set of document numbers, one bit each."""

    def __init__(self, words: npt.NDArray[np.uint64] | None = None) -> None:
        self.words = np.empty(0, dtype=np.uint64) if words is None else words

    def add(self, numbers: Numbers) -> None:
        """Add some numbers."""
        if not len(numbers):
            return
        most = (int(numbers.max()) >> 6) + 1
        if most > len(self.words):
            grown = np.zeros(max(most, 2 * len(self.words)), dtype=np.uint64)
            grown[: len(self.words)] = self.words
            self.words = grown
        np.bitwise_or.at(self.words, numbers >> 6, np.uint64(1) << (numbers & 63).astype(np.uint64))

    def has(self, numbers: Numbers) -> npt.NDArray[np.bool_]:
        """Return which of some numbers are in the set."""
        result = np.zeros(len(numbers), dtype=np.bool_)
        inside = numbers >> 6 < len(self.words)
        some = numbers[inside]
        result[inside] = (self.words[some >> 6] >> (some & 63).astype(np.uint64)) & np.uint64(1) != 0
        return result

    def has_one(self, number: int) -> bool:
        """Return whether a number is in the set."""
        word = number >> 6
        return word < len(self.words) and bool(int(self.words[word]) >> (number & 63) & 1)

    def cut(self, count: int) -> npt.NDArray[np.uint64]:
        """Return the words for the numbers below `count`."""
        words = np.zeros((count + 63) >> 6, dtype=np.uint64)
        some = min(len(words), len(self.words))
        words[:some] = self.words[:some]
        return words


def numbers_in(words: npt.NDArray[np.uint64]) -> Numbers:
    """Return the numbers of the bits that are set."""
    return np.flatnonzero(np.unpackbits(words.astype("<u8", copy=False).view(np.uint8), bitorder="little"))

"""Sets of document numbers, one bit each: which documents were removed, and which have copies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import xxhash

from dedup.index.manifest import Manifest, bits_name
from dedup.index.postings.tables import mapped
from dedup.storage.atomic import write_atomically

__all__ = ["Bits", "numbers_in", "read_bits", "write_bits"]

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


def read_bits(folder: Path, manifest: Manifest) -> tuple[tuple[Bits, Bits], bool]:
    """Return which documents were removed, which have copies, and whether the file is as it was written.

    Raises `StorageError` if the file was cut or is not there.
    """
    if manifest.bits is None:
        return (Bits(), Bits()), True
    generation, size, xxh3 = manifest.bits
    data = mapped(folder / bits_name(generation), size)
    words = data.view(np.uint64)
    both = Bits(words[: len(words) // 2].copy()), Bits(words[len(words) // 2 :].copy())
    return both, xxhash.xxh3_128_hexdigest(data.data) == xxh3


def write_bits(folder: Path, generation: int, dead: Bits, copied: Bits, documents: int) -> tuple[int, int, str] | None:
    """Write which of some documents were removed and which have copies; return what the manifest says of it."""
    words = np.concatenate((dead.cut(documents), copied.cut(documents)))
    if not words.any():
        return None
    written = write_atomically(folder / bits_name(generation), lambda file: file.write(words.data))
    return generation, written.bytes, written.xxh3

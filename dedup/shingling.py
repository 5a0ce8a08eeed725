"""Shingle sets, on which the similarity of two texts is defined.

A ``"words:n"`` shingle is n consecutive tokens. A ``"chars:n"`` shingle is n consecutive code points of the tokens,
joined by single spaces. A text with fewer than n has one shingle, the complete text; a text without tokens has none.
In naive Python::

    words = tokens(text)                                                    # see dedup.text.tokens
    shingles = {tuple(words[i : i + n]) for i in range(len(words) - n + 1)} or {tuple(words)} - {()}

From then on a shingle is its 64-bit hash; "exact" in this library is with respect to these hashes. Among a billion
different shingles, the probability that any two have the same hash is 3 %.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import overload

import numpy as np
import numpy.typing as npt

from dedup.hash_key import HashKey
from dedup.hashing.shingles import Shingle, hash_shingles, parse
from dedup.reading import Reading
from dedup.text.rewriting import rewrite

__all__ = ["Shingle", "Shingles", "parse", "shingles"]


class Shingles(Sequence[npt.NDArray[np.uint64]]):
    """The shingle sets of texts: ``shingles[i]`` is a sorted uint64 array of the distinct hashes of text i.

    Attributes
    ----------
    values : uint64 array, all rows, concatenated
    offsets : int64 array, texts + 1; row i is ``values[offsets[i]:offsets[i + 1]]``
    shingle : the kind of shingle (`Shingle`)
    """

    def __init__(self, values: npt.NDArray[np.uint64], offsets: npt.NDArray[np.int64], shingle: Shingle) -> None:
        self.values = values
        self.offsets = offsets
        self.shingle = shingle

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, row: int) -> npt.NDArray[np.uint64]: ...
    @overload
    def __getitem__(self, row: slice) -> list[npt.NDArray[np.uint64]]: ...
    def __getitem__(self, row: int | slice) -> npt.NDArray[np.uint64] | list[npt.NDArray[np.uint64]]:
        if isinstance(row, slice):
            return [self[i] for i in range(*row.indices(len(self)))]
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} of {len(self)} texts")
        row %= len(self)
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    def jaccard(self, left: int, right: int) -> float:
        """Return the Jaccard similarity of two texts: shared / union of their sets; 0.0 if both are empty."""
        shared = len(np.intersect1d(self[left], self[right], assume_unique=True))
        union = len(self[left]) + len(self[right]) - shared
        return shared / union if union else 0.0


def shingles(
    texts: Iterable[str],
    shingle: str = "words:5",
    *,
    ignore: str | Collection[str] = (),
    tokens: str = "words",
    hash_key: bytes | HashKey | None = None,
) -> Shingles:
    """Return the shingle sets of `texts`.

    `ignore`, `tokens` and `hash_key` as for `dedup.find_duplicates`; only sets that were made with the same ones can
    be compared. Cost: linear; 8 bytes per shingle.

    >>> sets = shingles(["one two three four five six", "one two three four five six seven"])
    >>> len(sets[0]), len(sets[1]), round(sets.jaccard(0, 1), 3)
    (2, 3, 0.667)
    """
    from dedup.kernels.sets import distinct
    from dedup.sources.coerce import read_texts

    kind = parse(shingle, Reading.check(ignore, tokens, hash_key))
    rows: list[npt.NDArray[np.uint64]] = []
    lengths: list[npt.NDArray[np.int64]] = [np.zeros(1, dtype=np.int64)]
    for block in read_texts(texts).blocks():
        read = rewrite(block.values, block.starts, block.ends, kind.reading)
        values, offsets, _ = hash_shingles(read.values, read.starts, read.ends, kind)
        sizes = np.zeros(len(offsets) - 1, dtype=np.int64)
        distinct(values, offsets, sizes, np.arange(len(sizes), dtype=np.int64))
        rows += [values[start : start + size] for start, size in zip(offsets, sizes, strict=False)]
        lengths.append(sizes)
    empty = np.empty(0, dtype=np.uint64)
    return Shingles(np.concatenate([empty, *rows]), np.cumsum(np.concatenate(lengths)), kind)

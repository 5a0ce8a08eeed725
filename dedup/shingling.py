"""Shingle sets: what two texts are compared by.

``"words:n"`` is n consecutive tokens, ``"chars:n"`` n consecutive code points of the tokens joined by single spaces.
A text with fewer has one shingle, the whole; a text without tokens has none. In naive Python::

    words = tokens(text)                                                    # see dedup.text.tokens
    shingles = {tuple(words[i : i + n]) for i in range(len(words) - n + 1)} or {tuple(words)} - {()}

A shingle is a 64-bit hash from there on; "exact" in this library is with respect to these hashes. Two different
shingles of a billion share one with a probability of 3 %.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt

from dedup.errors import ParameterError
from dedup.hash_key import PUBLIC, HashKey, choose_key
from dedup.options import shown
from dedup.runtime.buffers import Spare
from dedup.text import unicode
from dedup.text.tokens import Buffers, Given, hash_characters, run_settled

__all__ = ["Shingle", "Shingles", "parse", "shingles"]

LARGEST = 1000
"""Tokens or characters: a shingle above this is surely a mistake."""


class Shingle(NamedTuple):
    """The kind of a shingle and its size: ``Shingle("words", 5)`` is written ``"words:5"``; and the key of its hash."""

    kind: str
    size: int
    key: HashKey = PUBLIC

    def __str__(self) -> str:
        return f"{self.kind}:{self.size}"


def parse(shingle: str, key: HashKey | None = None) -> Shingle:
    """Read ``"words:5"`` or ``"chars:8"``; anything else is a `ParameterError`.

    `key` is that of its hash; None: the one that everybody knows.
    """
    match = re.fullmatch(r"(words|chars):([0-9]{1,6})", shingle) if isinstance(shingle, str) else None
    if match is None or not 1 <= int(match[2]) <= LARGEST:
        raise ParameterError(
            f'shingle: expected "words:n" or "chars:n" with n from 1 to {LARGEST}, such as "words:5", '
            f"found {shown(shingle)}"
        )
    return Shingle(match[1], int(match[2]), PUBLIC if key is None else key)


Room = Callable[[int], npt.NDArray[np.uint64]]


def new_room(size: int) -> npt.NDArray[np.uint64]:
    """Return a uint64 array of `size`, with anything in it."""
    return np.empty(size, dtype=np.uint64)


def hash_shingles(
    values: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    shingle: Shingle,
    room: Room = new_room,
    spare: Spare | None = None,
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """Hash the shingles of the UTF-8 texts ``values[starts[i]:ends[i]]``, in the order of each text.

    Returns uint64 hashes (repeated ones too), int64 offsets (texts + 1), and the digest of each text's tokens (uint64,
    texts x 2). `values` must go on for 64 bytes behind the last end. `room` gives the array that they are written to,
    of a size; `spare` what is needed beside it.
    """
    from dedup.kernels import shingles as kernels

    offsets = np.empty(len(starts) + 1, dtype=np.int64)
    words = shingle.key.words
    if shingle.kind == "chars":
        tokens, token_offsets, digests = hash_characters(values, starts, ends, shingle.key)
        hashes = np.empty_like(tokens)
        kernels.hash_shingles(tokens, token_offsets, shingle.size, words, hashes, offsets)
        return hashes[: offsets[-1]], offsets, digests
    digests = np.zeros((len(starts), 2), dtype=np.uint64)

    def attempt(given: Given, buffers: Buffers) -> tuple[int, npt.NDArray[np.uint64]]:
        hashes = room(buffers.tokens())
        folding = (*given, *unicode.table(), buffers.out, buffers.bits, buffers.unsettled)
        return kernels.shingle_texts(*folding, buffers.words, shingle.size, words, hashes, offsets, digests), hashes

    return run_settled(values, starts, ends, attempt, spare, words=True)[: offsets[-1]], offsets, digests


class Shingles(Sequence[npt.NDArray[np.uint64]]):
    """Shingle sets of some texts: ``shingles[i]`` is a sorted uint64 array of the distinct hashes of text i.

    Attributes
    ----------
    values : uint64 array, the rows one behind the other
    offsets : int64 array, texts + 1; row i is ``values[offsets[i]:offsets[i + 1]]``
    shingle : what was hashed
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
        """Return the Jaccard similarity of two texts: shared / union of their sets; 0.0 where both are empty."""
        shared = len(np.intersect1d(self[left], self[right], assume_unique=True))
        union = len(self[left]) + len(self[right]) - shared
        return shared / union if union else 0.0


def shingles(texts: Iterable[str], shingle: str = "words:5", *, hash_key: bytes | HashKey | None = None) -> Shingles:
    """Return the shingle sets of `texts`.

    `hash_key` as for `dedup.find_duplicates`: sets can be compared if they were made with one key. Cost: linear;
    8 bytes a shingle.

    >>> sets = shingles(["one two three four five six", "one two three four five six seven"])
    >>> len(sets[0]), len(sets[1]), round(sets.jaccard(0, 1), 3)
    (2, 3, 0.667)
    """
    from dedup.kernels.sets import distinct
    from dedup.sources.coerce import read_texts

    kind = parse(shingle, choose_key(hash_key))
    rows: list[npt.NDArray[np.uint64]] = []
    lengths: list[npt.NDArray[np.int64]] = [np.zeros(1, dtype=np.int64)]
    for block in read_texts(texts).blocks():
        values, offsets, _ = hash_shingles(block.values, block.starts, block.ends, kind)
        sizes = np.zeros(len(offsets) - 1, dtype=np.int64)
        distinct(values, offsets, sizes, np.arange(len(sizes), dtype=np.int64))
        rows += [values[start : start + size] for start, size in zip(offsets, sizes, strict=False)]
        lengths.append(sizes)
    empty = np.empty(0, dtype=np.uint64)
    return Shingles(np.concatenate([empty, *rows]), np.cumsum(np.concatenate(lengths)), kind)

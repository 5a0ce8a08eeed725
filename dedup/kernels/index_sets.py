"""Stored sets: their seals, and how many hashes a stored set shares with one that is asked about.

Definition of the seal of a set, in naive Python (64-bit arithmetic)::

    seal = len(values) * SEAL_SEED
    for value in values:
        seal = (seal ^ value) * SEAL_FACTOR
        seal ^= seal >> 29

Each step is a bijection of the seal, and of the value. So a set in which one value was changed never has the same seal,
and a set in which more was changed has it with a chance of 2^-64. It guards against accidents, not against people.

A row of the index is ten words: ``first << 32 | size``, the place of its set, two words of digest, the seal of its set,
its id, its group, two forms, and the seal of the nine words before and the number of the document (`dedup.index.log`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part

SEAL_SEED = np.uint64(0x9E3779B97F4A7C15)
SEAL_FACTOR = np.uint64(0xD6E8FEB86659FD93)

SIZE_MASK = np.uint64(0xFFFFFFFF)
"""The bits of the first word of a row that are the size of its set."""

ROW_WORDS = 10


@part
def sealed(seal: np.uint64, value: np.uint64) -> np.uint64:
    """Return the seal after one more value."""
    seal = (seal ^ value) * SEAL_FACTOR
    return seal ^ (seal >> np.uint64(29))


@part
def seal_of(values: npt.NDArray[np.uint64], start: int, size: int) -> np.uint64:
    """Return the seal of the set ``values[start:start + size]``."""
    seal = np.uint64(size) * SEAL_SEED
    for i in range(start, start + size):
        seal = sealed(seal, values[np.uint64(i)])
    return seal


@kernel
def seal_sets(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    seals: Written[npt.NDArray[np.uint64]],
) -> None:
    """Write the seal of each set ``values[offsets[i]:offsets[i] + sizes[i]]``; 0 where that is not within `values`."""
    for row in range(len(sizes)):
        start, size = offsets[row], sizes[row]
        if start < 0 or size < 0 or start > len(values) - size:
            seals[row] = np.uint64(0)
        else:
            seals[row] = seal_of(values, start, size)


@kernel
def seal_rows(rows: Table[np.uint64], numbers: npt.NDArray[np.int64], seals: Written[npt.NDArray[np.uint64]]) -> None:
    """Write the seal of the first nine words of each row, and of the number of its document."""
    for row in range(len(rows)):
        seal = np.uint64(numbers[row]) * SEAL_SEED
        for word in range(ROW_WORDS - 1):
            seal = sealed(seal, rows[row, word])
        seals[row] = seal


@part
def shared_between(
    left: npt.NDArray[np.uint64],
    at: int,
    end: int,
    right: npt.NDArray[np.uint64],
    other: int,
    other_end: int,
    needed: int,
) -> int:
    """Return how many hashes two sorted sets in two arrays share; -1 as soon as `needed` is out of reach."""
    shared = np.int64(0)
    while at < end and other < other_end:
        if shared + min(end - at, other_end - other) < needed:
            return -1
        steps = np.int64(min(16, end - at, other_end - other))
        for _ in range(steps):
            x, y = left[np.uint64(at)], right[np.uint64(other)]
            shared += np.int64(x == y)
            at += np.int64(x <= y)
            other += np.int64(y <= x)
    return shared if shared >= needed else -1

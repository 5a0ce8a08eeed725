"""Blocks: how the units of a task are cut, and gathered again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.distributed.transport.rows import narrow

__all__ = ["TASK_BYTES", "counted", "cut", "gaps_of", "packed", "shared_out", "units_of"]

TASK_BYTES = 1 << 28
"""Bytes of hashes that a task gathers before it cuts them into blocks."""

LONGEST_GAP = 255
"""Units. A gap is a byte, if it is shorter."""

BLOCK_HASHES, BLOCK_UNITS = 1 << 22, 1 << 16
"""Hashes, units. A block has at most so many; one unit may have more hashes."""


def packed(
    values: npt.NDArray[np.uint64], starts: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint64]:
    """Return ``values[starts[i]:starts[i] + sizes[i]]`` of all i, one after the other."""
    ends = np.cumsum(sizes)
    places = np.arange(int(ends[-1]) if len(ends) else 0, dtype=np.int64)
    places += np.repeat(starts - (ends - sizes), sizes)
    gathered: npt.NDArray[np.uint64] = values[places]
    return gathered


def counted(units: npt.NDArray[np.int64], count: int) -> dict[str, npt.NDArray[Any]]:
    """Return how often each of `count` units occurs in `units` (ascending): counts, or gaps if these are shorter."""
    if len(units) + count // LONGEST_GAP < count:
        return {"gaps": gaps_of(units)}
    return {"counts": narrow(np.bincount(units, minlength=count))}


def gaps_of(units: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Return the gap before each of some ascending numbers: a byte below 255, after a 255 for each 255 in the gap."""
    long, last = np.divmod(np.diff(units, prepend=0), LONGEST_GAP)
    ends = np.cumsum(long + 1)
    gaps = np.full(int(ends[-1]) if len(ends) else 0, LONGEST_GAP, dtype=np.uint8)
    gaps[ends - 1] = last
    return gaps


def units_of(arrays: Mapping[str, npt.NDArray[Any]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the units that `counted` counted, ascending, and their counts."""
    if "gaps" not in arrays:
        counts = arrays["counts"].astype(np.int64)
        return np.arange(len(counts), dtype=np.int64), counts
    units = np.cumsum(arrays["gaps"], dtype=np.int64)[arrays["gaps"] < LONGEST_GAP]
    first = np.ones(len(units), dtype=np.bool_)
    first[1:] = units[1:] != units[:-1]
    starts = np.flatnonzero(first)
    return units[starts], np.diff(np.append(starts, len(units)))


def shared_out(parts: npt.NDArray[np.int64]) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """Yield each part that occurs, ascending, with the places that have it, in order."""
    order = np.argsort(parts, kind="stable")
    every, starts = np.unique(parts[order], return_index=True)
    ends = np.append(starts, len(order))[1:].tolist()
    for part, start, end in zip(every.tolist(), starts.tolist(), ends, strict=True):
        yield part, order[start:end]


def cut(
    sizes: npt.NDArray[np.int64], most_hashes: int = BLOCK_HASHES, most_units: int = BLOCK_UNITS
) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the units of each block, in order; `sizes` is the number of hashes of each unit."""
    reach = np.cumsum(sizes)
    at = 0
    while at < len(sizes):
        before = int(reach[at - 1]) if at else 0
        end = max(int(np.searchsorted(reach, before + most_hashes, side="right")), at + 1)
        end = min(end, at + most_units, len(sizes))
        yield np.arange(at, end, dtype=np.int64)
        at = end

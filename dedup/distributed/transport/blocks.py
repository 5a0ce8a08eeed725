"""Blocks: how the units of a task are cut, and gathered again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.distributed.transport.rows import narrow

__all__ = ["TASK_BYTES", "counted", "cut", "packed", "shared_out", "units_of"]

TASK_BYTES = 1 << 28
"""Bytes of hashes that a task gathers before it cuts them into blocks."""

SPARSE_BYTES = 3
"""Bytes of a unit and its count. If few units of a block occur in a part, these take less than a byte for each unit."""

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
    """Return how often each of `count` units occurs in `units` (ascending): of all, or of those that do, if few do."""
    first = np.ones(len(units), dtype=np.bool_)
    first[1:] = units[1:] != units[:-1]
    starts = np.flatnonzero(first)
    if SPARSE_BYTES * len(starts) < count:
        return {"units": narrow(units[starts]), "counts": narrow(np.diff(np.append(starts, len(units))))}
    return {"counts": narrow(np.bincount(units, minlength=count))}


def units_of(arrays: Mapping[str, npt.NDArray[Any]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the units that `counted` counted, and their counts."""
    counts = arrays["counts"].astype(np.int64)
    units = arrays["units"].astype(np.int64) if "units" in arrays else np.arange(len(counts), dtype=np.int64)
    return units, counts


def shared_out(parts: npt.NDArray[np.int64]) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """Yield each part that occurs, ascending, with the places that have it, in order."""
    order = np.argsort(parts, kind="stable")
    every, starts = np.unique(parts[order], return_index=True)
    ends = np.append(starts, len(order))[1:].tolist()
    for part, start, end in zip(every.tolist(), starts.tolist(), ends, strict=True):
        yield part, order[start:end]


def cut(sizes: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the units of each block, in order; `sizes` is the number of hashes of each unit."""
    reach = np.cumsum(sizes)
    at = 0
    while at < len(sizes):
        before = int(reach[at - 1]) if at else 0
        end = max(int(np.searchsorted(reach, before + BLOCK_HASHES, side="right")), at + 1)
        end = min(end, at + BLOCK_UNITS, len(sizes))
        yield np.arange(at, end, dtype=np.int64)
        at = end

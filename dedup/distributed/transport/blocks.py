"""Blocks: how the units of a task are cut, and gathered again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.distributed.transport.rows import narrow

__all__ = ["TASK_BYTES", "counted", "cut", "divided", "gaps_of", "packed", "shared_by_bits", "shared_out", "units_of"]

TASK_BYTES = 1 << 28
"""Bytes of hashes that a task gathers before it cuts them into blocks."""

BLOCK_HASHES, BLOCK_UNITS = 1 << 22, 1 << 16
"""Hashes, units. A block has at most so many; one unit may have more hashes."""


def packed(
    values: npt.NDArray[np.uint64], starts: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint64]:
    """Return ``values[starts[i]:starts[i] + sizes[i]]`` of all i, one after the other."""
    from dedup.kernels.parts import gather_rows

    gathered = np.empty(int(sizes.sum()), dtype=np.uint64)
    gather_rows(values, starts, sizes, gathered)
    return gathered


def counted(units: npt.NDArray[np.int64], count: int) -> dict[str, npt.NDArray[Any]]:
    """Return how often each of `count` units occurs in `units` (ascending): counts, or gaps if these are shorter."""
    from dedup.kernels.parts import LONGEST_GAP

    if len(units) + count // LONGEST_GAP < count:
        return {"gaps": gaps_of(units)}
    return {"counts": narrow(np.bincount(units, minlength=count))}


def gaps_of(units: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Return the gap before each of some ascending numbers: a byte below 255, after a 255 for each 255 in the gap."""
    from dedup.kernels.parts import LONGEST_GAP, write_gaps

    gaps = np.empty(len(units) + (int(units[-1]) // LONGEST_GAP if len(units) else 0), dtype=np.uint8)
    return gaps[: write_gaps(units, gaps)]


def units_of(arrays: Mapping[str, npt.NDArray[Any]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the units that `counted` counted, ascending, and their counts."""
    from dedup.kernels.parts import LONGEST_GAP

    if "gaps" not in arrays:
        counts = arrays["counts"].astype(np.int64)
        return np.arange(len(counts), dtype=np.int64), counts
    units = np.cumsum(arrays["gaps"], dtype=np.int64)[arrays["gaps"] < LONGEST_GAP]
    first = np.ones(len(units), dtype=np.bool_)
    first[1:] = units[1:] != units[:-1]
    starts = np.flatnonzero(first)
    return units[starts], np.diff(np.append(starts, len(units)))


def divided(
    arrays: Mapping[str, npt.NDArray[Any]], chosen: npt.NDArray[np.bool_]
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, npt.NDArray[Any]]]:
    """Return what `counted` returns for the chosen ones of the units that it counted, and for the others."""
    each = np.repeat(*units_of(arrays))
    both = each[chosen], each[~chosen]
    if "gaps" in arrays:
        one, other = ({"gaps": gaps_of(units)} for units in both)
    else:
        count = len(arrays["counts"])
        one, other = ({"counts": narrow(np.bincount(units, minlength=count))} for units in both)
    return one, other


def shared_out(parts: npt.NDArray[np.int64]) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """Yield each part that occurs, ascending, with the places that have it, in order."""
    order = np.argsort(parts, kind="stable")
    every, starts = np.unique(parts[order], return_index=True)
    ends = np.append(starts, len(order))[1:].tolist()
    for part, start, end in zip(every.tolist(), starts.tolist(), ends, strict=True):
        yield part, order[start:end]


def shared_by_bits(values: npt.NDArray[np.uint64], bits: int) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """Yield each part that occurs, ascending, with the places of the values whose top `bits` bits it is, in order."""
    from dedup.kernels.parts import order_parts

    bounds, order = np.empty((1 << bits) + 1, dtype=np.int64), np.empty(len(values), dtype=np.int64)
    order_parts(values, bits, bounds, order)
    for part in np.flatnonzero(bounds[1:] > bounds[:-1]).tolist():
        yield part, order[bounds[part] : bounds[part + 1]]


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

"""Listing: from the pairs of representatives to the pairs of all their copies.

Definition, in naive Python::

    listed = {(u, v) for u, v in combinations(shown, 2) if representative[u] == representative[v]
              or pair of (representative[u], representative[v])}
    listed |= {(low, high) for low, high in stars}

They are ordered by `u` and then by `v`. Any range of `u` can be listed by itself, so a table is made in parts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Written, kernel, part


@kernel
def both_ways(
    left: npt.NDArray[np.int32], right: npt.NDArray[np.int32], count: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return, for each of `count` units, its pairs: rows of the second array, from ``offsets[unit]`` on.

    A pair in which the unit is on the left is ``row << 1``; one in which it is on the right is ``row << 1 | 1``.
    """
    offsets = np.zeros(count + 2, dtype=np.int64)
    for pair in range(len(left)):
        offsets[left[pair] + 2] += 1
        offsets[right[pair] + 2] += 1
    for unit in range(count):
        offsets[unit + 2] += offsets[unit + 1]
    pairs = np.empty(2 * len(left), dtype=np.int64)
    for pair in range(len(left)):
        for side in range(2):
            unit = right[pair] if side else left[pair]
            pairs[offsets[unit + 1]] = pair << 1 | side
            offsets[unit + 1] += 1
    return offsets[: count + 1], pairs


@part
def behind(copies: npt.NDArray[np.int64], start: int, end: int, unit: int) -> int:
    """Return the first place from `start` on, up to `end`, at which `copies` (ascending) is above `unit`."""
    while start < end:
        middle = (start + end) // 2
        if copies[middle] > unit:
            end = middle
        else:
            start = middle + 1
    return start


@kernel
def count_listed(
    first: int,
    last: int,
    representatives: npt.NDArray[np.int64],
    shown: npt.NDArray[np.bool_],
    with_copies: bool,
    copies: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    left: npt.NDArray[np.int32],
    right: npt.NDArray[np.int32],
    offsets: npt.NDArray[np.int64],
    pairs: npt.NDArray[np.int64],
    star_offsets: npt.NDArray[np.int64],
    counts: Written[npt.NDArray[np.int64]],
) -> None:
    """Write to `counts` (one per unit) in how many listed pairs a unit from `first` to `last` - 1 is the earlier one.

    Pairs of copies with each other are counted if `with_copies` is true. `copies` from ``starts[r]`` on are the shown
    units whose representative is `r`, ascending. `offsets` and `pairs` come from `both_ways`. `star_offsets` say how
    many further pairs with a kept unit are listed.
    """
    for unit in range(first, last):
        total = star_offsets[unit + 1] - star_offsets[unit]
        if shown[unit]:
            own = representatives[unit]
            if with_copies:
                total += starts[own + 1] - behind(copies, starts[own], starts[own + 1], unit)
            for at in range(offsets[own], offsets[own + 1]):
                pair = pairs[at] >> 1
                other = np.int64(left[pair] if pairs[at] & 1 else right[pair])
                total += starts[other + 1] - behind(copies, starts[other], starts[other + 1], unit)
        counts[unit] = total


@kernel
def spell_out(
    first: int,
    last: int,
    representatives: npt.NDArray[np.int64],
    shown: npt.NDArray[np.bool_],
    with_copies: bool,
    copies: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    left: npt.NDArray[np.int32],
    right: npt.NDArray[np.int32],
    shared: npt.NDArray[np.int32],
    offsets: npt.NDArray[np.int64],
    pairs: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    star_offsets: npt.NDArray[np.int64],
    star_others: npt.NDArray[np.int32],
    star_shared: npt.NDArray[np.int32],
    bounds: npt.NDArray[np.int64],
    result: Written[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32]]],
    keys: Written[npt.NDArray[np.uint64]],
) -> None:
    """Write the listed pairs of the units from `first` to `last` - 1 to the columns of `result`: left, right, shared.

    The other arguments are those of `count_listed`; ``bounds`` are the running sums of its counts. `keys` is
    overwritten: it has room for all pairs of any one unit.
    """
    for unit in range(first, last):
        filled = 0
        for at in range(star_offsets[unit], star_offsets[unit + 1]):
            keys[filled] = np.uint64(star_others[at]) << np.uint64(32) | np.uint64(star_shared[at])
            filled += 1
        if shown[unit]:
            own = representatives[unit]
            at = behind(copies, starts[own], starts[own + 1], unit) if with_copies else starts[own + 1]
            while at < starts[own + 1]:
                keys[filled] = np.uint64(copies[at]) << np.uint64(32) | np.uint64(sizes[own])
                filled += 1
                at += 1
            for near in range(offsets[own], offsets[own + 1]):
                pair = pairs[near] >> 1
                other = np.int64(left[pair] if pairs[near] & 1 else right[pair])
                common = np.uint64(shared[pair])
                for at in range(behind(copies, starts[other], starts[other + 1], unit), starts[other + 1]):
                    keys[filled] = np.uint64(copies[at]) << np.uint64(32) | common
                    filled += 1
        some = keys[:filled]
        some.sort()
        to = bounds[unit] - bounds[first]
        for i in range(filled):
            result[0][to + i] = unit
            result[1][to + i] = np.int32(some[i] >> np.uint64(32))
            result[2][to + i] = np.int32(some[i] & np.uint64(0xFFFFFFFF))

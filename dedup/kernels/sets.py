"""Sets: the hashes of a row in ascending order, each once.

Definition, in naive Python::

    row[:] = sorted(set(row))

A comparison sort would mispredict every second branch. Hashes are uniform, so their top bits nearly give the order: the
row is scattered by the lower half of these bits and then, keeping that order, by the upper half (LSD radix sort [1]).
With eight or more cells per hash, few hashes share a cell. A last pass sorts these and drops repeated hashes. It counts
its steps: a row that is not uniform (no text makes one) takes too many, and is sorted by a heap instead.

References: [1] Knuth, "The Art of Computer Programming", volume 3, section 5.2.5.

Cost: 4 to 5 ns per hash for rows of 60 to 100,000 hashes. It is more for rows of a few hashes, and for rows that no
cache holds: 19 ns at three million hashes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Written, kernel, part, shared

CELLS = 3
"""Bits of a hash. So many are used in addition to the bits that number as many cells as there are hashes. Curve:
`benchmarks.tuning.kernel_sets_cells`; flat from 3 to 4 on ota_dev; flat from 3 to 5 on win32_docs (two cores,
2026-11)."""

MOST_BITS = 16
"""Bits that one scatter uses, at most: so it writes to 65,536 places. Curve: `benchmarks.tuning.kernel_sets_most_bits`;
flat from 8 to 20 on generated:1000:40000 (two cores, 2026-11)."""

FEW = 8
"""Hashes of a row. A row with at most so many is not scattered. Curve: `benchmarks.tuning.kernel_sets_few`; flat
from 2 to 32 on generated:100000:150 (two cores, 2026-11)."""

PATIENCE = 16
"""Steps back per hash, on average. If it needs more, the last pass gives up. Curve:
`benchmarks.tuning.kernel_sets_patience`; flat from 2 to 16 on generated:10000, where 64 takes 1.07 times as long (two
cores, 2026-11)."""


@kernel
def distinct(
    values: Written[npt.NDArray[np.uint64]],
    offsets: npt.NDArray[np.int64],
    sizes: Written[npt.NDArray[np.int64]],
    rows: npt.NDArray[np.int64],
) -> None:
    """Sort the hashes of each of `rows` in place, each kept once; write how many there are into ``sizes[row]``.

    Row r is ``values[offsets[r]:offsets[r + 1]]`` (written). What follows its distinct hashes is undefined.
    """
    longest = 1
    for row in rows:
        longest = max(longest, offsets[row + 1] - offsets[row])
    room = np.empty(longest, dtype=np.uint64)
    counts = np.empty(np.int64(2) << half_bits(longest), dtype=np.int64)
    for row in rows:
        start, end = offsets[row], offsets[row + 1]
        if end - start > FEW:
            scatter(values, start, end, room, counts)
        sizes[row] = settle(values, start, end)


@part
def half_bits(size: int) -> int:
    """Return how many bits each of the two scatters uses, for a row of `size` hashes."""
    bits = 1
    while (np.int64(1) << (2 * bits)) < (size << CELLS) and bits < MOST_BITS:
        bits += 1
    return bits


@part
def scatter(
    values: npt.NDArray[np.uint64], start: int, end: int, room: npt.NDArray[np.uint64], counts: npt.NDArray[np.int64]
) -> None:
    """Sort ``values[start:end]`` (written) by their top bits; `room` and `counts` are overwritten."""
    half = half_bits(end - start)
    width = np.int64(1) << half
    high, low, mask = np.uint64(64 - half), np.uint64(64 - 2 * half), np.uint64(width - 1)
    for cell in range(2 * width):
        counts[cell] = 0
    for i in range(np.uint64(start), np.uint64(end)):
        value = values[i]
        counts[value >> high] += 1
        counts[np.uint64(width) + ((value >> low) & mask)] += 1
    before_high, before_low = np.int64(0), np.int64(0)
    for cell in range(width):
        count = counts[cell]
        counts[cell] = before_high
        before_high += count
        count = counts[width + cell]
        counts[width + cell] = before_low
        before_low += count
    for i in range(np.uint64(start), np.uint64(end)):
        value = values[i]
        cell = np.uint64(width) + ((value >> low) & mask)
        place = counts[cell]
        counts[cell] = place + 1
        room[np.uint64(place)] = value
    for i in range(np.uint64(end - start)):
        value = room[i]
        place = counts[value >> high]
        counts[value >> high] = place + 1
        values[np.uint64(start + place)] = value


@shared
def settle(values: npt.NDArray[np.uint64], start: int, end: int) -> int:
    """Sort a row that is nearly sorted, each hash kept once; return the number of distinct hashes."""
    if start == end:
        return 0
    one = np.uint64(1)
    first, stop = np.uint64(start), np.uint64(end)
    at, last = first, values[first]  # the place of the largest hash so far
    steps = np.int64(PATIENCE * (end - start))
    i = first + one
    while i < stop:
        value = values[i]
        i += one
        if value >= last:
            at += np.uint64(value != last)
            values[at] = value
            last = value
            continue
        place = at  # larger hashes go one place up, until the value's own place is free
        while place > first and values[place - one] > value:
            values[place + one] = values[place]
            place -= one
        steps -= np.int64(at - place)
        values[place + one] = values[place]
        if place > first and values[place - one] == value:  # it is there: they go back
            while place <= at:
                values[place] = values[place + one]
                place += one
        else:
            values[place] = value
            at += one
        if steps < 0:  # after `at`, dropped hashes have left a gap
            count = np.int64(at - first) + 1
            while i < stop:
                at += one
                values[at] = values[i]
                i += one
                count += 1
            return heap_sorted(values, start, start + count)
    return np.int64(at - first) + 1


@part
def heap_sorted(values: npt.NDArray[np.uint64], start: int, end: int) -> int:
    """Sort a row whose hashes are not uniform, each hash kept once: slower, but the cost is the same for any values."""
    count = end - start
    for last in range(2 * count - 1, 0, -1):  # first the heap is made, then it is emptied from its top
        if last < count:
            values[start], values[start + last] = values[start + last], values[start]
        place, size = (last - count, count) if last >= count else (0, last)
        while 2 * place + 1 < size:
            child = 2 * place + 1
            if child + 1 < size and values[start + child] < values[start + child + 1]:
                child += 1
            if values[start + place] >= values[start + child]:
                break
            values[start + place], values[start + child] = values[start + child], values[start + place]
            place = child
    at = start
    for i in range(start, end):
        if i == start or values[i] != values[at - 1]:
            values[at] = values[i]
            at += 1
    return at - start

"""Parts: what the stages of a distributed search do with the hashes of a block, which go to parts of the hash space.

Definition, in naive Python; row i has ``values[starts[i]:starts[i] + sizes[i]]``::

    share_rows:   for part in parts: [(hash's next 32 bits, i) for i in rows for hash in row i if top bits == part]
    order_parts:  sorted(range(len(values)), key=lambda i: (top bits of values[i], i))
    put_back:     the inverse of `share_rows`: each note goes to the next place of its row, with its counter
    choose:       sorted((counter, hash) for hash in row if counter > 1)[:probed], those without a counter last

The parts are the top bits of a hash, so the hashes of a sorted row come back in order if the parts come in order.

Cost: two walks over the hashes and a write to one of the parts for each: 3 to 6 ns a hash.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Written, kernel, part
from dedup.kernels.counters import CLASSES
from dedup.kernels.seen_twice import SAMPLES, part_of
from dedup.kernels.self_join import last_class

LONGEST_GAP = 255
"""Rows. A gap is a byte, if it is shorter."""


@kernel
def keep_sampled(
    values: Written[npt.NDArray[np.uint64]],
    offsets: npt.NDArray[np.int64],
    sample: int,
    counts: Written[npt.NDArray[np.int64]],
) -> int:
    """Move the sampled hashes of all rows to the front of `values` (overwritten); return their number.

    Writes into ``counts[i]`` how many row i has.
    """
    low, limit = np.uint64(SAMPLES - 1), np.uint64(sample)
    at = np.int64(0)
    for row in range(len(counts)):
        before = at
        for i in range(np.uint64(offsets[row]), np.uint64(offsets[row + 1])):
            value = values[i]
            values[np.uint64(at)] = value
            at += np.int64((value & low) < limit)
        counts[row] = at - before
    return at


@kernel
def gather_rows(
    values: npt.NDArray[np.uint64],
    starts: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    gathered: Written[npt.NDArray[np.uint64]],
) -> None:
    """Write the hashes of all rows, one row after the other, into `gathered`."""
    at = np.uint64(0)
    for row in range(len(starts)):
        first = np.uint64(starts[row])
        for i in range(np.uint64(sizes[row])):
            gathered[at + i] = values[first + i]
        at += np.uint64(sizes[row])


@kernel
def put_after(
    values: npt.NDArray[np.uint64],
    starts: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    spread: Written[npt.NDArray[np.uint64]],
) -> None:
    """Write the next ``sizes[i]`` of `values` into `spread`, from ``starts[i]`` on: the inverse of `gather_rows`."""
    at = np.uint64(0)
    for row in range(len(starts)):
        first = np.uint64(starts[row])
        for i in range(np.uint64(sizes[row])):
            spread[first + i] = values[at + i]
        at += np.uint64(sizes[row])


@part
def sum_up(bounds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Turn counts, each one place further up, into bounds; return the first places."""
    cursors = np.empty(len(bounds), dtype=np.int64)
    cursors[0] = 0
    for place in range(1, len(bounds)):
        bounds[place] += bounds[place - 1]
        cursors[place] = bounds[place]
    return cursors


@kernel
def share_rows(
    values: npt.NDArray[np.uint64],
    starts: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    part_bits: int,
    bounds: Written[npt.NDArray[np.int64]],
    notes: Written[npt.NDArray[np.uint32]],
    rows: Written[npt.NDArray[np.int64]],
) -> None:
    """Write a note of each hash, 32 bits after the part bits, and its row, part by part, in the order of the rows.

    Part p is ``notes[bounds[p]:bounds[p + 1]]``.
    """
    for place in range(len(bounds)):
        bounds[place] = 0
    for row in range(len(starts)):
        for i in range(np.uint64(starts[row]), np.uint64(starts[row] + sizes[row])):
            bounds[part_of(values[i], part_bits) + np.uint64(1)] += 1
    cursors = sum_up(bounds)
    for row in range(len(starts)):
        for i in range(np.uint64(starts[row]), np.uint64(starts[row] + sizes[row])):
            value = values[i]
            place = part_of(value, part_bits)
            to = cursors[place]
            notes[np.uint64(to)] = np.uint32((value << np.uint64(part_bits)) >> np.uint64(32))
            rows[np.uint64(to)] = row
            cursors[place] = to + 1


@kernel
def order_parts(
    values: npt.NDArray[np.uint64],
    part_bits: int,
    bounds: Written[npt.NDArray[np.int64]],
    order: Written[npt.NDArray[np.int64]],
) -> None:
    """Write the places of all values, part by part: those of part p are ``order[bounds[p]:bounds[p + 1]]``."""
    for place in range(len(bounds)):
        bounds[place] = 0
    for value in values:
        bounds[part_of(value, part_bits) + np.uint64(1)] += 1
    cursors = sum_up(bounds)
    for i in range(np.uint64(len(values))):
        place = part_of(values[i], part_bits)
        to = cursors[place]
        order[np.uint64(to)] = np.int64(i)
        cursors[place] = to + 1


@kernel
def write_gaps(rows: npt.NDArray[np.int64], gaps: Written[npt.NDArray[np.uint8]]) -> int:
    """Write the gap before each of some ascending rows, after a 255 for each 255 in it; return the number of bytes."""
    at, last = np.int64(0), np.int64(0)
    for row in rows:
        gap = row - last
        while gap >= LONGEST_GAP:
            gaps[np.uint64(at)] = LONGEST_GAP
            at += 1
            gap -= LONGEST_GAP
        gaps[np.uint64(at)] = gap
        at += 1
        last = row
    return at


@kernel
def count_slots(slots: npt.NDArray[np.uint32], shift: int, table: Written[npt.NDArray[np.int32]]) -> None:
    """Add each slot, without its last `shift` bits, to its counter in `table` (written)."""
    for slot in slots:
        table[np.uint64(slot >> np.uint32(shift))] += np.int32(1)


@kernel
def put_back(
    notes: npt.NDArray[np.uint32],
    counters: npt.NDArray[np.uint8],
    rows: npt.NDArray[np.int64],
    top: int,
    part_bits: int,
    cursors: Written[npt.NDArray[np.int64]],
    values: Written[npt.NDArray[np.uint64]],
    classes: Written[npt.NDArray[np.uint8]],
    unique: Written[npt.NDArray[np.int64]],
) -> None:
    """Write the hashes of part `top`, as far as notes know them, and their counters, at the cursors of their rows.

    The `cursors` (written) are advanced; ``unique[row]`` is raised by the number of its counters that are 1.
    """
    head = np.uint64(top) << np.uint64(64 - part_bits)
    for i in range(np.uint64(len(notes))):
        row = rows[i]
        to = np.uint64(cursors[row])
        values[to] = head | (np.uint64(notes[i]) << np.uint64(32 - part_bits))
        classes[to] = counters[i]
        unique[row] += np.int64(counters[i] == 1)
        cursors[row] = np.int64(to) + 1


@kernel
def choose(
    values: npt.NDArray[np.uint64],
    starts: npt.NDArray[np.int64],
    below: npt.NDArray[np.int64],
    counters: npt.NDArray[np.uint8],
    bounds: npt.NDArray[np.int64],
    indexed: npt.NDArray[np.int64],
    hot_class: int,
    chosen: Written[npt.NDArray[np.uint64]],
    flags: Written[npt.NDArray[np.uint8]],
    hot: Written[npt.NDArray[np.bool_]],
) -> None:
    """Write the prefix of each row, in the order of its hashes: ``chosen[bounds[i]:bounds[i + 1]]``; it has so many.

    Row i has ``below[i]`` hashes with a counter, from ``starts[i]`` on, and others after them. ``flags`` is 1 for its
    first ``indexed[i]``, in the common order (by counter, then by hash, those without a counter last; unique ones are
    left out). Writes into ``hot[i]`` whether the counter of a chosen one is above `hot_class`.
    """
    histogram = np.empty(CLASSES, dtype=np.int64)
    for row in range(len(starts)):
        at, end = bounds[row], bounds[row + 1]
        hot[row] = False
        if at == end:
            continue
        for i in range(CLASSES):
            histogram[i] = 0
        start = np.uint64(starts[row])
        counted = np.uint64(below[row])
        for i in range(counted):
            histogram[counters[start + i]] += 1
        last, ties = last_class(histogram, end - at)
        most = min(indexed[row], end - at)
        first_last, first_ties = last_class(histogram, most)
        left = most
        for i in range(counted):
            counter = np.int64(counters[start + i])
            tie = counter == last and ties > 0
            ties -= np.int64(tie)
            if tie or 1 < counter < last:
                first_tie = counter == first_last and first_ties > 0
                first_ties -= np.int64(first_tie)
                first = left > 0 and (first_tie or counter < first_last)
                left -= np.int64(first)
                chosen[np.uint64(at)] = values[start + i]
                flags[np.uint64(at)] = np.uint8(first)
                hot[row] |= counter > hot_class
                at += 1
        behind = start + counted
        while at < end:
            chosen[np.uint64(at)] = values[behind]
            flags[np.uint64(at)] = np.uint8(left > 0)
            left -= np.int64(left > 0)
            behind += np.uint64(1)
            at += 1

"""Counters: in how many of some sorted sets a hash occurs, at most; part by part of the hash space.

Definition, in naive Python (a slot is the top bits of a hash; hashes above a limit are left out)::

    texts = Counter(slot(hash) for row in rows for hash in row)
    counters = [[class_of(texts[slot(hash)]) for hash in row] for row in rows]

A table of a byte per slot is far larger than a cache, so a look at it would wait for the memory, and two threads must
not add to one word of it. So slots are first sorted into *parts* by their top bits, one run of rows (a *chunk*) at a
time: `tally` counts the hashes of each part, `scatter` writes what is left of their slots into `entries`: part p of
chunk c is ``entries[starts[c, p]:starts[c, p + 1]]``, in the order of the rows. `count_part` then works on one part,
with a table that fits into a cache, and replaces each slot by its counter; `count_sides` does so for two sides.
`gather` walks through the rows again and fetches their counters from the parts, each of them in order.

The sets are sorted, so the hashes of a row in a range of parts (a *band*) follow one another: they are
``values[begins[i]:ends[i]]``. The hash space is walked through band by band, which bounds the memory for entries.

Cost: about five nanoseconds per hash; 4 bytes per hash of a band, and the table of a part per thread.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part
from dedup.kernels.verify import first_from

CLASSES = 256
EXACT_COUNTER = 128
"""Texts. Counters are exact up to here. Above, one step of a counter means several texts: twice as many after every
16 steps."""

FULL_RANGE = np.uint64(0xFFFFFFFFFFFFFFFF)


@kernel
def count_below(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    limit: np.uint64,
    below: Written[npt.NDArray[np.int64]],
) -> None:
    """Write into ``below[i]`` how many hashes of row i of `rows` are at most `limit`."""
    for place in range(len(rows)):
        first, end = offsets[rows[place]], offsets[rows[place]] + sizes[rows[place]]
        below[place] = (end if limit == FULL_RANGE else first_from(values, first, end, limit + np.uint64(1))) - first


@kernel
def tally(
    values: npt.NDArray[np.uint64],
    begins: npt.NDArray[np.int64],
    stops: npt.NDArray[np.int64],
    highest: np.uint64,
    shift: int,
    first: int,
    ends: Written[npt.NDArray[np.int64]],
    counts: Written[npt.NDArray[np.int64]],
) -> None:
    """Write into ``ends[i]`` where the hashes up to `highest` of ``values[begins[i]:stops[i]]`` end; count each part.

    The part of a hash is ``hash >> shift``; that of number `first` is counted in ``counts[0]`` (written; zeros at
    first).
    """
    base = np.uint64(first)
    for row in range(len(begins)):
        end = stops[row]
        if highest != FULL_RANGE:
            end = first_from(values, begins[row], end, highest + np.uint64(1))
        ends[row] = end
        for i in range(np.uint64(begins[row]), np.uint64(end)):
            counts[(values[i] >> np.uint64(shift)) - base] += 1


@kernel
def scatter(
    values: npt.NDArray[np.uint64],
    begins: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    shift: int,
    first: int,
    slot_bits: int,
    cursors: Written[npt.NDArray[np.int64]],
    entries: Written[npt.NDArray[np.uint32]],
) -> None:
    """Write the slot, within its part, of each hash ``values[begins[i]:ends[i]]`` into `entries`, at its part's cursor.

    The `cursors` (written) are advanced. `shift` and `first` are those of `tally`; `slot_bits` follow the part's bits.
    """
    base = np.uint64(first)
    rest = np.uint64(shift - slot_bits)
    mask = (np.uint64(1) << np.uint64(slot_bits)) - np.uint64(1)
    for row in range(len(begins)):
        for i in range(np.uint64(begins[row]), np.uint64(ends[row])):
            value = values[i]
            place = (value >> np.uint64(shift)) - base
            to = cursors[place]
            entries[np.uint64(to)] = np.uint32((value >> rest) & mask)
            cursors[place] = to + 1


@part
def add(table: npt.NDArray[np.uint8], slot: np.uint32, chance: np.uint64) -> None:
    """Count one text more in a slot of a table; `chance` decides if a step of the counter means several texts."""
    counter = np.int64(table[slot])
    if counter < EXACT_COUNTER:
        table[slot] = counter + 1
    elif counter < CLASSES - 1:
        step = np.uint64((2 << ((counter - EXACT_COUNTER) // 16)) - 1)
        table[slot] = counter + np.int64((chance & step) == np.uint64(0))


@part
def chance_of(place: np.uint64) -> np.uint64:
    """Return bits that look random, the same ones for the same place among the entries."""
    return (place * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)


@kernel
def count_part(
    entries: Written[npt.NDArray[np.uint32]],
    starts: Table[np.int64],
    place: int,
    table: Written[npt.NDArray[np.uint8]],
) -> None:
    """Count the slots of part `place` of all chunks in `table` (zeros at first); replace each entry by its counter."""
    for chunk in range(len(starts)):
        for i in range(np.uint64(starts[chunk, place]), np.uint64(starts[chunk, place + 1])):
            add(table, entries[i], chance_of(i))
    for chunk in range(len(starts)):
        for i in range(np.uint64(starts[chunk, place]), np.uint64(starts[chunk, place + 1])):
            entries[i] = np.uint32(table[entries[i]])


@kernel
def count_sides(
    entries: Written[npt.NDArray[np.uint32]],
    starts: Table[np.int64],
    place: int,
    lefts: int,
    left: Written[npt.NDArray[np.uint8]],
    right: Written[npt.NDArray[np.uint8]],
) -> None:
    """Count as `count_part`, the first `lefts` chunks in one table, the others in another one.

    A slot that only one side has gets the counter 1, which proves nothing. Any other one gets the sum of both sides.
    """
    for chunk in range(len(starts)):
        for i in range(np.uint64(starts[chunk, place]), np.uint64(starts[chunk, place + 1])):
            if chunk < lefts:
                add(left, entries[i], chance_of(i))
            else:
                add(right, entries[i], chance_of(i))
    for slot in range(np.uint64(len(left))):
        one, other = np.int64(left[slot]), np.int64(right[slot])
        left[slot] = 1 if one == 0 or other == 0 else min(one + other, CLASSES - 1)
    for chunk in range(len(starts)):
        for i in range(np.uint64(starts[chunk, place]), np.uint64(starts[chunk, place + 1])):
            entries[i] = np.uint32(left[entries[i]])


@kernel
def gather(
    values: npt.NDArray[np.uint64],
    begins: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    shift: int,
    first: int,
    cursors: Written[npt.NDArray[np.int64]],
    entries: npt.NDArray[np.uint32],
    places: npt.NDArray[np.int64],
    counters: Written[npt.NDArray[np.uint8]],
    alone: Written[npt.NDArray[np.int64]],
) -> None:
    """Write the counters of the hashes of row i into `counters`, from ``places[i]`` on, in their order.

    Add to ``alone[i]`` how many of them are 1. The `cursors` (written) are the starts of the chunk's parts; the other
    arguments are those of `scatter`.
    """
    base = np.uint64(first)
    for row in range(len(begins)):
        to = np.uint64(places[row]) - np.uint64(begins[row])
        total = 0
        for i in range(np.uint64(begins[row]), np.uint64(ends[row])):
            place = (values[i] >> np.uint64(shift)) - base
            cursor = cursors[place]
            counter = entries[np.uint64(cursor)]
            cursors[place] = cursor + 1
            counters[to + i] = counter
            total += np.int64(counter == np.uint32(1))
        alone[row] += total

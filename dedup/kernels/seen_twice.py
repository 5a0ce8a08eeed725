"""Marks: which shingles may occur in two texts, found with two bits per slot.

Definition, in naive Python (`sampled` hashes are those whose low bits are below a limit)::

    once, twice = set(), set()
    for row in rows:
        for slot in (h >> shift for h in row if sampled(h)):
            (twice if slot in once else once).add(slot)
    alone = [sum(h >> shift not in twice for h in row if sampled(h)) for row in rows]

The errors are one-sided: hashes that share a slot look as if they occurred twice, never the other way round. A row
with more unique hashes (`alone`) than it may miss is not a candidate: no other row can reach the threshold with it.

A table of many megabytes costs a cache miss per hash. So the hashes are first sorted into *parts* by their top bits,
one run of rows (a *chunk*) at a time. `tally` counts them. `scatter` writes the slot of each hash into `entries`: part
p of chunk c is ``entries[starts[c, p]:starts[c, p + 1]]``, in the order of the rows. `mark` then works on one part,
with a piece of the table that fits into the cache, and replaces each slot that is marked once by 1. `alone` walks
through the rows again and reads these ones from the parts, each of them in order.

If texts are read once, their hashes need not be kept. `share_out` does both steps for a block of rows while its hashes
are in the cache, and notes the row of each hash with its slot. `add_alone` then needs only the notes, in their order.

If not all hashes are in memory at once (`enter`, `count_alone`), one table takes the hashes from `lowest` to `highest`,
one block of rows at a time. For each further range the texts are read again.

Cost: three walks over all hashes, about one nanosecond per hash each, and about five per sampled hash; 4 bytes per
sampled hash, and one bit per slot and state.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part
from dedup.kernels.verify import least

SAMPLES = 16
"""Parts of the hash space, by the low bits. Hashes in the first `sample` parts are looked at."""

ROW_BITS = 8
"""Bits of a note that say which row of its page it belongs to."""

PAGE = 1 << ROW_BITS

BUFFER = 512
"""Hashes that are picked before they are worked on, so that no branch depends on a random bit. Curve:
`benchmarks.tuning.kernel_seen_twice_buffer`; flat from 32 to 2^11 on generated:20000 (two cores, 2026-11)."""


@part
def part_of(value: np.uint64, part_bits: int) -> np.uint64:
    """Return the top `part_bits` bits; `part_bits` may be 0."""
    return (value >> np.uint64(1)) >> np.uint64(63 - part_bits)


@part
def pick(values: npt.NDArray[np.uint64], at: int, stop: int, limit: np.uint64, buffer: npt.NDArray[np.uint64]) -> int:
    """Write the sampled hashes of ``values[at:stop]`` into `buffer`; return their number."""
    filled = 0
    low = np.uint64(SAMPLES - 1)
    for i in range(np.uint64(at), np.uint64(stop)):
        value = values[i]
        buffer[np.uint64(filled)] = value
        filled += np.int64((value & low) < limit)
    return filled


@kernel
def tally(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    sample: int,
    part_bits: int,
    counts: Written[npt.NDArray[np.int64]],
) -> None:
    """Add the number of sampled hashes of `rows` in each part to `counts` (written)."""
    buffer = np.empty(BUFFER, dtype=np.uint64)
    for row in rows:
        at, end = offsets[row], offsets[row + 1]
        while at < end:
            stop = min(at + BUFFER, end)
            filled = pick(values, at, stop, np.uint64(sample), buffer)
            for i in range(filled):
                counts[part_of(buffer[i], part_bits)] += 1
            at = stop


@kernel
def scatter(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    sample: int,
    part_bits: int,
    slot_bits: int,
    cursors: Written[npt.NDArray[np.int64]],
    entries: Written[npt.NDArray[np.uint32]],
) -> None:
    """Write the slot, within its part, of each sampled hash of `rows` into `entries`, at the cursor of its part.

    The `cursors` (written) are advanced.
    """
    buffer = np.empty(BUFFER, dtype=np.uint64)
    for row in rows:
        at, end = offsets[row], offsets[row + 1]
        while at < end:
            stop = min(at + BUFFER, end)
            filled = pick(values, at, stop, np.uint64(sample), buffer)
            for i in range(filled):
                place = part_of(buffer[i], part_bits)
                to = cursors[place]
                entries[np.uint64(to)] = np.uint32((buffer[i] << np.uint64(part_bits)) >> np.uint64(64 - slot_bits))
                cursors[place] = to + 1
            at = stop


@kernel
def lowest_hashes(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    part: int,
    fewest: int,
    lowest: Written[npt.NDArray[np.uint64]],
) -> None:
    """Write into ``lowest[i]`` the lowest hash in the middle of row i of `rows`.

    One hash of `part` is looked at, but at least `fewest` hashes.
    """
    for place in range(len(rows)):
        start, end = offsets[rows[place]], offsets[rows[place] + 1]
        count = min(end - start, max((end - start) // part, np.int64(fewest)))
        start += (end - start - count) // 2
        found = np.uint64(0xFFFFFFFFFFFFFFFF)
        for i in range(np.uint64(start), np.uint64(start + count)):
            found = min(found, values[i])
        lowest[place] = found


@kernel
def share_out(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sample: int,
    part_bits: int,
    bounds: Written[npt.NDArray[np.int64]],
    pages: Written[Table[np.int32]],
    notes: Written[npt.NDArray[np.uint32]],
) -> int:
    """Write a note of each sampled hash into `notes`, part by part: 24 bits after the part bits, and 8 bits of its row.

    Part p is ``notes[bounds[p]:bounds[p + 1]]``, in the order of the rows. Its notes of the rows from 256 g on begin at
    ``pages[g, p]``, so the row of a note is known. `notes` has room for all hashes of the rows, `pages` has one row for
    256 rows. Returns the number of sampled hashes.
    """
    buffer = np.empty(BUFFER, dtype=np.uint64)
    for place in range(len(bounds)):
        bounds[place] = 0
    at, end = offsets[0], offsets[len(offsets) - 1]
    while at < end:
        stop = min(at + BUFFER, end)
        filled = pick(values, at, stop, np.uint64(sample), buffer)
        for i in range(filled):
            bounds[part_of(buffer[i], part_bits) + np.uint64(1)] += 1
        at = stop
    cursors = np.empty(len(bounds), dtype=np.int64)
    cursors[0] = 0
    for place in range(1, len(bounds)):
        bounds[place] += bounds[place - 1]
        cursors[place] = bounds[place]
    for row in range(len(offsets) - 1):
        low = np.uint32(row & (PAGE - 1))
        if row & (PAGE - 1) == 0:
            for place in range(len(bounds) - 1):
                pages[row >> ROW_BITS, place] = cursors[place]
        at, end = offsets[row], offsets[row + 1]
        while at < end:
            stop = min(at + BUFFER, end)
            filled = pick(values, at, stop, np.uint64(sample), buffer)
            for i in range(filled):
                place = part_of(buffer[i], part_bits)
                to = cursors[place]
                bits = np.uint32((buffer[i] << np.uint64(part_bits)) >> np.uint64(32 + ROW_BITS))
                notes[np.uint64(to)] = (bits << np.uint32(ROW_BITS)) | low
                cursors[place] = to + 1
            at = stop
    return bounds[len(bounds) - 1]


@kernel
def add_alone(
    notes: npt.NDArray[np.uint32],
    bounds: npt.NDArray[np.int64],
    pages: Table[np.int32],
    alone: Written[npt.NDArray[np.int64]],
) -> None:
    """Add the ones that `mark` left in the notes of some rows (`share_out`) to ``alone[row]`` (written).

    `bounds` are places in `notes`; `pages` count from the first of them.
    """
    for place in range(len(bounds) - 1):
        for page in range(len(pages)):
            start = bounds[0] + pages[page, place]
            end = bounds[0] + pages[page + 1, place] if page + 1 < len(pages) else bounds[place + 1]
            first = np.uint64(page << ROW_BITS)
            for i in range(np.uint64(start), np.uint64(end)):
                note = notes[i]
                row = first + np.uint64(note & np.uint32(PAGE - 1))
                alone[row] += np.int64((note >> np.uint32(ROW_BITS)) & np.uint32(1))


@kernel
def mark(
    entries: Written[npt.NDArray[np.uint32]],
    starts: Table[np.int64],
    place: int,
    shift: int,
    kept: int,
    table: Written[npt.NDArray[np.uint64]],
) -> None:
    """Enter the slots of part `place` of all chunks into `table` (written; zeros at first): 32 two-bit slots per word.

    A slot is an entry without its last `shift` bits. Then all but the last `kept` bits of each entry are replaced by 1
    if its slot was entered once, and by 0 if it was entered twice or more.
    """
    rest = (np.uint32(1) << np.uint32(kept)) - np.uint32(1)
    for chunk in range(len(starts)):
        for i in range(np.uint64(starts[chunk, place]), np.uint64(starts[chunk, place + 1])):
            slot = np.uint64(entries[i] >> np.uint32(shift))
            once = np.uint64(1) << ((slot & np.uint64(31)) << np.uint64(1))
            word = table[slot >> np.uint64(5)]
            table[slot >> np.uint64(5)] = word | ((word & once) << np.uint64(1)) | once
    for chunk in range(len(starts)):
        for i in range(np.uint64(starts[chunk, place]), np.uint64(starts[chunk, place + 1])):
            entry = entries[i]
            slot = np.uint64(entry >> np.uint32(shift))
            twice = table[slot >> np.uint64(5)] >> (((slot & np.uint64(31)) << np.uint64(1)) + np.uint64(1))
            once_only = np.uint32(np.uint64(1) - (twice & np.uint64(1)))
            entries[i] = (once_only << np.uint32(kept)) | (entry & rest)


@kernel
def alone(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    sample: int,
    part_bits: int,
    cursors: Written[npt.NDArray[np.int64]],
    entries: npt.NDArray[np.uint32],
    threshold: float,
    whole: bool,
    stays: Written[npt.NDArray[np.bool_]],
) -> None:
    """Write into ``stays[i]`` whether row i of `rows` (a chunk) is a candidate, from what `mark` left in `entries`.

    With `whole` (containment) a row is a candidate as soon as any sampled hash is marked twice, or if none was sampled.
    `cursors` (written) are the starts of the chunk's parts.
    """
    buffer = np.empty(BUFFER, dtype=np.uint64)
    for place in range(len(rows)):
        at, end = offsets[rows[place]], offsets[rows[place] + 1]
        size = end - at
        spare = size - 1 if whole else size - least(size, threshold)
        total = np.int64(0)
        while at < end:
            stop = min(at + BUFFER, end)
            filled = pick(values, at, stop, np.uint64(sample), buffer)
            for i in range(filled):
                where = part_of(buffer[i], part_bits)
                cursor = cursors[where]
                total += np.int64(entries[np.uint64(cursor)])
                cursors[where] = cursor + 1
            at = stop
        stays[place] = total <= spare


@kernel
def enter(
    values: npt.NDArray[np.uint64],
    sample: int,
    lowest: np.uint64,
    highest: np.uint64,
    shift: int,
    table: Written[npt.NDArray[np.uint64]],
) -> None:
    """Enter sampled `values` from `lowest` to `highest` into `table` (written), at slot ``value - lowest >> shift``."""
    low = np.uint64(SAMPLES - 1)
    for value in values:
        if (value & low) < np.uint64(sample) and lowest <= value <= highest:
            slot = (value - lowest) >> np.uint64(shift)
            once = np.uint64(1) << ((slot & np.uint64(31)) << np.uint64(1))
            word = table[slot >> np.uint64(5)]
            table[slot >> np.uint64(5)] = word | ((word & once) << np.uint64(1)) | once


@kernel
def count_alone(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sample: int,
    lowest: np.uint64,
    highest: np.uint64,
    shift: int,
    table: npt.NDArray[np.uint64],
    alone: Written[npt.NDArray[np.int64]],
) -> None:
    """Add to ``alone[row]`` (written) how many hashes of each row, chosen as in `enter`, were entered once."""
    low = np.uint64(SAMPLES - 1)
    for row in range(len(alone)):
        for i in range(np.uint64(offsets[row]), np.uint64(offsets[row + 1])):
            value = values[i]
            if (value & low) < np.uint64(sample) and lowest <= value <= highest:
                slot = (value - lowest) >> np.uint64(shift)
                twice = table[slot >> np.uint64(5)] >> (((slot & np.uint64(31)) << np.uint64(1)) + np.uint64(1))
                alone[row] += np.int64(np.uint64(1) - (twice & np.uint64(1)))

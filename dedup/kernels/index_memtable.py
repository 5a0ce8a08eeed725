"""The newest documents of an index, in memory: which hashes of a set are indexed, and chains of postings.

Which hashes (`choose`): any ``n - least(n, threshold) + 1`` of a set of n will do. Those are taken that few sets have
had before, by a table of counters of one byte, so that lists are short. Only the speed depends on it.

Chains: ``heads[key >> shift]`` is the newest posting whose key has these first bits, ``links[i]`` the one before
posting i, -1 for none. Posting i says that document ``documents[i]`` has ``keys[i]``.

`filter_rows`, in naive Python::

    for row in rows:
        if not any(reaches(row, stored) for stored in memtable):
            memtable.append(row)
            kept[row] = True
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part, shared
from dedup.kernels.index_judge import UNDAMAGED, judge, more, posted_of
from dedup.kernels.index_sets import seal_of

COUNTER_BITS = 22
"""Bits of a hash that choose its counter: 4 MB."""

HIGHEST = 255


@shared
def rarest(
    values: npt.NDArray[np.uint64],
    start: int,
    size: int,
    posted: int,
    counters: npt.NDArray[np.uint8],
    levels: npt.NDArray[np.uint8],
    tally: npt.NDArray[np.int64],
    chosen: npt.NDArray[np.uint64],
    at: int,
) -> None:
    """Count the hashes of a set; write the `posted` ones that were counted least before into `chosen`, from `at` on.

    `levels` has room for `size` counters, `tally` for 256 numbers. Both are overwritten.
    """
    shift, first, one = np.uint64(64 - COUNTER_BITS), np.uint64(start), np.uint64(1)
    tally[:] = 0
    for i in range(np.uint64(size)):
        slot = values[first + i] >> shift
        level = counters[slot]
        levels[i] = level
        tally[np.uint64(level)] += 1
        counters[slot] = level + np.uint8(level < HIGHEST)
    limit, below = np.uint64(0), np.int64(0)
    while below + tally[limit] < posted:
        below += tally[limit]
        limit += one
    equal = posted - below
    place = np.uint64(at)
    for i in range(np.uint64(size)):
        level = np.uint64(levels[i])
        if level < limit or (level == limit and equal > 0):
            equal -= np.int64(level == limit)
            chosen[place] = values[first + i]
            place += one


@kernel
def choose(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    which: npt.NDArray[np.int64],
    counters: Written[npt.NDArray[np.uint8]],
    threshold: float,
    complete: bool,
    first: int,
    sets: Written[npt.NDArray[np.uint64]],
    chosen: Written[npt.NDArray[np.uint64]],
    documents: Written[npt.NDArray[np.uint32]],
) -> int:
    """Write the hashes to index of the sets of some rows, and the document of each: ``first + row``; return how many.

    The sets are written into `sets`, one after the other, and counted. `chosen` and `documents` have as much room.
    """
    longest = np.int64(1)
    for row in which:
        longest = max(longest, sizes[row])
    tally, levels = np.empty(HIGHEST + 1, dtype=np.int64), np.empty(longest, dtype=np.uint8)
    at, end = 0, np.uint64(0)
    for row in which:
        size, start = sizes[row], np.uint64(offsets[row])
        if size == 0:
            continue
        for i in range(start, start + np.uint64(size)):
            sets[end] = values[i]
            end += np.uint64(1)
        posted = posted_of(size, threshold, complete)
        rarest(values, offsets[row], size, posted, counters, levels, tally, chosen, at)
        for i in range(at, at + posted):
            documents[i] = np.uint32(first + row)
        at += posted
    return at


@kernel
def enter(
    keys: npt.NDArray[np.uint64],
    start: int,
    end: int,
    shift: int,
    heads: Written[npt.NDArray[np.int32]],
    links: Written[npt.NDArray[np.int32]],
) -> None:
    """Enter the postings from `start` to `end` - 1 into the chains."""
    for i in range(start, end):
        slot = np.int64(keys[i] >> np.uint64(shift))
        links[i] = heads[slot]
        heads[slot] = np.int32(i)


@part
def walk(
    values: npt.NDArray[np.uint64],
    places: npt.NDArray[np.int64],
    firsts: npt.NDArray[np.int64],
    chains: int,
    links: npt.NDArray[np.int32],
    keys: npt.NDArray[np.uint64],
    documents: npt.NDArray[np.uint32],
    met: npt.NDArray[np.uint32],
) -> int:
    """Write the documents of some chains into `met`, as far as there is room; return how many there are.

    It gives no array another name: that would count references at each step, a tenth of the time of a filter.
    """
    count = 0
    for i in range(chains):
        key, at = values[places[i]], firsts[i]
        while at >= 0:
            if keys[at] == key:
                if count < len(met):
                    met[count] = documents[at]
                count += 1
            at = np.int64(links[at])
    return count


@shared
def follow(
    values: npt.NDArray[np.uint64],
    start: int,
    size: int,
    heads: npt.NDArray[np.int32],
    links: npt.NDArray[np.int32],
    keys: npt.NDArray[np.uint64],
    documents: npt.NDArray[np.uint32],
    shift: int,
    firsts: npt.NDArray[np.int64],
    places: npt.NDArray[np.int64],
    met: npt.NDArray[np.uint32],
) -> tuple[npt.NDArray[np.uint32], int]:
    """Return the documents of all postings of the hashes ``values[start:start + size]``, and their number.

    `firsts` and `places` have room for one more than there are hashes, and are overwritten; `met` may grow. Heads and
    first keys are read in loops of their own, so that the memory answers for many at once.
    """
    for i in range(size):
        firsts[i] = np.int64(heads[values[start + i] >> np.uint64(shift)])
    chains = np.int64(0)
    for i in range(size):
        at = firsts[i]
        firsts[chains], places[chains] = at, start + i
        chains += np.int64(at >= 0)
    read = np.uint64(0)
    for i in range(chains):
        read |= keys[firsts[i]]
    met[0] = np.uint32(read & np.uint64(1))  # else the reads would be left out
    count = walk(values, places, firsts, chains, links, keys, documents, met)
    if count > len(met):
        met = more(met, 2 * count)
        count = walk(values, places, firsts, chains, links, keys, documents, met)
    return met, count


@kernel
def probe_chains(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    asked: npt.NDArray[np.int64],
    heads: npt.NDArray[np.int32],
    links: npt.NDArray[np.int32],
    keys: npt.NDArray[np.uint64],
    documents: npt.NDArray[np.uint32],
    shift: int,
    rows: Table[np.uint64],
    base: int,
    sets: npt.NDArray[np.uint64],
    sets_base: int,
    skipped: npt.NDArray[np.uint64],
    threshold: float,
    index_threshold: float,
    metric: int,
    complete: bool,
    most: int,
    marks: Table[np.uint64],
    apart: int,
) -> tuple[npt.NDArray[np.int64], int, int]:
    """Return the pairs of the sets of `asked` rows with documents in the chains, as `index_search.probe` does."""
    found = np.empty((16, 3), dtype=np.int64)
    met = np.empty(256, dtype=np.uint32)
    total, longest = 0, np.int64(1)
    for row in asked:
        longest = max(longest, sizes[row])
    firsts, places = np.empty(longest + 1, dtype=np.int64), np.empty(longest + 1, dtype=np.int64)
    for row in asked:
        start, size = offsets[row], sizes[row]
        met, count = follow(values, start, size, heads, links, keys, documents, shift, firsts, places, met)
        if count == 0:
            continue
        found, total, damaged = judge(
            values,
            start,
            size,
            row,
            met,
            count,
            rows,
            base,
            sets,
            sets_base,
            skipped,
            threshold,
            index_threshold,
            metric,
            complete,
            most,
            marks,
            apart,
            found,
            total,
        )
        if damaged != UNDAMAGED:
            return found, total, damaged
    return found, total, UNDAMAGED


@kernel
def filter_rows(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    asked: npt.NDArray[np.int64],
    counters: Written[npt.NDArray[np.uint8]],
    heads: Written[npt.NDArray[np.int32]],
    links: Written[npt.NDArray[np.int32]],
    keys: Written[npt.NDArray[np.uint64]],
    documents: Written[npt.NDArray[np.uint32]],
    shift: int,
    used: int,
    rows: Written[Table[np.uint64]],
    base: int,
    held: int,
    sets: Written[npt.NDArray[np.uint64]],
    sets_base: int,
    sets_used: int,
    skipped: npt.NDArray[np.uint64],
    threshold: float,
    complete: bool,
    marks: Table[np.uint64],
    apart: int,
    kept: Written[npt.NDArray[np.bool_]],
) -> tuple[int, int, int, int]:
    """Add each of the `asked` rows that reaches the threshold with no document in the chains; write it into `kept`.

    `held` documents are there, with `used` postings and `sets_used` hashes of sets; there is room for all rows. Of the
    row of a new document all but the id and the seal are written. A row without a hash is added. Returns
    the three numbers after it, and the number of a damaged document or -1; then not all rows were looked at.
    """
    found = np.empty((16, 3), dtype=np.int64)
    met = np.empty(256, dtype=np.uint32)
    longest = np.int64(1)
    for row in asked:
        longest = max(longest, sizes[row])
    tally, levels = np.empty(HIGHEST + 1, dtype=np.int64), np.empty(longest, dtype=np.uint8)
    firsts, places = np.empty(longest + 1, dtype=np.int64), np.empty(longest + 1, dtype=np.int64)
    for row in asked:
        start, size = offsets[row], sizes[row]
        met, count = follow(values, start, size, heads, links, keys, documents, shift, firsts, places, met)
        if count > 0:
            found, total, damaged = judge(
                values,
                start,
                size,
                row,
                met,
                count,
                rows[:held],
                base,
                sets[:sets_used],
                sets_base,
                skipped,
                threshold,
                threshold,
                0,
                complete,
                1,
                marks,
                apart,
                found,
                0,
            )
            if damaged != UNDAMAGED:
                return held, used, sets_used, damaged
            if total > 0:
                continue
        kept[row] = True
        number = base + held
        for i in range(size):
            sets[sets_used + i] = values[start + i]
        rows[held, 0] = (np.uint64(number) << np.uint64(32)) | np.uint64(size)
        rows[held, 1] = np.uint64(sets_base + sets_used)
        rows[held, 2], rows[held, 3], rows[held, 6] = marks[row, 0], marks[row, 1], marks[row, 2]
        rows[held, 7], rows[held, 8] = marks[row, 3], marks[row, 4]
        rows[held, 4] = seal_of(values, start, size)
        held += 1
        sets_used += size
        if size == 0:
            continue
        posted = posted_of(size, threshold, complete)
        rarest(values, start, size, posted, counters, levels, tally, keys, used)
        for i in range(used, used + posted):
            slot = np.int64(keys[i] >> np.uint64(shift))
            documents[i] = np.uint32(number)
            links[i] = heads[slot]
            heads[slot] = np.int32(i)
        used += posted
    return held, used, sets_used, UNDAMAGED

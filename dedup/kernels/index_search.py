"""Postings are searched: all entries of some keys in several tables (`dedup.kernels.index_postings`), in one call.

Definition, in naive Python::

    found = [document for table in tables for key, document in table if fits(key, asked)]

Tables are given by descriptions, since a kernel takes arrays but no lists of them. Nothing here trusts the arrays
themselves; the descriptions are trusted.

Cost: a random access for each key and table, and one more for a key that is there.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, kernel, part, shared
from dedup.kernels.index_judge import UNDAMAGED, judge, more
from dedup.kernels.index_postings import HEAD_MASK, filter_of, mask_of, tag_of
from dedup.kernels.words import bytes_at, word_at

TABLE_WORDS = 9
DOORS_AT, ENTRIES_AT, ENTRY_COUNT, BUCKET_BITS, KNOWN_BITS, NUMBER_WIDTH, TAG_WIDTH = range(TABLE_WORDS - 2)
FIRST_NUMBER, END_NUMBER = TABLE_WORDS - 2, TABLE_WORDS - 1
"""The words that describe a table to kernels which search several tables at once: the addresses of its two arrays, the
number of its entries, its shape, and the number after that of its last document. Who describes a table keeps its arrays
until the kernel returns."""


@part
def shape_of(tables: npt.NDArray[np.uint64], table: int) -> tuple[int, int, int, int]:
    """Return `bits`, `known`, `number_bytes` and `tag_bytes` of a table that is described."""
    return (
        np.int64(tables[table, BUCKET_BITS]),
        np.int64(tables[table, KNOWN_BITS]),
        np.int64(tables[table, NUMBER_WIDTH]),
        np.int64(tables[table, TAG_WIDTH]),
    )


@shared
def gather(
    values: npt.NDArray[np.uint64],
    start: int,
    size: int,
    tables: npt.NDArray[np.uint64],
    found_doors: npt.NDArray[np.uint64],
    lows: npt.NDArray[np.uint64],
    highs: npt.NDArray[np.uint64],
    tags: npt.NDArray[np.uint64],
    ends: npt.NDArray[np.int64],
    met: npt.NDArray[np.uint32],
) -> tuple[npt.NDArray[np.uint32], int]:
    """Return the documents of all entries that fit one of the hashes ``values[start:start + size]``, and their number.

    `found_doors`, `lows`, `highs` and `tags` have room for one more than there are hashes in all tables, `ends` for one
    number a table; all are overwritten, and `met` may grow. First the doors of all tables are read, then the first and
    the last entry of each bucket that remains, each in a loop with little else, so that the memory answers for many at
    once. In a segment of 264,000 documents of 2 kB, a text that is not there took 18 us in one loop, 12 with a loop for
    the doors, and 6 with all (two busy cores, 2026-11).
    """
    one, three, first, length = np.uint64(1), np.uint64(3), np.uint64(start), np.uint64(size)
    at = np.uint64(0)
    for table in range(len(tables)):
        doors, shift = tables[table, DOORS_AT], np.uint64(64) - tables[table, BUCKET_BITS]
        for i in range(length):
            found_doors[at + i] = word_at(doors + (values[first + i] >> shift << three))
        at += length
    passed, room = np.uint64(0), np.uint64(0)
    at = np.uint64(0)
    for table in range(len(tables)):
        bits, known, number_bytes, tag_bytes = shape_of(tables, table)
        next_doors, shift = tables[table, DOORS_AT] + np.uint64(8), np.uint64(64 - bits)
        mask, number_shift = mask_of(bits, known, tag_bytes), np.uint64(8 * number_bytes)
        for i in range(length):
            key, door = values[first + i], found_doors[at + i]
            tag = tag_of(key, bits, tag_bytes) & mask
            wanted = filter_of(tag, tag_bytes)
            lows[passed], highs[passed] = door & HEAD_MASK, next_doors + (key >> shift << three)
            tags[passed] = tag << number_shift
            passed += np.uint64(door & wanted == wanted)
        at += length
        ends[table] = np.int64(passed)
    begin = np.int64(0)
    for table in range(len(tables)):
        entries, most = tables[table, ENTRIES_AT], tables[table, ENTRY_COUNT]
        width = tables[table, NUMBER_WIDTH] + tables[table, TAG_WIDTH]
        for i in range(np.uint64(begin), np.uint64(ends[table])):
            low = min(lows[i], most)
            high = max(min(word_at(highs[i]) & HEAD_MASK, most), low)
            lows[i], highs[i] = entries + low * width, entries + high * width
            room += high - low
        begin = ends[table]
    if room >= np.uint64(len(met)):
        met = more(met, 2 * np.int64(room) + 1)
    read = np.uint64(0)
    for i in range(passed):
        read |= bytes_at(lows[i]) | bytes_at(max(highs[i], lows[i] + one) - one)
    count = np.uint64(0)
    begin = np.int64(0)
    for table in range(len(tables)):
        bits, known, number_bytes, tag_bytes = shape_of(tables, table)
        width, number_shift = np.uint64(number_bytes + tag_bytes), np.uint64(8 * number_bytes)
        numbers, tag_mask = (one << number_shift) - one, mask_of(bits, known, tag_bytes) << number_shift
        origin = tables[table, FIRST_NUMBER]
        for i in range(np.uint64(begin), np.uint64(ends[table])):
            tag = tags[i]
            for place in range(lows[i], highs[i], width):
                entry = bytes_at(place)
                met[count] = np.uint32((entry & numbers) + origin)
                count += np.uint64(entry & tag_mask == tag)
        begin = ends[table]
    met[count] = np.uint32(read & one)  # else the reads would be left out
    return met, np.int64(count)


@kernel
def probe(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    asked: npt.NDArray[np.int64],
    tables: Table[np.uint64],
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
    """Return the pairs of the sets of `asked` rows with documents of some tables: row, document, shared.

    The number of pairs is returned with them, and the number of a damaged document, or -1; then there may be more
    pairs. A row has at most `most` pairs: which ones is not said. `dedup.kernels.index_judge` has the other parameters.
    """
    found = np.empty((16, 3), dtype=np.int64)
    total, longest = 0, np.int64(1)
    for row in asked:
        longest = max(longest, sizes[row])
    most_doors = len(tables) * longest + 1
    found_doors, lows = np.empty(most_doors, dtype=np.uint64), np.empty(most_doors, dtype=np.uint64)
    highs, tags = np.empty(most_doors, dtype=np.uint64), np.empty(most_doors, dtype=np.uint64)
    ends = np.empty(len(tables), dtype=np.int64)
    met = np.empty(256, dtype=np.uint32)
    for row in asked:
        start, size = offsets[row], sizes[row]
        met, count = gather(values, start, size, tables, found_doors, lows, highs, tags, ends, met)
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
def lookup(keys: npt.NDArray[np.uint64], tables: Table[np.uint64]) -> tuple[npt.NDArray[np.int64], int]:
    """Return the place of a key and a document, for all entries of some tables that fit the keys, and their number.

    One table is asked after the other. Documents after its last one are left out.
    """
    found = np.empty((64, 3), dtype=np.int64)
    total, three = 0, np.uint64(3)
    found_doors = np.empty(len(tables) * len(keys), dtype=np.uint64)
    at = np.int64(0)
    for table in range(len(tables)):
        doors, shift = tables[table, DOORS_AT], np.uint64(64) - tables[table, BUCKET_BITS]
        for i in range(len(keys)):
            found_doors[at + i] = word_at(doors + (keys[i] >> shift << three))
        at += len(keys)
    at = np.int64(0)
    for table in range(len(tables)):
        bits, known, number_bytes, tag_bytes = shape_of(tables, table)
        next_doors, shift = tables[table, DOORS_AT] + np.uint64(8), np.uint64(64 - bits)
        entries, most, size = tables[table, ENTRIES_AT], tables[table, ENTRY_COUNT], np.uint64(number_bytes + tag_bytes)
        number_shift, mask = np.uint64(8 * number_bytes), mask_of(bits, known, tag_bytes)
        numbers, tag_mask = (np.uint64(1) << number_shift) - np.uint64(1), mask << number_shift
        for i in range(len(keys)):
            tag, door = tag_of(keys[i], bits, tag_bytes) & mask, found_doors[at + i]
            wanted = filter_of(tag, tag_bytes)
            if door & wanted != wanted:
                continue
            low = min(door & HEAD_MASK, most)
            high = min(word_at(next_doors + (keys[i] >> shift << three)) & HEAD_MASK, most)
            for entry in range(low, high):
                word = bytes_at(entries + entry * size)
                if word & tag_mask != tag << number_shift:
                    continue
                number = (word & numbers) + tables[table, FIRST_NUMBER]
                if number >= tables[table, END_NUMBER]:
                    continue
                if total == len(found):
                    grown = np.empty((2 * total, 3), dtype=np.int64)
                    grown[:total] = found
                    found = grown
                found[total, 0] = i
                found[total, 1] = np.int64(number)
                found[total, 2] = 0
                total += 1
        at += len(keys)
    return found, total

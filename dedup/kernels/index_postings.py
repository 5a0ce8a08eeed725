"""Postings on disk: which documents have a key, as immutable arrays that are searched where they are.

Layout. A key (64 bits) belongs to the bucket of its first `bits` bits. The low half of ``doors[b]`` is the first entry
of bucket b, that of ``doors[b + 1]`` the one after its last; the entries of a bucket are in the order of the documents.
The high half of a door is a filter: each entry of the bucket has set three of its 32 bits. An entry is a number of
``number_bytes + tag_bytes`` bytes, the lowest first: the document, counted from `origin`, and above its number the
bits of the key after those of its bucket (its tag). Of the key only the first `known` bits are there: a merge into more
buckets cannot know more. After the last entry there are `PADDING_BYTES` bytes, so that 8 bytes can be read at each one.

Definition, in naive Python::

    found = [document for key, document in postings if key >> (64 - known) == asked >> (64 - known)]

So more may be found than is meant: one entry in 2^(known - bits) of each bucket that is looked at. The caller verifies.

The filter only saves time: about nine in ten keys that are not there are seen by it alone. It is made of the first 16
known bits after those of the bucket.

Nothing here trusts the arrays: a place outside of them is cut to their end. So damage loses postings, or adds some.

Cost: a random access for each key that is looked up, and one more for a key that is there; `pack` and `expand` are
linear.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part, shared
from dedup.kernels.index_judge import UNDAMAGED, bit_of, judge, more, posted_of
from dedup.kernels.index_sets import SIZE_MASK

HEAD_MASK = np.uint64(0xFFFFFFFF)
"""The bits of a door that are the place of an entry."""

PADDING_BYTES = 8
"""Zeros after the last entry."""


@part
def mask_of(bits: int, known: int, tag_bytes: int) -> np.uint64:
    """Return the bits of a tag that are known."""
    unknown = np.uint64(max(8 * tag_bytes - (known - bits), 0))
    return ((np.uint64(1) << np.uint64(8 * tag_bytes)) - np.uint64(1)) >> unknown << unknown


@part
def tag_of(key: np.uint64, bits: int, tag_bytes: int) -> np.uint64:
    """Return the bits of a key after those of its bucket."""
    return (key << np.uint64(bits)) >> np.uint64(64 - 8 * tag_bytes)


@part
def filter_of(tag: np.uint64, tag_bytes: int) -> np.uint64:
    """Return the bits of a door that an entry with this tag has set."""
    mixed = (tag >> np.uint64(8 * tag_bytes - 16)) * np.uint64(0x9E3779B1)
    one, five = np.uint64(1), np.uint64(31)
    bits = one << ((mixed >> np.uint64(27)) & five)
    bits |= one << ((mixed >> np.uint64(22)) & five)
    bits |= one << ((mixed >> np.uint64(17)) & five)
    return bits << np.uint64(32)


@part
def head_of(door: np.uint64, most: int) -> int:
    """Return the place of an entry, at most the end of all entries."""
    return min(np.int64(door & HEAD_MASK), most)


@part
def count_of(entries: npt.NDArray[np.uint8], number_bytes: int, tag_bytes: int) -> int:
    """Return the number of entries."""
    return (len(entries) - PADDING_BYTES) // (number_bytes + tag_bytes)


@part
def entry_at(entries: npt.NDArray[np.uint8], place: np.uint64) -> np.uint64:
    """Return the 8 bytes from `place` on as a number. LLVM makes it one load."""
    word = np.uint64(entries[place]) | (np.uint64(entries[place + np.uint64(1)]) << np.uint64(8))
    word |= np.uint64(entries[place + np.uint64(2)]) << np.uint64(16)
    word |= np.uint64(entries[place + np.uint64(3)]) << np.uint64(24)
    word |= np.uint64(entries[place + np.uint64(4)]) << np.uint64(32)
    word |= np.uint64(entries[place + np.uint64(5)]) << np.uint64(40)
    word |= np.uint64(entries[place + np.uint64(6)]) << np.uint64(48)
    return word | (np.uint64(entries[place + np.uint64(7)]) << np.uint64(56))


@kernel
def pack(
    keys: npt.NDArray[np.uint64],
    documents: npt.NDArray[np.uint32],
    first: int,
    base: int,
    doors: Written[npt.NDArray[np.uint64]],
    entries: Written[npt.NDArray[np.uint8]],
    bits: int,
    known: int,
    number_bytes: int,
    tag_bytes: int,
    origin: int,
) -> None:
    """Write the postings of the buckets `first` and following: their `doors`, counted from `base` on, and `entries`.

    There is one door more than there are buckets. All keys belong to these buckets, and no document is before `origin`.
    """
    shift, size = np.uint64(64 - bits), np.int64(number_bytes + tag_bytes)
    mask = mask_of(bits, known, tag_bytes)
    doors[:] = np.uint64(0)
    for key in keys:
        doors[np.int64(key >> shift) - first] += np.uint64(1)
    place = np.uint64(base)
    for bucket in range(len(doors)):
        count = doors[bucket]
        doors[bucket] = place
        place += count
    for i in range(len(keys)):
        bucket = np.int64(keys[i] >> shift) - first
        tag = tag_of(keys[i], bits, tag_bytes) & mask
        door = doors[bucket]
        at = (np.int64(door & HEAD_MASK) - base) * size
        doors[bucket] = (door + np.uint64(1)) | filter_of(tag, tag_bytes)
        entry = np.uint64(np.int64(documents[i]) - origin) | (tag << np.uint64(8 * number_bytes))
        for byte in range(at, at + size):
            entries[byte] = np.uint8(entry & np.uint64(0xFF))
            entry >>= np.uint64(8)
    before = np.uint64(base)  # each head is now that of the next bucket
    for bucket in range(len(doors)):
        door = doors[bucket]
        doors[bucket] = (door & ~HEAD_MASK) | before
        before = door & HEAD_MASK


@kernel
def expand(
    doors: npt.NDArray[np.uint64],
    entries: npt.NDArray[np.uint8],
    bits: int,
    known: int,
    number_bytes: int,
    tag_bytes: int,
    origin: int,
    first: int,
    end: int,
    skipped: npt.NDArray[np.uint64],
    keys: Written[npt.NDArray[np.uint64]],
    documents: Written[npt.NDArray[np.uint32]],
) -> int:
    """Write the postings of the buckets from `first` to `end` - 1, but for skipped documents; return how many.

    Bits of a key that are not known are 0. No more are written than there is room in `keys`.
    """
    count, size, most = np.int64(0), np.int64(number_bytes + tag_bytes), count_of(entries, number_bytes, tag_bytes)
    number_shift, tag_shift = np.uint64(8 * number_bytes), np.uint64(64 - 8 * tag_bytes)
    numbers, mask = (np.uint64(1) << number_shift) - np.uint64(1), mask_of(bits, known, tag_bytes)
    for bucket in range(first, end):
        start = np.uint64(bucket) << np.uint64(64 - bits)
        for entry in range(head_of(doors[bucket], most), head_of(doors[bucket + 1], most)):
            word = entry_at(entries, np.uint64(entry * size))
            document = np.int64(word & numbers) + origin
            if bit_of(skipped, document):
                continue
            if count == len(keys):
                return count
            keys[count] = start | (((word >> number_shift) & mask) << tag_shift >> np.uint64(bits))
            documents[count] = np.uint32(document)
            count += 1
    return count


@shared
def gather(
    values: npt.NDArray[np.uint64],
    start: int,
    size: int,
    doors: npt.NDArray[np.uint64],
    entries: npt.NDArray[np.uint8],
    bits: int,
    known: int,
    number_bytes: int,
    tag_bytes: int,
    origin: int,
    lows: npt.NDArray[np.uint64],
    highs: npt.NDArray[np.uint64],
    tags: npt.NDArray[np.uint64],
    found_doors: npt.NDArray[np.uint64],
    met: npt.NDArray[np.uint32],
) -> tuple[npt.NDArray[np.uint32], int]:
    """Return the documents of all entries that fit one of the hashes ``values[start:start + size]``, and their number.

    `lows`, `highs`, `tags` and `found_doors` have room for one more than there are hashes, and are overwritten; `met`
    may grow. First all doors are read, then the first and the last entry of each bucket that remains, each in a loop
    with little else, so that the memory answers for many at once. In a segment of 264,000 documents of 2 kB, a text
    that is not there took 18 us in one loop, 12 with a loop for the doors, and 6 with all (two busy cores, 2026-11).
    """
    one, base = np.uint64(1), np.uint64(origin)
    width, number_shift = np.uint64(number_bytes + tag_bytes), np.uint64(8 * number_bytes)
    most, first = np.uint64(count_of(entries, number_bytes, tag_bytes)), np.uint64(start)
    shift, mask = np.uint64(64 - bits), mask_of(bits, known, tag_bytes)
    for i in range(np.uint64(size)):
        found_doors[i] = doors[values[first + i] >> shift]
    passed, room = np.uint64(0), np.uint64(0)
    for i in range(np.uint64(size)):
        key, door = values[first + i], found_doors[i]
        tag = tag_of(key, bits, tag_bytes) & mask
        wanted = filter_of(tag, tag_bytes)
        lows[passed], highs[passed], tags[passed] = door & HEAD_MASK, (key >> shift) + one, tag << number_shift
        passed += np.uint64(door & wanted == wanted)
    for i in range(passed):
        low = min(lows[i], most)
        high = max(min(doors[highs[i]] & HEAD_MASK, most), low)
        lows[i], highs[i] = low * width, high * width
        room += high - low
    if room >= np.uint64(len(met)):
        met = more(met, 2 * np.int64(room) + 1)
    read = np.uint64(0)
    for i in range(passed):
        read |= entry_at(entries, lows[i]) | entry_at(entries, max(highs[i], lows[i] + width) - width)
    numbers, tag_mask = (one << number_shift) - one, mask << number_shift
    count = np.uint64(0)
    for i in range(passed):
        tag = tags[i]
        for place in range(lows[i], highs[i], width):
            entry = entry_at(entries, place)
            met[count] = np.uint32((entry & numbers) + base)
            count += np.uint64(entry & tag_mask == tag)
    met[count] = np.uint32(read & one)  # else the reads would be left out
    return met, np.int64(count)


@kernel
def probe(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    asked: npt.NDArray[np.int64],
    doors: npt.NDArray[np.uint64],
    entries: npt.NDArray[np.uint8],
    bits: int,
    known: int,
    number_bytes: int,
    tag_bytes: int,
    origin: int,
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
    """Return the pairs of the sets of `asked` rows with documents of these postings: row, document, shared.

    The number of pairs is returned with them, and the number of a damaged document, or -1; then there may be more
    pairs. A row has at most `most` pairs: which ones is not said. `dedup.kernels.index_judge` has the other parameters.
    """
    found = np.empty((16, 3), dtype=np.int64)
    total, longest = 0, 1
    for row in asked:
        longest = max(longest, sizes[row])
    lows, highs = np.empty(longest + 1, dtype=np.uint64), np.empty(longest + 1, dtype=np.uint64)
    tags, found_doors = np.empty(longest + 1, dtype=np.uint64), np.empty(longest + 1, dtype=np.uint64)
    met = np.empty(256, dtype=np.uint32)
    for row in asked:
        start, size = offsets[row], sizes[row]
        met, count = gather(
            values,
            start,
            size,
            doors,
            entries,
            bits,
            known,
            number_bytes,
            tag_bytes,
            origin,
            lows,
            highs,
            tags,
            found_doors,
            met,
        )
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
def lookup(
    keys: npt.NDArray[np.uint64],
    doors: npt.NDArray[np.uint64],
    entries: npt.NDArray[np.uint8],
    bits: int,
    known: int,
    number_bytes: int,
    tag_bytes: int,
    origin: int,
) -> tuple[npt.NDArray[np.int64], int]:
    """Return the place of a key and a document, for all entries that fit the keys, and their number."""
    found = np.empty((64, 3), dtype=np.int64)
    total, size, most = 0, np.int64(number_bytes + tag_bytes), count_of(entries, number_bytes, tag_bytes)
    number_shift, mask = np.uint64(8 * number_bytes), mask_of(bits, known, tag_bytes)
    numbers, tag_mask = (np.uint64(1) << number_shift) - np.uint64(1), mask << number_shift
    found_doors = np.empty(len(keys), dtype=np.uint64)
    for i in range(len(keys)):
        found_doors[i] = doors[keys[i] >> np.uint64(64 - bits)]
    for i in range(len(keys)):
        bucket, tag = np.int64(keys[i] >> np.uint64(64 - bits)), tag_of(keys[i], bits, tag_bytes) & mask
        door, wanted = found_doors[i], filter_of(tag, tag_bytes)
        if door & wanted != wanted:
            continue
        for entry in range(head_of(door, most), head_of(doors[bucket + 1], most)):
            word = entry_at(entries, np.uint64(entry * size))
            if word & tag_mask != tag << number_shift:
                continue
            if total == len(found):
                grown = np.empty((2 * total, 3), dtype=np.int64)
                grown[:total] = found
                found = grown
            found[total, 0] = i
            found[total, 1] = np.int64(word & numbers) + origin
            found[total, 2] = 0
            total += 1
    return found, total


@kernel
def count_postings(
    doors: npt.NDArray[np.uint64],
    entries: npt.NDArray[np.uint8],
    bits: int,
    known: int,
    number_bytes: int,
    tag_bytes: int,
    origin: int,
    rows: Table[np.uint64],
    numbers: npt.NDArray[np.int64],
    sets: npt.NDArray[np.uint64],
    threshold: float,
    complete: bool,
    missing: Written[npt.NDArray[np.int64]],
) -> None:
    """Write how many postings each document lacks here: 0 if its set is found by any partner.

    ``rows[i]`` is the row of document ``numbers[i]``. One without a set, or with one outside of `sets`, lacks 0.
    """
    size, most = np.int64(number_bytes + tag_bytes), count_of(entries, number_bytes, tag_bytes)
    number_shift, mask = np.uint64(8 * number_bytes), mask_of(bits, known, tag_bytes)
    read = (mask << number_shift) | ((np.uint64(1) << number_shift) - np.uint64(1))
    for place in range(len(rows)):
        length, offset = np.int64(rows[place, 0] & SIZE_MASK), np.int64(rows[place, 1])
        missing[place] = 0
        if length == 0 or offset < 0 or offset > len(sets) - length:
            continue
        present = 0
        number = np.uint64(numbers[place] - origin)
        for i in range(offset, offset + length):
            bucket, tag = np.int64(sets[i] >> np.uint64(64 - bits)), tag_of(sets[i], bits, tag_bytes) & mask
            door, wanted = doors[bucket], filter_of(tag, tag_bytes)
            if door & wanted != wanted:
                continue
            for entry in range(head_of(door, most), head_of(doors[bucket + 1], most)):
                if entry_at(entries, np.uint64(entry * size)) & read == number | (tag << number_shift):
                    present += 1
                    break
        missing[place] = max(posted_of(length, threshold, complete) - present, 0)

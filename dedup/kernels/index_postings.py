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

Cost: `pack` and `expand` are linear. `dedup.kernels.index_search` looks keys up.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part
from dedup.kernels.index_judge import bit_of, posted_of
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

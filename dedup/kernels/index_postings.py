"""Postings on disk: which documents have a key, as immutable arrays that are searched where they are.

Layout. A key (64 bits) belongs to the bucket of its first `bits` bits; ``heads[b]`` to ``heads[b + 1]`` are the
entries of bucket b, in the order of the documents. An entry is `width` words of 16 bits: two of the document, low one
first; the next 16 bits of the key; and, with a width of 4, the next 16. Of the key only the first `known` bits are
there: a merge into more buckets cannot know more.

Definition, in naive Python::

    found = [document for key, document in postings if key >> (64 - known) == asked >> (64 - known)]

So more may be found than is meant: one entry in 2^(known - bits) of each bucket that is looked at. The caller verifies.

Nothing here trusts the arrays: a place outside of them is cut to their end. So damage loses postings, or adds some.

Cost: two random accesses for each key that is looked up; `pack` and `expand` are linear.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part, shared
from dedup.kernels.index_judge import UNDAMAGED, bit_of, judge, more, posted_of
from dedup.kernels.index_sets import SIZE_MASK

TAG_BITS = 32
"""Bits of a key after those of its bucket that an entry of the larger width holds."""


@kernel
def pack(
    keys: npt.NDArray[np.uint64],
    documents: npt.NDArray[np.uint32],
    bits: int,
    first: int,
    base: int,
    width: int,
    heads: Written[npt.NDArray[np.uint32]],
    entries: Written[npt.NDArray[np.uint16]],
) -> None:
    """Write the postings of the buckets `first` and following: their `heads`, counted from `base` on, and `entries`.

    There is one head more than there are buckets. All keys belong to these buckets.
    """
    shift = np.uint64(64 - bits)
    places = np.zeros(len(heads), dtype=np.int64)
    for key in keys:
        places[np.int64(key >> shift) - first + 1] += 1
    for bucket in range(1, len(places)):
        places[bucket] += places[bucket - 1]
    for bucket in range(len(places)):
        heads[bucket] = np.uint32(base + places[bucket])
    for i in range(len(keys)):
        bucket = np.int64(keys[i] >> shift) - first
        place = places[bucket] * width
        places[bucket] += 1
        tag = (keys[i] << np.uint64(bits)) >> np.uint64(32)
        entries[place] = np.uint16(documents[i] & np.uint32(0xFFFF))
        entries[place + 1] = np.uint16(documents[i] >> np.uint32(16))
        entries[place + 2] = np.uint16(tag >> np.uint64(16))
        if width > 3:
            entries[place + 3] = np.uint16(tag & np.uint64(0xFFFF))


@part
def capped(head: np.uint32, most: int) -> int:
    """Return the place of an entry, at most the end of all entries."""
    return min(np.int64(head), most)


@part
def tag_at(entries: npt.NDArray[np.uint16], place: int, width: int) -> np.uint64:
    """Return the 32 bits after those of the bucket of an entry; the last 16 are 0 where it has only the first."""
    at = np.uint64(place)
    tag = np.uint64(entries[at + np.uint64(2)]) << np.uint64(16)
    if width > 3:
        tag |= np.uint64(entries[at + np.uint64(3)])
    return tag


@part
def document_at(entries: npt.NDArray[np.uint16], place: int) -> np.uint32:
    """Return the document of an entry."""
    at = np.uint64(place)
    return np.uint32(entries[at]) | (np.uint32(entries[at + np.uint64(1)]) << np.uint32(16))


@kernel
def expand(
    heads: npt.NDArray[np.uint32],
    entries: npt.NDArray[np.uint16],
    width: int,
    bits: int,
    first: int,
    end: int,
    skipped: npt.NDArray[np.uint64],
    keys: Written[npt.NDArray[np.uint64]],
    documents: Written[npt.NDArray[np.uint32]],
) -> int:
    """Write the postings of the buckets from `first` to `end` - 1, but for skipped documents; return how many.

    Bits of a key that are not known are 0. No more are written than there is room in `keys`.
    """
    count = np.int64(0)
    most = len(entries) // width
    for bucket in range(first, end):
        low, high = capped(heads[bucket], most), capped(heads[bucket + 1], most)
        for entry in range(low, high):
            document = document_at(entries, entry * width)
            if bit_of(skipped, np.int64(document)):
                continue
            if count == len(keys):
                return count
            tag = tag_at(entries, entry * width, width) << np.uint64(32)
            keys[count] = (np.uint64(bucket) << np.uint64(64 - bits)) | (tag >> np.uint64(bits))
            documents[count] = document
            count += 1
    return count


@part
def unknown_of(bits: int, known: int) -> np.uint64:
    """Return how many of the 32 bits after those of the bucket are not known."""
    return np.uint64(TAG_BITS - min(known - bits, TAG_BITS))


@shared
def gather(
    values: npt.NDArray[np.uint64],
    start: int,
    size: int,
    heads: npt.NDArray[np.uint32],
    entries: npt.NDArray[np.uint16],
    width: int,
    bits: int,
    known: int,
    lows: npt.NDArray[np.uint64],
    highs: npt.NDArray[np.uint64],
    met: npt.NDArray[np.uint32],
) -> tuple[npt.NDArray[np.uint32], int]:
    """Return the documents of all entries that fit one of the hashes ``values[start:start + size]``, and their number.

    `lows` and `highs` are overwritten; `met` may grow. Buckets are read first, so that the memory answers for many.
    The first 16 bits that an entry has are compared alone: they tell nearly all others apart.
    """
    words, one = np.uint64(width), np.uint64(1)
    most, first = np.uint64(len(entries) // width), np.uint64(start)
    shift, unknown = np.uint64(64 - bits), unknown_of(bits, known)
    all_bits = np.uint64(0xFFFFFFFF) >> unknown << unknown
    high_bits = np.uint16(all_bits >> np.uint64(16))
    for i in range(np.uint64(size)):
        bucket = values[first + i] >> shift
        lows[i] = min(np.uint64(heads[bucket]), most)
        highs[i] = min(np.uint64(heads[bucket + one]), most)
    count = 0
    for i in range(np.uint64(size)):
        tag = (values[first + i] << np.uint64(bits)) >> np.uint64(32)
        high = np.uint16(tag >> np.uint64(16)) & high_bits
        for entry in range(lows[i], highs[i]):
            place = entry * words
            if entries[place + np.uint64(2)] & high_bits != high:
                continue
            if (tag_at(entries, place, width) ^ tag) & all_bits != np.uint64(0):
                continue
            if count == len(met):
                met = more(met, 2 * count)
            met[count] = document_at(entries, place)
            count += 1
    return met, count


@kernel
def probe(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    asked: npt.NDArray[np.int64],
    heads: npt.NDArray[np.uint32],
    entries: npt.NDArray[np.uint16],
    width: int,
    bits: int,
    known: int,
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
    lows, highs = np.empty(longest, dtype=np.uint64), np.empty(longest, dtype=np.uint64)
    met = np.empty(256, dtype=np.uint32)
    for row in asked:
        start, size = offsets[row], sizes[row]
        met, count = gather(values, start, size, heads, entries, width, bits, known, lows, highs, met)
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
    heads: npt.NDArray[np.uint32],
    entries: npt.NDArray[np.uint16],
    width: int,
    bits: int,
    known: int,
) -> tuple[npt.NDArray[np.int64], int]:
    """Return the place of a key and a document, for all entries that fit the keys, and their number."""
    found = np.empty((64, 3), dtype=np.int64)
    total = 0
    most = len(entries) // width
    shift, unknown = np.uint64(64 - bits), unknown_of(bits, known)
    for i in range(len(keys)):
        bucket = np.int64(keys[i] >> shift)
        tag = (keys[i] << np.uint64(bits)) >> np.uint64(32)
        for entry in range(capped(heads[bucket], most), capped(heads[bucket + 1], most)):
            if (tag_at(entries, entry * width, width) ^ tag) >> unknown != np.uint64(0):
                continue
            if total == len(found):
                grown = np.empty((2 * total, 3), dtype=np.int64)
                grown[:total] = found
                found = grown
            found[total, 0] = i
            found[total, 1] = np.int64(document_at(entries, entry * width))
            found[total, 2] = 0
            total += 1
    return found, total


@kernel
def count_postings(
    heads: npt.NDArray[np.uint32],
    entries: npt.NDArray[np.uint16],
    width: int,
    bits: int,
    known: int,
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
    most = len(entries) // width
    shift, unknown = np.uint64(64 - bits), unknown_of(bits, known)
    for place in range(len(rows)):
        size, offset = np.int64(rows[place, 0] & SIZE_MASK), np.int64(rows[place, 1])
        missing[place] = 0
        if size == 0 or offset < 0 or offset > len(sets) - size:
            continue
        present = 0
        for i in range(offset, offset + size):
            bucket = np.int64(sets[i] >> shift)
            tag = (sets[i] << np.uint64(bits)) >> np.uint64(32)
            for entry in range(capped(heads[bucket], most), capped(heads[bucket + 1], most)):
                if (tag_at(entries, entry * width, width) ^ tag) >> unknown != np.uint64(0):
                    continue
                if np.int64(document_at(entries, entry * width)) == numbers[place]:
                    present += 1
                    break
        missing[place] = max(posted_of(size, threshold, complete) - present, 0)

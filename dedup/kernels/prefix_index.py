"""The index of a join: the keys of all places, in buckets by their top bits, part by part of the hash space.

Definition, in naive Python (`places` come in order)::

    buckets = [[] for _ in range(2 ** bits)]
    for place, own in enumerate(keys):
        for key in own: buckets[key >> shift].append((key, place))

The buckets are far larger than a cache. So keys are first sorted into *parts* by their top bits, one run of places (a
*chunk*) at a time: `tally_keys` counts the keys of each part, `scatter_keys` writes them where the part will be in the
end, each with the number of its place in the chunk. `fill_part` then sorts one part into its buckets. Threads share the
chunks, then the parts: a part is in one piece of `entries` and of `heads`, which no other thread writes to.

Cost: about five nanoseconds per key; a copy of a part per thread.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Written, kernel

PLACE, PURE = np.uint64(0x7FFFFFFF), np.uint64(0x80000000)
"""The bits of an index entry that hold the place of its row; one that the first entry of a bucket has if all of them
are of one group of versions; the others are bits of the key: `KEY_TAG`."""

KEY_TAG = np.uint64(16)
"""The bits 16 to 47 of a key are in its entry. Together with those of the bucket they tell keys apart: two that differ
meet so rarely (once in millions of comparisons) that it costs nothing to verify the pair."""

PLACE_BITS = 16
"""Bits of the number of a place within its chunk, before its part is filled."""

ENTRY_BITS = np.uint64(0xFFFFFFFF00000000)
CHUNK_PLACE = np.uint64(0xFFFF)


@kernel
def tally_keys(
    keys: npt.NDArray[np.uint64], first: int, end: int, shift: int, counts: Written[npt.NDArray[np.int64]]
) -> None:
    """Count ``keys[first:end]`` by their parts, ``key >> shift``, in `counts` (written; zeros at first)."""
    for i in range(np.uint64(first), np.uint64(end)):
        counts[keys[i] >> np.uint64(shift)] += 1


@kernel
def scatter_keys(
    keys: npt.NDArray[np.uint64],
    bounds: npt.NDArray[np.int64],
    shift: int,
    cursors: Written[npt.NDArray[np.int64]],
    entries: Written[npt.NDArray[np.uint64]],
) -> None:
    """Write the keys of a chunk into `entries`, at the cursors of their parts, which are advanced.

    Place p has ``keys[bounds[p]:bounds[p + 1]]``. What is written are the 48 bits after those of the part, and p.
    """
    after = np.uint64(64 - shift)
    for place in range(np.uint64(len(bounds) - 1)):
        for i in range(np.uint64(bounds[place]), np.uint64(bounds[place + np.uint64(1)])):
            key = keys[i]
            number = key >> np.uint64(shift)
            to = cursors[number]
            entries[np.uint64(to)] = ((key << after) & ~CHUNK_PLACE) | place
            cursors[number] = to + 1


@kernel
def fill_part(
    starts: npt.NDArray[np.int64],
    firsts: npt.NDArray[np.int64],
    part_bits: int,
    copy: Written[npt.NDArray[np.uint64]],
    cursors: Written[npt.NDArray[np.int32]],
    heads: Written[npt.NDArray[np.int32]],
    entries: Written[npt.NDArray[np.uint64]],
) -> float:
    """Sort a part into its buckets, and return the sum of the squares of their sizes.

    The part is ``entries[starts[0]:starts[-1]]``, its keys of chunk c begin at ``starts[c]``, and the first place of
    that is ``firsts[c]``. `heads` are those of the part's buckets: bucket b begins at ``heads[b]``. `copy` has room for
    the part, and `cursors` (zeros at first) for as many numbers as it has buckets.
    """
    begin = np.uint64(starts[0])
    count = np.uint64(starts[len(starts) - 1]) - begin
    bits = np.uint64(0)
    while (np.uint64(1) << bits) < np.uint64(len(heads)):
        bits += np.uint64(1)
    shift, kept = np.uint64(64) - bits, np.uint64(part_bits)
    for i in range(count):
        entry = entries[begin + i]
        copy[i] = entry
        cursors[entry >> shift] += 1
    work = 0.0
    at = np.int32(begin)
    for bucket in range(np.uint64(len(heads))):
        size = cursors[bucket]
        work += float(size) * float(size)
        heads[bucket] = at
        cursors[bucket] = at
        at += size
    for chunk in range(len(starts) - 1):
        first = np.uint64(firsts[chunk])
        for i in range(np.uint64(starts[chunk]) - begin, np.uint64(starts[chunk + 1]) - begin):
            entry = copy[i]
            bucket = entry >> shift
            to = cursors[bucket]
            tag = ((entry >> kept) << KEY_TAG) & ENTRY_BITS
            entries[np.uint64(to)] = tag | (first + (entry & CHUNK_PLACE))
            cursors[bucket] = to + 1
    return work


@kernel
def mark_pure(
    heads: npt.NDArray[np.int32],
    first_bucket: int,
    end_bucket: int,
    entries: Written[npt.NDArray[np.uint64]],
    groups: npt.NDArray[np.int64],
) -> None:
    """Mark those of some buckets of an index whose rows are all of one group, by their first entry.

    `groups` are those of `dedup.pairs.bitmaps`, by place.
    """
    for bucket in range(np.uint64(first_bucket), np.uint64(end_bucket)):
        first, end = np.uint64(heads[bucket]), np.uint64(heads[bucket + np.uint64(1)])
        if first == end:
            continue
        group = groups[entries[first] & PLACE]
        same = group >= 0
        for i in range(first + np.uint64(1), end):
            same &= groups[entries[i] & PLACE] == group
        if same:
            entries[first] |= PURE

"""The exact set-similarity join: every pair that reaches the threshold, without looking at all pairs.

Three filters, all with one-sided errors, and then counting. For a set x of n hashes and threshold t let
``least(n, t)`` be the smallest s with ``s / n >= t`` in float64: no pair of x reaches t with fewer shared hashes.

1. *Seen twice* (`mark`, `unmarked`): two bits a slot say whether a hash may stand in two texts. A text with more than
   ``n - least(n, t)`` hashes that stand in no other has no partner. A fixed part of the hash space is enough to see it.
2. *Counts* (`count`, `shared_sizes`): for the survivors, distinct hashes only, a counter a slot says in how many texts
   a hash stands at most; those with fewer than least(n, t) shared hashes go.
3. *Prefixes* [1, 2] (`prefixes`, `probe`): in a common order of all hashes, rarest first, two sets that share s hashes
   share one among the first n - s + 1 of each. Only these are indexed and looked up. Any order that is a function of the
   hash alone is right; this one is (size class of its counter, hash), so no dictionary of hashes is needed.

What is left is merged with an early stop (`dedup.kernels.pairs`).

Naive Python: ``[(x, y) for x, y in combinations(sets, 2) if len(x & y) / len(x | y) >= t]``.

Cost: 2 to 6 ns a hash for each pass over a table; the table is 1 to 2 bytes a hash that is in it.

References: [1] Bayardo, Ma, Srikant, "Scaling up all pairs similarity search", WWW 2007. [2] Xiao, Wang, Lin, Yu,
"Efficient similarity joins for near duplicate detection", WWW 2008.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import kernel, part
from dedup.kernels.pairs import required, shared_hashes

SAMPLES = 16
"""Parts of the hash space, by the low bits; `mark` and `unmarked` look at the first `sample` of them."""

BUFFER = 512
CLASSES = 192
FULL_COUNTER = 0xFFFF

JACCARD, CONTAINMENT = range(2)


@part
def least(size: int, threshold: float) -> int:
    """Return the smallest s with ``s / size >= threshold`` in float64."""
    shared = max(np.int64(threshold * size) - 1, 0)
    while shared < size and shared / size < threshold:
        shared += 1
    return shared


@part
def needed(left_size: int, right_size: int, threshold: float, metric: int) -> int:
    """Return the smallest number of shared hashes with which two sets reach the threshold."""
    if metric == CONTAINMENT:
        return least(min(left_size, right_size), threshold)
    return required(left_size, right_size, threshold)


@kernel
def mark(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    sample: int,
    table: npt.NDArray[np.uint64],
    shift: int,
) -> None:
    """Enter the sampled hashes of `rows` into `table` (written): 32 slots of two bits a word, once and twice."""
    buffer = np.empty(BUFFER, dtype=np.uint64)
    low = np.uint64(SAMPLES - 1)
    limit = np.uint64(sample)
    for row in rows:
        at, end = offsets[row], offsets[row + 1]
        while at < end:
            stop = min(at + BUFFER, end)
            filled = 0
            for i in range(at, stop):  # no branch on a random bit
                buffer[filled] = values[i]
                filled += np.int64((values[i] & low) < limit)
            for i in range(filled):
                slot = buffer[i] >> np.uint64(shift)
                word = np.int64(slot >> np.uint64(5))
                once = np.uint64(1) << ((slot & np.uint64(31)) << np.uint64(1))
                table[word] |= ((table[word] & once) << np.uint64(1)) | once
            at = stop


@kernel
def unmarked(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    sample: int,
    table: npt.NDArray[np.uint64],
    shift: int,
    threshold: float,
    whole: bool,
    stays: npt.NDArray[np.bool_],
) -> None:
    """Write into ``stays[i]`` whether row i of `rows` may have a partner by the marks in `table`.

    With `whole` (containment) a row stays as soon as any sampled hash is marked, or none was sampled.
    """
    buffer = np.empty(BUFFER, dtype=np.uint64)
    low = np.uint64(SAMPLES - 1)
    limit = np.uint64(sample)
    for place in range(len(rows)):
        row = rows[place]
        at, end = offsets[row], offsets[row + 1]
        size = end - at
        spare = size - 1 if whole else size - least(size, threshold)
        alone = 0
        while at < end and alone <= spare:
            stop = min(at + BUFFER, end)
            filled = 0
            for i in range(at, stop):
                buffer[filled] = values[i]
                filled += np.int64((values[i] & low) < limit)
            for i in range(filled):
                slot = buffer[i] >> np.uint64(shift)
                twice = table[np.int64(slot >> np.uint64(5))] >> (((slot & np.uint64(31)) << np.uint64(1)) + np.uint64(1))
                alone += np.int64(np.uint64(1) - (twice & np.uint64(1)))
            at = stop
        stays[place] = alone <= spare


@kernel
def count(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    table: npt.NDArray[np.uint16],
    shift: int,
) -> None:
    """Add each distinct hash of `rows` to its counter in `table` (written; it stops at its largest value)."""
    for row in rows:
        for i in range(offsets[row], offsets[row] + sizes[row]):
            slot = np.int64(values[i] >> np.uint64(shift))
            table[slot] += np.uint16(table[slot] < FULL_COUNTER)


@kernel
def shared_sizes(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    table: npt.NDArray[np.uint16],
    shift: int,
    shared: npt.NDArray[np.int64],
) -> None:
    """Write into ``shared[i]`` how many hashes of row i of `rows` may stand in another one."""
    for place in range(len(rows)):
        row = rows[place]
        total = 0
        for i in range(offsets[row], offsets[row] + sizes[row]):
            total += np.int64(table[np.int64(values[i] >> np.uint64(shift))] > 1)
        shared[place] = total


@part
def size_class(counter: int) -> int:
    """Return the class of a counter: itself below 64, then four classes for each doubling; below CLASSES."""
    if counter < 64:
        return counter
    doubling = 0
    while counter >> doubling >= 128:
        doubling += 1
    return 64 + 4 * doubling + ((counter >> doubling) - 64) // 16


@kernel
def prefix_lengths(
    sizes: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    shared: npt.NDArray[np.int64],
    threshold: float,
    metric: int,
    by_size: bool,
    probes: npt.NDArray[np.int64],
    indexed: npt.NDArray[np.int64],
) -> None:
    """Write how many of its rarest shared hashes each row looks up (`probes`) and enters into the index (`indexed`).

    With `by_size` each row looks for rows that are not larger than it; else for rows in any order (Jaccard), or for
    rows that are not smaller (containment).
    """
    for place in range(len(rows)):
        size = sizes[rows[place]]
        alone = size - shared[place]
        prefix = max(size - least(size, threshold) + 1 - alone, 0)
        if metric == CONTAINMENT:
            probes[place] = shared[place] if by_size else prefix
            indexed[place] = prefix if by_size else shared[place]
        else:
            probes[place] = prefix
            indexed[place] = max(size - required(size, size, threshold) + 1 - alone, 0) if by_size else prefix


@kernel
def prefixes(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    table: npt.NDArray[np.uint16],
    shift: int,
    lengths: npt.NDArray[np.int64],
    bounds: npt.NDArray[np.int64],
    keys: npt.NDArray[np.uint64],
) -> None:
    """Write the ``lengths[i]`` rarest shared hashes of row i of `rows` to ``keys[bounds[i]:bounds[i + 1]]``."""
    histogram = np.empty(CLASSES, dtype=np.int64)
    for place in range(len(rows)):
        row, wanted = rows[place], lengths[place]
        if wanted == 0:
            continue
        for i in range(CLASSES):
            histogram[i] = 0
        first, end = offsets[row], offsets[row] + sizes[row]
        for i in range(first, end):
            histogram[size_class(np.int64(table[np.int64(values[i] >> np.uint64(shift))]))] += 1
        last, below = 2, 0
        while last < CLASSES - 1 and below + histogram[last] < wanted:
            below += histogram[last]
            last += 1
        ties = wanted - below
        at = bounds[place]
        for i in range(first, end):
            rarity = size_class(np.int64(table[np.int64(values[i] >> np.uint64(shift))]))
            if rarity < 2 or rarity > last:
                continue
            if rarity == last:
                if ties == 0:
                    continue
                ties -= 1
            keys[at] = values[i]
            at += 1


@kernel
def build_index(
    keys: npt.NDArray[np.uint64],
    bounds: npt.NDArray[np.int64],
    shift: int,
    heads: npt.NDArray[np.int64],
    tags: npt.NDArray[np.uint32],
    places: npt.NDArray[np.uint32],
) -> float:
    """Enter the keys of all places, in order, into buckets by their top bits.

    Writes `heads` (zeros at first; bucket b is ``heads[b]:heads[b + 1]``), and for each entry `tags` (32 other bits of
    the key) and `places`. Returns the sum of the squares of the buckets' sizes.
    """
    for i in range(bounds[-1]):
        heads[np.int64(keys[i] >> np.uint64(shift)) + 2] += 1
    work = 0.0
    for bucket in range(2, len(heads)):
        work += float(heads[bucket]) * float(heads[bucket])
        heads[bucket] += heads[bucket - 1]
    for place in range(len(bounds) - 1):
        for i in range(bounds[place], bounds[place + 1]):
            bucket = np.int64(keys[i] >> np.uint64(shift)) + 1
            tags[heads[bucket]] = np.uint32(keys[i] & np.uint64(0xFFFFFFFF))
            places[heads[bucket]] = place
            heads[bucket] += 1
    return work


@kernel
def probe(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    start: int,
    end: int,
    keys: npt.NDArray[np.uint64],
    bounds: npt.NDArray[np.int64],
    shift: int,
    heads: npt.NDArray[np.int64],
    tags: npt.NDArray[np.uint32],
    places: npt.NDArray[np.uint32],
    threshold: float,
    metric: int,
) -> tuple[npt.NDArray[np.int64], int]:
    """Return the pairs of rows ``rows[start:end]`` with earlier ones that reach the threshold, and how many were merged.

    `rows` ascend in size; `keys` and `bounds` are what each looks up. The pairs are (n, 3): earlier, later, shared.
    """
    found = np.empty((64, 3), dtype=np.int64)
    total, merged = 0, 0
    met = np.full(end, -1, dtype=np.int32)
    for place in range(start, end):
        row = rows[place]
        size = sizes[row]
        smallest = 1 if metric == CONTAINMENT else least(size, threshold)
        for i in range(bounds[place], bounds[place + 1]):
            bucket = np.int64(keys[i] >> np.uint64(shift))
            tag = np.uint32(keys[i] & np.uint64(0xFFFFFFFF))
            for entry in range(heads[bucket], heads[bucket + 1]):
                earlier = np.int64(places[entry])
                if earlier >= place:
                    break
                if tags[entry] != tag or met[earlier] == place:
                    continue
                met[earlier] = place
                other = rows[earlier]
                if sizes[other] < smallest:
                    continue
                merged += 1
                shared = shared_hashes(
                    values,
                    offsets[row],
                    offsets[row] + size,
                    offsets[other],
                    offsets[other] + sizes[other],
                    needed(size, sizes[other], threshold, metric),
                )
                if shared < 0:
                    continue
                if total == len(found):
                    longer = np.empty((2 * total, 3), dtype=np.int64)
                    longer[:total] = found
                    found = longer
                found[total, 0] = other
                found[total, 1] = row
                found[total, 2] = shared
                total += 1
    return found[:total], merged


@kernel
def probe_kept(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    keys: npt.NDArray[np.uint64],
    bounds: npt.NDArray[np.int64],
    index_keys: npt.NDArray[np.uint64],
    index_bounds: npt.NDArray[np.int64],
    bits: int,
    threshold: float,
    metric: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], int]:
    """Look up each of `rows`, in order of priority, among those that found nothing before it (the kept ones).

    Returns the pairs (n, 3): kept, row, shared; whether each row is kept; and how many pairs were merged. The index
    grows by the kept rows alone, so that a family that one row stands for costs a merge a member.
    """
    found = np.empty((64, 3), dtype=np.int64)
    total, merged = 0, 0
    kept = np.zeros(len(rows), dtype=np.bool_)
    met = np.full(len(rows), -1, dtype=np.int32)
    heads = np.full(1 << bits, -1, dtype=np.int64)
    room = 1024
    tags = np.empty(room, dtype=np.uint32)
    places = np.empty(room, dtype=np.uint32)
    following = np.empty(room, dtype=np.int64)
    entries = 0
    shift = np.uint64(64 - bits)
    for place in range(len(rows)):
        row = rows[place]
        size = sizes[row]
        reached = False
        for i in range(bounds[place], bounds[place + 1]):
            tag = np.uint32(keys[i] & np.uint64(0xFFFFFFFF))
            entry = heads[np.int64(keys[i] >> shift)]
            while entry >= 0:
                earlier = np.int64(places[entry])
                same = tags[entry] == tag
                entry = following[entry]
                if not same or met[earlier] == place:
                    continue
                met[earlier] = place
                other = rows[earlier]
                if metric == JACCARD and min(size, sizes[other]) < least(max(size, sizes[other]), threshold):
                    continue
                merged += 1
                shared = shared_hashes(
                    values,
                    offsets[row],
                    offsets[row] + size,
                    offsets[other],
                    offsets[other] + sizes[other],
                    needed(size, sizes[other], threshold, metric),
                )
                if shared < 0:
                    continue
                reached = True
                if total == len(found):
                    longer = np.empty((2 * total, 3), dtype=np.int64)
                    longer[:total] = found
                    found = longer
                found[total, 0] = other
                found[total, 1] = row
                found[total, 2] = shared
                total += 1
        if reached:
            continue
        kept[place] = True
        fresh = index_bounds[place + 1] - index_bounds[place]
        if entries + fresh > room:
            room = 2 * (entries + fresh)
            new_tags = np.empty(room, dtype=np.uint32)
            new_places = np.empty(room, dtype=np.uint32)
            new_following = np.empty(room, dtype=np.int64)
            new_tags[:entries] = tags[:entries]
            new_places[:entries] = places[:entries]
            new_following[:entries] = following[:entries]
            tags, places, following = new_tags, new_places, new_following
        for i in range(index_bounds[place], index_bounds[place + 1]):
            bucket = np.int64(index_keys[i] >> shift)
            tags[entries] = np.uint32(index_keys[i] & np.uint64(0xFFFFFFFF))
            places[entries] = place
            following[entries] = heads[bucket]
            heads[bucket] = entries
            entries += 1
    return found[:total], kept, merged

"""The exact set-similarity join: every pair that reaches the threshold, without looking at all pairs.

There are three filters, all with one-sided errors, and then verification. For a set x of n hashes and a threshold t,
``least(n, t)`` is the smallest s with ``s / n >= t`` in float64: no pair of x reaches t with fewer shared hashes.

1. *Seen twice* (`dedup.kernels.seen_twice`): two bits per slot say whether a hash may occur in two texts. A text is
   dropped if more than ``n - least(n, t)`` of its hashes occur in no other text. A fixed part of the hash space is
   enough to see it.
2. *Counters* (`dedup.kernels.counters`): for the candidates, one counter per slot says in how many texts a hash occurs
   at most. Only distinct hashes below `limit` are counted, which are the first ones of a sorted set. A text is dropped
   if more than ``n - least(n, t)`` of its hashes are unique.
3. *Prefixes* [1, 2] (`prefixes`, `probe`): in a common order of all hashes, two sets that share s hashes share one of
   the first n - s + 1 hashes of each. Only these are indexed and looked up. Any order is right if it depends on the
   hash only. This order takes the hashes below `limit` first, by (counter, hash), then the others by hash. So the
   rarest hashes come first, and no dictionary of hashes is needed.

The remaining candidates are merged with an early stop (`dedup.kernels.verify`). A pair shares at most the number of its
meetings, plus the hashes that one of the two left out of its prefix. So most pairs need no merge if prefixes are long.

Naive Python: ``[(x, y) for x, y in combinations(sets, 2) if len(x & y) / len(x | y) >= t]``.

The keys of prefixes are in an index of buckets (`dedup.kernels.prefix_index`), and `probe` looks every row up in it.

Cost: a few nanoseconds per hash and pass: tables and the index are made part by part of the hash space, in the caches.

References: [1] Bayardo, Ma, Srikant, "Scaling up all pairs similarity search", WWW 2007. [2] Xiao, Wang, Lin, Yu,
"Efficient similarity joins for near duplicate detection", WWW 2008. Counters: Morris, "Counting large numbers of events
in small registers", 1978, with a hash of the place in place of chance.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part, shared
from dedup.kernels.bitmaps import shared_bits
from dedup.kernels.counters import CLASSES
from dedup.kernels.prefix_index import KEY_TAG, PLACE, PURE
from dedup.kernels.verify import least, no_pair, required, shared_hashes

KEY_BUFFER = 512
"""Keys whose buckets are looked at before any of them is worked on, so that no branch depends on a random bit. Curve:
`benchmarks.tuning.kernel_self_join_key_buffer`; flat from 32 to 2^11 on generated:10000 (two cores, 2026-11)."""

JACCARD, CONTAINMENT, EDIT = range(3)


@part
def needed(left_size: int, right_size: int, threshold: float, metric: int) -> int:
    """Return the smallest number of shared hashes with which two sets reach the threshold."""
    if metric == CONTAINMENT:
        return least(min(left_size, right_size), threshold)
    return required(left_size, right_size, threshold)


@kernel
def prefix_lengths(
    sizes: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    alone: npt.NDArray[np.int64],
    threshold: float,
    metric: int,
    by_size: bool,
    deep: bool,
    probes: Written[npt.NDArray[np.int64]],
    indexed: Written[npt.NDArray[np.int64]],
    unprobed: Written[npt.NDArray[np.int64]],
    unindexed: Written[npt.NDArray[np.int64]],
) -> None:
    """Write how many of its hashes that other rows have too each row looks up (`probes`) and indexes (`indexed`).

    With `by_size` each row looks for rows that are not larger; otherwise it looks for all rows (Jaccard), or for rows
    that are not smaller (containment). `deep` extends the prefixes: they leave out only half of the hashes that a pair
    must share. The number of meetings then decides about most pairs without a merge. `unprobed` and `unindexed` are the
    numbers of hashes that may be shared and are left out.
    """
    for place in range(len(rows)):
        size = sizes[rows[place]]
        everything = size - alone[place]
        prefix = max(size - least(size, threshold) + 1 - alone[place], 0)
        if metric == CONTAINMENT:
            probes[place] = everything if by_size else prefix
            indexed[place] = prefix if by_size else everything
        else:
            probes[place] = prefix
            indexed[place] = max(size - required(size, size, threshold) + 1 - alone[place], 0) if by_size else prefix
        if deep:
            depth = max(everything - least(size, threshold) // 2, 0)
            probes[place] = max(probes[place], depth)
            indexed[place] = max(indexed[place], depth)
        unprobed[place] = everything - probes[place]
        unindexed[place] = everything - indexed[place]


@kernel
def prefixes(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    below: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    counters: npt.NDArray[np.uint8],
    bounds: npt.NDArray[np.int64],
    keys: Written[npt.NDArray[np.uint64]],
    other_bounds: npt.NDArray[np.int64],
    other_keys: Written[npt.NDArray[np.uint64]],
    spill: int,
) -> None:
    """Write two prefixes of each row: its first hashes in the common order, without the unique ones.

    Row i of `rows` gets ``keys[bounds[i]:bounds[i + 1]]`` and ``other_keys[other_bounds[i]:other_bounds[i + 1]]``.
    Hashes that are not in a prefix are written to place ``-spill`` of each array. `below`, `starts` and `counters` are
    as in `dedup.pairs.prefix_index.Counters`.
    """
    histogram = np.empty(CLASSES, dtype=np.int64)
    for place in range(len(rows)):
        at, end = bounds[place], bounds[place + 1]
        other_at, other_end = other_bounds[place], other_bounds[place + 1]
        if at == end and other_at == other_end:
            continue
        for i in range(CLASSES):
            histogram[i] = 0
        first, start, counted = np.uint64(offsets[rows[place]]), np.uint64(starts[place]), np.uint64(below[place])
        for i in range(counted):
            histogram[counters[start + i]] += 1
        outside, other_outside = np.uint64(len(keys) - spill), np.uint64(len(other_keys) - spill)
        last, ties = last_class(histogram, end - at)
        other_last, other_ties = last_class(histogram, other_end - other_at)
        for i in range(counted):  # no branch: an unwanted hash is overwritten by the next one, or is outside
            value, counter = values[first + i], np.int64(counters[start + i])
            several = np.int64(counter > 1)
            tie = np.int64(counter == last) & np.int64(ties > 0)
            ties -= tie
            keys[np.uint64(at) if at < end else outside] = value
            at += (several & np.int64(counter < last)) | tie
            tie = np.int64(counter == other_last) & np.int64(other_ties > 0)
            other_ties -= tie
            other_keys[np.uint64(other_at) if other_at < other_end else other_outside] = value
            other_at += (several & np.int64(counter < other_last)) | tie
        behind = np.int64(first + counted)  # hashes without a counter come last
        for i in range(end - at):
            keys[at + i] = values[behind + i]
        for i in range(other_end - other_at):
            other_keys[other_at + i] = values[behind + i]


@part
def last_class(histogram: npt.NDArray[np.int64], wanted: int) -> tuple[int, int]:
    """Return the class in which the first `wanted` hashes end, and how many of that class are among them."""
    last, below = 2, np.int64(0)
    while last < CLASSES - 1 and below + histogram[last] < wanted:
        below += histogram[last]
        last += 1
    return last, wanted - below


@shared
def longer(rows: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """Return an array of `count` rows that begins with `rows`."""
    result = np.empty((count, 3), dtype=np.int64)
    for row in range(len(rows)):
        for column in range(3):
            result[row, column] = rows[row, column]
    return result


@shared
def mixed_buckets(
    entries: npt.NDArray[np.uint64],
    groups: npt.NDArray[np.int64],
    group: int,
    lows: npt.NDArray[np.uint64],
    hits: npt.NDArray[np.uint64],
    filled: int,
) -> int:
    """Keep those of the first `filled` buckets that may have a row of another group; return how many they are."""
    kept = 0
    for slot in range(np.uint64(filled)):
        entry = entries[lows[slot]]
        lows[np.uint64(kept)] = lows[slot]
        hits[np.uint64(kept)] = hits[slot]
        pure = entry & PURE != np.uint64(0) and groups[entry & PLACE] == group
        kept += np.int64(not pure)
    return kept


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
    unprobed: npt.NDArray[np.int64],
    unindexed: npt.NDArray[np.int64],
    shift: int,
    heads: npt.NDArray[np.int32],
    entries: npt.NDArray[np.uint64],
    groups: npt.NDArray[np.int64],
    previous: npt.NDArray[np.int64],
    bit_starts: npt.NDArray[np.int64],
    bit_words: npt.NDArray[np.int64],
    bits: npt.NDArray[np.uint64],
    threshold: float,
    metric: int,
    most: int,
    tries: int,
    distinct: Table[np.uint64],
) -> tuple[npt.NDArray[np.int64], int, int, int]:
    """Return the pairs of ``rows[start:end]`` with earlier rows that reach the threshold, and how many were merged.

    `rows` ascend in size; `keys` and `bounds` are the hashes that each row looks up. A row is merged with an earlier
    one if they met so often that they may share enough: they share at most their meetings plus the hashes that one of
    the two left out, in a common order. A pair is a row of three: earlier, later, shared. Also returned: the number of
    pairs, and the place after the last row that was looked up. Once `most` pairs were found, or `tries` were merged, no
    further row is. Two rows that are `no_pair` by `distinct` (by row) are left out.
    """
    found = np.empty((64, 3), dtype=np.int64)
    stopped = end
    total, merged = 0, 0
    meetings = np.empty(end, dtype=np.int32)
    for i in range(end):
        meetings[i] = 0
    met = np.empty(end + 1, dtype=np.int32)  # one more: unwanted values are written there, and then overwritten
    lows = np.empty(KEY_BUFFER, dtype=np.uint64)
    hits = np.empty(KEY_BUFFER, dtype=np.uint64)
    for place in range(start, end):
        if total >= most or merged >= tries:
            stopped = place
            break
        row = rows[place]
        size = sizes[row]
        smallest = 1 if metric == CONTAINMENT else least(size, threshold)
        group = groups[place] if len(groups) > 0 else np.int64(-1)
        partners = 0
        at = bounds[place]
        while at < bounds[place + 1]:
            stop = min(at + KEY_BUFFER, bounds[place + 1])
            filled = 0
            for i in range(np.uint64(at), np.uint64(stop)):  # no branch: it would be mispredicted
                bucket = keys[i] >> np.uint64(shift)
                low, high = np.int64(heads[bucket]), np.int64(heads[bucket + np.uint64(1)])
                lows[np.uint64(filled)] = low
                hits[np.uint64(filled)] = i
                filled += np.int64(low < high) & np.int64(np.int64(entries[np.uint64(low)] & PLACE) < place)
            if group >= 0:
                filled = mixed_buckets(entries, groups, group, lows, hits, filled)
            for slot in range(np.uint64(filled)):
                key = keys[hits[slot]]
                tag = key << KEY_TAG
                for i in range(lows[slot], np.uint64(heads[(key >> np.uint64(shift)) + np.uint64(1)])):
                    entry = entries[i]
                    earlier = entry & PLACE
                    if earlier >= np.uint64(place):
                        break
                    same = np.int64((entry ^ tag) >> np.uint64(32) == np.uint64(0))
                    counted = np.int64(meetings[earlier])
                    met[np.uint64(partners)] = earlier
                    partners += np.int64(counted == 0) & same
                    meetings[earlier] = counted + same
            at = stop
        earlier = previous[place] if group >= 0 else np.int64(-1)
        while earlier >= 0 and sizes[rows[earlier]] >= smallest:
            merged += 1
            words = min(bit_words[place], bit_words[earlier])
            shared = shared_bits(bits, bit_starts[place], bit_starts[earlier], words)
            enough = needed(size, sizes[rows[earlier]], threshold, metric)
            if shared >= enough and not no_pair(distinct, rows[earlier], row):
                if total == len(found):
                    found = longer(found, 2 * total)
                found[total, 0] = rows[earlier]
                found[total, 1] = row
                found[total, 2] = shared
                total += 1
            earlier = previous[earlier]
        for partner in range(partners):
            earlier = np.int64(met[partner])
            counted = np.int64(meetings[earlier])
            meetings[earlier] = 0
            other = rows[earlier]
            if sizes[other] < smallest or (group >= 0 and groups[earlier] == group):
                continue
            if no_pair(distinct, other, row):
                continue
            enough = needed(size, sizes[other], threshold, metric)
            if counted + max(unprobed[place], unindexed[earlier]) < enough:
                continue
            merged += 1
            shared = shared_hashes(
                values, offsets[row], offsets[row] + size, offsets[other], offsets[other] + sizes[other], enough
            )
            if shared < 0:
                continue
            if total == len(found):
                found = longer(found, 2 * total)
            found[total, 0] = other
            found[total, 1] = row
            found[total, 2] = shared
            total += 1
    return found, total, merged, stopped

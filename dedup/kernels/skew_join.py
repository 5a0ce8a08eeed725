"""Families: find the kept text of each text if one template occurs a hundred thousand times.

Rows are taken in order of priority, and each is compared only with the rows that were kept before it. If the family
varies, hundreds of rows are kept, and nearly every row shares nearly all of its hashes with each of them. Lists of rows
per hash would then take a hundred steps per comparison. So the hashes that very many rows have, the *dense* ones, get
one bit each: how many of them two rows share is a few words of ``popcount(left & right)``. Only the other hashes, the
*sparse* ones, are in lists.

Definition, in naive Python::

    for row in priority:
        reached = [k for k in kept if similarity(row, k) >= threshold]
        if reached: star[row] = max(reached, key=similarity); link(reached)
        else: kept.append(row)

Guarantee: exact. Two rows that reach the threshold share `enough` hashes. A row that is *near* the dense set (it has
few sparse hashes) looks up all of its sparse hashes and, if it is kept, indexes all of them. The other rows use a
prefix that leaves out less than half of `enough`. So if a pair meets at no sparse hash, it shares `enough` dense ones
if both rows are near, and at least half as many otherwise. Rows that can have so many dense hashes are therefore
compared with all kept rows that can.

Cost: one look-up per sparse hash, and some nanoseconds per kept row of the family. A merge is needed only if a prefix
left something out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part
from dedup.kernels.self_join import CONTAINMENT, longer, needed
from dedup.kernels.verify import least, no_pair, shared_hashes
from dedup.kernels.words import bit_count


@part
def dense_place(value: np.uint64, shift: int, heads: npt.NDArray[np.int64], dense: npt.NDArray[np.uint64]) -> int:
    """Return the place of a hash among the sorted `dense` ones; -1 for a sparse one."""
    bucket = value >> np.uint64(shift)
    for i in range(np.uint64(heads[bucket]), np.uint64(heads[bucket + np.uint64(1)])):
        if dense[i] == value:
            return np.int64(i)
    return -1


@kernel
def dense_sets(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    shift: int,
    heads: npt.NDArray[np.int64],
    dense: npt.NDArray[np.uint64],
    sets: Written[Table[np.uint64]],
    counts: Written[npt.NDArray[np.int64]],
) -> None:
    """Write the dense hashes of row i of `rows` as bits of ``sets[i]`` (zeros at first), their number to ``counts[i]``.

    `dense` ascends. The dense hashes whose top bits (above `shift`) are b are at ``heads[b]:heads[b + 1]``.
    """
    for place in range(len(rows)):
        row = rows[place]
        count = 0
        for i in range(np.uint64(offsets[row]), np.uint64(offsets[row] + sizes[row])):
            at = dense_place(values[i], shift, heads, dense)
            if at >= 0:
                sets[place, at >> 6] |= np.uint64(1) << np.uint64(at & 63)
                count += 1
        counts[place] = count


@part
def root_of(roots: npt.NDArray[np.int64], node: int) -> int:
    """Return the root of a node's tree, and halve the path to it."""
    while roots[node] != node:
        roots[node] = roots[roots[node]]
        node = roots[node]
    return node


@kernel
def probe_kept(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    start: int,
    end: int,
    keys: npt.NDArray[np.uint64],
    bounds: npt.NDArray[np.int64],
    index_keys: npt.NDArray[np.uint64],
    index_bounds: npt.NDArray[np.int64],
    unprobed: npt.NDArray[np.int64],
    unindexed: npt.NDArray[np.int64],
    near: npt.NDArray[np.bool_],
    shift: int,
    dense_heads: npt.NDArray[np.int64],
    dense: npt.NDArray[np.uint64],
    sets: Table[np.uint64],
    counts: npt.NDArray[np.int64],
    kept: Written[npt.NDArray[np.int64]],
    kept_sets: Written[Table[np.uint64]],
    kept_sizes: Written[npt.NDArray[np.int64]],
    kept_slack: Written[npt.NDArray[np.int64]],
    shelved: int,
    others: int,
    weak: Written[Table[np.int64]],
    weak_counts: Written[npt.NDArray[np.int64]],
    bits: int,
    heads: Written[npt.NDArray[np.int64]],
    entries: Written[Table[np.int64]],
    entered: int,
    meetings: Written[npt.NDArray[np.int32]],
    met: Written[npt.NDArray[np.int32]],
    roots: Written[npt.NDArray[np.int64]],
    best: Written[npt.NDArray[np.int64]],
    shares: Written[npt.NDArray[np.int64]],
    threshold: float,
    metric: int,
    groups: Table[np.uint64],
) -> tuple[int, npt.NDArray[np.int64], int, int, int]:
    """Look up each of ``rows[start:end]``, in order of priority, among the rows that were kept before it.

    For each row, writes into `best` the number of the most similar kept row (the earliest of several; -1 if the row
    itself is kept) and into `shares` how many hashes they share. Links in `roots` all kept rows that it reaches.

    Kept rows have numbers. Rows whose dense hashes may be enough by themselves count from 0 upwards (`shelved` so far),
    the others from the end downwards. ``kept[k]`` is the place of kept row k; ``kept_sets``, ``kept_sizes`` and
    ``kept_slack`` (how many hashes it did not index) belong to it too. Among the others, ``weak[0]`` are the rows near
    the dense set and ``weak[1]`` the rows that are not, if half of the hashes that they need may be dense.

    `keys` and `index_keys` with their bounds, `unprobed` and `unindexed` are as in `kernels.self_join.prefix_lengths`,
    for rows that are not `near`. Under containment, priority must descend in size. A call hands over to the next one:
    all of the above, `heads` (-1 at first) by the top `bits` of a hash, `entries` (hash, kept number, next entry), and
    how many were `entered`. `meetings` (zeros) and `met` have one place per row. Two rows that are `no_pair` by
    `groups` (by place) are left out.

    Returns the number of comparisons, `entries`, `entered`, `shelved`, `others`.
    """
    compared = 0
    bucket_shift = np.uint64(64 - bits)
    words = sets.shape[1]
    for place in range(start, end):
        row = rows[place]
        size = sizes[row]
        smallest = least(size, threshold)
        whole = near[place]
        partners = 0
        half = 2 * counts[place] >= smallest
        scanned = counts[place] >= smallest if whole else half
        if scanned:
            for number in range(shelved):
                met[number] = number
            partners = shelved
        source, first, stop = keys, bounds[place], bounds[place + 1]
        if whole:
            source, first, stop = values, offsets[row], offsets[row] + size
        for i in range(np.uint64(first), np.uint64(stop)):
            value = source[i]
            if dense_place(value, shift, dense_heads, dense) >= 0:
                continue
            entry = heads[value >> bucket_shift]
            while entry >= 0:
                if entries[np.uint64(entry), 0] == np.int64(value):
                    number = entries[np.uint64(entry), 1]
                    if not (scanned and number < shelved):
                        met[partners] = number
                        partners += np.int64(meetings[np.uint64(number)] == 0)
                    meetings[np.uint64(number)] += 1
                entry = entries[np.uint64(entry), 2]
        if half:  # others that may share enough unseen: one of the two left hashes out
            for kind in range(1 if whole else 0, 2):
                for i in range(weak_counts[kind]):
                    number = weak[kind, i]
                    met[partners] = number
                    partners += np.int64(meetings[number] == 0)
        left_out = 0 if whole else unprobed[place]
        chosen, chosen_shared, chosen_value = np.int64(-1), np.int64(0), 0.0
        for partner in range(partners):
            number = np.int64(met[partner])
            shared = np.int64(meetings[np.uint64(number)])
            meetings[np.uint64(number)] = 0
            for word in range(np.uint64(words)):
                shared += np.int64(bit_count(sets[np.uint64(place), word] & kept_sets[np.uint64(number), word]))
            slack = max(left_out, kept_slack[np.uint64(number)])
            if shared + slack < smallest:  # most rows that do not reach it end here
                continue
            if no_pair(groups, kept[number], place):
                continue
            compared += 1
            total = min(size, kept_sizes[number]) if metric == CONTAINMENT else size + kept_sizes[number]
            if slack > 0:
                enough = needed(size, kept_sizes[number], threshold, metric)
                if shared + slack < enough:
                    continue
                other = rows[kept[number]]
                shared = shared_hashes(
                    values, offsets[row], offsets[row] + size, offsets[other], offsets[other] + sizes[other], enough
                )
                if shared < 0:
                    continue
            value_here = shared / (total if metric == CONTAINMENT else total - shared)
            if value_here < threshold:
                continue
            if chosen >= 0 and roots[chosen] != roots[number]:
                one, two = root_of(roots, chosen), root_of(roots, number)
                roots[max(one, two)] = min(one, two)
            if value_here > chosen_value or (value_here == chosen_value and kept[number] < kept[chosen]):
                chosen, chosen_shared, chosen_value = number, shared, value_here
        best[place] = chosen
        shares[place] = chosen_shared
        if chosen >= 0:
            continue
        number = others
        if counts[place] > 0 and (metric == CONTAINMENT or (whole and scanned)):
            number = shelved
            shelved += 1
        else:
            others -= 1
            if half:
                kind = np.int64(not whole)
                weak[kind, weak_counts[kind]] = number
                weak_counts[kind] += 1
        kept[number] = place
        kept_sizes[number] = size
        kept_slack[number] = 0 if whole else unindexed[place]
        for word in range(words):
            kept_sets[number, word] = sets[place, word]
        source, first, stop = index_keys, index_bounds[place], index_bounds[place + 1]
        if whole:
            source, first, stop = values, offsets[row], offsets[row] + size
        if entered + stop - first > len(entries):
            entries = longer(entries, 2 * (entered + stop - first))
        for i in range(first, stop):
            value = source[i]
            if dense_place(value, shift, dense_heads, dense) >= 0:
                continue
            bucket = np.int64(value >> bucket_shift)
            entries[entered, 0] = np.int64(value)
            entries[entered, 1] = number
            entries[entered, 2] = heads[bucket]
            heads[bucket] = entered
            entered += 1
    return compared, entries, entered, shelved, others

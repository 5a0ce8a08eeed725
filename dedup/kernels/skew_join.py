"""Families: who stands for whom where one template stands a hundred thousand times.

Rows are taken in order of priority, and each is compared with the rows that were kept before it, alone. Where the
family varies, hundreds of rows are kept, and nearly every row shares nearly all of its hashes with each of them. Lists
of rows by hash would then be walked a hundred steps a comparison; so the hashes that very many rows have, the *dense*
ones, get a bit each, and what two rows share of them is a few words of ``popcount(left & right)``. Only the other,
*sparse* hashes go through lists.

Definition, in naive Python::

    for row in priority:
        reached = [k for k in kept if similarity(row, k) >= threshold]
        if reached: star[row] = max(reached, key=similarity); link(reached)
        else: kept.append(row)

Guarantee: exact. Two rows that reach the threshold share `enough` hashes. A row that is *near* the dense set (few
sparse hashes) looks up, and as a kept one indexes, all of its sparse hashes; the others a prefix that leaves out less
than half of `enough`. So a pair that meets at no sparse hash has `enough` dense ones in common if both rows are near,
and half as many otherwise: rows that can have so many are compared with all kept rows that can. Cost: a look-up a
sparse hash, and some nanoseconds for each kept row of the family; a merge only where prefixes left something out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part
from dedup.kernels.self_join import CONTAINMENT, longer, needed
from dedup.kernels.verify import least, shared_hashes
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
    """Write which dense hashes each of `rows` has as bits of ``sets[i]`` (zeros at first), and how many: ``counts[i]``.

    `dense` ascends; those whose top bits (above `shift`) are b stand at ``heads[b]:heads[b + 1]``.
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
    """Return the root of a node's tree; halves the path."""
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
) -> tuple[int, npt.NDArray[np.int64], int, int, int]:
    """Look up each of ``rows[start:end]``, in order of priority, among those that were kept before it.

    Writes for each row the number of the most similar kept one (the earliest of several) and what it shares with it,
    into `best` (-1 for a kept one) and `shares`, and links all kept ones that it reaches in `roots`.

    Kept rows are numbered: from 0 upwards those whose dense hashes may be enough alone (`shelved` so far), from the
    end downwards the others. ``kept[k]`` is the place of kept row k, ``kept_sets``, ``kept_sizes`` and ``kept_slack``
    (what it did not index) are of it. Of the others, ``weak[0]`` are those near the dense set and ``weak[1]`` those
    that are not, if half of what they need may be dense.

    `keys`, `index_keys` with their bounds, `unprobed`, `unindexed` as in `kernels.join.prefix_lengths`, for rows that
    are not `near`. Under containment priority must descend in size. What a call leaves to the next: the above, and
    `heads` (-1 at first) by the top `bits` of a hash, `entries` (hash, kept number, next entry), and how many were
    `entered`. `meetings` (zeros) and `met` have a place for each row.

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
        if half:  # of the others, those that may share enough with it unseen: one of the two leaves something out
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
            if shared + slack < smallest:  # most of those that do not reach it end here
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

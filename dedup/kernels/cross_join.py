"""The exact join of two collections: every pair across them that reaches the threshold, and no pair within either.

A hash that occurs only on one side is in no pair. So:

1. *Sides* (`mark_side`, `meets`): one bit per slot and side says whether a hash may occur there. A text is dropped if
   none of its hashes occurs on the other side.
2. *Counters* (`dedup.kernels.counters.count_sides`): how many texts of each side have a hash. If either count is zero,
   the hash gets counter 1 ("proves nothing"); otherwise the sum of both, 2 to 255.
3. *Prefixes* (`dedup.kernels.self_join.prefixes`): in the order of (counter, hash), which depends on the hash only,
   two sets that share s hashes share one of the first n - s + 1 hashes of each, where n is the size of each set.
4. *Across* (`probe_across`): the rows of one side are looked up in an index over the other side. Candidates are merged
   with an early stop.

Naive Python: ``[(x, y) for x in left for y in right if len(x & y) / len(x | y) >= t]``.

The errors of the tables are one-sided: if two hashes share a slot, a text may be kept without need, or a counter may be
too high. No pair is lost.

Cost: one random access per hash for each pass over a table, and the index lists that are read.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel
from dedup.kernels.prefix_index import KEY_TAG, PLACE
from dedup.kernels.seen_twice import BUFFER
from dedup.kernels.self_join import CONTAINMENT, longer, needed
from dedup.kernels.verify import first_from, least, no_pair, shared_hashes

ANY_SIZE, LEFT_SMALLER, LEFT_LARGER = range(3)
"""Which pairs `probe_across` looks at: all, those with size left <= right, or those with size left > right."""


@kernel
def mark_side(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    table: Written[npt.NDArray[np.uint64]],
    shift: int,
) -> None:
    """Enter all hashes of `rows` into `table` (written): each word has 64 slots of one bit."""
    for row in rows:
        for i in range(offsets[row], offsets[row + 1]):
            slot = values[i] >> np.uint64(shift)
            table[np.int64(slot >> np.uint64(6))] |= np.uint64(1) << (slot & np.uint64(63))


@kernel
def meets(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    table: npt.NDArray[np.uint64],
    shift: int,
    stays: Written[npt.NDArray[np.bool_]],
) -> None:
    """Write into ``stays[i]`` whether any hash of row i of `rows` is entered in `table`."""
    for place in range(len(rows)):
        row = rows[place]
        found = False
        for i in range(offsets[row], offsets[row + 1]):
            slot = values[i] >> np.uint64(shift)
            if (table[np.int64(slot >> np.uint64(6))] >> (slot & np.uint64(63))) & np.uint64(1) != np.uint64(0):
                found = True
                break
        stays[place] = found


@kernel
def mark_sets(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    lowest: np.uint64,
    highest: np.uint64,
    shift: int,
    table: Written[npt.NDArray[np.uint64]],
) -> None:
    """Enter the hashes of all sets from `lowest` to `highest` into `table` (written), as `mark_side`.

    The bounds divide the table among threads: the bits of a word are hashes of one of them.
    """
    for row in range(len(sizes)):
        end = offsets[row] + sizes[row]
        for i in range(np.uint64(first_from(values, offsets[row], end, lowest)), np.uint64(end)):
            if values[i] > highest:
                break
            slot = values[i] >> np.uint64(shift)
            table[slot >> np.uint64(6)] |= np.uint64(1) << (slot & np.uint64(63))


@kernel
def may_reach(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    highest: np.uint64,
    table: npt.NDArray[np.uint64],
    shift: int,
    spares: npt.NDArray[np.int64],
    seen: Written[npt.NDArray[np.uint64]],
    stays: Written[npt.NDArray[np.bool_]],
) -> None:
    """Write into ``stays[i]`` whether at most ``spares[i]`` distinct hashes of row i of `rows` are not in `table`.

    Only hashes up to `highest` are looked at, and their number is a lower bound: two that have one of the bits of
    `seen` in common (a power of two words, 16 bits for each spare hash of any row) count as one.
    """
    buffer = np.empty(BUFFER, dtype=np.uint64)
    for place in range(len(rows)):
        at, end = offsets[rows[place]], offsets[rows[place] + 1]
        spare = spares[place]
        words = 1
        while words < len(seen) and 4 * words < spare:
            words *= 2
        for word in range(words):
            seen[word] = 0
        mask = np.uint64(64 * words - 1)
        absent = np.int64(0)
        while at < end and absent <= spare:
            stop = min(at + BUFFER, end)
            filled = 0
            for i in range(np.uint64(at), np.uint64(stop)):  # no branch: it would be mispredicted
                buffer[np.uint64(filled)] = values[i]
                filled += np.int64(values[i] <= highest)
            for i in range(np.uint64(filled)):
                slot = buffer[i] >> np.uint64(shift)
                missing = ~(table[slot >> np.uint64(6)] >> (slot & np.uint64(63))) & np.uint64(1)
                bit = buffer[i] & mask
                word = seen[bit >> np.uint64(6)]
                absent += np.int64(missing & ~(word >> (bit & np.uint64(63))))
                seen[bit >> np.uint64(6)] = word | (missing << (bit & np.uint64(63)))
            at = stop
        stays[place] = absent <= spare


@kernel
def stand(
    values: npt.NDArray[np.uint64], start: int, end: int, table: npt.NDArray[np.uint64], shift: int
) -> npt.NDArray[np.int64]:
    """Return the places from `start` to `end` - 1 whose hash is entered in `table`."""
    found = np.empty(end - start, dtype=np.int64)
    count = 0
    for i in range(start, end):
        slot = values[i] >> np.uint64(shift)
        found[count] = i
        count += np.int64((table[np.int64(slot >> np.uint64(6))] >> (slot & np.uint64(63))) & np.uint64(1))
    return found[:count].copy()


@kernel
def probe_across(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    left: npt.NDArray[np.int64],
    start: int,
    end: int,
    keys: npt.NDArray[np.uint64],
    bounds: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    shift: int,
    heads: npt.NDArray[np.int32],
    entries: npt.NDArray[np.uint64],
    threshold: float,
    metric: int,
    which: int,
    most: int,
    tries: int,
    groups: Table[np.uint64],
) -> tuple[npt.NDArray[np.int64], int, int]:
    """Return the pairs of ``left[start:end]`` with rows of `right` that reach the threshold, and how many were merged.

    `keys` and `bounds` are the hashes that each left row looks up. `heads` and `entries` are the index over `right`
    (`dedup.kernels.prefix_index`), whose rows ascend in size. `which` selects pairs by their sizes. A pair is
    a row of three: left, right, shared; the number of pairs is returned too. No further row is looked up once `most`
    pairs were found, or `tries` were merged. Two rows that are `no_pair` by `groups` (by row) are left out.
    """
    found = np.empty((64, 3), dtype=np.int64)
    total, merged = 0, 0
    met = np.empty(len(right), dtype=np.int32)
    for i in range(len(met)):
        met[i] = -1
    for place in range(start, end):
        if total >= most or merged >= tries:
            break
        row = left[place]
        size = sizes[row]
        smallest, largest = np.int64(1), np.iinfo(np.int64).max
        if metric != CONTAINMENT:
            smallest = least(size, threshold)
        if which == LEFT_SMALLER:
            smallest = size
        elif which == LEFT_LARGER:
            largest = size - 1
        for i in range(bounds[place], bounds[place + 1]):
            bucket = np.int64(keys[i] >> np.uint64(shift))
            tag = keys[i] << KEY_TAG
            for entry in range(np.int64(heads[bucket]), np.int64(heads[bucket + 1])):
                if (entries[entry] ^ tag) >> np.uint64(32) != np.uint64(0):
                    continue
                other_place = np.int64(entries[entry] & PLACE)
                if met[other_place] == place:
                    continue
                met[other_place] = place
                other = right[other_place]
                if sizes[other] < smallest:
                    continue
                if sizes[other] > largest:
                    break
                if metric != CONTAINMENT and size < least(sizes[other], threshold):
                    break
                if no_pair(groups, other, row):
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
                    found = longer(found, 2 * total)
                found[total, 0] = row
                found[total, 1] = other
                found[total, 2] = shared
                total += 1
    return found, total, merged

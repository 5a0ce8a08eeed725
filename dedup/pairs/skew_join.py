"""Families: rows in order of priority, each compared with the rows that were kept before it.

In naive Python (`dedup.kernels.skew_join` has the fast form)::

    kept = []
    for row in rows:
        best = max(kept, key=lambda other: (similarity(row, other), -rank[other]), default=None)
        if best is None or similarity(row, best) < threshold:
            kept.append(row)

Cost: linear in a family with one kept row. If many rows are kept, a comparison with each takes some nanoseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import HashSets
from dedup.pairs.seen_twice import bits_for
from dedup.pairs.verify import NO_GROUPS, Groups, columns_of
from dedup.runtime.buffers import GrowingArray
from dedup.runtime.threads import map_blocks, slices
from dedup.threshold import Threshold

__all__ = [
    "FAMILY_LIMITS",
    "FamilyLimits",
    "KeptStars",
    "Leaders",
    "Prefixes",
    "PrioritySlice",
    "dense_hashes",
    "stars_of",
    "stars_of_slices",
]

SAMPLED = 2048
"""Rows, evenly spaced in the order of priority, in which hashes are counted to find the dense ones. Curve:
`benchmarks.tuning.skew_join_sampled`; flat from 2^11 to 2^13 on family:20000:500, where 512 takes 0.91 times as long
(two cores, 2026-11)."""

RARE = 64
"""One in so many of the sampled rows has a dense hash, at least; all other hashes are sparse. Curve:
`benchmarks.tuning.skew_join_rare`; flat from 16 to 256 on family:20000:500 (two cores, 2026-11)."""

FEWEST = 4
"""Sampled rows that have a dense hash, at least, however few are sampled. Curve: `benchmarks.tuning.skew_join_fewest`;
flat from 2 to 4 on family:8000:500, where 8 takes 1.13 times as long (two cores, 2026-11)."""

MOST_DENSE = 2048
"""Dense hashes: each is a bit in every row. Curve: `benchmarks.tuning.skew_join_most_dense`; flat from 512 to 2^13 on
family:20000:500 (two cores, 2026-11)."""

NEAR = 64
"""Sparse hashes. A row with at most so many, and a quarter of its set more, looks up all of them. Curve:
`benchmarks.tuning.skew_join_near`; flat from 16 to 256 on family:20000:500 (two cores, 2026-11)."""


KEYS_A_LIST = 16
"""Keys of all rows per list of the index. Few rows are kept, and only their keys are entered. Curve:
`benchmarks.tuning.skew_join_keys_a_list`; flat from 1 to 64 on family:8000:500 (two cores, 2026-11)."""


@dataclass(frozen=True)
class FamilyLimits:
    """Which hashes are dense, and which rows are near others: see the constants."""

    sampled: int = SAMPLED
    fewest: int = FEWEST
    most_dense: int = MOST_DENSE
    near: int = NEAR


FAMILY_LIMITS = FamilyLimits()


class Prefixes(NamedTuple):
    """The hashes that rows look up: those of row i are ``keys[bounds[i]:bounds[i + 1]]``; and those that rows index.

    `unprobed` and `unindexed` are how many hashes of each row these leave out.
    """

    keys: npt.NDArray[np.uint64]
    bounds: npt.NDArray[np.int64]
    index_keys: npt.NDArray[np.uint64]
    index_bounds: npt.NDArray[np.int64]
    unprobed: npt.NDArray[np.int64]
    unindexed: npt.NDArray[np.int64]


class KeptStars(NamedTuple):
    """For each place in the order of priority: its kept row's place (-1 for a kept one), what they share, its group.

    Kept rows that one row reaches are in one group; the numbers of groups have no order. `compared` counts comparisons.
    """

    best: npt.NDArray[np.int64]
    shared: npt.NDArray[np.int64]
    group: npt.NDArray[np.int64]
    compared: int


class Leaders:
    """The kept rows so far, and the kept row of each row that was looked up among them.

    `count` is the number of rows that will come, `keys` the number of hashes that they index at most, and `dense` the
    hashes that very many of them have (`dense_hashes`). Rows of one of the `groups` (by place) are no pair. Call `fill`
    for a row, from any thread, before `look_up`; rows are looked up in order. Memory: per row one bit per dense hash
    and 80 bytes; the indexed hashes of kept rows.
    """

    def __init__(
        self,
        count: int,
        keys: int,
        dense: npt.NDArray[np.uint64],
        threshold: Threshold,
        *,
        groups: Groups = NO_GROUPS,
        limits: FamilyLimits = FAMILY_LIMITS,
    ) -> None:
        self._dense, self._threshold, self._groups, self._limits = dense, threshold, groups, limits
        self._shift = 64 - bits_for(len(dense))
        edges = np.arange(1 << (64 - self._shift), dtype=np.uint64) << np.uint64(self._shift)
        self._heads = np.append(np.searchsorted(dense, edges), len(dense)).astype(np.int64)
        self._sets = np.zeros((count, (len(dense) + 63) // 64), dtype=np.uint64)
        self._counts = np.zeros(count, dtype=np.int64)
        self._near = np.zeros(count, dtype=np.bool_)
        self._bits = bits_for(keys // KEYS_A_LIST)
        self._lists = np.full(1 << self._bits, -1, dtype=np.int64)
        self._entries, self._entered = np.empty((1024, 3), dtype=np.int64), 0
        self._kept, self._kept_sizes, self._kept_slack = np.empty((3, count), dtype=np.int64)
        self._kept_sets = np.empty_like(self._sets)  # of which only what is written takes memory
        self._shelved, self._others = 0, count - 1
        self._weak, self._weak_counts = np.empty((2, count), dtype=np.int64), np.zeros(2, dtype=np.int64)
        self._meetings, self._met = np.zeros((2, count), dtype=np.int32)
        self._roots = np.arange(count, dtype=np.int64)
        self._best, self._shares = np.empty((2, count), dtype=np.int64)
        self._compared = 0

    def fill(self, sets: HashSets, rows: npt.NDArray[np.int64], part: slice) -> None:
        """Take the dense hashes of the rows at some places: place i is row ``rows[i]`` of `sets`."""
        from dedup.kernels import skew_join as kernels

        some = rows[part]
        kernels.dense_sets(*sets, some, self._shift, self._heads, self._dense, self._sets[part], self._counts[part])
        sizes = sets.sizes[some]
        self._near[part] = sizes - self._counts[part] <= self._limits.near + sizes // 4

    def look_up(self, sets: HashSets, rows: npt.NDArray[np.int64], prefixes: Prefixes, part: slice) -> None:
        """Look the rows at the next places up among the kept ones before them; `sets` has them and all kept ones."""
        from dedup.kernels import skew_join as kernels

        more, self._entries, self._entered, self._shelved, self._others = kernels.probe_kept(
            *sets,
            rows,
            part.start,
            part.stop,
            prefixes.keys,
            prefixes.bounds,
            prefixes.index_keys,
            prefixes.index_bounds,
            prefixes.unprobed,
            prefixes.unindexed,
            self._near,
            self._shift,
            self._heads,
            self._dense,
            self._sets,
            self._counts,
            self._kept,
            self._kept_sets,
            self._kept_sizes,
            self._kept_slack,
            self._shelved,
            self._others,
            self._weak,
            self._weak_counts,
            self._bits,
            self._lists,
            self._entries,
            self._entered,
            self._meetings,
            self._met,
            self._roots,
            self._best,
            self._shares,
            self._threshold.value,
            self._threshold.metric.code,
            self._groups,
        )
        self._compared += more

    def is_kept(self, part: slice) -> npt.NDArray[np.bool_]:
        """Return which rows at some places are kept; they were looked up."""
        return self._best[part] < 0

    def stars(self) -> KeptStars:
        """Return what was found, of all rows."""
        kept, best, count = self._kept, self._best, len(self._best)
        group = best.copy()
        numbers = np.concatenate((np.arange(self._shelved), np.arange(self._others + 1, count)))
        group[kept[numbers]] = numbers
        while True:  # each look-up halved the paths, so this ends soon
            higher = self._roots[group]
            if np.array_equal(higher, group):
                break
            group = higher
        return KeptStars(np.where(best < 0, -1, kept[best]), self._shares, group, self._compared)


def stars_of(
    sets: HashSets,
    rows: npt.NDArray[np.int64],
    prefixes: Prefixes,
    threshold: Threshold,
    threads: int,
    progress: Callable[[int], None] = lambda _: None,
    *,
    groups: Groups = NO_GROUPS,
    limits: FamilyLimits = FAMILY_LIMITS,
) -> KeptStars:
    """Return the kept row of each of `rows`, which come in order of priority; all sets are at hand.

    Rows of one of the `groups` (by row) are no pair.
    """
    dense = dense_hashes(sets, rows, limits=limits)
    own = columns_of(groups, rows)
    leaders = Leaders(len(rows), len(prefixes.index_keys), dense, threshold, groups=own, limits=limits)
    for _ in map_blocks(lambda part: leaders.fill(sets, rows, part), slices(len(rows)), threads):
        pass
    for part in slices(len(rows)):
        leaders.look_up(sets, rows, prefixes, part)
        progress(part.stop)
    return leaders.stars()


class PrioritySlice(NamedTuple):
    """The next rows in order of priority: their sets one after the other, and their prefixes."""

    sets: HashSets
    prefixes: Prefixes


def stars_of_slices(
    parts: Iterable[PrioritySlice],
    count: int,
    keys: int,
    dense: npt.NDArray[np.uint64],
    threshold: Threshold,
    *,
    limits: FamilyLimits = FAMILY_LIMITS,
) -> KeptStars:
    """Return the kept row of each of `count` rows that come slice by slice; of sets, those of kept rows are held.

    `keys` and `dense` as for `Leaders`. What is found is what `stars_of` finds.
    """
    leaders = Leaders(count, keys, dense, threshold, limits=limits)
    held: GrowingArray[np.uint64] = GrowingArray(np.uint64)
    offsets, sizes = np.zeros((2, count), dtype=np.int64)
    bounds, index_bounds = np.zeros((2, count + 1), dtype=np.int64)
    unprobed, unindexed = np.zeros((2, count), dtype=np.int64)
    places = np.arange(count, dtype=np.int64)
    first = 0
    for sets, prefixes in parts:
        part = slice(first, first + len(sets.sizes))
        before = len(held)
        held.append(sets.values, part.stop / max(count, 1))
        offsets[part], sizes[part] = before + sets.offsets, sets.sizes
        bounds[first : part.stop + 1] = prefixes.bounds
        index_bounds[first : part.stop + 1] = prefixes.index_bounds
        unprobed[part], unindexed[part] = prefixes.unprobed, prefixes.unindexed
        every = HashSets(held.array(), offsets, sizes)
        leaders.fill(every, places, part)
        some = Prefixes(prefixes.keys, bounds, prefixes.index_keys, index_bounds, unprobed, unindexed)
        leaders.look_up(every, places, some, part)
        kept = np.flatnonzero(leaders.is_kept(part))
        values = [sets.values[sets.offsets[row] : sets.offsets[row] + sets.sizes[row]] for row in kept.tolist()]
        held.cut(before)
        offsets[first + kept] = before + np.cumsum(sets.sizes[kept]) - sets.sizes[kept]
        held.append(np.concatenate([held.array()[:0], *values]), part.stop / max(count, 1))
        first = part.stop
    return leaders.stars()


def dense_hashes(
    sets: HashSets, rows: npt.NDArray[np.int64], *, limits: FamilyLimits = FAMILY_LIMITS
) -> npt.NDArray[np.uint64]:
    """Return the hashes, ascending, that very many of `rows` have, by a fixed sample of them."""
    sample = rows[:: max(1, -(-len(rows) // limits.sampled))]
    some = [sets.values[sets.offsets[row] : sets.offsets[row] + sets.sizes[row]] for row in sample.tolist()]
    found, times = np.unique(np.concatenate([np.empty(0, dtype=np.uint64), *some]), return_counts=True)
    often = np.flatnonzero(times >= max(limits.fewest, len(sample) // RARE))
    most = often[np.argsort(-times[often], kind="stable")[: limits.most_dense]]
    return np.sort(found[most])

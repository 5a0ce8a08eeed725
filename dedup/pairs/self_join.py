"""The exact join: all pairs of units of one collection that reach the threshold.

1. A table of a part of the hash space drops units that cannot be in a pair (`dedup.pairs.seen_twice`).
2. The sets of the other units are made. Counters of their hashes drop further units.
3. Each unit has a prefix: its rarest hashes, as many as two units of a pair must have one of in common
   (`dedup.pairs.prefixes.index`). Each prefix is looked up among those of the units before it.
4. The candidates are verified on their full sets, or on bitmaps of these where a text has very many versions
   (`dedup.pairs.bitmaps`).

The kernels are described in `dedup.kernels.self_join`.

A family (one template a hundred thousand times) makes the lists of the index long, and the join quadratic. If the lists
are that long, the units are first looked up in order of priority among the kept ones only (`dedup.pairs.skew_join`).
That gives the stars exactly. Units that were removed into a large cluster take no part in the join then, since they are
listed with their kept unit only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import HashSets, Units, rank_by_size
from dedup.pairs.bitmaps import Bitmaps, make_bitmaps, no_bitmaps
from dedup.pairs.prefixes.counters import Counted, count_hashes
from dedup.pairs.prefixes.index import build_index, mark_versions, take_prefixes
from dedup.pairs.seen_twice import alike, mostly_shared, sample_for, seen_twice
from dedup.pairs.skew_join import FAMILY_LIMITS, FamilyLimits, Prefixes, stars_of
from dedup.pairs.verify import NO_GROUPS, Groups, PairLimit, Pairs, in_order, no_pairs, pairs_of
from dedup.runtime.arrays import by_key, portions
from dedup.runtime.threads import done_by, map_blocks, slices
from dedup.threshold import Metric, Threshold, least

__all__ = ["EVERY", "JOIN_LIMITS", "JoinLimits", "JoinResult", "join", "join_some"]

EVERY = np.iinfo(np.int64).max
"""Pairs, or merges: no limit."""

ROUNDS = 3
"""Rounds in which counters drop units, at most. Curve: `benchmarks.tuning.self_join_rounds`; flat from 1 to 3 on
generated:10000, where 5 takes 1.08 times as long (two cores, 2026-11)."""

WORTH = 0.75
"""Share of the units. There is a further round if the last one kept less than this. Curve:
`benchmarks.tuning.self_join_worth`; flat from 0.25 to 0.9 on generated:10000 (two cores, 2026-11)."""

COMMON_WORK = 1.0
"""Entries compared in all buckets per hash of the rows. Above it all hashes are counted, not a part of them, so that
prefixes leave out hashes that very many texts have. Counting one takes about as long as comparing one. Curve:
`benchmarks.tuning.self_join_common_work`; flat from 1.0 to 10.0 on generated:20000 and licences (two cores,
2026-11)."""

LONG_LISTS = 64.0
"""Entries per hash, as for `COMMON_WORK`. Above it the shared hashes of a pair are counted before its sets are merged,
if that takes at most `DEEPER` times the keys. Curve: `benchmarks.tuning.self_join_long_lists`; flat from 1.0 to 512.0
on ota_dev and licences and family:3000 (two cores, 2026-11)."""

VERSION_LISTS = 24.0
"""The same. Above it versions of one text are verified by bitmaps (`dedup.pairs.bitmaps`). Collections of single texts
and of a few versions have 5 to 10. Curve: `benchmarks.tuning.self_join_version_lists`."""

DEEPER = 1.5
"""Factor. With longer prefixes the index may have so many times the keys: see `LONG_LISTS`. Curve:
`benchmarks.tuning.self_join_deeper`; flat from 1.0 to 4.0 on family:1500 (two cores, 2026-11)."""

FAMILY_LISTS = 1024.0
"""Entries per hash, as for `COMMON_WORK`. Above it families are looked for first. In ten million texts, passages that
very many texts have, but that are never a complete text, make lists of some hundred entries. A family of a hundred
thousand texts makes lists of ten thousand. Curve: `benchmarks.tuning.self_join_family_lists`; on family:1500, 256.0
takes 0.08 times as long and 4096.0 takes 1.31 times as long (two cores, 2026-11)."""


@dataclass(frozen=True)
class JoinLimits:
    """From which work on the join goes another way: see the constants, and those of `dedup.pairs.skew_join`."""

    common_work: float = COMMON_WORK
    long_lists: float = LONG_LISTS
    deeper: float = DEEPER
    version_lists: float = VERSION_LISTS
    family_lists: float = FAMILY_LISTS
    families: FamilyLimits = FAMILY_LIMITS


JOIN_LIMITS = JoinLimits()


class JoinResult(NamedTuple):
    """What the join found.

    Attributes
    ----------
    pairs : each once, sorted
    merged : how many candidate pairs were verified
    candidates : how many units were not dropped by the first table
    hidden : the units that were left out of the join, since they are listed with their kept unit only
    large : the kept units of the clusters that `hidden` units are in, and of clusters that are linked with these
    """

    pairs: Pairs
    merged: int
    candidates: int
    hidden: npt.NDArray[np.int64]
    large: npt.NDArray[np.int64]


def join(
    units: Units,
    leading: npt.NDArray[np.int64],
    rank: npt.NDArray[np.int64],
    copies: npt.NDArray[np.int64],
    threshold: Threshold,
    *,
    large: int | None,
    limit: PairLimit,
    threads: int,
    groups: Groups = NO_GROUPS,
    progress: Callable[[int], None] = lambda _: None,
    limits: JoinLimits = JOIN_LIMITS,
) -> JoinResult:
    """Return all pairs of the `leading` units that reach the threshold.

    Parameters
    ----------
    rank : int64, by unit; 0 is kept first
    copies : int64, by unit; how many exact copies a unit has, itself included
    large : units that were removed into a cluster of more members are paired with their kept unit only; None: all pairs
    limit : counts the pairs, and raises if there are too many
    groups : by unit; units of one group are no pair

    Makes the sets of the candidates. Cost: linear in the hashes, and in the index lists that are compared.
    """
    from dedup.kernels.seen_twice import SAMPLES

    candidates = leading
    counts = alike(units.rows, leading, threads)
    if not mostly_shared(counts):
        candidates = seen_twice(units.rows, leading, threshold, threads=threads)
    sets = units.prepare(candidates, threads)
    versions = float(counts @ counts) > limits.version_lists * len(leading)  # then all hashes are counted at once
    sample = SAMPLES if versions else sample_for(threshold)
    counted = _count(sets, candidates, threshold, sample, threads)
    order = by_key(sets.sizes[counted.rows])
    index = _Index(sets, counted, order, threshold, threads, by_size=True)
    if sample < SAMPLES and index.work > limits.common_work * float(sets.sizes[counted.rows].sum()):
        del index
        counted = _count(sets, counted.rows, threshold, SAMPLES, threads)
        order = by_key(sets.sizes[counted.rows])
        index = _Index(sets, counted, order, threshold, threads, by_size=True)
    hidden = crowds = np.empty(0, dtype=np.int64)
    kept_pairs, merged = no_pairs(), 0
    if large is not None and index.crowded(limits.family_lists):
        del index
        kept_pairs, hidden, crowds, merged = _stars_first(
            sets, counted, rank, copies, threshold, large, groups, threads, progress, limits.families
        )
        order = order[~np.isin(counted.rows[order], hidden)]
        index = _Index(sets, counted, order, threshold, threads, by_size=True)
    if index.crowded(limits.long_lists):
        sizes = sets.sizes[index.rows]
        keys = np.maximum(sizes - counted.unique[order] - least(sizes, threshold.value) // 2, 0).sum()
        if keys <= limits.deeper * len(index.indexed.keys):
            del index
            index = _Index(sets, counted, order, threshold, threads, by_size=True, deep=True)
    bitmaps = no_bitmaps()
    if index.crowded(limits.version_lists):
        bitmaps = make_bitmaps(sets, index.rows, threads)
        mark_versions(index.buckets, bitmaps.groups, threads)
    parts, more = _probe(sets, index, bitmaps, groups, threads, progress, limit)
    del index
    parts.append(kept_pairs)
    return JoinResult(in_order(parts), merged + more, len(candidates), hidden, crowds)


def join_some(
    units: Units,
    leading: npt.NDArray[np.int64],
    threshold: Threshold,
    *,
    most: int,
    tries: int,
    threads: int,
    groups: Groups = NO_GROUPS,
) -> Pairs:
    """Return pairs of the `leading` units that reach the threshold: all, or about the first `most` of them.

    It gives up after `tries` merges, or if the index would make a hundred times as many comparisons. Which pairs they
    are does not depend on the threads. Memory: at most 40 bytes per shingle of `leading`, and 24 per pair.
    """
    candidates = seen_twice(units.rows, leading, threshold, threads=threads)
    sets = units.prepare(candidates, threads)
    counted = _count(sets, candidates, threshold, sample_for(threshold), threads)
    order = by_key(sets.sizes[counted.rows])
    index = _Index(sets, counted, order, threshold, threads, by_size=True)
    if index.work > MEETINGS * tries:
        return no_pairs()
    return in_order(_probe(sets, index, no_bitmaps(), groups, threads, lambda _: None, None, most, tries)[0])


MEETINGS = 100.0
"""Entries that are compared per merge, at most, if only a few pairs are wanted: they take as long as a merge."""


def _count(sets: HashSets, rows: npt.NDArray[np.int64], threshold: Threshold, sample: int, threads: int) -> Counted:
    """Count the distinct hashes below a limit, and drop the rows with too many unique ones."""
    for _ in range(ROUNDS):
        (counted,) = count_hashes(sets, [rows], sample, threads)
        counted = counted.take(counted.unique <= threshold.may_be_unique(sets.sizes[rows]))
        if len(counted.rows) >= WORTH * len(rows):
            break
        rows = counted.rows
    return counted


class _Index:
    """Prefixes of some rows, in an order, and the index over them."""

    def __init__(
        self,
        sets: HashSets,
        counted: Counted,
        order: npt.NDArray[np.int64],
        threshold: Threshold,
        threads: int,
        *,
        by_size: bool,
        deep: bool = False,
    ) -> None:
        from dedup.kernels import self_join as kernels

        counted = counted.take(order)
        self.rows, self.threshold = counted.rows, threshold
        by = threshold.value, threshold.metric.code
        lengths = np.empty((4, len(order)), dtype=np.int64)

        def measure(part: slice) -> None:
            some = (self.rows[part], counted.unique[part])
            kernels.prefix_lengths(sets.sizes, *some, *by, by_size, deep, *lengths[:, part])

        done_by(threads, measure, slices(len(order)))
        self.unprobed, self.unindexed = lengths[2:]
        same = not by_size and np.array_equal(lengths[0], lengths[1])  # no size in the order: one prefix does for both
        wanted = (lengths[0], np.zeros_like(lengths[1]) if same else lengths[1])
        self.probed, self.indexed = take_prefixes(sets, counted, wanted, threads)
        if same:
            self.indexed = self.probed
        if by_size:
            self.buckets, self.work = build_index(self.indexed, threads)

    def crowded(self, limit: float) -> bool:
        """Return whether an entry meets more than `limit` entries of its bucket, on average."""
        return self.work > limit * max(len(self.indexed.keys), 1)


AT_ONCE = 1 << 16
"""Pairs that a thread holds as the kernel gives them, in twice the bytes, about. Curve:
`benchmarks.tuning.self_join_at_once`."""


def _probe(
    sets: HashSets,
    index: _Index,
    bitmaps: Bitmaps,
    groups: Groups,
    threads: int,
    progress: Callable[[int], None],
    limit: PairLimit | None,
    most: int = EVERY,
    tries: int = EVERY,
) -> tuple[list[Pairs], int]:
    """Look every row up among the earlier ones; return the pairs in parts, and how many were merged.

    Rows after the first with which `most` pairs were found, or `tries` pairs were merged, are left out.
    """
    from dedup.kernels import self_join as kernels

    def work(part: slice) -> tuple[list[Pairs], int, int]:
        """Return the pairs of some rows, how many they are, and how many were merged."""
        parts: list[Pairs] = []
        total = merged = 0
        place = part.start
        while place < part.stop and total < most and merged < tries:
            found, count, tried, place = kernels.probe(
                *sets,
                index.rows,
                place,
                part.stop,
                index.probed.keys,
                index.probed.bounds,
                index.unprobed,
                index.unindexed,
                *index.buckets,
                *bitmaps,  # type: ignore[arg-type]  # of several types, which mypy joins
                index.threshold.value,
                index.threshold.metric.code,
                min(most - total, AT_ONCE),
                tries - merged,
                groups,
            )
            if count:
                parts.append(pairs_of(*found[:count].T))
            if limit is not None:
                limit.add(count)
            total, merged = total + count, merged + tried
        return parts, total, merged

    every: list[Pairs] = []
    total = merged = 0
    parts = portions(sets.sizes[index.rows])
    for part, (found, count, tried) in zip(parts, map_blocks(work, parts, threads), strict=True):
        every += found
        total, merged = total + count, merged + tried
        progress(part.stop)
        if total >= most or merged >= tries:
            break
    return every, merged


def _stars_first(
    sets: HashSets,
    counted: Counted,
    rank: npt.NDArray[np.int64],
    copies: npt.NDArray[np.int64],
    threshold: Threshold,
    large: int,
    groups: Groups,
    threads: int,
    progress: Callable[[int], None],
    limits: FamilyLimits,
) -> tuple[Pairs, npt.NDArray[np.int64], npt.NDArray[np.int64], int]:
    """Return the pairs of rows removed into large clusters with their kept ones, both, and the comparisons."""
    if threshold.metric is Metric.CONTAINMENT:
        rank = rank_by_size(rank, sets.sizes)  # as in the stars: the larger text always comes first
    order = np.argsort(rank[counted.rows], kind="stable")
    index = _Index(sets, counted, order, threshold, threads, by_size=False, deep=True)
    probed, indexed = index.probed, index.indexed
    prefixes = Prefixes(probed.keys, probed.bounds, indexed.keys, indexed.bounds, index.unprobed, index.unindexed)
    stars = stars_of(sets, index.rows, prefixes, threshold, threads, progress, groups=groups, limits=limits)
    members = np.bincount(stars.group, weights=copies[index.rows], minlength=len(stars.best))
    crowded = members[stars.group] > large
    hidden = np.flatnonzero((stars.best >= 0) & crowded)
    crowds = index.rows[(stars.best < 0) & crowded]
    found = pairs_of(index.rows[stars.best[hidden]], index.rows[hidden], stars.shared[hidden])
    return found, index.rows[hidden], crowds, stars.compared

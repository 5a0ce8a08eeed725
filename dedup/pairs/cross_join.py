"""The exact join of two collections: exactly the pairs across them that reach the threshold, none within a side.

The units of both sides are in one `Units`; `left` and `right` are the rows of each. The stages are described in
`dedup.kernels.cross_join`. Under Jaccard, the prefix of each left unit is looked up in an index over the prefixes of
the right units. Under containment, the smaller unit of a pair needs only its prefix, but the larger one all its hashes:
left prefixes are looked up among all right hashes, for the pairs whose left unit is not larger, and all left hashes
among right prefixes for the others.

A unit whose hashes occur on one side only costs a look at a table, even in a family of a hundred thousand copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import HashRows, HashSets, Units
from dedup.pairs.prefixes.counters import Counted, count_hashes
from dedup.pairs.prefixes.index import Index, Keys, build_index, take_prefixes
from dedup.pairs.seen_twice import bits_for
from dedup.pairs.self_join import EVERY
from dedup.pairs.verify import NO_GROUPS, Groups, PairLimit, Pairs, in_order, pairs_of
from dedup.runtime.arrays import by_key
from dedup.runtime.threads import map_blocks, slices, stretches
from dedup.threshold import Metric, Threshold, least

__all__ = ["join_across", "side_table", "some_across"]

SIDE_SLOTS = 16
"""One-bit slots per hash in the table of a side, at least: one hash in 16 is found by mere chance. Curve:
`benchmarks.tuning.cross_join_side_slots`; flat from 16 to 64 on generated:20000, where 4 takes 0.77 times as long (two
cores, 2026-11)."""


def join_across(
    units: Units,
    left: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    threshold: Threshold,
    *,
    limit: PairLimit,
    threads: int,
    groups: Groups = NO_GROUPS,
    progress: Callable[[int], None] = lambda _: None,
) -> Pairs:
    """Return all pairs of a `left` with a `right` unit that reach the threshold, sorted; prepares the sets it needs.

    Units of one of the `groups` (by unit) are no pair. The number of pairs is added to `limit`. Cost: linear in the
    hashes, and in the visited entries of the index.
    """
    parts: list[Pairs] = []
    for part, _ in _found(units, left, right, threshold, limit.most + 1, EVERY, groups, threads, progress):
        parts.append(part)
        limit.add(len(part.left))
    return in_order(parts)


def some_across(
    units: Units,
    left: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    threshold: Threshold,
    *,
    most: int,
    tries: int,
    threads: int,
    groups: Groups = NO_GROUPS,
) -> Pairs:
    """Return pairs of a `left` with a `right` unit that reach the threshold: all, or about the first `most` of them.

    It stops after `tries` pairs were merged. The result does not depend on the threads. Memory: at most 40 bytes per
    shingle of both sides, and 24 per pair.
    """
    parts: list[Pairs] = []
    total = tried = 0
    for part, merged in _found(units, left, right, threshold, most, tries, groups, threads, lambda _: None):
        parts.append(part)
        total, tried = total + len(part.left), tried + merged
        if total >= most or tried >= tries:
            break
    return in_order(parts)


def _found(
    units: Units,
    left: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    threshold: Threshold,
    most: int,
    tries: int,
    groups: Groups,
    threads: int,
    progress: Callable[[int], None],
) -> Iterator[tuple[Pairs, int]]:
    """Yield the pairs, a slice of the left units at a time, and how many were merged. A slice stops after the unit with
    which it has more than `most` pairs or `tries` merges.
    """
    from dedup.kernels import cross_join as kernels
    from dedup.kernels.seen_twice import SAMPLES

    both = _rows_met(units.rows, left, right, threads)
    sets = units.prepare(np.sort(np.concatenate(both)), threads)
    lefts, rights = (
        side.take(side.unique <= threshold.may_be_unique(sets.sizes[side.rows]))
        for side in count_hashes(sets, both, SAMPLES, threads)
    )
    lefts, rights = (side.take(by_key(sets.sizes[side.rows])) for side in (lefts, rights))
    everything = [sets.sizes[side.rows] - side.unique for side in (lefts, rights)]
    prefix = [
        np.maximum(sets.sizes[side.rows] - least(sets.sizes[side.rows], threshold.value) + 1 - side.unique, 0)
        for side in (lefts, rights)
    ]
    if threshold.metric is Metric.JACCARD:
        rounds = [(prefix[0], prefix[1], kernels.ANY_SIZE)]
    else:
        rounds = [(prefix[0], everything[1], kernels.LEFT_SMALLER), (everything[0], prefix[1], kernels.LEFT_LARGER)]
    for probes, indexed, which in rounds:
        probed = _prefixes(sets, lefts, probes, threads)
        index, _ = build_index(_prefixes(sets, rights, indexed, threads), threads)
        limits = (most, tries)
        yield from _probe(sets, lefts.rows, probed, rights.rows, index, threshold, which, limits, groups, threads)
        progress(len(left))


def side_table(
    values: npt.NDArray[np.uint64], offsets: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint64], int]:
    """Return a bit table with the hashes of some rows, and the shift that turns a hash into a slot."""
    from dedup.kernels import cross_join as kernels

    bits = bits_for(SIDE_SLOTS * int((offsets[rows + 1] - offsets[rows]).sum()))
    table = np.zeros(1 << (bits - 6), dtype=np.uint64)
    for part in stretches(len(rows)):
        kernels.mark_side(values, offsets, rows[part], table, 64 - bits)
    return table, 64 - bits


def _rows_met(
    hashes: HashRows, left: npt.NDArray[np.int64], right: npt.NDArray[np.int64], threads: int
) -> list[npt.NDArray[np.int64]]:
    """Return the rows of each side that have a hash that occurs on the other side."""
    from dedup.kernels import cross_join as kernels

    met = []
    for rows, others in ((left, right), (right, left)):
        table, shift = side_table(hashes.values, hashes.offsets, others)

        def work(
            part: npt.NDArray[np.int64], table: npt.NDArray[np.uint64] = table, shift: int = shift
        ) -> npt.NDArray[np.int64]:
            kept = np.empty(len(part), dtype=np.bool_)
            kernels.meets(hashes.values, hashes.offsets, part, table, shift, kept)
            return part[kept]

        parts = [rows[part] for part in slices(len(rows))]
        met.append(np.concatenate([np.empty(0, dtype=np.int64), *map_blocks(work, parts, threads)]))
    return met


def _prefixes(sets: HashSets, side: Counted, lengths: npt.NDArray[np.int64], threads: int) -> Keys:
    """Return the first hashes of each row in the common order, without those that cannot prove a pair."""
    return take_prefixes(sets, side, (lengths, np.zeros_like(lengths)), threads)[0]


def _probe(
    sets: HashSets,
    left: npt.NDArray[np.int64],
    probed: Keys,
    right: npt.NDArray[np.int64],
    index: Index,
    threshold: Threshold,
    which: int,
    limits: tuple[int, int],
    groups: Groups,
    threads: int,
) -> Iterator[tuple[Pairs, int]]:
    """Look up every left row in the index over the right rows; yield the pairs and the number of merges, per slice."""
    from dedup.kernels import cross_join as kernels

    def work(part: slice) -> tuple[Pairs, int]:
        found, total, merged = kernels.probe_across(
            *sets,
            left,
            part.start,
            part.stop,
            probed.keys,
            probed.bounds,
            right,
            *index,
            threshold.value,
            threshold.metric.code,
            which,
            *limits,
            groups,
        )
        return pairs_of(*found[:total].T), merged

    return map_blocks(work, slices(len(left)), threads)

"""Families: rows in order of priority, each compared with those that were kept before it (`dedup.kernels.skew_join`).

Linear in a family that one kept row stands for; where many are kept, a comparison with each costs some nanoseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import Units
from dedup.pairs.seen_twice import bits_for
from dedup.runtime.threads import map_blocks, slices
from dedup.threshold import Threshold

__all__ = ["Prefixes", "Stars", "stand_for"]

SAMPLED = 2048
"""Rows, evenly spaced in the order of priority, in which the hashes are counted that very many rows have. Curve:
`benchmarks.tuning.skew_join_sampled`; flat from 2^11 to 2^13 on family:20000:500, where 512 takes 0.91 times as long
(two cores, 2026-11)."""

RARE = 64
"""A hash that fewer than one in so many of the sampled rows have is sparse. Curve: `benchmarks.tuning.skew_join_rare`;
flat from 16 to 256 on family:20000:500 (two cores, 2026-11)."""

FEWEST = 4
"""Sampled rows that have a dense hash, at least. Curve: `benchmarks.tuning.skew_join_fewest`."""

MOST_DENSE = 2048
"""Dense hashes: each is a bit in every row. Curve: `benchmarks.tuning.skew_join_most_dense`; flat from 512 to 2^13 on
family:20000:500 (two cores, 2026-11)."""

NEAR = 64
"""Sparse hashes, and a quarter of the set more, with which a row still looks up all of them. Curve:
`benchmarks.tuning.skew_join_near`; flat from 16 to 256 on family:20000:500 (two cores, 2026-11)."""


KEYS_A_LIST = 16
"""Keys of all rows for a list: few rows are kept, and only theirs are entered. Curve:
`benchmarks.tuning.skew_join_keys_a_list`."""


class Prefixes(NamedTuple):
    """What rows look up and index: keys of row i at ``bounds[i]:bounds[i + 1]``, and how many they leave out."""

    keys: npt.NDArray[np.uint64]
    bounds: npt.NDArray[np.int64]
    index_keys: npt.NDArray[np.uint64]
    index_bounds: npt.NDArray[np.int64]
    unprobed: npt.NDArray[np.int64]
    unindexed: npt.NDArray[np.int64]


class Stars(NamedTuple):
    """For each place in the order of priority: its kept one's place (-1 for a kept one), what they share, its group.

    Kept ones that one row reaches are of one group, numbered anyhow. `compared` counts comparisons.
    """

    best: npt.NDArray[np.int64]
    shared: npt.NDArray[np.int64]
    group: npt.NDArray[np.int64]
    compared: int


def stand_for(
    units: Units,
    rows: npt.NDArray[np.int64],
    prefixes: Prefixes,
    threshold: Threshold,
    threads: int,
    progress: Callable[[int], None] = lambda _: None,
) -> Stars:
    """Return who stands for each of `rows`, which come in order of priority and are prepared."""
    from dedup.kernels import skew_join as kernels

    dense = _dense(units, rows)
    shift = 64 - bits_for(len(dense))
    edges = np.arange(1 << (64 - shift), dtype=np.uint64) << np.uint64(shift)
    heads = np.append(np.searchsorted(dense, edges), len(dense)).astype(np.int64)
    sets = np.zeros((len(rows), (len(dense) + 63) // 64), dtype=np.uint64)
    counts = np.zeros(len(rows), dtype=np.int64)
    given = (units.hashes, units.offsets, units.sizes)

    def fill(part: slice) -> None:
        kernels.dense_sets(*given, rows[part], shift, heads, dense, sets[part], counts[part])

    for _ in map_blocks(fill, slices(len(rows)), threads):
        pass
    sizes = units.sizes[rows]
    near = sizes - counts <= NEAR + sizes // 4
    bits = bits_for(len(prefixes.index_keys) // KEYS_A_LIST)
    lists, entries, entered = np.full(1 << bits, -1, dtype=np.int64), np.empty((1024, 3), dtype=np.int64), 0
    kept, kept_sizes, kept_slack = np.empty((3, len(rows)), dtype=np.int64)
    kept_sets = np.empty_like(sets)  # of which only what is written takes memory
    shelved, others = 0, len(rows) - 1
    weak, weak_counts = np.empty((2, len(rows)), dtype=np.int64), np.zeros(2, dtype=np.int64)
    meetings, met = np.zeros((2, len(rows)), dtype=np.int32)
    roots = np.arange(len(rows), dtype=np.int64)
    best, shares = np.empty((2, len(rows)), dtype=np.int64)
    compared = 0
    for part in slices(len(rows)):
        more, entries, entered, shelved, others = kernels.probe_kept(
            *given,
            rows,
            part.start,
            part.stop,
            prefixes.keys,
            prefixes.bounds,
            prefixes.index_keys,
            prefixes.index_bounds,
            prefixes.unprobed,
            prefixes.unindexed,
            near,
            shift,
            heads,
            dense,
            sets,
            counts,
            kept,
            kept_sets,
            kept_sizes,
            kept_slack,
            shelved,
            others,
            weak,
            weak_counts,
            bits,
            lists,
            entries,
            entered,
            meetings,
            met,
            roots,
            best,
            shares,
            threshold.value,
            threshold.metric.code,
        )
        compared += more
        progress(part.stop)
    stands = best < 0
    group = best.copy()
    numbers = np.concatenate((np.arange(shelved), np.arange(others + 1, len(rows))))
    group[kept[numbers]] = numbers
    while True:  # each look-up halved the paths, so this ends soon
        higher = roots[group]
        if np.array_equal(higher, group):
            break
        group = higher
    return Stars(np.where(stands, -1, kept[best]), shares, group, compared)


def _dense(units: Units, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Return the hashes, ascending, that very many of `rows` have, by a fixed sample of them."""
    sample = rows[:: max(1, -(-len(rows) // SAMPLED))]
    sets = [units.hashes[units.offsets[row] : units.offsets[row] + units.sizes[row]] for row in sample.tolist()]
    found, times = np.unique(np.concatenate([np.empty(0, dtype=np.uint64), *sets]), return_counts=True)
    often = np.flatnonzero(times >= max(FEWEST, len(sample) // RARE))
    most = often[np.argsort(-times[often], kind="stable")[:MOST_DENSE]]
    return np.sort(found[most])

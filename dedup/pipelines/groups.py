"""A search in groups: where even the hashes of the units that may have a partner do not fit into memory.

The units are cut, in input order, into groups of which two fit at a time. Each group is joined with itself, and each
two groups across (`dedup.pairs.self_join`, `dedup.pairs.cross_join`): every pair of units meets once, so nothing is
missed. Exact copies collapse before, by their digests.

With g groups the hashes that stay are read about g times. What is held beside two groups: 100 bytes a unit that may
have a partner, and the pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.clusters.stars import find_stars, rank_units
from dedup.hashing.shards import Shards
from dedup.hashing.units import rank_by_size
from dedup.pairs.cross_join import join_across
from dedup.pairs.filter_passes import Held, held_shingles, hold
from dedup.pairs.self_join import join
from dedup.pairs.verify import PairLimit, Pairs, in_order, moved
from dedup.pipelines.order import ADVICE, Found, Question
from dedup.runtime.buffers import give_back
from dedup.runtime.progress import Progress

__all__ = ["Grouped", "search_in_groups"]


class Grouped(NamedTuple):
    """Where the units are, how many shingles two groups may have together, bytes for pairs, and what works on them."""

    shards: Shards
    limit: int
    room: int | None
    unit: str
    threads: int
    stages: Progress

    def hold(self, stays: npt.NDArray[np.bool_], numbers: list[int] | None, *, hashes: bool = True) -> Held:
        """Return the units that stay in some shards."""
        return hold(
            self.shards,
            stays,
            unit=self.unit,
            threads=self.threads,
            stages=self.stages,
            numbers=numbers,
            hashes=hashes,
        )


def search_in_groups(
    question: Question,
    grouped: Grouped,
    stays: npt.NDArray[np.bool_],
) -> tuple[Found, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Find the pairs and stars of the units that stay; return them, where the units stand, and their sizes.

    What is found is what `dedup.pipelines.order.search` would find, by the exact method. Of a closest pair nothing is
    known, since no hash is held in the end.
    """
    threshold, metric, stages = question.threshold, question.metric, grouped.stages
    held = grouped.hold(stays, None, hashes=False)
    units, count = held.units, len(held.places)
    keys = None if held.extra is None else held.extra.column(0)
    rank = rank_units(question.keep, count, lambda: held.lengths, lambda: keys)
    everyone = np.arange(count, dtype=np.int64)
    representatives = units.representatives(rank, everyone)
    copied = np.zeros(count, dtype=np.bool_)
    copied[representatives[representatives != everyone]] = True
    leading = np.zeros(len(stays), dtype=np.bool_)
    leading[held.places[representatives == everyone]] = True
    pairs, units.sizes = _join_groups(grouped, leading, held.places, copied, threshold, metric)
    if metric == "containment":
        rank = rank_by_size(rank, units)
    stages.stage("clusters", 1)
    stars = find_stars(units, representatives, pairs, rank, threshold, metric)
    none = np.empty(0, dtype=np.int64)
    return Found(representatives, rank, pairs, stars, None, 0, None, None, none), held.places, units.sizes


def _join_groups(
    grouped: Grouped,
    stays: npt.NDArray[np.bool_],
    places: npt.NDArray[np.int64],
    copied: npt.NDArray[np.bool_],
    threshold: float,
    metric: str,
) -> tuple[Pairs, npt.NDArray[np.int64]]:
    """Return all pairs of the units that stay, and the sizes of their sets where they were made; by row of `places`.

    `places` are those of the rows, among them all that stay; the sets of the `copied` rows are made in any case.
    """
    sizes = np.full(len(places), -1, dtype=np.int64)
    parts: list[Pairs] = []
    limit = PairLimit(grouped.room, ADVICE)
    groups = _groups(held_shingles(grouped.shards, stays), grouped.limit // 2)
    for number, group in enumerate(groups):
        held = grouped.hold(stays, group)
        rows = np.searchsorted(places, held.places)
        units, all_rows = held.units, np.arange(len(rows), dtype=np.int64)
        grouped.stages.stage("join", 1)
        ones = np.ones(len(rows), dtype=np.int64)
        joined = join(
            units, all_rows, all_rows, ones, threshold, metric, large=None, limit=limit, threads=grouped.threads
        )
        units.prepare(np.flatnonzero(copied[rows]), grouped.threads)
        sizes[rows] = np.maximum(sizes[rows], units.sizes)
        parts.append(moved(joined.pairs, rows))
        del held, units, joined
        give_back()
        for other in groups[number + 1 :]:
            both = grouped.hold(stays, [*group, *other])
            own = np.searchsorted(places, both.places)
            all_rows = np.arange(len(own), dtype=np.int64)
            left, right = all_rows[: len(rows)], all_rows[len(rows) :]
            grouped.stages.stage("join", 1)
            found = join_across(both.units, left, right, threshold, metric, limit=limit, threads=grouped.threads)
            sizes[own] = np.maximum(sizes[own], both.units.sizes)
            parts.append(moved(found, own))
            del both  # before the next two are read
            give_back()
    return in_order(parts), sizes


def _groups(shingles: npt.NDArray[np.int64], limit: int) -> list[list[int]]:
    """Cut shards into runs of at most so many shingles that stay, one shard at least."""
    groups: list[list[int]] = []
    held = 0
    for number, count in enumerate(shingles.tolist()):
        if not groups or held + count > limit:
            groups.append([])
            held = 0
        groups[-1].append(number)
        held += count
    return groups

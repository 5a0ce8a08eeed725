"""The listed pairs: the pairs of representatives, expanded to their exact copies.

``"all"`` lists every pair. ``"auto"`` lists a removed unit of a large cluster (`dedup.clusters.stars.large_clusters`)
only with its kept unit. Otherwise a template that occurs a hundred thousand times would fill five billion rows.

The pairs are counted at first use, and expanded in parts when they are read. So memory grows with the number of copies,
not with its square.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.clusters.stars import BIG_CLUSTER, large_clusters
from dedup.errors import ParameterError
from dedup.hashing.units import Units
from dedup.pairs.verify import LEAST_ROOM, MAX_JOINED_PAIRS, Pairs, pairs_of
from dedup.runtime.memory import written
from dedup.runtime.threads import stretches

__all__ = ["LISTING_LIMITS", "Listing", "ListingLimits", "check_rows", "partly_listed"]

PART = 1 << 20
"""Pairs. So many are expanded at a time. Curve: `benchmarks.tuning.listed_pairs_part`; flat from 2^14 to 2^23 on
family:2000 (two cores, 2026-11)."""

PAIR_ROW_BYTES = 96
"""Bytes per row of a table of pairs, at most; ids that are texts are not counted."""


@dataclass(frozen=True)
class ListingLimits:
    """How many rows a table of pairs may have, how many are made at a time, and which clusters are large."""

    rows: int = MAX_JOINED_PAIRS
    part: int = PART
    big_cluster: int = BIG_CLUSTER


LISTING_LIMITS = ListingLimits()


def check_rows(count: int, room: int | None, advice: str, *, limits: ListingLimits = LISTING_LIMITS) -> None:
    """Raise `ParameterError` if a table of `count` pairs does not fit in `room` bytes (None: no bound)."""
    most = limits.rows if room is None else min(limits.rows, max(room, LEAST_ROOM) // PAIR_ROW_BYTES)
    if count > most:
        raise ParameterError(
            f"pairs: expected at most {most:,} rows, which a table may have{' under this bound' * (room is not None)}, "
            f"found {count:,}, which take about {written(PAIR_ROW_BYTES * count)}; {advice}"
        )


def partly_listed(
    pairs: Pairs,
    representatives: npt.NDArray[np.int64],
    star: npt.NDArray[np.int64],
    rank: npt.NDArray[np.int64],
    known: npt.NDArray[np.int64],
    *,
    limits: ListingLimits = LISTING_LIMITS,
) -> npt.NDArray[np.bool_]:
    """Return, for each unit, whether it is the kept one of a cluster of which ``"auto"`` does not list all pairs.

    `known` are kept units of clusters of which the join, since they are large, did not produce all pairs.
    """
    copies = np.bincount(representatives, minlength=len(star))
    large = large_clusters(star[representatives], copies, rank, pairs.left, pairs.right, big=limits.big_cluster)
    large[known] = np.bincount(star, minlength=len(star))[known] > 1
    return large


class _Stars(NamedTuple):
    """The pairs of removed units of large clusters with their kept units, grouped by the earlier unit of the pair."""

    offsets: npt.NDArray[np.int64]
    others: npt.NDArray[np.int32]
    shared: npt.NDArray[np.int32]


class Listing:
    """The listed pairs of units, sorted. `len` counts them; pairs are expanded only when they are read.

    `pairs` are pairs of representatives, each once and sorted. `large` marks the kept units of the clusters that are
    not listed in full; None lists every pair. `hidden` are the units that are listed with their kept one only. Memory:
    16 bytes per pair of representatives, and 50 per unit.
    """

    def __init__(
        self,
        pairs: Pairs,
        representatives: npt.NDArray[np.int64],
        units: Units,
        star: npt.NDArray[np.int64],
        large: npt.NDArray[np.bool_] | None,
        *,
        copies: bool = True,
        limits: ListingLimits = LISTING_LIMITS,
    ) -> None:
        """Take the arrays of a search. With ``copies=False`` no pairs of exact copies with each other are listed."""
        self._own, self._part = copies, limits.part
        self._pairs, self._representatives, self._sizes = pairs, representatives, units.sizes
        everyone = np.arange(len(star), dtype=np.int64)
        hidden = np.zeros(len(star), dtype=np.bool_) if large is None else large[star] & (star != everyone)
        self.hidden = np.flatnonzero(hidden)
        self._shown = (np.diff(units.offsets) > 0) & ~hidden
        self._as_found = not hidden.any() and np.array_equal(representatives, everyone)
        self._stars = _stars(pairs, representatives, units.sizes, star, self.hidden)

    def __len__(self) -> int:
        return len(self._pairs.left) if self._as_found else int(self._bounds[-1])

    def count(self, chosen: npt.NDArray[np.bool_]) -> int:
        """Return how many listed pairs are those of `chosen` pairs of representatives, and of their copies.

        Pairs of `hidden` units with their kept one are not counted.
        """
        copies = np.bincount(self._representatives, weights=self._shown, minlength=len(self._shown)).astype(np.int64)
        return int((copies[self._pairs.left[chosen]] * copies[self._pairs.right[chosen]]).sum())

    def rows(self, part: slice) -> Pairs:
        """Return some of the pairs. Cost: linear in these, and in all pairs of the units at both ends of the part."""
        from dedup.kernels import listing as kernels

        if self._as_found:
            return self._pairs.take(part)
        start, stop, _ = part.indices(len(self))
        if start >= stop:
            return self._pairs.take(slice(0))
        bounds, pairs = self._bounds, self._pairs
        first = int(np.searchsorted(bounds, start, side="right")) - 1
        last = int(np.searchsorted(bounds, stop, side="left"))
        size = int(bounds[last] - bounds[first])
        columns = Pairs(*(np.empty(size, dtype=np.int32) for _ in pairs))
        keys = np.empty(int(np.diff(bounds[first : last + 1]).max()), dtype=np.uint64)
        for some in stretches(last - first):
            to = columns.take(slice(bounds[first + some.start] - bounds[first], None))
            kernels.spell_out(
                first + some.start,
                first + some.stop,
                self._representatives,
                self._shown,
                self._own,
                *self._copies,
                *pairs,
                *self._ways,
                self._sizes,
                self._stars.offsets,
                self._stars.others,
                self._stars.shared,
                bounds,
                (to.left, to.right, to.shared),
                keys,
            )
        return columns.take(slice(start - bounds[first], stop - bounds[first]))

    def parts(self) -> Iterator[Pairs]:
        """Yield all pairs in parts; at least one part."""
        return map(self.rows, self.slices())

    def slices(self) -> Iterator[slice]:
        """Yield the row numbers of all pairs in parts; at least one part."""
        return (slice(start, start + self._part) for start in range(0, max(len(self), 1), self._part))

    @cached_property
    def _copies(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The listed units, grouped by their representative, and the start of each group."""
        shown = np.flatnonzero(self._shown)
        own = self._representatives[shown]
        counts = np.bincount(own, minlength=len(self._shown))
        return shown[np.argsort(own, kind="stable")], np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts)))

    @cached_property
    def _ways(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        from dedup.kernels import listing as kernels

        offsets, pairs = kernels.both_ways(self._pairs.left, self._pairs.right, len(self._shown))
        return offsets, pairs

    @cached_property
    def _bounds(self) -> npt.NDArray[np.int64]:
        """For each unit, the number of listed pairs of all units before it."""
        from dedup.kernels import listing as kernels

        counts = np.zeros(len(self._shown) + 1, dtype=np.int64)
        ways = (self._own, *self._copies, self._pairs.left, self._pairs.right, *self._ways, self._stars.offsets)
        for part in stretches(len(self._shown)):
            kernels.count_listed(part.start, part.stop, self._representatives, self._shown, *ways, counts[1:])
        return np.cumsum(counts)


def _stars(
    pairs: Pairs,
    representatives: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    star: npt.NDArray[np.int64],
    removed: npt.NDArray[np.int64],
) -> _Stars:
    """Return the pairs of the `removed` units with their kept units."""
    count = len(star)
    near = representatives[removed] != star[removed]
    shared = sizes[star[removed]].astype(np.int32)
    wanted = pairs_of(representatives[removed[near]], star[removed[near]], shared[near])
    shared[near] = pairs.shared[_places(pairs, wanted)]
    listed = pairs_of(star[removed], removed, shared)
    listed = listed.take(np.argsort(listed.left, kind="stable"))
    offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(np.bincount(listed.left, minlength=count))))
    return _Stars(offsets, listed.right, listed.shared)


def _places(pairs: Pairs, wanted: Pairs) -> npt.NDArray[np.int64]:
    """Return the rows of the wanted pairs in `pairs`, which are sorted and contain all of them."""
    keys, sought = (each.left.astype(np.int64) << 32 | each.right for each in (pairs, wanted))
    return np.searchsorted(keys, sought)

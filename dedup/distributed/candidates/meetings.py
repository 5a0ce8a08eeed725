"""Meetings: the pairs of units whose prefixes have a hash in common, and how often; then the candidates among them.

`Meet` has the entries of a part of the hash space. In naive Python, with the entries of each hash by size, then key::

    for earlier, later in combinations(entries, 2):
        if earlier.indexed and earlier.size >= least(later.size, threshold): times[earlier, later] += 1

`Candidates` adds up the meetings of all parts. A pair shares at most the number of its meetings, and what one of the
two left out of its prefix; most pairs fall short of what they need.

Of a hash that more than `Job.hot` units have, and between two hot units, no pair is made. Links go out instead, which
say that the units are of one family: as many as there are entries, not their square.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.clusters.stars import components
from dedup.distributed.job import Job
from dedup.distributed.transport.blocks import shared_out
from dedup.distributed.transport.keys import Keys, mix, part_of
from dedup.distributed.transport.rows import Row, RowStage, by_part, narrow
from dedup.threshold import Metric, Threshold, least

__all__ = ["Candidates", "Meet", "must_share"]

MET_AT_ONCE = 1 << 21
"""Pairs that are made at a time: 130 MB."""

LARGEST_SIZE = (1 << 32) - 1
"""Hashes of a set that are told apart by half of a word."""

INDEXED, HOT = np.uint8(1), np.uint8(2)

Rows = npt.NDArray[np.int64]


def must_share(one: Rows, other: Rows, threshold: Threshold) -> Rows:
    """Return the least number of hashes that sets of these sizes share if they reach the threshold."""
    if threshold.metric is Metric.CONTAINMENT:
        return least(np.minimum(one, other), threshold.value)
    total = one + other
    shared = np.maximum((threshold.value / (1.0 + threshold.value) * total).astype(np.int64) - 1, 0)
    for _ in range(3):
        shared += shared / np.maximum(total - shared, 1) < threshold.value
    return shared


@dataclass(frozen=True)
class _Entries:
    """Entries of a part of the hash space, by hash, size and key; `labels` are those of units that have labels."""

    slots: npt.NDArray[np.uint32]
    keys: Keys
    sizes: Rows
    flags: npt.NDArray[np.uint8]
    labels: Keys

    def take(self, places: Rows | npt.NDArray[np.bool_]) -> _Entries:
        labels = self.labels[places] if len(self.labels) else self.labels
        return _Entries(self.slots[places], self.keys[places], self.sizes[places], self.flags[places], labels)

    def of_several_labels(self) -> _Entries:
        """Return the entries of hashes that units of several labels have: no others make a pair."""
        if not len(self.labels):
            return self
        starts, counts = self.groups()
        several = np.minimum.reduceat(self.labels, starts) != np.maximum.reduceat(self.labels, starts)
        return self.take(np.repeat(several, counts))

    def groups(self) -> tuple[Rows, Rows]:
        """Return the first place of each hash, and the number of its entries."""
        first = np.ones(len(self.slots), dtype=np.bool_)
        first[1:] = self.slots[1:] != self.slots[:-1]
        starts = np.flatnonzero(first)
        return starts, np.diff(np.append(starts, len(self.slots)))


@dataclass(frozen=True)
class Meet(RowStage):
    """Entries in, meetings and links out."""

    job: Job

    def _rows(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Row]:
        for part, kinds in by_part(batches):
            rows = kinds.get("entries", [])
            if not rows:
                continue
            names = ("slots", "keys", "sizes", "flags", "labels")
            slots, keys, sizes, flags, labels = (np.concatenate([row[name] for row in rows]) for name in names)
            entries = _Entries(slots, keys, sizes.astype(np.int64), flags, labels)
            entries = entries.take(_in_order(slots, entries.sizes, keys)).of_several_labels()
            if not len(entries.keys):
                continue
            starts, counts = entries.groups()
            long = np.repeat(counts > self.job.hot, counts)
            hot = long | ((entries.flags & HOT) > 0)
            links = _links(entries.take(hot))
            if len(links):
                yield Row(part, "links", 0, {"left": links[:, 0], "right": links[:, 1]})
            family = np.repeat(np.logical_and.reduceat(hot, starts), counts)  # no pair of two hot units is made
            entries = entries.take(~family & np.repeat(counts > 1, counts))
            for left, right, times in self._meetings(entries):
                yield from self._sent(entries, left, right, times)

    def _meetings(self, entries: _Entries) -> Iterator[tuple[Rows, Rows, Rows]]:
        """Yield places of two entries that meet, each pair of units once, and how often they meet."""
        units, first, number = np.unique(entries.keys, return_index=True, return_inverse=True)
        number = number.astype(np.int64)
        codes: list[Rows] = []
        held = 0
        for left, right in self._pairs(entries):
            codes.append(number[left] * len(units) + number[right])
            held += len(left)
            if held >= MET_AT_ONCE:
                yield _counted(codes, first, len(units))
                codes, held = [], 0
        if codes:
            yield _counted(codes, first, len(units))

    def _pairs(self, entries: _Entries) -> Iterator[tuple[Rows, Rows]]:
        """Yield the places of an earlier and a later entry of one hash, where the pair may reach the threshold."""
        starts, counts = entries.groups()
        earlier = np.arange(len(entries.slots), dtype=np.int64) - np.repeat(starts, counts)
        smallest = least(entries.sizes, self.job.threshold.value)
        indexed, hot = (entries.flags & INDEXED) > 0, (entries.flags & HOT) > 0
        reach = np.cumsum(earlier)
        at = 0
        while at < len(earlier):
            before = int(reach[at - 1]) if at else 0
            end = max(int(np.searchsorted(reach, before + MET_AT_ONCE, side="right")), at + 1)
            some = earlier[at:end]
            right = np.repeat(np.arange(at, end, dtype=np.int64), some)
            inside = np.arange(len(right), dtype=np.int64) - np.repeat(np.cumsum(some) - some, some)
            left = right - 1 - inside
            meets = indexed[left] & ~(hot[left] & hot[right]) & (entries.keys[left] != entries.keys[right])
            if self.job.threshold.metric is Metric.JACCARD:
                meets &= entries.sizes[left] >= smallest[right]
            if len(entries.labels):
                meets &= entries.labels[left] != entries.labels[right]
            yield left[meets], right[meets]
            at = end

    def _sent(self, entries: _Entries, left: Rows, right: Rows, times: Rows) -> Iterator[Row]:
        """Yield the meetings, a row for each part of the pairs."""
        one, other = entries.keys[left], entries.keys[right]
        to = part_of(mix(one ^ other), self.job.part_bits)
        sizes = entries.sizes
        for part, some in shared_out(to):
            arrays = {"left": one[some], "right": other[some], "times": narrow(times[some])}
            arrays |= {"left_size": narrow(sizes[left[some]]), "right_size": narrow(sizes[right[some]])}
            yield Row(part, "met", 0, arrays)


def _in_order(slots: npt.NDArray[np.uint32], sizes: Rows, keys: Keys) -> Rows:
    """Return the places by slot, size and key; hardly any two have a slot and a size in common."""
    both = (slots.astype(np.uint64) << np.uint64(32)) | np.minimum(sizes, LARGEST_SIZE).astype(np.uint64)
    order = np.argsort(both)
    both = both[order]
    same = np.zeros(len(both) + 1, dtype=np.bool_)
    same[1:-1] = both[1:] == both[:-1]
    tied = np.flatnonzero(same[1:] | same[:-1])
    some = order[tied]
    order[tied] = some[np.lexsort((keys[some], sizes[some], slots[some]))]
    return order


def _counted(codes: list[Rows], first: Rows, units: int) -> tuple[Rows, Rows, Rows]:
    """Return each pair of codes once: the places of its two units, and how often it occurs."""
    every, times = np.unique(np.concatenate(codes), return_counts=True)
    return first[every // max(units, 1)], first[every % max(units, 1)], times


def _links(hot: _Entries) -> npt.NDArray[np.uint64]:
    """Return links (n, 2) between units of one family: each unit with one unit of those that its hashes lead to."""
    starts, counts = hot.groups()
    units, places = np.unique(hot.keys, return_inverse=True)
    numbers: npt.NDArray[np.int32] = places.ravel().astype(np.int32)
    root = components(len(units), [(np.repeat(numbers[starts], counts), numbers)])
    linked = np.flatnonzero(np.bincount(root, minlength=len(units))[root] > 1)
    return np.column_stack((units[root[linked]], units[linked]))


@dataclass(frozen=True)
class Candidates(RowStage):
    """Meetings in, candidates out."""

    job: Job

    def _rows(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Row]:
        for part, kinds in by_part(batches):
            yield from kinds.get("links", [])
            rows = kinds.get("met", [])
            if not rows:
                continue
            names = ("left", "right", "times", "left_size", "right_size")
            left, right, times, left_size, right_size = (np.concatenate([row[name] for row in rows]) for name in names)
            order = np.lexsort((right, left))
            left, right = left[order], right[order]
            new = np.ones(len(left), dtype=np.bool_)
            new[1:] = (left[1:] != left[:-1]) | (right[1:] != right[:-1])
            starts = np.flatnonzero(new)
            met = np.add.reduceat(times[order].astype(np.int64), starts)
            sizes = left_size[order][starts].astype(np.int64), right_size[order][starts].astype(np.int64)
            reach = met + self._left_out(*sizes) >= must_share(*sizes, self.job.threshold)
            if reach.any():
                yield Row(part, "candidates", 0, {"left": left[starts][reach], "right": right[starts][reach]})

    def _left_out(self, left: Rows, right: Rows) -> Rows:
        """Return how many hashes that a pair shares may be outside of the prefix of one of the two."""
        threshold = self.job.threshold
        indexed = must_share(left, left, threshold) - 1
        if threshold.metric is Metric.CONTAINMENT:  # the larger one looks up all of its hashes
            return indexed
        left_out: Rows = np.maximum(least(right, threshold.value) - 1, indexed)
        return left_out

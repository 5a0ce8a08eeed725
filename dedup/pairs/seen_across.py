"""Which texts of two sides are candidates, if their shingles cannot all be held at once.

One bit per slot and side records whether a hash may occur on that side. A text of n distinct hashes is dropped if fewer
of them occur on the other side than the threshold requires. In naive Python::

    kept = [len(x & set().union(*others)) >= least(len(x), threshold) for x in texts]

`SeenAcross` reads both sides twice. `HeldSide` holds the sets of one side, and reads the other one past them once.

Errors of the tables are one-sided: if hashes share a slot, a text may be kept that could be dropped.

Cost: each side is read twice; a sort of each text's hashes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import HashRows, HashSets
from dedup.pairs.seen_twice import bits_for, sample_for
from dedup.runtime.threads import map_blocks
from dedup.threshold import Metric, Threshold

__all__ = ["HeldSide", "SeenAcross"]

TABLE_PARTS_BITS = 6
"""The table of a held side is made in 64 parts, for the threads."""

ACROSS_SLOTS = 16
"""Slots of a table per hash, if the memory allows it. Curve: `benchmarks.tuning.seen_across_across_slots`; flat from 4
to 64 on generated:20000, where 2 takes 0.86 times as long (two cores, 2026-11)."""


class SeenAcross:
    """Two tables, of the left side (0) and of the right side (1): `add` hashes, then get the rows that `may_match`."""

    def __init__(self, hashes: int, threshold: Threshold, *, room: int) -> None:
        """Plan for about `hashes` hashes on the larger side; both tables have `room` bytes together (256 at least)."""
        bits = min(bits_for(ACROSS_SLOTS * hashes), max((4 * max(room, 1)).bit_length() - 1, 10))
        self._threshold = threshold
        self._shift = 64 - bits
        self._tables = [np.zeros(1 << (bits - 6), dtype=np.uint64) for _ in range(2)]

    @property
    def bytes(self) -> int:
        """Return the bytes of the tables."""
        return 2 * self._tables[0].nbytes

    def add(self, side: int, hashes: npt.NDArray[np.uint64]) -> None:
        """Add hashes of a side."""
        from dedup.kernels.cross_join import mark_side

        row = np.zeros(1, dtype=np.int64)
        mark_side(hashes, np.array([0, len(hashes)]), row, self._tables[side], self._shift)

    def may_match(
        self, side: int, hashes: npt.NDArray[np.uint64], offsets: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.bool_]:
        """Return which rows of `side` may match a row of the other side, of which hashes were added."""
        from dedup.kernels.cross_join import stand
        from dedup.kernels.sets import distinct

        sets, counts = hashes.copy(), np.diff(offsets)
        sizes = np.zeros(len(counts), dtype=np.int64)
        distinct(sets, offsets, sizes, np.flatnonzero(counts))
        found = stand(sets, 0, len(sets), self._tables[1 - side], self._shift)
        row = np.searchsorted(offsets, found, side="right") - 1
        row = row[found - offsets[row] < sizes[row]]  # after the set, a row still has its earlier hashes
        shared = np.bincount(row, minlength=len(counts))
        return (shared >= self._threshold.must_share(sizes)) & (sizes > 0)


class HeldSide:
    """A table of the sets of one side, for rows that are not held: which of them may match one of these sets.

    A part of the hash space is looked at (`dedup.pairs.seen_twice.sample_for`), and of a row only as many hashes as
    show that too many are not on this side. Under containment one shared hash is enough. Memory: two bytes per hash of
    that part.
    """

    def __init__(self, sets: HashSets, threshold: Threshold, threads: int) -> None:
        """Enter all `sets`."""
        from dedup.kernels import cross_join as kernels
        from dedup.kernels.seen_twice import SAMPLES

        sample = sample_for(threshold)
        self._threshold = threshold
        self._highest = np.uint64((sample << 64) // SAMPLES - 1)
        bits = bits_for(ACROSS_SLOTS * int(sets.sizes.sum()))
        self._shift = 64 - bits
        self._table = table = np.zeros((int(self._highest) >> (self._shift + 6)) + 1, dtype=np.uint64)
        width = 1 << (64 - min(TABLE_PARTS_BITS, bits - 6))

        def enter(low: int) -> None:
            edges = np.uint64(low), np.uint64(min(low + width - 1, int(self._highest)))
            kernels.mark_sets(*sets, *edges, self._shift, table)

        for _ in map_blocks(enter, range(0, int(self._highest), width), threads):
            pass

    def may_match(self, rows: HashRows, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return which of the `chosen` rows (a bool per row) may match; repetitions in a row do not matter."""
        from dedup.kernels import cross_join as kernels

        some = np.flatnonzero(chosen)
        stays = np.empty(len(some), dtype=np.bool_)
        if self._threshold.metric is Metric.CONTAINMENT:
            kernels.meets(*rows, some, self._table, self._shift, stays)
        else:
            spares = self._threshold.may_be_unique(rows.sizes[some])
            seen = np.empty(1 << max(int(spares.max(initial=0)) // 4, 1).bit_length(), dtype=np.uint64)
            kernels.may_reach(*rows, some, self._highest, self._table, self._shift, spares, seen, stays)
        kept = np.zeros(len(chosen), dtype=np.bool_)
        kept[some[stays]] = True
        return kept

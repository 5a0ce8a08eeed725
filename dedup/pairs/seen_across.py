"""Which texts of two sides are candidates, if their shingles cannot all be held at once.

One bit per slot and side records whether a hash may occur on that side. A text of n distinct hashes is dropped if fewer
of them occur on the other side than the threshold requires. In naive Python::

    kept = [len(x & set().union(*others)) >= least(len(x), threshold) for x in texts]

Errors of the tables are one-sided: if hashes share a slot, a text may be kept that could be dropped.

Cost: each side is read twice; a sort of each text's hashes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.pairs.seen_twice import bits_for
from dedup.threshold import Threshold

__all__ = ["SeenAcross"]

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

"""Which texts of two sides may have a partner on the other one, where not all their shingles can be held at once.

A bit a slot and side says whether a hash may stand there. A text of n distinct hashes, fewer of which stand on the
other side than similarity asks for, has no partner. In naive Python::

    stays = [len(x & set().union(*others)) >= least(len(x), threshold) for x in texts]

Errors of the tables are one-sided: hashes that share a slot make a text stay that could go.

Cost: the left side is read twice, the right one too; a sort of each text's hashes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.pairs.seen_twice import bits_for
from dedup.threshold import Threshold

__all__ = ["SeenAcross"]

SLOTS = 16
"""Slots of a table for each hash, where there is room. Curve: `benchmarks.tuning.seen_across_slots`."""


class SeenAcross:
    """Two tables, of the left side (0) and of the right one (1): `add` hashes, ask which rows `may_match`."""

    def __init__(self, hashes: int, threshold: Threshold, *, room: int) -> None:
        """Plan for about so many `hashes` on the larger side, two tables of `room` bytes (256 at least) together."""
        bits = min(bits_for(SLOTS * hashes), max((4 * max(room, 1)).bit_length() - 1, 10))
        self._threshold = threshold
        self._shift = 64 - bits
        self._tables = [np.zeros(1 << (bits - 6), dtype=np.uint64) for _ in range(2)]

    @property
    def bytes(self) -> int:
        """What the tables take."""
        return 2 * self._tables[0].nbytes

    def add(self, side: int, hashes: npt.NDArray[np.uint64]) -> None:
        """Add hashes of a side."""
        from dedup.kernels.cross_join import mark_side

        row = np.zeros(1, dtype=np.int64)
        mark_side(hashes, np.array([0, len(hashes)]), row, self._tables[side], self._shift)

    def may_match(
        self, side: int, hashes: npt.NDArray[np.uint64], offsets: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.bool_]:
        """Return which rows of `side` may match one of the other side, by what was added of that."""
        from dedup.kernels.cross_join import stand
        from dedup.kernels.sets import distinct

        sets, counts = hashes.copy(), np.diff(offsets)
        sizes = np.zeros(len(counts), dtype=np.int64)
        distinct(sets, offsets, sizes, np.flatnonzero(counts))
        found = stand(sets, 0, len(sets), self._tables[1 - side], self._shift)
        row = np.searchsorted(offsets, found, side="right") - 1
        row = row[found - offsets[row] < sizes[row]]  # after a set comes what was there before
        shared = np.bincount(row, minlength=len(counts))
        return (shared >= self._threshold.must_share(sizes)) & (sizes > 0)

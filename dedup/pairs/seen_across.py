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

from dedup.pairs.seen_twice import bits_for, least

__all__ = ["Meeting"]

SLOTS = 16
"""Slots of a table for each hash, where there is room. Curve: `benchmarks.tuning.seen_across_slots`."""


class Meeting:
    """Two tables, of the left side (0) and of the right one (1): `enter` hashes, ask what `stays`."""

    def __init__(self, hashes: int, threshold: float, *, whole: bool, room: int) -> None:
        """Plan for about so many `hashes` on the larger side, two tables of `room` bytes (256 at least) together.

        With `whole` (containment) a text that shares one hash stays.
        """
        bits = min(bits_for(SLOTS * hashes), max((4 * max(room, 1)).bit_length() - 1, 10))
        self._threshold, self._whole = threshold, whole
        self._shift = 64 - bits
        self._tables = [np.zeros(1 << (bits - 6), dtype=np.uint64) for _ in range(2)]

    @property
    def bytes(self) -> int:
        """What the tables take."""
        return 2 * self._tables[0].nbytes

    def enter(self, side: int, hashes: npt.NDArray[np.uint64]) -> None:
        """Enter hashes of a side."""
        from dedup.kernels.cross_join import mark_side

        row = np.zeros(1, dtype=np.int64)
        mark_side(hashes, np.array([0, len(hashes)]), row, self._tables[side], self._shift)

    def stays(self, side: int, hashes: npt.NDArray[np.uint64], offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return which rows of `side` may have a partner, by what was entered of the other side."""
        from dedup.kernels.cross_join import stand
        from dedup.kernels.sets import distinct

        sets, counts = hashes.copy(), np.diff(offsets)
        sizes = np.zeros(len(counts), dtype=np.int64)
        distinct(sets, offsets, sizes, np.flatnonzero(counts))
        found = stand(sets, 0, len(sets), self._tables[1 - side], self._shift)
        row = np.searchsorted(offsets, found, side="right") - 1
        row = row[found - offsets[row] < sizes[row]]  # behind the sets stands what was there before
        shared = np.bincount(row, minlength=len(counts))
        needed = np.ones(len(counts), dtype=np.int64) if self._whole else least(sizes, self._threshold)
        return (shared >= needed) & (sizes > 0)

"""Texts as code points: the tokens of a unit, joined by single spaces, from its hashes of single characters.

A distance depends only on which code points are equal. So the hashes of ``"chars:1"``, one per code point, say enough,
and texts of files need not be read again. Each distinct hash becomes a small number.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import HashRows

__all__ = ["Points", "points_of"]

FEWEST_SLOTS = 1 << 12

SURROGATES, SURROGATE_COUNT = 0xD800, 0x800


class Points(NamedTuple):
    """The code points of texts as numbers: text i is ``values[offsets[i]:offsets[i + 1]]`` (uint32, int64)."""

    values: npt.NDArray[np.uint32]
    offsets: npt.NDArray[np.int64]

    def strings(self, rows: npt.NDArray[np.int64]) -> list[str]:
        """Return some texts as strings whose characters are the numbers; the same number is the same character."""
        values, offsets = self.values, self.offsets
        return [
            values[start:end].tobytes().decode("utf-32-le")
            for start, end in zip(offsets[rows].tolist(), offsets[rows + 1].tolist(), strict=True)
        ]


def points_of(rows: HashRows) -> Points:
    """Return the code points of rows of hashes of single characters. Cost: linear; 4 bytes per character."""
    from dedup.kernels import grams as kernels

    values = np.empty(len(rows.values), dtype=np.uint32)
    slots = FEWEST_SLOTS
    while True:
        known, numbers = np.zeros(slots, dtype=np.uint64), np.full(slots, -1, dtype=np.int32)
        count = kernels.number_points(rows.values, known, numbers, values)
        if count >= 0:
            break
        slots *= 4
    if count > SURROGATES:  # numbers that no character may have
        values[values >= SURROGATES] += np.uint32(SURROGATE_COUNT)
    return Points(values, rows.offsets)

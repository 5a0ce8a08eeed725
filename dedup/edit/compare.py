"""The edit distance of two texts, as the search has it: of their tokens, joined by single spaces."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dedup.edit.distances import distances
from dedup.edit.points import points_of
from dedup.hashing.shingles import Shingle
from dedup.hashing.units import read_units
from dedup.reading import PLAIN, Reading
from dedup.sources.texts import ListTexts
from dedup.unit import Unit

__all__ = ["Edits", "compare_edits"]


class Edits(NamedTuple):
    """The lengths of two texts, in code points of their tokens joined by single spaces, and their distance."""

    left_size: int
    right_size: int
    distance: int

    @property
    def similarity(self) -> float:
        """Return ``(longer - distance) / longer``; 0.0 if a text has no token."""
        longer = max(self.left_size, self.right_size)
        return (longer - self.distance) / longer if self.left_size and self.right_size else 0.0


def compare_edits(left: str, right: str, reading: Reading = PLAIN) -> Edits:
    """Return the distance of two texts that are read so. Raises `ParameterError` if `rapidfuzz` is not installed.

    >>> compare_edits("Kitten!", "sitting")
    Edits(left_size=6, right_size=7, distance=3)
    """
    units = read_units(ListTexts([left, right]), Shingle("chars", 1, reading), unit=Unit.DOCUMENT, threads=1)
    points = points_of(units.rows)
    left_size, right_size = (int(size) for size in units.rows.sizes)
    one, other = points.strings(np.arange(2, dtype=np.int64))
    return Edits(left_size, right_size, int(distances([one], [other], max(left_size, right_size))[0]))

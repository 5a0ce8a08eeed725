"""Sketches of the runs of four characters of units, for the pairs that a search by edit distance missed.

In naive Python: `dedup.hashing.sketches` of the shingles "chars:4" of each unit. Texts that are a few edits apart share
most of them. Place i is that of unit i.

Cost: a few nanoseconds a character; made only where a search found little.
"""

from __future__ import annotations

import numpy as np

from dedup.hash_key import HashKey
from dedup.hashing.sketches import Sketcher
from dedup.hashing.units import Units

__all__ = ["sketch_runs"]

RUN_LENGTH = 4
"""Characters."""

SEEN_UNITS = 1 << 14
"""Units that are hashed at a time."""


def sketch_runs(units: Units, key: HashKey) -> Sketcher:
    """Return what has seen the runs of all units, which have the hashes of their single characters."""
    from dedup.kernels.shingles import hash_shingles

    sketcher = Sketcher()
    for first in range(0, len(units), SEEN_UNITS):
        end = min(first + SEEN_UNITS, len(units))
        bounds = units.offsets[first : end + 1]
        points = units.hashes[bounds[0] : bounds[-1]]
        values, offsets = np.empty(len(points), dtype=np.uint64), np.empty(len(bounds), dtype=np.int64)
        hash_shingles(points, bounds - bounds[0], RUN_LENGTH, key.words, values, offsets)
        forms = {name: form[first:end] for name, form in units.forms.items()}
        every = np.arange(first, end, dtype=np.int64)
        sketcher.see(values[: offsets[-1]], offsets, units.digests[first:end], every, forms)
    return sketcher

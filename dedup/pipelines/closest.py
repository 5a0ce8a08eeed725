"""The closest pair: a hint where nothing reached the threshold, at how much it would have begun to find something.

It looks only at the hashes that are held when a search ends, never reads a text again, takes no more than it is given,
and gives up rather than raise or take long. So it may know nothing, or only the closest pair that it saw, and which one
that is may depend on what was held. In naive Python, where all is held::

    max((similarity(a, b), a, b) for a, b in pairs_of(units) if similarity(a, b) >= threshold / 10)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import Units
from dedup.pairs.cross_join import some_across
from dedup.pairs.self_join import join_some
from dedup.pairs.verify import Pairs, similarity, verify
from dedup.threshold import Metric, Threshold

__all__ = ["Closest", "closest_across", "closest_among", "closest_of"]

Closest = tuple[int, int, float]
"""Left unit, right unit, similarity."""

PARTS = (0.5, 0.1)
"""It is looked for at these parts of the threshold, one after the other."""

MOST_HASHES = 4_000_000
"""Hashes that are looked through: a second or two. Curve: `benchmarks.tuning.closest_most_hashes`."""

MOST_PAIRS, MOST_TRIES = 50_000, 2_000_000
"""Pairs that are looked at, and pairs that are merged to find them: a second or so."""

HASH_BYTES = 48
"""What a held hash takes while pairs are looked for at a low threshold, at the most, itself included."""


def closest_among(
    units: Units, leading: npt.NDArray[np.int64], threshold: Threshold, *, room: int | None, threads: int
) -> Closest | None:
    """Return the closest pair of the `leading` units that is seen within `room` bytes (None: no bound)."""

    def some(lower: Threshold) -> Pairs:
        return join_some(units, leading, lower, most=MOST_PAIRS, tries=MOST_TRIES, threads=threads)

    return _look(some, units, threshold, room)


def closest_across(
    units: Units,
    left: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    threshold: Threshold,
    *,
    room: int | None,
    threads: int,
) -> Closest | None:
    """Return the closest pair of a `left` with a `right` unit that is seen within `room` bytes (None: no bound)."""

    def some(lower: Threshold) -> Pairs:
        return some_across(units, left, right, lower, most=MOST_PAIRS, tries=MOST_TRIES, threads=threads)

    return _look(some, units, threshold, room)


def closest_of(units: Units, candidates: npt.NDArray[np.int64], metric: Metric, threads: int) -> Closest | None:
    """Return the closest of the first candidates (n, 2); their units are prepared."""
    return _best(verify(units, candidates[:MOST_PAIRS], 0.0, threads), units, metric)


def _look(
    some: Callable[[Threshold], Pairs],
    units: Units,
    threshold: Threshold,
    room: int | None,
) -> Closest | None:
    if len(units.hashes) > (MOST_HASHES if room is None else min(MOST_HASHES, room // HASH_BYTES)):
        return None
    try:
        for part in PARTS:
            found = _best(some(threshold._replace(value=part * threshold.value)), units, threshold.metric)
            if found is not None:
                return found
    except MemoryError:  # the search is over, and what it found must not be lost for a hint
        pass
    return None


def _best(pairs: Pairs, units: Units, metric: Metric) -> Closest | None:
    """Return the first of the most similar pairs; None where nothing is shared."""
    value = similarity(pairs, units.sizes, metric)
    if not len(value) or value.max() == 0.0:
        return None
    best = int(np.argmax(value))
    return int(pairs.left[best]), int(pairs.right[best]), float(value[best])

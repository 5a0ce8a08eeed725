"""The closest pair: a hint for searches that find nothing. Its similarity is a threshold at which a pair is found.

Only the hashes that are in memory at the end of the search are compared. No text is read again, and no more memory is
used than given; instead of an error or a long search there is no hint. So the pair may be missing, or be only the
closest of the compared pairs, and it may depend on which hashes were in memory. In naive Python, if all are::

    max((similarity(a, b), a, b) for a, b in pairs_of(units) if similarity(a, b) >= threshold / 10)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import Units
from dedup.pairs.cross_join import some_across
from dedup.pairs.self_join import join_some
from dedup.pairs.verify import NO_GROUPS, Groups, Pairs, similarity, verify
from dedup.threshold import Metric, Threshold

__all__ = ["Closest", "HintLimits", "closest_across", "closest_among", "closest_of"]

Closest = tuple[int, int, float]
"""Left unit, right unit, similarity."""

LOWER = (0.5, 0.1)
"""Shares of the threshold. The pair is searched at these lower thresholds, one after the other."""

MOST_HASHES = 4_000_000
"""Hashes. With more there is no hint; so many take a second or two. Curve: `benchmarks.tuning.closest_most_hashes`;
flat from 1,000,000 to 16,000,000 on generated:2000, where the answer differs with 250,000 (two cores, 2026-11)."""

MOST_CLOSE, MOST_TRIES = 50_000, 2_000_000
"""Pairs. At most so many are returned, and at most so many are merged to find them: about a second."""


@dataclass(frozen=True)
class HintLimits:
    """How much is looked at for a hint: see the constants."""

    hashes: int = MOST_HASHES
    pairs: int = MOST_CLOSE
    tries: int = MOST_TRIES


HINT_LIMITS = HintLimits()

HASH_BYTES = 48
"""Bytes per hash, itself included, while pairs are searched at a low threshold; at most."""


def closest_among(
    units: Units,
    leading: npt.NDArray[np.int64],
    threshold: Threshold,
    *,
    room: int | None,
    threads: int,
    groups: Groups = NO_GROUPS,
    limits: HintLimits = HINT_LIMITS,
) -> Closest | None:
    """Return the closest pair of `leading` units that can be found within `room` bytes (None: no bound), or None.

    Units of one of the `groups` (by unit) are no pair.
    """

    def some(lower: Threshold) -> Pairs:
        how: Any = {"most": limits.pairs, "tries": limits.tries, "threads": threads}
        return join_some(units, leading, lower, groups=groups, **how)

    return _look(some, units, threshold, room, limits.hashes)


def closest_across(
    units: Units,
    left: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    threshold: Threshold,
    *,
    room: int | None,
    threads: int,
    groups: Groups = NO_GROUPS,
    limits: HintLimits = HINT_LIMITS,
) -> Closest | None:
    """Return the closest pair of a `left` and a `right` unit that can be found within `room` bytes (None: no bound).

    None if there is none.
    """

    def some(lower: Threshold) -> Pairs:
        how: Any = {"most": limits.pairs, "tries": limits.tries, "threads": threads}
        return some_across(units, left, right, lower, groups=groups, **how)

    return _look(some, units, threshold, room, limits.hashes)


def closest_of(units: Units, candidates: npt.NDArray[np.int64], metric: Metric, threads: int) -> Closest | None:
    """Return the closest pair among the first candidates (n, 2), or None. Their units must be prepared."""
    return _best(verify(units.sets, candidates[:MOST_CLOSE], 0.0, threads), units, metric)


def _look(
    some: Callable[[Threshold], Pairs],
    units: Units,
    threshold: Threshold,
    room: int | None,
    most: int,
) -> Closest | None:
    if len(units.hashes) > (most if room is None else min(most, room // HASH_BYTES)):
        return None
    try:
        for part in LOWER:
            found = _best(some(threshold._replace(value=part * threshold.value)), units, threshold.metric)
            if found is not None:
                return found
    except MemoryError:  # the search is complete, and its result must not be lost for a hint
        pass
    return None


def _best(pairs: Pairs, units: Units, metric: Metric) -> Closest | None:
    """Return the first of the most similar pairs, or None if no pair shares a hash."""
    value = similarity(pairs, units.sizes, metric)
    if not len(value) or value.max() == 0.0:
        return None
    best = int(np.argmax(value))
    return int(pairs.left[best]), int(pairs.right[best]), float(value[best])

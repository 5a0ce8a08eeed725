"""Verified pairs: candidates counted on the real shingle sets, so that nothing below the threshold is reported.

In naive Python::

    shared = len(set(left) & set(right))
    reported = shared / (len(left) + len(right) - shared) >= threshold           # float64
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.blocks import map_blocks
from dedup.units import Units

__all__ = ["METRICS", "Pairs", "jaccard", "similarity", "verify"]

METRICS = ("jaccard", "containment")
"""What a threshold may be about: shared / union, or shared / the smaller set."""

SLICE = 1 << 15
"""Candidates that a thread counts at a time."""


class Pairs(NamedTuple):
    """Pairs of units with their evidence: int64 arrays of one length, `left` before `right` in the input."""

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    shared: npt.NDArray[np.int64]

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Pairs:
        """Return some of the pairs."""
        return Pairs(self.left[rows], self.right[rows], self.shared[rows])

    def sorted(self) -> Pairs:
        """Return the pairs in the order of (left, right), each once."""
        order = np.lexsort((self.right, self.left))
        pairs = self.take(order)
        again = (pairs.left[1:] == pairs.left[:-1]) & (pairs.right[1:] == pairs.right[:-1])
        return pairs.take(np.concatenate((np.ones(min(len(order), 1), dtype=np.bool_), ~again)))


def no_pairs() -> Pairs:
    """Return a list of no pairs."""
    return Pairs(*(np.empty(0, dtype=np.int64) for _ in range(3)))


def jaccard(pairs: Pairs, sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return shared / union of each pair, in float64; `sizes` by unit."""
    return pairs.shared / (sizes[pairs.left] + sizes[pairs.right] - pairs.shared)


def similarity(pairs: Pairs, sizes: npt.NDArray[np.int64], metric: str) -> npt.NDArray[np.float64]:
    """Return what the threshold is about, for each pair, in float64; `sizes` by unit."""
    if metric == "containment":
        return pairs.shared / np.minimum(sizes[pairs.left], sizes[pairs.right])
    return jaccard(pairs, sizes)


def verify(
    units: Units,
    candidates: npt.NDArray[np.int64],
    threshold: float,
    threads: int,
    progress: Callable[[int], None] = lambda _: None,
) -> Pairs:
    """Return the candidates (n, 2) that reach the threshold, with what they share; 0 counts and returns all.

    The units must be prepared. Cost: linear in the sizes; less for a pair that fails.
    """
    from dedup.kernels import pairs as kernels

    def work(part: npt.NDArray[np.int64]) -> Pairs:
        left, right = np.ascontiguousarray(part[:, 0]), np.ascontiguousarray(part[:, 1])
        shared = np.empty(len(part), dtype=np.int64)
        kernels.verify(units.hashes, units.offsets, units.sizes, left, right, threshold, shared)
        reached = shared >= 0
        return Pairs(left[reached], right[reached], shared[reached])

    parts = [no_pairs()]
    for start, part in enumerate(map_blocks(work, _slices(candidates), threads)):
        parts.append(part)
        progress(min((start + 1) * SLICE, len(candidates)))
    return Pairs(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _slices(candidates: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    return [candidates[i : i + SLICE] for i in range(0, len(candidates), SLICE)]

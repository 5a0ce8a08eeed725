"""Which pairs are listed: those of representatives, spelled out for their exact copies.

``"all"`` lists every pair. ``"auto"`` lists a removed unit of a large cluster (`dedup.clusters.large_clusters`) only
with its kept one: a template that stands a hundred thousand times would otherwise fill five billion rows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.clusters import large_clusters
from dedup.errors import ParameterError
from dedup.pairs import Pairs
from dedup.units import Units

__all__ = ["list_pairs", "partly_listed"]

MOST_PAIRS = 200_000_000
"""Rows that a table of pairs may have (about 13 GB); above it, the search says so instead of filling the memory."""


def partly_listed(
    pairs: Pairs,
    representatives: npt.NDArray[np.int64],
    star: npt.NDArray[np.int64],
    rank: npt.NDArray[np.int64],
    known: npt.NDArray[np.int64],
) -> npt.NDArray[np.bool_]:
    """Return, for each unit, whether it is the kept one of a cluster of which ``"auto"`` does not list all pairs.

    `known` are kept ones of which the join found it, and left pairs out.
    """
    copies = np.bincount(representatives, minlength=len(star))
    large = large_clusters(star[representatives], copies, rank, pairs.left, pairs.right)
    large[known] = np.bincount(star, minlength=len(star))[known] > 1
    return large


def list_pairs(
    pairs: Pairs,
    representatives: npt.NDArray[np.int64],
    units: Units,
    star: npt.NDArray[np.int64],
    large: npt.NDArray[np.bool_] | None,
) -> Pairs:
    """Return the pairs of units to list, sorted. `pairs` are of representatives, each once.

    `large` are the kept ones whose clusters are not listed in full, None where every pair is wanted.
    """
    everyone = np.arange(len(star), dtype=np.int64)
    full = np.diff(units.offsets) > 0
    hidden = np.zeros(len(star), dtype=np.bool_)
    parts: list[Pairs] = []
    if large is not None:
        hidden = large[star] & (star != everyone)
        parts.append(_star_pairs(pairs, representatives, units, star, np.flatnonzero(hidden)))
    shown = np.flatnonzero(full & ~hidden)
    shown = shown[np.argsort(representatives[shown], kind="stable")]  # copies side by side, in input order
    counts = np.bincount(representatives[shown], minlength=len(star))
    starts = np.cumsum(counts) - counts
    many = np.flatnonzero(counts > 1)
    total = int((counts[pairs.left] * counts[pairs.right]).sum() + (counts[many] * (counts[many] - 1) // 2).sum())
    if total > MOST_PAIRS:
        raise ParameterError(
            f"pairs: {total:,} pairs reach the threshold, more than the {MOST_PAIRS:,} that a table may hold; use "
            'pairs="auto", or .clusters, which is complete'
        )
    left, right, row = _products(starts[pairs.left], counts[pairs.left], starts[pairs.right], counts[pairs.right])
    parts.append(_ordered(shown[left], shown[right], pairs.shared[row]))
    left, right, row = _products(starts[many], counts[many], starts[many], counts[many])
    below = left < right
    parts.append(_ordered(shown[left[below]], shown[right[below]], units.sizes[many[row[below]]]))
    return Pairs(*(np.concatenate(columns) for columns in zip(*parts, strict=True))).sorted()


def _star_pairs(
    pairs: Pairs,
    representatives: npt.NDArray[np.int64],
    units: Units,
    star: npt.NDArray[np.int64],
    removed: npt.NDArray[np.int64],
) -> Pairs:
    """Return the pairs of some removed units with their kept ones."""
    count = np.int64(len(star))
    low = np.minimum(representatives[removed], star[removed])
    high = np.maximum(representatives[removed], star[removed])
    known = pairs.left * count + pairs.right
    order = np.argsort(known)
    wanted = low * count + high
    place = np.minimum(np.searchsorted(known[order], wanted), max(len(known) - 1, 0))
    exact = low == high
    shared = units.sizes[star[removed]].copy()
    near = ~exact
    shared[near] = pairs.shared[order[place[near]]]
    return _ordered(star[removed], removed, shared)


def _products(
    left_start: npt.NDArray[np.int64],
    left_count: npt.NDArray[np.int64],
    right_start: npt.NDArray[np.int64],
    right_count: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return all (left, right, row) with left and right in the two ranges of each row."""
    total = left_count * right_count
    row = np.repeat(np.arange(len(total), dtype=np.int64), total)
    inside = np.arange(len(row), dtype=np.int64) - np.repeat(np.cumsum(total) - total, total)
    width = np.maximum(right_count[row], 1)
    return left_start[row] + inside // width, right_start[row] + inside % width, row


def _ordered(left: npt.NDArray[np.int64], right: npt.NDArray[np.int64], shared: npt.NDArray[np.int64]) -> Pairs:
    return Pairs(np.minimum(left, right), np.maximum(left, right), shared)

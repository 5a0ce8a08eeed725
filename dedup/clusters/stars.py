"""Stars: clusters in which each removed text reaches the threshold with the kept text.

Texts are processed in the order of priority (`keep`). Each text joins the most similar kept text with which it reaches
the threshold (ties: the one with the better priority); if there is none, it is kept. So no text is removed because of a
chain: if A is similar to B and B to C, C is not removed because of A. Exact copies are first replaced by the one with
the best priority.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import HashSets
from dedup.lsh import Buckets
from dedup.pairs.verify import NO_GROUPS, Groups, Pairs, columns_of, pairs_of
from dedup.threshold import Threshold

__all__ = ["BIG_CLUSTER", "Stars", "components", "find_stars", "large_clusters"]

BIG_CLUSTER = 1000
"""Members. With ``pairs="auto"`` the removed units of larger clusters are listed only with their kept unit. Curve:
`benchmarks.tuning.stars_big_cluster`; on family:1500, 100 takes 0.89 times as long and the answer differs with 10,000
(two cores, 2026-11)."""


class Stars(NamedTuple):
    """For each unit the kept unit of its cluster, and the similarity to it (a kept unit has itself and 1.0).

    `further` are pairs that were verified in addition. `verified` is the number of candidates that were verified.
    `overflow` counts how often a kept unit was in a large bucket that already had all its leaders.
    """

    star: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float64]
    further: Pairs
    verified: int
    overflow: int


def find_stars(
    sizes: npt.NDArray[np.int64],
    representatives: npt.NDArray[np.int64],
    pairs: Pairs,
    rank: npt.NDArray[np.int64],
    threshold: Threshold,
    buckets: Buckets | None = None,
    sets: HashSets | None = None,
    groups: Groups = NO_GROUPS,
    *,
    copies: bool = True,
) -> Stars:
    """Return, for each unit, the kept unit of its cluster.

    Parameters
    ----------
    sizes : int64, by unit; the number of hashes in its set, needed for units in a pair or in a bucket
    representatives, rank : int64, by unit
    pairs : pairs of representatives that reach the threshold
    buckets : large buckets of representatives
    sets : the sets of the units, by unit, needed for units in `buckets`
    groups : by unit; which units are no pair, also in a bucket
    copies : whether exact copies are pairs; if not, they are kept if their representative is, each for itself

    Cost: linear in pairs and in bucket members; 8 bytes per pair. Of the other units only the result is written.
    """
    from dedup.kernels import clusters as kernels

    count = len(sizes)
    members = np.empty(0, dtype=np.int64) if buckets is None else buckets.members
    bounds = np.zeros(1, dtype=np.int64) if buckets is None else buckets.bounds
    # all others are kept: only these are looked at, under new numbers
    concerned = np.zeros(count, dtype=np.bool_)
    for rows in (pairs.left, pairs.right, members):
        concerned[rows] = True
    units = np.flatnonzero(concerned)
    places = np.cumsum(concerned, dtype=np.int32) - np.int32(1)
    own_members, own_rank = places[members], rank[units]
    bucket_order = np.argsort(own_members, kind="stable")
    numbers = np.repeat(np.arange(len(bounds) - 1, dtype=np.int64), np.diff(bounds))[bucket_order]
    offsets = np.zeros(1, dtype=np.int64) if sets is None else sets.offsets
    values = np.empty(0, dtype=np.uint64) if sets is None else sets.values
    found = kernels.stars(
        np.argsort(own_rank, kind="stable"),
        own_rank,
        *kernels.earlier(places[pairs.left], places[pairs.right], pairs.shared, own_rank),
        threshold.metric.code,
        _offsets(own_members, len(units)),
        numbers,
        len(bounds) - 1,
        values,
        offsets if sets is None else offsets[units],
        sizes[units],
        threshold.value,
        columns_of(groups, units),
    )
    own_star, own_similarity, further, verified, overflow = found
    star = np.arange(count, dtype=np.int64)
    star[units] = units[own_star]
    to_kept = np.ones(count, dtype=np.float64)
    to_kept[units] = own_similarity
    followers = np.flatnonzero(representatives != np.arange(count))
    leaders = representatives[followers]
    star[followers] = star[leaders] if copies else np.where(star[leaders] == leaders, followers, star[leaders])
    to_kept[followers] = to_kept[leaders]
    left, right, shared = further.T
    return Stars(star, to_kept, pairs_of(units[left], units[right], shared), int(verified), int(overflow))


def _offsets(rows: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    return np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(np.bincount(rows, minlength=count))))


def large_clusters(
    star: npt.NDArray[np.int64],
    copies: npt.NDArray[np.int64],
    rank: npt.NDArray[np.int64],
    left: npt.NDArray[np.int32],
    right: npt.NDArray[np.int32],
    *,
    big: int = BIG_CLUSTER,
) -> npt.NDArray[np.bool_]:
    """Return, for each unit, whether it is the kept unit of a large cluster.

    `star` is the kept unit of each representative, `copies` the number of units that it represents (0 for other units),
    `rank` its priority; `left` and `right` are pairs that reach the threshold. A cluster is large if it has more than
    `big` members, or if it and the clusters that it is linked with have more together. Two clusters are linked
    if a removed text could have joined either. Without this rule, a family with many kept texts would be listed with
    the square of its size. Cost: linear.
    """
    from dedup.kernels import clusters as kernels

    members = np.bincount(star, weights=copies, minlength=len(star)).astype(np.int64)
    if members[members > 1].sum() <= big:
        return np.zeros(len(star), dtype=np.bool_)
    removed = star != np.arange(len(star))
    root = np.arange(len(star), dtype=np.int64)
    for one, other in ((left, right), (right, left)):
        edges = removed[one] & ~removed[other] & (rank[other] < rank[one])
        kernels.linked(root, star[one[edges]].astype(np.int32), other[edges])
    linked = np.bincount(root, weights=members, minlength=len(star))
    large: npt.NDArray[np.bool_] = (linked > big)[root] & (members > 1)
    return large


def components(
    count: int, edges: Iterable[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]]
) -> npt.NDArray[np.int64]:
    """Return, for each of `count` units, the first unit of its connected component; `edges` come in parts."""
    from dedup.kernels import clusters as kernels

    root = np.arange(count, dtype=np.int64)
    for left, right in edges:
        kernels.linked(root, left, right)
    return root

"""Pairs that a search missed: they stand clearly above what unrelated texts share, and below the threshold.

Given are sketches of a few units (`dedup.hashing.sketches`). Two units that share a fraction J of their shingles are
both among them, where one is, with a probability of J, or if both are by chance: so each pair that is seen stands for
``1 / (J + (1 - J) * chance)`` pairs of the collection. The number of pairs at each similarity is then parted into
partners and unrelated ones as `dedup.suggest` does it (`dedup.sampling.parting`).

Nothing is said unless all of this holds: the rule of `suggest` parts them and expects nearly none of unrelated texts,
or there is a gap below them; `FEWEST_MISSED` pairs were seen; a text has one partner, not many, which would share a
formula; and the search found a quarter of these pairs at most.

Cost: that of comparing the sketches, some milliseconds; and only where the search found little.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.edit.join import edits_of
from dedup.edit.sketched import sketch_runs
from dedup.hash_key import HashKey
from dedup.hashing.sketches import SKETCH_HASHES, Sketcher, Sketches
from dedup.hashing.source import HashSource, HeldUnits
from dedup.pairs.kept_apart import groups_of
from dedup.pairs.verify import NO_GROUPS, Groups, no_pair, similarity
from dedup.sampling.parting import FEWEST_TO_PART, SURELY_APART, above_each, pooled_parting, step_of, usable_bins
from dedup.sampling.sampled import BINS
from dedup.threshold import Metric, Threshold

__all__ = ["Missed", "compared_sketches", "missed_of", "missed_pairs", "sketcher_for"]

LOWEST_MISSED = 0.2
"""Similarity. Pairs below it are not counted: by chance and by quotations unrelated texts come close to it."""

LEAST_MISSED = 12
"""Shingles that two texts of the usual size share. Fewer are a formula with the same date in it."""

LOWEST_MISSED_EDIT = 0.6
"""Similarity by edit distance, of pairs that share runs of characters: short texts that are unrelated are below it."""

FEWEST_MISSED = 8
"""Pairs that are seen. Fewer of them are said nothing of."""

MOST_UNRELATED = 0.1
"""Share of the pairs above the threshold that may be unrelated ones."""

STANDING, APART_DEPTH, APART_DEPTH_EDIT = 2.0, 0.5, 0.8
"""Factor, shares. Pairs stand apart, too, if at this share of their similarity there are at most so many times as many
pairs: of a Jaccard similarity at half of it; of one by edit distance, which is higher for unrelated texts, at 0.8."""

MOST_EACH = 1.5
"""Partners that are seen of a unit that has one, on average. It was at most 1.1 where texts have one partner each, and
2.2 or more where many texts share a formula, a menu, a signature or a licence; also where they have many versions, of
which nothing is said therefore."""

LEAST_REACHING = 0.6
"""Share of the pairs that reach a similarity less the standard deviation of sketches. So many at least must reach it
itself: else it is the upper end of pairs that are below it, of which a search with that threshold would find few."""

STEEP = 8.0
"""Factor. Where at half of a similarity there are more than so many times as many pairs, texts of one form end."""

FEW_FOUND = 4
"""Factor. Nothing is said unless there are so many times as many pairs as the search has found."""

FOUND_SHARE = 8
"""Divisor. A search that found more pairs than units divided by it has found enough, and no sketch is made."""


class Missed(NamedTuple):
    """About how many `pairs` have this `similarity` or more, far above what unrelated texts share."""

    pairs: int
    similarity: float


class _Compared(NamedTuple):
    """Two sketches that share a hash (rows), and the Jaccard similarity of their units."""

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    jaccard: npt.NDArray[np.float64]

    def take(self, kept: npt.NDArray[np.bool_]) -> _Compared:
        """Return some of them."""
        return _Compared(self.left[kept], self.right[kept], self.jaccard[kept])


def sketcher_for(threshold: Threshold) -> Sketcher | None:
    """Return what a source shows its units to; None for an edit distance, which their hashes say nothing of."""
    return None if threshold.metric is Metric.EDIT else Sketcher()


def missed_of(
    source: HashSource,
    held: HeldUnits,
    threshold: Threshold,
    found: int,
    distinct: Sequence[str],
    key: HashKey,
    lefts: tuple[int, int] | None = None,
) -> Missed | None:
    """Return what a search of a source missed, of which some units are `held`: see `missed_pairs`.

    Of two sides, `lefts` are the number of documents of the left one, and of its units.
    """
    units, total = held.units, len(held.units) if held.rows is None else source.count
    if threshold.metric is not Metric.EDIT:
        documents = None if lefts is None else lefts[0]
        return missed_pairs(lambda: source.sketched(units), total, threshold, found, distinct, documents)

    def compare(some: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        order = np.lexsort((some.max(axis=1), some.min(axis=1)))  # in which pairs are returned
        values = np.empty(len(some))
        values[order] = similarity(edits_of(units, some, source.threads), units.sizes, Metric.EDIT)
        return values

    own = None if lefts is None else lefts[1]
    return missed_pairs(lambda: sketch_runs(units, key), total, threshold, found, distinct, own, compare)


def missed_pairs(
    sketched: Callable[[], Sketcher | None],
    total: int,
    threshold: Threshold,
    found: int,
    distinct: Sequence[str] = (),
    lefts: int | None = None,
    compare: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float64]] | None = None,
) -> Missed | None:
    """Return what a search of so many units in `total` missed, which found so many pairs; None if nothing is clear.

    `sketched` returns what has seen the units; it is called if the search found few pairs.
    `distinct` are the differences for which units are no pair, as those of one label are, if the sketches have labels.
    With `lefts`, units of documents before it are only paired with others. `compare` returns the similarities of pairs
    of places (n, 2), for an edit distance.
    """
    if found * FOUND_SHARE > total:
        return None
    sketcher = sketched()
    sketches = None if sketcher is None else sketcher.made()
    if sketcher is None or sketches is None or len(sketches) < FEWEST_TO_PART:
        return None
    chance = _chances(sketches, sketcher.limit)
    units = float((1.0 / chance).sum())
    compared = compared_sketches(sketches, groups_of(sketches, distinct))
    if lefts is not None:
        side = sketches.places < lefts
        compared = compared.take(side[compared.left] != side[compared.right])
    alike, lowest, depth = _similarity(sketches, compared, threshold.metric), LOWEST_MISSED, APART_DEPTH
    if compare is not None:
        near, lowest, depth = np.flatnonzero(alike >= LOWEST_MISSED), LOWEST_MISSED_EDIT, APART_DEPTH_EDIT
        alike[near] = compare(sketches.places[np.column_stack((compared.left[near], compared.right[near]))])
    bins = (alike * BINS).astype(np.int64)
    weight = 1.0 / (compared.jaccard + (1.0 - compared.jaccard) * float(chance.mean()))
    counts = np.bincount(bins, 2.0 * weight, minlength=BINS + 1)
    counts[0] += max(len(sketches) * (units - 1.0) - counts.sum(), 0.0)
    above = above_each(counts)
    reached = round(threshold.value * BINS)
    size, least = float(np.median(sketches.sizes)), LEAST_MISSED * step_of(float(np.median(sketches.sizes)))
    if threshold.metric is Metric.CONTAINMENT:  # J of two sets of one size, and the share of either that it is
        lowest, least = 2 * lowest / (1 + lowest), 2 * least
    levels = np.arange(max(round(lowest * BINS), math.ceil(least)), reached)
    level = _level(above, len(sketches), size, units, levels, depth)
    if level is None or (compare is None and _is_tail(above, level)):
        return None
    pairs = above[level] / 2.0 * units / len(sketches)
    above_level = bins >= level
    partners = np.bincount(np.concatenate((compared.left[above_level], compared.right[above_level])))
    if partners.sum() > MOST_EACH * np.count_nonzero(partners):
        return None
    seen = int(np.count_nonzero(above_level & (bins < reached)))
    few = FEW_FOUND * above[reached] <= above[level] and FEW_FOUND * found <= pairs
    return Missed(round(pairs), level / BINS) if few and seen >= FEWEST_MISSED else None


def _level(
    above: npt.NDArray[np.float64],
    samples: int,
    size: float,
    units: float,
    levels: npt.NDArray[np.int64],
    depth: float,
) -> int | None:
    """Return from which bin on pairs stand clearly above what unrelated texts share; None if there is none.

    `above` is how many pairs are in each bin or above it. `levels` are the bins that are looked at, ascending, and
    `depth` the share of a similarity at which there must be a gap.
    """
    parting = pooled_parting(above, samples, size, units)
    if len(levels) and parting is not None and parting.estimate >= SURELY_APART:
        level = max(parting.level, int(levels[0]))
        steep = above[level // 2] > STEEP * above[level]
        if level <= levels[-1] and parting.unrelated[level] <= MOST_UNRELATED * above[level] and not steep:
            return level
    below = (levels * depth).astype(np.int64)
    gap = (above[below] <= STANDING * above[levels]) & usable_bins(above, samples, step_of(size), units)[levels]
    return int(levels[gap.argmax()]) if gap.any() else None


def _is_tail(above: npt.NDArray[np.float64], level: int) -> bool:
    """Return whether most pairs that seem to reach a bin are below it: by chance sketches show them as more similar."""
    similarity = level / BINS
    deviation = math.sqrt(similarity * (1.0 - similarity) / SKETCH_HASHES)
    nearly = max(round((similarity - deviation) * BINS), 0)
    return bool(above[level] < LEAST_REACHING * above[nearly])


def compared_sketches(sketches: Sketches, groups: Groups = NO_GROUPS) -> _Compared:
    """Return each two sketches that share a hash; units of one group are no pair."""
    from dedup.kernels import sketches as kernels

    rows = len(sketches)
    held = np.arange(sketches.hashes.shape[1]) < sketches.counts[:, np.newaxis]
    values, owners = sketches.hashes[held], np.repeat(np.arange(rows, dtype=np.int64), sketches.counts)
    order = np.argsort(values, kind="stable")
    most = rows * (rows - 1) // 2
    left, right = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
    jaccard = np.empty(most, dtype=np.float64)
    count = kernels.compare_sketches(
        values[order], owners[order], sketches.hashes, sketches.counts, left, right, jaccard
    )
    met = _Compared(left[:count], right[:count], jaccard[:count])
    return met.take(~no_pair(groups, met.left, met.right)) if len(groups) else met


def _chances(sketches: Sketches, limit: float) -> npt.NDArray[np.float64]:
    """Return the probability of each unit to be taken; `limit` is the highest key that is."""
    if np.isinf(limit):
        return np.ones(len(sketches))
    sizes = sketches.sizes.astype(np.float64)
    chances: npt.NDArray[np.float64] = -np.expm1(-limit / 2.0**64 * sizes / 2.0 ** np.floor(np.log2(sizes)))
    return chances


def _similarity(sketches: Sketches, compared: _Compared, metric: Metric) -> npt.NDArray[np.float64]:
    """Return the similarities by a metric."""
    if metric is not Metric.CONTAINMENT:
        return compared.jaccard
    left, right = sketches.sizes[compared.left], sketches.sizes[compared.right]
    shared = compared.jaccard / (1.0 + compared.jaccard) * (left + right)
    alike: npt.NDArray[np.float64] = np.minimum(shared / np.minimum(left, right), 1.0)
    return alike

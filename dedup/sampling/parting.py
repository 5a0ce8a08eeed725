"""Where partners and unrelated texts part: a threshold for each kind of shingle, and the kind that parts them best.

Given are, for each kind of shingle, the similarities of a sample of texts to all texts. No labels: what unrelated texts
share is extrapolated from the bulk of the similarities, which unrelated pairs make up, in two ways.

* **Pooled.** For a threshold t with n pairs above it, the tail from 32 n to 2 n pairs is continued as a power law. A
  tail that falls faster than a power law, as that of unrelated texts does, is overestimated, so a gap that is seen is a
  gap. A threshold is *clear* if the pairs above it are a multiple of what is expected there, and few partners are lost.
* **Text by text.** Each sampled text has its own tail, from its 128th to its 32nd most similar text, continued as an
  exponential. Collections of several languages or kinds of text need that.

Either gives the number of partners P and an estimate of F1 at each t: ``2 * partners above t / (pairs above t + P)``.
The middle of the range with nearly the best estimate is the threshold. Of all kinds and ways the one with the best
estimate is taken, after it is lowered where its P differs from that of most clear ones: a kind that does not see most
partners may part the rest from all others very well.

The constants were chosen on the kinds of texts that `benchmarks.quality.kinds` marks; the others have not been looked
at. `benchmarks.quality.quality_suggest` has the table.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.sampling.sampled import BINS

__all__ = [
    "FEWEST_TO_PART",
    "SURELY_APART",
    "Parting",
    "Seen",
    "above_each",
    "best_of",
    "partings",
    "pooled_parting",
    "step_of",
    "usable_bins",
]

FEWEST_TO_PART = 32
"""Texts. With fewer distinct ones nothing is known of what unrelated texts share."""

FEWEST_PAIRS = 6
"""Pairs. Fewer of them are no group of partners."""

TAIL_END, TAIL_START = 2.0, 32.0
"""Multiples of the pairs above a threshold: the part of the pooled tail that is continued."""

TAIL_RANKS = 128
"""Rank of the most similar texts from which the tail of one text is continued; it ends at a quarter of it."""

CLEARLY_APART = 0.95
"""Estimate of F1 from which a threshold counts as clear."""

NEARLY = 0.02
"""Difference of estimates of F1 that is not looked at: the threshold is the middle of such a range."""

ALIKE = 0.003
"""Difference of estimates of F1 below which the kind that comes first is taken."""

SURELY_APART = 0.8
"""Estimate of F1 below which nothing is suggested: it was at least 0.92 on every kind of texts with copies that the
constants were chosen on, and 0.38 on unrelated texts."""

LOWEST_SUGGESTED = 0.1
"""Similarity. A threshold below it is not suggested: texts that share so little are about the same, not the same."""

MOST_PARTNERS, FEW_PARTNERS = 0.02, 4
"""Share of all texts, texts. With more partners a text the group is a language or a genre, not versions of a text."""

LEAST_SHARED = 3
"""Shingles. A threshold that two texts of the usual length reach with fewer is not suggested."""

EVERY_BIN = np.arange(BINS + 1)


class Seen(NamedTuple):
    """What was seen with one kind of shingle.

    Attributes
    ----------
    counts : int64, samples x (BINS + 1); see `dedup.sampling.sampled.Similarities`
    size : the median number of shingles of a sampled text
    share : the number of unrelated texts in the collection for each that was compared; all partners were
    """

    counts: npt.NDArray[np.int64]
    size: float
    share: float = 1.0

    @property
    def step(self) -> float:
        """The similarity of two texts of the median size that share one shingle, in bins."""
        return step_of(self.size)


class Parting(NamedTuple):
    """A threshold for one kind of shingle, found in one way.

    Attributes
    ----------
    kind : the number of the kind of shingle
    level : the threshold, in bins
    estimate : the estimate of F1, from 0 to 1
    partners : the number of partners of all samples
    unrelated : float64, BINS + 1; how many unrelated pairs are expected at each bin or above
    """

    kind: int
    level: int
    estimate: float
    partners: float
    unrelated: npt.NDArray[np.float64]


def partings(kind: int, seen: Seen, texts: int) -> list[Parting]:
    """Return what either way finds for one kind of shingle in a collection of so many distinct texts."""
    above = above_each(seen.counts.sum(axis=0))
    usable = usable_bins(above, len(seen.counts), seen.step, texts)
    found = [_pooled(kind, above, usable, seen.step, seen.share), _by_text(kind, seen, above, usable, texts)]
    return [parting for parting in found if parting is not None]


def pooled_parting(above: npt.NDArray[np.float64], samples: int, size: float, texts: float) -> Parting | None:
    """Return where the pairs of `samples` texts part, pooled: `above` (BINS + 1) is how many reach each bin.

    `size` is the median number of shingles of a text, `texts` the number of distinct texts.
    """
    step = step_of(size)
    return _pooled(0, above, usable_bins(above, samples, step, texts), step, 1.0)


def best_of(found: list[Parting]) -> Parting | None:
    """Return the parting with the best estimate, the first of those that are nearly as good.

    None if none is sure.
    """
    found = [parting for parting in found if parting.level >= LOWEST_SUGGESTED * BINS]
    if not found:
        return None
    sure = [parting.partners for parting in found if parting.estimate >= CLEARLY_APART]
    agreed = float(np.quantile(sure or [max(found, key=lambda each: each.estimate).partners], 0.75))
    lowered = [
        parting._replace(estimate=parting.estimate * 2 * min(parting.partners, agreed) / (parting.partners + agreed))
        for parting in found
    ]
    top = max(parting.estimate for parting in lowered)
    return next((parting for parting in lowered if parting.estimate >= max(top - ALIKE, SURELY_APART)), None)


def usable_bins(above: npt.NDArray[np.float64], samples: int, step: float, texts: float) -> npt.NDArray[np.bool_]:
    """Return at which bins a threshold may be: enough pairs reach it, not too many, and not by a few shingles."""
    most = max(MOST_PARTNERS * texts, FEW_PARTNERS) * samples
    usable: npt.NDArray[np.bool_] = (above >= FEWEST_PAIRS) & (above <= most) & (LEAST_SHARED * step <= EVERY_BIN)
    return usable


def step_of(size: float) -> float:
    """Return the similarity of two texts of a size that share one shingle, in bins."""
    return BINS / max(2 * size, 1.0)


def above_each(counts: npt.NDArray[np.int64] | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the number of pairs at each bin or above (float64)."""
    return counts[::-1].cumsum()[::-1].astype(np.float64)


def _middle(estimate: npt.NDArray[np.float64]) -> tuple[int, float]:
    """Return the middle of the range around the best estimate in which all are nearly as good, and the best one."""
    low = high = int(estimate.argmax())
    best = float(estimate[low])
    while low > 0 and estimate[low - 1] >= best - NEARLY:
        low -= 1
    while high < BINS and estimate[high + 1] >= best - NEARLY:
        high += 1
    return (low + high) // 2, best


def _pooled(
    kind: int, above: npt.NDArray[np.float64], usable: npt.NDArray[np.bool_], step: float, share: float
) -> Parting | None:
    total = above[0]

    def last(pairs: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        return np.maximum(np.searchsorted(-above, -pairs, side="right") - 1, 0)

    usable = usable & (TAIL_END * above <= total / 4)
    pairs = np.maximum(above, 1.0)
    near = np.minimum(last(TAIL_END * pairs) + 1, BINS)
    far = last(np.minimum(TAIL_START * pairs, total / 2))
    at_near = np.maximum(above[near], 1e-9)
    fall = np.log(np.maximum(above[far] / at_near, 1.0001))
    power = fall / np.maximum(np.log(near + step) - np.log(far + step), 1e-3)
    ahead = np.maximum(np.log(EVERY_BIN + step) - np.log(near + step), 0.0)
    expected = np.where(ahead > 0.0, at_near * np.exp(-power * ahead), above)
    wrong = np.minimum(expected / pairs, 1.0)
    every = pairs * (1.0 - wrong + share * wrong)  # pairs in the collection
    # of the partners: how many are below, if they lie about the median of those above
    median, lower = last(0.5 * pairs), last(0.84 * pairs)
    lost = _normal((EVERY_BIN - median) / np.maximum(median - lower, 1.0))
    partners = np.where(usable, pairs * (1.0 - wrong), 0.0)
    clear = np.where(usable, 2 * partners / (partners * (1.0 + lost) + every), 0.0)
    if not np.any(clear >= CLEARLY_APART):
        return None
    known = float(partners[clear >= CLEARLY_APART].max())
    level, best = _middle(clear * 2 * np.minimum(partners, known) / (np.where(above > 0.0, every, 0.0) + known))
    ahead = np.maximum(np.log(EVERY_BIN + step) - math.log(near[level] + step), 0.0)
    tail = at_near[level] * np.exp(-power[level] * ahead)
    unrelated = np.minimum(above, np.where(near[level] < EVERY_BIN, tail, above - partners[level]))
    return Parting(kind, level, best, known, unrelated)


def _by_text(
    kind: int, seen: Seen, above: npt.NDArray[np.float64], usable: npt.NDArray[np.bool_], texts: int
) -> Parting | None:
    far = min(TAIL_RANKS, texts // 8)
    near = far // 4
    if near < 1:
        return None
    own = seen.counts[:, ::-1].cumsum(axis=1)[:, ::-1]
    start, end = ((own >= rank).sum(axis=1) - 1 for rank in (near, far))  # the bins of the two ranks
    scale = (start - end) / math.log(far / near)
    scale = np.maximum(np.maximum(scale, 0.5 * np.median(scale)), max(seen.step, 1.0))
    beyond = EVERY_BIN - start[:, None]
    tail = near * np.exp(-np.maximum(beyond, 0) / scale[:, None])
    unrelated = np.where(beyond <= 0, own, np.minimum(tail, own)).sum(axis=0)
    partners = np.where(usable, np.maximum(above - unrelated, 0.0), 0.0)
    known = float(partners.max())
    if known < FEWEST_PAIRS:
        return None
    every = partners + seen.share * np.maximum(above - partners, 0.0)
    level, best = _middle(np.where(usable, 2 * partners / (every + known), 0.0))
    return Parting(kind, level, best, known, unrelated)


def _normal(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the normal distribution function."""
    return np.array([0.5 * math.erfc(-value / math.sqrt(2.0)) for value in x.tolist()])

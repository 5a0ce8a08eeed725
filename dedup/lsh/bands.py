"""Bands: how a signature is cut, which cut reaches a promised recall, and the measured recall.

The docstring of the package explains bands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from dedup.errors import ParameterError
from dedup.lsh.similarity_sample import Background
from dedup.options import check_array, check_recall, check_share, check_threshold, check_whole, shown

__all__ = ["NORMAL_95", "Bands", "band_keys", "check_bands", "choose_bands", "measure_recall"]

NORMAL_95 = 1.96
"""Standard deviations on either side of the mean that contain 95 % of a normal distribution."""

Similarity = TypeVar("Similarity", float, npt.NDArray[np.float64])

MOST_BANDS = 4096
MOST_ROWS = 16
"""Bands, and rows of a band, at most."""

MAX_PLANNED_TEXTS = 1 << 40
"""Texts for which bands can be chosen, at most."""

LANE_COST = 14.0
CANDIDATE_COST = 300.0
SORTING_COST = 1800.0
"""Nanoseconds, for a text of 300 shingles: of a permutation; of verifying a candidate; of sorting the shingles of a
text that is in some candidate pair. Only their ratios matter, and only for bands that keep the promise of recall.
Curves: `benchmarks.tuning.bands_lane_cost`, `bands_candidate_cost`, `bands_sorting_cost`; lane cost flat from 0.875 to
224.0, candidate cost flat from 300.0 to 4800.0, sorting cost flat from 112.5 to 28800.0, on generated:10000 (two cores,
2026-11)."""


@dataclass(frozen=True)
class Bands:
    """A choice of bands, and the recall that it promises.

    Attributes
    ----------
    bands, rows : how a signature of ``bands * rows`` permutations is cut
    threshold : the Jaccard similarity for which it was chosen
    recall : the requested probability at that similarity
    """

    bands: int
    rows: int
    threshold: float
    recall: float

    def __post_init__(self) -> None:
        values = {"bands": check_whole("bands", self.bands, 0), "rows": check_whole("rows", self.rows, 1)}
        for name, value in {
            **values,
            "threshold": check_threshold(self.threshold),
            "recall": check_share("recall", self.recall),
        }.items():
            object.__setattr__(self, name, value)

    @property
    def num_perm(self) -> int:
        """Return the number of permutations: bands times rows."""
        return self.bands * self.rows

    def probability(self, similarity: Similarity) -> Similarity:
        """Return the probability that two texts of this Jaccard similarity are a candidate; an array gives an array."""
        return _probability(similarity, self.bands, self.rows)

    def __str__(self) -> str:
        lines = [f"{self.bands} bands of {self.rows} rows: {self.num_perm} permutations", "similarity  found"]
        points = sorted({*(i / 10 for i in range(1, 11)), self.threshold})
        for point in points:
            line = f"{point:10.2f} {100 * self.probability(point):5.1f} %"
            if point == self.threshold:
                line += f"  <- threshold, {100 * self.recall:g} % promised"
            lines.append(line)
        return "\n".join(lines)


def choose_bands(
    threshold: float, recall: float = 0.999, *, texts: int = 100_000, background: float | Background = 0.01
) -> Bands:
    """Return the cheapest bands that find a pair at the threshold with at least this probability.

    The cost is that of the permutations of a text and of the candidates that it has among `texts` texts. `background`
    is the similarity of two unrelated texts, or that of a sample (`dedup.lsh.similarity_sample`). The result depends on
    nothing but the arguments. Raises `ParameterError` unless ``0 < threshold <= 1`` and ``0 < recall < 1``.

    >>> choose_bands(0.5).probability(0.5) >= 0.999
    True
    """
    threshold, recall = check_threshold(threshold), check_recall(recall)
    texts = check_whole("texts", texts, 0, MAX_PLANNED_TEXTS)
    if not isinstance(background, Background):
        background = check_share("background", background)
    best, least_cost = None, math.inf
    for rows in range(1, MOST_ROWS + 1):
        hit = threshold**rows
        wanted = 1.0 if hit == 1.0 else math.log(1.0 - recall) / math.log1p(-hit) if hit else math.inf
        if wanted > MOST_BANDS:
            break
        bands = math.ceil(wanted)
        if _probability(threshold, bands, rows) < recall:  # rounding of the logarithms
            bands += 1
        if isinstance(background, Background):
            chance = background.chance(bands, rows)
        else:
            chance = _probability(background, bands, rows)
        candidates = texts / 2 * chance
        cost = LANE_COST * bands * rows + CANDIDATE_COST * candidates
        cost -= SORTING_COST * math.expm1(-2.0 * candidates)
        if cost < least_cost:
            best, least_cost = (bands, rows), cost
    if best is None:
        raise ParameterError(
            f"threshold: {threshold} at recall {recall} needs more than {MOST_BANDS} bands; expected a higher threshold"
        )
    return Bands(*best, threshold, recall)


def _probability(similarity: Similarity, bands: int, rows: int) -> Similarity:
    return 1.0 - (1.0 - similarity**rows) ** bands


def check_bands(bands: Bands) -> Bands:
    """Return the bands, or raise `ParameterError` if they are not `Bands`."""
    if not isinstance(bands, Bands):
        raise ParameterError(
            f"bands: expected Bands, as dedup.lsh.choose_bands(threshold) returns, found {type(bands).__name__}"
        )
    return bands


def band_keys(signatures: npt.NDArray[np.uint32], bands: Bands) -> npt.NDArray[np.uint64]:
    """Return the key of each band of each signature: uint64, shape (bands, texts).

    Raises `ParameterError` if the signatures do not have ``bands.num_perm`` lanes.
    """
    from dedup.kernels import lsh as kernels

    check_bands(bands)
    check_array("signatures", signatures, "uint32", None)
    if signatures.ndim != 2 or signatures.shape[1] != bands.num_perm:
        raise ParameterError(
            f"signatures: expected shape (texts, {bands.num_perm}) for {bands.bands} bands of {bands.rows} rows, "
            f"found {signatures.shape}"
        )
    keys = np.empty((bands.bands, len(signatures)), dtype=np.uint64)
    kernels.band_keys(signatures, bands.rows, keys)
    return keys


def measure_recall(
    similarities: npt.NDArray[np.float64], bands: Bands, strays: tuple[float, float] | None = None
) -> tuple[float, tuple[float, float]] | None:
    """Return the estimated recall and its 95 % interval, from the similarities of the found pairs; None without pairs.

    A pair is found with a known probability P, which depends on its similarity. So each found pair represents 1 / P
    pairs (Horvitz and Thompson, 1952): in total ``sum(1 / P)`` pairs, with the variance ``sum((1 - P) / P ** 2)`` if
    pairs are independent. `strays` says by how many of these standard deviations the total may differ to either side,
    as (negative, positive), in 95 of 100 runs. None means independent pairs: 1.96 on each side, as for the normal
    distribution. Pairs of one family of similar texts are not independent, and stray further (`dedup.clusters.replay`).
    The interval ends at 1. The estimate is valid for pairs whose collisions were all examined.
    """
    below, above = (-NORMAL_95, NORMAL_95) if strays is None else strays
    check_bands(bands)
    check_array("similarities", similarities, "float64", 1)
    if not len(similarities):
        return None
    if not bool(np.all((similarities > 0.0) & (similarities <= 1.0))) or not bands.bands:
        raise ParameterError(
            "similarities: expected similarities of pairs that bands found, above 0 and up to 1, found "
            f"{shown(float(similarities[np.argmin((similarities > 0.0) & (similarities <= 1.0))]))} for {bands.bands} "
            "bands"
        )
    chance = bands.probability(similarities)
    found, total = len(chance), float(np.sum(1.0 / chance))
    spread = math.sqrt(float(np.sum((1.0 - chance) / chance**2)))
    return found / total, (found / (total - below * spread), found / max(found, total - above * spread))

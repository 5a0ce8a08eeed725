"""When a pair reaches the threshold: two similarities of sets, with how many hashes a set must share, and one of texts.

In naive Python, for the shingle sets of two texts, or for `edit` for their code points (`dedup.edit.join`)::

    jaccard = len(a & b) / len(a | b)
    containment = len(a & b) / min(len(a), len(b))
    edit = (max(len(a), len(b)) - levenshtein(a, b)) / max(len(a), len(b))
    reached = similarity >= threshold                                                            # float64
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Metric", "Threshold", "least"]


FEW_SIZES = 1 << 12
"""Sizes. Of so many, each is computed for itself. Curve: `benchmarks.tuning.threshold_few_sizes`; flat from 64 to 4096
on generated:100000, where 2^15 takes 1.13 times as long (two cores, 2026-11)."""


class Metric(StrEnum):
    """The similarity of two sets: shared / union, or shared / the smaller set; or of two texts: by edit distance."""

    JACCARD = "jaccard"
    CONTAINMENT = "containment"
    EDIT = "edit"

    @property
    def code(self) -> int:
        """The number of the metric in `dedup.kernels`."""
        return list(Metric).index(self)


class Threshold(NamedTuple):
    """The least similarity of a pair, ``0 < value <= 1``, and the metric in which it is measured."""

    value: float
    metric: Metric = Metric.JACCARD

    def may_be_unique(self, sizes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return, for sets of these `sizes` (int64), how many hashes may occur in no other set.

        A set with more such hashes cannot reach the threshold with any other set. Under containment one shared hash may
        be enough, since the other set may have only that hash.
        """
        smallest = 1 if self.metric is Metric.CONTAINMENT else least(sizes, self.value)
        unique: npt.NDArray[Any] = sizes - smallest
        return unique

    def must_share(self, sizes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return, for sets of these `sizes` (int64), the least number of hashes that each shares with the other set of
        a pair.
        """
        shared: npt.NDArray[Any] = sizes - self.may_be_unique(sizes)
        return shared


def least(sizes: npt.NDArray[Any], threshold: float) -> npt.NDArray[Any]:
    """Return, for each size, the smallest integer s with ``s / size >= threshold`` in float64 (int64; size 0: 0)."""
    import numpy as np

    few = len(sizes) <= FEW_SIZES or sizes.min() < 0
    if not few and (most := int(sizes.max())) < len(sizes) // 2:  # many sets of few sizes
        each: npt.NDArray[Any] = least(np.arange(most + 1), threshold)[sizes]
        return each
    shared = np.maximum((threshold * sizes).astype(np.int64) - 1, 0)
    for _ in range(3):
        shared += shared / np.maximum(sizes, 1) < threshold
    return shared

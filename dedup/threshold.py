"""What "reaches the threshold" means: a similarity of two sets, the least value of it, and what both ask of a set.

In naive Python, for the sets of shingles of two texts::

    jaccard = len(a & b) / len(a | b)
    containment = len(a & b) / min(len(a), len(b))
    reached = similarity >= threshold                                                            # float64
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Metric", "Threshold", "least"]


class Metric(StrEnum):
    """The similarity of two sets: shared / union, or shared / the smaller set."""

    JACCARD = "jaccard"
    CONTAINMENT = "containment"

    @property
    def code(self) -> int:
        """The number by which `dedup.kernels` knows it."""
        return int(self is Metric.CONTAINMENT)


class Threshold(NamedTuple):
    """The least similarity of a pair, ``0 < value <= 1``, and what it is measured by."""

    value: float
    metric: Metric = Metric.JACCARD

    def may_be_unique(self, sizes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return, for sets of so many hashes (int64), how many may occur in no other set.

        A set with more of them reaches the threshold with no other one. Under containment one shared hash is enough,
        for the other set may be that small.
        """
        smallest = 1 if self.metric is Metric.CONTAINMENT else least(sizes, self.value)
        unique: npt.NDArray[Any] = sizes - smallest
        return unique

    def must_share(self, sizes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return, for sets of so many hashes (int64), how many each shares with any set that it reaches, at least."""
        shared: npt.NDArray[Any] = sizes - self.may_be_unique(sizes)
        return shared


def least(sizes: npt.NDArray[Any], threshold: float) -> npt.NDArray[Any]:
    """Return, for each size, the smallest whole s with ``s / size >= threshold`` in float64 (int64; size 0: 0)."""
    import numpy as np

    shared = np.maximum((threshold * sizes).astype(np.int64) - 1, 0)
    for _ in range(3):
        shared += shared / np.maximum(sizes, 1) < threshold
    return shared

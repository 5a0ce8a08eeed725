"""Passages that `dedup.match` found, as arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Passages"]


class Passages(NamedTuple):
    """Passages in the order of their places on the left side (int64 arrays of the same length).

    Characters `left_start` to `left_end` of the left text `left` are a passage of `words` tokens, which occurs in the
    right text `right` at characters `right_start` to `right_end`.
    """

    left: npt.NDArray[np.int64]
    left_start: npt.NDArray[np.int64]
    left_end: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    right_start: npt.NDArray[np.int64]
    right_end: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]

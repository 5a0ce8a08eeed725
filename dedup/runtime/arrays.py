"""Array functions that numpy does not have, or has only in a slow form."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["sorted_unique"]

Item = TypeVar("Item", bound=np.generic)


def sorted_unique(values: npt.NDArray[Item]) -> npt.NDArray[Item]:
    """Return the distinct items of `values` (one-dimensional, no NaN), ascending.

    The result is that of `numpy.unique`. Since numpy 2.3 that function puts integers one by one into a hash table,
    which takes ten times as long as a sort.
    """
    assert values.ndim == 1
    values = np.sort(values)
    first = np.ones(len(values), dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=first[1:])
    return values[first]

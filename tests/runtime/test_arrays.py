"""What numpy's arrays lack, compared with numpy's own slower way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.runtime.arrays import sorted_unique

NUMBERS = st.lists(st.integers(0, (1 << 64) - 1) | st.integers(0, 9), max_size=60)


@given(NUMBERS)
def test_sorted_unique(numbers: list[int]) -> None:
    """Each value once, ascending; the given values are unchanged."""
    values = np.array(numbers, dtype=np.uint64)
    assert sorted(set(numbers)) == sorted_unique(values).tolist()
    assert numbers == values.tolist()


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint64])
def test_sorted_unique_keeps_the_dtype(dtype: type[np.generic]) -> None:
    """As `numpy.unique`, of no values too."""
    for numbers in ([], [3], [2, 1, 2]):
        values = np.array(numbers, dtype=dtype)
        assert np.unique(values).dtype == sorted_unique(values).dtype

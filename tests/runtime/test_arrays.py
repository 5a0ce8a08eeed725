"""What numpy's arrays lack, compared with numpy's own slower way."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.runtime.arrays import arrow_of, arrow_table, sorted_unique

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


@pytest.mark.parametrize(
    "values",
    [
        np.arange(5),
        np.arange(10)[::2],
        np.arange(6).reshape(3, 2)[:, 1],
        np.arange(3, dtype=np.int8),
        np.array([1.5, np.nan, -0.0]),
        np.array([True, False, True] * 7),
        np.zeros(0, dtype=np.bool_),
        np.zeros(0),
    ],
    ids=str,
)
def test_arrays_of_arrow(values: npt.NDArray[Any]) -> None:
    """Equal to what pyarrow makes of them, also of views and of read-only arrays, and with nulls."""
    values = values.view()
    values.flags.writeable = False
    made = arrow_of(values)
    made.validate(full=True)
    assert pa.array(values).to_string() == made.to_string()
    assert pa.array(values).type == made.type
    for mask in (np.arange(len(values)) % 2 == 0, np.zeros(len(values), dtype=np.bool_)):
        some = arrow_of(values, mask)
        some.validate(full=True)
        assert pa.array(values, mask=mask).to_string() == some.to_string()
        assert int(mask.sum()) == some.null_count


def test_a_table_of_arrays() -> None:
    """Columns of numpy and of Arrow, side by side."""
    table = arrow_table({"a": np.arange(2), "b": pa.array(["x", None])})
    assert [{"a": 0, "b": "x"}, {"a": 1, "b": None}] == table.to_pylist()

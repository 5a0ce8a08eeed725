"""Array functions that numpy does not have, or has only in a slow form."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["arrow_of", "arrow_table", "by_key", "counts_of", "portions", "runs_of", "sorted_unique"]

Item = TypeVar("Item", bound=np.generic)

PORTION = 1 << 15
"""Hashes of the rows that a thread works on at a time, at least. Curve: `benchmarks.tuning.arrays_portion`."""

NO_COUNTS = np.empty(0, dtype=np.int64)
NO_COUNTS.setflags(write=False)


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


def counts_of(values: npt.NDArray[Item]) -> npt.NDArray[np.int64]:
    """Return how often each distinct item of `values` occurs, by ascending items (int64), by a sort as above."""
    values = np.sort(values)
    return (
        np.diff(np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1], [True]))))
        if len(values)
        else NO_COUNTS
    )


def arrow_of(values: npt.NDArray[Any], mask: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Return an array of numbers or truth values as an Arrow array, null where `mask` is set. Numbers are not copied.

    The result is that of `pyarrow.array`, which loads `numpy.ma` to see whether an array is one of its: a twelfth of
    the time of a search of two lines.
    """
    import pyarrow as pa

    valid = None if mask is None else pa.py_buffer(np.packbits(~mask, bitorder="little"))
    held = np.packbits(values, bitorder="little") if values.dtype == np.bool_ else np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [valid, pa.py_buffer(held)])


def arrow_table(columns: Mapping[str, Any]) -> pa.Table:
    """Return a table of columns, each an array of numpy or of Arrow."""
    import pyarrow as pa

    return pa.table({name: arrow_of(held) if isinstance(held, np.ndarray) else held for name, held in columns.items()})


def runs_of(weights: npt.NDArray[np.int64], size: int) -> list[slice]:
    """Cut rows into runs, each of rows whose `weights` add up to about `size` or more; a row is not cut."""
    if not len(weights):
        return []
    reach = np.cumsum(weights)
    edges = np.searchsorted(reach, np.arange(size, int(reach[-1]), max(size, 1))) + 1
    cuts = [0, *sorted_unique(edges[edges < len(weights)]).tolist(), len(weights)]
    return [slice(first, end) for first, end in pairwise(cuts)]


def portions(weights: npt.NDArray[np.int64]) -> list[slice]:
    """Cut rows into slices for the threads, of about equal weight: of `PORTION` at least, and a few hundred at most.

    The weight of a row is the number of its hashes. Rows of very different length are shared out evenly so.
    """
    return runs_of(weights, max(PORTION, int(weights.sum()) // 256))


def by_key(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the order that sorts `keys`, which are from 0 to 2^31 - 1; ties keep their order.

    The result is that of a stable `numpy.argsort`, in a fifth of the time: sorted are numbers that hold a key and its
    place.
    """
    assert len(keys) < 1 << 31
    both = (keys << 32) | np.arange(len(keys), dtype=np.int64)
    both.sort()
    both &= (1 << 32) - 1
    return both

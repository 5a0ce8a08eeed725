"""The array that grows: it holds what was appended, whatever was forecast."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.runtime.buffers import BufferPool, GrowingArray
from tests.kernel_arrays import dtypes

blocks = st.lists(st.lists(st.integers(0, (1 << 64) - 1), max_size=50), max_size=20)
shares = st.one_of(st.just(0.0), st.just(1.0), st.floats(0.0, 1.0))


@given(blocks, st.data())
def test_a_pool_holds_what_was_appended(parts: list[list[int]], data: st.DataObject) -> None:
    """After each block the rows so far, in order, of the dtype of the pool; any forecast will do."""
    pool = GrowingArray(np.uint64)
    whole: list[int] = []
    assert (0, [], "uint64") == (len(pool), pool.array().tolist(), dtypes(pool.array()))
    for part in parts:
        pool.append(np.array(part, dtype=np.uint64), data.draw(shares))
        whole += part
        assert (len(whole), whole) == (len(pool), pool.array().tolist())
        assert "uint64" == dtypes(pool.array())


@given(blocks, st.data())
def test_what_is_written_to_the_tail_need_not_be_copied(parts: list[list[int]], data: st.DataObject) -> None:
    """Rows written after the last one, more or fewer than requested, or elsewhere: the same rows."""
    pool = GrowingArray(np.uint64)
    whole: list[int] = []
    for part in parts:
        tail = pool.tail(len(part) + data.draw(st.integers(0, 40)))
        values = np.array(part, dtype=np.uint64)
        if tail is not None and data.draw(st.booleans()):
            tail[: len(part)] = values
            tail[len(part) :] = 7
            values = tail[: len(part)]
        pool.append(values, data.draw(shares))
        whole += part
        assert whole == pool.array().tolist()


def test_a_tail_is_not_larger_than_its_pool() -> None:
    """None where the rows would have to move, and the room itself where they need not."""
    pool = GrowingArray(np.uint64)
    assert pool.tail(1) is None
    pool.append(np.arange(10, dtype=np.uint64), 1.0)
    tail = pool.tail(500)
    assert tail is not None
    assert tail.ctypes.data == pool.array().ctypes.data + 80
    assert pool.tail(1 << 20) is None


@pytest.mark.parametrize("size", [1, 100, 1023, 1024, 1025, 5000])
def test_a_good_forecast_moves_nothing(size: int) -> None:
    """With the true share of each block the rows are not moved after the first block."""
    pool = GrowingArray(np.int64)
    parts = [np.arange(i * size, (i + 1) * size, dtype=np.int64) for i in range(20)]
    places = set()
    for done, part in enumerate(parts, start=1):
        pool.append(part, done / len(parts))
        places.add(pool.array().ctypes.data)
    assert 1 == len(places)
    assert np.concatenate(parts).tolist() == pool.array().tolist()


def test_a_bad_forecast_is_bounded() -> None:
    """A block that claims to be next to nothing of the whole does not reserve the world."""
    pool = GrowingArray(np.uint64)
    pool.append(np.ones(1000, dtype=np.uint64), 1e-300)
    base = pool.array().base
    assert isinstance(base, np.ndarray)
    assert len(base) <= 64 * 1000 + 1024


def test_rows_are_not_copied_out() -> None:
    """`array` is a view of the pool, and what was appended is a copy of the block."""
    pool = GrowingArray(np.uint64)
    part = np.arange(5, dtype=np.uint64)
    pool.append(part, 1.0)
    part[:] = 0
    assert [0, 1, 2, 3, 4] == pool.array().tolist()
    assert np.shares_memory(pool.array(), pool.array())


def test_other_dtypes() -> None:
    """A pool of any dtype."""
    kinds: list[type[np.generic]] = [np.int64, np.float64, np.uint8, np.bool_]
    for dtype in kinds:
        pool: GrowingArray[Any] = GrowingArray(dtype)
        pool.append(np.ones(3, dtype=dtype), 0.5)
        pool.append(np.zeros(2, dtype=dtype), 1.0)
        assert [1, 1, 1, 0, 0] == pool.array().tolist()
        assert np.dtype(dtype) == pool.array().dtype


def test_spare_arrays_go_round() -> None:
    """What is given back is handed out again where it is large enough, and is never in two hands."""
    spare = BufferPool()
    first = spare.take(1000)
    second = spare.take(1000)
    assert not np.shares_memory(first, second)
    spare.give(first[:10])
    third = spare.take(700)
    assert np.shares_memory(first, third)
    assert (700, np.uint64) == (len(third), third.dtype)
    assert not np.shares_memory(third, spare.take(10, np.uint8))
    spare.give(third)
    assert not np.shares_memory(third, spare.take(100_000)), "too small"


def test_foreign_arrays_are_not_kept() -> None:
    """Arrays that came from elsewhere may be in use there."""
    spare = BufferPool()
    array = np.arange(1000, dtype=np.uint64)
    spare.give(array)
    spare.give(array[:10])
    assert not np.shares_memory(array, spare.take(10))


@given(st.lists(st.integers(0, 1000), max_size=50), st.integers(0, 400))
def test_memory_used_again(values: list[int], size: int) -> None:
    """A pool hands its memory over as another array, and is then empty."""
    pool: GrowingArray[np.uint32] = GrowingArray(np.uint32)
    pool.append(np.array(values, dtype=np.uint32), 0.5)
    room = pool.reuse(size, np.uint64)
    assert (len(room), room.dtype, len(pool)) == (size, np.dtype(np.uint64), 0)
    room[:] = 7
    pool.append(np.array(values, dtype=np.uint32), 1.0)
    assert pool.array().tolist() == values
    assert (room == 7).all()

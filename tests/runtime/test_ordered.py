"""The array that threads fill in order: it holds what one thread would have appended, whoever comes first."""

from __future__ import annotations

import threading
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.runtime.ordered import OrderedArray
from dedup.runtime.threads import map_blocks
from tests.kernel_arrays import dtypes

blocks = st.lists(st.lists(st.integers(0, (1 << 32) - 1), max_size=40), max_size=20)


@given(blocks, st.integers(0, 100), st.randoms(use_true_random=False), st.booleans())
def test_blocks_are_in_order(parts: list[list[int]], total: int, random: Random, lent: bool) -> None:
    """Put in any order, from arrays of their own or from lent ones, with any forecast."""
    rows = OrderedArray(np.uint32, total, alone=False)
    numbers = list(range(len(parts)))
    random.shuffle(numbers)
    for number in numbers:
        values = np.array(parts[number], dtype=np.uint32)
        if lent:
            buffer = rows.buffer(len(values) + random.randrange(9))
            buffer[: len(values)] = values
            values = buffer[: len(values)]
        rows.put(number, values, 1)
    whole = [value for part in parts for value in part]
    assert (len(whole), whole, "uint32") == (len(rows), rows.array().tolist(), dtypes(rows.array()))


@given(blocks, st.integers(0, 100))
def test_one_thread_writes_in_place(parts: list[list[int]], total: int) -> None:
    """What one thread appends is written where it stays, where there is space."""
    rows = OrderedArray(np.uint32, total, alone=True, memory=np.empty(50, dtype=np.uint32))
    for number, part in enumerate(parts):
        buffer = rows.buffer(len(part))
        if part and len(rows) + len(part) <= 50:
            assert buffer.ctypes.data == rows.array().ctypes.data + 4 * len(rows)
        buffer[:] = part
        rows.put(number, buffer, 1)
    assert [value for part in parts for value in part] == rows.array().tolist()


@pytest.mark.parametrize("total", [1, 200, 10**9])
@pytest.mark.parametrize("threads", [2, 7])
def test_threads_fill_it(threads: int, total: int) -> None:
    """Blocks of all sizes, and rows that move again and again while others write."""
    sizes = [Random(7).choice([0, 1, 50, 3000, 200_000]) for _ in range(200)]
    rows = OrderedArray(np.int64, total, alone=False)

    def work(number: int) -> None:
        buffer = rows.buffer(sizes[number] + 10)
        buffer[: sizes[number]] = number
        rows.put(number, buffer[: sizes[number]], 1)

    for _ in map_blocks(work, range(len(sizes)), threads):
        pass
    assert np.array_equal(np.repeat(np.arange(len(sizes)), sizes), rows.array())


def test_an_interrupt_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that is interrupted while it copies leaves the others free to go on, and to move the rows."""
    rows = OrderedArray(np.int64, 1, alone=False)
    rows.put(0, np.zeros(10, dtype=np.int64), 1)
    inner = rows._rows  # noqa: SLF001  # an interrupt in the middle of a copy

    class Interrupted:
        def __init__(self, room: Any) -> None:
            self.ctypes, self.room = room.ctypes, room

        def __setitem__(self, key: Any, value: Any) -> None:
            raise KeyboardInterrupt

    room = inner.room
    monkeypatch.setattr(inner, "room", lambda size, share: Interrupted(room(size, share)))
    with pytest.raises(KeyboardInterrupt):
        rows.put(1, np.ones(10, dtype=np.int64), 1)
    monkeypatch.undo()
    done = threading.Event()

    def others() -> None:
        rows.put(2, np.ones(1 << 20, dtype=np.int64), 1)  # the rows move
        done.set()

    threading.Thread(target=others, daemon=True).start()
    assert done.wait(30)


def test_the_memory_is_used_again() -> None:
    """The same memory, if it is large enough."""
    rows = OrderedArray(np.uint32, 1, alone=False)
    rows.put(0, np.arange(100, dtype=np.uint32), 1)
    place = rows.array().ctypes.data
    again = rows.reuse(50, np.uint64)
    assert (50, "uint64", place, 0) == (len(again), dtypes(again), again.ctypes.data, len(rows))
    assert 1000 == len(rows.reuse(1000, np.uint64))

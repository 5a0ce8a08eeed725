"""Memory: an array that grows at its end, arrays that go round between threads, and what is handed back."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.runtime.threads import this_thread

__all__ = ["BufferPool", "GiveBuffer", "GrowingArray", "give_back", "new_buffer"]

PAGE = 1 << 21
"""Bytes of a large page, where the system has such; elsewhere a few bytes of address space more."""

SLACK = 1 << 26
"""Bytes that a room is larger than was asked for, at most: so it is large enough for a block that is a bit larger.
Curve: `benchmarks.tuning.buffers_slack`."""

Item = TypeVar("Item", bound=np.generic)

ROOM = 1.5
"""What is reserved beyond the forecast; pages that nothing was written to take no memory. Curve:
`benchmarks.tuning.buffers_room`."""


class GrowingArray(Generic[Item]):
    """Rows of one dtype, appended block by block.

    `append` is told which share of the whole has come in, and reserves room for all of it from the first block on; so
    the rows are moved seldom, and the memory is what they hold, not twice that while they grow.
    """

    def __init__(self, dtype: type[Item], room: npt.NDArray[Any] | None = None) -> None:
        """Begin with nothing; `room` is the memory to fill first, of the same dtype."""
        self._array: npt.NDArray[Any] = np.empty(0, dtype=dtype) if room is None else room
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def tail(self, size: int) -> npt.NDArray[Item] | None:
        """Return the room for `size` rows behind the last, None where there is less: `append` need not copy from it."""
        return self._array[self._size : self._size + size] if self._size + size <= len(self._array) else None

    def append(self, values: npt.NDArray[Item], share: float) -> None:
        """Append `values`, with which `share` (0 to 1) of everything has come in."""
        end = self._size + len(values)
        if end > len(self._array):
            forecast = int(ROOM * end / max(share, 1e-6)) if end else 0
            grown = np.empty(max(end + 1024, min(forecast, 64 * end)), dtype=self._array.dtype)
            grown[: self._size] = self._array[: self._size]
            self._array = grown
        room = self._array[self._size : end]
        if values.ctypes.data != room.ctypes.data:  # else it was written to `tail`
            room[:] = values
        self._size = end

    def cut(self, size: int) -> None:
        """Drop all rows after the first `size`."""
        self._size = min(self._size, size)

    def array(self) -> npt.NDArray[Item]:
        """Return the rows so far, without a copy."""
        return self._array[: self._size]

    def reuse(self, size: int, dtype: Any) -> npt.NDArray[Any]:
        """Return an array with anything in it, in the same memory where that is large enough; the pool is empty then.

        Memory that was used before costs less than memory that a system has to find first.
        """
        room = self._array.view(np.uint8)
        self._array, self._size = self._array[:0].copy(), 0
        needed = size * np.dtype(dtype).itemsize
        return room[:needed].view(dtype) if needed <= len(room) else np.empty(size, dtype=dtype)


class BufferPool:
    """Large arrays that are handed out, given back, and handed out again.

    Threads that make a large array for each block get new pages for it each time, which costs more than to fill them. A
    thread gets back what it gave, where it can: that lies in its own cache.
    """

    def __init__(self) -> None:
        self._rooms: dict[int, list[npt.NDArray[np.uint8]]] = {}  # by thread; append and pop are atomic
        self._most = 0  # bytes asked for so far: others will be asked for as many

    def take(self, size: int, dtype: Any = np.uint64) -> npt.NDArray[Any]:
        """Return an array of `size`, with anything in it."""
        needed = np.dtype(dtype).itemsize * size
        room = self._found()
        if room is None or room.nbytes < needed:
            self._most = max(self._most, needed)
            room = _aligned(np.empty(self._most + min(self._most, SLACK), dtype=np.uint8))
        return room[:needed].view(dtype)

    def give(self, array: npt.NDArray[Any]) -> None:
        """Take back an array that `take` returned, or a view of it, that nobody will look at again."""
        room = array.base
        if isinstance(room, np.ndarray) and room.dtype == np.uint8:
            self._rooms.setdefault(this_thread(), []).append(_aligned(room))

    def _found(self) -> npt.NDArray[np.uint8] | None:
        own = self._rooms.get(this_thread())
        for rooms in (own, *self._rooms.copy().values()):
            if rooms:
                try:
                    return rooms.pop()
                except IndexError:  # another thread was faster
                    continue
        return None


GiveBuffer = Callable[[int], npt.NDArray[np.uint64]]


def new_buffer(size: int) -> npt.NDArray[np.uint64]:
    """Return a uint64 array of `size`, with anything in it."""
    return np.empty(size, dtype=np.uint64)


def _aligned(room: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return what of an array begins where a large page does: one page fault then brings in much of what is used."""
    return room[-room.ctypes.data % PAGE :] if len(room) >= 4 * PAGE else room


def give_back() -> None:
    """Hand what was freed back to the system, where the C library keeps it for later (glibc); a matter of milliseconds.

    Between two steps of a run under a bound: what the first let go of would stand beside what the second takes.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)

"""Memory: an array that grows at its end, a pool of buffers for threads, and freed memory returned to the system."""

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

PAGE_BYTES = 1 << 21
"""Bytes of a large memory page, on systems that have them. Elsewhere it only costs a few bytes of address space."""

SLACK = 1 << 26
"""Bytes that a new buffer is larger than the largest request so far, at most: so a slightly larger block fits too.
Curve: `benchmarks.tuning.buffers_slack`; flat from 2^23 to 2^26 on generated:10000, where 2^20 takes 1.07 times as long
and 2^29 takes 1.08 times as long (two cores, 2026-11)."""

Item = TypeVar("Item", bound=np.generic)

RESERVE_FACTOR = 1.5
"""Reserved size over the forecast size. Reserved pages that were never written to take no memory. Curve:
`benchmarks.tuning.buffers_reserve_factor`; flat from 1.0 to 4.0 on generated:10000 (two cores, 2026-11)."""


class GrowingArray(Generic[Item]):
    """Rows of one dtype, appended block by block.

    `append` gets the share of the input that was read so far. From the first block on it reserves memory for all
    blocks. So the rows are seldom moved, and the array does not take twice its memory while it grows.
    """

    def __init__(self, dtype: type[Item], buffer: npt.NDArray[Any] | None = None) -> None:
        """Start empty; `buffer` is an array of the same dtype that is filled first."""
        self._array: npt.NDArray[Any] = np.empty(0, dtype=dtype) if buffer is None else buffer
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def tail(self, size: int) -> npt.NDArray[Item] | None:
        """Return the free space for `size` rows after the last row, or None if there is less.

        Rows that were written there are appended without a copy.
        """
        return self._array[self._size : self._size + size] if self._size + size <= len(self._array) else None

    def fits(self, size: int) -> bool:
        """Return whether `size` more rows fit without moving the rows."""
        return self._size + size <= len(self._array)

    def room(self, size: int, share: float) -> npt.NDArray[Item]:
        """Append `size` rows that are not initialised, and return them; `share` is that of `append`."""
        end = self._size + size
        if end > len(self._array):
            forecast = int(RESERVE_FACTOR * end / max(share, 1e-6)) if end else 0
            grown = np.empty(max(end + 1024, min(forecast, 64 * end)), dtype=self._array.dtype)
            grown[: self._size] = self._array[: self._size]
            self._array = grown
        free = self._array[self._size : end]
        self._size = end
        return free

    def append(self, values: npt.NDArray[Item], share: float) -> None:
        """Append `values`; `share` (0 to 1) is the share of the whole input that is read with them."""
        free = self.room(len(values), share)
        if values.ctypes.data != free.ctypes.data:  # else the rows were written to `tail`
            free[:] = values

    def cut(self, size: int) -> None:
        """Drop all rows after the first `size`."""
        self._size = min(self._size, size)

    def array(self) -> npt.NDArray[Item]:
        """Return the rows appended so far, without a copy."""
        return self._array[: self._size]

    def reuse(self, size: int, dtype: Any) -> npt.NDArray[Any]:
        """Return an uninitialised array, in the memory of this one if that is large enough. This array is empty then.

        Memory that was used before costs less than new memory from the system.
        """
        buffer = self._array.view(np.uint8)
        self._array, self._size = self._array[:0].copy(), 0
        needed = size * np.dtype(dtype).itemsize
        return buffer[:needed].view(dtype) if needed <= len(buffer) else np.empty(size, dtype=dtype)


class BufferPool:
    """Large arrays that are lent, returned, and lent again.

    A thread that allocates a large array for each block gets new memory pages each time, and these cost more than
    filling the array. If possible, a thread gets a buffer that it returned itself, since that is in its own cache.
    """

    def __init__(self) -> None:
        self._buffers: dict[int, list[npt.NDArray[np.uint8]]] = {}  # by thread; append and pop are atomic
        self._largest = 0  # bytes of the largest request so far; other threads will need as many

    def take(self, size: int, dtype: Any = np.uint64) -> npt.NDArray[Any]:
        """Return an uninitialised array of `size` items."""
        needed = np.dtype(dtype).itemsize * size
        buffer = self._found()
        if buffer is None or buffer.nbytes < needed:
            self._largest = max(self._largest, needed)
            buffer = _aligned(np.empty(self._largest + min(self._largest, SLACK), dtype=np.uint8))
        return buffer[:needed].view(dtype)

    def give(self, array: npt.NDArray[Any]) -> None:
        """Take back an array from `take`, or a view of it. The caller may not use it again."""
        buffer = array.base
        if isinstance(buffer, np.ndarray) and buffer.dtype == np.uint8:
            self._buffers.setdefault(this_thread(), []).append(_aligned(buffer))

    def _found(self) -> npt.NDArray[np.uint8] | None:
        own = self._buffers.get(this_thread())
        for buffers in (own, *self._buffers.copy().values()):
            if buffers:
                try:
                    return buffers.pop()
                except IndexError:  # another thread was faster
                    continue
        return None


GiveBuffer = Callable[[int], npt.NDArray[np.uint64]]


def new_buffer(size: int) -> npt.NDArray[np.uint64]:
    """Return an uninitialised uint64 array of `size` items."""
    return np.empty(size, dtype=np.uint64)


def _aligned(buffer: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the part of a buffer from its first large page on: so one page fault maps a large part of the buffer."""
    return buffer[-buffer.ctypes.data % PAGE_BYTES :] if len(buffer) >= 4 * PAGE_BYTES else buffer


def give_back() -> None:
    """Return freed memory to the system, if the C library (glibc) keeps it for later. It takes milliseconds.

    Call it between two steps of a run with a memory bound. Otherwise the memory that the first step freed counts in
    addition to what the second allocates.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)

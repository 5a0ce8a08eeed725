"""Memory that is used again: an array that grows at its end, and arrays that go round between threads."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["Pool", "Spare"]

Item = TypeVar("Item", bound=np.generic)

ROOM = 1.5
"""What is reserved beyond the forecast; pages that nothing was written to take no memory."""


class Pool(Generic[Item]):
    """Rows of one dtype, appended block by block.

    `append` is told which share of the whole has come in, and reserves room for all of it from the first block on; so
    the rows are moved seldom, and the memory is what they hold, not twice that while they grow.
    """

    def __init__(self, dtype: type[Item]) -> None:
        self._array: npt.NDArray[Any] = np.empty(0, dtype=dtype)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def append(self, values: npt.NDArray[Item], share: float) -> None:
        """Append `values`, with which `share` (0 to 1) of everything has come in."""
        end = self._size + len(values)
        if end > len(self._array):
            forecast = int(ROOM * end / max(share, 1e-6)) if end else 0
            grown = np.empty(max(end + 1024, min(forecast, 64 * end)), dtype=self._array.dtype)
            grown[: self._size] = self._array[: self._size]
            self._array = grown
        self._array[self._size : end] = values
        self._size = end

    def array(self) -> npt.NDArray[Item]:
        """Return the rows so far, without a copy."""
        return self._array[: self._size]


class Spare:
    """Large arrays that are handed out, given back, and handed out again.

    Threads that make a large array for each block get new pages for it each time, which costs more than to fill them.
    """

    def __init__(self) -> None:
        self._spare: list[npt.NDArray[np.uint8]] = []  # append and pop are atomic

    def take(self, size: int, dtype: Any = np.uint64) -> npt.NDArray[Any]:
        """Return an array of `size`, with anything in it."""
        needed = np.dtype(dtype).itemsize * size
        try:
            room = self._spare.pop()
        except IndexError:
            room = np.empty(0, dtype=np.uint8)
        if room.nbytes < needed:
            room = np.empty(needed + needed // 64 * 8, dtype=np.uint8)
        return room[:needed].view(dtype)

    def give(self, array: npt.NDArray[Any]) -> None:
        """Take back an array that `take` returned, or a view of it, that nobody will look at again."""
        room = array.base
        if isinstance(room, np.ndarray) and room.dtype == np.uint8:
            self._spare.append(room)

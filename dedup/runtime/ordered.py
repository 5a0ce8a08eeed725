"""An array that several threads fill at once: each copies its own block, and the blocks are in order.

A block can be copied when the sizes of all blocks before it are known. So a thread leaves its block here, and copies
the blocks whose turn it is: mostly its own. When the thread that waits for results copied them all, one after the
other, that took an eighth of a search of 2 GB of text with one thread, and nearly half of what sixteen threads would
take (`benchmarks.speed.serial_share`).
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.runtime.buffers import BufferPool, GrowingArray
from dedup.runtime.threads import condition

__all__ = ["OrderedArray"]

Item = TypeVar("Item", bound=np.generic)


class OrderedArray(Generic[Item]):
    """Rows of one dtype that threads append; the rows of block n + 1 follow those of block n.

    `total` is the sum of the shares of all blocks, in any unit, if only about: memory is reserved by it. `alone` says
    that one thread appends all blocks. `memory` is an array of the same dtype that is filled first.
    """

    def __init__(self, dtype: type[Item], total: int, *, alone: bool, memory: npt.NDArray[Any] | None = None) -> None:
        self._dtype, self._total, self._alone = dtype, max(total, 1), alone
        self._rows: GrowingArray[Item] = GrowingArray(dtype, memory)
        self._spare = BufferPool()
        self._changed = condition()
        self._waiting: dict[int, tuple[npt.NDArray[Item], int]] = {}  # blocks to be copied, by number
        self._next, self._done = 0, 0  # the block whose turn it is; the shares of the blocks before it
        self._writers: set[object] = set()  # one for each copy that is under way

    def __len__(self) -> int:
        return len(self._rows)

    def buffer(self, size: int) -> npt.NDArray[Item]:
        """Return an array that is not initialised, for `size` rows of a block: to be put, or any first part of it.

        If one thread appends all blocks, it is the free space after the last row, if that is large enough.
        """
        tail = self._rows.tail(size) if self._alone else None
        return self._spare.take(size, self._dtype) if tail is None else tail

    def put(self, number: int, values: npt.NDArray[Item], share: int) -> None:
        """Append the rows of block `number`, at once or when the blocks before it are there.

        Each number is put once, from 0 on. `values` may not be used afterwards. No thread waits for a block: one that
        is early leaves its block to the thread that is late.
        """
        with self._changed:
            self._waiting[number] = values, share
        while self._place():
            pass

    def _place(self) -> bool:
        """Copy the block whose turn it is. Return whether there was one."""
        writer = object()
        try:  # an interrupt must leave no writer behind, for which another thread would wait
            with self._changed:
                if self._next not in self._waiting:
                    return False
                values, share = self._waiting.pop(self._next)
                if not self._rows.fits(len(values)):  # the rows move: nobody writes meanwhile, and nobody has a turn
                    self._changed.wait_for(lambda: not self._writers)
                self._done += share
                room = self._rows.room(len(values), min(self._done / self._total, 1.0))
                self._writers.add(writer)
                self._next += 1
            if room.ctypes.data != values.ctypes.data:  # else they were written there
                room[:] = values
        finally:
            with self._changed:
                self._writers.discard(writer)
                self._changed.notify_all()
        self._spare.give(values)
        return True

    def array(self) -> npt.NDArray[Item]:
        """Return the rows of all blocks, without a copy."""
        assert not self._waiting, "each block is put once, and none is left out"
        return self._rows.array()

    def reuse(self, size: int, dtype: Any) -> npt.NDArray[Any]:
        """Return an array that is not initialised, in the memory of this one if that is large enough.

        This one is empty afterwards.
        """
        return self._rows.reuse(size, dtype)

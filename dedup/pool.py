"""An array that grows at its end without being copied on the way, where the system can move its pages."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["Pool"]

Item = TypeVar("Item", bound=np.generic)

GROWTH = 1.25
"""Room that is asked for ahead; pages that nothing was written to take no memory."""


class Pool(Generic[Item]):
    """Rows of one dtype, appended block by block: memory is what they hold, not twice that while they grow."""

    def __init__(self, dtype: type[Item]) -> None:
        self._array: npt.NDArray[Any] = np.empty(1024, dtype=dtype)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def append(self, values: npt.NDArray[Item]) -> None:
        """Append `values`; no array that `array` returned may be in use any more."""
        end = self._size + len(values)
        if end > len(self._array):
            # realloc moves large arrays by their page tables; refcheck would forbid it for no reason here
            self._array.resize(max(end, int(GROWTH * len(self._array))), refcheck=False)
        self._array[self._size : end] = values
        self._size = end

    def array(self) -> npt.NDArray[Item]:
        """Return the rows so far, without a copy."""
        return self._array[: self._size]

"""A vocabulary: the tokens of a search as numbers of 32 bits, which are equal where the tokens are.

The definition is in `dedup.kernels.vocabulary`. Stretches of tokens are compared, hashed and looked up by these
numbers: they take half the memory of the hashes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.runtime.threads import lock

__all__ = ["Vocabulary"]

VOCABULARY_ROWS = 1 << 12
"""Rows of the first table."""

MOVED_ROWS = 1 << 4
"""Rows of the first table of moved tokens."""


class Vocabulary:
    """Numbers tokens, from several threads, one of them at a time."""

    def __init__(self) -> None:
        self._table = np.zeros(VOCABULARY_ROWS, dtype=np.uint64)
        self._moved = np.zeros((MOVED_ROWS, 2), dtype=np.uint64)
        self._counts = np.zeros(2, dtype=np.int64)
        self._turn = lock()

    @property
    def bytes(self) -> int:
        """The memory that it takes."""
        return self._table.nbytes + self._moved.nbytes

    def number(
        self, tokens: npt.NDArray[np.uint64], numbers: npt.NDArray[np.uint32] | None = None
    ) -> npt.NDArray[np.uint32]:
        """Return the numbers of tokens (uint64 hashes), in `numbers` if it is given."""
        from dedup.kernels.vocabulary import number_tokens

        numbers = np.empty(len(tokens), dtype=np.uint32) if numbers is None else numbers
        with self._turn:
            done = 0
            while (done := number_tokens(tokens, done, self._table, self._moved, self._counts, numbers)) < len(tokens):
                self._widen()
        return numbers

    def _widen(self) -> None:
        """Make the full table wider, or both."""
        from dedup.kernels.vocabulary import TOKENS_KNOWN, TOKENS_MOVED, widen_moved, widen_vocabulary

        if self._counts[TOKENS_KNOWN] >= 3 * len(self._table) // 4:
            wider = np.zeros(2 * len(self._table), dtype=np.uint64)
            widen_vocabulary(self._table, wider)
            self._table = wider
        if self._counts[TOKENS_MOVED] >= len(self._moved) // 2:
            moved = np.zeros((2 * len(self._moved), 2), dtype=np.uint64)
            widen_moved(self._moved, moved)
            self._moved = moved

"""Records that a reader finds one by one, gathered to batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dedup.errors import InputError
from dedup.sources.files.batch import Batch, Token, Wanted, extra_array, id_array, text_array
from dedup.sources.files.listing import Entry
from dedup.sources.files.rejects import Reject

__all__ = ["Gathered", "Unreadable"]


class Unreadable(Exception):  # noqa: N818  (it becomes a reject)
    """A record cannot be read; the message says why."""


class Gathered:
    """The records of a file since its last batch.

    Parameters
    ----------
    entry, number : the file, and its number in the listing
    wanted : the columns
    first : the number of the first record
    """

    def __init__(self, entry: Entry, number: int, wanted: Wanted, first: int) -> None:
        self._entry, self._number, self._wanted, self._first = entry, number, wanted, first
        self._begin(first)

    def _begin(self, first: int) -> None:
        self._first, self._size = first, 0
        self._numbers: list[int] = []
        self._offsets: list[int] = []
        self._values: dict[str, list[Any]] = {name: [] for name in self._wanted.names}
        self._rejects: list[Reject] = []

    @property
    def full(self) -> bool:
        """Return whether it is time for a batch."""
        limits = self._wanted.limits
        return self._size >= limits.size or len(self._numbers) + len(self._rejects) >= limits.records

    @property
    def empty(self) -> bool:
        """Return whether there is nothing since the last batch."""
        return not self._numbers and not self._rejects

    def add(self, record: int, offset: int, values: Mapping[str, Any]) -> None:
        """Add a record: its number, where it begins, and its wanted values."""
        self._numbers.append(record)
        self._offsets.append(offset)
        for name, found in self._values.items():
            found.append(values[name])
        text = values[self._wanted.column]
        if text is not None and not isinstance(text, str):
            raise InputError(
                f"{self._wanted.option_of(self._wanted.column)}: expected a column of texts in {self._entry.path}, "
                f"found {type(text).__name__}; name another"
            )
        self._size += len(text or "")

    def reject(self, record: int, offset: int, reason: str) -> None:
        """Add a record that cannot be read."""
        self._rejects.append(Reject(self._entry.path, record, offset, reason))

    def batch(self, offset: int, record: int) -> Batch:
        """Return the batch of what was gathered; the next record has this place and number."""
        return self._made([self._number, offset, record])

    def last(self) -> Batch:
        """Return the batch of what was gathered; nothing of the file is left, nor to be told of it."""
        return self._made([self._number + 1, 0, 1])

    def _made(self, more: Token) -> Batch:
        wanted, numbers = self._wanted, self._numbers

        def place(i: int) -> str:
            return f"{self._entry.path}:{numbers[i]}"

        values = self._values
        made = Batch(
            self._number,
            self._first,
            np.array(numbers, dtype=np.int64),
            text_array(values[wanted.column]),
            None if wanted.id is None else id_array(values[wanted.id], wanted.id, place),
            {name: extra_array(values[name], name, place) for name in wanted.extra},
            np.array(self._offsets, dtype=np.int64),
            self._rejects,
            more,
        )
        self._begin(more[2])
        return made

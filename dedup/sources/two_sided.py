"""Two collections as one: the texts of the left side, then those of the right side, each with its own ids.

Row r is the left text r, or the right text ``r - len(left)``. Errors name the side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.errors import DedupError, StorageError
from dedup.sources.coerce import Block, Texts, read_texts

__all__ = ["Sides", "naming", "read_side", "same_ids"]


@contextmanager
def naming(side: str) -> Iterator[None]:
    """Prefix the message of an error with the name of a side."""
    try:
        yield
    except DedupError as error:
        raise _with_message(error, f"{side}: {error}") from error


@contextmanager
def renaming(names: Mapping[str, str]) -> Iterator[None]:
    """Replace the names of the sides in the messages of errors."""
    try:
        yield
    except DedupError as error:
        side, colon, rest = str(error).partition(": ")
        raise _with_message(error, f"{names.get(side, side)}{colon}{rest}") from error


def _with_message(error: DedupError, message: str) -> DedupError:
    """Return the same error with another message."""
    other = type(error)(message)
    if isinstance(error, StorageError) and isinstance(other, StorageError):
        other.errno = error.errno
    return other


def read_side(
    side: str, texts: Any, *, ids: Iterable[Any] | None, column: Any, id: str | None, usual: Any = None
) -> Texts:
    """Take the texts of one side in any form that `dedup.sources.coerce.read_texts` takes; errors name the side."""
    with naming(side):
        return read_texts(texts, ids=ids, column=column, id=id, usual=usual)


def same_ids(one: Texts, other: Texts) -> bool:
    """Return whether two collections have the same number of texts, with the same ids."""
    if len(one) != len(other):
        return False
    rows = np.arange(len(one), dtype=np.int64)
    return bool(one.ids_at(rows).equals(other.ids_at(rows)))


class Sides(Texts):
    """The texts of two sides, one side after the other; ids are per side."""

    def __init__(self, left: Texts, right: Texts, names: tuple[str, ...]) -> None:
        self.left, self.right, self.names, self.limits = left, right, names, left.limits
        self.at_hand = left.at_hand and right.at_hand

    @property
    def readable(self) -> bool:  # type: ignore[override]  # it depends on the sides
        """Whether the texts of both sides are there."""
        return self.left.readable and self.right.readable

    def __len__(self) -> int:
        return len(self.left) + len(self.right)

    def __getitem__(self, row: int) -> str:
        return self.left[row] if row < len(self.left) else self.right[row - len(self.left)]

    def about(self) -> int:
        """Return the approximate number of texts of both sides."""
        total = 0
        for name, texts in zip(self.names, (self.left, self.right), strict=True):
            with naming(name):
                total += texts.about()
        return total

    def lengths(self) -> npt.NDArray[np.int64]:
        """Return the length of each text in characters."""
        found = []
        for texts, name in ((self.left, self.names[0]), (self.right, self.names[1])):
            with naming(name):
                found.append(texts.lengths())
        return np.concatenate(found)

    def same_columns(self, other: Sides) -> bool:
        """Return whether several columns are the same, with texts of the same lengths, on both sides of another."""
        mine, theirs = (self.left, self.right), (other.left, other.right)
        return all(one.column_places == two.column_places for one, two in zip(mine, theirs, strict=True))

    def turned(self) -> Sides:
        """Return these texts with the right side first."""
        return Sides(self.right, self.left, self.names[::-1])

    def original(self, row: int) -> Any:
        """Return the value of a row of its side."""
        return self.left.original(row) if row < len(self.left) else self.right.original(row - len(self.left))

    def loads(self) -> Iterator[Callable[[], Block]]:
        """Yield a function that makes each block of both sides, in order."""
        for name, texts in zip(self.names, (self.left, self.right), strict=True):
            first = 0 if texts is self.left else len(self.left)  # the length is known once the left texts are read
            with naming(name):
                for load in texts.loads():
                    yield partial(_load, load, name, first)


def _load(load: Callable[[], Block], side: str, first: int) -> Block:
    with naming(side):
        block = load()
    return block._replace(first=first + block.first)

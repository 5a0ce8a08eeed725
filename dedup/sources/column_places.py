"""Where the texts of several columns are in the text that they are joined to.

A search of several columns reads the texts of a row as one, joined by a blank line (`dedup.sources.columns`). Its
results have places in a column. Here a place in the joined text becomes one in a column, and the other way round.
In naive Python, with the start of each part that is not empty::

    column = max(at for at, part in enumerate(parts) if part and start_of[at] <= start)
    column, start - start_of[column]

The start of a span is in the last part that begins at or before it, its end in the first part that ends at or after it:
so neither is ever in the blank line. A paragraph or a line lies in one part, since a blank line is between two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError
from dedup.options import shown
from dedup.sources.columns import BLANK_LINE

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ColumnPlaces", "ColumnSpans", "lengths_of_parts", "numbers_of"]

Numbers = npt.NDArray[np.int64]
Rows = npt.NDArray[np.integer]


class ColumnSpans(NamedTuple):
    """Spans (int64): the number of the column of each start and the character in it, the same of each end."""

    column: Numbers
    start: Numbers
    end_column: Numbers
    end: Numbers


class ColumnPlaces:
    """The places of several columns in their joined texts.

    `names` are those of the columns; `lengths` (rows, columns) the characters of each text, 0 of a missing one.
    """

    def __init__(self, names: Sequence[str], lengths: Numbers) -> None:
        self.names, self.lengths = tuple(names), lengths

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ColumnPlaces):
            return NotImplemented
        return self.names == other.names and np.array_equal(self.lengths, other.lengths)

    __hash__ = None  # type: ignore[assignment]

    def starts(self, rows: Rows) -> tuple[Numbers, Numbers]:
        """Return where the texts of each column begin in those of some rows, and their lengths (rows, columns)."""
        lengths = self.lengths[rows]
        reach = np.cumsum(np.where(lengths > 0, lengths + len(BLANK_LINE), 0), axis=1)
        starts = np.zeros_like(reach)
        starts[:, 1:] = reach[:, :-1]
        return starts, lengths

    def spans(self, rows: Rows, starts: Numbers, ends: Numbers) -> ColumnSpans:
        """Return spans of the joined texts of some rows as spans in columns. Cost: linear."""
        own, lengths = self.starts(rows)
        first, last = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
        for number in range(len(self.names)):
            first[(lengths[:, number] > 0) & (own[:, number] <= starts)] = number
        for number in reversed(range(len(self.names))):
            last[(lengths[:, number] > 0) & (own[:, number] + lengths[:, number] >= ends)] = number
        every = np.arange(len(rows))
        return ColumnSpans(first, starts - own[every, first], last, ends - own[every, last])

    def columns_of(self, rows: Rows, starts: Numbers, ends: Numbers, prefix: str = "") -> dict[str, Any]:
        """Return the columns of a table that say where spans begin and end: column, start, end_column, end."""
        found = self.spans(rows, starts, ends)
        columns: dict[str, Any] = {"column": self.named(found.column), "start": found.start}
        columns |= {"end_column": self.named(found.end_column), "end": found.end}
        return {f"{prefix}{name}": values for name, values in columns.items()}

    def joined(self, rows: Rows, columns: Numbers, places: Numbers) -> Numbers:
        """Return places in columns, of which `columns` has the numbers, as places in the joined texts of the rows."""
        own, _ = self.starts(rows)
        return own[np.arange(len(rows)), columns] + places

    def parts(self, row: int) -> list[tuple[int, int, int]]:
        """Return each column of a row that is not empty: its number, and its start and end in the joined text."""
        own, lengths = self.starts(np.array([row], dtype=np.int64))
        each = enumerate(zip(own[0].tolist(), lengths[0].tolist(), strict=True))
        return [(number, start, start + length) for number, (start, length) in each if length]

    def named(self, columns: Numbers) -> pa.Array:
        """Return the names of columns, by their numbers (Arrow array of strings)."""
        import pyarrow as pa

        return pa.array(self.names, type=pa.string()).take(pa.array(columns))


def numbers_of(names: Sequence[str], column: pa.ChunkedArray | pa.Array) -> Numbers:
    """Return the numbers of columns of these `names`, by name (strings of Arrow). Raise `InputError` for another."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.index_in(column, value_set=pa.array(names, type=pa.string()))
    if found.null_count:
        other = shown(column.filter(found.is_null())[0].as_py())
        raise InputError(f"expected one of the columns {', '.join(map(shown, names))}, found {other}; search again")
    return np.asarray(found.to_numpy(), dtype=np.int64)


def lengths_of_parts(columns: Sequence[Sequence[str]]) -> Numbers:
    """Return the characters of each text of several columns (int64: rows, columns)."""
    lengths = np.empty((len(columns[0]), len(columns)), dtype=np.int64)
    for number, texts in enumerate(columns):
        lengths[:, number] = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    return lengths

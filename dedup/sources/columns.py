"""Several columns as one text: a title and a body, joined by a blank line.

In naive Python: ``"\n\n".join(row[name] for name in names if row[name])``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, Self

from dedup.errors import InputError, ParameterError
from dedup.options import check_name, shown

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "BLANK_LINE",
    "Columns",
    "arrays_of_texts",
    "check_columns",
    "join_columns",
    "join_texts",
    "names_of",
    "plain_names",
]

BLANK_LINE = "\n\n"
"""What is between the texts of two columns."""


class Columns(str):
    """The names of several columns; as a str, what messages call them."""

    __slots__ = ("names",)
    names: tuple[str, ...]

    def __new__(cls, names: Iterable[str]) -> Self:
        """Take the names in order."""
        names = tuple(names)
        made = super().__new__(cls, ", ".join(names))
        made.names = names
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (self.names,)


def names_of(column: str) -> tuple[str, ...]:
    """Return the names of the columns of a text, of which there may be one."""
    return column.names if isinstance(column, Columns) else (column,)


def plain_names(column: str) -> Any:
    """Return a name, or a list of several, as JSON has them."""
    return list(column.names) if isinstance(column, Columns) else column


def check_columns(column: Any) -> str | None:
    """Return a `column` option: a name, several as `Columns`, or None. Raise `ParameterError` for any other value."""
    if isinstance(column, Columns):
        return column
    if not isinstance(column, (list, tuple)):
        return check_name("column", column)
    names = [check_name("column", name) for name in column]
    if not names or None in names or len(set(names)) < len(names):
        raise ParameterError(
            f"column: expected the name of a column, or a list of different names, found {shown(column)}"
        )
    known = [name for name in names if name is not None]
    return known[0] if len(known) == 1 else Columns(known)


def join_texts(columns: Sequence[Sequence[str]]) -> list[str]:
    """Return the texts of the rows of several columns. An empty text leaves no blank line."""
    return [BLANK_LINE.join(filter(None, row)) for row in zip(*columns, strict=True)]


def arrays_of_texts(column: Columns, parts: Sequence[pa.Array], place: str) -> list[pa.LargeStringArray]:
    """Return columns of Arrow as texts. Raise `InputError` if one of them has no texts; `place` is where it is."""
    import pyarrow as pa

    for name, part in zip(column.names, parts, strict=True):
        if not (pa.types.is_string(part.type) or pa.types.is_large_string(part.type) or pa.types.is_null(part.type)):
            raise InputError(f'column="{name}": expected texts in {place}, found {part.type}; name another column')
    return [part.cast(pa.large_string()) for part in parts]


def join_columns(column: Columns, parts: Sequence[pa.Array], place: str) -> pa.LargeStringArray:
    """Return what `join_texts` does for columns of Arrow. Raises as `arrays_of_texts`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    none = pa.scalar(None, pa.large_string())
    every = arrays_of_texts(column, parts, place)
    filled = [pc.if_else(pc.greater(pc.binary_length(texts), 0), texts, none) for texts in every]
    some = reduce(pc.or_, map(pc.is_valid, filled))  # Arrow leaves out a row of which all parts are null
    blank_line = pa.scalar(BLANK_LINE, pa.large_string())
    joined = pc.binary_join_element_wise(*(part.filter(some) for part in filled), blank_line, null_handling="skip")
    places = pc.if_else(some, pc.subtract(pc.cumulative_sum(some.cast(pa.int64())), 1), pa.scalar(None, pa.int64()))
    return joined.take(places).fill_null("")

"""Texts in any form: lists, dicts, generators, Arrow, pandas, polars, tables with a column, files.

Arrow columns are read through the Arrow C stream, so neither pandas nor polars is needed for their columns. A
collection that can be iterated only once (a generator, a stream) is read once and kept. Of a list the references are
copied, so that a search sees one state of it, even if it is changed meanwhile. The result is a
`dedup.sources.texts.Texts`.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from dedup.errors import InputError, ParameterError
from dedup.options import check_name, shown
from dedup.sources.arrow import ArrowTexts
from dedup.sources.column_places import ColumnPlaces, lengths_of_parts
from dedup.sources.columns import Columns, check_columns, join_texts, names_of
from dedup.sources.files.naming import Files, files
from dedup.sources.frames import Extra, column_in, fetched, imported, is_table, other_column, values_of
from dedup.sources.texts import BLOCK_LIMITS, INT64, Block, BlockLimits, Ids, ListTexts, Texts
from dedup.unit import Unit

__all__ = ["Block", "Ids", "ListTexts", "Texts", "in_a_list", "names_a_file", "read_once", "read_texts"]

LONGEST_NAME = 255
"""Characters of a text that may be the name of a file."""

NO_EXTRA: Extra = MappingProxyType({})


def read_texts(
    texts: Any,
    *,
    ids: Iterable[Any] | None = None,
    column: Any = None,
    id: str | None = None,
    extra: Extra = NO_EXTRA,
    several: bool = True,
    placed: bool = True,
    usual: Any = None,
    limits: BlockLimits = BLOCK_LIMITS,
) -> Texts:
    """Take `texts` in any form that a search accepts; raise `InputError` for anything else.

    `extra` are other columns that will be requested (`Texts.column`). `column` may name some columns, whose texts are
    joined, unless it must not name `several`; if they are `placed`, it is noted where each is. `usual` is the column of
    a collection that has columns, if `column` names none. `limits` says how large blocks are.

    A generator is read to its end and a list is copied, so that a result keeps the texts that were searched. Cost: no
    text is copied here; 8 bytes per text of a list.
    """
    column, usual = check_columns(column), check_columns(usual)
    if isinstance(column, Columns) and not several:
        raise _one_expected(column)
    id_column = check_name("id", id)
    _refuse(texts)
    if isinstance(texts, os.PathLike):
        texts, column = files(texts), usual if column is None else column
    if isinstance(texts, Files):
        if ids is not None:
            raise ParameterError('ids: files have their own; name the column of the ids with id="..."')
        return _one_column(texts.read(column=column, id=id_column, limits=limits), several=several)
    if isinstance(texts, Texts):
        return _one_column(texts, several=several)
    read_as = next(each for each in (column, usual, "text") if each is not None)
    names = names_of(read_as)
    extra = {**dict.fromkeys(names[1:], "column"), **extra}
    texts = imported(_held(fetched(texts, names[0], id_column, extra)))
    if is_table(texts):
        if ids is not None:
            raise ParameterError('ids: the collection is a table; name its id column with id="..."')
        parts = [_texts_of(column_in(texts, name, "column"), limits) for name in names]
        result = parts[0]
        if len(parts) > 1:
            columns = list(map(_read_part, names, parts))
            result = ListTexts(join_texts(columns), limits=limits)
            result.column_places = ColumnPlaces(names, lengths_of_parts(columns)) if placed else None
        result.others = partial(other_column, texts)
        result.text_column, result.id_column = read_as, id_column
        ids = None if id_column is None else values_of(column_in(texts, id_column, "id"))
    else:
        empty = isinstance(texts, list) and not texts  # no rows: it may be meant as a table
        for name, value in (("column", column), ("id", id_column)):
            if value is not None and not empty:
                raise ParameterError(
                    f"{name}={value!r} is for tables; found {type(texts).__name__} without columns; leave it out"
                )
        result, own = _collection(texts, limits)
        if empty and len(names) > 1 and placed:  # its tables have the columns that those of other rows have
            result.column_places = ColumnPlaces(names, lengths_of_parts([()] * len(names)))
        if own is not None and ids is not None:
            raise ParameterError("ids: the collection is a dict and has its own; leave ids out")
        ids = own if own is not None else ids
    if ids is not None:
        result.ids = _checked_ids(ids, len(result))
    return result


def _read_part(name: str, part: Texts) -> list[str]:
    """Return the texts of one of several columns. Raise `InputError` with its name if one is no text."""
    try:
        return [part[row] for row in range(len(part))]
    except InputError as error:
        raise InputError(f'column="{name}": {error}') from error


def _one_column(texts: Texts, *, several: bool) -> Texts:
    """Return texts. Raise `ParameterError` if they are of several columns, unless these are allowed."""
    if isinstance(texts.text_column, Columns) and not several:
        raise _one_expected(texts.text_column)
    return texts


def _one_expected(columns: Columns) -> ParameterError:
    """Return the error of what takes one column, for several."""
    return ParameterError(
        f"column: expected one column, found {shown(list(columns.names))}: an index takes the texts of one; join them "
        "first, as a column of their own"
    )


def read_once(texts: Any) -> bool:
    """Return whether a collection can be iterated only once."""
    return isinstance(texts, Iterator) or (
        hasattr(texts, "__arrow_c_stream__") and not hasattr(texts, "__len__") and not hasattr(texts, "project")
    )


def in_a_list(texts: Any, unit: Unit) -> Any:
    """Return the texts: one str in a list, if its parts are compared. Raise `InputError` if it is one text alone."""
    if not isinstance(texts, str):
        return texts
    if unit.whole:
        raise _one_text(texts, '[text], or use unit="paragraph" or "line"')
    return [texts]


def _one_text(text: str, advice: str) -> InputError:
    """Return the error for one text where several are needed; with how to search files, if it is the name of one."""
    named = f"; to search what is in {text!r}, pass dedup.files({text!r})" if names_a_file(text) else ""
    return InputError(f"expected a collection of texts, found one str; pass {advice}{named}")


def names_a_file(text: str) -> bool:
    """Return whether a text is the name of a file or folder that is there."""
    if not 0 < len(text) <= LONGEST_NAME or "\n" in text:
        return False
    try:
        return os.path.exists(text)
    except (OSError, ValueError):  # no name of a file, such as one with a null
        return False


def _refuse(texts: Any) -> None:
    """Raise `InputError` for what could be iterated, but is not an ordered collection of texts."""
    kind = type(texts).__name__
    if isinstance(texts, str):
        raise _one_text(texts, "[text]")
    if isinstance(texts, (bytes, bytearray, memoryview)):
        raise InputError(f"expected a collection of texts, found {kind}; decode it and pass [text]")
    if isinstance(texts, (set, frozenset)):
        raise InputError("expected texts in an order, found a set; pass sorted(texts), or a dict of id to text")
    if isinstance(texts, io.IOBase) or (hasattr(texts, "read") and hasattr(texts, "readline")):
        raise InputError(
            f"expected a collection of texts, found an open file ({kind}); pass its pathlib.Path, or, if each line is "
            "a text, list(file)"
        )
    dimensions = getattr(texts, "ndim", 1)
    if isinstance(dimensions, int) and dimensions != 1 and not is_table(texts):
        raise InputError(f"expected texts in one dimension, found {kind} of {dimensions}; pass texts.ravel()")


def _held(texts: Any) -> Any:
    """Return a list of what can be iterated only once, or may change meanwhile; columns and tables unchanged."""
    plain = isinstance(texts, Iterable) and not isinstance(texts, (tuple, Mapping)) and not hasattr(texts, "ndim")
    if plain and (isinstance(texts, list) or not (hasattr(texts, "__arrow_c_stream__") or is_table(texts))):
        return values_of(texts)
    return texts


def _collection(texts: Any, limits: BlockLimits) -> tuple[Texts, list[Any] | None]:
    if isinstance(texts, Mapping):
        items = values_of(texts.items())
        return ListTexts([text for _, text in items], limits=limits), [name for name, _ in items]
    if not isinstance(texts, Iterable):
        hint = "; call it, and pass what it returns" if callable(texts) else ""
        raise InputError(f"expected a collection of texts, found {type(texts).__name__}{hint}")
    return _texts_of(texts, limits), None


def _texts_of(column: Any, limits: BlockLimits) -> Texts:
    """Take one column of texts: through Arrow if it offers that, otherwise by iteration."""
    arrow = imported(column)
    if type(arrow).__name__ == "ChunkedArray":
        import pyarrow as pa

        if pa.types.is_dictionary(arrow.type) and arrow.num_chunks:
            arrow = pa.chunked_array([_spelled_out(chunk) for chunk in arrow.chunks])
        kind = arrow.type.value_type if pa.types.is_dictionary(arrow.type) else arrow.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            return ArrowTexts(arrow, limits=limits)
        if pa.types.is_null(kind):
            return ArrowTexts(arrow.cast(pa.large_string()), limits=limits)
    return ListTexts(arrow if isinstance(arrow, (list, tuple)) else values_of(arrow), limits=limits)


def _spelled_out(chunk: Any) -> Any:
    """Return the values of a dictionary chunk; strings as large strings, since Arrow cannot take from string views."""
    import pyarrow as pa

    values = chunk.dictionary
    if pa.types.is_string(values.type) or pa.types.is_string_view(values.type):
        values = values.cast(pa.large_string())
    try:
        return values.take(chunk.indices)
    except pa.ArrowIndexError as error:
        raise InputError(
            f"expected valid categories, found a damaged column: {error}; read it anew, or check it with "
            "validate(full=True)"
        ) from error


def _checked_ids(ids: Iterable[Any], count: int) -> Ids:
    unordered = isinstance(ids, (str, bytes, Mapping, set, frozenset, os.PathLike)) or getattr(ids, "ndim", 1) != 1
    if unordered or is_table(ids) or not isinstance(ids, Iterable):
        raise InputError(f"ids: expected a list, one id per text, found {type(ids).__name__} {shown(ids)}")
    values = [_plain(value) for value in values_of(ids)]
    if len(values) != count:
        raise InputError(f"ids: expected one per text, found {len(values)} for {count} texts")
    seen: dict[Any, int] = {}
    kind = type(values[0]) if values else int
    for row, value in enumerate(values):
        if value is None:
            raise InputError(f"ids: expected an int or a str at row {row}, found null")
        if type(value) not in (int, str):
            raise InputError(f"ids: expected an int or a str at row {row}, found {type(value).__name__} {shown(value)}")
        if type(value) is not kind:
            raise InputError(
                f"ids: expected one type, found {kind.__name__} {shown(values[0])} at row 0 and "
                f"{type(value).__name__} {shown(value)} at row {row}"
            )
        if kind is int and value not in INT64:
            raise InputError(f"ids: expected 64-bit integers, found {shown(value)} at row {row}; pass it as a str")
        if isinstance(value, str) and not value.isascii() and not _encodes(value):
            raise InputError(
                f"ids: expected texts that can be UTF-8, found {shown(value)} at row {row}, with half of a surrogate "
                "pair; replace it"
            )
        if value in seen:
            raise InputError(f"ids: expected unique ids, found {shown(value)} at row {seen[value]} and at row {row}")
        seen[value] = row
    return values


def _encodes(value: str) -> bool:
    """Return whether a text can be UTF-8: it has no half of a surrogate pair."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _plain(value: Any) -> Any:
    """Return a numpy integer or string as the Python type; missing values as None."""
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, str) and type(value) is not str:
        return str(value)
    missing = isinstance(value, float) and value != value
    return None if missing or type(value).__name__ in ("NAType", "NaTType") else value

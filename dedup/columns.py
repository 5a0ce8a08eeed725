"""Texts in any form: lists, dicts, generators, Arrow, pandas, polars, tables with a column, files.

Arrow columns come in through the Arrow C stream, so neither pandas nor polars is needed to accept theirs. What comes
out are `dedup.texts.Texts`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.corpus.collection import Files, files
from dedup.errors import InputError, ParameterError
from dedup.texts import BLOCK_BYTES, INT64, ArrowTexts, Block, Ids, ListTexts, Texts

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["BLOCK_BYTES", "Block", "Ids", "ListTexts", "Texts", "read_texts"]


def read_texts(
    texts: Any,
    *,
    ids: Iterable[Any] | None = None,
    column: str | None = None,
    id: str | None = None,
    extra: str | None = None,
) -> Texts:
    """Take `texts` in any form of contract section 1; raise `InputError` for what is none.

    `extra` is a further column that will be asked for (`Texts.column`).

    A generator is read to its end. Cost: nothing is copied here.
    """
    if isinstance(texts, str):
        raise InputError("expected a collection of texts, found one str; pass [text]")
    if isinstance(texts, (bytes, bytearray)):
        raise InputError(f"expected a collection of texts, found {type(texts).__name__}; decode it and pass [text]")
    if isinstance(texts, (set, frozenset)):
        raise InputError("expected texts in an order, found a set; pass sorted(texts), or a dict of id to text")
    if isinstance(texts, os.PathLike):
        texts = files(texts)
    if isinstance(texts, Files):
        if ids is not None:
            raise ParameterError('ids: files have their own; name the column that holds them with id="..."')
        return texts.read(column=column, id=id)
    if isinstance(texts, Texts):
        return texts
    texts = _imported(_fetched(texts, "text" if column is None else column, id, extra))
    table = _table(texts)
    if table is None:
        for name, value in (("column", column), ("id", id)):
            if value is not None:
                raise ParameterError(f"{name}={value!r} is for tables; found {type(texts).__name__} without columns")
        result, own = _collection(texts)
        if own is not None and ids is not None:
            raise ParameterError("ids: the collection is a dict and has its own; leave ids out")
        ids = own if own is not None else ids
    else:
        if ids is not None:
            raise ParameterError('ids: the collection is a table; name its id column with id="..."')
        result = _texts_of(_column(table, "text" if column is None else column, "column"))
        result.others = partial(_other_column, table)
        ids = None if id is None else _values(_column(table, id, "id"))
    if ids is not None:
        result.ids = _checked_ids(ids, len(result))
    return result


def _fetched(texts: Any, column: str, id: str | None, extra: str | None) -> Any:
    """Turn what is lazy or on disk into a table of the wanted columns alone; leave all else as it is.

    These are lazy polars frames, relations of DuckDB, and Hugging Face data sets, whose columns stay where they are
    mapped from disk; one that can only be gone through is gone through once.
    """
    if hasattr(texts, "collect") and hasattr(texts, "collect_schema"):
        return texts.select(_wanted(texts.collect_schema().names(), column, id, extra)).collect()
    if hasattr(texts, "with_format") and hasattr(texts, "select_columns"):
        names = texts.column_names
        view = texts if names is None else texts.select_columns(_wanted(names, column, id, extra))
        view = view.with_format("arrow")
        if hasattr(view, "__len__"):
            return view[:]
        import pyarrow as pa

        parts = [part.select(_wanted(part.column_names, column, id, extra)) for part in view.iter(batch_size=1000)]
        return pa.concat_tables(parts, promote_options="default") if parts else pa.table({column: pa.nulls(0)})
    if hasattr(texts, "__arrow_c_stream__") and hasattr(texts, "project"):
        import pyarrow as pa

        reader = pa.RecordBatchReader.from_stream(texts)
        wanted = _wanted(reader.schema.names, column, id, extra)
        schema = pa.schema([reader.schema.field(name) for name in wanted])
        return pa.Table.from_batches([part.select(wanted) for part in reader], schema)
    return texts


def _wanted(names: list[str], column: str, id: str | None, extra: str | None) -> list[str]:
    """Return the text column, that of the id if one is named, and the `extra` one if it is there.

    Raises `InputError` where the others are not.
    """
    _check_named(names, column, "column")
    if id is not None:
        _check_named(names, id, "id")
    return list(dict.fromkeys([column, *([] if id is None else [id]), *([extra] if extra in names else [])]))


def _collection(texts: Any) -> tuple[Texts, list[Any] | None]:
    if isinstance(texts, Mapping):
        return ListTexts(list(texts.values())), list(texts)
    if not isinstance(texts, Iterable) and not hasattr(texts, "__arrow_c_stream__"):
        raise InputError(f"expected a collection of texts, found {type(texts).__name__}")
    return _texts_of(texts), None


def _imported(texts: Any) -> Any:
    """Turn what is known by its Arrow stream alone into an Arrow table or column; leave all else as it is."""
    if not hasattr(texts, "__arrow_c_stream__") or _names(texts) is not None or isinstance(texts, Iterable):
        return texts
    import pyarrow as pa

    arrow = pa.chunked_array(texts)
    return pa.Table.from_struct_array(arrow) if pa.types.is_struct(arrow.type) else arrow


def _texts_of(column: Any) -> Texts:
    """Take one column of texts: Arrow where it offers itself as such, else anything iterable."""
    if hasattr(column, "__arrow_c_stream__") or hasattr(column, "__arrow_c_array__"):
        import pyarrow as pa

        try:
            arrow = pa.chunked_array(column if hasattr(column, "__arrow_c_stream__") else [pa.array(column)])
        except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError):
            arrow = None  # a column of mixed objects: looked at one by one, so that the error has a position
        if arrow is not None:
            if pa.types.is_dictionary(arrow.type) and arrow.num_chunks:
                arrow = pa.chunked_array([_spelled_out(chunk) for chunk in arrow.chunks])
            kind = arrow.type.value_type if pa.types.is_dictionary(arrow.type) else arrow.type
            if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
                return ArrowTexts(arrow)
            if pa.types.is_null(kind):
                return ArrowTexts(arrow.cast(pa.large_string()))
    return ListTexts(column if isinstance(column, (list, tuple)) else list(_values(column)))


def _spelled_out(chunk: Any) -> Any:
    """Return the values of a dictionary chunk; strings as long ones, since Arrow cannot take from string views."""
    import pyarrow as pa

    values = chunk.dictionary
    if pa.types.is_string(values.type) or pa.types.is_string_view(values.type):
        values = values.cast(pa.large_string())
    return values.take(chunk.indices)


def _values(column: Any) -> list[Any]:
    """Return the Python values of a column."""
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(column, method):
            return list(getattr(column, method)())
    return list(column)


def _table(texts: Any) -> Any:
    """Return `texts` if they are a table (frame, Arrow table, list of dicts, Hugging Face data set), else None."""
    if isinstance(texts, (list, tuple)):
        return texts if texts and isinstance(texts[0], Mapping) else None
    names = _names(texts)
    return texts if names is not None else None


def _names(table: Any) -> list[str] | None:
    """Return the column names of a table, None for anything else."""
    if isinstance(table, (list, tuple)):
        return list(dict.fromkeys(name for row in table if isinstance(row, Mapping) for name in row))
    if isinstance(table, (Mapping, str, bytes)):
        return None
    for attribute in ("column_names", "columns"):
        names = getattr(table, attribute, None)
        if names is not None and not callable(names):
            names = list(names)
            if all(isinstance(name, str) for name in names) and hasattr(table, "__getitem__"):
                return names
    return None


def _column(table: Any, name: str, option: str) -> Any:
    _check_named(_names(table) or [], name, option)
    if isinstance(table, (list, tuple)):
        for row, record in enumerate(table):
            if not isinstance(record, Mapping):
                raise InputError(f"expected a dict at position {row} as before, found {type(record).__name__}")
            if name not in record:
                raise InputError(
                    f'{option}="{name}": the row at position {row} has none; found {", ".join(map(repr, record))}'
                )
        return [record[name] for record in table]
    return table[name]


def _other_column(table: Any, name: str) -> pa.ChunkedArray:
    """Return the values of a column, a row of a list of dicts that lacks it being null."""
    import pyarrow as pa

    names = _names(table) or []
    if name not in names:
        raise ParameterError(f'keep: no column "{name}"; found {", ".join(map(repr, names[:20]))}')
    column = [row.get(name) for row in table] if isinstance(table, (list, tuple)) else table[name]
    try:
        if hasattr(column, "__arrow_c_stream__"):
            found = pa.chunked_array(column)
            # Arrow cannot take from views
            return found.cast(pa.large_string()) if pa.types.is_string_view(found.type) else found
        return pa.chunked_array([pa.array(_values(column), from_pandas=True)])
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError) as error:
        raise ParameterError(f'keep: expected values of one kind in the column "{name}"; {error}') from error


def _check_named(names: list[str], name: str, option: str) -> None:
    if name not in names:
        close = [known for known in names if known.lower() == name.lower()] or names
        raise InputError(f'{option}="{name}": no such column; found {", ".join(map(repr, close[:20]))}')


def _checked_ids(ids: Iterable[Any], count: int) -> Ids:
    values = [_plain(value) for value in _values(ids)]
    if len(values) != count:
        raise InputError(f"ids: expected one a text, found {len(values)} for {count} texts")
    seen: dict[Any, int] = {}
    kind = type(values[0]) if values else int
    for row, value in enumerate(values):
        if value is None:
            raise InputError(f"ids: expected an int or a str at row {row}, found null")
        if type(value) not in (int, str):
            raise InputError(f"ids: expected an int or a str at row {row}, found {type(value).__name__} {value!r:.60}")
        if type(value) is not kind:
            raise InputError(
                f"ids: expected one type, found {kind.__name__} {values[0]!r} at row 0 and "
                f"{type(value).__name__} {value!r} at row {row}"
            )
        if kind is int and value not in INT64:
            raise InputError(f"ids: expected 64-bit integers, found {value} at row {row}; pass it as a str")
        if value in seen:
            raise InputError(f"ids: expected each once, found {value!r} at row {seen[value]} and at row {row}")
        seen[value] = row
    return values


def _plain(value: Any) -> Any:
    """Return a numpy integer or string as the Python one; missing values as None."""
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, str) and type(value) is not str:
        return str(value)
    missing = isinstance(value, float) and value != value
    return None if missing or type(value).__name__ in ("NAType", "NaTType") else value

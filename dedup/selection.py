"""Rows of a collection taken back out of it, or with other texts, as the type that came in.

What is lazy or can be gone through once is read first (`unwrap`); the rest takes what has rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError

__all__ = ["replace_texts", "select_rows", "unwrap"]

Wrap = Callable[[Any], Any]


def unwrap(data: Any) -> tuple[Any, Wrap]:
    """Return `data` as something that has rows, and what makes of such again what came in: a generator stays a list."""
    if hasattr(data, "__fspath__") or hasattr(data, "listing"):
        raise InputError(
            "expected the collection that was searched, found files; search what they hold, or write the kept "
            "records with the command `dedup apply`"
        )
    if hasattr(data, "collect") and hasattr(data, "lazy"):  # a lazy polars frame
        return data.collect(), lambda frame: frame.lazy()
    if hasattr(data, "__arrow_c_stream__") and hasattr(data, "project"):  # a relation of DuckDB
        import pyarrow as pa

        return pa.RecordBatchReader.from_stream(data).read_all(), partial(_relation, data)
    if hasattr(data, "__arrow_c_stream__") and hasattr(data, "read_all"):  # Arrow's reader of record batches
        return data.read_all(), lambda table: table.to_reader()
    if isinstance(data, Iterable) and not hasattr(data, "__len__") and not hasattr(data, "num_rows"):
        return list(data), _same
    if hasattr(data, "__arrow_c_stream__") and not isinstance(data, Iterable) and not _is_arrow(data):
        return _read_stream(data), _same
    return data, _same


def _same(data: Any) -> Any:
    return data


def _read_stream(data: Any) -> Any:
    """Return what is known by its Arrow stream as an Arrow table or column."""
    import pyarrow as pa

    column = pa.chunked_array(data)
    return pa.Table.from_struct_array(column) if pa.types.is_struct(column.type) else column


def _relation(data: Any, kept_of_dedup: Any) -> Any:
    """Return an Arrow table as a relation of the connection that `data` is of."""
    import duckdb

    try:  # where the query names no table, DuckDB takes the variable of this name
        return data.query("searched_of_dedup", "SELECT * FROM kept_of_dedup")
    except duckdb.Error:  # it was told to look at no variables
        return duckdb.from_arrow(kept_of_dedup)


def select_rows(data: Any, kept: npt.NDArray[np.bool_]) -> Any:
    """Return the rows of `data` that are `kept`, of as many: order, index and other columns as they were."""
    if isinstance(data, Mapping):
        chosen = {key: value for (key, value), keep in zip(data.items(), kept, strict=True) if keep}
        return type(data)(chosen)  # type: ignore[call-arg]
    if isinstance(data, (list, tuple)):
        return _like(data, [value for value, keep in zip(data, kept, strict=True) if keep])
    if hasattr(data, "iloc"):  # pandas
        return data.iloc[np.flatnonzero(kept)]
    if isinstance(data, np.ndarray):
        return data[kept]
    if hasattr(data, "select") and hasattr(data, "column_names"):  # a Hugging Face data set, or an Arrow table
        return _take_arrow(data, kept) if _is_arrow(data) else data.select(np.flatnonzero(kept))
    if hasattr(data, "filter"):  # Arrow arrays, polars
        return _take_arrow(data, kept) if _is_arrow(data) else data.filter(kept)
    if isinstance(data, Iterable):
        return [value for value, keep in zip(data, kept, strict=True) if keep]
    raise InputError(f"filter: expected the collection that was searched, found {type(data).__name__}")


def replace_texts(data: Any, texts: Sequence[str | None], column: str) -> Any:
    """Return `data` with other `texts` in the same rows (in `column`, for tables), as the same type."""
    if isinstance(data, Mapping):
        return type(data)(dict(zip(data, texts, strict=True)))  # type: ignore[call-arg]
    if isinstance(data, (list, tuple)):
        if data and isinstance(data[0], Mapping):
            return _like(data, [{**row, column: text} for row, text in zip(data, texts, strict=True)])
        return _like(data, list(texts))
    if hasattr(data, "iloc"):
        return _replace_pandas(data, texts, column)
    if _is_arrow(data):
        return _replace_arrow(data, texts, column)
    if hasattr(data, "with_columns"):  # polars frame
        return data.with_columns(type(data[column])(column, list(texts)))
    if hasattr(data, "remove_columns") and hasattr(data, "add_column"):  # Hugging Face data set
        order = data.column_names
        return data.remove_columns([column]).add_column(column, list(texts)).select_columns(order)
    if isinstance(data, np.ndarray):
        return np.array(list(texts), dtype=object)
    if hasattr(data, "name") and hasattr(data, "filter"):  # polars series
        return type(data)(data.name, list(texts))
    return list(texts)


def _replace_pandas(data: Any, texts: Sequence[str | None], column: str) -> Any:
    if hasattr(data, "columns"):
        return data.assign(**{column: _replace_pandas(data[column], texts, column)})
    # what is left of a text is none of the categories
    kind = data.dtype.categories.dtype if hasattr(data.dtype, "categories") else data.dtype
    return type(data)(list(texts), index=data.index, name=data.name, dtype=kind)


def _replace_arrow(data: Any, texts: Sequence[str | None], column: str) -> Any:
    import pyarrow as pa

    if isinstance(data, (pa.Table, pa.RecordBatch)):
        place = data.schema.get_field_index(column)
        return data.set_column(place, data.schema.field(place), pa.array(texts, type=data.schema.field(place).type))
    array = pa.array(texts, type=data.type)
    return pa.chunked_array([array]) if isinstance(data, pa.ChunkedArray) else array


def _like(data: Any, values: list[Any]) -> Any:
    return tuple(values) if isinstance(data, tuple) else values


def _is_arrow(data: Any) -> bool:
    return type(data).__module__.split(".")[0] == "pyarrow"


def _take_arrow(data: Any, kept: npt.NDArray[np.bool_]) -> Any:
    """Return rows of an Arrow table or array; by way of long strings for views, which Arrow itself cannot select."""
    import pyarrow as pa

    if isinstance(data, (pa.Array, pa.ChunkedArray)) and pa.types.is_string_view(data.type):
        return _take_arrow(data.cast(pa.large_string()), kept).cast(data.type)
    if isinstance(data, (pa.Table, pa.RecordBatch)):
        for place, field in enumerate(data.schema):
            if pa.types.is_string_view(field.type):
                long = data.set_column(
                    place, field.with_type(pa.large_string()), data.column(place).cast(pa.large_string())
                )
                chosen = _take_arrow(long, kept)
                return chosen.set_column(place, field, chosen.column(place).cast(field.type))
    return data.filter(pa.array(kept))

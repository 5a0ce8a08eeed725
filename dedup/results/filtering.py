"""Rows of a collection taken back out of it, or with other texts, as the type that came in.

What is lazy or can be gone through once is read first (`unwrap`); the rest takes what has rows.
"""

from __future__ import annotations

from collections import defaultdict, deque
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
        return _mapping_like(data, chosen)
    if isinstance(data, (list, tuple, deque)):
        return _like(data, [value for value, keep in zip(data, kept, strict=True) if keep])
    if hasattr(data, "iloc"):  # pandas
        return data.iloc[np.flatnonzero(kept)]
    if type(data).__module__.split(".")[0] == "pandas":  # an index, an array of its own
        return data[np.flatnonzero(kept)]
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
        return _mapping_like(data, dict(zip(data, texts, strict=True)))
    if isinstance(data, (list, tuple, deque)):
        if data and isinstance(data[0], Mapping):
            return _like(data, [{**row, column: text} for row, text in zip(data, texts, strict=True)])
        return _like(data, list(texts))
    if type(data).__module__.split(".")[0] == "pandas" and not hasattr(data, "iloc"):
        return _replace_index(data, texts)
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


def _replace_index(data: Any, texts: Sequence[str | None]) -> Any:
    """Return an index, or an array, of pandas; what is left of a text is none of the categories."""
    import pandas as pd

    if hasattr(data, "name"):
        return pd.Index(list(texts), name=data.name)
    return pd.Categorical(list(texts)) if hasattr(data, "categories") else pd.array(list(texts), dtype=data.dtype)


def _replace_arrow(data: Any, texts: Sequence[str | None], column: str) -> Any:
    import pyarrow as pa

    if isinstance(data, (pa.Table, pa.RecordBatch)):
        place = data.schema.get_field_index(column)
        return data.set_column(place, data.schema.field(place), _arrow_of(texts, data.schema.field(place).type))
    array = _arrow_of(texts, data.type)
    return pa.chunked_array([array]) if isinstance(data, pa.ChunkedArray) else array


def _arrow_of(texts: Sequence[str | None], kind: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_run_end_encoded(kind):
        return pc.run_end_encode(pa.array(texts, type=kind.value_type), run_end_type=kind.run_end_type)
    return pa.array(texts, type=kind)


def _mapping_like(data: Any, chosen: dict[Any, Any]) -> Any:
    """Return a mapping of the same type, or a dict where it cannot be made anew. What was given is only read.

    A copy that is cleared would not do: that of a shelf has the same file behind it.
    """
    try:
        same = type(data)(data.default_factory, chosen) if isinstance(data, defaultdict) else type(data)(chosen)
        return same if dict(same) == chosen else chosen
    except Exception:  # noqa: BLE001  # whatever a type of the caller's raises
        return chosen


def _like(data: Any, values: list[Any]) -> Any:
    if isinstance(data, deque):
        return deque(values, data.maxlen)
    return tuple(values) if isinstance(data, tuple) else values


def _is_arrow(data: Any) -> bool:
    return type(data).__module__.split(".")[0] == "pyarrow"


def _take_arrow(data: Any, kept: npt.NDArray[np.bool_]) -> Any:
    """Return rows of an Arrow table or array, of what Arrow itself cannot select by way of another type."""
    import pyarrow as pa

    if isinstance(data, (pa.Array, pa.ChunkedArray)):
        return _take_column(data, kept)
    odd = [place for place, field in enumerate(data.schema) if _ways(field.type)]
    if not odd:
        return data.filter(pa.array(kept))
    others = data.select([place for place in range(data.num_columns) if place not in odd])
    chosen = others.filter(pa.array(kept)) if others.num_columns else None
    others_of = iter([] if chosen is None else chosen.columns)
    columns = [
        _take_column(data.column(place), kept) if place in odd else next(others_of) for place in range(data.num_columns)
    ]
    return type(data).from_arrays(columns, schema=data.schema)


def _take_column(column: Any, kept: npt.NDArray[np.bool_]) -> Any:
    import pyarrow as pa

    there, back = _ways(column.type) or (_same, _same)
    return back(there(column).filter(pa.array(kept)))


def _ways(kind: Any) -> tuple[Wrap, Wrap] | None:
    """Return what leads from a type that Arrow cannot select to one that it can, and back; None where it can."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string_view(kind):
        return partial(pc.cast, target_type=pa.large_string()), partial(pc.cast, target_type=kind)
    if pa.types.is_run_end_encoded(kind):
        return pc.run_end_decode, partial(pc.run_end_encode, run_end_type=kind.run_end_type)
    return None

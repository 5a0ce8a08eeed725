"""Select rows of a collection, or replace its texts, and return the type of the input.

`unwrap` first reads lazy collections and those that can be read only once. The other functions take collections with
rows.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError
from dedup.results.data.nested import in_data_set, replace_field
from dedup.sources.frames import column_names
from dedup.sources.nested import holder_of
from dedup.sources.paths import is_path

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["add_columns", "replace_texts", "select_rows", "unwrap"]

Wrap = Callable[[Any], Any]


def unwrap(data: Any) -> tuple[Any, Wrap]:
    """Return `data` as a collection with rows, and a function that turns such a collection into the type of `data`.

    A generator becomes a list, and is not turned back.
    """
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
    """Return an object that has only an Arrow stream as an Arrow table or column."""
    import pyarrow as pa

    column = pa.chunked_array(data)
    return pa.Table.from_struct_array(column) if pa.types.is_struct(column.type) else column


def _relation(data: Any, kept_of_dedup: Any) -> Any:
    """Return an Arrow table as a relation of the connection of `data`."""
    import duckdb

    try:  # DuckDB reads the variable of this name, since there is no such table
        return data.query("searched_of_dedup", "SELECT * FROM kept_of_dedup")
    except duckdb.Error:  # it was configured not to read variables
        return duckdb.from_arrow(kept_of_dedup)


def select_rows(data: Any, kept: npt.NDArray[np.bool_]) -> Any:
    """Return the rows of `data` that are `kept` (bool, one per row). Order, index and other columns are unchanged."""
    if isinstance(data, Mapping):
        chosen = {key: value for (key, value), keep in zip(data.items(), kept, strict=True) if keep}
        return _mapping_like(data, chosen)
    if isinstance(data, (list, tuple, deque)):
        return _like(data, [value for value, keep in zip(data, kept, strict=True) if keep])
    if hasattr(data, "iloc"):  # pandas
        return data.iloc[np.flatnonzero(kept)]
    if type(data).__module__.split(".")[0] == "pandas":  # an index or an array of pandas
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
    """Return `data` with `texts` in place of its texts (in `column`, for tables), as the same type."""
    if isinstance(data, Mapping):
        return _mapping_like(data, dict(zip(data, texts, strict=True)))
    rows = list(data) if isinstance(data, deque) else data
    holder = holder_of(column_names(rows) or (), column) if is_path(column) else None
    if holder is not None:
        changed = replace_field(rows, holder, texts, column, _arrow_of)
        return _like(data, changed) if isinstance(data, (tuple, deque)) else changed
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
        return in_data_set(data, column, list(texts))
    if isinstance(data, np.ndarray):
        return np.array(list(texts), dtype=object)
    if hasattr(data, "name") and hasattr(data, "filter"):  # polars series
        return type(data)(data.name, list(texts))
    return list(texts)


def add_columns(data: Any, columns: pa.Table) -> Any:
    """Return a table with the `columns` after its own, as the same type. A row of `columns` is for a row of `data`."""
    if isinstance(data, (list, tuple, deque)):
        return _like(data, [{**row, **more} for row, more in zip(data, columns.to_pylist(), strict=True)])
    if hasattr(data, "iloc"):  # pandas
        return data.assign(**{name: _series(columns[name], data.index) for name in columns.column_names})
    if _is_arrow(data):
        arrays = [column.combine_chunks() for column in columns.columns]
        fields = [*data.schema, *columns.schema]
        import pyarrow as pa

        return type(data).from_arrays([*data.columns, *arrays], schema=pa.schema(fields, data.schema.metadata))
    if hasattr(data, "with_columns"):  # polars frame
        return data.with_columns(*type(data)(columns).get_columns())
    if hasattr(data, "add_column"):  # Hugging Face data set
        for name in columns.column_names:
            data = data.add_column(name, columns[name].to_pylist())
        return data
    raise InputError(f"annotate: expected a table that was searched, found {type(data).__name__}")


def _series(column: pa.ChunkedArray, index: Any) -> Any:
    """Return a column as a series of pandas; integers with nulls stay integers."""
    import pandas as pd
    import pyarrow as pa

    if pa.types.is_integer(column.type):
        return pd.Series(pd.array(column.to_pylist(), dtype="Int64"), index=index)
    return pd.Series(column.to_pandas().array, index=index)


def _replace_pandas(data: Any, texts: Sequence[str | None], column: str) -> Any:
    if hasattr(data, "columns"):
        return data.assign(**{column: _replace_pandas(data[column], texts, column)})
    # a text of which parts were cut out is not one of the categories
    kind = data.dtype.categories.dtype if hasattr(data.dtype, "categories") else data.dtype
    return type(data)(list(texts), index=data.index, name=data.name, dtype=kind)


def _replace_index(data: Any, texts: Sequence[str | None]) -> Any:
    """Return an index or an array of pandas; a text of which parts were cut out is not one of the categories."""
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
    """Return a mapping of the same type, or a dict if such a mapping cannot be made. `data` is only read.

    It is not copied and cleared, since the copy of a shelf writes to the same file.
    """
    try:
        same = type(data)(data.default_factory, chosen) if isinstance(data, defaultdict) else type(data)(chosen)
        return same if dict(same) == chosen else chosen
    except Exception:  # noqa: BLE001  # a type of the caller may raise anything
        return chosen


def _like(data: Any, values: list[Any]) -> Any:
    if isinstance(data, deque):
        return deque(values, data.maxlen)
    return tuple(values) if isinstance(data, tuple) else values


def _is_arrow(data: Any) -> bool:
    return type(data).__module__.split(".")[0] == "pyarrow"


def _take_arrow(data: Any, kept: npt.NDArray[np.bool_]) -> Any:
    """Return rows of an Arrow table or array. Columns that Arrow cannot filter are filtered as another type."""
    import pyarrow as pa

    if isinstance(data, (pa.Array, pa.ChunkedArray)):
        return _take_column(data, kept)
    odd = [place for place, field in enumerate(data.schema) if _conversions(field.type)]
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

    there, back = _conversions(column.type) or (_same, _same)
    return back(there(column).filter(pa.array(kept)))


def _conversions(kind: Any) -> tuple[Wrap, Wrap] | None:
    """Return the conversions from a type that Arrow cannot filter to one that it can, and back; None if it can."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_run_end_encoded(kind):
        return pc.run_end_decode, partial(pc.run_end_encode, run_end_type=kind.run_end_type)
    other = _without_views(kind)
    return None if other == kind else (partial(pc.cast, target_type=other), partial(pc.cast, target_type=kind))


def _without_views(kind: Any) -> Any:
    """Return a type with large strings and bytes instead of views, in the fields of structs too."""
    import pyarrow as pa

    if pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_binary_view(kind):
        return pa.large_binary()
    if not pa.types.is_struct(kind):
        return kind
    return pa.struct([field.with_type(_without_views(field.type)) for field in kind])

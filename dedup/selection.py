"""Rows of a collection taken back out of it, as the type that came in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError

__all__ = ["replace_texts", "select_rows"]


def size(data: Any) -> int:
    """Return the number of rows of a collection that has been made a sequence by `listed`."""
    rows = getattr(data, "num_rows", None)
    return rows if isinstance(rows, int) else len(data)


def listed(data: Any) -> Any:
    """Return `data`, or a list of what a generator yields."""
    if hasattr(data, "__fspath__") or hasattr(data, "listing"):
        raise InputError(
            "filter: expected the collection that was searched, found files; search what they hold, or write the kept "
            "records with the command `dedup apply`"
        )
    return data if hasattr(data, "__len__") or hasattr(data, "num_rows") else list(data)


def select_rows(data: Any, kept: npt.NDArray[np.bool_]) -> Any:
    """Return the rows of `data` that are `kept`: order, index and other columns as they were.

    Raises `InputError` where `data` has another number of rows.
    """
    if hasattr(data, "collect") and hasattr(data, "lazy"):
        return select_rows(data.collect(), kept).lazy()
    data = listed(data)
    if size(data) != len(kept):
        raise InputError(f"filter: expected the {len(kept)} rows that were searched, found {size(data)}")
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
    data = listed(data)
    if size(data) != len(texts):
        raise InputError(f"filter: expected the {len(texts)} rows that were searched, found {size(data)}")
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
        return data.assign(**{column: type(data[column])(list(texts), index=data.index, dtype=data[column].dtype)})
    return type(data)(list(texts), index=data.index, name=data.name, dtype=data.dtype)


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

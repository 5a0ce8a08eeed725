"""Replace the texts of a nested field: dicts and structs are made anew around them, and keep their other fields.

Where what holds a field is null, it remains null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dedup.errors import InputError
from dedup.sources.fields import find_field, leaf_of, with_leaf
from dedup.sources.nested import struct_of
from dedup.sources.paths import parts_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["in_data_set", "replace_field"]

Made = Callable[[Sequence[str | None], "pa.DataType"], Any]
"""Makes an array of Arrow of texts, of a type."""


def replace_field(data: Any, holder: str, texts: Sequence[str | None], name: str, made: Made) -> Any:
    """Return a table with `texts` as the field at a path, which begins with the column `holder`; as the same type."""
    inner = parts_of(name)[1:]
    if isinstance(data, Sequence):
        rows = zip(data, texts, strict=True)
        return [row if (new := _with_text(row, (holder, *inner), text)) is row else new for row, text in rows]
    if hasattr(data, "iloc"):  # pandas
        return data.assign(**{holder: _in_series(data[holder], texts, name, made)})
    if type(data).__module__.split(".")[0] == "pyarrow":
        place = data.schema.get_field_index(holder)
        column = data.column(place)
        chunks = column.chunks if hasattr(column, "chunks") else [column]
        arrays = _in_chunks(chunks, column.type, texts, name, made)
        return data.set_column(
            place, data.schema.field(place), arrays if hasattr(column, "chunks") else arrays.chunk(0)
        )
    if hasattr(data, "with_columns") and type(data).__module__.split(".")[0] == "polars":
        return _in_polars(data, holder, inner, texts)
    if hasattr(data, "remove_columns") and hasattr(data, "add_column"):  # Hugging Face data set
        rows = zip(data.select_columns([holder]).with_format(None)[:][holder], texts, strict=True)
        values = [_with_text(value, inner, text) for value, text in rows]
        return in_data_set(data, holder, values)
    raise InputError(
        f"expected a table in whose column {holder!r} the field {name!r} can be replaced, found a "
        f"{type(data).__name__}; make the field a column, and search that"
    )


def in_data_set(data: Any, name: str, values: list[Any]) -> Any:
    """Return a Hugging Face data set with other values in a column, whose type and place are kept."""
    order = data.column_names
    new = max(order, key=len) + "_"  # a data set without columns would have no rows
    changed = data.add_column(new, values, feature=data.features[name])
    return changed.remove_columns([name]).rename_column(new, name).select_columns(order)


def _with_text(value: Any, path: tuple[str, ...], text: str | None) -> Any:
    """Return a dict with another text at a path; itself if it has this text, or nothing that could hold it."""
    if not path:
        return text
    if not isinstance(value, Mapping) or path[0] not in value:
        return value
    old = value[path[0]]
    new = _with_text(old, path[1:], text)
    return value if new is old else {**value, path[0]: new}


def _in_series(series: Any, texts: Sequence[str | None], name: str, made: Made) -> Any:
    struct = struct_of(series)
    if struct is None or not hasattr(series.dtype, "pyarrow_dtype"):
        path = parts_of(name)[1:]
        values: Any = [_with_text(value, path, text) for value, text in zip(series, texts, strict=True)]
        return type(series)(values, index=series.index, name=series.name, dtype=object)
    values = type(series.array)(_in_chunks(struct.chunks, struct.type, texts, name, made))
    return type(series)(values, index=series.index, name=series.name)


def _in_chunks(
    chunks: Sequence[Any], kind: pa.DataType, texts: Sequence[str | None], name: str, made: Made
) -> pa.ChunkedArray:
    """Return struct arrays with the texts of their rows as the field at a path."""
    import pyarrow as pa

    if pa.types.is_null(kind):
        return pa.chunked_array(chunks, type=kind)
    path = find_field(pa.schema([pa.field(parts_of(name)[0], kind)]), name)
    if path is None:
        raise InputError(f"expected the field {name!r}, found {kind}; pass what was searched")
    first, changed = 0, []
    for chunk in chunks:
        part = texts[first : first + len(chunk)]
        first += len(chunk)
        changed.append(with_leaf(chunk, path[1:], made(part, leaf_of(chunk, path[1:]).type)))
    return pa.chunked_array(changed, type=kind)


def _in_polars(data: Any, holder: str, inner: tuple[str, ...], texts: Sequence[str | None]) -> Any:
    import polars as pl

    column = data[holder]
    if column.dtype == pl.Null:
        return data
    for part in inner:
        column = column.struct.field(part)
    new: Any = pl.Series(inner[-1], list(texts), dtype=column.dtype)
    for depth in range(len(inner) - 1, -1, -1):
        at = data[holder]
        for part in inner[:depth]:
            at = at.struct.field(part)
        fields = [new if field.name == inner[depth] else at.struct.field(field.name) for field in at.dtype.fields]
        whole = pl.DataFrame(fields).to_struct(holder if depth == 0 else inner[depth - 1])
        new = pl.select(pl.when(at.is_not_null()).then(whole)).to_series().alias(whole.name)
    return data.with_columns(new)

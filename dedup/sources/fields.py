"""Columns of Arrow tables by name or by path, and texts that a table has as bytes.

``doc.body`` is the field ``body`` of the struct column ``doc``, unless a column has exactly this name
(`dedup.sources.paths`). A field of a null is null.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from dedup.sources.paths import is_path, parts_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["as_texts", "find_field", "has_texts", "leaf_names", "leaf_of", "type_of", "with_leaf"]

Path = tuple[int, ...]
"""The place of a column, then the places of the fields in it."""


def find_field(schema: pa.Schema, name: str) -> Path | None:
    """Return where a column or a field is; None if there is none of this name, or several."""
    place = _place_of(name, schema)
    if place >= 0 or not is_path(name):
        return (place,) if place >= 0 else None
    import pyarrow as pa

    path: list[int] = []
    holder: Any = schema
    for part in parts_of(name):
        place = _place_of(part, holder) if isinstance(holder, pa.Schema | pa.StructType) else -1
        if place < 0:
            return None
        path.append(place)
        holder = holder.field(place).type
    return tuple(path)


def _place_of(name: str, fields: Iterable[pa.Field]) -> int:
    """Return the place of the only field of this name, else -1; Arrow itself takes no names with lone surrogates."""
    places = [place for place, field in enumerate(fields) if field.name == name]
    return places[0] if len(places) == 1 else -1


def type_of(schema: pa.Schema, path: Path) -> pa.DataType:
    """Return the type of a column or field."""
    kind = schema.field(path[0]).type
    for place in path[1:]:
        kind = kind.field(place).type
    return kind


def leaf_names(schema: pa.Schema) -> list[str]:
    """Return the names of the columns; of structs, the paths of their fields."""
    import pyarrow as pa

    def names(before: str, fields: Sequence[pa.Field]) -> list[str]:
        found: list[str] = []
        for field in fields:
            name = before + field.name
            inner = list(field.type) if pa.types.is_struct(field.type) else []
            found += names(f"{name}.", inner) if inner else [name]
        return found

    return names("", list(schema))


def leaf_of(column: pa.Array, path: Path) -> pa.Array:
    """Return a field of a struct column; `path` is the one of the field without that of the column."""
    import pyarrow.compute as pc

    return pc.struct_field(column, list(path)) if path else column


def with_leaf(column: pa.Array, path: Path, leaf: pa.Array) -> pa.Array:
    """Return a struct column with another array as the field at `path`; where a struct is null, it remains null."""
    import pyarrow as pa

    if not path:
        return leaf
    fields = [column.field(place) for place in range(column.type.num_fields)]
    fields[path[0]] = with_leaf(fields[path[0]], path[1:], leaf)
    return pa.StructArray.from_arrays(fields, fields=list(column.type), mask=column.is_null())


def has_texts(kind: pa.DataType) -> bool:
    """Return whether a column of a type has texts, or bytes that may be texts."""
    import pyarrow as pa

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    return any(test(kind) for test in tests) or _has_bytes(kind)


def _has_bytes(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return any(test(kind) for test in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view))


def as_texts(column: pa.Array) -> pa.LargeStringArray:
    """Return a column of texts or bytes as one of large strings. Whether they are UTF-8 is not checked."""
    import pyarrow as pa

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    wide = pa.large_binary() if _has_bytes(kind) else pa.large_string()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary.cast(wide).take(column.indices)
    texts = column.cast(wide)
    if wide == pa.large_string():
        return texts
    return pa.Array.from_buffers(pa.large_string(), len(texts), texts.buffers(), texts.null_count, texts.offset)

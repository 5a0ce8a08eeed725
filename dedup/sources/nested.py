"""Nested fields of tables in memory, by path: ``doc.body`` of structs (Arrow, pandas, polars), and of dicts.

A column with exactly this name wins (`dedup.sources.paths`). A field of a null is null.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from dedup.errors import InputError
from dedup.options import shown
from dedup.sources.fields import find_field, leaf_names, leaf_of
from dedup.sources.paths import DOTTED, is_path, names_in, parts_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["NAMES_SHOWN", "field_in", "flat", "has_column", "holder_of", "struct_of"]

NAMES_SHOWN = 20
"""Names of columns and fields that a message shows, at most."""

DICTS_LOOKED_AT = 100
"""Dicts whose fields a message names, at most."""


def holder_of(names: Iterable[Any], name: str) -> str | None:
    """Return the column that a path begins with; None if `name` is itself a column, or leads to none.

    >>> holder_of(["doc", "id"], "doc.body"), holder_of(["doc", "doc.body"], "doc.body"), holder_of(["id"], "doc.body")
    ('doc', None, None)
    """
    if name in names or not is_path(name):
        return None
    first = parts_of(name)[0]
    return first if first in names else None


def has_column(names: Iterable[Any], name: str) -> bool:
    """Return whether there is a column of this name, or one that the path begins with."""
    names = list(names)
    return name in names or holder_of(names, name) is not None


def _listed(names: Iterable[Any]) -> str:
    """Return some names as a message shows them."""
    return ", ".join(map(repr, list(names)[:NAMES_SHOWN])) or "none"


def struct_of(column: Any) -> pa.ChunkedArray | None:
    """Return a column as one of Arrow; None if its values are Python objects, such as dicts."""
    if not (hasattr(column, "__arrow_c_stream__") or hasattr(column, "__arrow_c_array__")):
        return None
    kind = getattr(column, "dtype", None)
    if isinstance(kind, np.dtype) or str(kind) == "Object":  # of pandas, and of polars
        return None
    import pyarrow as pa

    return pa.chunked_array(column if hasattr(column, "__arrow_c_stream__") else [pa.array(column)])


def field_in(column: Any, values: Sequence[Any] | None, name: str, *, partly: bool) -> Any:
    """Return the field of a column at a path, as a column of Arrow or as a list.

    `values` are those of the column, if they are Python objects (`struct_of`). If `partly`, a dict that lacks the field
    has a null, as long as one has it. Raises `InputError` whose message says what is wrong, without the option.
    """
    return _of_struct(column, name) if values is None else _of_dicts(values, name, partly=partly)


def _of_struct(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    import pyarrow as pa

    if pa.types.is_null(column.type):
        return column
    schema = pa.schema([pa.field(parts_of(name)[0], column.type)])
    path = find_field(schema, name)
    if path is None:
        _refuse_struct(schema, name)
    return leaf_of(column, path[1:])


def _refuse_struct(schema: pa.Schema, name: str) -> NoReturn:
    """Raise `InputError` that says where a path ends."""
    import pyarrow as pa

    holder: Any = schema
    for place, part in enumerate(parts_of(name)):
        before = ".".join(parts_of(name)[:place])
        if not isinstance(holder, pa.Schema | pa.StructType):
            raise InputError(f'expected a struct in "{before}", found {holder}; name a column or field of texts')
        same = [field for field in holder if field.name == part]
        if len(same) > 1:
            raise InputError(f'expected one field {part!r} in "{before}", found {len(same)}; rename one')
        if not same:
            break
        holder = same[0].type
    _refuse_name(name, leaf_names(schema))


def _refuse_name(name: str, found: list[str]) -> NoReturn:
    if name in found:  # as a path of which a part has a dot
        raise InputError(f"no such field: {DOTTED}")
    close = [other for other in found if other.lower() == name.lower()] or found
    raise InputError(f"no such field; found {_listed(close)}")


def _of_dicts(values: Sequence[Any], name: str, *, partly: bool) -> list[Any]:
    first, *inner = parts_of(name)
    found: list[Any] = []
    where, having = None, 0
    for row, value in enumerate(values):
        before = first
        for part in inner:
            if _is_missing(value):
                value = None
                break
            if not isinstance(value, Mapping) or part not in value:
                where, value = where or (row, before, value, part), None
                break
            value, before = value[part], f"{before}.{part}"
        else:
            having += 1
        found.append(value)
    if where is not None and not (partly and having):
        _refuse_dicts(values, name, having, *where)
    return found


def _refuse_dicts(values: Sequence[Any], name: str, having: int, row: int, before: str, value: Any, part: str) -> None:
    """Raise `InputError` for a field that a dict lacks: the `value` at the path `before` should have the field `part`.

    `having` dicts have the field.
    """
    if not isinstance(value, Mapping):
        raise InputError(
            f'expected a dict in "{before}" at position {row}, found {type(value).__name__} {shown(value)}; name a '
            "column or field of texts"
        )
    some = [other for other in values if isinstance(other, Mapping)][:DICTS_LOOKED_AT]
    first = parts_of(name)[0]
    known = dict.fromkeys(field for other in some for field in names_in({first: other}, nested=True))
    if having:
        raise InputError(f'the row at position {row} has no {part!r} in "{before}"; found {_listed(value)}')
    _refuse_name(name, list(known))


def _is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN or the marker of pandas for a missing value."""
    missing = isinstance(value, float) and value != value
    return value is None or missing or type(value).__name__ in ("NAType", "NaTType")


def flat(part: Any, wanted: Sequence[str], needed: Mapping[str | None, str]) -> Any:
    """Return an Arrow table or batch with only the `wanted` columns, the fields among them as columns named by path.

    Of fields that do not exist, the `needed` ones (name to option) raise `InputError`, and the others are left out.
    """
    if not any(holder_of(part.schema.names, name) for name in wanted):
        return part.select(list(wanted))
    import pyarrow as pa

    columns, fields = [], []
    for name in wanted:
        holder = holder_of(part.schema.names, name)
        if holder is None:
            columns.append(part.column(name))
            fields.append(part.schema.field(name))
            continue
        try:
            leaf = _of_struct(part.column(holder), name)
        except InputError as error:
            if name in needed:
                raise InputError(f'{needed[name]}="{name}": {error}') from error
            continue
        columns.append(leaf)
        fields.append(pa.field(name, leaf.type))
    return type(part).from_arrays(columns, schema=pa.schema(fields))

"""Tables in any form (frames, Arrow tables, lists of dicts, data sets, streams), and the columns read from them.

A table is recognised by its names: it has ``columns`` or ``column_names``. If it can be iterated only once (a stream of
Arrow, a relation of DuckDB, an iterable data set), it is read once, and the wanted columns are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dedup.errors import InputError, ParameterError
from dedup.sources.nested import NAMES_SHOWN, field_in, flat, has_column, holder_of, struct_of
from dedup.sources.paths import DOTTED, is_path

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Extra", "column_in", "column_names", "fetched", "imported", "is_table", "other_column", "values_of"]

COLUMN_LIBRARIES = ("pandas", "polars", "pyarrow")
"""Libraries whose objects are columns, if they are not tables: they can be read again."""

Extra = Mapping[str, str]
"""Other columns of a table that will be requested, each with the option that names it."""


def is_table(texts: Any) -> bool:
    """Return whether `texts` is a table: a frame, an Arrow table, a list of dicts, a data set."""
    if isinstance(texts, (list, tuple)):
        return bool(texts) and isinstance(texts[0], Mapping)
    return _names(texts) is not None


def column_names(texts: Any) -> list[Any] | None:
    """Return the column names of a table; None for anything else."""
    return _names(texts) if is_table(texts) else None


def fetched(texts: Any, column: str, id: str | None, extra: Extra) -> Any:
    """Load a lazy, mapped or one-time table as a table of only the wanted columns; return anything else unchanged.

    Such tables are lazy polars frames, relations of DuckDB, readers of Arrow batches, and Hugging Face data sets. The
    columns of a data set are mapped from disk, and are not copied. Nested fields become columns that are named by path.
    """
    needed = {column: "column", id: "id"}
    if hasattr(texts, "collect") and hasattr(texts, "collect_schema"):
        names = texts.collect_schema().names()
        wanted = _wanted(names, column, id, extra)
        held = _held_by(names, wanted)
        frame = texts.select(held).collect()
        return frame if held == wanted else flat(_arrow_table(frame), wanted, needed)
    if hasattr(texts, "with_format") and hasattr(texts, "select_columns"):
        return _fetched_data_set(texts, column, id, extra)
    if hasattr(texts, "__arrow_c_stream__") and (hasattr(texts, "project") or hasattr(texts, "read_next_batch")):
        import pyarrow as pa

        try:
            reader = pa.RecordBatchReader.from_stream(texts)
            wanted = _wanted(reader.schema.names, column, id, extra)
            schema = flat(reader.schema.empty_table(), wanted, needed).schema
            return pa.Table.from_batches([flat(part, wanted, needed) for part in reader], schema)
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(texts, error) from error
    return texts


def _fetched_data_set(texts: Any, column: str, id: str | None, extra: Extra) -> Any:
    import pyarrow as pa

    if isinstance(texts, Mapping):
        splits = ", ".join(map(repr, texts))
        first = next(iter(texts), "train")
        raise InputError(
            f"expected one data set, found a {type(texts).__name__} with the splits {splits}; pass one of them, as "
            f"data[{first!r}]"
        )
    names, needed = texts.column_names, {column: "column", id: "id"}
    view = texts if names is None else texts.select_columns(_held_by(names, _wanted(names, column, id, extra)))
    view = view.with_format("arrow")
    if hasattr(view, "__len__"):
        return flat(view[:], _wanted(names, column, id, extra), needed)
    parts = [flat(part, _wanted(part.column_names, column, id, extra), needed) for part in view.iter(batch_size=1000)]
    return pa.concat_tables(parts, promote_options="default") if parts else pa.table({column: pa.nulls(0)})


def _held_by(names: list[str], wanted: list[str]) -> list[str]:
    """Return the columns that hold the `wanted` columns and fields."""
    return list(dict.fromkeys(holder_of(names, name) or name for name in wanted))


def _arrow_table(frame: Any) -> pa.Table:
    import pyarrow as pa

    return pa.table(frame)


def _unreadable(texts: Any, error: Exception) -> InputError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    reason = lines[-1 if "Traceback" in lines[0] or len(lines) > 4 else 0]
    return InputError(
        f"expected an Arrow stream that can be read, found a {type(texts).__name__} that fails: {reason}; a stream is "
        "read once, so make a new one"
    )


def _wanted(names: list[str], column: str, id: str | None, extra: Extra) -> list[str]:
    """Return the text column, the id column if it is given, and the `extra` columns that exist, or may, as fields.

    Raises `InputError` if one of the first two does not exist.
    """
    _check_named(names, column, "column")
    if id is not None:
        _check_named(names, id, "id")
    others = [name for name in extra if has_column(names, name)]
    for name in others:
        _check_once(names, name, extra[name])
    return list(dict.fromkeys([column, *([] if id is None else [id]), *others]))


def imported(texts: Any) -> Any:
    """Turn an object that offers itself to Arrow into an Arrow table or column; return anything else unchanged.

    The object is read once. A column of objects that Arrow cannot hold becomes a list: its values are checked one by
    one, so that errors have a position.
    """
    stream = hasattr(texts, "__arrow_c_stream__")
    if not (stream or hasattr(texts, "__arrow_c_array__")) or is_table(texts):
        return texts
    import pyarrow as pa

    column = type(texts).__module__.split(".")[0] in COLUMN_LIBRARIES and hasattr(texts, "__len__")
    try:
        arrow = pa.chunked_array(texts) if stream else pa.chunked_array([pa.array(texts)])
    except (pa.ArrowException, OSError, TypeError, ValueError) as error:
        if not column:
            raise _unreadable(texts, error) from error
        return values_of(texts)
    if pa.types.is_struct(arrow.type):
        if column:
            raise InputError(
                f"expected a column of texts, found a {type(texts).__name__} of {arrow.type}; in a table, name a "
                'field by its path, as column="doc.body"; alone, pass pyarrow.Table.from_struct_array(column)'
            )
        names = [arrow.type.field(i).name for i in range(arrow.type.num_fields)]
        return pa.Table.from_arrays(arrow.flatten(), names=names)
    return arrow if _holds_texts(arrow.type) or not column else values_of(texts)


def _holds_texts(kind: pa.DataType) -> bool:
    """Return whether an Arrow type is a type of texts, or the type of nulls."""
    import pyarrow as pa

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    known = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    return any(is_kind(kind) for is_kind in known)


def values_of(column: Any) -> list[Any]:
    """Return the Python values of a column. Raises `InputError` if it is not one, or changes while it is read."""
    found = None
    try:
        for method in ("to_pylist", "to_list", "tolist"):
            if hasattr(column, method):
                found = getattr(column, method)()
                break
        return list(column if found is None else found)
    except RuntimeError as error:
        if "changed size during" in str(error) or "mutated during" in str(error):
            raise InputError(
                f"expected a collection that does not change while it is read, found a {type(column).__name__} that "
                "changed; pass a copy, as list(texts)"
            ) from error
        raise
    except (TypeError, ValueError, IndexError) as error:
        if hasattr(column, "__next__"):  # the error is from the caller's own generator
            raise
        raise InputError(
            f"expected a column whose values can be read, found a {type(column).__name__}: {error}; read it anew"
        ) from error


def _names(table: Any) -> list[Any] | None:
    """Return the column names of a table; None for anything else."""
    if isinstance(table, (list, tuple)):
        return list(dict.fromkeys(name for row in table if isinstance(row, Mapping) for name in row))
    if isinstance(table, (Mapping, str, bytes)) or getattr(table, "ndim", 2) != 2:
        return None
    for attribute in ("column_names", "columns"):
        names = getattr(table, attribute, None)
        if names is None or callable(names) or isinstance(names, (str, bytes)) or not isinstance(names, Iterable):
            continue
        if hasattr(table, "__getitem__"):
            return list(names)
    return None


def column_in(table: Any, name: str, option: str) -> Any:
    """Return a column of a table, or a nested field; `option` is the option that named it, for the error without it."""
    names = _names(table) or []
    _check_named(names, name, option)
    holder = holder_of(names, name)
    column = _whole(table, holder or name, option)
    if holder is None:
        return column
    try:
        return _field(column, name, partly=False)
    except InputError as error:
        raise InputError(f'{option}="{name}": {error}') from error


def _whole(table: Any, name: str, option: str) -> Any:
    if not isinstance(table, (list, tuple)):
        return table[name]
    for row, record in enumerate(table):
        if not isinstance(record, Mapping):
            raise InputError(f"expected a dict at position {row} too, found {type(record).__name__}")
        if name not in record:
            empty = ", None where it is empty" if option.endswith("column") else ""
            found = ", ".join(map(repr, record))
            raise InputError(
                f'{option}="{name}": the row at position {row} has none; found {found}; give each row one{empty}'
            )
    return [record[name] for record in table]


def _field(column: Any, name: str, *, partly: bool) -> Any:
    struct = struct_of(column)
    return field_in(struct, values_of(column) if struct is None else None, name, partly=partly)


def other_column(table: Any, name: str, option: str = "keep") -> pa.ChunkedArray:
    """Return the values of a column or field, which an `option` names; null for a dict that lacks it."""
    import pyarrow as pa

    names = _names(table) or []
    if not has_column(names, name):
        raise ParameterError(f'{option}: no column "{name}"; found {", ".join(map(repr, names[:NAMES_SHOWN]))}')
    holder = holder_of(names, name)
    _check_once(names, holder or name, option)
    column = [row.get(holder or name) for row in table] if isinstance(table, (list, tuple)) else table[holder or name]
    if holder is not None:
        try:
            column = _field(column, name, partly=True)
        except InputError as error:
            raise ParameterError(f'{option}: column "{name}": {error}') from error
    try:
        if hasattr(column, "__arrow_c_stream__"):
            found = pa.chunked_array(column)
            # Arrow cannot take from string views
            return found.cast(pa.large_string()) if pa.types.is_string_view(found.type) else found
        return pa.chunked_array([pa.array(values_of(column), from_pandas=True)])
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise ParameterError(f'{option}: expected values of one kind in the column "{name}"; {error}') from error


def _check_named(names: list[Any], name: str, option: str) -> None:
    if not has_column(names, name):
        close = [known for known in names if str(known).lower() == name.lower()] or names
        found = ", ".join(map(repr, close[:NAMES_SHOWN])) or "no columns"
        if any(is_path(str(known)) and name.startswith(f"{known}.") for known in names):
            found += f"; {DOTTED}"
        raise InputError(f'{option}="{name}": no such column; found {found}')
    _check_once(names, holder_of(names, name) or name, option)


def _check_once(names: list[Any], name: str, option: str) -> None:
    """Raise `InputError` if several columns have this name."""
    places = [place for place, known in enumerate(names, start=1) if known == name]
    if len(places) > 1:
        where = f"{', '.join(map(str, places[:-1]))} and {places[-1]}"
        raise InputError(
            f"{option}: expected one column named {name!r}, found {len(places)} (columns {where}); rename one"
        )

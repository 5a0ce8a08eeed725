"""Texts in any form, as blocks of UTF-8: lists, dicts, generators, Arrow, pandas, polars, tables with a column.

A block is a run of texts as one uint8 array with the first and end byte of each. Blocks are made one after the other,
beside the kernels that work on earlier ones, so the whole collection is never held twice. Arrow columns come in
through the Arrow C stream, so neither pandas nor polars is needed to accept theirs.

What counts as an empty text: ``None``, an Arrow null, NaN. Anything else that is no ``str`` is an `InputError` with
its position.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError, ParameterError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["BLOCK_BYTES", "Block", "Ids", "Texts", "read_texts"]

BLOCK_BYTES = 1 << 20
"""Bytes of text (characters, for lists) that a block aims at: its tokens and shingles then stay in the cache."""

BLOCK_TEXTS = 1 << 14
PADDING = 64
"""Bytes behind the last text that a kernel may read; see `dedup.kernels.tokens`."""

Ids = list[int] | list[str]
INT64 = range(-(1 << 63), 1 << 63)


class Block(NamedTuple):
    """Texts `first` and following: ``values[starts[i]:ends[i]]`` is text ``first + i``, in UTF-8.

    `values` (uint8) goes on for 64 bytes behind the last end.
    """

    first: int
    values: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]


class Texts(ABC):
    """A collection of texts with their ids; a text that is missing is empty.

    ``ids`` is None where the texts go by their position. ``sources`` are the names of the files that they come from,
    None where they come from none; ``rejected`` counts the records of these that are no texts.
    """

    ids: Ids | None = None
    sources: Sequence[str] | None = None
    rejected: int = 0
    others: Callable[[str], pa.ChunkedArray] | None = None

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, row: int) -> str: ...

    @abstractmethod
    def original(self, row: int) -> Any:
        """Return what stands in a row: a text, or what stands for a missing one."""

    @abstractmethod
    def loads(self) -> Iterator[Callable[[], Block]]:
        """Yield, in order, what makes each block: cheap to get, so that the work is done where it is called."""

    def blocks(self) -> Iterator[Block]:
        """Yield the texts as blocks, in order."""
        return (load() for load in self.loads())

    def lengths(self) -> npt.NDArray[np.int64]:
        """Return the length of each text in characters."""
        return np.fromiter((len(self[row]) for row in range(len(self))), dtype=np.int64, count=len(self))

    def id_of(self, row: int) -> int | str:
        """Return the id of a row."""
        return row if self.ids is None else self.ids[row]

    def ids_at(self, rows: npt.NDArray[np.int64]) -> pa.Array:
        """Return the ids of some rows as an Arrow array (int64 or string)."""
        return ids_column(self.ids, rows)

    def column(self, name: str) -> pa.ChunkedArray:
        """Return another column of the table, or of the files, that the texts come from; a value a row.

        Raises `ParameterError` where there are no columns or none of this name.
        """
        if self.others is None:
            raise ParameterError(f'keep: "{name}" names a column, but what came in is no table')
        return self.others(name)

    def locate(self, rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Return the file (place in `sources`) and the record (from 1) of some rows; one file where there is none."""
        return np.zeros(len(rows), dtype=np.int32), rows + 1


def ids_column(ids: Ids | None, rows: npt.NDArray[np.int64]) -> pa.Array:
    """Return the ids of some rows as an Arrow array; positions where there are none."""
    import pyarrow as pa

    if ids is None:
        return pa.array(rows, type=pa.int64())
    kind = pa.int64() if not ids or isinstance(ids[0], int) else pa.string()
    return pa.array([ids[row] for row in rows.tolist()], type=kind)


class ListTexts(Texts):
    """Texts that are Python strings."""

    def __init__(self, texts: Sequence[Any]) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, row: int) -> str:
        text = self._texts[row]
        return text if isinstance(text, str) else _text(text, row)

    def original(self, row: int) -> Any:
        return self._texts[row]

    def loads(self) -> Iterator[Callable[[], Block]]:
        first = 0
        while first < len(self._texts):
            part = self._take(first)
            yield partial(self._load, first, part)
            first += len(part)

    def _load(self, first: int, part: Sequence[Any]) -> Block:
        return _encode(first, self._checked(part, first))

    def _take(self, first: int) -> Sequence[Any]:
        """Return texts from `first` on, a few at a time until there are enough characters for a block."""
        end, size = first, 0
        while size < BLOCK_BYTES and end - first < BLOCK_TEXTS and end < len(self._texts):
            few = self._texts[end : end + 32]
            try:
                size += sum(map(len, few))
            except TypeError:  # something among them is no text; `_checked` looks at it
                size += sum(len(text) for text in few if isinstance(text, str))
            end += len(few)
        return self._texts[first:end]

    def _checked(self, part: Sequence[Any], first: int) -> Sequence[str]:
        if set(map(type, part)) == {str}:
            return part
        return [_text(text, first + i) for i, text in enumerate(part)]


def _text(text: object, row: int) -> str:
    if isinstance(text, str):
        return text
    if text is None or (isinstance(text, float) and text != text) or type(text).__name__ in ("NAType", "NaTType"):
        return ""
    hint = "; decode it first" if isinstance(text, bytes) else ""
    raise InputError(f"expected a text (str or None) at position {row}, found {type(text).__name__} {text!r:.60}{hint}")


def _encode(first: int, texts: Sequence[str]) -> Block:
    try:
        data = [text.encode() for text in texts]
    except UnicodeEncodeError:  # lone surrogates: they separate tokens, and keep their place
        data = [text.encode("utf-8", "surrogatepass") for text in texts]
    ends = np.cumsum(np.fromiter(map(len, data), dtype=np.int64, count=len(data)))
    starts = np.concatenate((np.zeros(1, dtype=np.int64), ends[:-1]))
    data.append(bytes(PADDING))
    return Block(first, np.frombuffer(b"".join(data), dtype=np.uint8), starts, ends)


class ArrowTexts(Texts):
    """Texts in an Arrow column of any string type."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    def __getitem__(self, row: int) -> str:
        return self._column[row].as_py() or ""

    def original(self, row: int) -> Any:
        return self._column[row].as_py()

    def lengths(self) -> npt.NDArray[np.int64]:
        import pyarrow as pa
        import pyarrow.compute as pc

        lengths = pc.fill_null(pc.utf8_length(self._column.cast(pa.large_string())), 0)
        return np.asarray(lengths.to_numpy(), dtype=np.int64)

    def loads(self) -> Iterator[Callable[[], Block]]:
        import pyarrow as pa

        first = 0
        for chunk in self._column.chunks:
            large = chunk.cast(pa.large_string())
            if large.null_count:
                large = large.fill_null("")
            _, bounds, data = large.buffers()
            offsets = np.frombuffer(bounds, dtype=np.int64)[large.offset : large.offset + len(large) + 1]
            values = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, dtype=np.uint8)
            at = 0
            while at < len(large):
                end = int(np.searchsorted(offsets, offsets[at] + BLOCK_BYTES, side="right"))
                end = min(max(end, at + 1), at + BLOCK_TEXTS, len(large))
                yield partial(_view, first + at, values, offsets[at : end + 1])
                at = end
            first += len(large)


def _view(first: int, values: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> Block:
    start, end = int(offsets[0]), int(offsets[-1])
    if end + PADDING <= len(values):
        return Block(first, values, offsets[:-1], offsets[1:])
    padded = np.zeros(end - start + PADDING, dtype=np.uint8)
    padded[: end - start] = values[start:end]
    return Block(first, padded, offsets[:-1] - start, offsets[1:] - start)


def read_texts(
    texts: Any, *, ids: Iterable[Any] | None = None, column: str | None = None, id: str | None = None
) -> Texts:
    """Take `texts` in any form of contract section 1; raise `InputError` for what is none.

    A generator is read to its end. Cost: nothing is copied here.
    """
    if isinstance(texts, str):
        raise InputError("expected a collection of texts, found one str; pass [text]")
    if isinstance(texts, (bytes, bytearray)):
        raise InputError(f"expected a collection of texts, found {type(texts).__name__}; decode it and pass [text]")
    if isinstance(texts, (set, frozenset)):
        raise InputError("expected texts in an order, found a set; pass sorted(texts), or a dict of id to text")
    if hasattr(texts, "collect") and not isinstance(texts, Iterable):
        raise InputError(f"expected texts, found a lazy {type(texts).__name__}; pass .collect() of it")
    if isinstance(texts, os.PathLike):
        raise InputError(f"expected texts, found the path {str(texts)!r}; read the file and pass what it holds")
    if isinstance(texts, Texts):
        return texts
    texts = _imported(texts)
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
    names = _names(table) or []
    if name not in names:
        close = [known for known in names if known.lower() == name.lower()] or names
        raise InputError(f'{option}="{name}": no such column; found {", ".join(map(repr, close[:20]))}')
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
            return pa.chunked_array(column)
        return pa.chunked_array([pa.array(_values(column), from_pandas=True)])
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError) as error:
        raise ParameterError(f'keep: expected values of one kind in the column "{name}"; {error}') from error


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

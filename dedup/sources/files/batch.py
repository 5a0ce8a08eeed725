"""A batch of records: what every reader returns, whatever the format.

The texts are an Arrow column of UTF-8 with 64-bit offsets, as the kernels need it. JSON can contain a lone surrogate
(``"\\ud800"``), and UTF-8 cannot. It is held as the three bytes that UTF-8 would give it: it separates tokens and is
one character. Such a text is decoded with ``bytes.decode("utf-8", "surrogatepass")``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError
from dedup.options import shown
from dedup.sources.files.rejects import Reject
from dedup.sources.paths import DOTTED, is_path
from dedup.sources.texts import INT64

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "BATCH_BYTES",
    "BATCH_LIMITS",
    "Batch",
    "BatchLimits",
    "Token",
    "Wanted",
    "any_text",
    "empty_batch",
    "extra_array",
    "id_array",
    "lengths_of",
    "strings",
    "text_array",
]

BATCH_BYTES = 1 << 20
"""Bytes that a batch aims at: of the stream for lines, of the text for tables. A longer record makes a larger batch.
Curve: `benchmarks.tuning.batch_batch_bytes`; flat from 2^20 to 2^22 on generated:20000 and ota_dev (two cores,
2026-11)."""

BATCH_RECORDS = 1 << 14
"""Records per batch, at most. Curve: `benchmarks.tuning.batch_batch_records`; flat from 1024 to 2^14 on
generated:40000:150, where 256 takes 2.03 times as long and 2^16 takes 1.09 times as long (two cores, 2026-11)."""


@dataclass(frozen=True)
class BatchLimits:
    """How large batches are: `size` is the bytes that a batch aims at, `records` how many it has at most.

    All readings of a file must have the same: a token is that of a batch.
    """

    size: int = BATCH_BYTES
    records: int = BATCH_RECORDS


BATCH_LIMITS = BatchLimits()
"""What every reading has, unless a test hands in others."""

Token = list[int]
"""Where reading resumes: file, offset (bytes of the decompressed stream, or rows in tables), number of the next record.

A list of ints, so that it can be JSON. The first token is ``[0, 0, 1]``.
"""


class Wanted(NamedTuple):
    """The columns to read: of the text, of the id (None: no id column), and others; and how large batches are.

    `options` are the options that named the others; "keep" where there is none.
    """

    column: str
    id: str | None
    extra: tuple[str, ...] = ()
    limits: BatchLimits = BATCH_LIMITS
    options: Mapping[str, str] = MappingProxyType({})

    @property
    def names(self) -> list[str]:
        """Return each wanted column once: the text, the id, the others."""
        return list(dict.fromkeys([self.column, *([self.id] if self.id is not None else []), *self.extra]))

    @property
    def texts(self) -> list[str]:
        """Return the other columns that are a part of the text, in a search of several columns."""
        return [name for name in self.extra if self.options.get(name) == "column"]

    def option_of(self, name: str) -> str:
        """Return the option with which the user requested a column."""
        quoted = json.dumps(name, ensure_ascii=False)
        if name == self.column:
            return f"column={quoted}"
        return f"id={quoted}" if name == self.id else f"{self.options.get(name, 'keep')}: {quoted}"

    def check_once(self, place: str, found: Sequence[str], paths: Sequence[str] = ()) -> None:
        """Raise `InputError` if a wanted column does not exist exactly once.

        `paths` are all paths of the table, which the message names if a path was wanted.
        """
        for name in self.names:
            places = [str(number) for number, other in enumerate(found, start=1) if other == name]
            if not places:
                raise self.missing(name, place, paths if paths and is_path(name) else found)
            if len(places) > 1:
                where = f"{', '.join(places[:-1])} and {places[-1]}"
                raise InputError(
                    f"{self.option_of(name)}: expected one column named {name!r} in {place}, found {len(places)} "
                    f"(columns {where}); rename one"
                )

    def missing(self, name: str, place: str, found: Sequence[str]) -> InputError:
        """Return the error for a column that does not exist."""
        if name in found:  # as a path of which a part has a dot
            return InputError(f"{self.option_of(name)}: no such column in {place}: {DOTTED}")
        close = [other for other in found if other.lower() == name.lower()] or list(found)
        some = ", ".join(map(shown, close[:20])) or "none"
        garbled = any(CONTROL.search(other) for other in found)
        return InputError(f"{self.option_of(name)}: no such column in {place}; found {some}{OTHER_CODE * garbled}")


CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
"""A character that the names of columns do not have, and that bytes have if they are read in a wrong encoding."""

OTHER_CODE = "; control characters in names show that the file has another encoding; name it by encoding (--encoding)"


class Batch(NamedTuple):
    """Some records of one file, in order.

    Attributes
    ----------
    file : number of the file in the listing
    first : number of the first record that was read, from 1 over the whole file: the number of its line in line formats
        (in CSV of the line on which it begins), or of its row in tables. Blank lines and rejected records are numbered
    numbers : int64; the number of each text
    texts : LargeStringArray; null is an empty text. See the docstring of the module for lone surrogates
    ids : int64 or string array of the user's ids, None if none were requested
    extra : other columns, by name
    offsets : int64; where each record begins in the decompressed stream, in bytes; None in tables and for ``.txt``
    rejects : the records that cannot be read, in order
    more : the token at which reading resumes after this batch
    """

    file: int
    first: int
    numbers: npt.NDArray[np.int64]
    texts: pa.LargeStringArray
    ids: pa.Array | None
    extra: dict[str, pa.Array]
    offsets: npt.NDArray[np.int64] | None
    rejects: list[Reject]
    more: Token


def empty_batch(file: int, wanted: Wanted, first: int, rejects: list[Reject], more: Token | None = None) -> Batch:
    """Return a batch without texts; by default it is the last one of its file."""
    import pyarrow as pa

    none, texts = np.empty(0, dtype=np.int64), pa.array([], type=pa.large_string())
    extra = {name: pa.nulls(0) for name in wanted.extra}
    ids = None if wanted.id is None else texts
    return Batch(file, first, none, texts, ids, extra, none, rejects, more or [file + 1, 0, 1])


def text_array(texts: Sequence[str | None]) -> pa.LargeStringArray:
    """Return texts as an Arrow column; the docstring of the module explains lone surrogates."""
    import pyarrow as pa

    # made from buffers: `pyarrow.array` imports pandas, if it is installed, to check for a Series
    data = [b"" if text is None else text.encode("utf-8", "surrogatepass") for text in texts]
    bounds = np.cumsum([0, *map(len, data)], dtype=np.int64)
    known = np.array([text is not None for text in texts], dtype=np.bool_)
    valid = None if known.all() else pa.py_buffer(np.packbits(known, bitorder="little"))
    buffers = [valid, pa.py_buffer(bounds), pa.py_buffer(b"".join(data))]
    return pa.Array.from_buffers(pa.large_string(), len(data), buffers)


def strings(texts: pa.LargeStringArray) -> list[str | None]:
    """Return texts as Python strings, including the surrogates that `text_array` accepted."""
    import pyarrow as pa

    binary = pa.Array.from_buffers(pa.large_binary(), len(texts), texts.buffers(), texts.null_count, texts.offset)
    return [None if data is None else data.decode("utf-8", "surrogatepass") for data in binary.to_pylist()]


def id_array(values: Sequence[Any], name: str, place: Callable[[int], str]) -> pa.Array:
    """Return ids as int64 or string array. Raises `InputError` for any other value, with its place (`place(i)`)."""
    import pyarrow as pa

    kind = type(values[0]) if values else str
    for i, value in enumerate(values):
        if type(value) is kind and kind is str:
            continue
        if type(value) not in (int, str):
            found = "null" if value is None else f"{type(value).__name__} {value!r:.60}"
            raise InputError(f'id="{name}": expected an int or a text, found {found} at {place(i)}')
        if type(value) is not kind:
            raise InputError(
                f'id="{name}": expected one type, found {values[0]!r:.60} at {place(0)} and {value!r:.60} at {place(i)}'
            )
        if value not in INT64:
            raise InputError(f'id="{name}": expected 64-bit integers, found {value} at {place(i)}; write it as a text')
    try:
        return pa.array(values, type=pa.int64() if kind is int else pa.large_string())
    except UnicodeEncodeError:
        row = next(i for i, value in enumerate(values) if any(0xD800 <= ord(c) < 0xE000 for c in value))
        raise InputError(f'id="{name}": expected whole characters, found {values[row]!r:.60} at {place(row)}') from None


def extra_array(values: Sequence[Any], name: str, place: Callable[[int], str]) -> pa.Array:
    """Return values of another column: all numbers (int64; double if one has a point), all texts, or all booleans."""
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return pa.array(values, type=pa.float64())
    if len(kinds) > 1:
        start = next(type(value) for value in values if value is not None)
        row = next(i for i, value in enumerate(values) if value is not None and type(value) is not start)
        raise InputError(f'"{name}": expected one type, found {values[row]!r:.60} at {place(row)} after others')
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError) as error:
        raise InputError(
            f'"{name}": expected 64-bit numbers or whole characters, found others in {place(0)} or after it ({error})'
        ) from None


FEW_TEXTS = 64
"""Texts per batch, at most, that are handled one by one: importing Arrow's compute functions takes longer."""


def lengths_of(texts: pa.LargeStringArray) -> npt.NDArray[np.int64]:
    """Return the length of each text in characters."""
    if len(texts) <= FEW_TEXTS:
        return np.array([_characters(text.as_buffer()) for text in texts], dtype=np.int64)
    import pyarrow.compute as pc

    return np.asarray(pc.fill_null(pc.utf8_length(texts), 0).to_numpy(zero_copy_only=False), dtype=np.int64)


def _characters(data: pa.Buffer | None) -> int:
    """Return the number of characters of a UTF-8 text: of the bytes that begin a character."""
    values = np.frombuffer(data if data is not None else b"", dtype=np.int8)
    pieces = (values[start : start + BATCH_BYTES] for start in range(0, len(values), BATCH_BYTES))
    return sum(int(np.count_nonzero(piece >= -64)) for piece in pieces)


def any_text(texts: pa.LargeStringArray) -> bool:
    """Return whether at least one text is more than white space."""
    if len(texts) <= FEW_TEXTS:
        return any(data is not None and data.to_pybytes().strip() for data in (text.as_buffer() for text in texts))
    import pyarrow.compute as pc

    return bool(pc.any(pc.greater(pc.binary_length(pc.ascii_trim_whitespace(texts)), 0)).as_py())

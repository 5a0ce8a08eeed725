"""Records of JSON: of each object only the wanted fields are decoded, many at once or one by one.

The rule, for each record by itself: it is read if msgspec accepts it (strict JSON, with only the syntax of the other
fields checked) or Python's ``json`` does (which accepts NaN and lone surrogates). If a key occurs twice, the last value
counts. A record is an object whose text is a string or null; of several columns it has one at least, and each that it
has is a string or null. Anything else is rejected, with the reason. A name with dots that no field has is a path
(`dedup.sources.paths`).

Cost: about that of Arrow's reader, 0.4 GB/s of text on one core, measured (`benchmarks/speed/bench_reading.py`). Plain
records are decoded at once; a kernel turns escaped texts into UTF-8.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cached_property
from operator import attrgetter
from types import NoneType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.sources.files.batch import Batch, Token, Wanted, extra_array, id_array, strings, text_array
from dedup.sources.files.encodings import UTF8, bad_byte, hint
from dedup.sources.files.listing import COLUMN, Entry
from dedup.sources.files.rejects import Reject
from dedup.sources.paths import ABSENT, DOTTED, field_of, is_path, names_in, parts_of

if TYPE_CHECKING:
    import msgspec
    import pyarrow as pa

__all__ = ["Columns", "Places", "Records", "parse"]

Columns = tuple["pa.LargeStringArray", list[list[Any]]]
"""The texts of some records, and the values of the other wanted fields."""

Places = npt.NDArray[np.int64]

LONGEST_NUMBER = 4300
"""Digits of a whole number from which Python's parser refuses it (`sys.int_info.default_max_str_digits`)."""


class Records:
    """The records of one file.

    Attributes
    ----------
    what : what a record is called in messages: "line", "record"
    encoding : the encoding of the file
    alone : whether a record may be a string or null: its text, if no column was named
    """

    def __init__(
        self, entry: Entry, number: int, wanted: Wanted, what: str, encoding: str, *, alone: bool = False
    ) -> None:
        self.entry, self.number, self.wanted, self.what, self.encoding = entry, number, wanted, what, encoding
        self.alone = alone and wanted.names == [COLUMN]
        self._strange: dict[str, None] = {}  # the fields of records that have no field of the text
        self._plain = _is_plain(wanted.names)
        self._nested = any(map(is_path, wanted.names))
        self._parts = {wanted.names.index(name): name for name in wanted.texts}
        self._texts = [0, *self._parts]  # the places of the columns of the text
        self._found_first = False  # whether a record has the first of several

    # many at once

    @cached_property
    def _raw_type(self) -> Any:
        """Return the type of a record whose text is checked but left escaped."""
        import msgspec

        return _type_of(self.wanted.names, msgspec.Raw, needed=not self._parts)

    @cached_property
    def _lines_decoder(self) -> msgspec.json.Decoder[Any]:
        import msgspec

        return msgspec.json.Decoder(self._raw_type)

    @cached_property
    def _list_decoder(self) -> msgspec.json.Decoder[Any]:
        import msgspec

        return msgspec.json.Decoder(list[self._raw_type])  # type: ignore[name-defined]  # made when it is asked for

    def of_lines(self, data: bytes | memoryview, count: int) -> Columns | None:
        """Return what `count` lines contain, each of which is an object; None if one has to be read by itself."""
        return self._decoded(lambda: self._lines_decoder.decode_lines(data), count)

    def of_list(self, data: bytes, count: int) -> Columns | None:
        """Return the same of an array of `count` objects."""
        return self._decoded(lambda: self._list_decoder.decode(data), count)

    def _decoded(self, decode: Callable[[], list[Any]], count: int) -> Columns | None:
        import msgspec

        if not self._plain or not count:
            return None
        try:
            rows = decode()
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if len(rows) != count:
            return None
        columns = [_values(rows, i, name) for i, name in enumerate(self.wanted.names)]
        of_texts = [columns[at] for at in self._texts]
        if not all(map(_has_texts, of_texts[1:])) or _some_lack_all(of_texts):
            return None
        values = self._first_of_several(columns[0]) if self._parts else columns[0]
        texts = _spelled_out([b"null" if value is None else value for value in values])
        return None if texts is None else (texts, columns[1:])

    # one by one

    @cached_property
    def _decoder(self) -> msgspec.json.Decoder[Any]:
        """Return the decoder of one record, including its text."""
        import msgspec

        return msgspec.json.Decoder(_type_of(self.wanted.names, str | None, needed=not self._parts))

    def one_by_one(
        self, contents: Sequence[bytes], numbers: Sequence[int], offsets: Sequence[int]
    ) -> tuple[Columns, Places, list[Reject]]:
        """Return what the readable ones of some records contain, which these are, and the rejects."""
        columns: list[list[Any]] = [[] for _ in self.wanted.names]
        kept: list[int] = []
        rejects: list[Reject] = []
        for i, content in enumerate(contents):
            try:
                fields = self._fields(content)
                for place, name in self._parts.items():
                    if not _has_texts(fields[place : place + 1]):
                        raise ValueError(f"field {name!r}: expected a text, found {type(fields[place]).__name__}")
            except ValueError as error:
                rejects.append(Reject(self.entry.path, numbers[i], offsets[i], str(error)))
                continue
            kept.append(i)
            for column, value in zip(columns, fields, strict=True):
                column.append(value)
        texts = text_array(self._first_of_several(columns[0]) if self._parts else columns[0])
        return (texts, columns[1:]), np.array(kept, dtype=np.int64), rejects

    def _first_of_several(self, values: list[Any]) -> list[Any]:
        """Return the texts of the first of several columns, None where it is missing; note whether a record has it."""
        self._found_first = self._found_first or any(value is not ABSENT for value in values)
        return [None if value is ABSENT else value for value in values]

    def _fields(self, content: bytes) -> list[Any]:
        """Return the wanted fields of one record. Raises `ValueError` with the reason if it is not a record."""
        import msgspec

        names, column = self.wanted.names, self.wanted.column
        if self.alone and (content.startswith(b'"') or content == b"null"):
            return [loaded(content, self.what, self.encoding)]
        try:
            row = self._decoder.decode(content) if self._plain else None
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            row = None
        if row is not None:
            found = [_values([row], i, name)[0] for i, name in enumerate(names)]
            if not _some_lack_all([[found[at]] for at in self._texts]):
                return found
        record = parse(content, self.what, self.encoding)
        found = [field_of(record, name) for name in names]
        if _some_lack_all([[found[at]] for at in self._texts]):
            fields = names_in(record, nested=self._nested)
            self._strange |= dict.fromkeys(fields)
            if column in fields:  # as two of its parts
                raise ValueError(f"no field {column!r}: {DOTTED}")
            asked = " or ".join(repr(names[at]) for at in self._texts)
            raise ValueError(f"no field {asked}; found {', '.join(map(repr, fields[:20])) or 'none'}")
        if not _has_texts(found[:1]):
            raise ValueError(f"field {column!r}: expected a text, found {type(found[0]).__name__}")
        return found

    # what comes of them

    def batch(
        self, columns: Columns, first: int, numbers: Places, offsets: Places, rejects: list[Reject], more: Token
    ) -> Batch:
        """Return the batch of some records; see `Batch`."""
        wanted = self.wanted
        texts, others = columns

        def place(i: int) -> str:
            return f"{self.entry.path}:{numbers[i]}"

        named = zip(wanted.names[1:], others, strict=True)
        plain = {name: [None if value is ABSENT else value for value in values] for name, values in named}
        if wanted.column in (wanted.id, *wanted.extra):
            plain[wanted.column] = strings(texts)
        ids = None if wanted.id is None else id_array(plain[wanted.id], wanted.id, place)
        parts = wanted.texts
        extra = {
            name: text_array(plain[name]) if name in parts else extra_array(plain[name], name, place)
            for name in wanted.extra
        }
        return Batch(self.number, first, numbers, texts, ids, extra, offsets, rejects, more)

    def look_for_columns(self, columns: Columns, start: Callable[[], bytes]) -> None:
        """Raise `InputError` if none of a file's first records has a wanted field. `start` returns the first record."""
        wanted, place = self.wanted, self.entry.path
        texts, others = columns
        where = f"the first {self.what}s of {place}"
        if not len(texts) and self._strange:
            raise wanted.missing(wanted.column, where, list(self._strange))
        first = [(wanted.column, [None if self._found_first else ABSENT])] if self._parts and len(texts) else []
        for name, column in [*first, *zip(wanted.names[1:], others, strict=True)]:
            if column and all(value is ABSENT for value in column):
                try:
                    found = names_in(parse(start(), self.what), nested=is_path(name))
                except ValueError:
                    found = []
                raise wanted.missing(name, where, found)


def _has_texts(values: Sequence[Any]) -> bool:
    """Return whether the values of a field are texts, null, or missing."""
    return {str, NoneType, type(ABSENT)}.issuperset(map(type, values))


def _some_lack_all(columns: Sequence[list[Any]]) -> bool:
    """Return whether some record has none of the columns of the text."""
    if len(columns) == 1:  # as fast as it can be, for all who have one
        return any(value is ABSENT for value in columns[0])
    return any(all(value is ABSENT for value in row) for row in zip(*columns, strict=True))


def _is_plain(names: Sequence[str]) -> bool:
    """Return whether msgspec can use the names of some fields.

    JSON contains each without escapes, in UTF-8, and none is a field and also the first part of the path of another.
    """
    parts = [parts_of(name) for name in names]
    for path in parts:
        if any(other[: len(path)] == path for other in parts if len(other) > len(path)):
            return False
    return all(
        letter not in '"\\' and letter >= " " and not "\ud800" <= letter <= "\udfff" for letter in "".join(names)
    )


def _type_of(names: Sequence[str], text: Any, *, needed: bool) -> Any:
    """Return the type of a record: the field ``f0`` is the text, the field ``f3`` what has the third other name.

    For a path, ``f3`` is a field of exactly that name; the field by path is in structs ``p0``, ``p1``. The text is
    `needed`, or may be missing, as all other fields may.
    """
    import msgspec

    tree: dict[str, Any] = {}
    fields: list[Any] = []
    for i, name in enumerate(names):
        kind = text if i == 0 else str | int | float | bool | None
        parts = parts_of(name)
        if len(parts) == 1 and i == 0 and needed:
            fields.append((f"f{i}", kind, msgspec.field(name=name)))
            continue
        fields.append((f"f{i}", kind, msgspec.field(default=ABSENT, name=name)))
        inner = tree
        for part in parts[:-1]:
            inner = inner.setdefault(part, {})
        if len(parts) > 1:
            inner[parts[-1]] = (f"f{i}", kind)
    return _struct("Record", tree, fields)


def _struct(name: str, tree: dict[str, Any], fields: list[Any]) -> Any:
    import msgspec

    for part, inner in tree.items():
        if isinstance(inner, dict):
            kind = _struct(f"{name}_", inner, []) | None
            fields.append((f"p_{part.encode().hex()}", kind, msgspec.field(default=ABSENT, name=part)))
        else:
            fields.append((inner[0], inner[1], msgspec.field(default=ABSENT, name=part)))
    return msgspec.defstruct(name, fields, gc=False)


def _values(rows: list[Any], i: int, name: str) -> list[Any]:
    """Return the values of the wanted field `i`, called `name`, of decoded records."""
    values = list(map(attrgetter(f"f{i}"), rows))
    if not is_path(name) or not any(value is ABSENT for value in values):
        return values
    steps = [*(f"p_{part.encode().hex()}" for part in parts_of(name)[:-1]), f"f{i}"]
    return [_walk(row, steps) if value is ABSENT else value for row, value in zip(rows, values, strict=True)]


def _walk(value: Any, steps: list[str]) -> Any:
    for step in steps:
        if value is None or value is ABSENT:
            return value
        value = getattr(value, step)
    return value


def _spelled_out(values: list[Any]) -> pa.LargeStringArray | None:
    """Return JSON strings and nulls as texts; None if there is another value, or bytes that are not UTF-8."""
    import pyarrow as pa

    from dedup.kernels.json_strings import unescape

    data = np.frombuffer(b"".join([*values, bytes(8)]), dtype=np.uint8)
    texts = np.empty(len(data), dtype=np.uint8)
    ends = np.zeros(len(values) + 1, dtype=np.int64)
    missing = np.zeros(len(values), dtype=np.bool_)
    if unescape(data, len(data) - 8, texts, ends[1:], missing) != len(values):
        return None
    valid = pa.py_buffer(np.packbits(~missing, bitorder="little")) if missing.any() else None
    buffers = [valid, pa.py_buffer(ends), pa.py_buffer(texts)]
    array = pa.Array.from_buffers(pa.large_string(), len(values), buffers)
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return None
    return array


def parse(content: bytes, what: str = "line", encoding: str = UTF8) -> dict[str, Any]:
    """Return a record as Python's ``json`` parses it. Raises `ValueError` with the reason if it is not a JSON object.

    `what` it is called ("line", "record"), and the encoding of the file are for the reason.
    """
    record = loaded(content, what, encoding)
    if not isinstance(record, dict):
        raise ValueError(f"expected a JSON object, found {type(record).__name__}")
    return record


def loaded(content: bytes, what: str, encoding: str) -> Any:
    """Return a value as Python's ``json`` parses it. Raises `ValueError` with the reason if it is not JSON."""
    try:
        return json.loads(content.decode("utf-8"), parse_int=_number)
    except UnicodeDecodeError as error:
        problem = bad_byte(content, error.start, encoding)
        raise ValueError(f"{problem} at offset {error.start} of the {what}{hint(content, encoding)}") from None
    except json.JSONDecodeError as error:
        problem = error.msg.removesuffix(" at")  # some of them end so: "Invalid control character at"
        where = f"column {error.colno}" if error.lineno == 1 else f"line {error.lineno} of the {what}"
        raise ValueError(f"not JSON: {problem} at {where}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _number(digits: str) -> int | float:
    """Return a whole number; one of more digits than Python reads, which no text or id is, as infinity."""
    return int(digits) if len(digits) < LONGEST_NUMBER else float(digits)

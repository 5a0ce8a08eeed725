"""JSON lines: one record per line, of which only the wanted fields are decoded.

The rule, for each line by itself: it is read if msgspec accepts it (strict JSON, with only the syntax of the other
fields checked) or Python's ``json`` does (which accepts NaN and lone surrogates). If a key occurs twice, the last value
counts. A line contains an object whose text is a string or null; anything else is rejected, with the reason. Lines end
with ``\\n``; a line of white space is not a record. A byte order mark at the beginning of a file is skipped.

Cost: about that of Arrow's reader, 0.4 GB/s of text on one core, measured (`benchmarks/speed/bench_reading.py`). A run
of lines is decoded at once if all of them are plain; a kernel turns escaped texts into UTF-8.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from operator import attrgetter
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from dedup.sources.files.batch import Batch, Token, Wanted, empty_batch, extra_array, id_array, strings, text_array
from dedup.sources.files.decompress import Run, Stream, line_runs
from dedup.sources.files.formats.sniffing import BYTE_ORDER_MARK, encoding_of
from dedup.sources.files.limits import too_large
from dedup.sources.files.listing import Entry
from dedup.sources.files.rejects import Reject

if TYPE_CHECKING:
    import msgspec
    import pyarrow as pa

__all__ = ["read_lines"]

NEWLINE, OPENING, CLOSING, RETURN = 10, ord("{"), ord("}"), 13
ABSENT: Final[Any] = ...
"""Marks a field that a record does not have."""


def read_lines(entry: Entry, number: int, wanted: Wanted, after: Token) -> Iterator[Batch]:
    """Yield the batches of a ``.jsonl`` file, starting at the token `after`."""
    parser = _Parser(entry, number, wanted)
    _, offset, record = after
    with Stream(entry, offset) as stream:
        for run in line_runs(stream, wanted.limits.size):
            if run.offset == 0 and (encoding := encoding_of(bytes(run.data[:4]))):
                reason = f"expected UTF-8, found {encoding}; write it anew in UTF-8"
                yield empty_batch(number, wanted, 1, [Reject(entry.path, None, 0, reason)])
                return
            if run.skipped:
                reason = too_large("a line", run.skipped, entry.most, so_far=False)
                offset = run.offset + run.skipped
                more = [number, offset, record + 1]
                yield empty_batch(number, wanted, record, [Reject(entry.path, record, run.offset, reason)], more)
                record += 1
                continue
            batch, record = parser.batch(run, record)
            offset = batch.more[1]
            yield batch
        if stream.broken is not None:
            yield empty_batch(number, wanted, record, [Reject(entry.path, record, offset, stream.broken)])


class _Parser:
    """Turns runs of lines into batches."""

    def __init__(self, entry: Entry, number: int, wanted: Wanted) -> None:
        self._entry, self._number, self._wanted = entry, number, wanted
        self._strange: dict[str, None] = {}  # the fields of records that have no field of the text
        self._plain = all(map(_is_plain, wanted.names))

    @cached_property
    def _decoder(self) -> msgspec.json.Decoder[Any]:
        """Return the decoder of one line, including its text."""
        return self._made_decoder(str | None)

    @cached_property
    def _raw_decoder(self) -> msgspec.json.Decoder[Any]:
        """Return the decoder of many lines, which checks the text but leaves it escaped."""
        import msgspec

        return self._made_decoder(msgspec.Raw)

    def _made_decoder(self, text: Any) -> msgspec.json.Decoder[Any]:
        import msgspec

        fields: list[Any] = [("f0", text, msgspec.field(name=self._wanted.column))]
        for i, name in enumerate(self._wanted.names[1:], start=1):
            fields.append((f"f{i}", str | int | float | bool | None, msgspec.field(default=ABSENT, name=name)))
        return msgspec.json.Decoder(msgspec.defstruct("Record", fields, gc=False))

    def batch(self, run: Run, first: int) -> tuple[Batch, int]:
        """Return the batch of a run whose first line has the number `first`, and the number of the line after it."""
        data, offset = run.data, run.offset
        if offset == 0 and data[: len(BYTE_ORDER_MARK)] == BYTE_ORDER_MARK:
            data, offset = data[len(BYTE_ORDER_MARK) :], len(BYTE_ORDER_MARK)
        values = np.frombuffer(data, dtype=np.uint8)
        breaks = np.flatnonzero(values == NEWLINE)
        starts = np.concatenate((np.zeros(1, np.int64), breaks + 1))
        starts = starts[:-1] if starts[-1] == len(data) else starts
        kept = np.arange(len(starts), dtype=np.int64)
        rejects: list[Reject] = []
        found = self._at_once(data, values, starts, breaks)
        if found is None:
            texts, others, kept, rejects = self._one_by_one(data, starts, offset, first)
        else:
            texts, others = found
        if first == 1:
            self._look_for_columns(texts, others, data)
        after = first + len(starts)
        more = [self._number, run.offset + len(run.data), after]
        return self._made(texts, others, first, first + kept, offset + starts[kept], rejects, more), after

    def _made(
        self,
        texts: pa.LargeStringArray,
        others: list[list[Any]],
        first: int,
        numbers: npt.NDArray[np.int64],
        offsets: npt.NDArray[np.int64],
        rejects: list[Reject],
        more: Token,
    ) -> Batch:
        wanted = self._wanted

        def place(i: int) -> str:
            return f"{self._entry.path}:{numbers[i]}"

        named = zip(wanted.names[1:], others, strict=True)
        plain = {name: [None if value is ABSENT else value for value in values] for name, values in named}
        if wanted.column in (wanted.id, *wanted.extra):
            plain[wanted.column] = strings(texts)
        ids = None if wanted.id is None else id_array(plain[wanted.id], wanted.id, place)
        extra = {name: extra_array(plain[name], name, place) for name in wanted.extra}
        return Batch(self._number, first, numbers, texts, ids, extra, offsets, rejects, more)

    def _at_once(
        self,
        data: memoryview,
        values: npt.NDArray[np.uint8],
        starts: npt.NDArray[np.int64],
        breaks: npt.NDArray[np.int64],
    ) -> tuple[pa.LargeStringArray, list[list[Any]]] | None:
        """Return the texts of all lines and the other wanted fields; None if a line has to be parsed by itself.

        If each line begins with "{" and ends with "}", and there are as many objects as lines, then each line is one
        object: an object that continued in the next line would continue there with a comma or a bracket.
        """
        import msgspec

        if not self._plain or not len(starts) or not bool((values[starts] == OPENING).all()):
            return None
        ends = breaks if len(breaks) == len(starts) else np.concatenate((breaks, [len(data)]))
        last = values[ends - 1]
        last = np.where(last == RETURN, values[np.maximum(ends - 2, 0)], last)
        if not bool((last == CLOSING).all()):
            return None
        try:
            rows = self._raw_decoder.decode_lines(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if len(rows) != len(starts):
            return None
        texts = _spelled_out(list(map(attrgetter("f0"), rows)))
        others = [list(map(attrgetter(f"f{i}"), rows)) for i in range(1, len(self._wanted.names))]
        return None if texts is None else (texts, others)

    def _one_by_one(
        self, data: memoryview, starts: npt.NDArray[np.int64], offset: int, first: int
    ) -> tuple[pa.LargeStringArray, list[list[Any]], npt.NDArray[np.int64], list[Reject]]:
        """Return texts and other wanted fields of the readable lines, their indices, and the rejects."""
        columns: list[list[Any]] = [[] for _ in self._wanted.names]
        kept: list[int] = []
        rejects: list[Reject] = []
        ends = [*starts[1:].tolist(), len(data)]
        for i, (start, end) in enumerate(zip(starts.tolist(), ends, strict=True)):
            line = bytes(data[start:end]).strip(b" \t\r\n")
            if not line:
                continue
            try:
                fields = self._fields(line)
            except ValueError as error:
                rejects.append(Reject(self._entry.path, first + i, offset + start, str(error)))
                continue
            kept.append(i)
            for column, value in zip(columns, fields, strict=True):
                column.append(value)
        return text_array(columns[0]), columns[1:], np.array(kept, dtype=np.int64), rejects

    def _fields(self, line: bytes) -> list[Any]:
        """Return the wanted fields of one line. Raises `ValueError` with the reason if it is not a record."""
        import msgspec

        names = self._wanted.names
        try:
            row = self._decoder.decode(line) if self._plain else None
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            row = None
        if row is None:
            record = parse(line)
            column = self._wanted.column
            if column not in record:
                self._strange |= dict.fromkeys(record)
                found = ", ".join(map(repr, list(record)[:20])) or "none"
                raise ValueError(f"no field {column!r}; found {found}")
            if not isinstance(record[column], (str, NoneType)):
                found = type(record[column]).__name__
                raise ValueError(f"field {column!r}: expected a text, found {found}")
            return [record.get(name, ABSENT) for name in names]
        return [getattr(row, f"f{i}") for i in range(len(names))]

    def _look_for_columns(self, texts: pa.LargeStringArray, others: list[list[Any]], data: memoryview) -> None:
        """Raise `InputError` if none of a file's first records has a wanted field."""
        wanted, place = self._wanted, self._entry.path
        if not len(texts) and self._strange:
            raise wanted.missing(wanted.column, f"the first lines of {place}", list(self._strange))
        for name, column in zip(wanted.names[1:], others, strict=True):
            if column and all(value is ABSENT for value in column):
                line = bytes(data).partition(b"\n")[0]
                try:
                    found = list(parse(line))
                except ValueError:
                    found = []
                raise wanted.missing(name, f"the first lines of {place}", found)


def _is_plain(name: str) -> bool:
    """Return whether msgspec can use the name of a field: JSON contains it without escapes, in UTF-8."""
    return all(letter not in '"\\' and letter >= " " and not "\ud800" <= letter <= "\udfff" for letter in name)


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


def parse(line: bytes) -> dict[str, Any]:
    """Return a line as Python's ``json`` parses it. Raises `ValueError` with the reason if it is not a JSON object."""
    try:
        record = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: byte 0x{line[error.start]:02x} at offset {error.start} of the line") from None
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at")  # some of them end so: "Invalid control character at"
        raise ValueError(f"not JSON: {what} at column {error.colno}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(record, dict):
        raise ValueError(f"expected a JSON object, found {type(record).__name__}")
    return record

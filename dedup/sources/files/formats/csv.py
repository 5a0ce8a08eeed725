"""Separated text: one record per row, with the names of the columns in the first row.

Cells are separated by commas, tabs, semicolons or bars (`dedup.sources.files.formats.separated`).

`dedup.kernels.csv_records` defines where records end. The number of a record is that of the line on which it begins.
Every cell is a text: ids are not read as numbers, and an empty cell is an empty text. Arrow splits records into cells.
A record is rejected if it has another number of cells than the first, if a requested cell is not UTF-8, or if a
carriage return ends a line within it. Empty lines are not records.

Cost: a run of records is read at once; if a record in it is bad, the run is halved until that record is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.sources.files.batch import Batch, Token, Wanted, empty_batch
from dedup.sources.files.decompress import PIECE, Stream
from dedup.sources.files.encodings import UTF8, hint
from dedup.sources.files.formats.plain_text import OTHERWISE
from dedup.sources.files.formats.separated import SEPARATED
from dedup.sources.files.formats.sniffing import BYTE_ORDER_MARK
from dedup.sources.files.limits import too_large
from dedup.sources.files.listing import Entry
from dedup.sources.files.rejects import Reject

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["cells_of", "line_end", "read_header", "read_records", "record_runs"]


class Run(NamedTuple):
    """Complete records: where they begin, their bytes, where each ends, and whether all quoted fields are closed.

    Or one record that is too large: its length and its line feeds, and no bytes.
    """

    offset: int
    data: bytes
    ends: npt.NDArray[np.int64]
    closed: bool
    skipped: int = 0
    feeds: int = 0


DOUBLE_QUOTE = 0x22

BLANK = (b"\n", b"\r\n", b"")


def read_records(entry: Entry, number: int, wanted: Wanted, after: Token) -> Iterator[Batch]:
    """Yield the batches of a file of separated text, starting at the token `after`."""
    separator = SEPARATED[entry.format]
    with Stream(entry) as stream:
        try:
            names, size, lines = read_header(stream, separator)
        except ValueError as error:
            yield empty_batch(number, wanted, 1, [Reject(entry.path, None, 0, str(error))])
            return
        broken, encoding = stream.broken, stream.encoding
    if not names and broken is None:
        return
    if names:
        wanted.check_once(entry.path, names)
    parser = _Parser(entry, number, wanted, names, encoding)
    _, offset, line = after
    if offset == 0:
        offset, line = size, 1 + lines
    with Stream(entry, offset) as stream:
        for run in record_runs(stream, separator, wanted.limits.size):
            if run.skipped:
                reason = too_large("a record", run.skipped, entry.most, so_far=False)
                reason += "" if run.closed else "; a quoted field is opened and not closed"
                offset, after_record = run.offset + run.skipped, line + run.feeds
                rejects = [Reject(entry.path, line, run.offset, reason)]
                yield empty_batch(number, wanted, line, rejects, [number, offset, after_record])
                line = after_record
                continue
            batch, line = parser.batch(run, line)
            offset = batch.more[1]
            yield batch
        if stream.broken is not None:
            yield empty_batch(number, wanted, line, [Reject(entry.path, line, offset, stream.broken)])


def record_runs(stream: Stream, separator: str, least: int) -> Iterator[Run]:
    """Yield complete records, in runs of at least `least` bytes, as few records as possible.

    The last may lack its line feed, or the end of a field. A record that a broken stream cuts off is not yielded. Of a
    record that is larger than the limit, little more than the limit is held.
    """
    from dedup.kernels.csv_records import FIELD_START, QUOTED, record_ends

    offset, size, state = stream.at, 0, 0
    pieces: list[bytes] = []
    none = ends = np.empty(0, dtype=np.int64)
    skipped = feeds = 0
    while piece := stream.read(PIECE):
        found = np.empty(piece.count(b"\n"), dtype=np.int64)
        count, state = record_ends(np.frombuffer(piece, dtype=np.uint8), ord(separator), state, found)
        found = found[:count]
        if skipped:
            cut = int(found[0]) if count else len(piece)
            skipped, feeds = skipped + cut, feeds + piece.count(b"\n", 0, cut)
            if not count:
                continue
            yield Run(offset, b"", none, True, skipped, feeds)
            offset, skipped, feeds = offset + skipped, 0, 0
            piece, found = piece[cut:], found[1:] - cut
        ends = np.concatenate((ends, found + size))
        pieces.append(piece)
        size += len(piece)
        done = int(ends[-1]) if len(ends) else 0
        if size - done > stream.most:
            data = b"".join(pieces)
            if done:
                yield Run(offset, data[:done], ends, True)
            offset, skipped, feeds = offset + done, size - done, data.count(b"\n", done)
            pieces, size, ends = [], 0, none
            continue
        if not len(ends) or done < least:
            continue
        data, done, first = b"".join(pieces), 0, 0
        while (place := int(np.searchsorted(ends, done + least))) < len(ends):
            cut = int(ends[place])
            yield Run(offset + done, data[done:cut], ends[first : place + 1] - done, True)
            done, first = cut, place + 1
        pieces, size = [data[done:]], len(data) - done
        ends = ends[first:] - done
        offset += done
    if skipped and stream.broken is None:
        yield Run(offset, b"", none, state != QUOTED, skipped, feeds)
    data = b"".join(pieces)
    if stream.broken is not None:
        data, state = data[: int(ends[-1]) if len(ends) else 0], FIELD_START
    if data:
        whole = len(ends) > 0 and int(ends[-1]) == len(data)
        yield Run(offset, data, ends if whole else np.concatenate((ends, [len(data)])), state != QUOTED)


def read_header(stream: Stream, separator: str) -> tuple[list[str], int, int]:
    """Return the names of the columns, and the bytes and lines before the first record.

    Raises `ValueError` with the reason if the file is not read: other line ends, too large.
    """
    size = lines = 0
    for run in record_runs(stream, separator, 1):
        if run.skipped:
            raise ValueError(too_large("a first record, with the names of the columns,", run.skipped, stream.most))
        data = run.data.removeprefix(BYTE_ORDER_MARK) if run.offset == 0 else run.data
        size, lines = size + len(run.data), lines + run.data.count(b"\n")
        if data not in BLANK:
            cells = [data[start:end] for start, end in cells_of(data, separator)]
            if any(b"\r" in cell and not cell.startswith(b'"') for cell in cells):
                raise ValueError(
                    "expected lines that end with a line feed, found a carriage return without a line feed in the "
                    "first; write it anew with line feeds"
                )
            return [_unquoted(cell.decode("utf-8", "replace")) for cell in cells], size, lines
    return [], size, lines


def cells_of(record: bytes, separator: str) -> list[tuple[int, int]]:
    """Return where the cells of a record begin and end, without its line break."""
    end, mark = len(record) - len(line_end(record)), separator.encode()
    cells, start, at = [], 0, 0
    while True:
        if record[at : at + 1] == b'"':
            at += 1
            while at < end and not (record[at] == DOUBLE_QUOTE and record[at + 1 : at + 2] != b'"'):
                at += 2 if record[at] == DOUBLE_QUOTE else 1
        found = record.find(mark, at, end)
        cells.append((start, end if found < 0 else found))
        if found < 0:
            return cells
        start = at = found + 1


def line_end(record: bytes) -> bytes:
    """Return the line break of a record, empty if it has none."""
    return next((mark for mark in (b"\r\n", b"\n") if record.endswith(mark)), b"")


def _unquoted(cell: str) -> str:
    """Return the value of a cell: two quotes in a quoted cell mean one."""
    if not cell.startswith('"'):
        return cell
    inside, _, after = cell[1:].rpartition('"')
    return inside.replace('""', '"') + after


class _Parser:
    """Turns runs of records into batches."""

    def __init__(self, entry: Entry, number: int, wanted: Wanted, names: list[str], encoding: str) -> None:
        self._entry, self._number, self._wanted = entry, number, wanted
        self._names, self._encoding = names, encoding

    def batch(self, run: Run, line: int) -> tuple[Batch, int]:
        """Return the batch of a run that begins in line `line`, and the number of the line after it."""
        data, ends = run.data, run.ends
        values = np.frombuffer(data, dtype=np.uint8)
        feeds = np.flatnonzero(values == 0x0A)
        starts = np.concatenate((np.zeros(1, np.int64), ends[:-1]))
        filled = _filled(values, starts, ends)
        starts, ends = starts[filled], ends[filled]
        lines = line + np.searchsorted(feeds, starts)
        next_line = line + len(feeds) + (not data.endswith(b"\n"))
        rejects: list[Reject] = []
        if not run.closed:
            reason = "a quoted field is opened and not closed"
            rejects = [Reject(self._entry.path, int(lines[-1]), run.offset + int(starts[-1]), reason)]
            starts, ends, lines = starts[:-1], ends[:-1], lines[:-1]
        good, columns, bad = self._read(data, starts, ends)
        bad.sort()
        rejects = [
            *(Reject(self._entry.path, int(lines[i]), run.offset + int(starts[i]), reason) for i, reason in bad),
            *rejects,
        ]
        more = [self._number, run.offset + len(data), next_line]
        return self._made(columns, line, lines[good], run.offset + starts[good], rejects, more), next_line

    def _empty(self) -> list[pa.Array]:
        import pyarrow as pa

        return [pa.array([], type=pa.large_string()) for _ in self._wanted.names]

    def _made(
        self,
        columns: list[pa.Array],
        first: int,
        numbers: npt.NDArray[np.int64],
        offsets: npt.NDArray[np.int64],
        rejects: list[Reject],
        more: Token,
    ) -> Batch:
        wanted = self._wanted
        named = dict(zip(wanted.names, columns, strict=True))
        ids = None if wanted.id is None else named[wanted.id]
        extra = {name: named[name] for name in wanted.extra}
        return Batch(self._number, first, numbers, named[wanted.column], ids, extra, offsets, rejects, more)

    def _read(
        self, data: bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], list[pa.Array], list[tuple[int, str]]]:
        """Return which of some records are good, their wanted cells, and the other records with the reasons."""
        import pyarrow as pa

        good: list[int] = []
        parts: list[list[pa.Array]] = []
        bad: list[tuple[int, str]] = []
        most = self._entry.most
        large = np.flatnonzero(ends - starts > most).tolist()
        bad += [(i, too_large("a record", int(ends[i] - starts[i]), most, so_far=False)) for i in large]
        borders = [-1, *large, len(starts)]
        ranges = [(first + 1, end) for first, end in pairwise(borders) if first + 1 < end][::-1]
        while ranges:
            first, end = ranges.pop()
            try:
                parts.append(self._columns(data[starts[first] : ends[end - 1]], end - first))
                good.extend(range(first, end))
            except ValueError as error:  # of Arrow, or ours
                if end - first == 1:
                    bad.append((first, str(error)))
                    continue
                middle = (first + end) // 2
                ranges += [(middle, end), (first, middle)]
        if not parts:
            return np.empty(0, dtype=np.int64), self._empty(), bad
        columns = [pa.concat_arrays(list(column)) for column in zip(*parts, strict=True)]
        return np.array(good, dtype=np.int64), columns, bad

    def _columns(self, data: bytes, count: int) -> list[pa.Array]:
        """Return the wanted cells of `count` records. Raises `ValueError` if the data has other records than these."""
        import pyarrow as pa
        from pyarrow import csv

        names, wanted = (
            list(map(str, range(len(self._names)))),
            [self._names.index(name) for name in self._wanted.names],
        )
        chosen = [names[i] for i in wanted]
        try:
            table = csv.read_csv(
                pa.BufferReader(data),
                csv.ReadOptions(use_threads=False, column_names=names, block_size=max(len(data) + 1, PIECE)),
                csv.ParseOptions(delimiter=SEPARATED[self._entry.format], newlines_in_values=True),
                csv.ConvertOptions(
                    include_columns=chosen,
                    column_types=dict.fromkeys(chosen, pa.large_string()),
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid as error:
            raise ValueError(_reason(str(error), data, self._encoding)) from None
        if table.num_rows != count:
            raise ValueError("a carriage return ends a line within the record")
        return [pa.concat_arrays(table.column(i).chunks) for i in range(len(chosen))]


def _reason(message: str, data: bytes, encoding: str) -> str:
    """Return the message of Arrow about one record, without its count of rows and the contents of the record."""
    cells = re.search(r"Expected (\d+) columns, got (\d+)", message)
    if cells:
        return f"expected {cells[1]} cells, found {cells[2]}"
    if "UTF8" in message:
        name = "UTF-8" if encoding == UTF8 else encoding
        return f"a cell of a requested column is not {name}{hint(data, encoding) or OTHERWISE}"
    return f"not CSV: {message}"


def _filled(
    values: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Return which records are more than a line break."""
    sizes = ends - starts
    first = values[np.minimum(starts, len(values) - 1)]
    feed = (sizes == 1) & (first == 0x0A)
    both = (sizes == 2) & (first == 0x0D) & (values[ends - 1] == 0x0A)
    filled: npt.NDArray[np.bool_] = ~(feed | both)
    return filled

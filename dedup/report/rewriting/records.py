"""Write files of records without some of their records: JSON lines, separated text, texts in lines, texts, pages.

Kept records are copied byte for byte, with their line ends, spacing and order of fields. Blank lines and a byte order
mark are copied too. If paragraphs or lines are cut out of a record, only the value of the text changes. `annotate` adds
fields at the end of each record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.errors import ParameterError
from dedup.report.decisions import NOTES, Counts, Verdict
from dedup.report.rewriting.json_edits import refuse, with_fields, with_value
from dedup.report.rewriting.new_file import open_like
from dedup.sources.files.batch import BATCH_BYTES
from dedup.sources.files.decompress import PIECE, Stream, Unpacked, line_runs
from dedup.sources.files.formats.csv import cells_of, line_end, read_header, record_runs
from dedup.sources.files.formats.separated import SEPARATED
from dedup.sources.files.formats.sniffing import BYTE_ORDER_MARK
from dedup.sources.files.listing import Entry
from dedup.storage.compressed import open_sink

__all__ = [
    "UNCUT",
    "no_cuts",
    "rewrite_document",
    "rewrite_lines",
    "rewrite_page",
    "rewrite_records",
    "rewrite_text_lines",
]

UNCUT = {
    "warc": "which is WARC",
    "mediawiki": "which is a dump of MediaWiki",
    "html": "which is a page, of which the text was extracted",
}
"""Formats of which no text can be changed, each as messages have it."""

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Records(NamedTuple):
    """Consecutive records: their bytes, and for each its end in the bytes, its number, and whether it is blank."""

    data: bytes
    ends: Numbers
    numbers: Numbers
    blank: Flags


def rewrite_lines(entry: Entry, path: Path, verdict: Verdict) -> Counts:
    """Write the kept records of a file of JSON lines to `path`, and return how many."""

    def edit(line: bytes, number: int) -> bytes:
        if verdict.notes is not None:
            return with_fields(line, dict(zip(NOTES, verdict.note(number), strict=True)), verdict.path, number)
        for name, change in verdict.edits(number):
            line = with_value(line, name, change)
        return line

    with Stream(entry) as stream, open_like(entry, stream, path) as sink:
        return _rewrite(_lines(stream), sink, verdict, edit)


def rewrite_text_lines(entry: Entry, path: Path, verdict: Verdict) -> Counts:
    """Write the kept texts of a file with a text a line to `path`, and return how many."""
    if verdict.notes is not None:
        raise ParameterError(no_fields(f"{verdict.path}, which has a text a line"))

    def edit(line: bytes, number: int) -> bytes:
        ending = line_end(line)
        return verdict.shorten(number, line[: len(line) - len(ending)].decode("utf-8")).encode() + ending

    with Stream(entry) as stream, open_like(entry, stream, path) as sink:
        return _rewrite(_lines(stream), sink, verdict, edit)


def no_cuts(found: str, unit: str, option: str = "report") -> str:
    """Return the message for a file whose texts cannot be changed; `option` is what asked for it.

    `unit` is what is cut: "paragraph", "line", or the "span" of a repeat.
    """
    what = "repeats" if unit == "span" else f"duplicate {unit}s"
    return (
        f"{option}: expected files whose texts can be changed, found {found}; leave it out (--exclude), or write its "
        f"texts as JSON lines first, to cut {what} out of them"
    )


def no_fields(found: str) -> str:
    """Return the message for a file that has no fields to which decisions could be added."""
    return (
        f"annotate: expected files of records with fields, found {found}; the decisions about it are in "
        "decisions.parquet of the report"
    )


def rewrite_records(entry: Entry, path: Path, verdict: Verdict) -> Counts:
    """Write the header and the kept records of a file of separated text to `path`, and return how many."""
    header: list[str] = []
    separator = SEPARATED[entry.format]

    def edit(record: bytes, number: int) -> bytes:
        if verdict.notes is not None:
            cluster, kept, *others = verdict.note(number)
            return with_cells(record, [cluster, "true" if kept else "false", *others], separator)
        for name, change in verdict.edits(number):
            record = with_cell(record, header.index(name), change, separator)
        return record

    with Stream(entry) as stream:
        names, size, lines = read_header(stream, separator)
    header += names
    with Stream(entry) as stream, open_like(entry, stream, path) as sink:
        top = stream.read(size)
        if verdict.notes is not None and names:
            refuse([name for name in names if name in NOTES], verdict.path)
            top = with_cells(top, NOTES, separator)
        sink.write(top)
        return _rewrite(_records(stream, lines + 1, separator), sink, verdict, edit)


def rewrite_document(entry: Entry, path: Path, verdict: Verdict) -> Counts:
    """Write a plain text to `path` if it is kept, without its removed paragraphs or lines. Return the counts."""
    one = np.ones(1, dtype=np.int64)
    if verdict.notes is not None:
        raise ParameterError(no_fields(f"the plain text {verdict.path}"))
    counts = verdict.count(one)
    if not counts.kept:
        return counts
    with Stream(entry) as stream, open_like(entry, stream, path) as sink:
        if not counts.cut:
            while piece := stream.read(PIECE):
                sink.write(piece)
            return counts
        data = b"".join(iter(lambda: stream.read(PIECE), b""))
        mark = BYTE_ORDER_MARK if data.startswith(BYTE_ORDER_MARK) else b""
        sink.write(mark + verdict.shorten(1, data[len(mark) :].decode("utf-8", "surrogatepass")).encode())
    return counts


def rewrite_page(entry: Entry, path: Path, verdict: Verdict) -> Counts:
    """Write a page to `path`, byte for byte, if it is kept. Return the counts."""
    if verdict.notes is not None:
        raise ParameterError(no_fields(f"the page {verdict.path}"))
    counts = verdict.count(np.ones(1, dtype=np.int64))
    if counts.cut:
        raise ParameterError(no_cuts(f"{verdict.path}, {UNCUT['html']}", verdict.unit))
    if counts.kept:
        with Unpacked(entry) as stream, open_sink(path, entry.compression) as sink:
            while piece := stream.read(PIECE):
                sink.write(piece)
    return counts


def _rewrite(
    parts: Iterator[Records], sink: IO[bytes], verdict: Verdict, edit: Callable[[bytes, int], bytes]
) -> Counts:
    """Write the kept records, neighbours that do not change in one piece. Return the counts."""
    counts = Counts(0, 0)
    for data, ends, numbers, blank in parts:
        starts = np.concatenate((np.zeros(1, dtype=np.int64), ends[:-1]))
        counts = counts.plus(verdict.count(numbers[~blank]))
        dropped = verdict.drops(numbers)
        other = np.flatnonzero((dropped | verdict.edited(numbers)) & ~blank)
        at = 0
        for i in other.tolist():
            start, end = int(starts[i]), int(ends[i])
            sink.write(data[at:start])
            if not dropped[i]:
                sink.write(edit(data[start:end], int(numbers[i])))
            at = end
        sink.write(data[at:] if at else data)
    return counts


def _blank_lines(data: bytes, starts: Numbers, ends: Numbers) -> Flags:
    """Return which lines contain only white space. Only lines that begin with white space are checked."""
    values = np.frombuffer(data, dtype=np.uint8)
    blank = values[starts] <= ord(" ")
    for i in np.flatnonzero(blank).tolist():
        blank[i] = not data[starts[i] : ends[i]].strip(b" \t\r\n")
    return blank


def _blank_records(data: bytes, starts: Numbers, ends: Numbers) -> Flags:
    """Return which records of separated text are only a line break."""
    blank = ends - starts <= 2
    for i in np.flatnonzero(blank).tolist():
        blank[i] = data[starts[i] : ends[i]] in (b"\n", b"\r\n")
    return blank


def _lines(stream: Stream) -> Iterator[Records]:
    """Yield the lines of a stream, numbered from 1."""
    number = 1
    for run in line_runs(stream):
        if run.skipped:  # this record was rejected
            number += 1
            continue
        data = bytes(run.data)
        if number == 1 and data.startswith(BYTE_ORDER_MARK):  # the file's, not the first record's: it is always kept
            data = data[len(BYTE_ORDER_MARK) :]
            yield Records(BYTE_ORDER_MARK, *(np.array([value]) for value in (len(BYTE_ORDER_MARK), 0, True)))
            if not data:
                continue
        ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n")) + 1
        if not len(ends) or ends[-1] < len(data):
            ends = np.concatenate((ends, [len(data)]))
        starts = np.concatenate((np.zeros(1, dtype=np.int64), ends[:-1]))
        numbers = np.arange(number, number + len(ends), dtype=np.int64)
        yield Records(data, ends, numbers, _blank_lines(data, starts, ends))
        number += len(ends)


def _records(stream: Stream, line: int, separator: str) -> Iterator[Records]:
    """Yield the records of separated text after its header, numbered by the lines on which they begin."""
    for run in record_runs(stream, separator, BATCH_BYTES):
        if run.skipped:  # this record was rejected
            line += run.feeds
            continue
        feeds = np.flatnonzero(np.frombuffer(run.data, dtype=np.uint8) == ord("\n"))
        starts = np.concatenate((np.zeros(1, dtype=np.int64), run.ends[:-1]))
        numbers = line + np.searchsorted(feeds, starts)
        yield Records(run.data, run.ends, numbers, _blank_records(run.data, starts, run.ends))
        line += len(feeds)


# records with changed cells


def with_cell(record: bytes, place: int, change: Callable[[str], str], separator: str) -> bytes:
    """Return a record of separated text with `change` applied to one cell. All other bytes are unchanged."""
    start, end = cells_of(record, separator)[place]
    cell = record[start:end].decode("utf-8")
    quoted = cell.startswith('"')
    inside, _, after = cell[1:].rpartition('"')
    new = change(inside.replace('""', '"') + after if quoted else cell)
    if quoted or any(letter in new for letter in f'{separator}"\n\r'):
        new = '"' + new.replace('"', '""') + '"'
    return record[:start] + new.encode() + record[end:]


def with_cells(record: bytes, cells: Iterable[object], separator: str) -> bytes:
    """Return a record of separated text with `cells` added at its end; None is an empty cell."""
    mark = line_end(record)
    added = b"".join((separator + ("" if cell is None else str(cell))).encode() for cell in cells)
    return record[: len(record) - len(mark)] + added + mark

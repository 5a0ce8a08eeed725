"""Write tables without some of their rows: Parquet and Arrow IPC, one row group or record batch at a time.

Schema, metadata, compression, format version and the bounds of the groups are kept; a group without a kept row is
dropped. A file that is compressed as a whole is unpacked, rewritten and packed again, through temporary files.

Memory: twice the largest row group or record batch.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.errors import InputError, ParameterError
from dedup.report.decisions import NOTES, Counts, Verdict
from dedup.results.data.rows import select_rows
from dedup.sources.columns import names_of
from dedup.sources.fields import as_texts, find_field, leaf_of, with_leaf
from dedup.sources.files.decompress import PIECE, Unpacked
from dedup.sources.files.formats.arrow.messages import codec_of
from dedup.sources.files.formats.arrow.tables import damage, unsound
from dedup.sources.files.listing import Entry
from dedup.storage.compressed import open_sink

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["rewrite_arrow", "rewrite_parquet"]

READ_ROWS = 2048
"""Rows. How many of a row group are read at a time, so that the rows before a damaged place can be used."""

MAGIC = b"ARROW1"
PADDED_ROWS = 8
"""Bytes. The size of the padded magic at the start of an Arrow file."""


def rewrite_parquet(entry: Entry, path: Path, verdict: Verdict) -> Counts:
    """Write the kept rows of a Parquet file to `path`, and return the counts."""
    import pyarrow.parquet as pq

    counts, first = Counts(0, 0), 0
    with ExitStack() as stack:
        source = stack.enter_context(_unpacked(entry))
        target = stack.enter_context(_packed(path, entry.compression))
        file = stack.enter_context(pq.ParquetFile(source, pre_buffer=False, buffer_size=PIECE))
        schema = _with_notes(file.schema_arrow, verdict)
        writer = stack.enter_context(pq.ParquetWriter(target, schema, **_options(file)))
        for group in range(file.num_row_groups):
            rows, complete = _group(file, group)
            kept, more = _rewrite(rows, first, verdict)
            counts, first = counts.plus(more), first + rows.num_rows
            if kept.num_rows:
                writer.write_table(kept, row_group_size=kept.num_rows)
            if not complete:
                break
    return counts


def rewrite_arrow(entry: Entry, path: Path, verdict: Verdict) -> Counts:
    """Write the kept rows of an Arrow IPC file or stream (Feather is such a file) to `path`, and return the counts."""
    import pyarrow as pa

    counts, first = Counts(0, 0), 0
    with _unpacked(entry) as source, _packed(path, entry.compression) as target, pa.memory_map(source) as file:
        is_file = file.read(len(MAGIC)) == MAGIC
        options = pa.ipc.IpcWriteOptions(compression=_codec(source, is_file=is_file), emit_dictionary_deltas=True)
        file.seek(0)
        reader = pa.ipc.open_file(file) if is_file else pa.ipc.open_stream(file)
        schema = _with_notes(reader.schema, verdict)
        new = pa.ipc.new_file if is_file else pa.ipc.new_stream
        with new(target, schema, options=options) as writer:
            for records in _batches(reader, verdict):
                kept, more = _rewrite(pa.Table.from_batches([records]), first, verdict)
                counts, first = counts.plus(more), first + records.num_rows
                for part in kept.combine_chunks().to_batches():
                    writer.write_batch(part)
    return counts


def _rewrite(rows: pa.Table, first: int, verdict: Verdict) -> tuple[pa.Table, Counts]:
    """Return the kept rows of a table, whose first row is row `first` of its file (from 0), and the counts."""
    import pyarrow as pa

    numbers = np.arange(first + 1, first + 1 + rows.num_rows, dtype=np.int64)
    counts, dropped = verdict.count(numbers), verdict.drops(numbers)
    if dropped.any():  # a rejected row may hold bytes that are no text
        rows, numbers = select_rows(rows, ~dropped), numbers[~dropped]
    if verdict.notes is not None:
        notes = [verdict.note(number) for number in numbers.tolist()]
        for i, field in enumerate(_note_fields()):
            rows = rows.append_column(field, pa.array([note[i] for note in notes], type=field.type))
    elif counts.cut:
        edits: dict[str, list[tuple[int, Callable[[str], str]]]] = {}
        for row in np.flatnonzero(verdict.edited(numbers)).tolist():
            for name, change in verdict.edits(int(numbers[row])):
                edits.setdefault(name, []).append((row, change))
        for name, changes in edits.items():
            rows = _edited(rows, name, changes)
    return rows, counts


def _edited(rows: pa.Table, name: str, changes: list[tuple[int, Callable[[str], str]]]) -> pa.Table:
    """Return rows of which some texts in the column `name` are changed."""
    place, *inner = find_field(rows.schema, name) or ()
    column = rows.column(place).combine_chunks()
    leaf = leaf_of(column, tuple(inner))
    texts = as_texts(leaf).to_pylist()
    for row, change in changes:
        texts[row] = change(texts[row])
    return rows.set_column(place, rows.schema.field(place), with_leaf(column, tuple(inner), _column(texts, leaf.type)))


def _column(texts: list[str | None], kind: pa.DataType) -> pa.Array:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return pa.array(texts, type=kind.value_type).dictionary_encode().cast(kind)
    return pa.array(texts, type=kind)


def _note_fields() -> list[pa.Field]:
    import pyarrow as pa

    kinds = (pa.int64(), pa.bool_(), pa.float64(), pa.string(), pa.string())
    return [pa.field(name, kind) for name, kind in zip(NOTES, kinds, strict=True)]


def _with_notes(schema: pa.Schema, verdict: Verdict) -> pa.Schema:
    if verdict.notes is None:
        return schema
    for field in _note_fields():
        if field.name in schema.names:
            raise ParameterError(f"annotate: {verdict.path} has the column {field.name!r} already; leave it out first")
        schema = schema.append(field)
    return schema


# Parquet


def _group(file: pq.ParquetFile, group: int) -> tuple[pa.Table, bool]:
    """Return the rows of a row group, and whether all of them could be read."""
    import pyarrow as pa

    parts: list[pa.RecordBatch] = []
    try:
        for part in file.iter_batches(batch_size=READ_ROWS, row_groups=[group], use_threads=False):
            parts.append(part)  # noqa: PERF402  (the parts before an error are used)
    except damage():
        return pa.Table.from_batches(parts, file.schema_arrow), False
    return pa.Table.from_batches(parts, file.schema_arrow), True


def _options(file: pq.ParquetFile) -> dict[str, Any]:
    """Return the options with which a writer writes in the same way as a file was written."""
    meta = file.metadata
    columns = [meta.row_group(0).column(i) for i in range(meta.num_columns)] if meta.num_row_groups else []
    return {
        "version": meta.format_version,
        "compression": {each.path_in_schema: _named(each.compression) for each in columns} or "none",
        "use_dictionary": [each.path_in_schema for each in columns if any("DICT" in name for name in each.encodings)],
        "write_statistics": [each.path_in_schema for each in columns if each.is_stats_set],
        "use_deprecated_int96_timestamps": any(each.physical_type == "INT96" for each in columns),
        "store_schema": b"ARROW:schema" in (meta.metadata or {}),
    }


def _named(compression: str) -> str:
    return "none" if compression == "UNCOMPRESSED" else compression.lower()


# Arrow


def _batches(reader: Any, verdict: Verdict) -> Iterator[pa.RecordBatch]:
    """Yield the record batches that were searched: all before the first batch, or text column, that cannot be read.

    Raises `InputError` if another column of such a batch is damaged: the search did not read it, but it cannot be
    written.
    """
    parts = (
        iter(reader) if not hasattr(reader, "get_batch") else map(reader.get_batch, range(reader.num_record_batches))
    )
    number = 0
    while True:
        number += 1
        try:
            records = next(parts, None)
        except damage():
            return
        if records is None:
            return
        if any(unsound(records.column(place[0]), place[1:]) for place in _searched(records, verdict)):
            return
        for name, column in zip(records.schema.names, records.columns, strict=True):
            if reason := unsound(column):
                raise InputError(
                    f"{verdict.path}: the column {name!r} of record batch {number} is damaged and cannot be written: "
                    f"{reason}; write the file again, and repeat the search"
                )
        yield records


def _searched(records: pa.RecordBatch, verdict: Verdict) -> Iterator[tuple[int, ...]]:
    """Yield where the columns are that were searched."""
    for name in names_of(verdict.column):
        if place := find_field(records.schema, name):
            yield place


def _codec(source: str, *, is_file: bool) -> str | None:
    """Return how the first record batch with a body compresses its buffers; only its message contains that."""
    import pyarrow as pa

    with pa.memory_map(source) as file:
        file.seek(PADDED_ROWS if is_file else 0)
        reader = pa.ipc.MessageReader.open_stream(file)
        while True:
            try:
                message = reader.read_next_message()
            except StopIteration:
                return None
            if message.type == "record batch":
                return codec_of(memoryview(message.metadata))


# files that are compressed as a whole


@contextmanager
def _unpacked(entry: Entry) -> Iterator[str]:
    """Yield the path of an uncompressed copy of a file, or of the file itself if it is not compressed."""
    if entry.compression is None:
        yield entry.source
        return
    with tempfile.NamedTemporaryFile(prefix="dedup-table-") as copy:
        with Unpacked(entry) as stream:
            while piece := stream.read(PIECE):
                copy.write(piece)
        copy.flush()
        yield copy.name


@contextmanager
def _packed(path: Path, compression: str | None) -> Iterator[Any]:
    """Yield the path to write a file to; then compress that file to `path`, if there is a `compression`."""
    if compression is None:
        yield str(path)
        return
    with ExitStack() as stack:
        copy = stack.enter_context(tempfile.NamedTemporaryFile(prefix="dedup-table-"))
        yield copy.name
        with open(copy.name, "rb") as plain, open_sink(path, compression) as sink:
            shutil.copyfileobj(plain, sink, PIECE)

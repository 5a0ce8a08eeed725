"""Parquet and Arrow IPC (file and stream; Feather is an Arrow file): one record per row.

Only the wanted columns are read, a few thousand rows at a time; fields of struct columns by path. A file that is
compressed as a whole is unpacked into a temporary file first, since these formats are read from both ends. In a column
of texts or bytes, each row that is not UTF-8 is rejected. If a file cannot be read further, the rows before are used.

Cost: Parquet (zstd) at 0.6 GB/s of text on one core, measured (`benchmarks/speed/bench_reading.py`). Memory: some MB,
or the largest record batch of an Arrow file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError
from dedup.sources.fields import as_texts, find_field, has_texts, leaf_names, leaf_of, type_of
from dedup.sources.files.batch import Batch, BatchLimits, Token, Wanted, empty_batch
from dedup.sources.files.decompress import PIECE, Unpacked
from dedup.sources.files.formats.arrow.messages import unpacked_sizes
from dedup.sources.files.formats.arrow.pages import pages_of
from dedup.sources.files.limits import GROUPED, too_large
from dedup.sources.files.listing import Entry
from dedup.sources.files.rejects import Reject

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_table"]

MAGIC_BYTES = 8
"""Bytes of the magic, with its padding, at the beginning of an Arrow file."""

DECODED_ROWS = 2048
"""Rows of Parquet that are decoded at a time. Curve: `benchmarks.tuning.tables_decoded_rows`; flat from 512 to 2^11 on
generated:20000 (two cores, 2026-11)."""


def damage() -> tuple[type[Exception], ...]:
    """Return the errors that Arrow raises if a file is damaged."""
    import pyarrow as pa

    return (pa.ArrowException, ValueError, LookupError, OverflowError, RuntimeError, TypeError, OSError, MemoryError)


def read_table(entry: Entry, number: int, wanted: Wanted, after: Token) -> Iterator[Batch]:
    """Yield the batches of a ``.parquet`` or ``.arrow`` file, starting at the token `after`."""
    _, row, _ = after
    with ExitStack() as stack:
        source: Any = entry.source
        if entry.compression is not None:
            source = _unpacked(entry, stack)
        try:
            for first, records in (
                _parquet(source, wanted, entry, row)
                if entry.format == "parquet"
                else _arrow(source, wanted, entry, stack)
            ):
                for start, end in _cuts(records.column(0), wanted.limits):
                    if first + start >= row:
                        yield _batch(entry, number, wanted, records.slice(start, end - start), first + start)
                row = max(row, first + len(records))
        except (InputError, GeneratorExit):  # not damage: a wrong column, or the caller needs no more batches
            raise
        except damage() as error:
            found = " ".join(str(error).split()) or type(error).__name__
            found = f"{found:.200}".rstrip(".")
            reason = f"cannot be read on: {found}; the part before was used" if row else f"cannot be read: {found}"
            yield empty_batch(number, wanted, row + 1, [Reject(entry.path, row + 1, None, reason)])


def _unpacked(entry: Entry, stack: ExitStack) -> str:
    copy: IO[bytes] = stack.enter_context(tempfile.NamedTemporaryFile(prefix="dedup-table-"))  # noqa: SIM115
    with Unpacked(entry) as stream:
        while piece := stream.read(PIECE):
            copy.write(piece)
        if stream.broken is not None and entry.format == "parquet":
            raise OSError(stream.broken)
    copy.flush()
    return copy.name


def _parquet(source: str, wanted: Wanted, entry: Entry, row: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(source, pre_buffer=False, buffer_size=PIECE) as file:
        _places(file.schema_arrow, wanted, entry)
        first = 0
        for group in range(file.metadata.num_row_groups):
            count = file.metadata.row_group(group).num_rows
            if first + count <= row:
                first += count
                continue
            size = _rows_at_once(source, file.metadata.row_group(group), group, wanted.column, entry.most)
            rows = file.iter_batches(batch_size=size, row_groups=[group], columns=wanted.names, use_threads=False)
            for records in rows:
                if first + len(records) > row:
                    places = _places(records.schema, wanted, entry)
                    columns = [leaf_of(records.column(place[0]), place[1:]) for place in places]
                    yield first, pa.RecordBatch.from_arrays(columns, names=wanted.names)
                first += len(records)


def _rows_at_once(source: str, group: Any, number: int, column: str, most: int) -> int:
    """Return how many rows of a row group can be decoded at a time. If the group is large, all page headers are read.

    Raises `ValueError` if a page, or one row, is larger than can be held.
    """
    import pyarrow.parquet as pq

    chunk = next((part for part in map(group.column, range(group.num_columns)) if part.path_in_schema == column), None)
    held = GROUPED * most
    if chunk is None or (chunk.total_uncompressed_size <= held and not chunk.has_dictionary_page):
        return DECODED_ROWS
    first = chunk.data_page_offset
    if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
        first = min(first, chunk.dictionary_page_offset)
    share, dictionary = 1.0, 0
    with open(source, "rb") as file:
        for page in pages_of(file, first, chunk.total_compressed_size):
            if page.size > held:
                what = f"a page of the column {column!r} of row group {number + 1}"
                raise ValueError(too_large(what, page.size, held, so_far=False))
            if page.dictionary:
                dictionary = page.size
            elif page.values:
                share = max(share, page.size / page.values)
            if page.dictionary and chunk.total_uncompressed_size <= held:
                break
    if dictionary * min(DECODED_ROWS, group.num_rows) > held:
        with pq.ParquetFile(source, pre_buffer=False, buffer_size=PIECE, read_dictionary=[column]) as again:
            some = next(again.iter_batches(batch_size=1, row_groups=[number], columns=[column], use_threads=False))
            values = getattr(some.column(0), "dictionary", None)
        if values is not None and len(values):
            share = max(share, int(_sizes(as_texts(values)).max()))
    return max(min(DECODED_ROWS, int(held / share)), 1)


def _arrow(source: str, wanted: Wanted, entry: Entry, stack: ExitStack) -> Iterator[tuple[int, pa.RecordBatch]]:
    import pyarrow as pa

    file = stack.enter_context(pa.memory_map(source))
    magic = file.read(6)
    held = GROUPED * entry.most
    for number, size in enumerate(unpacked_sizes(file, MAGIC_BYTES if magic == b"ARROW1" else 0), start=1):
        if size > held:
            raise ValueError(too_large(f"record batch {number}, which is unpacked at once,", size, held, so_far=False))
    file.seek(0)
    if magic == b"ARROW1":
        reader = pa.ipc.open_file(file)
        parts = (reader.get_batch(i) for i in range(reader.num_record_batches))
    else:
        reader = pa.ipc.open_stream(file)
        parts = iter(reader)
    places = _places(reader.schema, wanted, entry)
    first = 0
    for number, records in enumerate(parts, start=1):
        for name, place in zip(wanted.names, places, strict=True):
            if reason := unsound(records.column(place[0]), place[1:]):
                rows = f"rows {first + 1:,} to {first + len(records):,}"
                raise ValueError(f"the column {name!r} of record batch {number} ({rows}) is damaged: {reason}")
        columns = [leaf_of(sound(records.column(place[0])), place[1:]) for place in places]
        yield first, pa.RecordBatch.from_arrays(columns, names=wanted.names)
        first += len(records)


def unsound(column: pa.Array, path: tuple[int, ...] = ()) -> str:
    """Return why the values of a column that was mapped from a file cannot be read; "" if they can.

    Of a struct column, only the field at `path` is checked.

    Arrow takes offsets, indices and lengths from the file, and crashes the process if they point beyond its buffers.
    Whether texts are UTF-8 is not checked here, but row by row. Cost: a look at each offset, not at the texts.
    """
    import pyarrow as pa

    try:
        column.validate()
        if path:
            return unsound(column.field(path[0]), path[1:])
        if pa.types.is_dictionary(column.type):
            indices = column.indices
            if reason := unsound(column.dictionary) or unsound(indices):
                return reason
            known = indices.drop_null().to_numpy(zero_copy_only=False)
            if len(known) and not (int(known.min()) >= 0 and int(known.max()) < len(column.dictionary)):
                return f"expected indices below {len(column.dictionary):,}, found {known.min():,} to {known.max():,}"
        else:
            sound(column, kind=BYTES.get(str(column.type))).validate(full=True)
    except damage() as error:
        return " ".join(str(error).split()) or type(error).__name__
    return ""


BYTES = {"string": "binary", "large_string": "large_binary", "string_view": "binary_view"}
"""The types of texts, and the types of bytes that have the same buffers."""


def sound(column: pa.Array, *, kind: str | None = None) -> pa.Array:
    """Return a column whose nulls are counted again, whatever count the file has; as type `kind` if it is given."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        return pa.DictionaryArray.from_arrays(sound(column.indices), sound(column.dictionary), safe=False)
    if pa.types.is_struct(column.type) and not column.offset:
        children = [sound(column.field(place)) for place in range(column.type.num_fields)]
        return pa.Array.from_buffers(column.type, len(column), column.buffers()[:1], -1, 0, children)
    if pa.types.is_nested(column.type) or pa.types.is_null(column.type) or isinstance(column, pa.ExtensionArray):
        return column
    other = column.type if kind is None else getattr(pa, kind)()
    return pa.Array.from_buffers(other, len(column), column.buffers(), -1, column.offset)


def _places(schema: pa.Schema, wanted: Wanted, entry: Entry) -> list[tuple[int, ...]]:
    """Return where the wanted columns of a table are. Raises `InputError` if one does not exist, or has no texts."""
    names, places = schema.names, [find_field(schema, name) for name in wanted.names]
    by_path = [name for name, place in zip(wanted.names, places, strict=True) if place and len(place) > 1]
    wanted.check_once(entry.path, [*names, *by_path], leaf_names(schema))
    found = [place for place in places if place is not None]
    kind = type_of(schema, found[0])
    if not has_texts(kind):
        raise InputError(
            f'column="{wanted.column}": expected texts, found {kind} in {entry.path}; name a column of texts'
        )
    return found


def _cuts(column: pa.Array, limits: BatchLimits) -> Iterator[tuple[int, int]]:
    """Yield the first and the end row of each batch: of about `limits.size` bytes, and at least one row."""
    ends = np.cumsum(_sizes(as_texts(column)))
    at, before = 0, 0
    while at < len(ends):
        end = int(np.searchsorted(ends, before + limits.size, side="left")) + 1
        end = min(end, at + limits.records, len(ends))
        yield at, end
        at, before = end, int(ends[end - 1])


def _sizes(texts: pa.LargeStringArray) -> npt.NDArray[np.int64]:
    """Return the bytes of each text."""
    import pyarrow.compute as pc

    sizes = pc.fill_null(pc.binary_length(texts), 0)
    return np.asarray(sizes.to_numpy(zero_copy_only=False), dtype=np.int64)


def _batch(entry: Entry, number: int, wanted: Wanted, records: pa.RecordBatch, first: int) -> Batch:
    import pyarrow as pa

    numbers = np.arange(first + 1, first + 1 + len(records), dtype=np.int64)
    more = [number, first + len(records), first + len(records) + 1]
    texts = as_texts(records.column(wanted.column))
    rejects: list[Reject] = []
    sizes = _sizes(texts)
    small = sizes <= entry.most
    good = _readable(texts) & small
    if not good.all():
        for i in np.flatnonzero(~good).tolist():
            large = too_large("a text", int(sizes[i]), entry.most, so_far=False)
            reason = f'"{wanted.column}" is not UTF-8' if small[i] else large
            rejects.append(Reject(entry.path, int(numbers[i]), None, reason))
        others = records.select([name for name in wanted.names if name in (wanted.id, *wanted.extra)])
        records = others.filter(pa.array(good))  # the texts may be of a type that Arrow cannot filter
        numbers, texts = numbers[good], texts.filter(pa.array(good))
    ids = None if wanted.id is None else _ids(records.column(wanted.id), wanted.id, entry, numbers)
    extra = {name: records.column(name) for name in wanted.extra}
    return Batch(number, first + 1, numbers, texts, ids, extra, None, rejects, more)


def _readable(texts: pa.LargeStringArray) -> npt.NDArray[np.bool_]:
    """Return which texts are UTF-8."""
    import pyarrow as pa

    good = np.ones(len(texts), dtype=np.bool_)
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        for row, data in enumerate(texts.cast(pa.large_binary())):
            try:
                (data.as_py() or b"").decode("utf-8")
            except UnicodeDecodeError:
                good[row] = False
    return good


def _ids(column: pa.Array, name: str, entry: Entry, numbers: npt.NDArray[np.int64]) -> pa.Array:
    import pyarrow as pa

    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
        raise InputError(f'id="{name}": expected an int or a text, found null at {entry.path}:{numbers[row]}')
    if pa.types.is_integer(column.type):
        try:
            return column.cast(pa.int64())
        except pa.ArrowInvalid:
            raise InputError(
                f'id="{name}": expected 64-bit integers with a sign, found others in {entry.path}'
            ) from None
    if has_texts(column.type) and not pa.types.is_null(column.type):
        texts = as_texts(column)
        good = _readable(texts)
        if not good.all():
            row = int(np.flatnonzero(~good)[0])
            raise InputError(f'id="{name}": expected UTF-8, found other bytes at {entry.path}:{numbers[row]}')
        return texts
    raise InputError(f'id="{name}": expected integers or texts, found {column.type} in {entry.path}')

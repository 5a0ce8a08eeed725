"""A listing read in order, as batches of records.

Where a batch ends depends only on the listing and on the contents of its files. So reading can resume after any batch,
from its token, and yields exactly the batches that would have followed. A file that cannot be opened is a reject. Each
format has its reader in `dedup.sources.files.formats`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dedup.sources.column_places import ColumnPlaces
from dedup.sources.columns import Columns, arrays_of_texts, join_columns
from dedup.sources.files.batch import BATCH_LIMITS, Batch, BatchLimits, Token, Wanted, empty_batch, lengths_of
from dedup.sources.files.formats.archives.mediawiki import read_dump
from dedup.sources.files.formats.archives.warc import read_archive
from dedup.sources.files.formats.arrow.tables import read_table
from dedup.sources.files.formats.csv import read_records
from dedup.sources.files.formats.html import read_page
from dedup.sources.files.formats.json import read_json
from dedup.sources.files.formats.jsonl import read_lines
from dedup.sources.files.formats.lines import read_text_lines
from dedup.sources.files.formats.named import DOCUMENTS
from dedup.sources.files.formats.plain_text import read_document
from dedup.sources.files.formats.separated import SEPARATED
from dedup.sources.files.listing import Entry, Listing
from dedup.sources.files.rejects import Errors, Reject

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Batch", "Errors", "Reject", "Token", "read_batches", "read_column_places"]

BEGIN: Token = [0, 0, 1]

READERS: dict[str, Callable[[Entry, int, Wanted, Token], Iterator[Batch]]] = {
    "jsonl": read_lines,
    "json": read_json,
    **dict.fromkeys(SEPARATED, read_records),
    "lines": read_text_lines,
    "warc": read_archive,
    "mediawiki": read_dump,
    "parquet": read_table,
    "arrow": read_table,
}
"""The reader of each format with records."""


def read_batches(
    listing: Listing | Sequence[Entry],
    *,
    column: str = "text",
    id: str | None = None,
    extra: Sequence[str] | Mapping[str, str] = (),
    after: Token | None = None,
    limits: BatchLimits = BATCH_LIMITS,
) -> Iterator[Batch]:
    """Yield the records of all files in batches of about a megabyte.

    Parameters
    ----------
    column, id, extra : the names of the columns (fields of JSON lines) of the text (`Columns`: of the parts of the
        text), of the id, and of others to read;
        a ``.txt`` file is a text and has no columns: its id is its path. `extra` may say which option names each
    after : the token of the last batch that was read before (`Batch.more`); None begins with the first record
    limits : how large batches are

    Raises `InputError` if a column is missing in a table, in the header of a CSV file, or in all first lines of a file
    of JSON lines; if the column of texts has another type; if a value is not an id; and if a file has changed since it
    was listed. Records that cannot be read are in `Batch.rejects`.
    """
    options = extra if isinstance(extra, Mapping) else {}
    if isinstance(column, Columns):
        yield from _joined(
            listing, column, id, dict(options) if options else dict.fromkeys(extra, "keep"), after, limits
        )
        return
    wanted = Wanted(column, id, tuple(extra), limits, options)
    token = BEGIN if after is None else list(after)
    for number in range(token[0], len(listing)):
        entry = listing[number]
        entry.check()
        try:
            yield from _read(entry, number, wanted, token if number == token[0] else [number, 0, 1])
        except OSError as error:
            reason = error.strerror or str(error)
            yield empty_batch(number, wanted, 1, [Reject(entry.path, None, None, reason)])
        except MemoryError:
            reason = "expected memory for its records, found none left; give a bound (--memory), or split it"
            yield empty_batch(number, wanted, 1, [Reject(entry.path, None, None, reason)])


def _joined(
    listing: Listing | Sequence[Entry],
    column: Columns,
    id: str | None,
    extra: dict[str, str],
    after: Token | None,
    limits: BatchLimits,
) -> Iterator[Batch]:
    """Yield the batches in which the texts of several columns are joined. The first one decides what is a record."""
    others = {name: "column" for name in column.names[1:] if name not in extra}
    for batch in read_batches(listing, column=column.names[0], id=id, extra=extra | others, after=after, limits=limits):
        texts = batch.texts
        if len(texts):
            texts = join_columns(column, _parts_of(batch, column), listing[batch.file].path)
        yield batch._replace(texts=texts, extra={name: batch.extra[name] for name in extra})


def _parts_of(batch: Batch, column: Columns) -> list[pa.Array]:
    """Return the columns of the texts of a batch."""
    return [batch.texts, *(batch.extra[name] for name in column.names[1:])]


def read_column_places(
    listing: Listing | Sequence[Entry], column: Columns, count: int, limits: BatchLimits = BATCH_LIMITS
) -> ColumnPlaces:
    """Return where the columns are in the `count` texts that `read_batches` has read; the files are read again.

    Raises as `read_batches`, and `InputError` if it finds another number of texts.
    """
    others = dict.fromkeys(column.names[1:], "column")
    lengths = [np.empty((0, len(column.names)), dtype=np.int64)]
    for batch in read_batches(listing, column=column.names[0], extra=others, limits=limits):
        if len(batch.texts):
            texts = arrays_of_texts(column, _parts_of(batch, column), listing[batch.file].path)
            lengths.append(np.column_stack([lengths_of(each) for each in texts]))
    found = np.concatenate(lengths)
    if len(found) != count:
        raise listing[-1].lost()
    return ColumnPlaces(column.names, found)


def _read(entry: Entry, number: int, wanted: Wanted, after: Token) -> Iterator[Batch]:
    if entry.format in DOCUMENTS:
        return (read_page if entry.format == "html" else read_document)(entry, number, wanted)
    return READERS[entry.format](entry, number, wanted, after)

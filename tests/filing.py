"""Files of every format and compression, and what plain Python reads from them: the slow twin of the readers."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from dedup.sources.files.batch import Batch
from dedup.sources.files.listing import Listing
from dedup.sources.files.reader import read_batches

Record = dict[str, Any]

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: pa.compress(data, codec="zstd", asbytes=True),
}


def as_lines(records: Sequence[Record]) -> bytes:
    """Write JSON lines; a surrogate that stands alone is spelled as an escape."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def as_csv(records: Sequence[Record]) -> bytes:
    """Write comma-separated text with a header; a null is an empty cell."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, fieldnames=list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue().encode()


def table(records: Sequence[Record]) -> pa.Table:
    """Give the records as an Arrow table."""
    return pa.Table.from_pylist(list(records))


def as_parquet(records: Sequence[Record]) -> bytes:
    """Write Parquet in small row groups."""
    out = io.BytesIO()
    pq.write_table(table(records), out, row_group_size=3)
    return out.getvalue()


def as_arrow(records: Sequence[Record]) -> bytes:
    """Write an Arrow IPC file."""
    out = io.BytesIO()
    data = table(records)
    with pa.ipc.new_file(out, data.schema) as writer:
        writer.write_table(data, max_chunksize=3)
    return out.getvalue()


def as_stream(records: Sequence[Record]) -> bytes:
    """Write an Arrow IPC stream."""
    out = io.BytesIO()
    data = table(records)
    with pa.ipc.new_stream(out, data.schema) as writer:
        writer.write_table(data, max_chunksize=4)
    return out.getvalue()


WRITERS: dict[str, Callable[[Sequence[Record]], bytes]] = {
    ".jsonl": as_lines,
    ".csv": as_csv,
    ".parquet": as_parquet,
    ".arrow": as_arrow,
    ".feather": as_stream,
}


class Read(NamedTuple):
    """One record as it was read: file, number, text (None: null), id."""

    file: int
    number: int
    text: str | None
    id: Any


def decoded(batch: Batch) -> list[str | None]:
    """Give the texts of a batch as Python strings."""
    return [
        value.as_buffer().to_pybytes().decode("utf-8", "surrogatepass") if value.is_valid else None
        for value in batch.texts
    ]


def rows_of(batch: Batch) -> list[Read]:
    """Give the records of a batch."""
    ids = [None] * len(batch.numbers) if batch.ids is None else batch.ids.to_pylist()
    numbers = batch.numbers.tolist()
    return [Read(batch.file, *row) for row in zip(numbers, decoded(batch), ids, strict=True)]


def read_all(*paths: Path, **options: Any) -> tuple[list[Read], list[tuple[int | None, int | None, str]]]:
    """Read files to their end: the records, and the line, offset and reason of each reject."""
    records: list[Read] = []
    rejects: list[tuple[int | None, int | None, str]] = []
    for batch in read_batches(Listing(paths), **options):
        records += rows_of(batch)
        rejects += [reject[1:] for reject in batch.rejects]
    return records, rejects


def plain_lines(data: bytes, column: str = "text") -> list[tuple[int, str | None]]:
    """Read JSON lines as the rule says, by the standard library alone: number and text of each that holds one."""
    found: list[tuple[int, str | None]] = []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        try:
            record = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and column in record and isinstance(record[column], (str, type(None))):
            found.append((number, record[column]))
    return found


def plain_ends(data: bytes) -> list[int]:
    """Return where the records of comma-separated text end: the page of `dedup.kernels.csv_records`, literally."""
    ends, state = [], "start"
    for at, byte in enumerate(data):
        if state == "quoted":
            state = "closed" if byte == ord('"') else "quoted"
        elif byte == ord("\n"):
            ends.append(at + 1)
            state = "start"
        elif byte == ord(","):
            state = "start"
        elif byte == ord('"'):
            state = "quoted" if state in {"start", "closed"} else "plain"
        else:
            state = "plain"
    return ends

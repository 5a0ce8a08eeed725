"""Corpora on disk: files of every format and compression, and what plain Python reads from them.

The first half is the slow twin of the readers; the second makes corpora of which a test knows every record.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dedup.sources.coerce import ListTexts
from dedup.sources.files.batch import Batch
from dedup.sources.files.formats.separated import SEPARATED
from dedup.sources.files.listing import Entry, Listing
from dedup.sources.files.reader import Reject, read_batches

__all__ = ["Entry", "Listing", "Reject"]

Record = dict[str, Any]

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: pa.compress(data, codec="zstd", asbytes=True),
}


def as_lines(records: Sequence[Record]) -> bytes:
    """Write JSON lines; a lone surrogate is written as an escape."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def as_json(records: Sequence[Record]) -> bytes:
    """Write a JSON array over several lines."""
    return json.dumps(list(records), indent=1).encode()


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
    ".json": as_json,
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


def read_all(
    *paths: Path, format: str | None = None, **options: Any
) -> tuple[list[Read], list[tuple[int | None, int | None, str]]]:
    """Read files to their end: the records, and the line, offset and reason of each reject."""
    records: list[Read] = []
    rejects: list[tuple[int | None, int | None, str]] = []
    for batch in read_batches(Listing(paths, format=format), **options):
        records += rows_of(batch)
        rejects += [reject[1:] for reject in batch.rejects]
    return records, rejects


def plain_lines(data: bytes, column: str = "text") -> list[tuple[int, str | None]]:
    """Read JSON lines as the rule says, with the standard library only: number and text of each record that has one."""
    found: list[tuple[int, str | None]] = []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        try:
            record = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and column in record and isinstance(record[column], (str, type(None))):
            found.append((number, record[column]))
    return found


def plain_ends(data: bytes, separator: str = ",") -> list[int]:
    """Return where the records of separated text end: the page of `dedup.kernels.csv_records`, literally."""
    ends, state = [], "start"
    for at, byte in enumerate(data):
        if state == "quoted":
            state = "closed" if byte == ord('"') else "quoted"
        elif byte == ord("\n"):
            ends.append(at + 1)
            state = "start"
        elif byte == ord(separator):
            state = "start"
        elif byte == ord('"'):
            state = "quoted" if state in {"start", "closed"} else "plain"
        else:
            state = "plain"
    return ends


# ----------------------------------------------------------------------------- corpora


def entry(path: Path, format: str, compression: str | None = None) -> Entry:
    """Give the entry of a file."""
    status = os.stat(path)
    return Entry(str(path), format, compression, status.st_size, status.st_mtime_ns, str(path))


class FileTexts(ListTexts):
    """Texts that know their files and records; ids are "path:record"."""

    def __init__(self, texts: list[Any], sources: list[str], files: list[int], records: list[int]) -> None:
        super().__init__(texts)
        self.sources = sources
        self.files, self.records = np.array(files, dtype=np.int32), np.array(records, dtype=np.int64)
        self.ids = [f"{sources[file]}:{record}" for file, record in zip(files, records, strict=True)]

    def locate(self, rows: Any) -> Any:
        """Give file and record of some rows."""
        return self.files[rows], self.records[rows]


class Corpus(NamedTuple):
    """Files, and the texts in them."""

    listing: list[Entry]
    texts: FileTexts


def json_lines(folder: Path, parts: list[list[str | None]]) -> Corpus:
    """Write each list of texts as a file of JSON lines."""
    folder.mkdir(parents=True, exist_ok=True)
    listing, texts, files, records = [], [], [], []
    for number, part in enumerate(parts):
        path = folder / f"part-{number:03}.jsonl"
        lines = [json.dumps({"n": i, "text": text}) for i, text in enumerate(part)]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        listing.append(entry(path, "jsonl"))
        texts += part
        files += [number] * len(part)
        records += range(1, len(part) + 1)
    return Corpus(listing, FileTexts(texts, [file.path for file in listing], files, records))


PACKED = {"gzip": "gz", "zstd": "zst", "bz2": "bz2", "xz": "xz"}


def pack(data: bytes, compression: str | None) -> bytes:
    """Compress bytes."""
    return PACKERS["" if compression is None else f".{PACKED[compression]}"](data)


def unpack(data: bytes, compression: str | None) -> bytes:
    """Undo `pack`."""
    if compression is None:
        return data
    if compression == "zstd":
        return pa.input_stream(pa.BufferReader(data), compression="zstd").read()
    return {"gzip": gzip.decompress, "bz2": bz2.decompress, "xz": lzma.decompress}[compression](data)


def encode(format: str, rows: list[Record], **options: Any) -> bytes:
    """Write rows as a file of a format."""
    if format == "jsonl":
        return b"".join(json.dumps(row, ensure_ascii=row["n"] % 2 == 0).encode() + b"\n" for row in rows)
    if format in SEPARATED:
        out = io.StringIO(newline="")
        mark = SEPARATED[format]
        writer = csv.DictWriter(
            out, list(rows[0]), delimiter=mark, lineterminator="\r\n" if options.get("crlf") else "\n"
        )
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue().encode()
    table = pa.Table.from_pylist(rows, schema=options.get("schema"))
    sink = io.BytesIO()
    if format == "parquet":
        pq.write_table(table, sink, row_group_size=7, compression=options.get("codec", "zstd"))
        return sink.getvalue()
    ipc = pa.ipc.IpcWriteOptions(compression=options.get("codec"))
    with (pa.ipc.new_stream if options.get("stream") else pa.ipc.new_file)(sink, table.schema, options=ipc) as writer:
        writer.write_table(table, max_chunksize=7)
    return sink.getvalue()


def write(folder: Path, name: str, data: bytes) -> Entry:
    """Write a file, and give its entry as its name tells it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return Listing([path]).entries[0]


def searched(listing: Any, column: str = "text") -> tuple[Corpus, list[Any]]:
    """Read a listing as a search does: the texts with their files and records, and the rejects."""
    texts: list[str] = []
    files: list[int] = []
    records: list[int] = []
    rejects: list[Any] = []
    for batch in read_batches(listing, column=column):
        data = batch.texts.cast(pa.large_binary())
        texts += [(value.as_py() or b"").decode("utf-8", "surrogatepass") for value in data]
        files += [batch.file] * len(batch.numbers)
        records += batch.numbers.tolist()
        rejects += batch.rejects
    entries = list(listing)
    return Corpus(entries, FileTexts(texts, [entry.path for entry in entries], files, records)), rejects

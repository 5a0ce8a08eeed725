"""A corpus on disk, made by tests that know what stands in which record of which file."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dedup.sources.coerce import ListTexts
from dedup.sources.files.listing import Entry, Listing
from dedup.sources.files.reader import Reject, read_batches

__all__ = ["Entry", "Listing", "Reject"]


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


Row = dict[str, Any]

PACKED = {"gzip": "gz", "zstd": "zst", "bz2": "bz2", "xz": "xz"}


def pack(data: bytes, compression: str | None) -> bytes:
    """Compress bytes."""
    if compression is None:
        return data
    if compression == "zstd":
        return pa.compress(data, "zstd", asbytes=True)
    return {"gzip": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[compression](data)


def unpack(data: bytes, compression: str | None) -> bytes:
    """Undo `pack`."""
    if compression is None:
        return data
    if compression == "zstd":
        return pa.input_stream(pa.BufferReader(data), compression="zstd").read()
    return {"gzip": gzip.decompress, "bz2": bz2.decompress, "xz": lzma.decompress}[compression](data)


def encode(format: str, rows: list[Row], **options: Any) -> bytes:
    """Write rows as a file of a format."""
    if format == "jsonl":
        return b"".join(json.dumps(row, ensure_ascii=row["n"] % 2 == 0).encode() + b"\n" for row in rows)
    if format == "csv":
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\r\n" if options.get("crlf") else "\n")
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

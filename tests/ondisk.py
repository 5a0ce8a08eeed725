"""A corpus on disk, made by tests that know what stands in which record of which file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dedup.columns import ListTexts


class Entry(NamedTuple):
    """A file as a listing has it."""

    path: str
    format: str
    compression: str | None
    size: int
    mtime_ns: int
    source: str


class Reject(NamedTuple):
    """A record that is no text."""

    file: str
    line: int | None
    offset: int | None
    reason: str


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

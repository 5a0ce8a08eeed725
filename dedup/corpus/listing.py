"""The files of a corpus: paths, folders and patterns become one sorted list, each file once.

The order is that of the paths as they are written, byte by byte, however they were named or found. What a file holds
is told by its name: ``.jsonl .ndjson .csv .txt .parquet .arrow .feather``, with ``.gz .zst .bz2 .xz`` behind where
it is compressed. Folders are searched to their bottom for these names, without hidden files and folders and without
the reports that were written here (folders that hold all of `REPORT`; nothing in a work folder has such a name). A
file that is named, or that a pattern matches, is a text where its name says nothing. ``"-"`` is standard input: it is
kept in a temporary file, since it may have to be read twice.

Cost: a look at each file's status; ``"-"`` is read to its end.
"""

from __future__ import annotations

import glob
import os
import sys
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import xxhash

from dedup.corpus.rejects import Reject
from dedup.errors import InputError, ParameterError

__all__ = ["COMPRESSIONS", "FORMATS", "Entry", "Listing"]

FORMATS = {
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "csv": "csv",
    "txt": "txt",
    "parquet": "parquet",
    "arrow": "arrow",
    "feather": "arrow",
}
"""Suffixes, and the format that each stands for."""

COMPRESSIONS = {"gz": "gzip", "zst": "zstd", "bz2": "bz2", "xz": "xz"}
"""Suffixes behind that of the format, and the compression that each stands for."""

REPORT = {"report.json", "run.json", "summary.json"}
"""A folder that holds files of these names is a report, and no corpus."""

STDIN = "-"


class Entry(NamedTuple):
    """One file.

    Attributes
    ----------
    path : as it was named or found; "-" for standard input
    format : "jsonl", "csv", "txt", "parquet" or "arrow"
    compression : "gzip", "zstd", "bz2", "xz", or None
    size, mtime_ns : bytes, and time of the last change; of standard input its 64-bit xxh3 instead of a time
    source : the path to open: that of a copy, for standard input
    """

    path: str
    format: str
    compression: str | None
    size: int
    mtime_ns: int
    source: str

    def check(self) -> None:
        """Raise `InputError` where the file is not what it was when it was listed."""
        if self.path == STDIN:
            return
        try:
            now = os.stat(self.source)
        except OSError as error:
            raise InputError(f"{self.path}: it was there before, now: {error.strerror}") from None
        if (now.st_size, now.st_mtime_ns) != (self.size, self.mtime_ns):
            raise InputError(
                f"{self.path}: expected {self.size:,} bytes as when it was listed, found it changed ({now.st_size:,} "
                "bytes); search again when nobody writes to it"
            )


class Listing:
    """The files that some paths, folders and patterns stand for.

    Parameters
    ----------
    patterns : paths of files and folders, patterns such as "corpus/**/*.jsonl", and "-"
    format : what every file holds, whatever its name: a format, with a compression behind where the name does not say
        it ("jsonl", "csv.gz")

    Attributes
    ----------
    folders : the folders among the patterns
    entries : the files, sorted by path, each once (links to the same file are one file)
    where : the folder that paths are seen from
    rejects : the paths and patterns that stand for nothing, and the files that cannot be looked at

    Raises `InputError` where there is no file at all, `ParameterError` for an unknown format.
    """

    def __init__(self, patterns: Iterable[str | os.PathLike[str]], *, format: str | None = None) -> None:
        self._forced = None if format is None else _forced(format)
        self._copy: weakref.finalize[..., Any] | None = None
        self.rejects: list[Reject] = []
        names = [os.fspath(pattern) for pattern in patterns]
        self.folders = sorted({name for name in names if os.path.isdir(name)})
        named = {path for name in sorted(set(names)) for path in self._paths(name)}
        entries: dict[str, Entry] = {}
        for path in sorted(named, key=os.fsencode):
            real = STDIN if path == STDIN else os.path.realpath(path)
            if real not in entries and (entry := self._entry(path)) is not None:
                entries[real] = entry
        self.entries = list(entries.values())
        self.where = os.getcwd()
        if not self.entries:
            found = f" ({'; '.join(map(str, self.rejects[:3]))})" if self.rejects else ""
            raise InputError(
                f"expected readable texts, found none in {', '.join(map(repr, names)) or 'no paths'}{found}"
            )

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle holds: no handle, and paths to open that are right in any folder."""
        entries = [entry._replace(source=os.path.abspath(entry.source)) for entry in self.entries]
        return {**self.__dict__, "entries": entries, "_copy": None}

    def __copy__(self) -> Listing:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Listing:
        return self

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, number: int) -> Entry:
        return self.entries[number]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def fingerprint(self) -> list[list[Any]]:
        """Return ``[path, size, mtime_ns]`` of each file: equal where nothing changed."""
        return [[entry.path, entry.size, entry.mtime_ns] for entry in self.entries]

    def _paths(self, name: str) -> Iterator[str]:
        if name == STDIN:
            yield name
        elif os.path.isdir(name):
            yield from _in_folder(name)
        elif os.path.exists(name) or not glob.has_magic(name):
            yield name
        else:
            found = sorted(glob.glob(name, recursive=True))
            for path in found:
                yield from _in_folder(path) if os.path.isdir(path) and "**" not in name else [path]
            if not found:
                self.rejects.append(Reject(name, None, None, "no file matches"))

    def _entry(self, path: str) -> Entry | None:
        if path == STDIN:
            return self._standard_input()
        if os.path.isdir(path):
            return None
        try:
            status = os.stat(path)
        except OSError as error:
            self.rejects.append(Reject(path, None, None, error.strerror or str(error)))
            return None
        kind, compression = self._forced or _told(path) or ("txt", None)
        compression = compression or _compression(path)
        return Entry(path, kind, compression, status.st_size, status.st_mtime_ns, path)

    def _standard_input(self) -> Entry:
        handle, name = tempfile.mkstemp(prefix="dedup-stdin-")
        self._copy = weakref.finalize(self, Path(name).unlink, missing_ok=True)  # kept as long as the listing
        digest, size = xxhash.xxh3_64(), 0
        with open(handle, "wb") as file:
            while piece := sys.stdin.buffer.read(1 << 20):
                digest.update(piece)
                size += file.write(piece)
        kind, compression = self._forced or ("txt", None)
        return Entry(STDIN, kind, compression, size, digest.intdigest(), name)


def _in_folder(folder: str) -> Iterator[str]:
    """Yield the files below a folder that have a known name."""
    for where, folders, files in os.walk(folder, followlinks=False):
        if REPORT.issubset(files):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (os.path.join(where, name) for name in files if not name.startswith(".") and _told(name))


def _told(path: str) -> tuple[str, str | None] | None:
    """Return format and compression as a name tells them, None where it does not."""
    suffixes = [suffix.removeprefix(".").lower() for suffix in Path(path).suffixes[-2:]]
    compression = COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    if compression is not None:
        suffixes.pop()
    return (FORMATS[suffixes[-1]], compression) if suffixes and suffixes[-1] in FORMATS else None


def _compression(path: str) -> str | None:
    return COMPRESSIONS.get(Path(path).suffix.removeprefix(".").lower())


def _forced(format: str) -> tuple[str, str | None]:
    told = _told(f"x.{format}") if isinstance(format, str) else None
    if told is None:
        known, behind = ", ".join(map(repr, FORMATS)), ", ".join(f".{suffix}" for suffix in COMPRESSIONS)
        raise ParameterError(f"format: expected one of {known}, with {behind} behind it or not, found {format!r}")
    return told

"""The files of a corpus: paths, folders and patterns become one sorted list, each file once.

The order is that of the paths as they are written, byte by byte, however they were named or found. What a file holds
is told by its name: ``.jsonl .ndjson .csv .txt .parquet .arrow .feather``, with ``.gz .zst .bz2 .xz`` behind where
it is compressed. Folders are searched to their bottom for these names, without hidden files and folders and without
what was written here: reports (folders that hold all of `REPORT`) and work folders. What else stands in them is
counted (`Unread`). Of a file that is named, or that a pattern matches, and whose name says nothing, the beginning is
looked at (`dedup.sources.files.formats.sniffing`). ``"-"`` is standard input. It and pipes are kept in temporary files,
since they may have to be read twice; a folder or a pattern never opens a pipe.

A path that is not UTF-8 is shown with its odd bytes as ``\\xff``; so its records can have names and stand in reports.

Cost: a look at each file's status; ``"-"`` and pipes are read to their end.
"""

from __future__ import annotations

import glob
import json
import os
import stat
import sys
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import xxhash

from dedup.errors import InputError, ParameterError, StorageError
from dedup.sources.files.formats.sniffing import Sniffed, compression_of, head_of, sniff
from dedup.sources.files.limits import LARGEST, most_of
from dedup.sources.files.names import possible, shown
from dedup.sources.files.rejects import Reject, none_readable
from dedup.sources.files.unread import Unread
from dedup.storage.atomic import storage_errors

__all__ = ["COMPRESSIONS", "FORMATS", "Entry", "Listing", "check_format"]

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

MANIFEST, PART = "manifest.json", ".dedup"
"""A folder that holds a file of this name, and some with this suffix, is a work folder, and no corpus."""

COLUMN = "text"
"""The column that is read where none is named."""

STDIN = "-"
ALSO_STDIN = {"/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}

KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


HOW = 'say what it holds with format= (--format): "jsonl", "csv", "parquet", "arrow", or "txt" for one text'


class Entry(NamedTuple):
    """One file.

    Attributes
    ----------
    path : as it was named or found, to be shown; "-" for standard input
    format : "jsonl", "csv", "txt", "parquet" or "arrow"
    compression : "gzip", "zstd", "bz2", "xz", or None
    size, mtime_ns : bytes, and time of the last change; of standard input and pipes the 64-bit xxh3 instead of a time
    source : the path to open: that of a copy, for standard input and pipes
    copied : whether `source` is a copy
    most : bytes that one of its records may have
    """

    path: str
    format: str
    compression: str | None
    size: int
    mtime_ns: int
    source: str
    copied: bool = False
    most: int = LARGEST

    def check(self) -> None:
        """Raise `InputError` where the file is not what it was when it was listed."""
        if self.copied:
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

    def lost(self) -> InputError:
        """Return the error where a file that was searched cannot be read again."""
        return InputError(
            f"{self.path}: expected the texts that were searched, found that they can no longer be read; search again"
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
    rejects : the paths and patterns that stand for nothing, and the files that cannot be read or told
    unread : what the folders hold that is not read

    Raises `InputError` where there is no file at all, `ParameterError` for an unknown format, `StorageError` where
    there is no room to keep what comes in.
    """

    def __init__(self, patterns: Iterable[str | os.PathLike[str]], *, format: str | None = None) -> None:
        self._forced = check_format(format)
        self._copies: list[weakref.finalize[..., Any]] = []
        self._whole: Listing | None = None
        self.rejects: list[Reject] = []
        self.unread = Unread()
        names = [os.fsdecode(pattern) for pattern in patterns]
        self.folders = sorted({shown(name) for name in names if os.path.isdir(name)})
        named: dict[str, bool] = {}
        for name in sorted(set(names)):
            if possible(name):
                for path, outright in self._paths(name):
                    named[path] = named.get(path, False) or outright
            else:
                self._reject(name, "no file can have this name")
        entries: dict[str, Entry] = {}
        paths: set[str] = set()
        for path in sorted(named, key=os.fsencode):
            real = os.path.realpath(path) if path != STDIN else STDIN
            if real in entries or (entry := self._entry(path, outright=named[path])) is None:
                continue
            if entry.path in paths:
                self._reject(path, "another file is shown by the same name; rename one of them")
                continue
            paths.add(entry.path)
            entries[real] = entry
        self.entries = list(entries.values())
        self.where = os.getcwd()
        if not self.entries:
            for kept in self._copies:
                kept()
            told = bool(self.rejects) and all(HOW in reject.reason for reject in self.rejects[:3])
            raise none_readable([shown(name) for name in names], self.rejects, str(self.unread or ""), told=told)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle holds: no handle, and paths to open that are right in any folder."""
        entries = [entry._replace(source=os.path.abspath(entry.source)) for entry in self.entries]
        return {**self.__dict__, "entries": entries, "_copies": [], "_whole": None}

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

    def check_column(self, column: str) -> str:
        """Say which plain texts have no column of a name that was given, nothing where there are none.

        Raises `ParameterError` where no file has columns.
        """
        texts = [] if column == COLUMN else [entry.path for entry in self.entries if entry.format == "txt"]
        if not texts:
            return ""
        some = ", ".join(texts[:3]) + (", ..." if len(texts) > 3 else "")
        if len(texts) == len(self.entries):
            raise ParameterError(
                f"column={json.dumps(column, ensure_ascii=False)}: expected files with columns, found plain text in "
                f"{some}; leave the column out, or say what they hold with format= (--format)"
            )
        what = "plain text, which is" if len(texts) == 1 else "plain texts, each of which is"
        return f'column="{column}" says nothing of {len(texts):,} {what} one text ({some})'

    def some(self) -> list[str]:
        """Return the paths, a few of many."""
        paths = [entry.path for entry in self.entries]
        return [*paths[:3], f"{len(paths) - 3:,} more"] if len(paths) > 4 else paths

    def bounded(self, memory: int | None) -> Listing:
        """Return the same files, whose records may be as large as a bound on memory allows."""
        same = object.__new__(Listing)
        same.__dict__.update(self.__dict__, _whole=self)  # what came in is kept as long as that one
        same.entries = [entry._replace(most=most_of(memory)) for entry in self.entries]
        return same

    def fingerprint(self) -> list[list[Any]]:
        """Return ``[path, size, mtime_ns]`` of each file: equal where nothing changed."""
        return [[entry.path, entry.size, entry.mtime_ns] for entry in self.entries]

    def _reject(self, path: str, reason: str) -> None:
        self.rejects.append(Reject(shown(path) or "''", None, None, reason))

    def _paths(self, name: str) -> Iterator[tuple[str, bool]]:
        """Yield the paths that a name stands for, each with whether it was named outright."""
        if name == STDIN or name in ALSO_STDIN:
            yield (STDIN if name == STDIN or not _is_file(name) else name), True
        elif os.path.isdir(name):
            yield from ((path, False) for path in self._in_folder(name))
        elif os.path.lexists(name) or not glob.has_magic(name):
            yield name, True
        else:
            found = sorted(set(_matches(name)))
            for path in found:
                if not os.path.isdir(path):
                    yield path, False
                elif os.path.basename(name) != "**":
                    yield from ((path, False) for path in self._in_folder(path))
            if not found:
                self._reject(name, "no file matches")

    def _in_folder(self, folder: str) -> Iterator[str]:
        """Yield the files below a folder that have a known name, and count the others."""

        def unreadable(error: OSError) -> None:
            self._reject(str(error.filename), f"the folder cannot be read: {error.strerror or error}")

        for where, folders, files in os.walk(folder, followlinks=False, onerror=unreadable):
            if _is_ours(files):
                folders.clear()
                continue
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in folders:
                if os.path.islink(os.path.join(where, name)):
                    self.unread.add(shown(os.path.join(where, name)), "links to folders")
            for name in files:
                path = os.path.join(where, name)
                if name.startswith("."):
                    continue
                if _told(name):
                    yield path
                else:
                    self.unread.add(shown(path))

    def _entry(self, path: str, *, outright: bool) -> Entry | None:
        try:
            source, size, time = self._opened(path, outright=outright)
            told = Sniffed(*(_told(path) or (None, _compression(path))))
            if self._forced is not None:
                kind, compression = self._forced
                known = compression or told.compression or told.format
                told = Sniffed(kind, compression or told.compression if known else _packing(source))
            elif told.format is None:
                told = sniff(source, path, told.compression)
        except StorageError:
            raise
        except OSError as error:
            self._reject(path, error.strerror or str(error))
            return None
        if told.format is None:
            self._reject(path, f"expected texts, found what may be {told.what}; {HOW}")
            return None
        return Entry(shown(path), told.format, told.compression, size, time, source, source != path)

    def _opened(self, path: str, *, outright: bool) -> tuple[str, int, int]:
        """Return the path to open, the size, and the time of the last change, of a file or of the copy of a pipe.

        Raises `OSError` for what is neither.
        """
        if path == STDIN:
            if sys.stdin is None:
                raise OSError("standard input is closed")
            return self._copied(sys.stdin.buffer)
        status = os.stat(path)
        kind = stat.S_IFMT(status.st_mode)
        if kind == stat.S_IFREG:
            return path, status.st_size, status.st_mtime_ns
        if outright and kind == stat.S_IFIFO:
            with open(path, "rb") as pipe:
                return self._copied(pipe)
        raise OSError(f"expected a file, found {KINDS.get(kind, 'something else')}; it is not read")

    def _copied(self, stream: IO[bytes]) -> tuple[str, int, int]:
        """Keep what comes in, for as long as the listing is there."""
        digest, size = xxhash.xxh3_64(), 0
        with storage_errors(f"keep what comes in, in a file in {_temporary()}"):
            handle, name = tempfile.mkstemp(prefix="dedup-stdin-")
        self._copies.append(weakref.finalize(self, Path(name).unlink, missing_ok=True))
        with open(handle, "wb") as copy:
            while piece := stream.read(1 << 20):
                with storage_errors(f"keep what comes in, in a file in {_temporary()}"):
                    copy.write(piece)
                    copy.flush()
                digest.update(piece)
                size += len(piece)
        return name, size, digest.intdigest()


def _packing(source: str) -> str | None:
    """Return the compression of a file whose name does not say it."""
    return compression_of(head_of(source, None)[0])


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def _temporary() -> str:
    """Return the folder of temporary files; a name for it where there is none."""
    try:
        return tempfile.gettempdir()
    except OSError:
        return "a temporary folder (see TMPDIR)"


def _matches(pattern: str) -> Iterator[str]:
    """Yield the paths that a pattern matches; ``**`` stands for all folders below, each once, links followed."""
    before, deep, behind = pattern.partition("**")
    if not deep or (before and not before.endswith(os.sep)) or (behind and not behind.startswith(os.sep)):
        yield from glob.glob(pattern)
        return
    seen: set[str] = set()
    for root in sorted(glob.glob(before)) if before else [""]:
        for where, folders, files in os.walk(root or ".", followlinks=True):
            place = os.path.join(root, os.path.relpath(where, root or ".")) if where != (root or ".") else root
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            if (real := os.path.realpath(where)) in seen:
                folders.clear()
                continue
            seen.add(real)
            if behind in ("", os.sep):
                yield from (os.path.join(place, name) for name in files if not name.startswith("."))
            else:
                yield from _matches(os.path.join(glob.escape(place), behind[1:]))


def _is_ours(files: list[str]) -> bool:
    """Return whether a folder with such files is a report or a work folder."""
    return REPORT.issubset(files) or (MANIFEST in files and any(name.endswith(PART) for name in files))


def _told(path: str) -> tuple[str, str | None] | None:
    """Return format and compression as a name tells them, None where it does not."""
    suffixes = [suffix.removeprefix(".").lower() for suffix in Path(path).suffixes[-2:]]
    compression = COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    if compression is not None:
        suffixes.pop()
    return (FORMATS[suffixes[-1]], compression) if suffixes and suffixes[-1] in FORMATS else None


def _compression(path: str) -> str | None:
    return COMPRESSIONS.get(Path(path).suffix.removeprefix(".").lower())


def check_format(format: str | None) -> tuple[str, str | None] | None:
    """Return the format and the compression of a name such as "csv.gz", or raise `ParameterError`; None of None."""
    if format is None:
        return None
    told = _told(f"x.{format}") if isinstance(format, str) else None
    if told is None:
        known, behind = ", ".join(map(repr, FORMATS)), ", ".join(f".{suffix}" for suffix in COMPRESSIONS)
        raise ParameterError(f"format: expected one of {known}, with {behind} behind it or not, found {format!r}")
    return told

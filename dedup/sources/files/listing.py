"""The files of a corpus: paths, folders and patterns become one sorted list, each file once.

Files are sorted by their paths as they are written, byte by byte, however they were named or found. The name of a file
gives its format (`dedup.sources.files.formats.named`). All levels of a folder are searched for these names
(`dedup.sources.files.chosen.selecting`); other files in folders are counted (`Unread`). If a file is named or matches a
pattern, and its name gives no format, the format is detected from its beginning
(`dedup.sources.files.formats.sniffing`); so is which JSON a ``.json`` file contains. ``"-"`` is standard input.
Standard input, pipes, and files on other machines are copied to temporary files, since they may be read twice; a
folder or a pattern never opens a pipe. A path that is not UTF-8 is shown with these bytes as ``\\xff``, so its
records can have names. Cost: a look at each file's status; files on other machines are read.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from dedup.errors import InputError, ParameterError, StorageError
from dedup.sources.files.chosen.globs import check_globs
from dedup.sources.files.chosen.names import shown_name
from dedup.sources.files.chosen.selecting import STDIN, Found, Selection
from dedup.sources.files.encodings import check_encoding
from dedup.sources.files.formats.extractor import NEEDS_EXTRACTOR, extractor, installed
from dedup.sources.files.formats.named import (
    BINARY,
    SEPARATORS_SHOWN,
    WITHOUT_COLUMNS,
    check_format,
    compression_of_name,
    format_of_name,
)
from dedup.sources.files.formats.separated import SEPARATED
from dedup.sources.files.formats.sniffing import (
    AN_OBJECT,
    Sniffed,
    advice,
    compression_of,
    head_of,
    separator_of,
    sniff,
)
from dedup.sources.files.limits import MAX_RECORD_BYTES, most_of
from dedup.sources.files.rejects import Reject, none_readable
from dedup.sources.files.remote.addresses import is_address
from dedup.sources.files.remote.copies import copy_of, copy_of_address

__all__ = ["COLUMN", "STDIN", "Entry", "Listing"]

COLUMN = "text"
"""The column that is read if none is named."""

KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class Entry(NamedTuple):
    """One file.

    Attributes
    ----------
    path : as it was named or found, for messages; "-" for standard input
    format : "jsonl", "json", "txt", "html", "lines", "parquet", "arrow", "warc", "mediawiki", or separated text
        (`dedup.sources.files.formats.separated`)
    compression : "gzip", "zstd", "bz2", "xz", or None
    size, mtime_ns : bytes, and time of the last change; of a copy the 64-bit xxh3 instead of a time
    source : the path to open; for standard input, pipes and files on other machines that of the copy
    copied : whether `source` is a copy (`dedup.sources.files.remote.copies`)
    most : the limit of one of its records, in bytes
    encoding : the encoding of its text that was named, if it is not UTF-8; a byte order mark overrides it
    """

    path: str
    format: str
    compression: str | None
    size: int
    mtime_ns: int
    source: str
    copied: bool = False
    most: int = MAX_RECORD_BYTES
    encoding: str | None = None

    def check(self) -> None:
        """Raise `InputError` if the file has changed since it was listed."""
        if self.copied:
            return
        try:
            now = os.stat(self.source)
        except OSError as error:
            raise InputError(
                f"{self.path}: expected the file that was listed, found none: {error.strerror}; put it back, or search "
                "again"
            ) from None
        if (now.st_size, now.st_mtime_ns) != (self.size, self.mtime_ns):
            raise InputError(
                f"{self.path}: expected {self.size:,} bytes as when it was listed, found it changed ({now.st_size:,} "
                "bytes); search again when nothing writes to it"
            )

    def lost(self) -> InputError:
        """Return the error for a file that was searched and cannot be read again."""
        return InputError(
            f"{self.path}: expected the texts that were searched, found that they can no longer be read; search again"
        )


class Listing:
    """The files that some paths, folders and patterns select.

    Parameters
    ----------
    patterns : paths of files and folders, patterns such as "corpus/**/*.jsonl", and "-"
    format : the format of every file, whatever its name, followed by a compression if the name does not give it
        ("jsonl", "csv.gz")
    include, exclude : patterns of names in folders (`dedup.sources.files.chosen.selecting`)
    encoding : the encoding of every text file without a byte order mark; None for UTF-8

    Attributes
    ----------
    encoding : the encoding that was named, if it is not UTF-8
    folders : the folders among the patterns
    entries : the files, sorted by path, each once (links to the same file are one file)
    where : the folder to which relative paths refer
    rejects : the paths and patterns that select nothing, and the files that cannot be read or have no known format
    unread : the files in folders that are not read

    Raises `InputError` if there is no file at all, `ParameterError` for an unknown format, `StorageError` if the disk
    has no space for a copy of standard input or of a pipe.
    """

    def __init__(
        self,
        patterns: Iterable[str | os.PathLike[str]],
        *,
        format: str | None = None,
        include: str | Iterable[str] = (),
        exclude: str | Iterable[str] = (),
        encoding: str | None = None,
    ) -> None:
        self._forced, self.encoding = check_format(format), check_encoding(encoding)
        chosen = check_globs("include", include), check_globs("exclude", exclude)
        self.rejects: list[Reject] = []
        names = [os.fsdecode(pattern) for pattern in patterns]
        self.folders = sorted({shown_name(name) for name in names if os.path.isdir(name)})
        selection = Selection(self._reject, *chosen)
        self.unread = selection.unread
        found = selection.paths(names)
        entries: dict[str, Entry] = {}
        paths: set[str] = set()
        for path in sorted(found, key=os.fsencode):
            real = path if path == STDIN or is_address(path) else os.path.realpath(path)
            if real in entries or (entry := self._entry(path, found[path])) is None:
                continue
            if entry.path in paths:
                self._reject(path, "another file is shown by the same name; rename one of them")
                continue
            paths.add(entry.path)
            entries[real] = entry
        self.entries = list(entries.values())
        self.where = os.getcwd()
        if not self.entries:
            explained = bool(self.rejects) and all("what may be" in reject.reason for reject in self.rejects[:3])
            shown_names = [shown_name(name) for name in names]
            how: dict[str, Any] = {"explained": explained, "forced": self._forced is not None, "chosen": chosen}
            raise none_readable(shown_names, self.rejects, str(self.unread or ""), **how)
        if any(entry.format == "html" for entry in self.entries):
            extractor()
        if self.encoding and all(entry.format in BINARY for entry in self.entries):
            raise ParameterError(
                f"encoding: expected files of text, found formats that have none or their own in "
                f"{', '.join(self.some())}; leave it out"
            )

    def __getstate__(self) -> dict[str, Any]:
        """Return the state of a pickle: no handle, and paths that can be opened from any folder."""
        entries = [entry._replace(source=os.path.abspath(entry.source)) for entry in self.entries]
        return {**self.__dict__, "entries": entries}

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
        """Return a note about plain text files if a column was named, which they do not have; "" without such files.

        Raises `ParameterError` if no file has columns.
        """
        texts = [] if column == COLUMN else [entry.path for entry in self.entries if entry.format in WITHOUT_COLUMNS]
        if not texts:
            return ""
        some = ", ".join(texts[:3]) + (", ..." if len(texts) > 3 else "")
        if len(texts) == len(self.entries):
            raise ParameterError(
                f"column={json.dumps(column, ensure_ascii=False)}: expected files with columns, found plain text in "
                f"{some}; leave the column out, or give their format with format= (--format)"
            )
        what = "file, which has" if len(texts) == 1 else "files, which have"
        return f'column="{column}" does not apply to {len(texts):,} plain text {what} no columns ({some})'

    def separators(self) -> str:
        """Return a note about files in which another separator than a comma was detected; "" without such files."""
        found: dict[str, list[str]] = {}
        for entry in self.entries:
            named = (format_of_name(entry.path) or ("",))[0]
            if entry.format in SEPARATORS_SHOWN and self._forced is None and entry.format != named:
                found.setdefault(entry.format, []).append(entry.path)
        shown_files = [
            f"{SEPARATORS_SHOWN[kind]} in {', '.join(paths[:3])}{', ...' if len(paths) > 3 else ''}"
            for kind, paths in found.items()
        ]
        return f"cells are separated by {'; by '.join(shown_files)}" if found else ""

    def some(self) -> list[str]:
        """Return the paths, or a few of them if there are many."""
        paths = [entry.path for entry in self.entries]
        return [*paths[:3], f"{len(paths) - 3:,} more"] if len(paths) > 4 else paths

    def bounded(self, memory: int | None) -> Listing:
        """Return the same files, with records as large as a bound on memory allows."""
        same = object.__new__(Listing)
        same.__dict__.update(self.__dict__)
        same.entries = [entry._replace(most=most_of(memory)) for entry in self.entries]
        return same

    def fingerprint(self) -> list[list[Any]]:
        """Return ``[path, size, mtime_ns]`` of each file: equal if nothing changed."""
        return [[entry.path, entry.size, entry.mtime_ns] for entry in self.entries]

    def _reject(self, path: str, reason: str) -> None:
        self.rejects.append(Reject(shown_name(path) or "''", None, None, reason))

    def _entry(self, path: str, how: Found) -> Entry | None:
        other_xml = False
        try:
            source, size, time = self._opened(path, outright=how == Found.NAMED)
            name = shown_name(path)
            detected = Sniffed(*(format_of_name(name) or (None, compression_of_name(name))))
            if self._forced is not None:
                kind, compression = self._forced
                other_xml = detected.format == "mediawiki" != kind
                known = compression or detected.compression or detected.format
                detected = Sniffed(kind, compression or detected.compression if known else _packing(source))
            elif path == STDIN and not size:
                detected = Sniffed("jsonl", None)  # a stream without a byte has no text, a file without one has one
            elif detected.format is None:
                detected = sniff(source, path, detected.compression, self.encoding)
            elif detected.format == "json":
                detected = _json(source, path, detected, self.encoding)
            elif detected.format == "mediawiki":
                detected = sniff(source, path, detected.compression, self.encoding)
                other_xml = detected.format != "mediawiki"
        except StorageError:
            raise
        except OSError as error:
            self._reject(path, error.strerror or str(error))
            return None
        if self._forced is None and detected.format == "csv":
            detected = detected._replace(format=_separator(source, detected.compression, self.encoding))
        if how == Found.IN_FOLDER and (detected.what == AN_OBJECT or other_xml or not _readable(detected.format)):
            self.unread.add(shown_name(path), None if detected.what or other_xml else NEEDS_EXTRACTOR)
            return None
        if detected.format is None:
            self._reject(path, f"expected texts, found what may be {detected.what}; {advice(detected.what)}")
            return None
        encoding = None if detected.format in BINARY else self.encoding
        entry = Entry(name, detected.format, detected.compression, size, time, source, source != path)
        return entry._replace(encoding=encoding)

    def _opened(self, path: str, *, outright: bool) -> tuple[str, int, int]:
        """Return the path to open, the size, and the time of the last change, of a file or of the copy of a pipe.

        Raises `OSError` if it is neither.
        """
        if path == STDIN:
            if sys.stdin is None:
                raise OSError("standard input is closed")
            return copy_of(sys.stdin.buffer)
        if is_address(path):
            return copy_of_address(path)
        status = os.stat(path)
        kind = stat.S_IFMT(status.st_mode)
        if kind == stat.S_IFREG:
            return path, status.st_size, status.st_mtime_ns
        if outright and kind == stat.S_IFIFO:
            with open(path, "rb") as pipe:
                return copy_of(pipe)
        raise OSError(f"expected a file, found {KINDS.get(kind, 'something else')}; it is not read")


def _readable(format: str | None) -> bool:
    """Return whether what a format needs is installed."""
    return format != "html" or installed()


def _json(source: str, path: str, named: Sniffed, encoding: str | None) -> Sniffed:
    """Return what a file contains whose name says JSON; text that is no JSON is rejected later, as JSON."""
    found = sniff(source, path, named.compression, encoding)
    return found._replace(format="json") if found.format == "txt" or found.format in SEPARATED else found


def _separator(source: str, compression: str | None, encoding: str | None) -> str:
    """Return which format of separated text a file has."""
    try:
        return separator_of(source, compression, encoding)
    except OSError:  # reading the file says so again
        return "csv"


def _packing(source: str) -> str | None:
    """Return the compression of a file whose name does not give it."""
    return compression_of(head_of(source, None)[0])

"""The inputs of a report: what it says of them, and their texts, to be read again."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dedup.errors import InputError, ParameterError, StorageError
from dedup.options import shown
from dedup.sources.columns import check_columns
from dedup.sources.files.chosen.names import unshown
from dedup.sources.files.file_texts import FileTexts
from dedup.sources.files.listing import COLUMN, STDIN, Entry
from dedup.sources.files.naming import listing_of
from dedup.sources.files.rejects import Errors
from dedup.sources.files.remote.addresses import is_address
from dedup.sources.files.remote.copies import copy_of_address
from dedup.storage.folders import check_file
from dedup.text.paragraphs import split_units

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Input", "Searched", "absolute", "entries_of", "text_named", "texts_of"]


@dataclass(frozen=True)
class Input:
    """A file that was searched.

    Attributes
    ----------
    path : the path as it was named
    side : "texts", or "against" for the other collection of a match
    format, compression : as in `dedup.sources.files.listing.Entry`; "gzip", "zstd", "bz2", "xz" or None
    size : bytes
    records : number of records that are texts; 0 for the side "against", whose records are not counted
    rejected : number of records that could not be read
    mtime_ns : time of the last change; stored in ``run.json``
    encoding : the encoding of its text that was named; None for UTF-8, or by its byte order mark
    """

    path: str
    side: str
    format: str
    compression: str | None
    size: int
    records: int
    rejected: int
    mtime_ns: int
    encoding: str | None = None


class Searched(Protocol):
    """What a report says of a search: see `dedup.report.read.Report`."""

    @property
    def kind(self) -> str:
        """The kind of the search."""
        ...

    @property
    def options(self) -> dict[str, Any]:
        """The options of the search."""
        ...

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The files that were searched, in order."""
        ...

    @property
    def run(self) -> dict[str, Any]:
        """The folder of the search, and its versions."""
        ...

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the files of the report."""
        ...

    @property
    def seal(self) -> str:
        """The checksum of the report."""
        ...

    @property
    def summary(self) -> dict[str, Any]:
        """The summary."""
        ...

    def table(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """Return a table, or some of its columns."""
        ...


def entries_of(report: Searched, side: str = "texts") -> list[Entry]:
    """Return the inputs of a report as entries to read. Raise `ParameterError` if they cannot be read again."""
    entries = []
    for each in report.inputs:
        if each.side != side:
            continue
        if each.path == STDIN:
            raise ParameterError(
                "report: expected files, found standard input, which cannot be read again; search a file instead"
            )
        copied = is_address(each.path)
        source = _copied_again(each) if copied else unshown(absolute(report, each.path))
        entry = Entry(each.path, each.format, each.compression, each.size, each.mtime_ns, source, copied)
        entries.append(entry._replace(encoding=each.encoding))
    return entries


def _copied_again(each: Input) -> str:
    """Copy an input of a store or of the web again, and return the path of the copy.

    Raises `InputError` if it cannot be read, or is not the one that was searched.
    """
    try:
        source, size, digest = copy_of_address(each.path)
    except StorageError:
        raise
    except OSError as error:
        raise InputError(f"{each.path}: expected the file that was searched, found: {error}") from None
    if (size, digest) != (each.size, each.mtime_ns):
        raise InputError(
            f"{each.path}: expected the {each.size:,} bytes that were searched, found others ({size:,} bytes); search "
            "again"
        )
    return source


def absolute(report: Searched, path: str) -> str:
    """Return a path of a report as an absolute path; it is relative to the folder in which the search ran."""
    return os.path.normpath(os.path.join(report.run["folder"], path))


def texts_of(report: Searched, side: str = "texts") -> FileTexts:
    """Return the texts that were searched; they are read when they are asked for.

    Raises `InputError` if a file has changed since the search.
    """
    entries, options = entries_of(report, side), report.options
    for entry in entries:
        if not entry.copied:
            check_file(entry.source, entry.size, entry.mtime_ns)
    column, key = options.get("column"), options.get("id")
    if side == "against":  # its column is that of the texts, unless another was named; its ids are its own
        own = options.get("against_column")
        column, key = column if own is None else own, options.get("against_id")
    named = check_columns(column)
    listing = listing_of(entries, report.run["folder"])
    return FileTexts(listing, COLUMN if named is None else named, key, Errors("skip", None))


PART_NAME = re.compile(r"(.*)#(\d+)", re.DOTALL)
"""The name of a paragraph or line: the id of its text, and its number."""


def text_named(report: Searched, side: str, name: str) -> str:
    """Return the text with an id; for a report of paragraphs or lines also one of them, named as ``ID#NUMBER``.

    Raises `InputError` if no text has this id, or if a file has changed since the search. Cost: all files of this side
    are read once.
    """
    texts, unit = texts_of(report, side), report.options.get("unit", "document")
    rows = {str(each): row for row, each in enumerate(texts.ids)}
    part = None if name in rows or unit == "document" else PART_NAME.fullmatch(name)
    row = rows.get(name if part is None else part[1])
    if row is None:
        parts = "" if unit == "document" else f", or of a {unit}, as ID#NUMBER"
        some = (
            f"; did you mean {near[0]!r}?"
            if (near := get_close_matches(name, rows, 1))
            else "; name one that `dedup find` printed"
        )
        raise InputError(f"expected the id of a text that was searched{parts}, found {shown(name)}{some}")
    text = texts[row]
    if part is None:
        return text
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)
    spans, _ = split_units(data, np.zeros(1, dtype=np.int64), np.array([len(data)], dtype=np.int64), unit)
    if int(part[2]) >= len(spans):
        wanted = f"expected the number of a {unit} from 0 to {len(spans) - 1}"
        raise InputError(f"{wanted}, found {part[2]} for {shown(part[1])}; name another")
    return text[slice(*spans[int(part[2]), 2:].tolist())]

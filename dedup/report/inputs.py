"""The inputs of a report, to be read again."""

from __future__ import annotations

import os

from dedup.errors import ParameterError
from dedup.report.read import Report
from dedup.sources.files.file_texts import FileTexts
from dedup.sources.files.listing import STDIN, Entry, Listing
from dedup.sources.files.names import unshown
from dedup.sources.files.rejects import Errors
from dedup.storage.folders import check_file

__all__ = ["absolute", "entries_of", "texts_of"]


def entries_of(report: Report, side: str = "texts") -> list[Entry]:
    """Return the inputs of a report as entries to read. Raise `ParameterError` if they cannot be read again."""
    entries = []
    for each in report.inputs:
        if each.side != side:
            continue
        if each.path == STDIN:
            raise ParameterError(
                "report: expected files, found standard input, which cannot be read again; search a file instead"
            )
        source = unshown(absolute(report, each.path))
        entries.append(Entry(each.path, each.format, each.compression, each.size, each.mtime_ns, source))
    return entries


def absolute(report: Report, path: str) -> str:
    """Return a path of a report as an absolute path; it is relative to the folder in which the search ran."""
    return os.path.normpath(os.path.join(report.run["folder"], path))


def texts_of(report: Report, side: str = "texts") -> FileTexts:
    """Return the texts that were searched; they are read when they are asked for.

    Raises `InputError` if a file has changed since the search.
    """
    entries, options = entries_of(report, side), report.options
    for entry in entries:
        check_file(entry.source, entry.size, entry.mtime_ns)
    prefix = "against_" if side == "against" else ""
    column = options.get(f"{prefix}column") or options.get("column", "text")
    listing = Listing.known(entries, report.run["folder"])
    return FileTexts(listing, column, options.get(f"{prefix}id") or options.get("id"), Errors("skip", None))

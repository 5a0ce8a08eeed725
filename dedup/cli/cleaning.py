"""Where `dedup clean` writes to: a file, a folder, or standard output; complete or not at all."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dedup.cli.ending import writing
from dedup.errors import ParameterError
from dedup.options import check_path, refuse_address

if TYPE_CHECKING:
    from dedup.report.apply import Applied
    from dedup.report.read import Report
    from dedup.sources.files.listing import Entry, Listing

__all__ = ["Target"]

STREAM = "-"
"""The name of standard input and of standard output."""


class Target:
    """A new file for one file, a new folder for several files or for a folder, or "-" for standard output.

    Raises `ParameterError` if there is something of that name, or if it lies in an input; `StorageError` if the disk
    refuses it. Nothing is written before `write`.
    """

    def __init__(self, output: str, inputs: Sequence[str]) -> None:
        from dedup.storage.folders import check_folder, check_writable, refuse_overlap, taken

        self.output = check_path("output", output)
        self.one = len(inputs) == 1 and not os.path.isdir(inputs[0]) and not self.output.endswith(os.sep)
        if STREAM in inputs and len(inputs) > 1:
            raise ParameterError('INPUT: expected "-" (standard input) alone, or files, found both; name files')
        if self.output == STREAM:
            if not self.one:
                raise ParameterError(
                    'output: expected a folder for several files, found "-" (standard output); name a new folder'
                )
            return
        if inputs == (STREAM,) and not self.one:
            raise ParameterError(
                "output: expected a file for standard input, found the name of a folder; leave out the last slash"
            )
        refuse_address("output", self.output)
        self._check_folder()
        refuse_overlap(self.output, [("the input", name) for name in inputs if os.path.lexists(name)])
        if os.path.lexists(self.output):
            raise taken(self.output)
        check_folder("output", os.path.dirname(os.path.abspath(self.output)))
        check_writable(self.output)

    @property
    def path(self) -> Path | None:
        """The new file or folder; None for standard output."""
        return None if self.output == STREAM else Path(self.output)

    def check(self, listing: Listing) -> None:
        """Check the name against the files that were found. Raise `ParameterError` if it cannot be theirs."""
        from dedup.sources.files.formats.named import format_of_name
        from dedup.storage.folders import refuse_overlap

        if self.one and len(listing) > 1:  # a pattern
            self.one = False
        if self.output == STREAM:
            if not self.one:
                raise ParameterError(
                    f"output: expected one file for standard output, found {len(listing):,}; name a new folder"
                )
            return
        self._check_folder()
        folders = [("the input folder", folder) for folder in listing.folders]
        refuse_overlap(self.output, [*(("the input", entry.source) for entry in listing), *folders])
        named = format_of_name(self.output) if self.one else None
        entry = listing[0]
        if named is not None and named not in (own := _as_named(entry), format_of_name(entry.path)):
            raise ParameterError(
                f"output: expected a name for {_shown(own)}, as {entry.path} is, found {self.output}, a name for "
                f"{_shown(named)}; choose another name: formats are not changed"
            )

    def _check_folder(self) -> None:
        """Raise `ParameterError` if a folder is written, and its name is that of a file: a file was expected."""
        from dedup.sources.files.formats.named import format_of_name

        if self.one or self.output.endswith(os.sep) or (form := format_of_name(self.output)) is None:
            return
        raise ParameterError(
            f"output: expected a name for a new folder, since each file is written anew, found {self.output}, a name "
            f"for {_shown(form)}; name a folder, or write {self.output}{os.sep}"
        )

    def write(self, report: Report, listing: Iterable[Entry], *, threads: int | None) -> Applied:
        """Write the files that a report keeps. Return their numbers."""
        from dedup.report.apply import apply_entries
        from dedup.storage.folders import folder_beside, place_file, scratch_folder, whole_folder

        def into(folder: Path) -> tuple[Applied, list[str]]:
            return apply_entries(report, list(listing), folder, threads=threads, progress=None)

        if not self.one:
            with whole_folder(self.output) as new:
                return into(new)[0]
        if self.output == STREAM:
            with scratch_folder() as new:
                applied, names = into(new)
                for name in names:
                    _copy(new / name)
                return applied
        with folder_beside(self.output) as new:
            applied, names = into(new)
            for name in names:
                place_file(new / name, self.output)
            return applied


def _copy(file: Path) -> None:
    """Write a file to standard output, byte for byte."""
    sys.stdout.flush()
    with open(file, "rb") as source, writing():
        shutil.copyfileobj(source, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def _as_named(entry: Entry) -> tuple[str, str | None]:
    """Return the format and compression that the name of a copy of a file may give."""
    from dedup.sources.files.formats.named import FORMATS

    form = {"csv-semicolon": "csv", "csv-bar": "csv", "lines": "txt"}.get(entry.format, entry.format)
    return (form if form in FORMATS.values() else entry.format), entry.compression


def _shown(named: tuple[str, str | None]) -> str:
    return named[0] if named[1] is None else f"{named[0]} ({named[1]})"

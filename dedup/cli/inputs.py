"""The inputs of a command: the files, folders and patterns named on the command line, and their texts.

Each record or file that cannot be read is named on stderr at once. `dedup.cli.ending.finish` sets the exit code for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dedup.cli.ending import note, tell, verbose
from dedup.cli.selecting import selection
from dedup.errors import InputError
from dedup.terminal import clean

if TYPE_CHECKING:
    from dedup.sources.files.file_texts import FileTexts
    from dedup.sources.files.listing import Listing
    from dedup.sources.files.rejects import Errors, Reject

__all__ = ["ByName", "Inputs", "read_one"]


class Inputs:
    """The files of a command. All are opened with the same options, and their rejects are counted."""

    def __init__(self, *, format: str | None, on_error: str, max_errors: str | None) -> None:
        self._format, self._on_error, self._max_errors = format, on_error, max_errors
        self._rejects = 0

    def checked(self) -> Inputs:
        """Check the options that hold for all files, before any file is opened. Return this object."""
        from dedup.sources.files.formats.named import check_format

        check_format(self._format)
        _ = self.errors
        return self

    def rejected(self) -> int:
        """Return how many inputs and records were rejected. With "skip" return 0, and write the number to stderr."""
        if self._on_error != "skip":
            return self._rejects
        if self._rejects:
            note(f"dedup: skipped {self._rejects:,} files or records that could not be read")
        return 0

    def open(self, names: Sequence[str], *, column: str, id: str | None) -> FileTexts:
        """Return the texts of files, folders and patterns."""
        from dedup.sources.files.naming import files

        how: dict[str, Any] = {"format": self._format, "on_error": self._on_error, "max_errors": self._max_errors}
        chosen = files(*names, column=column, id=id, **how, **selection())
        self.tell_unread(chosen.listing, column)
        return chosen.read(tell=self.tell)

    def asked(self) -> dict[str, Any]:
        """Return the options of all files on which a report depends, and that are not in the names of its inputs."""
        encoding = selection().get("encoding")
        return {"encoding": encoding} if encoding else {}

    @property
    def errors(self) -> Errors:
        """How records that cannot be read are handled."""
        from dedup.sources.files.rejects import Errors

        return Errors(self._on_error, self._max_errors)

    @staticmethod
    def tell_unread(listing: Listing, column: str) -> None:
        """Write to stderr which files in the folders are not read, and which texts the column does not apply to."""
        if listing.unread:
            how = "to read them, name them or a pattern, and give their format with --format"
            note(f"dedup: {clean(listing.unread)}; {how}")
        if told := listing.separators():
            note(f"dedup: {clean(told)}; to read them otherwise, give --delimiter")
        if told := listing.check_column(column):
            note(f"dedup: {clean(told)}")

    @staticmethod
    def tell_resumed(told: str) -> None:
        """Say on a terminal that a stopped run goes on; with --verbose the log says so."""
        if not verbose() and sys.stderr.isatty():
            note(f"dedup: {clean(told)}; --fresh starts over")

    def tell(self, reject: Reject) -> None:
        """Count a reject, and name it on stderr if the option is "quarantine"."""
        self._rejects += 1
        if self._on_error == "quarantine":
            tell(f"dedup: rejected {clean(reject)}")


def read_one(name: str) -> str:
    """Return the content of a file as one text, whatever its name. Raise `InputError` if it cannot be read.

    It has the encoding of the options, as those of `Inputs` have.
    """
    from dedup.sources.files.formats.plain_text import load_document
    from dedup.sources.files.listing import Listing

    listing = Listing([name], format="txt", encoding=selection().get("encoding"))
    if len(listing) != 1:
        raise InputError(f"expected one file, found {len(listing)} in {name}; name one of them")
    try:
        text, rejects = load_document(listing[0])
    except OSError as error:
        why = error.strerror or error
        raise InputError(f"expected a text, found none in {name}: {why}; name a file that can be read") from None
    if text is None or rejects:
        why = str(rejects[0]).removesuffix("; the part before it was read")
        raise InputError(why if ";" in why else f"{why}; mend it, or name another file")
    return text


class ByName(Mapping[Any, str]):
    """A mapping of ids to the texts of files. A text is read when it is looked up."""

    def __init__(self, texts: FileTexts) -> None:
        self._texts = texts
        self._rows = {name: row for row, name in enumerate(texts.ids)}

    def __getitem__(self, name: Any) -> str:
        return self._texts[self._rows[name]]

    def in_text(self, name: Any, column: str, place: int) -> int:
        """Return a place in one of several columns as a place in the text, in which these are joined."""
        known = self._texts.column_places
        starts = {} if known is None else {at: start for at, start, _ in known.parts(self._rows[name])}
        return place if known is None else starts[known.names.index(column)] + place

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

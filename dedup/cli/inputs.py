"""The inputs of a command: files, folders and patterns named on the command line, and their texts.

What cannot be read is named on stderr as it is met; `finish` turns that into the exit code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dedup.cli.ending import tell
from dedup.errors import InputError
from dedup.terminal import clean

if TYPE_CHECKING:
    from dedup.sources.files.file_texts import FileTexts
    from dedup.sources.files.listing import Listing
    from dedup.sources.files.rejects import Errors, Reject

__all__ = ["ByName", "Inputs", "read_one"]


class Inputs:
    """The files of a command, opened one way; counts what they reject."""

    def __init__(self, *, format: str | None, on_error: str, max_errors: str | None) -> None:
        self._format, self._on_error, self._max_errors = format, on_error, max_errors
        self._rejects = 0

    def checked(self) -> Inputs:
        """Check what is asked of all files alike, before any of them is looked at; return the same."""
        from dedup.sources.files.listing import check_format

        check_format(self._format)
        _ = self.errors
        return self

    def rejected(self) -> int:
        """Return how many inputs and records were rejected; those that are skipped are counted on stderr alone."""
        if self._on_error != "skip":
            return self._rejects
        if self._rejects:
            tell(f"dedup: skipped {self._rejects:,} that could not be read")
        return 0

    def open(self, names: Sequence[str], *, column: str, id: str | None) -> FileTexts:
        """Return the texts of files, folders and patterns."""
        from dedup.sources.files.naming import files

        chosen = files(
            *names, column=column, id=id, format=self._format, on_error=self._on_error, max_errors=self._max_errors
        )
        self.tell_unread(chosen.listing, column)
        return chosen.read(tell=self.tell)

    @property
    def errors(self) -> Errors:
        """What is done about records that cannot be read."""
        from dedup.sources.files.rejects import Errors

        return Errors(self._on_error, self._max_errors)

    @staticmethod
    def tell_unread(listing: Listing, column: str) -> None:
        """Say what the folders hold that is not read, and of which texts the column says nothing."""
        if listing.unread:
            how = "to read them, name them or a pattern, and give their format with --format"
            tell(f"dedup: {clean(listing.unread)}; {how}")
        if note := listing.check_column(column):
            tell(f"dedup: {clean(note)}")

    def tell(self, reject: Reject) -> None:
        """Count one reject, and name it unless it is to be skipped."""
        self._rejects += 1
        if self._on_error == "quarantine":
            tell(f"dedup: rejected {clean(reject)}")


def read_one(name: str) -> str:
    """Return what a file holds as one text, whatever its name says. Raises `InputError` where it cannot be read."""
    from dedup.sources.files.formats.plain_text import load_document
    from dedup.sources.files.listing import Listing

    listing = Listing([name], format="txt")
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
    """The texts of files by their ids, read when they are asked for."""

    def __init__(self, texts: FileTexts) -> None:
        self._texts = texts
        self._rows = {name: row for row, name in enumerate(texts.ids)}

    def __getitem__(self, name: Any) -> str:
        return self._texts[self._rows[name]]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

"""The function `files`, which names the files whose texts are searched."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dedup.options import check_name, check_paths
from dedup.sources.columns import check_columns
from dedup.sources.files.batch import BATCH_LIMITS, BatchLimits
from dedup.sources.files.chosen.unread import Unread
from dedup.sources.files.file_texts import FileTexts
from dedup.sources.files.listing import COLUMN, Entry, Listing
from dedup.sources.files.rejects import Errors, Reject
from dedup.sources.texts import BLOCK_LIMITS, BlockLimits

__all__ = ["Files", "files", "listing_of"]


def files(
    *patterns: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    column: str | Sequence[str] = "text",
    id: str | None = None,
    format: str | None = None,
    encoding: str | None = None,
    include: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    on_error: str = "quarantine",
    max_errors: int | str | None = None,
) -> Files:
    """Name files whose texts are searched. They are read when a search gets them, and are never held as a whole.

    Parameters
    ----------
    patterns : paths of files and folders, patterns such as "corpus/**/*.jsonl", lists of them, "-" for standard input,
        addresses (s3://, gs://, hdfs://, https://), of which the files are copied
        Files end in .jsonl, .ndjson, .json, .csv, .tsv, .txt, .md, .parquet, .arrow or .feather, optionally followed by
        .gz, .zst, .bz2 or .xz. Other files in folders are counted (``unread``). The format of a named file with another
        name is detected from its beginning. Files are taken in the order of their paths, each once
    column, id : names of the column (or JSON field) of the text and of the id, or paths: "doc.body" is the field "body"
        of "doc". Without ids "path:number", where the number is that of the line or row, from 1. A .txt file is one
        text, and its id is its path. For documents `column` may be a list of names: their texts are joined by a blank
        line
    format : the format of all files, whatever their names: "jsonl", "csv.gz"
    encoding : the encoding of all text files without a byte order mark, such as "cp1252"; None for UTF-8
    include : patterns such as "*.md": of the files in folders, only these are read, whatever their suffix
    exclude : patterns such as "drafts/" or "*.tmp.jsonl": no such file or folder is read
    on_error : "quarantine" (records that cannot be read are left out, and listed in ``rejects``), "skip" (likewise,
        without a warning), or "fail"
    max_errors : a count, or a share such as "1%": an error if more are rejected

    Returns
    -------
    Files: accepted wherever a collection of texts is

    Raises
    ------
    InputError : there is no file, or none whose format is known
    StorageError : standard input cannot be copied
    ParameterError : `format`, `encoding`, `include`, `exclude`, `on_error` or `max_errors` has a wrong value

    Notes
    -----
    Cost: a look at the status of each file; standard input and files at addresses are read to their end.
    """
    asked = check_columns(column)
    named = COLUMN if asked is None else asked
    id_column = check_name("id", id)
    listing = Listing(check_paths(patterns), format=format, encoding=encoding, include=include, exclude=exclude)
    return Files(listing, column=named, id=id_column, errors=Errors(on_error, max_errors))


def listing_of(entries: Iterable[Entry], where: str) -> Listing:
    """Return the listing of files that were listed before; relative paths refer to the folder `where`."""
    listing = object.__new__(Listing)
    listing.__dict__.update(_forced=None, encoding=None, rejects=[], unread=Unread(), folders=[])
    listing.entries, listing.where = list(entries), where
    return listing


class Files:
    """Files whose texts are searched; made by `dedup.files`.

    Attributes
    ----------
    rejects : the records and files that the last search could not read, in order: tuples of file, line, offset
        (bytes; None in tables) and reason
    """

    def __init__(self, listing: Listing, *, column: str, id: str | None, errors: Errors) -> None:
        self.listing, self.column, self.id, self.errors = listing, column, id, errors
        self.rejects: list[Reject] = []

    def __repr__(self) -> str:
        size = sum(entry.size for entry in self.listing)
        unread = f"; {self.listing.unread}" if self.listing.unread else ""
        return f"Files: {len(self.listing):,} with {size:,} bytes{unread}"

    @property
    def paths(self) -> list[str]:
        """Return the paths, in the order in which they are read."""
        return [entry.path for entry in self.listing]

    @property
    def unread(self) -> dict[str, Any]:
        """Return the files in folders that are not read, since their names give no format: files, kinds, examples."""
        return self.listing.unread.to_dict()

    def read(
        self,
        *,
        column: str | None = None,
        id: str | None = None,
        tell: Callable[[Reject], None] | None = None,
        batches: BatchLimits = BATCH_LIMITS,
        limits: BlockLimits = BLOCK_LIMITS,
    ) -> FileTexts:
        """Return their texts as a collection. `tell` is called with each reject; without it, one warning is given.

        Files are read in batches, and small batches are joined to blocks.
        """
        columns = self.column if column is None else column, self.id if id is None else id
        texts = FileTexts(self.listing, *columns, self.errors, tell, batches, limits)
        self.rejects = texts.rejects
        return texts

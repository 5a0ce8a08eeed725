"""Write archives without some of their records: WARC, and dumps of MediaWiki.

Kept records are copied byte for byte, and so is what has no text: other records of WARC, pages that redirect, and what
is before and after the pages; a dump that ends too early gets an end. In a gzip file of a member a record, the members
of kept records are copied as they are; records that share a member with others get one of their own. No text can be
cut: the digests and sizes that are stored with it would be wrong.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import IO

import numpy as np

from dedup.errors import ParameterError
from dedup.report.decisions import Counts, Verdict
from dedup.report.rewriting.new_file import open_like
from dedup.report.rewriting.records import UNCUT, no_cuts, no_fields
from dedup.sources.files.decompress import PIECE
from dedup.sources.files.formats.archives.framing import WarcRecord, open_archive, records_of
from dedup.sources.files.formats.archives.mediawiki import revision_of
from dedup.sources.files.formats.archives.members import Members
from dedup.sources.files.formats.archives.pages import open_dump, pages_of
from dedup.sources.files.formats.archives.responses import has_text
from dedup.sources.files.listing import Entry
from dedup.storage.compressed import GZIP_LEVEL, open_sink

__all__ = ["rewrite_archive", "rewrite_dump"]


def rewrite_archive(entry: Entry, path: Path, verdict: Verdict) -> Counts:
    """Write the kept records of a WARC file to `path`, and return how many of them have texts."""
    _check(verdict, "warc")
    counts, number = Counts(0, 0), 0
    compression = None if entry.compression == "gzip" else entry.compression  # members of gzip are written packed
    with (
        open_archive(entry, places=True) as stream,
        open_sink(path, compression) as sink,
        open(entry.source, "rb") as packed,
    ):
        for record in records_of(stream, entry.most):
            number += 1
            here = np.array([number])
            if has_text(record):
                counts = counts.plus(verdict.count(here))
            if record.wrong or verdict.drops(here)[0]:
                continue
            if isinstance(stream, Members):
                _copy(record, stream, packed, sink)
            else:
                sink.write(record.data)
    return counts


def _copy(record: WarcRecord, stream: Members, packed: IO[bytes], sink: IO[bytes]) -> None:
    """Write a record of a gzip file as a member."""
    place = stream.packed(record.offset, record.offset + record.size)
    if place is None:
        sink.write(gzip.compress(record.data, GZIP_LEVEL, mtime=0))
        return
    packed.seek(place[0])
    left = place[1] - place[0]
    while left and (piece := packed.read(min(PIECE, left))):
        sink.write(piece)
        left -= len(piece)


def rewrite_dump(entry: Entry, path: Path, verdict: Verdict) -> Counts:
    """Write the kept pages of a dump to `path`, and return how many of them have texts."""
    _check(verdict, "mediawiki")
    counts, number = Counts(0, 0), 0
    with open_dump(entry) as stream, open_like(entry, stream, path) as sink:
        for page in pages_of(stream, entry.most):
            if page.begin < 0:
                sink.write(page.data)
                continue
            number += 1
            here = np.array([number])
            dropped = bool(page.wrong) or bool(verdict.drops(here)[0])
            if dropped or not revision_of(page).redirects:
                counts = counts.plus(verdict.count(here))
            if not dropped:
                sink.write(page.data)
    return counts


def _check(verdict: Verdict, format: str) -> None:
    """Raise `ParameterError` if more than complete records is to be changed."""
    found = f"{verdict.path}, {UNCUT[format]}"
    if verdict.notes is not None:
        raise ParameterError(no_fields(found))
    if len(verdict.cuts):
        raise ParameterError(no_cuts(found, verdict.unit))

"""WARC and WET: the texts of the pages of a crawl (`dedup.sources.files.formats.archives.responses`).

The number of a record is its place in the file, from 1; all records are counted. The columns are ``text``, ``url``
(``WARC-Target-URI``), ``record_id`` (``WARC-Record-ID`` without its brackets), ``date``, ``type``, and all other fields
of the header by their names, such as ``WARC-Payload-Digest``. A damaged record is rejected, and reading goes on with
the next one; in a gzip file of a member a record also if its member is damaged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dedup.sources.files.batch import Batch, Token, Wanted
from dedup.sources.files.formats.archives.framing import WarcRecord, open_archive, records_of
from dedup.sources.files.formats.archives.gathered import Gathered, Unreadable
from dedup.sources.files.formats.archives.responses import has_text, text_of_record
from dedup.sources.files.listing import Entry

__all__ = ["read_archive"]

WARC_TEXT = "text"

WARC_FIELDS = {"url": "warc-target-uri", "record_id": "warc-record-id", "date": "warc-date", "type": "warc-type"}
"""Short names of columns, and the fields of the header that they mean."""

HEADER_PREFIXES = ("warc-", "content-")
"""How the names of fields of a header begin."""


def read_archive(entry: Entry, number: int, wanted: Wanted, after: Token) -> Iterator[Batch]:
    """Yield the batches of a WARC file, starting at the token `after`."""
    for name in wanted.names:
        if name != WARC_TEXT and name not in WARC_FIELDS and not name.lower().startswith(HEADER_PREFIXES):
            raise wanted.missing(name, f"{entry.path}, which is WARC", [WARC_TEXT, *WARC_FIELDS])
    _, offset, record = after
    found = Gathered(entry, number, wanted, record)
    with open_archive(entry, offset) as stream:
        for each in records_of(stream, entry.most):
            if each.wrong:
                found.reject(record, each.offset, each.wrong)
            elif has_text(each):
                try:
                    found.add(record, each.offset, {name: _value(each, name, entry.most) for name in wanted.names})
                except Unreadable as error:
                    found.reject(record, each.offset, str(error))
            record, offset = record + 1, each.offset + each.size
            if found.full and not each.stopped:
                yield found.batch(offset, record)
    if not found.empty:
        yield found.last()


def _value(record: WarcRecord, name: str, most: int) -> Any:
    if name == WARC_TEXT:
        return text_of_record(record, most)
    field = WARC_FIELDS.get(name, name.lower())
    value = record.header.get(field)
    return value[1:-1] if value and field == WARC_FIELDS["record_id"] and value[0] + value[-1] == "<>" else value

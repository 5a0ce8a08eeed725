"""Dumps of Wikipedia and other wikis of MediaWiki: a text a page, its wikitext.

Each page is parsed by itself (`dedup.sources.files.formats.archives.pages`), so its XML cannot declare entities. The
text is that of the last revision in the file, as it is written, with its markup; a page with an element in its text is
rejected, since MediaWiki escapes all markup. A page that redirects has no text. The number of a record is the place of
the page in the file, from 1; all pages are counted. The columns are ``text``, ``title``, ``id``, ``ns``, ``revision``
(integers) and ``timestamp``.

Cost: that of the parser of the standard library.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from typing import Any

from dedup.options import shown
from dedup.sources.files.batch import Batch, Token, Wanted
from dedup.sources.files.encodings import UTF8, bad_byte, hint
from dedup.sources.files.formats.archives.gathered import Gathered, Unreadable
from dedup.sources.files.formats.archives.pages import Page, open_dump, pages_of
from dedup.sources.files.listing import Entry

__all__ = ["Revision", "read_dump", "revision_of"]

PAGE_COLUMNS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "text": ("revision/text", str),
    "title": ("title", str),
    "id": ("id", int),
    "ns": ("ns", int),
    "revision": ("revision/id", int),
    "timestamp": ("revision/timestamp", str),
}
"""The columns: the path of the element of each, and the kind of its values."""

PAGE_NUMBER = re.compile(r"[ \t\r\n]*-?[0-9]{1,18}[ \t\r\n]*")
"""How a number is written."""


class Revision:
    """The last revision of a page."""

    def __init__(self, page: ET.Element) -> None:
        revisions = page.findall("revision")
        self._page, self._last = page, revisions[-1] if revisions else page
        self.redirects = page.find("redirect") is not None

    def value(self, name: str) -> Any:
        """Return the value of a column; None if the page has none. Raise `Unreadable` if it is not of its kind."""
        path, kind = PAGE_COLUMNS[name]
        within, _, last = path.rpartition("/")
        element = (self._last if within else self._page).find(last)
        if element is None:
            return None
        if len(element):
            raise Unreadable(f"<{last}>: expected only text in it, found the element <{element[0].tag:.40}>")
        found = element.text or ""
        if kind is str:
            return found
        if not PAGE_NUMBER.fullmatch(found):
            raise Unreadable(f"<{last}>: expected a number, found {shown(found)}")
        return int(found)


def revision_of(page: Page, encoding: str = UTF8) -> Revision:
    """Return the last revision of a page of a file in an encoding. Raise `Unreadable` if it cannot be read."""
    if page.wrong:
        raise Unreadable(page.wrong)
    data = page.data[page.begin :]
    try:
        return Revision(ET.XML(data, ET.XMLParser(encoding=UTF8)))  # noqa: S314
    except ET.ParseError as error:
        try:
            data.decode(UTF8)
        except UnicodeDecodeError as bad:
            problem = bad_byte(data, bad.start, encoding)
            raise Unreadable(f"{problem} at offset {bad.start} of the page{hint(data, encoding)}") from None
        what, _, place = str(error).partition(": ")
        raise Unreadable(f"not well-formed XML: {what} ({place} of the page)") from None


def read_dump(entry: Entry, number: int, wanted: Wanted, after: Token) -> Iterator[Batch]:
    """Yield the batches of a dump, starting at the token `after`."""
    for name in wanted.names:
        if name not in PAGE_COLUMNS:
            raise wanted.missing(name, f"{entry.path}, which is a dump of MediaWiki", list(PAGE_COLUMNS))
    _, offset, record = after
    found = Gathered(entry, number, wanted, record)
    with open_dump(entry, offset) as stream:
        for page in pages_of(stream, entry.most):
            if page.begin < 0:
                continue
            if found.full:
                yield found.batch(offset, record)
            try:
                revision = revision_of(page, stream.encoding)
                if not revision.redirects:
                    values = {name: revision.value(name) for name in wanted.names}
                    found.add(record, page.offset + page.begin, values)
            except Unreadable as error:
                found.reject(record, page.offset + page.begin, str(error))
            record, offset = record + 1, page.offset + page.size
    if not found.empty:  # that the file ends too early is told once: after the last batch comes the next file
        yield found.last()

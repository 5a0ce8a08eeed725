"""The pages of a dump of MediaWiki (Wikipedia): where each begins and ends in the file, and its bytes.

A page begins with ``<page>`` and ends with ``</page>``. In well-formed XML a text cannot contain these, since ``<`` is
written as ``&lt;`` there, and MediaWiki does not write CDATA. So a page is found by its bytes, and its bytes alone are
parsed: a damaged page does not end the file, and declarations of entities before the pages are never read. A page that
is not closed ends where the next one begins, or where the dump ends. A page in a comment is none.

Cost: one look at each byte. Memory: a page, up to the limit of the file.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import NamedTuple

from dedup.sources.files.decompress import PIECE, Stream
from dedup.sources.files.limits import too_large
from dedup.sources.files.listing import Entry

__all__ = ["Page", "open_dump", "pages_of"]

PAGE_CLOSING, DUMP_END = b"</page>", b"</mediawiki>"

OUTSIDE_PAGES = re.compile(rb"<(page[\s>]|/page>|!--|mediawiki[\s>]|/siteinfo>|/mediawiki>)")
"""What counts between pages."""

INSIDE_PAGES = re.compile(rb"<(page[\s>]|/page>|/mediawiki>)")
"""What ends a page."""

LONGEST_XML_MARK = len(DUMP_END)
"""Bytes of a match of `OUTSIDE_PAGES` or `INSIDE_PAGES`, at most."""

COMMENT_END = b"-->"


class Page(NamedTuple):
    """The bytes of a file up to the end of a page.

    Or bytes of no page: the header, the end, and what is between two dumps in a file. If a dump has no end, what it
    lacks comes last: it has bytes, and the size 0.

    Attributes
    ----------
    offset, size : where they begin, and how many there are
    data : the bytes; of a page that cannot be read none
    begin : where the page begins in these bytes; -1 if they are of no page
    wrong : why the page cannot be read; "" if it can
    """

    offset: int
    size: int
    data: bytes
    begin: int
    wrong: str = ""


def open_dump(entry: Entry, offset: int = 0) -> Stream:
    """Open a file at a place of its unpacked bytes."""
    return Stream(entry, offset)


def pages_of(stream: Stream, most: int, *, size: int = PIECE) -> Iterator[Page]:
    """Yield the pages from the place on at which a stream is, and what is before, between and after them.

    That place is the beginning, or the end of a page. `size` bytes are read at a time.
    """
    yield from _Pages(stream, most, size)


class _Pages:
    """Reads the pages of a stream: `_held` are bytes that were read, of which the first is at `_offset`."""

    def __init__(self, stream: Stream, most: int, size: int) -> None:
        self._stream, self._most, self._size = stream, most, size
        self._held, self._offset = bytearray(), stream.at
        self._header = stream.at == 0  # whether no page came yet
        self._header_end = 0  # up to this place of `_held`, what comes before the first page is of no page
        self._open = False  # whether a dump began
        self._ended = False  # whether nothing but the end of a dump came since the last page
        self._told = False  # whether it was said that the file ends too early
        self._uncommented = 0  # up to this place of the stream, no comment ends

    def __iter__(self) -> Iterator[Page]:
        while (begin := (yield from self._before())) is not None:
            yield self._page(begin)
        yield from self._end()

    def _read(self) -> bool:
        """Read on; return whether there was anything."""
        piece = self._stream.read(self._size)
        self._held += piece
        return bool(piece)

    def _before(self) -> Generator[Page, None, int | None]:
        """Yield what is before the next page, if it is of no page, and return where that page begins; None if nowhere.

        Pages without a beginning are yielded too.
        """
        at = 0
        while True:
            found = OUTSIDE_PAGES.search(self._held, at)
            if found is None:
                at = max(at, len(self._held) - LONGEST_XML_MARK + 1)
                if at > self._most:
                    self._header_end = max(self._header_end - at, 0)
                    yield self._none(at, keep=self._header)
                    at = 0
                if not self._read():
                    return None
                continue
            at, end, mark = found.start(), found.end(), found[1]
            if mark == b"!--":
                at = self._after_comment(at)
            elif mark == b"/siteinfo>":
                self._header_end = at = end
            elif mark.startswith(b"mediawiki"):
                self._open, self._ended = True, False
                self._header_end = at = self._after_tag(end)
            elif mark == b"/mediawiki>":
                yield self._none(end)
                self._ended, self._header, self._header_end, at = True, True, 0, 0
            else:
                size = self._header_end if self._header else 0
                if size:
                    yield self._none(size)
                self._header, self._header_end, self._ended = False, 0, False
                if mark != b"/page>":
                    return at - size
                yield self._taken(end - size, 0, "expected <page> before </page>, found none")
                at = 0

    def _after_tag(self, end: int) -> int:
        """Return where a tag ends of which the name is known; where the name does, if it has no end."""
        while (found := self._held.find(b">", end - 1)) < 0 and len(self._held) <= self._most and self._read():
            pass
        return max(found + 1, end)

    def _after_comment(self, at: int) -> int:
        """Return where reading goes on after the beginning of a comment: one that does not end is none."""
        begin = at + len(b"<!--")
        while True:
            start = max(begin, self._uncommented - self._offset)
            found = self._held.find(COMMENT_END, start)
            self._uncommented = self._offset + (max(start, len(self._held) - 2) if found < 0 else found)
            if found >= 0:
                return found + len(COMMENT_END) if found - at <= self._most else begin
            if len(self._held) - at > self._most + len(COMMENT_END) or not self._read():
                return begin

    def _page(self, begin: int) -> Page:
        """Take the page that begins at a place."""
        at, gone = begin + 1, 0
        while (found := INSIDE_PAGES.search(self._held, at)) is None:
            at = max(at, len(self._held) - LONGEST_XML_MARK + 1)
            if gone + len(self._held) - begin > self._most:
                del self._held[:at]
                gone, at = gone + at, 0
            if not self._read():
                self._told = True
                wrong = self._stream.broken or "expected </page>, found the end of the file"
                return self._taken(len(self._held), begin, wrong, gone)
        if found[1] != b"/page>":
            other = "another page" if found[1].startswith(b"page") else DUMP_END.decode()
            return self._taken(found.start(), begin, f"expected </page>, found {other}", gone)
        size = gone + found.end() - begin
        wrong = too_large("a page", size, self._most, so_far=False) if size > self._most else ""
        return self._taken(found.end(), begin, wrong, gone)

    def _end(self) -> Iterator[Page]:
        """Yield what is after the last page."""
        if not self._told:
            if not self._ended and self._header and self._header_end:
                yield self._none(self._header_end)
            wrong = self._stream.broken
            if wrong is None and not self._ended:
                wrong = f"expected {DUMP_END.decode()}, found the end of the file; the pages before were used"
            yield self._none(len(self._held)) if wrong is None else self._taken(len(self._held), 0, wrong)
        if self._open and not self._ended:
            yield Page(self._offset, 0, b"\n" + DUMP_END + b"\n", -1)

    def _taken(self, size: int, begin: int, wrong: str, gone: int = 0) -> Page:
        """Take bytes up to the end of a page, after those that are gone already."""
        return self._cut(size, begin, wrong, gone, keep=not wrong)

    def _none(self, size: int, *, keep: bool = True) -> Page:
        """Take bytes of no page."""
        return self._cut(size, -1, "", 0, keep=keep)

    def _cut(self, size: int, begin: int, wrong: str, gone: int, *, keep: bool) -> Page:
        data = bytes(memoryview(self._held)[:size]) if keep else b""
        del self._held[:size]
        page = Page(self._offset, gone + size, data, begin, wrong)
        self._offset += gone + size
        return page

"""The pages of a dump of MediaWiki (Wikipedia): where each begins and ends in the file, and its bytes.

A page begins with ``<page>`` and ends with ``</page>``. In well-formed XML a text cannot contain these, since ``<`` is
written as ``&lt;`` there, and MediaWiki writes neither comments nor CDATA. So a page is found by its bytes, and its
bytes alone are parsed: a damaged page does not end the file, and declarations of entities before the pages are never
read.

Cost: one look at each byte. Memory: a page, up to the limit of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from dedup.sources.files.decompress import PIECE, Unpacked
from dedup.sources.files.limits import too_large
from dedup.sources.files.listing import Entry

__all__ = ["Page", "open_dump", "pages_of"]

PAGE_OPENING, PAGE_CLOSING = re.compile(rb"<page[\s>]"), b"</page>"
LONGEST_OPENING = 6
"""Bytes of a match of `PAGE_OPENING`."""

DUMP_END = b"</mediawiki>"


class Page(NamedTuple):
    """The bytes of a file up to the end of a page.

    Attributes
    ----------
    offset, size : where they begin, and how many there are
    data : the bytes; of a page that is too large none
    begin : where the page begins in `data`; -1 if there is none: after the last page
    wrong : why the page cannot be read; "" if it can
    """

    offset: int
    size: int
    data: bytes
    begin: int
    wrong: str = ""


def open_dump(entry: Entry, offset: int = 0) -> Unpacked:
    """Open a file at a place of its unpacked bytes."""
    stream = Unpacked(entry)
    if entry.compression is None:
        stream.seek(offset)
    while stream.at < offset and stream.read(min(PIECE, offset - stream.at)):
        pass
    return stream


def pages_of(stream: Unpacked, most: int, *, size: int = PIECE) -> Iterator[Page]:
    """Yield the pages from the place on at which a stream is, and what is after the last one.

    `size` bytes are read at a time.
    """
    held, offset, seen, gone = bytearray(), stream.at, 0, 0
    while piece := stream.read(size):
        held += piece
        done = 0
        while (end := held.find(PAGE_CLOSING, max(seen, done))) >= 0:
            end += len(PAGE_CLOSING)
            yield from _parted(offset, bytes(memoryview(held)[done:end]), gone, most)
            offset, done, seen, gone = offset + gone + end - done, end, end, 0
        del held[:done]
        if len(held) > most:
            gone, held = gone + len(held) - LONGEST_OPENING, held[-LONGEST_OPENING:]
        seen = max(len(held) - len(PAGE_CLOSING) + 1, 0)
    rest = bytes(held)
    if stream.broken is not None:
        yield Page(offset, gone + len(rest), b"", 0, stream.broken)
    elif gone or PAGE_OPENING.search(rest):
        yield Page(offset, gone + len(rest), b"", 0, "expected </page>, found the end of the file")
    elif DUMP_END not in rest:
        wrong = f"expected {DUMP_END.decode()}, found the end of the file; the pages before were used"
        yield Page(offset, len(rest), b"", 0, wrong)
    else:
        yield Page(offset, len(rest), rest, -1)


def _parted(offset: int, data: bytes, gone: int, most: int) -> Iterator[Page]:
    """Yield the page at the end of some bytes, and before it those that are not closed."""
    if gone:
        yield Page(offset, gone + len(data), b"", 0, too_large("a page", gone + len(data), most, so_far=False))
        return
    begins = [found.start() for found in PAGE_OPENING.finditer(data)]
    start = 0
    for begin, end in pairwise(begins):
        yield Page(offset + start, end - start, data[start:end], begin - start, "expected </page>, found another page")
        start = end
    offset, data = offset + start, data[start:]
    begins = [begin - start for begin in begins[-1:]]
    if not begins:
        yield Page(offset, len(data), data, 0, "expected <page> before </page>, found none")
    elif len(data) - begins[-1] > most:
        size = len(data) - begins[-1]
        yield Page(offset, len(data), b"", 0, too_large("a page", size, most, so_far=False))
    else:
        yield Page(offset, len(data), data, begins[-1])

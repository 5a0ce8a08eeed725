"""HTML: a file is a document, whose text is what its page says, without markup, menus and the like.

`trafilatura` (the extra ``dedup-text[html]``) finds the main text of a page: its paragraphs, headings, lists and
tables, a line each. A page in which it finds none gives all its text. The encoding is that of the byte order mark, else
the one that the user named, else the one that a ``meta`` element names, else UTF-8.

Cost: milliseconds a page. Spans are of the extracted text.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from dedup.sources.files.batch import Batch, Wanted
from dedup.sources.files.decompress import PIECE, Unpacked
from dedup.sources.files.encodings import UTF8, encoding_of, hint
from dedup.sources.files.formats.extractor import extractor
from dedup.sources.files.formats.plain_text import OTHERWISE, document_batch
from dedup.sources.files.limits import too_large
from dedup.sources.files.listing import Entry
from dedup.sources.files.rejects import Reject

__all__ = ["SUPERSETS", "declared", "load_page", "read_page", "text_of"]

CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)

DECLARED_BYTES = 1 << 12
"""Bytes at the beginning of a page in which its encoding is looked for."""

SUPERSETS = {"ascii": "cp1252", "iso8859-1": "cp1252"}
"""What browsers read if a page declares one of these."""


def read_page(entry: Entry, number: int, wanted: Wanted) -> Iterator[Batch]:
    """Yield the batch of a page: its text, or the reason why there is none. The id is its path."""
    text, rejects = load_page(entry)
    yield document_batch(entry, number, wanted, text, rejects)


def load_page(entry: Entry) -> tuple[str | None, list[Reject]]:
    """Return the text of a page, and the reason if there is none, or if only a part of it can be read."""
    pieces: list[bytes] = []
    with Unpacked(entry) as stream:
        while piece := stream.read(PIECE):
            pieces.append(piece)
            if stream.at > entry.most:
                return None, [Reject(entry.path, None, 0, too_large("a page", stream.at, entry.most))]
    data = b"".join(pieces)
    rejects = [] if stream.broken is None else [Reject(entry.path, None, len(data), stream.broken)]
    encoding = encoding_of(data[:4], entry.encoding or declared(data))
    try:
        page = data.decode(encoding)
    except UnicodeDecodeError as error:
        if not (rejects and error.end == len(data)):  # else the stream ended within a character
            reason = f"not {encoding.upper()}: byte 0x{data[error.start]:02x} at offset {error.start}"
            reason += hint(data[:DECLARED_BYTES], encoding) or OTHERWISE
            return None, [*rejects, Reject(entry.path, None, error.start, reason)]
        page = data[: error.start].decode(encoding)
    return text_of(page.removeprefix("\ufeff")), rejects


def declared(data: bytes) -> str:
    """Return the encoding that a page declares for itself; UTF-8 if it declares none that is known."""
    found = CHARSET.search(data[:DECLARED_BYTES])
    try:
        name = codecs.lookup(found[1].decode("ascii")).name if found else UTF8
        "".encode(name)
    except (LookupError, UnicodeError):
        return UTF8
    return UTF8 if name.startswith("utf-") else SUPERSETS.get(name, name)  # a page whose bytes say so is not in UTF-16


def text_of(page: str) -> str:
    """Return the main text of a page; all its text if no main text is found; "" if it has none."""
    trafilatura = extractor()
    if not page.strip():
        return ""
    found = trafilatura.extract(page, include_comments=False, include_tables=True, deduplicate=False)
    return str(found or trafilatura.html2txt(page) or "")

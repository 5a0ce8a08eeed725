"""HTML: a file is a document, whose text is what its page says, without markup, menus and the like.

`trafilatura` (the extra ``dedup-text[html]``) finds the main text of a page: its paragraphs, headings, lists and
tables, a line each. A page in which it finds none gives all its text, and so does one with elements that lie too deeply
in one another for it. The encoding is that of the byte order mark, else
the one that the user named, else the one that an XML declaration or a ``meta`` element names, else UTF-8.

Cost: milliseconds a page. Spans are of the extracted text.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser

from dedup.sources.files.batch import Batch, Wanted
from dedup.sources.files.decompress import PIECE, Unpacked
from dedup.sources.files.encodings import UTF8, encoding_of, hint, known_encoding
from dedup.sources.files.formats.extractor import extractor
from dedup.sources.files.formats.plain_text import OTHERWISE, document_batch
from dedup.sources.files.limits import too_large
from dedup.sources.files.listing import Entry
from dedup.sources.files.rejects import Reject

__all__ = ["DECLARED_BYTES", "SUPERSETS", "XML_DECLARATION", "declared", "load_page", "read_page", "text_of"]

CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)

XML_DECLARATION = re.compile(rb"\s*<\?xml[^>]{0,200}?\bencoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")
"""The encoding that a page of XHTML names in its first line."""

DECLARED_BYTES = 1 << 12
"""Bytes at the beginning of a page in which its encoding is looked for."""

ELEMENT = re.compile(r"<(/?)([A-Za-z][\w:-]*)")
"""Where an element begins or ends."""

NOT_NESTED = {
    *("area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta", "option", "p"),
    *("param", "source", "td", "th", "tr", "track", "wbr"),
}
"""Elements that are often not closed, and end without it."""

SURELY_READ = 200
"""Elements in one another that the extractor's parser surely reads; it ends at 256."""

NOT_SHOWN = {"script", "style", "template", "title"}
"""Elements whose contents are not shown, or not in the page."""

INLINE = {
    *("a", "abbr", "b", "bdi", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd", "mark", "q", "s"),
    *("samp", "small", "span", "strong", "sub", "sup", "u", "var"),
}
"""Elements that do not begin a line."""

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
    found = XML_DECLARATION.match(data[:DECLARED_BYTES]) or CHARSET.search(data[:DECLARED_BYTES])
    name = known_encoding(found[1].decode("ascii", "replace")) if found else None
    if name is None:
        return UTF8
    return UTF8 if name.startswith("utf-") else SUPERSETS.get(name, name)  # a page whose bytes say so is not in UTF-16


def text_of(page: str) -> str:
    """Return the main text of a page; all its text if no main text is found; "" if it has none."""
    trafilatura = extractor()
    if not page.strip():
        return ""
    if _too_deep(page):
        return _all_text(page)
    found = trafilatura.extract(page, include_comments=False, include_tables=True, deduplicate=False)
    return str(found or trafilatura.html2txt(page) or "")


def _too_deep(page: str) -> bool:
    """Return whether elements lie so deeply in one another that the extractor's parser leaves some out."""
    depth = deepest = 0
    for closing, name in ELEMENT.findall(page):
        if name.lower() not in NOT_NESTED:
            depth += -1 if closing else 1
            deepest = max(deepest, depth)
    if deepest < SURELY_READ:
        return False
    etree = importlib.import_module("lxml.etree")  # which the extractor needs
    parser = etree.HTMLParser()
    etree.fromstring(page.encode("utf-8", "replace"), parser)
    return any("depth" in error.message for error in parser.error_log)


def _all_text(page: str) -> str:
    """Return all the text of a page, a block a line."""
    reader = _AllText()
    reader.feed(page)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.pieces).split("\n"))
    return "\n".join(line for line in lines if line)


class _AllText(HTMLParser):
    """Collects the text of a page, however deeply its elements lie in one another."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._hidden = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002  (the name that the parser calls)
        if not self._hidden and tag in NOT_SHOWN:
            self._hidden = tag
        self.pieces.append("" if tag in INLINE else "\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._hidden:
            self._hidden = ""
        self.pieces.append("" if tag in INLINE else "\n")

    def handle_data(self, data: str) -> None:
        self.pieces.append("" if self._hidden else data.replace("\n", " "))

"""The format of a file, detected from its beginning, if its name does not give it.

A format is returned only if it is certain: Parquet, Arrow and WARC by their first bytes, JSON lines by a first line
that is a JSON object, other JSON by an array or an object over several lines, HTML and dumps of MediaWiki by their
first element, separated text by records with the same number of cells, and plain text if nothing suggests anything
else. Data that may be something else (other XML, an image) gets no format, but a description: to read such a file as
one text would be a wrong result that nobody notices.

Cost: the first `HEAD` bytes of the file.
"""

from __future__ import annotations

import bz2
import json
import lzma
import re
import zlib
from pathlib import Path
from typing import NamedTuple

from dedup.sources.files.encodings import UTF8, Decoding, encoding_of
from dedup.sources.files.formats.separated import SEPARATED, separated_by

__all__ = ["AN_OBJECT", "HOW", "Sniffed", "advice", "compression_of", "head_of", "separator_of", "sniff"]

HEAD = 1 << 16
"""Bytes that are examined."""

COMPRESSION_MAGIC = {b"\x1f\x8b\x08": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz"}
"""How compressed files begin."""

COMPRESSION_SUFFIXES = {"gz", "zst", "bz2", "xz"}
"""Suffixes that give the compression of a file, but not its format."""

AN_ARCHIVE = "a ZIP archive (or a document of an office program)"

HOW = 'give its format with format= (--format): "jsonl", "csv", "parquet", "arrow", "lines", or "txt" for one text'

A_PIECE_OF_HTML = "a piece of HTML"

XML_ADVICE = (
    "write its texts as JSON lines first (in Python with xml.etree.ElementTree.iterparse), or give a format with "
    'format= (--format): "mediawiki" for a dump of a wiki, "html" for a page, "txt" for one text'
)
"""What to do about XML."""

ADVICE_ON = {
    (
        A_PIECE_OF_HTML,
    ): 'give its format with format= (--format): "html" for what it says, "txt" for one text with its tags',
    ("PDF",): "write its text to a file first, for example with pdftotext, and name that file",
    ("a Word document", "a document of an office program", "EPUB", "RTF"): (
        "write its text to a file first, for example with pandoc --to plain, and name that file"
    ),
    ("a spreadsheet",): "save it as CSV, and name that file",
    ("an SQLite database", "a database"): "search its rows from Python: find_duplicates takes what sqlite3 returns",
    ("a ZIP archive", "a TAR archive", AN_ARCHIVE, "a 7z archive", "a RAR archive"): "unpack it, and name its files",
}
"""What to do about a file that is not read; for all others it is `HOW`."""

OTHER_MAGIC = {
    b"%PDF-": "PDF",
    b"PK\x03\x04": AN_ARCHIVE,
    b"\xd0\xcf\x11\xe0": "a document of an office program",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"SQLite format 3\x00": "an SQLite database",
    b"Obj\x01": "Avro",
    b"ORC": "ORC",
    b"{\\rtf": "RTF",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"\x89HDF": "HDF5",
}
"""How files begin that are not texts."""

SUFFIX_KINDS = {
    "xml": "XML",
    "pdf": "PDF",
    "xlsx": "a spreadsheet",
    "xls": "a spreadsheet",
    "ods": "a spreadsheet",
    "docx": "a Word document",
    "doc": "a Word document",
    "odt": "a document of an office program",
    "epub": "EPUB",
    "rtf": "RTF",
    "avro": "Avro",
    "orc": "ORC",
    "tar": "a TAR archive",
    "zip": "a ZIP archive",
    "pkl": "a pickle",
    "npy": "an array",
    "sqlite": "an SQLite database",
    "db": "a database",
}
"""Suffixes of files that are not plain text, whatever they begin with."""

AN_OBJECT = "a JSON object over several lines"
"""What a file is that may be one record, or anything else: it is read if it is named."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""How a file in UTF-8 may begin."""
KEY = re.compile(rb'\{\s*(?:"(?:[^"\\]|\\.)*"\s*:|\})')
ARRAY = re.compile(rb'\[\s*(?:\{\s*["}]|\[|"(?:[^"\\]|\\.)*"\s*[,\]])')
XML_BEFORE = rb"(?:<\?xml[^>]*\?>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*"
"""What may be before the first element: a declaration and comments. A text matches it in one way only."""

PAGE_START = re.compile(XML_BEFORE + rb"(?:<!doctype\s+html\b|<html[\s>])", re.IGNORECASE | re.DOTALL)
A_DOCTYPE = rb"<!DOCTYPE\s+mediawiki\b[^\[>]*(?:\[(?:(?!\]\s*>).)*\]\s*)?>\s*(?:<!--(?:(?!-->).)*-->\s*)*"
DUMP_START = re.compile(XML_BEFORE + rb"(?:" + A_DOCTYPE + rb")?<mediawiki[\s>]", re.DOTALL)
TAG = re.compile(rb"<(?:\?xml|!doctype|!--|[a-z_][\w:.-]*(?:\s[^<>]*)?/?>)", re.IGNORECASE)
ROOT = re.compile(rb"(?:<[?!][^>]*>\s*)*<([a-z_][\w:.-]{0,40})(?:[\s/>]|\Z)", re.IGNORECASE)

HTML_TAGS = {
    *b"article a b body center div em font form h1 h2 h3 h4 h5 h6 head header i img li link main meta nav ol p".split(),
    *b"pre script section span strong style table td title tr ul".split(),
}
"""Elements with which a piece of HTML may begin."""


class Sniffed(NamedTuple):
    """The detected format of a file.

    Attributes
    ----------
    format : "jsonl", "json", "html", "txt", "parquet", "arrow", "warc", "mediawiki", or of `SEPARATED`; None if it is
        none of these, or not certain
    compression : "gzip", "zstd", "bz2", "xz", or None
    what : a description for messages, if there is no format; or `AN_OBJECT`
    """

    format: str | None
    compression: str | None
    what: str = ""


def sniff(source: str, name: str, compression: str | None, encoding: str | None = None) -> Sniffed:
    """Detect the format from the beginning of `source`, called `name`, in an encoding if it is text.

    Raises `OSError` if it cannot be opened.
    """
    compression = compression or compression_of(head_of(source, None)[0])
    head, whole = text_head(source, compression, encoding)
    kind, what = _detected(head, whole=whole)
    named = SUFFIX_KINDS.get(_suffix(name), "")
    if named and (kind == "txt" or kind in SEPARATED or what == AN_ARCHIVE):
        kind, what = None, named
    return Sniffed(kind, compression, what)


def advice(what: str) -> str:
    """Return what to do about a file that gets no format."""
    if what.startswith("XML"):
        return XML_ADVICE
    return next((how for kinds, how in ADVICE_ON.items() if what in kinds), HOW)


def _suffix(name: str) -> str:
    """Return the suffix of a name; a suffix of compression is skipped."""
    suffixes = [suffix.removeprefix(".").lower() for suffix in Path(name).suffixes[-2:]]
    return next((suffix for suffix in reversed(suffixes) if suffix not in COMPRESSION_SUFFIXES), "")


def compression_of(head: bytes) -> str | None:
    """Return the compression of a file that begins with `head`."""
    return next((name for magic, name in COMPRESSION_MAGIC.items() if head.startswith(magic)), None)


def text_head(source: str, compression: str | None, encoding: str | None) -> tuple[bytes, bool]:
    """Return the first bytes of a file, unpacked and as UTF-8, and whether these are all its bytes."""
    head, whole = head_of(source, compression)
    found = encoding_of(head, encoding)
    return head if found == UTF8 else Decoding(found).decode(head, last=whole), whole


def head_of(source: str, compression: str | None) -> tuple[bytes, bool]:
    """Return the first bytes of a file, unpacked, and whether these are all its bytes."""
    with open(source, "rb") as file:
        data = file.read(HEAD)
        whole = len(data) < HEAD
    if compression is None:
        return data, whole
    unpacked = _unpacked(data, compression)
    return unpacked, whole and len(unpacked) < HEAD


def _unpacked(data: bytes, compression: str) -> bytes:
    """Return the unpacked data in the first bytes of a compressed file; nothing if they are damaged."""
    try:
        if compression == "gzip":
            return zlib.decompressobj(31).decompress(data, HEAD)
        if compression == "bz2":
            return bz2.BZ2Decompressor().decompress(data, HEAD)
        if compression == "xz":
            return lzma.LZMADecompressor().decompress(data, HEAD)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):
        return b""
    import pyarrow as pa

    found = b""
    try:
        stream = pa.CompressedInputStream(pa.BufferReader(data), "zstd")
        while len(found) < HEAD and (piece := stream.read(1 << 10)):
            found += piece
    except (OSError, ValueError):
        pass  # the frame continues after the bytes that were read
    return found


def _detected(head: bytes, *, whole: bool) -> tuple[str | None, str]:
    """Return the format of data that begins with `head`; and a description, if there is none."""
    if head.startswith(b"PAR1"):
        return "parquet", ""
    if head.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "arrow", ""
    if head.startswith(b"WARC/"):
        return "warc", ""
    known = next((name for magic, name in OTHER_MAGIC.items() if head.startswith(magic)), None)
    if known is not None:
        return None, known
    text = head.removeprefix(BYTE_ORDER_MARK).lstrip(b" \t\r\n")
    if b"\0" in text:
        return None, "bytes that are not text"
    if KEY.match(text):
        return ("jsonl", "") if _is_object(text, whole=whole) else ("json", AN_OBJECT)
    if text.startswith(b"[") and (ARRAY.match(text) or (whole and _parses(text, list))):
        return "json", ""
    if PAGE_START.match(text):
        return "html", ""
    if DUMP_START.match(text):
        return "mediawiki", ""
    if TAG.match(text):
        return None, _markup(text)
    return _separated(head, whole=whole)


def _markup(text: bytes) -> str:
    """Return a description of XML, or of a piece of HTML."""
    root = ROOT.match(text)
    if root is None:
        return "XML or HTML"
    if root[1].lower() in HTML_TAGS and not text.startswith(b"<?xml"):
        return A_PIECE_OF_HTML
    return f"XML with the root element <{root[1].decode('ascii')}>"


def _is_object(text: bytes, *, whole: bool) -> bool:
    """Return whether the first line is a JSON object; assumed for a line that is longer than the examined bytes."""
    line, feed, _ = text.partition(b"\n")
    if not feed and not whole:
        return True
    return _parses(line, dict)


def _parses(text: bytes, kind: type) -> bool:
    try:
        return isinstance(json.loads(text.decode("utf-8", "replace")), kind)
    except (ValueError, RecursionError):
        return False


def _separated(head: bytes, *, whole: bool) -> tuple[str | None, str]:
    """Distinguish separated from plain text."""
    text = head.removeprefix(BYTE_ORDER_MARK).decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    first = text.lstrip("\n").partition("\n")[0]
    if first.strip('" ') == "text" and text.strip().count("\n") > 0:
        return None, "comma-separated text with one column, or plain text"
    return separated_by(text, "\t,;|", whole=whole, surely=False) or "txt", ""


def separator_of(source: str, compression: str | None, encoding: str | None = None) -> str:
    """Return which format of separated text a file has whose name ends in ``.csv``; commas if no separator fits."""
    compression = compression or compression_of(head_of(source, None)[0])
    head, whole = text_head(source, compression, encoding)
    text = head.removeprefix(BYTE_ORDER_MARK).decode("utf-8", "replace")
    return separated_by(text, ",;\t|", whole=whole, surely=True) or "csv"

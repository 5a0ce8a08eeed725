"""What a file holds, told by how it begins, where its name does not say.

What is sure gets a format: Parquet and Arrow by their first bytes, JSON lines by a first line that is a JSON object,
comma-separated text by records with the same number of cells, and plain text where nothing speaks for anything else.
What may be something else (a JSON array, tab-separated text, XML, WARC, an image) gets none, and a name for people:
to take such a file for one text would be a wrong answer that nobody sees.

Cost: the first `HEAD` bytes of the file.
"""

from __future__ import annotations

import bz2
import csv
import json
import lzma
import re
import zlib
from pathlib import Path
from typing import NamedTuple

__all__ = ["Sniffed", "compression_of", "encoding_of", "head_of", "sniff"]

HEAD = 1 << 16
"""Bytes that are looked at."""

LOOKED = 50
"""Lines that are looked at for cells."""

MAGIC = {b"\x1f\x8b\x08": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz"}
"""How compressed files begin."""

PACKED = {"gz", "zst", "bz2", "xz"}
"""Suffixes that say how a file is compressed, and nothing of what it holds."""

MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
"""The byte order marks of encodings that are not read; the longer ones first."""

OTHERS = {
    b"%PDF-": "PDF",
    b"PK\x03\x04": "a ZIP archive (or a document of an office program)",
    b"\xd0\xcf\x11\xe0": "a document of an office program",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"SQLite format 3\x00": "an SQLite database",
    b"Obj\x01": "Avro",
    b"ORC": "ORC",
    b"{\\rtf": "RTF",
    b"WARC/": "WARC",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"\x89HDF": "HDF5",
}
"""How files begin that are no texts."""

NAMED = {
    "json": "JSON, but no JSON lines",
    "tsv": "tab-separated text",
    "tab": "tab-separated text",
    "xml": "XML",
    "html": "HTML",
    "htm": "HTML",
    "xhtml": "HTML",
    "warc": "WARC",
    "pdf": "PDF",
    "xlsx": "a spreadsheet",
    "xls": "a spreadsheet",
    "ods": "a spreadsheet",
    "docx": "a document of an office program",
    "doc": "a document of an office program",
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
"""Suffixes of files that are no plain text, whatever they begin with."""

BYTE_MARK = b"\xef\xbb\xbf"
KEY = re.compile(rb'\{\s*(?:"(?:[^"\\]|\\.)*"\s*:|\})')
ARRAY = re.compile(rb'\[\s*(?:\{\s*["}]|\[|"(?:[^"\\]|\\.)*"\s*[,\]])')
TAG = re.compile(rb"<(?:\?xml|!doctype|!--|[a-z_][\w:.-]*(?:\s[^<>]*)?/?>)", re.IGNORECASE)
SEPARATORS = {
    "\t": "tab-separated text",
    ",": "csv",
    ";": "text separated by semicolons",
    "|": "text separated by bars",
}


class Sniffed(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    format : "jsonl", "csv", "txt", "parquet", "arrow"; None where it is none of these, or may be another
    compression : "gzip", "zstd", "bz2", "xz", or None
    what : for people, where there is no format
    """

    format: str | None
    compression: str | None
    what: str = ""


def sniff(source: str, name: str, compression: str | None) -> Sniffed:
    """Look at the beginning of the file `source`, called `name`. Raises `OSError` where it cannot be opened."""
    head, whole = head_of(source, None)
    if compression is None:
        compression = compression_of(head)
    if compression is not None:
        head, whole = head_of(source, compression)
    kind, what = _told(head, whole=whole)
    if kind in ("txt", "csv"):
        what = NAMED.get(_suffix(name), "")
    return Sniffed(None if what else kind, compression, what)


def _suffix(name: str) -> str:
    """Return the suffix of a name, before that of a compression."""
    suffixes = [suffix.removeprefix(".").lower() for suffix in Path(name).suffixes[-2:]]
    return next((suffix for suffix in reversed(suffixes) if suffix not in PACKED), "")


def compression_of(head: bytes) -> str | None:
    """Return the compression of a file that begins so."""
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), None)


def encoding_of(head: bytes) -> str | None:
    """Return the encoding that a byte order mark names, where it is one that is not read."""
    return next((name for mark, name in MARKS.items() if head.startswith(mark)), None)


def head_of(source: str, compression: str | None) -> tuple[bytes, bool]:
    """Return the first bytes of a file, unpacked, and whether they are all of it."""
    with open(source, "rb") as file:
        data = file.read(HEAD)
        whole = len(data) < HEAD
    if compression is None:
        return data, whole
    unpacked = _unpacked(data, compression)
    return unpacked, whole and len(unpacked) < HEAD


def _unpacked(data: bytes, compression: str) -> bytes:
    """Return what the first bytes of a compressed file hold; nothing where they are damaged."""
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
        pass  # the frame goes on behind what was read of it
    return found


def _told(head: bytes, *, whole: bool) -> tuple[str | None, str]:
    """Return the format of what begins so, and for people what it is where there is none."""
    if head.startswith(b"PAR1"):
        return "parquet", ""
    if head.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "arrow", ""
    encoding = encoding_of(head)
    if encoding is not None:
        return None, f"text in {encoding}, not in UTF-8"
    known = next((name for magic, name in OTHERS.items() if head.startswith(magic)), None)
    if known is not None:
        return None, known
    text = head.removeprefix(BYTE_MARK).lstrip(b" \t\r\n")
    if b"\0" in text:
        return None, "bytes that are no text"
    if KEY.match(text):
        return ("jsonl", "") if _is_object(text, whole=whole) else (None, "a JSON object over several lines")
    if text.startswith(b"[") and (ARRAY.match(text) or (whole and _parses(text, list))):
        return None, "a JSON array"
    if TAG.match(text):
        return None, "XML or HTML"
    return _separated(head, whole=whole)


def _is_object(text: bytes, *, whole: bool) -> bool:
    """Return whether the first line is a JSON object; one that is longer than what is looked at is taken for one."""
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
    """Tell text with separators from plain text: all its first records have as many cells, and more than one."""
    text = head.removeprefix(BYTE_MARK).decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    if not whole:
        text = text.rpartition("\n")[0]
    first = text.lstrip("\n").partition("\n")[0]
    if first.strip('" ') == "text" and text.strip().count("\n") > 0:
        return None, "comma-separated text with one column, or plain text"
    for separator, name in SEPARATORS.items():
        if separator not in first or f"{separator} " in first:
            continue
        try:
            rows = [row for row, _ in zip(csv.reader(text.split("\n"), delimiter=separator), range(LOOKED)) if row]  # noqa: B905
        except csv.Error:
            continue
        rows = rows if whole or len(rows) == LOOKED else rows[:-1]
        if len(rows) > 1 and len({len(row) for row in rows}) == 1:
            return ("csv", "") if name == "csv" else (None, name)
    return "txt", ""

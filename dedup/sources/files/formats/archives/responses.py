"""The text of a record of WARC: of a page that a server sent, or text that was made of one.

- ``conversion`` with a type ``text/plain``, as in WET files: its contents, in UTF-8;
- ``response`` with a status 200 to 299, and ``resource``, of a type ``text/html`` or ``application/xhtml+xml``: what
  the page says (`dedup.sources.files.formats.html`). The body is unpacked (``gzip``, ``deflate``, ``br``, ``zstd``).
  Its encoding is that of its mark, of the header, of the page, or else UTF-8; bytes that it does not have become
  U+FFFD, as in browsers, since nobody can name the encodings of a crawl.

Other records have no text.

Cost: milliseconds a page.
"""

from __future__ import annotations

import importlib
import re
import zlib
from typing import Any, NamedTuple

from dedup.errors import ParameterError
from dedup.sources.files.encodings import UTF8, encoding_of, known_encoding
from dedup.sources.files.formats.archives.framing import WarcRecord, header_of
from dedup.sources.files.formats.archives.gathered import Unreadable
from dedup.sources.files.formats.html import SUPERSETS, declared, text_of
from dedup.sources.files.formats.sniffing import PAGE_START
from dedup.sources.files.limits import too_large

__all__ = ["has_text", "text_of_record"]

PAGE_TYPES = {"text/html", "application/xhtml+xml"}

HTTP_TYPE = "application/http"

HTTP_HEAD = re.compile(rb"\r?\n\r?\n|\Z")

HTTP_STATUS = re.compile(rb"HTTP/[0-9.]+ +([0-9]{3})\b")

HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)

BODY_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]{0,200}\r?\n")

BODY_MAGICS = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
"""How a body begins that is packed as its header says; many crawlers unpack bodies and leave the header."""


BODY_COMPRESSIONS = {
    *("gzip", "deflate", "br", "zstd"),
    *("compress", "bzip2", "lzma", "xz", "sdch", "dcb", "dcz", "exi", "pack200-gzip", "aes128gcm"),
}
"""Compressions that a header may name, without ``x-``; those after the first line cannot be unpacked."""


class Answer(NamedTuple):
    """An answer of a server: its header, and where its body begins."""

    header: dict[str, str]
    start: int


def has_text(record: WarcRecord) -> bool:
    """Return whether a record has a text, whether it can be read or not."""
    kind, media = type_of(record), media_type(record.header)
    if record.wrong or kind not in ("conversion", "response", "resource"):
        return False
    if kind == "conversion":
        return media in ("text/plain", "")
    if kind == "resource":
        return media in PAGE_TYPES
    answer = answer_of(record)
    if answer is None:
        return False
    found = media_type(answer.header)
    return found in PAGE_TYPES or (not found and PAGE_START.match(record.content, answer.start) is not None)


def text_of_record(record: WarcRecord, most: int) -> str:
    """Return the text of a record that has one. Raise `Unreadable` if it cannot be read.

    Raises `ParameterError` if it is a page, and the extractor is not installed.
    """
    content = record.content
    kind = type_of(record)
    if kind == "conversion":
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unreadable(
                f"not UTF-8: byte 0x{content[error.start]:02x} at offset {error.start} of its contents"
            ) from None
    answer = Answer(record.header, 0) if kind == "resource" else answer_of(record)
    assert answer is not None
    body = unpacked(dechunked(content[answer.start :], answer.header), answer.header, most)
    return text_of(decoded(body, answer.header))


def type_of(record: WarcRecord) -> str:
    """Return the type of a record, in small letters: some programs write large ones."""
    return record.header.get("warc-type", "").lower()


def media_type(header: dict[str, str]) -> str:
    """Return the media type that a header names, in small letters; "" if it names none.

    >>> media_type({"content-type": "Text/HTML; charset=utf-8"})
    'text/html'
    """
    return header.get("content-type", "").partition(";")[0].strip().lower()


def answer_of(record: WarcRecord) -> Answer | None:
    """Return the answer of a server, if it is one that succeeded."""
    if media_type(record.header) not in (HTTP_TYPE, ""):
        return None
    content = record.content
    status = HTTP_STATUS.match(content)
    if status is None or not status[1].startswith(b"2"):
        return None
    end = HTTP_HEAD.search(content)
    assert end is not None
    return Answer(header_of(content[: end.start()]), end.end())


def dechunked(body: bytes, header: dict[str, str]) -> bytes:
    """Return a body without the lengths of its chunks, if it has them: many crawlers leave them out."""
    if "chunked" not in header.get("transfer-encoding", "").lower():
        return body
    parts: list[bytes] = []
    at = 0
    while found := BODY_CHUNK.match(body, at):
        size = int(found[1], 16)
        if not size:
            return b"".join(parts)
        parts.append(body[found.end() : found.end() + size])
        at = found.end() + size
        at += 2 if body[at : at + 2] == b"\r\n" else body[at : at + 1] == b"\n"
    return b"".join(parts) if parts and at >= len(body) else body


def unpacked(body: bytes, header: dict[str, str], most: int) -> bytes:
    """Return a body without the compressions that its header names; what is none is ignored, as browsers do."""
    kinds = [kind.strip().lower().removeprefix("x-") for kind in header.get("content-encoding", "").split(",")]
    for kind in reversed([kind for kind in kinds if kind in BODY_COMPRESSIONS]):
        if not body.startswith(BODY_MAGICS.get(kind, b"")) or (kind in ("br", "deflate") and PAGE_START.match(body)):
            continue
        try:
            body = _unpacked(body, kind, most)
        except _Damaged as error:
            raise Unreadable(f"its body cannot be unpacked ({kind}: {error})") from None
        if len(body) > most:
            raise Unreadable(too_large("a page", len(body), most))
    return body


ENDS_EARLY = "it ends before its first byte"


class _Damaged(Exception):  # noqa: N818  (it becomes a reject)
    """A body cannot be unpacked."""


def _unpacked(body: bytes, kind: str, most: int) -> bytes:
    """Return unpacked bytes, little more than `most` of them."""
    if kind == "gzip":
        return _gunzipped(body, most)
    if kind == "deflate":
        for bits in (15, -15):  # the name is used for both
            try:
                return _some(zlib.decompressobj(bits), body, most)
            except zlib.error as error:
                reason = _reason(error)
        raise _Damaged(reason)
    if kind == "zstd":
        import pyarrow as pa

        try:
            with pa.CompressedInputStream(pa.BufferReader(body), "zstd") as stream:
                return bytes(stream.read(most + 1))
        except (OSError, ValueError) as error:
            raise _Damaged(str(error)) from None
    if kind != "br":
        raise _Damaged("no such compression is known")
    brotli = _brotli()
    decoder = brotli.Decompressor()
    try:
        found = decoder.process(body, output_buffer_limit=most + 1)
        while (
            len(found) <= most
            and not decoder.is_finished()
            and (piece := decoder.process(b"", output_buffer_limit=most))
        ):
            found += piece
    except brotli.error as error:
        raise _Damaged(str(error) or "damaged") from None
    if body and not found and not decoder.is_finished():
        raise _Damaged(ENDS_EARLY)
    return bytes(found)


def _gunzipped(body: bytes, most: int) -> bytes:
    """Return the unpacked bytes of all members; what follows them, as zeros or a note, is ignored."""
    parts: list[bytes] = []
    while not parts or (body.startswith(BODY_MAGICS["gzip"]) and most >= 0):
        decoder = zlib.decompressobj(31)
        try:
            parts.append(decoder.decompress(body, most + 1) if parts else _some(decoder, body, most))
        except zlib.error as error:
            raise _Damaged(_reason(error)) from None
        most -= len(parts[-1])
        body = decoder.unused_data
    return b"".join(parts)


def _some(decoder: zlib._Decompress, body: bytes, most: int) -> bytes:
    """Return unpacked bytes, one more than `most` at most: of a body that ends too early, those that it has."""
    found = decoder.decompress(body, most + 1)
    if body and not found and not decoder.eof:
        raise _Damaged(ENDS_EARLY)
    return found


def _reason(error: zlib.error) -> str:
    return str(error).rpartition(": ")[2]


def _brotli() -> Any:
    try:
        return importlib.import_module("brotli")
    except ImportError as error:
        raise ParameterError(
            "expected brotli for a page that is compressed with it, found no such package; install it: pip install "
            "'dedup-text[warc]'"
        ) from error


def decoded(body: bytes, header: dict[str, str]) -> str:
    """Return the characters of a page."""
    charset = HEADER_CHARSET.search(header.get("content-type", ""))
    encoding = encoding_of(body[:4], _known(charset[1]) if charset else None)
    if encoding == UTF8:
        try:
            return body.decode(UTF8).removeprefix("\ufeff")
        except UnicodeDecodeError:
            encoding = declared(body)
    return body.decode(encoding, "replace").removeprefix("\ufeff")


def _known(name: str) -> str | None:
    """Return an encoding that a header names as browsers understand it; None if it is not known."""
    found = known_encoding(name)
    return found and SUPERSETS.get(found, found)

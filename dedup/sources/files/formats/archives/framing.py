"""The records of a WARC file: where each begins and ends, and its header.

A record is a line ``WARC/1.0``, lines of names and values, an empty line, as many bytes as ``Content-Length`` says, and
two line breaks. If that does not hold, the record is damaged, and reading goes on with the next line that begins with
``WARC/1.`` and is followed by such names, also if ``Content-Length`` says more than there is before it. Contents of
more than `SMALLEST` bytes end where such a line is; shorter ones are held, and may have some if they end where a record
does. So the records and their numbers do not depend on the limit of a record. (`fastwarc` ends with an error at a
damaged record, and `warcio` ends as if the file did: this is why neither is used.)

Memory: a record, up to the limit of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from dedup.sources.files.decompress import PIECE, Unpacked
from dedup.sources.files.formats.archives.members import Members
from dedup.sources.files.limits import SMALLEST, too_large
from dedup.sources.files.listing import Entry

__all__ = ["WarcRecord", "open_archive", "records_of"]

WARC_VERSION = b"WARC/"

RECORD_BREAKS = re.compile(rb"[\r\n]*")

TWO_BREAKS = (b"\r\n\r\n", b"\n\n")
"""What is surely the end of a record, whatever follows."""

MOST_BREAKS = 1 << 16
"""Bytes of line breaks after a record that belong to it, at most, and as many before one."""

NEXT_RECORD = re.compile(rb"(?<=\n)WARC/[01]\.[0-9]+\r?\n(?=[A-Za-z-]+:)")
"""How a record begins, where one is looked for."""

HEAD_END = re.compile(rb"\r?\n\r?\n")

MOST_HEAD = 1 << 16
"""Bytes of the header of a record, at most."""

NEXT_RECORD_BYTES = 1 << 8
"""Bytes in which `NEXT_RECORD` surely matches, or does not."""


class WarcRecord(NamedTuple):
    """A record.

    Attributes
    ----------
    offset, size : where it begins in the unpacked bytes, and how many there are, with the line breaks after it
    data : these bytes; of a record that is too large none
    header : names, in small letters, and values
    block : where its contents are in `data`
    wrong : why it cannot be read; "" if it can
    stopped : whether the stream is broken after it, and `wrong` says so. Reading from the end of this record on would
        say it again: no batch ends here
    """

    offset: int
    size: int
    data: bytes
    header: dict[str, str]
    block: slice
    wrong: str = ""
    stopped: bool = False

    @property
    def content(self) -> bytes:
        """Return its contents."""
        return self.data[self.block]


def open_archive(entry: Entry, offset: int = 0, *, places: bool = False) -> Members | Unpacked:
    """Open a file at a place of its unpacked bytes. With `places`, one of gzip knows where its members are."""
    if entry.compression != "gzip":
        file = Unpacked(entry)
        if entry.compression is None:
            file.seek(offset)
        while file.at < offset and file.read(min(PIECE, offset - file.at)):
            pass
        return file
    members = Members(entry.source, places=places)
    while members.at < offset and (members.read(min(PIECE, offset - members.at)) or members.resume()):
        pass
    return members


def records_of(stream: Members | Unpacked, most: int) -> Iterator[WarcRecord]:
    """Yield the records from the place on at which a stream is; damaged ones too, each with the reason."""
    yield from _Records(stream, most)


class _Records:
    """Reads the records of a stream: `_held` are bytes that were read, of which the first is at `_offset`."""

    def __init__(self, stream: Members | Unpacked, most: int) -> None:
        self._stream, self._most = stream, most
        self._held, self._offset = bytearray(), stream.at
        self._told = False  # whether a record was returned with the reason why the stream is broken

    def __iter__(self) -> Iterator[WarcRecord]:
        while True:
            if self._fill(1):
                yield self._next()
                continue
            if self._stream.broken is None:
                return
            if not self._told:
                yield self._taken(0, wrong=self._why(self._stream.broken))
            if not isinstance(self._stream, Members) or not self._stream.resume():
                return
            self._told = False

    def _why(self, otherwise: str) -> str:
        """Return why a record cannot be read: since the stream is broken, or otherwise."""
        self._told = self._stream.broken is not None
        return self._stream.broken or otherwise

    def _fill(self, size: int) -> bool:
        """Read until `size` bytes are held; return whether they are."""
        while len(self._held) < size:
            piece = self._stream.read(PIECE)
            if not piece:
                return False
            self._held += piece
        return True

    def _taken(self, size: int, header: dict[str, str] | None = None, block: int = 0, wrong: str = "") -> WarcRecord:
        """Take bytes, and return them as a record."""
        data = bytes(memoryview(self._held)[:size])
        del self._held[:size]
        found = WarcRecord(self._offset, size, data, header or {}, slice(block, None), wrong, self._told)
        self._offset += size
        return found

    def _next(self) -> WarcRecord:
        before = self._blank(0)
        if self._held[before : before + len(WARC_VERSION)] != WARC_VERSION:
            return self._until_next(before + 1, "expected a record, which begins with WARC/")
        end = HEAD_END.search(self._held, before)
        while end is None and len(self._held) - before < MOST_HEAD and self._fill(len(self._held) + 1):
            end = HEAD_END.search(self._held, before)
        if end is None or end.end() - before > MOST_HEAD:
            what = "the end of the file" if end is None and len(self._held) - before < MOST_HEAD else "more bytes"
            return self._until_next(
                before + 1, f"expected the end of its header within {MOST_HEAD:,} bytes, found {what}"
            )
        if (found := self._begun(before + 1, end.end())) >= 0:
            return self._until_next(found, "expected the end of its header, found another record")
        header = header_of(bytes(self._held[before : end.start()]))
        given = header.get("content-length", "")
        if not (given.isascii() and given.isdigit() and len(given) < 19):
            wrong = f"expected a number of bytes as its Content-Length, found {given[:40] or 'none'}"
            return self._until_next(end.end(), wrong)
        start, length = end.end(), int(given)
        gone, wrong = self._passed(start, length)
        stop = start + length - gone
        after = stop if wrong else self._blank(stop)
        wrong = wrong or self._end_wrong(length, stop, after)
        if wrong:
            return self._until_next(max(start - gone, 1), wrong, gone)
        if length > self._most:
            return self._sized(after, gone, too_large("a record", length, self._most, so_far=False), header)
        unchecked = isinstance(self._stream, Members) and self._stream.doubtful and after == len(self._held)
        record = self._taken(after, header, start, self._why("") if unchecked else "")
        return record._replace(block=slice(start, stop))

    def _passed(self, start: int, length: int) -> tuple[int, str]:
        """Read the contents of a record that begin at `start`; if they are too large, do not hold them.

        Return how many bytes are not held any more, and why there are not as many as its length says; "" if there are.
        """
        gone, end, seen = 0, start + length, start
        if length <= SMALLEST:
            found = -1 if self._fill(end) else len(self._held)
        else:
            while (found := self._begun(seen, end - gone)) < 0 and len(self._held) < end - gone:
                seen = max(len(self._held) - NEXT_RECORD_BYTES, seen)
                if length > self._most and seen > start:
                    del self._held[: seen - 1]
                    gone, seen = gone + seen - 1, 1
                if not self._fill(len(self._held) + 1):
                    found = len(self._held)
                    break
        if found < 0:
            return gone, ""
        return gone, f"expected {length:,} bytes, as its Content-Length says, found {found + gone - start:,}"

    def _begun(self, start: int, end: int) -> int:
        """Return where the next record begins among the bytes that are held; -1 if none does."""
        if self._held.find(WARC_VERSION, start, end) < 0:
            return -1
        found = NEXT_RECORD.search(self._held, start, end)
        return -1 if found is None else found.start()

    def _end_wrong(self, length: int, stop: int, after: int) -> str:
        """Return why contents cannot end at `stop`, with line breaks up to `after`; "" if they can."""
        wrong = f"expected a line break after {length:,} bytes, as its Content-Length says"
        if not self._fill(after + 1):
            return wrong if after == stop and self._stream.broken is not None else ""
        self._fill(after + len(WARC_VERSION))
        if after > stop and self._held.startswith(WARC_VERSION, after):
            return ""
        if not self._held.startswith(TWO_BREAKS, stop):
            return wrong
        found = -1 if length > SMALLEST else self._begun(stop - length, stop)
        if found < 0:
            return ""
        return f"expected {length:,} bytes, as its Content-Length says, found {found - stop + length:,}"

    def _blank(self, at: int) -> int:
        """Return where the line breaks after a place end, or how far they are looked for."""
        end, most = at, at + MOST_BREAKS
        while end < most and self._fill(end + 1):
            found = RECORD_BREAKS.match(self._held, end, most)
            assert found is not None
            end = found.end()
            if end < len(self._held):
                break
        return end

    def _until_next(self, start: int, wrong: str, size: int = 0) -> WarcRecord:
        """Take the bytes up to the next record; that it is damaged is known up to `start`.

        `size` bytes before them are gone already.
        """
        while True:
            found = self._begun(start, len(self._held))
            if found >= 0:
                return self._sized(found, size, wrong)
            start = max(start, len(self._held) - NEXT_RECORD_BYTES)
            if not self._fill(len(self._held) + 1):
                return self._sized(len(self._held), size, self._why(wrong))
            if len(self._held) > PIECE + NEXT_RECORD_BYTES:  # what surely has no beginning is not held
                gone = start - 1  # the byte before it tells whether a line begins there
                del self._held[:gone]
                size, start = size + gone, 1

    def _sized(self, held: int, before: int, wrong: str, header: dict[str, str] | None = None) -> WarcRecord:
        """Take bytes after others that are gone already."""
        offset = self._offset
        record = self._taken(held, header, wrong=wrong)
        self._offset += before
        return record._replace(offset=offset, size=record.size + before, data=b"")


def header_of(data: bytes) -> dict[str, str]:
    """Return the names, in small letters, and the values of a header without its first line.

    >>> header_of(b"WARC/1.0\\r\\nWARC-Type: response\\r\\nX: a\\r\\n  b")
    {'warc-type': 'response', 'x': 'a b'}
    """
    found: dict[str, str] = {}
    last = ""
    for line in data.decode("utf-8", "replace").split("\n")[1:]:
        name, mark, value = line.partition(":")
        if line[:1] in " \t" and last:
            found[last] = f"{found[last]} {line.strip()}"
        elif mark:
            last = name.strip().lower()
            found.setdefault(last, value.strip())
    return found

"""The bytes of a gzip file of several members, as WARC files are: a record a member.

A damaged member does not end the file: reading goes on with the next member that begins as a WARC record, or that is
damaged too: so each damaged member is told whose first bytes are still those of gzip. What else looks like a member is
within one, as a page that a server had packed. Where each member begins is known, so that members can be copied as they
are.

Cost: that of zlib. Memory: a piece of `MEMBER_STEP` unpacked bytes, and `PIECE` packed ones.
"""

from __future__ import annotations

import re
import zlib
from collections import deque
from types import TracebackType
from typing import Self

from dedup.sources.files.decompress import PIECE

__all__ = ["Members"]

GZIP_MAGIC = b"\x1f\x8b\x08"
GZIP_HEAD = re.compile(rb"\x1f\x8b\x08[\x00-\x1f].{4}[\x00\x02\x04][\x00-\x0d\xff]", re.DOTALL)
"""How a member begins: its flags, time, level and system. By chance, compressed bytes do so once in 100 billion."""
GZIP_HEAD_BYTES = 10

WARC_MAGIC = b"WARC/"
MAGIC_ALIKE = 3
"""Bytes of `WARC_MAGIC` with which a damaged record still begins."""

MEMBER_FED = 1 << 13
"""Bytes that are given to zlib at a time: what it does not need, since its member ends, is copied."""

MEMBER_STEP = 1 << 16
"""Bytes that zlib unpacks at a time. A damaged member is read up to such a step."""

WITH_HEADER = 31
"""zlib's word for a member of gzip, with its header and its check."""

TOO_EARLY = "the gzip stream ends too early"


class Members:
    """The unpacked bytes of a file, opened to be read once; `places` if `packed` will be asked.

    Attributes
    ----------
    at : unpacked bytes that were returned
    broken : why reading stopped within a member; None if it did not. `resume` goes on after it

    Raises `OSError` if the file cannot be opened.
    """

    def __init__(self, source: str, *, places: bool = False) -> None:
        self._file = open(source, "rb", buffering=0)  # noqa: SIM115  (closed with this one)
        self._packed, self._used, self._before, self._begun = b"", 0, 0, 0
        self._places = places
        self._decoder: zlib._Decompress | None = None
        self._found: deque[bytes] = deque()
        self._made = self.at = self._first = 0
        self._starts: dict[int, int] = {}
        self._any = self._ended = False  # whether a member was read to its end, and the file
        self.broken: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def read(self, size: int) -> bytes:
        """Return the next bytes, `size` at most; none at the end, and before a damaged place."""
        if not self._found and not self._unpack():
            return b""
        piece = self._found.popleft()
        if len(piece) > size:
            self._found.appendleft(piece[size:])
            piece = piece[:size]
        self.at += len(piece)
        return piece

    @property
    def doubtful(self) -> int:
        """Return how many bytes there are of a member within which reading stopped; they were not checked."""
        return 0 if self.broken is None else self._made - self._first

    def packed(self, start: int, end: int) -> tuple[int, int] | None:
        """Return where the members begin and end that have the unpacked bytes from `start` to `end` and no others.

        Return None if no members have just these. `end` must not be before what was read. Places before `start` are
        forgotten.
        """
        if not self._found and end == self._made:
            self._unpack()  # so that the next member is known
        found = (
            None if start not in self._starts or end not in self._starts else (self._starts[start], self._starts[end])
        )
        self._starts = {made: place for made, place in self._starts.items() if made >= start}
        return found

    def resume(self) -> bool:
        """Go on after a damaged place; return whether there is a member to go on with."""
        self.broken, self._decoder = None, None
        place = self._begun + 1
        while True:
            self._go(place)
            found = self._packed.find(GZIP_MAGIC, self._used)
            if found >= 0:
                place = self._before + found
                if self._begins_a_record(place):
                    self._go(place)
                    return True
                place += 1
            elif len(self._packed) < PIECE:
                self._packed, self._used, self._ended = b"", 0, True
                return False
            else:
                place = self._before + len(self._packed) - len(GZIP_MAGIC) + 1

    def _go(self, place: int) -> None:
        """Go to a place of the file. The bytes of the first of a member are held."""
        if not 0 <= place - self._before <= len(self._packed) - GZIP_HEAD_BYTES:
            self._file.seek(place)
            self._packed, self._before = self._piece(), place
        self._used = place - self._before

    @property
    def _place(self) -> int:
        """Return the place of the first packed byte that was not used."""
        return self._before + self._used

    def _more(self) -> bool:
        """Return whether there are packed bytes that were not used; read more of them if needed."""
        if self._used == len(self._packed):
            self._before, self._used, self._packed = self._place, 0, self._piece()
        return bool(self._packed)

    def _piece(self) -> bytes:
        """Return the next packed bytes; fewer than `PIECE` only at the end."""
        pieces: list[bytes] = []
        left = PIECE
        while left and (piece := self._file.read(left)):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

    def _begins_a_record(self, place: int) -> bool:
        """Return whether a member begins at a place that is a record, or is damaged so early that nobody knows."""
        self._file.seek(place)
        packed = self._file.read(MEMBER_FED)
        self._file.seek(self._before + len(self._packed))
        if not GZIP_HEAD.match(packed):
            return False
        decoder, data = zlib.decompressobj(WITH_HEADER), b""
        try:
            for at in range(len(packed)):  # byte by byte: an error loses what it had unpacked
                data += decoder.decompress(packed[at : at + 1], len(WARC_MAGIC) - len(data))
                if decoder.eof or len(data) == len(WARC_MAGIC):
                    break
            if len(data) < len(WARC_MAGIC):
                return not decoder.eof  # the file ends within it
            if sum(found == wanted for found, wanted in zip(data, WARC_MAGIC, strict=True)) >= MAGIC_ALIKE:
                return True
            zlib.decompressobj(WITH_HEADER).decompress(packed, MEMBER_STEP)
        except zlib.error:
            return True
        return False

    def _unpack(self) -> bool:
        """Unpack the next bytes; return whether there are any."""
        while not self._found and self.broken is None and not self._ended:
            if not self._more():
                if self._decoder is not None:
                    self.broken = TOO_EARLY
                    return False
                self._ended = True
                self._note()
                return False
            if self._decoder is None:
                if self._any and not self._packed[self._used]:  # padding, as other programs skip it
                    self._used += 1
                    continue
                self._decoder, self._begun = zlib.decompressobj(WITH_HEADER), self._place
                self._first = self._made
                self._note()
            given = self._packed[self._used : self._used + MEMBER_FED]
            try:
                data = self._decoder.decompress(given, MEMBER_STEP)
            except zlib.error as error:
                self.broken = f"the gzip stream is damaged ({str(error).rpartition(': ')[2]})"
                return False
            left = self._decoder.unused_data if self._decoder.eof else self._decoder.unconsumed_tail
            self._used += len(given) - len(left)
            if self._decoder.eof:
                self._decoder, self._any = None, True
            if data:
                self._made += len(data)
                self._found.append(data)
        return bool(self._found)

    def _note(self) -> None:
        """Note where a member begins."""
        if self._places:
            self._starts[self._made] = self._place

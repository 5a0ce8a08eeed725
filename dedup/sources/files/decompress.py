"""The decompressed bytes of a file, from its beginning, text as UTF-8; and runs of complete lines.

If a compressed file ends too early or is damaged, its readable part is returned: reading stops there, and
`Stream.broken` has the reason. The readable part does not depend on how it is read.

Memory: one piece of `PIECE` bytes and, for `line_runs`, one run: about a megabyte, or twice the longest line.
"""

from __future__ import annotations

import io
import lzma
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import IO, NamedTuple, Self, cast

from dedup.sources.files.batch import BATCH_BYTES
from dedup.sources.files.encodings import UTF8, Decoding, encoding_of
from dedup.sources.files.listing import Entry

__all__ = ["Run", "Stream", "Unpacked", "line_runs", "seekable"]

PIECE = 1 << 20
"""Bytes that are read from a compressed file at a time. Curve: `benchmarks.tuning.decompress_piece`; flat from 2^14 to
2^22 on generated:5000 (two cores, 2026-11)."""

BEYOND = 1 << 16
"""Bytes that are read after the size that a run aims at, so that most lines end within them. Curve:
`benchmarks.tuning.decompress_beyond`; flat from 2^12 to 2^16 on generated:5000, where 2^18 takes 1.22 times as long
(two cores, 2026-11)."""

LONGEST_MARK = 4
"""Bytes of the longest byte order mark."""

FINE = 1 << 12
"""Bytes that are read at a time near the end of the readable part, before single bytes are read."""


class Unpacked:
    """The decompressed bytes of a file, opened to be read once, from its beginning.

    ``broken`` is None, or why reading stopped before the end. Raises `OSError` if the file cannot be opened.
    """

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self.broken: str | None = None
        self.at = 0
        self._file = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def seek(self, offset: int) -> None:
        """Continue at a place of a file that is not compressed."""
        self._file.seek(offset)
        self.at = offset

    def _open(self) -> IO[bytes]:
        source, compression = self._entry.source, self._entry.compression
        if compression is None:
            return open(source, "rb", buffering=0)
        if compression == "xz":
            return cast("IO[bytes]", _Xz(source))
        import pyarrow as pa

        return pa.CompressedInputStream(source, compression)  # type: ignore[no-any-return]

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes; fewer only at the end."""
        if self.broken is not None:
            return b""
        try:
            data = self._whole(size) if self._entry.compression in (None, "xz") else self._file.read(size)
        except OSError as error:
            data = self._readable(size)
            self.broken = _why(error, self._entry)
        self.at += len(data)
        return data

    def read_into(self, view: memoryview) -> int:
        """Fill `view` with the bytes of one read, and return their number; 0 only at the end."""
        if self.broken is not None:
            return 0
        if self._entry.compression == "xz":
            data = self.read(len(view))
            view[: len(data)] = data
            return len(data)
        try:
            count: int = self._file.readinto(view)  # type: ignore[attr-defined]  # which files and Arrow's streams have
        except OSError as error:
            data = b"" if self._entry.compression is None else self._readable(len(view))
            view[: len(data)] = data
            self.broken, count = _why(error, self._entry), len(data)
        self.at += count
        return count

    def _whole(self, size: int) -> bytes:
        """Read `size` bytes from a file whose reads may return less than requested."""
        read: Callable[[int], bytes] = getattr(self._file, "read1", self._file.read)
        pieces: list[bytes] = []
        while size > 0:
            try:
                piece = read(size)
            except (EOFError, lzma.LZMAError, OSError) as error:
                self.broken = _why(error, self._entry)
                break
            if not piece:
                break
            pieces.append(piece)
            size -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _readable(self, size: int) -> bytes:
        """Return the readable bytes after a read of `size` failed: such a read loses the bytes that it had."""
        pieces: list[bytes] = []
        done = 0
        for step in (FINE, 1):
            self._file.close()
            self._file = self._open()
            try:
                left = self.at + done
                while left:
                    left -= len(self._file.read(min(PIECE, left)))
                while done < size:
                    piece = self._file.read(min(step, size - done))
                    if not piece:
                        break
                    pieces.append(piece)
                    done += len(piece)
            except OSError:
                continue
        return b"".join(pieces)


class Stream:
    """The text of a file in UTF-8, opened to be read once, starting at `offset` (bytes of this stream).

    Attributes
    ----------
    encoding : the encoding of the file
    at : where reading is, in bytes of UTF-8
    most : the limit of one record, in bytes

    Raises `OSError` if the file cannot be opened.
    """

    def __init__(self, entry: Entry, offset: int = 0) -> None:
        self.at, self.most = 0, entry.most
        self._raw = Unpacked(entry)
        self._head = self._raw.read(LONGEST_MARK)
        self.encoding = encoding_of(self._head, entry.encoding)
        self._decoding = None if self.encoding == UTF8 else Decoding(self.encoding)
        if self._decoding is not None:
            self._head = self._decoding.decode(self._head)
        elif entry.compression is None:
            self._raw.seek(offset)
            self._head, self.at = b"", offset
        while self.at < offset and self.read(min(PIECE, offset - self.at)):
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._raw.__exit__(kind, error, trace)

    @property
    def broken(self) -> str | None:
        """Return why reading stopped before the end; None if it did not."""
        return self._raw.broken

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes; fewer only at the end."""
        if self._decoding is not None:
            self._decode(size)
        data, self._head = self._head[:size], self._head[size:]
        if self._decoding is None and len(data) < size:
            data += self._raw.read(size - len(data))
        self.at += len(data)
        return data

    def read_into(self, view: memoryview) -> int:
        """Fill `view` with the bytes of one read, and return their number; 0 only at the end."""
        if self._decoding is None and not self._head:
            count = self._raw.read_into(view)
            self.at += count
            return count
        data = self.read(len(view) if self._decoding is not None else len(self._head))
        view[: len(data)] = data
        return len(data)

    def _decode(self, size: int) -> None:
        """Decode until `size` bytes are there, or all."""
        assert self._decoding is not None
        pieces = [self._head]
        have = len(self._head)
        while have < size:
            piece = self._raw.read(PIECE)
            last = len(piece) < PIECE and self._raw.broken is None
            decoded = self._decoding.decode(piece, last=last)
            pieces.append(decoded)
            have += len(decoded)
            if not piece:
                break
        self._head = b"".join(pieces)


def seekable(entry: Entry) -> bool:
    """Return whether a text file can be read from any place, or only from its beginning."""
    if entry.compression is not None or entry.encoding is not None:
        return False
    try:
        with Unpacked(entry) as raw:
            return encoding_of(raw.read(LONGEST_MARK), None) == UTF8
    except OSError:  # reading the file says so again
        return True


def _rest_of_line(stream: Stream, size: int) -> tuple[int, bytes]:
    """Read to the end of a line, or of the stream; return its length, and the bytes that were read after it."""
    length = 0
    while piece := stream.read(size):
        place = piece.find(b"\n")
        if place >= 0:
            return length + place + 1, piece[place + 1 :]
        length += len(piece)
    return length, b""


class _Xz(io.RawIOBase):
    """An xz file, of one or more streams, each followed by any zeros; anything else raises `lzma.LZMAError`.

    Python's own class silently skips what it cannot read after the first stream.
    """

    def __init__(self, source: str) -> None:
        super().__init__()
        self._file = open(source, "rb", buffering=0)  # noqa: SIM115  (closed with this one)
        self._decoder = lzma.LZMADecompressor()

    def close(self) -> None:
        self._file.close()
        super().close()

    def readable(self) -> bool:
        return True

    def read1(self, size: int) -> bytes:
        """Return at most `size` bytes; none only at the end."""
        while True:
            given = b""
            if self._decoder.eof:
                given = self._decoder.unused_data.lstrip(b"\0")
                while not given:
                    piece = self._file.read(PIECE)
                    if not piece:
                        return b""
                    given = piece.lstrip(b"\0")
                self._decoder = lzma.LZMADecompressor()
            elif self._decoder.needs_input:
                given = self._file.read(PIECE)
                if not given:
                    raise EOFError
            if data := self._decoder.decompress(given, size):
                return data


def _why(error: Exception, entry: Entry) -> str:
    name = entry.compression or "file"
    if isinstance(error, EOFError) or "Truncated" in str(error):
        return f"the {name} stream ends too early; the part before it was read"
    return f"the {name} stream cannot be read on ({error}); the part before it was read"


class Run(NamedTuple):
    """Complete lines: where they begin, and their bytes, which are valid until the next run is requested.

    Or one line that is too large: its length, and no bytes.
    """

    offset: int
    data: memoryview
    skipped: int = 0


def line_runs(stream: Stream, size: int = BATCH_BYTES) -> Iterator[Run]:
    """Yield complete lines, in runs of about `size` bytes; the last line may lack its line break.

    A line that a broken stream cuts off is not yielded: it begins where the last run ends. Of a line that is larger
    than the limit of a record, no more than the limit is held.
    """
    offset, filled, seen = stream.at, 0, 0
    most = max(stream.most + 1, size + BEYOND)
    buffer = bytearray(size + BEYOND)
    while True:
        place = buffer.find(b"\n", max(size - 1, seen), filled)
        if place >= 0:
            yield Run(offset, memoryview(buffer)[: place + 1].toreadonly())
            rest = filled - place - 1
            buffer[:rest] = buffer[place + 1 : filled]
            offset, filled, seen = offset + place + 1, rest, 0
            continue
        seen = filled
        if filled == len(buffer) == most:
            cut = buffer.rfind(b"\n", 0, filled) + 1
            if cut:
                yield Run(offset, memoryview(buffer)[:cut].toreadonly())
                buffer[: filled - cut] = buffer[cut:filled]
                offset, filled, seen = offset + cut, filled - cut, 0
                continue
            rest, left = _rest_of_line(stream, size)
            if stream.broken is not None and not left:
                break
            yield Run(offset, memoryview(b""), filled + rest)
            offset, filled, seen = offset + filled + rest, len(left), 0
            buffer[:filled] = left
            continue
        if filled == len(buffer):  # a long line; the old buffer may still be in use
            buffer = buffer + bytes(min(len(buffer), most - len(buffer)))
        count = stream.read_into(memoryview(buffer)[filled:])
        filled += count
        if not count:
            break
    if stream.broken is not None:
        filled = buffer.rfind(b"\n", 0, filled) + 1
    if filled:
        yield Run(offset, memoryview(buffer)[:filled].toreadonly())

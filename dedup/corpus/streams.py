"""The bytes of a file, decompressed, from its beginning; and runs of whole lines of them.

A compressed file that ends too early, or is damaged, gives its readable part: reading stops there, and `Stream.broken`
says why. What is readable does not depend on how it is read.

Memory: one piece of `PIECE` bytes and, for `line_runs`, one run: about `BATCH_BYTES`, or the longest line.
"""

from __future__ import annotations

import lzma
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

from dedup.corpus.batch import BATCH_BYTES
from dedup.corpus.listing import Entry

__all__ = ["Run", "Stream", "line_runs", "next_line"]

PIECE = 1 << 20
FINE = 1 << 12
"""Bytes that are read at a time near the end of the readable part, before they are read one by one."""


class Stream:
    """A file opened to be read once, from `offset` (bytes of the decompressed stream) on.

    ``broken`` is None, or why reading stopped before the end. Raises `OSError` where the file cannot be opened.
    """

    def __init__(self, entry: Entry, offset: int = 0) -> None:
        self._entry = entry
        self.broken: str | None = None
        self.at = 0
        self._file = self._open()
        if entry.compression is None:
            self._file.seek(offset)
            self.at = offset
        while self.at < offset and self.read(min(PIECE, offset - self.at)):
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _open(self) -> IO[bytes]:
        source, compression = self._entry.source, self._entry.compression
        if compression is None:
            return open(source, "rb", buffering=0)
        if compression == "xz":
            return lzma.open(source)
        import pyarrow as pa

        return pa.CompressedInputStream(source, compression)  # type: ignore[no-any-return]

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes; fewer at the end alone."""
        if self.broken is not None:
            return b""
        try:
            data = self._whole(size) if self._entry.compression in (None, "xz") else self._file.read(size)
        except OSError as error:
            data = self._readable(size)
            self.broken = _why(error, self._entry)
        self.at += len(data)
        return data

    def _whole(self, size: int) -> bytes:
        """Read from a file that gives what it has, be it less than is asked for."""
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
        """Return what can be read where a read of `size` failed: such a read gives nothing of what it had."""
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


def _why(error: Exception, entry: Entry) -> str:
    name = entry.compression or "file"
    if isinstance(error, EOFError) or "Truncated" in str(error):
        return f"the {name} stream ends too early; what stands before was read"
    return f"the {name} stream cannot be read on ({error}); what stands before was read"


class Run(NamedTuple):
    """Whole lines: their bytes, and where they begin. The last of a broken stream holds the end of no line."""

    offset: int
    data: bytes


Cut = Callable[[Any, int], int]


def line_runs(stream: Stream) -> Iterator[Run]:
    """Yield whole lines, as few as make `BATCH_BYTES`; the last may lack its line break.

    A line that a broken stream cuts off is not yielded: it begins at ``offset + len(data)`` of the last run.
    """
    offset, pieces, size = stream.at, [], 0
    while piece := stream.read(PIECE):
        pieces.append(piece)
        size += len(piece)
        if size < BATCH_BYTES:
            continue
        end = piece.find(b"\n", max(BATCH_BYTES - 1 - (size - len(piece)), 0))
        if end < 0:
            continue
        data = b"".join(pieces)
        while True:
            cut = next_line(data, BATCH_BYTES - 1)
            if not cut:
                break
            yield Run(offset, data[:cut])
            offset += cut
            data = data[cut:]
        pieces, size = [data] if data else [], len(data)
    data = b"".join(pieces)
    if stream.broken is not None:
        data = data[: data.rfind(b"\n") + 1]
    if data:
        yield Run(offset, data)


def next_line(data: bytes, start: int) -> int:
    """Return where the line ends that holds byte `start`, behind its line break; 0 where it does not end."""
    return data.find(b"\n", start) + 1

"""The values of JSON in a stream, in runs of complete ones: the elements of an array, or values one after another.

`dedup.kernels.json_values` defines where a value ends. A value that the end of the stream cuts off is not yielded.

Memory: one run, about a megabyte, or twice the longest value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.sources.files.decompress import PIECE, Stream
from dedup.sources.files.formats.sniffing import BYTE_ORDER_MARK

__all__ = ["BLANKS", "Opening", "ValueRun", "Values", "opening_of"]

BLANKS = b" \t\r\n"
"""White space of JSON."""

ARRAY_START, OBJECT_START = b"[", b"{"


class Opening(NamedTuple):
    """How a file begins: the first byte that is not white space (b"" if there is none), and the bytes before it."""

    mark: bytes
    before: int

    @property
    def array(self) -> bool:
        """Return whether the file is an array."""
        return self.mark == ARRAY_START

    @property
    def known(self) -> bool:
        """Return whether the file is an array, or begins with an object."""
        return self.mark in (ARRAY_START, OBJECT_START)

    @property
    def values(self) -> int:
        """Return where the first value begins: after the bracket of an array."""
        return self.before + self.array


def opening_of(stream: Stream) -> Opening:
    """Return how a stream begins, read from its beginning; a byte order mark is skipped."""
    before = 0
    while piece := stream.read(PIECE):
        rest = piece.removeprefix(BYTE_ORDER_MARK) if before == 0 else piece
        filled = rest.lstrip(BLANKS)
        before += len(piece) - len(filled)
        if filled:
            return Opening(filled[:1], before)
    return Opening(b"", before)


class ValueRun(NamedTuple):
    """Complete values: where they begin, their bytes, and where each ends, with its comma or bracket.

    Or one value that is too large: its length, and no bytes.
    """

    offset: int
    data: bytes
    ends: npt.NDArray[np.int64]
    skipped: int = 0

    def contents(self, *, array: bool) -> tuple[list[bytes], npt.NDArray[np.int64]]:
        """Return the values without commas, the bracket of the array, and white space around them; and their places."""
        data, mark, start = self.data, int(array), 0
        values: list[bytes] = []
        places = np.empty(len(self.ends), dtype=np.int64)
        for i, end in enumerate(self.ends.tolist()):
            value = data[start : end - mark].lstrip(BLANKS)
            places[i] = end - mark - len(value)
            values.append(value.rstrip(BLANKS))
            start = end
        return values, places


class Values:
    """The values of a stream, from where it is: a value begins there.

    Attributes
    ----------
    closed : whether the bracket was found that closes the array
    rest : after the last run, the bytes that were read after it: of a value that is cut off, or what follows the array
    """

    def __init__(self, stream: Stream, *, array: bool, closed: bool = False) -> None:
        self._stream, self.array, self.closed, self.rest = stream, array, closed, b""

    def runs(self, least: int) -> Iterator[ValueRun]:
        """Yield the values, in runs of at least `least` bytes, as few values as possible."""
        offset, size, skipped = self._stream.at, 0, 0
        none = ends = np.empty(0, dtype=np.int64)
        pieces: list[bytes] = []
        for piece, found in self._scanned():
            if skipped:
                cut = int(found[0]) if len(found) else len(piece)
                skipped += cut
                if not len(found):
                    continue
                yield ValueRun(offset, b"", none, skipped)
                offset, skipped = offset + skipped, 0
                piece, found = piece[cut:], found[1:] - cut
            ends = np.concatenate((ends, found + size))
            pieces.append(piece)
            size += len(piece)
            done = int(ends[-1]) if len(ends) else 0
            if size - done > self._stream.most:
                if done:
                    yield ValueRun(offset, b"".join(pieces)[:done], ends)
                offset, skipped = offset + done, size - done
                pieces, size, ends = [], 0, none
                continue
            if done < least:
                continue
            data, done, first = b"".join(pieces), 0, 0
            while (place := int(np.searchsorted(ends, done + least))) < len(ends):
                cut = int(ends[place])
                yield ValueRun(offset + done, data[done:cut], ends[first : place + 1] - done)
                done, first = cut, place + 1
            pieces, size = [data[done:]], len(data) - done
            ends = ends[first:] - done
            offset += done
        if skipped and self._stream.broken is None:
            yield ValueRun(offset, b"", none, skipped)
        data = b"".join(pieces)
        done = int(ends[-1]) if len(ends) else 0
        if done:
            yield ValueRun(offset, data[:done], ends)
        self.rest = data[done:] + self.rest

    def _scanned(self) -> Iterator[tuple[bytes, npt.NDArray[np.int64]]]:
        """Yield pieces of the stream up to the end of the array, each with the places where values end in it."""
        from dedup.kernels.json_values import value_ends

        base = depth = int(self.array)
        state = 0
        while not self.closed and (piece := self._stream.read(PIECE)):
            marks = piece.count(b",") + 1 if self.array else piece.count(b"}") + piece.count(b"]")
            found = np.empty(marks + 1, dtype=np.int64)
            count, depth, state, seen = value_ends(np.frombuffer(piece, dtype=np.uint8), base, depth, state, found)
            self.closed = self.array and depth == 0
            self.rest = piece[seen:]
            yield piece[:seen], found[:count]

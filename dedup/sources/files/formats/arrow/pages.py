"""The pages of a column of a Parquet file, from their headers: the size of each before any of it is unpacked.

A page begins with a `PageHeader` in Thrift's compact protocol. Its fields are 1 the type (0 and 3: data, 2: a
dictionary), 2 the unpacked size, 3 the packed size, then a struct for its type, whose field 1 is the number of values.
All other fields are skipped. A header that cannot be read ends the list: the reader reports the damage.

Cost: a small read and some steps of Python per page, which usually is a megabyte.

References: parquet-format, parquet.thrift; Thrift, its "Thrift compact protocol encoding".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, NamedTuple

__all__ = ["Page", "pages_of"]

HEADER_BYTES = 1 << 12
"""Bytes of a header that are read first; statistics can make it longer."""

MAX_HEADER_BYTES = 1 << 22
MAX_DEPTH = 8
"""Bytes of a header, and depth of its structs, at most."""


class Page(NamedTuple):
    """A page: its unpacked bytes, its number of values, and whether it is a dictionary."""

    size: int
    values: int
    dictionary: bool


def pages_of(file: IO[bytes], start: int, length: int) -> Iterator[Page]:
    """Yield the pages of the column that begins at `start` of a file and has `length` bytes."""
    end = start + length
    while start < end:
        found = _header(file, start)
        if found is None:
            return
        page, size = found
        yield page
        start += size


def _header(file: IO[bytes], start: int) -> tuple[Page, int] | None:
    """Return a page and its length in the file; None if no header can be read."""
    size = HEADER_BYTES
    while size <= MAX_HEADER_BYTES:
        file.seek(start)
        data = file.read(size)
        reader = _Compact(data)
        try:
            fields = reader.struct(0)
            kind, unpacked, packed = (fields[number] for number in (1, 2, 3))
            inner = next((fields[number] for number in (5, 7, 8) if number in fields), {})
        except IndexError:
            if len(data) < size:
                return None
            size *= 8
            continue
        except (ValueError, KeyError):
            return None
        if not (isinstance(unpacked, int) and isinstance(packed, int) and unpacked >= 0 and packed >= 0):
            return None
        values = inner.get(1, 0) if isinstance(inner, dict) else 0
        return Page(unpacked, values if isinstance(values, int) else 0, kind == 2), reader.at + packed
    return None


class _Compact:
    """A reader of a struct in the compact protocol. It returns numbers and structs, and skips the rest."""

    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 0

    def struct(self, depth: int) -> dict[int, object]:
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")
        fields: dict[int, object] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._zigzag()
            fields[number] = self._value(head & 15, depth)
        return fields

    def _byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("not a number")

    def _zigzag(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)

    def _value(self, kind: int, depth: int) -> object:
        if kind in (1, 2):  # true and false have no value after the head
            return None
        if kind == 3:
            return self._byte()
        if kind in (4, 5, 6):
            return self._zigzag()
        if kind == 12:
            return self.struct(depth + 1)
        if kind == 7:
            self.at += 8
        elif kind == 8:
            size = self._varint()
            self.at += size
        elif kind in (9, 10):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._varint()
            for _ in range(count):
                self._value(head & 15, depth + 1)
                if self.at > len(self._data):
                    break
        else:
            raise ValueError("of an unknown kind")
        if self.at > len(self._data):
            raise IndexError
        return None

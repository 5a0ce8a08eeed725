"""The messages of Arrow IPC: how the buffers of a record batch are packed, and how large they are once unpacked.

A message is a flatbuffer (`Message.fbs`). Field 2 of its root is the record batch; for a dictionary, field 1 of it is.
Field 2 of a record batch lists the buffers (offset and length in the body, 8 bytes each), and field 3 names the codec.
A packed buffer begins with its unpacked length, or -1 if it is not packed.

Cost: a read of the first bytes of each buffer.
"""

from __future__ import annotations

import struct
from typing import Any

__all__ = ["codec_of", "unpacked_sizes"]

CODECS = ("lz4", "zstd")
"""Codecs of the buffers of a record batch, by their numbers in the format."""


class _Table:
    """A table of a flatbuffer. Raises `struct.error` or `IndexError` if it points beyond the message."""

    def __init__(self, data: memoryview, at: int) -> None:
        self.data, self.at = data, at

    @classmethod
    def root(cls, data: memoryview) -> _Table:
        """Return the table at the root."""
        return cls(data, _follow(data, 0))

    def place(self, number: int) -> int:
        """Return where a field is; 0 if it does not exist."""
        slots = self.at - struct.unpack_from("<i", self.data, self.at)[0]
        size, place = struct.unpack_from("<H", self.data, slots)[0], 4 + 2 * number
        away = struct.unpack_from("<H", self.data, slots + place)[0] if place < size else 0
        return int(self.at + away) if away else 0

    def table(self, number: int) -> _Table | None:
        """Return the table of a field."""
        place = self.place(number)
        return _Table(self.data, _follow(self.data, place)) if place else None


def _follow(data: memoryview, at: int) -> int:
    return at + int(struct.unpack_from("<I", data, at)[0])


def codec_of(message: memoryview) -> str | None:
    """Return the codec that the flatbuffer of a record batch names; None if the buffers are not packed."""
    header = _Table.root(message).table(2)
    compression = None if header is None else header.table(3)
    if compression is None:
        return None
    codec = compression.place(0)
    return CODECS[message[codec] if codec else 0]


def unpacked_sizes(file: Any, start: int) -> list[int]:
    """Return, for each record batch and dictionary, the unpacked size of its packed buffers, in bytes.

    `file` is an Arrow file whose messages begin at `start`. The list ends at damage, which the reader reports.
    """
    import pyarrow as pa

    sizes: list[int] = []
    file.seek(start)
    try:
        messages = pa.ipc.MessageReader.open_stream(file)
        while True:
            message = messages.read_next_message()
            if message.type in ("record batch", "dictionary"):
                sizes.append(_unpacked_size(message))
    except (StopIteration, struct.error, IndexError, ValueError, OSError):
        return sizes


def _unpacked_size(message: Any) -> int:
    data, body = memoryview(message.metadata), memoryview(message.body)
    header = _Table.root(data).table(2)
    batch = header.table(1) if header is not None and message.type == "dictionary" else header
    if batch is None or batch.table(3) is None or not batch.place(2):
        return 0
    at = _follow(data, batch.place(2))
    total = 0
    for i in range(struct.unpack_from("<I", data, at)[0]):
        offset, length = struct.unpack_from("<qq", data, at + 4 + 16 * i)
        if length >= 8:
            total += max(int(struct.unpack_from("<q", body, offset)[0]), 0)
    return total

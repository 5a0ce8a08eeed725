"""A file that only grows: bytes are appended, and count once the owner has synced the file and written its length.

What was appended after the last length that counts is cut off when the file is opened again.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import Any

from dedup.errors import StorageError
from dedup.storage.atomic import before, storage_errors

__all__ = ["AppendedFile", "write_at"]

BUFFERED = 1 << 20
"""Bytes that are collected before they are written."""


class AppendedFile:
    """A file of `size` bytes to which bytes are appended."""

    def __init__(self, path: Path, size: int) -> None:
        """Open the file and cut it to `size` bytes; a size of 0 makes it. Raises `StorageError` if it is shorter."""
        self.path, self.size = path, size
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        with storage_errors(f"open {path}", missing="restore it from a copy" if size else ""):
            flags = os.O_RDWR | (0 if size else os.O_CREAT) | getattr(os, "O_BINARY", 0)
            self._handle = os.open(path, flags, 0o666)
        try:
            with storage_errors(f"open {path}"):
                found = os.fstat(self._handle).st_size
                if found > size:
                    os.ftruncate(self._handle, size)
            if found < size:
                raise StorageError(
                    f"expected {size:,} bytes in {path}, found {found:,}: the file was cut; restore it from a copy"
                )
        except BaseException:
            self.close()
            raise

    def append(self, data: Any) -> None:
        """Append the bytes of an array or of a bytes object. Few are written later, many at once, without a copy.

        If the system refuses, nothing more may be appended: a part of the bytes may be missing.
        """
        piece = memoryview(data).cast("B")
        self.size += len(piece)
        if len(piece) >= BUFFERED:
            self.write(ahead=len(piece))
            write_at(self._handle, self.path, piece, self.size - len(piece))
            return
        self._waiting.append(bytes(piece))
        self._waiting_bytes += len(piece)
        if self._waiting_bytes >= BUFFERED:
            self.write()

    def write(self, *, ahead: int = 0) -> None:
        """Write what was appended, but for the last `ahead` bytes.

        If the system refuses, what was written of it is not there for the next opening.
        """
        if not self._waiting_bytes:
            return
        at = self.size - ahead - self._waiting_bytes
        write_at(self._handle, self.path, memoryview(b"".join(self._waiting)), at)
        self._waiting, self._waiting_bytes = [], 0

    def sync(self) -> None:
        """Write what was appended, and sync the file to disk."""
        self.write()
        with storage_errors(f"write {self.path}"):
            before("fsync", self.path)
            os.fsync(self._handle)

    def close(self) -> None:
        """Close the file. What was appended but not written is lost."""
        with contextlib.suppress(OSError):
            os.close(self._handle)


def write_at(handle: int, path: Path, data: memoryview, at: int) -> None:
    """Write bytes at a place of an open file. Raises `StorageError` if the system refuses; some may be written then."""
    with storage_errors(f"write {path}"):
        while data:
            allowed = before("write", path, len(data))
            taken = _write(handle, data[:allowed], at) if allowed else 0
            if not taken:  # the system may take only a part; if it takes nothing, the disk is full
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            data, at = data[taken:], at + taken


def _write(handle: int, data: memoryview, at: int) -> int:
    if hasattr(os, "pwrite"):
        return os.pwrite(handle, data, at)
    os.lseek(handle, at, os.SEEK_SET)
    return os.write(handle, data)

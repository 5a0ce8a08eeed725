"""Files that are complete or not there: written under a temporary name, synced, renamed; then the folder is synced.

If the system refuses (a full disk, a read-only folder), the error is a `StorageError` that says what was being done.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import xxhash

from dedup.errors import StorageError

__all__ = [
    "TEMPORARY",
    "Written",
    "before",
    "plain_name",
    "storage_errors",
    "sync_file",
    "sync_folder",
    "write_atomically",
]

TEMPORARY = ".tmp"
"""Suffix of a file that is being written."""

hook: Callable[[str, Path, int], int | None] | None = None
"""A hook for tests, called before each act: ("write", path, bytes), ("fsync", path, 0), ("rename", path, 0).

It may raise the error that the system would raise. A number that it returns for a write is how many bytes are written.
"""


def before(act: str, path: Path, size: int = 0) -> int:
    """Call the hook before an act; return how many bytes may be written."""
    allowed = hook(act, path, size) if hook is not None else None
    return size if allowed is None else allowed


class Written(NamedTuple):
    """A file that was written: its length in bytes and its xxh3-128 as hexadecimal digits."""

    bytes: int
    xxh3: str


class _Sink(io.RawIOBase):
    """A file that is written from start to end, through the hook. It counts and hashes its bytes."""

    def __init__(self, path: Path, handle: int) -> None:
        super().__init__()
        self._path, self._handle = path, handle
        self.size, self.hash = 0, xxhash.xxh3_128()

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        self.hash.update(rest)
        total = len(rest)
        while rest:  # the system may take only a part; if it takes nothing, the disk is full
            allowed = before("write", self._path, len(rest))
            taken = os.write(self._handle, rest[:allowed]) if allowed else 0
            if not taken:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
            rest = rest[taken:]
        self.size += total
        return total


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> Written:
    """Write the file `path` completely or not at all: `write` gets a binary file to write from start to end.

    The bytes are written to a temporary file in the same folder and synced. The file is renamed to `path` and the
    folder is synced. So after the return the file survives a crash of the machine. On any error the temporary file is
    removed, and an earlier file at `path` is unchanged. Raises `StorageError` if the system refuses.
    """
    path = Path(path)
    temporary = path.with_name(path.name + TEMPORARY)
    with storage_errors(f"write {path}"):
        try:
            temporary.unlink(missing_ok=True)  # left by a killed run; if it is a link, the link is removed
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
            try:
                sink = _Sink(temporary, handle)
                write(cast("IO[bytes]", sink))
                before("fsync", temporary)
                os.fsync(handle)
            finally:
                os.close(handle)
            before("rename", path)
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    return Written(sink.size, sink.hash.hexdigest())


def plain_name(name: object) -> bool:
    """Return whether a value from an untrusted file is the plain name of a file in a folder, without a path."""
    return isinstance(name, str) and name not in ("", ".", "..") and not any(letter in name for letter in "/\\:\0")


def sync_file(path: Path) -> None:
    """Sync a file that was written and closed. Raises `StorageError` if the system refuses."""
    with storage_errors(f"write {path}"):
        before("fsync", path)
        handle = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder to disk. Windows cannot open folders and needs no sync."""
    if os.name == "nt":
        return
    before("fsync", folder)
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


STORAGE_ADVICE = {
    errno.ENOSPC: "free some space on the disk, and run the same command again",
    errno.EDQUOT: "free some of your quota, and run the same command again",
    errno.EROFS: "choose a place that can be written to",
    errno.EACCES: "choose a place that can be written to",
    errno.EPERM: "choose a place that can be written to",
    errno.EIO: "the disk failed; run the same command again, on another disk if it fails again",
    errno.ENOENT: "something removed it during the run; run the same command again",
    errno.ENOTDIR: "there is a file of that name: choose another name",
    errno.EEXIST: "there is a file of that name: choose another name",
    errno.ENAMETOOLONG: "choose a shorter name",
}
"""What to do, by the number of the system's error."""


@contextlib.contextmanager
def storage_errors(doing: str, *, begun: bool = True, missing: str = "") -> Iterator[None]:
    """Turn an `OSError` into a `StorageError` that says what could not be done and what to do.

    `begun` is whether something was written already. If not, a missing file cannot have been removed by somebody, so
    the advice is to choose another place. `missing` is other advice about a missing file.
    """
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        number = errno.EACCES if error.errno == errno.ENOENT and not begun else error.errno
        advice = STORAGE_ADVICE.get(number or 0, "run the same command again when the cause is removed")
        if error.errno == errno.ENOENT and missing:
            advice = missing
        stored = StorageError(f"expected to {doing}, found: {error.strerror or error}; {advice}")
        if not doing.startswith("read "):
            stored.errno = error.errno  # the output cannot be written: the command has an exit code for that
        raise stored from error

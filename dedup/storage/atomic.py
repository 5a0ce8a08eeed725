"""Files that are whole or not there: written under a temporary name, synced, renamed, and their folder synced.

What the system refuses (a full disk, a read-only folder) becomes a `StorageError` that says what was being done.
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

__all__ = ["TEMPORARY", "Written", "plain_name", "storage_errors", "sync_folder", "write_atomically"]

TEMPORARY = ".tmp"

hook: Callable[[str, Path, int], int | None] | None = None
"""A seam for tests: called with ("write", path, bytes), ("fsync", path, 0) and ("rename", path, 0) before each act.

What it raises stands for what the system would have raised; a number returned for a write is how many bytes go through.
"""


def _before(act: str, path: Path, size: int = 0) -> int:
    allowed = hook(act, path, size) if hook is not None else None
    return size if allowed is None else allowed


class Written(NamedTuple):
    """A file that was written: its length in bytes and its xxh3-128 in hexadecimal digits."""

    bytes: int
    xxh3: str


class _Sink(io.RawIOBase):
    """A file that is written from start to end, through the hook, counted and hashed."""

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
        while rest:  # the system may take less than it is given; a disk that takes nothing is full
            allowed = _before("write", self._path, len(rest))
            taken = os.write(self._handle, rest[:allowed]) if allowed else 0
            if not taken:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
            rest = rest[taken:]
        self.size += total
        return total


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> Written:
    """Make the file `path` whole or not at all: `write` gets a binary file to write from start to end.

    The bytes go to a temporary name beside it, are synced and renamed over `path`, and the folder is synced, so after
    the return the file is there whatever happens to the machine. On any error the temporary file is removed, and a file
    that stood at `path` is as it was. Raises `StorageError` where the system refuses.
    """
    path = Path(path)
    temporary = path.with_name(path.name + TEMPORARY)
    with storage_errors(f"write {path}"):
        try:
            temporary.unlink(missing_ok=True)  # what a killed run left; a link there is not followed
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
            try:
                sink = _Sink(temporary, handle)
                write(cast("IO[bytes]", sink))
                _before("fsync", temporary)
                os.fsync(handle)
            finally:
                os.close(handle)
            _before("rename", path)
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    return Written(sink.size, sink.hash.hexdigest())


def plain_name(name: object) -> bool:
    """Return whether something that was read is the name of a file in a folder, and leads nowhere else."""
    return isinstance(name, str) and name not in ("", ".", "..") and not any(letter in name for letter in "/\\:\0")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last; a system that cannot open folders (Windows) does so by itself."""
    if os.name == "nt":
        return
    _before("fsync", folder)
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


ADVICE = {
    errno.ENOSPC: "free some room on the disk, and run the same command again",
    errno.EDQUOT: "free some of your quota, and run the same command again",
    errno.EROFS: "choose a place that can be written to",
    errno.EACCES: "choose a place that can be written to",
    errno.EPERM: "choose a place that can be written to",
    errno.EIO: "the disk failed; run the same command again, on another disk if it fails again",
    errno.ENOENT: "something removed it while the run was on; run the same command again",
    errno.ENOTDIR: "a file stands in its way: choose another name",
    errno.EEXIST: "a file stands in its way: choose another name",
    errno.ENAMETOOLONG: "choose a shorter name",
}


@contextlib.contextmanager
def storage_errors(doing: str, *, begun: bool = True) -> Iterator[None]:
    """Turn an `OSError` into a `StorageError` that says what could not be done and what to do.

    Before anything was `begun`, nothing that was there can have been removed.
    """
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        number = errno.EACCES if error.errno == errno.ENOENT and not begun else error.errno
        advice = ADVICE.get(number or 0, "run the same command again when it is mended")
        stored = StorageError(f"expected to {doing}, found: {error.strerror or error}; {advice}")
        if not doing.startswith("read "):
            stored.errno = error.errno  # the output cannot be written: the command line has a code for that
        raise stored from error

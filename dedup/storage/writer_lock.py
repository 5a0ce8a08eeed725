"""The lock of a folder that one process writes and any number read. The system frees it when the process ends.

The file holds a line that says who has the lock, for the message to the next one.
"""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path
from typing import IO

from dedup.errors import StorageError
from dedup.storage.atomic import storage_errors

__all__ = ["WRITER_LOCK", "lock_for_writing", "lock_now"]

WRITER_LOCK = "lock"

HIDDEN = 1 << 20
"""The byte that Windows locks: one after the line, so that the line can be read."""


def lock_for_writing(folder: Path) -> IO[bytes]:
    """Lock a folder, and return the open file: closing it frees the lock.

    Raises `StorageError` if another process, or another object of this one, has the lock. The message names it.
    """
    path = folder / WRITER_LOCK
    with storage_errors(f"open {path}"):
        file = path.open("a+b")
    try:
        lock_now(file, HIDDEN)
    except OSError as error:
        with contextlib.suppress(OSError):
            file.seek(0)
            owner = file.read(200).decode("utf-8", "replace").strip()
        file.close()
        raise StorageError(
            f"expected {folder} to be free for writing, found it in use by {owner or 'another process'}; wait until it "
            "is closed, or open it for reading"
        ) from error
    with contextlib.suppress(OSError):  # the line is only for people
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        file.flush()
    return file


def lock_now(file: IO[bytes], at: int | None = None) -> None:
    """Lock a file until it is closed. Raise `OSError` if another process holds it.

    Where the system locks bytes and not files (Windows), one byte is locked: that `at`, or where the file stands. A
    system that has neither way has one process, and needs no lock.
    """
    try:
        import fcntl
    except ImportError:
        try:
            import msvcrt
        except ImportError:
            return
        if at is not None:
            file.seek(at)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

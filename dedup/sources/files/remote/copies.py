"""Copies of what can be read only once, or is far away: standard input, pipes, files of stores and of the web.

A copy is kept as long as its name is used: `Copy` is a path that removes its file when it is gone. The copies of a
process are in one folder, which a later run removes if this one is killed.
"""

from __future__ import annotations

import atexit
import os
import tempfile
import weakref
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import IO

import xxhash

from dedup.sources.files.remote.stores import open_address
from dedup.storage.atomic import storage_errors
from dedup.storage.folders import scratch_folder

__all__ = ["Copied", "Copy", "copy_of", "copy_of_address"]


class Copy(str):  # noqa: SLOT000  (a weak reference needs more)
    """The path of a copy; without it the file is removed."""


Copied = tuple[Copy, int, int]
"""The path of a copy, its bytes, and their 64-bit xxh3."""


def copy_of(stream: IO[bytes]) -> Copied:
    """Copy a stream to a temporary file. Raise `StorageError` if the disk has no space."""
    digest, size = xxhash.xxh3_64(), 0
    with storage_errors(f"keep a copy of the input in {_temporary()}"):
        handle, name = tempfile.mkstemp(dir=_folder(tempfile.gettempdir()))
    path = Copy(name)
    weakref.finalize(path, Path(name).unlink, missing_ok=True)
    with open(handle, "wb") as copy:
        while piece := stream.read(1 << 20):
            with storage_errors(f"keep a copy of the input in {_temporary()}"):
                copy.write(piece)
                copy.flush()
            digest.update(piece)
            size += len(piece)
    return path, size, digest.intdigest()


def copy_of_address(address: str) -> Copied:
    """Copy a file of a store or of the web. Raise `OSError` with the reason if it cannot be read."""
    with open_address(address) as stream:
        return copy_of(stream)


@lru_cache
def _folder(place: str) -> Path:
    """Return the folder for the copies of this process among the temporary files in `place`."""
    held, process = ExitStack(), os.getpid()
    folder = held.enter_context(scratch_folder(Path(place)))
    atexit.register(lambda: held.close() if os.getpid() == process else None)  # not in a forked child
    return folder


def _temporary() -> str:
    """Return the folder of temporary files, or a description of it if there is none."""
    try:
        return tempfile.gettempdir()
    except OSError:
        return "a temporary folder (see TMPDIR)"

"""Folders that appear complete or not at all.

Files are written into a temporary folder next to the final one. It gets the final name when everything is on disk. If
the writing fails or is killed, nothing has the final name. The next run deletes what a killed run left.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path

from dedup.errors import InputError, ParameterError
from dedup.options import refuse_address, shown
from dedup.storage.atomic import storage_errors, sync_folder

__all__ = [
    "check_file",
    "check_folder",
    "check_free",
    "check_writable",
    "folder_beside",
    "place_file",
    "refuse_overlap",
    "scratch_folder",
    "taken",
    "whole_folder",
]

PARTIAL = ".partial"
"""Suffix of the names of unfinished folders. They begin with a dot and the final name."""

SCRATCH = "dedup-work-"
"""Prefix of the names of work directories among the temporary files."""

SWEEP_SECONDS = 1.0
"""Seconds for deleting what killed runs left. A folder may have millions of entries; later runs delete the rest."""


@contextmanager
def whole_folder(folder: str | Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield an empty folder to write into. It becomes `folder` when the block ends; if the block raises, it is removed.

    `folder` must not exist or must be empty, unless `replace` is set. Raises `ParameterError` if it is not, and
    `StorageError` if the disk refuses a write.
    """
    final = Path(os.path.realpath(folder))
    check_free(final, replace=replace)
    with folder_beside(folder) as partial:
        yield partial
        for name, _, files in os.walk(partial):
            for file in files:
                sync(os.path.join(name, file))
            sync_folder(Path(name))
        if final.exists():
            os.rename(final, _beside(final))
        os.rename(partial, final)
        sync_folder(final.parent)


@contextmanager
def folder_beside(path: str | Path) -> Iterator[Path]:
    """Yield an empty folder on the disk of `path`, for what then gets this name; remove afterwards what is left of it.

    Missing folders above `path` are made. Raises `StorageError` if the disk refuses a write.
    """
    final = Path(os.path.realpath(path))
    with storage_errors(f"write {path}"):
        final.parent.mkdir(parents=True, exist_ok=True)
        _sweep(final)
        partial = _beside(final)
        partial.mkdir()
        lock = _lock(partial)
        try:
            yield partial
        finally:
            shutil.rmtree(partial, ignore_errors=True)
            if lock is not None:
                os.close(lock)
            _sweep(final)


def place_file(file: Path, path: str | Path) -> None:
    """Give a complete file the name `path`, which is on the same disk. Raise `ParameterError` if it is taken."""
    with storage_errors(f"write {path}"):
        sync(str(file))
        try:
            os.link(file, path)
        except FileExistsError:
            raise taken(path) from None
        except OSError:  # a disk without links
            if os.path.lexists(path):
                raise taken(path) from None
            os.rename(file, path)
        sync_folder(Path(os.path.realpath(path)).parent)


def taken(path: str | Path) -> ParameterError:
    """Return the error for a new file or folder whose name something has."""
    return ParameterError(
        f"output: expected the name of something new, found {path}, which exists; choose another name"
    )


def sync(path: str) -> None:
    """Wait until a file is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def refuse_overlap(output: str | Path, others: Iterable[tuple[str, str | Path]], *, option: str = "output") -> None:
    """Raise `ParameterError` if `output` is one of the `others`, lies in one, or contains one. Links are followed.

    `others` are pairs of a word for the path ("the input", "the report") and the path. `option` is the name of the
    option that gave `output`.
    """
    new = _lineage(Path(os.path.realpath(output)))
    for what, path in others:
        old = _lineage(Path(os.path.realpath(path)))
        if _same(new[0], old[0]):
            raise ParameterError(f"{option}: {output} is {what} {path}; choose another name")
        if any(_same(each, old[0]) for each in new[1:]):
            raise ParameterError(f"{option}: {output} lies in {what} {path}; choose a folder outside of it")
        if any(_same(new[0], each) for each in old[1:]):
            raise ParameterError(f"{option}: {output} contains {what} {path}; choose a folder outside of it")


def _lineage(path: Path) -> list[Path]:
    """Return a path and all folders above it."""
    return [path, *path.parents]


def _same(one: Path, other: Path) -> bool:
    if one == other:
        return True
    try:
        return os.path.samefile(one, other)  # a file system may have two names for one folder
    except OSError:
        return False


def check_folder(option: str, folder: str | Path) -> None:
    """Raise `ParameterError` if a path or a folder above it is a file, if no file can have that name, or if it is on
    another machine.
    """
    refuse_address(option, folder)
    final = Path(os.path.realpath(folder))
    for each in (final, *final.parents):
        try:
            found = os.stat(each)
        except OSError as error:
            if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
                raise ParameterError(
                    f"{option}: expected the name of a folder, found {shown(str(folder))}: {error.strerror}; choose "
                    "another name"
                ) from error
            continue
        if not stat.S_ISDIR(found.st_mode):
            raise ParameterError(f"{option}: expected a folder, found the file {each}; choose another name")
        return


def check_free(folder: str | Path, *, replace: bool = False) -> None:
    """Raise `ParameterError` if a folder is a file, or if it is not empty and may not be replaced."""
    check_folder("output", folder)
    final = Path(os.path.realpath(folder))
    with storage_errors(f"look into {folder}"):
        if not final.exists() or replace or next(final.iterdir(), None) is None:
            return
    raise ParameterError(f"output: expected a new or an empty folder, found files in {final}; choose another name")


def check_writable(folder: str | Path) -> None:
    """Raise an error if a folder could not be renamed to this name at the end. The trial leaves nothing.

    The error is a `StorageError` if the system refuses, and a `ParameterError` if the folder is a mount point.
    """
    final = Path(os.path.realpath(folder))
    if os.path.ismount(final):
        raise ParameterError(
            f"output: expected a folder that can be renamed, found {final}, where a disk is mounted; name one in it"
        )
    with storage_errors(f"write {folder}", begun=False):
        lineage = [final, *final.parents]
        at = next(at for at, each in enumerate(lineage) if at and each.exists())
        trial = _beside(lineage[at - 1])
        trial.mkdir()
        trial.rmdir()


@contextmanager
def scratch_folder(place: Path | None = None) -> Iterator[Path]:
    """Yield an empty folder among the temporary files, or in `place`; it is removed when the block ends.

    Folders of killed runs, which no living process holds, are removed first.
    """
    with storage_errors("make a work directory among the temporary files (TMPDIR says where)"):
        place = place or Path(tempfile.gettempdir())
        _sweep_all(place, f"{SCRATCH}*")
        folder, lock = _hold_new(place)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _hold_new(place: Path) -> tuple[Path, int | None]:
    """Make a folder and lock it. Another process may delete it before it is locked; then make another."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=place))
        try:
            lock = _lock_now(folder)
        except BlockingIOError:
            continue
        if folder.exists():
            return folder, lock
        if lock is not None:
            os.close(lock)


def _beside(final: Path) -> Path:
    """Return an unused name in the same folder."""
    return final.with_name(f".{final.name}.{secrets.token_hex(8)}{PARTIAL}")


def _sweep(final: Path) -> None:
    """Delete what killed runs left next to a folder: unfinished folders that no living process holds."""
    _sweep_all(final.parent, f".{_escaped(final.name)}.*{PARTIAL}")


def _sweep_all(place: Path, pattern: str) -> None:
    """Delete what killed runs left in a folder, as much as is possible in `SWEEP_SECONDS`."""
    end = time.monotonic() + SWEEP_SECONDS
    with suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            if time.monotonic() > end:
                return
            lock = _lock(place / entry.name) if fnmatchcase(entry.name, pattern) else None
            if lock is not None:
                shutil.rmtree(place / entry.name, ignore_errors=True)
                os.close(lock)


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _lock(folder: Path) -> int | None:
    """Lock a folder until its handle is closed or the process ends; return None if it is not locked."""
    try:
        return _lock_now(folder)
    except BlockingIOError:
        return None


def _lock_now(folder: Path) -> int | None:
    """Lock a folder. Raise `BlockingIOError` if another process holds it; return None where that is not possible."""
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if isinstance(error, BlockingIOError):
            raise
        return None
    return handle


def check_file(path: str | Path, size: int, mtime_ns: int) -> None:
    """Raise `InputError` if a file has changed: another size, or another time of its last change."""
    try:
        found = os.stat(path)
    except OSError as error:
        raise InputError(
            f"{path}: expected the file that was searched, found none: {error.strerror}; put it back, or search again"
        ) from error
    if (found.st_size, found.st_mtime_ns) != (size, mtime_ns):
        raise InputError(
            f"{path}: expected the file that was searched ({size:,} bytes, changed at {mtime_ns} ns), found "
            f"{found.st_size:,} bytes, changed at {found.st_mtime_ns} ns; search it again"
        )

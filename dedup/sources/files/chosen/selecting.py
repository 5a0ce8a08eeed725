"""The paths that names, folders and patterns select.

All levels of a folder are searched for names that give a format. Hidden files and folders are skipped, and so is what
dedup wrote: reports (folders with all files of `REPORT`) and work folders. ``include`` and ``exclude`` are patterns
(`dedup.sources.files.chosen.globs`): of the files in folders, those of ``include`` are read, whatever their format;
nothing of ``exclude`` is read, even if it is named.
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum

from dedup.sources.files.chosen.globs import Globs
from dedup.sources.files.chosen.names import possible, shown
from dedup.sources.files.chosen.unread import Unread
from dedup.sources.files.formats.named import format_of_name
from dedup.storage.work_dir import MANIFEST_NAME, PART_SUFFIX

__all__ = ["STDIN", "Found", "Selection"]

REPORT = {"report.json", "run.json", "summary.json"}
"""A folder that has files of these names is a report, and not read as a corpus."""

STDIN = "-"
ALSO_STDIN = {"/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}


class Found(IntEnum):
    """How a file was found; the first one counts if there are several."""

    NAMED = 0
    MATCHED = 1
    IN_FOLDER = 2


class Selection:
    """The paths that some names select.

    Parameters
    ----------
    reject : called with a name and the reason, for what selects nothing and for folders that cannot be read
    include, exclude : patterns

    Attributes
    ----------
    unread : the files in folders that are not read
    """

    def __init__(
        self, reject: Callable[[str, str], None], include: Iterable[str] = (), exclude: Iterable[str] = ()
    ) -> None:
        self._reject, self._include, self._exclude = reject, Globs(include), Globs(exclude)
        self.unread = Unread()

    def paths(self, names: Iterable[str]) -> dict[str, Found]:
        """Return the paths that are selected, each with how it was found."""
        found: dict[str, Found] = {}
        for name in sorted(set(names)):
            if not possible(name):
                self._reject(name, "no file can have this name")
                continue
            for path, how in self._paths(name):
                found[path] = min(found.get(path, how), how)
        return found

    def _paths(self, name: str) -> Iterator[tuple[str, Found]]:
        """Yield the paths that a name selects, each with how it was found."""
        if name == STDIN or name in ALSO_STDIN:
            yield (STDIN if name == STDIN or not _is_file(name) else name), Found.NAMED
        elif os.path.isdir(name):
            yield from self._in_folder(name)
        elif os.path.lexists(name) or not glob.has_magic(name):
            if not self._exclude.match(name):
                yield name, Found.NAMED
        else:
            found = sorted(set(_matches(name)))
            for path in found:
                if not os.path.isdir(path):
                    if not self._exclude.match(path):
                        yield path, Found.MATCHED
                elif os.path.basename(name) != "**":
                    yield from self._in_folder(path)
            if not found:
                self._reject(name, "no file matches")

    def _in_folder(self, folder: str) -> Iterator[tuple[str, Found]]:
        """Yield the files below a folder that have a known suffix or match ``include``, and count the others."""

        def unreadable(error: OSError) -> None:
            self._reject(str(error.filename), f"the folder cannot be read: {error.strerror or error}")

        for where, folders, files in os.walk(folder, followlinks=False, onerror=unreadable):
            if _is_ours(files):
                folders.clear()
                continue
            below = "" if where == folder else f"{os.path.relpath(where, folder)}/"
            folders[:] = sorted(
                name for name in folders if not name.startswith(".") and not self._leaves_out(below + name, folder=True)
            )
            for name in folders:
                if os.path.islink(os.path.join(where, name)):
                    self.unread.add(shown(os.path.join(where, name)), "links to folders")
            for name in files:
                path = os.path.join(where, name)
                if name.startswith(".") or self._leaves_out(below + name):
                    continue
                if self._include:
                    if self._include.match(below + name):
                        yield path, Found.MATCHED
                elif format_of_name(name):
                    yield path, Found.IN_FOLDER
                else:
                    self.unread.add(shown(path))

    def _leaves_out(self, path: str, *, folder: bool = False) -> bool:
        """Return whether ``exclude`` leaves out what has this path below the folder that is searched."""
        return bool(self._exclude) and self._exclude.match(path.replace(os.sep, "/"), folder=folder)


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def _matches(pattern: str) -> Iterator[str]:
    """Yield the paths that a pattern matches; ``**`` means all folders below, each once, links followed."""
    before, deep, after = pattern.partition("**")
    if not deep or (before and not before.endswith(os.sep)) or (after and not after.startswith(os.sep)):
        yield from glob.glob(pattern)
        return
    seen: set[str] = set()
    for root in sorted(glob.glob(before)) if before else [""]:
        for where, folders, files in os.walk(root or ".", followlinks=True):
            place = os.path.join(root, os.path.relpath(where, root or ".")) if where != (root or ".") else root
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            if (real := os.path.realpath(where)) in seen:
                folders.clear()
                continue
            seen.add(real)
            if after in ("", os.sep):
                yield from (os.path.join(place, name) for name in files if not name.startswith("."))
            else:
                yield from _matches(os.path.join(glob.escape(place), after[1:]))


def _is_ours(files: list[str]) -> bool:
    """Return whether a folder with such files is a report or a work folder."""
    return REPORT.issubset(files) or (MANIFEST_NAME in files and any(name.endswith(PART_SUFFIX) for name in files))

"""The paths that names, folders and patterns select.

All levels of a folder are searched for names that give a format. Hidden files and folders are skipped, and so is what
dedup wrote: reports (folders with all files of `REPORT`) and work folders. ``include`` and ``exclude`` are patterns
(`dedup.sources.files.chosen.globs`): of the files in folders, those of ``include`` are read, whatever their format;
nothing of ``exclude`` is read, even if it is named.
"""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum

from dedup.sources.files.chosen.globs import Globs
from dedup.sources.files.chosen.names import possible, shown
from dedup.sources.files.chosen.unread import Unread
from dedup.sources.files.formats.named import format_of_name
from dedup.sources.files.remote.addresses import is_address, shown_address, unknown_scheme
from dedup.sources.files.remote.stores import files_below, kind_of
from dedup.storage.work_dir import is_work_dir

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
        if is_address(name):
            yield from self._at_address(name)
        elif name == STDIN or name in ALSO_STDIN:
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
            if REPORT.issubset(files):
                folders.clear()
                continue
            if is_work_dir(files):
                files.clear()  # folders in it are not ours
            below = "" if where == folder else f"{os.path.relpath(where, folder)}/"
            folders[:] = sorted(
                name for name in folders if not name.startswith(".") and not self._leaves_out(below + name, folder=True)
            )
            for name in folders:
                if os.path.islink(os.path.join(where, name)):
                    self.unread.add(shown(os.path.join(where, name)), "links to folders")
            for name in files:
                path = os.path.join(where, name)
                if not name.startswith("."):
                    yield from self._chosen(path, below + name)

    def _at_address(self, name: str) -> Iterator[tuple[str, Found]]:
        """Yield the addresses that an address selects: itself, or those below a folder, or that match a pattern."""
        if wrong := unknown_scheme(name):
            self._reject(name, wrong)
            return
        try:
            kind = kind_of(name)
            if kind == "file":
                if not self._exclude.match(shown_address(name)):
                    yield name, Found.NAMED
            elif kind == "folder":
                yield from self._below(name.rstrip("/"), files_below(name))
            elif glob.has_magic(name):
                yield from self._matching(name)
            else:
                self._reject(name, "no such file or folder there")
        except OSError as error:
            self._reject(name, str(error))

    def _matching(self, pattern: str) -> Iterator[tuple[str, Found]]:
        """Yield the addresses that match a pattern."""
        folder = pattern[: re.search(r"[*?[]", pattern).start()].rpartition("/")[0]  # type: ignore[union-attr]
        inside = Globs([f"/{pattern[len(folder) + 1 :]}"])
        found = [below for below in files_below(folder) if inside.match(below)]
        for below in found:
            if not self._exclude.match(below):
                yield f"{folder}/{below}", Found.MATCHED
        if not found:
            self._reject(pattern, "no file matches")

    def _below(self, folder: str, paths: list[str]) -> Iterator[tuple[str, Found]]:
        """Yield the files below a folder of a store as those of a folder of this machine, whose `paths` are given."""
        inside: dict[str, list[str]] = {}
        for path in paths:
            inside.setdefault(path.rpartition("/")[0], []).append(path.rpartition("/")[2])
        reports = {where for where, files in inside.items() if REPORT.issubset(files)}
        work = {where for where, files in inside.items() if is_work_dir(files)}
        for path in paths:
            parts = path.split("/")
            above = ["/".join(parts[:end]) for end in range(1, len(parts))]
            if any(part.startswith(".") for part in parts) or any(where in ("", *above) for where in reports):
                continue
            if path.rpartition("/")[0] in work:
                continue
            if not any(self._leaves_out(each, folder=True) for each in above):
                yield from self._chosen(f"{folder}/{path}", path)

    def _chosen(self, path: str, below: str) -> Iterator[tuple[str, Found]]:
        """Yield a file of a folder if it is read, and count it otherwise; `below` is its path below the folder."""
        if self._leaves_out(below):
            return
        if self._include:
            if self._include.match(below):
                yield path, Found.MATCHED
        elif format_of_name(below):
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

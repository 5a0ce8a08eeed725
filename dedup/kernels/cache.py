"""Compiled kernels on disk: where they are kept, and what happens if that fails.

numba's own cache does not notice an edit in another file that a kernel calls. In a library of hashes, old code could
then survive an upgrade. So the folder is named by the digest of all kernel sources (of their compiled code, if a
package has no sources), and an edit of any of them starts a new folder.

The cache is a convenience and never makes a search fail:

- Each file has a checksum. A file that is truncated, empty or damaged is written again.
- A folder that can be read but not written is still read. Missing kernels go to the next folder that can be written.
- If no folder can be written, kernels are compiled for this process only.
- If the disk is full, they are too, and one warning names the folder.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import xxhash
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile
from numba.core.runtime import rtsys
from numba.core.serialize import dumps, pickle

from dedup.kernels.digest import digest

__all__ = ["Folder", "KernelCache", "cache_folder", "cache_folders"]


class Folder(NamedTuple):
    """A folder of compiled kernels, and whether it can be written to."""

    path: str
    writable: bool


@lru_cache(maxsize=1)
def cache_folders() -> tuple[Folder, ...]:
    """Return the folders that are searched for kernels. New kernels go into the last one, if it can be written to.

    They are tried in this order: ``NUMBA_CACHE_DIR``, and no other folder if that is set; the package's own
    ``__pycache__``; the user's cache; a private folder among the temporary files.
    """
    name = f"dedup-{digest()[:16]}"
    found: list[Folder] = []
    for parent, private in _parents():
        path = os.path.join(parent, name)
        if _writable(path, private=private):
            return (*found, Folder(path, writable=True))
        if _readable(path, private=private):
            found.append(Folder(path, writable=False))
    return tuple(found)


@lru_cache(maxsize=1)
def cache_folder() -> str | None:
    """Return the first of the `cache_folders`; None if there is none."""
    folders = cache_folders.__wrapped__()
    return folders[0].path if folders else None


def _parents() -> Iterator[tuple[str, bool]]:
    """Yield the possible parent folders, and whether others can write to each of them too."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        yield given, False
        return
    if not getattr(sys, "frozen", False):  # a one-file program unpacks itself, and that folder is deleted when it ends
        yield str(Path(__file__).parent / "__pycache__"), False
    user = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    yield os.path.join(user, "dedup"), False
    with contextlib.suppress(OSError):  # no such folder can be used
        owner = os.getuid() if hasattr(os, "getuid") else "user"
        yield os.path.join(tempfile.gettempdir(), f"dedup-kernels-{owner}"), True


def _writable(folder: str, *, private: bool) -> bool:
    """Make `folder` and try to write to it. A private folder in a shared place must belong to this user alone.

    Else another user could put code there that would be run.
    """
    try:
        if private:
            os.makedirs(os.path.dirname(folder), mode=0o700, exist_ok=True)
            if not _ours(os.path.dirname(folder)):
                return False
        os.makedirs(folder, mode=0o700 if private else 0o777, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _readable(folder: str, *, private: bool) -> bool:
    """Return whether a folder that cannot be written to has kernels."""
    try:
        if private and not _ours(os.path.dirname(folder)):
            return False
        return any(name.endswith(".nbi") for name in os.listdir(folder))
    except OSError:
        return False


def _ours(folder: str) -> bool:
    found = os.stat(folder)
    return not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o022)


# files


class KernelFiles(IndexDataCacheFile):  # type: ignore[misc]  # numba has no types
    """The files of one kernel in one folder. Each begins with a checksum and the version that can read it."""

    def load(self, key: Any) -> Any:
        """Return what is kept under a key; None if it is missing, damaged, or of another version."""
        name = self._load_index().get(key)
        return None if name is None else self._load_data(name)

    def has(self, key: Any) -> bool:
        """Return whether a key is in the index."""
        return key in self._load_index()

    def _load_index(self) -> dict[Any, str]:
        return self._read(self._index_path) or {}

    def _save_index(self, overloads: dict[Any, str]) -> None:
        self._write(self._index_path, overloads)

    def _load_data(self, name: str) -> Any:
        return self._read(self._data_path(name))

    def _save_data(self, name: str, data: Any) -> None:
        self._write(self._data_path(name), data)

    def _read(self, path: str) -> Any:
        version = self._version_line()
        try:
            data = Path(path).read_bytes()
        except OSError:
            return None
        seal, body = data[:16], data[16:]
        if xxhash.xxh3_128_digest(body) != seal or not body.startswith(version):
            return None
        return pickle.loads(body[len(version) :])  # the file contains code that is run anyway

    def _write(self, path: str, content: Any) -> None:
        body = self._version_line() + dumps(content)
        with self._open_for_write(path) as file:
            file.write(xxhash.xxh3_128_digest(body) + body)

    def _version_line(self) -> bytes:
        return f"{self._version} {self._source_stamp}\n".encode()


class KernelImpl(CompileResultCacheImpl):  # type: ignore[misc]
    """What numba keeps of a kernel. Files are named as numba names them, but their sources are not looked at."""

    def __init__(self, function: Callable[..., Any]) -> None:
        code = function.__code__
        self._lineno, self._locator, self._py_file = code.co_firstlineno, self, code.co_filename
        module = function.__module__.rpartition(".")[2]
        python = f"py{sys.version_info[0]}{sys.version_info[1]}{getattr(sys, 'abiflags', '')}"
        self._filename_base = f"{module}.{function.__qualname__}-{self._lineno}.{python}"


class KernelCache(FunctionCache):  # type: ignore[misc]
    """numba's cache of compiled code, without the parts that are needed only to compile.

    Before it loads a kernel, numba imports and registers all that it needs to compile: a third of a second in a process
    that has nothing to compile. Compiled code needs only numba's memory runtime. If a kernel is missing, the compiler
    registers the rest by itself.
    """

    def __init__(self, function: Callable[..., Any], folders: tuple[Folder, ...]) -> None:
        self._name, self._py_func = repr(function), function
        self._impl = KernelImpl(function)
        self._files = [KernelFiles(each.path, self._impl.filename_base, "") for each in folders]
        self._cache_path, self._writable = folders[-1]
        self._cache_file = self._files[-1]
        self.enable()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled code for a signature; None if no folder has it, or if it cannot be used."""
        rtsys.initialize(target_context)
        key = self._index_key(sig, target_context.codegen())
        for files in self._files if self._enabled else ():
            try:
                data = files.load(key)
                if data is not None:
                    return self._impl.rebuild(target_context, data)
            except Exception:  # noqa: BLE001, S112  # after any fault it is compiled again
                continue
        return None

    def is_kept(self, sig: Any, target_context: Any) -> bool:
        """Return whether the compiled code for a signature is on disk."""
        key = self._index_key(sig, target_context.codegen())
        return any(files.has(key) for files in self._files)

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep compiled code, if there is a folder with enough space."""
        if not self._writable:
            return
        try:
            os.makedirs(self._cache_path, exist_ok=True)
            self._save_overload(sig, data)
        except OSError as error:
            self._writable = False
            _tell(self._cache_path, error.strerror or str(error))

    def _save_overload(self, sig: Any, data: Any) -> None:
        if self._enabled and self._impl.check_cachable(data):
            self._cache_file.save(self._index_key(sig, data.codegen), self._impl.reduce(data))


@lru_cache(maxsize=1)
def _tell(folder: str, why: str) -> None:
    """Warn once that kernels cannot be kept."""
    with contextlib.suppress(Warning):  # if warnings are errors: this must not end a search
        warnings.warn(
            f"expected to keep compiled kernels in {folder}, found: {why}; they are compiled again in each process "
            "until they can be; NUMBA_CACHE_DIR names another folder",
            RuntimeWarning,
            stacklevel=2,
        )

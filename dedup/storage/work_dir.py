"""The work directory: files that are complete or not there, and a manifest that lists the valid ones.

::

    work/lock             held during a run; the system frees it when the process ends, however it ends
    work/manifest.json    the commit point: format version, fingerprint of the run, and each part with its length,
                          xxh3-128 and facts; it has a checksum of its own
    work/NAME.dedup       the parts: bytes, or numpy arrays one after the other in numpy's own format, padded to 64

Every file is complete or not there (`dedup.storage.atomic`). A part is valid from the moment at which the manifest that
lists it is in place. What a killed process left is removed when the directory is opened again. Every part is compared
with its checksum whenever it is read, so a damaged file raises an error and never changes a result. Files are looked
for only in the directory: the file of a part has the name of the part, and a link in the directory is refused.

Cost: a sync per part and a sync of the manifest; checksums at some GB/s.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import xxhash

from dedup.errors import StorageError
from dedup.storage.atomic import TEMPORARY, plain_name, storage_errors, write_atomically
from dedup.storage.fingerprint import compare_inputs, compare_options
from dedup.storage.writer_lock import lock_now

__all__ = ["Part", "Store", "is_work_dir"]

HEADER = re.compile(
    rb"\{'descr': '([<>|=][a-zA-Z]\d+)', 'fortran_order': (?:True|False), 'shape': \(([\d, ]*)\), \}\s*"
)
"""The header of an array, as numpy writes it. Its items follow in C order, whatever it says of that."""

LAYOUT_VERSION = 3
"""Version of the layout. A directory of another version is refused."""

MANIFEST_NAME, LOCK_NAME, PART_SUFFIX = "manifest.json", "lock", ".dedup"

ALIGNED = 64
"""Bytes. Each array of a part begins at a multiple, as after numpy's own header."""

Arrays = Mapping[str, npt.NDArray[Any]]


class Part(NamedTuple):
    """A committed part: its file, length and checksum, the names of its arrays (None for bytes), and its facts."""

    file: str
    bytes: int
    xxh3: str
    arrays: list[str] | None
    facts: Any


class Store:
    """A work directory, opened by one process at a time: parts under names, committed one by one.

    Use it with ``with``, so that the lock is freed. `fingerprint` is what the parts depend on, as JSON: a dict of
    "options" (a dict) and "inputs" (a list of rows [path, ...]).
    """

    def __init__(self, path: str | os.PathLike[str], fingerprint: Mapping[str, Any], *, fresh: bool = False) -> None:
        """Open or make the directory `path`. With `fresh`, what an earlier run left there is removed first.

        Raises `StorageError` if it is in use, damaged, or not a work directory, and `ParameterError` if it belongs to
        a run with another fingerprint. Both say what was expected, what was found and what to do.
        """
        self.path = Path(path)
        self._options = json.loads(json.dumps(fingerprint["options"]))
        self._inputs = json.dumps(fingerprint["inputs"])
        self._inputs_xxh3 = _checksum(json.loads(self._inputs))
        self.parts: dict[str, Part] = {}
        with storage_errors(f"use {self.path} as work directory", begun=False):
            self.path.mkdir(parents=True, exist_ok=True)
            self._check_ours()
            self._lock = _locked(self.path / LOCK_NAME)
        try:
            self._open(fresh=fresh)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the lock; all committed parts are kept."""
        self._lock.close()

    def __contains__(self, name: str) -> bool:
        return name in self.parts

    def commit(self, name: str, content: bytes | Arrays, facts: Any = None) -> None:
        """Write a part, bytes or arrays, and add it to the manifest with its `facts` (JSON)."""
        path = self.path / f"{name}{PART_SUFFIX}"
        if isinstance(content, bytes):
            data = content
            written = write_atomically(path, lambda file: file.write(data))
            names = None
        else:
            arrays = content
            written = write_atomically(path, lambda file: _write_arrays(file, arrays))
            names = list(arrays)
        self.parts[name] = Part(path.name, *written, names, facts)
        self._write_manifest()

    def read(self, name: str) -> bytes:
        """Return the bytes of a part; raises `StorageError` if they differ from the committed bytes."""
        part = self.parts[name]
        path = self.path / part.file
        with storage_errors(f"read {path}"):
            data = path.read_bytes()
        self._check(part, len(data), xxhash.xxh3_128_hexdigest(data))
        return data

    def arrays(self, name: str) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays of a part, read into memory; raises the errors of `read`."""
        part = self.parts[name]
        path = self.path / part.file
        with storage_errors(f"read {path}"), path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size != part.bytes:
                self._check(part, size, part.xxh3)
            data = np.empty(size, dtype=np.uint8)
            filled = file.readinto(data.data)
        self._check(part, filled, xxhash.xxh3_128_hexdigest(data.data))
        return dict(zip(part.arrays or (), _read_arrays(data), strict=True))

    def forget(self, name: str) -> None:
        """Remove a part from the manifest, then its file."""
        part = self.parts.pop(name)
        self._write_manifest()
        with storage_errors(f"remove {self.path / part.file}"):
            (self.path / part.file).unlink(missing_ok=True)

    def clear(self, *, remove: bool) -> None:
        """Remove all parts, since the run is over; with `remove` also the manifest and the folder."""
        names = [part.file for part in self.parts.values()]
        self.parts = {}
        with storage_errors(f"empty {self.path}"):
            if remove:
                (self.path / MANIFEST_NAME).unlink(missing_ok=True)
            else:
                self._write_manifest()
            for name in names:
                (self.path / name).unlink(missing_ok=True)
            if remove:
                self.close()
                (self.path / LOCK_NAME).unlink(missing_ok=True)
                with contextlib.suppress(OSError):
                    self.path.rmdir()

    @property
    def disk(self) -> int:
        """Return the bytes that all parts take on disk."""
        return sum(part.bytes for part in self.parts.values())

    # parts

    def _check_ours(self) -> None:
        """Refuse a directory with other files in it: a file of the user must not be read as a part or removed."""
        entries = sorted(self.path.iterdir())
        strange = [entry.name for entry in entries if not _is_ours(entry.name)]
        link = next((entry for entry in entries if entry.is_symlink() or not entry.is_file()), None)
        if link is not None and not strange:
            raise StorageError(
                f"expected plain files in the work directory {self.path}, found a link or a folder, {link.name!r}; "
                "name a folder that is used for nothing else"
            )
        if not (self.path / LOCK_NAME).exists() and (self.path / MANIFEST_NAME).exists():
            strange.append(MANIFEST_NAME)  # made by another program: ours always has a lock
        if strange:
            raise StorageError(
                f"expected an empty folder or a work directory of dedup at {self.path}, found {strange[0]!r} in it; "
                "name a folder that is used for nothing else"
            )

    def _open(self, *, fresh: bool) -> None:
        manifest = self.path / MANIFEST_NAME
        if fresh:
            with storage_errors(f"empty {self.path}"):
                manifest.unlink(missing_ok=True)  # first: the manifest must not list a part whose file is removed
        if manifest.exists():
            with storage_errors(f"read {manifest}"):
                self._take(manifest.read_bytes())
        else:
            self._write_manifest()
        named = {part.file for part in self.parts.values()} | {MANIFEST_NAME, LOCK_NAME}
        with storage_errors(f"remove from {self.path} what a stopped run left"):
            for entry in self.path.iterdir():
                if entry.name not in named:
                    entry.unlink()
        for part in self.parts.values():
            path = self.path / part.file
            with storage_errors(f"read {path}"):
                self._check(part, path.stat().st_size if path.exists() else 0, part.xxh3)

    def _take(self, data: bytes) -> None:
        """Take the parts from a manifest, if it is complete and of this run."""
        try:
            outer = json.loads(data)
            content = outer["content"]
            if outer["xxh3"] != _checksum(content) or content["inputs"] != _checksum(outer["inputs"]):
                raise ValueError("its checksum does not match")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise StorageError(
                f"expected an undamaged manifest in {self.path}, found a damaged one ({error}); start over with --fresh"
            ) from error
        if content.get("format") != LAYOUT_VERSION:
            raise StorageError(
                f"expected a work directory of format {LAYOUT_VERSION} in {self.path}, found format "
                f"{content.get('format')!r}; start over with --fresh, or use the version of dedup that made it"
            )
        compare_options(content["options"], self._options, self.path)
        if content["inputs"] != self._inputs_xxh3:
            compare_inputs(outer["inputs"], json.loads(self._inputs), self.path)
        self.parts = self._parts_of(content.get("parts"))

    def _parts_of(self, found: Any) -> dict[str, Part]:
        """Return the parts that a manifest lists, if they can be parts: files in this directory and nowhere else."""
        try:
            parts = {name: Part(*fields) for name, fields in found.items()}
        except (AttributeError, TypeError) as error:
            raise StorageError(
                f"expected parts in the manifest of {self.path}, found something else ({error}); start over with "
                "--fresh"
            ) from error
        for name, part in parts.items():
            if part.file != f"{name}{PART_SUFFIX}" or not plain_name(part.file):
                raise StorageError(
                    f"expected the names of parts in the manifest of {self.path}, found {part.file!r}, which dedup did "
                    "not write; nothing was touched; name another folder"
                )
        return parts

    def _write_manifest(self) -> None:
        content = {"format": LAYOUT_VERSION, "options": self._options, "inputs": self._inputs_xxh3, "parts": self.parts}
        sealed = json.dumps({"content": content, "xxh3": _checksum(content)})
        # the inputs may be a million files: they are written once, with a checksum in the content
        data = f'{sealed[:-1]}, "inputs": {self._inputs}}}'.encode()
        write_atomically(self.path / MANIFEST_NAME, lambda file: file.write(data))

    def _check(self, part: Part, size: int, xxh3: str) -> None:
        if size != part.bytes or xxh3 != part.xxh3:
            what = f"{size:,} bytes" if size != part.bytes else "other bytes"
            raise StorageError(
                f"expected the {part.bytes:,} bytes of {self.path / part.file} that were committed, found {what}: "
                "the file was damaged; start over with --fresh"
            )


def is_work_dir(names: Collection[str]) -> bool:
    """Return whether a folder with files of these names is a work directory: in use, stopped, or emptied.

    >>> is_work_dir(["lock", "manifest.json"]), is_work_dir(["manifest.json"]), is_work_dir(["lock", "a.json"])
    (True, False, False)
    """
    if MANIFEST_NAME not in names:
        return False
    return any(name.endswith(PART_SUFFIX) for name in names) or (LOCK_NAME in names and all(map(_is_ours, names)))


def _is_ours(name: str) -> bool:
    name = name.removesuffix(TEMPORARY)
    return name in (MANIFEST_NAME, LOCK_NAME) or name.endswith(PART_SUFFIX)


def _checksum(content: Any) -> str:
    return xxhash.xxh3_128_hexdigest(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())


def _locked(path: Path) -> IO[bytes]:
    """Open and lock a file; the system frees the lock when the process ends."""
    file = path.open("ab")
    try:
        lock_now(file)
    except OSError as error:
        file.close()
        raise StorageError(
            f"expected {path.parent} to be free, found it in use by another run; wait for it, or name another folder"
        ) from error
    return file


def _write_arrays(file: IO[bytes], arrays: Arrays) -> None:
    for array in arrays.values():
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        file.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        file.write(bytes(-array.nbytes % ALIGNED))


def _header(text: bytes) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return the shape and the dtype of an array from its header.

    numpy reads it with Python's parser, which in CPython 3.11 fails now and then if two threads use it at once.
    """
    found = HEADER.fullmatch(text)
    if found is None:
        raise ValueError(f"expected the header of an array, found {text[:80]!r}")
    shape = tuple(int(length) for length in found[2].decode().replace(",", " ").split())
    return shape, np.dtype(found[1].decode())


def _read_arrays(data: npt.NDArray[np.uint8]) -> Iterator[npt.NDArray[Any]]:
    """Yield the arrays in `data`, as views of it."""
    at = 0
    while at < len(data):
        file = io.BytesIO(data[at : at + (1 << 16)].data)
        np.lib.format.read_magic(file)
        shape, dtype = _header(file.read(int.from_bytes(file.read(2), "little")))
        at += file.tell()
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        yield data[at : at + size].view(dtype).reshape(shape)
        at += size + -size % ALIGNED

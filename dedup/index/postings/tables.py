"""Tables of postings in files: written once, from start to end, and mapped into memory.

A file is the array of heads (uint32), zeros up to a multiple of 64 bytes, and the array of entries (uint16), both as
`dedup.kernels.index_postings` has them. How many there are is in the manifest.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from dedup.errors import StorageError
from dedup.index.manifest import TableEntry
from dedup.storage.appended_file import write_at
from dedup.storage.atomic import storage_errors

__all__ = [
    "MOST_ENTRIES",
    "Table",
    "TableWriter",
    "bits_for",
    "heads_bytes",
    "mapped",
    "open_table",
    "packed",
    "width_for",
]

ALIGNED_ENTRIES = 64

ENTRIES_PER_BUCKET = 4

MOST_ENTRIES = (1 << 32) - 1
"""Entries of a table: heads are 32 bits."""

WIDE_ENTRIES = 1 << 24
"""Entries. A table with fewer keeps 16 bits more of each key, for the merges to come."""


class Table(NamedTuple):
    """A table in memory or mapped. `dedup.kernels.index_postings` says what the fields are."""

    heads: npt.NDArray[np.uint32]
    entries: npt.NDArray[np.uint16]
    width: int
    bits: int
    known: int


def packed(keys: npt.NDArray[np.uint64], documents: npt.NDArray[np.uint32]) -> Table:
    """Return a table in memory."""
    from dedup.kernels import index_postings as kernels

    bits, width = bits_for(len(keys)), width_for(len(keys))
    heads, entries = np.empty((1 << bits) + 1, dtype=np.uint32), np.empty(width * len(keys), dtype=np.uint16)
    kernels.pack(keys, documents, bits, 0, 0, width, heads, entries)
    return Table(heads, entries, width, bits, bits + 16 * (width - 2))


def bits_for(entries: int) -> int:
    """Return how many bits of a key choose its bucket, in a table of so many entries; at least 1, at most 30."""
    return min(max((max(entries, 1) // ENTRIES_PER_BUCKET).bit_length(), 1), 30)


def width_for(entries: int) -> int:
    """Return how many words an entry has, in a table of so many entries."""
    return 4 if entries < WIDE_ENTRIES else 3


def heads_bytes(bits: int) -> int:
    """Return the bytes that the heads take in a file."""
    size = 4 * ((1 << bits) + 1)
    return size + -size % ALIGNED_ENTRIES


def mapped(path: Path, size: int) -> npt.NDArray[np.uint8]:
    """Return the first `size` bytes of a file, mapped. Raises `StorageError` if it has fewer, or is not there."""
    if size == 0:
        return np.empty(0, dtype=np.uint8)
    with storage_errors(f"read {path}"):
        found = path.stat().st_size
        if found < size:
            raise StorageError(
                f"expected {size:,} bytes in {path}, found {found:,}: the file was cut; restore it from a copy"
            )
        return np.asarray(np.memmap(path, dtype=np.uint8, mode="r", shape=(size,)))


def open_table(path: Path, entry: TableEntry) -> Table:
    """Map a table."""
    heads = heads_bytes(entry.bits)
    data = mapped(path, heads + 2 * entry.width * entry.entries)
    return Table(
        data[: 4 * ((1 << entry.bits) + 1)].view(np.uint32),
        data[heads:].view(np.uint16),
        entry.width,
        entry.bits,
        entry.known,
    )


class TableWriter:
    """Writes a table from its first bucket to its last, some buckets at a time. The file is synced by the commit."""

    def __init__(self, path: Path, bits: int, known: int, width: int) -> None:
        self.path, self.bits, self.known, self.width = path, bits, known, width
        self.entries = 0
        self._buckets = 0
        self._heads, self._postings = xxhash.xxh3_128(), xxhash.xxh3_128()
        with storage_errors(f"write {path}"):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
            self._handle = os.open(path, flags, 0o666)

    def add(self, keys: npt.NDArray[np.uint64], documents: npt.NDArray[np.uint32], buckets: int) -> None:
        """Write the postings of the next `buckets` buckets."""
        from dedup.kernels import index_postings as kernels

        heads = np.empty(buckets + 1, dtype=np.uint32)
        entries = np.empty(self.width * len(keys), dtype=np.uint16)
        kernels.pack(keys, documents, self.bits, self._buckets, self.entries, self.width, heads, entries)
        last = self._buckets + buckets == 1 << self.bits
        self._write(heads if last else heads[:-1], 4 * self._buckets, self._heads)
        self._write(entries, heads_bytes(self.bits) + 2 * self.width * self.entries, self._postings)
        self._buckets += buckets
        self.entries += len(keys)

    def finish(self) -> TableEntry:
        """Close the file; return what the manifest needs to know."""
        assert self._buckets == 1 << self.bits
        if not self.entries:  # all postings of a merge were of removed documents: nothing was written after the heads
            with storage_errors(f"write {self.path}"):
                os.ftruncate(self._handle, heads_bytes(self.bits))
        os.close(self._handle)
        sums = self._heads.hexdigest(), self._postings.hexdigest()
        return TableEntry(self.bits, self.known, self.width, self.entries, *sums)

    def abandon(self) -> None:
        """Close and remove the file."""
        with contextlib.suppress(OSError):
            os.close(self._handle)
        with contextlib.suppress(OSError):
            self.path.unlink()

    def _write(
        self, array: npt.NDArray[np.uint32] | npt.NDArray[np.uint16], at: int, checksum: xxhash.xxh3_128
    ) -> None:
        data = array.view(np.uint8).data
        checksum.update(data)
        write_at(self._handle, self.path, data, at)

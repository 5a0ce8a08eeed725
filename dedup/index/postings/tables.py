"""Tables of postings in files: written once, from start to end, and mapped into memory.

A file is the array of doors (uint64), zeros up to a multiple of 64 bytes, and the bytes of the entries, both as
`dedup.kernels.index_postings` has them. How many there are is in the manifest.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from dedup.errors import StorageError
from dedup.index.manifest import CHECK_IT, TableEntry
from dedup.storage.appended_file import write_at
from dedup.storage.atomic import storage_errors

__all__ = [
    "MOST_ENTRIES",
    "Shape",
    "Table",
    "TableWriter",
    "Tables",
    "described",
    "doors_bytes",
    "mapped",
    "open_table",
    "packed",
    "shape_for",
]

ALIGNED_ENTRIES = 64

ENTRIES_PER_BUCKET, ENTRIES_PER_HUGE = 8, 11
"""Entries of a bucket, at most, on average; at least half as many. With fewer, doors take more space; with more, their
filters are fuller. In a huge table space counts: with 8, doors would take up to 130 bytes for a text of 2 kB."""

MOST_ENTRIES = (1 << 32) - 1
"""Entries of a table: heads are 32 bits."""

HUGE_ENTRIES = 1 << 25
"""Entries, of about half a million texts of 2 kB."""

LARGE_ENTRIES = 1 << 22
"""Entries. A table with fewer keeps 8 bits more of each key, for the merges to come."""


class Shape(NamedTuple):
    """How the entries of a table are made. `dedup.kernels.index_postings` says what the fields are."""

    bits: int
    known: int
    number_bytes: int
    tag_bytes: int
    origin: int


class Table(NamedTuple):
    """A table in memory or mapped. `dedup.kernels.index_postings` says what the fields are."""

    doors: npt.NDArray[np.uint64]
    entries: npt.NDArray[np.uint8]
    bits: int
    known: int
    number_bytes: int
    tag_bytes: int
    origin: int

    @property
    def postings(self) -> int:
        """The number of entries."""
        from dedup.kernels.index_postings import PADDING_BYTES

        return (len(self.entries) - PADDING_BYTES) // (self.number_bytes + self.tag_bytes)


class Tables(NamedTuple):
    """Some tables that a kernel searches in one call: their descriptions (uint64), and the tables, so that they stay.

    `dedup.kernels.index_search` says what the words of a description are.
    """

    words: npt.NDArray[np.uint64]
    kept: tuple[Table, ...]


def described(tables: Sequence[tuple[Table, int]]) -> Tables:
    """Describe tables to kernels, each with the number after that of its last document."""
    from dedup.kernels.index_search import TABLE_WORDS

    words = np.empty((len(tables), TABLE_WORDS), dtype=np.uint64)
    for row, (table, end) in enumerate(tables):
        places = (each.__array_interface__["data"][0] for each in (table.doors, table.entries))
        words[row] = (*places, table.postings, *table[2:], end)
    return Tables(words, tuple(table for table, _ in tables))


def packed(keys: npt.NDArray[np.uint64], documents: npt.NDArray[np.uint32]) -> Table:
    """Return a table in memory."""
    from dedup.kernels import index_postings as kernels

    shape = shape_for(len(keys), 0, 1 << 32)
    doors = np.empty((1 << shape.bits) + 1, dtype=np.uint64)
    entries = np.zeros((shape.number_bytes + shape.tag_bytes) * len(keys) + kernels.PADDING_BYTES, dtype=np.uint8)
    kernels.pack(keys, documents, 0, 0, doors, entries, *shape)
    return Table(doors, entries, *shape)


def bits_for(entries: int) -> int:
    """Return how many bits of a key choose its bucket, in a table of so many entries; at least 1, at most 30."""
    most = ENTRIES_PER_BUCKET if entries < HUGE_ENTRIES else ENTRIES_PER_HUGE
    return min(max((max(entries, 1) // most).bit_length(), 1), 30)


def shape_for(entries: int, first: int, end: int, known: int = 64) -> Shape:
    """Return the shape of a table of so many entries, of the documents `first` to `end` - 1.

    Of the keys the first `known` bits are known.
    """
    bits, tag_bytes = bits_for(entries), 3 if entries < LARGE_ENTRIES else 2
    number_bytes = max(((end - first - 1).bit_length() + 7) // 8, 2)
    return Shape(bits, min(known, bits + 8 * tag_bytes), number_bytes, tag_bytes, first)


def doors_bytes(bits: int) -> int:
    """Return the bytes that the doors take in a file."""
    size = 8 * ((1 << bits) + 1)
    return size + -size % ALIGNED_ENTRIES


def mapped(path: Path, size: int) -> npt.NDArray[np.uint8]:
    """Return the first `size` bytes of a file, mapped. Raises `StorageError` if it has fewer, or is not there."""
    if size == 0:
        return np.empty(0, dtype=np.uint8)
    with storage_errors(f"read {path}", missing=f"the index is damaged; {CHECK_IT}"):
        found = path.stat().st_size
        if found < size:
            raise StorageError(f"expected {size:,} bytes in {path}, found {found:,}: the file was cut; {CHECK_IT}")
        return np.asarray(np.memmap(path, dtype=np.uint8, mode="r", shape=(size,)))


def open_table(path: Path, entry: TableEntry, origin: int) -> Table:
    """Map a table of a segment whose first document is `origin`."""
    from dedup.kernels.index_postings import PADDING_BYTES

    doors = doors_bytes(entry.bits)
    data = mapped(path, doors + (entry.number_bytes + entry.tag_bytes) * entry.entries + PADDING_BYTES)
    return Table(
        data[: 8 * ((1 << entry.bits) + 1)].view(np.uint64),
        data[doors:],
        entry.bits,
        entry.known,
        entry.number_bytes,
        entry.tag_bytes,
        origin,
    )


class TableWriter:
    """Writes a table from its first bucket to its last, some buckets at a time. The file is synced by the commit."""

    def __init__(self, path: Path, shape: Shape) -> None:
        self.path, self.shape = path, shape
        self.entries = 0
        self._buckets = 0
        self._doors, self._postings = xxhash.xxh3_128(), xxhash.xxh3_128()
        with storage_errors(f"write {path}"):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
            self._handle = os.open(path, flags, 0o666)

    def add(self, keys: npt.NDArray[np.uint64], documents: npt.NDArray[np.uint32], buckets: int) -> None:
        """Write the postings of the next `buckets` buckets."""
        from dedup.kernels import index_postings as kernels

        bits, size = self.shape.bits, self.shape.number_bytes + self.shape.tag_bytes
        doors = np.empty(buckets + 1, dtype=np.uint64)
        entries = np.empty(size * len(keys), dtype=np.uint8)
        kernels.pack(keys, documents, self._buckets, self.entries, doors, entries, *self.shape)
        last = self._buckets + buckets == 1 << bits
        self._write(doors if last else doors[:-1], 8 * self._buckets, self._doors)
        self._write(entries, doors_bytes(bits) + size * self.entries, self._postings)
        self._buckets += buckets
        self.entries += len(keys)

    def finish(self) -> TableEntry:
        """Close the file; return what the manifest needs to know."""
        from dedup.kernels.index_postings import PADDING_BYTES

        shape = self.shape
        assert self._buckets == 1 << shape.bits
        end = doors_bytes(shape.bits) + (shape.number_bytes + shape.tag_bytes) * self.entries
        self._write(np.zeros(PADDING_BYTES, dtype=np.uint8), end, self._postings)
        os.close(self._handle)
        sums = self._doors.hexdigest(), self._postings.hexdigest()
        return TableEntry(shape.bits, shape.known, shape.number_bytes, shape.tag_bytes, self.entries, *sums)

    def abandon(self) -> None:
        """Close and remove the file."""
        with contextlib.suppress(OSError):
            os.close(self._handle)
        with contextlib.suppress(OSError):
            self.path.unlink()

    def _write(self, array: npt.NDArray[np.uint64] | npt.NDArray[np.uint8], at: int, checksum: xxhash.xxh3_128) -> None:
        data = array.view(np.uint8).data
        checksum.update(data)
        write_at(self._handle, self.path, data, at)

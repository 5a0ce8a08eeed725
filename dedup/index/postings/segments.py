"""Segments: the postings of a range of documents, in five tables that never change.

====  =========  ============================================================
kind  a key is   the document is one that
====  =========  ============================================================
shingles         the hash of a shingle        has it in its set, and is the first of its copies
ids              the hash of an id            has this id
digests          the digest of the tokens     has these tokens, and is the first of its copies
copies           the hash of a number         is a copy of the document of this number
passages         a fingerprint                has it (`dedup.index.log.texts`), and is the first of its copies
====  =========  ============================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from dedup.index.manifest import TABLE_KINDS, SegmentEntry, TableEntry, table_name
from dedup.index.postings.tables import Table, Tables, TableWriter, described, open_table, shape_for

__all__ = ["Keys", "Segment", "hash_ids", "hash_numbers", "joined", "look_up", "open_segment", "write_segment"]


class Keys(NamedTuple):
    """Postings: key (uint64) and document (uint32), in the order of the documents."""

    keys: npt.NDArray[np.uint64]
    documents: npt.NDArray[np.uint32]


class Segment(NamedTuple):
    """An open segment: what the manifest says of it, and its tables by kind; those without entries are not there."""

    entry: SegmentEntry
    tables: dict[str, Table]


def joined(segments: Sequence[Segment], kind: str) -> Tables:
    """Return the tables of a kind of some segments, so that they are searched in one call."""
    return described([(each.tables[kind], each.entry.end) for each in segments if kind in each.tables])


def look_up(keys: npt.NDArray[np.uint64], tables: Tables) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return places in `keys` and documents that may have that key, by table and place."""
    from dedup.kernels import index_search as kernels

    if not len(tables.kept):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    found, total = kernels.lookup(keys, tables.words)
    return found[:total, 0].copy(), found[:total, 1].copy()


def open_segment(folder: Path, entry: SegmentEntry) -> Segment:
    """Map the tables of a segment. Raises `StorageError` if a file is not there or was cut."""
    tables = {
        kind: open_table(folder / table_name(entry.number, kind), table, entry.first)
        for kind, table in entry.tables.items()
        if table is not None
    }
    return Segment(entry, tables)


def write_segment(folder: Path, number: int, first: int, end: int, postings: Mapping[str, Keys]) -> SegmentEntry:
    """Write the postings of the documents `first` to `end` - 1 as a segment; its files are not synced yet."""
    made: dict[str, TableEntry | None] = {}
    for kind in TABLE_KINDS:
        keys, documents = postings[kind]
        made[kind] = None
        if len(keys):
            shape = shape_for(len(keys), first, end)
            writer = TableWriter(folder / table_name(number, kind), shape)
            try:
                writer.add(keys, documents, 1 << shape.bits)
            except BaseException:
                writer.abandon()
                raise
            made[kind] = writer.finish()
    return SegmentEntry(number, first, end, made)


def hash_numbers(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Return the hash of each number: the finaliser of splitmix64."""
    x = numbers.astype(np.int64).view(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def hash_ids(ids: list[int] | list[str]) -> npt.NDArray[np.uint64]:
    """Return the hash of each id; ids are of one type."""
    if ids and isinstance(ids[0], str):
        return np.array([xxhash.xxh3_64_intdigest(str(each).encode()) for each in ids], dtype=np.uint64)
    return hash_numbers(np.array(ids, dtype=np.int64))

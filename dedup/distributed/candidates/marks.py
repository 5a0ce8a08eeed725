"""Marks: which units may reach the threshold with another one, from the notes of all (`dedup.pairs.seen_twice`).

`Mark` has all notes of a part of the hash space. It enters them into a table of two bits a slot, and returns to each
block how many notes of each unit were entered once. In naive Python::

    twice = {note for note, times in Counter(notes of the part).items() if times > 1}
    unique = [sum(note not in twice for note in notes_of(unit)) for unit in block]

It also sees keys that two documents have, and names that several units have: these are exact copies.

`Survive` adds up what all parts returned to a block, and keeps the units with few unique hashes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dedup.distributed.job import CHANGED, Job
from dedup.distributed.transport.blocks import gaps_of, units_of
from dedup.distributed.transport.rows import Row, RowStage, by_part, narrow
from dedup.distributed.transport.sketches import SKETCHED, joined_sketches, row_of_sketches
from dedup.errors import InputError
from dedup.pairs.seen_twice import TWICE_SLOTS, bits_for

__all__ = ["Mark", "Survive"]

PASSED = ("fault", "nulls", "facts", "looks", "told", "about")
"""Kinds of rows that a stage hands on as they are."""

OF_REPEATED = {"notes": "repeated", "documents": "repeated documents", "given": "repeated given"}
"""Kinds of rows with keys that differ, unless ids are equal, and the kinds of what goes out if they do not."""

MOST_MARK_BITS = 32
"""Bits of a slot, at most: those of a note."""

FULL_MARK = np.uint64(0xFFFFFFFFFFFFFFFF)


@dataclass(frozen=True)
class Mark(RowStage):
    """Notes in, the number of unique ones out."""

    job: Job

    def _rows(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Row]:
        for part, kinds in by_part(batches):
            for kind in PASSED:
                yield from kinds.get(kind, [])
            sketches = joined_sketches(kinds.get(SKETCHED, [])).made()
            if sketches is not None:
                yield row_of_sketches(part, sketches)
            noted = kinds.get("notes", [])
            if noted:
                yield from self._unique(noted)
                yield from _copies(part, noted)
            for kind in OF_REPEATED:
                yield from _repeated_keys(part, kind, kinds.get(kind, []))

    def _unique(self, noted: list[Row]) -> Iterator[Row]:
        from dedup.kernels.seen_twice import SAMPLES, count_alone, enter

        bits = min(bits_for(TWICE_SLOTS * sum(len(row["notes"]) for row in noted)), MOST_MARK_BITS)
        table = np.zeros(1 << (bits - 5), dtype=np.uint64)
        everything = SAMPLES, np.uint64(0), FULL_MARK, 64 - bits
        for row in noted:
            enter(row["notes"].astype(np.uint64) << np.uint64(32), *everything, table)
        for row in noted:
            values = row["notes"].astype(np.uint64) << np.uint64(32)
            units, counts = units_of(row.arrays)
            offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts)))
            unique = np.zeros(len(offsets) - 1, dtype=np.int64)
            count_alone(values, offsets, *everything, table, unique)
            arrays = {"counts": narrow(unique)}
            if "gaps" in row.arrays:
                arrays = {"gaps": gaps_of(np.repeat(units, unique))}
            yield Row(row.block % self.job.parts, "unique", row.block, arrays)


def _repeated_keys(part: int, kind: str, rows: list[Row]) -> Iterator[Row]:
    """Yield the keys that several units have, or several ids that the user gave, if there are any."""
    keys = np.sort(np.concatenate([np.empty(0, dtype=np.uint64), *(row["keys"] for row in rows)]))
    again = np.unique(keys[1:][keys[1:] == keys[:-1]])
    if len(again):
        yield Row(part, OF_REPEATED[kind], 0, {"keys": again})


def _copies(part: int, noted: list[Row]) -> Iterator[Row]:
    """Yield the units that have exact copies: one set of copies after the other, and their sizes."""
    low, high, keys = (np.concatenate([row[name] for row in noted]) for name in ("low", "high", "named"))
    order = np.lexsort((keys, high, low))
    low, high, keys = low[order], high[order], keys[order]
    first = np.ones(len(keys) + 1, dtype=np.bool_)
    first[1:-1] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    starts = np.flatnonzero(first)
    sizes = np.diff(starts)
    several = np.repeat(sizes > 1, sizes)
    if several.any():
        yield Row(part, "copies", 0, {"keys": keys[several], "sizes": narrow(sizes[sizes > 1])})


@dataclass(frozen=True)
class Survive(RowStage):
    """The numbers of unique notes in, the keys of units that may be in a pair out."""

    job: Job

    def _rows(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Row]:
        for part, kinds in by_part(batches):
            for kind in (*PASSED[:-1], SKETCHED, *OF_REPEATED.values(), "copies"):
                yield from kinds.get(kind, [])
            unique = {row.block: np.zeros(len(row["sizes"]), dtype=np.int64) for row in kinds.get("about", [])}
            for row in kinds.get("unique", []):
                if row.block not in unique:
                    raise InputError(CHANGED)
                units, counts = units_of(row.arrays)
                unique[row.block][units] += counts  # each once
            kept = []
            for row in kinds.get("about", []):
                sizes = row["sizes"].astype(np.int64)
                chosen = (sizes > 0) & (unique[row.block] <= self.job.threshold.may_be_unique(sizes))
                kept.append(row["keys"][chosen])
            if kept:
                yield Row(part, "survivors", 0, {"keys": np.concatenate(kept)})

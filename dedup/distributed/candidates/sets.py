"""Sets: the texts are read a second time, and the sorted sets of the units that may be in a pair are held.

With them is held what is told of these units and of exact copies (`dedup.distributed.texts.linked`), in case they are
linked: so the texts need not be read a third time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.distributed.job import Job, hashed_pieces
from dedup.distributed.texts.linked import Telling
from dedup.distributed.transport.blocks import TASK_BYTES, cut, packed, shared_out, squeezed, unsqueezed
from dedup.distributed.transport.keys import Bloom, Keys, block_key, places_of
from dedup.distributed.transport.rows import Row, RowStage, narrow, rows_of
from dedup.hashing.forms import FORMS
from dedup.hashing.units import HashSets
from dedup.pairs.verify import Groups, columns_of

__all__ = ["Hold", "Send", "SetBlock", "joined_sets", "set_blocks"]


@dataclass(frozen=True)
class SetBlock:
    """Some units with their sets, in one row of kind "sets"; `groups` has no rows if nothing keeps units apart."""

    keys: Keys
    sizes: npt.NDArray[np.int64]
    values: npt.NDArray[np.uint64]
    groups: Groups

    @classmethod
    def of(cls, row: Row) -> SetBlock:
        """Return the units of a row."""
        keys = row["keys"]
        groups = row["groups"].reshape(len(row["groups"]) // max(len(keys), 1), len(keys))
        sizes = row["sizes"].astype(np.int64)
        return cls(keys, sizes, unsqueezed(row.arrays, sizes), groups)

    def row(self) -> Row:
        """Return the units as a row that is held."""
        return self._row(0, {"values": self.values})

    def sent(self, part: int) -> Row:
        """Return the units as a row for a part, in fewer bytes."""
        return self._row(part, squeezed(self.values, self.sizes))

    def _row(self, part: int, values: dict[str, npt.NDArray[Any]]) -> Row:
        arrays = {"keys": self.keys, "sizes": narrow(self.sizes), **values, "groups": self.groups.reshape(-1)}
        return Row(part, "sets", block_key(self.keys), arrays)

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """The place of the first hash of each unit."""
        return np.cumsum(self.sizes) - self.sizes

    def sets(self) -> HashSets:
        """Return the sets as the kernels take them."""
        return HashSets(self.values, self.starts, self.sizes)

    def take(self, units: npt.NDArray[np.int64]) -> SetBlock:
        """Return some of the units."""
        values = packed(self.values, self.starts[units], self.sizes[units])
        return SetBlock(self.keys[units], self.sizes[units], values, columns_of(self.groups, units))


def joined_sets(rows: Iterable[Row]) -> SetBlock:
    """Return the units of all rows by their keys, ascending, each once."""
    return _joined([SetBlock.of(row) for row in rows])


def _joined(blocks: list[SetBlock]) -> SetBlock:
    keys, sizes, values = (
        np.concatenate([getattr(block, name) for block in blocks]) for name in ("keys", "sizes", "values")
    )
    groups = np.concatenate([block.groups for block in blocks], axis=1)
    return SetBlock(keys, sizes, values, groups).take(np.unique(keys, return_index=True)[1])


@dataclass(frozen=True)
class Hold(RowStage):
    """Texts in, the sets of the units whose keys pass the filter `survivors` out, and what `telling` tells of these and
    of those whose keys pass the filter `copies`.

    The units of a task are sorted by key and then cut into blocks: if the task is repeated, it makes the same blocks,
    also if the rows come in another order.
    """

    job: Job
    survivors: Bloom
    copies: Bloom | None
    telling: Telling

    def _rows(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Row]:
        held: list[SetBlock] = []
        size = 0
        for block, told in self._blocks(batches):
            yield told
            held.append(block)
            size += block.values.nbytes
            if size >= TASK_BYTES:
                yield from _cut(held)
                held, size = [], 0
        if size:
            yield from _cut(held)

    def _blocks(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[SetBlock, Row]]:
        from dedup.kernels.sets import distinct

        job = self.job.here()
        for hashed in hashed_pieces(batches, job, self._held, FORMS):
            if not len(hashed.keys):
                continue
            sizes = np.zeros(len(hashed.keys), dtype=np.int64)
            distinct(hashed.hashes, hashed.offsets, sizes, np.arange(len(sizes), dtype=np.int64))
            told = self.telling.row(hashed, sizes)
            units = np.flatnonzero((sizes > 0) & self.survivors(hashed.keys))
            gathered = packed(hashed.hashes, hashed.offsets[units], sizes[units])
            groups = columns_of(hashed.groups(job.distinct), units)
            yield SetBlock(hashed.keys[units], sizes[units], gathered, groups), told

    def _held(self, keys: Keys) -> npt.NDArray[np.bool_]:
        passed = self.survivors(keys)
        return passed if self.copies is None else passed | self.copies(keys)


def set_blocks(batches: Iterable[pa.RecordBatch]) -> Iterator[SetBlock]:
    """Yield the sets among what is held."""
    return (SetBlock.of(row) for row in rows_of(batches, "sets"))


def _cut(blocks: list[SetBlock]) -> Iterator[Row]:
    """Yield the units of all blocks, by key, in blocks of a bounded size."""
    every = _joined(blocks)
    for units in cut(every.sizes):
        yield every.take(units).row()


@dataclass(frozen=True)
class Send(RowStage):
    """Sets in, sets out: unit ``keys[i]`` (ascending) goes to each of the parts ``parts[bounds[i]:bounds[i + 1]]``."""

    keys: Keys
    bounds: npt.NDArray[np.int64]
    parts: npt.NDArray[np.int64]

    @classmethod
    def to(cls, keys: Keys, parts: npt.NDArray[np.int64]) -> Send:
        """Return the stage that sends unit ``keys[i]`` to part ``parts[i]``; a key may occur several times."""
        order = np.lexsort((parts, keys))
        keys, parts = keys[order], parts[order]
        new = np.ones(len(keys), dtype=np.bool_)
        new[1:] = (keys[1:] != keys[:-1]) | (parts[1:] != parts[:-1])
        keys, parts = keys[new], parts[new]
        each, first = np.unique(keys, return_index=True)
        return cls(each, np.append(first, len(keys)).astype(np.int64), parts)

    def _rows(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Row]:
        for block in set_blocks(batches):
            places = places_of(block.keys, self.keys)
            units = np.flatnonzero(places >= 0)
            counts = self.bounds[places[units] + 1] - self.bounds[places[units]]
            ends = np.cumsum(counts)
            inside = np.arange(int(ends[-1]) if len(ends) else 0, dtype=np.int64) - np.repeat(ends - counts, counts)
            to = self.parts[np.repeat(self.bounds[places[units]], counts) + inside]
            sent = np.repeat(units, counts)
            for part, some in shared_out(to):
                yield block.take(sent[some]).sent(part)

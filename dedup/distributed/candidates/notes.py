"""Notes: the first stage reads every text once, and notes 32 bits of each sampled hash for the part that marks it.

Hashes are cut into parts by their top bits. A row goes to each part: the notes of a block's units in this part (in the
order of the units), how many notes each unit has there, and the keys and names whose own bits belong to this part.
One more row says what the last of the three stages needs of the block: the keys and sizes of its units.

The units of a task are sorted by key and then cut into blocks: if the task is repeated, it makes the same blocks, also
if the rows come in another order.

Cost: 4 bytes of shuffle a sampled hash; 32 bytes a unit, and one a unit and part.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.clusters.looks import Looks
from dedup.distributed.job import ACROSS, BY, GIVEN, ID, Hashed, Job, hashed_pieces, piece_keys
from dedup.distributed.texts.told import Told
from dedup.distributed.transport.blocks import TASK_BYTES, counted, cut, shared_by_bits
from dedup.distributed.transport.keys import Keys, block_key, document_keys
from dedup.distributed.transport.rows import Row, RowStage, narrow
from dedup.distributed.transport.sketches import row_of_sketches, spread
from dedup.hashing.labels import LABEL
from dedup.hashing.sketches import Sketcher
from dedup.hashing.units import count_short
from dedup.pairs.seen_twice import sample_for
from dedup.results.search_info import Read

__all__ = ["FACTS", "Note", "share_out"]

FACTS = Read._fields
"""What is counted in the first stage."""

NOTED_HASHES, NOTED_UNITS = 1 << 23, 1 << 18
"""Sampled hashes, units. A block has at most so many: the larger it is, the fewer rows go to each part. Sharing it out
takes 40 bytes a hash."""


def share_out(
    values: npt.NDArray[np.uint64], starts: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], bits: int
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]]:
    """Yield, for each of ``2 ** bits`` parts, the unit of each of its hashes, and the notes of these, in order.

    Unit i has the hashes ``values[starts[i]:starts[i] + sizes[i]]``; a note has the 32 bits after those of the part.
    """
    from dedup.kernels.parts import share_rows

    bounds, count = np.empty((1 << bits) + 1, dtype=np.int64), int(sizes.sum())
    notes, units = np.empty(count, dtype=np.uint32), np.empty(count, dtype=np.int64)
    share_rows(values, starts, sizes, bits, bounds, notes, units)
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        yield units[start:end], notes[start:end]


class _Noted(NamedTuple):
    """The keys, sizes and names of some units, how many sampled hashes each has, and where they begin in `sampled`."""

    keys: Keys
    sizes: npt.NDArray[np.int64]
    names: npt.NDArray[np.uint64]
    counts: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    sampled: npt.NDArray[np.uint64]

    def take(self, units: npt.NDArray[np.int64]) -> _Noted:
        """Return some of the units; the hashes are not copied."""
        some = self.keys[units], self.sizes[units], self.names[units], self.counts[units], self.starts[units]
        return _Noted(*some, self.sampled)


@dataclass(frozen=True)
class Note(RowStage):
    """Texts in, notes out."""

    job: Job

    def _rows(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Row]:
        fault = self.job.fault()
        if fault is not None:
            yield Row(0, "fault", 0, {"message": np.frombuffer(fault.encode(), dtype=np.uint8)})
            return
        job, nulls = self.job.here(), 0
        held: list[_Noted] = []
        facts, size = np.zeros((2, len(FACTS)), dtype=np.int64), 0
        sketcher = Sketcher()
        told, looks, named = Told(), Looks(job.keep), dict[str, list[Keys]](documents=[], given=[])
        for batch in batches:
            missing = batch.column(ID).null_count
            nulls += missing
            if missing:
                continue
            units = 0
            for hashed in hashed_pieces([batch], job, forms=job.distinct):
                units += len(hashed.keys)
                facts[0] += _facts(hashed, job, np.ones(len(hashed.batch), dtype=np.bool_))
                if job.sides:
                    sides = hashed.batch.column(ACROSS).to_numpy(zero_copy_only=False)
                    facts[1] += _facts(hashed, job, sides > 0)
                _show(sketcher, hashed, job)
                held.append(_noted(hashed, job))
                size += held[-1].sampled.nbytes
                if size >= TASK_BYTES:
                    yield from self._cut(held)
                    held, size = [], 0
            told.add(batch, units)
            if BY in batch.schema.names:
                looks.add(batch.column(BY))
            if GIVEN in batch.schema.names:
                named["given"].append(document_keys(batch.column(GIVEN), job.shingle.key, job.seed))
            if not job.unit.whole:
                named["documents"].append(piece_keys(batch, job))
        if held:
            yield from self._cut(held)
        if nulls:
            yield Row(0, "nulls", 0, {"count": np.array([nulls])})
        yield Row(0, "facts", 0, {"facts": facts[0], "right": facts[1]})
        sketches = sketcher.made()
        if sketches is not None:
            yield row_of_sketches(spread(sketches, job.part_bits), sketches)
        yield Row(0, "looks", 0, {"looks": np.frombuffer(pickle.dumps(looks), dtype=np.uint8)})
        yield from told.rows()
        for kind, found in named.items():
            keys = np.concatenate([np.empty(0, dtype=np.uint64), *found])
            for part, some in shared_by_bits(keys, job.part_bits):
                yield Row(part, kind, 0, {"keys": keys[some]})

    def _cut(self, held: list[_Noted]) -> Iterator[Row]:
        """Yield the notes of all units, by key, in blocks; `held` is emptied."""
        columns = [np.concatenate(each) for each in zip(*held, strict=True)]
        held.clear()  # its memory is not needed twice
        every = _Noted(*columns)
        every = every._replace(starts=np.cumsum(every.counts) - every.counts)
        order = np.argsort(every.keys, kind="stable")
        for some in cut(every.counts[order], NOTED_HASHES, NOTED_UNITS):
            yield from self._shared(every.take(order[some]))

    def _shared(self, noted: _Noted) -> Iterator[Row]:
        """Yield the rows of a block."""
        bits, block = self.job.part_bits, block_key(noted.keys)
        filled = noted.sizes > 0
        names, named_keys = noted.names[filled], noted.keys[filled]
        own, named = dict(shared_by_bits(noted.keys, bits)), dict(shared_by_bits(names[:, 0].copy(), bits))
        nothing = np.empty(0, dtype=np.int64)
        for part, (units, notes) in enumerate(share_out(noted.sampled, noted.starts, noted.counts, bits)):
            some = named.get(part, nothing)
            arrays = {**counted(units, len(noted.keys)), "notes": notes, "keys": noted.keys[own.get(part, nothing)]}
            arrays |= {"low": names[some, 0], "high": names[some, 1], "named": named_keys[some]}
            yield Row(part, "notes", block, arrays)
        yield Row(block % self.job.parts, "about", block, {"keys": noted.keys, "sizes": narrow(noted.sizes)})


def _noted(hashed: Hashed, job: Job) -> _Noted:
    """Return what is noted of the units of a piece; their hashes are overwritten."""
    from dedup.kernels.parts import keep_sampled

    counts = np.empty(len(hashed.keys), dtype=np.int64)
    sampled = hashed.hashes[: keep_sampled(hashed.hashes, hashed.offsets, sample_for(job.threshold), counts)].copy()
    return _Noted(hashed.keys, hashed.sizes, hashed.copy_names(job.distinct), counts, counts, sampled)


def _show(sketcher: Sketcher, hashed: Hashed, job: Job) -> None:
    """Show the units of a piece to a sketcher. The place of a unit is its side, where there are two."""
    documents, forms = hashed.places[:, 0], hashed.forms
    if job.sides:
        documents = hashed.batch.column(ACROSS).to_numpy(zero_copy_only=False).astype(np.int64)[documents]
        forms = {name: values for name, values in forms.items() if name != LABEL}
    sketcher.see(hashed.hashes, hashed.offsets, hashed.digests, documents, forms)


def _facts(hashed: Hashed, job: Job, documents: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return what is counted, of some texts of a piece."""
    own = documents[hashed.places[:, 0]]
    sizes, places = hashed.sizes[own], hashed.places[own, 0]
    filled, texts = sizes > 0, np.count_nonzero(documents)
    full = len(np.unique(places[filled]))
    return np.array([texts, len(sizes), full, np.count_nonzero(filled), count_short(sizes, job.shingle)])

"""The compact filter: the candidates of a large collection in memory, without holding the hashes of all its units.

Most texts of most collections are not similar to any other. Their hashes need not be held until that is known: the
seen-twice table (`dedup.pairs.seen_twice`) uses only a part of the hash space and half of each hash. So the texts are
read once, and 4 bytes are noted per sampled hash. Then the candidates are read again. In naive Python::

    noted = [[(h >> shift, row) for h in hashes(row) if sampled(h)] for row in rows]
    twice = slots that occur twice in noted
    candidates = [row for row in rows if slots of row that are not in twice <= what row may miss]
    units = {row: hashes(row) for row in candidates}                               # the second reading

Memory: 1.5 bytes per shingle at a threshold of 0.8, plus 8 per shingle of a candidate, instead of 9.5 per shingle. The
first use of memory costs as much time as reading texts, so this is also faster, unless most texts are candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

import numpy as np
import numpy.typing as npt

from dedup.hashing.forms import Forms, joined
from dedup.hashing.source import HashSource, HeldUnits, TextSource
from dedup.hashing.units import HashedBlock, Units, count_short, hash_block, hash_texts, read_units
from dedup.pairs.seen_twice import MAX_CANDIDATE_SHARE, TWICE_SLOTS, alike, bits_for, mostly_shared, sample_for
from dedup.runtime.arrays import sorted_unique
from dedup.runtime.buffers import BufferPool
from dedup.runtime.ordered import OrderedArray
from dedup.runtime.threads import map_blocks
from dedup.sources.texts import Block
from dedup.threshold import Threshold

__all__ = ["FILTER_LIMITS", "FilterLimits", "Notes", "hold_candidates", "pays"]

LEAST_CHARACTERS = 1 << 27
"""Characters of a collection, if `CHARACTERS_PER_SHINGLE` of them are one shingle. Of a smaller one all hashes are
held. Curve:
`benchmarks.tuning.compact_filter_least_characters`; on generated:80000 to hold the hashes takes 1.2 times as long as to
filter them, and 493 MB, not 310; on generated:20000 as long, and 124 MB, not 82 (two cores, 2026-11)."""

CHARACTERS_PER_SHINGLE = 6
"""Characters of text with spaces for each shingle of words. Where every character begins a shingle, a collection is
as large with a sixth of the characters."""

PROBED_PLACES, TEXTS_PER_PLACE = 32, 8
"""Places of the collection that are sampled first, and consecutive texts at each. Versions of a text are often close to
each other. Curve: `benchmarks.tuning.compact_filter_probed_places`; flat from 8 to 64 on generated:20000 and from 8 to
128 on ota_dev (two cores, 2026-11)."""

PROBED_CHARACTERS = 1 << 22
"""Characters of the sampled texts, roughly and at most; at least one place is sampled. Curve:
`benchmarks.tuning.compact_filter_probed_characters`; flat from 2^18 to 2^24 on generated:10000 (two cores, 2026-11)."""

MOST_SAMPLED = 0.5
"""Share of the hash space that is noted. If it is more, holding the hashes costs no more. Curve:
`benchmarks.tuning.compact_filter_most_sampled`; flat from 0.1 to 0.9 on generated:20000 (two cores, 2026-11)."""

NOTE_PART_BITS = 8
"""Bits of the number of a part. There are 256 parts: a block has some hundred notes in each, and a part of a table of
10^9 slots fits into the cache. Curve: `benchmarks.tuning.compact_filter_note_part_bits`; flat from 6 to 10 on
generated:20000 (two cores, 2026-11)."""

NOTED_ROWS = 1 << 16
"""Rows of a block that are noted together, at most. Curve: `benchmarks.tuning.compact_filter_noted_rows`; flat from 256
to 2^16 on generated:100000:150 (two cores, 2026-11)."""

NOTE_BITS = 32
"""Bits of a note."""


@dataclass(frozen=True)
class FilterLimits:
    """For which collections the filter pays, and how many rows are noted together: see the constants.

    `most_shared` is the share of the sampled texts that may seem to be candidates.
    """

    least_characters: int = LEAST_CHARACTERS
    probed_characters: int = PROBED_CHARACTERS
    most_shared: float = MAX_CANDIDATE_SHARE
    noted_rows: int = NOTED_ROWS


FILTER_LIMITS = FilterLimits()


def pays(source: HashSource, threshold: Threshold, *, limits: FilterLimits = FILTER_LIMITS) -> TypeGuard[TextSource]:
    """Return whether to hold only candidates: for many texts that are in memory, so can be read twice, and differ."""
    from dedup.kernels.seen_twice import SAMPLES

    if not isinstance(source, TextSource):
        return False
    texts = source.texts
    if not texts.at_hand or sample_for(threshold) > MOST_SAMPLED * SAMPLES:
        return False
    extent = texts.extent()
    if extent * CHARACTERS_PER_SHINGLE < limits.least_characters:
        return False
    places = max(1, min(PROBED_PLACES, limits.probed_characters * len(texts) // (max(extent, 1) * TEXTS_PER_PLACE)))
    firsts = np.linspace(0, max(len(texts) - TEXTS_PER_PLACE, 0), places).astype(np.int64)
    rows = sorted_unique((firsts[:, np.newaxis] + np.arange(TEXTS_PER_PLACE)).ravel())
    some = texts.some(rows[rows < len(texts)])
    units = read_units(some, source.shingle, unit=source.unit, threads=1)
    shingles = len(units.hashes) * extent // max(some.extent(), 1)
    if max(extent, CHARACTERS_PER_SHINGLE * shingles) < limits.least_characters:
        return False
    return not mostly_shared(alike(units.rows, units.full, 1), most=limits.most_shared)


class _Noted(NamedTuple):
    """Where the notes of some rows are, part by part (`dedup.kernels.seen_twice.share_out`)."""

    bounds: npt.NDArray[np.int64]
    pages: npt.NDArray[np.int32]
    rows: int


class Notes:
    """The notes of all rows, in order, of about `texts` texts. Only `take` may be called by several threads.

    `sample` parts of the hash space are noted (`dedup.pairs.seen_twice.sample_for`), in ``2 ** part_bits`` parts of the
    table. A note has 24 bits of a slot, so the number of parts bounds the size of the table. At most `together` rows of
    a block are noted together.
    """

    def __init__(
        self,
        sample: int,
        part_bits: int = NOTE_PART_BITS,
        *,
        texts: int,
        threads: int = 1,
        together: int = NOTED_ROWS,
    ) -> None:
        self._sample, self._part_bits, self._together = sample, part_bits, together
        self._notes: OrderedArray[np.uint32] = OrderedArray(np.uint32, texts, alone=threads == 1)
        self._ends = [0]
        self._bounds: list[npt.NDArray[np.int64]] = []
        self._pages: list[npt.NDArray[np.int32]] = []
        self._rows: list[int] = []

    def take(self, number: int, hashed: HashedBlock) -> list[_Noted]:
        """Keep the notes of a block, and return where they are; blocks are numbered from 0."""
        from dedup.kernels import seen_twice as kernels

        noted, end = [], 0
        notes = self._notes.buffer(int(hashed.offsets[-1] - hashed.offsets[0]))
        for first in range(0, len(hashed.offsets) - 1, self._together):
            offsets = hashed.offsets[first : first + self._together + 1]
            bounds = np.empty((1 << self._part_bits) + 1, dtype=np.int64)
            pages = np.empty(((len(offsets) - 2) // kernels.PAGE + 1, 1 << self._part_bits), dtype=np.int32)
            free = notes[end:]
            count = kernels.share_out(hashed.hashes, offsets, self._sample, self._part_bits, bounds, pages, free)
            noted.append(_Noted(bounds, pages, len(offsets) - 1))
            end += count
        self._notes.put(number, notes[:end], hashed.texts)
        return noted

    def add(self, noted: list[_Noted]) -> None:
        """Add a block, the next one."""
        for bounds, pages, rows in noted:
            self._bounds.append(bounds)
            self._pages.append(pages)
            self._rows.append(rows)
            self._ends.append(self._ends[-1] + int(bounds[-1]))

    def unique(self, threads: int, progress: Callable[[int], None]) -> npt.NDArray[np.int64]:
        """Return a lower bound, per row, of its hashes that occur in no other row; it may be called once."""
        from dedup.kernels import seen_twice as kernels

        bounds = np.array(self._bounds, dtype=np.int64).reshape(-1, (1 << self._part_bits) + 1)
        bounds += np.array(self._ends[:-1], dtype=np.int64)[:, np.newaxis]
        notes = self._notes.array()
        slot_bits = min(max(bits_for(TWICE_SLOTS * len(notes)) - self._part_bits, 5), NOTE_BITS - kernels.ROW_BITS)

        def mark(part: int) -> None:
            table = np.zeros(1 << (slot_bits - 5), dtype=np.uint64)
            kernels.mark(notes, bounds, part, NOTE_BITS - slot_bits, kernels.ROW_BITS, table)

        def count(group: int) -> npt.NDArray[np.int64]:
            unique = np.zeros(self._rows[group], dtype=np.int64)
            kernels.add_alone(notes, bounds[group], self._pages[group], unique)
            return unique

        for part, _ in enumerate(map_blocks(mark, range(1 << self._part_bits), threads), start=1):
            progress(part)
        return np.concatenate([np.empty(0, dtype=np.int64), *map_blocks(count, range(len(bounds)), threads)])

    def hash_buffer(self, size: int) -> npt.NDArray[np.uint64]:
        """Return an array for `size` hashes, in the memory of the notes, which are not valid afterwards."""
        self._pages = []
        return self._notes.reuse(size, np.uint64)


def hold_candidates(source: TextSource, threshold: Threshold, *, limits: FilterLimits = FILTER_LIMITS) -> HeldUnits:
    """Return all units, with the hashes of the candidates.

    Cost: the texts are read, and the texts with a candidate a second time.
    """
    texts, shingle, unit, threads, stages = source.texts, source.shingle, source.unit, source.threads, source.stages
    notes = Notes(sample_for(threshold), texts=len(texts), threads=threads, together=limits.noted_rows)
    hashes, folding = BufferPool(), BufferPool()
    sketcher = source.sketcher if source.first_reading else None

    def note(job: tuple[int, Callable[[], Block]]) -> tuple[HashedBlock, npt.NDArray[np.int64], list[_Noted]]:
        number, load = job
        block = load()
        how: dict[str, Any] = {"unit": unit, "make_buffer": hashes.take, "spare": folding, "sketcher": sketcher}
        hashed = hash_block(block, shingle, forms=source.forms, labels=source.labels, **how)
        block.release()
        noted = notes.take(number, hashed)
        hashes.give(hashed.hashes)
        return hashed._replace(hashes=hashed.hashes[:0]), np.diff(hashed.offsets), noted

    digests: list[npt.NDArray[np.uint64]] = [np.empty((0, 2), dtype=np.uint64)]
    places: list[npt.NDArray[np.int64]] = [np.empty((0, unit.place_columns), dtype=np.int64)]
    every_size: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
    forms: list[Forms] = []
    done, count = 0, len(texts)
    report = stages.stage("read", count)
    for hashed, own_sizes, noted in map_blocks(note, enumerate(texts.loads()), threads):
        done += hashed.texts
        digests.append(hashed.digests)
        places.append(hashed.places)
        forms.append(hashed.forms)
        every_size.append(own_sizes)
        notes.add(noted)
        report(done)
    source.end_reading()
    sizes = np.concatenate(every_size)
    unique = notes.unique(threads, stages.stage("mark", 1 << NOTE_PART_BITS))
    chosen = (sizes > 0) & (unique <= threshold.may_be_unique(sizes))
    units = Units(
        np.concatenate(places),
        np.empty(0, dtype=np.uint64),
        np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(np.where(chosen, sizes, 0)))),
        np.concatenate(digests),
        np.full(len(sizes), -1, dtype=np.int64),
        sizes > 0,
        count_short(sizes, shingle),
        joined(forms, source.forms),
    )
    documents = sorted_unique(units.places[chosen, 0])
    pool: OrderedArray[np.uint64] = OrderedArray(
        np.uint64,
        len(documents),
        alone=threads == 1 or not unit.whole,
        memory=notes.hash_buffer(int(units.offsets[-1])),
    )
    again = hash_texts(
        texts.some(documents),
        shingle,
        lambda _: None,
        unit=unit,
        threads=threads,
        pool=pool if unit.whole else None,  # every document that is read again is a candidate
        labels=source.labels.take(documents),
        progress=stages.stage("hold", len(documents)),
    )
    if unit.whole:
        for _ in again:
            pass
    else:
        _hold((block for block, _ in again), chosen[np.isin(units.places[:, 0], documents)], pool)
    units.hashes = pool.array()
    assert len(units.hashes) == units.offsets[-1], "texts are the same when they are read again"
    return HeldUnits(units)


def _hold(parts: Iterator[HashedBlock], chosen: npt.NDArray[np.bool_], pool: OrderedArray[np.uint64]) -> None:
    """Append the hashes of the chosen units to `pool`, which has space for them."""
    unit = 0
    for number, part in enumerate(parts):
        sizes = np.diff(part.offsets)
        own = chosen[unit : unit + len(sizes)]
        pool.put(number, part.hashes if own.all() else part.hashes[np.repeat(own, sizes)], part.texts)
        unit += len(sizes)
    assert unit == len(chosen), "texts are the same when they are read again"

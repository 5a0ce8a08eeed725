"""Counters: in how many rows the hashes of a join occur, which decides their common order: the rarest come first.

They are made part by part of the hash space, so that threads share all of the work and none of the memory
(`dedup.kernels.counters`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import HashSets
from dedup.pairs.seen_twice import bits_for
from dedup.runtime.arrays import portions, runs_of
from dedup.runtime.threads import done_by

__all__ = ["COUNT_LIMITS", "PARTS_BITS", "CountLimits", "Counted", "count_hashes"]


COUNTED_SLOTS = 2
"""Slots of the table of counters per hash. Then one of three hashes seems to occur more often than it does. Curve:
`benchmarks.tuning.counters_counted_slots`; flat from 1 to 4 on generated:100000, where 8 takes 1.19 times as long (two
cores, 2026-11)."""

COUNTED_TOGETHER = 1 << 25
"""Hashes that are counted at a time, about: a band of the hash space. They take 4 bytes each. Curve:
`benchmarks.tuning.counters_counted_together`; flat from 2^19 to 2^28 on generated:100000 (two cores, 2026-11)."""

COUNTED_CHUNK = 1 << 17
"""Hashes that a thread sorts into parts at a time. Curve: `benchmarks.tuning.counters_counted_chunk`; flat from 2^13 to
2^21 on generated:100000 (two cores, 2026-11)."""

COUNTED_PART_BITS = 18
"""Bits of a slot within its part, at most: the table of a part has 256 kB. Curve:
`benchmarks.tuning.counters_counted_part_bits`; flat from 15 to 24 on versions:2650:45000, where 12 takes 1.24 times as
long (two busy cores, 2026-11)."""

PARTS_BITS = 6
"""There are 64 parts where there is enough to share out, so that as many threads have work."""


@dataclass(frozen=True)
class CountLimits:
    """How hashes are cut for the threads when they are counted: see the constants."""

    together: int = COUNTED_TOGETHER
    chunk: int = COUNTED_CHUNK
    part_bits: int = COUNTED_PART_BITS


COUNT_LIMITS = CountLimits()


class Counted(NamedTuple):
    """Rows, and in how many rows their first hashes occur: for row i ``below[i]`` counters, from ``starts[i]`` on.

    A counter of 1 marks a hash that cannot prove a pair; row i has ``unique[i]`` of them. Counters are exact up to 128;
    above, they are classes. The counters are uint8, all else is int64.
    """

    rows: npt.NDArray[np.int64]
    below: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    unique: npt.NDArray[np.int64]
    counters: npt.NDArray[np.uint8]

    def take(self, places: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Counted:
        """Return some of the rows."""
        return Counted(self.rows[places], self.below[places], self.starts[places], self.unique[places], self.counters)


def count_hashes(
    sets: HashSets,
    sides: Sequence[npt.NDArray[np.int64]],
    sample: int,
    threads: int,
    *,
    limits: CountLimits = COUNT_LIMITS,
) -> list[Counted]:
    """Count the distinct hashes of rows in the first `sample` of `SAMPLES` parts of the hash space, for each side.

    With two sides, hashes that only one of them has get the counter 1, the others the sum of both. The counters do not
    depend on the threads. Memory: one byte per counted hash, and while it runs 4 bytes for each of about
    ``limits.together`` of them; 256 kB per thread and side.
    """
    from dedup.kernels import counters as kernels
    from dedup.kernels.seen_twice import SAMPLES

    limit = (sample << 64) // SAMPLES - 1
    spread = SAMPLES.bit_length() - 1 - (sample - 1).bit_length()
    slots = COUNTED_SLOTS * len(sides)  # each side has a table of its own
    bits = bits_for(max(slots * int(sets.sizes[rows].sum()) * sample // SAMPLES for rows in sides))
    slot_bits = min(limits.part_bits, max(bits - PARTS_BITS, 8))
    shift = 64 - bits - spread + slot_bits

    rows = np.concatenate(sides)
    below = sets.sizes[rows]
    if sample < SAMPLES:
        below = np.empty(len(rows), dtype=np.int64)

        def look(part: slice) -> None:
            kernels.count_below(*sets, rows[part], np.uint64(limit), below[part])

        done_by(threads, look, portions(sets.sizes[rows]))
    starts = np.cumsum(below) - below
    total = int(below.sum())
    counters = np.empty(total, dtype=np.uint8)
    unique = np.zeros(len(rows), dtype=np.int64)
    begins = sets.offsets[rows]
    stops, moves = begins + below, starts - begins
    lefts = len(sides[0])
    chunks = runs_of(below[:lefts], limits.chunk)
    left_chunks = len(chunks)
    chunks += [slice(lefts + one.start, lefts + one.stop) for one in runs_of(below[lefts:], limits.chunk)]
    parts = (limit >> shift) + 1
    together = -(-parts // max(1, -(-total // limits.together)))
    ends = np.empty(len(rows), dtype=np.int64)
    for first in range(0, parts, together):
        count = min(together, parts - first)
        band = _Band(shift, slot_bits, first, count, np.uint64(min(((first + count) << shift) - 1, limit)))
        bounds = _tallied(sets, band, chunks, begins, stops, ends, threads)
        entries = np.empty(int(bounds[-1, -1]) if len(chunks) else 0, dtype=np.uint32)
        _count_band(sets, band, chunks, left_chunks, bounds, begins, ends, entries, len(sides), threads)
        _gather_band(sets, band, chunks, bounds, begins, ends, entries, begins + moves, counters, unique, threads)
        begins, ends = ends, begins
    both = Counted(rows, below, starts, unique, counters)
    return [both] if len(sides) == 1 else [both.take(np.arange(lefts)), both.take(np.arange(lefts, len(rows)))]


class _Band(NamedTuple):
    """A range of the hash space: the part of a hash is ``hash >> shift``; `parts` parts from `first` on.

    `slot_bits` follow the bits of a part, and `highest` is the last hash.
    """

    shift: int
    slot_bits: int
    first: int
    parts: int
    highest: np.uint64


Bounds = npt.NDArray[np.int64]


def _tallied(
    sets: HashSets, band: _Band, chunks: list[slice], begins: Bounds, stops: Bounds, ends: Bounds, threads: int
) -> Bounds:
    """Return where each chunk has its entries of each part; write into `ends` where the hashes of the band end."""
    from dedup.kernels.counters import tally

    bounds = np.zeros((len(chunks), band.parts + 1), dtype=np.int64)

    def work(chunk: int) -> None:
        own = chunks[chunk]
        where = (band.highest, band.shift, band.first, ends[own], bounds[chunk, 1:])
        tally(sets.values, begins[own], stops[own], *where)

    done_by(threads, work, range(len(chunks)))
    np.cumsum(bounds, axis=1, out=bounds)
    bounds[1:] += np.cumsum(bounds[:-1, -1])[:, np.newaxis]
    return bounds


def _count_band(
    sets: HashSets,
    band: _Band,
    chunks: list[slice],
    left_chunks: int,
    bounds: Bounds,
    begins: Bounds,
    ends: Bounds,
    entries: npt.NDArray[np.uint32],
    sides: int,
    threads: int,
) -> None:
    """Write the counter of each hash of the band into `entries`, by chunk and part."""
    from dedup.kernels import counters as kernels

    def scatter(chunk: int) -> None:
        own = chunks[chunk]
        where = (band.shift, band.first, band.slot_bits, bounds[chunk, :-1].copy(), entries)
        kernels.scatter(sets.values, begins[own], ends[own], *where)

    def count(part: int) -> None:
        tables = [np.zeros(1 << band.slot_bits, dtype=np.uint8) for _ in range(sides)]
        if sides == 1:
            kernels.count_part(entries, bounds, part, *tables)
        else:
            kernels.count_sides(entries, bounds, part, left_chunks, *tables)

    done_by(threads, scatter, range(len(chunks)))
    done_by(threads, count, range(band.parts))


def _gather_band(
    sets: HashSets,
    band: _Band,
    chunks: list[slice],
    bounds: Bounds,
    begins: Bounds,
    ends: Bounds,
    entries: npt.NDArray[np.uint32],
    places: Bounds,
    counters: npt.NDArray[np.uint8],
    unique: Bounds,
    threads: int,
) -> None:
    """Bring the counters of the band from `entries` to the `places` of their rows in `counters`; add to `unique`."""
    from dedup.kernels.counters import gather

    def work(chunk: int) -> None:
        own = chunks[chunk]
        where = (band.shift, band.first, bounds[chunk, :-1].copy(), entries, places[own], counters, unique[own])
        gather(sets.values, begins[own], ends[own], *where)

    done_by(threads, work, range(len(chunks)))

"""The seen-twice table: drops the units that cannot be similar to another unit, before anything is sorted.

Nearly all shingles of a collection occur in only one text. Two bits per slot (`dedup.kernels.seen_twice`) record
whether a shingle may occur in two. A text with more unique shingles than it may miss at the threshold is dropped. A
fixed part of the hash space suffices to detect most such texts, and makes the table smaller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import HashRows
from dedup.runtime.arrays import counts_of, portions, sorted_unique
from dedup.runtime.threads import map_blocks
from dedup.threshold import Metric, Threshold

__all__ = [
    "MAX_CANDIDATE_SHARE",
    "CutLimits",
    "SeenTwice",
    "alike",
    "bits_for",
    "mostly_shared",
    "sample_for",
    "seen_twice",
]

TWICE_SLOTS = 4
"""Slots of the table per sampled hash: then one of five hashes shares its slot with another by chance. Curve:
`benchmarks.tuning.seen_twice_twice_slots`; flat from 2 to 16 on generated:20000; flat from 1 to 16 on ota_dev (two
cores, 2026-11)."""

TWICE_PART_BITS = 19
"""Bits of the number of a slot within its part: a part of the table has 128 kB, and fits into the second-level cache.
Curve: `benchmarks.tuning.seen_twice_twice_part_bits`; flat from 15 to 23 on generated:20000 (two cores, 2026-11)."""

FEWEST_PARTS_BITS = 2
"""There are at least four parts, so that threads can share them. Curve:
`benchmarks.tuning.seen_twice_fewest_parts_bits`; flat from 0 to 4 on generated:1000, where 6 takes 1.44 times as long
(two cores, 2026-11)."""

LOOKED_AT, FEWEST_LOOKED_AT = 8, 64
"""Of each row, one hash of eight, and at least 64, are examined to see whether it seems to be a candidate. Curve:
`benchmarks.tuning.seen_twice_looked_at`; flat from 2 to 16 on generated:10000, where 32 takes 1.08 times as long (two
cores, 2026-11)."""

MAX_CANDIDATE_SHARE = 0.6
"""Share of the rows. If more rows seem to be candidates, the table costs more than it saves. Curve:
`benchmarks.tuning.seen_twice_max_candidate_share`; flat from 0.2 to 1.0 on generated:20000, from 0.2 to 0.6 on ota_dev,
from 0.4 to 0.6 on win32_docs, dc_laws_dev and licences (two cores, 2026-11)."""

CHUNK_HASHES = 1 << 18
"""Hashes that a thread sorts into parts at a time. Curve: `benchmarks.tuning.seen_twice_chunk_hashes`; flat from 2^14
to 2^22 on generated:20000 (two cores, 2026-11)."""


@dataclass(frozen=True)
class CutLimits:
    """How rows and the table are cut for the threads: see the constants."""

    chunk_hashes: int = CHUNK_HASHES
    part_bits: int = TWICE_PART_BITS


CUT_LIMITS = CutLimits()


def bits_for(slots: int) -> int:
    """Return the bits of a table of at least `slots` slots, and at least 2^10."""
    return max(10, int(slots - 1).bit_length()) if slots > 0 else 10


def sample_for(threshold: Threshold) -> int:
    """Return how many of the `SAMPLES` parts of the hash space are used; all for containment.

    A text is dropped only if more of its sampled hashes are unique than it may miss. So the sample is well above the
    share of hashes that a text may miss.
    """
    from dedup.kernels.seen_twice import SAMPLES

    if threshold.metric is Metric.CONTAINMENT:
        return SAMPLES
    return max(1, round(min(1.0, 1.5 * (1.0 - threshold.value) + 0.05) * SAMPLES))


def alike(hashes: HashRows, rows: npt.NDArray[np.int64], threads: int) -> npt.NDArray[np.int64]:
    """Return how many of `rows` have the same lowest hash, for each such hash (int64): roughly, versions of a text.

    Two texts have the same lowest hash with a probability equal to their Jaccard similarity (Broder, 1997). The middle
    of each row is examined. Cost: two nanoseconds for one of eight shingles, and a sort of the rows.
    """
    from dedup.kernels import seen_twice as kernels

    lowest = np.empty(len(rows), dtype=np.uint64)

    def look(part: slice) -> None:
        kernels.lowest_hashes(hashes.values, hashes.offsets, rows[part], LOOKED_AT, FEWEST_LOOKED_AT, lowest[part])

    for _ in map_blocks(look, portions(hashes.offsets[rows + 1] - hashes.offsets[rows]), threads):
        pass
    return counts_of(lowest)


def mostly_shared(counts: npt.NDArray[np.int64], *, most: float = MAX_CANDIDATE_SHARE) -> bool:
    """Return whether more than the share `most` of rows seem to be candidates, by the counts of `alike`."""
    return int(counts[counts > 1].sum()) > most * int(counts.sum())


def seen_twice(
    hashes: HashRows,
    rows: npt.NDArray[np.int64],
    threshold: Threshold,
    *,
    threads: int,
    limits: CutLimits = CUT_LIMITS,
) -> npt.NDArray[np.int64]:
    """Return the candidates among `rows` (ascending): they contain all rows of pairs that reach the threshold.

    Cost: linear in the shingles. Memory: 4 bytes and one byte of table per sampled shingle while it runs.
    """
    from dedup.kernels import seen_twice as kernels

    sample = sample_for(threshold)
    chunks = _chunks(hashes, rows, limits.chunk_hashes)
    total = int((hashes.offsets[rows + 1] - hashes.offsets[rows]).sum())
    bits = bits_for(TWICE_SLOTS * total * sample // kernels.SAMPLES)
    part_bits = max(bits - limits.part_bits, FEWEST_PARTS_BITS)
    slot_bits = bits - part_bits
    by = threshold.value, threshold.metric is Metric.CONTAINMENT

    def tally(chunk: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        counts = np.zeros(1 << part_bits, dtype=np.int64)
        kernels.tally(*hashes, chunk, sample, part_bits, counts)
        return counts

    counts = np.array(list(map_blocks(tally, chunks, threads)), dtype=np.int64).reshape(len(chunks), 1 << part_bits)
    starts = np.zeros((len(chunks), (1 << part_bits) + 1), dtype=np.int64)
    starts[:, 1:] = np.cumsum(counts, axis=1)
    starts += (np.cumsum(starts[:, -1]) - starts[:, -1])[:, np.newaxis]
    entries = np.empty(counts.sum(), dtype=np.uint32)

    def scatter(chunk: int) -> None:
        kernels.scatter(*hashes, chunks[chunk], sample, part_bits, slot_bits, starts[chunk, :-1].copy(), entries)

    def mark(part: int) -> None:
        kernels.mark(entries, starts, part, 0, 0, np.zeros(1 << max(slot_bits - 5, 0), dtype=np.uint64))

    def candidates(chunk: int) -> npt.NDArray[np.int64]:
        own = chunks[chunk]
        kept = np.empty(len(own), dtype=np.bool_)
        kernels.alone(*hashes, own, sample, part_bits, starts[chunk, :-1].copy(), entries, *by, kept)
        return own[kept]

    for stage, count in ((scatter, len(chunks)), (mark, 1 << part_bits)):
        for _ in map_blocks(stage, range(count), threads):
            pass
    return np.concatenate([np.empty(0, dtype=np.int64), *map_blocks(candidates, range(len(chunks)), threads)])


class SeenTwice:
    """The table for texts whose hashes are not held: they are read again for each of its `ranges` of hashes.

    `begin` a range, `add` every block of hashes, then get the number of `unique` hashes of each row in this range. The
    sums over all ranges tell which rows `may_match` another row.
    """

    def __init__(self, shingles: int, threshold: Threshold, *, room: int, full: bool = False) -> None:
        """Plan for about `shingles` hashes, with a table of at most `room` bytes (256 at least).

        With `full` all hashes are used, not only a part of the hash space: the table is larger, and fewer texts are
        kept.
        """
        from dedup.kernels.seen_twice import SAMPLES

        self.threshold = threshold
        self._sample = SAMPLES if full else sample_for(threshold)
        bits = bits_for(TWICE_SLOTS * shingles * self._sample // SAMPLES)
        held = min(bits, max(max(room, 1).bit_length() + 1, 10))  # four slots per byte
        self.ranges = 1 << (bits - held)
        self._shift = 64 - bits
        self._table = np.empty(1 << (held - 5), dtype=np.uint64)
        self._edges = (np.uint64(0), np.uint64(0))

    @property
    def bytes(self) -> int:
        """Return the bytes of the table."""
        return self._table.nbytes

    def begin(self, number: int) -> None:
        """Begin range `number`, counted from 0, with an empty table."""
        width = (1 << 64) // self.ranges
        self._edges = (np.uint64(number * width), np.uint64((number + 1) * width - 1))
        self._table[:] = 0

    def add(self, hashes: npt.NDArray[np.uint64], threads: int = 1) -> None:
        """Add the hashes of a block; each thread writes to its own part of the table."""
        from dedup.kernels import seen_twice as kernels

        parts = 1 << (min(threads, len(self._table)).bit_length() - 1)
        low, high = (int(edge) for edge in self._edges)
        width = (high - low + 1) // parts
        words = len(self._table) // parts

        def work(part: int) -> None:
            edges = np.uint64(low + part * width), np.uint64(low + (part + 1) * width - 1)
            kernels.enter(hashes, self._sample, *edges, self._shift, self._table[part * words : (part + 1) * words])

        for _ in map_blocks(work, range(parts), parts):
            pass

    def unique(self, hashes: npt.NDArray[np.uint64], offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return how many sampled hashes of this range each row of a block has that no other row has; int64."""
        from dedup.kernels import seen_twice as kernels

        unique = np.zeros(len(offsets) - 1, dtype=np.int64)
        kernels.count_alone(hashes, offsets, self._sample, *self._edges, self._shift, self._table, unique)
        return unique

    def may_match(self, unique: npt.NDArray[np.integer[Any]], sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return which rows may match another row, by their `unique` hashes in all ranges; `sizes` are all hashes."""
        return unique <= self.threshold.may_be_unique(sizes)


def _chunks(hashes: HashRows, rows: npt.NDArray[np.int64], size: int) -> list[npt.NDArray[np.int64]]:
    """Cut `rows` into runs of about `size` hashes."""
    reach = np.cumsum(hashes.offsets[rows + 1] - hashes.offsets[rows])
    if not len(rows):
        return []
    cuts = np.searchsorted(reach, np.arange(size, int(reach[-1]), size), side="right")
    return [chunk for chunk in np.split(rows, sorted_unique(cuts)) if len(chunk)]

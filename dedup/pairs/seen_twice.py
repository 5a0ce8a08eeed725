"""The seen-twice table: lets go of the units that cannot have a partner, before anything is sorted.

Nearly all shingles of a collection stand in one text alone. Two bits a slot (`dedup.kernels.seen_twice`) say of each
whether it may stand in two; a text with more shingles alone than it may miss at the threshold has no partner. A fixed
part of the hash space is enough to see that for most texts, and makes the table smaller.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import Units
from dedup.runtime.threads import map_blocks, slices
from dedup.threshold import Metric, Threshold

__all__ = ["SeenTwice", "bits_for", "mostly_shared", "sample_for", "seen_twice"]

SLOTS = 4
"""Slots of the table for each sampled hash: one of five then shares its slot with another by chance. Curve:
`benchmarks.tuning.seen_twice_slots`; flat from 2 to 16 on generated:20000; flat from 1 to 16 on ota_dev (two cores,
2026-11)."""

PART_BITS = 19
"""Bits of the slots of a part: its piece of the table is 128 kB, which the second cache holds. Curve:
`benchmarks.tuning.seen_twice_part_bits`; flat from 15 to 23 on generated:20000 (two cores, 2026-11)."""

FEWEST_PARTS_BITS = 2
"""There are four parts at least, so that threads have some to share out. Curve:
`benchmarks.tuning.seen_twice_fewest_parts_bits`."""

LOOKED_AT, FEWEST_LOOKED_AT = 8, 64
"""Of a row, one hash of eight and 64 at least say whether it seems to have a partner. Curve:
`benchmarks.tuning.seen_twice_looked_at`."""

MOST = 0.6
"""Share of the rows; where more seem to have one, the table would cost more than it saves. Curve:
`benchmarks.tuning.seen_twice_most`; flat from 0.2 to 1.0 on generated:20000, from 0.2 to 0.6 on ota_dev, from 0.4 to
0.6 on win32_docs, dc_laws_dev and licences (two cores, 2026-11)."""

CHUNK = 1 << 18
"""Hashes that a thread sorts into parts at a time. Curve: `benchmarks.tuning.seen_twice_chunk`; flat from 2^14 to 2^22
on generated:20000 (two cores, 2026-11)."""


def bits_for(slots: int) -> int:
    """Return the bits of a table of at least so many slots, and of 2^10."""
    return max(10, int(slots - 1).bit_length()) if slots > 0 else 10


def sample_for(threshold: Threshold) -> int:
    """Return how many of the `SAMPLES` parts of the hash space are looked at; all for containment.

    A text is let go where more sampled hashes stand alone than may be missed, and its prefix is as long as that: the
    sample is well above this share.
    """
    from dedup.kernels.seen_twice import SAMPLES

    if threshold.metric is Metric.CONTAINMENT:
        return SAMPLES
    return max(1, round(min(1.0, 1.5 * (1.0 - threshold.value) + 0.05) * SAMPLES))


def mostly_shared(units: Units, rows: npt.NDArray[np.int64], threads: int) -> bool:
    """Return whether most of `rows` seem to have a partner, so that there is little to let go.

    Two texts have the lowest of their hashes in common with a probability of their Jaccard similarity (Broder, 1997).
    The middle of each row is looked at. Cost: two nanoseconds for one of eight shingles, and a sort of the rows.
    """
    from dedup.kernels import seen_twice as kernels

    lowest = np.empty(len(rows), dtype=np.uint64)

    def look(part: slice) -> None:
        kernels.lowest_hashes(units.hashes, units.offsets, rows[part], LOOKED_AT, FEWEST_LOOKED_AT, lowest[part])

    for _ in map_blocks(look, slices(len(rows)), threads):
        pass
    _, counts = np.unique(lowest, return_counts=True)
    return int(counts[counts > 1].sum()) > MOST * len(rows)


def seen_twice(
    units: Units, rows: npt.NDArray[np.int64], threshold: Threshold, *, threads: int
) -> npt.NDArray[np.int64]:
    """Return those of `rows` (ascending) that may have a partner at the threshold; none that has one is missing.

    Cost: linear in the shingles; 4 bytes and a byte of table for each sampled one while it runs.
    """
    from dedup.kernels import seen_twice as kernels

    sample = sample_for(threshold)
    chunks = _chunks(units, rows)
    total = int((units.offsets[rows + 1] - units.offsets[rows]).sum())
    bits = bits_for(SLOTS * total * sample // kernels.SAMPLES)
    part_bits = max(bits - PART_BITS, FEWEST_PARTS_BITS)
    slot_bits = bits - part_bits
    hashes = (units.hashes, units.offsets)
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

    def alone(chunk: int) -> npt.NDArray[np.int64]:
        own = chunks[chunk]
        stays = np.empty(len(own), dtype=np.bool_)
        kernels.alone(*hashes, own, sample, part_bits, starts[chunk, :-1].copy(), entries, *by, stays)
        return own[stays]

    for stage, count in ((scatter, len(chunks)), (mark, 1 << part_bits)):
        for _ in map_blocks(stage, range(count), threads):
            pass
    return np.concatenate([np.empty(0, dtype=np.int64), *map_blocks(alone, range(len(chunks)), threads)])


class SeenTwice:
    """The table for texts whose hashes are not held: they are read again for each of its `ranges` of hashes.

    `begin` a range, `add` every block of hashes, then ask for the hashes of each row that are `unique` in this range.
    The sum over all ranges says which rows `may_match` another one.
    """

    def __init__(self, shingles: int, threshold: Threshold, *, room: int, full: bool = False) -> None:
        """Plan for about so many `shingles`, with a table of at most `room` bytes (256 at least).

        With `full` all hashes are looked at, not a part of the hash space: the table is larger, and fewer texts stay.
        """
        from dedup.kernels.seen_twice import SAMPLES

        self.threshold = threshold
        self._sample = SAMPLES if full else sample_for(threshold)
        bits = bits_for(SLOTS * shingles * self._sample // SAMPLES)
        held = min(bits, max(max(room, 1).bit_length() + 1, 10))  # four slots a byte
        self.ranges = 1 << (bits - held)
        self._shift = 64 - bits
        self._table = np.empty(1 << (held - 5), dtype=np.uint64)
        self._edges = (np.uint64(0), np.uint64(0))

    @property
    def bytes(self) -> int:
        """What the table takes."""
        return self._table.nbytes

    def begin(self, number: int) -> None:
        """Begin range `number`, from 0 on, with an empty table."""
        width = (1 << 64) // self.ranges
        self._edges = (np.uint64(number * width), np.uint64((number + 1) * width - 1))
        self._table[:] = 0

    def add(self, hashes: npt.NDArray[np.uint64], threads: int = 1) -> None:
        """Add the hashes of a block; each thread has a part of the table, which it alone writes to."""
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
        """Return how many sampled hashes of this range occur in each row of a block alone; int64."""
        from dedup.kernels import seen_twice as kernels

        unique = np.zeros(len(offsets) - 1, dtype=np.int64)
        kernels.count_alone(hashes, offsets, self._sample, *self._edges, self._shift, self._table, unique)
        return unique

    def may_match(self, unique: npt.NDArray[np.integer[Any]], sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return which rows, of so many hashes, may match another one, by what they have alone in all ranges."""
        return unique <= self.threshold.may_be_unique(sizes)


def _chunks(units: Units, rows: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Cut `rows` into runs of about `CHUNK` hashes."""
    reach = np.cumsum(units.offsets[rows + 1] - units.offsets[rows])
    if not len(rows):
        return []
    cuts = np.searchsorted(reach, np.arange(CHUNK, int(reach[-1]), CHUNK), side="right")
    return [chunk for chunk in np.split(rows, np.unique(cuts)) if len(chunk)]

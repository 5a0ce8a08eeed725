"""Counts: in how many of the held sets the first hashes of each set occur, so that prefixes begin with the rarest.

`Slots` sends the hashes below a limit, the first ones of a sorted set, to the part of the hash space that counts them;
32 bits of each are enough. `Count` returns those that several units have, in the order in which they came, with a
counter each: the exact number of units up to 128, above that a class of numbers. Of the others it returns how many each
unit has. A counter depends on the units that have the hash, not on the order in which they come: so all blocks have one
common order of hashes, also if a task is repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.distributed.candidates.notes import share_out
from dedup.distributed.candidates.sets import SetBlock, set_blocks
from dedup.distributed.job import Job
from dedup.distributed.transport.blocks import counted, divided, packed
from dedup.distributed.transport.keys import block_key
from dedup.distributed.transport.rows import Row, RowStage, by_part, narrow
from dedup.pairs.seen_twice import bits_for, sample_for
from dedup.threshold import Metric, Threshold, least

__all__ = ["Count", "Slots", "class_of"]

COUNTED_EXACTLY = 128
"""Units. Counters are exact up to here; above, 16 classes are a factor of two."""

SLOT_BITS = 32
"""Bits of a slot: those of a hash after the bits of its part."""

MOST_TABLE_BITS = 28
"""Bits of a slot of the table of counters, at most: it takes four bytes a slot."""


def class_of(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Return the counter of a hash that so many units have."""
    above = COUNTED_EXACTLY + np.floor(16 * np.log2(np.maximum(counts, COUNTED_EXACTLY) / COUNTED_EXACTLY)).astype(
        np.int64
    )
    return np.minimum(np.where(counts <= COUNTED_EXACTLY, counts, above), 255).astype(np.uint8)


def below_limit(block: SetBlock, threshold: Threshold) -> npt.NDArray[np.int64]:
    """Return how many hashes of each unit are counted."""
    from dedup.kernels.counters import count_below
    from dedup.kernels.seen_twice import SAMPLES

    below = np.empty(len(block.keys), dtype=np.int64)
    limit = (sample_for(threshold) << 64) // SAMPLES - 1
    count_below(*block.sets(), np.arange(len(block.keys), dtype=np.int64), np.uint64(limit), below)
    return below


@dataclass(frozen=True)
class Slots(RowStage):
    """Sets in, the slots of their first hashes out; with them, to the block's own part, what else a prefix may need."""

    job: Job

    def _rows(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Row]:
        job = self.job
        for block in set_blocks(batches):
            below, number = below_limit(block, job.threshold), block_key(block.keys)
            for part, (units, slots) in enumerate(share_out(block.values, block.starts, below, job.part_bits)):
                if len(slots):
                    yield Row(part, "slots", number, {**counted(units, len(below)), "slots": slots})
            wanted = block.sizes
            if job.threshold.metric is Metric.JACCARD:
                wanted = block.sizes - least(block.sizes, job.threshold.value) + 1
            rest = np.maximum(wanted - below, 0)
            values = packed(block.values, block.starts + below, rest)
            arrays = {"keys": block.keys, "sizes": narrow(block.sizes), "rest": narrow(rest), "values": values}
            arrays["below"] = narrow(below)
            arrays["labels"] = block.groups[0] if job.across else block.keys[:0]
            yield Row(number % job.parts, "rest", number, arrays)


@dataclass(frozen=True)
class Count(RowStage):
    """Slots in; those that several units have, with counters, and the numbers of unique ones out."""

    job: Job

    def _rows(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Row]:
        from dedup.kernels.parts import count_slots

        for part, kinds in by_part(batches):
            yield from kinds.get("rest", [])
            rows = kinds.get("slots", [])
            if not rows:
                continue
            bits = min(bits_for(2 * sum(len(row["slots"]) for row in rows)), MOST_TABLE_BITS)
            table = np.zeros(1 << bits, dtype=np.int32)
            for row in rows:
                count_slots(row["slots"], SLOT_BITS - bits, table)
            classes = class_of(np.arange(int(table.max()) + 1, dtype=np.int64))
            for row in rows:
                counters = classes[table[row["slots"] >> np.uint32(SLOT_BITS - bits)]]
                several = counters > 1
                repeated, unique = divided(row.arrays, several)
                arrays = {**repeated, "slots": row["slots"][several], "counters": counters[several]}
                arrays |= {f"unique {name}": each for name, each in unique.items()}
                yield Row(row.block % self.job.parts, "counted", row.block, {**arrays, "part": np.array([part])})

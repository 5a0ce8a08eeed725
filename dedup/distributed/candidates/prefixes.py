"""Prefixes: the rarest hashes of each unit, as many as two units of a pair must have one of in common.

The lengths are those of `dedup.kernels.self_join.prefix_lengths`, and so is the order: by counter, then by hash, those
without a counter last. Unique hashes are left out, and so are units with too many of them.

A unit is *hot* if a hash of its prefix is in more than `Job.hot` units: even its rarest hashes are common, as in a
template that occurs a hundred thousand times. Hot units are compared with each other within their family only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.distributed.candidates.counts import SLOT_BITS, class_of
from dedup.distributed.job import CHANGED, Job
from dedup.distributed.transport.blocks import shared_out, units_of
from dedup.distributed.transport.keys import part_of
from dedup.distributed.transport.rows import Row, RowStage, by_part
from dedup.errors import InputError

__all__ = ["Prefix"]

UNCOUNTED = 256
"""The class of a hash without a counter: after all others."""


@dataclass(frozen=True)
class Prefix(RowStage):
    """Counted slots in, the entries of an index out: to each part of the hash space the prefixes of units in it."""

    job: Job

    def _rows(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Row]:
        for _, kinds in by_part(batches):
            counted = {block: list(rows) for block, rows in groupby(kinds.get("counted", []), lambda row: row.block)}
            done = set()
            for rest in kinds.get("rest", []):
                if rest.block not in done:
                    done.add(rest.block)
                    yield from self._entries(rest, counted.get(rest.block, []))

    def _entries(self, rest: Row, counted: list[Row]) -> Iterator[Row]:
        from dedup.kernels.self_join import prefix_lengths

        job, sizes = self.job, rest["sizes"].astype(np.int64)
        everyone = np.arange(len(sizes), dtype=np.int64)
        nothing = np.empty(0, dtype=np.int64)
        units = [np.repeat(*units_of(row.arrays)) for row in counted]
        if not np.array_equal(np.bincount(np.concatenate([nothing, *units]), minlength=len(sizes)), rest["below"]):
            raise InputError(CHANGED)
        units.append(np.repeat(everyone, rest["rest"]))
        shift = np.uint64(64 - SLOT_BITS - job.part_bits)
        hashes = [
            (row["slots"].astype(np.uint64) << shift) | np.uint64(int(row["part"][0]) << (64 - job.part_bits))
            for row in counted
        ]
        hashes.append(rest["values"] >> shift << shift)
        classes = [row["counters"].astype(np.int64) for row in counted]
        classes.append(np.full(len(rest["values"]), UNCOUNTED, dtype=np.int64))
        unit, value, by = np.concatenate([nothing, *units]), np.concatenate(hashes), np.concatenate(classes)
        unique = np.bincount(unit[by == 1], minlength=len(sizes))
        lengths = np.empty((4, len(sizes)), dtype=np.int64)
        how = job.threshold.value, job.threshold.metric.code, True, False
        prefix_lengths(sizes, everyone, unique, *how, *lengths)
        probed, indexed = np.where(unique <= job.threshold.may_be_unique(sizes), lengths[:2], 0)
        several = by > 1
        unit, value, by = unit[several], value[several], by[several]
        order = np.lexsort((value, by, unit))
        unit, value, by = unit[order], value[order], by[order]
        counts = np.bincount(unit, minlength=len(sizes))
        place = np.arange(len(unit), dtype=np.int64) - np.repeat(np.cumsum(counts) - counts, counts)
        chosen = place < probed[unit]
        unit, value, by, place = unit[chosen], value[chosen], by[chosen], place[chosen]
        hot = np.zeros(len(sizes), dtype=np.bool_)
        hot[unit[(by < UNCOUNTED) & (by > int(class_of(np.array([job.hot]))[0]))]] = True
        yield from self._shared(rest, unit, value, place < indexed[unit], hot)

    def _shared(
        self,
        rest: Row,
        unit: npt.NDArray[np.int64],
        value: npt.NDArray[np.uint64],
        indexed: npt.NDArray[np.bool_],
        hot: npt.NDArray[np.bool_],
    ) -> Iterator[Row]:
        """Yield the entries of each part."""
        bits = self.job.part_bits
        for part, some in shared_out(part_of(value, bits)):
            units = unit[some]
            yield Row(
                part,
                "entries",
                rest.block,
                {
                    "slots": ((value[some] << np.uint64(bits)) >> np.uint64(64 - SLOT_BITS)).astype(np.uint32),
                    "keys": rest["keys"][units],
                    "sizes": rest["sizes"][units],
                    "labels": rest["labels"][units] if len(rest["labels"]) else rest["labels"],
                    "flags": indexed[some].astype(np.uint8) | (hot[units].astype(np.uint8) << 1),
                },
            )

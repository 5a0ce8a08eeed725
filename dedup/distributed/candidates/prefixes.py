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
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.distributed.candidates.counts import SLOT_BITS, class_of
from dedup.distributed.job import CHANGED, Job
from dedup.distributed.transport.blocks import shared_by_bits, units_of
from dedup.distributed.transport.rows import Row, RowStage, by_part
from dedup.errors import InputError

__all__ = ["Prefix"]


class _Sets(NamedTuple):
    """The hashes of a block's units that a prefix may need, as far as notes know them, in the order of the hashes.

    Attributes
    ----------
    values, counters : unit i has those from ``starts[i]`` on, ``below[i]`` with a counter, and others after them
    sizes : how many these are
    unique : how many others, with a counter, no other unit has
    """

    values: npt.NDArray[np.uint64]
    counters: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    below: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    unique: npt.NDArray[np.int64]


def _back(rest: Row, counted: list[Row], part_bits: int) -> _Sets:
    """Return the hashes of a block, put together from its counted slots and what else a prefix may need."""
    from dedup.kernels.parts import put_after, put_back

    ordered = sorted(counted, key=lambda row: int(row["part"][0]))  # so the hashes of a unit ascend
    units = [np.repeat(*units_of(row.arrays)) for row in ordered]
    alone = [np.repeat(*units_of(_unique_in(row))) for row in ordered]
    nothing, count = np.empty(0, dtype=np.int64), len(rest["below"])
    below, unique = (np.bincount(np.concatenate([nothing, *each]), minlength=count) for each in (units, alone))
    if not np.array_equal(below + unique, rest["below"]):
        raise InputError(CHANGED)
    more = rest["rest"].astype(np.int64)
    sizes = below + more
    starts = np.cumsum(sizes) - sizes
    values, counters = np.empty(int(sizes.sum()), dtype=np.uint64), np.empty(int(sizes.sum()), dtype=np.uint8)
    cursors = starts.copy()
    for each, row in zip(units, ordered, strict=True):
        top = int(row["part"][0])
        put_back(row["slots"], row["counters"], each, top, part_bits, cursors, values, counters, unique)
    shift = np.uint64(64 - SLOT_BITS - part_bits)
    put_after(rest["values"] >> shift << shift, starts + below, more, values)
    return _Sets(values, counters, starts, below, sizes, unique)


def _unique_in(row: Row) -> dict[str, npt.NDArray[Any]]:
    """Return how many unique hashes each unit has, as `units_of` takes it."""
    mark = "unique "
    return {name.removeprefix(mark): each for name, each in row.arrays.items() if name.startswith(mark)}


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
        from dedup.kernels.parts import choose
        from dedup.kernels.self_join import prefix_lengths

        job, sizes = self.job, rest["sizes"].astype(np.int64)
        count = len(sizes)
        everyone = np.arange(count, dtype=np.int64)
        sets = _back(rest, counted, job.part_bits)
        lengths = np.empty((4, count), dtype=np.int64)
        how = job.threshold.value, job.threshold.metric.code, True, False
        prefix_lengths(sizes, everyone, sets.unique, *how, *lengths)
        probed, indexed = np.where(sets.unique <= job.threshold.may_be_unique(sizes), lengths[:2], 0)
        probed = np.minimum(probed, sets.sizes)
        bounds = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(probed)))
        value, flags = np.empty(int(bounds[-1]), dtype=np.uint64), np.empty(int(bounds[-1]), dtype=np.uint8)
        hot, most = np.empty(count, dtype=np.bool_), int(class_of(np.array([job.hot]))[0])
        given = sets.values, sets.starts, sets.below, sets.counters
        choose(*given, bounds, np.ascontiguousarray(indexed), most, value, flags, hot)
        unit = np.repeat(everyone, probed)
        flags |= hot[unit].astype(np.uint8) << np.uint8(1)
        yield from self._shared(rest, unit, value, flags)

    def _shared(
        self,
        rest: Row,
        unit: npt.NDArray[np.int64],
        value: npt.NDArray[np.uint64],
        flags: npt.NDArray[np.uint8],
    ) -> Iterator[Row]:
        """Yield the entries of each part."""
        bits = self.job.part_bits
        for part, some in shared_by_bits(value, bits):
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
                    "flags": flags[some],
                },
            )

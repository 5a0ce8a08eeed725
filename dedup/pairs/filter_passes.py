"""Survivors: the units of a corpus that may have a partner, found by passes over its shards.

Marks say which shingles may stand twice (`dedup.pairs.seen_twice.Sieve`), in ranges of the hash space where the table
is too large for what memory there is; a unit with more shingles alone than it may miss at the threshold is let go. None
that has a partner is missing, and which others stay depends on the hashes alone: not on the shards, nor on the room.

Cost: two passes over the hashes a range of the table, one over those that stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.errors import ParameterError
from dedup.hashing.shards import Shards, unpacked
from dedup.hashing.units import Units, place_columns
from dedup.pairs.seen_twice import Sieve
from dedup.runtime.progress import Progress
from dedup.runtime.threads import map_blocks

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Held", "extra_columns", "held_shingles", "hold", "mark"]


FEW_SHARDS = 2
"""Shards a thread whose hashes are read ahead."""


class Held(NamedTuple):
    """Units whose hashes are held, where they stand among all units, the characters of each, and its further values."""

    units: Units
    places: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    extra: pa.Table | None


def mark(
    shards: Shards, threshold: float, *, whole: bool, room: int | None, threads: int, stages: Progress
) -> npt.NDArray[np.bool_]:
    """Return which units may have a partner at the threshold; `room` is what the table may take, None: all it needs."""
    # all hashes, not a sample: half as many units of short texts then stay, and what stays must be held
    sieve = Sieve(shards.total("shingles"), threshold, whole=whole, room=1 << 62 if room is None else room, full=True)
    alone = np.zeros(shards.total("units"), dtype=np.int32)
    stays = np.empty(len(alone), dtype=np.bool_)
    for number in range(sieve.ranges):
        sieve.begin(number)
        report = stages.stage("mark", len(shards))
        for done, hashes in enumerate(map_blocks(shards.hashes, range(len(shards)), threads, FEW_SHARDS), start=1):
            sieve.enter(hashes, threads)
            report(done)
        report = stages.stage("count", len(shards))

        def count(shard: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
            sizes = shards.rows(shard)["sizes"]
            return sieve.count(shards.hashes(shard), _offsets(sizes)), sizes.copy()

        at = 0
        for done, (found, sizes) in enumerate(map_blocks(count, range(len(shards)), threads), start=1):
            own = slice(at, at + len(sizes))
            alone[own] += found.astype(np.int32)
            stays[own] = sieve.stays(alone[own], sizes) & (sizes > 0)
            at = own.stop
            report(done)
    return stays


def held_shingles(shards: Shards, stays: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the number of shingles of the units that stay, by shard."""
    at = 0
    counts = np.zeros(len(shards), dtype=np.int64)
    for number in range(len(shards)):
        sizes = shards.rows(number)["sizes"]
        counts[number] = sizes[stays[at : at + len(sizes)]].sum()
        at += len(sizes)
    return counts


def hold(
    shards: Shards,
    stays: npt.NDArray[np.bool_] | None,
    *,
    unit: str,
    threads: int,
    stages: Progress,
    last: bool = False,
    numbers: Sequence[int] | None = None,
    hashes: bool = True,
) -> Held:
    """Return the units that stay, or all.

    With `last` the shards in memory let go of their hashes on the way. `numbers` (ascending) names the shards to take,
    if not all; without `hashes` everything else is known of the units, and they count as filled.
    """
    numbers = range(len(shards)) if numbers is None else numbers
    texts_before, units_before = (
        np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum([facts[fact] for facts in shards.facts])))
        for fact in (0, 1)
    )
    shingles, units = 0, 0
    for number in numbers:
        own = slice(int(units_before[number]), int(units_before[number + 1]))
        units += own.stop - own.start if stays is None else int(stays[own].sum())
    if hashes:
        known = [facts.shingles for facts in shards.facts] if stays is None else held_shingles(shards, stays)
        shingles = int(sum(known[number] for number in numbers))
    values = np.empty(shingles, dtype=np.uint64)
    offsets = np.zeros(units + 1, dtype=np.int64)
    digests = np.empty((units, 2), dtype=np.uint64)
    lengths = np.empty(units, dtype=np.int64)
    places = np.empty((units, place_columns(unit)), dtype=np.int64)
    chosen = np.empty(units, dtype=np.int64)
    extra: list[pa.Table] = []
    report = stages.stage("hold", len(numbers))
    nothing = np.empty(0, dtype=np.uint64)

    def load(number: int) -> npt.NDArray[np.uint64]:
        return nothing if not hashes else shards.let_go(number) if last else shards.hashes(number)

    at = filled = 0  # of the units, of their hashes
    loaded = map_blocks(load, numbers, threads if shards.stored else 1, FEW_SHARDS)
    for done, (number, found) in enumerate(zip(numbers, loaded, strict=True), start=1):
        rows = shards.rows(number)
        sizes = rows["sizes"]
        first = int(units_before[number])
        keep = np.ones(len(sizes), dtype=np.bool_) if stays is None else stays[first : first + len(sizes)]
        own = slice(at, at + int(keep.sum()))
        if hashes:
            found = found if stays is None else found[np.repeat(keep, sizes)]
            values[filled : filled + len(found)] = found
            offsets[own.start + 1 : own.stop + 1] = filled + np.cumsum(sizes[keep])
        digests[own] = rows["digests"][keep]
        chosen[own] = first + np.flatnonzero(keep)
        documents = np.repeat(np.arange(len(rows["counts"]), dtype=np.int64), rows["counts"])[keep]
        places[own, 0] = int(texts_before[number]) + documents
        if unit != "document":
            places[own, 1:] = rows["places"][keep]
            lengths[own] = places[own, 3] - places[own, 2]
        else:
            lengths[own] = rows["lengths"][documents]
        if "extra" in rows and len(rows["counts"]):
            extra.append(unpacked(rows["extra"].copy()).take(documents))
        filled += len(found)
        at = own.stop
        report(done)
    sizes = np.full(units, -1, dtype=np.int64)
    full = np.diff(offsets) > 0 if hashes else np.ones(units, dtype=np.bool_)
    units_held = Units(places, values, offsets, digests, sizes, full)
    return Held(units_held, chosen, lengths, _joined(extra) if extra else None)


def extra_columns(shards: Shards, name: str) -> Iterator[pa.ChunkedArray]:
    """Yield a further column, shard by shard."""
    for number in range(len(shards)):
        rows = shards.rows(number)
        if "extra" in rows and len(rows["counts"]):
            yield unpacked(rows["extra"].copy()).column(name)


def _joined(tables: list[pa.Table]) -> pa.Table:
    """Return tables as one; a column that is of integers here and of fractions there becomes one of fractions.

    Raises `ParameterError` where it is of texts here and of numbers there.
    """
    import pyarrow as pa

    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        (name,) = tables[0].column_names
        kinds = ", ".join(sorted({str(table.schema.field(name).type) for table in tables}))
        raise ParameterError(
            f"keep: expected values of one kind in the column {name!r}, found {kinds}; make them all numbers, or all "
            "texts"
        ) from error


def _offsets(sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(sizes)))

"""Shards as a source of hashes: of all units, of some units, or of some shards, read any number of times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.errors import ParameterError
from dedup.hashing.forms import CHARACTERS, NUMBERS, Forms
from dedup.hashing.shards import FORM_ROW, Shards, form_row, unpacked
from dedup.hashing.shingles import Shingle
from dedup.hashing.sketches import Sketcher
from dedup.hashing.source import HeldUnits
from dedup.hashing.units import Choice, HashRows, Units, count_short
from dedup.runtime.progress import Progress
from dedup.runtime.threads import map_blocks
from dedup.sources.files.file_texts import FileTexts
from dedup.sources.files.listing import Listing
from dedup.sources.files.places import Part, runs
from dedup.unit import Unit

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ShardSource", "all_units", "texts_of"]

FEW_SHARDS = 2
"""Shards per thread whose hashes are read ahead. Curve: `benchmarks.tuning.shard_source_few_shards`; flat from 1 to 8
on generated:20000 (two busy cores, 2026-11)."""

Result = TypeVar("Result")


class ShardSource:
    """The hashes of files that were read before. They are in memory or in a work directory.

    `distinct` are the forms that the held units get. The `sketcher` has seen the units of all shards but the first
    `earlier` ones, which an earlier run has read.
    """

    cheap = True

    def __init__(
        self,
        shards: Shards,
        unit: Unit,
        threads: int,
        stages: Progress,
        distinct: Sequence[str] = (),
        sketcher: Sketcher | None = None,
        earlier: int = 0,
    ) -> None:
        self.distinct, self.sketcher, self._earlier = distinct, sketcher, earlier
        self.shards, self.unit, self.threads, self.stages = shards, unit, threads, stages

    @property
    def count(self) -> int:
        """Return the units of all shards."""
        return self.shards.total("units")

    @property
    def shingles(self) -> int:
        """Return the number of hashes of all shards."""
        return self.shards.total("shingles")

    def sketched(self, units: Units) -> Sketcher | None:  # noqa: ARG002  # all are in the shards
        """Return the sketcher, which sees the shards of an earlier run now."""
        if self.sketcher is not None and self._earlier:
            report = self.stages.stage("sketches", self._earlier)
            for number in range(self._earlier):
                self._show(number, self.sketcher)
                report(number + 1)
            self._earlier = 0
        return self.sketcher

    def _show(self, number: int, sketcher: Sketcher) -> None:
        rows = self.shards.rows(number)
        offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(rows["sizes"])))
        forms = {name.removeprefix(FORM_ROW): rows[name] for name in rows if name.startswith(FORM_ROW)}
        documents = np.repeat(np.arange(len(rows["counts"]), dtype=np.int64), rows["counts"])
        sketcher.see(self.shards.hashes(number), offsets, rows["digests"], documents, forms)

    def sizes(self) -> Iterator[npt.NDArray[np.int64]]:
        """Yield the number of hashes of each unit, shard by shard."""
        for number in range(len(self.shards)):
            yield self.shards.rows(number)["sizes"]

    def map(self, work: Callable[[HashRows], Result], stage: str) -> Iterator[Result]:
        """Yield the result of `work` for the rows of each shard, in order; some shards are read ahead."""
        return self.each(lambda _, rows: work(rows), stage)

    def each(
        self, work: Callable[[int, HashRows], Result], stage: str, numbers: Sequence[int] | None = None
    ) -> Iterator[Result]:
        """Yield the result of `work` for each shard, as `map`; it gets the number of the first unit too.

        `numbers` (ascending) are the shards to read, if not all.
        """
        shards = self.shards
        numbers = range(len(shards)) if numbers is None else numbers
        before = np.cumsum([0, *(facts.units for facts in shards.facts)]).tolist()
        report = self.stages.stage(stage, len(numbers))

        def load(number: int) -> Result:
            sizes = shards.rows(number)["sizes"]
            offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(sizes)))
            return work(before[number], HashRows(shards.hashes(number), offsets))

        for done, made in enumerate(map_blocks(load, numbers, self.threads, FEW_SHARDS), start=1):
            yield made
            report(done)

    def shingles_of(self, rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Return the number of hashes of the units in `rows` (a bool per unit), by shard."""
        counts = np.zeros(len(self.shards), dtype=np.int64)
        at = 0
        for number, sizes in enumerate(self.sizes()):
            counts[number] = sizes[rows[at : at + len(sizes)]].sum()
            at += len(sizes)
        return counts

    def column(self, name: str) -> Iterator[pa.ChunkedArray]:
        """Yield another column that was read with the texts, shard by shard."""
        for number in range(len(self.shards)):
            rows = self.shards.rows(number)
            if "extra" in rows and len(rows["counts"]):
                yield unpacked(rows["extra"].copy()).column(name)

    def hold(self, chosen: Choice | None = None) -> HeldUnits:
        """Return the chosen units with their hashes; without `chosen` all units, dropped from shards in memory."""
        if chosen is None:
            return self.hold_rows(None, last=True)
        rows, at = [np.empty(0, dtype=np.bool_)], 0
        for part in self.map(lambda part: part, "count"):
            rows.append(chosen(part, at))
            at += len(part.sizes)
        return self.hold_rows(np.concatenate(rows))

    def hold_rows(
        self,
        rows: npt.NDArray[np.bool_] | None,
        *,
        last: bool = False,
        numbers: Sequence[int] | None = None,
        hashes: bool = True,
    ) -> HeldUnits:
        """Return the units in `rows` (a bool per unit), or all.

        With `last`, the shards in memory drop their hashes while these are copied. `numbers` (ascending) are the shards
        to take, if not all. Without `hashes`, the units have all their other data, and count as filled.
        """
        shards, unit = self.shards, self.unit
        numbers = range(len(shards)) if numbers is None else numbers
        texts_before, units_before = (
            np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum([facts[fact] for facts in shards.facts])))
            for fact in (0, 1)
        )
        shingles, units = 0, 0
        for number in numbers:
            own = slice(int(units_before[number]), int(units_before[number + 1]))
            units += own.stop - own.start if rows is None else int(rows[own].sum())
        if hashes:
            known = [facts.shingles for facts in shards.facts] if rows is None else self.shingles_of(rows)
            shingles = int(sum(known[number] for number in numbers))
        values = np.empty(shingles, dtype=np.uint64)
        offsets = np.zeros(units + 1, dtype=np.int64)
        digests = np.empty((units, 2), dtype=np.uint64)
        forms = {name: np.empty(units, dtype=np.uint64) for name in self.distinct}
        lengths = np.empty(units, dtype=np.int64)
        places = np.empty((units, unit.place_columns), dtype=np.int64)
        taken = np.empty(units, dtype=np.int64)
        columns: list[pa.Table] = []
        report = self.stages.stage("hold", len(numbers))
        nothing = np.empty(0, dtype=np.uint64)

        def load(number: int) -> npt.NDArray[np.uint64]:
            return nothing if not hashes else shards.pop_hashes(number) if last else shards.hashes(number)

        at = filled = 0  # numbers of units and of hashes so far
        loaded = map_blocks(load, numbers, self.threads if shards.stored else 1, FEW_SHARDS)
        for done, (number, found) in enumerate(zip(numbers, loaded, strict=True), start=1):
            part = shards.rows(number)
            sizes = part["sizes"]
            first = int(units_before[number])
            own_rows = np.ones(len(sizes), dtype=np.bool_) if rows is None else rows[first : first + len(sizes)]
            own = slice(at, at + int(own_rows.sum()))
            if hashes:
                found = found if rows is None else found[np.repeat(own_rows, sizes)]
                values[filled : filled + len(found)] = found
                offsets[own.start + 1 : own.stop + 1] = filled + np.cumsum(sizes[own_rows])
            digests[own] = part["digests"][own_rows]
            for name, values_of in forms.items():
                values_of[own] = part[form_row(name)][own_rows]
            taken[own] = first + np.flatnonzero(own_rows)
            documents = np.repeat(np.arange(len(part["counts"]), dtype=np.int64), part["counts"])[own_rows]
            places[own, 0] = int(texts_before[number]) + documents
            if unit.whole:
                lengths[own] = part["lengths"][documents]
            else:
                places[own, 1:] = part["places"][own_rows]
                lengths[own] = places[own, 3] - places[own, 2]
            if "extra" in part and len(part["counts"]):
                columns.append(unpacked(part["extra"].copy()).take(documents))
            filled += len(found)
            at = own.stop
            report(done)
        full = np.diff(offsets) > 0 if hashes else np.ones(units, dtype=np.bool_)
        held = Units(places, values, offsets, digests, np.full(units, -1, dtype=np.int64), full, forms=forms)
        return HeldUnits(held, taken, lengths, _joined(columns) if columns else None, hashes)


def all_units(
    shards: Shards, rows: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], *, unit: Unit, shingle: Shingle
) -> Units:
    """Return all units of a corpus, without hashes; `sizes` are the set sizes of the held units, in `rows`."""
    count = shards.total("units")
    filled = np.empty(count, dtype=np.bool_)
    forms: Forms = {name: np.empty(count, dtype=np.uint64) for name in (CHARACTERS, NUMBERS)}
    places = np.empty((count, unit.place_columns), dtype=np.int64)
    text = at = short = 0
    for number in range(len(shards)):
        part = shards.rows(number)
        own = slice(at, at + len(part["sizes"]))
        short += count_short(part["sizes"], shingle)
        filled[own] = part["sizes"] > 0
        for name, values in forms.items():
            values[own] = part[form_row(name)]
        places[own, 0] = text + np.repeat(np.arange(len(part["counts"]), dtype=np.int64), part["counts"])
        if not unit.whole:
            places[own, 1:] = part["places"]
        text += len(part["counts"])
        at = own.stop
    every_size = np.full(count, -1, dtype=np.int64)
    every_size[rows] = sizes
    held = np.zeros(count + 1, dtype=np.int64)
    held[rows + 1] = 1
    held[1:] *= filled
    nothing = np.empty(0, dtype=np.uint64)
    return Units(places, nothing, np.cumsum(held), np.empty(count, dtype=np.uint64), every_size, filled, short, forms)


def texts_of(shards: Shards, listing: Listing, column: str, id: str | None) -> FileTexts:
    """Return the texts of a listing, from what the shards have recorded: their places, ids and lengths.

    Raises `InputError` if the user's ids are not of one type, or not unique.
    """
    parts: list[Part] = []
    lengths = [np.empty(0, dtype=np.int64)]
    ids: list[tuple[int, pa.ChunkedArray]] = []
    row = 0
    for number in range(len(shards)):
        rows = shards.rows(number)
        lengths.append(rows["lengths"].copy())
        if id is not None and shards.facts[number].texts:
            ids.append((row, unpacked(rows["ids"].copy())["id"]))
        before = 0
        for file, texts, *token in rows["batches"].tolist():
            if texts:
                parts.append(Part(token, row, file, runs(rows["numbers"][before : before + texts].copy())))
            row, before = row + texts, before + texts
    rejected = shards.total("rejects") + len(listing.rejects)
    every_length = np.concatenate(lengths)
    return FileTexts.known(listing, column, id, parts=parts, lengths=every_length, ids=ids, rejected=rejected)


def _joined(tables: list[pa.Table]) -> pa.Table:
    """Return tables as one table. A column of integers in one table and of fractions in another becomes fractions.

    Raises `ParameterError` if a column has texts in one table and numbers in another.
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

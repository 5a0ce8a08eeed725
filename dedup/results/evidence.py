"""The evidence: the result of a search as arrays, and the rows of the tables that are made from them.

Units are rows of a collection (documents, paragraphs or lines). A table can be made at once or in parts, so that ten
million rows can be written to disk without a second copy in memory. The rows are the same in both ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.clusters.stars import Stars, components
from dedup.clusters.verdicts import kept_units
from dedup.hashing.units import Units
from dedup.pairs.verify import Pairs, evidence_columns
from dedup.results.differences import Differences, Removals, difference_column
from dedup.results.listed_pairs import Listing, check_rows, partly_listed
from dedup.results.search_info import Read, SearchInfo
from dedup.results.suggestion import advice_on_length, advice_on_missed
from dedup.runtime.arrays import arrow_of, arrow_table, sorted_unique
from dedup.sources.coerce import Texts
from dedup.sources.two_sided import same_ids
from dedup.unit import Unit

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["EVERYTHING", "Evidence", "place_columns"]

EVERYTHING = slice(None)

HELD_BYTES = 28
"""Bytes per pair of representatives while the table of pairs is made."""

SHOWN_TEXT = 80
"""Characters. At most so many of the start of a text are shown."""

CROWD = 64
"""Members. Only in a larger cluster can texts be in an LSH bucket in which they were compared with leaders only."""


CROWDED = 1000
"""Members. A cluster is suspicious if it has more members than this and than a hundredth of all units."""

SOURCE_TEXTS, SOURCE_SHARE = 100, 0.9
"""Units, share. A file is suspicious if it has at least so many units and more than this share of them is removed."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """The result of a search.

    Attributes
    ----------
    run, texts, units : the options of the search, its texts, and their units
    representatives : int64; for each unit the one of its exact copies with the best priority
    rank : int64; the priority of each unit, 0 is the best
    pairs : the pairs of representatives that reach the threshold
    stars : for each unit the centre of its cluster: the kept unit, unless ``keep="none"``
    """

    run: SearchInfo
    texts: Texts
    units: Units
    representatives: npt.NDArray[np.int64]
    rank: npt.NDArray[np.int64]
    pairs: Pairs
    stars: Stars

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields for a pickle, without cached properties."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def agrees(self, other: Evidence) -> bool:
        """Return whether the other evidence has the same pairs, clusters and kept texts, with the same ids."""
        same = all(map(np.array_equal, self._arrays(), other._arrays())) and same_ids(self.texts, other.texts)
        return same and (self.run.unit.whole or self.texts.column_places == other.texts.column_places)

    def _arrays(self) -> Iterator[npt.NDArray[Any]]:
        """Yield the arrays from which the tables are made."""
        sizes, members = self.units.sizes[self.representatives], self.members[0]
        star = self.stars.star[members]
        yield from (self.units.places, self.stars.star, self.stars.similarity[members], self.kept[members])
        yield self.same[members] == self.same[star]
        yield np.array([len(self.listed)])
        for part in self.listed.parts():
            yield from (*part, sizes[part.left], sizes[part.right])

    @cached_property
    def read(self) -> Read:
        """How much was read."""
        if self.run.read is not None:
            return self.run.read
        filled = np.zeros(len(self.texts), dtype=np.bool_)
        filled[self.units.places[self.units.full, 0]] = True
        units = self.units
        return Read(len(filled), len(units), int(np.count_nonzero(filled)), len(units.full), units.short)

    @cached_property
    def kept(self) -> npt.NDArray[np.bool_]:
        """Which units are kept (bool, by unit)."""
        members, numbers = self.members
        how: dict[str, Any] = {"none": self.run.removes_all, "least": self.run.min_documents}
        return kept_units(self.stars.star, members, numbers, self.units.places[members, 0], **how)

    @property
    def removed(self) -> npt.NDArray[np.int64]:
        """The removed units that are not the centre of their cluster, ascending."""
        members = np.sort(self.members[0])
        removed: npt.NDArray[np.int64] = members[(self.stars.star[members] != members) & ~self.kept[members]]
        return removed

    @property
    def same(self) -> npt.NDArray[np.int64]:
        """Units with the same tokens, and symbols if these are distinct, have the same value here (int64, by unit).

        These are the representatives, unless labels are compared across: then each label has its own.
        """
        return self.representatives if self.run.same is None else self.run.same

    @cached_property
    def listed(self) -> Listing:
        """The listed pairs of units, with those of exact copies."""
        arrays = (self.pairs, self.representatives, self.units, self.stars.star)
        return Listing(*arrays, self._large, copies=self.run.same is None, limits=self.run.limits)

    @cached_property
    def members(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The members of clusters of two or more, by cluster and input order, and the number of the cluster of each."""
        star = self.stars.star
        size = np.bincount(star, minlength=len(star))
        members = np.flatnonzero(size[star] > 1)
        members = members[np.argsort(star[members], kind="stable")]
        centres = star[members]  # ascending
        numbers = np.zeros(len(members), dtype=np.int64)
        np.cumsum(centres[1:] != centres[:-1], out=numbers[1:])
        return members, numbers

    @property
    def cluster_count(self) -> int:
        """The number of clusters of two or more members."""
        numbers = self.members[1]
        return int(numbers[-1]) + 1 if len(numbers) else 0

    @cached_property
    def _large(self) -> npt.NDArray[np.bool_] | None:
        """For each unit, whether it is the kept one of a partly listed cluster; None if all pairs are listed."""
        if self.run.listing != "auto":
            return None
        arrays = (self.pairs, self.representatives, self.stars.star, self.rank)
        return partly_listed(*arrays, self.run.large, limits=self.run.limits)

    @cached_property
    def partly_listed(self) -> list[int]:
        """The numbers of the clusters of which not all pairs are listed."""
        members, numbers = self.members
        star = self.stars.star
        partial = np.zeros(len(star), dtype=np.bool_)
        if self._large is not None:
            partial |= self._large[star]
        if self.run.large_buckets:
            size = np.bincount(star, minlength=len(star))
            partial |= size[star] > CROWD
        return sorted_unique(numbers[partial[members]]).tolist()  # type: ignore[no-any-return]

    # rows of tables

    def every_pair(self) -> pa.Table:
        """Return the listed pairs (`Duplicates.pairs`). Raise `ParameterError` if they do not fit in the bound."""
        import pyarrow as pa

        room = self.run.room and self.run.room - HELD_BYTES * len(self.pairs.left)
        advice = 'search with pairs="auto", or take .clusters, which is complete'
        check_rows(len(self.listed), room, advice, limits=self.run.limits)
        return pa.concat_tables(self.pair_rows(part) for part in self.listed.slices())

    def pair_rows(self, part: slice) -> pa.Table:
        """Return a part of the listed pairs."""
        pairs, sizes = self.listed.rows(part), self.units.sizes
        left_size, right_size = (sizes[self.representatives[column]] for column in pairs[:2])
        columns: dict[str, Any] = {}
        for side, rows in (("left", pairs.left), ("right", pairs.right)):
            columns[side] = self.ids(rows)
        for side, rows in (("left", pairs.left), ("right", pairs.right)):
            columns |= self.place_columns(rows, f"{side}_")
        columns |= evidence_columns(pairs.shared, left_size, right_size, self.run.metric)
        same = self.same[pairs.left] == self.same[pairs.right]
        columns["difference"] = difference_column(self.differences.codes(pairs.left, pairs.right, same))
        return arrow_table(columns)

    def cluster_rows(self, part: slice = EVERYTHING) -> pa.Table:
        """Return the members of clusters (`Duplicates.clusters`), or a part of them."""
        members, numbers = (column[part] for column in self.members)
        return arrow_table(
            {
                "id": self.ids(members),
                **self.place_columns(members, ""),
                **self._verdicts(members, numbers, self.ids(self.stars.star[members])),
                "difference": self.from_kept(members),
            }
        )

    def annotations(self) -> pa.Table:
        """Return what was found of each unit: the columns of `Duplicates.annotate`, null for a unit in no cluster."""
        count = len(self.units)
        place = np.full(count, -1, dtype=np.int64)
        members = self.members[0]
        place[members] = np.arange(len(members), dtype=np.int64)
        rows = arrow_of(place, place < 0)
        found = self.cluster_rows().select(["cluster", "kept_id", "similarity", "difference", "reason"]).take(rows)
        return found.append_column("removed", arrow_of(~self.kept))

    def from_kept(self, members: npt.NDArray[np.int64]) -> pa.Array:
        """Return the column of the differences of members from the kept one; null for the kept one."""
        star = self.stars.star[members]
        others = np.flatnonzero(star != members)
        left, right = star[others], members[others]
        codes = np.zeros(len(members), dtype=np.int8)
        codes[others] = self.differences.codes(left, right, self.same[right] == self.same[left])
        return difference_column(codes, star == members)

    @cached_property
    def differences(self) -> Differences:
        """The differences of the units."""
        return Differences(self.texts, self.units, self.run.reading)

    @cached_property
    def removals(self) -> Removals:
        """What the removed units differ in from their kept ones."""
        return Removals(self.differences, self.removed, self.stars.star[self.removed], self.same)

    @cached_property
    def numbers_only(self) -> int:
        """How many pairs differ in numbers alone: of those listed, or if they are no pairs, of those left out."""
        if self.run.apart is not None:
            return int(self.run.apart.pairs.sum())
        found = self.listed.count(self.differences.numbers_only(self.pairs.left, self.pairs.right))
        hidden = self.listed.hidden
        star = self.stars.star[hidden]
        near = self.same[hidden] != self.same[star]
        return found + int(np.count_nonzero(self.differences.numbers_only(star[near], hidden[near])))

    def decision_rows(self, part: slice = EVERYTHING) -> pa.Table:
        """Return the members of clusters in input order, or a part of them, with file and record instead of id."""
        order = self._input_order[part]
        members, numbers = self.members[0][order], self.members[1][order]
        files, records = self.texts.locate(self.units.places[members, 0])
        return arrow_table(
            {
                "file": files.astype(np.int32),
                "record": records.astype(np.int64),
                **self.place_columns(members, ""),
                **self._verdicts(members, numbers, None),
                "difference": self.from_kept(members),
            }
        )

    @cached_property
    def _input_order(self) -> npt.NDArray[np.int64]:
        return np.argsort(self.members[0], kind="stable")

    def component_rows(self) -> pa.Table:
        """Return the connected components of the listed pairs (`Duplicates.components`)."""
        root = components(len(self.units), ((part.left, part.right) for part in self.listed.parts()))
        size = np.bincount(root, minlength=len(root))
        members = np.flatnonzero(size[root] > 1)
        members = members[np.argsort(root[members], kind="stable")]
        _, numbers = np.unique(root[members], return_inverse=True)
        ids = self.ids(members)
        return arrow_table({"id": ids, **self.place_columns(members, ""), "component": numbers.astype(np.int64)})

    def _verdicts(
        self, members: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64], kept_ids: pa.Array | None
    ) -> dict[str, Any]:
        import pyarrow as pa

        star = self.stars.star[members]
        exact = self.same[members] == self.same[star]
        reason = np.where(exact, "exact", "near").astype(object)
        reason[star == members] = None
        return {
            "cluster": numbers,
            "kept": self.kept[members],
            **({} if kept_ids is None else {"kept_id": kept_ids}),
            "similarity": self.stars.similarity[members],
            "reason": pa.array(reason.tolist(), type=pa.string()),
        }

    # names

    def ids(self, units: npt.NDArray[np.int64] | npt.NDArray[np.int32]) -> pa.Array:
        """Return the ids of the documents of some units, as an Arrow array."""
        return self.texts.ids_at(self.units.places[units, 0])

    def place_columns(self, units: npt.NDArray[np.int64] | npt.NDArray[np.int32], prefix: str) -> dict[str, Any]:
        """Return the columns that locate units in their documents; none if units are documents."""
        return place_columns(self.units.places[units], self.run.unit, prefix, self.texts)

    def name(self, unit: int) -> Any:
        """Return the id of a unit; (id, number) for a paragraph or line."""
        name = self.texts.id_of(int(self.units.places[unit, 0]))
        return name if self.run.unit.whole else (name, int(self.units.places[unit, 1]))

    def labels(self, units: npt.NDArray[np.int64]) -> list[str]:
        """Return what some units are called: each its id; a paragraph or line also its number."""
        names = [str(self.texts.id_of(row)) for row in self.units.places[units, 0].tolist()]
        if self.run.unit.whole:
            return names
        parts = self.units.places[units, 1].tolist()
        return [f"{name}, {self.run.unit} {part}" for name, part in zip(names, parts, strict=True)]

    def text(self, unit: int) -> str:
        """Return the text of a unit."""
        return next(self.each_text(np.array([unit])))

    def each_text(self, units: npt.NDArray[np.int64]) -> Iterator[str]:
        """Yield the texts of some units."""
        whole, texts = self.run.unit.whole, self.texts
        for place in self.units.places[units].tolist():
            text = texts[place[0]]
            yield text if whole else text[place[2] : place[3]]

    def shown(self, unit: int) -> str:
        """Return the start of the text of a unit, on one line."""
        text = self.text(unit)
        words = text[: 4 * SHOWN_TEXT].encode("utf-8", "replace").decode().split()
        line = " ".join(words)
        return line if len(line) <= SHOWN_TEXT else line[: SHOWN_TEXT - 3] + "..."

    @property
    def closest(self) -> tuple[Any, Any, float] | None:
        """Names and similarity of the closest pair that was seen, if no pair reached the threshold; else None."""
        if self.run.closest is None:
            return None
        left, right, value = self.run.closest
        return self.name(left), self.name(right), value

    def warnings(self) -> tuple[str, ...]:
        """Return warnings: texts too short for the shingle, doubtful removals, suspicious clusters and files."""
        members, numbers = self.members
        unit, read = self.run.unit, self.read
        found = advice_on_length(read.filled, read.short, unit, self.run.shingle, pairs=len(members))
        found += advice_on_missed(self.run.missed, self.run.threshold, unit)
        if not len(members):
            return tuple(found)
        found += self.removals.doubtful(self.run.unit)
        sizes = np.bincount(numbers)
        for number in np.flatnonzero(sizes > max(CROWDED, read.units // 100))[:3].tolist():
            some = [self.name(unit) for unit in members[numbers == number][:3].tolist()]
            found.append(
                f"cluster {number} holds {sizes[number]:,} of {read.units:,} {unit}s; "
                f"look at some of them: {', '.join(map(repr, some))}"
            )
        sources = self.texts.sources
        if sources is not None and len(sources) > 1:
            files = self.texts.locate(self.units.places[:, 0])[0]
            every = self.run.units_by_file
            if every is None:
                every = np.bincount(files, minlength=len(sources))
            lost = np.bincount(files[~self.kept], minlength=len(sources))
            suspicious = (every >= SOURCE_TEXTS) & (lost > SOURCE_SHARE * every)
            found += [
                f"{sources[file]} loses {lost[file]:,} of its {every[file]:,} {unit}s; look at some of them"
                for file in np.flatnonzero(suspicious)[:3].tolist()
            ]
        return tuple(found)


def place_columns(places: npt.NDArray[np.int64], unit: Unit, prefix: str, texts: Texts) -> dict[str, Any]:
    """Return the columns that locate paragraphs or lines in their `texts`, of their places; none of documents."""
    if unit.whole:
        return {}
    number = {f"{prefix}{unit}": places[:, 1]}
    if texts.column_places is None:
        return {**number, f"{prefix}start": places[:, 2], f"{prefix}end": places[:, 3]}
    found = texts.column_places.columns_of(places[:, 0], places[:, 2], places[:, 3], prefix)
    del found[f"{prefix}end_column"]  # a paragraph or line lies in one column
    return {**number, **found}

"""The result of `match`, a search across two collections: pairs of texts, and passages, as Arrow tables.

The left side is `texts`, the right side is `against`, in which they were searched. The tables do not depend on the
number of threads or the clock; the seconds are in ``timings`` only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from dedup.errors import ParameterError
from dedup.hashing.units import Units
from dedup.option_types import Data, Item, MatchedBy, UnitId
from dedup.options import check_word
from dedup.page.showing import Shown
from dedup.pairs.kept_apart import Apart
from dedup.pairs.verify import Pairs, evidence_columns, similarity
from dedup.results.data.cutting import cut_spans
from dedup.results.data.given import recognise
from dedup.results.differences import Differences, PairDifferences, difference_column
from dedup.results.evidence import place_columns
from dedup.results.listed_pairs import LISTING_LIMITS, Listing, ListingLimits, check_rows
from dedup.results.match_links import MatchInfo, Passages, decided, read_of, view_of_match
from dedup.results.search_info import Read
from dedup.results.suggestion import advice_on_length, advice_on_missed
from dedup.results.summary import LOWER_THRESHOLD, MatchSummary, hint_of
from dedup.runtime.arrays import arrow_table, sorted_unique
from dedup.sources.coerce import Texts
from dedup.sources.columns import plain_names
from dedup.sources.two_sided import Sides, same_ids
from dedup.unit import Unit

if TYPE_CHECKING:
    import pyarrow as pa

    from dedup.page.view import View

__all__ = ["Matches"]

STATE_OF_MATCH = ("_units", "_representatives", "_pairs", "_found", "_closest")
MATCHES_STATE = ("_run", "_sides", *STATE_OF_MATCH, "timings", "_room", "_limits", "_apart", "_known")
"""The attributes in a pickle; all others are computed from them."""

EVIDENCE = ("pairs", "passages", "either")
"""The values of `by`: the evidence by which a text matches."""


class Matches(Shown):
    """Texts and passages of one collection that also occur in another, with the evidence.

    `dedup.match` makes it. The tables are Arrow; ids are the ids of the input, or positions. Its length is the number
    of pairs; it is true even if that is 0. Two results are equal if their tables and summaries are equal; the type of
    the collections and the seconds do not matter. A pickle contains texts that were in memory; for texts in files it
    contains only their places.
    """

    _of_index = False

    def __init__(
        self,
        run: MatchInfo,
        sides: Sides,
        units: Units,
        representatives: npt.NDArray[np.int64],
        pairs: Pairs,
        found: Passages | None,
        closest: tuple[int, int, float] | None,
        timings: Mapping[str, float],
        room: int | None = None,
        *,
        apart: Apart | None = None,
        limits: ListingLimits = LISTING_LIMITS,
        read: tuple[Read, Read] | None = None,
    ) -> None:
        self._run = run
        self._sides = sides
        self._units = units
        self._representatives = representatives
        self._pairs = pairs
        self._found = found
        self._closest = closest
        self.timings = dict(timings)
        self._room, self._limits, self._apart = room, limits, apart
        self._known = read  # if only units in pairs are held

    def __repr__(self) -> str:
        return f"Matches\n{self.summary}{hint_of(self.closest, str(self._run.unit), LOWER_THRESHOLD)}"

    def __len__(self) -> int:
        return int(self._products.sum())

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Matches):
            return NotImplemented
        return self is other or (
            self.summary == other.summary
            and all(map(np.array_equal, self._arrays(), other._arrays()))
            and same_ids(self.texts, other.texts)
            and same_ids(self.other_texts, other.other_texts)
            and (not self._placed or self._sides.same_columns(other._sides))
        )

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name in MATCHES_STATE}

    @property
    def _placed(self) -> bool:
        """Whether the tables have places in texts."""
        return not self._run.unit.whole or self._found is not None

    def _arrays(self) -> Iterator[npt.NDArray[Any]]:
        """Yield the arrays from which the tables are made."""
        units = np.flatnonzero(np.isin(self._representatives, np.concatenate((self._pairs.left, self._pairs.right))))
        first, sizes = self._representatives[units], self._units.sizes
        yield from (self._units.places, units, first, sizes[first], *self._pairs)
        yield from () if self._found is None else self._found

    # tables

    @cached_property
    def pairs(self) -> pa.Table:
        """The pairs that reach the threshold, with their evidence, sorted (Arrow table).

        Columns: left (id in `texts`), right (id in `against`), left_size, right_size, shared (shingles), jaccard,
        left_in_right (shared / left_size), right_in_left; with ``metric="edit"`` instead of these, from left_size on:
        distance, similarity. For paragraphs also left_paragraph, left_start, left_end and
        right_paragraph, right_start, right_end: numbers from 0, and characters of the original text. For lines
        left_line and right_line instead of the paragraphs: the number among the lines of the text that are not blank.
        Of a side of several columns also left_column or right_column, before its start: the column of these characters.
        Raises `ParameterError` if there are more than 200 million pairs, or more than fit in the bound (96 bytes per
        row).
        """
        import pyarrow as pa

        advice = "thin out one side with find_duplicates first; .matched and .filter() are complete as they are"
        check_rows(len(self), self._room, advice, limits=self._limits)
        return pa.concat_tables(self.pair_rows(part) for part in self._listed.slices())

    def pair_rows(self, part: slice) -> pa.Table:
        """Return some rows of `pairs`."""
        pairs, sizes, first = self._listed.rows(part), self._units.sizes, self._representatives
        left_size, right_size = sizes[first[pairs.left]], sizes[first[pairs.right]]
        places = self._units.places
        right_places = places[pairs.right]
        right_places[:, 0] -= len(self._sides.left)
        return arrow_table(
            {
                "left": self._sides.left.ids_at(places[pairs.left, 0]),
                "right": self._sides.right.ids_at(right_places[:, 0]),
                **place_columns(places[pairs.left], self._run.unit, "left_", self._sides.left),
                **place_columns(right_places, self._run.unit, "right_", self._sides.right),
                **evidence_columns(pairs.shared, left_size, right_size, self._run.metric),
                **self._difference_of(pairs),
            }
        )

    def _difference_of(self, pairs: Pairs) -> dict[str, Any]:
        return {"difference": difference_column(self._differences.of_pairs(pairs))}

    @cached_property
    def _differences(self) -> Differences:
        return Differences(self._sides, self._units, self._run.reading)

    @cached_property
    def _by_difference(self) -> PairDifferences:
        """What the pairs differ in."""
        return PairDifferences(self._differences, self._listed.parts())

    @cached_property
    def passages(self) -> pa.Table:
        """The passages, in the order of their places in `texts` (Arrow table).

        Columns: left (id in `texts`), left_start, left_end, right (id in `against`), right_start, right_end, in
        characters of the original texts; words (tokens on the left); similarity (matched tokens / tokens of the longer
        side). The place on the right is the first place of a passage that is equal word for word, else of the one that
        matches best. Passages of a text may overlap. Of a side of several columns also left_column and left_end_column
        (right_column, right_end_column): the columns in which its start and its end count characters. Raises
        `ParameterError` if the search was not for passages (``min_words=None``).
        """
        return self._passages.table(self._sides)

    @cached_property
    def matched(self) -> pa.Array:
        """The ids of the texts that are in a pair, or have a unit that is, in input order (Arrow array)."""
        return self._sides.left.ids_at(sorted_unique(self._units.places[np.flatnonzero(self._in_pairs), 0]))

    @cached_property
    def summary(self) -> MatchSummary:
        """The numbers of the search (see `MatchSummary`)."""
        left, right = self._read
        sides = left.units, right.units
        paragraphs = sides if self._run.unit is Unit.PARAGRAPH else (None, None)
        lines = sides if self._run.unit is Unit.LINE else (None, None)
        found = self._found
        return MatchSummary(
            unit=str(self._run.unit),
            metric=str(self._run.metric),
            shingle=self._run.shingle,
            threshold=self._run.threshold,
            min_words=self._run.min_words,
            texts=left.texts,
            empty=left.texts - left.filled_texts,
            against=right.texts,
            against_empty=right.texts - right.filled_texts,
            paragraphs=paragraphs[0],
            against_paragraphs=paragraphs[1],
            lines=lines[0],
            against_lines=lines[1],
            pairs=len(self),
            matched=len(self.matched),
            passages=None if found is None else len(found.left),
            quoting=None if found is None else len(sorted_unique(found.left)),
            warnings=self._warnings(),
            differences=self._by_difference.counts,
            numbers_only=self._by_difference.counts["numbers"] if self._apart is None else int(self._apart.pairs.sum()),
            distinct=self._run.distinct,
            **self._run.reading.options,
            passage_threshold=None if self._run.min_words is None else self._run.passage_threshold,
        )

    @cached_property
    def _read(self) -> tuple[Read, Read]:
        """How much was read on each side."""
        return read_of(self._sides, self._units, self._lefts) if self._known is None else self._known

    @property
    def texts(self) -> Texts:
        """The texts of the left side."""
        return self._sides.left

    @property
    def other_texts(self) -> Texts:
        """The texts of the right side."""
        return self._sides.right

    @property
    def options(self) -> dict[str, Any]:
        """The options of the search."""
        options = {name: str(value) if isinstance(value, str) else value for name, value in asdict(self._run).items()}
        return {**options, "column": plain_names(self._run.column)}

    def decision_rows(self) -> pa.Table:
        """Return the texts, paragraphs or lines of the left side that are in a pair, in input order (Arrow table).

        Columns: file, record; for paragraphs also paragraph, start, end (for lines line, start, end), of several
        columns with column before start; cluster (null), kept (false), similarity (to the most similar text of the
        right side), reason ("match").
        """
        rows, best = np.flatnonzero(self._in_pairs), np.zeros(len(self._representatives), dtype=np.float64)
        np.maximum.at(best, self._pairs.left, similarity(self._pairs, self._units.sizes, self._run.metric))
        places = self._units.places[rows]
        return decided(places, self._sides.left, self._run.unit, best[self._representatives[rows]])

    # uses of a result

    @overload
    def filter(self, data: Iterator[Item], *, by: MatchedBy = "pairs") -> list[Item]: ...
    @overload
    def filter(self, data: Data, *, by: MatchedBy = "pairs") -> Data: ...
    def filter(self, data: Any, *, by: MatchedBy = "pairs") -> Any:
        """Return `data` without the texts that match, as the same type. Order, index and other columns are unchanged.

        `data` is the collection that was searched as `texts`: the same texts in the same order, or in any order if it
        has the ids with which it was searched. For a generator a list is returned. For any other data an `InputError`
        names the first difference. `by` says which texts match: "pairs" (texts that reach the threshold with a text of
        `against`), "passages" (texts that have a passage), or "either". For pairs of paragraphs or lines all rows are
        returned, and the units that match are cut out of the texts; a text of which nothing is left is ``""``.
        """
        chosen = check_word("by", by, EVIDENCE)
        unit = self._run.unit
        if unit != "document" and chosen != "passages":
            if chosen == "either":
                raise ParameterError(f"by: expected 'pairs' or 'passages' for pairs of {unit}s, found 'either'")
            places = self._units.places[: self._lefts]
            return recognise(data, self._sides.left, "filter", cutting=True).cut(places, ~self._in_pairs, unit)
        matched = np.zeros(len(self._sides.left), dtype=np.bool_)
        if chosen != "passages":
            matched |= self._in_pairs
        if chosen != "pairs":
            matched[self._passages.left] = True
        return recognise(data, self._sides.left, "filter", cutting=False).select(~matched)

    @overload
    def cut(self, data: Iterator[Item]) -> list[Item]: ...
    @overload
    def cut(self, data: Data) -> Data: ...
    def cut(self, data: Any) -> Any:
        """Return `data` with the passages cut out of its texts, as the same type and with all rows.

        `data` is the collection that was searched as `texts`, as for `filter`. A passage with edits is removed
        as a whole, one of complete lines with the line break after it, one between two spaces with the second space;
        of several columns, what of it is in each. A text of which nothing is left is ``""``.
        """
        found = self._passages
        bounds = np.searchsorted(found.left, np.arange(len(self._sides.left) + 1))

        def shorter(row: int, text: str, first: int) -> str:
            part = slice(bounds[row], bounds[row + 1])
            start = np.maximum(found.left_start[part] - first, 0)
            end = np.minimum(found.left_end[part] - first, len(text))
            some = start < end
            return cut_spans(text, start[some].tolist(), end[some].tolist())

        given = recognise(data, self._sides.left, "cut", cutting=True)
        return given.edit(sorted_unique(found.left), shorter)

    # the page

    def _view(self) -> View:
        check_rows(len(self), self._room, "write the report, and look at that with dedup show")
        run, pairs = self._run, self._listed.rows(slice(None))
        values = similarity(pairs, self._units.sizes[self._representatives], run.metric)
        nothing = f"Nothing matches.{hint_of(self.closest, str(self._run.unit), LOWER_THRESHOLD)}"
        places, summary = self._units.places, self.summary.to_dict()
        return view_of_match(run, self._sides, places, pairs, values, self._found, summary, nothing)

    # parts

    @cached_property
    def _lefts(self) -> int:
        """The number of units of the left side."""
        return int(np.searchsorted(self._units.places[:, 0], len(self._sides.left)))

    @property
    def closest(self) -> tuple[UnitId, UnitId, float] | None:
        """(left id, right id, similarity) of the closest pair that was seen, if no pair was found; else None.

        It is a hint, not a part of the result: only hashes that were in memory at the end of the search were compared.
        """
        if self._closest is None:
            return None
        left, right, similarity = self._closest
        left, right = self._units.places[[left, right], 0].tolist()
        return self._sides.left.id_of(left), self._sides.right.id_of(right - len(self._sides.left)), similarity

    @property
    def _passages(self) -> Passages:
        if self._found is None:
            raise ParameterError(
                "passages: expected a search for passages, found min_words=None; run match again with a number"
            )
        return self._found

    @cached_property
    def _in_pairs(self) -> npt.NDArray[np.bool_]:
        """For each unit of the left side, whether it is in a pair."""
        return np.isin(self._representatives[: self._lefts], self._pairs.left)

    @cached_property
    def _counts(self) -> npt.NDArray[np.int64]:
        """The number of exact copies of each representative, itself included."""
        return np.bincount(self._representatives, minlength=len(self._representatives))

    @property
    def _products(self) -> npt.NDArray[np.int64]:
        """For each pair of representatives, the number of pairs of their copies."""
        return self._counts[self._pairs.left] * self._counts[self._pairs.right]

    @cached_property
    def _listed(self) -> Listing:
        """All pairs, expanded to the exact copies of both sides."""
        everyone = np.arange(len(self._representatives), dtype=np.int64)
        arrays = (self._pairs, self._representatives, self._units, everyone)
        return Listing(*arrays, None, copies=False, limits=self._limits)

    def _warnings(self) -> tuple[str, ...]:
        found = [
            f"no text of `{name}` has a word, so nothing can match"
            for name, read in zip(self._sides.names, self._read, strict=True)
            if not read.filled_texts and read.texts
        ]
        short = self._units.short if self._known is None else sum(read.short for read in self._read)
        filled = sum(read.filled for read in self._read)
        found += advice_on_length(filled, short, self._run.unit, self._run.shingle, pairs=len(self._pairs.left))
        found += advice_on_missed(self._run.missed, self._run.threshold, self._run.unit, ask=False)
        found += self._by_difference.doubtful(of_index=self._of_index)
        lefts = self._read[0].units
        units = "texts" if self._run.unit.whole else f"{self._run.unit}s"
        weight = np.bincount(
            self._pairs.right, weights=self._counts[self._pairs.left], minlength=len(self._representatives)
        )
        for unit in np.flatnonzero(weight > max(1000, lefts // 100))[:3].tolist():
            name = self._sides.right.id_of(int(self._units.places[unit, 0]) - len(self._sides.left))
            found.append(
                f"{name!r} of `{self._sides.names[1]}` matches {int(weight[unit]):,} of {lefts:,} {units}; look at it"
            )
        return tuple(found)

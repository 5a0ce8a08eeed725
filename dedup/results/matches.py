"""What a search across two collections gives back: pairs of texts, and passages, as Arrow tables.

The left side are the texts that were looked up, the right side those that they were looked up in. Nothing in a table
depends on threads or on the clock; seconds stand apart in ``timings``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.errors import ParameterError
from dedup.hashing.units import Units
from dedup.options import check_word
from dedup.pairs.verify import Pairs, similarity
from dedup.results.cutting import cut_spans
from dedup.results.given import recognise
from dedup.results.listed_pairs import Listing, check_rows
from dedup.results.summary import MatchSummary, hint_of
from dedup.runtime.arrays import sorted_unique
from dedup.sources.coerce import Texts
from dedup.sources.two_sided import Sides, same_ids
from dedup.threshold import Metric
from dedup.unit import Unit

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MatchInfo", "Matches"]

STATE = ("_run", "_sides", "_units", "_representatives", "_pairs", "_found", "_closest", "timings", "_room")
"""What a pickle holds; all else is made of it."""

EVIDENCE = ("pairs", "passages", "either")
"""What a text may be said to match by."""


class Passages(NamedTuple):
    """Passages in the order of their places on the left (int64, one length).

    Characters `left_start` to `left_end` of text `left` are `words` tokens that stand in text `right` of the other.
    """

    left: npt.NDArray[np.int64]
    left_start: npt.NDArray[np.int64]
    left_end: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    right_start: npt.NDArray[np.int64]
    right_end: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]


@dataclass(frozen=True)
class MatchInfo:
    """What a search across two collections was asked."""

    unit: Unit
    metric: Metric
    shingle: str
    threshold: float
    min_words: int | None
    column: str
    hash_key: str = "public"  # fingerprint


class Matches:
    """Texts of one collection that stand in another one, whole or in part, with the evidence.

    Made by `dedup.match`. The tables are Arrow; ids are those that came in, or positions. Its length is the number of
    pairs; it is true even without any. Two results are equal where what was asked and what was found is, whatever form
    the texts had and however long it took. A pickle holds texts that were in memory, and of files where they are.
    """

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
    ) -> None:
        self._run = run
        self._sides = sides
        self._units = units
        self._representatives = representatives
        self._pairs = pairs
        self._found = found
        self._closest = closest
        self.timings = dict(timings)
        self._room = room

    def __repr__(self) -> str:
        return f"Matches\n{self.summary}{hint_of(self.closest)}"

    def __len__(self) -> int:
        return int(self._products.sum())

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Matches):
            return NotImplemented
        return self is other or (
            self.summary == other.summary
            and all(map(np.array_equal, self._told(), other._told()))
            and same_ids(self.texts, other.texts)
            and same_ids(self.other_texts, other.other_texts)
        )

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name in STATE}

    def _told(self) -> Iterator[npt.NDArray[Any]]:
        """Yield what the tables are made of."""
        units = np.flatnonzero(np.isin(self._representatives, np.concatenate((self._pairs.left, self._pairs.right))))
        first, sizes = self._representatives[units], self._units.sizes
        yield from (self._units.places, units, first, sizes[first], *self._pairs)
        yield from () if self._found is None else self._found

    # tables

    @cached_property
    def pairs(self) -> pa.Table:
        """The pairs that reach the threshold, with their evidence, sorted (Arrow table).

        Columns: left (id in `texts`), right (id in `against`), left_size, right_size, shared (shingles), jaccard,
        left_in_right (shared / left_size), right_in_left. With paragraphs also left_paragraph, left_start, left_end and
        the same for right: numbers from 0, and characters of the original text (with lines left_line and right_line:
        the number among the lines of the text that are not blank). Raises `ParameterError` where they would fill more
        than 200 million rows, or more than a bound holds (96 bytes a row).
        """
        import pyarrow as pa

        advice = "thin out one side with find_duplicates first; .matched and .filter() are complete as they are"
        check_rows(len(self), self._room, advice)
        return pa.concat_tables(self.pair_rows(part) for part in self._listed.slices())

    def pair_rows(self, part: slice) -> pa.Table:
        """Return some rows of `pairs`."""
        import pyarrow as pa

        pairs, sizes, first = self._listed.rows(part), self._units.sizes, self._representatives
        left_size, right_size = sizes[first[pairs.left]], sizes[first[pairs.right]]
        places = self._units.places
        return pa.table(
            {
                "left": self._sides.left.ids_at(places[pairs.left, 0]),
                "right": self._sides.right.ids_at(places[pairs.right, 0] - len(self._sides.left)),
                **self._place_columns(pairs.left, "left"),
                **self._place_columns(pairs.right, "right"),
                "left_size": left_size,
                "right_size": right_size,
                "shared": pairs.shared.astype(np.int64),
                "jaccard": pairs.shared / (left_size + right_size - pairs.shared),
                "left_in_right": pairs.shared / left_size,
                "right_in_left": pairs.shared / right_size,
            }
        )

    @cached_property
    def passages(self) -> pa.Table:
        """The passages, in the order of their places in `texts` (Arrow table).

        Columns: left (id in `texts`), left_start, left_end, right (id in `against`), right_start, right_end, in
        characters of the originals; words (tokens); similarity (1.0: a passage is the same word for word). The place
        on the right is the first one. Passages of a text may overlap. Raises `ParameterError` where they were not
        looked for.
        """
        import pyarrow as pa

        found = self._passages
        return pa.table(
            {
                **found._asdict(),
                "left": self._sides.left.ids_at(found.left),
                "right": self._sides.right.ids_at(found.right),
                "similarity": np.ones(len(found.words), dtype=np.float64),
            }
        )

    @cached_property
    def matched(self) -> pa.Array:
        """The ids of the texts that are in a pair, or have a paragraph that is, in input order (Arrow array)."""
        return self._sides.left.ids_at(sorted_unique(self._units.places[np.flatnonzero(self._in_pairs), 0]))

    @cached_property
    def summary(self) -> MatchSummary:
        """What the search did, in numbers (see `MatchSummary`)."""
        left, right = len(self._sides.left), len(self._sides.right)
        full = sorted_unique(self._units.places[self._units.full, 0])
        full_left = int(np.count_nonzero(full < left))
        sides = (self._lefts, len(self._units) - self._lefts)
        paragraphs = sides if self._run.unit is Unit.PARAGRAPH else (None, None)
        lines = sides if self._run.unit is Unit.LINE else (None, None)
        found = self._found
        return MatchSummary(
            unit=str(self._run.unit),
            metric=str(self._run.metric),
            shingle=self._run.shingle,
            threshold=self._run.threshold,
            min_words=self._run.min_words,
            texts=left,
            empty=left - full_left,
            against=right,
            against_empty=right - (len(full) - full_left),
            paragraphs=paragraphs[0],
            against_paragraphs=paragraphs[1],
            lines=lines[0],
            against_lines=lines[1],
            pairs=len(self),
            matched=len(self.matched),
            passages=None if found is None else len(found.left),
            quoting=None if found is None else len(sorted_unique(found.left)),
            warnings=self._warnings(full_left, len(full) - full_left),
        )

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
        """What the search was asked."""
        return {name: str(value) if isinstance(value, str) else value for name, value in asdict(self._run).items()}

    def decision_rows(self) -> pa.Table:
        """Return the texts, paragraphs or lines of the left side that are in a pair, in input order (Arrow table).

        Columns: file, record, for paragraphs also paragraph, start, end (lines: line, start, end); cluster (null), kept
        (false), similarity (to
        the most similar text of the right side), reason ("match").
        """
        import pyarrow as pa

        value = similarity(self._pairs, self._units.sizes, self._run.metric)
        best = np.zeros(len(self._representatives), dtype=np.float64)
        np.maximum.at(best, self._pairs.left, value)
        rows = np.flatnonzero(self._in_pairs)
        places = self._units.places[rows]
        files, records = self._sides.left.locate(places[:, 0])
        names = () if self._run.unit.whole else (str(self._run.unit), "start", "end")
        return pa.table(
            {
                "file": pa.array(files, type=pa.int32()),
                "record": pa.array(records, type=pa.int64()),
                **{name: places[:, i] for i, name in enumerate(names, start=1)},
                "cluster": pa.nulls(len(rows), pa.int64()),
                "kept": np.zeros(len(rows), dtype=np.bool_),
                "similarity": best[self._representatives[rows]],
                "reason": pa.array(["match"] * len(rows), type=pa.string()),
            }
        )

    # what to do with it

    def filter(self, data: Any, *, by: str = "pairs") -> Any:
        """Return `data` without the texts that match, as the same type: order, index and other columns untouched.

        `data` is what was searched as `texts`: the same texts (a generator gives a list), in the same order, or in any
        order where it brings the ids with which they were searched. Anything else is an `InputError` that names the
        first difference. `by`: "pairs" (texts that reach the threshold with one of `against`), "passages" (texts that
        have a passage), or "either". By pairs of paragraphs or lines, the same rows come back with those that match cut
        out; a text of which nothing is left is ``""``.
        """
        by = check_word("by", by, EVIDENCE)
        unit = self._run.unit
        if unit != "document" and by != "passages":
            if by == "either":
                raise ParameterError(f"by: expected 'pairs' or 'passages' where pairs are of {unit}s, found 'either'")
            places = self._units.places[: self._lefts]
            return recognise(data, self._sides.left, "filter", cutting=True).cut(places, ~self._in_pairs, unit)
        goes = np.zeros(len(self._sides.left), dtype=np.bool_)
        if by != "passages":
            goes |= self._in_pairs
        if by != "pairs":
            goes[self._passages.left] = True
        return recognise(data, self._sides.left, "filter", cutting=False).select(~goes)

    def cut(self, data: Any) -> Any:
        """Return `data` with the passages cut out of its texts, as the same type; every row stays.

        `data` is what was searched as `texts`, as for `filter`. A passage that takes up whole lines goes with the line
        break behind it, one between two spaces with the second; a text of which nothing is left is ``""``.
        """
        found = self._passages
        bounds = np.searchsorted(found.left, np.arange(len(self._sides.left) + 1))

        def shorter(row: int, text: str) -> str:
            part = slice(bounds[row], bounds[row + 1])
            return cut_spans(text, found.left_start[part].tolist(), found.left_end[part].tolist())

        given = recognise(data, self._sides.left, "cut", cutting=True)
        return given.edit(sorted_unique(found.left).tolist(), shorter)

    # parts

    @cached_property
    def _lefts(self) -> int:
        """How many of the units are of the left side."""
        return int(np.searchsorted(self._units.places[:, 0], len(self._sides.left)))

    def _place_columns(
        self, rows: npt.NDArray[np.int64] | npt.NDArray[np.int32], side: str
    ) -> dict[str, npt.NDArray[np.int64]]:
        """Return where paragraphs or lines stand in their texts; nothing for documents."""
        if self._run.unit.whole:
            return {}
        places = self._units.places[rows]
        return {f"{side}_{name}": places[:, i] for i, name in enumerate((str(self._run.unit), "start", "end"), start=1)}

    @property
    def closest(self) -> tuple[Any, Any, float] | None:
        """Where no pair was found, (left id, right id, similarity) of the closest one that was seen, else None.

        A hint: it knows only what was in memory when the search ended, and is no part of the result.
        """
        if self._closest is None:
            return None
        left, right, similarity = self._closest
        left, right = self._units.places[[left, right], 0].tolist()
        return self._sides.left.id_of(left), self._sides.right.id_of(right - len(self._sides.left)), similarity

    @property
    def _passages(self) -> Passages:
        if self._found is None:
            raise ParameterError("passages were not looked for: min_words=None; run match again with a number")
        return self._found

    @cached_property
    def _in_pairs(self) -> npt.NDArray[np.bool_]:
        """Which units of the left side are in a pair."""
        return np.isin(self._representatives[: self._lefts], self._pairs.left)

    @cached_property
    def _counts(self) -> npt.NDArray[np.int64]:
        """How many exact copies each representative stands for, itself included."""
        return np.bincount(self._representatives, minlength=len(self._representatives))

    @property
    def _products(self) -> npt.NDArray[np.int64]:
        """How many pairs of texts each pair of representatives stands for."""
        return self._counts[self._pairs.left] * self._counts[self._pairs.right]

    @cached_property
    def _listed(self) -> Listing:
        """All pairs, the copies of both sides spelled out."""
        everyone = np.arange(len(self._representatives), dtype=np.int64)
        return Listing(self._pairs, self._representatives, self._units, everyone, None, copies=False)

    def _warnings(self, full_left: int, full_right: int) -> tuple[str, ...]:
        found = [
            f"no text of `{name}` has a word, so nothing can match"
            for name, full, texts in zip(
                self._sides.names, (full_left, full_right), (self._sides.left, self._sides.right), strict=True
            )
            if not full and len(texts)
        ]
        limit = max(1000, self._lefts // 100)
        units = "texts" if self._run.unit.whole else f"{self._run.unit}s"
        weight = np.bincount(
            self._pairs.right, weights=self._counts[self._pairs.left], minlength=len(self._representatives)
        )
        for unit in np.flatnonzero(weight > limit)[:3].tolist():
            name = self._sides.right.id_of(int(self._units.places[unit, 0]) - len(self._sides.left))
            found.append(
                f"{name!r} of `{self._sides.names[1]}` matches {int(weight[unit]):,} of {self._lefts:,} "
                f"{units}; look at it"
            )
        return tuple(found)

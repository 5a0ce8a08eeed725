"""What a match found, and the view of it: pairs of units and passages of texts as links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hash_key import PUBLIC
from dedup.hashing.units import Units
from dedup.pairs.verify import Pairs
from dedup.reading import WORDS, Reading
from dedup.results.evidence import place_columns
from dedup.results.search_info import Read
from dedup.runtime.arrays import arrow_table, sorted_unique
from dedup.sources.texts import Texts
from dedup.sources.two_sided import Sides
from dedup.threshold import Metric
from dedup.unit import Unit

if TYPE_CHECKING:
    import pyarrow as pa

    from dedup.page.links import Links
    from dedup.page.view import Histogram, View

__all__ = ["MatchInfo", "Passages", "decided", "read_of", "view_of_match"]

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class MatchInfo:
    """The options of a search across two collections."""

    unit: Unit
    metric: Metric
    shingle: str
    threshold: float
    min_words: int | None
    column: str
    hash_key: str = "public"  # fingerprint
    distinct: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    tokens: str = WORDS
    passage_threshold: float = 1.0
    missed: tuple[int, float] | None = None  # pairs that stand apart below the threshold, and their similarity

    @property
    def reading(self) -> Reading:
        """How the texts were read, with the public key."""
        return Reading(PUBLIC, self.ignore, self.tokens)


class Passages(NamedTuple):
    """Passages in the order of their places on the left side (arrays of the same length, int64 but for `similarity`).

    Characters `left_start` to `left_end` of the left text `left` are a passage of `words` tokens, which occurs in the
    right text `right` at characters `right_start` to `right_end`. `similarity` is the matched tokens / those of the
    longer side (float64).
    """

    left: npt.NDArray[np.int64]
    left_start: npt.NDArray[np.int64]
    left_end: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    right_start: npt.NDArray[np.int64]
    right_end: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float64]

    def table(self, sides: Sides) -> pa.Table:
        """Return the passages of two sides as a table, with the ids of texts (`Matches.passages`)."""
        left = sides.left.ids_at(self.left), self.left, self.left_start, self.left_end
        right = sides.right.ids_at(self.right), self.right, self.right_start, self.right_end
        columns: dict[str, Any] = {}
        for side, texts, (ids, rows, start, end) in (("left", sides.left, left), ("right", sides.right, right)):
            columns[side] = ids
            if texts.column_places is None:
                columns |= {f"{side}_start": start, f"{side}_end": end}
            else:
                columns |= texts.column_places.columns_of(rows, start, end, f"{side}_")
        return arrow_table({**columns, "words": self.words, "similarity": self.similarity})


def read_of(sides: Sides, units: Units, lefts: int) -> tuple[Read, Read]:
    """Return how much was read on each side, if all units are held; the first `lefts` are those of the left side."""
    made = []
    for own, texts in ((slice(lefts), len(sides.left)), (slice(lefts, None), len(sides.right))):
        filled = units.places[own][units.filled[own], 0]
        made.append(Read(texts, len(units.filled[own]), len(sorted_unique(filled)), len(filled), 0))
    return made[0], made[1]


class _Numbers:
    """Texts and units of both sides by number: below the number of units it is a unit, above it a whole text."""

    def __init__(self, sides: Sides, places: Numbers, unit: Unit) -> None:
        self._sides, self._places, self._unit = sides, places, unit
        self._middle = len(sides.left)

    def of_texts(self, rows: Numbers) -> Numbers:
        """Return the numbers of texts, by their rows in both sides."""
        return np.searchsorted(self._places[:, 0], rows) if self._unit.whole else len(self._places) + rows

    def _place(self, number: int) -> tuple[int, int | None, slice]:
        if number >= len(self._places):
            return number - len(self._places), None, slice(None)
        if self._unit.whole:
            return int(self._places[number, 0]), None, slice(None)
        row, part, start, end = self._places[number].tolist()
        return row, part, slice(start, end)

    def text(self, number: int) -> str:
        """Return the text of a unit."""
        row, _, part = self._place(number)
        side = self._sides.left if row < self._middle else self._sides.right
        return side[row if row < self._middle else row - self._middle][part]

    def id(self, number: int) -> Any:
        """Return the id of a text; (id, number) for a paragraph or line."""
        row, part, _ = self._place(number)
        side = self._sides.left if row < self._middle else self._sides.right
        name = side.id_of(row if row < self._middle else row - self._middle)
        return name if part is None else (name, part)

    def name(self, number: int) -> str:
        """Return what a unit is called."""
        known = self.id(number)
        return f"{known[0]}, {self._unit} {known[1]}" if isinstance(known, tuple) else str(known)

    def files(self, numbers: Numbers) -> Numbers:
        """Return the file of each unit of the left side."""
        rows = np.array([self._place(number)[0] for number in numbers.tolist()], dtype=np.int64)
        return self._sides.left.locate(rows)[0].astype(np.int64)


def links_of(
    sides: Sides, places: Numbers, unit: Unit, pairs: Pairs, values: npt.NDArray[np.float64], found: Passages | None
) -> Links:
    """Return the links of listed pairs, whose similarities are `values`, and of passages."""
    from dedup.page.links import NO_SPAN, Links

    numbers = _Numbers(sides, places, unit)
    columns = [(pairs.left.astype(np.int64), pairs.right.astype(np.int64), values)]
    spans = [np.full((len(pairs.left), 4), NO_SPAN, dtype=np.int64)]
    words = [np.zeros(len(pairs.left), dtype=np.int64)]
    if found is not None:
        rights = numbers.of_texts(found.right + len(sides.left))
        columns.append((numbers.of_texts(found.left), rights, found.similarity))
        spans.append(np.column_stack((found.left_start, found.left_end, found.right_start, found.right_end)))
        words.append(found.words)
    left, right, value = (np.concatenate(column) for column in zip(*columns, strict=True))
    order = np.lexsort((right, left))
    return Links(
        left=left[order],
        right=right[order],
        similarity=value[order],
        spans=np.concatenate(spans)[order],
        words=np.concatenate(words)[order],
        file=numbers.files,
        sources=list(sides.left.sources or []),
        left_text=numbers.text,
        left_name=numbers.name,
        left_id=numbers.id,
        right_text=numbers.text if sides.right.readable else None,
        right_name=numbers.name,
    )


def histograms_of(values: npt.NDArray[np.float64], threshold: float, found: Passages | None) -> list[Histogram]:
    """Return the histograms of the similarities of pairs and of the words of passages."""
    from dedup.page.view import binned

    histograms = []
    if len(values):
        low = min(threshold, float(values.min()))
        histograms.append(binned("similarity of pairs", values, low, 1.0, mark=threshold))
    if found is not None and len(found.words):
        histograms.append(binned("words of a passage", found.words, 1, int(found.words.max()), whole=True))
    return histograms


def view_of_match(
    info: MatchInfo,
    sides: Sides,
    places: Numbers,
    pairs: Pairs,
    values: npt.NDArray[np.float64],
    found: Passages | None,
    summary: Mapping[str, Any],
    nothing: str,
) -> View:
    """Return the view of a match: the texts of the left side, each with those that it matches."""
    from dedup.page.links import view_of_links
    from dedup.page.view import Words, facts_of

    return view_of_links(
        links_of(sides, places, info.unit, pairs, values, found),
        kind="match",
        title=f"{summary['matched']:,} of {summary['texts']:,} texts match",
        words=Words("text", "matches", *sides.names),
        noun="passage",
        facts=facts_of(summary),
        warnings=list(summary["warnings"]),
        threshold=info.threshold,
        shingle="edit" if info.metric is Metric.EDIT else info.shingle,
        reading=info.reading,
        histograms=histograms_of(values, info.threshold, found),
        nothing=nothing,
    )


def decided(places: Numbers, texts: Texts, unit: Unit, best: npt.NDArray[np.float64]) -> pa.Table:
    """Return the decisions about units of `texts` that match: `places` (units, 1 or 4), and their `best` similarity."""
    import pyarrow as pa

    files, records = texts.locate(places[:, 0])
    return pa.table(
        {
            "file": pa.array(files, type=pa.int32()),
            "record": pa.array(records, type=pa.int64()),
            **place_columns(places, unit, "", texts),
            "cluster": pa.nulls(len(places), pa.int64()),
            "kept": np.zeros(len(places), dtype=np.bool_),
            "similarity": best,
            "reason": pa.array(["match"] * len(places), type=pa.string()),
        }
    )

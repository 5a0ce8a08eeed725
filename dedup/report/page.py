"""What the page shows of a report: its tables, and the texts of its inputs, which are read when they are opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError
from dedup.hash_key import PUBLIC
from dedup.page.clusters import Clusters, view_of_clusters
from dedup.page.links import NO_SPAN, Links, view_of_links
from dedup.page.view import Histogram, View, Words, binned, facts_of
from dedup.reading import WORDS, Reading
from dedup.report.inputs import Searched, texts_of
from dedup.results.counted import counted
from dedup.sources.column_places import numbers_of
from dedup.sources.columns import check_columns, names_of
from dedup.sources.files.file_texts import FileTexts
from dedup.sources.files.listing import COLUMN

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Opened", "place_names", "view_of_report"]

SPANS = {"match": ("left", "right", ("left_", "right_")), "repeats": ("document", "source_document", ("", "source_"))}
"""By kind of report: the columns of the texts of a span, and how the names of its places begin on either side."""

Numbers = npt.NDArray[np.int64]


VALUES = {"jaccard": "jaccard", "containment": "left_in_right", "edit": "similarity"}
"""By metric: the column of pairs that is shown."""


def view_of_report(report: Searched) -> View:
    """Return the view of a report. Its inputs are opened when a text is asked for."""
    return _clusters(report) if report.kind == "find" else _links(report)


class Opened:
    """The texts of one side, opened at first use; rows by id."""

    def __init__(self, report: Searched, side: str) -> None:
        self._report, self._side = report, side
        self._texts: FileTexts | None = None

    @property
    def texts(self) -> FileTexts:
        """The texts of the side."""
        if self._texts is None:
            self._texts = texts_of(self._report, self._side)
        return self._texts

    def part(self, found: Mapping[str, Any]) -> str:
        """Return the text of a row of decisions: of a record, or of a paragraph or line of it."""
        row = self.texts.row_at(int(found["file"]), int(found["record"]))
        if "start" not in found:
            return self.texts[row]
        places = np.array([found["start"], found["end"]], dtype=np.int64)
        if "column" in found:
            columns = np.full(2, self.names.index(found["column"]))
            places = self.in_texts(np.full(2, row), columns, places)
        return self.texts[row][slice(*places.tolist())]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns of the texts."""
        own = self._report.options.get("against_column") if self._side == "against" else None
        return names_of(check_columns(self._report.options.get("column") if own is None else own) or COLUMN)

    def in_texts(self, rows: Numbers, columns: Numbers, places: Numbers) -> Numbers:
        """Return places in columns, by their numbers, as places in the texts of some rows, which join them."""
        known = self.texts.column_places
        assert known is not None
        return known.joined(rows, columns, places)

    @cache  # noqa: B019  # as long as the view
    def rows(self) -> Any:
        """Return the ids of all rows (Arrow array)."""
        return self.texts.ids_at(np.arange(len(self.texts), dtype=np.int64))

    def row(self, name: Any) -> int:
        """Return the row of the text with an id."""
        import pyarrow.compute as pc

        row: int = pc.index(self.rows(), name).as_py()
        if row < 0:
            raise InputError(f"id {name!r}: expected a record that was searched, found none; search again")
        return row

    def named(self, name: Any) -> str:
        """Return the text with an id."""
        return self.texts[self.row(name)]


def _plain(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    return np.asarray(column.combine_chunks().to_numpy(zero_copy_only=False))


def place_names(decisions: pa.Table, unit: str) -> list[str]:
    """Return the columns of decisions that say which part of a record a row is about; none of documents."""
    return [name for name in (unit, "column", "start", "end") if unit != "document" and name in decisions.column_names]


def _clusters(report: Searched) -> View:
    import pyarrow.compute as pc

    unit = report.options["unit"]
    table = report.table("decisions")
    parts = place_names(table, unit)
    # the rows of decisions are in input order, those of clusters by cluster and then in input order
    order = np.argsort(_plain(table.column("cluster")), kind="stable")
    found = {
        name: _plain(table.column(name))[order] for name in ("file", "record", "cluster", "kept", "similarity", *parts)
    }
    reason = table.column("reason")  # null for the centre of a cluster
    exact = _plain(pc.fill_null(pc.equal(reason, "exact"), fill_value=False))[order]
    named = report.table("clusters", ["id", "difference"]).combine_chunks()
    ids = named.column("id")
    opened = Opened(report, "texts")

    def texts(rows: npt.NDArray[np.int64]) -> Iterator[str]:
        for at in rows.tolist():
            yield opened.part({name: found[name][at] for name in ("file", "record", *parts)})

    def identity(at: int) -> Any:
        name = ids[at].as_py()
        return {"document": name, unit: int(found[unit][at])} if parts else name

    def names(rows: npt.NDArray[np.int64]) -> list[str]:
        some = ids.take(rows).to_pylist()
        if parts:
            return [f"{name}, {unit} {at}" for name, at in zip(some, found[unit][rows].tolist(), strict=True)]
        return list(map(str, some))

    clusters = Clusters(
        cluster=found["cluster"].astype(np.int64),
        kept=found["kept"].astype(np.bool_),
        similarity=found["similarity"].astype(np.float64),
        centre=_plain(reason.is_null())[order],
        exact=exact,
        file=found["file"].astype(np.int64),
        sources=[each.path for each in report.inputs],
        difference=named.column("difference").take,
        texts=texts,
        names=names,
        id=identity,
    )
    summary, options = report.summary, report.options
    return view_of_clusters(
        clusters,
        title=f"{counted(summary['clusters'], 'cluster')} of duplicate {unit}s",
        facts=[*facts_of(summary), *_inputs(report)],
        warnings=list(summary["warnings"]),
        threshold=options["threshold"],
        shingle="edit" if options["metric"] == "edit" else options["shingle"],
        reading=_reading(options),
        read=np.array([each.records for each in report.inputs], dtype=np.int64) if not parts else None,
        seal=report.seal,
        decides=True,
        nothing="No duplicates were found.",
    )


def _links(report: Searched) -> View:
    summary, options = report.summary, report.options
    left, right, prefixes = SPANS[report.kind]
    here = Opened(report, "texts")
    there = Opened(report, "against") if report.kind == "match" else here
    names: dict[str, list[Any]] = {left: [], right: []}
    spans, values, words = [], [], []
    if "pairs.parquet" in report.files:
        pairs = report.table("pairs")
        whole = options["unit"] == "document"
        names[left] += pairs.column("left").to_pylist()
        names[right] += pairs.column("right").to_pylist()
        spans.append(
            np.full((pairs.num_rows, 8), NO_SPAN, dtype=np.int64) if whole else _spans(pairs, prefixes, here, there)
        )
        values.append(_plain(pairs.column(VALUES[options["metric"]])))
        counted_words = not whole and options["metric"] != "edit"
        words.append(_plain(pairs.column("left_size")) if counted_words else np.zeros(pairs.num_rows, dtype=np.int64))
    if "spans.parquet" in report.files:
        table = report.table("spans")
        names[left] += table.column(left).to_pylist()
        names[right] += table.column(right).to_pylist()
        spans.append(_spans(table, prefixes, here, there))
        values.append(_plain(table.column("similarity")))
        words.append(_plain(table.column("words")))
    known = {side: list(dict.fromkeys(names[side])) for side in (left, right)}
    numbers = {side: {name: i for i, name in enumerate(known[side])} for side in (left, right)}
    lefts, rights = (np.array([numbers[side][name] for name in names[side]], dtype=np.int64) for side in (left, right))
    order = np.lexsort((rights, lefts))
    value = np.concatenate([*values, np.empty(0)])
    tokens = np.concatenate([*words, np.empty(0, dtype=np.int64)]).astype(np.int64)
    where = np.concatenate([*spans, np.empty((0, 8), dtype=np.int64)])[order]
    repeats = report.kind == "repeats"
    noun = "repeat" if repeats else "passage"
    said = ("texts repeated", "text", "occurs before in") if repeats else ("matches", "new", "against")
    histograms: list[Histogram] = []
    mark = options.get("threshold")  # a report that was written from Python may not say it
    if len(value):
        low = min(1.0 if mark is None else mark, float(value.min()))
        histograms.append(binned("similarity", value, low, 1.0, mark=mark))
    if (tokens > 0).any():
        some = tokens[tokens > 0]
        histograms.append(
            binned(f"words of a {'repeat' if repeats else 'passage'}", some, 1, int(some.max()), whole=True)
        )

    def in_texts(own: Numbers) -> Numbers:
        """Return the spans of some links in their texts, of which some are of several columns."""
        found = where[own, :4]
        for at, opened, known_names, sides in ((0, here, known[left], lefts), (2, there, known[right], rights)):
            some = np.flatnonzero(where[own, 4 + at] >= 0)
            rows = np.array([opened.row(known_names[number]) for number in sides[order[own[some]]].tolist()], dtype=int)
            for each in (at, at + 1) if len(some) else ():
                found[some, each] = opened.in_texts(rows, where[own[some], 4 + each], found[some, each])
        return found

    links = Links(
        left=lefts[order],
        right=rights[order],
        similarity=value[order],
        spans=where[:, :4],
        words=tokens[order],
        file=lambda rows: np.zeros(len(rows), dtype=np.int64),
        sources=[],
        left_text=lambda at: here.named(known[left][at]),
        left_name=lambda at: str(known[left][at]),
        left_id=lambda at: known[left][at],
        right_text=lambda at: there.named(known[right][at]),
        right_name=lambda at: str(known[right][at]),
        in_texts=in_texts if (where[:, 4:] >= 0).any() else None,
    )
    what = counted(len(value), "repeat") if repeats else f"{summary['matched']:,} of {summary['texts']:,} texts match"
    return view_of_links(
        links,
        kind=report.kind,
        title=what,
        words=Words("text", *said),
        noun=noun,
        facts=[*facts_of(summary), *_inputs(report)],
        warnings=list(summary.get("warnings", ())),
        threshold=1.0 if mark is None else mark,
        shingle="edit" if options.get("metric") == "edit" else options.get("shingle") or "words:5",
        reading=_reading(options),
        histograms=histograms,
        nothing="Nothing was found.",
        seal=report.seal,
    )


def _spans(table: pa.Table, prefixes: tuple[str, ...], *sides: Opened) -> Numbers:
    """Return start and end on either side, then the numbers of the columns in which these are; -1 of a single one."""
    places, columns = [], []
    for prefix, opened in zip(prefixes, sides, strict=True):
        for name, column in (("start", "column"), ("end", "end_column")):
            places.append(_plain(table.column(f"{prefix}{name}")))
            held = {f"{prefix}{column}", f"{prefix}column"} & set(table.column_names)
            number = np.full(table.num_rows, -1, dtype=np.int64)
            columns.append(numbers_of(opened.names, table.column(max(held, key=len))) if held else number)
    return np.column_stack([*places, *columns])


def _reading(options: dict[str, Any]) -> Reading:
    """Return how the texts were read, with the public key."""
    return Reading(PUBLIC, tuple(options.get("ignore", ())), options.get("tokens", WORDS))


def _inputs(report: Searched) -> list[tuple[str, str]]:
    """Return the inputs and versions as facts."""
    paths = [each.path for each in report.inputs if each.side == "texts"]
    shown = ", ".join(paths[:5]) + (f", {len(paths) - 5:,} more" if len(paths) > 5 else "")
    return [("files", shown), ("checksum", report.seal), ("version", report.run["versions"]["dedup-text"])]

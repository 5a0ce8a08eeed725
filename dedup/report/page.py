"""What the page shows of a report: its tables, and the texts of its inputs, which are read when they are opened."""

from __future__ import annotations

from collections.abc import Iterator
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
from dedup.results.repeats import counted
from dedup.sources.files.file_texts import FileTexts

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Opened", "view_of_report"]

SPANS = {
    "match": ("left", "right", ("left_start", "left_end", "right_start", "right_end")),
    "repeats": ("document", "source_document", ("start", "end", "source_start", "source_end")),
}
"""By kind of report: the columns of a span."""


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

    def at(self, file: int, record: int) -> str:
        """Return the text of a record of a file."""
        return self.texts[self.texts.row_at(file, record)]

    @cache  # noqa: B019  # as long as the view
    def rows(self) -> Any:
        """Return the ids of all rows (Arrow array)."""
        return self.texts.ids_at(np.arange(len(self.texts), dtype=np.int64))

    def named(self, name: Any) -> str:
        """Return the text with an id."""
        import pyarrow.compute as pc

        row = pc.index(self.rows(), name).as_py()
        if row < 0:
            raise InputError(f"id {name!r}: expected a record that was searched, found none; search again")
        return self.texts[row]


def _plain(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    return np.asarray(column.combine_chunks().to_numpy(zero_copy_only=False))


def _clusters(report: Searched) -> View:
    import pyarrow.compute as pc

    unit = report.options["unit"]
    parts = [] if unit == "document" else [unit, "start", "end"]
    table = report.table("decisions")
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
            whole = opened.at(int(found["file"][at]), int(found["record"][at]))
            yield whole[int(found["start"][at]) : int(found["end"][at])] if parts else whole

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
    left, right, columns = SPANS[report.kind]
    here = Opened(report, "texts")
    there = Opened(report, "against") if report.kind == "match" else here
    names: dict[str, list[Any]] = {left: [], right: []}
    spans, values, words = [], [], []
    if "pairs.parquet" in report.files:
        pairs = report.table("pairs")
        whole = options["unit"] == "document"
        bounds = ("left_start", "left_end", "right_start", "right_end")
        found = [] if whole else [_plain(pairs.column(name)) for name in bounds]
        names[left] += pairs.column("left").to_pylist()
        names[right] += pairs.column("right").to_pylist()
        spans.append(np.full((pairs.num_rows, 4), NO_SPAN, dtype=np.int64) if whole else np.column_stack(found))
        values.append(_plain(pairs.column(VALUES[options["metric"]])))
        counted_words = not whole and options["metric"] != "edit"
        words.append(_plain(pairs.column("left_size")) if counted_words else np.zeros(pairs.num_rows, dtype=np.int64))
    if "spans.parquet" in report.files:
        table = report.table("spans")
        names[left] += table.column(left).to_pylist()
        names[right] += table.column(right).to_pylist()
        spans.append(np.column_stack([_plain(table.column(name)) for name in columns]))
        values.append(_plain(table.column("similarity")))
        words.append(_plain(table.column("words")))
    known = {side: list(dict.fromkeys(names[side])) for side in (left, right)}
    numbers = {side: {name: i for i, name in enumerate(known[side])} for side in (left, right)}
    lefts, rights = (np.array([numbers[side][name] for name in names[side]], dtype=np.int64) for side in (left, right))
    order = np.lexsort((rights, lefts))
    value = np.concatenate([*values, np.empty(0)])
    tokens = np.concatenate([*words, np.empty(0, dtype=np.int64)]).astype(np.int64)
    where = np.concatenate([*spans, np.empty((0, 4), dtype=np.int64)])
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
    links = Links(
        left=lefts[order],
        right=rights[order],
        similarity=value[order],
        spans=where[order],
        words=tokens[order],
        file=lambda rows: np.zeros(len(rows), dtype=np.int64),
        sources=[],
        left_text=lambda at: here.named(known[left][at]),
        left_name=lambda at: str(known[left][at]),
        left_id=lambda at: known[left][at],
        right_text=lambda at: there.named(known[right][at]),
        right_name=lambda at: str(known[right][at]),
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


def _reading(options: dict[str, Any]) -> Reading:
    """Return how the texts were read, with the public key."""
    return Reading(PUBLIC, tuple(options.get("ignore", ())), options.get("tokens", WORDS))


def _inputs(report: Searched) -> list[tuple[str, str]]:
    """Return the inputs and versions as facts."""
    paths = [each.path for each in report.inputs if each.side == "texts"]
    shown = ", ".join(paths[:5]) + (f", {len(paths) - 5:,} more" if len(paths) > 5 else "")
    return [("files", shown), ("checksum", report.seal), ("version", report.run["versions"]["dedup-text"])]

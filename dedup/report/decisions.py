"""The decisions of a report about the records of its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError, StorageError
from dedup.report.overrides import Overrides
from dedup.report.read import Report
from dedup.results.data.cutting import cut_blocks, cut_units
from dedup.runtime.arrays import sorted_unique
from dedup.sources.column_places import numbers_of
from dedup.sources.columns import Columns, check_columns, names_of
from dedup.sources.files.listing import COLUMN
from dedup.text.paragraphs import split_units

__all__ = ["NOTES", "Counts", "Verdict", "Verdicts", "last_read"]

NOTES = ("dedup_cluster", "dedup_kept", "dedup_similarity", "dedup_reason", "dedup_difference")
"""The columns that `annotate` adds."""

SPAN_UNIT = "span"
"""The unit of a `Verdict` about repeats."""

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Counts(NamedTuple):
    """Numbers of records: written, left out, and written with paragraphs or lines cut out of the text."""

    kept: int
    removed: int
    cut: int = 0

    def plus(self, other: Counts) -> Counts:
        """Return the sums."""
        return Counts(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


@dataclass(frozen=True)
class Verdict:
    """The decisions about the records of one file.

    Attributes
    ----------
    path : the path of the file
    column : the name of the field that contains the text, or a path to it; `Columns` if there are several
    removed : numbers of the removed records, ascending
    rejected : numbers of the records that could not be read, ascending
    cuts : (n, 4) record, number of the column, start, end of the removed paragraphs, lines or spans, in order
    notes : record, cluster, kept, similarity, reason, difference of the members of clusters, in order; None unless
        annotating
    unit : what is removed: "document", "paragraph" or "line", or the "span" of a repeat
    end : the number of the record at which reading a table stopped; no record from there on was searched. None if
        reading did not stop early
    """

    path: str
    column: str
    removed: Numbers
    rejected: Numbers
    cuts: Numbers
    notes: dict[str, npt.NDArray[Any]] | None
    unit: str
    end: int | None = None

    def _unread(self, numbers: Numbers) -> Flags:
        """Return which of the records were not searched."""
        rejected = _in(numbers, self.rejected)
        return rejected if self.end is None else rejected | (numbers >= self.end)

    def drops(self, numbers: Numbers) -> Flags:
        """Return which of the records are not written."""
        dropped = self._unread(numbers)
        return dropped if self.notes is not None else dropped | _in(numbers, self.removed)

    def edited(self, numbers: Numbers) -> Flags:
        """Return which of the records are changed before they are written."""
        if self.notes is not None:
            return np.ones(len(numbers), dtype=np.bool_)
        return _in(numbers, self._cut_records)

    @cached_property
    def _cut_records(self) -> Numbers:
        return sorted_unique(self.cuts[:, 0])

    def count(self, numbers: Numbers) -> Counts:
        """Return how many of the records are written, left out and cut."""
        if self.notes is not None:
            return Counts(int(np.count_nonzero(~self.drops(numbers))), 0)
        removed = _in(numbers, self.removed)
        kept = ~removed & ~self._unread(numbers)
        return Counts(
            int(np.count_nonzero(kept)), int(np.count_nonzero(removed)), int(np.count_nonzero(self.edited(numbers)))
        )

    def edits(self, number: int) -> list[tuple[str, Callable[[str], str]]]:
        """Return the columns of a record whose text is shortened, each with the function that does it."""
        columns = sorted_unique(self._cuts_of(number)[:, 1]).tolist()
        return [(names_of(self.column)[at], partial(self.shorten, number, column=at)) for at in columns]

    def _cuts_of(self, number: int) -> Numbers:
        return self.cuts[np.searchsorted(self.cuts[:, 0], number) : np.searchsorted(self.cuts[:, 0], number + 1)]

    def shorten(self, number: int, text: str, column: int = 0) -> str:
        """Return the text of a record, or of one of its columns, without the removed paragraphs, lines or spans.

        Raises `InputError` if the text does not contain them, since it is then not the text that was searched.
        """
        cuts = self._cuts_of(number)
        wanted = cuts[cuts[:, 1] == column, 2:]
        if self.unit == SPAN_UNIT:
            if wanted[-1, 1] > len(text):
                raise self._other_text(number)
            return cut_blocks(text, map(tuple, wanted.tolist()))
        values = np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)
        starts, ends = np.zeros(1, dtype=np.int64), np.array([len(values)], dtype=np.int64)
        table, _ = split_units(values, starts, ends, self.unit)
        spans = table[:, 2:]
        places = np.searchsorted(spans[:, 0], wanted[:, 0])
        if places[-1] >= len(spans) or not np.array_equal(spans[places], wanted):
            raise self._other_text(number)
        kept = np.ones(len(spans), dtype=np.bool_)
        kept[places] = False
        return cut_units(text, spans, kept, self.unit)

    def _other_text(self, number: int) -> InputError:
        return InputError(
            f"{self.path}:{number}: expected the {self.unit}s that were searched, found others; search it again"
        )

    def note(self, number: int) -> tuple[int | None, bool, float | None, str | None, str | None]:
        """Return cluster, kept, similarity, reason and difference of a record, whether it is in a cluster or not."""
        assert self.notes is not None
        at = int(np.searchsorted(self.notes["record"], number))
        if at == len(self.notes["record"]) or self.notes["record"][at] != number:
            return None, True, None, None, None
        cluster, similarity = self.notes["cluster"][at], float(self.notes["similarity"][at])
        words = self.notes["reason"][at], self.notes["difference"][at]
        return None if cluster < 0 else int(cluster), bool(self.notes["kept"][at]), similarity, *words


def _in(numbers: Numbers, chosen: Numbers) -> Flags:
    """Return which of `numbers` are in `chosen`; both are ascending."""
    if not len(chosen) or not len(numbers):
        return np.zeros(len(numbers), dtype=np.bool_)
    places = np.searchsorted(chosen, numbers)
    return np.equal(chosen[np.minimum(places, len(chosen) - 1)], numbers)


class Verdicts:
    """The decisions of a report, by file.

    Memory: 13 bytes per removed record (37 per removed paragraph, line or span); with `annotate`, about 100 bytes per
    member of a cluster. `overrides` change what is kept; `changed` counts what they keep and remove otherwise than the
    report. Raises `StorageError` if the decisions are not in the order of the files.
    """

    def __init__(self, report: Report, *, annotate: bool, overrides: Overrides | None = None) -> None:
        self.changed = (0, 0)
        self._report = report
        self._unit = SPAN_UNIT if report.kind == "repeats" else report.options.get("unit", "document")
        self._column = check_columns(report.options.get("column")) or COLUMN
        several = ["column"] if isinstance(self._column, Columns) else []
        # what the parts of a record are in the order of: the number of a unit; the column and the start of a span
        self._parts: list[str] = {"document": [], SPAN_UNIT: [*several, "start"]}.get(self._unit, [self._unit])
        columns = ["file", "record", *([] if self._unit == SPAN_UNIT else ["kept"])]
        columns += dict.fromkeys([*self._parts, *several, "start", "end"]) if self._parts else []
        columns += ["cluster", "similarity", "reason", "difference"] if annotate else []
        if overrides is not None:
            columns = list(dict.fromkeys([*columns, "cluster"]))
        self._found = _read(report, columns, self._column, everything=annotate or overrides is not None)
        if overrides is not None:
            self.changed = overrides.change(self._found["kept"], self._found["cluster"])
            if not annotate:
                removed = ~self._found["kept"]
                self._found = {name: column[removed] for name, column in self._found.items()}
        self._annotate = annotate
        numbers = {each.path: number for number, each in enumerate(report.inputs) if each.side == "texts"}
        rejected: list[list[int]] = [[] for _ in report.inputs]
        for reject in report.rejects():
            if reject["line"] is not None and reject["file"] in numbers:
                rejected[numbers[reject["file"]]].append(reject["line"])
        self._rejected = [sorted_unique(np.array(lines, dtype=np.int64)) for lines in rejected]
        if not self._ascends():
            raise StorageError(f"{report.folder}: expected decisions in the order of the files; make the report again")

    def _ascends(self) -> bool:
        """Return whether the rows are in ascending order of file, record, and paragraph or line, each only once."""
        after = np.zeros(max(len(self._found["file"]) - 1, 0), dtype=np.bool_)
        same = ~after
        for name in ("file", "record", *self._parts):
            step = np.diff(self._found[name])
            after |= same & (step > 0)
            same &= step == 0
        return bool(after.all())

    def of(self, file: int) -> Verdict:
        """Return the decisions about the file with this number in the report."""
        part = slice(*np.searchsorted(self._found["file"], [file, file + 1]).tolist())
        found = {name: column[part] for name, column in self._found.items()}
        records, none = found["record"], np.empty(0, dtype=np.int64)
        cuts = np.empty((0, 4), dtype=np.int64)
        if self._parts:
            columns = found.get("column", np.zeros_like(records))
            cuts = np.column_stack([records, columns, found["start"], found["end"]])
        removed = none if self._parts else records[~found["kept"]]
        notes = found if self._annotate else None
        given, rejected = self._report.inputs[file], self._rejected[file]
        last = last_read(given.format, given.records, rejected)
        return Verdict(given.path, self._column, removed, rejected, cuts, notes, self._unit, last)


def last_read(format: str, records: int, rejected: Numbers) -> int | None:
    """Return the number of the record at which reading a file stopped early; None if it did not.

    If the bound is too small, reading a table stops: its last reject is then the record at which it stopped. `records`
    are texts, `rejected` the numbers of those that could not be read.
    """
    if format not in ("parquet", "arrow") or not len(rejected) or rejected[-1] != records + len(rejected):
        return None
    return int(rejected[-1])


def _read(report: Report, columns: list[str], column: str, *, everything: bool) -> dict[str, npt.NDArray[Any]]:
    """Return the rows of the decisions that are not kept, or `everything`. They are read one row group at a time.

    A column that this kind of report does not have is null. The names of columns become their numbers in `column`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in columns}
    with pq.ParquetFile(report.folder / "decisions.parquet") as file:
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group, columns=columns)
            for name in set(columns) - set(rows.column_names):
                rows = rows.append_column(name, pa.nulls(rows.num_rows, pa.string()))
            chosen = slice(None) if everything or "kept" not in columns else ~_plain(rows.column("kept"))
            for name in columns:
                each = rows.column(name)
                values = numbers_of(names_of(column), each) if name == "column" else _plain(each)
                parts[name].append(values[chosen])
    found = {name: np.concatenate(parts[name]) for name in columns}
    return {name: column if column.flags.writeable else column.copy() for name, column in found.items()}


def _plain(column: Any) -> npt.NDArray[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    filled = pc.fill_null(column, -1) if pa.types.is_integer(column.type) else column
    return filled.to_numpy()  # type: ignore[no-any-return]

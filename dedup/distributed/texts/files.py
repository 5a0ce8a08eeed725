"""Files as the input of stages: each task reads its own part of them, with the readers of one machine.

A split is a file, or some row groups of a large Parquet file. The texts do not leave the task that reads them: a stage
that takes texts reads them first (`ReadingFirst`). A document's id is a number, `record_id`, whose order is that of the
files and their records.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.distributed.job import BY, GIVEN, ID, TEXT, Engine, Stage
from dedup.distributed.texts.told import About, about
from dedup.errors import InputError, ParameterError
from dedup.sources.files.batch import Batch
from dedup.sources.files.listing import Entry, Listing
from dedup.sources.files.reader import read_batches
from dedup.sources.files.rejects import Errors, Reject, no_texts

__all__ = ["FileInput", "ReadingEngine", "Split", "place_in", "record_id", "split_files", "tasks_of_splits"]

RECORD_BITS = 40
"""Bits of the number of a record in `record_id`: a file has fewer than 10^12 records."""

SPLIT_BYTES = 1 << 26
"""Bytes. A larger Parquet file is read by several tasks, and small files by one task, until they have so many."""

Rows = npt.NDArray[np.int64]


class Split(NamedTuple):
    """The rows of a file from `row` on, to `end`; None: to its end."""

    file: int
    row: int = 0
    end: int | None = None
    size: int = 0


def record_id(file: int, numbers: Rows) -> Rows:
    """Return the ids of some records of a file."""
    return (np.int64(file) << np.int64(RECORD_BITS)) | numbers


def place_in(ids: Rows) -> tuple[npt.NDArray[np.int32], Rows]:
    """Return the files of some records, and their numbers in them."""
    return (ids >> RECORD_BITS).astype(np.int32), ids & ((1 << RECORD_BITS) - 1)


def split_files(listing: Listing, whole: Iterable[int] = (), size: int = SPLIT_BYTES) -> list[Split]:
    """Return the splits of all files in order: large Parquet files are cut, but those in `whole`."""
    found: list[Split] = []
    for file, entry in enumerate(listing):
        found += [Split(file, size=entry.size)] if file in set(whole) else _split_file(entry, file, size)
    return found


def _split_file(entry: Entry, file: int, size: int) -> list[Split]:
    """Return the splits of a file."""
    import pyarrow.parquet as pq

    if entry.format != "parquet" or entry.compression is not None or entry.size <= size:
        return [Split(file, size=entry.size)]
    try:
        footer = pq.read_metadata(entry.source)
        groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    except (pa.ArrowException, OSError, ValueError):  # the task that reads it says what is wrong
        return [Split(file, size=entry.size)]
    made: list[Split] = []
    each = entry.size / max(sum(group.total_byte_size for group in groups), 1)
    row = before = held = 0
    for group in groups:
        row, held = row + group.num_rows, held + int(group.total_byte_size * each)
        if held >= size:
            made.append(Split(file, before, row, held))
            before, held = row, 0
    if not made or before < row:
        made.append(Split(file, before, row, held))
    return [*made[:-1], made[-1]._replace(end=None)]  # what is after the last row is read too


def tasks_of_splits(splits: Sequence[Split], least: int, size: int = SPLIT_BYTES) -> list[tuple[Split, ...]]:
    """Return the splits of each task: of about `size` bytes, or less, so that there are at least as many as `least`."""
    aim = min(size, sum(split.size for split in splits) // max(least, 1) + 1)
    tasks: list[tuple[Split, ...]] = []
    held: list[Split] = []
    for split in splits:
        if held and sum(each.size for each in held) + split.size > aim:
            tasks.append(tuple(held))
            held = []
        held.append(split)
    return [*tasks, tuple(held)] if held else tasks


@dataclass(frozen=True)
class ReadFiles:
    """Numbers of tasks in, the texts of their files out, with what is told of them (`dedup.distributed.texts.told`).

    `columns` names the columns of the text and the id (None: no id), `extra` the option that names each other column,
    and `names` the columns of the input that these become.
    """

    entries: tuple[Entry, ...]
    tasks: tuple[tuple[Split, ...], ...]
    columns: tuple[str, str | None]
    extra: Mapping[str, str]
    names: tuple[tuple[str, str], ...]

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Return the texts of some tasks."""
        for batch in batches:
            for task in batch.column(0).to_pylist():
                for split in self.tasks[task]:
                    yield from self._read(split)

    def _read(self, split: Split) -> Iterator[pa.RecordBatch]:
        entry = self.entries[split.file]
        if not os.path.exists(entry.source):
            raise InputError(
                f"{entry.path}: expected the file on every worker, as on the driver, found none on "
                f"{socket.gethostname()}; name files in a folder that all of them share"
            )
        begin = [0, split.row, split.row + 1]
        for batch in read_batches([entry], column=self.columns[0], id=self.columns[1], extra=self.extra, after=begin):
            if split.end is not None and batch.first > split.end:
                return
            yield self._texts(batch, split.file)
            if split.end is not None and batch.more[1] >= split.end:
                return

    def _texts(self, batch: Batch, file: int) -> pa.RecordBatch:
        columns: dict[str, pa.Array] = {ID: pa.array(record_id(file, batch.numbers)), TEXT: batch.texts}
        columns |= {name: batch.extra[column] for name, column in self.names}
        if batch.ids is not None:
            columns[GIVEN] = batch.ids
        made = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
        return about(made, file, batch.first, batch.rejects)


@dataclass(frozen=True)
class ReadingFirst:
    """A stage that takes texts, as one that takes the numbers of tasks and reads their texts first."""

    read: ReadFiles
    then: Stage

    @property
    def schema(self) -> pa.Schema:
        """The schema of what the stage makes."""
        return self.then.schema

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Return what the stage makes of the texts of some tasks."""
        return self.then(self.read(batches))


class FileInput:
    """The files of a search: how tasks read them, and what reading them told.

    Attributes
    ----------
    listing, errors : the files, and what is done about records that cannot be read
    records, units : how many each file has, once they were read
    rejects : what could not be read, in order, once they were read
    """

    def __init__(
        self, listing: Listing, column: str, id: str | None, others: Mapping[str, str], errors: Errors, least: int
    ) -> None:
        self.listing, self.errors = listing, errors
        self._columns, self._others, self._least = (column, id), dict(others), least
        self.records = self.units = np.zeros(len(listing), dtype=np.int64)
        self.rejects: list[Reject] = []
        self.cut()

    def cut(self, whole: Iterable[int] = (), size: int = SPLIT_BYTES) -> None:
        """Cut the files into tasks; those in `whole` are not cut."""
        self.whole = set(whole)
        self._splits = split_files(self.listing, self.whole, size)
        self.tasks = tuple(tasks_of_splits(self._splits, self._least, size))

    def with_records(self, ids: pa.Array) -> FileInput:
        """Return an input of the same files, of which only the splits that have some records are read."""
        files, numbers = place_in(ids.to_numpy())
        some = [
            split
            for split in self._splits
            if ((files == split.file) & (numbers >= split.row) & (numbers <= (split.end or numbers))).any()
        ]
        narrowed = copy(self)
        narrowed.tasks = tuple(tasks_of_splits(some, self._least))
        return narrowed

    @property
    def reader(self) -> ReadFiles:
        """What reads the texts of tasks."""
        entries = tuple(entry._replace(source=os.path.abspath(entry.source)) for entry in self.listing)
        extra = {name: option for option, name in reversed(self._others.items())}
        names = {WORDS_OF[option]: name for option, name in self._others.items()}
        return ReadFiles(entries, self.tasks, self._columns, extra, tuple(names.items()))

    def hear(self, told: Iterable[About], filled: int) -> pa.Schema:
        """Take what reading told, and return the columns that `keep` and `id` name; `filled` units have a token.

        Raises `InputError` if records could not be read and that is an error, if nothing was read, and if ids are not
        of one type; `ParameterError` for a column of several kinds; `Damaged` if files must be read anew.
        """
        told = list(told)
        damaged = {each.file for each in told for reject in each.rejects if _stopped(reject)}
        again = {split.file for split in self._splits if split.row} & damaged
        if again:
            raise Damaged(again)
        files = np.array([each.file for each in told], dtype=np.int64)
        self.records, self.units = (
            np.bincount(files, weights=[getattr(each, what) for each in told], minlength=len(self.listing)).astype(
                np.int64
            )
            for what in ("texts", "units")
        )
        self.rejects = [*self.listing.rejects, *(reject for each in told for reject in each.rejects)]
        texts, rejected, first = int(self.records.sum()), len(self.rejects), next(iter(self.rejects), None)
        self.errors.check(rejected, texts + rejected, first, done=True)
        if not filled:
            found = f"nothing but {texts:,} text{'s' * (texts != 1)} without words in" if texts else "none in"
            raise no_texts(self.listing.some(), found, first, rejected)
        return self._columns_of([each for each in told if each.texts])

    def _columns_of(self, told: list[About]) -> pa.Schema:
        """Return the columns that are told of linked units."""
        given = [each for each in told if each.columns.get_field_index(GIVEN) >= 0]
        for each in given:
            if each.columns.field(GIVEN).type != given[0].columns.field(GIVEN).type:
                first, other = (f"{one.first!r} at {self.place_of(one.file, one.number)}" for one in (given[0], each))
                raise InputError(f'id="{self._columns[1]}": expected one type, found {first} and {other}')
        kinds = [pa.schema([each.columns.field(BY)]) for each in told if each.columns.get_field_index(BY) >= 0]
        try:
            by = list(pa.unify_schemas(kinds, promote_options="permissive")) if kinds else []
        except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
            found = ", ".join(sorted({str(kind.field(0).type) for kind in kinds}))
            raise ParameterError(
                f"keep: expected values of one kind in the column {self._others['keep']!r}, found {found}; make them "
                "all numbers, or all texts"
            ) from error
        return pa.schema([*by, *([given[0].columns.field(GIVEN)] if given else [])])

    def check_given(self, found: pa.Table) -> None:
        """Raise `InputError` if two records (`ID`) have one id that the user gave (`GIVEN`)."""
        seen: dict[Any, int] = {}
        table = found.sort_by(ID)
        for record, value in zip(table.column(ID).to_pylist(), table.column(GIVEN).to_pylist(), strict=True):
            if seen.setdefault(value, record) != record:
                one, other = (self.place_of(*_place(each)) for each in (seen[value], record))
                raise InputError(
                    f'id="{self._columns[1]}": expected unique ids, found {value!r} at {one} and at {other}'
                )

    def place_of(self, file: int, number: int) -> str:
        """Return "path:number" of a record; for a ``.txt`` file its path."""
        entry = self.listing[file]
        return entry.path if entry.format == "txt" else f"{entry.path}:{number}"


WORDS_OF = {"keep": BY, "within": "within", "across": "across"}
"""The columns of the input that options name."""


class Damaged(Exception):  # noqa: N818  (it is no error: the files are read again)
    """Some files are damaged in the middle: rows after that must not be read by another task."""

    def __init__(self, files: set[int]) -> None:
        super().__init__(files)
        self.files = files


def _place(id: int) -> tuple[int, int]:
    files, numbers = place_in(np.array([id], dtype=np.int64))
    return int(files[0]), int(numbers[0])


def _stopped(reject: Reject) -> bool:
    """Return whether a file could not be read after a record."""
    return reject.line is None or reject.reason.startswith("cannot be read")


class ReadingEngine:
    """An engine whose stages read the files of a `FileInput` first.

    `numbered` returns data with the numbers of so many tasks, one in each part.
    """

    def __init__(self, engine: Engine, numbered: Any) -> None:
        self._engine, self._numbered = engine, numbered

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def map(self, data: Any, stage: Stage, name: str) -> Any:
        """Return what a stage makes of the data."""
        if isinstance(data, FileInput):
            return self._engine.map(self._numbered(len(data.tasks)), ReadingFirst(data.reader, stage), name)
        return self._engine.map(data, stage, name)

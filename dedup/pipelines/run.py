"""The flow of a search for duplicates over files: the order of its steps, and where each can be taken up again.

files -> batches -> shards (read) -> marks, where not all hashes fit (mark, count) -> units with hashes (hold)
-> search -> what was found -> Duplicates -> report

In memory where everything fits and no work directory was named. Else the shards, the marks and what was found are
committed to a store one by one, and a run that was stopped goes on behind the last of them. The report is the same,
byte for byte, either way: nothing in it depends on shards, threads, memory, or on how often the run was stopped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup import __version__
from dedup.clusters.looks import check_looks
from dedup.clusters.stars import column_of
from dedup.errors import DedupError, ParameterError
from dedup.hashing.known import KnownTexts
from dedup.hashing.shards import Shards, read_shards
from dedup.options import check_memory, check_path, check_progress
from dedup.pairs.filter_passes import Held, extra_columns, held_shingles, hold, mark
from dedup.pipelines.budget import Budget
from dedup.pipelines.groups import Grouped, search_in_groups
from dedup.pipelines.order import Found, Question, search
from dedup.pipelines.outcome import all_units, from_arrays, spread, to_arrays
from dedup.report.read import Report
from dedup.report.standing import standing_report
from dedup.results.duplicates import Duplicates, Run
from dedup.results.repeats import counted
from dedup.runtime.buffers import give_back
from dedup.runtime.progress import Progress, ProgressOption
from dedup.runtime.threads import thread_count
from dedup.sources.files.batch import Token
from dedup.sources.files.listing import Listing
from dedup.sources.files.reader import read_batches
from dedup.sources.files.rejects import Errors, Reject, check_keep, no_texts
from dedup.storage.atomic import storage_errors
from dedup.storage.folders import check_folder, refuse_overlap, scratch_folder
from dedup.storage.work_dir import Store

__all__ = ["FileRun", "find_in_files"]

READ, MARKS, FOUND, DONE = "read", "marks", "found", "done"
"""Parts of the store that say how far a run has come."""


class Rejects:
    """What could not be read, one after the other: files that are not there, then records in order."""

    def __init__(self, listing: Listing, shards: Shards) -> None:
        self._listing, self._shards = listing, shards

    def __len__(self) -> int:
        return len(self._listing.rejects) + self._shards.total("rejects")

    def __iter__(self) -> Iterator[Reject]:
        yield from self._listing.rejects
        yield from self._shards.rejects()


@dataclass(frozen=True)
class FileRun:
    """A search over files that is over: what it found, and what could not be read."""

    duplicates: Duplicates
    listing: Listing
    rejects: Rejects
    """They are read from the shards, which are there until the report is written."""
    asked: dict[str, Any]
    """The options on which its report depends."""


class _Places:
    """Where a run writes: the report, and the work directory, which is kept in the end if the user named it."""

    def __init__(self, output: Path | None, work: Path | None) -> None:
        self.output, self.named = output, work is not None
        self.work = work
        if work is None and output is not None:
            whole = output if output.name not in ("", "..") else Path(os.path.realpath(output))
            self.work = whole.with_name(f"{whole.name}.work") if whole.name else None


def find_in_files(
    inputs: Iterable[str | os.PathLike[str]],
    *,
    format: str | None = None,
    column: str = "text",
    id: str | None = None,
    output: str | os.PathLike[str] | None = None,
    work_dir: str | os.PathLike[str] | None = None,
    fresh: bool = False,
    memory: int | str | None = None,
    threads: int | None = None,
    errors: Errors | None = None,
    progress: ProgressOption = None,
    tell: Callable[[Reject], None] = lambda _: None,
    write: Callable[[FileRun, Mapping[str, float]], object] = lambda *_: None,
    **options: Any,
) -> FileRun | Report:
    """Find duplicates in files; `options` are those of `dedup.find_duplicates`.

    Where the report of this very search stands in `output` already, nothing is searched, and the report is returned.

    Parameters
    ----------
    inputs, format, column, id : which files, and what is read of them (`dedup.sources.files.listing.Listing`)
    output : the folder of the report; it is refused where it is or holds an input
    work_dir : where the run keeps what it has done, so that it can go on; by default beside `output`, and used only
        where not everything fits into `memory`
    fresh : begin again, whatever stands in the work directory
    memory : a bound on what the process grows by, "4GB" say; None: there is none
    errors : what is done about records that cannot be read
    tell : called with each reject
    write : called with the run and the seconds of its stages before the work directory is emptied: writes the report

    Raises `ParameterError` for options that mean nothing, a bound that is too small, and a work directory of another
    run, `InputError` for what cannot be read, `StorageError` for what cannot be written. What was committed stays, and
    the same call goes on from there.
    """
    question = Question.check(**{**DEFAULTS, **options})
    if callable(question.keep):
        raise ParameterError("keep: expected a word or a column, as in max:COLUMN, for files; found a function")
    workers, bound, progress = thread_count(threads), check_memory(memory), check_progress(progress)
    listing = Listing(inputs, format=format).bounded(bound)
    listing.check_column(column)
    check_keep(column_of(question.keep), (entry.format for entry in listing), listing.some())
    output, work_dir = (
        None if path is None else check_path(option, path)
        for option, path in (("output", output), ("work_dir", work_dir))
    )
    places = _Places(None if output is None else Path(output), None if work_dir is None else Path(work_dir))
    inputs_named = [("the input", entry.source) for entry in listing]
    for option, path in (("output", places.output), ("work_dir", places.work)):
        if path is not None:
            refuse_overlap(path, inputs_named, option=option)
    if places.output is not None and places.work is not None:
        refuse_overlap(places.output, [("the work directory", places.work)])
    asked = {
        name: getattr(question, name) for name in ("unit", "threshold", "metric", "method", "keep", "recall", "seed")
    }
    asked |= {"shingle": str(question.shingle), "pairs": question.listing, "column": column, "id": id}
    asked |= {"format": format, "version": __version__, "hash_key": question.shingle.key.fingerprint}
    fingerprint = {"options": asked, "inputs": listing.fingerprint()}
    with ExitStack() as stack, Progress(progress) as stages:
        work = places.work
        if work is not None:
            check_folder("work_dir" if places.named else "output", work)
        doing = f"use {work} as work directory" if places.named else f"write {places.output}"
        with storage_errors(doing, begun=False):
            begun = work is not None and (work / "manifest.json").exists()

        def open_store() -> Store:
            return stack.enter_context(Store(work or stack.enter_context(scratch_folder()), fingerprint, fresh=fresh))

        if places.output is not None:
            standing = standing_report(places.output, asked, [("texts", entry) for entry in listing])
            if standing is not None:
                with suppress(DedupError):  # of another run, or in use: it is left alone
                    if begun:
                        open_store().clear(remove=not places.named)
                return standing
        try:
            store = open_store() if places.named or begun else None
            run = _FileSearch(listing, question, column, id, Budget(bound, workers), errors or Errors(), stages, tell)
            run.read(store, open_store)
            result = FileRun(run.find(), listing, Rejects(listing, run.shards), asked)
            write(result, result.duplicates.timings)
        except KeyboardInterrupt as stop:
            if work is not None and (work / "manifest.json").exists():
                stop.add_note(f"what was done is kept in {work}: run the same command again, and it goes on there")
            raise
        if run.store is not None:
            run.store.clear(remove=not places.named)
        return result


DEFAULTS: dict[str, Any] = {
    "unit": "document",
    "threshold": 0.8,
    "metric": "jaccard",
    "shingle": None,
    "method": "auto",
    "keep": "first",
    "pairs": "auto",
    "recall": 0.999,
    "seed": 1,
    "hash_key": None,
}
"""The options of `dedup.find_duplicates` that a search over files has too."""


class _FileSearch:
    """One search over files, step by step; every step looks in the store first."""

    def __init__(
        self,
        listing: Listing,
        question: Question,
        column: str,
        id: str | None,
        budget: Budget,
        errors: Errors,
        stages: Progress,
        tell: Callable[[Reject], None],
    ) -> None:
        self.listing, self.question, self.column, self.id = listing, question, column, id
        self.budget, self.errors, self.stages, self.tell = budget, errors, stages, tell
        self.store: Store | None = None
        self.shards = Shards()

    # read

    def read(self, store: Store | None, open_store: Callable[[], Store]) -> None:
        """Read all files into shards, or those that a stopped run has not come to."""
        self.store, self.shards = store, Shards(store)
        self.rejects = Rejects(self.listing, self.shards)
        for reject in self.rejects:
            self.tell(reject)
        if store is None or READ not in store:
            self._read_on(open_store)
            if self.store is not None:
                self.store.commit(READ, b"")
        shards = self.shards
        texts, rejected = shards.total("texts"), len(self.rejects)
        first = next(iter(self.rejects), None)
        self.errors.check(rejected, texts + rejected, first, done=True)
        if not shards.total("filled"):
            found = f"nothing but {counted(texts, 'text')} without words in" if texts else "none in"
            raise no_texts(self.listing.some(), found, first, rejected)

    def _read_on(self, open_store: Callable[[], Store]) -> None:
        shards, budget = self.shards, self.budget
        budget.check_reading()
        sizes = np.cumsum([0, *(entry.size for entry in self.listing)])
        report = self.stages.stage("read", int(sizes[-1]))

        def behind(token: Token) -> None:
            entry = self.listing[token[0]] if token[0] < len(self.listing) else None
            inside = token[1] if entry and entry.compression is None and entry.format in ("jsonl", "csv") else 0
            report(int(sizes[token[0]]) + inside)

        by = column_of(self.question.keep)
        extra = () if by is None else (by,)
        batches = read_batches(self.listing, column=self.column, id=self.id, extra=extra, after=shards.more)
        question = self.question
        for shard in read_shards(
            batches,
            question.shingle,
            unit=question.unit,
            threads=budget.threads,
            size=budget.shard,
            after=shards.more,
            progress=behind,
        ):
            rejects = [] if not shard.facts.rejects else list(shard.rejects())
            shards.add(shard)
            for reject in rejects:
                self.tell(reject)
            if rejects:
                count = shards.total("rejects")
                self.errors.check(count, count + shards.total("texts"), next(shards.rejects()), done=False)
            budget.check_reading(shard.facts.longest)
            if not shards.stored and not self._all_fits():
                self.store = open_store()
                shards.spill(self.store)

    def _all_fits(self) -> bool:
        longest = max((facts.longest for facts in self.shards.facts), default=0)
        return self.budget.holds_all(self.shards.total("units"), self.shards.total("shingles"), longest)

    # search

    def find(self) -> Duplicates:
        """Find what repeats, or take it from the store."""
        store = self.store
        if store is not None and FOUND in store:
            kept, rows, sizes = from_arrays(store.arrays(FOUND), store.parts[FOUND].facts)
        else:
            self._let_go()
            kept, rows, sizes = self._search()
            self._let_go()
            if store is not None:
                store.commit(FOUND, *to_arrays(kept, rows, sizes))
        return self._duplicates(kept, rows, sizes)

    def _search(self) -> tuple[Found, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return what was found among the units that are held, where they stand, and the sizes of their sets."""
        question, shards = self.question, self.shards
        by = column_of(question.keep)
        if by is not None:
            check_looks(question.keep, extra_columns(shards, by))
        # the bands of the other method are chosen for the units that stay, so these must not depend on the memory
        if question.method != "lsh" and self._all_fits():
            return self._search_at_once(self._held(None))
        stays = self._stays()
        shingles, held, units = int(held_shingles(shards, stays).sum()), int(stays.sum()), shards.total("units")
        if question.method == "lsh" or self.budget.fits(held, shingles, units):
            self._check(held, shingles)
            return self._search_at_once(self._held(stays))
        grouped = self._grouped(held)
        self._check(held, min(grouped.limit, shingles))
        return search_in_groups(question, grouped, stays)

    def _let_go(self) -> None:
        if self.budget.memory is not None:
            give_back()

    def _search_at_once(self, held: Held) -> tuple[Found, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        found = search(
            self.question,
            held.units,
            self.stages,
            self.budget.threads,
            lengths=lambda: held.lengths,
            keys=lambda: None if held.extra is None else held.extra.column(0),
            room=self.budget.room(len(held.units), self.shards.total("units")),
        )
        return found, held.places, held.units.sizes

    def _stays(self) -> npt.NDArray[np.bool_]:
        """Return which units may have a partner."""
        store = self.store
        if store is not None and MARKS in store:
            packed = store.arrays(MARKS)["stays"]
            return np.unpackbits(packed, count=self.shards.total("units")).astype(np.bool_)
        room = None if self.budget.memory is None else self.budget.table(self.shards.total("units"))
        question, threads = self.question, self.budget.threads
        stays = mark(
            self.shards, question.threshold, whole=question.whole, room=room, threads=threads, stages=self.stages
        )
        if store is not None:
            store.commit(MARKS, {"stays": np.packbits(stays)})
        self._let_go()
        return stays

    def _check(self, held: int, shingles: int) -> None:
        texts, units = self.shards.total("texts"), self.shards.total("units")
        unit, bands = self.question.unit, self.question.method == "lsh"
        self.budget.check(texts, units, held, shingles, unit=unit, bands=bands)

    def _grouped(self, held: int) -> Grouped:
        """Return groups of as many shingles as fit; of a shard's, at the least."""
        least = 2 * max((facts.shingles for facts in self.shards.facts), default=1)
        limit = max(self.budget.limit(held, self.shards.total("units")), least)
        room = self.budget.pairs(held, self.shards.total("units"))
        return Grouped(self.shards, limit, room, self.question.unit, self.budget.threads, self.stages)

    def _held(self, stays: npt.NDArray[np.bool_] | None) -> Held:
        shards, unit, threads = self.shards, self.question.unit, self.budget.threads
        return hold(shards, stays, unit=unit, threads=threads, stages=self.stages, last=stays is None)

    # result

    def _duplicates(self, found: Found, rows: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> Duplicates:
        question, shards = self.question, self.shards
        self.stages.stage("ids", 1)
        texts = KnownTexts(self.listing, self.column, self.id, shards)
        units = all_units(shards, rows, sizes, unit=question.unit)
        found = spread(found, rows, len(units))
        run = Run(
            unit=question.unit,
            method="exact" if found.bands is None else "lsh",
            shingle=str(question.shingle),
            threshold=question.threshold,
            listing=question.listing,
            column=self.column,
            metric=question.metric,
            bands=found.bands,
            replay=found.replay,
            large_buckets=found.large_buckets,
            crowded=found.crowded,
            large=found.large,
            closest=found.closest,
            hash_key=question.shingle.key.fingerprint,
        )
        parts = (found.representatives, found.rank, found.pairs, found.stars)
        return Duplicates(run, texts, units, *parts, self.stages.seconds)

"""A search for duplicates over files: read once into shards, searched, and resumed if it was stopped.

files -> batches -> shards (read) -> the order of `dedup.pipelines.order` -> Duplicates -> report

If everything fits and no work directory was named, all of this is in memory. Otherwise the shards and the results are
committed to a work directory one by one, and a run that was stopped resumes after the last commit. The report is the
same in both cases, byte for byte: it does not depend on shards, threads, memory, or on how often the run was stopped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup import __version__
from dedup.clusters.looks import check_looks
from dedup.clusters.priority import rank_units
from dedup.errors import DedupError, ParameterError
from dedup.hashing.forms import CHARACTERS, NUMBERS
from dedup.hashing.shard_source import ShardSource, all_units, texts_of
from dedup.hashing.shards import Shards, read_shards
from dedup.hashing.source import HeldUnits
from dedup.hashing.units import Units
from dedup.options import check_memory, check_path, check_progress
from dedup.pipelines import order
from dedup.pipelines.checkpoints import Run
from dedup.pipelines.found import duplicates_of
from dedup.pipelines.memory import FilePlan
from dedup.pipelines.query import Query
from dedup.report.existing_report import existing_report
from dedup.report.read import Report
from dedup.results.counted import counted
from dedup.results.duplicates import Duplicates
from dedup.runtime.progress import Progress, ProgressOption
from dedup.runtime.threads import thread_count
from dedup.sampling.missed import sketcher_for
from dedup.sources.columns import check_columns, plain_names
from dedup.sources.files.batch import Token
from dedup.sources.files.file_texts import FileTexts
from dedup.sources.files.formats.separated import SEPARATED
from dedup.sources.files.listing import COLUMN, Listing
from dedup.sources.files.reader import read_batches
from dedup.sources.files.rejects import Errors, Reject, check_extra, no_texts
from dedup.storage.atomic import storage_errors
from dedup.storage.folders import check_folder, refuse_overlap, scratch_folder
from dedup.storage.work_dir import Store

__all__ = ["FileRun", "find_in_files", "search_files"]

NOTHING_ASKED: dict[str, Any] = {"options": {}, "inputs": []}
"""The fingerprint of a work directory among the temporary files, which no other run opens."""

READ_STEP = "read"
"""The step that is over when all files are read; further ones are in `dedup.pipelines.order`."""


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

    def __init__(self, output: Path | None, work: Path | None, beside: Path | None) -> None:
        self.output, self.named, self.written = output, work is not None, output or beside
        self.work = work
        if work is None and self.written is not None:
            whole = self.written if self.written.name not in ("", "..") else Path(os.path.realpath(self.written))
            self.work = whole.with_name(f"{whole.name}.work") if whole.name else None


def find_in_files(
    inputs: Iterable[str | os.PathLike[str]],
    *,
    format: str | None = None,
    encoding: str | None = None,
    include: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    column: str | Sequence[str] = "text",
    id: str | None = None,
    output: str | os.PathLike[str] | None = None,
    work_dir: str | os.PathLike[str] | None = None,
    beside: str | os.PathLike[str] | None = None,
    fresh: bool = False,
    memory: int | str | None = None,
    threads: int | None = None,
    errors: Errors | None = None,
    progress: ProgressOption = None,
    tell: Callable[[Reject], None] = lambda _: None,
    resumed: Callable[[str], object] = lambda _: None,
    write: Callable[[FileRun, Mapping[str, float]], object] = lambda *_: None,
    check: Callable[[Listing], None] | None = None,
    planned: Callable[[int | None, int], FilePlan] = FilePlan,
    limits: order.Limits = order.LIMITS,
    **options: Any,
) -> FileRun | Report:
    """Find duplicates in files; `options` are those of `dedup.find_duplicates`.

    Where the report of this very search is in `output` already, nothing is searched, and the report is returned.

    Parameters
    ----------
    inputs, format, encoding, include, exclude, column, id : which files, and what is read of them
        (`dedup.sources.files.listing.Listing`)
    output : the folder of the report; it is refused if it is or contains an input
    work_dir : the folder of intermediate results, from which a stopped run resumes; by default next to `output`, and
        used only if not everything fits into `memory`
    beside : what the caller writes, without a report: the work directory is then next to it
    fresh : clear the work directory first, even of another search's results
    memory : a bound on the growth of the process, such as "4GB"; None: no bound
    errors : what is done about records that cannot be read
    tell : a function that is called with each reject
    resumed : called with what there is of a stopped run, in words, before it goes on
    write : called with the run and the seconds of its stages before the work directory is emptied: writes the report
    check : called with the files before they are read: raises an error if they cannot be used
    planned : makes the plan of the memory bound and the threads
    limits : those of the stages; tests hand in small ones

    Raises `ParameterError` for options that mean nothing, a bound that is too small, and a work directory of another
    run, `InputError` for what cannot be read, `StorageError` for what cannot be written. What was committed is kept,
    and the same call resumes from there.
    """
    query = Query.check(**options)
    if callable(query.keep):
        raise ParameterError("keep: expected a word or a column, as in max:COLUMN, for files; found a function")
    query.labels.check_named()
    workers, bound, progress = thread_count(threads), check_memory(memory), check_progress(progress)
    listing = Listing(inputs, format=format, encoding=encoding, include=include, exclude=exclude).bounded(bound)
    asked_column = check_columns(column)
    column = COLUMN if asked_column is None else asked_column
    listing.check_column(column)
    if check is not None:
        check(listing)
    for option, name in query.other_columns:
        check_extra(option, name, (entry.format for entry in listing), listing.some())
    given = (("output", output), ("work_dir", work_dir), ("output", beside))
    places = _Places(*(None if path is None else Path(check_path(option, path)) for option, path in given))
    inputs_named = [("the input", entry.source) for entry in listing]
    for option, path in (("output", places.output), ("work_dir", places.work)):
        if path is not None:
            refuse_overlap(path, inputs_named, option=option)
    if places.written is not None and places.work is not None:
        refuse_overlap(places.written, [("the work directory", places.work)])
    asked = query.asked() | {"column": plain_names(column), "id": id, "format": format, "version": __version__}
    asked |= {"hash_key": query.shingle.key.fingerprint, **({"encoding": listing.encoding} if listing.encoding else {})}
    fingerprint = {"options": asked, "inputs": listing.fingerprint()}
    with ExitStack() as stack, Progress(progress) as stages:
        work = places.work
        if work is not None:
            check_folder("work_dir" if places.named else "output", work)
        doing = f"use {work} as work directory" if places.named else f"write {places.written}"
        with storage_errors(doing, begun=False):
            begun = work is not None and (work / "manifest.json").exists()

        def open_store() -> Store:
            return stack.enter_context(Store(work or stack.enter_context(scratch_folder()), fingerprint, fresh=fresh))

        if places.output is not None:
            existing = existing_report(places.output, "find", asked, [("texts", entry) for entry in listing])
            if existing is not None:
                with suppress(DedupError):  # of another run, or in use: it is not touched
                    if begun:
                        open_store().clear(remove=not places.named)
                return existing
        run = Run(stages, workers, frugal=bound is not None)
        try:
            run.store = open_store() if places.named or begun else None
            if run.store is not None and run.store.parts:
                told = f"resumed: {len(run.store.parts):,} parts of a stopped run are in {work}"
                stages.log("%s", told)
                resumed(told)
            search = _FileSearch(listing, query, column, id, planned(bound, workers), errors or Errors(), run, tell)
            search.read(open_store)
            result = FileRun(search.find(limits=limits), listing, Rejects(listing, search.shards), asked)
            stages.end_stage()
            write(result, result.duplicates.timings)
        except KeyboardInterrupt as stop:
            if work is not None and run.store is not None and run.store.parts:
                stop.add_note(f"the intermediate results are kept in {work}: run the same command again to resume")
            raise
        if run.store is not None:
            run.store.clear(remove=not places.named)
        return result


def search_files(
    texts: FileTexts,
    query: Query,
    plan: FilePlan,
    stages: Progress,
    keys: Keys | None = None,
    *,
    limits: order.Limits = order.LIMITS,
) -> Duplicates:
    """Find duplicates in the texts of files. Hashes that do not fit go to a temporary folder.

    `keys` returns the keys of units, if `keep` is a function. Raises as `find_in_files`.
    """
    with ExitStack() as stack:

        def open_store() -> Store:
            folder = stack.enter_context(scratch_folder())
            return stack.enter_context(Store(folder, NOTHING_ASKED))

        run = Run(stages, plan.threads, frugal=True)
        column, id_column = texts.text_column, texts.id_column
        search = _FileSearch(texts.listing, query, column, id_column, plan, texts.errors, run, texts.note)
        search.read(open_store)
        texts.warn(search.shards.total("texts"))
        return search.find(keys, rejects=texts.rejects, limits=limits)


Keys = Callable[[FileTexts, Units], Any]
"""What gives the keys of some units of some texts."""


class _FileSearch:
    """One search over files, step by step; every step looks in the store of the `run` first."""

    def __init__(
        self,
        listing: Listing,
        query: Query,
        column: str,
        id: str | None,
        plan: FilePlan,
        errors: Errors,
        run: Run,
        tell: Callable[[Reject], None],
    ) -> None:
        self.listing, self.query, self.column, self.id = listing, query, column, id
        self.plan = replace(plan, forms=query.held_forms, rewritten=not query.shingle.reading.plain)
        self.errors, self.run, self.tell = errors, run, tell
        self.shards = Shards(run.store)
        self.sketcher, self.earlier = sketcher_for(query.threshold), len(self.shards)

    # read

    def read(self, open_store: Callable[[], Store]) -> None:
        """Read all files into shards, or those that a stopped run did not read."""
        rejects, run = Rejects(self.listing, self.shards), self.run
        for reject in rejects:
            self.tell(reject)
        if not run.done(READ_STEP):
            self._read_on(open_store)
            run.commit(READ_STEP)
        shards = self.shards
        texts, rejected = shards.total("texts"), len(rejects)
        first = next(iter(rejects), None)
        self.errors.check(rejected, texts + rejected, first, done=True)
        if not shards.total("filled"):
            found = f"nothing but {counted(texts, 'text')} without words in" if texts else "none in"
            raise no_texts(self.listing.some(), found, first, rejected)

    def _read_on(self, open_store: Callable[[], Store]) -> None:
        shards, plan, query = self.shards, self.plan, self.query
        plan.check_reading()
        sizes = np.cumsum([0, *(entry.size for entry in self.listing)])
        report = self.run.stages.stage("read", int(sizes[-1]))

        def after(token: Token) -> None:
            entry = self.listing[token[0]] if token[0] < len(self.listing) else None
            inside = (
                token[1]
                if entry and entry.compression is None and entry.format in ("jsonl", "json", "lines", *SEPARATED)
                else 0
            )
            report(int(sizes[token[0]]) + (min(inside, entry.size) if entry else 0))

        extra = {name: option for option, name in reversed(query.other_columns)}
        batches = read_batches(self.listing, column=self.column, id=self.id, extra=extra, after=shards.more)
        how: dict[str, Any] = {"unit": query.unit, "threads": plan.threads, "size": plan.shard, "progress": after}
        how["forms"] = tuple(dict.fromkeys((CHARACTERS, NUMBERS, *query.forms)))
        how["sketcher"] = self.sketcher
        how["labelled"] = partial(query.labels.read_batch, kept={query.keep_column})
        for shard in read_shards(batches, query.shingle, after=shards.more, **how):
            rejects = [] if not shard.facts.rejects else list(shard.rejects())
            shards.add(shard)
            for reject in rejects:
                self.tell(reject)
            if rejects:
                count = shards.total("rejects")
                self.errors.check(count, count + shards.total("texts"), next(shards.rejects()), done=False)
            plan.check_reading(shard.facts.longest)
            if not shards.stored and not plan.holds_all(self._source()):
                self.run.store = open_store()
                shards.spill(self.run.store)

    def _source(self) -> ShardSource:
        how = self.query.unit, self.plan.threads, self.run.stages, self.query.forms, self.sketcher, self.earlier
        return ShardSource(self.shards, *how)

    # search

    def find(
        self, keys: Keys | None = None, *, rejects: list[Reject] | None = None, limits: order.Limits
    ) -> Duplicates:
        """Find duplicates, or take what was found from the store.

        `rejects` are given for a result that is used from Python: it has them, and its tables hold to the bound too.
        """
        query, shards, stages = self.query, self.shards, self.run.stages
        source = self._source()
        if query.keep_column is not None and not self.run.done(order.FIND_STEP):
            check_looks(query.keep, source.column(query.keep_column))

        def rank_of(held: HeldUnits) -> npt.NDArray[np.int64]:
            values = None if held.columns is None else held.columns.column(0)
            if keys is not None:
                values = keys(texts_of(shards, self.listing, self.column, self.id), held.units)
            return rank_units(query.keep, len(held.units), lambda: held.lengths, lambda: values)

        found = order.find(source, query, self.plan, self.run, rank_of, limits=limits)
        room = self.plan.room_for(0, source.count) if rejects is not None else None
        stages.stage("ids", 1)
        texts = texts_of(shards, self.listing, self.column, self.id)
        if rejects is not None:
            texts.rejects = rejects
        assert found.rows is not None
        units = all_units(shards, found.rows, found.sizes, unit=query.unit, shingle=query.shingle)
        everything, listing = found.spread(len(units)), limits.listing
        return duplicates_of(query, texts, units, everything, stages.seconds, room=room, limits=listing)

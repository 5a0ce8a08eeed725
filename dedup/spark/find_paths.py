"""`find` on Spark: files are listed on the driver and read by the workers, and the report is that of `dedup find`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedup import __version__
from dedup.distributed.job import GIVEN, Engine
from dedup.distributed.order import Found, search
from dedup.distributed.outcome import evidence_of_found, load_shown
from dedup.distributed.texts.documents import LinkedRecords
from dedup.distributed.texts.files import Damaged, FileInput, ReadingEngine
from dedup.distributed.texts.linked import Fetch
from dedup.errors import InputError, ParameterError
from dedup.options import ProgressOption, check_path, check_paths, shown
from dedup.pipelines.query import Query
from dedup.report.existing_report import ASKED, existing_report
from dedup.report.read import Report
from dedup.report.write import write_run_report
from dedup.results.duplicates import Duplicates
from dedup.results.evidence import Evidence
from dedup.results.summary import shown_units
from dedup.runtime.progress import Progress
from dedup.sources.columns import plain_names
from dedup.sources.files.listing import COLUMN, STDIN, Listing
from dedup.sources.files.rejects import Errors, check_extra
from dedup.spark.engine import KeepingEngine, SparkEngine
from dedup.spark.inputs import (
    check_pyspark,
    check_session,
    check_tasks,
    check_text_columns,
    check_work,
    checked,
    cores_of,
    info_of,
    job_of,
)
from dedup.storage.folders import refuse_overlap
from dedup.terminal import clean

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from dedup.distributed.transport.keys import Keys

__all__ = ["find", "found_in_files"]

URI_MARK = "://"
"""What a URI has, and no path that we read."""


def find(
    spark: SparkSession,
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    output: str | os.PathLike[str],
    work: str | os.PathLike[str] | None = None,
    column: str | Sequence[str] = "text",
    id: str | None = None,
    format: str | None = None,
    encoding: str | None = None,
    include: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    on_error: str = "quarantine",
    max_errors: int | str | None = None,
    unit: str = "document",
    threshold: float = 0.8,
    metric: str = "jaccard",
    shingle: str | None = None,
    keep: str = "first",
    pairs: str = "auto",
    distinct: str | Collection[str] = (),
    within: str | None = None,
    across: str | None = None,
    min_documents: int | None = None,
    ignore: str | Collection[str] = (),
    tokens: str = "words",
    hash_key: bytes | None = None,
    partitions: int | None = None,
    progress: ProgressOption = None,
) -> Report:
    """Find duplicate texts in files, and write the report that ``dedup find`` writes, byte for byte.

    Parameters
    ----------
    spark : the session
    files : paths of files and folders, and patterns, as for `dedup.files`, in folders that the driver and all workers
        share. A file is read by one task; a Parquet file of more than 64 MB by several, by its row groups
    output : the folder of the report, on the driver. If it has the report of this search, nothing is searched
    work : a folder that all workers can write to (a path or URI), in which the outcome of each job is kept: the same
        call takes up an interrupted search after its last complete job. Delete it afterwards. None: keep nothing
    column, id, format, encoding, include, exclude, on_error, max_errors : as for `dedup.files`
    partitions : tasks of a stage after the reading; None: as many as there are cores, or parts of the files
    others : as for `dedup.spark.find_duplicates`

    Returns the report. Its only file that may differ from that of ``dedup find`` is ``run.json``, which has the seconds
    and the machine; it has no closest pair.

    Raises `ParameterError` and `InputError` as `dedup.spark.find_duplicates` and `dedup.files` do, `StorageError` if
    the report cannot be written.
    Cost: as `dedup.spark.find_duplicates`; the driver holds what could not be read.
    """
    check_pyspark()
    query = checked(
        unit=unit,
        threshold=threshold,
        metric=metric,
        shingle=shingle,
        keep=keep,
        pairs=pairs,
        distinct=distinct,
        within=within,
        across=across,
        min_documents=min_documents,
        ignore=ignore,
        tokens=tokens,
        hash_key=hash_key,
    )
    check_session(spark)
    errors = Errors(on_error, max_errors)
    if URI_MARK in str(output):
        raise ParameterError(f"output: expected a folder of the driver, found the URI {shown(output)}; copy it later")
    output = check_path("output", output)
    listing = _listed(files, format=format, encoding=encoding, include=include, exclude=exclude)
    asked_column = check_text_columns(column, query.unit)
    column = COLUMN if asked_column is None else asked_column
    listing.check_column(column)
    for option, name in query.other_columns:
        check_extra(option, name, (entry.format for entry in listing), listing.some())
    refuse_overlap(Path(output), [("the input", entry.source) for entry in listing], option="output")
    asked = query.asked() | {"column": plain_names(column), "id": id, "format": format, "version": __version__}
    asked |= {"method": "auto", "hash_key": query.shingle.key.fingerprint}
    asked |= {"encoding": listing.encoding} if listing.encoding else {}
    existing = existing_report(output, "find", asked, [("texts", entry) for entry in listing])
    if existing is not None:
        return existing
    inputs = FileInput(listing, column, id, dict(query.other_columns), errors, cores_of(spark))
    tasks = max(len(inputs.tasks), cores_of(spark)) if partitions is None else check_tasks(partitions)
    with Progress(progress) as stages:
        engine = SparkEngine(spark, tasks, stages)
        if work is not None:
            more = {"partitions": tasks, "inputs": listing.fingerprint(), "tasks": inputs.tasks}
            engine = KeepingEngine(spark, tasks, stages, check_work(work), asked | more)
        reading = SparkEngine(spark, tasks, Progress(False))
        result = found_in_files(engine, reading, _numbered(spark), inputs, query, column, tasks)
    _warn(inputs)
    spent = {stage: round(seconds, 3) for stage, seconds in stages.seconds.items()}
    run: Mapping[str, Any] = {"seconds": spent, "threads": None, ASKED: asked}
    options = {"keep": query.keep, "recall": query.recall, "id": id, "format": format}
    write_run_report(output, result, listing=listing, rejects=inputs.rejects, run=run, options=options)
    return Report.open(output, verify=False)


def _listed(files: Any, **options: Any) -> Listing:
    """Return the files; none of them may be out of the reach of workers. `options` are those of `Listing`."""
    names = check_paths((files,))
    for name in map(os.fspath, names):
        if URI_MARK in str(name):
            raise InputError(
                f"files: expected paths of files that the driver and all workers share, found the URI {shown(name)}; "
                "read it with spark.read, and search the DataFrame by dedup.spark.find_duplicates"
            )
    listing = Listing(names, **options)
    for entry in listing:
        if entry.copied:
            what = "standard input" if entry.path == STDIN else f"the pipe {entry.path}"
            raise InputError(f"files: expected files that all workers can read, found {what}; write it to a file")
    return listing


def _numbered(spark: SparkSession) -> Any:
    def numbered(tasks: int) -> DataFrame:
        return spark.range(0, tasks, 1, tasks)

    return numbered


def found_in_files(
    engine: Engine, reading: Engine, numbered: Any, inputs: FileInput, query: Query, column: str, tasks: int
) -> Duplicates:
    """Return what is found in files, on any engine. `reading` is the engine that reads the texts of a summary.

    `numbered` is that of `ReadingEngine`. Files that are damaged in the middle are read again as a whole.
    """
    import pyarrow as pa

    engine = ReadingEngine(engine, numbered)
    found: Found | None = None
    while found is None:
        try:
            found = search(engine, inputs, job_of(query, tasks), pa.int64())
        except Damaged as damaged:
            inputs.cut(inputs.whole | damaged.files)
    try:
        return Duplicates.of(_evidence(engine, ReadingEngine(reading, numbered), found, inputs, query, column), {})
    finally:
        engine.drop(found.sets)


def _evidence(engine: Engine, reading: Engine, found: Found, inputs: FileInput, query: Query, column: str) -> Evidence:
    """Return the evidence of what was found, with the texts that a summary shows."""
    import pyarrow as pa

    def fetch(ids: pa.Array, keys: Keys) -> Iterator[pa.RecordBatch]:
        return reading.collect(reading.map(inputs.with_records(ids), Fetch(found.job, keys, pa.int64()), "texts"))

    def made(ids: pa.Array, keys: Keys, rows: pa.Table) -> LinkedRecords:
        given = rows.column(GIVEN).combine_chunks() if GIVEN in rows.column_names else None
        return LinkedRecords(inputs, given, ids, keys, column, fetch)

    evidence = evidence_of_found(engine, found, info_of(query, column, inputs.units), made)
    load_shown(evidence, shown_units(evidence))
    return evidence


def _warn(inputs: FileInput) -> None:
    """Warn about records that were not searched."""
    if inputs.rejects and inputs.errors.on_error == "quarantine":
        count, texts = len(inputs.rejects), int(inputs.records.sum())
        warnings.warn(
            f"{count:,} of {texts + count:,} records were rejected and not searched (the first: "
            f"{clean(inputs.rejects[0])}); see rejects.jsonl of the report",
            stacklevel=3,
        )

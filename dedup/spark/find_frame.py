"""`find_duplicates` on Spark: check the options and columns, run the stages, and make the result."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from dedup.distributed.job import ID
from dedup.distributed.order import search
from dedup.distributed.outcome import evidence_of_found
from dedup.distributed.texts.documents import LinkedTexts
from dedup.distributed.texts.linked import Fetch
from dedup.options import ProgressOption
from dedup.results.duplicates import Duplicates
from dedup.runtime.progress import Progress
from dedup.spark.duplicates import SparkDuplicates
from dedup.spark.engine import KeepingEngine, SparkEngine
from dedup.spark.inputs import (
    check_frame,
    check_pyspark,
    check_tasks,
    check_work,
    checked,
    files_of,
    info_of,
    job_of,
    read_input,
    tasks_of,
)
from dedup.spark.tables import of_ids

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

    from dedup.distributed.transport.keys import Keys

__all__ = ["find_duplicates"]


def find_duplicates(
    df: DataFrame,
    *,
    id: str,
    column: str = "text",
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
    work: str | os.PathLike[str] | None = None,
    partitions: int | None = None,
    progress: ProgressOption = None,
) -> SparkDuplicates:
    """Find duplicate texts of a Spark DataFrame, exactly: what `dedup.find_duplicates` finds in the same rows by id.

    Parameters
    ----------
    df : the DataFrame. It is read twice, a third time for the texts that `summary` shows, and must be the same each
        time: so read it from files, or checkpoint it
    id : the column of ids (integers or strings, unique, not null). Their ascending order takes the place of the input
        order: ``keep="first"`` keeps the smallest id
    column : the column of texts (strings; null is an empty text)
    unit, threshold, metric, shingle, pairs, distinct, min_documents, ignore, tokens : as in `dedup.find_duplicates`
    keep : as there, but no function: a word, ``"max:COLUMN"`` or ``"min:COLUMN"``
    within, across : as there, but no labels one by one: the name of a column
    hash_key : as there. A key is never sent to a worker: set ``DEDUP_HASH_KEY`` in the environment of all workers
    work : a folder that all workers can write to (a path or URI), in which the outcome of each job is kept: the same
        call takes up an interrupted search after its last complete job. Delete it afterwards. None: keep nothing
    partitions : tasks of a stage; None: as many as the input has, or cores, if these are more
    progress : as in `dedup.find_duplicates`; a stage is a job of Spark

    Raises `ParameterError` for an option of an invalid value, an old pyspark or Java, or another version of this
    library or another hash key on a worker; `InputError` for a missing column, one of another type, a stream, and ids
    that are null or not unique; `StorageError` for a `work` folder that cannot be written.

    Cost: the texts are hashed once, and the few that may be in a pair a second time. About 1.2 kB per text of 300
    shingles are moved between the workers. A worker's task holds the hashes of its partition. The driver holds some
    hundred bytes for each text in a pair.
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
    check_frame(df, "df")
    texts, kind, more = read_input(df, column, id, query)
    tasks = tasks_of(df) if partitions is None else check_tasks(partitions)
    job = job_of(query, tasks)
    with Progress(progress) as stages:
        engine = SparkEngine(df.sparkSession, tasks, stages)
        if work is not None:
            asked = query.asked() | {"column": column, "id": id, "partitions": tasks, "version": job.version}
            asked |= {"hash_key": query.shingle.key.fingerprint, "columns": texts.schema.simpleString()}
            asked["files"] = files_of(df)
            engine = KeepingEngine(df.sparkSession, tasks, stages, check_work(work), asked)
        found = search(engine, texts, job, kind, more)
        try:

            def fetch(ids: pa.Array, keys: Keys) -> Iterator[pa.RecordBatch]:
                reader = SparkEngine(df.sparkSession, tasks, Progress(False))
                return reader.collect(reader.map(of_ids(texts, ID, ids), Fetch(found.job, keys, kind), "texts"))

            def made(ids: pa.Array, keys: Keys, _: pa.Table) -> LinkedTexts:
                return LinkedTexts(ids, keys, column, fetch)

            evidence = evidence_of_found(engine, found, info_of(query, column), made)
        finally:
            engine.drop(found.sets)
    return SparkDuplicates(Duplicates.of(evidence, stages.seconds), found.job, df.sparkSession, df, id, column)

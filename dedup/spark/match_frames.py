"""`match` on Spark: the two DataFrames are one input with two sides, whose texts are compared across them only."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.distributed.job import ACROSS, Engine, Job
from dedup.distributed.order import search
from dedup.distributed.outcome import resolve, sides_of_found
from dedup.distributed.texts.documents import LinkedTexts
from dedup.distributed.texts.linked import Fetch
from dedup.errors import InputError
from dedup.options import ProgressOption
from dedup.pipelines.query import Query
from dedup.results.match_links import MatchInfo
from dedup.results.matches import Matches
from dedup.results.search_info import Read
from dedup.runtime.progress import Progress
from dedup.sampling.missed import missed_pairs
from dedup.sources.two_sided import Sides
from dedup.spark.engine import KeepingEngine, SparkEngine
from dedup.spark.inputs import (
    check_frame,
    check_pyspark,
    check_tasks,
    check_work,
    checked,
    files_of,
    job_of,
    read_input,
    tasks_of,
)
from dedup.spark.matches import SparkMatches
from dedup.spark.tables import Cuts, cuts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from pyspark.sql import DataFrame

    from dedup.distributed.transport.keys import Keys

__all__ = ["match", "matches_of"]


def match(
    df: DataFrame,
    against: DataFrame,
    *,
    id: str,
    against_id: str | None = None,
    column: str = "text",
    against_column: str | None = None,
    unit: str = "document",
    threshold: float = 0.8,
    metric: str = "jaccard",
    shingle: str | None = None,
    distinct: str | Collection[str] = (),
    ignore: str | Collection[str] = (),
    tokens: str = "words",
    hash_key: bytes | None = None,
    work: str | os.PathLike[str] | None = None,
    partitions: int | None = None,
    progress: ProgressOption = None,
) -> SparkMatches:
    """Find texts of a Spark DataFrame that also occur in another one: the pairs that `dedup.match` finds, by id.

    Parameters
    ----------
    df, against : the DataFrames: the left and the right side. Texts of one side are never compared. Each is read
        twice and must be the same each time
    id, column : of `df`, as for `dedup.spark.find_duplicates`
    against_id, against_column : of `against`; None: the same names. Ids of the two sides have one type
    unit, threshold, metric, shingle, distinct, ignore, tokens, hash_key, work, partitions, progress : as for
        `dedup.spark.find_duplicates`

    The answer is that of ``dedup.match(..., min_words=None)``: pairs, and no passages. Raises as
    `dedup.spark.find_duplicates`. Cost: that of `dedup.spark.find_duplicates` for both sides together; no two texts of
    one side are compared.
    """
    check_pyspark()
    query = checked(
        unit=unit,
        threshold=threshold,
        metric=metric,
        shingle=shingle,
        distinct=distinct,
        ignore=ignore,
        tokens=tokens,
        hash_key=hash_key,
    )
    from pyspark.sql import functions

    names = (column, id), (against_column or column, against_id or id)
    sides, kinds = [], []
    for side, (frame, option) in enumerate(((df, "df"), (against, "against"))):
        check_frame(frame, option)
        texts, kind, _ = read_input(frame, *names[side], query, "against_" if side else "")
        sides.append(texts.withColumn(ACROSS, functions.lit(side).cast("tinyint")))
        kinds.append(kind)
    if kinds[0] != kinds[1]:
        raise InputError(
            f"against_id: expected ids of one type on both sides, found {kinds[0]} and {kinds[1]}; cast one of them"
        )
    both = sides[0].unionByName(sides[1])
    tasks = tasks_of(both) if partitions is None else check_tasks(partitions)
    job = replace(job_of(query, tasks), across=True, sides=True)
    with Progress(progress) as stages:
        engine = SparkEngine(df.sparkSession, tasks, stages)
        if work is not None:
            asked = query.asked() | {"names": names, "partitions": tasks, "version": job.version}
            asked |= {"hash_key": query.shingle.key.fingerprint, "match": True}
            asked["files"] = [files_of(frame) for frame in (df, against)]
            engine = KeepingEngine(df.sparkSession, tasks, stages, check_work(work), asked)
        reading = SparkEngine(df.sparkSession, tasks, Progress(False))
        found, cuts, job = matches_of(engine, reading, both, query, job, kinds[0], column)
    found.timings.update(stages.seconds)
    return SparkMatches(found, cuts, job, df.sparkSession, id, column)


def matches_of(
    engine: Engine, reading: Engine, both: Any, query: Query, job: Job, kind: pa.DataType, column: str
) -> tuple[Matches, Cuts | None, Job]:
    """Return the matches between the two sides of an input, the units of side 0 that match (None for documents), and
    the job with its seed, on any engine; `reading` is the engine that fetches texts.
    """
    import pyarrow as pa

    found = search(engine, both, job, kind, pa.schema([(ACROSS, pa.int8())]))
    job = found.job
    try:

        def fetch(_: pa.Array, keys: Keys) -> Iterator[pa.RecordBatch]:
            return reading.collect(reading.map(both, Fetch(job, keys, kind), "texts"))

        def made(ids: pa.Array, keys: Keys, _: pa.Table) -> LinkedTexts:
            return LinkedTexts(ids, keys, column, fetch)

        resolved = resolve(engine, found, None)
        sides = Sides(*sides_of_found(found, made), ("texts", "against"))
    finally:
        engine.drop(found.sets)
    reach, shingle = query.threshold, query.shingle
    total, right = Read(**found.facts), Read(**found.right)
    few = len(resolved.pairs.left), query.distinct
    info = MatchInfo(
        query.unit,
        reach.metric,
        str(shingle),
        reach.value,
        None,
        column,
        shingle.key.fingerprint,
        query.distinct,
        shingle.reading.ignore,
        shingle.reading.tokens,
        0.8,
        missed_pairs(lambda: found.sketcher, total.units, reach, *few, lefts=1),
    )
    left = Read(*(every - own for every, own in zip(total, right, strict=True)))
    evidence = resolved.units, resolved.representatives, resolved.pairs, None, None
    matches = Matches(info, sides, *evidence, {}, apart=resolved.apart, read=(left, right))
    matching = np.isin(resolved.representatives, resolved.pairs.left)
    return matches, None if job.unit.whole else cuts_of(resolved.units, matching), job

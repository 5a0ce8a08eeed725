"""Inputs: the options of a search on Spark, and the columns of its DataFrame, checked before the first job."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from dedup.distributed.job import BY, ID, TEXT, Job
from dedup.errors import InputError, ParameterError
from dedup.hashing.labels import keys_of_column
from dedup.options import check_name, check_whole, shown
from dedup.pipelines.query import Query
from dedup.results.search_info import SearchInfo
from dedup.sources.columns import Columns, check_columns
from dedup.spark.engine import NEEDS, spark_type
from dedup.threshold import Metric
from dedup.unit import Unit

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

__all__ = [
    "check_frame",
    "check_pyspark",
    "check_session",
    "check_tasks",
    "check_text_columns",
    "check_work",
    "checked",
    "cores_of",
    "files_of",
    "info_of",
    "job_of",
    "quoted",
    "read_input",
    "tasks_of",
]

OLDEST_JAVA = (17,)
"""The first version of Java that Spark 4 runs on."""

MOST_TASKS = 1 << 15
"""Tasks of a stage, at most."""

MANY_TASKS = 512
"""Tasks. From here on the hash space has about as many parts: more would balance them better, but there is a row for
each block and part, of more than a hundred bytes. `benchmarks.speed.spark_model` says what rows cost."""

GLOBBING = r"[\\{}\[\]*?]"
"""Characters of a path that Spark would take for a pattern."""

OLDEST = (4, 1)
"""The first version of pyspark that has `DataFrame.repartitionById`."""


def check_pyspark() -> None:
    """Raise `ParameterError` if pyspark is missing or too old."""
    try:
        import pandas as pd  # noqa: F401  (mapInArrow asks for it)
        import pyspark
    except ImportError as error:
        raise ParameterError(f"expected pyspark and pandas, found no {error.name}; {NEEDS}") from error
    found = _numbers_in(pyspark.__version__)
    if found < OLDEST:
        least = ".".join(map(str, OLDEST))
        raise ParameterError(f"expected pyspark {least} or later, found {pyspark.__version__}; {NEEDS}")


def _numbers_in(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def check_cluster(spark: SparkSession) -> None:
    """Raise `ParameterError` if the cluster runs an older Spark than we need, or an old Java."""
    version = str(spark.version)
    if _numbers_in(version) < OLDEST:
        least = ".".join(map(str, OLDEST))
        raise ParameterError(
            f"spark: expected a cluster of Spark {least} or later, found {version}; use a newer cluster"
        )
    try:
        java = str(spark.sparkContext._jvm.java.lang.System.getProperty("java.specification.version"))  # noqa: SLF001
    except Exception:  # noqa: BLE001  (Connect does not tell, each pyspark with an error of its own)
        return
    if _numbers_in(java) < OLDEST_JAVA:
        raise ParameterError(
            f"spark: expected Java {OLDEST_JAVA[0]} or later, found {java}; set JAVA_HOME on the driver and all workers"
        )


def checked(**options: Any) -> Query:
    """Return the query of these options."""
    if options.get("metric") == str(Metric.EDIT):
        raise ParameterError(
            'metric: expected "jaccard" or "containment", found "edit", which runs on one machine only'
        )
    query = Query.check(method="exact", **options)
    for option, value in (("within", query.within), ("across", query.across)):
        if value is not None and not isinstance(value, str):
            raise ParameterError(
                f"{option}: expected the name of a column, found {type(value).__name__}; write the labels to a column"
            )
    if callable(query.keep):
        raise ParameterError(
            'keep: expected "first", "last", "longest", "shortest", "max:COLUMN" or "min:COLUMN", found a function; '
            "write its values to a column, and pass keep='min:COLUMN'"
        )
    return query


def info_of(query: Query, column: str, units_by_file: Any = None) -> SearchInfo:
    """Return what a result says of the search; `units_by_file` counts the units of each file, if texts are in files."""
    return SearchInfo(
        unit=query.unit,
        method="exact",
        shingle=str(query.shingle),
        threshold=query.threshold.value,
        listing=query.listing,
        column=column,
        metric=query.threshold.metric,
        hash_key=query.shingle.key.fingerprint,
        distinct=query.distinct,
        within=query.within,
        across=query.across,
        removes_all=query.removes_all,
        min_documents=query.least_documents,
        ignore=query.shingle.reading.ignore,
        tokens=query.shingle.reading.tokens,
        units_by_file=units_by_file,
    )


def job_of(query: Query, tasks: int) -> Job:
    """Return the job of a search whose stages have so many tasks."""
    each = 2 if tasks < MANY_TASKS else 1  # parts
    bits = max(2, (each * tasks - 1).bit_length())
    how: dict[str, Any] = {"across": query.across is not None, "part_bits": bits, "keep": query.keep}
    return Job(query.unit, query.threshold, query.shingle, query.distinct, **how)


def check_frame(df: Any, option: str) -> None:
    """Raise `InputError` for anything but a DataFrame of Spark."""
    from pyspark.sql import DataFrame as Frame

    if not isinstance(df, Frame):
        raise InputError(
            f"{option}: expected a Spark DataFrame, found {type(df).__name__}; use dedup.find_duplicates for it"
        )
    if df.isStreaming:
        raise InputError(
            f"{option}: expected a DataFrame of rows that are there, found a stream; write it to files first, or "
            "search each batch by foreachBatch"
        )
    check_cluster(df.sparkSession)


def check_session(spark: Any) -> None:
    """Raise `InputError` for anything but a session of Spark."""
    if not (hasattr(spark, "range") and hasattr(spark, "createDataFrame")):
        raise InputError(
            f"spark: expected a session of Spark, found {type(spark).__name__}; make it with "
            "SparkSession.builder.getOrCreate()"
        )
    check_cluster(spark)


def check_tasks(partitions: Any) -> int:
    """Return the option `partitions`."""
    return check_whole("partitions", partitions, 1, MOST_TASKS)


def check_work(work: Any) -> str:
    """Return the option `work`: a path or URI. Raise `ParameterError` for any other value."""
    path = os.fspath(work) if isinstance(work, (str, os.PathLike)) else None
    if not isinstance(path, str) or not path.strip("/"):
        raise ParameterError(
            f"work: expected a folder that all workers can write to (a path or URI) or None, found "
            f"{type(work).__name__} {shown(work)}"
        )
    return path


def check_text_columns(column: Any, unit: Unit) -> str | None:
    """Return a `column` option: a name, or several for documents. Raise `ParameterError` for any other value."""
    found = check_columns(column)
    if isinstance(found, Columns) and not unit.whole:
        raise ParameterError(
            f'column: expected one column with unit="{unit}" on Spark, found {shown(column)}; search one at a time, or '
            "without Spark"
        )
    return found


def read_input(
    df: DataFrame, column: str, id: str, query: Query, side: str = ""
) -> tuple[DataFrame, pa.DataType, pa.Schema]:
    """Return the columns that are needed, the type of ids, and the columns that are told of linked units.

    `side` is what the names of the options begin with ("against_"), in messages.
    """
    import pyarrow as pa
    from pyspark.sql import functions, types

    fields = {field.name: field.dataType for field in df.schema.fields}
    texts = f"{side}column"
    if isinstance(column, (list, tuple)) and len(column) > 1:
        raise ParameterError(
            f"{texts}: expected one name, as a str, found {type(column).__name__} {shown(column)}; join the columns "
            "to one by functions.concat_ws"
        )
    wanted = {texts: check_name(texts, column), f"{side}id": check_name(f"{side}id", id), **dict(query.other_columns)}
    folded = [_alike(df, field.name) for field in df.schema.fields]
    for option, name in wanted.items():
        several = folded.count(_alike(df, str(name)))
        if name in fields and several > 1:
            raise InputError(f"{option}: expected one column {shown(name)}, found {several}; rename all but one")
        if name not in fields:
            field = str(name).partition(".")[0] in fields
            hint = "; select the field as a column first" if field else ""
            found = f"found the columns {shown(list(fields))}{hint}"
            raise InputError(f"{option}: expected a column {shown(name)}, {found}")
    if not isinstance(fields[column], types.StringType):
        raise InputError(
            f"{texts}: expected strings in {shown(column)}, found {fields[column].simpleString()}; cast or decode it"
        )
    if isinstance(fields[id], types.IntegralType):
        kind = pa.int64()
    elif isinstance(fields[id], types.StringType):
        kind = pa.string()
    else:
        raise InputError(f"{side}id: expected integers or strings in {shown(id)}, found {fields[id].simpleString()}")
    columns = [functions.col(quoted(id)).cast(spark_type(kind)).alias(ID), functions.col(quoted(column)).alias(TEXT)]
    more = []
    for option, name in query.other_columns:
        arrow = _plain_type(fields[name])
        if arrow is None:
            found = f"{shown(name)} of type {fields[name].simpleString()}"
            raise InputError(f"{option}: expected numbers, texts or dates, found {found}; name another column")
        if option == "keep":
            more.append((BY, arrow))
        else:
            keys_of_column(pa.array([], type=arrow), option, query.shingle.key)
        columns.append(functions.col(quoted(name)).alias(BY if option == "keep" else option))
    return df.select(*columns), kind, pa.schema(more)


def _alike(df: DataFrame, name: str) -> str:
    """Return a name as Spark compares it."""
    return name if str(df.sparkSession.conf.get("spark.sql.caseSensitive", "false")) == "true" else name.lower()


def _plain_type(kind: Any) -> pa.DataType | None:
    """Return the type of a column in Arrow; None for values with parts, and for what Arrow does not know."""
    import pyarrow as pa
    from pyspark.errors import PySparkException
    from pyspark.sql.pandas.types import to_arrow_type

    try:
        found = to_arrow_type(kind, timezone="UTC")
    except PySparkException:
        return None
    return None if pa.types.is_nested(found) else found


def quoted(name: str) -> str:
    """Return the name of a column as Spark reads it, whatever characters it has."""
    return "`" + name.replace("`", "``") + "`"


def files_of(df: DataFrame) -> list[str]:
    """Return the files that a DataFrame is read from, each with its length and the time of its last change.

    Only the names, if Spark does not tell more of them.
    """
    from pyspark.errors import PySparkException
    from pyspark.sql import functions

    names = sorted(df.inputFiles())
    if not names:
        return names
    paths = [re.sub(GLOBBING, r"\\\g<0>", unquote(name)) for name in names]
    more = functions.concat_ws(" ", "path", "length", functions.unix_micros("modificationTime"))
    try:
        reader = df.sparkSession.read.format("binaryFile").option("recursiveFileLookup", "true")
        return sorted(row[0] for row in reader.load(paths).select(more).collect())
    except PySparkException:
        return names


def tasks_of(df: DataFrame) -> int:
    """Return how many tasks a stage has, if nobody says it."""
    cores = cores_of(df.sparkSession)
    try:
        return max(int(df.rdd.getNumPartitions()), cores)
    except Exception:  # noqa: BLE001  (Connect has no such thing, each pyspark with an error of its own)
        return cores


def cores_of(spark: SparkSession) -> int:
    """Return how many tasks run at a time, or what Spark would cut a shuffle into, if that is not known."""
    try:
        return int(spark.sparkContext.defaultParallelism)
    except Exception:  # noqa: BLE001  (Connect has no context)
        return int(str(spark.conf.get("spark.sql.shuffle.partitions", "200")))

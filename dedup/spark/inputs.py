"""Inputs: the options of a search on Spark, and the columns of its DataFrame, checked before the first job."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dedup.distributed.job import BY, ID, TEXT
from dedup.errors import InputError, ParameterError
from dedup.options import check_name, shown
from dedup.pipelines.query import Query
from dedup.spark.engine import NEEDS, spark_type
from dedup.threshold import Metric

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

__all__ = ["check_pyspark", "checked", "quoted", "read_input", "tasks_of"]

OLDEST = (4, 1)
"""The first version of pyspark that has `DataFrame.repartitionById`."""


def check_pyspark() -> None:
    """Raise `ParameterError` if pyspark is missing or too old."""
    try:
        import pandas as pd  # noqa: F401  (mapInArrow asks for it)
        import pyspark
    except ImportError as error:
        raise ParameterError(f"expected pyspark and pandas, found no {error.name}; {NEEDS}") from error
    found = tuple(int(part) for part in re.findall(r"\d+", pyspark.__version__)[:2])
    if found < OLDEST:
        least = ".".join(map(str, OLDEST))
        raise ParameterError(f"expected pyspark {least} or later, found {pyspark.__version__}; {NEEDS}")


def checked(**options: Any) -> Query:
    """Return the query of these options."""
    query = Query.check(method="exact", **options)
    if callable(query.keep):
        raise ParameterError(
            'keep: expected "first", "last", "longest", "shortest", "max:COLUMN" or "min:COLUMN", found a function; '
            "write its values to a column, and pass keep='min:COLUMN'"
        )
    if query.removes_all:
        raise ParameterError(
            'keep: expected a policy that keeps one text of each cluster, found "none", which runs on '
            "one machine only; filter with the clusters instead"
        )
    if query.threshold.metric is Metric.EDIT:
        raise ParameterError(
            'metric: expected "jaccard" or "containment", found "edit", which runs on one machine only'
        )
    return query


def read_input(
    df: DataFrame, column: str, id: str, by: str | None
) -> tuple[DataFrame, pa.DataType, pa.DataType | None]:
    """Return the columns that are needed, the type of ids, and that of the column that `keep` names."""
    import pyarrow as pa
    from pyspark.sql import DataFrame as Frame
    from pyspark.sql import functions, types
    from pyspark.sql.pandas.types import to_arrow_type

    if not isinstance(df, Frame):
        raise InputError(f"df: expected a Spark DataFrame, found {type(df).__name__}; use dedup.find_duplicates for it")
    fields = {field.name: field.dataType for field in df.schema.fields}
    wanted = {
        "column": check_name("column", column),
        "id": check_name("id", id),
        **({} if by is None else {"keep": by}),
    }
    for option, name in wanted.items():
        if name not in fields:
            raise InputError(f"{option}: expected a column {shown(name)}, found the columns {shown(list(fields))}")
    if not isinstance(fields[column], types.StringType):
        raise InputError(
            f"column: expected strings in {shown(column)}, found {fields[column].simpleString()}; cast or decode it"
        )
    if isinstance(fields[id], types.IntegralType):
        kind = pa.int64()
    elif isinstance(fields[id], types.StringType):
        kind = pa.string()
    else:
        raise InputError(f"id: expected integers or strings in {shown(id)}, found {fields[id].simpleString()}")
    columns = [functions.col(quoted(id)).cast(spark_type(kind)).alias(ID), functions.col(quoted(column)).alias(TEXT)]
    if by is None:
        return df.select(*columns), kind, None
    columns.append(functions.col(quoted(by)).alias(BY))
    return df.select(*columns), kind, to_arrow_type(fields[by], timezone="UTC")


def quoted(name: str) -> str:
    """Return the name of a column as Spark reads it, whatever characters it has."""
    return "`" + name.replace("`", "``") + "`"


def tasks_of(df: DataFrame) -> int:
    """Return how many tasks a stage has, if nobody says it."""
    spark = df.sparkSession
    try:
        return max(int(df.rdd.getNumPartitions()), int(spark.sparkContext.defaultParallelism))
    except Exception:  # noqa: BLE001  (Connect has neither, each pyspark with an error of its own)
        return int(str(spark.conf.get("spark.sql.shuffle.partitions", "200")))

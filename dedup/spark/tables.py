"""Tables of Arrow as DataFrames, and DataFrames without some rows or without parts of their texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dedup.distributed.job import Job
from dedup.distributed.texts.removal import Remove
from dedup.distributed.transport.keys import document_keys
from dedup.errors import InputError
from dedup.options import shown
from dedup.spark.engine import running, spark_schema
from dedup.spark.inputs import quoted

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["check_columns_in", "cut_out", "frame_of", "of_ids", "without"]

REMOVED_ID = "__dedup_removed_id"
"""A column that no table has."""


def frame_of(spark: SparkSession, table: pa.Table) -> DataFrame:
    """Return a table as a DataFrame."""
    return spark.createDataFrame(table, spark_schema(table.schema))


def check_columns_in(df: DataFrame, *names: str) -> None:
    """Raise `InputError` for a column that a DataFrame does not have."""
    for name in names:
        if name not in df.columns:
            raise InputError(f"expected the column {shown(name)} in the DataFrame, found {shown(df.columns)}")


def without(df: DataFrame, gone: DataFrame, id: str) -> DataFrame:
    """Return the rows of `df` whose `id` is not one of those in the column "id" of `gone`."""
    from pyspark.sql import functions

    check_columns_in(df, id)
    other = gone.withColumnRenamed("id", REMOVED_ID)
    return df.join(other, functions.col(quoted(id)) == functions.col(REMOVED_ID), "left_anti")


def of_ids(df: DataFrame, column: str, ids: pa.Array) -> DataFrame:
    """Return the rows of a DataFrame whose column has one of a few ids, which Spark can look for in files."""
    from pyspark.sql import functions

    return df.where(functions.col(quoted(column)).isin(ids.to_pylist()))


def cut_out(df: DataFrame, job: Job, ids: pa.Array, numbers: npt.NDArray[np.int64], id: str, column: str) -> DataFrame:
    """Return all rows of `df` without some units of their texts: unit ``numbers[i]`` of the document ``ids[i]``."""
    keys = document_keys(ids, job.shingle.key, job.seed)
    order = np.argsort(keys, kind="stable")
    every, counts = np.unique(keys, return_counts=True)
    bounds = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts)))
    return df.mapInArrow(running(Remove(job, every, bounds, numbers[order], id, column)), df.schema)

"""Tables of Arrow as DataFrames, and DataFrames without some rows or without parts of their texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.distributed.job import Job
from dedup.distributed.texts.removal import Remove
from dedup.distributed.transport.keys import document_keys
from dedup.errors import InputError
from dedup.hashing.forms import CHARACTERS
from dedup.hashing.units import Units
from dedup.options import shown
from dedup.sources.texts import Texts
from dedup.spark.engine import running, spark_schema
from dedup.spark.inputs import quoted

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["Cuts", "check_columns_in", "cut_out", "cuts_of", "frame_of", "of_ids", "without"]


class Cuts(NamedTuple):
    """Units that are cut out: int64, the document of each, and its number in it; uint64, its form `characters`."""

    documents: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.int64]
    characters: npt.NDArray[np.uint64]


def cuts_of(units: Units, chosen: npt.NDArray[np.bool_]) -> Cuts:
    """Return some units, which are no documents, as those that are cut out."""
    places = units.places[chosen]
    return Cuts(places[:, 0], places[:, 1], units.forms[CHARACTERS][chosen])


REMOVED_ID = "__dedup_removed_id"
"""A column that no table has."""


def frame_of(spark: SparkSession, table: pa.Table) -> DataFrame:
    """Return a table as a DataFrame."""
    return spark.createDataFrame(table, spark_schema(table.schema))


def check_columns_in(df: DataFrame, *names: str) -> None:
    """Raise `InputError` for anything but a DataFrame, and for a column that it does not have."""
    from pyspark.sql import DataFrame as Frame

    if not isinstance(df, Frame):
        raise InputError(
            f"filter: expected a Spark DataFrame, found {type(df).__name__}; pass the one that was searched, or one "
            "with its ids"
        )
    for name in names:
        if name not in df.columns:
            raise InputError(f"filter: expected the column {shown(name)} in the DataFrame, found {shown(df.columns)}")


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


def cut_out(df: DataFrame, job: Job, texts: Texts, cuts: Cuts, id: str, column: str) -> DataFrame:
    """Return all rows of `df` without some units of their texts; `texts` are the documents that were searched."""
    keys = document_keys(texts.ids_at(cuts.documents), job.shingle.key, job.seed)
    order = np.argsort(keys, kind="stable")
    every, counts = np.unique(keys, return_counts=True)
    bounds = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts)))
    removing = Remove(job, every, bounds, cuts.numbers[order], cuts.characters[order], id, column)
    return df.mapInArrow(running(removing), df.schema)

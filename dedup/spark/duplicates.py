"""The result of a search on Spark: the tables of `dedup.Duplicates` as DataFrames."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from dedup.distributed.job import ID, TEXT, Job
from dedup.distributed.outcome import load_shown
from dedup.distributed.texts.removal import UnitsOf
from dedup.results.duplicates import Duplicates, evidence_of
from dedup.results.summary import Summary, shown_units
from dedup.spark.engine import running, spark_schema, spark_type
from dedup.spark.inputs import quoted
from dedup.spark.tables import check_columns_in, cut_out, cuts_of, frame_of, without

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["SparkDuplicates"]


class SparkDuplicates:
    """Duplicate texts of a DataFrame, with the evidence: the tables of `dedup.Duplicates`, as DataFrames.

    `dedup.spark.find_duplicates` makes it. The tables have the same columns and rows. DataFrames have no order: sort
    them, if you need one. The length is the number of clusters. ``timings`` has the seconds of each stage.
    """

    def __init__(self, found: Duplicates, job: Job, spark: SparkSession, df: DataFrame, id: str, column: str) -> None:
        self._found, self._job, self._spark, self._df = found, job, spark, df
        self._id, self._column = id, column
        self.timings = dict(found.timings)

    def __len__(self) -> int:
        return len(self._found)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"SparkDuplicates\n{self.summary}"

    @cached_property
    def summary(self) -> Summary:
        """The numbers of the search (`dedup.Summary`). At its first use, the few texts that it shows are read."""
        evidence = evidence_of(self._found)
        load_shown(evidence, shown_units(evidence))
        return self._found.summary

    @cached_property
    def pairs(self) -> DataFrame:
        """The pairs that reach the threshold, with their evidence (columns: those of `dedup.Duplicates.pairs`)."""
        return self._table(self._found.pairs)

    @cached_property
    def clusters(self) -> DataFrame:
        """The members of all clusters of two or more (columns: those of `dedup.Duplicates.clusters`)."""
        return self._table(self._found.clusters)

    @cached_property
    def removed(self) -> DataFrame:
        """The removed texts (column: id); for other units document and paragraph, or line."""
        import pyarrow as pa

        removed = self._found.removed
        if self._job.unit.whole:
            return self._table(pa.table({"id": removed}))
        return self._table(pa.table({field.name: removed.field(field.name) for field in removed.type}))

    @cached_property
    def kept(self) -> DataFrame:
        """The kept texts (column: id); for other units document and paragraph, or line."""
        from pyspark.sql import functions

        kind = self._found.clusters.schema.field("id").type
        name = spark_type(kind)
        ids = self._df.select(functions.col(quoted(self._id)).cast(name).alias("id"))
        if self._job.unit.whole:
            return ids.join(self.removed, "id", "left_anti")
        import pyarrow as pa

        schema = pa.schema([("document", kind), (str(self._job.unit), pa.int64())])
        texts = functions.coalesce(functions.col(quoted(self._column)), functions.lit("")).alias(TEXT)
        rows = self._df.select(functions.col(quoted(self._id)).cast(name).alias(ID), texts)
        units = rows.mapInArrow(running(UnitsOf(self._job, ID, TEXT, schema)), spark_schema(schema))
        return units.join(self.removed, schema.names, "left_anti")

    def filter(self, df: DataFrame) -> DataFrame:
        """Return the rows of `df` whose text was not removed, with all columns; `df` has the ids that were searched.

        For paragraphs and lines all rows are returned, and the removed units are cut out of the texts; a text of which
        nothing is left is ``""``. A removed unit that is not what was searched is an `InputError` when the rows are
        made. Documents are removed by their ids: their texts are not looked at.
        """
        if self._job.unit.whole:
            return without(df, self.removed, self._id)
        check_columns_in(df, self._id, self._column)
        evidence = evidence_of(self._found)
        cuts = cuts_of(evidence.units, ~evidence.kept)
        return cut_out(df, self._job, evidence.texts, cuts, self._id, self._column)

    def _table(self, table: pa.Table) -> DataFrame:
        return frame_of(self._spark, table)

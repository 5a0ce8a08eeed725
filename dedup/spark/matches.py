"""The result of a match on Spark: the tables of `dedup.Matches` as DataFrames."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from dedup.distributed.job import Job
from dedup.results.matches import Matches
from dedup.results.summary import MatchSummary
from dedup.spark.tables import Cuts, check_columns_in, cut_out, frame_of, without

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["SparkMatches"]


class SparkMatches:
    """Texts of one DataFrame that also occur in another, with the evidence: the tables of `dedup.Matches` for pairs.

    `dedup.spark.match` makes it. The tables have the same columns and rows. DataFrames have no order: sort them, if you
    need one. The length is the number of pairs. ``timings`` has the seconds of each stage.

    `cuts` are the units of the left side that match; None for documents.
    """

    def __init__(self, found: Matches, cuts: Cuts | None, job: Job, spark: SparkSession, id: str, column: str) -> None:
        self._found, self._cuts, self._job, self._spark = found, cuts, job, spark
        self._id, self._column = id, column
        self.timings = dict(found.timings)

    def __len__(self) -> int:
        return len(self._found)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"SparkMatches\n{self.summary}"

    @property
    def summary(self) -> MatchSummary:
        """The numbers of the search (`dedup.MatchSummary`)."""
        return self._found.summary

    @cached_property
    def pairs(self) -> DataFrame:
        """The pairs that reach the threshold, with their evidence (columns: those of `dedup.Matches.pairs`)."""
        return frame_of(self._spark, self._found.pairs)

    @cached_property
    def matched(self) -> DataFrame:
        """The texts that are in a pair, or have a unit that is (column: id)."""
        import pyarrow as pa

        return frame_of(self._spark, pa.table({"id": self._found.matched}))

    def filter(self, df: DataFrame) -> DataFrame:
        """Return the rows of `df` whose text does not match, with all columns; `df` has the ids that were searched.

        For paragraphs and lines all rows are returned, and the units that match are cut out of the texts; a text of
        which nothing is left is ``""``. A unit that matches and is not what was searched is an `InputError` when the
        rows are made. Documents are removed by their ids: their texts are not looked at.
        """
        if self._cuts is None:
            return without(df, self.matched, self._id)
        check_columns_in(df, self._id, self._column)
        return cut_out(df, self._job, self._found.texts, self._cuts, self._id, self._column)

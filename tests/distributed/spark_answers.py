"""Answers of Spark, compared with those of one machine."""

from __future__ import annotations

import os
from typing import Any

import pyarrow as pa
import pytest

import dedup
import dedup.spark
from tests.distributed.test_stages import versions

LONG = pytest.mark.skipif(os.environ.get("DEDUP_SPARK") != "long", reason="DEDUP_SPARK is not long")

ALL_STAGES = (
    *("Note", "Mark", "Survive", "Hold", "Slots", "Count", "Prefix", "Meet", "Candidates", "Send", "Verify"),
    *("Describe", "JoinFamilies"),
)
"""Names of the stages, in their order."""


def rows(frame: Any, *order: str) -> list[dict[str, Any]]:
    """Give the rows of a DataFrame, sorted."""
    return frame.orderBy(*order).toArrow().to_pylist()


def same(spark: Any, table: pa.Table, *, frames: bool = False, **options: Any) -> dedup.spark.SparkDuplicates:
    """Check that Spark gives the answer of one machine, for rows in any order, and return it."""
    asked = {name: value for name, value in options.items() if name not in ("work", "partitions")}
    here = dedup.find_duplicates(table.sort_by("id"), id="id", **asked)
    there = dedup.spark.find_duplicates(spark.createDataFrame(table).repartition(4), id="id", **options)
    assert there._found.pairs.to_pylist() == here.pairs.to_pylist()
    assert there._found.clusters.to_pylist() == here.clusters.to_pylist()
    assert there.summary == here.summary
    if frames:
        same_frames(spark, table, there, here, options.get("unit", "document"))
    return there


def same_frames(spark: Any, table: pa.Table, there: Any, here: dedup.Duplicates, unit: str) -> None:
    """Check the DataFrames of a result."""
    whole = unit == "document"
    pair = ("left", "right") if whole else ("left", f"left_{unit}", "right", f"right_{unit}")
    one = ("id",) if whole else ("document", unit)
    assert rows(there.pairs, *pair) == here.pairs.to_pylist()
    assert rows(there.clusters, "cluster", "id", *one[1:]) == here.clusters.to_pylist()
    for name in ("kept", "removed"):
        found = rows(getattr(there, name), *one)
        assert found == (
            [{"id": each} for each in getattr(here, name).to_pylist()] if whole else getattr(here, name).to_pylist()
        )
    frame = spark.createDataFrame(table)
    assert rows(there.filter(frame), "id") == here.filter(table.sort_by("id")).to_pylist()
    assert there.filter(frame).columns == frame.columns


def table_of(texts: list[str | None], ids: list[Any] | None = None) -> pa.Table:
    """Give a table of texts, with ids and another column."""
    ids = list(range(len(texts))) if ids is None else ids
    return pa.table({"note": [f"{each}!" for each in ids], "id": ids, "text": texts})


def many() -> pa.Table:
    """Give texts of two paragraphs and of one, some missing, and a family."""
    two = [f"{one}\n\n{other}" for one, other in zip(versions(1, 80, 9), versions(2, 80, 5), strict=True)]
    return table_of([*two, None, "", *versions(3, 20, 1, words=30)])


def subsets(words: int) -> list[str]:
    """Give all texts of some of so many words: each word is in half of them, so they are a family."""
    return [" ".join(f"w{word}" for word in range(words) if number >> word & 1) for number in range(1, 1 << words)]

"""Spark gives the answer of one machine for real and generated collections, however the work is cut."""

from __future__ import annotations

import random
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dedup
import dedup.spark
from tests.distributed.spark_answers import LONG
from tests.distributed.test_stages import versions

named = pytest.importorskip("benchmarks.corpora.named")
pytestmark = pytest.mark.filterwarnings("ignore")

COLLECTIONS = ("win32_docs", "generated", "tang_poetry", "licences")
PARTITIONS, BATCHES, ADAPTIVE, SHUFFLED = (3, 8, 61), (100, 2048), ("true", "false"), (False, True)

CHOSEN = {
    ("win32_docs", 3, 100, "true", False),
    ("win32_docs", 8, 2048, "false", True),
    ("generated", 8, 100, "false", False),
    ("generated", 3, 2048, "true", True),
    ("tang_poetry", 8, 100, "true", True),
    ("tang_poetry", 3, 2048, "false", False),
    ("licences", 61, 100, "false", True),
    ("licences", 61, 2048, "true", False),
}
"""Any two values of batch, adaptive and shuffled occur together, and each of them with each collection and each number
of partitions."""


@cache
def texts_of(collection: str) -> list[str]:
    """Give the texts of a collection."""
    if collection != "generated":
        return named.real(collection)  # type: ignore[no-any-return]
    family = versions(1, 3000, 1, words=40)  # more than `Job.hot`
    return [*named.corpus(3000), *family, *versions(2, 500, 40), "", "one"]


@cache
def answer_of(collection: str) -> dedup.Duplicates:
    """Give the answer of one machine."""
    return dedup.find_duplicates(
        pa.table({"id": range(len(texts_of(collection))), "text": texts_of(collection)}), id="id"
    )


def test_values_occur_together() -> None:
    for one, other in ((2, 3), (2, 4), (3, 4), (1, 2), (1, 3), (1, 4), (0, 2), (0, 3), (0, 4)):
        values = (COLLECTIONS, PARTITIONS, BATCHES, ADAPTIVE, SHUFFLED)
        assert {(run[one], run[other]) for run in CHOSEN} == set(product(values[one], values[other]))


@pytest.mark.parametrize(
    ("collection", "partitions", "batch", "adaptive", "shuffled"),
    [
        pytest.param(*run, marks=() if run in CHOSEN else LONG)
        for run in product(COLLECTIONS, PARTITIONS, BATCHES, ADAPTIVE, SHUFFLED)
    ],
)
def test_however_the_work_is_cut_the_answer_is_that_of_one_machine(
    spark: Any,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    collection: str,
    partitions: int,
    batch: int,
    adaptive: str,
    shuffled: bool,
) -> None:
    if collection != "generated":
        request.getfixturevalue("data")
    here, texts = answer_of(collection), texts_of(collection)
    rows = list(range(len(texts)))
    if shuffled:
        random.Random(batch).shuffle(rows)
    for number, some in enumerate(np.array_split(np.array(rows), 5)):
        table = pa.table({"id": some, "text": [texts[row] for row in some]})
        pq.write_table(table, tmp_path / f"{number}.parquet")
    wanted = {"spark.sql.execution.arrow.maxRecordsPerBatch": str(batch), "spark.sql.adaptive.enabled": adaptive}
    before = {name: spark.conf.get(name) for name in wanted}
    try:
        for name, value in wanted.items():
            spark.conf.set(name, value)
        frame = spark.read.parquet(str(tmp_path))
        there = dedup.spark.find_duplicates(frame, id="id", partitions=partitions)
        assert there.summary == here.summary
    finally:
        for name, value in before.items():
            spark.conf.set(name, value)
    assert there._found.pairs.equals(here.pairs)
    assert there._found.clusters.equals(here.clusters)

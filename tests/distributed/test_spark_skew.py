"""Collections that are far from even: families, copies, giant texts, and partitions of nothing."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

import dedup
import dedup.spark
from tests.distributed.spark_answers import same, subsets, table_of
from tests.distributed.test_stages import versions

pytestmark = pytest.mark.filterwarnings("ignore")


def test_a_giant_text_in_one_partition(spark: Any) -> None:
    words = [f"w{number * 7919 % 1_000_003}" for number in range(1_500_000)]
    giant = " ".join(words)  # 11 MB; a block of sets has at most 4 million hashes
    other = " ".join([*words[:-3], "a", "b", "c"])
    found = same(spark, table_of([*versions(1, 30, 4), giant, other, *versions(2, 30, 4)]), partitions=3)
    assert {(30, 31)} <= {(pair["left"], pair["right"]) for pair in found._found.pairs.to_pylist()}


def test_partitions_without_a_text(spark: Any) -> None:
    table = table_of([*versions(1, 5, 1), None, ""])
    here = dedup.find_duplicates(table, id="id")
    for pieces in (1, 40):
        there = dedup.spark.find_duplicates(spark.createDataFrame(table).repartition(pieces), id="id", partitions=23)
        assert there._found.pairs.equals(here.pairs)
        assert there.summary == here.summary


def test_a_text_with_very_many_partners(spark: Any) -> None:
    """A short text that is contained in 3,000 texts, which have nothing else in common."""
    anchor = "one two three four five six"
    texts = [anchor, *(f"{anchor} " + " ".join(f"t{text}w{word}" for word in range(9)) for text in range(3000))]
    found = same(spark, table_of(texts), metric="containment", partitions=4, pairs="all")
    assert len(found._found.pairs) == 3000


def test_copies_and_near_copies_beside_other_texts(spark: Any) -> None:
    texts = ["one text of some words that occurs very often"] * 20_000
    texts += versions(3, 4000, 1, words=30)
    texts += versions(4, 200, 40)
    found = same(spark, table_of(texts), partitions=5)
    assert found.summary.removed > 20_000


def test_prefixes_of_common_hashes_only(spark: Any) -> None:
    """Every hash of every text is in more texts than make a family, and yet texts differ."""
    texts = subsets(12)
    same(spark, pa.table({"id": range(len(texts)), "text": texts, "note": texts}), shingle="words:1", partitions=3)

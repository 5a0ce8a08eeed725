"""`keep="max:COLUMN"` and `"min:COLUMN"`: held against plain sorting, for every kind of table and value."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.clusters.priority import rank_units
from dedup.errors import DedupError
from tests import corpus_files, oracles, strategies

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(0, 3),
    "float": st.floats(allow_nan=True),
    "text": st.text(max_size=3),
    "date": st.dates(),
    "time": st.datetimes(),
    "bool": st.booleans(),
    "decimal": st.decimals(-100, 100, places=2),
}


def expected_rank(values: list[Any], keep: str) -> list[int]:
    """Give the rank of each row: by value, missing ones last, ties in input order."""
    missing = [value is None or value != value for value in values]
    # two stable sorts: those that have a value by it, the largest first for "max", then those that have none
    order = [i for i, gone in enumerate(missing) if not gone]
    best: list[int] = []
    for i in order:
        at = len(best)
        while at and (
            values[best[at - 1]] < values[i] if keep.startswith("max:") else values[best[at - 1]] > values[i]
        ):
            at -= 1
        best.insert(at, i)
    best += [i for i, gone in enumerate(missing) if gone]
    rank = [0] * len(values)
    for place, i in enumerate(best):
        rank[i] = place
    return rank


@given(st.data(), st.sampled_from(sorted(VALUES)), st.sampled_from(["max:x", "min:x"]))
def test_the_order_is_that_of_plain_sorting(data: st.DataObject, kind: str, keep: str) -> None:
    """Any kind of value, with missing ones among them."""
    values = data.draw(st.lists(st.none() | VALUES[kind], max_size=12))
    column = pa.array(values) if any(value is not None for value in values) else pa.nulls(len(values))
    for arrow in (column, pa.chunked_array([column[:3], column[3:]]), column.dictionary_encode()):
        if pa.types.is_decimal(column.type) and arrow is not column:
            continue
        found = rank_units(keep, len(values), lambda: None, lambda arrow=arrow: arrow)
        assert expected_rank(values, keep) == found.tolist()


@given(strategies.corpora(), st.data(), st.sampled_from(["max:score", "min:score"]), st.sampled_from(["exact", "lsh"]))
def test_clusters_are_the_stars_of_that_order(texts: list[str], data: st.DataObject, keep: str, method: str) -> None:
    """Each text joins the most similar kept one in the order of the column."""
    scores = data.draw(st.lists(st.none() | st.integers(0, 2), min_size=len(texts), max_size=len(texts)))
    rows = [{"text": text, "score": score} for text, score in zip(texts, scores, strict=True)]
    result = dedup.find_duplicates(rows, keep=keep, threshold=0.6, shingle="words:2", method=method)
    near = {(row["left"], row["right"]): row["jaccard"] for row in result.pairs.to_pylist()}
    rank = expected_rank(scores, keep)
    copies = [tuple(oracles.tokens(text)) or None for text in texts]
    expected = oracles.stars(len(texts), near, sorted(range(len(texts)), key=rank.__getitem__), copies)
    known = {row["id"]: row["kept_id"] for row in result.clusters.to_pylist()}
    assert expected == [known.get(i, i) for i in range(len(texts))]
    for cluster in range(result.summary.clusters):
        members = [row for row in result.clusters.to_pylist() if row["cluster"] == cluster]
        assert 1 == sum(row["kept"] for row in members)


TEXTS = ["a b c d e f", "A b c d e f", "other text", "a, b c d e f", "a b c d e f!"]
SCORES = [1.0, 3.0, 9.0, None, 3.0]


def tables(tmp_path: Path) -> dict[str, Any]:
    """Give the same rows as every kind of table."""
    rows = [{"text": text, "score": score} for text, score in zip(TEXTS, SCORES, strict=True)]
    table = pa.Table.from_pylist(rows)
    for suffix in ("jsonl", "parquet", "arrow"):
        data = corpus_files.encode(suffix, [{"n": i, **row} for i, row in enumerate(rows)])
        corpus_files.write(tmp_path, f"x.{suffix}", data)
    return {
        "dicts": rows,
        "lacking": [{k: v for k, v in row.items() if v is not None} for row in rows],
        "arrow": table,
        "pandas": pd.DataFrame(rows),
        "polars": pl.DataFrame(rows),
        "lazy": pl.DataFrame(rows).lazy(),
        "jsonl": dedup.files(tmp_path / "x.jsonl"),
        "parquet": tmp_path / "x.parquet",
        "ipc": tmp_path / "x.arrow",
    }


@pytest.mark.parametrize("kind", ["dicts", "lacking", "arrow", "pandas", "polars", "lazy", "jsonl", "parquet", "ipc"])
@pytest.mark.parametrize(("keep", "kept"), [("max:score", 1), ("min:score", 0)])
@pytest.mark.parametrize("unit", ["document", "paragraph"])
def test_every_kind_of_table(kind: str, keep: str, kept: int, unit: str, tmp_path: Path) -> None:
    """Ties are decided by the order of the input, missing values come last."""
    result = dedup.find_duplicates(tables(tmp_path)[kind], keep=keep, unit=unit)
    rows = result.clusters.to_pylist()
    assert [row["id"] for row in rows if row["kept"]] == [rows[kept]["id"]]
    assert 4 == len(rows)


def test_containment_breaks_ties_by_it() -> None:
    """The larger text always comes first; the column decides among equally large ones."""
    rows = [
        {"text": "a b c d e f", "score": 1},
        {"text": "a b c d e f g h", "score": 0},
        {"text": "a b c d e f g h", "score": 5},
        {"text": "a b c d e f", "score": 9},
    ]
    result = dedup.find_duplicates(rows, keep="max:score", metric="containment", shingle="words:2")
    assert [2] == result.kept.to_pylist()


@pytest.mark.parametrize("bound", [None, "50MB"])
def test_under_a_bound_and_with_large_families(bound: str | None) -> None:
    """Other ways through the search keep the same one."""
    texts = [f"the same words in each of these texts {i % 3}" for i in range(3000)]
    table = pa.table({"text": texts, "when": pd.date_range("2020-01-01", periods=3000)})
    result = dedup.find_duplicates(table, keep="max:when", memory=bound, shingle="words:3")
    assert [2999] == result.kept.to_pylist() or {2999} <= set(result.kept.to_pylist())
    assert 2999 in result.kept.to_pylist()


@pytest.mark.parametrize(
    ("texts", "keep", "message"),
    [
        (["a", "a"], "max:score", "keep: .score. names a column, but the input is not a table"),
        ([{"text": "a", "x": 1}], "max:score", 'keep: no column "score"; found .text., .x.'),
        (pa.table({"text": ["a"]}), "min:score", 'keep: no column "score"; found .text.'),
        ([{"text": "a", "s": 1}, {"text": "b", "s": "x"}], "max:s", "keep: expected values of one kind in the column"),
        (pa.table({"text": ["a"], "s": [[1]]}), "max:s", "keep='max:s': expected numbers, texts or dates"),
        (["a"], "max:", "keep: expected one of 'first'.*'max:COLUMN'"),
        (["a"], "most:x", "keep: expected one of 'first'"),
    ],
)
def test_what_cannot_be_kept_by(texts: Any, keep: str, message: str) -> None:
    """The message says what was wanted and what was found."""
    with pytest.raises(DedupError, match=message):
        dedup.find_duplicates(texts, keep=keep)


def test_columns_of_other_kinds() -> None:
    """Dates, decimals, texts as views and dictionaries."""
    text = ["a b c d e f"] * 3
    columns: dict[str, Any] = {
        "date": pa.array([dt.date(2020, 1, 1), dt.date(2021, 1, 1), None]),
        "decimal": pa.array([Decimal("1.5"), Decimal("2.5"), Decimal("0.5")]),
        "view": pa.array(["a", "c", "b"], type=pa.string_view()),
        "dictionary": pa.array(["a", "c", "b"]).dictionary_encode(),
        "bool": pa.array([False, True, True]),
        "nan": pa.array([1.0, 2.0, float("nan")]),
    }
    table = pa.table({"text": text, **columns})
    for name in columns:
        assert [1] == dedup.find_duplicates(table, keep=f"max:{name}").kept.to_pylist(), name
    assert np.array_equal([0], dedup.find_duplicates(table, keep="min:nan").kept.to_numpy())

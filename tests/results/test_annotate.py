"""`annotate`: the answer beside the rows of a table, of any type; and `review`: the most doubtful removals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import InputError, ParameterError
from tests import corpora, oracles, strategies

ADDED = ["cluster", "kept_id", "similarity", "difference", "reason", "removed"]


def lists(table: Any) -> list[dict[str, Any]]:
    """Give the rows of a table of any type."""
    if isinstance(table, pd.DataFrame):
        frame = table.astype(object).where(table.notna(), None)
        return [dict(zip(frame.columns, row, strict=True)) for row in frame.itertuples(index=False)]
    if isinstance(table, pl.LazyFrame):
        return lists(table.collect())
    if isinstance(table, pl.DataFrame):
        return table.to_dicts()
    return list(table) if isinstance(table, (list, tuple)) else table.to_pylist()


TABLES: list[Callable[[list[dict[str, Any]]], Any]] = [
    list,
    tuple,
    lambda rows: pd.DataFrame(rows, columns=["n", "text"], index=range(5, 5 + len(rows))),
    lambda rows: pl.DataFrame(rows, schema={"n": pl.Int64, "text": pl.String}),
    lambda rows: pl.LazyFrame(rows, schema={"n": pl.Int64, "text": pl.String}),
    lambda rows: pa.Table.from_pylist(rows, schema=pa.schema([("n", pa.int64()), ("text", pa.string())])),
    lambda rows: pa.RecordBatch.from_pylist(rows, schema=pa.schema([("n", pa.int64()), ("text", pa.string())])),
]


@given(strategies.corpora(), st.sampled_from(TABLES), st.sampled_from(["first", "longest", "none"]), st.booleans())
def test_annotate(texts: list[str], table: Callable[[Any], Any], keep: str, ids: bool) -> None:
    """Each row has what `clusters` says of it, or nulls; type, order and other columns stay."""
    texts = [text for text in texts if "\ud800" not in text] or ["a"]
    rows = [{"n": 3 * i, "text": text} for i, text in enumerate(texts)]
    data = table(rows)
    found = dedup.find_duplicates(data, id="n" if ids else None, keep=keep, threshold=0.5)
    result = found.annotate(data)
    assert type(result) is type(data)
    known = {row["id"]: row for row in found.clusters.to_pylist()}
    removed = set(found.removed.to_pylist())
    for i, (row, new) in enumerate(zip(rows, lists(result), strict=True)):
        own = known.get(row["n"] if ids else i, dict.fromkeys(ADDED))
        assert new == {
            **row,
            **{name: own[name] for name in ADDED[:-1]},
            "removed": (row["n"] if ids else i) in removed,
        }
        assert list(new) == ["n", "text", *ADDED]
    if isinstance(data, pd.DataFrame):
        assert result.index.equals(data.index)
    if ids:
        turned = table(rows[::-1])
        assert lists(found.annotate(turned)) == lists(result)[::-1]


def test_a_data_set() -> None:
    """A Hugging Face data set stays one."""
    datasets = pytest.importorskip("datasets")
    data = datasets.Dataset.from_list([{"text": "one two three four five"}] * 2 + [{"text": "six"}])
    result = dedup.find_duplicates(data).annotate(data)
    assert result["removed"][:] == [False, True, False]
    assert result["cluster"][:] == [0, 0, None]


def test_what_cannot_be_annotated() -> None:
    """It is said what was found, and what to do."""
    rows = [{"text": "one two three"}, {"text": "one two three"}]
    found = dedup.find_duplicates(rows)
    with pytest.raises(InputError, match="annotate: expected no column 'cluster' yet, found one; rename it"):
        found.annotate([{**row, "cluster": 1} for row in rows])
    with pytest.raises(InputError, match="annotate: expected a table, found list; take .clusters"):
        found.annotate([row["text"] for row in rows])
    with pytest.raises(InputError, match="1 rows? is|row 1, .* is missing"):
        found.annotate(rows[:1])
    with pytest.raises(ParameterError, match="annotate: expected a search of documents, .* found lines"):
        dedup.find_duplicates(rows, unit="line").annotate(rows)
    with pytest.raises(ParameterError, match="n: expected a whole number from 1 on, found 0"):
        found.review(0)


@given(
    strategies.corpora(),
    st.sampled_from(["document", "paragraph", "line"]),
    st.sampled_from(["jaccard", "containment"]),
    st.integers(1, 5),
)
def test_review(texts: list[str], unit: str, metric: str, n: int) -> None:
    """The least similar removals come first, with both texts, what they share, and spans with equal words."""
    found = dedup.find_duplicates(texts, unit=unit, metric=metric, threshold=0.4, shingle="words:2")
    table = found.review(n)
    near = [row for row in found.clusters.to_pylist() if row["reason"] == "near"]
    name = [] if unit == "document" else [unit, "start", "end"]
    near.sort(key=lambda row: (row["similarity"], row["id"], *(row[part] for part in name)))
    assert [row["id"] for row in near[:n]] == table["id"].to_pylist()
    for row, known in zip(table.to_pylist(), near, strict=False):
        assert all(row[part] == known[part] for part in ["kept_id", "similarity", "difference", *name])
        text, kept = texts[row["id"]], texts[row["kept_id"]]
        if name:
            text, kept = text[row["start"] : row["end"]], kept[row["kept_start"] : row["kept_end"]]
        assert (row["text"], row["kept_text"]) == tuple(
            each.encode("utf-8", "replace").decode() for each in (text, kept)
        )
        one, other = (oracles.shingles(each, "words:2") for each in (text, kept))
        assert (row["size"], row["kept_size"], row["shared"]) == (len(one), len(other), len(one & other))
        for span in row["spans"]:
            here, there = text[span["start"] : span["end"]], kept[span["kept_start"] : span["kept_end"]]
            assert oracles.tokens(here) == oracles.tokens(there) != []


def test_a_report_is_reviewed(tmp_path: Path) -> None:
    """A report gives the table that its result gives; what is no search for duplicates has none."""
    texts = [" ".join([*corpora.body(1, 3), *(f"word{j}" for j in range(i))]) for i in range(12)]
    texts += ["\n\n".join([texts[0], "one two three four five", texts[1]])]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    for unit in ("document", "paragraph"):
        for keep in ("first", "none"):
            found = dedup.find_duplicates(path, unit=unit, keep=keep, threshold=0.7)
            dedup.write_report(tmp_path / f"{unit}-{keep}", found)
            report = dedup.Report.open(tmp_path / f"{unit}-{keep}")
            for n in (3, 20):
                assert report.review(n).equals(found.review(n))
            assert len(report.review(3)) == 3
    matches = dedup.match(path, path)
    dedup.write_report(tmp_path / "match", matches)
    with pytest.raises(InputError, match="expected a report of a search for duplicates, found one of 'match'"):
        dedup.Report.open(tmp_path / "match").review()

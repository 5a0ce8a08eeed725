"""`find_duplicates(unit="paragraph")`: repeated paragraphs, in one text or in many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from tests import oracles, strategies, table_rows

A = "The harbour opened again on Monday after three days of gales."
B = "Repairs to the northern mole will take until the spring."
DOCUMENTS = [f"{A}\n\n{B}", f"{B}\n\nnew and different words", A, ""]
CUT = DOCUMENTS[0]
TEXT = f"{A}\n\n{B}\r\nADVERTISEMENT\n\n  {A.upper()}  \nADVERTISEMENT\n* * *\n"


def sides(row: dict[str, Any]) -> list[tuple[Any, int, int, int]]:
    """Give document, paragraph, start and end of both sides of a pair."""
    return [
        (row[side], row[f"{side}_paragraph"], row[f"{side}_start"], row[f"{side}_end"]) for side in ("left", "right")
    ]


@pytest.mark.parametrize("form", [lambda text: text, lambda text: [text], lambda text: (text,)])
def test_one_text(form: Any) -> None:  # noqa: ANN401  (a str, a list, a tuple)
    """One text is a collection of paragraphs; spans slice the original."""
    result = dedup.find_duplicates(form(TEXT), unit="paragraph")
    found = [sides(row) for row in table_rows.pair_rows(result)]
    assert [(0, 3), (2, 4)] == [(left[1], right[1]) for left, right in found]
    assert [A, A.upper(), "ADVERTISEMENT", "ADVERTISEMENT"] == [
        TEXT[start:end] for pair in found for _, _, start, end in pair
    ]
    kept = [{"document": 0, "paragraph": i} for i in (0, 1, 2, 5)]
    assert [tuple(k.values()) for k in kept] == [tuple(k.values()) for k in result.kept.to_pylist()]
    assert [(0, 3), (0, 4)] == [tuple(k.values()) for k in result.removed.to_pylist()]
    assert result.summary.shingle == "words:3"


def test_filter_cuts_paragraphs_out() -> None:
    """The repeated paragraphs are removed; the rows are kept, and an emptied text is empty."""
    one = dedup.find_duplicates(TEXT, unit="paragraph").filter(TEXT)
    assert isinstance(one, str)
    assert [A, B, "ADVERTISEMENT", "* * *"] == [one[a:b] for a, b in oracles.paragraphs(one)]

    several = dedup.find_duplicates(DOCUMENTS, unit="paragraph").filter(DOCUMENTS)
    assert isinstance(several, list)
    assert [CUT, "new and different words", "", ""] == [text.strip() for text in several]
    assert several[2] == ""


FORMS: dict[str, Callable[[list[str]], Any]] = {
    "tuple": tuple,
    "numpy": np.array,
    "arrow": pa.array,
    "pandas": pd.Series,
    "polars": pl.Series,
    "dict": lambda texts: dict(zip("wxyz", texts, strict=True)),
    "arrow table": lambda texts: pa.table({"n": list(range(4)), "text": texts}),
    "polars frame": lambda texts: pl.DataFrame({"n": range(4), "text": texts}),
    "pandas frame": lambda texts: pd.DataFrame({"n": range(4), "text": texts}, index=[3, 3, 1, 0]),
    "dictionaries": lambda texts: [{"text": text, "n": n} for n, text in enumerate(texts)],
}


@pytest.mark.parametrize("form", FORMS)
def test_filter_keeps_the_rows(form: str) -> None:
    """Rows, order, index and other columns are unchanged, for every type; only the text changes."""
    data = FORMS[form](DOCUMENTS)
    before = repr(data)
    cut = dedup.find_duplicates(data, unit="paragraph").filter(data)
    assert type(data) is type(cut)
    texts: Any = cut
    if isinstance(cut, dict):
        assert list("wxyz") == list(cut)
        texts = cut.values()
    elif isinstance(cut, list):
        assert list(range(4)) == [row["n"] for row in cut]
        texts = [row["text"] for row in cut]
    elif hasattr(cut, "columns"):
        assert list(range(4)) == [int(str(n)) for n in cut["n"]]
        texts = cut["text"]
        assert getattr(data, "schema", None) == getattr(cut, "schema", None)
    if isinstance(cut, pd.DataFrame):
        assert [3, 3, 1, 0] == list(cut.index)
        assert data.dtypes.equals(cut.dtypes)
    assert [CUT, "new and different words", "", ""] == [str(text).strip() for text in texts]
    assert before == repr(data), "the input is as it was"


def test_missing_texts_are_still_missing() -> None:
    """A row in which nothing was cut comes back as it was: None too."""
    texts = ["a", None, "b"]
    assert texts == dedup.find_duplicates(texts, unit="paragraph").filter(texts)


def test_ids_are_those_of_the_documents() -> None:
    """Left, right and id are the ids of documents; paragraphs have columns of their own."""
    result = dedup.find_duplicates({"x": f"{A}\n{B}", "y": f"new words here\n{A}"}, unit="paragraph")
    (row,) = table_rows.pair_rows(result)
    assert ("x", 0, "y", 1) == (
        row["left"],
        row["left_paragraph"],
        row["right"],
        row["right_paragraph"],
    )
    rows = table_rows.cluster_rows(result)
    assert [("x", 0, 0, len(A)), ("y", 1, 15, 15 + len(A))] == [
        (row["id"], row["paragraph"], row["start"], row["end"]) for row in rows
    ]
    assert [("y", 1)] == [tuple(each.values()) for each in result.removed.to_pylist()]


@given(st.lists(strategies.articles(), max_size=3), st.sampled_from([0.5, 0.8, 1.0]))
def test_pairs_are_those_of_the_oracle(texts: list[str], threshold: float) -> None:
    """Paragraphs are found, numbered and compared as they are defined."""
    result = dedup.find_duplicates(texts, unit="paragraph", threshold=threshold)
    places = [
        (d, p, start, end) for d, text in enumerate(texts) for p, (start, end) in enumerate(oracles.paragraphs(text))
    ]
    units = [texts[d][start:end] for d, _, start, end in places]
    expected = oracles.pairs(units, threshold, "words:3")

    found = [(*sides(row), row["shared"]) for row in table_rows.pair_rows(result)]
    wanted = [(places[p.left], places[p.right], p.shared) for p in expected]
    assert [each for each in wanted if each in found] == found, "sorted, and all of them true"
    exact = [(places[p.left], places[p.right], p.shared) for p in expected if p.jaccard == 1.0]
    assert [each for each in exact if each not in found] == []

    both = result.kept.to_pylist() + result.removed.to_pylist()
    assert [each[:2] for each in places] == sorted(tuple(each.values()) for each in both)
    for row in table_rows.cluster_rows(result):
        span = oracles.paragraphs(texts[row["id"]])[row["paragraph"]]
        assert span == (row["start"], row["end"])


@given(st.lists(strategies.articles(), max_size=3))
def test_stars_of_paragraphs(texts: list[str]) -> None:
    """No removed paragraph is kept for another, and the first of equal ones is kept."""
    result = dedup.find_duplicates(texts, unit="paragraph")
    seen: set[tuple[str, ...]] = set()
    removed = {tuple(each.values()) for each in result.removed.to_pylist()}
    for d, text in enumerate(texts):
        for p, (start, end) in enumerate(oracles.paragraphs(text)):
            words = tuple(oracles.tokens(text[start:end]))
            if words in seen:
                assert (d, p) in removed
            elif not words:
                assert (d, p) not in removed
            if words:
                seen.add(words)


def test_repeated_paragraphs_for_people() -> None:
    """The table says how often a paragraph occurs, and in how many documents."""
    texts = [f"{A}\n\n{B}\n\n{A}", f"{A}\n\nother words", B]
    rows = dedup.find_duplicates(texts, unit="paragraph").repeated.to_pylist()
    assert [(3, 2), (2, 2)] == [(row["copies"], row["documents"]) for row in rows]
    assert [True, True] == [rows[0]["text"].startswith(A[:20]), rows[1]["text"].startswith(B[:20])]


@pytest.mark.parametrize("texts", [[], "", [""], ["\n \n"], "...", ["a", "", "b"]])
def test_nothing_to_find(texts: Any) -> None:  # noqa: ANN401  (any form of texts)
    """Empty texts have no paragraphs, and there is no error."""
    result = dedup.find_duplicates(texts, unit="paragraph")
    assert [] == table_rows.pair_rows(result)
    assert [] == result.removed.to_pylist()
    assert texts == result.filter(texts)

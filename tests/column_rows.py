"""Rows of several columns whose paragraphs and passages occur again, and what plain Python says of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from hypothesis import strategies as st

from dedup.text.paragraphs import split_units

Row = dict[str, Any]

COLUMNS = ["title", "text", "more"]
SCHEMA = pa.schema([("n", pa.int64()), *((name, pa.string()) for name in COLUMNS)])

TABLES: list[Callable[[list[Row]], Any]] = [
    list,
    lambda rows: pd.DataFrame(rows),
    lambda rows: pl.DataFrame(rows, schema={"n": pl.Int64, **dict.fromkeys(COLUMNS, pl.String)}).lazy(),
    lambda rows: pa.Table.from_pylist(rows, schema=SCHEMA),
]
"""The forms of a table of rows."""

SENTENCES = [
    "The bridge is closed until Friday, the council said on Monday.",
    "The bridge is closed until Friday, the council said on Tuesday.",
    "Nobody was hurt when the crane fell into the harbour last night.",
    "Sign up for our newsletter and never miss a story again.",
    "Das Café am Fluss öffnet wieder um sieben Uhr.",
    "北京大学 今天 天气 很好 我们 去 海边 散步 新闻",
]
BREAKS = st.sampled_from(["\n\n", "\n", " ", "\r\n\r\n", "\r\n", "\n \n\n", "  "])
ENDS = st.sampled_from(["", "", "", " ", "\n", "\r\n", "\n\n", "\t", "\r"])


@st.composite
def cells(draw: st.DrawFn) -> str | None:
    """Give a text of a few sentences, white space around it, or one without words."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from([None, "", " ", "\n", "* * *"]))
    text = draw(ENDS)
    for at in range(draw(st.integers(1, 4))):
        text += (draw(BREAKS) if at else "") + draw(st.sampled_from(SENTENCES))
    return text + draw(ENDS)


ROWS = st.lists(st.tuples(*(cells() for _ in COLUMNS)), min_size=1, max_size=6).map(
    lambda found: [
        {"n": number, **dict(zip(COLUMNS, row, strict=True))}
        for number, row in enumerate([*found, ("a b", "c d", " e")])
    ]
)

NAMED = st.sampled_from([["title", "text"], ["text", "more", "title"]])


def joined(rows: list[Row], names: list[str]) -> list[str]:
    """Give the text of each row."""
    return ["\n\n".join(row[name] for name in names if row[name]) for row in rows]


def units_of(text: str | None, unit: str) -> np.ndarray[Any, Any]:
    """Give the spans of the paragraphs or lines of a text (units, 2)."""
    data = np.frombuffer((text or "").encode("utf-8", "surrogatepass"), dtype=np.uint8)
    table, _ = split_units(data, np.zeros(1, dtype=np.int64), np.array([len(data)], dtype=np.int64), unit)
    return table[:, 2:]


def rows_of(data: Any) -> list[Row]:
    """Give a table as rows, with None for a missing text."""
    if isinstance(data, list):
        return data
    if isinstance(data, pl.LazyFrame):
        return data.collect().to_dicts()
    if isinstance(data, pa.Table):
        return data.to_pylist()
    return [{key: None if value != value else value for key, value in row.items()} for row in data.to_dict("records")]

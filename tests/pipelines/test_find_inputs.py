"""What `find_duplicates` takes and gives back: lists, dictionaries, frames, tables, ids."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import dedup
from dedup.errors import DedupError, InputError
from tests import oracles, table_rows

A = "the first ferry left the harbour at noon on Monday"
B = "repairs to the northern mole will take until the spring"
TEXTS = [A, B, "", A.upper(), "one", B + "!", A]
PAIRS = [(0, 3), (0, 6), (1, 5), (3, 6)]
KEPT = [0, 1, 2, 4]
NAMES = ["u", "v", "w", "x", "y", "z", "ä"]


class Stream:
    """Anything that speaks Arrow's C stream, and nothing else."""

    def __init__(self, table: pa.Table | pa.ChunkedArray) -> None:
        """Wrap a table or a column."""
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Hand out the stream."""
        return self.table.__arrow_c_stream__(requested_schema)


COLUMNS: dict[str, Callable[[], Any]] = {
    "list": lambda: list(TEXTS),
    "tuple": lambda: tuple(TEXTS),
    "deque": lambda: deque(TEXTS),
    "generator": lambda: iter(TEXTS),
    "pandas series": lambda: pd.Series(TEXTS),
    "pandas series of objects": lambda: pd.Series(TEXTS, dtype=object),
    "polars series": lambda: pl.Series(TEXTS),
    "arrow array": lambda: pa.array(TEXTS),
    "large arrow array": lambda: pa.array(TEXTS, pa.large_string()),
    "arrow views": lambda: pa.array(TEXTS, pa.string_view()),
    "dictionary array": lambda: pa.array(TEXTS).dictionary_encode(),
    "sliced array": lambda: pa.array(["x", *TEXTS, "y"])[1:-1],
    "chunked array": lambda: pa.chunked_array([TEXTS[:3], [], TEXTS[3:]]),
    "numpy objects": lambda: np.array(TEXTS, dtype=object),
    "numpy strings": lambda: np.array(TEXTS),
    "values of a dictionary": lambda: dict(zip(NAMES, TEXTS, strict=True)).values(),
    "a column's stream": lambda: Stream(pa.chunked_array([TEXTS])),
}

NOT_GIVEN_BACK = {
    "generator",
    "values of a dictionary",
    "a column's stream",
    "deque",
}  # come back as lists

TABLES: dict[str, Callable[[], Any]] = {
    "pandas frame": lambda: pd.DataFrame({"n": range(7), "text": TEXTS, "name": NAMES}),
    "polars frame": lambda: pl.DataFrame({"n": range(7), "text": TEXTS, "name": NAMES}),
    "arrow table": lambda: pa.table({"n": list(range(7)), "text": TEXTS, "name": NAMES}),
    "record batch": lambda: pa.record_batch({"n": list(range(7)), "text": TEXTS, "name": NAMES}),
    "dictionaries": lambda: [
        {"n": i, "text": text, "name": name} for i, (text, name) in enumerate(zip(TEXTS, NAMES, strict=True))
    ],
    "a table's stream": lambda: Stream(pa.table({"n": list(range(7)), "text": TEXTS, "name": NAMES})),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_columns(kind: str) -> None:
    """The same texts in any form give the same pairs, and positions as ids."""
    result = dedup.find_duplicates(COLUMNS[kind]())
    assert PAIRS == table_rows.ends(result)
    assert KEPT == result.kept.to_pylist()
    assert pa.int64() == result.kept.type == result.pairs["left"].type


@pytest.mark.parametrize("kind", TABLES)
def test_tables(kind: str) -> None:
    """The column "text" is read; ids are positions unless a column is named."""
    table = TABLES[kind]()
    assert PAIRS == table_rows.ends(dedup.find_duplicates(table))
    named = dedup.find_duplicates(TABLES[kind](), id="name", column="text")
    assert [(NAMES[i], NAMES[j]) for i, j in PAIRS] == table_rows.ends(named)
    assert [NAMES[i] for i in KEPT] == named.kept.to_pylist()
    assert [] == table_rows.ends(dedup.find_duplicates(TABLES[kind](), column="name"))


def as_list(data: object) -> list[Any]:
    """Give the texts, or the numbers of the rows, of whatever came back."""
    if isinstance(data, (pl.DataFrame, pa.Table, pa.RecordBatch, pd.DataFrame)):
        return list(data["n"].to_pylist() if isinstance(data, (pa.Table, pa.RecordBatch)) else data["n"])
    if isinstance(data, (pa.Array, pa.ChunkedArray)):
        return list(data.to_pylist())
    assert isinstance(data, (list, tuple, deque, pd.Series, pl.Series, np.ndarray))
    return [row["n"] if isinstance(row, dict) else row for row in data]


@pytest.mark.parametrize("kind", [kind for kind in COLUMNS if kind not in NOT_GIVEN_BACK])
def test_filter_gives_the_type_that_came_in(kind: str) -> None:
    """The kept texts come back as the same type, in order; a generator as a list."""
    data = COLUMNS[kind]()
    kept = dedup.find_duplicates(data).filter(COLUMNS[kind]())
    assert type(data) is type(kept)
    assert [TEXTS[i] for i in KEPT] == as_list(kept)


def test_a_generator_comes_back_as_a_list() -> None:
    """A generator is read once, and the kept texts of another are a list."""

    def lines() -> Iterator[str]:
        yield from TEXTS

    result = dedup.find_duplicates(lines())
    assert [TEXTS[i] for i in KEPT] == result.filter(lines())
    assert [TEXTS[i] for i in KEPT] == result.filter(TEXTS)


def names(table: Any) -> list[str]:  # noqa: ANN401  (any form of table)
    """Give the names of the columns of any table."""
    if isinstance(table, list):
        return list(table[0])
    return list(table.schema.names if isinstance(table, pa.RecordBatch | pa.Table) else table.columns)


@pytest.mark.parametrize("kind", [k for k in TABLES if k != "a table's stream"])
def test_filter_keeps_the_other_columns(kind: str) -> None:
    """The kept rows come back as the same type, with all that was in them."""
    data = TABLES[kind]()
    kept = dedup.find_duplicates(data).filter(data)
    assert type(data) is type(kept)
    assert KEPT == as_list(kept)
    assert names(data) == names(kept)
    if isinstance(data, list):
        assert [data[i] for i in KEPT] == kept


def test_pandas_keeps_its_index() -> None:
    """An index is not an id: it is kept with its rows and decides nothing."""
    frame = pd.DataFrame({"text": TEXTS}, index=[5, 5, 3, 9, 1, 1, 0])
    kept = dedup.find_duplicates(frame).filter(frame)
    assert [5, 5, 3, 1] == list(kept.index)
    series = frame["text"]
    assert PAIRS == table_rows.ends(dedup.find_duplicates(series))
    assert [5, 5, 3, 1] == list(dedup.find_duplicates(series).filter(series).index)


@pytest.mark.parametrize("wrap", [dict, MappingProxyType])
def test_dictionaries(wrap: Callable[[dict[Any, str]], Any]) -> None:
    """A dictionary brings its ids, which come back unchanged."""
    texts = wrap(dict(zip(NAMES, TEXTS, strict=True)))
    result = dedup.find_duplicates(texts)
    assert [(NAMES[i], NAMES[j]) for i, j in PAIRS] == table_rows.ends(result)
    assert [NAMES[i] for i in KEPT] == list(result.filter(texts))
    assert {NAMES[i]: TEXTS[i] for i in KEPT} == dict(result.filter(texts))


@pytest.mark.parametrize(
    "ids",
    [
        NAMES,
        tuple(NAMES),
        [10, 9, 8, -7, 6, 2**62, 4],
        np.arange(7) * 3,
        pa.array(NAMES),
        pd.Series(NAMES),
        pl.Series(range(7)),
    ],
    ids=["list", "tuple", "integers", "numpy", "arrow", "pandas", "polars"],
)
def test_ids(ids: Any) -> None:  # noqa: ANN401  (any form of ids)
    """Ids are given together with the texts, as integers or as texts, and come back unchanged."""
    plain = list(ids.to_pylist() if isinstance(ids, pa.Array) else ids)
    result = dedup.find_duplicates(TEXTS, ids=ids)
    assert [(plain[i], plain[j]) for i, j in PAIRS] == table_rows.ends(result)
    assert [plain[i] for i in KEPT] == result.kept.to_pylist()
    assert {type(i) for i in result.kept.to_pylist()} <= {int, str}
    rows = {row["id"]: row["kept_id"] for row in table_rows.cluster_rows(result)}
    assert {plain[i]: plain[k] for i, k in [(0, 0), (1, 1), (3, 0), (5, 1), (6, 0)]} == rows


def test_a_policy_sees_the_ids() -> None:
    """A callable gets the id and the text, and the smallest key is kept."""
    seen: dict[str, str] = {}

    def key(name: str, text: str) -> int:
        seen[name] = text
        return -NAMES.index(name)

    result = dedup.find_duplicates(dict(zip(NAMES, TEXTS, strict=True)), keep=key)
    assert ["w", "y", "z", "ä"] == result.kept.to_pylist()
    assert seen.items() <= dict(zip(NAMES, TEXTS, strict=True)).items()
    assert {"u", "v", "x", "z", "ä"} <= set(seen)


@pytest.mark.parametrize(("keep", "kept"), [("first", [0]), ("last", [3]), ("longest", [2]), ("shortest", [1])])
def test_keep(keep: str, kept: list[int]) -> None:
    """Exactly one of a group is kept, by policy: lengths in characters, ties by order."""
    texts = ["abc def.", "Ａｂｃ ｄｅｆ", "abc def!!", "ABC, def!"]
    assert len({tuple(oracles.tokens(text)) for text in texts}) == 1
    result = dedup.find_duplicates(texts, keep=keep)
    assert kept == result.kept.to_pylist()


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([A, None, float("nan"), A], dtype=object),
        pd.Series([A, None, None, A]),
        pd.Series([A, pd.NA, pd.NA, A], dtype="string"),
        pl.Series([A, None, None, A]),
        pa.array([A, None, None, A]),
        [A, None, float("nan"), A],
        [A, None, np.nan, A],
        pd.DataFrame({"text": [A, None, None, A]}),
        [{"text": A}, {"text": None}, {"text": float("nan")}, {"text": A}],
    ],
)
def test_null_is_an_empty_text(column: Any) -> None:  # noqa: ANN401  (any form of texts)
    """None, null and NaN are empty texts: kept and counted."""
    result = dedup.find_duplicates(column)
    assert [(0, 3)] == table_rows.ends(result)
    assert result.summary.empty == 2
    assert [0, 1, 2] == result.kept.to_pylist()
    assert len(result.filter(column)) == 3


def test_a_list_of_one_column() -> None:
    """It is that one; a column that is not there is named with its side."""
    rows = [{"title": "one two three", "body": text} for text in ("four five six seven", "four five six eight")]
    texts = [row["body"] for row in rows]
    assert dedup.match(rows, texts, column=["body"]).pairs.equals(dedup.match(texts, texts).pairs)
    with pytest.raises(InputError, match='against: column="more": no such column'):
        dedup.match(rows, rows, column="body", against_column=["body", "more"])


@pytest.mark.parametrize("kind", TABLES)
def test_unknown_columns(kind: str) -> None:
    """A column that is not there is an error that names it and those that are."""
    with pytest.raises(InputError, match=r"(?s)body.*text"):
        dedup.find_duplicates(TABLES[kind](), column="body")
    with pytest.raises(InputError, match=r"(?s)key.*name"):
        dedup.find_duplicates(TABLES[kind](), id="key")


def test_a_table_without_the_column_text() -> None:
    """The default column is "text"; where it is missing, the error names the columns there are."""
    with pytest.raises(InputError, match=r"(?s)text.*body"):
        dedup.find_duplicates(pa.table({"body": TEXTS}))


@pytest.mark.parametrize(
    ("ids", "facts"),
    [
        (["a", "b", "c", "b"], [r"\b1\b", r"\b3\b", "b"]),
        ([7, 8, 9, 7], [r"\b0\b", r"\b3\b", "7"]),
        (["a", None, "c", "d"], [r"\b1\b"]),
        ([1, 2, "3", 4], [r"\b2\b", "str"]),
        ([1.5, 2, 3, 4], ["float"]),
        (["a", "b"], [r"\b4\b", r"\b2\b"]),
        ([0, 1, 2, 3, 4], [r"\b4\b", r"\b5\b"]),
    ],
)
def test_wrong_ids(ids: list[Any], facts: list[str]) -> None:
    """Equal, missing, mixed or miscounted ids are errors that name the rows."""
    with pytest.raises(InputError) as error:
        dedup.find_duplicates([A, B, "", A], ids=ids)
    for fact in facts:
        error.match(fact)


def test_ids_together_with_a_table() -> None:
    """`ids` is for collections that are not tables; for a table, name a column."""
    with pytest.raises(DedupError, match="id="):
        dedup.find_duplicates(pa.table({"text": TEXTS}), ids=list(range(7)))
    with pytest.raises(InputError, match=r"(?s)\b0\b.*\b2\b"):
        dedup.find_duplicates(pa.table({"text": [A, B, A], "k": ["x", "y", "x"]}), id="k")


def test_columns_of_numbers() -> None:
    """A column that holds no texts is an error that names it and its type."""
    for numbers in (pa.array([1, 2]), [1, 2], np.arange(2), pd.Series([1, 2]), pl.Series([1, 2])):
        with pytest.raises(InputError, match="int"):
            dedup.find_duplicates(numbers)
        with pytest.raises(InputError, match="int"):
            dedup.find_duplicates(pa.table({"n": pa.array([1, 2])}), column="n")
    with pytest.raises(InputError, match=r"(?s)\b1\b.*int|int.*\b1\b"):
        dedup.find_duplicates([{"text": "a"}, {"text": 5}])

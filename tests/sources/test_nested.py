"""Nested fields by path, in every kind of table in memory: each search, and texts that are cut inside structs."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import dedup
from dedup.errors import DedupError, InputError, ParameterError

FOOTER = "Write to the harbour office at the north pier before noon."
ROWS: list[dict[str, Any]] = [
    {"doc": {"body": f"The bridge opens at seven.\n{FOOTER}", "meta": {"key": "a", "date": 1}}, "n": 1},
    {"doc": {"body": f"the bridge opens at seven!\n{FOOTER}", "meta": {"key": "b", "date": 3}}, "n": 2},
    {"doc": None, "n": 3},
    {"doc": {"body": None, "meta": {"key": "d", "date": 2}}, "n": 4},
    {"doc": {"body": f"The ferry is free for children.\n{FOOTER}", "meta": None}, "n": 5},
]
KEYED = [row for row in ROWS if row["doc"] is not None and row["doc"]["meta"] is not None]
FLAT = [None if row["doc"] is None else row["doc"]["body"] for row in ROWS]


def _arrow(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows)


def _arrow_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame: pd.DataFrame = _arrow(rows).to_pandas(types_mapper=pd.ArrowDtype)
    return frame.set_index(np.arange(len(frame)) + 10)


def _data_set(rows: list[dict[str, Any]]) -> Any:
    return pytest.importorskip("datasets").Dataset.from_list(rows)


def _streamed(rows: list[dict[str, Any]]) -> Any:
    return _data_set(rows).to_iterable_dataset()


def _relation(rows: list[dict[str, Any]]) -> Any:
    duckdb = pytest.importorskip("duckdb")
    return duckdb.connect().from_arrow(_arrow(rows))


def _chunked(rows: list[dict[str, Any]]) -> pa.Table:
    """Return a table of several chunks, of which each is a part of a longer one."""
    return pa.concat_tables([_arrow(rows[:1] + rows).slice(1, 1), _arrow(rows[:1] + rows).slice(2)])


def _views(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.table(pl.DataFrame(rows))


Kind = Callable[[list[dict[str, Any]]], Any]
KINDS: dict[str, Kind] = {
    "list": copy.deepcopy,
    "tuple": tuple,
    "pandas": pd.DataFrame,
    "pandas of Arrow": _arrow_frame,
    "polars": pl.DataFrame,
    "lazy polars": lambda rows: pl.DataFrame(rows).lazy(),
    "Arrow": _arrow,
    "chunks": _chunked,
    "views": _views,
    "batch": lambda rows: pa.RecordBatch.from_pylist(rows),
    "reader": lambda rows: _arrow(rows).to_reader(),
    "data set": _data_set,
    "streamed data set": _streamed,
    "DuckDB": _relation,
}


def rows_of(data: Any) -> list[dict[str, Any]]:
    """Return the rows of a table of any kind as dicts."""
    if isinstance(data, (list, tuple)):
        return list(data)
    if isinstance(data, pd.DataFrame):
        return data.to_dict("records")
    if isinstance(data, pl.LazyFrame):
        data = data.collect()
    if isinstance(data, pl.DataFrame):
        return data.to_dicts()
    if hasattr(data, "with_format"):
        return data.to_list()
    if hasattr(data, "to_pylist"):
        return data.to_pylist()
    return pa.RecordBatchReader.from_stream(data).read_all().to_pylist()


def plain(value: Any) -> Any:
    """Return a value without the missing values of pandas."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    return None if type(value).__name__ == "NAType" or value != value else value


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Iterator[Kind]:
    yield KINDS[request.param]


def test_duplicates_are_found_and_filtered(kind: Kind) -> None:
    result = dedup.find_duplicates(kind(ROWS), column="doc.body")
    assert result.removed.to_pylist() == [1]
    assert result.summary.empty == 2
    given = kind(ROWS)
    kept = result.filter(given)
    if type(given).__name__ not in ("IterableDataset", "RecordBatchReader", "TableReader"):
        assert isinstance(kept, type(given))
    assert [plain(row) for row in rows_of(kept)] == [row for row in ROWS if row["n"] != 2]


def test_ids_keep_and_groups_are_paths(kind: Kind) -> None:
    asked: dict[str, Any] = {"column": "doc.body", "id": "doc.meta.key"}
    result = dedup.find_duplicates(kind(KEYED), keep="max:doc.meta.date", **asked)
    assert result.removed.to_pylist() == ["a"]
    assert [row["n"] for row in rows_of(result.filter(kind(KEYED[::-1])))] == [4, 2]
    assert dedup.find_duplicates(kind(KEYED), within="doc.meta.date", **asked).removed.to_pylist() == []
    assert dedup.find_duplicates(kind(KEYED), across="doc.meta.key", **asked).removed.to_pylist() == ["b"]


@pytest.mark.parametrize("unit", ["paragraph", "line"])
def test_texts_are_cut_inside_structs(unit: Any, kind: Kind) -> None:
    result = dedup.find_duplicates(kind(ROWS), unit=unit, column="doc.body")
    flat = dedup.find_duplicates([{"text": text} for text in FLAT], unit=unit)
    expected = copy.deepcopy(ROWS)
    for row, cut in zip(expected, flat.filter([{"text": text} for text in FLAT]), strict=True):
        if row["doc"] is not None:
            row["doc"]["body"] = cut["text"]
    assert expected != ROWS
    given = kind(ROWS)
    found = result.filter(given)
    assert [plain(row) for row in rows_of(found)] == expected
    for attribute in ("schema", "dtypes", "features"):
        if not isinstance(found, (pl.LazyFrame, list)) and hasattr(found, attribute):
            same = getattr(found, attribute) == getattr(kind(ROWS), attribute)
            assert same if isinstance(same, bool) else all(same)


def test_two_levels_are_cut(kind: Kind) -> None:
    rows = [{"a": {"b": {"c": text, "k": 1}, "d": 2}} for text in (f"One two.\n{FOOTER}", f"Three four.\n{FOOTER}")]
    rows += [{"a": {"b": None, "d": 3}}, {"a": None}]
    result = dedup.find_duplicates(kind(rows), unit="paragraph", column="a.b.c")
    expected = copy.deepcopy(rows)
    expected[1]["a"]["b"]["c"] = "Three four."
    assert [plain(row) for row in rows_of(result.filter(kind(rows)))] == expected


def test_other_searches_take_paths(kind: Kind, tmp_path: Path) -> None:
    assert len(dedup.find_repeats(kind(ROWS), column="doc.body", min_words=50).table) == 0
    doubled = [{"doc": {"body": "\n\n".join(["one two three four five six seven eight nine"] * 2), "k": 1}, "n": 1}]
    repeats = dedup.find_repeats(kind(doubled), column="doc.body", min_words=3)
    assert [text.strip() for text in repeats.without_repeats(3)] == ["one two three four five six seven eight nine"]
    pairs = dedup.match(
        kind(ROWS), kind(KEYED), column="doc.body", against_column="doc.body", against_id="doc.meta.key"
    )
    assert set(pairs.pairs["right"].to_pylist()) == {"a", "b"}
    assert dedup.estimate(kind(ROWS), column="doc.body").texts == 5
    assert dedup.suggest(kind(ROWS), column="doc.body").threshold > 0


def test_an_index_takes_paths(kind: Kind, tmp_path: Path) -> None:
    with dedup.Index.create(tmp_path / "seen") as index:
        index.add(kind(KEYED[:1]), column="doc.body", id="doc.meta.key")
        found = index.query(kind(KEYED[1:]), column="doc.body", id="doc.meta.key")
        assert found.pairs.num_rows == 1
        new = index.filter_new(kind(KEYED[1:]), column="doc.body", id="doc.meta.key")
        assert [row["n"] for row in rows_of(new)] == [4]


def test_a_data_set_of_one_column_is_cut() -> None:
    rows = [{"text": f"One.\n{FOOTER}"}, {"text": f"Two.\n{FOOTER}"}]
    cut = dedup.find_duplicates(_data_set(rows), unit="line").filter(_data_set(rows))
    assert cut.to_list() == [rows[0], {"text": "Two."}]
    assert cut.features == _data_set(rows).features


def test_matches_are_cut_inside_structs(kind: Kind) -> None:
    found = dedup.match(kind(ROWS), [FOOTER], unit="line", column="doc.body")
    assert [plain(row)["doc"] and row["doc"]["body"] for row in rows_of(found.filter(kind(ROWS)))] == [
        "The bridge opens at seven.",
        "the bridge opens at seven!",
        None,
        None,
        "The ferry is free for children.",
    ]
    long = " ".join(f"word{place}" for place in range(60))
    rows = [{"doc": {"body": f"Before. {long}", "k": 1}}, {"doc": None}]
    cut = dedup.match(kind(rows), [long], column="doc.body", passage_threshold=1.0).cut(kind(rows))
    assert [plain(row) for row in rows_of(cut)] == [{"doc": {"body": "Before. ", "k": 1}}, {"doc": None}]


def test_annotate_adds_columns_beside_the_struct() -> None:
    result = dedup.find_duplicates(ROWS, column="doc.body")
    annotated = result.annotate(_arrow(ROWS))
    assert annotated.column("doc").to_pylist() == [row["doc"] for row in ROWS]
    assert annotated.num_columns > 2


def test_several_columns_may_be_paths(kind: Kind) -> None:
    result = dedup.find_duplicates(kind(KEYED), column=["doc.meta.key", "doc.body"], threshold=0.5)
    assert result.removed.to_pylist() == [1]
    assert [row["n"] for row in rows_of(result.filter(kind(KEYED)))] == [1, 4]


def test_a_column_of_this_name_wins(kind: Kind) -> None:
    rows = [{"doc.body": text, "doc": {"body": str(place)}} for place, text in enumerate(["one two", "One two!"])]
    result = dedup.find_duplicates(kind(rows), column="doc.body")
    assert result.removed.to_pylist() == [1]
    lines = dedup.find_duplicates(kind(rows), column="doc.body", unit="line").filter(kind(rows))
    assert [row["doc"]["body"] for row in rows_of(lines)] == ["0", "1"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("page.body", "no such column; found"),
        ("doc.bodi", "no such field; found 'doc.body', 'doc.meta.key', 'doc.meta.date'"),
        ("doc.BODY", "no such field; found 'doc.body'"),
        ("doc.body.text", 'in "doc.body"'),
        ("n.text", 'in "n"'),
    ],
)
def test_errors_name_the_path(kind: Kind, name: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        dedup.find_duplicates(kind(ROWS), column=name)
    assert f'column="{name}": ' in str(caught.value)
    assert message in str(caught.value)
    with pytest.raises(InputError, match=f'id="{name}": '):
        dedup.find_duplicates(kind(ROWS), column="doc.body", id=name)
    with pytest.raises(ParameterError, match="keep: ") as other:
        dedup.find_duplicates(kind(ROWS), column="doc.body", keep=f"max:{name}")
    assert name in str(other.value)


def test_errors_of_dicts_have_positions() -> None:
    rows = [{"doc": {"body": "one"}}, {"doc": None}, {"doc": {"title": "two"}}, {"doc": "three"}]
    with pytest.raises(InputError, match="the row at position 2 has no 'body' in \"doc\"; found 'title'"):
        dedup.find_duplicates(rows[:3], column="doc.body")
    with pytest.raises(InputError, match="expected a dict in \"doc\" at position 1, found str 'three'"):
        dedup.find_duplicates([rows[0], rows[3]], column="doc.body")
    with pytest.raises(InputError, match="expected a text .* at position 1, found int 7"):
        dedup.find_duplicates(pd.DataFrame({"doc": [{"body": "one"}, {"body": 7}]}), column="doc.body")
    kept = dedup.find_duplicates(
        [{"doc": {"body": "one two"}}, {"doc": {"body": "one two", "date": 2}}], column="doc.body", keep="max:doc.date"
    )
    assert kept.removed.to_pylist() == [0]


def test_names_with_dots_are_no_paths() -> None:
    rows = [{"a.b": {"c": "one"}, "x": {"y.z": "two"}}]
    for table in (rows, pl.DataFrame(rows), _arrow(rows), pd.DataFrame(rows)):
        with pytest.raises(DedupError, match="no name may have a dot"):
            dedup.find_duplicates(table, column="x.y.z")
        with pytest.raises(DedupError, match="no name may have a dot"):
            dedup.find_duplicates(table, column="a.b.c")


def test_fields_of_one_name() -> None:
    same = pa.StructArray.from_arrays([pa.array(["one"]), pa.array(["two"])], names=["body", "body"])
    with pytest.raises(InputError, match="expected one field 'body' in \"doc\", found 2; rename one"):
        dedup.find_duplicates(pa.table({"doc": same}), column="doc.body")


def test_columns_of_nulls_are_empty_texts() -> None:
    for table in ([{"doc": None}] * 2, pd.DataFrame({"doc": [None, np.nan]}), pl.DataFrame({"doc": [None, None]})):
        assert dedup.find_duplicates(table, column="doc.body").summary.empty == 2
        assert len(dedup.find_duplicates(table, column="doc.body", unit="line").filter(table)) == 2


def test_fields_that_may_not_be_null() -> None:
    inner = pa.struct([pa.field("body", pa.string(), nullable=False)])
    rows = [{"doc": {"body": f"One.\n{FOOTER}"}}, {"doc": {"body": f"Two.\n{FOOTER}"}}, {"doc": None}]
    table = pa.Table.from_pylist(rows, schema=pa.schema([pa.field("doc", inner)]))
    cut = dedup.find_duplicates(table, column="doc.body", unit="line").filter(table)
    cut.validate(full=True)
    assert cut.schema == table.schema
    assert cut.to_pylist()[1:] == [{"doc": {"body": "Two."}}, {"doc": None}]


@pytest.mark.parametrize("table", [_arrow(KEYED), pl.DataFrame(KEYED)])
def test_a_struct_is_no_text(table: Any) -> None:
    with pytest.raises(InputError, match='name a field by its path, as column="doc.body"'):
        dedup.find_duplicates(table, column="doc")


@pytest.mark.parametrize("kind", [pa.list_(pa.struct([("body", pa.string())])), pa.map_(pa.string(), pa.string())])
def test_lists_and_maps_have_no_paths(kind: pa.DataType) -> None:
    with pytest.raises(InputError, match='expected a struct in "doc", found (list|map)'):
        dedup.find_duplicates(pa.table({"doc": pa.nulls(2, kind)}), column="doc.body")


def test_categories_stay_categories() -> None:
    kind = pl.Struct({"body": pl.Categorical, "k": pl.Enum(["x"])})
    rows = [{"doc": {"body": f"One.\n{FOOTER}", "k": "x"}}, {"doc": {"body": f"Two.\n{FOOTER}", "k": "x"}}]
    frame = pl.DataFrame(rows, schema={"doc": kind})
    cut = dedup.find_duplicates(frame, column="doc.body", unit="line").filter(frame)
    assert cut.schema == frame.schema
    assert cut["doc"].to_list() == [rows[0]["doc"], {"body": "Two.", "k": "x"}]


def test_rows_of_a_deque() -> None:
    rows = deque({"doc": {"body": text}} for text in ("one two", "One two!"))
    assert dedup.find_duplicates(rows, column="doc.body").removed.to_pylist() == [1]


def test_what_was_given_is_not_changed() -> None:
    rows = copy.deepcopy(ROWS)
    frame = pd.DataFrame(rows)
    result = dedup.find_duplicates(frame, column="doc.body", unit="line")
    cut = result.filter(frame)
    assert rows == ROWS
    assert cut["doc"][0] is frame["doc"][0]  # of which nothing was cut


def test_results_are_pickled() -> None:
    import pickle

    result = pickle.loads(pickle.dumps(dedup.find_duplicates(_arrow(ROWS), column="doc.body")))
    assert result.filter(_arrow(ROWS)).num_rows == 4

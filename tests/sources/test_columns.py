"""Several columns as one text, in tables and in files."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.cli import main
from dedup.errors import DedupError, InputError, ParameterError
from dedup.pipelines.find_files import find_in_files
from dedup.sources.columns import Columns, join_columns
from dedup.spark.inputs import check_text_columns
from dedup.unit import Unit
from tests import corpus_files, strategies
from tests.plans import OnDisk

NAMES = ["title", "text", "more"]
SCHEMA = pa.schema([("n", pa.int64()), *((name, pa.string()) for name in NAMES)])

TABLES: list[Callable[[list[dict[str, Any]]], Any]] = [
    list,
    lambda rows: pd.DataFrame(rows),
    lambda rows: pl.DataFrame(rows, schema={"n": pl.Int64, **dict.fromkeys(NAMES, pl.String)}).lazy(),
    lambda rows: pa.Table.from_pylist(rows, schema=SCHEMA),
]


@st.composite
def records(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Give rows with three texts each, some of them missing."""
    parts = st.sampled_from([*(draw(strategies.corpora()) or ["a b c"]), None, "", "one two three four five six"])
    rows = [{"n": i, **{name: draw(parts) for name in NAMES}} for i in range(draw(st.integers(1, 6)))]
    for row in rows:
        for name in NAMES:
            row[name] = row[name] and row[name].replace("\ud800", "?").replace("\0", " ")
    rows.insert(
        draw(st.integers(0, len(rows))), {"n": -1, **{name: draw(st.sampled_from([None, ""])) for name in NAMES}}
    )
    for number, row in enumerate(rows):
        row["n"] = number
    return [*rows, {"n": len(rows), "title": "the last one", "text": "has words", "more": None}]


def joined(rows: list[dict[str, Any]], names: list[str]) -> list[str]:
    """Give the text of each row."""
    return ["\n\n".join(row[name] for name in names if row[name]) for row in rows]


@given(records(), st.sampled_from([["title", "text"], ["text", "more", "title"]]), st.sampled_from(TABLES))
def test_tables(rows: list[dict[str, Any]], names: list[str], table: Callable[[Any], Any]) -> None:
    """A search of several columns is one of their joined texts; its result knows the table again."""
    plain = dedup.find_duplicates(joined(rows, names), threshold=0.5)
    data = table(rows)
    found = dedup.find_duplicates(data, column=names, threshold=0.5)
    same(found, plain)
    kept = [row for row in rows if row["n"] in plain.kept.to_pylist()]
    left = found.filter(data)
    assert [row["n"] for row in kept] == numbers(left)
    assert numbers(found.annotate(data)) == [row["n"] for row in rows]
    by_id = dedup.find_duplicates(data, column=tuple(names), id="n", threshold=0.5)
    assert numbers(by_id.filter(table(rows[::-1]))) == [row["n"] for row in kept][::-1]
    other = [{**rows[0], names[-1]: "something that was not searched"}, *rows[1:]]
    with pytest.raises(InputError, match="expected at row 0 the text that was searched"):
        found.filter(table(other))


def numbers(data: Any) -> list[int]:
    """Give the numbers of the rows of a table."""
    if isinstance(data, pl.LazyFrame):
        data = data.collect()
    return (
        [row["n"] for row in data]
        if isinstance(data, list)
        else [int(n) for n in data["n"].to_pylist()]
        if isinstance(data, pa.Table)
        else [int(n) for n in data["n"].to_list()]
    )


def same(found: dedup.Duplicates, plain: dedup.Duplicates) -> None:
    """Compare two results."""
    assert found.pairs.equals(plain.pairs)
    assert found.clusters.equals(plain.clusters)
    assert found.summary.removed == plain.summary.removed


@given(
    records(),
    st.sampled_from(["jsonl", "csv", "parquet", "arrow"]),
    st.sampled_from([["title", "text"], ["text", "more", "title"]]),
)
def test_files(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], format: str, names: list[str]
) -> None:
    """The same from files of every format, with and without a bound; a report knows its columns."""
    for row in rows:
        for name in NAMES:
            row[name] = row[name] and row[name].replace("\r", "")
    folder = tmp_path_factory.mktemp("columns")
    (folder / f"a.{format}").write_bytes(
        {
            "jsonl": corpus_files.as_lines,
            "csv": corpus_files.as_csv,
            "parquet": lambda rows: corpus_files.as_parquet(rows),
            "arrow": corpus_files.as_arrow,
        }[format](rows)
    )
    plain = dedup.find_duplicates(joined(rows, names), ids=[row["n"] for row in rows], threshold=0.5)
    given = dedup.files(folder, column=names, id="n")
    for memory in (None, "1GB"):
        found = dedup.find_duplicates(given, threshold=0.5, memory=memory)
        assert found.clusters["kept"].equals(plain.clusters["kept"])
        assert found.pairs["shared"].equals(plain.pairs["shared"])
        assert [str(name) for name in found.kept.to_pylist()] == [str(name) for name in plain.kept.to_pylist()]
    dedup.write_report(folder / "report", found)
    report = dedup.Report.open(folder / "report")
    assert report.options["column"] == names
    assert report.review()["text"].equals(plain.review()["text"])


def test_a_run_with_a_work_directory(tmp_path: Path) -> None:
    """The command line's search takes several columns, keeps by one of them, and knows its report again."""
    body = "one two three four five six seven eight nine ten eleven twelve"
    rows = [{"title": f"title {i % 3}", "text": f"{body} {i % 2}", "lang": "en" if i % 4 else None} for i in range(20)]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options: dict[str, Any] = {"threshold": 0.6, "keep": "max:title", "within": "lang"}
    plain = dedup.find_duplicates(rows, column=["title", "text"], **options)
    planned = partial(OnDisk, shard_bytes=1 << 10)
    for column in (["title", "text"], ("title", "text")):
        run = find_in_files([path], column=column, memory="1GB", planned=planned, **options)
        assert run.duplicates.clusters["kept"].equals(plain.clusters["kept"])
        assert run.duplicates.pairs["jaccard"].equals(plain.pairs["jaccard"])
        assert run.asked["column"] == ["title", "text"]
    parts = dedup.find_duplicates(rows, column=["title", "text"], unit="line", threshold=0.6)
    run = find_in_files([path], column=["title", "text"], memory="1GB", planned=planned, unit="line", threshold=0.6)
    assert run.duplicates.clusters.drop_columns(["id", "kept_id"]) == parts.clusters.drop_columns(["id", "kept_id"])
    assert set(parts.clusters["column"].to_pylist()) == {"title", "text"}
    plan = dedup.estimate(rows, column=["title", "text"])
    assert plan.characters == sum(map(len, joined(rows, ["title", "text"])))
    assert dedup.estimate(path, column=["title", "text"]).characters == plan.characters


def test_bad_columns(tmp_path: Path) -> None:
    """It is said which column, and what to do."""
    rows = [{"title": "one", "text": "two three", "n": 1}, {"title": "one", "text": "two three", "n": 2}]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    table = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist(rows), table)
    assert dedup.find_duplicates(rows, column=["text"]).summary.removed == 1
    bad: list[tuple[Any, dict[str, Any], type[DedupError], str]] = [
        (rows, {"column": []}, ParameterError, "column: expected the name of a column, or a list of different names"),
        (
            rows,
            {"column": ["text", "text"]},
            ParameterError,
            "column: expected the name of a column, or a list of diff",
        ),
        (rows, {"column": ["text", 3]}, ParameterError, "column: expected the name of a column, a str, found int 3"),
        (rows, {"column": ["title", "body"]}, InputError, 'column="body": .*none; found|column="body": no such column'),
        (rows, {"column": ["title", "n"]}, InputError, 'column="n": expected a text .* at position 0, found int 1'),
        (path, {"column": ["title", "body"]}, InputError, 'column.*"body".*: no such column in'),
        (path, {"column": ["title", "n"]}, InputError, "2 were rejected, .*: field 'n': expected a text, found int"),
        (table, {"column": ["title", "n"]}, InputError, 'column="n": expected texts in .*a.parquet, found int64'),
        (["a"], {"column": ["title", "text"]}, ParameterError, "column='title, text' is for tables; found list"),
    ]
    for data, options, error, said in bad:
        with pytest.raises(error, match=said):
            dedup.find_duplicates(data, **options)
    both = dedup.files(path, column=["title", "text"])
    with dedup.Index.create(tmp_path / "x.index") as index:
        for data, options in ((both, {}), (rows, {"column": ["title", "text"]})):
            for call in (index.add, index.query, index.filter_new):
                with pytest.raises(ParameterError, match="column: expected one column.*: an index takes .*; join them"):
                    call(data, **options)
    assert check_text_columns(["title", "text"], Unit.DOCUMENT) == "title, text"
    with pytest.raises(ParameterError, match='column: expected one column with unit="line" on Spark, found .*title'):
        check_text_columns(["title", "text"], Unit.LINE)


@given(
    st.lists(st.tuples(*3 * [st.text("ab é", max_size=3) | st.none()]), max_size=6),
    st.sampled_from([pa.string(), pa.large_string()]),
)
def test_columns_of_arrow(rows: list[tuple[str | None, ...]], kind: pa.DataType) -> None:
    """As many texts as rows, also where all of a row are empty: as joined in plain Python."""
    columns = [pa.array([row[at] for row in rows], type=kind) for at in range(3)]
    found = join_columns(Columns(NAMES), columns, "x")
    assert ["\n\n".join(filter(None, row)) for row in rows] == found.to_pylist()
    assert found.type == pa.large_string()


@pytest.mark.parametrize("command", [["index", "add", "x.index"], ["index", "query", "x.index"]])
def test_a_second_column_is_an_error(command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one column is searched, the last of two does not win in silence."""
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_text('{"text": "a b c", "note": "d e f"}\n', encoding="utf-8")
    done = CliRunner().invoke(main, [*command, "a.jsonl", "--column", "text", "--column", "note"])
    assert done.exit_code == 2
    assert "--column: expected one column for an index, found 'text' and 'note'; join them first" in done.output


@pytest.mark.parametrize("suffix", [".jsonl", ".json"])
@pytest.mark.parametrize("names", [["title", "text"], ["text", "title"]])
@pytest.mark.filterwarnings("ignore:2 of 6 records were rejected")
@pytest.mark.parametrize("wrong", [5, 2.5, True, 10**30, ["a"], {"a": "b"}])
def test_a_record_of_json_without_texts_is_rejected(suffix: str, names: list[str], wrong: Any, tmp_path: Path) -> None:
    """Whichever of the columns has no text: the record is left out and listed, and all others are read."""
    rows: list[dict[str, Any]] = [{"title": f"title {i}", "text": f"text {i}"} for i in range(6)]
    rows[2]["title"], rows[4]["text"], rows[5]["title"] = wrong, wrong, None
    path = tmp_path / f"rows{suffix}"
    path.write_text("\n".join(map(json.dumps, rows)) if suffix == ".jsonl" else json.dumps(rows))
    texts = dedup.files([path]).read(column=Columns(names), id=None)
    assert [texts[row] for row in range(len(texts))] == joined([rows[i] for i in (0, 1, 3, 5)], names)
    assert [(reject.line, reject.reason) for reject in texts.rejects] == [
        (3, f"field 'title': expected a text, found {type(wrong).__name__}"),
        (5, f"field 'text': expected a text, found {type(wrong).__name__}"),
    ]
    found = dedup.find_duplicates(path, column=names, unit="line")
    assert found.summary.rejected == 2
    assert set(found.clusters.column("column").to_pylist()) <= {"title", "text"}


@pytest.mark.parametrize("suffix", [".jsonl", ".json"])
@pytest.mark.parametrize("names", [["title", "text"], ["text", "title"], ["a.title", "text"], ["text", "a.title"]])
@pytest.mark.parametrize("all_plain", [True, False])
@pytest.mark.filterwarnings("ignore:1 of ")
def test_a_record_of_json_may_lack_some_of_the_columns(
    suffix: str, names: list[str], all_plain: bool, tmp_path: Path
) -> None:
    """Whichever of them it lacks, it is read as if that one were null; a record without any of them is rejected."""
    rows: list[dict[str, Any]] = [
        {"title": "one", "text": "two three"},
        {"text": "two three\n\nfour"},
        {"title": "only a title"},
        {"title": None, "text": "two three\n\nfour"},
        {"title": "one", "text": None},
    ]
    written: list[dict[str, Any]] = [dict(row) for row in rows]
    for row in written if "a.title" in names else ():
        if "title" in row:
            row["a"] = {"title": row.pop("title")}
    if not all_plain:
        written.append({"other": 1})
    path = tmp_path / f"rows{suffix}"
    path.write_text("\n".join(map(json.dumps, written)) if suffix == ".jsonl" else json.dumps(written))
    texts = dedup.files([path]).read(column=Columns(names), id=None)
    parts = [name.removeprefix("a.") for name in names]
    expected = ["\n\n".join(row[part] for part in parts if row.get(part)) for row in rows]
    assert expected == [texts[row] for row in range(len(texts))]
    asked = " or ".join(map(repr, names))
    assert [reject.reason for reject in texts.rejects] == ([] if all_plain else [f"no field {asked}; found 'other'"])
    assert dedup.find_duplicates(path, column=names).summary.removed == 1
    cut = dedup.find_duplicates(path, column=names, unit="line", threads=1)
    assert set(cut.clusters.column("column").to_pylist()) <= set(names)


def test_a_column_that_no_record_has(tmp_path: Path) -> None:
    """Is a mistake in its name, whichever of several it is."""
    path = tmp_path / "rows.jsonl"
    path.write_text('{"title": "one", "text": "two"}\n{"text": "three"}\n')
    for names in (["titel", "text"], ["text", "titel"]):
        with pytest.raises(InputError, match='"titel": no such column in the first lines of .*; found .title., .text.'):
            dedup.find_duplicates(path, column=names)


def test_a_dict_without_a_column_is_named() -> None:
    """With its place, what it has, and what to do; None is an empty text."""
    rows: list[dict[str, Any]] = [{"title": "one", "text": "two three"}, {"text": "two three"}]
    said = "column=\"title\": the row at position 1 has none; found 'text'; give each row one, None where it is empty"
    for names in ("title", ["title", "text"], ["text", "title"]):
        with pytest.raises(InputError, match=said):
            dedup.find_duplicates(rows, column=names)
    rows[1]["title"] = None
    assert dedup.find_duplicates(rows, column=["title", "text"]).summary.texts == 2


@pytest.mark.parametrize("suffix", [".jsonl", ".json"])
@pytest.mark.parametrize("names", [["title", "text"], ["text", "title"]])
def test_lone_surrogates_in_any_of_the_columns(suffix: str, names: list[str], tmp_path: Path) -> None:
    """Each is one character, as in one column."""
    rows = [{"title": "a \ud800 b", "text": "c"}, {"title": "d", "text": "\udfff e"}, {"title": "f", "text": "g"}]
    path = tmp_path / f"rows{suffix}"
    path.write_text("\n".join(map(json.dumps, rows)) if suffix == ".jsonl" else json.dumps(rows))
    texts = dedup.files([path]).read(column=Columns(names), id=None)
    assert [texts[row] for row in range(len(texts))] == joined(rows, names)
    assert not texts.rejects

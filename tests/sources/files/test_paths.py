"""Fields by path: in JSON and in the structs of tables, for texts, ids and other columns; bytes that are texts."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import InputError
from dedup.report.apply import apply_report
from dedup.report.write import write_run_report
from dedup.sources.files.listing import Listing
from dedup.sources.files.reader import read_batches
from dedup.sources.paths import ABSENT, field_of
from tests import corpus_files
from tests.corpus_files import WRITERS, read_all

ROWS: list[dict[str, Any]] = [
    {"doc": {"body": "one two", "meta": {"key": "k1", "n": 5}}, "other": 1},
    {"doc": {"body": "three é", "meta": {"key": "k2", "n": None}}, "other": 2},
]


def written(folder: Path, kind: str, rows: list[dict[str, Any]]) -> Path:
    """Write rows as a file of a kind."""
    path = folder / f"a{kind}"
    path.write_bytes(WRITERS[kind](rows))
    return path


NESTED = [kind for kind in WRITERS if kind != ".csv"]


@pytest.mark.parametrize("kind", NESTED)
def test_fields_by_path(kind: str, tmp_path: Path) -> None:
    """Texts, ids and others, at any depth."""
    path = written(tmp_path, kind, ROWS)
    (batch,) = read_batches(Listing([path]), column="doc.body", id="doc.meta.key", extra=["doc.meta.n", "other"])
    assert [("one two", "k1"), ("three é", "k2")] == [(row.text, row.id) for row in corpus_files.rows_of(batch)]
    assert ([5, None], [1, 2]) == (batch.extra["doc.meta.n"].to_pylist(), batch.extra["other"].to_pylist())


@pytest.mark.parametrize("kind", NESTED)
def test_a_name_with_a_dot_wins(kind: str, tmp_path: Path) -> None:
    """A column that is called so is meant, also where there is such a path."""
    path = written(tmp_path, kind, [{"doc.body": "exact", "doc": {"body": "path"}}])
    assert ["exact"] == [row.text for row in read_all(path, column="doc.body")[0]]
    path = written(tmp_path, kind, [{"doc": {"body": "path", "a.b": "exact", "a": {"b": "x"}}}])
    assert ["path"] == [row.text for row in read_all(path, column="doc.body")[0]]


@pytest.mark.parametrize("kind", NESTED)
def test_a_field_of_null_is_null(kind: str, tmp_path: Path) -> None:
    """The text of a record without the part before it is empty."""
    path = written(tmp_path, kind, [{"doc": {"body": "a"}}, {"doc": None}, {"doc": {"body": None}}])
    assert ["a", None, None] == [row.text for row in read_all(path, column="doc.body")[0]]


@pytest.mark.parametrize("kind", NESTED)
def test_missing_fields_are_named(kind: str, tmp_path: Path) -> None:
    """The error says which paths there are."""
    path = written(tmp_path, kind, ROWS)
    for options, option in (
        ({"column": "doc.text"}, 'column="doc.text"'),
        ({"column": "doc.body", "id": "doc.key"}, 'id="doc.key"'),
    ):
        with pytest.raises(InputError) as error:
            read_all(path, **options)
        assert f"{option}: no such column in" in str(error.value)
        assert "found 'doc.body', 'doc.meta.key', 'doc.meta.n', 'other'" in str(error.value)


def test_some_lines_without_the_field(tmp_path: Path) -> None:
    """They are rejects, with what they have; an object is no text, and a text has no fields."""
    lines = [
        {"doc": {"body": "a"}},
        {"doc": {"text": "b"}},
        {"doc": {"body": {}}},
        {"doc": "x"},
        {"doc": {"body": "c"}},
    ]
    rows, rejects = read_all(written(tmp_path, ".jsonl", lines), column="doc.body")
    assert [(1, "a"), (5, "c")] == [(row.number, row.text) for row in rows]
    assert [
        (2, "no field 'doc.body'; found 'doc.text'"),
        (3, "field 'doc.body': expected a text, found dict"),
        (4, "no field 'doc.body'; found 'doc'"),
    ] == [(line, reason) for line, _, reason in rejects]


keys = st.sampled_from(["a", "b", "a.b", "", "a.", "b.a.b"])
values = st.recursive(
    st.none() | st.sampled_from(["x", "y", 5]), lambda inner: st.dictionaries(keys, inner, max_size=3)
)


@given(
    st.lists(st.dictionaries(keys, values, max_size=4), max_size=4),
    st.sampled_from(["a", "a.b", "b.a.b", "a.", "a..b"]),
    st.booleans(),
)
def test_json_by_path_is_what_python_finds(records: list[dict[str, Any]], name: str, array: bool) -> None:
    """Whatever records have, and however they are decoded."""
    records = [{name: "first"}, *records]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.any"
        path.write_text(json.dumps(records) if array else "\n".join(map(json.dumps, records)), encoding="utf-8")
        rows, rejects = read_all(path, format="json" if array else "jsonl", column=name)
    found = [(i, field_of(record, name)) for i, record in enumerate(records, start=1)]
    assert [(i, value) for i, value in found if value is None or isinstance(value, str)] == [
        (row.number, row.text) for row in rows
    ]
    assert [i for i, value in found if not (value is None or isinstance(value, str))] == [
        line for line, _, _ in rejects
    ]


def test_naive_paths() -> None:
    """The name first, then part by part."""
    record = {"a": {"b": {"c": 1}, "b.c": 2}, "x.y": 3, "n": None}
    assert [1, {"c": 1}, 3, None, ABSENT, ABSENT] == [
        field_of(record, name) for name in ("a.b.c", "a.b", "x.y", "n.m", "a.x", "q")
    ]


# ------------------------------------------------------------------------------------ bytes, damage


@pytest.mark.parametrize(
    "kind", [pa.binary(), pa.large_binary(), pa.binary_view(), pa.dictionary(pa.int32(), pa.binary())]
)
@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_bytes_that_hold_texts(kind: pa.DataType, suffix: str, tmp_path: Path) -> None:
    """They are read as UTF-8; a row that is none is a reject."""
    values = pa.array(
        [b"a", "é".encode(), None, b"caf\xe9", b"b"], kind.value_type if pa.types.is_dictionary(kind) else kind
    )
    column = values.dictionary_encode() if pa.types.is_dictionary(kind) else values
    table = pa.table({"text": column, "doc": pa.StructArray.from_arrays([values], ["raw"])})
    path = tmp_path / f"a{suffix}"
    if suffix == ".parquet":
        pq.write_table(table, path)
    else:
        with pa.ipc.new_file(str(path), table.schema) as writer:
            writer.write_table(table)
    for name in ("text", "doc.raw"):
        rows, rejects = read_all(path, column=name)
        assert [(1, "a"), (2, "é"), (3, None), (5, "b")] == [(row.number, row.text) for row in rows]
        assert [(4, None, f'"{name}" is not UTF-8')] == rejects


# ------------------------------------------------------------------------------------- written back

DOCS = [
    {"n": 1, "doc": {"body": "one two\n\nthree four", "x": [1]}},
    {"n": 2, "doc": None},
    {"n": 3, "doc": {"body": "three four\n\nfive é", "x": None}},
]
CUT = [DOCS[0], DOCS[1], {"n": 3, "doc": {"body": "five é", "x": None}}]


@pytest.mark.parametrize("bytes_column", [False, True])
@pytest.mark.parametrize("kind", [".jsonl", ".json", ".parquet", ".arrow", ".feather"])
def test_nested_texts_are_cut(kind: str, bytes_column: bool, tmp_path: Path) -> None:
    """A paragraph is cut out of the field, and all else is as it was; the kept records too."""
    if kind.startswith(".json"):
        path = written(tmp_path, kind, DOCS)
    else:
        body = pa.binary() if bytes_column else pa.string()
        inner = pa.struct([pa.field("body", body), pa.field("x", pa.list_(pa.int64()), metadata={"a": "b"})])
        table = pa.Table.from_pylist(DOCS, schema=pa.schema([("n", pa.int32()), ("doc", inner)]))
        path = tmp_path / f"a{kind}"
        if kind == ".parquet":
            pq.write_table(table, path)
        else:
            with (pa.ipc.new_file if kind == ".arrow" else pa.ipc.new_stream)(str(path), table.schema) as writer:
                writer.write_table(table)
    files = dedup.files(path, column="doc.body")
    result = dedup.find_duplicates(files, unit="paragraph", shingle="words:1")
    assert 1 == len(result.removed)
    write_run_report(tmp_path / "report", result, options={"column": "doc.body"})
    apply_report(tmp_path / "report", tmp_path / "out")
    new = tmp_path / "out" / path.name
    if kind.startswith(".json"):
        assert WRITERS[kind](CUT) == new.read_bytes()
        return
    if kind == ".parquet":
        found = pq.read_table(new)
    else:
        with (pa.ipc.open_file if kind == ".arrow" else pa.ipc.open_stream)(new.read_bytes()) as reader:
            found = reader.read_all()
    schema = pq.read_schema(path) if kind == ".parquet" else table.schema
    assert schema.equals(found.schema, check_metadata=True)
    expected = [{**row, "doc": row["doc"] and {**row["doc"], "body": row["doc"]["body"].encode()}} for row in CUT]
    assert (expected if bytes_column else CUT) == found.to_pylist()


@pytest.mark.parametrize("kind", [".parquet", ".arrow"])
def test_several_columns_are_written(kind: str, tmp_path: Path) -> None:
    """A report of texts of several columns, some by path, is applied to tables too."""
    rows = [
        {"title": "a", "doc": {"body": "b c"}},
        {"title": "A", "doc": {"body": "b c"}},
        {"title": "d", "doc": {"body": "e"}},
    ]
    path = written(tmp_path, kind, rows)
    result = dedup.find_duplicates(dedup.files(path, column=["title", "doc.body"]), shingle="words:1")
    write_run_report(tmp_path / "report", result, options={"column": ["title", "doc.body"]})
    assert (2, 1) == ((done := apply_report(tmp_path / "report", tmp_path / "out")).kept, done.removed)


def test_a_name_with_a_dot_in_a_path(tmp_path: Path) -> None:
    """The reason says why what looks like the path is not there."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": {"b": {"c": "good"}}}\n{"a": {"b.c": "text"}}\n', encoding="utf-8")
    files = dedup.files(path, column="a.b.c", on_error="skip")
    dedup.find_duplicates(files)
    assert ["no field 'a.b.c': in a path, no name may have a dot, and one of these fields has; rename it"] == [
        reject.reason for reject in files.rejects
    ]
    path.write_text('{"a": {"b.c": "text"}}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"no such column in .*: in a path, no name may have a dot"):
        dedup.find_duplicates(dedup.files(path, column="a.b.c"))

"""Places in several columns against the same in plain Python, and the law that units lie in one column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import InputError
from dedup.sources.coerce import read_texts
from dedup.sources.column_places import ColumnPlaces, numbers_of
from dedup.sources.columns import BLANK_LINE
from dedup.sources.files.batch import BatchLimits
from dedup.sources.files.file_texts import FileTexts
from dedup.sources.files.listing import Listing
from dedup.sources.files.rejects import Errors
from dedup.text.paragraphs import split_units
from tests import corpus_files

NAMES = ["title", "text", "more"]

PIECES = st.sampled_from(
    ["a", "é北", "one two", " ", "\t", "\n", "\r\n", "\r", "\n\n", "\u2028", "-", "\0", "\x1c", "\u3000", "😀", "."]
)
PARTS = st.none() | st.lists(PIECES, max_size=6).map("".join)
ROWS = st.lists(st.tuples(PARTS, PARTS, PARTS), min_size=1, max_size=5)

Row = tuple[str | None, ...]


def bounds(row: Row) -> list[tuple[int, int, int]]:
    """Give the number, start and end of each part that is not empty, in plain Python."""
    found, at = [], 0
    for number, part in enumerate(row):
        if part:
            found.append((number, at, at + len(part)))
            at += len(part) + len(BLANK_LINE)
    return found


def oracle(row: Row, start: int, end: int) -> tuple[int, int, int, int]:
    """Give the column and the place in it of a start and an end."""
    parts = bounds(row)
    first = max((part for part in parts if part[1] <= start), default=(0, 0, 0))
    last = min((part for part in parts if part[2] >= end), default=(0, 0, 0))
    return first[0], start - first[1], last[0], end - last[1]


def places_of(rows: list[Row]) -> tuple[ColumnPlaces, list[str]]:
    """Give the places and the joined texts of rows."""
    texts = read_texts([dict(zip(NAMES, row, strict=True)) for row in rows], column=NAMES, several=True)
    assert texts.column_places is not None
    return texts.column_places, [texts[row] for row in range(len(texts))]


def units_of(text: str, unit: str) -> list[tuple[int, int]]:
    """Give the spans of the paragraphs or lines of a text."""
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    table, _ = split_units(data, np.zeros(1, dtype=np.int64), np.array([len(data)], dtype=np.int64), unit)
    return [(start, end) for _, _, start, end in table.tolist()]


@given(ROWS, st.sampled_from(["paragraph", "line"]))
def test_a_unit_lies_in_one_column(rows: list[Row], unit: str) -> None:
    """The units of the joined text are those of each column by itself, wherever white space is."""
    places, texts = places_of(rows)
    for number, (row, text) in enumerate(zip(rows, texts, strict=True)):
        own = [(at, *span) for at, part in enumerate(row) for span in units_of(part or "", unit)]
        found = np.array(units_of(text, unit), dtype=np.int64).reshape(-1, 2)
        spans = places.spans(np.full(len(found), number), found[:, 0], found[:, 1])
        assert list(zip(spans.column.tolist(), spans.start.tolist(), spans.end.tolist(), strict=True)) == own
        assert np.array_equal(spans.column, spans.end_column)


@given(ROWS, st.data())
def test_spans(rows: list[Row], data: st.DataObject) -> None:
    """Any span of characters that are in a column: its places are those of plain Python, and lead back to it."""
    places, _ = places_of(rows)
    wanted, row_of, spans = [], [], []
    for number, row in enumerate(rows):
        inside = [at for _, start, end in bounds(row) for at in range(start, end)]
        assert places.parts(number) == bounds(row)
        if not inside:
            continue
        for _ in range(3):
            start, last = sorted(data.draw(st.tuples(*2 * [st.sampled_from(inside)])))
            wanted.append(oracle(row, start, last + 1))
            row_of.append(number)
            spans.append((start, last + 1))
    some = np.array(row_of, dtype=np.int64)
    starts, ends = np.array(spans, dtype=np.int64).reshape(-1, 2).T
    found = places.spans(some, starts, ends)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == wanted
    assert np.array_equal(places.joined(some, found.column, found.start), starts)
    assert np.array_equal(places.joined(some, found.end_column, found.end), ends)
    assert places.named(found.column).to_pylist() == [NAMES[each[0]] for each in wanted]
    assert np.array_equal(numbers_of(NAMES, places.named(found.column)), found.column)


@given(ROWS, st.sampled_from(["jsonl", "json", "csv", "parquet", "arrow"]), st.sampled_from([1, 40, 1 << 20]))
def test_files(tmp_path_factory: pytest.TempPathFactory, rows: list[Row], format: str, size: int) -> None:
    """The places in files are those in memory, however large batches are."""
    rows = [*rows, ("has words", None, "and more")]
    if format == "csv":  # whose reader has its own law about line breaks, and no nulls
        rows = [tuple((part or "").replace("\r", " ").replace("\0", " ") for part in row) for row in rows]
    path = tmp_path_factory.mktemp("places") / f"a.{format}"
    records = [{"n": number, **dict(zip(NAMES, row, strict=True))} for number, row in enumerate(rows)]
    path.write_bytes(
        {
            "jsonl": corpus_files.as_lines,
            "json": corpus_files.as_json,
            "csv": corpus_files.as_csv,
            "parquet": lambda rows: corpus_files.as_parquet(rows),
            "arrow": corpus_files.as_arrow,
        }[format](records)
    )
    limits = BatchLimits(size=size)
    for names in (NAMES, NAMES[::-1]):
        known = read_texts(records, column=names, several=True)
        column = dedup.files(path, column=names).column
        texts = FileTexts(Listing([path]), column, None, Errors(), batches=limits)
        assert list(map(texts.__getitem__, range(len(texts)))) == list(map(known.__getitem__, range(len(known))))
        assert texts.column_places == known.column_places
        assert texts.column_places != read_texts(records, column=NAMES[:2], several=True).column_places
    one = FileTexts(Listing([path]), "title", None, Errors())
    assert one.column_places is None is read_texts(records, column="title").column_places


def test_files_that_have_changed(tmp_path: Path) -> None:
    """A file that can no longer be read is an error when places are asked for, and not before."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"title": "a", "text": "b"}\n{"title": "c", "text": "d"}\n', encoding="utf-8")
    texts = dedup.files(path, column=["title", "text"]).read()
    assert len(texts) == 2
    path.unlink()
    with pytest.raises(InputError):
        _ = texts.column_places


def test_texts_without_columns(tmp_path: Path) -> None:
    """A plain text beside files with columns stands in the first column."""
    (tmp_path / "a.txt").write_text("one two\n\nthree", encoding="utf-8")
    (tmp_path / "b.jsonl").write_text('{"title": "a", "text": "b"}\n', encoding="utf-8")
    texts = dedup.files(tmp_path, column=["title", "text"]).read()
    with pytest.warns(UserWarning, match="does not apply to 1 plain text file"):
        assert len(texts) == 2
    assert texts.column_places is not None
    assert [texts.column_places.parts(row) for row in range(2)] == [[(0, 0, 14)], [(0, 0, 1), (1, 3, 4)]]


def test_an_unknown_column() -> None:
    """A report that was changed may name a column that was not searched."""
    with pytest.raises(InputError, match="expected one of the columns 'title', 'text', 'more', found 'body'; "):
        numbers_of(NAMES, pa.chunked_array([["text", "body"]]))

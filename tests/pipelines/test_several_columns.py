"""Searches of several columns: what is found is what the joined texts have, with places in the columns."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup.errors import InputError
from dedup.results.data.cutting import cut_spans, cut_units
from dedup.results.repeat import RepeatInColumns
from tests.column_rows import COLUMNS, NAMED, ROWS, SENTENCES, TABLES, Row, joined, rows_of, units_of

PLACES = ("start", "end")


def without_places(table: pa.Table) -> list[dict[str, Any]]:
    """Give the rows of a table without the columns that locate."""
    names = [name for name in table.column_names if not name.endswith((*PLACES, "column"))]
    return table.select(names).to_pylist()


def check_span(row: Row, names: list[str], found: dict[str, Any], prefix: str, text: str) -> None:
    """Check the place of a span, whose joined text is `text`."""
    first, last = found[f"{prefix}column"], found.get(f"{prefix}end_column", found[f"{prefix}column"])
    start, end = found[f"{prefix}start"], found[f"{prefix}end"]
    if first == last:
        assert row[first][start:end] == text
    else:
        inner = names[names.index(first) + 1 : names.index(last)]
        parts = [row[first][start:], *(row[name] for name in inner), row[last][:end]]
        assert "\n\n".join(part for part in parts if part) == text


@settings(max_examples=30)
@given(ROWS, NAMED, st.sampled_from(["paragraph", "line"]), st.sampled_from(TABLES))
def test_units(rows: list[Row], names: list[str], unit: Any, table: Callable[[list[Row]], Any]) -> None:
    """Paragraphs and lines are those of the joined texts; each lies in a column, out of which it is cut."""
    data, texts = table(rows), joined(rows, names)
    plain = dedup.find_duplicates(texts, unit=unit, threshold=0.6)
    found = dedup.find_duplicates(data, unit=unit, threshold=0.6, column=names)
    for mine, theirs in (
        (found.pairs, plain.pairs),
        (found.clusters, plain.clusters),
        (found.review(), plain.review()),
    ):
        assert without_places(mine) == without_places(theirs)
    assert found.clusters.column_names[:5] == ["id", unit, "column", "start", "end"]
    assert found.summary == plain.summary
    assert found.removed == plain.removed
    for mine, its in zip(found.clusters.to_pylist(), plain.clusters.to_pylist(), strict=True):
        check_span(rows[mine["id"]], names, mine, "", texts[its["id"]][its["start"] : its["end"]])
    for mine, its in zip(found.pairs.to_pylist(), plain.pairs.to_pylist(), strict=True):
        for side in ("left", "right"):
            text = texts[its[side]][its[f"{side}_start"] : its[f"{side}_end"]]
            check_span(rows[mine[side]], names, mine, f"{side}_", text)
    for mine in found.review().to_pylist():
        check_span(rows[mine["id"]], names, mine, "", mine["text"])
        check_span(rows[mine["kept_id"]], names, mine, "kept_", mine["kept_text"])
    removed = {(each["document"], each[unit]) for each in found.removed.to_pylist()}
    expected = copy.deepcopy(rows)
    for number, row in enumerate(expected):
        before = 0
        for name in names:
            spans = units_of(row[name], unit)
            kept = np.array([(number, before + at) not in removed for at in range(len(spans))], dtype=np.bool_)
            if not kept.all():
                row[name] = cut_units(row[name], spans, kept, unit)
            before += len(spans)
    assert rows_of(found.filter(data)) == expected
    assert pickle.loads(pickle.dumps(found)) == found
    assert found.rethreshold(0.9) == dedup.find_duplicates(data, unit=unit, threshold=0.9, column=names)
    assert (found == plain) is False


@settings(max_examples=20)
@given(ROWS, ROWS, NAMED, NAMED, st.sampled_from(TABLES), st.sampled_from(["document", "paragraph"]))
def test_match(
    rows: list[Row],
    others: list[Row],
    names: list[str],
    against: list[str],
    table: Callable[[list[Row]], Any],
    unit: Any,
) -> None:
    """Pairs and passages are those of the joined texts, each side in its columns, from which passages are cut."""
    data, texts, other_texts = table(rows), joined(rows, names), joined(others, against)
    asked: dict[str, Any] = {"unit": unit, "min_words": 5, "threshold": 0.6}
    plain = dedup.match(texts, other_texts, **asked)
    found = dedup.match(data, others, column=names, against_column=against, **asked)
    one = dedup.match(data, other_texts, column=names, **asked)
    assert found.summary == plain.summary == one.summary
    assert without_places(found.pairs) == without_places(plain.pairs)
    assert without_places(found.passages) == without_places(plain.passages) == without_places(one.passages)
    assert one.passages.select(["right_start", "right_end"]) == plain.passages.select(["right_start", "right_end"])
    assert one.passages["left_end_column"] == found.passages["left_end_column"]
    assert "right_column" not in one.passages.column_names
    for tables in ((found.pairs, plain.pairs) if unit != "document" else (), (found.passages, plain.passages)):
        for mine, its in zip(*(each.to_pylist() for each in tables), strict=True):
            for side, data_of, whole, own in (("left", rows, texts, names), ("right", others, other_texts, against)):
                text = whole[its[side]][its[f"{side}_start"] : its[f"{side}_end"]]
                check_span(data_of[mine[side]], own, mine, f"{side}_", text)
    expected = copy.deepcopy(rows)
    for number, row in enumerate(expected):
        spans = [(its["left_start"], its["left_end"]) for its in plain.passages.to_pylist() if its["left"] == number]
        before = 0
        for name in names:
            if not row[name]:
                continue
            end = before + len(row[name])
            pieces = [(max(a, before) - before, min(b, end) - before) for a, b in spans]
            pieces = [(a, b) for a, b in pieces if a < b]
            row[name] = cut_spans(row[name], [a for a, _ in pieces], [b for _, b in pieces])
            before = end + 2
    assert rows_of(found.cut(data)) == rows_of(one.cut(data)) == expected
    assert pickle.loads(pickle.dumps(found)) == found != plain
    if unit == "paragraph":
        decided = found.decision_rows().to_pylist()
        for its in decided:
            assert len(rows[its["record"] - 1][its["column"]]) >= its["end"]
        assert len(decided) == dedup.match(texts, other_texts, **asked).decision_rows().num_rows


@settings(max_examples=20)
@given(ROWS, NAMED, st.sampled_from(TABLES), st.sampled_from([0.8, 1.0]))
def test_repeats(rows: list[Row], names: list[str], table: Callable[[list[Row]], Any], threshold: float) -> None:
    """Repeats are those of the joined texts, with places in columns; so are the texts without them."""
    texts = joined(rows, names)
    plain = dedup.find_repeats(texts, min_words=5, threshold=threshold)
    found = dedup.find_repeats(table(rows), min_words=5, threshold=threshold, column=names)
    assert without_places(found.table) == without_places(plain.table)
    for mine, its, each in zip(found.table.to_pylist(), plain, found, strict=True):
        assert mine == each._asdict()
        assert isinstance(each, RepeatInColumns)
        assert each[:9] == tuple(mine[name] for name in its._fields)
        check_span(rows[its.document], names, mine, "", texts[its.document][its.start : its.end])
        source = texts[its.source_document][its.source_start : its.source_end]
        check_span(rows[its.source_document], names, mine, "source_", source)
    assert found.without_repeats(5) == plain.without_repeats(5)
    assert found.documents == plain.documents
    assert pickle.loads(pickle.dumps(found)) == found
    assert (found == plain) is False
    for mine in found.decision_rows().to_pylist():
        text = rows[mine["record"] - 1][mine["column"]][mine["start"] : mine["end"]]
        assert text
        assert text == text.strip()


def test_a_passage_over_the_border() -> None:
    """It begins in one column and ends in another, and is cut out of both."""
    rows = [
        {"title": f"News. {SENTENCES[0]}", "text": None, "more": f"{SENTENCES[2]} And more.", "n": 0},
        {"title": "x", "text": f"{SENTENCES[0]} {SENTENCES[2]}", "more": "", "n": 1},
    ]
    found = dedup.match(rows[:1], rows[1:], column=COLUMNS, against_column="text", min_words=20)
    expected = {"left": 0, "left_column": "title", "left_start": 6, "left_end_column": "more", "left_end": 64}
    assert found.passages.select(list(expected)).to_pylist() == [expected]
    assert found.cut(rows[:1]) == [{"title": "News. ", "text": None, "more": " And more.", "n": 0}]
    repeat = dedup.find_repeats(rows[::-1], column=COLUMNS, id="n", min_words=20)[0]
    assert isinstance(repeat, RepeatInColumns)
    assert (repeat.column, repeat.end_column, repeat.source_column, repeat.source_end_column) == (
        "title",
        "more",
        "text",
        "text",
    )
    assert repr(repeat).startswith("RepeatInColumns(document=0, start=6, end=64, source_document=1, ")
    assert repeat._replace(end=7) == RepeatInColumns(**{**repeat._asdict(), "end": 7}) == (*repeat[:2], 7, *repeat[3:])
    for wrong in ({}, {"end": 1, "other": 2}):
        with pytest.raises((TypeError, KeyError)):
            RepeatInColumns(*repeat[:12], **wrong)
    with pytest.raises(TypeError, match="expected the fields document"):
        RepeatInColumns(*repeat, 1)


def test_other_data() -> None:
    """Texts that are the same together, and not by column, are not what was searched."""
    rows = [{"title": "a b c", "text": "d e f\n\nd e f"}, {"title": "", "text": "a b c"}]
    found = dedup.find_duplicates(rows, unit="paragraph", column=["title", "text"])
    assert found.filter(rows) == [{"title": "a b c", "text": "d e f"}, {"title": "", "text": ""}]
    assert found.filter(["a b c\n\nd e f\n\nd e f", "a b c"]) == ["a b c\n\nd e f", ""]
    other = [{"title": "a b c\n\nd e f", "text": "d e f"}, rows[1]]
    with pytest.raises(InputError, match="expected at row 0 the text that was searched in 'title', with 5 characters"):
        found.filter(other)
    assert found != dedup.find_duplicates(other, unit="paragraph", column=["title", "text"])
    by_id = [{**row, "id": name} for row, name in zip(rows, "ab", strict=True)]
    found = dedup.find_duplicates(by_id, unit="paragraph", column=["title", "text"], id="id")
    assert found.filter(by_id[::-1]) == [{**by_id[1], "text": ""}, {**by_id[0], "text": "d e f"}]


def test_tables_without_rows() -> None:
    """Of no rows in a list, which may be meant as a table, they have the columns that those of an empty table have."""
    names, table = ["title", "text"], pa.table({"title": pa.array([], pa.string()), "text": pa.array([], pa.string())})
    lines = [dedup.find_duplicates(none, unit="line", column=names) for none in ([], table)]
    assert lines[0].clusters.schema == lines[1].clusters.schema
    assert "column" in lines[0].clusters.column_names
    repeats = [dedup.find_repeats(none, column=names).table.schema for none in ([], table)]
    assert repeats[0] == repeats[1]
    passages = [dedup.match(none, none, column=names, against_column=names).passages.schema for none in ([], table)]
    assert passages[0] == passages[1]
    assert [] == dedup.find_duplicates([], unit="line", column=names).filter([])


def test_the_other_side_of_a_match() -> None:
    """A table is read by the columns of the left side, unless it has its own; texts without columns are as they are."""
    rows = [{"title": "one two three", "body": "four five six seven"}]
    for names in ("body", ["title", "body"]):
        text = "\n\n".join(rows[0][name] for name in ([names] if isinstance(names, str) else names))
        for other in (rows, [text]):
            found = dedup.match(rows, other, column=names, shingle="words:1", min_words=4)
            assert [1.0] == found.pairs.column("jaccard").to_pylist()
            several = other is rows and names != "body"
            assert ("right_column" in found.passages.column_names) == several
    assert 1 == len(dedup.match(rows, [{"x": "four five six seven"}], column="body", against_column="x"))
    with pytest.raises(InputError, match='against: column="body": .*; found'):
        dedup.match(rows, [{"text": "a"}], column="body")

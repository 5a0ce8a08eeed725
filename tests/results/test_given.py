"""Data that is given to `filter` and `cut`: what was searched and nothing else, in any form, by id or by position."""

from __future__ import annotations

import json
import random
import shelve
from collections import ChainMap, OrderedDict, UserDict, defaultdict, deque
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import InputError

Rows = list[tuple[Any, Any]]

FOOTER = "Sign up for our newsletter and never miss a story again."
TEXTS = [
    f"Something else happened on that day.\n\n{FOOTER}",
    f"Another thing entirely.\n\n{FOOTER}",
    f"Something else happened on that day.\n\n{FOOTER}",
    "nobody came\r\n",
    f"{FOOTER}\n\nAnd a last thing.",
]
ROWS: Rows = list(zip("abcde", TEXTS, strict=True))
KEPT = {
    "document": [row for row in ROWS if row[0] != "c"],
    "paragraph": [
        ROWS[0],
        ("b", "Another thing entirely."),
        ("c", ""),
        ROWS[3],
        ("e", "And a last thing."),
    ],
}


def reader(rows: Rows) -> Any:
    """Give what can be read once: Arrow's reader of record batches."""
    return arrow(rows).to_reader(max_chunksize=2)


def arrow(rows: Rows) -> Any:
    """Give an Arrow table."""
    return pa.table({"n": [n for n, _ in rows], "text": pa.array([text for _, text in rows], pa.string())})


def hugging_face(rows: Rows) -> Any:
    """Give a Hugging Face data set."""
    return pytest.importorskip("datasets").Dataset.from_list(records(rows))


def hugging_face_stream(rows: Rows) -> Any:
    """Give a Hugging Face data set that is iterated once."""
    return hugging_face(rows).to_iterable_dataset()


def relation(rows: Rows) -> Any:
    """Give a relation of DuckDB."""
    return pytest.importorskip("duckdb").connect().from_arrow(arrow(rows))


def records(rows: Rows) -> list[dict[str, Any]]:
    """Give a list of dicts."""
    return [{"n": n, "text": text} for n, text in rows]


def odd_frame(rows: Rows) -> Any:
    """Give a pandas frame whose index says nothing."""
    return pd.DataFrame(records(rows), index=[(7 * i) % 5 for i in range(len(rows))])


def texts_of(rows: Rows) -> list[Any]:
    """Give only the texts."""
    return [text for _, text in rows]


TABLES: dict[str, Callable[[Rows], Any]] = {
    "pandas": odd_frame,
    "polars": lambda rows: pl.DataFrame(records(rows)),
    "lazy polars": lambda rows: pl.LazyFrame(records(rows)),
    "arrow table": arrow,
    "record batch": lambda rows: arrow(rows).combine_chunks().to_batches()[0],
    "reader": reader,
    "dicts": records,
    "hugging face": hugging_face,
    "hugging face stream": hugging_face_stream,
    "duckdb": relation,
}
COLUMNS: dict[str, Callable[[Rows], Any]] = {
    "list": texts_of,
    "tuple": lambda rows: tuple(texts_of(rows)),
    "generator": lambda rows: (text for text in texts_of(rows)),
    "series": lambda rows: pd.Series(texts_of(rows), index=[(3 * i) % 4 for i in range(len(rows))]),
    "polars series": lambda rows: pl.Series(texts_of(rows)),
    "arrow array": lambda rows: pa.array(texts_of(rows)),
    "chunks": lambda rows: pa.chunked_array([texts_of(rows)[:2], [], texts_of(rows)[2:]]),
    "views": lambda rows: pa.array(texts_of(rows), pa.string_view()),
    "numpy": lambda rows: np.array(texts_of(rows), dtype=object),
}
FORMS: dict[str, Callable[[Rows], Any]] = {**TABLES, **COLUMNS, "dict": dict}

LISTS = {"generator": list, "hugging face stream": list}
"""The forms that come back as lists."""

CHANGES: dict[str, Callable[[Rows], Rows]] = {
    "same": list,
    "another order": lambda rows: rows[::-1],
    "two swapped": lambda rows: [rows[0], rows[3], rows[2], rows[1], rows[4]],
    "first missing": lambda rows: rows[1:],
    "last missing": lambda rows: rows[:-1],
    "one more": lambda rows: [*rows, ("f", "one more text")],
    "one in front": lambda rows: [("f", "one more text"), *rows],
    "another text": lambda rows: [*rows[:3], ("d", "nobody Came"), rows[4]],
    "blank lines in front": lambda rows: [(n, "\n\n" + text) for n, text in rows],
    "a missing text": lambda rows: [*rows[:3], ("d", None), rows[4]],
    "another id": lambda rows: [*rows[:4], ("z", rows[4][1])],
}
REORDERED = {"another order", "two swapped"}


class Case(NamedTuple):
    """A form, whether it is searched with ids, and by which options."""

    form: str
    ids: str | None

    @property
    def options(self) -> dict[str, Any]:
        """The options of the search."""
        return {"column": {"id": "n"}, "list": {"ids": [n for n, _ in ROWS]}}.get(
            {"id": "column", "ids": "list"}.get(self.ids or "", ""), {}
        )

    @property
    def known(self) -> bool:
        """Whether the data brings the ids that were searched."""
        return self.ids in {"id", "keys"}


CASES = [
    *(Case(form, ids) for form in TABLES for ids in (None, "id")),
    *(Case(form, ids) for form in COLUMNS for ids in (None, "ids")),
    Case("dict", "keys"),
]


def rows_of(data: Any) -> Rows:
    """Give ids (None if there are none) and texts of whatever came back."""
    if isinstance(data, dict):
        return list(data.items())
    if hasattr(data, "collect"):
        data = data.collect()
    if hasattr(data, "read_all"):
        data = data.read_all()
    if hasattr(data, "fetchall"):
        data = data.to_arrow_table()
    if isinstance(data, pd.DataFrame):
        return list(zip(data["n"], data["text"], strict=True))
    if hasattr(data, "to_pylist") and not hasattr(data, "schema"):
        return [(None, text) for text in data.to_pylist()]
    if hasattr(data, "to_pylist"):
        data = data.to_pylist()
    elif isinstance(data, pl.DataFrame):
        data = data.to_dicts()
    return [(row["n"], row["text"]) if isinstance(row, dict) else (None, row) for row in data]


def searchable(form: str) -> Callable[[Rows], Any]:
    """Give how the same rows are searched: a reader that was read is empty, so its table is."""
    return arrow if form == "reader" else FORMS[form]


@pytest.mark.parametrize("unit", ["document", "paragraph"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.form}, {case.ids}")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_what_was_searched_and_nothing_else(case: Case, change: str, unit: str) -> None:
    """What was searched comes back without what repeats; in another order with its ids; all else is an error."""
    result = dedup.find_duplicates(searchable(case.form)(ROWS), unit=unit, **case.options)
    rows = CHANGES[change](ROWS)
    data = FORMS[case.form](rows)
    if change == "another id" and not case.known:
        assert texts_of(KEPT[unit]) == texts_of(rows_of(result.filter(data)))  # the texts are the same
        return
    if change != "same" and not (case.known and change in REORDERED):
        with pytest.raises(InputError, match=r"^filter: expected .*; pass "):
            result.filter(data)
        return
    kept = result.filter(data)
    assert LISTS.get(case.form, type(data)) is type(kept)
    order = [n for n, _ in rows]
    expected = sorted(KEPT[unit], key=lambda row: order.index(row[0]))
    if case.form in COLUMNS:
        expected = [(None, text) for _, text in expected]
    assert expected == rows_of(kept)


@pytest.mark.parametrize("searched", ["dict", "pandas", "list"])
@pytest.mark.parametrize("form", [form for form in FORMS if form != "reader"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_searched_in_one_form_and_given_in_another(searched: str, form: str) -> None:
    """The form is free: rows are matched by id if both sides have it under a known name, else by position."""
    options: dict[str, Any] = {"pandas": {"id": "n"}, "list": {"ids": list("abcde")}}.get(searched, {})
    result = dedup.find_duplicates(FORMS[searched](ROWS), **options)
    assert texts_of(KEPT["document"]) == texts_of(rows_of(result.filter(FORMS[form](ROWS))))
    other = FORMS[form](ROWS[::-1])
    if form == "dict" or (form in TABLES and searched == "pandas"):
        assert KEPT["document"][::-1] == rows_of(result.filter(other))
    else:
        with pytest.raises(InputError, match="expected at row 0 the text that was searched"):
            result.filter(other)


BY_ID = ["dict", "pandas", "polars", "arrow table", "dicts"]


@given(
    st.lists(st.sampled_from([*TEXTS, "", "!", "x\ud800y"]), min_size=1, max_size=9),
    st.sampled_from([str, int]),
    st.sampled_from(BY_ID),
    st.randoms(use_true_random=False),
)
def test_any_order_keeps_the_same_ids(texts: list[str], kind: type, form: str, rng: random.Random) -> None:
    """With ids, for any permutation: the ids that are left are those in `kept`, in the order of the data."""
    if form not in {"dict", "dicts"}:
        texts = [text.replace("\ud800", " ") for text in texts]
    names: list[Any] = [kind(3 * place) for place in range(len(texts))]
    rng.shuffle(names)
    rows = list(zip(names, texts, strict=True))
    result = dedup.find_duplicates(FORMS[form](rows), **({} if form == "dict" else {"id": "n"}))
    rng.shuffle(rows)
    kept = set(result.kept.to_pylist())
    assert [row for row in rows if row[0] in kept] == rows_of(result.filter(FORMS[form](rows)))
    cut = dedup.find_duplicates(FORMS[form](rows), unit="paragraph", **({} if form == "dict" else {"id": "n"}))
    expected = dict(rows_of(cut.filter(FORMS[form](rows))))
    rng.shuffle(rows)
    again = rows_of(cut.filter(FORMS[form](rows)))
    assert [n for n, _ in rows] == [n for n, _ in again]
    assert expected == dict(again)


def test_a_list_that_changes_later() -> None:
    """The texts that the list had then were searched: nothing is cut because of another text."""
    texts = list(TEXTS)
    found = dedup.find_duplicates(texts, unit="paragraph")
    repeats = dedup.find_repeats(texts, min_words=5)
    before = repeats.without_repeats(5)
    texts[1] = "\n\n" + texts[1]
    with pytest.raises(InputError, match="expected at row 1 the text"):
        found.filter(texts)
    assert texts_of(KEPT["paragraph"]) == found.filter(TEXTS)
    texts.clear()
    assert before == repeats.without_repeats(5)
    assert "Another thing entirely" in found.repeated["text"].to_pylist()[1] or len(found.repeated)


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT, ""])
@pytest.mark.parametrize("given_as", [None, float("nan"), pd.NA, ""])
def test_missing_texts_are_alike(missing: Any, given_as: Any) -> None:
    """A missing text is an empty one, and comes back as it was given."""
    result = dedup.find_duplicates(["a b c", missing, "a b c"])
    kept = result.filter(["a b c", given_as, "a b c"])
    assert kept[0] == "a b c"
    assert kept[1] is given_as
    cut = dedup.find_duplicates(["a b c", missing, "a b c"], unit="paragraph").filter(["a b c", given_as, "a b c"])
    assert [cut[0], cut[2]] == ["a b c", ""]
    assert cut[1] is given_as


def test_rows_by_id_only() -> None:
    """Of documents, ids are enough where the text is not there; without ids, or to cut, it is not."""
    result = dedup.find_duplicates(odd_frame(ROWS), id="n")
    others = pd.DataFrame({"n": list("edcba"), "views": range(5)})
    assert ["e", "d", "b", "a"] == result.filter(others)["n"].tolist()
    with pytest.raises(InputError, match="'e' .row 4 of what was searched. is missing"):
        result.filter(others[1:])
    for wrong in (
        dedup.find_duplicates(odd_frame(ROWS)),
        dedup.find_duplicates(odd_frame(ROWS), id="n", unit="paragraph"),
    ):
        with pytest.raises(InputError, match='^filter: column="text": no such column; found'):
            wrong.filter(others)


def test_errors_name_the_first_difference() -> None:
    """Which row or id, what was searched there, what was found, what to do."""
    long = "word " * 1000
    result = dedup.find_duplicates({"a": long + "ends so", "b": "x"})
    with pytest.raises(InputError) as caught:
        result.filter({"b": "x", "a": long + "ended so"})
    assert str(caught.value) == (
        "filter: expected for the id 'a' the text that was searched, ...'ord word word word ends so', found "
        "...'ord word word word ended so' at row 1; pass what was searched, or search again"
    ).replace("'ord word word word end", "'" + (long + "end")[-20:-3] + "end")
    for data, message in {
        (("b", "x"),): "expected the 2 ids that were searched, found 1: 'a' (row 0 of what was searched) is missing;",
        (("a", "x"), ("b", "x"), ("c", "")): "found 3: 'c' at row 2 was not searched;",
        (("c", "x"), ("b", "x")): "found 2: 'a' (row 0 of what was searched) is missing, and 'c' at row 0 was not",
    }.items():
        with pytest.raises(InputError) as caught:
            result.filter(dict(data))
        assert message in str(caught.value)
    frame = pd.DataFrame({"n": ["a", "b"], "text": ["x", "y"]})
    with pytest.raises(InputError, match="filter: ids: expected unique ids, found 'a' at row 0 and at row 1"):
        dedup.find_duplicates(frame, id="n").filter(frame.assign(n=["a", "a"]))
    escape = "\x1b]0;title\x07\u202e"
    with pytest.raises(InputError) as caught:
        dedup.find_duplicates(["x"]).filter([escape])
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("data", ["a b c", b"a b c", {"a b c"}, 7, None, Path("x.txt")])
def test_not_a_collection(data: Any) -> None:
    """What could not be searched cannot be filtered."""
    with pytest.raises(InputError, match="^filter: expected"):
        dedup.find_duplicates(["a b c"]).filter(data)


def test_one_text_by_paragraphs() -> None:
    """One str gives one str; another one is an error."""
    text = f"{FOOTER}\n\n{TEXTS[0]}"
    found = dedup.find_duplicates(text, unit="paragraph")
    assert found.filter(text) == f"{FOOTER}\n\nSomething else happened on that day."
    with pytest.raises(InputError, match="expected at row 0"):
        found.filter("\n" + text)


@pytest.mark.parametrize("form", ["pandas", "polars", "series", "polars series"])
def test_categories(form: str) -> None:
    """What is left of a text that is a category need be none of the categories."""
    data = FORMS[form](ROWS)
    if form == "pandas":
        data["text"] = data["text"].astype("category")
    elif form == "series":
        data = data.astype("category")
    else:
        data = data.with_columns(pl.col("text").cast(pl.Categorical)) if form == "polars" else data.cast(pl.Categorical)
    cut = dedup.find_duplicates(data, unit="paragraph").filter(data)
    assert texts_of(KEPT["paragraph"]) == texts_of(rows_of(cut))
    kept = dedup.find_duplicates(data).filter(data)
    assert texts_of(KEPT["document"]) == texts_of(rows_of(kept))


# --------------------------------------------------------------- two collections

AGAINST = [FOOTER, "a text of other words"]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.form}, {case.ids}")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_matches(case: Case, change: str) -> None:
    """`Matches.filter` and `cut` know what was searched, too."""
    documents = dedup.match(searchable(case.form)(ROWS), AGAINST, min_words=5, **case.options)
    paragraphs = dedup.match(searchable(case.form)(ROWS), AGAINST, unit="paragraph", min_words=None, **case.options)
    rows = CHANGES[change](ROWS)
    own = {n: text.replace(FOOTER, "").strip() if FOOTER in text else text for n, text in ROWS}
    uses: list[tuple[Callable[[Any], Any], Any]] = [
        (lambda data: documents.filter(data, by="passages"), lambda n: n == "d"),
        (documents.cut, lambda _: True),
        (paragraphs.filter, lambda _: True),
    ]
    for use, is_kept in uses:
        data = FORMS[case.form](rows)
        known = case.known or change == "another id"
        if change == "same" or (known and change in REORDERED) or (change == "another id" and not case.known):
            found = rows_of(use(data))
            expected = [own.get(n, own["e"]) for n, _ in rows if is_kept(n)]
            assert [text.strip() for text in expected] == [text.strip() for text in texts_of(found)]
        else:
            with pytest.raises(InputError, match=r"^(filter|cut): expected .*; pass "):
                use(data)


def test_cut_gives_back_what_was_given() -> None:
    """Texts in which nothing is cut are those of the caller, not those that were searched."""

    class Own(str):
        __slots__ = ()

    given_texts = [Own("nothing of it here"), pd.NA, f"a {FOOTER}"]
    cut = dedup.match(["nothing of it here", None, f"a {FOOTER}"], AGAINST, min_words=5).cut(given_texts)
    assert cut[0] is given_texts[0]
    assert cut[1] is pd.NA
    assert cut[2] == "a "


# --------------------------------------------------------------- files


@pytest.mark.parametrize("unit", ["document", "paragraph"])
@pytest.mark.parametrize("id", [None, "n"])
def test_what_was_found_in_files(unit: str, id: str | None, tmp_path: Path) -> None:
    """The texts of files are read again and compared; files that have changed are an error."""
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in records(ROWS)), encoding="utf-8")
    result = dedup.find_duplicates(dedup.files(path, column="text", id=id), unit=unit)
    assert texts_of(KEPT[unit]) == result.filter(TEXTS)
    assert KEPT[unit] == rows_of(result.filter(odd_frame(ROWS)))
    if id is None:
        with pytest.raises(InputError, match="expected at row 0"):
            result.filter(odd_frame(ROWS[::-1]))
    else:
        assert KEPT[unit][::-1] == rows_of(result.filter(odd_frame(ROWS[::-1])))
        assert dict(KEPT[unit]) == result.filter(dict(ROWS[::-1]))
    with pytest.raises(InputError, match="expected at row 1"):
        result.filter([TEXTS[0], "\n" + TEXTS[1], *TEXTS[2:]])
    result = dedup.find_duplicates(dedup.files(path, id=id), unit=unit)
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="found it changed"):
        result.filter(TEXTS)


def test_the_column_of_files_is_known(tmp_path: Path) -> None:
    """The column that `files` was given is that of tables, and that of the report."""
    path = tmp_path / "x.jsonl"
    rows = [{"body": text, "text": "other"} for text in TEXTS]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    result = dedup.find_duplicates(dedup.files(path, column="body"), unit="paragraph")
    assert [{**row, "body": text} for row, text in zip(rows, texts_of(KEPT["paragraph"]), strict=True)] == (
        result.filter(rows)
    )
    dedup.write_report(tmp_path / "report", result)
    dedup.apply_report(tmp_path / "report", tmp_path / "out")
    lines = (tmp_path / "out" / "x.jsonl").read_text(encoding="utf-8").splitlines()
    assert texts_of(KEPT["paragraph"]) == [json.loads(line)["body"] for line in lines]


# --------------------------------------------------------------- relations of DuckDB


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_relation_keeps_its_connection() -> None:
    """What comes back can be joined with other relations of its connection, and more than once."""
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    connection.execute("create table notes (n text, text text)")
    connection.executemany("insert into notes values (?, ?)", ROWS)
    data = connection.table("notes")
    kept = dedup.find_duplicates(data, id="n").filter(data)
    assert type(data) is type(kept)
    assert [n for n, _ in KEPT["document"]] == [row[0] for row in kept.fetchall()]
    connection.execute("delete from notes where n = 'a'")
    assert [("b",), ("d",), ("e",)] == (
        kept.set_alias("kept").join(data.set_alias("notes"), "kept.n = notes.n").project("kept.n").order("n").fetchall()
    )
    closed = duckdb.connect(config={"python_enable_replacements": False})
    closed.execute("create table notes as select 'a' as n, 'some text' as text")
    assert [("a", "some text")] == dedup.find_duplicates(closed.table("notes")).filter(closed.table("notes")).fetchall()


@pytest.mark.parametrize("unit", ["document", "paragraph"])
def test_every_type_that_is_searched_comes_back(unit: str) -> None:
    """Mappings with a default, deques, indexes and arrays of pandas, runs and views of Arrow: filtered as they came."""
    texts = ["a b c d", "a b c d", "x y z w"]
    left = ["a b c d", "x y z w"] if unit == "document" else ["a b c d", "", "x y z w"]
    named = dict(zip("pqr", texts, strict=True))
    defaults = defaultdict(list, named)
    found = dedup.find_duplicates(defaults, unit=unit).filter(defaults)
    assert (type(found), found.default_factory, list(found.values())) == (defaultdict, list, left)
    for mapping in (OrderedDict(named), UserDict(named), MappingProxyType(named)):
        found = dedup.find_duplicates(mapping, unit=unit).filter(mapping)
        assert (type(found), list(found.values())) == (type(mapping), left)
    held = deque(texts, maxlen=9)
    found = dedup.find_duplicates(held, unit=unit).filter(held)
    assert (type(found), found.maxlen, list(found)) == (deque, 9, left)
    index = pd.Index(texts, name="text")
    for column in (index, pd.Categorical(texts), pd.array(texts)):
        found = dedup.find_duplicates(column, unit=unit).filter(column)
        assert (type(found), list(found)) == (type(column), left)
    assert dedup.find_duplicates(index, unit=unit).filter(index).name == "text"
    runs = pc.run_end_encode(pa.array(texts))
    seen = pa.array([text.encode() for text in texts], type=pa.binary_view())
    found = dedup.find_duplicates(pa.table({"text": texts, "b": seen}), column="text").filter(
        pa.table({"text": texts, "b": seen})
    )
    assert found.schema.field("b").type == pa.binary_view()
    for array in (runs, pa.array(texts, type=pa.string_view())):
        found = dedup.find_duplicates(array, unit=unit).filter(array)
        assert (found.type, found.to_pylist()) == (array.type, left)
    table = pa.table({"text": runs, "n": [1, 2, 3], "v": pa.array(texts, type=pa.string_view())})
    for data in (table, table.to_batches()[0]):
        found = dedup.find_duplicates(data, unit=unit).filter(data)
        assert (type(found), found.schema, found.column("text").to_pylist()) == (type(data), data.schema, left)
        assert found.column("n").to_pylist() == ([1, 3] if unit == "document" else [1, 2, 3])


def test_a_mapping_over_a_file_is_only_read(tmp_path: Path) -> None:
    """A shelf keeps what it holds, and comes back as a dict; a chain of mappings as one that holds what is left."""
    texts = {"p": "a b c d", "q": "a b c d", "r": "x y z w"}
    left = {"p": "a b c d", "r": "x y z w"}
    with shelve.open(str(tmp_path / "shelf")) as shelf:
        shelf.update(texts)
        order = list(shelf)
        kept = dedup.find_duplicates(shelf).filter(shelf)
        assert sorted(kept.values()) == sorted(left.values())
        assert type(kept) is dict
        assert ({name: shelf[name] for name in shelf}, list(shelf)) == (texts, order)
    chain = ChainMap({"r": "x y z w"}, {"p": "a b c d", "q": "a b c d"})
    found = dedup.find_duplicates(chain).filter(chain)
    assert (type(found), dict(found), len(chain)) == (ChainMap, left, 3)

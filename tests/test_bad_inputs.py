"""Every public function over a matrix of bad inputs and options: an error of ours that says why, or the answer.

What is bad is refused with a `DedupError` whose message says what was wanted, what was found, and where; what is only
odd gives the answer of the plain list.
"""

from __future__ import annotations

import array
import csv
import dataclasses
import datetime as dt
import enum
import io
import itertools
import math
import re
import sqlite3
import tempfile
import threading
from collections import ChainMap, Counter, OrderedDict, UserDict, UserList, deque, namedtuple
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from datasets import Dataset, DatasetDict, IterableDataset
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup import interop, lsh, minhash, shingling
from dedup.errors import DedupError, InputError, ParameterError
from tests import table_rows

A = "the first ferry left the harbour at noon on Monday"
B = "repairs to the northern mole will take until the spring"
TEXTS = [A, B, A.upper(), "other words altogether", B + "!"]
PAIRS = [(0, 2), (1, 4)]
KEPT = [0, 1, 3]


def said(call: Callable[[], object], *, kind: type[DedupError] = DedupError) -> str:
    """Give the message of the error that a call must raise, once it says what was wanted, what was found, and where."""
    with pytest.raises(kind) as caught:
        call()
    message = str(caught.value)
    assert re.search(
        r"expected|no such|no column|has none|is for|cannot|leave|needs|have their own|is a table", message
    ), message
    assert re.search(r"found|is for|needs|have their own|is a table|is a dict", message), message
    assert "\n" not in message
    assert len(message) < 700, message
    return message


# ------------------------------------------------------------------------------------------------- collections


class Stream:
    """Something that offers its Arrow stream once, and nothing else."""

    def __init__(self, data: Any) -> None:
        self.data, self.asked = data, 0

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        self.asked += 1
        assert self.asked == 1, "a stream can be read once"
        return self.data.__arrow_c_stream__(requested_schema)


class Word(str):  # noqa: SLOT000
    """A text of a derived class, whose length lies."""

    def __len__(self) -> int:
        return 1


class Colour(str, enum.Enum):  # noqa: UP042
    """Texts that are members of an enumeration."""

    RED = A


def table(**more: Any) -> pa.Table:
    """Give the texts as an Arrow table with other columns."""
    return pa.table({"n": list(range(5)), "text": TEXTS, **more})


def reader(data: pa.Table | None = None) -> pa.RecordBatchReader:
    """Give a reader of batches, which can be read once."""
    return (table() if data is None else data).to_reader(max_chunksize=2)


def rows() -> list[dict[str, Any]]:
    """Give the texts as records."""
    return [{"n": i, "text": text} for i, text in enumerate(TEXTS)]


def csv_rows() -> Any:
    """Give a reader of records of a CSV file."""
    out = io.StringIO()
    writer = csv.DictWriter(out, ["n", "text"])
    writer.writeheader()
    writer.writerows(rows())
    return csv.DictReader(io.StringIO(out.getvalue()))


def relation() -> Any:
    """Give a relation of DuckDB."""
    held = table()
    return duckdb.connect().from_arrow(held)


ODD: dict[str, Callable[[], Any]] = {
    "generator": lambda: (text for text in TEXTS),
    "map": lambda: map(str, TEXTS),
    "chain": lambda: itertools.chain(TEXTS[:2], TEXTS[2:]),
    "reversed": lambda: reversed(list(reversed(TEXTS))),
    "filter": lambda: filter(None, TEXTS),
    "islice": lambda: itertools.islice(TEXTS, 5),
    "keys of a dict": lambda: dict.fromkeys(TEXTS).keys(),
    "values of a dict": lambda: dict(enumerate(TEXTS)).values(),
    "iterator of values": lambda: iter(dict(enumerate(TEXTS)).values()),
    "deque": lambda: deque(TEXTS),
    "UserList": lambda: UserList(TEXTS),
    "Counter's elements": lambda: Counter(TEXTS).elements(),
    "texts of a derived class": lambda: [Word(text) for text in TEXTS],
    "members of an enumeration": lambda: [Colour.RED, *TEXTS[1:]],
    "texts of numpy": lambda: [np.str_(text) for text in TEXTS],
    "dict": lambda: dict(enumerate(TEXTS)),
    "OrderedDict": lambda: OrderedDict(enumerate(TEXTS)),
    "UserDict": lambda: UserDict(enumerate(TEXTS)),
    "MappingProxyType": lambda: MappingProxyType(dict(enumerate(TEXTS))),
    "ChainMap": lambda: ChainMap(dict(enumerate(TEXTS))),
    "numpy str": lambda: np.array(TEXTS),
    "numpy objects": lambda: np.array(TEXTS, dtype=object),
    "numpy StringDType": lambda: np.array(TEXTS, dtype=np.dtypes.StringDType()),
    "numpy masked": lambda: np.ma.array(TEXTS, mask=[False] * 5),
    "pandas Index": lambda: pd.Index(TEXTS),
    "pandas array": lambda: pd.array(TEXTS, dtype="string"),
    "pandas StringDtype": lambda: pd.Series(TEXTS, dtype="string"),
    "pandas StringDtype of python": lambda: pd.Series(TEXTS, dtype=pd.StringDtype("python")),
    "pandas categories": lambda: pd.Series(TEXTS, dtype="category"),
    "pandas Categorical": lambda: pd.Categorical(TEXTS),
    "pandas objects": lambda: pd.Series(TEXTS, dtype=object),
    "pandas of Arrow views": lambda: pd.Series(TEXTS, dtype=pd.ArrowDtype(pa.string_view())),
    "pandas whose index has a label 'columns'": lambda: pd.Series(
        TEXTS, index=["columns", "column_names", "c", "d", "e"]
    ),
    "polars": lambda: pl.Series(TEXTS),
    "polars categories": lambda: pl.Series(TEXTS, dtype=pl.Categorical),
    "polars Enum": lambda: pl.Series(TEXTS, dtype=pl.Enum(TEXTS)),
    "arrow": lambda: pa.array(TEXTS),
    "large_string": lambda: pa.array(TEXTS, pa.large_string()),
    "string_view": lambda: pa.array(TEXTS, pa.string_view()),
    "dictionary": lambda: pa.array(TEXTS).dictionary_encode(),
    "run-end encoded": lambda: pa.compute.run_end_encode(pa.array(TEXTS)),
    "chunked": lambda: pa.chunked_array([TEXTS[:2], TEXTS[2:]]),
    "stream of a column": lambda: Stream(pa.chunked_array([TEXTS])),
    "stream of views": lambda: Stream(pa.chunked_array([TEXTS], pa.string_view())),
    "list of dicts": rows,
    "tuple of dicts": lambda: tuple(rows()),
    "iterator of dicts": lambda: iter(rows()),
    "generator of dicts": lambda: (dict(row) for row in rows()),
    "deque of dicts": lambda: deque(rows()),
    "csv.DictReader": csv_rows,
    "reader of batches": reader,
    "stream of a table": lambda: Stream(table()),
    "arrow table": table,
    "record batch": lambda: table().to_batches()[0],
    "pandas frame": lambda: pd.DataFrame(rows()),
    "pandas frame with other labels": lambda: pd.DataFrame({0: [1] * 5, "text": TEXTS, (1, 2): [3] * 5}),
    "polars frame": lambda: pl.DataFrame(rows()),
    "polars lazy frame": lambda: pl.DataFrame(rows()).lazy(),
    "relation of DuckDB": relation,
    "Arrow reader of DuckDB": lambda: relation().to_arrow_reader(),
    "data set": lambda: Dataset.from_list(rows()),
    "column of a data set": lambda: Dataset.from_list(rows())["text"],
    "iterable data set": lambda: IterableDataset.from_generator(rows),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_collections_give_the_answer_of_the_list(kind: str) -> None:
    """Whatever can be read is read once, and to its end."""
    result = dedup.find_duplicates(ODD[kind]())
    assert result.summary.texts == 5
    assert PAIRS == table_rows.ends(result)


SOME = [
    "generator",
    "map",
    "reader of batches",
    "stream of a table",
    "stream of a column",
    "csv.DictReader",
    "iterator of dicts",
    "Arrow reader of DuckDB",
    "pandas array",
]


@pytest.mark.parametrize("kind", SOME)
def test_every_function_reads_it_once(kind: str) -> None:
    """All functions that take texts, not only `find_duplicates`."""
    make = ODD[kind]
    assert dedup.estimate(make()).texts == 5
    assert len(dedup.find_repeats(make(), min_words=5)) == 2
    sets, plain = shingling.shingles(make()), shingling.shingles(TEXTS)
    assert [row.tolist() for row in plain] == [row.tolist() for row in sets]
    both = dedup.match(make(), TEXTS)
    assert (5, 5, 9) == (both.summary.texts, both.summary.against, both.summary.pairs)
    assert both.summary.to_dict() == dedup.match(TEXTS, make()).summary.to_dict()
    paragraphs = dedup.find_duplicates(make(), unit="paragraph", memory="100MB")
    assert 2 == paragraphs.summary.pairs


def test_a_stream_that_is_given_twice() -> None:
    """One generator cannot be both sides of a match."""
    for make in (ODD["generator"], reader, lambda: Stream(table())):
        data = make()
        assert "against: expected another collection" in said(lambda data=data: dedup.match(data, data))
    assert 9 == dedup.match(TEXTS, TEXTS).summary.pairs


def test_only_what_is_wanted_of_a_stream_is_held() -> None:
    """The other columns of a reader are freed, and the one that decides is not."""
    data = table(score=[1, 2, 3, 4, 5])
    result = dedup.find_duplicates(reader(data), id="n", keep="max:score")
    assert [2, 3, 4] == result.kept.to_pylist()


def record() -> Any:
    """Give an instance of a data class."""
    return dataclasses.make_dataclass("Record", [("text", str)])(A)


def failing_reader() -> pa.RecordBatchReader:
    """Give a reader that fails after its first batch."""

    def parts() -> Iterator[pa.RecordBatch]:
        yield from table().to_batches(max_chunksize=2)[:1]
        raise pa.ArrowInvalid("the file ends too early")

    return pa.RecordBatchReader.from_batches(table().schema, parts())


Named = namedtuple("Named", ["n", "text"])  # noqa: PYI024


class Sequenced:
    """What has a length and places, but cannot be iterated."""

    def __len__(self) -> int:
        return 1

    __getitem__ = None


def cursor() -> Any:
    """Give the rows of a query of sqlite."""
    return sqlite3.connect(":memory:").execute("select 'a text'")


doubled = pa.table([pa.array([A]), pa.array([1]), pa.array([B])], names=["text", "n", "text"])

BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "one text": (lambda: A, "found one str"),
    "one text of a derived class": (lambda: Word(A), "found one str"),
    "one text of numpy": (lambda: np.str_(A), "found one str"),
    "bytes": (lambda: b"a text", "found bytes; decode it"),
    "bytearray": (lambda: bytearray(b"a text"), "found bytearray"),
    "memoryview": (lambda: memoryview(b""), "found memoryview"),
    "array of numbers": (lambda: array.array("i", [1]), "found int 1"),
    "None": (lambda: None, "found NoneType"),
    "number": (lambda: 3, "found int"),
    "nan": (lambda: math.nan, "found float"),
    "function": (lambda: table, "found function; call it"),
    "class": (lambda: list, "found type"),
    "object": (object, "found object"),
    "ellipsis": (lambda: ..., "found ellipsis"),
    "sequence that is none": (Sequenced, "found Sequenced"),
    "set": (lambda: {A, B}, "in an order, found a set"),
    "frozenset": (lambda: frozenset([A]), "in an order, found a set"),
    "empty set": (set, "in an order, found a set"),
    "open text file": (lambda: io.StringIO("a\nb\n"), "found an open file"),
    "open file": (lambda: io.BytesIO(b"a\nb\n"), "found an open file"),
    "temporary file": (
        lambda: tempfile._TemporaryFileWrapper(io.StringIO("a"), "a", delete=False),
        "found an open file",
    ),
    "list of paths": (lambda: [Path("a.txt"), Path("b.txt")], "pass dedup.files"),
    "series of paths": (lambda: pd.Series([Path("a.txt")]), "pass dedup.files"),
    "generator of paths": (lambda: (Path(name) for name in "ab"), "pass dedup.files"),
    "text, then a path": (lambda: [A, Path("a.txt")], "position 1"),
    "text, then bytes": (lambda: [A, b"a text"], "position 1, found bytes b'a text'; decode it"),
    "text, then a number": (lambda: [A, 3], "position 1, found int 3"),
    "text, then a bool": (lambda: [A, True], "position 1, found bool True"),
    "text, then a dict": (lambda: [A, {"text": B}], "position 1, found dict"),
    "dict, then a text": (lambda: [{"text": B}, A], "position 1"),
    "tuples": (lambda: [(1, A)], "position 0, found tuple"),
    "zip": (lambda: zip([1], [A], strict=True), "position 0, found tuple"),
    "enumerate": (lambda: enumerate([A]), "position 0, found tuple"),
    "items of a dict": (lambda: {1: A}.items(), "position 0, found tuple"),
    "csv.reader": (lambda: csv.reader(["a,b"]), "position 0, found list"),
    "cursor": (cursor, "position 0, found tuple"),
    "namedtuples": (lambda: [Named(1, A)], "pass a list of dicts"),
    "data classes": (lambda: [record()], "pass a list of dicts"),
    "lists": (lambda: [[A], [B]], "position 0, found list"),
    "dict of lists": (lambda: {"text": TEXTS}, "position 0 (id 'text'), found list"),
    "dict of an empty list": (lambda: {"text": []}, "position 0 (id 'text'), found list"),
    "dict of arrays": (lambda: {"text": np.array(TEXTS)}, "(id 'text'), found ndarray"),
    "dict of frames": (lambda: {"train": pd.DataFrame(rows())}, "(id 'train'), found DataFrame"),
    "dict of columns of Arrow": (lambda: {"text": pa.array(TEXTS)}, "(id 'text'), found StringArray"),
    "dict with an id that is none": (lambda: {None: A}, "ids: expected an int or a str at row 0, found null"),
    "dict with a float as an id": (lambda: {1.5: A}, "found float 1.5"),
    "data sets": (lambda: DatasetDict(train=Dataset.from_list(rows())), "with the splits 'train'; pass one of them"),
    "numpy array without a dimension": (lambda: np.array(A), "in one dimension, found ndarray of 0"),
    "numpy array of two dimensions": (lambda: np.array([TEXTS, TEXTS]), "in one dimension, found ndarray of 2"),
    "empty numpy array of two dimensions": (lambda: np.empty((0, 3), dtype=object), "found ndarray of 2"),
    "numpy bytes": (lambda: np.array([b"a text"]), "decode it"),
    "numpy numbers": (lambda: np.arange(2), "found int 0"),
    "numpy records": (lambda: np.array([(1, "a")], dtype=[("n", "i4"), ("text", "U3")]), "found tuple"),
    "numpy dates": (lambda: np.array(["2024-03-01"], dtype="M8[D]"), "found date"),
    "pandas numbers": (lambda: pd.Series([1, 2]), "found int 1"),
    "pandas dates": (lambda: pd.Series([pd.Timestamp("2024-03-01 10:00:00.000000001")]), "found Timestamp"),
    "pandas bytes": (lambda: pd.Series([b"a text"]), "decode it"),
    "pandas lists": (lambda: pd.Series([[A]]), "found list"),
    "pandas dicts": (lambda: pd.Series([{"text": A}]), "found a Series of struct"),
    "pandas MultiIndex": (lambda: pd.MultiIndex.from_tuples([("a", "b")]), "found tuple"),
    "pandas groups": (lambda: pd.DataFrame(rows()).groupby("n"), "found"),
    "polars numbers": (lambda: pl.Series([1]), "found int 1"),
    "polars bytes": (lambda: pl.Series([b"a text"]), "decode it"),
    "polars lists": (lambda: pl.Series([[A]]), "found list"),
    "polars objects": (lambda: pl.Series([object()], dtype=pl.Object), "found object"),
    "polars struct": (lambda: pl.Series([{"text": A}]), "found a Series of struct"),
    "arrow numbers": (lambda: pa.array([1]), "found int 1"),
    "arrow times": (lambda: pa.array([1], pa.timestamp("ns")), "found"),
    "arrow binary": (lambda: pa.array([b"a text"]), "decode it"),
    "arrow binary dictionary": (lambda: pa.array([b"a text"]).dictionary_encode(), "decode it"),
    "arrow lists": (lambda: pa.array([[A]]), "found list"),
    "arrow struct": (lambda: pa.chunked_array([pa.array([{"text": A}])]), "pyarrow.Table.from_struct_array"),
    "arrow scalar": (lambda: pa.scalar(A), "found StringScalar"),
    "stream of numbers": (lambda: Stream(pa.chunked_array([[1]])), "found int 1"),
    "stream that fails": (failing_reader, "a RecordBatchReader that fails: "),
    "reader of another table": (lambda: reader(pa.table({"body": TEXTS})), "no such column; found 'body'"),
    "stream of another table": (lambda: Stream(pa.table({"body": TEXTS})), "no such column; found 'body'"),
    "generator of other dicts": (lambda: ({"body": text} for text in TEXTS), "no such column; found 'body'"),
    "empty reader of another table": (lambda: reader(pa.table({"body": TEXTS})[:0]), "no such column; found 'body'"),
    "empty frame": (pd.DataFrame, "no such column; found no columns"),
    "empty polars frame": (pl.DataFrame, "no such column; found no columns"),
    "frame without names": (lambda: pd.DataFrame([[1, A]]), "no such column; found 0, 1"),
    "frame with names of two levels": (
        lambda: pd.DataFrame({("a", "text"): [A]}),
        "no such column; found ('a', 'text')",
    ),
    "frame of numbers": (lambda: pd.DataFrame({"text": [1]}), "found int 1"),
    "pandas, doubled": (
        lambda: pd.DataFrame([[A, 1, B]], columns=["text", "n", "text"]),
        "column: expected one column named 'text', found 2 (columns 1 and 3); rename one",
    ),
    "arrow, doubled": (lambda: doubled, "found 2 (columns 1 and 3); rename one"),
    "batch, doubled": (lambda: doubled.to_batches()[0], "found 2 (columns 1 and 3); rename one"),
    "reader, doubled": (lambda: doubled.to_reader(), "found 2 (columns 1 and 3); rename one"),
    "stream, doubled": (lambda: Stream(doubled), "found 2 (columns 1 and 3); rename one"),
    "records, lacking": (lambda: [{"text": A}, {"body": A}], "the row at position 1 has none; found 'body'"),
    "result": (lambda: dedup.find_duplicates([A, A]), "found Duplicates"),
    "a missing file": (lambda: Path("no/such/file.txt"), "found none in 'no/such/file.txt'"),
}

TAKING: dict[str, Callable[[Any], object]] = {
    "find_duplicates": lambda texts: dedup.find_duplicates(texts),
    "find_repeats": lambda texts: dedup.find_repeats(texts),
    "match, left": lambda texts: dedup.match(texts, TEXTS),
    "match, right": lambda texts: dedup.match(TEXTS, texts),
    "estimate": lambda texts: dedup.estimate(texts),
    "suggest": lambda texts: dedup.suggest(texts),
    "shingles": lambda texts: shingling.shingles(texts),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("function", TAKING)
def test_bad_collections(function: str, kind: str) -> None:
    """A value that is not a collection of texts is an error everywhere, never an empty answer or another error."""
    make, part = BAD[kind]
    if function == "find_repeats" and kind.startswith("one text"):
        assert 0 == len(dedup.find_repeats(make()))
        return
    data = make()
    assert part in said(lambda: TAKING[function](data), kind=InputError)


def test_exceptions_of_the_caller_pass() -> None:
    """What a caller's own generator raises comes out as it is."""

    def broken(error: Exception) -> Iterator[str]:
        yield A
        raise error

    for error in (OSError("the connection was lost"), TypeError("a fault of mine"), RuntimeError("stop"), KeyError(3)):
        with pytest.raises(type(error)) as caught:
            dedup.find_duplicates(broken(error))
        assert caught.value is error


def test_the_other_columns_may_be_doubled() -> None:
    """A name that occurs twice does not matter if nobody asks for it."""
    frame = pd.DataFrame([[A, 1, 2], [A, 3, 4]], columns=["text", "n", "n"])
    for data in (frame, pa.table([[A, A], [1, 3], [2, 4]], names=["text", "n", "n"])):
        assert [0] == dedup.find_duplicates(data).kept.to_pylist()
        for options in ({"id": "n"}, {"keep": "max:n"}):
            name = next(iter(options))
            message = said(lambda data=data, options=options: dedup.find_duplicates(data, **options), kind=InputError)
            assert f"{name}: expected one column named 'n', found 2 (columns 2 and 3); rename one" == message


def test_an_empty_list_may_be_a_table() -> None:
    """A list of no rows takes the name of a column, as one of rows would."""
    for data in ([], iter([]), (row for row in [])):
        assert 0 == dedup.find_duplicates(data, column="body", id="n").summary.texts


@pytest.mark.parametrize("function", [dedup.find_duplicates, dedup.find_repeats, dedup.estimate, shingling.shingles])
def test_a_list_that_another_thread_changes(function: Callable[[Any], object]) -> None:
    """A search sees the list as it was, whoever changes it; it ends, and finds what was there."""
    texts = [f"{A} {i % 50}" for i in range(2000)]
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            texts.append(B)
            del texts[-1:]
            texts[5:] = texts[5:] if len(texts) % 2 else texts[5:-1]

    changing = threading.Thread(target=change)
    changing.start()
    try:
        for _ in range(5):
            function(texts)
    finally:
        stop.set()
        changing.join()


def test_the_search_sees_one_state_of_a_list() -> None:
    """What is done to the list while it is searched changes nothing."""
    texts = [A, A, B]

    def clear(stage: str, done: int, total: int) -> None:
        texts.clear()

    result = dedup.find_duplicates(texts, progress=clear)
    assert ([0, 2], []) == (result.kept.to_pylist(), texts)
    assert [A] == [row["text"] for row in result.repeated.to_pylist()]


def test_a_collection_that_changes_while_it_is_read() -> None:
    """A deque cannot be read while it grows: an error that says so."""

    class Growing(deque):  # type: ignore[type-arg]
        def __iter__(self) -> Iterator[str]:
            for text in super().__iter__():
                self.append(B)
                yield text

    message = said(lambda: dedup.find_duplicates(Growing([A, B])), kind=InputError)
    assert "found a Growing that changed; pass a copy, as list(texts)" in message


# ------------------------------------------------------------------------------------------------------- files


def test_files_in_lists(tmp_path: Path) -> None:
    """`dedup.files` takes paths one by one and in lists."""
    paths = [tmp_path / f"{i}.txt" for i in range(3)]
    for path in paths:
        path.write_text(A, encoding="utf-8")
    for some in ([paths], [tuple(paths)], [iter(paths)], paths, [paths[:1], str(paths[1]), [paths[2:]]], [set(paths)]):
        assert list(map(str, paths)) == dedup.files(*some).paths
    assert [str(paths[0])] == dedup.find_duplicates(dedup.files(paths)).kept.to_pylist()


@pytest.mark.parametrize("path", [3, None, b"a.txt", [b"a.txt"], {"a": "b"}, "a\0b", [["a\0b"]], object(), 1.5, True])
def test_not_a_path(path: Any) -> None:
    """Anything else is an error that shows it."""
    assert "files: expected paths" in said(lambda: dedup.files(path), kind=InputError)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("column", value) for value in (3, ["text", 3], [], b"text", True)),
        *(("id", value) for value in (3, ["n"], 1.5)),
        *(("format", value) for value in (3, "docx", ["jsonl"])),
        *(("encoding", value) for value in (3, "", "nonsense", "hex", ["utf-8"])),
        *((option, value) for option in ("include", "exclude") for value in (3, "", None, ["*.md", 3])),
        *(("on_error", value) for value in (3, "stop", None, ["fail"])),
        *(("max_errors", value) for value in (-1, 1.5, "many", True, "101%", [1])),
    ],
)
def test_bad_options_of_files(option: str, value: Any, tmp_path: Path) -> None:
    """Options of `dedup.files`."""
    (tmp_path / "a.txt").write_text(A, encoding="utf-8")
    assert said(lambda: dedup.files(tmp_path, **{option: value}), kind=ParameterError).startswith(f"{option}: ")


# ----------------------------------------------------------------------------------------------------- options

NUMBERS: list[Any] = [
    True,
    "1",
    b"1",
    [1],
    (1,),
    {},
    1j,
    object(),
    np.array([1, 2]),
    np.bool_(True),
    math.nan,
    math.inf,
]
OTHERS: list[Any] = [3, 1.5, True, b"document", ["document"], ("document",), {}, object(), np.array(["document"]), ""]
"""Values that are not words."""

OPTIONS: dict[str, list[Any]] = {
    "threshold": [
        *NUMBERS,
        None,
        0,
        -1,
        1.1,
        80,
        -0.0,
        Fraction(3, 2),
        Decimal("NaN"),
        Decimal("sNaN"),
        np.float32(2),
        10**400,
    ],
    "passage_threshold": [*NUMBERS, None, 0, -1, 1.1, 80, -0.0, Fraction(3, 2), Decimal("NaN"), np.float32(2), 10**400],
    "recall": [*NUMBERS, None, 0, 1, 1.0, -1, Decimal(1), np.float64(0)],
    "seed": [*NUMBERS, None, -1, 1 << 32, 0.5, 1.0, 10**5000],
    "min_words": [*NUMBERS, 0, -1, 50.0, "50", Fraction(50), np.int64(0)],
    "threads": [*NUMBERS, 0, -1, 2.0, 1 << 63, 5000, 10**5000, np.uint64(2**63)],
    "memory": [
        True,
        "",
        "lots",
        b"4GB",
        [4],
        0,
        -1,
        0.5,
        math.nan,
        math.inf,
        "-4GB",
        "4 GX",
        "4,5GB",
        "1e9",
        "0GB",
        1 << 63,
        "9" * 400 + "GB",
        "99999999TB",
        object(),
        np.bool_(True),
    ],
    "unit": [*OTHERS, None, "documents", "DOCUMENT"],
    "metric": [*OTHERS, None, "cosine"],
    "method": [*OTHERS, None, "fast"],
    "pairs": [*OTHERS, None, "some"],
    "distinct": [
        3,
        True,
        None,
        object(),
        "",
        np.array(["document"]),
        {},
        "words",
        "NUMBERS",
        ["numbers", "words"],
        {"numbers": 1},
        [["numbers"]],
        [None],
        b"numbers",
        "numbers,symbols",
    ],
    "min_documents": [0, -1, 1.5, math.nan, "2", True, [2], {}, object()],
    "within": [3, True, object(), {}, {"a"}, b"text", iter(["a"])],
    "across": [3, True, object(), {}, {"a"}, b"text", iter(["a"])],
    "ignore": [
        *(3, True, None, object(), "", np.array(["document"]), {}, "words", "ACCENTS", ["numbers", "words"]),
        *({"accents": 1}, [["accents"]], [None], b"accents", "accents,markup"),
    ],
    "tokens": [*OTHERS, None, "ALL", ["all"]],
    "keep": [
        3,
        True,
        None,
        "",
        "best",
        "max:",
        "min:",
        ["first"],
        {},
        b"first",
        np.array(["first"]),
        lambda: 1,
        lambda text: 1,
    ],
    "shingle": [
        3,
        True,
        "",
        "words",
        "words:0",
        "words:1001",
        "words:5\n",
        "bytes:3",
        b"words:5",
        ["words:5"],
        "words:\u0665",
    ],
    "progress": [3, "yes", [], {}, 1.5],
    "column": [0, 1.5, True, [], ["text", 3], ("text", None), {"text"}, b"text", object()],
    "id": [0, 1.5, True, ["n"], b"n", object()],
}

WITH: dict[str, tuple[Callable[..., object], set[str]]] = {
    "find_duplicates": (
        lambda **options: dedup.find_duplicates(unread(), **options),
        set(OPTIONS) - {"min_words", "passage_threshold"},
    ),
    "find_repeats": (
        lambda **options: dedup.find_repeats(unread(), **options),
        {"min_words", "threshold", "ignore", "tokens", "threads", "memory", "progress", "column", "id"},
    ),
    "match": (
        lambda **options: dedup.match(unread(), unread(), **options),
        {"unit", "threshold", "metric", "shingle", "min_words", "passage_threshold", "distinct", "threads", "memory"}
        | {"progress"}
        | {"column", "id", "within", "across", "ignore", "tokens"},
    ),
    "estimate": (
        lambda **options: dedup.estimate(unread(), **options),
        {"unit", "threshold", "metric", "shingle", "method", "recall", "distinct", "threads", "memory", "column", "id"}
        | {"within", "across", "ignore", "tokens"},
    ),
    "suggest": (
        lambda **options: dedup.suggest(unread(), **options),
        {"unit", "seed", "ignore", "tokens", "threads", "memory", "progress", "column", "id"},
    ),
    "compare": (lambda **options: dedup.compare(A, B, **options), {"shingle", "metric", "ignore", "tokens"}),
    "shingles": (lambda **options: shingling.shingles(unread(), **options), {"shingle", "ignore", "tokens"}),
}


def unread() -> Iterator[str]:
    """Give a collection that must not be read: options are checked before."""
    raise AssertionError("a text was read before the options were checked")
    yield ""


CASES = [
    pytest.param(function, option, value, id=f"{function}-{option}-{i}")
    for function, (_, options) in WITH.items()
    for option in sorted(options)
    for i, value in enumerate(OPTIONS[option])
    if not (value is None and (function, option) == ("match", "min_words"))
]


@pytest.mark.parametrize(("function", "option", "value"), CASES)
def test_bad_options(function: str, option: str, value: Any) -> None:
    """Each option of each function refuses what means nothing, before a text is read, and says which it was."""
    message = said(lambda: WITH[function][0](**{option: value}), kind=ParameterError)
    assert message.removeprefix("texts: ").startswith(f"{option}: expected"), message


GOOD: dict[str, list[Any]] = {
    "threshold": [
        np.float32(0.8),
        np.float16(0.8),
        np.float64(0.8),
        Fraction(4, 5),
        Decimal("0.8"),
        np.longdouble(0.8),
    ],
    "recall": [np.float32(0.999), Decimal("0.999"), Fraction(999, 1000)],
    "seed": [np.int64(1), np.uint8(1)],
    "threads": [np.int64(1), np.uint16(2), 4096],
    "memory": [
        np.int64(10**9),
        "1GB",
        "1 GB",
        "1g",
        "954 MiB",
        " 1 gb ",
        1e9,
        (1 << 63) - 1,
        Decimal(10**9),
        "1000000000",
    ],
    "unit": [np.str_("document"), Word("document")],
    "metric": [np.str_("jaccard")],
    "method": [np.str_("exact")],
    "keep": [np.str_("first")],
    "pairs": [np.str_("auto")],
    "distinct": [[], (), set(), frozenset()],
    "min_documents": [None, np.int64(1), 2],
    "ignore": [[], (), set(), frozenset()],
    "tokens": [np.str_("words")],
    "shingle": [np.str_("words:5")],
    "progress": [False, np.bool_(False), lambda stage, done, total: None],
}


@pytest.mark.parametrize(("option", "value"), [(name, value) for name, values in GOOD.items() for value in values])
def test_odd_options_are_the_plain_ones(option: str, value: Any) -> None:
    """A number of numpy is a number, and a text of a derived class a text."""
    texts = [*TEXTS, "one two three four five six seven eight nine", "one two three four five six seven eight nine ten"]
    plain = dedup.find_duplicates(texts, threshold=0.8)
    result = dedup.find_duplicates(texts, **{option: value})
    assert table_rows.tables(plain) == table_rows.tables(result)
    assert plain.summary.to_dict() == result.summary.to_dict()
    assert type(result.summary.threshold) is float


def test_whole_numbers_of_numpy() -> None:
    """In the functions that take other options."""
    text = f"{A}\n\n{B}\n\n{A}"
    assert dedup.find_repeats(text, min_words=np.int64(5)).table == dedup.find_repeats(text, min_words=5).table
    found = dedup.match([text], [A], min_words=np.int32(5)).passages
    assert found == dedup.match([text], [A], min_words=5).passages
    sets = shingling.shingles(TEXTS)
    signed = minhash.signatures(sets, num_perm=np.int64(16), seed=np.int64(7))
    assert np.array_equal(minhash.signatures(sets, num_perm=16, seed=7), signed)
    assert lsh.choose_bands(np.float32(0.8), np.float32(0.999)) == lsh.choose_bands(0.8, 0.999)


def test_one_threshold_is_one_kernel() -> None:
    """1, 1.0 and a number of numpy are one search; no kernel is compiled for a second type."""
    from dedup.kernels import clusters, self_join

    named = (each for module in (clusters, self_join) for each in vars(module).values())
    kernels = [entry for each in named if hasattr(each, "entries") for entry in each.entries.values()]
    if not kernels:
        pytest.skip("the kernels are compiled ahead of time, each for one type")
    dedup.find_duplicates(TEXTS, threshold=1.0)
    before = [len(kernel.signatures) for kernel in kernels]
    assert sum(before) > 0
    result = dedup.find_duplicates(TEXTS, threshold=0.5)
    for threshold in (1, np.float32(1), Fraction(1), np.int64(1)):
        assert 1.0 == dedup.find_duplicates(TEXTS, threshold=threshold).summary.threshold
        assert table_rows.tables(result.rethreshold(threshold)) == table_rows.tables(
            dedup.find_duplicates(TEXTS, threshold=1.0)
        )
    assert before == [len(kernel.signatures) for kernel in kernels]


# ----------------------------------------------------------------------------------------------------- ids, texts

IDS: list[tuple[Any, str]] = [
    ("abcde", "found str 'abcde'"),
    (b"abcde", "found bytes"),
    (5, "found int 5"),
    ({1, 2, 3, 4, 5}, "found set"),
    (dict(enumerate("abcde")), "found dict"),
    (Path("abcde"), "found"),
    (np.array("abcde"), "found ndarray"),
    (np.arange(10).reshape(5, 2), "found ndarray"),
    (pd.DataFrame({"a": range(5)}), "found DataFrame"),
    (pa.table({"a": range(5)}), "found Table"),
    ([1, 2, 3, 4, None], "row 4, found null"),
    ([1, 2, 3, 4, math.nan], "row 4, found null"),
    ([1, 2, 3, 4, True], "row 4, found bool True"),
    ([1.5, 2, 3, 4, 5], "row 0, found float 1.5"),
    ([1, 2, 3, 4, "5"], "found int 1 at row 0 and str '5' at row 4"),
    ([1, 2, 3, 4, 4], "found 4 at row 3 and at row 4"),
    ([1, 2, 3, 4, 1 << 64], "row 4; pass it as a str"),
    ([1, 2, 3, 4, 10**5000], "row 4; pass it as a str"),
    ([1, 2, 3, 4], "found 4 for 5 texts"),
    ([b"a", b"b", b"c", b"d", b"e"], "row 0, found bytes b'a'"),
    ([[1]] * 5, "row 0, found list [1]"),
    ([dt.date(2024, 3, 1)] * 5, "row 0, found date"),
]


@pytest.mark.parametrize(("ids", "part"), IDS)
def test_bad_ids(ids: Any, part: str) -> None:
    """Ids are one int or str a text."""
    for call in (dedup.find_duplicates, dedup.find_repeats, dedup.estimate):
        message = said(lambda call=call: call(TEXTS, ids=ids), kind=InputError)
        assert message.startswith("ids: ")
        assert part in message
    assert part in said(lambda: dedup.match(TEXTS, TEXTS, against_ids=ids), kind=InputError)


@pytest.mark.parametrize(
    "text", [None, 3, 1.5, b"a", [A], {"a": A}, Path("a.txt"), object(), pa.scalar("a"), np.array(A)]
)
def test_bad_texts_to_compare(text: Any) -> None:
    """`compare` takes two texts."""
    assert said(lambda: dedup.compare(text, A), kind=InputError).startswith("a: expected a str, found")
    assert said(lambda: dedup.compare(A, text), kind=InputError).startswith("b: expected a str, found")
    assert 1.0 == dedup.compare(Word(A), np.str_(A)).jaccard


# --------------------------------------------------------------------------------------------------- other parts

SETS = shingling.shingles(TEXTS)
ROWS = np.zeros((2, 56), dtype=np.uint32)
BANDS = lsh.Bands(14, 4, 0.8, 0.999)

CALLS: dict[str, tuple[Callable[[], object], str]] = {
    "signatures of texts": (lambda: minhash.signatures(TEXTS), "shingles"),  # type: ignore[arg-type]
    "signatures of nothing": (lambda: minhash.signatures(None), "shingles"),  # type: ignore[arg-type]
    "signatures of a dict": (lambda: minhash.signatures({}), "shingles"),  # type: ignore[arg-type]
    "no permutation": (lambda: minhash.signatures(SETS, num_perm=0), "num_perm"),
    "too many permutations": (lambda: minhash.signatures(SETS, num_perm=1 << 17), "num_perm"),
    "a share of a permutation": (lambda: minhash.permutations(1.5), "num_perm"),  # type: ignore[arg-type]
    "a seed that is a text": (lambda: minhash.permutations(4, "1"), "seed"),  # type: ignore[arg-type]
    "estimate of lists": (lambda: minhash.estimate([1], [1]), "left"),  # type: ignore[arg-type]
    "estimate of other rows": (lambda: minhash.estimate(ROWS[0], ROWS[0].astype(np.int64)), "right"),  # type: ignore[arg-type]
    "bands at no threshold": (lambda: lsh.choose_bands(0), "threshold"),
    "bands of a text": (lambda: lsh.choose_bands("0.8"), "threshold"),  # type: ignore[arg-type]
    "bands for all": (lambda: lsh.choose_bands(0.8, 1), "recall"),
    "bands for few": (lambda: lsh.choose_bands(0.8, texts=-1), "texts"),
    "bands for a share": (lambda: lsh.choose_bands(0.8, background=2), "background"),
    "bands for a word": (lambda: lsh.choose_bands(0.8, background="low"), "background"),  # type: ignore[arg-type]
    "bands of no rows": (lambda: lsh.Bands(1, 0, 0.8, 0.9), "rows"),
    "fewer bands than none": (lambda: lsh.Bands(-1, 1, 0.8, 0.9), "bands"),
    "keys of lists": (lambda: lsh.band_keys([[1]], BANDS), "signatures"),  # type: ignore[arg-type]
    "keys of 64 bits": (lambda: lsh.band_keys(ROWS.astype(np.uint64), BANDS), "signatures"),  # type: ignore[arg-type]
    "keys by no bands": (lambda: lsh.band_keys(ROWS, 14), "bands"),  # type: ignore[arg-type]
    "index by no bands": (lambda: lsh.LSH(14), "bands"),  # type: ignore[arg-type]
    "one key": (lambda: lsh.LSH(BANDS).add("ab", ROWS), "keys"),  # type: ignore[arg-type]
    "no keys": (lambda: lsh.LSH(BANDS).add(3, ROWS), "keys"),  # type: ignore[arg-type]
    "added lists": (lambda: lsh.LSH(BANDS).add(["a"], [[1]]), "signatures"),  # type: ignore[arg-type]
    "asked for a list": (lambda: lsh.LSH(BANDS).query([1]), "signature"),  # type: ignore[arg-type]
    "buckets of lists": (lambda: lsh.find_buckets([[1]], np.arange(1)), "keys"),  # type: ignore[arg-type]
    "buckets of rows beyond": (lambda: lsh.find_buckets(np.zeros((1, 2), np.uint64), np.arange(9)), "texts"),
    "recall of lists": (lambda: lsh.measure_recall([0.9], BANDS), "similarities"),  # type: ignore[arg-type]
    "recall by no bands": (lambda: lsh.measure_recall(np.ones(1), None), "bands"),  # type: ignore[arg-type]
    "signatures of one text": (lambda: interop.datasketch_signatures("ab"), "token_sets"),  # type: ignore[arg-type]
    "signatures of texts ": (lambda: interop.datasketch_signatures(["ab"]), "token_sets"),  # type: ignore[list-item]
    "signatures of words": (lambda: interop.datasketch_signatures([["ab"]]), "token_sets"),  # type: ignore[list-item]
    "signatures of numbers": (lambda: interop.datasketch_signatures([3]), "token_sets"),  # type: ignore[list-item]
    "signatures of none": (lambda: interop.datasketch_signatures(None), "token_sets"),  # type: ignore[arg-type]
    "a list for datasketch": (lambda: interop.to_minhash([1]), "signature"),  # type: ignore[arg-type]
    "rows for datasketch": (lambda: interop.to_leanminhash(ROWS), "signature"),
    "a seed for datasketch": (lambda: interop.to_minhash(ROWS[0], seed=-1), "seed"),
    "texts of datasketch": (lambda: interop.from_datasketch(["a"]), "minhashes"),
    "nothing of datasketch": (lambda: interop.from_datasketch([]), "minhashes"),
    "no list of datasketch": (lambda: interop.from_datasketch(3), "minhashes"),  # type: ignore[arg-type]
    "a report of texts": (lambda: dedup.write_report("out", TEXTS), "result"),  # type: ignore[arg-type]
    "a report of memory": (lambda: dedup.write_report("out", dedup.find_duplicates(TEXTS)), "result"),
    "a report nowhere": (lambda: dedup.write_report(3, dedup.find_duplicates(TEXTS)), "folder"),  # type: ignore[arg-type]
    "a report with a listing": (lambda: dedup.write_report("out", dedup.find_duplicates(TEXTS), ["x"]), "options"),  # type: ignore[arg-type]
    "a report with texts": (lambda: dedup.write_report("out", dedup.find_duplicates(TEXTS), {"of": {1}}), "options"),
    "a report with numbers": (lambda: dedup.write_report("out", dedup.find_duplicates(TEXTS), {3: 1}), "options"),  # type: ignore[dict-item]
    "no report": (lambda: dedup.apply_report(3, "out"), "report"),  # type: ignore[arg-type]
    "applied nowhere": (lambda: dedup.apply_report("report", None), "output"),  # type: ignore[arg-type]
    "annotated how": (lambda: dedup.apply_report("report", "out", annotate="no"), "annotate"),  # type: ignore[arg-type]
    "applied by none": (lambda: dedup.apply_report("report", "out", threads=0), "threads"),
    "repeats of no words": (lambda: dedup.find_repeats(A).without_repeats(0), "min_words"),
    "repeats of a share": (lambda: dedup.find_repeats(A).without_repeats(0.5), "min_words"),  # type: ignore[arg-type]
    "paragraphs how": (
        lambda: dedup.find_repeats(A).without_repeats(whole_paragraphs="no"),  # type: ignore[arg-type]
        "whole_paragraphs",
    ),
    "another threshold": (lambda: dedup.find_duplicates(TEXTS).rethreshold("0.9"), "threshold"),  # type: ignore[arg-type]
    "a lower threshold": (lambda: dedup.find_duplicates(TEXTS).rethreshold(0.5), "threshold"),
    "a threshold of many": (lambda: dedup.find_duplicates(TEXTS).rethreshold(np.ones(2)), "threshold"),  # type: ignore[arg-type]
    "filtered by a list": (lambda: dedup.match(TEXTS, TEXTS).filter(TEXTS, by=["pairs"]), "by"),  # type: ignore[arg-type]
    "filtered by what": (lambda: dedup.match(TEXTS, TEXTS).filter(TEXTS, by="texts"), "by"),
}


@pytest.mark.parametrize("what", CALLS)
def test_other_parts(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts below the searches, and what is done with a result."""
    monkeypatch.chdir(tmp_path)
    call, name = CALLS[what]
    assert said(call).startswith(f"{name}")


# -------------------------------------------------------------------------------------------------------- junk

LEAVES = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        1.5,
        math.nan,
        b"x",
        object(),
        Path("a"),
        np.float32(1),
        pd.NA,
        pd.NaT,
        Decimal(1),
        {1},
        int,
        1j,
        pa.scalar("a"),
        np.array(["a"]),
        np.array("a"),
        Ellipsis,
        NotImplemented,
        range(2),
        dt.date(2024, 3, 1),
    ]
)
JUNK = st.recursive(
    LEAVES | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=2) | st.integers(0, 3) | st.none(), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(JUNK)
def test_junk_for_texts(junk: Any) -> None:
    """Whatever comes in: an answer about all of it, or an error of ours."""
    for call in (dedup.find_duplicates, dedup.find_repeats, shingling.shingles):
        try:
            result = call(junk)
        except DedupError as error:
            assert "expected" in str(error) or "no such" in str(error)
        else:
            count = 1 if isinstance(junk, str) else len(junk)
            texts = result.summary.texts if isinstance(result, dedup.Duplicates) else result
            assert count == (texts if isinstance(texts, int) else len(getattr(texts, "texts", texts)))


@given(st.sampled_from(sorted(OPTIONS)), JUNK)
def test_junk_for_options(option: str, junk: Any) -> None:
    """Whatever an option is given: an answer, or an error of ours."""
    if option == "min_words":
        call: Callable[..., object] = dedup.find_repeats
    elif option == "passage_threshold":
        call = partial(dedup.match, [A])
    else:
        call = dedup.find_duplicates
    try:
        call([A, A], **{option: junk})
    except DedupError as error:
        assert "expected" in str(error) or "is for tables" in str(error)


@pytest.mark.parametrize("ids", [{"ids": ["\ud800", "y"]}, {"id": "i"}, {}])
def test_ids_that_utf8_cannot_hold(ids: dict[str, Any]) -> None:
    """They are refused by the search, not by the tables that come after it."""
    data: Any = {"\ud800": "a b", "y": "a b"} if not ids else ["a b", "a b"]
    if "id" in ids:
        data = [{"text": "a b", "i": "\ud800"}, {"text": "a b", "i": "y"}]
    says = r"ids: expected texts that can be UTF-8, found '.ud800' at row 0.*replace it"
    with pytest.raises(InputError, match=says):
        dedup.find_duplicates(data, **ids)


def test_a_damaged_column_of_categories() -> None:
    """An index beyond the categories is an error of the column."""
    indices, values = pa.array([0, 9, 1], pa.int32()), pa.array(["a b", "c d"])
    column = pa.DictionaryArray.from_arrays(indices, values, safe=False)
    with pytest.raises(InputError, match="index with value of 9 is out-of-bounds.*read it anew"):
        dedup.find_duplicates(column)

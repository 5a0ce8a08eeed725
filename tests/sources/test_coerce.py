"""Texts in any form become the same blocks of UTF-8, wherever the blocks are cut."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup import InputError, ParameterError
from dedup.kernels.text_layout import PADDING
from dedup.sources.coerce import read_texts
from dedup.sources.texts import BlockLimits, Texts
from tests import corpora, strategies, table_rows
from tests.kernel_arrays import dtypes

SIZES = [1, 64, 1000]
MANY = [
    *corpora.in_all_scripts()[0],
    "",
    *corpora.families(count=6, size=8, words=40),
    "\0",
    "one",
    "one",
    "e\u0301 " * 50,
    "x" * 3000,
    "",
]
FEW = ["one two", "", "drei vier", "北京", "e\u0301", "one two", "🌊 x"]

texts_or_none = st.lists(st.one_of(st.none(), strategies.texts(max_words=6)), max_size=9)


def read(texts: Any, **options: Any) -> list[str]:
    """Read texts through their blocks; check the form of each block."""
    collection = read_texts(texts, **options)
    found: list[str] = []
    for block in collection.blocks():
        assert len(found) == block.first
        assert "uint8 int64 int64" == dtypes(block.values, block.starts, block.ends)
        assert len(block.starts) == len(block.ends) > 0
        assert int(block.ends.max()) + PADDING <= len(block.values), "a kernel may read so far"
        assert np.all(block.starts <= block.ends)
        for start, end in zip(block.starts, block.ends, strict=True):
            found.append(block.values[start:end].tobytes().decode("utf-8", "surrogatepass"))
    assert len(collection) == len(found)
    assert found == [collection[row] for row in range(len(found))]
    assert [len(text) for text in found] == collection.lengths().tolist()
    return found


def in_blocks(texts: Any, size: int) -> Texts:
    """Give a collection in blocks that aim at so little that there are several."""
    collection = read_texts(texts, limits=BlockLimits(size=size))
    assert len(list(collection.blocks())) > 1
    return collection


def plain(texts: Sequence[str | None]) -> list[str]:
    """Give the texts, missing ones as empty."""
    return [text or "" for text in texts]


# ---------------------------------------------------------------------------- Arrow of every kind


def sliced(array: pa.Array) -> pa.Array:
    """Give an array as a slice of a longer one, so that its offset is not zero."""
    more = pa.array(["before", "too"], pa.string()).cast(array.type)
    return pa.concat_arrays([more, array, more]).slice(2, len(array))


def cut(array: pa.Array) -> pa.ChunkedArray:
    """Give an array in chunks: single ones, empty ones, sliced ones."""
    middle = len(array) // 2
    parts = [array.slice(0, 0), array.slice(0, 1), array.slice(1, middle), array.slice(middle + 1)]
    if len(array) == 0:
        parts = parts[:1]
    return pa.chunked_array(parts, array.type)


KINDS: dict[str, Callable[[list[str | None]], Any]] = {
    "string": lambda texts: pa.array(texts, pa.string()),
    "large_string": lambda texts: pa.array(texts, pa.large_string()),
    "string_view": lambda texts: pa.array(texts, pa.string()).cast(pa.string_view()),
    "dictionary": lambda texts: pa.array(texts, pa.string()).dictionary_encode(),
    "large dictionary": lambda texts: pa.array(texts, pa.large_string()).dictionary_encode(),
    "slice": lambda texts: sliced(pa.array(texts, pa.string())),
    "large slice": lambda texts: sliced(pa.array(texts, pa.large_string())),
    "slice of views": lambda texts: sliced(pa.array(texts, pa.string()).cast(pa.string_view())),
    "slice of a dictionary": lambda texts: pa.array(["x", *texts], pa.string()).dictionary_encode().slice(1),
    "dictionary that holds nulls": lambda texts: pa.DictionaryArray.from_arrays(
        pa.array(range(len(texts)), pa.int32()), pa.array(texts, pa.string())
    ),
    "chunks": lambda texts: cut(pa.array(texts, pa.string())),
    "chunks of views": lambda texts: cut(pa.array(texts, pa.string()).cast(pa.string_view())),
    "chunks of a dictionary": lambda texts: cut(pa.array(texts, pa.string()).dictionary_encode()),
    "chunks of slices": lambda texts: cut(sliced(pa.array(texts, pa.large_string()))),
    "polars": lambda texts: pl.Series(texts, dtype=pl.String),
    "polars slice": lambda texts: pl.Series(["x", *texts, "y"], dtype=pl.String).slice(1, len(texts)),
    "polars categories": lambda texts: pl.Series(texts, dtype=pl.Categorical),
    "pandas": lambda texts: pd.Series(texts, dtype="str"),
    "pandas objects": lambda texts: pd.Series(texts, dtype=object),
    "pandas of Arrow": lambda texts: pd.Series(texts, dtype=pd.ArrowDtype(pa.string())),
    "pandas categories": lambda texts: pd.Series(texts, dtype="category"),
    "numpy": lambda texts: np.array(texts, dtype=object),
    "tuple": tuple,
    "generator": iter,
}


@pytest.mark.parametrize("kind", KINDS)
@given(texts=texts_or_none)
def test_every_kind_of_column(kind: str, texts: list[str | None]) -> None:
    """The same texts from every kind of column: sliced, chunked, encoded, with nulls, empty."""
    column = KINDS[kind]([None if t is None else t.replace("\0", " ") for t in texts])
    assert plain([None if t is None else t.replace("\0", " ") for t in texts]) == read(column)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_blocks_of_every_kind(kind: str, size: int) -> None:
    """However small the blocks are, they hold the same texts."""
    texts = [*MANY, None, *MANY]
    assert plain(texts) == read(in_blocks(KINDS[kind](texts), size))


@pytest.mark.parametrize("kind", KINDS)
def test_missing_texts_are_counted(kind: str) -> None:
    """Nulls are empty texts: counted, kept, equal to nothing."""
    result = dedup.find_duplicates(KINDS[kind](["one", None, "two", None, "", "two"]))
    assert (6, 3) == (result.summary.texts, result.summary.empty)
    assert [0, 1, 2, 3, 4] == result.kept.to_pylist()


@pytest.mark.parametrize(
    "column",
    [
        pa.nulls(3),
        pa.nulls(3, pa.string()),
        pa.chunked_array([pa.nulls(1), pa.nulls(2)]),
        pa.chunked_array([["x"], [None, None, None]], pa.string()).slice(1),
        pd.Series([None, None, None], dtype=object),
        pl.Series([None, None, None]),
        [None, float("nan"), pd.NA],
    ],
)
def test_columns_of_nulls(column: Any) -> None:
    """Nothing but nulls: as many empty texts."""
    assert ["", "", ""] == read(column)
    assert 3 == dedup.find_duplicates(column).summary.empty


@pytest.mark.parametrize(
    "column",
    [
        pa.array([], pa.string()),
        pa.array([], pa.large_string()),
        pa.array([], pa.string_view()),
        pa.nulls(0),
        pa.chunked_array([], pa.string()),
        pa.chunked_array([[], []], pa.large_string()),
        pa.array(["x"]).slice(1),
        pl.Series([], dtype=pl.String),
        pd.Series([], dtype="str"),
    ],
)
def test_columns_of_nothing(column: Any) -> None:
    """No rows: no blocks, no error."""
    assert [] == read(column)


def test_all_texts_empty() -> None:
    """Only empty texts, of every kind: they are there, without a byte."""
    for kind, make in KINDS.items():
        assert ["", "", ""] == read(make(["", "", ""])), kind


class Stream:
    """Something that offers its Arrow stream and nothing else."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Hand over the stream."""
        return self.data.__arrow_c_stream__(requested_schema)


def test_what_is_known_only_by_its_stream() -> None:
    """A column or a table of an unknown library."""
    column = pa.chunked_array([FEW, FEW])
    assert FEW * 2 == read(Stream(column))
    table = pa.table({"text": column, "other": range(len(FEW) * 2)})
    assert FEW * 2 == read(Stream(table))
    assert FEW * 2 == read(Stream(table.rename_columns(["body", "text"])), column="body")


# -------------------------------------------------------------------------------- results, blocks


def results(texts: Any, threads: int) -> Any:
    """Give all that two runs must agree on."""
    documents = dedup.find_duplicates(texts, shingle="words:3", threads=threads)
    paragraphs = dedup.find_duplicates(texts, unit="paragraph", threshold=0.6, threads=threads)
    return table_rows.tables(documents), table_rows.tables(paragraphs)


@pytest.fixture(scope="module")
def whole() -> Any:
    """Give the results in one block."""
    return results(MANY, 1)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("size", SIZES)
def test_results_do_not_depend_on_the_blocks(size: int, threads: int, whole: Any) -> None:
    """Documents and paragraphs, from lists and from Arrow: the same tables, wherever blocks end."""
    assert whole == results(in_blocks(MANY, size), threads)
    assert whole == results(in_blocks(pa.chunked_array([MANY[:7], MANY[7:]]), size), threads)


def test_repeats_do_not_depend_on_the_blocks() -> None:
    """Repeats across texts too."""
    texts = [corpora.doubled_article(seed).text for seed in (1, 2, 1)] + [""] * 30  # lists are taken 32 at a time
    expected = dedup.find_repeats(texts).table.to_pylist()
    assert len(expected) >= 3
    for size in SIZES:
        assert expected == dedup.find_repeats(in_blocks(texts, size)).table.to_pylist()
        assert expected == dedup.find_repeats(in_blocks(pa.chunked_array([texts]), size)).table.to_pylist()


def test_few_texts_a_block() -> None:
    """Short texts are counted too, so that a block of empty ones has an end."""
    for texts in ([""] * 100, pa.chunked_array([[""] * 100]), ["a"] * 95):
        counts = [len(block.starts) for block in read_texts(texts, limits=BlockLimits(texts=10)).blocks()]
        assert max(counts) <= 10 + 32  # lists are taken 32 at a time
        assert len(texts) == sum(counts)


# ------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize("size", [1, 1 << 19])
@pytest.mark.parametrize("place", [0, 31, 32, 33, 99])
def test_the_place_of_what_is_no_text(place: int, size: int) -> None:
    """The position is that in the collection, in whichever block it stands."""
    for wrong, found in (
        (5, "int 5"),
        (b"x", "bytes b'x'; decode it first"),
        (["x"], r"list \['x'\]"),
    ):
        texts: list[Any] = ["text"] * 100
        texts[place] = wrong
        with pytest.raises(InputError, match=f"at position {place}, found {found}"):
            list(read_texts(texts, limits=BlockLimits(size=size)).blocks())


def test_columns_of_other_types() -> None:
    """Numbers, bytes and lists in Arrow are refused as in a list, with the first position."""
    for column in (
        pa.array([1, 2]),
        pa.array([b"x"]),
        pa.array([["x"]]),
        pl.Series([1.5]),
        pd.Series([True]),
    ):
        with pytest.raises(InputError, match=r"expected a text .* at position 0, found"):
            list(read_texts(column).blocks())


def test_options_that_do_not_fit() -> None:
    """Column names are for tables, ids for collections without their own."""
    with pytest.raises(ParameterError, match="column='x' is for tables; found list"):
        read_texts(["a"], column="x")
    with pytest.raises(ParameterError, match="ids: the collection is a dict"):
        read_texts({"a": "b"}, ids=["c"])
    with pytest.raises(ParameterError, match="ids: the collection is a table"):
        read_texts(pa.table({"text": ["a"]}), ids=[1])


def test_the_name_of_a_file_in_place_of_its_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one str is an error, it names `dedup.files`; where it is a text, a warning says what is searched."""
    monkeypatch.chdir(tmp_path)
    Path("page.txt").write_text("a b c")
    calls = (dedup.find_duplicates, dedup.suggest, dedup.estimate, lambda name: dedup.match(name, ["a"]))
    for call in calls:
        for name, said in (("page.txt", True), (".", True), ("no.txt", False), ("a\nb", False), ("\0", False)):
            with pytest.raises(InputError, match="found one str") as error:
                call(name)  # type: ignore[operator]
            assert said == (f"; to search what is in {name!r}, pass dedup.files({name!r})" in str(error.value))
    with pytest.warns(
        UserWarning, match=r"the text 'page.txt' is searched, not the file .* pathlib.Path\('page.txt'\)"
    ):
        assert len(dedup.find_repeats("page.txt")) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for text in ("", "no.txt", "x" * 300, "\0", "page.txt\n", "\ud800"):
            dedup.find_repeats(text)
        dedup.find_repeats(Path("page.txt"))
        dedup.find_duplicates("page.txt", unit="line")

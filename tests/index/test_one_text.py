"""The path of one text that is added alone: it does what a batch of one does, and its errors are those of a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import DedupError
from dedup.hashing.forms import CHARACTERS, NUMBERS, SYMBOLS
from dedup.hashing.shingles import parse
from dedup.hashing.units import hash_block, hash_one
from dedup.index.adding.incoming import only_text
from dedup.reading import Reading
from dedup.sources.coerce import ListTexts
from dedup.unit import Unit

TEXTS = [
    "a b c d",
    "a b c d",
    "",
    "!",
    "A B c, d?",
    "x 1 y 2",
    "x 3 y 4",
    "e f g h i j",
    "e f g h i k",
    "ﬁ ① e\u0301 \ud800 z",
]

pieces = st.one_of(
    st.sampled_from(["a ", "B-c ", "12 ", "١٢ ", "e\u0301", "ﬁ", "①", "\ud800", "漢字", "! "]), st.text(max_size=4)
)


@given(
    st.lists(pieces, max_size=12).map("".join),
    st.sampled_from(["words:1", "words:3", "chars:4"]),
    st.sampled_from([(), ("numbers",), ("accents",)]),
    st.sets(st.sampled_from([CHARACTERS, NUMBERS, SYMBOLS])),
)
def test_one_text_is_hashed_as_a_block_of_one(text: str, kind: str, ignore: Any, forms: set[str]) -> None:
    """Hashes, digest and forms are equal."""
    shingle = parse(kind, Reading.check(ignore, "words", None))
    wanted = [form for form in forms if form not in ignore]
    made = hash_one(text, shingle, wanted)
    block = hash_block(next(ListTexts([text]).blocks()), shingle, unit=Unit.DOCUMENT, forms=wanted)
    for one, other in zip(made[:5], block[:5], strict=True):
        assert np.array_equal(one, other)
    assert made.forms.keys() == block.forms.keys()
    assert all(np.array_equal(made.forms[form], block.forms[form]) for form in wanted)


@pytest.mark.parametrize("options", [{}, {"method": "lsh"}, {"distinct": "numbers"}, {"store": "text"}], ids=str)
@pytest.mark.parametrize("named", [False, True])
def test_one_by_one_is_all_at_once(tmp_path: Path, options: dict[str, Any], named: bool) -> None:
    """The rows and sets are the same, byte for byte, and so are the answers; ids or not, in a list or in a dict."""
    names = [f"text {row}" for row in range(len(TEXTS))]
    how: dict[str, Any] = {"shingle": "words:2", "threshold": 0.5, **options}
    with dedup.Index.create(tmp_path / "all", **how) as everything, dedup.Index.create(tmp_path / "one", **how) as one:
        everything.add(TEXTS, ids=names if named else None)
        for row, text in enumerate(TEXTS):
            if named and row % 2:
                assert 1 == one.add({names[row]: text})
            else:
                assert 1 == one.add([text], ids=[names[row]] if named else None)
        assert everything.query(TEXTS).pairs.equals(one.query(TEXTS).pairs)
    for name in ("rows-1.dedup", "sets-1.dedup"):
        assert (tmp_path / "all" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
    with dedup.Index.create(tmp_path / "new all", **how) as everything:
        kept = everything.filter_new(TEXTS)
    with dedup.Index.create(tmp_path / "new one", **how) as one:
        assert kept == [text for each in TEXTS for text in one.filter_new([each])]
        assert len(kept) == len(one)


def test_what_is_new_has_the_type_of_what_was_given(tmp_path: Path) -> None:
    """A list of one text or of none, or a dict."""
    with dedup.Index.create(tmp_path / "index") as index:
        assert ["a b c"] == index.filter_new(["a b c"], ids=[7])
        assert [] == index.filter_new(["a b c"], ids=[8])
        assert {9: "d e f"} == index.filter_new({9: "d e f"})
        assert {} == index.filter_new({10: "d e f"})
        assert 7 in index and 8 not in index and 9 in index and 10 not in index


@pytest.mark.parametrize(
    ("texts", "options"),
    [
        ([1], {}),
        ([None], {}),
        ({None: "a"}, {}),
        ({1.5: "a"}, {}),
        (["a"], {"ids": [None]}),
        (["a"], {"ids": [True]}),
        (["a"], {"ids": [1 << 70]}),
        (["a"], {"ids": ["\ud800"]}),
        (["a"], {"ids": ["a", "b"]}),
        (["a"], {"ids": "a"}),
        (["a"], {"ids": ["now a text"]}),
        (["a"], {"ids": [1]}),
        (["a"], {}),
        (["a"], {"ids": [3], "column": "b"}),
        (["a"], {"ids": [3], "id": "b"}),
        (["a"], {"ids": [3], "threads": 0}),
        (["a"], {"ids": [3], "threads": True}),
        (["a"], {"ids": [3], "progress": "no"}),
    ],
)
def test_errors_are_those_of_a_batch(tmp_path: Path, texts: Any, options: dict[str, Any]) -> None:
    """What is wrong about one text is said as of two; nothing is added."""
    with dedup.Index.create(tmp_path / "index") as index:
        index.add(["some words"], ids=[1])
        wrong = []
        two = {**texts, 5: "b"} if isinstance(texts, dict) else [*texts, "b"]
        longer = dict(options)
        if type(options.get("ids")) is list:
            longer["ids"] = [*options["ids"], "c" if type(options["ids"][0]) is str else 5]
        for some, how in ((texts, options), (two, longer)):
            with pytest.raises((DedupError, TypeError)) as caught:
                index.add(some, **how)
            wrong.append(type(caught.value))
        assert wrong[0] is wrong[1]
        assert 1 == len(index)


def test_a_collection_of_one_text() -> None:
    """A list or a dict of one str, with an id that needs no other look."""
    assert ("a", None) == only_text(["a"], None)
    assert ("a", 3) == only_text(["a"], [3])
    assert ("a", "b") == only_text({"b": "a"}, None)
    for texts, ids in ((["a", "b"], None), (("a",), None), ("a", None), ({"b": "a"}, ["c"]), (["a"], ["é"])):
        assert only_text(texts, ids) is None


def test_progress_is_told_of_one_text(tmp_path: Path) -> None:
    """Who asks for it is told."""
    told: list[tuple[str, int, int]] = []
    with dedup.Index.create(tmp_path / "index") as index:
        index.add(["a b c"], progress=lambda *each: told.append(each))
    assert ("add", 1, 1) == told[-1]


@pytest.mark.parametrize("method", ["exact", "lsh"])
def test_a_family_that_comes_one_by_one(tmp_path: Path, method: str) -> None:
    """More near copies than there is room for at first, each added alone, and asked for in between."""
    stem = " ".join(f"w{number}" for number in range(80))
    with dedup.Index.create(tmp_path / "index", method=method) as index:
        for number in range(300):
            index.add([f"{stem} {number}"])
            if number % 50 == 0:
                assert index.seen(f"{stem} {number}")
        assert list(range(300)) == index.query([stem]).pairs["right"].to_pylist()
        assert [] == index.filter_new([stem])


@pytest.mark.parametrize("ids", [["a", "b"], [1, 2], None])
def test_an_empty_batch(ids: list[Any] | None, tmp_path: Path) -> None:
    """It may be empty however the documents are named: nothing is added."""
    with dedup.Index.create(tmp_path / "x") as index:
        index.add(["one two", "three four"], ids=ids)
        for empty in ([], {}):
            assert 0 == index.add(empty)
            assert empty == index.filter_new(empty)
        assert [] == index.filter_new([], id="url")
        assert 2 == len(index)

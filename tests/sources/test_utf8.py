"""UTF-8 of strings, read in place: the same bytes as ``str.encode`` gives, whatever the strings are made of."""

from __future__ import annotations

import contextlib
import itertools
import json
import pickle
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup.sources.utf8
from dedup.sources.texts import BlockLimits, ListTexts, Texts
from dedup.sources.utf8 import addresses, encode_all, measured
from tests import strategies

ANY = st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF, categories=None), max_size=80)
LATIN = st.text(st.characters(max_codepoint=0xFF), max_size=80)


def encoded(texts: list[str]) -> list[bytes]:
    """The texts as `encode_all` writes them."""
    room = np.full(4 * sum(map(len, texts)) + 2, 0xEE, dtype=np.uint8)
    ends = encode_all(texts, room)
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1]))
    return [room[start:end].tobytes() for start, end in zip(starts, ends, strict=False)]


def expected(texts: list[str]) -> list[bytes]:
    """The same, by Python."""
    return [text.encode("utf-8", "surrogatepass") for text in texts]


@given(st.lists(ANY | LATIN | strategies.texts(), max_size=12))
def test_the_bytes_are_those_of_python(texts: list[str]) -> None:
    """All kinds of strings, lone surrogates too."""
    assert encoded(texts) == expected(texts)


@given(st.lists(ANY, max_size=6))
def test_strings_of_any_origin(texts: list[str]) -> None:
    """Interned, sliced, joined, decoded, with their UTF-8 kept by the interpreter, names of attributes."""
    given_texts = [
        *texts,
        *(sys.intern(text) for text in texts),
        *(text[1:] for text in texts),
        *(json.loads(json.dumps(text)) for text in texts),
        *(text.casefold() for text in texts),
        "".join(texts),
        "",
        "a",
        "\u00e9",
        "__init__",
        test_the_bytes_are_those_of_python.__name__,
    ]
    for text in texts:  # the interpreter keeps the UTF-8 of a string that was used as a name
        with contextlib.suppress(UnicodeEncodeError):
            hasattr(object(), text)
    assert encoded(given_texts) == expected(given_texts)


@pytest.mark.parametrize(
    "character", ["a", "\u00e9", "\u07ff", "\u0800", "\uffff", "\U00010000", "\U0010ffff", "\ud800"]
)
@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 15, 16, 17, 62, 63, 64, 65, 127, 128, 131])
def test_lengths_round_those_that_are_looked_at_together(character: str, length: int) -> None:
    """A character among ASCII at each place of a run."""
    texts = ["x" * place + character + "y" * (length - place) for place in range(length + 1)]
    assert encoded(texts) == expected(texts)


@pytest.mark.parametrize("character", ["\u00e9", "\u4e2d", "\U0001f600"])
@pytest.mark.parametrize("others", range(20))
def test_few_and_many_among_those_that_are_looked_at_together(character: str, others: int) -> None:
    """Some characters among 64 that are not ASCII: on their own, in a row, at the end, again and again."""
    texts = [
        character * others + "x" * (64 - others),
        "x" * (64 - others) + character * others,
        ("xyz" + character) * others + "x" * 90,
        ("x" * 50 + character * others) * 9,
    ]
    assert encoded(texts) == expected(texts)


def test_this_interpreter_is_read_in_place() -> None:
    """CPython's strings are; if another release holds them differently, this test fails, and everything else works."""
    if sys.implementation.name == "cpython" and sys.maxsize > 1 << 62:
        assert dedup.sources.utf8._layout() is not None


def test_without_a_layout_python_encodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter that holds strings otherwise gets the same."""
    monkeypatch.setattr(dedup.sources.utf8, "_layout", lambda: None)
    texts = ["abc", "", "\u00e9t\u00e9", "\u4e2d\u6587" * 100, "\U0001f600", "a\ud800b"] * 20
    assert encoded(texts) == expected(texts)


def test_a_layout_that_reads_wrong_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one whose words are alike, nor one whose headers are wrong."""
    found = dedup.sources.utf8._layout()
    assert found is not None
    assert dedup.sources.utf8._reads_right(found)
    assert not dedup.sources.utf8._reads_right(found._replace(headers=found.headers + 8))
    assert not dedup.sources.utf8._reads_right(found._replace(states=found.states[::-1].copy()))
    monkeypatch.setattr(dedup.sources.utf8, "STATES", ((8, 0x7C),))  # within the pointer to the type: alike for all
    assert dedup.sources.utf8._layout.__wrapped__() is None


def test_an_unknown_kind_among_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text of no kind that is known is left to Python, and those with it."""
    found = dedup.sources.utf8._layout()
    assert found is not None
    states = found.states.copy()
    states[2] = 0xFF
    monkeypatch.setattr(dedup.sources.utf8, "_layout", lambda: found._replace(states=states))
    texts = ["abc", "\u00e9t\u00e9", "\u4e2d\u6587", "def"]
    assert encoded(texts) == expected(texts)


def test_a_derived_class_is_a_text_as_well() -> None:
    """Strings of a class derived from ``str`` lie elsewhere; they are taken as the strings that they are."""

    class Name(str):
        __slots__ = ()

    blocks = list(ListTexts([Name("one two"), "three", Name("\u00e9\u4e2d")]).blocks())
    found = [
        block.values[start:end].tobytes()
        for block in blocks
        for start, end in zip(block.starts, block.ends, strict=True)
    ]
    assert found == [b"one two", b"three", "\u00e9\u4e2d".encode()]


class Derived(str):
    """A string of a derived class, which is not read in place."""

    __slots__ = ()


MISSING = st.sampled_from([None, float("nan"), Derived("a derived text"), Derived("")])


def texts_of_blocks(texts: Texts) -> tuple[list[bytes], list[int]]:
    """The texts as their blocks have them, and the first row of each block."""
    blocks = list(texts.blocks())
    whole = [
        block.values[start:end].tobytes()
        for block in blocks
        for start, end in zip(block.starts.tolist(), block.ends.tolist(), strict=True)
    ]
    for block in blocks:
        assert not block.values[int(block.ends[-1]) :].any()
    return whole, [block.first for block in blocks]


@given(st.lists(ANY | MISSING, max_size=30), st.sampled_from([1, 60, 1 << 20]), st.sampled_from([3, 1 << 14]))
def test_lists_are_read_in_place(texts: list[Any], size: int, most: int) -> None:
    """The same texts as from a tuple, which is not: whatever is between them, and however they are cut."""
    limits = BlockLimits(size=size, texts=most)
    wanted = [text.encode("utf-8", "surrogatepass") if isinstance(text, str) else b"" for text in texts]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dedup.sources.texts.MEASURED_TOGETHER", 7)
        whole, firsts = texts_of_blocks(ListTexts(texts, limits=limits))
        rows = np.flatnonzero(np.arange(len(texts)) % 3 != 1)
        some = ListTexts(texts, limits=limits).some(rows)
        picked, _ = texts_of_blocks(some)
    assert wanted == whole
    assert firsts == sorted(set(firsts))
    assert all(after - first <= most for first, after in itertools.pairwise([*firsts, len(texts)]))
    assert [wanted[row] for row in rows.tolist()] == picked
    assert len(rows) == len(some)
    assert [whole[row] for row in rows.tolist()] == [
        some[row].encode("utf-8", "surrogatepass") for row in range(len(rows))
    ]
    assert wanted == texts_of_blocks(ListTexts(tuple(texts), limits=limits))[0]


def test_addresses_of_lists_alone() -> None:
    """Of a list the addresses are known, of anything else they are not; what is no plain string has no length."""
    texts = ["abc", "\u4e2d" * 5, None, Derived("xyz"), 7, ""]
    places = addresses(texts)
    assert places is not None
    assert list(map(id, texts)) == places.tolist()
    assert [3, 5, -1, -1, -1, 0] == measured(places).tolist()
    assert addresses(tuple(texts)) is None
    assert addresses([]) is None


def test_other_interpreters_read_lists_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where strings or lists are not laid out as expected, the texts are the same."""
    texts = ["one two", "\u00e9\u4e2d", "", "\ud800"] * 5
    whole, _ = texts_of_blocks(ListTexts(texts))
    for name in ("_layout", "_lists_known"):
        with monkeypatch.context() as patch:
            patch.setattr(dedup.sources.utf8, name, lambda: None)
            assert addresses(texts) is None
            assert whole == texts_of_blocks(ListTexts(texts))[0]
            assert whole[::2] == texts_of_blocks(ListTexts(texts).some(np.arange(0, 20, 2)))[0]


def test_a_pickle_has_the_texts_alone() -> None:
    """Some of the texts of a list, taken to another process, are read from their new places."""
    some = ListTexts(["a b", "c d", "e f"]).some(np.array([0, 2]))
    texts_of_blocks(some)
    again = pickle.loads(pickle.dumps(some))
    assert texts_of_blocks(again)[0] == [b"a b", b"e f"]

"""Tokens and paragraphs, seen through the public API: what they are, and where they are."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dedup
from dedup.kernels.tokens import PADDING
from dedup.reading import PLAIN
from dedup.text import unicode
from dedup.text.tokens import hash_tokens, locate_tokens
from tests import oracles, strategies, table_rows

BLOCK = 512  # code points that are looked at together


def paragraph_spans(text: str) -> dict[int, tuple[int, int]]:
    """Give the number and the span of every paragraph that has tokens.

    A text beside itself: each paragraph with a token is a pair with its own copy.
    """
    result = dedup.find_duplicates([text, text], unit="paragraph", threshold=1.0, pairs="all")
    return {
        row["left_paragraph"]: (row["left_start"], row["left_end"])
        for row in table_rows.pair_rows(result)
        if (row["left"], row["right"]) == (0, 1) and row["left_paragraph"] == row["right_paragraph"]
    }


@given(strategies.articles())
def test_paragraphs(text: str) -> None:
    """Paragraphs have the numbers and the spans of their definition."""
    spans = oracles.paragraphs(text)
    expected = {i: (a, b) for i, (a, b) in enumerate(spans) if oracles.tokens(text[a:b])}
    assert expected == paragraph_spans(text)


@given(strategies.texts(max_words=80))
def test_paragraphs_of_any_text(text: str) -> None:
    """The same, for texts of every script with line breaks anywhere."""
    spans = oracles.paragraphs(text)
    expected = {i: (a, b) for i, (a, b) in enumerate(spans) if oracles.tokens(text[a:b])}
    assert expected == paragraph_spans(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\u2028b\x0bc\x0cd\x85e", [(0, 9)]),
        ("\ufeffone\n\u3000two\u3000\n", [(0, 4), (6, 9)]),
        ("1 3\n2\n333 44", [(0, 3), (4, 5), (6, 12)]),
        ("1234 6\n1235 6\n1236 6", [(0, 20)]),
        ("1234 6\n1235 6\n1234 6", [(0, 6), (7, 13), (14, 20)]),
        ("======\n1235 6\n======", [(0, 20)]),
        ("1234 6\n1235 6", [(0, 6), (7, 13)]),
        ("1234 6\r\n1235 6\r1236 6\r\rnew", [(0, 21), (23, 26)]),
        ("x" * 121 + "\n" + "y" * 121 + "\n" + "z" * 121, [(0, 121), (122, 243), (244, 365)]),
        ("x" * 120 + "\n" + "y" * 120 + "\n" + "z" * 120, [(0, 362)]),
    ],
)
def test_paragraphs_by_hand(text: str, expected: list[tuple[int, int]]) -> None:
    """Line breaks, trimming, and the border of what counts as broken to fit a width."""
    assert expected == oracles.paragraphs(text)
    assert dict(enumerate(expected)) == paragraph_spans(text)


def test_four_breaks_of_five() -> None:
    """Of five breaks four were forced: 80 % is enough; of four breaks three are not."""
    full, short = [f"aaaa bbb{i}" for i in range(4)], "aaaa"
    wrapped = "\n".join([*full, short, "b"])
    assert {0: (0, len(wrapped))} == paragraph_spans(wrapped)
    loose = "\n".join([*full[:3], short, "b"])
    assert 5 == len(paragraph_spans(loose))


def check_tokens(text: str) -> None:
    """Check that the tokens are those of the oracle: as a set, and in their order."""
    words = oracles.tokens(text)
    plain = " ".join(words)
    assert len(set(words)) == dedup.compare(text, plain, shingle="words:1").left_size
    if oracles.tokens(plain) != words:  # folding may undo what NFKC settled: İ and a mark after it
        return
    for shingle in ("words:1", "words:2", "chars:5"):
        result = dedup.compare(text, plain, shingle=shingle)
        size = len(oracles.shingles(text, shingle))
        assert (size, size, size) == (result.left_size, result.right_size, result.shared)


@given(strategies.characters(200))
def test_tokens_of_any_characters(text: str) -> None:
    """Letters, marks, format characters, surrogates, unassigned ones: all in their places."""
    check_tokens(text)


@given(strategies.texts())
def test_tokens_of_any_text(text: str) -> None:
    """The same for words of every script."""
    check_tokens(text)


@pytest.mark.parametrize("size", [*range(1, 20), 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000, 4097])
def test_tokens_of_any_length(size: int) -> None:
    """Words and texts at the widths where a fast path may change."""
    for word in ("x", "é", "北", "𝒜", "e\u0301", "X"):
        check_tokens(word * size)
        check_tokens(f"{word} " * size + "end")
        check_tokens("a" * size + word + "b")


SPACELESS = st.text(
    st.sampled_from(
        "\u5317\u4e00\u9fff\u4dff\u4e01\u3400\u304b\u30ac\u30fc\u3099\u302a\u0e01\u0e31\ufe00\u200b\u20dd"
        "\uff0c\uff21\uff2a\uff76\uff9e\u3002\u3000\u2026\u2460\u32ff\uac00\u0301\u00fc\u00e9\ud800\U00020000aZ9_ ,\n<"
    ),
    max_size=150,
)
"""Characters that a run of Han, with what stands between, takes along or must leave to others."""


def check_hashes(data: bytes) -> None:
    """Check that tokens whose places are asked for, by the general way, have the hashes of all others."""
    values = np.frombuffer(data + bytes(PADDING), dtype=np.uint8)
    hashes, _ = hash_tokens(values, *(np.array([place], dtype=np.int64) for place in (0, len(data))), PLAIN)
    assert locate_tokens(data, PLAIN)[0].tolist() == hashes.tolist()


@given(SPACELESS)
def test_runs_of_han(text: str) -> None:
    """Runs of characters that are words, cut anywhere by anything."""
    check_tokens(text)
    check_hashes(text.encode("utf-8", "surrogatepass"))


@example("9\uff9e", [(0, 0x80)])
@given(SPACELESS, st.lists(st.tuples(st.integers(0, 400), st.sampled_from([0x80, 0xC0, 0xE0, 0xE4, 0x9F, 0x41]))))
def test_runs_of_damaged_han(text: str, damages: list[tuple[int, int]]) -> None:
    """The same where bytes are wrong: too long forms, characters that are cut. No reader lets such texts pass.

    One that has to be normalised first is an error of Python's decoder.
    """
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    for place, byte in damages:
        if place < len(data):
            data[place] = byte
    try:
        check_hashes(bytes(data))
    except UnicodeDecodeError:
        with pytest.raises(UnicodeDecodeError):
            data.decode("utf-8", "surrogatepass")


def test_han_needs_no_table() -> None:
    """What is said of all of U+4E00 to U+9FFF is what the table says."""
    first, last = b"\xe4\xb8\x80".decode(), b"\xe9\xbf\xbf".decode()
    assert (0x4E00, 0x9FFF) == (ord(first), ord(last))
    assert {unicode.SPACELESS} == set(unicode.kinds("".join(map(chr, range(0x4E00, 0xA000)))))


@pytest.mark.skipif(not oracles.SAME_UNICODE, reason="this Python knows another Unicode")
def test_every_code_point_among_han() -> None:
    """Each code point within a run of Han, before ASCII, and twice."""
    for start in range(0, sys.maxunicode + 1, BLOCK):
        text = "\n".join(f"\u5317\u4eac{c}\u5317{c}x{c}{c}" for c in map(chr, range(start, start + BLOCK)))
        check_hashes(text.encode("utf-8", "surrogatepass"))


@pytest.mark.skipif(not oracles.SAME_UNICODE, reason="this Python knows another Unicode")
def test_every_code_point() -> None:
    """Each code point between two letters: a part of the word, a word, nothing, or a border."""
    for start in range(0, sys.maxunicode + 1, BLOCK):
        points = range(start, start + BLOCK)
        text = " ".join(f"x{chr(point)}y" for point in points)
        words = oracles.tokens(text)
        result = dedup.compare(text, " ".join(words), shingle="words:1")
        size = len(set(words))
        found = (result.left_size, result.right_size, result.shared)
        assert (size, size, size) == found, f"U+{start:04X} to U+{start + BLOCK - 1:04X}"

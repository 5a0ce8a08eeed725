"""A text with what it shares marked: nothing is lost, marks are where the spans are, what is left out is counted."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from dedup.cli.highlight import Piece, mark_text, plain
from dedup.terminal import clean_block
from tests import strategies

TEXTS = st.one_of(strategies.texts(), strategies.characters(300))


@st.composite
def with_spans(draw: st.DrawFn) -> tuple[str, list[tuple[int, int]]]:
    """Give a text and some spans of it, which may overlap."""
    text = draw(TEXTS)
    places = st.integers(0, len(text))
    return text, [tuple(sorted(draw(st.tuples(places, places)))) for _ in range(draw(st.integers(0, 5)))]


@given(with_spans())
def test_a_character_has_the_numbers_of_its_spans(marked: tuple[str, list[tuple[int, int]]]) -> None:
    """Together the pieces are the text, and each character is in the spans that its piece names."""
    text, spans = marked
    pieces = mark_text(text, spans, None)
    assert "".join(piece.text for piece in pieces) == clean_block(text)
    numbers = [piece.numbers for piece in pieces for _ in piece.text]
    expected = [
        tuple(n for n, (start, end) in enumerate(spans, start=1) if start <= place < end) for place in range(len(text))
    ]
    assert numbers == expected


@given(with_spans(), st.integers(1, 20))
def test_what_is_left_out_is_counted(marked: tuple[str, list[tuple[int, int]]], context: int) -> None:
    """Shortened, a piece begins and ends as it did, and says how many characters are missing."""
    text, spans = (marked[0] + " and more of it") * 20, marked[1]
    whole = mark_text(text, spans, None)
    short = mark_text(text, spans, context)
    assert [piece.numbers for piece in short] == [piece.numbers for piece in whole]
    for one, other in zip(short, whole, strict=True):
        found = re.search(r" ?\[\.\.\. ([\d,]+) characters \.\.\.\] ?", one.text)
        if found is None:
            assert one == other
            continue
        head, tail = one.text[: found.start()], one.text[found.end() :]
        assert other.text.startswith(head)
        assert other.text.endswith(tail)
        assert int(found[1].replace(",", "")) + len(head) + len(tail) <= len(other.text)
        assert len(head) <= context
        assert len(tail) <= context + 1


def test_plain_marks() -> None:
    """Brackets with the numbers; control characters cannot steer a terminal."""
    pieces = mark_text("ab\x1b[1mcd ef", [(0, 2), (6, 8), (6, 11)], None)
    assert pieces == [
        Piece("ab", (1,)),
        Piece("\ufffd[1m", ()),
        Piece("cd", (2, 3)),
        Piece(" ef", (3,)),
    ]
    assert plain(pieces) == "[[1: ab]]\ufffd[1m[[2,3: cd]][[3:  ef]]"
    assert plain(mark_text("", [])) == ""


def test_a_long_text() -> None:
    """Only the surroundings of what is marked."""
    words = " ".join(f"w{n:04}" for n in range(1000))
    assert plain(mark_text(words, [(3000, 3011)], 20)) == (
        "[... 2,982 characters ...] w0497 w0498 w0499 [[1: w0500 w0501]] w0502 w0503 w0504 [... 2,970 characters ...]"
    )

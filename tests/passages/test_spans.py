"""Where the spans of repeats begin and end, in characters."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.hashing.token_stream import read_tokens
from dedup.passages.maximal import find_stretches
from dedup.passages.spans import find_spans
from dedup.reading import PLAIN
from dedup.sources.texts import ListTexts
from tests import oracles, oracles_repeats, strategies

WORDS = "the storm reached the harbour before dawn"


def only(text: str, *, min_words: int = 7) -> tuple[str, str]:
    """Give the one repeat of a text and its source."""
    (repeat,) = dedup.find_repeats(text, min_words=min_words, threshold=1.0)
    return text[repeat.start : repeat.end], text[repeat.source_start : repeat.source_end]


@pytest.mark.parametrize(
    ("before", "after", "other_before", "other_after", "expected"),
    [
        ("«", "!»", "«", "!»", f"«{WORDS}!»"),
        ("((", "!?", "[(", "!.", f"({WORDS}!"),
        ("", "👩‍💻", "", "👩‍💻", f"{WORDS}👩‍💻"),
        ("", "👩‍💻", "", "👩‍🚀", WORDS),
        ("👩‍💻", "", "👨‍💻", "", WORDS),
        ("", "👍🏽", "", "👍🏿", WORDS),
        ("", "🇩🇪🇩🇰", "", "🇩🇪🇩🇪", f"{WORDS}🇩🇪"),
        ("🇩🇪", "", "🇰🇪", "", WORDS),
    ],
)
def test_borders(before: str, after: str, other_before: str, other_after: str, expected: str) -> None:
    """Equal characters next to a repeat are its own, if nothing is cut that is seen as one."""
    text = f"one {before}{WORDS}{after} two\nthree {other_before}{WORDS}{other_after} four"
    assert (expected, expected) == only(text)


def test_marks_are_kept_with_their_letter() -> None:
    """A letter with another mark is another word; a span ends before it."""
    text = f"{WORDS} cafe\u0301 x\n{WORDS} cafe\u0300 y"
    assert (WORDS, WORDS) == only(text)
    text = f"{WORDS} cafe\u0301 x\n{WORDS} caf\u00e9 y"
    assert (f"{WORDS} caf\u00e9", f"{WORDS} cafe\u0301") == only(text)


def test_whole_paragraphs_are_taken_whole() -> None:
    """A paragraph of which all words repeat comes with its quotes and full stop, whatever the source has."""
    text = f'He said {WORDS} again.\n\n"{WORDS}!"\n'
    found, source = only(text)
    assert f'"{WORDS}!"' == found
    assert WORDS == source


def test_a_quote_inside_a_paragraph() -> None:
    """What is quoted in the middle of another paragraph is a repeat, across lines that are broken elsewhere."""
    broken = WORDS.replace(" ", "\n", 2)
    assert (WORDS, broken) == only(f"So {broken} it went\n\nThey say {WORDS} came true")


@given(strategies.articles(2), st.sampled_from([3, 7]))
def test_long_texts_are_located_in_pieces(text: str, chunk: int) -> None:
    """Where a text is cut while its tokens are located changes nothing."""
    tokens, offsets = read_tokens(ListTexts([text]), 1, PLAIN)
    found = find_stretches(tokens, offsets, 3)
    whole, cut = (find_spans([text].__getitem__, offsets, found, **how) for how in ({}, {"chunk": chunk}))
    for one, other in zip(whole, cut, strict=True):
        assert [column.tolist() for column in one] == [column.tolist() for column in other]


@given(st.lists(strategies.articles(2), min_size=1, max_size=4), st.sampled_from([4, 400, 1 << 20]))
def test_short_texts_are_located_together(texts: list[str], chunk: int) -> None:
    """Whether texts are located one by one or several at a time changes nothing."""
    tokens, offsets = read_tokens(ListTexts(texts), 1, PLAIN)
    found = find_stretches(tokens, offsets, 3)
    alone, together = (
        find_spans(texts.__getitem__, offsets, found, **how) for how in ({"few": 99}, {"few": 0, "chunk": chunk})
    )
    for one, other in zip(alone, together, strict=True):
        assert [column.tolist() for column in one] == [column.tolist() for column in other]


@pytest.mark.parametrize(
    "character", ["\0", " ", "\u3000", "\u2028", "\x1f", "!", "é", "。", "𐄀", "👩", "\u200d", "\ud800"]
)
def test_every_kind_of_character_is_widened_over_alike(character: str) -> None:
    """Equal characters at both borders, of any length in UTF-8, belong to the spans unless they are white space."""
    text = f"one {character}{WORDS}{character} two\nthree {character}{WORDS}{character} four"
    joined = character == "\u200d"  # it is seen as one character with those beside it
    expected = WORDS if character.isspace() or joined else f"{character}{WORDS}{character}"
    assert (expected, expected) == only(text)


@pytest.mark.parametrize("script", sorted(strategies.WORDS))
def test_scripts(script: str) -> None:
    """In every script, spans are those of the oracle, also where scripts alternate."""
    words = strategies.WORDS[script]
    texts = [f"{words} 1. {words}", f"x {words}!", f"{words} and {strategies.WORDS['han']} {words}"]
    if all(oracles.unicodedata.normalize("NFKC", text) == text for text in texts):
        found = dedup.find_repeats(texts, min_words=4, threshold=1.0)
        assert oracles_repeats.repeats(texts, 4) == sorted(
            (r.document, r.start, r.end, r.source_document, r.source_start, r.source_end, r.words) for r in found
        )


def test_the_real_article_without_line_breaks(data: Path) -> None:
    """The doubled article on one line: the same span, within one token."""
    text = (data / "doubled_article.txt").read_text(encoding="utf-8").replace("\n", " ")
    (repeat,) = dedup.find_repeats(text)
    assert (4385, 8728, 41, 4384, 1.0) == (
        repeat.start,
        repeat.end,
        repeat.source_start,
        repeat.source_end,
        repeat.similarity,
    )

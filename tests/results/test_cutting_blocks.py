"""Cuts of complete paragraphs: what was around them is as far apart as it was on one side, and nothing else changes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.results.data.cutting import cut_blocks

CASES = [
    ("a\nB\nc", "a\nc"),
    ("a\n\nB\n\nc", "a\n\nc"),
    ("a\nB\n\nc", "a\n\nc"),
    ("a\n\nB\nc", "a\n\nc"),
    ("a\n\nB", "a"),
    ("a\n\nB\n", "a\n"),
    ("a\n\nB\n\n\n", "a\n\n\n"),
    ("B\n\nc", "c"),
    ("\n\nB\n\nc", "\n\nc"),
    ("B", ""),
    (" \nB\n", ""),
    ("a\n\nB\n\n  c", "a\n\n  c"),
    ("a\n\n\tB\n\n  c", "a\n\n  c"),
    ("a\r\n\r\nB\r\n\r\nc\r\n", "a\r\n\r\nc\r\n"),
    ("a\n\nB\nB\n\nc", "a\n\nc"),
    ("a\n\nB\n\nx\n\nB\n\nc\n", "a\n\nx\n\nc\n"),
    ("a\n\nB\n\nB\n", "a\n"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_cases(text: str, expected: str) -> None:
    """Each B is cut."""
    spans = [(each.start(), each.end()) for each in re.finditer("B", text)]
    assert expected == cut_blocks(text, spans)


LINES = st.lists(
    st.tuples(st.sampled_from(["one", "two words", "CUT", "CUT that"]), st.sampled_from("123")), min_size=1
)


@given(LINES, st.sampled_from(["", "\n", "\n\n"]), st.sampled_from(["\n", "\r\n"]))
def test_kept_paragraphs(lines: list[tuple[str, str]], last: str, mark: str) -> None:
    """The kept paragraphs are the same, in order; no gap is larger than one of the text; the end is what it was."""
    text = "".join(line + mark * int(gap) for line, gap in lines).rstrip("\r\n") + last.replace("\n", mark)
    spans = [(each.start(), each.end()) for each in re.finditer("CUT[a-z ]*", text)]
    left = cut_blocks(text, spans)
    kept = [line for line, _ in lines if not line.startswith("CUT")]
    assert kept == [line for line in left.split(mark) if line]
    gaps = [len(gap) for gap in re.findall(r"[\r\n]+", text)]
    assert all(len(gap) in gaps for gap in re.findall(r"[\r\n]+", left))
    assert not kept or left.endswith(last.replace("\n", mark))
    assert not spans or len(left) < len(text)
    assert spans or left == text

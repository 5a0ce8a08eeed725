"""`unit="line"`: each line that is not blank; and lines that occur twice, which are not a hard-wrapped paragraph."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dedup
from dedup.cli.options import UNITS as CHOICES
from dedup.errors import InputError
from dedup.unit import Unit
from tests import oracles, strategies, table_rows

LOG = "pump stopped again\n"
BREAKS = st.sampled_from(["\n", "\r\n", "\r", "\n\n", " \t\n"])


@st.composite
def line_texts(draw: st.DrawFn) -> str:
    """Give a text of some lines of which many are equal, indented or not, between any line breaks."""
    some = st.sampled_from(["a b c d", "  a b c d", "a b c d e", "\tx y z ", "x y z", "* * *", "", "é 北京 \u2028 x"])
    text = "".join(draw(some) + draw(BREAKS) for _ in range(draw(st.integers(0, 8))))
    return text + draw(some)


@pytest.mark.parametrize("times", [2, 3, 10, 1000])
@pytest.mark.parametrize("unit", ["paragraph", "line"])
def test_a_line_again_and_again(times: int, unit: str) -> None:
    """However often a line occurs, one is kept."""
    result = dedup.find_duplicates(LOG * times, unit=unit)
    assert times - 1 == result.summary.removed
    assert LOG.strip() == result.filter(LOG * times).strip()


@pytest.mark.parametrize(
    "lines",
    [
        ["the pump stopped again at the northern mole today"] * 10,
        ["09:00 the pump of the northern mole has stopped", "09:00 the pump of the southern mole is running"] * 5,
        ["- - -", *["a refrain of nine words that the singers sing"] * 9, "- - -"],
    ],
)
def test_a_loop_of_lines_is_removed(lines: list[str]) -> None:
    """A loop of equal lines is a repeat of whole paragraphs, which `without_repeats` takes out."""
    text = "\n".join(lines) + "\n"
    repeats = dedup.find_repeats(text)
    assert len(repeats) == 1
    assert repeats[0].paragraphs >= len(lines) - 4
    left = repeats.without_repeats()
    assert isinstance(left, str)
    assert [line for line in dict.fromkeys(lines) if line != "- - -"] == [
        line for line in left.splitlines() if line != "- - -"
    ]
    assert left == dedup.find_repeats(left).without_repeats()


def test_a_rule_does_not_count_as_a_line_that_occurs_twice() -> None:
    """A notice between two rules is one paragraph, since it was wrapped."""
    text = "=" * 40 + "\nThis notice is broken to fit the width o\nf forty characters, and stands between tw\no rules\n"
    text = text.replace("o rules", "o rules of stars that are of forty chars") + "=" * 40
    assert 1 == dedup.find_duplicates(text, unit="paragraph").summary.paragraphs
    assert 5 == dedup.find_duplicates(text, unit="line").summary.lines


@given(st.lists(line_texts(), max_size=4), st.sampled_from([0.5, 0.8, 1.0]))
@example(["a b c\r\na b c\r\n\r\n  a b c"], 0.8)
def test_lines_are_units(texts: list[str], threshold: float) -> None:
    """Pairs, places and what is removed are those of the lines as texts of their own."""
    result = dedup.find_duplicates(texts, unit="line", threshold=threshold, pairs="all")
    places = [(d, n, a, b) for d, text in enumerate(texts) for n, (a, b) in enumerate(oracles.filled_lines(text))]
    units = [texts[d][a:b] for d, _, a, b in places]
    expected = oracles.pairs(units, threshold, "words:3")
    names = [(side, f"{side}_line", f"{side}_start", f"{side}_end") for side in ("left", "right")]
    found = [tuple(tuple(row[name] for name in some) for some in names) for row in table_rows.pair_rows(result)]
    assert [(places[pair.left], places[pair.right]) for pair in expected] == found
    assert (len(units), None) == (result.summary.lines, result.summary.paragraphs)
    gone: list[set[int]] = [set() for _ in texts]
    for row in result.removed.to_pylist():
        gone[row["document"]].add(row["line"])
    assert [oracles.without_lines(*pair) for pair in zip(texts, gone, strict=True)] == result.filter(texts)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a b\n  a b\n\nc d\na b\n", "a b\n\nc d\n"),
        ("  if x:\n    y = 1\n  else:\n    y = 1\n", "  if x:\n    y = 1\n  else:\n"),
        ("a b\r\nc d\r\na b", "a b\r\nc d"),
        ("a b\ra b\rc d", "a b\rc d"),
        ("a b\n\na b", "a b\n"),
        ("a b \n a b\t", "a b "),
        ("* * *\na b\n* * *\n", "* * *\na b\n* * *\n"),
    ],
)
def test_lines_go_with_their_line_break(text: str, left: str) -> None:
    """Indentation, blank lines and rules are kept; a text ends as it ended before."""
    assert left == dedup.find_duplicates(text, unit="line").filter(text)


def test_a_text_of_which_no_line_is_left() -> None:
    """It is empty; the row is kept."""
    texts = ["a b c\n", "\na b c\n\n", ""]
    assert ["a b c\n", "", ""] == dedup.find_duplicates(texts, unit="line").filter(texts)


@given(st.lists(line_texts(), max_size=3), st.lists(line_texts(), max_size=3))
def test_lines_that_match_are_cut_out(left: list[str], right: list[str]) -> None:
    """`match` cuts the lines that are in a pair out of the texts, with their line breaks."""
    result = dedup.match(left, right, unit="line", min_words=None)
    gone: list[set[int]] = [set() for _ in left]
    for row in result.pairs.to_pylist():
        gone[row["left"]].add(row["left_line"])
    assert [oracles.without_lines(*pair) for pair in zip(left, gone, strict=True)] == result.filter(left)


@pytest.mark.parametrize("search", [dedup.find_duplicates, dedup.estimate])
def test_one_text_is_a_collection_of_lines(search: Any) -> None:  # noqa: ANN401  (either function)
    """One str is fine for lines, and an error for documents says so."""
    search(LOG * 3, unit="line")
    with pytest.raises(InputError, match='unit="paragraph" or "line"'):
        search(LOG * 3)


def test_the_same_units_everywhere() -> None:
    """Python and the command line know the same units; every unit has its shingle."""
    assert list(map(str, Unit)) == CHOICES
    assert ["words:3"] == [dedup.find_duplicates(LOG, unit=unit).summary.shingle for unit in ("line",)]
    assert "1 text (0 empty), 3 lines" in repr(dedup.find_duplicates(LOG * 3, unit="line").summary)
    assert "3 lines against 1" in repr(dedup.match([LOG * 3], [LOG], unit="line", min_words=None).summary)
    assert dedup.estimate(LOG * 3, unit="line").units == 3


@given(strategies.articles())
def test_memory_and_threads_change_nothing(text: str) -> None:
    """Lines are the same however they are read."""
    texts = [text, text.upper(), text[: len(text) // 2]]
    one = dedup.find_duplicates(texts, unit="line", threads=1)
    two = dedup.find_duplicates(texts, unit="line", threads=2, memory="1GB")
    assert one.clusters.to_pydict() == two.clusters.to_pydict()

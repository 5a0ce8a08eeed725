"""`compare`: how similar two texts are, why, and where."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import InputError, ParameterError
from dedup.text.shared_spans import _stretches
from tests import oracles, strategies, table_rows

SHINGLES = st.sampled_from(["words:5", "words:1", "words:3", "chars:8", "chars:3"])


@st.composite
def two_texts(draw: st.DrawFn) -> tuple[str, str]:
    """Give a text and a near copy, or two texts that have nothing to do with one another."""
    text = draw(st.one_of(strategies.texts(), strategies.characters(), strategies.ADVERSARIAL))
    return text, draw(st.one_of(strategies.near_copies(text, 5), strategies.texts()))


@given(two_texts(), SHINGLES)
def test_the_evidence(both: tuple[str, str], shingle: str) -> None:
    """Sizes, shared, Jaccard and both containments are those of the oracle's sets."""
    a, b = (oracles.shingles(text, shingle) for text in both)
    result = dedup.compare(*both, shingle=shingle)
    assert (len(a), len(b), len(a & b)) == (result.left_size, result.right_size, result.shared)
    assert oracles.jaccard(a, b) == result.jaccard
    assert oracles.containment(a, b) == result.left_in_right
    assert oracles.containment(b, a) == result.right_in_left


@given(two_texts())
def test_it_agrees_with_find_duplicates(both: tuple[str, str]) -> None:
    """What `compare` says of two texts is what `find_duplicates` says of them."""
    result = dedup.compare(*both)
    close = result.jaccard >= 0.3
    threshold = result.jaccard if close else 0.3
    found = dedup.find_duplicates(list(both), threshold=threshold, recall=0.9999)
    rows = table_rows.pair_rows(found)
    assert close == len(rows)
    for row in rows:
        assert all(getattr(result, name) == row[name] for name in table_rows.PAIR_COLUMNS[2:-1])


@given(two_texts())
def test_symmetry(both: tuple[str, str]) -> None:
    """Turned round, left is right."""
    ab, ba = dedup.compare(*both), dedup.compare(*both[::-1])
    assert (ab.left_size, ab.right_size) == (ba.right_size, ba.left_size)
    assert (ab.shared, ab.jaccard) == (ba.shared, ba.jaccard)
    assert (ab.left_in_right, ab.right_in_left) == (ba.right_in_left, ba.left_in_right)


@given(two_texts())
def test_spans_are_equal_texts(both: tuple[str, str]) -> None:
    """Aligned spans hold the same tokens, for any Unicode, in characters of the originals."""
    left, right = both
    result = dedup.compare(left, right)
    for a, b, c, d in table_rows.aligned(result):
        assert 0 <= a < b <= len(left)
        assert 0 <= c < d <= len(right)
        assert oracles.tokens(left[a:b]) == oracles.tokens(right[c:d]) != []
    if result.shared and min(len(oracles.tokens(text)) for text in both) >= 5:
        assert table_rows.aligned(result), "what is shared has a place"


@given(st.one_of(strategies.texts(1), strategies.characters()))
def test_a_text_equals_itself(text: str) -> None:
    """A text with tokens has J = 1 with itself, and is aligned from the first to the last."""
    result = dedup.compare(text, text)
    words = oracles.tokens(text)
    assert (1.0 if words else 0.0) == result.jaccard
    if words:
        ((a, b, c, d),) = table_rows.aligned(result)
        assert (a, b) == (c, d)
        assert words == oracles.tokens(text[a:b])


def test_a_quotation() -> None:
    """A short text within a long one: wholly contained, little Jaccard, one span."""
    quoted = "repairs to the northern mole will take until the spring"
    text = f"The harbour master said: “{quoted.capitalize()}!” and went home to his supper."
    result = dedup.compare(quoted, text)
    assert result.left_in_right == 1.0
    assert result.jaccard == result.right_in_left < 0.5
    assert (0, len(quoted), 26, 26 + len(quoted)) in table_rows.aligned(result)
    assert repr(result)


def test_empty_texts() -> None:
    """Texts without tokens are nothing alike, themselves included."""
    for left, right in (("", ""), ("", "a b"), ("...", "..."), ("a b", "\0")):
        result = dedup.compare(left, right)
        assert (0, 0.0) == (result.shared, result.jaccard)
        assert (0.0, 0.0) == (result.left_in_right, result.right_in_left)
        assert [] == table_rows.aligned(result)


def test_wrong_use() -> None:
    """A value that is not a text, or not a shingle, is an error that says so."""
    with pytest.raises(InputError, match="int"):
        dedup.compare("a", 5)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="list"):
        dedup.compare(["a"], "a")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="words:-1"):
        dedup.compare("a", "b", shingle="words:-1")


def plain_stretches(length: list[int], source: list[int], shortest: int) -> list[tuple[int, int, int]]:
    """Take the longest stretches first, each without what is taken already at its ends."""
    ends = [i for i, n in enumerate(length) if n >= shortest and (i + 1 == len(length) or length[i + 1] != n + 1)]
    taken: set[int] = set()
    found = []
    for last in sorted(ends, key=lambda i: -length[i]):
        places = list(range(last + 1 - length[last], last + 1))
        while places and places[0] in taken:
            del places[0]
        while places and places[-1] in taken:
            del places[-1]
        if len(places) >= shortest and not taken & set(places):
            taken |= set(places)
            found.append((places[0], places[-1] + 1, source[last] + 1 - (last - places[-1])))
    return sorted(found)


@given(st.lists(st.integers(0, 8), max_size=60), st.integers(1, 4))
def test_stretches_are_taken_the_longest_first(lengths: list[int], shortest: int) -> None:
    """What is taken is what a set of places says, for any lengths."""
    lengths = [min(n, place + 1) for place, n in enumerate(lengths)]
    source = [100 + 7 * place for place in range(len(lengths))]
    arrays = (np.array(lengths, dtype=np.int64), np.array(source, dtype=np.int64))
    assert plain_stretches(lengths, source, shortest) == _stretches(*arrays, shortest)

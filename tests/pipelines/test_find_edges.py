"""`find_duplicates` at its edges: nothing to find, nothing to read, options that mean nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup.errors import DedupError, InputError, ParameterError
from tests import strategies, table_rows

LONG = "one two three four five six seven"


@pytest.mark.parametrize(
    ("texts", "pairs"),
    [
        ([], []),
        ([""], []),
        ([None], []),
        (["", ""], []),
        (["", None, " \n", float("nan")], []),
        ([LONG], []),
        ([LONG, LONG], [(0, 1)]),
        (["cat", "dog", "cat"], [(0, 2)]),
        (["cat", "cat dog", "Cat!"], [(0, 2)]),
        (["a b c d", "a b c d e", "A B C D"], [(0, 2)]),
        (["...", "...", "!"], []),
        ([LONG, "something else entirely, with no shared words at all"], []),
    ],
)
def test_small_corpora(texts: list[Any], pairs: list[tuple[int, int]]) -> None:
    """Short texts equal their copies only, and empty ones equal nothing at all."""
    result = dedup.find_duplicates(texts)
    assert pairs == table_rows.ends(result)
    assert len(texts) == result.summary.texts == len(result.kept) + len(result.removed)
    assert len(texts) - len(pairs) == len(result.filter(texts))
    assert table_rows.PAIR_COLUMNS == result.pairs.column_names
    assert table_rows.CLUSTER_COLUMNS == result.clusters.column_names


def test_hollow_texts_are_kept_and_counted() -> None:
    """A text without tokens is kept, counted, and never the copy of another."""
    texts: list[Any] = [*strategies.HOLLOW, None, float("nan"), *strategies.HOLLOW, LONG]
    result = dedup.find_duplicates(texts)
    assert [] == table_rows.ends(result)
    assert len(texts) - 1 == result.summary.empty
    assert list(range(len(texts))) == result.kept.to_pylist()


def test_the_closest_pair_is_named() -> None:
    """If nothing was found, a line after the summary names the closest pair; it is not part of the result."""
    texts = {"one": "a b c d e f g h i j", "two": "a b c d e f g h x y"}
    found = dedup.find_duplicates(texts)
    assert found.summary.pairs == 0
    assert found.closest == ("one", "two", 4 / 8)
    hint = "no pair reached the threshold; the closest one seen: 'one' and 'two' at 0.500; try a lower threshold"
    assert repr(found) == f"Duplicates\n{found.summary}\n{hint}"
    assert "closest" not in found.summary.to_dict()
    other = dedup.find_duplicates(texts, threshold=0.9)
    assert dedup.find_duplicates(texts, threshold=0.5).closest is None
    assert replace(other.summary, threshold=0.8) == found.summary
    paragraphs = dedup.find_duplicates(texts, unit="paragraph").closest
    assert paragraphs == (("one", 0), ("two", 0), 6 / 10)
    assert dedup.find_duplicates(texts, method="lsh", recall=0.999999).closest == found.closest


def test_nul_and_surrogates_separate() -> None:
    """NUL and lone surrogates are not part of a token, and do not make a search fail."""
    texts = ["one\0two\ud800three four five six", "one two three four five six"]
    assert [(0, 1)] == table_rows.ends(dedup.find_duplicates(texts))
    assert [texts[0]] == dedup.find_duplicates(texts).filter(texts)


def test_one_text_is_an_error() -> None:
    """A bare text is not a collection of documents; the message says what to write."""
    with pytest.raises(InputError, match=r"\[text\]"):
        dedup.find_duplicates(LONG)


@pytest.mark.parametrize("wrong", [7, 1.5, b"bytes", ["a"], True, Path("a")])
def test_texts_of_another_type(wrong: object) -> None:
    """A value that is not a text is an error that names its position and its type."""
    with pytest.raises(InputError, match=rf"(?s)\b3\b.*{type(wrong).__name__}|{type(wrong).__name__}.*\b3\b"):
        dedup.find_duplicates([LONG, None, "", wrong, LONG])


@pytest.mark.parametrize("wrong", [None, 42, 1.5])
def test_no_collection_at_all(wrong: object) -> None:
    """What cannot be read as texts is an error of dedup, that names the type."""
    with pytest.raises(DedupError, match=f"{type(wrong).__name__}|{wrong}"):
        dedup.find_duplicates(wrong)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"threshold": 80}, "80"),
        ({"threshold": 0}, "0"),
        ({"threshold": -0.5}, "-0.5"),
        ({"threshold": 1.0000001}, "1.0000001"),
        ({"threshold": float("nan")}, "nan"),
        ({"threshold": "0.8"}, "0.8"),
        ({"unit": "chapter"}, "chapter"),
        ({"metric": "cosine"}, "cosine"),
        ({"method": "magic"}, "magic"),
        ({"keep": "random"}, "random"),
        ({"pairs": "some"}, "some"),
        ({"shingle": "words:0"}, "words:0"),
        ({"shingle": "words"}, "words"),
        ({"shingle": "words:x"}, "words:x"),
        ({"shingle": "sentences:3"}, "sentences:3"),
        ({"shingle": 5}, "5"),
        ({"recall": 0}, "0"),
        ({"recall": 1.5}, "1.5"),
        ({"threads": 0}, "0"),
        ({"threads": -2}, "-2"),
        ({"seed": "x"}, "x"),
    ],
)
def test_options_that_mean_nothing(options: dict[str, Any], found: str) -> None:
    """A wrong option is an error that names the option and what was given."""
    (name,) = options
    with pytest.raises(ParameterError, match=rf"(?s){name}.*{found}|{found}.*{name}"):
        dedup.find_duplicates([LONG, LONG], **options)


def test_wrong_options_are_errors_without_texts_too() -> None:
    """Options are checked before the texts are."""
    with pytest.raises(ParameterError, match="80"):
        dedup.find_duplicates([], threshold=80)


def test_the_errors_are_value_errors() -> None:
    """Code that knows nothing of dedup can catch them."""
    assert issubclass(ParameterError, ValueError)
    assert issubclass(InputError, ValueError)
    assert issubclass(ParameterError, DedupError)
    assert issubclass(InputError, DedupError)


def test_filter_wants_the_same_length() -> None:
    """Filtering other data than was searched is an error that gives both lengths."""
    result = dedup.find_duplicates([LONG, LONG, "x"])
    with pytest.raises(InputError, match=r"(?s)\b3\b.*\b2\b|\b2\b.*\b3\b"):
        result.filter([LONG, LONG])


def test_inputs_are_never_modified() -> None:
    """The list that was passed in is not changed."""
    texts = [LONG, LONG, ""]
    result = dedup.find_duplicates(texts)
    assert [LONG, ""] == result.filter(texts)
    assert [LONG, LONG, ""] == texts


def test_results_can_be_read() -> None:
    """A result shows itself in a few lines, whatever it contains."""
    for texts in ([], ["", ""], [LONG, LONG]):
        assert repr(dedup.find_duplicates(texts))
        assert repr(dedup.find_duplicates(texts).summary)

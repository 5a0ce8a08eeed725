"""What a type checker sees of the public names, in a user's program."""

from __future__ import annotations

import inspect
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import dedup
from dedup import option_types
from dedup.hashing.forms import DISTINCT
from dedup.reading import Reading
from dedup.threshold import Metric
from dedup.unit import Unit

EXAMPLE = Path(__file__).parents[1] / "docs" / "examples" / "typed_use.py"


def test_the_words_of_an_option_are_those_that_it_accepts() -> None:
    """No more, no fewer."""
    assert set(typing.get_args(option_types.UnitOption)) == set(Unit)
    assert set(typing.get_args(option_types.MetricOption)) == set(Metric)
    assert set(typing.get_args(option_types.Distinct)) == set(DISTINCT)
    for name, words in (("ignore", option_types.Ignored), ("tokens", option_types.TokensOption)):
        with pytest.raises(dedup.ParameterError) as error:
            Reading.check(**{"ignore": (), "tokens": "words", "hash_key": None, name: "other"})
        assert all(f"{word}" in str(error.value) for word in typing.get_args(words))
    for name, words in (("method", option_types.MethodOption), ("pairs", option_types.PairsOption)):
        for word in typing.get_args(words):
            dedup.find_duplicates(["a"], **{name: word})
        with pytest.raises(dedup.ParameterError):
            dedup.find_duplicates(["a"], **{name: "other"})
    for word in typing.get_args(option_types.MatchedBy):
        assert dedup.match(["a"], ["b"]).filter(["a"], by=word) == ["a"]


@pytest.mark.parametrize("name", ["find_duplicates", "match", "estimate", "suggest", "find_repeats", "compare"])
def test_an_option_of_few_words_lists_them(name: str) -> None:
    """An option with a fixed set of words is no plain str."""
    said = inspect.get_annotations(getattr(dedup, name))
    few = {"unit", "metric", "method", "pairs", "distinct", "ignore", "tokens"} & set(said)
    assert few
    assert {option: said[option] for option in few if not said[option].endswith("Option")} == {}


def test_a_users_program_is_typed() -> None:
    """mypy, strict, finds nothing, and the types are those that the program asserts."""
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", EXAMPLE.name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=EXAMPLE.parent)
    assert done.returncode == 0, done.stdout

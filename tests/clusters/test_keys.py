"""The keys of a function that says what is kept: those without an order are errors that name the text."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import ParameterError

TEXT = "the first ferry left the harbour at noon on Monday"
TEXTS = {"a": TEXT, "b": TEXT.upper(), "c": TEXT + "!"}


class Odd:
    """What cannot be compared, each in its own way."""

    def __eq__(self, other: object) -> bool:
        raise ZeroDivisionError

    __hash__ = None  # type: ignore[assignment]


class Shy:
    """What equals itself, and raises where it is compared."""

    def __lt__(self, other: object) -> bool:
        raise ZeroDivisionError("not with me")


NO_ORDER: list[Any] = [
    math.nan,
    np.nan,
    np.float32("nan"),
    None,
    pd.NA,
    pd.NaT,
    np.datetime64("NaT"),
    Decimal("NaN"),
    Decimal("sNaN"),
    (1, math.nan),
    [0, (1, math.nan)],
    ("a", None),
    (pd.NA,),
    {1},
    frozenset([1]),
    {"a": 1},
    1j,
    len,
    np.array([1, 2]),
    pd.Series([1, 2]),
    Odd(),
]


@pytest.mark.parametrize("key", NO_ORDER, ids=map(str, range(len(NO_ORDER))))
def test_keys_without_an_order(key: Any) -> None:
    """One such key among others, or all of them: an error that names the first text with one."""
    for which in ("b", "abc"):
        with pytest.raises(ParameterError, match="keep: expected keys that can be put in order, found") as e:
            dedup.find_duplicates(TEXTS, keep=lambda name, _, which=which: key if name in which else 1)
        assert f"for the text {which[0]!r}; return a number" in str(e.value)


def test_the_paragraph_is_named() -> None:
    """With paragraphs the message has the document and the paragraph; without ids, the position."""
    text = f"{TEXT}\n\n{TEXT} again"
    with pytest.raises(ParameterError, match="found nan for the text 1, paragraph 1;"):
        dedup.find_duplicates(
            ["x", text], unit="paragraph", keep=lambda name, text: math.nan if name and "again" in text else 0
        )


@pytest.mark.parametrize(
    ("keys", "pair"),
    [
        ([1, "x", 2], "1 for 'a' and 'x' for 'b'"),
        (["x", "y", 1], "'x' for 'a' and 1 for 'c'"),
        ([(1, 2), 3, 4], "(1, 2) for 'a' and 3 for 'b'"),
        ([(1, "x"), (2, 3), (1, 3)], "(1, 'x') for 'a' and (1, 3) for 'c'"),
        ([dt.date(2024, 3, 1), dt.datetime(2024, 3, 1), dt.date(2024, 3, 1)], "for 'a' and datetime.datetime"),  # noqa: DTZ001
        ([b"x", "x", "y"], "b'x' for 'a' and 'x' for 'b'"),
        ([object(), 1, 2], "for 'a' and <object object"),
        ([Shy(), Shy(), Shy()], "not with me"),
    ],
)
def test_keys_of_several_kinds(keys: list[Any], pair: str) -> None:
    """Two that cannot be compared are named, with their texts."""
    values = dict(zip(TEXTS, keys, strict=True))
    with pytest.raises(ParameterError, match="keep: expected keys that can be compared with each other, found") as e:
        dedup.find_duplicates(TEXTS, keep=lambda name, _: values[name])
    assert pair in str(e.value)


@pytest.mark.parametrize(
    "error", [KeyError("a"), ZeroDivisionError("by zero"), TypeError("no"), dedup.InputError("mine")]
)
def test_exceptions_of_the_function_pass(error: Exception) -> None:
    """As they are, with a note that names the text."""

    def keep(id: str, text: str) -> int:
        if id == "b":
            raise error
        return 1

    with pytest.raises(type(error)) as caught:
        dedup.find_duplicates(TEXTS, keep=keep)
    assert caught.value is error
    assert ["raised by the function keep, for the text 'b'"] == caught.value.__notes__


@pytest.mark.parametrize("keep", [lambda: 1, lambda text: 1, lambda a, b, c: 1, len])
def test_functions_of_other_arguments(keep: Any) -> None:
    """A function must take an id and a text: noticed before a text is read."""
    with pytest.raises(ParameterError, match=r"keep: expected callable\(id, text\), found"):
        dedup.find_duplicates([3], keep=keep)


GOOD = (
    st.lists(st.integers() | st.floats(allow_nan=False) | st.fractions() | st.booleans(), min_size=3, max_size=3)
    | st.lists(st.text(), min_size=3, max_size=3)
    | st.lists(st.tuples(st.integers(), st.text()), min_size=3, max_size=3)
    | st.lists(st.datetimes(), min_size=3, max_size=3)
    | st.lists(st.integers(-(2**62), 2**62).map(np.int64), min_size=3, max_size=3)
)


@given(GOOD)
def test_the_smallest_is_kept(keys: list[Any]) -> None:
    """Whatever has an order: the first of the smallest."""
    values = dict(zip(TEXTS, keys, strict=True))
    found = dedup.find_duplicates(TEXTS, keep=lambda name, _: values[name]).kept.to_pylist()
    assert [min(TEXTS, key=values.__getitem__)] == found


def test_infinities_and_mixed_numbers_have_an_order() -> None:
    """They are numbers like others."""
    values = {"a": math.inf, "b": Fraction(1, 2), "c": -math.inf}
    assert ["c"] == dedup.find_duplicates(TEXTS, keep=lambda name, _: values[name]).kept.to_pylist()

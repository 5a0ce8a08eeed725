"""The keys that a `keep` function returns. The text with the smallest key is kept.

Every two keys must be comparable and ordered. A NaN is neither smaller nor larger than any number, most sets are
neither subset nor superset of each other, and a number cannot be compared with a text. Python's sort accepts the first
two without an error, and its result then depends on the order of the input. Here all three are an error that names the
text. An exception of the function itself is raised unchanged, with a note that names the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from dedup.errors import ParameterError
from dedup.options import shown

__all__ = ["Key", "in_order", "keys_of"]


class Key(NamedTuple):
    """A key, and the name of its text for messages: "'a', paragraph 3"."""

    value: Any
    text: str


def keys_of(keep: Callable[[Any, str], Any], given: Iterable[tuple[Any, str, str]]) -> list[Key]:
    """Return the keys of texts, which are given as tuples of id, text, and a string that follows the id in messages.

    Raises `ParameterError` for a key that has no order: NaN, None, a set, or a tuple that contains one of them.
    """
    keys = []
    for id, text, beside in given:  # noqa: A001
        try:
            value = keep(id, text)
        except Exception as error:
            error.add_note(f"raised by the function keep, for the text {shown(id)}{beside}")
            raise
        key = Key(value, f"{shown(id)}{beside}")
        if not _ordered(value):
            raise ParameterError(
                f"keep: expected keys that can be put in order, found {shown(value)} for the text {key.text}; return a "
                "number, a text, a date, or a tuple of these"
            )
        keys.append(key)
    return keys


ORDERED_TYPES = (int, str, bool, bytes)
"""Types whose values can always be ordered."""


def _ordered(value: Any) -> bool:
    """Return whether a key can have an order: it equals itself, in all its parts, and is not a set."""
    if type(value) in ORDERED_TYPES:
        return True
    if isinstance(value, (tuple, list)):
        return all(map(_ordered, value))
    if value is None or isinstance(value, (set, frozenset, dict, complex)) or callable(value):
        return False
    try:
        return bool(value == value)
    except Exception:  # noqa: BLE001  # for pandas.NA and arrays this comparison has no truth value
        return False


def in_order(keys: list[Key]) -> list[int]:
    """Return the rows in the order of their keys, the smallest first; ties keep their order.

    Raises `ParameterError` if two keys cannot be compared; the message names both.
    """
    values = [key.value for key in keys]
    try:
        return sorted(range(len(keys)), key=values.__getitem__)
    except Exception as error:
        for key in keys:
            try:
                bool(keys[0].value < key.value), bool(key.value < keys[0].value)
            except Exception:  # noqa: BLE001  # a comparison may raise anything: this pair cannot be compared
                pair = f"{shown(keys[0].value)} for {keys[0].text} and {shown(key.value)} for {key.text}"
                raise ParameterError(
                    f"keep: expected keys that can be compared with each other, found {pair} ({error})"
                ) from error
        raise ParameterError(f"keep: expected keys that can be compared with each other; {error}") from error

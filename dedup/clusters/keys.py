"""The keys by which a function of the caller's says what is kept: the smallest first.

Keys must be in an order, each with each: a NaN is neither smaller nor larger than anything, sets are smaller than few
others, and a number cannot be compared with a text. Python's sort would take the first two in silence, and give an
order that depends on the input's. Here they are an error that names the text. An exception that the function itself
raises comes out as it is, with a note that names the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from dedup.errors import ParameterError
from dedup.options import shown

__all__ = ["Key", "in_order", "keys_of"]


class Key(NamedTuple):
    """A key, and the text that it is of, for messages: "'a', paragraph 3"."""

    value: Any
    text: str


def keys_of(keep: Callable[[Any, str], Any], given: Iterable[tuple[Any, str, str]]) -> list[Key]:
    """Return the keys of some texts: tuples of id, text, and what to add to the id in messages.

    Raises `ParameterError` for a key that has no order, such as NaN, None or a set, alone or within a tuple.
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


PLAIN = (int, str, bool, bytes)
"""Types of which every value has an order."""


def _ordered(value: Any) -> bool:
    """Return whether a key can have an order: whether it equals itself, in all its parts, and is no set."""
    if type(value) in PLAIN:
        return True
    if isinstance(value, (tuple, list)):
        return all(map(_ordered, value))
    if value is None or isinstance(value, (set, frozenset, dict, complex)) or callable(value):
        return False
    try:
        return bool(value == value)
    except Exception:  # noqa: BLE001  # pandas.NA and arrays are neither equal to themselves nor not
        return False


def in_order(keys: list[Key]) -> list[int]:
    """Return the rows by their keys, the smallest first; ties in their own order.

    Raises `ParameterError` where two cannot be compared, and names them.
    """
    values = [key.value for key in keys]
    try:
        return sorted(range(len(keys)), key=values.__getitem__)
    except Exception as error:
        for key in keys:
            try:
                bool(keys[0].value < key.value), bool(key.value < keys[0].value)
            except Exception:  # noqa: BLE001  # whatever a comparison raises, it is this pair that cannot be compared
                pair = f"{shown(keys[0].value)} for {keys[0].text} and {shown(key.value)} for {key.text}"
                raise ParameterError(
                    f"keep: expected keys that can be compared with each other, found {pair} ({error})"
                ) from error
        raise ParameterError(f"keep: expected keys that can be compared with each other; {error}") from error

"""UTF-8 of many strings at once, without the interpreter's lock.

``str.encode`` holds the lock, so threads that read texts would wait for each other, for a third of the reading time.
The strings of CPython never change, and are at the address that ``id`` returns, so a kernel reads them in place
(`dedup.kernels.utf8`). The layout of a string is not written down here: it is derived from strings of each kind, and
tested on more of them. On another interpreter, or with another layout, ``str.encode`` is used.

A list has the addresses of its items in a row. So threads need no slice of a list either, for which each string would
be touched, one after the other: `addresses` are a view, and `measured` reads the lengths at them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["addresses", "encode_all", "encode_at", "measured"]

STATES = ((32, 0x7C), (34, 0x1F))
"""Where CPython (64 bits) may record the kind of a string, until 3.13 and later: an offset, and bits of that byte."""

LENGTH = 16
"""Offset of the number of characters, in bytes."""

TYPE_PLACE = 8
"""Offset of the type of an object, in bytes."""

LIST_ITEMS = 24
"""Offset of the address of the first item of a list, in bytes."""

MEMORY_BASE = 16
"""The address where a view of all memory begins."""

SPAN = 1 << 46
"""Bytes of the views of memory, more than any program has: only bytes of strings are read."""

SAMPLE_CHARACTERS = ("a", "\u00e9", "\u4e2d", "\U0001f600")
"""A character of each kind of string: ASCII, and others up to U+00FF, U+FFFF, U+10FFFF."""

TOGETHER = 32
"""Texts that ``str.encode`` encodes before they are copied into the block: few enough to be in the cache then.
Curve: `benchmarks.tuning.utf8_together`; flat from 8 to 128 on generated:20000, from 8 to 32 on de_gesetze (two cores,
2026-11)."""


class _Layout(NamedTuple):
    """Where a string has its length; the byte, and its bits, that record the kind of string; and per kind, the bytes
    before the characters and the value of these bits.
    """

    length: int
    state: int
    mask: int
    headers: npt.NDArray[np.int64]
    states: npt.NDArray[np.int64]


class _Memory:
    """All memory from an address on, in the form that numpy accepts."""

    def __init__(self, address: int, size: int, sign: str) -> None:
        kind = np.dtype(f"{sign}{size}").str
        self.__array_interface__ = {"data": (address, True), "shape": (SPAN // size,), "typestr": kind, "version": 3}


def _memory(address: int, size: int, sign: str = "u") -> npt.NDArray[Any]:
    """Return a read-only view of all memory from an address on, as integers of `size` bytes; `sign` is "u" or "i"."""
    return np.asarray(_Memory(address, size, sign))


def encode_all(texts: Sequence[str], buffer: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Write all texts as UTF-8 into `buffer`, one after the other, and return the end of each (int64).

    `buffer` has four bytes per character, and two more. Lone surrogates are written as UTF-8 would write them: they
    separate tokens, and keep their place. Every text is exactly a ``str``, not an object of a derived class.
    """
    layout = _layout()
    ends = np.empty(len(texts), dtype=np.int64)
    if layout is None or _read_in_place(texts, layout, buffer, ends) < len(texts):
        _encode_each(texts, buffer, ends)
    return ends


def addresses(texts: Sequence[Any]) -> npt.NDArray[np.int64] | None:
    """Return the addresses of the items of a list, a view of its memory: while it lives, and nobody changes it.

    None if `texts` is not exactly a list, or if this interpreter keeps lists or strings otherwise.
    """
    if type(texts) is not list or not texts or _layout() is None or not _lists_known():
        return None
    return _items(texts)


def measured(places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the number of characters of each object at some `addresses`; -1 for one that is not exactly a ``str``."""
    from dedup.kernels.utf8 import measure_strings

    lengths = np.empty(len(places), dtype=np.int64)
    measure_strings(_memory(MEMORY_BASE, 8, "i"), places - MEMORY_BASE, TYPE_PLACE, id(str), LENGTH, lengths)
    return lengths


def encode_at(places: npt.NDArray[np.int64], buffer: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64] | None:
    """Write the strings at some `addresses`, as `encode_all` does; return None if one of them is of no known kind."""
    layout = _layout()
    ends = np.empty(len(places), dtype=np.int64)
    return ends if layout is not None and _read_places(places, layout, buffer, ends) == len(places) else None


def _read_in_place(
    texts: Sequence[str], layout: _Layout, buffer: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]
) -> int:
    """Encode texts up to the first of an unknown kind; return their number."""
    places = np.fromiter(map(id, texts), dtype=np.int64, count=len(texts))
    return _read_places(places, layout, buffer, ends)


def _read_places(
    places: npt.NDArray[np.int64], layout: _Layout, buffer: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]
) -> int:
    """Encode the texts at some addresses, up to the first of an unknown kind; return their number."""
    from dedup.kernels.utf8 import encode_strings

    memory, pairs, fours = (_memory(MEMORY_BASE, size) for size in (1, 2, 4))
    return int(
        encode_strings(memory, pairs, fours, _memory(MEMORY_BASE, 8, "i"), places - MEMORY_BASE, *layout, buffer, ends)
    )


def _items(texts: list[Any]) -> npt.NDArray[np.int64]:
    """Return a view of the addresses that a list has in a row."""
    return _memory(int(_memory(id(texts) + LIST_ITEMS, 8, "i")[0]), 8, "i")[: len(texts)]


@lru_cache(maxsize=1)
def _lists_known() -> bool:
    """Return whether lists, and the types of objects, are where they are looked for."""
    texts = ["".join([character] * 3) for character in SAMPLE_CHARACTERS]
    texts.extend(texts[::-1])
    known = _memory(id(texts) + LIST_ITEMS, 8, "i")[0] > MEMORY_BASE and sys.getsizeof([]) >= LIST_ITEMS + 8
    return (
        bool(known) and _items(texts).tolist() == list(map(id, texts)) and measured(_items(texts)).tolist() == [3] * 8
    )


def _encode_each(texts: Sequence[str], buffer: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> None:
    view: Any = memoryview(buffer)  # type: ignore[arg-type]  # an array is a buffer
    at = 0
    lengths: list[int] = []
    for start in range(0, len(texts), TOGETHER):
        some = texts[start : start + TOGETHER]
        try:
            data = [text.encode() for text in some]
        except UnicodeEncodeError:
            data = [text.encode("utf-8", "surrogatepass") for text in some]
        lengths.extend(map(len, data))
        joined = b"".join(data)
        view[at : at + len(joined)] = joined
        at += len(joined)
    np.cumsum(np.array(lengths, dtype=np.int64), out=ends)


@lru_cache(maxsize=1)
def _layout() -> _Layout | None:
    """Return the layout of strings in this interpreter; None if it cannot be found out."""
    if sys.implementation.name != "cpython" or sys.maxsize < 1 << 62:
        return None
    # made here, so that they are not strings that the interpreter made at its start
    texts = ["".join([character] * 3) for character in SAMPLE_CHARACTERS]
    headers = [sys.getsizeof(text) - 4 * width for text, width in zip(texts, (1, 1, 2, 4), strict=True)]
    if min(headers) <= max(state for state, _ in STATES) or any(header % 4 for header in headers):
        return None
    for state, mask in STATES:
        states = [int(_memory(id(text) + state, 1)[0]) & mask for text in texts]
        layout = _Layout(LENGTH, state, mask, np.array(headers, dtype=np.int64), np.array(states, dtype=np.int64))
        lengths = [int(_memory(id(text) + LENGTH, 8, "i")[0]) for text in texts]
        if lengths == [3] * len(texts) and len(set(states)) == len(states) and _reads_right(layout):
            return layout
    return None


def _reads_right(layout: _Layout) -> bool:
    """Return whether a layout gives the right bytes for strings of all kinds."""
    texts = [
        "".join(["x", character] * count) for character in (*SAMPLE_CHARACTERS, "\ud800") for count in (1, 2, 9, 90)
    ]
    wanted = [text.encode("utf-8", "surrogatepass") for text in texts]
    buffer, ends = np.empty(4 * sum(map(len, texts)), dtype=np.uint8), np.empty(len(texts), dtype=np.int64)
    return (
        _read_in_place(texts, layout, buffer, ends) == len(texts)
        and ends.tolist() == np.cumsum([len(data) for data in wanted]).tolist()
        and buffer[: ends[-1]].tobytes() == b"".join(wanted)
    )

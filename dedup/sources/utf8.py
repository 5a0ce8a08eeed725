"""UTF-8 of many strings at once, without the interpreter's lock.

``str.encode`` holds the lock, so threads that read texts would wait for each other, for a third of the reading time.
The strings of CPython never change, and are at the address that ``id`` returns, so a kernel reads them in place
(`dedup.kernels.utf8`). The layout of a string is not written down here: it is derived from strings of each kind, and
tested on more of them. On another interpreter, or with another layout, ``str.encode`` is used.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["encode_all"]

STATES = ((32, 0x7C), (34, 0x1F))
"""Where CPython (64 bits) may record the kind of a string, until 3.13 and later: an offset, and bits of that byte."""

LENGTH = 16
"""Offset of the number of characters, in bytes."""

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


def _read_in_place(
    texts: Sequence[str], layout: _Layout, buffer: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]
) -> int:
    """Encode texts up to the first of an unknown kind; return their number."""
    from dedup.kernels.utf8 import encode_strings

    if not texts:
        return 0
    places = np.fromiter(map(id, texts), dtype=np.int64, count=len(texts))
    base = int(places.min()) & ~15
    memory, pairs, fours = (_memory(base, size) for size in (1, 2, 4))
    places -= base
    return int(encode_strings(memory, pairs, fours, _memory(base, 8, "i"), places, *layout, buffer, ends))


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

"""UTF-8 of many strings at once, without the interpreter's lock.

``str.encode`` holds the lock, so threads that read texts would wait for each other: a third of the time of reading.
CPython's strings never change and lie at the address that ``id`` gives; so a kernel reads them in place
(`dedup.kernels.utf8`). Where their parts stand is not written down here but found by looking at strings of each
kind, and tried on more of them; an interpreter that is another, or holds them otherwise, gets ``str.encode``.
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
"""Where CPython (64 bits) may say what kind a string is: a byte of it, and the bits of that; until 3.13, and later."""

LENGTH = 16
"""Where it says how many characters there are."""

SPAN = 1 << 46
"""Bytes of the views of memory, more than any program has: only what belongs to a string is looked at."""

SAMPLES = ("a", "\u00e9", "\u4e2d", "\U0001f600")
"""A character of each kind of string: ASCII, and others up to U+00FF, U+FFFF, U+10FFFF."""

TOGETHER = 32
"""Texts that ``str.encode`` takes before they are put into their block: so few stay in the cache until then."""


class _Layout(NamedTuple):
    """Where the length of a string stands in it; which byte, and which bits of that, say what kind it is; and for each
    kind, the bytes before the characters, and what the bits are.
    """

    length: int
    state: int
    mask: int
    headers: npt.NDArray[np.int64]
    states: npt.NDArray[np.int64]


class _Memory:
    """All memory from an address on, as numpy takes it."""

    def __init__(self, address: int, size: int, sign: str) -> None:
        kind = np.dtype(f"{sign}{size}").str
        self.__array_interface__ = {"data": (address, True), "shape": (SPAN // size,), "typestr": kind, "version": 3}


def _memory(address: int, size: int, sign: str = "u") -> npt.NDArray[Any]:
    """Return a view (read-only) of all memory from an address on, as integers of `size` bytes, without sign or with."""
    return np.asarray(_Memory(address, size, sign))


def encode_all(texts: Sequence[str], room: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Write all texts as UTF-8 into `room`, one behind the other, and return where each ends (int64).

    `room` has four bytes a character, and two more. Surrogates that stand alone are written as UTF-8 would write them:
    they separate tokens, and keep their place. Every text is exactly a ``str``, none of a class derived from it.
    """
    layout = _layout()
    ends = np.empty(len(texts), dtype=np.int64)
    if layout is None or _read_in_place(texts, layout, room, ends) < len(texts):
        _encode_each(texts, room, ends)
    return ends


def _read_in_place(
    texts: Sequence[str], layout: _Layout, room: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]
) -> int:
    """Encode texts up to the first of an unknown kind; return how many these are."""
    from dedup.kernels.utf8 import encode_strings

    if not texts:
        return 0
    places = np.fromiter(map(id, texts), dtype=np.int64, count=len(texts))
    base = int(places.min()) & ~15
    memory, pairs, fours = (_memory(base, size) for size in (1, 2, 4))
    places -= base
    return int(encode_strings(memory, pairs, fours, _memory(base, 8, "i"), places, *layout, room, ends))


def _encode_each(texts: Sequence[str], room: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> None:
    view: Any = memoryview(room)  # type: ignore[arg-type]  # an array is a buffer
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
    """Return how this interpreter holds strings, None where that cannot be told."""
    if sys.implementation.name != "cpython" or sys.maxsize < 1 << 62:
        return None
    # made here, so that they are not among the strings that the interpreter has made beforehand
    texts = ["".join([character] * 3) for character in SAMPLES]
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
    """Try a layout on strings of all kinds."""
    texts = ["".join(["x", character] * count) for character in (*SAMPLES, "\ud800") for count in (1, 2, 9, 90)]
    wanted = [text.encode("utf-8", "surrogatepass") for text in texts]
    room, ends = np.empty(4 * sum(map(len, texts)), dtype=np.uint8), np.empty(len(texts), dtype=np.int64)
    return (
        _read_in_place(texts, layout, room, ends) == len(texts)
        and ends.tolist() == np.cumsum([len(data) for data in wanted]).tolist()
        and room[: ends[-1]].tobytes() == b"".join(wanted)
    )

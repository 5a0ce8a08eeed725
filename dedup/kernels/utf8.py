"""UTF-8 of Python strings, read from the memory of the interpreter.

CPython keeps a string as its code points, one, two or four bytes each, after a header. A string that is all ASCII is
its own UTF-8. Some bits of the header say which kind it is (`dedup.sources.utf8` knows these bits). In naive Python::

    for text in texts:
        out += text.encode("utf-8", "surrogatepass")
        ends.append(len(out))

Cost: less than ``str.encode`` if most characters are ASCII, about as much otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.kernels import Written, kernel, part
from dedup.kernels.tokens import encode
from dedup.kernels.words import LANES, bit_count, narrow, store8, trailing_zeros

RUN = 4
"""Characters that are written one by one after one that is not ASCII: often the next ones are not ASCII either. Curve:
`benchmarks.tuning.kernel_utf8_run`; flat from 1 to 16 on generated:10000 (two cores, 2026-11)."""

MANY = 12
"""Characters among `LANES` that are not ASCII. From so many on, all `LANES` characters are written one by one. Curve:
`benchmarks.tuning.kernel_utf8_many`; flat from 2 to 32 on generated:10000 (two cores, 2026-11)."""

ASCII, LATIN, WIDE, WIDEST = range(4)
"""Kinds of strings: places in `states`."""


@part
def three_bytes(point: np.uint32) -> np.uint64:
    """Return the three bytes of a code point from U+0800 to U+FFFF, as a little-endian integer."""
    leads = np.uint32(0x8080E0) | point >> np.uint32(12)
    return np.uint64(leads | (point << np.uint32(2)) & np.uint32(0x3F00) | (point & np.uint32(0x3F)) << np.uint32(16))


@part
def spell_some(points: npt.NDArray[Any], at: np.uint64, stop: np.uint64, out: npt.NDArray[np.uint8], to: int) -> int:
    """Write the code points ``points[at:stop]``, of any size; return the next place."""
    place = np.uint64(to)
    one, two_points = np.uint64(1), np.uint64(2)
    while at < stop:
        point = np.uint32(points[at])
        if at + one < stop:
            following = np.uint32(points[at + one])
            if (min(point, following) >= np.uint32(0x800)) & (max(point, following) < np.uint32(0x10000)):
                store8(out, np.int64(place), three_bytes(point) | three_bytes(following) << np.uint64(24))
                place += np.uint64(6)
                at += two_points
                continue
        at += one
        if point < np.uint32(0x10000):  # no further branch: which characters are not ASCII cannot be predicted
            two, three = np.uint32(point >= np.uint32(0x80)), np.uint32(point >= np.uint32(0x800))
            last = np.uint32(0x80) | (point & np.uint32(0x3F))
            middle = np.uint32(0x80) | ((point >> np.uint32(6)) & np.uint32(0x3F))
            lead = point >> np.uint32(6) * (two + three)
            out[place] = lead | (two * np.uint32(0xC0)) | (three << np.uint32(5))
            out[place + np.uint64(1)] = middle if three else last
            out[place + np.uint64(2)] = last
            place += np.uint64(np.uint32(1) + two + three)
        else:
            place += np.uint64(encode(np.int64(point), out, np.int64(place)))
    return np.int64(place)


@part
def spell(points: npt.NDArray[Any], start: int, size: int, out: npt.NDArray[np.uint8], to: int) -> int:
    """Write the code points ``points[start:start + size]`` as UTF-8 into `out` from `to` on; return the next place."""
    at, end = np.uint64(start), np.uint64(start + size)
    while at + np.uint64(LANES) <= end:
        others = narrow(points, at, out, to)
        plain, count = trailing_zeros(others), np.uint64(RUN)
        if bit_count(others) >= np.uint64(MANY):
            plain, count = np.int64(0), np.uint64(LANES)
        to += plain
        at += np.uint64(plain)
        if plain < LANES:
            stop = min(at + count, end)
            to = spell_some(points, at, stop, out, to)
            at = stop
    while at + np.uint64(RUN) <= end:
        bits = np.uint32(0)
        for i in range(RUN):
            bits |= np.uint32(points[at + np.uint64(i)])
        if bits < np.uint32(0x80):
            for i in range(RUN):
                out[np.uint64(to) + np.uint64(i)] = points[at + np.uint64(i)]
            to += RUN
        else:
            to = spell_some(points, at, at + np.uint64(RUN), out, to)
        at += np.uint64(RUN)
    return spell_some(points, at, end, out, to)


@kernel
def encode_strings(
    memory: npt.NDArray[np.uint8],
    pairs: npt.NDArray[np.uint16],
    fours: npt.NDArray[np.uint32],
    eights: npt.NDArray[np.int64],
    places: npt.NDArray[np.int64],
    length: int,
    state: int,
    mask: int,
    headers: npt.NDArray[np.int64],
    states: npt.NDArray[np.int64],
    out: Written[npt.NDArray[np.uint8]],
    ends: Written[npt.NDArray[np.int64]],
) -> int:
    """Write the strings at the bytes `places` of `memory` as UTF-8 into `out`, and their ends into `ends`.

    `pairs`, `fours` and `eights` are the same memory in units of two, four and eight bytes. The number of code points
    of a string is `length` bytes after its place. Its kind is the k for which the byte `state` bytes after its place,
    under `mask`, is ``states[k]``; its code points begin ``headers[k]`` bytes after its place. `out` has four bytes per
    code point, and two more.

    Returns the number of strings that were written: the kernel stops before a string of no known kind.
    """
    to = 0
    for text in range(len(places)):
        place = places[text]
        size = eights[np.uint64(place + length) >> np.uint64(3)]
        kind = np.int64(memory[np.uint64(place + state)]) & mask
        if kind == states[ASCII]:
            start = np.uint64(place + headers[ASCII])
            for i in range(np.uint64(size)):
                out[np.uint64(to) + i] = memory[start + i]
            to += size
        elif kind == states[LATIN]:
            to = spell(memory, place + headers[LATIN], size, out, to)
        elif kind == states[WIDE]:
            to = spell(pairs, (place + headers[WIDE]) >> 1, size, out, to)
        elif kind == states[WIDEST]:
            to = spell(fours, (place + headers[WIDEST]) >> 2, size, out, to)
        else:
            return text
        ends[text] = to
    return len(places)


@kernel
def measure_strings(
    eights: npt.NDArray[np.int64],
    places: npt.NDArray[np.int64],
    kind_at: int,
    kind: int,
    length: int,
    lengths: Written[npt.NDArray[np.int64]],
) -> None:
    """Write the numbers of code points of the objects at the bytes `places` of memory; -1 for what is no plain string.

    `eights` is the memory in units of eight bytes. An object is a string if the number `kind_at` bytes after its place
    is `kind`; `length` is as in `encode_strings`. The loads of different strings do not wait for each other.
    """
    for text in range(len(places)):
        place = np.uint64(places[text])
        plain = eights[(place + np.uint64(kind_at)) >> np.uint64(3)] == kind
        lengths[text] = eights[(place + np.uint64(length)) >> np.uint64(3)] if plain else np.int64(-1)

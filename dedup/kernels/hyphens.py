"""Texts with the words joined that a hyphen divides at the end of a line.

In naive Python, with `letter` a letter and the marks and skipped code points after it::

    re.sub("(?<=letter)[-\\u2010\\u00ad][ \\t]*(\\r\\n|\\n|\\r)[ \\t]*(?=letter)", "", text)

Cost: linear.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, shared
from dedup.kernels.points import CLASS, put_segment
from dedup.kernels.text_layout import BREVE, LETTER, MARK_AMID, NONSPACING, PADDING, TRANSPARENT
from dedup.kernels.tokens import FULL, decode
from dedup.kernels.words import ONES, TOPS, load8, store8

DASHES = np.uint64(0x2D2D2D2D2D2D2D2D)
SOFT_LEADS, HYPHEN_LEADS = np.uint64(0xC2C2C2C2C2C2C2C2), np.uint64(0xE2E2E2E2E2E2E2E2)
"""The first bytes of the soft hyphen and of U+2010, eight times."""


@shared
def entry_at(
    values: npt.NDArray[np.uint8], at: int, end: int, index: npt.NDArray[np.uint16], entries: npt.NDArray[np.uint32]
) -> int:
    """Return the entry of the code point at `at`; 0 if there is none."""
    point, _ = decode(values, at, end)
    return 0 if point < 0 else np.int64(entries[(np.int64(index[point >> 8]) << 8) | (point & 255)])


@shared
def after_break(
    values: npt.NDArray[np.uint8], at: int, end: int, index: npt.NDArray[np.uint16], entries: npt.NDArray[np.uint32]
) -> int:
    """Return the place of the letter with which the next line begins, if the line ends at `at`; -1 if there is none."""
    while at < end and (values[at] == 0x20 or values[at] == 0x09):
        at += 1
    if at < end and values[at] == 0x0D:
        at += 1
        if at < end and values[at] == 0x0A:
            at += 1
    elif at < end and values[at] == 0x0A:
        at += 1
    else:
        return -1
    while at < end and (values[at] == 0x20 or values[at] == 0x09):
        at += 1
    return at if at < end and entry_at(values, at, end, index, entries) & LETTER != 0 else -1


@shared
def letter_before(
    values: npt.NDArray[np.uint8], start: int, at: int, index: npt.NDArray[np.uint16], entries: npt.NDArray[np.uint32]
) -> bool:
    """Return whether there is a letter before `at`, with any marks and skipped code points between."""
    while at > start:
        back = at - 1
        while back > start and values[back] & 0xC0 == 0x80:
            back -= 1
        entry = entry_at(values, back, at, index, entries)
        if entry & LETTER != 0:
            return True
        found = entry & CLASS
        alone = found != NONSPACING and found != BREVE and found != TRANSPARENT  # noqa: PLR1714  (no sets in kernels)
        if alone and found != MARK_AMID:
            return False
        at = back
    return False


@kernel
def join_hyphens(
    values: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    index: npt.NDArray[np.uint16],
    entries: npt.NDArray[np.uint32],
    out: Written[npt.NDArray[np.uint8]],
    out_starts: Written[npt.NDArray[np.int64]],
    out_ends: Written[npt.NDArray[np.int64]],
    segments: Written[Table[np.int64]],
) -> int:
    """Write the texts ``values[starts[i]:ends[i]]``, joined, to ``out[out_starts[i]:out_ends[i]]``.

    `index` and `entries` are those of `dedup.text.points`. All else as in `dedup.kernels.points.rewrite_points`.
    """
    room = len(out) - 2 * PADDING
    noted, to, shift = np.int64(0), np.int64(0), np.int64(0)
    for text in range(len(starts)):
        at, end = starts[text], ends[text]
        out_starts[text] = to
        if at - to != shift or text == 0:
            noted = put_segment(segments, noted, to, to, at, at)
        while at < end:
            if to > room or noted < 0:
                return FULL
            if at + 8 <= end:
                word = load8(values, at)
                dash, soft, hyphen = word ^ DASHES, word ^ SOFT_LEADS, word ^ HYPHEN_LEADS
                found = (dash - ONES) & ~dash | (soft - ONES) & ~soft | (hyphen - ONES) & ~hyphen
                if found & TOPS == np.uint64(0):
                    store8(out, to, word)
                    at += 8
                    to += 8
                    continue
            byte = np.int64(values[at])
            length = np.int64(0)
            if byte == 0x2D:
                length = np.int64(1)
            elif byte == 0xC2 and at + 1 < end and values[at + 1] == 0xAD:
                length = np.int64(2)
            elif byte == 0xE2 and at + 2 < end and values[at + 1] == 0x80 and values[at + 2] == 0x90:
                length = np.int64(3)
            if length > 0:
                stop = after_break(values, at + length, end, index, entries)
                if stop >= 0 and letter_before(values, starts[text], at, index, entries):
                    noted = put_segment(segments, noted, to, to, at, stop)
                    at = stop
                    continue
            out[to] = byte
            to += 1
            at += 1
        out_ends[text] = to
        shift = at - to
    return noted if noted >= 0 else FULL

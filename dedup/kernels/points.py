"""Texts rewritten code point by code point: without accents, with every digit as 0, with symbols that are tokens.

`dedup.text.points` defines the replacements and the table. In naive Python, for one text::

    base = NO_BASE
    for c in text:
        if kind(c) in (NONSPACING, BREVE):
            if not (accents and base in (BASE_LETTER, BREVE_BASE) and not (kind(c) == BREVE and base == BREVE_BASE)):
                out += c
            continue
        if kind(c) in (MARK_FIRST, MARK_AMID) and base == NO_BASE: out += c
        else: out += replacement(c) if purpose(c) in wanted else c
        if kind(c) not in (TRANSPARENT, MARK_AMID):
            base = NO_BASE if kind(c) == MARK_FIRST else kind(c)

A *segment* (rewritten from, rewritten to, text from, text to; int64) is noted where the new text is not in step with
the old one. A letter and the marks that it has lost are one segment, so a token ends after the marks of its last
letter.

Cost: linear; code points beyond ASCII take longer.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part
from dedup.kernels.text_layout import (
    ACCENTED,
    BASE_LETTER,
    BREVE,
    BREVE_BASE,
    LIFTED,
    MARK_FIRST,
    NO_BASE,
    NONSPACING,
    NUMERIC,
    PADDING,
    TRANSPARENT,
)
from dedup.kernels.tokens import FULL, decode
from dedup.kernels.words import TOPS, load8, store8

CLASS = 7
LOW_NIBBLE = np.uint64(0x0F)
TO_ZERO, TO_COLON = np.uint64(0x5050505050505050), np.uint64(0x4646464646464646)
"""What makes the top bit of a byte of ASCII: of those from ``0`` on, and of those from ``:`` on."""


@part
def put_segment(segments: npt.NDArray[np.int64], row: int, to: int, to_end: int, at: int, at_end: int) -> int:
    """Write a segment, if any are wanted; return the number of segments, or FULL."""
    if len(segments) == 0:
        return 0
    if row < 0 or row >= len(segments):
        return FULL
    segments[row, 0] = to
    segments[row, 1] = to_end
    segments[row, 2] = at
    segments[row, 3] = at_end
    return row + 1


@part
def letter_of_ascii(byte: int) -> bool:
    """Return whether a byte is a letter of ASCII."""
    return 0x61 <= byte | 0x20 <= 0x7A


@kernel
def rewrite_points(
    values: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    wanted: int,
    index: npt.NDArray[np.uint16],
    entries: npt.NDArray[np.uint32],
    map_starts: npt.NDArray[np.int32],
    map_data: npt.NDArray[np.uint8],
    out: Written[npt.NDArray[np.uint8]],
    out_starts: Written[npt.NDArray[np.int64]],
    out_ends: Written[npt.NDArray[np.int64]],
    segments: Written[Table[np.int64]],
) -> int:
    """Rewrite the texts ``values[starts[i]:ends[i]]`` to ``out[out_starts[i]:out_ends[i]]``, one after the other.

    `wanted` are the purposes (ACCENTED, NUMERIC, LIFTED, ESCAPED) of the replacements to make. `values` must be
    readable for PADDING bytes after the last end. If `segments` has length 0, none are noted. Returns the number of
    segments, or FULL if `out` or `segments` is too small.
    """
    room = len(out) - 2 * PADDING
    noted = np.int64(0)
    to = np.int64(0)
    accents, numeric, lifted = wanted & ACCENTED != 0, wanted & NUMERIC != 0, wanted & LIFTED != 0
    shift = np.int64(0)  # of the text that is being read against the rewritten one, at its start
    for text in range(len(starts)):
        at, end = starts[text], ends[text]
        out_starts[text] = to
        if at - to != shift or text == 0:
            noted = put_segment(segments, noted, to, to, at, at)
        base = np.int64(NO_BASE)
        base_at, base_to = at, to
        while at < end:
            if to > room or noted < 0:
                return FULL
            byte = np.int64(values[at])
            if byte < 0x80:
                if not lifted and at + 8 <= end:
                    word = load8(values, at)
                    if word & TOPS == np.uint64(0):
                        if numeric:
                            tops = (word + TO_ZERO) & ~(word + TO_COLON) & TOPS
                            word &= ~((tops >> np.uint64(7)) * LOW_NIBBLE)
                        store8(out, to, word)
                        at += 8
                        to += 8
                        base = np.int64(BASE_LETTER) if letter_of_ascii(np.int64(out[to - 1])) else np.int64(NO_BASE)
                        base_at, base_to = at - 1, to - 1
                        continue
                entry = np.int64(entries[(np.int64(index[0]) << 8) | byte])
                point, length = byte, np.int64(1)
            else:
                point, length = decode(values, at, end)
                entry = np.int64(NO_BASE)
                if point >= 0:
                    entry = np.int64(entries[(np.int64(index[point >> 8]) << 8) | (point & 255)])
            found = entry & CLASS
            row = entry >> 16 if entry & wanted != 0 else np.int64(0)
            if found >= MARK_FIRST:  # or MARK_AMID
                if base == NO_BASE:
                    row = np.int64(0)
                found = np.int64(NO_BASE) if found == MARK_FIRST else np.int64(TRANSPARENT)
            mark = found == NONSPACING or found == BREVE  # noqa: PLR1714  (no sets in kernels)
            dropped = accents and (
                (mark and base != NO_BASE and not (found == BREVE and base == BREVE_BASE))
                or (row > 0 and map_starts[row] == map_starts[row - 1])
            )
            if dropped:
                if base == NO_BASE:
                    noted = put_segment(segments, noted, to, to, at, at + length)
                elif len(segments) > 0:
                    while noted > 0 and segments[noted - 1, 0] >= base_to:
                        if segments[noted - 1, 1] == segments[noted - 1, 0]:
                            if segments[noted - 1, 3] == segments[noted - 1, 2]:
                                break  # where a text begins
                        noted -= 1
                    noted = put_segment(segments, noted, base_to, to, base_at, at + length)
                if not mark:
                    if base == NO_BASE:
                        base_at, base_to = at, to
                    base = found
                at += length
                continue
            if not mark and found != TRANSPARENT:
                base = found
                base_at, base_to = at, to
            if row > 0:
                first = np.int64(map_starts[row - 1])
                size = np.int64(map_starts[row]) - first
                for i in range(size):
                    out[to + i] = map_data[first + i]
                if size != length or size > 1:
                    noted = put_segment(segments, noted, to, to + size, at, at + length)
                to += size
            else:
                for i in range(length):
                    out[to + i] = values[at + i]
                to += length
            at += length
        out_ends[text] = to
        shift = at - to
    return noted if noted >= 0 else FULL

"""Paragraphs of UTF-8 texts, and places in bytes turned into places in characters.

The definition stands in `dedup.text`; this is it in one walk over the bytes: `scan_lines` notes the non-blank lines,
`group_lines` turns blocks of them into paragraphs.

A line is a row of int64: first byte, end byte, first character, end character (both trimmed of white space), length
of its first word in characters, and 1 where a blank line (or the start of the text) stands before it.

Cost: linear, one walk over the bytes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import kernel, part

LONGEST_WRAPPED = 120
"""Characters: a block with a longer line is not hard-wrapped, whatever its breaks look like."""

FEWEST_LINES = 3
WRAPPED_SHARE_TIMES_TEN = 8
"""A block is hard-wrapped where 8 of 10 of its breaks stand where the next word would not have fitted."""


@kernel
def space_length(values: npt.NDArray[np.uint8], at: int, end: int) -> int:
    """Return the length in bytes of the white space character (`str.isspace`) at byte `at`; 0 where there is none."""
    byte = values[at]
    if byte < 0x80:
        return 1 if byte == 0x20 or 0x09 <= byte <= 0x0D or 0x1C <= byte <= 0x1F else 0
    if byte == 0xC2:
        return 2 if at + 1 < end and (values[at + 1] == 0x85 or values[at + 1] == 0xA0) else 0
    if at + 2 >= end:
        return 0
    second, third = values[at + 1], values[at + 2]
    if byte == 0xE1:
        return 3 if second == 0x9A and third == 0x80 else 0
    if byte == 0xE2:
        if second == 0x80:
            return 3 if third <= 0x8A or 0xA8 <= third <= 0xA9 or third == 0xAF else 0
        return 3 if second == 0x81 and third == 0x9F else 0
    return 3 if byte == 0xE3 and second == 0x80 and third == 0x80 else 0


@part
def spaceless(values: npt.NDArray[np.uint8], at: int, size: int) -> bool:
    """Return whether the character of 3 or 4 bytes at `at` is of a block written without spaces: a word of its own."""
    if size == 4:
        return values[at] == 0xF0 and 0xA0 <= values[at + 1] <= 0xB3  # U+20000 to U+33FFF
    point = (np.int64(values[at] & 0x0F) << 12) | (np.int64(values[at + 1] & 0x3F) << 6)
    thai_lao = 0x0E00 <= point < 0x0F00
    myanmar_khmer = 0x1000 <= point < 0x10A0 or 0x1780 <= point < 0x1800
    han_kana = 0x2E80 <= point < 0xA000 or 0xF900 <= point < 0xFB00
    return thai_lao or myanmar_khmer or han_kana


@part
def scan_lines(values: npt.NDArray[np.uint8], start: int, end: int, lines: npt.NDArray[np.int64]) -> int:
    """Write the non-blank lines of the text ``values[start:end]`` into the rows of `lines`; return their number."""
    count = 0
    character = 0
    blank_before = True
    word_open = False
    word_done = False
    used = False  # the line has something that is not white space
    at = start
    while at <= end:
        if at == end or values[at] == 0x0A or values[at] == 0x0D:
            if used:
                count += 1
            blank_before = not used
            used, word_open, word_done = False, False, False
            if at + 1 < end and values[at] == 0x0D and values[at + 1] == 0x0A:
                at += 1
                character += 1
            at += 1
            character += 1
            continue
        space = space_length(values, at, end)
        if space > 0:
            word_done = word_open
            at += space
            character += 1
            continue
        if not used:
            used = True
            word_open = True
            lines[count, 0] = at
            lines[count, 2] = character
            lines[count, 4] = 0
            lines[count, 5] = blank_before
        if word_done and values[at] < 0x80:  # ASCII behind the first word: only the end of the line moves
            begin = at
            last = at
            while at < end and 0x20 <= values[at] < 0x80:
                if values[at] != 0x20:
                    last = at
                at += 1
            if at > begin:
                lines[count, 1] = last + 1
                lines[count, 3] = character + last + 1 - begin
                character += at - begin
                continue
        size = 1
        while at + size < end and values[at + size] & 0xC0 == 0x80:
            size += 1
        if not word_done:
            lines[count, 4] += 1
            word_done = size >= 3 and spaceless(values, at, size)
        at += size
        character += 1
        lines[count, 1] = at
        lines[count, 3] = character
    return count


@part
def group_lines(lines: npt.NDArray[np.int64], count: int, paragraphs: npt.NDArray[np.int64], at: int) -> int:
    """Write (first byte, end byte, first character, end character) of each paragraph; return the next row."""
    first = 0
    while first < count:
        end = first + 1
        longest = lines[first, 3] - lines[first, 2]
        while end < count and lines[end, 5] == 0:
            longest = max(longest, lines[end, 3] - lines[end, 2])
            end += 1
        wrapped = False
        if end - first >= FEWEST_LINES and longest <= LONGEST_WRAPPED:
            full = 0
            for line in range(first, end - 1):
                full += lines[line, 3] - lines[line, 2] + 1 + lines[line + 1, 4] > longest
            wrapped = 10 * full >= WRAPPED_SHARE_TIMES_TEN * (end - first - 1)
        if wrapped:
            paragraphs[at, 0] = lines[first, 0]
            paragraphs[at, 1] = lines[end - 1, 1]
            paragraphs[at, 2] = lines[first, 2]
            paragraphs[at, 3] = lines[end - 1, 3]
            at += 1
        else:
            for line in range(first, end):
                for column in range(4):
                    paragraphs[at, column] = lines[line, column]
                at += 1
        first = end
    return at


@kernel
def split_paragraphs(
    values: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    lines: npt.NDArray[np.int64],
    paragraphs: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.int64],
) -> None:
    """Write the paragraphs of each text ``values[starts[i]:ends[i]]``: rows ``offsets[i]`` to ``offsets[i + 1]``."""
    at = 0
    offsets[0] = 0
    for text in range(len(starts)):
        count = scan_lines(values, starts[text], ends[text], lines)
        at = group_lines(lines, count, paragraphs, at)
        offsets[text + 1] = at


@kernel
def character_places(
    values: npt.NDArray[np.uint8], start: int, places: npt.NDArray[np.int64], characters: npt.NDArray[np.int64]
) -> None:
    """Write for each ascending byte place the number of characters between byte `start` and it."""
    at = start
    character = 0
    for i in range(len(places)):
        while at < places[i]:
            character += values[at] & 0xC0 != 0x80
            at += 1
        characters[i] = character

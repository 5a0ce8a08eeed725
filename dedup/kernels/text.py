"""Paragraphs and lines of UTF-8 texts, and byte places turned into character places.

The definition is in `dedup.text.paragraphs`; here it is done in one walk over the bytes. `scan_lines` notes the
non-blank lines, and `group_lines` turns blocks of them into paragraphs.

Only for blocks that otherwise look hard-wrapped it must be known whether a line occurs twice. A table of the lines
shows it, by a hash of a few bytes of each; lines are equal only if all their bytes are. If too many lines are the same
in these few bytes, all bytes are hashed. If lines were made to collide in that hash too, they are sorted
(`sorted_twice`).

A line is a row of int64: first byte, end byte, first character, end character (both trimmed of white space), length of
its first word in characters (0 for the first line of a block, where it is not needed), and 1 if a blank line or the
start of the text comes before it.

Cost: linear: one walk over the bytes, 8 at a time (the tests for a byte among 8 are those of [1]), and another one over
hard-wrapped blocks; n log n comparisons of lines that were made to collide.

References: [1] Warren, "Hacker's Delight", 2nd edition, 2012, section 6-1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part, shared
from dedup.kernels.words import ONES, TOPS, load8, mix, trailing_zeros

FEEDS = np.uint64(0x0A0A0A0A0A0A0A0A)
TURNS = np.uint64(0x0D0D0D0D0D0D0D0D)

LONGEST_WRAPPED = 120
"""Characters. A block with a longer line is not hard-wrapped, wherever its lines break."""

FEWEST_LINES = 3
WRAPPED_SHARE_TIMES_TEN = 8
"""Tenths of the breaks of a block. The block is hard-wrapped if the next word would not have fitted at so many of
them."""

FOLD, FOLD_MIDDLE = np.uint64(0x9FB21C651E98DF25), np.uint64(0xD6E8FEB86659FD93)
PROBES, FEWEST_PROBES = 8, 64
"""Full slots, per line and in addition per block. After so many, another way is chosen. Usually less than one per
line is looked at."""


@shared
def space_length(values: npt.NDArray[np.uint8], at: int, end: int) -> int:
    """Return the length in bytes of the white space character (`str.isspace`) at byte `at`; 0 if there is none."""
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
    """Return whether the character of 3 or 4 bytes at `at` is of a script without spaces: it is a word by itself."""
    if size == 4:
        return values[at] == 0xF0 and 0xA0 <= values[at + 1] <= 0xB3  # U+20000 to U+33FFF
    point = (np.int64(values[at] & 0x0F) << 12) | (np.int64(values[at + 1] & 0x3F) << 6)
    thai_lao = 0x0E00 <= point < 0x0F00
    myanmar_khmer = 0x1000 <= point < 0x10A0 or 0x1780 <= point < 0x1800
    han_kana = 0x2E80 <= point < 0xA000 or 0xF900 <= point < 0xFB00
    return thai_lao or myanmar_khmer or han_kana


@part
def continuing(word: np.uint64) -> np.uint64:
    """Return the top bit of each of 8 bytes that continues a UTF-8 character."""
    return word & ~(word << np.uint64(1)) & TOPS


@part
def count_tops(tops: np.uint64) -> int:
    """Return the number of top bits that are set in 8 bytes; all other bits are 0."""
    return np.int64(((tops >> np.uint64(7)) * ONES) >> np.uint64(56))


@part
def scan_lines(values: npt.NDArray[np.uint8], start: int, end: int, lines: npt.NDArray[np.int64]) -> int:
    """Write the non-blank lines of the text ``values[start:end]`` into the rows of `lines`; return their number."""
    count = 0
    character = 0
    blank_before = True
    at = start
    while at < end:
        stop, inside = at, 0  # the end of the line, and how many bytes in it continue a character
        while stop + 8 <= end:
            word = load8(values, stop)
            feed, turn = word ^ FEEDS, word ^ TURNS
            found = ((feed - ONES) & ~feed | (turn - ONES) & ~turn) & TOPS  # exact up to the first match
            tops = continuing(word)
            if found != np.uint64(0):
                tops &= (found & (~found + np.uint64(1))) - np.uint64(1)
                inside += count_tops(tops)
                stop += trailing_zeros(found) >> 3
                break
            if tops != np.uint64(0):
                inside += count_tops(tops)
            stop += 8
        while stop < end and values[stop] != 0x0A and values[stop] != 0x0D:
            inside += values[stop] & 0xC0 == 0x80
            stop += 1
        first, last = at, stop
        before, behind = 0, 0  # characters of white space
        space = 1
        while first < stop and space > 0:
            space = space_length(values, first, stop)
            first += space
            before += space > 0
        if first < stop:
            space = 1
            while space > 0:
                back = last - 1
                while back > first and values[back] & 0xC0 == 0x80:
                    back -= 1
                space = space_length(values, back, last)
                if space > 0:
                    last = back
                    behind += 1
            lines[count, 0] = first
            lines[count, 1] = last
            lines[count, 2] = character + before
            lines[count, 3] = character + stop - at - inside - behind
            lines[count, 4] = 0 if blank_before else first_word(values, first, last)
            lines[count, 5] = blank_before
            count += 1
        blank_before = first >= stop
        character += stop - at - inside
        if stop + 1 < end and values[stop] == 0x0D and values[stop + 1] == 0x0A:
            stop += 1
            character += 1
        at = stop + 1
        character += 1
    return count


@part
def first_word(values: npt.NDArray[np.uint8], at: int, end: int) -> int:
    """Return how many characters the first word of the line ``values[at:end]`` has; the line begins with a word."""
    count = 0
    while at < end:
        if space_length(values, at, end) > 0:
            break
        size = 1
        while at + size < end and values[at + size] & 0xC0 == 0x80:
            size += 1
        count += 1
        if size >= 3 and spaceless(values, at, size):
            break
        at += size
    return count


@part
def has_word(values: npt.NDArray[np.uint8], at: int, end: int) -> bool:
    """Return whether a line has more than spaces, punctuation, symbols and underscores."""
    while at < end:
        byte = values[at]
        if byte < 0x80:
            if 0x30 <= byte <= 0x39 or 0x41 <= byte & 0xDF <= 0x5A:
                return True
            at += 1
        elif byte == 0xC2:  # U+0080 to U+00BF
            at += 2
        elif (byte == 0xE2 and values[at + 1] < 0xB0) or (byte == 0xE3 and values[at + 1] == 0x80):
            at += 3  # U+2000 to U+2BFF, U+3000 to U+303F
        else:
            return True
    return False


@part
def order_of(values: npt.NDArray[np.uint8], lines: npt.NDArray[np.int64], left: int, right: int) -> int:
    """Return -1, 0 or 1 if a line comes before another one, equals it, or comes after it: by length, then by bytes."""
    size, other = lines[left, 1] - lines[left, 0], lines[right, 1] - lines[right, 0]
    if size != other:
        return -1 if size < other else 1
    for i in range(size):
        here, there = values[lines[left, 0] + i], values[lines[right, 0] + i]
        if here != there:
            return -1 if here < there else 1
    return 0


@shared
def sorted_twice(
    values: npt.NDArray[np.uint8], lines: npt.NDArray[np.int64], first: int, end: int, order: npt.NDArray[np.int32]
) -> bool:
    """Return whether a line with a word occurs twice among some lines, by sorting them (a heap in `order`, written)."""
    count = end - first
    for i in range(count):
        order[i] = i
    sifted, size = count // 2, count
    while size > 1:
        if sifted > 0:
            sifted -= 1
        else:
            size -= 1
            order[0], order[size] = order[size], order[0]
        parent, moved = sifted, order[sifted]
        while 2 * parent + 1 < size:
            child = 2 * parent + 1
            if child + 1 < size and order_of(values, lines, first + order[child], first + order[child + 1]) < 0:
                child += 1
            if order_of(values, lines, first + moved, first + order[child]) >= 0:
                break
            order[parent] = order[child]
            parent = child
        order[parent] = moved
    for i in range(1, count):
        line = first + order[i]
        if order_of(values, lines, first + order[i - 1], line) == 0:
            if has_word(values, lines[line, 0], lines[line, 1]):
                return True
    return False


@part
def line_key(values: npt.NDArray[np.uint8], at: int, end: int, every: bool) -> np.uint64:
    """Return a hash of a line: of `every` byte, or of its length and 24 bytes at its ends and in its middle."""
    value = np.uint64(end - at)
    if not every and end - at >= 8:
        value ^= load8(values, at) * FOLD
        value ^= load8(values, (at + end) // 2 - 4) * FOLD_MIDDLE
        return mix(value ^ load8(values, end - 8))
    while at + 8 <= end:
        value = (value ^ load8(values, at)) * FOLD
        value ^= value >> np.uint64(32)
        at += 8
    while at < end:
        value = (value ^ np.uint64(values[at])) * FOLD
        at += 1
    return mix(value)


@shared
def line_twice(values: npt.NDArray[np.uint8], lines: npt.NDArray[np.int64], first: int, end: int) -> bool:
    """Return whether a line with a word occurs twice among ``lines[first:end]``, whose column 4 is overwritten."""
    count = end - first
    capacity = 8
    while capacity < 2 * count:
        capacity *= 2
    slots = np.empty(capacity, dtype=np.int32)  # number of a line + 1
    for attempt in range(2):  # first by a few bytes of each line, then by all of them
        for slot in range(capacity):
            slots[slot] = 0
        probes = PROBES * count + FEWEST_PROBES
        for line in range(first, end):
            lines[line, 4] = np.int64(line_key(values, lines[line, 0], lines[line, 1], attempt > 0))
            slot = lines[line, 4] & (capacity - 1)
            while slots[slot] != 0:
                other = first + slots[slot] - 1
                if lines[other, 4] == lines[line, 4] and order_of(values, lines, other, line) == 0:
                    break
                probes -= 1
                if probes == 0:
                    break
                slot = (slot + 1) & (capacity - 1)
            if probes == 0:
                break
            if slots[slot] == 0:
                slots[slot] = line - first + 1
            elif has_word(values, lines[line, 0], lines[line, 1]):
                return True
        if probes > 0:
            return False
    return sorted_twice(values, lines, first, end, slots)


@part
def group_lines(
    values: npt.NDArray[np.uint8],
    lines: npt.NDArray[np.int64],
    count: int,
    paragraphs: npt.NDArray[np.int64],
    at: int,
) -> int:
    """Write (first byte, end byte, first character, end character) of each paragraph; return the next row."""
    first = 0
    while first < count:
        end = first + 1
        longest = lines[first, 3] - lines[first, 2]
        while end < count and lines[end, 5] == 0:
            length = lines[end, 3] - lines[end, 2]
            if length > longest:
                longest = length
            end += 1
        wrapped = False
        if end - first >= FEWEST_LINES and longest <= LONGEST_WRAPPED:
            full = 0
            for line in range(first, end - 1):
                full += lines[line, 3] - lines[line, 2] + 1 + lines[line + 1, 4] > longest
            wrapped = 10 * full >= WRAPPED_SHARE_TIMES_TEN * (end - first - 1)
            wrapped = wrapped and not line_twice(values, lines, first, end)
        if wrapped:
            paragraphs[at, 0] = lines[first, 0]
            paragraphs[at, 1] = lines[end - 1, 1]
            paragraphs[at, 2] = lines[first, 2]
            paragraphs[at, 3] = lines[end - 1, 3]
            at += 1
        else:
            at = copy_lines(lines, first, end, paragraphs, at)
        first = end
    return at


@part
def copy_lines(lines: npt.NDArray[np.int64], first: int, end: int, table: npt.NDArray[np.int64], at: int) -> int:
    """Write each of ``lines[first:end]`` as a row of its own; return the next row."""
    for line in range(first, end):
        for column in range(4):
            table[at, column] = lines[line, column]
        at += 1
    return at


@kernel
def split_texts(
    values: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    grouped: bool,
    lines: Written[Table[np.int64]],
    table: Written[Table[np.int64]],
    offsets: Written[npt.NDArray[np.int64]],
) -> None:
    """Write the paragraphs (if `grouped`) or the lines of each text ``values[starts[i]:ends[i]]``.

    They are the rows ``offsets[i]`` to ``offsets[i + 1]`` of `table`.
    """
    at = np.int64(0)
    offsets[0] = 0
    for text in range(len(starts)):
        count = scan_lines(values, starts[text], ends[text], lines)
        if grouped:
            at = group_lines(values, lines, count, table, at)
        else:
            at = copy_lines(lines, 0, count, table, at)
        offsets[text + 1] = at


@kernel
def character_places(
    values: npt.NDArray[np.uint8], start: int, places: npt.NDArray[np.int64], characters: Written[npt.NDArray[np.int64]]
) -> None:
    """Write, for each of the ascending byte places, the number of characters between byte `start` and it."""
    at = start
    character = 0
    for i in range(len(places)):
        while at + 8 <= places[i]:
            character += 8 - count_tops(continuing(load8(values, at)))
            at += 8
        while at < places[i]:
            character += values[at] & 0xC0 != 0x80
            at += 1
        characters[i] = character

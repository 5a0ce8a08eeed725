"""Texts without the markup of HTML and XML: tags and comments become a space, character references are decoded.

What is markup is what the tokeniser of HTML [1] takes for it, without its tree::

    <a ...>  </a ...>      a tag: "<" and a letter of ASCII; ">" in a quoted value of an attribute does not end it
    <!-- ... -->           a comment; also "--!>" ends it, and so do "<!-->" and "<!--->"
    <! ... >  <? ... >  </ ... >     declarations, processing instructions, and what else begins so
    <![CDATA[  ]]>         the marks alone; what is between them is read as any text
    <script ...> ...       with all that follows it up to "</script"; "style" too; not if the tag ends with "/>"

What is not closed reaches to the end of the text, as in HTML; but a "<" with no ">" anywhere after it is text.

References are those of HTML: "&eacute;", "&eacute" without a semicolon where HTML allows it, "&#233;", "&#xE9;". Those
of no character become U+FFFD, or nothing. In naive Python, a text without "<" becomes ``html.unescape(text)``.

Names of references are looked up in a trie: node n is the byte ``letters[n]``, its first child is ``children[n]``, its
next sibling ``siblings[n]`` (0: none), and the row of its text + 1 is ``rows[n]``. Node 0 is the root.

Cost: linear.

References: [1] WHATWG, "HTML Living Standard", on tokenization.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part, shared
from dedup.kernels.points import letter_of_ascii, put_segment
from dedup.kernels.text_layout import PADDING
from dedup.kernels.tokens import FULL, encode
from dedup.kernels.words import ONES, TOPS, load8, store8

OPENS_TAG, REFERS, CLOSES = np.uint64(0x3C3C3C3C3C3C3C3C), np.uint64(0x2626262626262626), np.uint64(0x5D5D5D5D5D5D5D5D)
"""``<``, ``&`` and ``]``, eight times."""

LESS, GREATER, SLASH, BANG, QUERY, DASH = 0x3C, 0x3E, 0x2F, 0x21, 0x3F, 0x2D
AND, HASH, SEMICOLON, EQUALS, QUOTE_MARK, APOSTROPHE = 0x26, 0x23, 0x3B, 0x3D, 0x22, 0x27
OPEN, CLOSE = 0x5B, 0x5D

IN_NAME, BETWEEN_TAGS, IN_ATTRIBUTE, AFTER_ATTRIBUTE, BEFORE_VALUE, IN_VALUE = range(6)
"""Where in a tag a byte is."""

REPLACEMENT, LAST_POINT = 0xFFFD, 0x10FFFF


@part
def blank(byte: int) -> bool:
    """Return whether a byte is white space of HTML."""
    return byte == 0x20 or byte == 0x09 or byte == 0x0A or byte == 0x0C or byte == 0x0D  # noqa: PLR1714


@part
def spells(values: npt.NDArray[np.uint8], at: int, end: int, word: int, size: int) -> bool:
    """Return whether the name at `at` is the `word` of `size` letters (their bytes, big-endian), in any case."""
    if at + size >= end:
        return False
    found = np.int64(0)
    for i in range(size):
        found = found << 8 | np.int64(values[at + i]) | 0x20
    after = np.int64(values[at + size])
    return found == word and (blank(after) or after == SLASH or after == GREATER)  # noqa: PLR1714, SIM109  (no sets)


SCRIPT, STYLE = int.from_bytes(b"script", "big"), int.from_bytes(b"style", "big")


@part
def after_greater(values: npt.NDArray[np.uint8], at: int, end: int) -> int:
    """Return the place after the next ``>``, or the end."""
    while at < end:
        if values[at] == GREATER:
            return at + 1
        at += 1
    return end


@part
def after_comment(values: npt.NDArray[np.uint8], at: int, end: int) -> int:
    """Return the place after the comment whose ``<!--`` ends at `at`."""
    if at < end and values[at] == GREATER:
        return at + 1
    if at + 1 < end and values[at] == DASH and values[at + 1] == GREATER:
        return at + 2
    while at + 2 < end:
        if values[at] == DASH and values[at + 1] == DASH:
            if values[at + 2] == GREATER:
                return at + 3
            if at + 3 < end and values[at + 2] == BANG and values[at + 3] == GREATER:
                return at + 4
        at += 1
    return end


@shared
def after_tag(values: npt.NDArray[np.uint8], at: int, end: int) -> int:
    """Return the place after the tag whose name begins at `at`; its negative if the tag ends with ``/>``."""
    place = IN_NAME
    slash = False
    while at < end:
        byte = np.int64(values[at])
        at += 1
        if place == BEFORE_VALUE:
            if byte == QUOTE_MARK or byte == APOSTROPHE:  # noqa: PLR1714, SIM109
                while at < end and values[at] != byte:
                    at += 1
                at += 1
                place = BETWEEN_TAGS
                slash = False
            elif byte == GREATER:
                return at
            elif not blank(byte):
                place = IN_VALUE
        elif byte == GREATER:
            return -at if slash else at
        elif blank(byte):
            if place == IN_ATTRIBUTE:
                place = AFTER_ATTRIBUTE
            elif place != AFTER_ATTRIBUTE:
                place = BETWEEN_TAGS
            slash = False
        elif place == IN_VALUE:
            continue
        elif byte == SLASH:
            place = BETWEEN_TAGS
            slash = True
        else:
            slash = False
            if byte == EQUALS and (place == IN_ATTRIBUTE or place == AFTER_ATTRIBUTE):  # noqa: PLR1714, SIM109
                place = BEFORE_VALUE
            elif place != IN_NAME:
                place = IN_ATTRIBUTE
    return end


@shared
def after_raw(values: npt.NDArray[np.uint8], at: int, end: int, word: int, size: int) -> int:
    """Return the place of the end tag that ends a script or style."""
    while at + 1 < end:
        if values[at] == LESS and values[at + 1] == SLASH and spells(values, at + 2, end, word, size):
            return at
        at += 1
    return end


@shared
def after_markup(values: npt.NDArray[np.uint8], at: int, end: int) -> int:
    """Return the place after the markup at ``<``, after which there is a ``>``; `at` if it is text."""
    first = np.int64(values[at + 1])
    if letter_of_ascii(first):
        stop = after_tag(values, at + 1, end)
        if stop < 0:
            return -stop
        if spells(values, at + 1, end, SCRIPT, 6):
            return after_raw(values, stop, end, SCRIPT, 6)
        if spells(values, at + 1, end, STYLE, 5):
            return after_raw(values, stop, end, STYLE, 5)
        return stop
    if first == SLASH:
        if letter_of_ascii(np.int64(values[at + 2])):
            return abs(after_tag(values, at + 2, end))
        return after_greater(values, at + 2, end)
    if first == BANG:
        if values[at + 2] == DASH and values[at + 3] == DASH:
            return after_comment(values, at + 4, end)
        if opens_data(values, at):
            return at + 9
        return after_greater(values, at + 2, end)
    return after_greater(values, at + 2, end) if first == QUERY else at


@part
def opens_data(values: npt.NDArray[np.uint8], at: int) -> bool:
    """Return whether there is ``<![CDATA[`` at a ``<``."""
    return (
        load8(values, at) == np.uint64(0x41544144435B213C)  # its first eight bytes
        and values[at + 8] == OPEN
    )


@part
def number_of(values: npt.NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """Return the number of the reference whose ``#`` is at `at`, and the place after it; -1 if there is none."""
    at += 1
    number = np.int64(-1)
    hexadecimal = at < end and values[at] | 0x20 == 0x78
    if hexadecimal:
        at += 1
    while at < end:
        byte = np.int64(values[at])
        digit = byte - 0x30
        if hexadecimal and 0x61 <= byte | 0x20 <= 0x66:
            digit = (byte | 0x20) - 0x57
        elif not 0 <= digit <= 9:
            break
        number = max(number, 0) * (16 if hexadecimal else 10) + digit
        number = min(number, LAST_POINT + 1)
        at += 1
    if number >= 0 and at < end and values[at] == SEMICOLON:
        at += 1
    return number, at


@part
def point_of(number: int, controls: npt.NDArray[np.int32]) -> int:
    """Return the code point of a number, as HTML says; -1 if it is of none and is left out."""
    if 0x80 <= number < 0xA0:
        return np.int64(controls[number - 0x80])
    if number == 0 or 0xD800 <= number < 0xE000 or number > LAST_POINT:
        return REPLACEMENT
    if number < 0x20 and not (number == 0x09 or number == 0x0A or number == 0x0C or number == 0x0D):  # noqa: PLR1714
        return -1
    if number == 0x7F or 0xFDD0 <= number < 0xFDF0 or number & 0xFFFE == 0xFFFE:
        return -1
    return number


@kernel
def strip_markup(
    values: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    letters: npt.NDArray[np.uint8],
    children: npt.NDArray[np.int32],
    siblings: npt.NDArray[np.int32],
    rows: npt.NDArray[np.int32],
    map_starts: npt.NDArray[np.int32],
    map_data: npt.NDArray[np.uint8],
    controls: npt.NDArray[np.int32],
    out: Written[npt.NDArray[np.uint8]],
    out_starts: Written[npt.NDArray[np.int64]],
    out_ends: Written[npt.NDArray[np.int64]],
    segments: Written[Table[np.int64]],
) -> int:
    """Write the texts ``values[starts[i]:ends[i]]`` without markup to ``out[out_starts[i]:out_ends[i]]``.

    The first six arrays after `ends` are the names of references; `controls` are the code points of the numbers 128 to
    159. All else as in `dedup.kernels.points.rewrite_points`.
    """
    room = len(out) - 2 * PADDING
    noted, to, shift = np.int64(0), np.int64(0), np.int64(0)
    for text in range(len(starts)):
        at, end = starts[text], ends[text]
        out_starts[text] = to
        if at - to != shift or text == 0:
            noted = put_segment(segments, noted, to, to, at, at)
        last = end - 1  # the last place of a ">"
        while last >= at and values[last] != GREATER:
            last -= 1
        data = False
        while at < end:
            if to > room or noted < 0:
                return FULL
            if at + 8 <= end:
                word = load8(values, at)
                opens, refers = word ^ OPENS_TAG, word ^ REFERS
                found = (opens - ONES) & ~opens | (refers - ONES) & ~refers
                if data:
                    closes = word ^ CLOSES
                    found |= (closes - ONES) & ~closes
                if found & TOPS == np.uint64(0):
                    store8(out, to, word)
                    at += 8
                    to += 8
                    continue
            byte = np.int64(values[at])
            if byte == LESS and at + 1 < last + 1:
                stop = after_markup(values, at, end)
                if stop > at:
                    data = data or opens_data(values, at)
                    stop = min(stop, end)
                    out[to] = 0x20
                    noted = put_segment(segments, noted, to, to + 1, at, stop)
                    to += 1
                    at = stop
                    continue
            elif byte == CLOSE and data and at + 2 < end and values[at + 1] == CLOSE and values[at + 2] == GREATER:
                out[to] = 0x20
                noted = put_segment(segments, noted, to, to + 1, at, at + 3)
                to += 1
                at += 3
                data = False
                continue
            elif byte == AND and at + 1 < end:
                stop = at
                size = np.int64(0)
                if values[at + 1] == HASH:
                    number, after = number_of(values, at + 1, end)
                    if number >= 0:
                        stop = after
                        point = point_of(number, controls)
                        if point >= 0:
                            size = encode(point, out, to)
                else:
                    place, node, best = at + 1, np.int64(0), np.int64(0)
                    while place < end:
                        node = np.int64(children[node])
                        while node != 0 and letters[node] != values[place]:
                            node = np.int64(siblings[node])
                        if node == 0:
                            break
                        place += 1
                        if rows[node] > 0:
                            best = np.int64(rows[node])
                            stop = place
                    if best > 0:
                        first = np.int64(map_starts[best - 1])
                        size = np.int64(map_starts[best]) - first
                        for i in range(size):
                            out[to + i] = map_data[first + i]
                if stop > at:
                    noted = put_segment(segments, noted, to, to + size, at, stop)
                    to += size
                    at = stop
                    continue
            out[to] = byte
            to += 1
            at += 1
        out_ends[text] = to
        shift = at - to
    return noted if noted >= 0 else FULL

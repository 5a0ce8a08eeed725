"""Strings of JSON turned into UTF-8, many at a time.

In naive Python, for values that follow each other without anything between them::

    while data:
        value, end = json.JSONDecoder().raw_decode(data)
        texts.append(value)                     # a str, or None
        data = data[end:]

The strings were checked before: quotes close, escapes are complete, and surrogates are in pairs.

Cost: linear, 8 bytes at a time between escapes (the test for a byte among 8 is that of [1]).

References: [1] Warren, "Hacker's Delight", 2nd edition, 2012, section 6-1. RFC 8259, section 7.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Written, kernel, part
from dedup.kernels.text_layout import QUOTE
from dedup.kernels.words import ONES, TOPS, load8, trailing_zeros

QUOTES = np.uint64(0x2222222222222222)
SLASHES = np.uint64(0x5C5C5C5C5C5C5C5C)


@part
def hexadecimal(values: npt.NDArray[np.uint8], at: int) -> int:
    """Return the number that is written at `at` in 4 hexadecimal digits."""
    code = 0
    for i in range(4):
        digit = int(values[at + i])
        code = code * 16 + (digit - 0x30 if digit <= 0x39 else (digit & 0xDF) - 0x37)
    return code


@part
def plain(values: npt.NDArray[np.uint8], at: int) -> int:
    """Return the place of the first quote or backslash from `at` on."""
    while True:
        word = load8(values, at)
        quote, slash = word ^ QUOTES, word ^ SLASHES
        found = (((quote - ONES) & ~quote) | ((slash - ONES) & ~slash)) & TOPS
        if found:
            return at + (int(trailing_zeros(found)) >> 3)
        at += 8


@kernel
def unescape(
    values: npt.NDArray[np.uint8],
    size: int,
    texts: Written[npt.NDArray[np.uint8]],
    ends: Written[npt.NDArray[np.int64]],
    missing: Written[npt.NDArray[np.bool_]],
) -> int:
    """Write the text of each value into `texts`, its end into `ends`, and whether it is null into `missing`.

    Returns the number of values; -1 if one is neither a string nor null. `values` has `size` bytes and 8 more that can
    be read; `texts` is as long as `size`.
    """
    at, to, count = 0, 0, 0
    while at < size:
        missing[count] = values[at] == 0x6E
        if values[at] == 0x6E:
            at += 4
        elif values[at] != QUOTE:
            return -1
        else:
            at += 1
            while True:
                start = at
                at = plain(values, at)
                for i in range(at - start):
                    texts[to + i] = values[start + i]
                to += at - start
                if values[at] == QUOTE:
                    at += 1
                    break
                escape = values[at + 1]
                at += 2
                if escape != 0x75:
                    if escape == 0x6E:
                        escape = np.uint8(0x0A)
                    elif escape == 0x74:
                        escape = np.uint8(0x09)
                    elif escape == 0x72:
                        escape = np.uint8(0x0D)
                    elif escape == 0x62:
                        escape = np.uint8(0x08)
                    elif escape == 0x66:
                        escape = np.uint8(0x0C)
                    texts[to] = escape
                    to += 1
                    continue
                code = hexadecimal(values, at)
                at += 4
                if 0xD800 <= code < 0xDC00:
                    code = 0x10000 + ((code - 0xD800) << 10) + hexadecimal(values, at + 2) - 0xDC00
                    at += 6
                if code < 0x80:
                    texts[to] = code
                    to += 1
                elif code < 0x800:
                    texts[to] = 0xC0 | code >> 6
                    texts[to + 1] = 0x80 | code & 0x3F
                    to += 2
                elif code < 0x10000:
                    texts[to] = 0xE0 | code >> 12
                    texts[to + 1] = 0x80 | code >> 6 & 0x3F
                    texts[to + 2] = 0x80 | code & 0x3F
                    to += 3
                else:
                    texts[to] = 0xF0 | code >> 18
                    texts[to + 1] = 0x80 | code >> 12 & 0x3F
                    texts[to + 2] = 0x80 | code >> 6 & 0x3F
                    texts[to + 3] = 0x80 | code & 0x3F
                    to += 4
        ends[count] = to
        count += 1
    return count

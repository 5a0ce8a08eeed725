"""Where the values of JSON end: the elements of an array, or values one after another.

Only strings, brackets and commas are looked at; whether a value is JSON is found out when it is decoded. With `base` 1,
`depth` is 1 inside the array: a value ends with its comma, and the last one with the bracket that closes the array.
With `base` 0, a value ends with the bracket that closes it. In plain Python, for an array::

    for byte in data:
        if state == ESCAPED:            state = STRING
        elif state == STRING:           state = {'"': OUTSIDE, '\\\\': ESCAPED}.get(byte, STRING)
        elif byte == '"':               state = STRING
        elif byte in '[{':              depth += 1
        elif byte == ',' and depth == 1: ends.append(here)
        elif byte in ']}' and (depth > 1 or byte == ']'):
            depth -= 1
            if depth == 0:              ends.append(here); break

Cost: linear, one look at each byte.

References: RFC 8259.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Written, kernel
from dedup.kernels.text_layout import COMMA, QUOTE

OUTSIDE, STRING, ESCAPED_NEXT = 0, 1, 2
"""States between two bytes: outside of strings, in one, after a backslash in one."""

OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT, BACKSLASH = 0x5B, 0x5D, 0x7B, 0x7D, 0x5C


@kernel
def value_ends(
    values: npt.NDArray[np.uint8], base: int, depth: int, state: int, ends: Written[npt.NDArray[np.int64]]
) -> tuple[int, int, int, int]:
    """Write into `ends` the place after each value, its comma or bracket included.

    Return the number of values, the last depth and state, and how many bytes were looked at: fewer than there are only
    after the bracket that closes the array, or if `ends` is full.
    """
    count = 0
    for at in range(len(values)):
        byte = values[at]
        if state == STRING:
            if byte == QUOTE:
                state = OUTSIDE
            elif byte == BACKSLASH:
                state = ESCAPED_NEXT
            continue
        if state == ESCAPED_NEXT:
            state = STRING
            continue
        ended = False
        if byte == QUOTE:
            state = STRING
        elif byte in (OPEN_LIST, OPEN_OBJECT):
            depth += 1
        elif byte == COMMA:
            ended = depth == 1 and base == 1
        elif byte == CLOSE_LIST or (byte == CLOSE_OBJECT and depth > base):
            depth = max(depth - 1, 0)
            ended = depth == 0
        if ended:
            ends[count] = at + 1
            count += 1
            if count == len(ends) or (base == 1 and depth == 0):
                return count, depth, state, at + 1
    return count, depth, state, len(values)

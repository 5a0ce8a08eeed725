"""Where the records of comma-separated text end.

A record ends with the line feed that stands in no quoted field. A field is quoted where a quote is its first byte; in
it two quotes stand for one, and a single one closes it. A quote elsewhere is a byte like any other. In plain Python::

    for byte in data:
        if state == QUOTED:      state = CLOSED if byte == '"' else QUOTED
        elif byte == '\\n':       ends.append(here); state = FIELD_START
        elif byte == ',':        state = FIELD_START
        elif byte == '"':        state = QUOTED if state in (FIELD_START, CLOSED) else PLAIN
        else:                    state = PLAIN

Cost: linear, a look at each byte.

References: RFC 4180; what it leaves open is as in Arrow's reader of CSV.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Written, kernel
from dedup.kernels.text_layout import COMMA, FEED, QUOTE

FIELD_START, PLAIN, QUOTED, CLOSED = 0, 1, 2, 3


@kernel
def record_ends(values: npt.NDArray[np.uint8], state: int, ends: Written[npt.NDArray[np.int64]]) -> tuple[int, int]:
    """Write into `ends` where the records end, behind their line feeds; return their number and the state behind.

    `ends` has room for as many as there are line feeds. `state` is 0 at the beginning of a record.
    """
    count = 0
    for at in range(len(values)):
        byte = values[at]
        if state == QUOTED:
            if byte == QUOTE:
                state = CLOSED
        elif byte == FEED:
            ends[count] = at + 1
            count += 1
            state = FIELD_START
        elif byte == COMMA:
            state = FIELD_START
        elif byte == QUOTE:
            state = QUOTED if state != PLAIN else PLAIN
        else:
            state = PLAIN
    return count, state

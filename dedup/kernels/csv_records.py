"""Where the records of separated text end, in which `separator`, a byte, is between fields.

A record ends with a line feed that is not in a quoted field. A field is quoted if a quote is its first byte. In it, two
quotes mean one quote, and a single quote closes it. Elsewhere a quote is a byte like any other. In plain Python::

    for byte in data:
        if state == QUOTED:      state = CLOSED if byte == '"' else QUOTED
        elif byte == '\\n':       ends.append(here); state = FIELD_START
        elif byte == separator:  state = FIELD_START
        elif byte == '"':        state = QUOTED if state in (FIELD_START, CLOSED) else UNQUOTED
        else:                    state = UNQUOTED

Cost: linear, one look at each byte.

References: RFC 4180; what it leaves open is as in Arrow's reader of CSV.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Written, kernel
from dedup.kernels.text_layout import FEED, QUOTE

FIELD_START, UNQUOTED, QUOTED, CLOSED = 0, 1, 2, 3


@kernel
def record_ends(
    values: npt.NDArray[np.uint8], separator: int, state: int, ends: Written[npt.NDArray[np.int64]]
) -> tuple[int, int]:
    """Write into `ends` the place after the line feed of each record; return the number of records and the last state.

    `ends` needs one place per line feed. `state` is 0 at the beginning of a record.
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
        elif byte == separator:
            state = FIELD_START
        elif byte == QUOTE:
            state = QUOTED if state != UNQUOTED else UNQUOTED
        else:
            state = UNQUOTED
    return count, state

"""Two stretches of tokens beside each other: how far an end grows, and how many tokens a gap has in common.

An end grows until its score is more than `DROP` below its best score [1]: `EQUAL` for an equal token, `EDIT_COST` for
one that is inserted, deleted or substituted. The alignment lies in a band of `BAND` tokens on either side. In a loop,
every end could grow through the whole text. So tokens that another end crossed before in the same direction are
counted. An end may cross so many of them as it is allowed, and one more for each new token. A gap is aligned by the
longest common subsequence, in naive Python::

    def common(a, b):
        if not a or not b: return 0
        if a[-1] == b[-1]: return common(a[:-1], b[:-1]) + 1
        return max(common(a[:-1], b), common(a, b[:-1]))

Cost: of ends, the band times the tokens crossed, which are at most twice the text in either direction and what the ends
are allowed; of a gap, the product of its two sides.

References: [1] Zhang, Schwartz, Wagner, Miller, "A greedy algorithm for aligning DNA sequences", 2000; [2] Hyyrö,
"Bit-parallel LCS-length computation revisited", 2004.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, shared
from dedup.kernels.band import BAND_LANES, EDIT_COST, EQUAL_TOKENS, LOWEST, ONE_SCORE, SCORE_AT, band_row
from dedup.kernels.words import trailing_zeros

BAND = 8
"""Tokens that an end may drift while it grows."""

DROP = 16

SOURCE_TOKENS, FEW_ROWS = 128, 24
"""Tokens of the source beside an end that are held at a time, and the rows that the first of them are for: half of all
ends grow no further."""

MOST_SCORE = 1 << 22
"""A score from which on the others are counted: one more would not fit beside the equal tokens."""

MARKS = 128
"""Places that an end may end at, at most."""


@shared
def grow(
    tokens: npt.NDArray[np.uint32],
    at: int,
    source: int,
    step: int,
    room: int,
    source_room: int,
    walked: Written[npt.NDArray[np.uint8]],
    mine: np.uint8,
    begin: int,
    allowed: int,
    grown: Written[npt.NDArray[np.int64]],
    marks: Written[Table[np.int64]],
    state: Written[npt.NDArray[np.int64]],
    near: Written[npt.NDArray[np.uint64]],
) -> int:
    """Grow an end: write how many tokens it gains here, in the source, and how many of them are equal.

    The places at which the score was the best so far are written as well (`marks`, of the same three columns;
    ``grown[4]`` is their number): all of the first `MARKS`, then every second one, and so on.

    The tokens at ``at + step * k`` and ``source + step * k`` come next, for k from 0 to `room` and `source_room`. Where
    ends have been before, `walked` has the bit `mine` for their direction (written; its first item is that of token
    `begin`); such tokens are counted in ``grown[3]``. ``grown[5]`` says that no more were allowed.
    `state` (`BAND_LANES`) and `near` (`SOURCE_TOKENS`) are overwritten: a row of the band, and tokens of the source.
    Returns the number of tokens crossed.
    """
    left = np.int64(allowed)
    for lane in range(BAND_LANES):
        state[lane] = LOWEST
    for i in range(6):
        grown[i] = 0
    for column in range(BAND + 1):
        if column <= source_room:
            state[BAND + column] = column * EDIT_COST * ONE_SCORE
    best, base = np.int64(0), np.int64(0)  # the scores of `state` are less by `base`
    met, stride = np.int64(0), np.int64(1)
    held, first = np.int64(0), np.int64(0)  # rows whose tokens of the source are in `near`, and the row before them
    for row in range(1, room + 1):
        token = np.uint64(tokens[at + step * (row - 1)])
        place = at + step * (row - 1) - begin
        if walked[place] & mine:
            if left == 0:
                grown[5] = 1
                return row - 1
            left -= 1
            grown[3] += 1
        else:
            walked[place] |= mine
            left += 1
        if row > held:
            first = np.int64(row - 1)
            rows = np.int64(FEW_ROWS if row == 1 else SOURCE_TOKENS - BAND_LANES)
            held = first + rows
            # item k is the token of the source that follows `first + k - BAND` others
            low, high = max(np.int64(0), BAND - first), min(rows + BAND_LANES, source_room + BAND - first)
            if step > 0:
                for k in range(low, high):
                    near[k] = np.uint64(tokens[source + first - BAND + k])
            else:
                for k in range(low, high):
                    near[k] = np.uint64(tokens[source - first + BAND - k])
        # in the naive definition column c has the tokens `row + c - BAND` of the source, if there are so many
        alive, better = band_row(
            state,
            near,
            row - 1 - first,
            token,
            np.int64(BAND - row),
            np.int64(min(2 * BAND, source_room - row + BAND)),
            np.int64((best - base - DROP) * ONE_SCORE),
            np.int64((best - base + 1) * ONE_SCORE),
        )
        while better != np.uint64(0):
            lane = trailing_zeros(better)
            better &= better - np.uint64(1)
            value = base + (state[lane] >> SCORE_AT)
            if value > best:
                best = value
                grown[0] = row
                grown[1] = row + lane - BAND
                grown[2] = state[lane] & EQUAL_TOKENS
                if met % stride == 0:
                    if grown[4] == MARKS:
                        for i in range(MARKS // 2):
                            for k in range(3):
                                marks[i, k] = marks[2 * i, k]
                        grown[4] = MARKS // 2
                        stride *= 2
                    for k in range(3):
                        marks[grown[4], k] = grown[k]
                    grown[4] += 1
                met += 1
        if alive == np.uint64(0):
            return row
        if best - base > MOST_SCORE:
            for lane in range(BAND_LANES):
                state[lane] = max(state[lane] - (best - base) * ONE_SCORE, np.int64(LOWEST))
            base = np.int64(best)
    return room


@shared
def walk(
    at: int,
    step: int,
    rows: int,
    walked: Written[npt.NDArray[np.uint8]],
    mine: np.uint8,
    begin: int,
    allowed: int,
    grown: Written[npt.NDArray[np.int64]],
) -> bool:
    """Do to `walked` and to ``grown[3]`` what `grow` does that crosses `rows` tokens; nothing if it may not."""
    left, again = np.int64(allowed), np.int64(0)
    for row in range(rows):
        if walked[at + step * row - begin] & mine:
            if left == 0:
                return False
            left -= 1
            again += 1
        else:
            left += 1
    for row in range(rows):
        walked[at + step * row - begin] |= mine
    grown[3] = again
    return True


@shared
def common(tokens: npt.NDArray[np.uint32], a: int, a_end: int, b: int, b_end: int) -> int:
    """Return the length of the longest common subsequence of two stretches of at most 64 tokens.

    There is a bit for each token of the second stretch: 0 if the row of the dynamic program rises by one there [2].
    """
    one = np.uint64(1)
    rows = ~np.uint64(0)
    for i in range(a, a_end):
        token = tokens[i]
        equal = np.uint64(0)
        for j in range(b, b_end):
            equal |= np.uint64(tokens[j] == token) << np.uint64(j - b)
        matched = rows & equal
        rows = (rows + matched) | (rows - matched)
    length = 0
    for j in range(b_end - b):
        length += np.int64(~(rows >> np.uint64(j)) & one)
    return length

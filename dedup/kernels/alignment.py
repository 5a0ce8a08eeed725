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

BAND = 8
"""Tokens that an end may drift while it grows."""

DROP = 16
EQUAL, EDIT_COST = 2, -3

MARKS = 128
"""Places that an end may end at, at most."""


@shared
def grow(
    tokens: npt.NDArray[np.uint64],
    at: int,
    source: int,
    step: int,
    room: int,
    source_room: int,
    walked: Written[npt.NDArray[np.uint8]],
    begin: int,
    allowed: int,
    grown: Written[npt.NDArray[np.int64]],
    marks: Written[Table[np.int64]],
    room_for: Written[Table[np.int64]],
) -> int:
    """Grow an end: write how many tokens it gains here, in the source, and how many of them are equal.

    The places at which the score was the best so far are written as well (`marks`, of the same three columns;
    ``grown[4]`` is their number): all of the first `MARKS`, then every second one, and so on.

    The tokens at ``at + step * k`` and ``source + step * k`` come next, for k from 0 to `room` and `source_room`. Where
    ends have been before, `walked` has a bit for their direction (written; its first item is that of token `begin`);
    such tokens are counted in ``grown[3]``.
    `room_for` has two rows of ``2 * BAND + 3`` (written). Returns the number of tokens crossed.
    """
    mine = np.uint8(1 if step > 0 else 2)
    left = np.int64(allowed)
    width = 2 * BAND + 1
    low = -(1 << 30)
    score, equal = room_for[0], room_for[1]  # column: tokens of the source less those here, + BAND + 1
    for column in range(width + 2):
        score[column] = low
        equal[column] = 0
    for i in range(5):
        grown[i] = 0
    best = np.int64(0)
    met, stride = np.int64(0), np.int64(1)
    for column in range(BAND + 1):
        if column <= source_room:
            score[BAND + 1 + column] = column * EDIT_COST
    for row in range(1, room + 1):
        token = tokens[at + step * (row - 1)]
        place = at + step * (row - 1) - begin
        if walked[place] & mine:
            if left == 0:
                return row - 1
            left -= 1
            grown[3] += 1
        else:
            walked[place] |= mine
            left += 1
        top = np.int64(low)
        for column in range(1, width + 1):
            taken = row + column - BAND - 1
            # the row above: its same column is a diagonal step, the next one a token left out here
            if taken < 0 or taken > source_room:
                score[column] = low
                continue
            value, same = np.int64(low), np.int64(0)
            if taken > 0 and score[column] > low // 2:
                if tokens[source + step * (taken - 1)] == token:
                    value, same = score[column] + EQUAL, equal[column] + 1
                else:
                    value, same = score[column] + EDIT_COST, equal[column]
            if score[column + 1] + EDIT_COST > value:
                value, same = score[column + 1] + EDIT_COST, equal[column + 1]
            if score[column - 1] + EDIT_COST > value:
                value, same = score[column - 1] + EDIT_COST, equal[column - 1]
            score[column] = value
            equal[column] = same
            if value > top:
                top = value
            if value > best:
                best = value
                grown[0] = row
                grown[1] = taken
                grown[2] = same
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
        score[0] = low
        score[width + 1] = low
        if top < best - DROP:
            return row
    return room


@shared
def common(tokens: npt.NDArray[np.uint64], a: int, a_end: int, b: int, b_end: int) -> int:
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

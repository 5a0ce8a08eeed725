"""Seeds of chains: runs of short windows that occur at an earlier place, linked to the first such place and the last.

A seed is a longest run of places i, i + 1, ... in one text, of which `first` (or `latest`) is p, p + 1, ... in one
text: (i, p, tokens). `dedup.kernels.window_table` defines both. Seeds are written where they begin, so they are ordered
by (start, source) without a sort.

Across two sides, only every second window of the first side may be in the table (a `stride`). Then a run goes on from a
window to the next one that it overlaps and that is as far away as its source is (`write_sparse_seeds`).

Arrays: places are int32, or int64 beyond 2^31 tokens. Cost: linear; about 5 ns a token.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, shared

OPEN_FIRST, OPEN_LATEST, ROW_FIRST, ROW_LATEST, COUNT = range(5)
"""Of the seeds so far: where the last windows link to, and the seeds that they are in."""

OPENED = 8
"""Seeds that may go on, where windows are sparse."""


@shared
def text_from(offsets: npt.NDArray[np.int64], begin: int) -> int:
    """Return the first text that begins at the place `begin` or later."""
    low, high = 0, len(offsets)
    while low < high:
        middle = (low + high) // 2
        if offsets[middle] < begin:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def write_seeds(
    first: npt.NDArray[np.signedinteger],
    latest: npt.NDArray[np.signedinteger],
    begin: int,
    offsets: npt.NDArray[np.int64],
    size: int,
    state: Written[npt.NDArray[np.int64]],
    start: Written[npt.NDArray[np.signedinteger]],
    source: Written[npt.NDArray[np.signedinteger]],
    length: Written[npt.NDArray[np.signedinteger]],
) -> None:
    """Write the seeds of the windows from place `begin` on, by (start, source), after the first ``state[COUNT]`` seeds.

    `start`, `source` and `length` have room for two more seeds per window. A seed may continue from the windows
    before, and into the windows of the next call, which gets the same `state`.
    """
    count = state[COUNT]
    open_first, open_latest = state[OPEN_FIRST], state[OPEN_LATEST]
    row_first, row_latest = state[ROW_FIRST], state[ROW_LATEST]
    text = text_from(offsets, begin)
    end = begin + len(first)
    at = np.int64(begin)
    while at < end:
        while text < len(offsets) and offsets[text] <= at:
            if offsets[text] == at:
                open_first, open_latest = np.int64(-2), np.int64(-2)
            text += 1
        until = min(end, offsets[text]) if text < len(offsets) else end
        for i in range(at, until):
            to_first, to_latest = np.int64(first[i - begin]), np.int64(latest[i - begin])
            if to_first >= 0:
                if to_first != open_first + 1 or (size == 1 and begins_text(offsets, to_first)):
                    row_first = count
                    start[count] = i
                    source[count] = to_first
                    length[count] = size - 1
                    count += 1
                length[row_first] += 1
                open_first = to_first
            else:
                open_first = np.int64(-2)
            if to_latest >= 0:
                if to_latest != open_latest + 1 or (size == 1 and begins_text(offsets, to_latest)):
                    row_latest = count
                    start[count] = i
                    source[count] = to_latest
                    length[count] = size - 1
                    count += 1
                length[row_latest] += 1
                open_latest = to_latest
            else:
                open_latest = np.int64(-2)
        at = np.int64(until)
    state[COUNT] = count
    state[OPEN_FIRST], state[OPEN_LATEST] = open_first, open_latest
    state[ROW_FIRST], state[ROW_LATEST] = row_first, row_latest


@kernel
def write_sparse_seeds(
    first: npt.NDArray[np.signedinteger],
    latest: npt.NDArray[np.signedinteger],
    begin: int,
    offsets: npt.NDArray[np.int64],
    size: int,
    opened: Written[Table[np.int64]],
    state: Written[npt.NDArray[np.int64]],
    start: Written[npt.NDArray[np.signedinteger]],
    source: Written[npt.NDArray[np.signedinteger]],
    length: Written[npt.NDArray[np.signedinteger]],
) -> None:
    """Write the seeds as `write_seeds` does, where not all windows have their places in the table.

    Windows that are as far apart as their sources, and overlap, are in one seed, though others are between them.
    `opened` are the last `OPENED` seeds: place and source of the last window of each, and the row of the seed.
    """
    count = state[COUNT]
    text = text_from(offsets, begin)
    end = begin + len(first)
    at = np.int64(begin)
    while at < end:
        while text < len(offsets) and offsets[text] <= at:
            if offsets[text] == at:
                for k in range(OPENED):
                    opened[k, 0] = -size
            text += 1
        until = min(end, offsets[text]) if text < len(offsets) else end
        for i in range(at, until):
            for which in range(2):
                to = np.int64(first[i - begin] if which == 0 else latest[i - begin])
                if to < 0:
                    continue
                oldest, found = 0, -1
                for k in range(OPENED):
                    if i - opened[k, 0] < size and i - opened[k, 0] == to - opened[k, 1]:
                        found = k
                    if opened[k, 0] < opened[oldest, 0]:
                        oldest = k
                if found < 0:
                    found = oldest
                    opened[found, 2] = count
                    start[count] = i
                    source[count] = to
                    count += 1
                opened[found, 0], opened[found, 1] = i, to
                length[opened[found, 2]] = i + size - start[opened[found, 2]]
        at = np.int64(until)
    state[COUNT] = count


@shared
def begins_text(offsets: npt.NDArray[np.int64], place: int) -> bool:
    """Say whether a text begins at a place. A window of two tokens or more can only follow one in the same text."""
    low, high = 0, len(offsets)
    while low < high:
        middle = (low + high) // 2
        if offsets[middle] < place:
            low = middle + 1
        else:
            high = middle
    return low < len(offsets) and offsets[low] == place

"""Seeds of chains: runs of short windows that occur at an earlier place, linked to the first such place and the last.

In naive Python, over the windows `w` of `size` tokens, by the place of their first token::

    first[i] = w.index(w[i]) if w.index(w[i]) < i else -1
    latest[i] = max((j for j in range(i) if w[j] == w[i]), default=-1); -1 too where that is first[i]

A seed is a longest run of places i, i + 1, ... in one text, of which `first` (or `latest`) is p, p + 1, ... in one
text: (i, p, tokens). Across two sides, only the windows after a `border` have seeds, and j is a place before it.

1. `mark_grams` selects a cell of two bits by the hash of each window: seen, seen again. A window whose cell was seen
   once occurs once (or, with a border, on one side only). If windows share a cell, some that occur once are kept; all
   that occur twice are.
2. `place_windows` looks the others up in one table, in their order. It has the first and the last place of each window,
   so nothing else is held. All tokens are compared.
3. `write_seeds` writes the runs where they begin, so seeds are ordered by (start, source) without a sort.

Across two sides, only every second window before the border may be in the table (a `stride`). Then a run goes on from a
window to the next one that it overlaps and that is as far away as its source is (`write_sparse_seeds`).

Windows are divided into parts by their hash. Each part has its own cells and table, and may have its own thread.

Arrays: tokens are numbers, uint32 (`dedup.kernels.vocabulary`); places are int32, or int64 beyond 2^31 tokens.

Cost: linear; about 5 ns a token for 1, 10 to 40 for 2, 5 for 3. A part hashes all windows, and looks up its own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, shared
from dedup.kernels.words import mix

GRAM_BASE = np.uint64(0x9E3779B97F4A7C15)
GRAMS_AHEAD = 64
"""Windows that are hashed at a time: a processor waits for a dozen memory accesses at once as long as for one."""

HASH_BITS, FIRST_PLACE, LATEST_PLACE = range(3)
"""Columns of the table: bits of the hash, first place + 1 (0: an empty row), last place + 1."""

FILLED, NEXT = range(2)
"""Of a part: rows of the table that are filled; the next place to look at."""

OPEN_FIRST, OPEN_LATEST, ROW_FIRST, ROW_LATEST, COUNT = range(5)
"""Of the seeds so far: where the last windows link to, and the seeds that they are in."""

OPENED = 8
"""Seeds that may go on, where windows are sparse."""


@kernel
def mark_grams(
    tokens: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.int64],
    size: int,
    part: int,
    parts: int,
    border: int,
    origins: npt.NDArray[np.int64],
    stride: int,
    cells: Written[npt.NDArray[np.uint64]],
    counts: Written[npt.NDArray[np.int64]],
) -> None:
    """Mark the windows of a part, and count the cells that were seen, and seen again.

    `cells` are 32 a word, a power of two words. With a `border`, a cell is seen by a window before that place, and seen
    again by one after it. Before the border, only windows at a multiple of `stride` count, by their place in the text;
    ``origins[t]`` is the place of the first token of row t in its text.
    """
    power = np.uint64(1)  # GRAM_BASE ** size
    for _ in range(size):
        power *= GRAM_BASE
    mask = np.uint64(len(cells) - 1)
    mine = np.uint64(part)
    hashes = np.empty(GRAMS_AHEAD, dtype=np.uint64)
    met, again = np.uint64(0), np.uint64(0)
    for text in range(len(offsets) - 1):
        start, end = offsets[text], offsets[text + 1]
        if end - start < size:
            continue
        sees = np.uint64(border == 0 or start < border)
        sees_again = np.uint64(start >= border)
        every = np.int64(stride if start < border else 1)
        wait = (every - origins[text] % every) % every
        total = np.uint64(0)
        for i in range(start, start + size - 1):
            total = total * GRAM_BASE + np.uint64(tokens[i])
        left = np.uint64(0)
        at = start + size - 1
        while at < end:
            count = np.uint64(0)
            for i in range(np.uint64(at), np.uint64(min(at + GRAMS_AHEAD, end))):
                total = total * GRAM_BASE + np.uint64(tokens[i]) - left * power
                left = np.uint64(tokens[i + np.uint64(1) - np.uint64(size)])
                value = mix(total)
                hashes[count] = value
                own = (value >> np.uint64(32)) * np.uint64(parts) >> np.uint64(32) == mine
                count += np.uint64(own & (wait == 0))
                wait = every - 1 if wait == 0 else wait - 1
            at += GRAMS_AHEAD
            for k in range(count):
                value = hashes[k]
                word = (value >> np.uint64(5)) & mask
                cell = np.uint64(2) * (value & np.uint64(31))
                old = cells[word] >> cell
                cells[word] |= (sees | (old & sees_again) << np.uint64(1)) << cell
                met += ~old & sees
                again += (old & ~(old >> np.uint64(1))) & sees_again
    counts[0], counts[1] = met, again


@kernel
def place_windows(
    tokens: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.int64],
    begin: int,
    end: int,
    size: int,
    part: int,
    parts: int,
    border: int,
    origins: npt.NDArray[np.int64],
    stride: int,
    cells: npt.NDArray[np.uint64],
    table: Written[Table[np.signedinteger]],
    state: Written[npt.NDArray[np.int64]],
    first: Written[npt.NDArray[np.signedinteger]],
    latest: Written[npt.NDArray[np.signedinteger]],
) -> bool:
    """Write `first` and `latest` of the windows of a part at the places `begin` to `end` (-1 was written before).

    Begins at ``state[NEXT]``. Returns whether all were placed; if not, the table needs more rows (`widen_table`). With
    a `border`, windows before it enter the table and link to nothing, and windows after it link to those; `origins` and
    `stride` as for `mark_grams`.
    """
    power = np.uint64(1)  # GRAM_BASE ** size
    for _ in range(size):
        power *= GRAM_BASE
    mask = np.uint64(len(cells) - 1)
    mine = np.uint64(part)
    rows = np.uint64(len(table))
    hashes = np.empty(GRAMS_AHEAD, dtype=np.uint64)
    places = np.empty(GRAMS_AHEAD, dtype=np.uint64)
    slots = np.empty(GRAMS_AHEAD, dtype=np.uint64)
    known = np.empty(GRAMS_AHEAD, dtype=np.uint64)
    low32, one, tokens_of_one = np.uint64(0xFFFFFFFF), np.uint64(1), np.uint64(size)
    ahead = np.empty(GRAMS_AHEAD, dtype=np.uint64)
    low, high = 0, len(offsets) - 1  # the text of the first place
    while high - low > 1:
        middle = (low + high) // 2
        if offsets[middle] <= state[NEXT]:
            low = middle
        else:
            high = middle
    for text in range(low, len(offsets) - 1):
        at = max(offsets[text], state[NEXT])
        if at >= end:
            break
        until = min(offsets[text + 1] - size + 1, end)
        if at >= until:
            continue
        every = np.int64(stride if at < border else 1)
        wait = (every - (origins[text] + at - offsets[text]) % every) % every
        total = np.uint64(0)
        for i in range(at, at + size - 1):
            total = total * GRAM_BASE + np.uint64(tokens[i])
        left = np.uint64(0)
        while at < until:
            if 8 * (state[FILLED] + GRAMS_AHEAD) > 7 * len(table):
                state[NEXT] = at
                return False
            some = min(GRAMS_AHEAD, until - at)
            own = np.uint64(0)
            for k in range(np.uint64(some)):
                i = np.uint64(at) + k
                total = total * GRAM_BASE + np.uint64(tokens[i + tokens_of_one - one]) - left * power
                left = np.uint64(tokens[i])
                value = mix(total)
                hashes[own] = value
                places[own] = i
                is_own = (value >> np.uint64(32)) * np.uint64(parts) >> np.uint64(32) == mine
                own += np.uint64(is_own & (wait == 0))
                wait = every - 1 if wait == 0 else wait - 1
            count = np.uint64(0)
            for k in range(own):  # these accesses are waited for all at once
                value = hashes[k]
                twice = cells[(value >> np.uint64(5)) & mask] >> (np.uint64(2) * (value & np.uint64(31)))
                places[count] = places[k]
                hashes[count] = value
                count += (twice >> one) & one
            for k in range(count):
                slots[k] = (hashes[k] & low32) * rows >> np.uint64(32)
                known[k] = np.uint64(table[slots[k], FIRST_PLACE])
            for k in range(count):
                ahead[k] = np.uint64(tokens[max(known[k], one) - one])
            for k in range(count):
                i = np.int64(places[k])
                tag = table.dtype.type(np.int32(np.uint32(hashes[k] & low32)))
                slot = slots[k]
                while True:
                    q = np.int64(table[slot, FIRST_PLACE]) - 1
                    if q < 0:
                        if i >= border > 0:
                            break
                        table[slot, HASH_BITS] = tag
                        table[slot, FIRST_PLACE] = i + 1
                        table[slot, LATEST_PLACE] = i + 1
                        state[FILLED] += 1
                        break
                    if table[slot, HASH_BITS] == tag:
                        unequal = np.uint32(0)
                        for offset in range(tokens_of_one):  # few, and mostly equal
                            unequal |= tokens[np.uint64(q) + offset] ^ tokens[places[k] + offset]
                        if unequal == np.uint32(0):
                            if i >= border:
                                last = np.int64(table[slot, LATEST_PLACE]) - 1
                                first[i - begin] = q
                                latest[i - begin] = last if last != q else np.int64(-1)
                            if i < border or border == 0:
                                table[slot, LATEST_PLACE] = i + 1
                            break
                    slot = slot + one if slot + one < rows else np.uint64(0)
            at += some
    state[NEXT] = end
    return True


@kernel
def widen_table(old: Table[np.signedinteger], table: Written[Table[np.signedinteger]]) -> None:
    """Move the rows of a table into a wider one, which is all zeros."""
    rows = np.uint64(len(table))
    for at in range(len(old)):
        if old[at, FIRST_PLACE] != 0:
            slot = np.uint64(np.uint32(old[at, HASH_BITS])) * rows >> np.uint64(32)
            while table[slot, FIRST_PLACE] != 0:
                slot = slot + np.uint64(1) if slot + np.uint64(1) < rows else np.uint64(0)
            for column in range(3):
                table[slot, column] = old[at, column]


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

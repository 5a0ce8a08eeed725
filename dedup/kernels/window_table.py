"""The table of short windows: of each that occurs twice, the first place and the last one.

In naive Python, over the windows `w` of `size` tokens, by the place of their first token::

    first[i] = w.index(w[i]) if w.index(w[i]) < i else -1
    latest[i] = max((j for j in range(i) if w[j] == w[i]), default=-1); -1 too where that is first[i]

Across two sides, only the windows after a `border` are looked up, and j is a place before it: at every `stride`-th
place of a text.

1. `mark_grams` selects a cell of two bits by the hash of each window: seen, seen again. A window whose cell was seen
   once occurs once (or, with a border, on one side only). If windows share a cell, some that occur once are kept; all
   that occur twice are.
2. `place_windows` looks the others up in one table, in their order, so nothing else is held. Its rows are in the order
   of the first places, and slots by hash lead to them: where a passage is repeated, the next window is in the next row,
   and is looked for there first. All tokens are compared.

A slot has the number of a row, from 1 on, in its low bits, and above it a few bits of the hash. 0 is a free slot.

Windows are divided into parts by their hash. Each part has its own cells and table, and may have its own thread.

Arrays: tokens are numbers, uint32 (`dedup.kernels.vocabulary`); places are int32, or int64 beyond 2^31 tokens.

Cost: linear; about 5 ns a token for 1, 10 to 40 for 2. A part hashes all windows, and looks up its own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part
from dedup.kernels.words import mix

GRAM_BASE = np.uint64(0x9E3779B97F4A7C15)
GRAMS_AHEAD = 64
"""Windows that are hashed at a time: a processor waits for a dozen memory accesses at once as long as for one."""

FIRST_PLACE, LATEST_PLACE = range(2)
"""Columns of the table: the first place of a window, and the last one."""

FILLED, NEXT = range(2)
"""Of a part: rows of the table that are filled; the next place to look at."""


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
    slots: Written[npt.NDArray[np.signedinteger]],
    table: Written[Table[np.signedinteger]],
    state: Written[npt.NDArray[np.int64]],
    first: Written[npt.NDArray[np.signedinteger]],
    latest: Written[npt.NDArray[np.signedinteger]],
) -> bool:
    """Write `first` and `latest` of the windows of a part at the places `begin` to `end` (-1 was written before).

    Begins at ``state[NEXT]``. Returns whether all were placed; if not, there have to be more slots and rows
    (`fill_slots`). With a `border`, windows before it enter the table and link to nothing, and windows after it link to
    those; `origins` and `stride` as for `mark_grams`.
    """
    power = np.uint64(1)  # GRAM_BASE ** size
    for _ in range(size):
        power *= GRAM_BASE
    mask = np.uint64(len(cells) - 1)
    mine = np.uint64(part)
    most, row_bits = np.uint64(len(slots)), bits_of_rows(len(table))
    row_mask, tag_mask = (np.uint64(1) << row_bits) - np.uint64(1), tags_for(row_bits, slots.itemsize)
    hashes = np.empty(GRAMS_AHEAD, dtype=np.uint64)
    places = np.empty(GRAMS_AHEAD, dtype=np.uint64)
    begins = np.empty(GRAMS_AHEAD, dtype=np.uint64)
    known = np.empty(GRAMS_AHEAD, dtype=np.uint64)
    low32, one, tokens_of_one = np.uint64(0xFFFFFFFF), np.uint64(1), np.uint64(size)
    low, high = 0, len(offsets) - 1  # the text of the first place
    while high - low > 1:
        middle = (low + high) // 2
        if offsets[middle] <= state[NEXT]:
            low = middle
        else:
            high = middle
    filled = np.uint64(state[FILLED])
    row, found, found_at = filled, np.uint64(0), np.uint64(0)
    if filled == np.uint64(0) and len(table) > 0:
        table[0, FIRST_PLACE] = 0  # it is read before it is filled
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
            if filled + np.uint64(GRAMS_AHEAD) > np.uint64(len(table)):
                state[NEXT], state[FILLED] = at, np.int64(filled)
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
            done = np.uint64(0)  # windows that follow the last one found as the next rows follow its row
            while done < own and row + one < filled:
                i, q = places[done], np.uint64(table[row + one, FIRST_PLACE])
                if q - found != i - found_at:
                    break
                unequal = np.uint32(0)
                for offset in range(tokens_of_one):
                    unequal |= tokens[q + offset] ^ tokens[i + offset]
                if unequal != np.uint32(0):
                    break
                row, found, found_at = row + one, q, i
                if np.int64(i) >= border:
                    last = np.uint64(table[row, LATEST_PLACE])
                    first[np.int64(i) - begin] = np.int64(q)
                    latest[np.int64(i) - begin] = np.int64(last) if last != q else np.int64(-1)
                if np.int64(i) < border or border == 0:
                    table[row, LATEST_PLACE] = np.int64(i)
                done += one
            count = np.uint64(0)
            for k in range(done, own):  # these accesses are waited for all at once
                value = hashes[k]
                twice = cells[(value >> np.uint64(5)) & mask] >> (np.uint64(2) * (value & np.uint64(31)))
                places[count] = places[k]
                hashes[count] = value
                count += (twice >> one) & one
            for k in range(count):
                begins[k] = (hashes[k] & low32) * most >> np.uint64(32)
                known[k] = np.uint64(slots[begins[k]]) & row_mask
            for k in range(count):
                known[k] = np.uint64(table[max(known[k], one) - one, FIRST_PLACE])
            for k in range(count):
                known[k] = np.uint64(tokens[known[k]])
            for k in range(count):
                i = np.int64(places[k])
                tag = (hashes[k] >> np.uint64(32)) & tag_mask
                slot = begins[k]
                while True:
                    held = np.uint64(slots[slot])
                    if held == np.uint64(0):
                        if i >= border > 0:
                            break
                        table[filled, FIRST_PLACE] = i
                        table[filled, LATEST_PLACE] = i
                        filled += one
                        slots[slot] = slots.dtype.type(np.int64((tag << row_bits) | filled))
                        break
                    if held >> row_bits == tag:
                        held_row = (held & row_mask) - one
                        q = np.uint64(table[held_row, FIRST_PLACE])
                        unequal = np.uint32(0)
                        for offset in range(tokens_of_one):  # few, and mostly equal
                            unequal |= tokens[q + offset] ^ tokens[places[k] + offset]
                        if unequal == np.uint32(0):
                            row, found, found_at = held_row, q, places[k]
                            if i >= border:
                                last = np.int64(table[row, LATEST_PLACE])
                                first[i - begin] = np.int64(q)
                                latest[i - begin] = last if last != np.int64(q) else np.int64(-1)
                            if i < border or border == 0:
                                table[row, LATEST_PLACE] = i
                            break
                    slot = slot + one if slot + one < most else np.uint64(0)
            at += some
    state[NEXT], state[FILLED] = end, np.int64(filled)
    return True


@part
def bits_of_rows(rows: int) -> np.uint64:
    """Return how many bits of a slot are the number of a row, from 1 on."""
    bits = np.uint64(0)
    while rows >> np.int64(bits) > 0:
        bits += np.uint64(1)
    return bits


@part
def tags_for(row_bits: np.uint64, width: int) -> np.uint64:
    """Return the mask of the bits of a hash that a slot has above the number of a row: up to 16, and no sign."""
    return (np.uint64(1) << min(np.uint64(8 * width - 1) - row_bits, np.uint64(16))) - np.uint64(1)


@kernel
def fill_slots(
    tokens: npt.NDArray[np.uint32],
    size: int,
    table: Table[np.signedinteger],
    filled: int,
    slots: Written[npt.NDArray[np.signedinteger]],
) -> None:
    """Enter the `filled` rows of a table into slots that are all 0."""
    most, row_bits = np.uint64(len(slots)), bits_of_rows(len(table))
    tag_mask = tags_for(row_bits, slots.itemsize)
    for row in range(np.uint64(filled)):
        total = np.uint64(0)
        q = np.uint64(table[row, FIRST_PLACE])
        for offset in range(np.uint64(size)):
            total = total * GRAM_BASE + np.uint64(tokens[q + offset])
        value = mix(total)
        slot = (value & np.uint64(0xFFFFFFFF)) * most >> np.uint64(32)
        while slots[slot] != 0:
            slot = slot + np.uint64(1) if slot + np.uint64(1) < most else np.uint64(0)
        tag = (value >> np.uint64(32)) & tag_mask
        slots[slot] = slots.dtype.type(np.int64((tag << row_bits) | (row + np.uint64(1))))

"""Windows of a fixed number of tokens: which may occur twice, where each occurs first, and the blocks they make.

A window is `size` tokens of one text. In naive Python, over the windows `w` of all texts in order::

    first = [w.index(x) for x in w]                             # where the same tokens occur first
    repeated = [w.count(x) > 1 for x in w]
    cut = {c for i in range(len(w)) for c in borders(i)}        # see `write_blocks`

There are three steps:

1. `find_anchors` picks for each window its smallest hash of `gram` tokens, the last one of equals (winnowing [1]): a
   few places in a hundred. Equal windows pick equal anchors at equal distances. So if the hash of a window's anchor
   occurs at one place only, the window occurs once: `mark_twice` and `keep_windows` drop it. All windows that occur
   twice are kept, and some that occur once.
2. `find_first` finds the first place of each window that is left. If the window before repeats place p, one token shows
   whether this window repeats p + 1. Otherwise the window is looked up in a table. Windows are equal only if all their
   tokens are; the hash only leads to the entry.
3. `write_blocks` cuts the first places wherever some text continues differently. Between two cuts all copies continue
   in the same way, so each text is a row of complete blocks, and every maximal repeat begins and ends between blocks.

Arrays: tokens are numbers, uint32 (`dedup.kernels.vocabulary`), or uint64 hashes where only anchors are wanted. The
windows that are left are numbered from 0 in order; `place[u]` is the first token of window u, `first[u]` is the number
of the first window equal to it (int32, or int64 beyond 2^31 tokens).

Cost: about 5 ns per token for step 1; 10 to 100 ns per window that is left for steps 2 and 3; linear, for any text.

References: [1] Schleimer, Wilkerson, Aiken, "Winnowing: local algorithms for document fingerprinting", SIGMOD 2003.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, shared
from dedup.kernels.words import mix

BASE = np.uint64(0x9E3779B97F4A7C15)
HALF = np.uint64(32)
LOW = np.uint64(0xFFFFFFFF)

AHEAD = 32
"""Windows that are hashed at a time. A processor waits for a dozen places of memory together as long as for one. Curve:
`benchmarks.tuning.kernel_windows_ahead`; flat from 4 to 128 on generated:10000 (two cores, 2026-11)."""

REPEATED, CUT, OPENS = 1, 2, 4
"""Bits of a window's flags: it occurs again later; a block begins at it; it does not follow the window before."""


@kernel
def find_anchors(
    tokens: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    size: int,
    gram: int,
    hashes: Written[npt.NDArray[np.uint64]],
    since: Written[npt.NDArray[np.int64]],
) -> int:
    """Write the hash of each anchor, and the first token of the first window that has it; return their number.

    `hashes` and `since` have room for one anchor per token.
    """
    return write_anchors(tokens, offsets, size, gram, hashes, since)


@kernel
def find_anchors_of_numbers(
    tokens: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.int64],
    size: int,
    gram: int,
    hashes: Written[npt.NDArray[np.uint64]],
    since: Written[npt.NDArray[np.int64]],
) -> int:
    """Do what `find_anchors` does, of tokens by their numbers."""
    return write_anchors(tokens, offsets, size, gram, hashes, since)


@shared
def write_anchors(
    tokens: npt.NDArray[np.unsignedinteger],
    offsets: npt.NDArray[np.int64],
    size: int,
    gram: int,
    hashes: Written[npt.NDArray[np.uint64]],
    since: Written[npt.NDArray[np.int64]],
) -> int:
    """Write what `find_anchors` does."""
    power = np.uint64(1)  # BASE ** gram
    for _ in range(gram):
        power *= BASE
    grams = size - gram + 1  # in a window
    ring = np.empty(min(grams, len(tokens) + 1), dtype=np.uint64)  # no room is needed for windows that no text has
    count = 0
    for text in range(len(offsets) - 1):
        start, end = offsets[text], offsets[text + 1]
        if end - start < size:
            continue
        total = np.uint64(0)
        smallest, age, at = np.uint64(0), np.int64(-1), np.int64(0)
        for i in range(start, end):
            total = total * BASE + np.uint64(tokens[i])
            if i >= start + gram:
                total -= np.uint64(tokens[i - gram]) * power
            elif i < start + gram - 1:
                continue
            value = mix(total)
            ring[at] = value
            window = i + 1 - size
            if age < 0 or value <= smallest:
                smallest, age = value, np.int64(0)
                fresh = True
            else:
                age += 1
                fresh = False
                if age == grams:  # it left the window: look for the last one of the smallest
                    fresh = True
                    smallest, age = ring[at], np.int64(0)
                    back = at
                    for steps in range(1, grams):
                        back = back - 1 if back > 0 else grams - 1
                        if ring[back] < smallest:
                            smallest, age = ring[back], np.int64(steps)
            at = at + 1 if at + 1 < grams else 0
            if window >= start and (fresh or window == start):
                hashes[count] = smallest
                since[count] = window
                count += 1
    return count


@kernel
def mark_twice(hashes: npt.NDArray[np.uint64], twice: Written[npt.NDArray[np.bool_]]) -> None:
    """Write which of the hashes occur twice or more: a table of hashes, whose lowest bit means "again".

    The smallest hashes of windows are close to zero, so another multiplication spreads them over the table.
    """
    bits = 4
    while (1 << bits) * 2 < len(hashes) * 3:
        bits += 1
    mask = (1 << bits) - 1
    shift = np.uint64(64 - bits)
    one = np.uint64(1)
    slots = np.empty(1 << bits, dtype=np.uint64)
    for slot in range(len(slots)):
        slots[slot] = np.uint64(0)
    for i in range(len(hashes)):
        key = hashes[i] | np.uint64(3)  # never zero; two hashes in 2^62 look equal, which keeps more windows
        slot = np.int64((key * BASE) >> shift)
        while slots[slot] != np.uint64(0) and slots[slot] | one != key:
            slot = (slot + 1) & mask
        slots[slot] = key if slots[slot] != np.uint64(0) else key ^ one
    for i in range(len(hashes)):
        key = hashes[i] | np.uint64(3)
        slot = np.int64((key * BASE) >> shift)
        while slots[slot] | one != key:
            slot = (slot + 1) & mask
        twice[i] = slots[slot] == key


@kernel
def keep_windows(
    offsets: npt.NDArray[np.int64],
    size: int,
    since: npt.NDArray[np.int64],
    twice: npt.NDArray[np.bool_],
    runs: Written[Table[np.int64]],
) -> int:
    """Write the runs of windows (first, end) whose anchor occurs twice; return their number. Runs end with a text."""
    count, anchor = 0, 0
    for text in range(len(offsets) - 1):
        end = offsets[text + 1] - size + 1
        opened = False
        while anchor < len(since) and since[anchor] < end:
            if not twice[anchor]:
                opened = False
            else:
                following = since[anchor + 1] if anchor + 1 < len(since) else end
                if not opened:
                    runs[count, 0] = since[anchor]
                    count += 1
                opened = True
                runs[count - 1, 1] = min(following, end)
            anchor += 1
    return count


def table_size(windows: int) -> int:
    """Return how many entries `find_first` has a table of: at most three in four are filled, if no two are equal."""
    return windows + windows // 3 + 64


@kernel
def find_first(
    tokens: npt.NDArray[np.uint32],
    runs: Table[np.int64],
    size: int,
    place: Written[npt.NDArray[np.signedinteger]],
    first: Written[npt.NDArray[np.signedinteger]],
    flags: Written[npt.NDArray[np.uint8]],
    slots: Written[npt.NDArray[np.uint64]],
) -> None:
    """Write `place`, `first` and the flags REPEATED and OPENS of the windows in `runs`.

    `slots` are a table of `table_size` entries, all zeros: 32 bits of the hash, and the number of the window + 1. It
    does not grow: where numba compiles it when it is called, a loop in which an array is replaced by another counts
    references at each step, and that took longer than the search.
    """
    power = np.uint64(1)  # BASE ** size
    for _ in range(size):
        power *= BASE
    capacity = len(slots)
    tags = np.empty(AHEAD, dtype=np.uint64)
    entries = np.empty(AHEAD, dtype=np.uint64)
    u = 0
    for run in range(len(runs)):
        start, end = runs[run, 0], runs[run, 1]
        total = np.uint64(0)  # the hash of window `hashed`
        for i in range(start, start + size):
            total = total * BASE + np.uint64(tokens[i])
        hashed = start
        tagged, tags_end = np.int64(0), np.int64(0)  # the windows of which `tags` are
        earlier = np.int64(-1)  # a window equal to the one before
        i = start
        while i < end:
            if earlier >= 0:
                q = np.int64(place[earlier]) + size  # the token after it, as it does not open a run
                if not flags[earlier + 1] & OPENS and tokens[q] == tokens[i + size - 1]:
                    earlier = np.int64(first[earlier + 1])
                    place[u] = i
                    flags[u] = 0
                    first[u] = earlier
                    flags[earlier] |= REPEATED
                    u += 1
                    i += 1
                    continue
            if i >= tags_end:
                tagged, tags_end = i, i + AHEAD
                if tags_end > end:
                    tags_end = end
                for k in range(tags_end - tagged):
                    while hashed < i + k:
                        total = total * BASE + np.uint64(tokens[hashed + size]) - np.uint64(tokens[hashed]) * power
                        hashed += 1
                    tags[k] = mix(total) >> HALF
                for k in range(tags_end - tagged):  # all of these loads wait together; their values are used below
                    entries[k] = slots[np.int64((tags[k] * np.uint64(capacity)) >> HALF)]
            place[u] = i
            flags[u] = OPENS if i == start else 0
            tag = tags[i - tagged]
            found = np.int64(u)
            slot = np.int64((tag * np.uint64(capacity)) >> HALF)
            while slots[slot] != np.uint64(0):
                entry = slots[slot]
                if entry >> HALF == tag:
                    number = np.int64(entry & LOW) - 1
                    q = np.int64(place[number])
                    same = 0
                    while same < size and tokens[q + same] == tokens[i + same]:
                        same += 1
                    if same == size:
                        found = number
                        break
                slot = slot + 1 if slot + 1 < capacity else 0
            first[u] = found
            earlier = np.int64(-1)
            if found != u:
                flags[found] |= REPEATED
                earlier = found
            else:
                slots[slot] = tag << HALF | np.uint64(u + 1)
            u += 1
            i += 1


@kernel
def write_blocks(
    first: npt.NDArray[np.signedinteger],
    flags: Written[npt.NDArray[np.uint8]],
    symbols: Written[npt.NDArray[np.signedinteger]],
    at_window: Written[npt.NDArray[np.signedinteger]],
) -> int:
    """Flag the windows at which a block begins (CUT); write the texts as rows of blocks; return the number of symbols.

    Let c be the first place of a window. There is a cut before c if the first place of the previous window is not c -
    1, and after c if the first place of the next window is not c + 1. Windows that occur once, and the borders of runs,
    have no neighbours.

    For each block its `symbol` (its first place) and its window are written. Each unbroken row is followed by a
    separator of its own, below 0, with the end of the row. `symbols` and `at_window` have room for one more than two
    per window.
    """
    before = np.int64(-1)
    for u in range(len(first)):
        if flags[u] & OPENS and before >= 0:
            if before + 1 < len(flags):
                flags[before + 1] |= CUT
            before = np.int64(-1)
        at = np.int64(first[u])
        if not flags[at] & REPEATED:
            at = np.int64(-1)
        if before >= 0 and at != before + 1 and before + 1 < len(flags):
            flags[before + 1] |= CUT
        if at >= 0 and (before < 0 or at != before + 1):
            flags[at] |= CUT
        before = at
    count = 0
    separators = 0
    inside = False
    for u in range(len(first)):
        at = np.int64(first[u])
        stays = flags[at] & REPEATED
        if inside and (flags[u] & OPENS or not stays):
            separators += 1
            symbols[count] = -separators
            at_window[count] = u
            count += 1
        inside = stays != 0
        if inside and flags[at] & CUT:
            symbols[count] = at
            at_window[count] = u
            count += 1
    if inside:
        symbols[count] = -separators - 1
        at_window[count] = len(first)
        count += 1
    return count

"""Shingles: windows of tokens, hashed in O(1) each; sorted sets of them.

Definition, in naive Python (B odd; all mod 2^64)::

    def shingles(tokens, n):                        # 64-bit hashes of the tokens of one text
        windows = [tokens[i : i + n] for i in range(len(tokens) - n + 1)] or [tokens]     # none for no tokens
        return [mix(sum(t * B ** (len(w) - 1 - i) for i, t in enumerate(w))) for w in windows]

The sum is kept from window to window (Karp-Rabin [1]); `mix` makes its bits alike. B is 5 mod 8, so B and its low
powers minus one have few factors of two, and exchanged tokens do not cancel.

A set is the hashes of a text, sorted, each once. Since the hashes are uniform, `distinct` drops each into the table
slot that its top bits name and walks on while the slot holds a smaller one: the table, read in order, is the sorted
set (ordered linear probing [2]). No comparison sort is needed.

References: [1] Karp, Rabin, "Efficient randomized pattern-matching algorithms", 1987.
[2] Amble, Knuth, "Ordered hash tables", 1974.

Cost: 3 to 4 ns a shingle to hash; 13 to 17 ns a shingle for the set.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import kernel, part
from dedup.kernels.tokens import FULL, UNSETTLED_TEXT, fold, hash_tokens
from dedup.kernels.words import mix

BASE = np.uint64(0x9E3779B97F4A7C15)
EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)
ROOM = 64
"""Slots behind the last one that a top bit can name: how far the largest hashes may be pushed on."""


@kernel
def hash_shingles(
    tokens: npt.NDArray[np.uint64],
    token_offsets: npt.NDArray[np.int64],
    size: int,
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sums: npt.NDArray[np.uint64],
) -> None:
    """Hash every window of `size` tokens of each text, in the order of the text.

    Writes `values` (as long as `tokens` is enough), `offsets` (texts + 1) and the sum of each text's hashes, which is
    equal for equal texts.
    """
    power = base_power(size)
    at = np.int64(0)
    offsets[0] = 0
    for text in range(len(token_offsets) - 1):
        at, sums[text] = windows(tokens, token_offsets[text], token_offsets[text + 1], size, power, values, at)
        offsets[text + 1] = at


@part
def base_power(size: int) -> np.uint64:
    """Return ``BASE ** size``."""
    power = np.uint64(1)
    for _ in range(size):
        power *= BASE
    return power


@part
def windows(
    tokens: npt.NDArray[np.uint64],
    start: int,
    end: int,
    size: int,
    power: np.uint64,
    values: npt.NDArray[np.uint64],
    at: int,
) -> tuple[int, np.uint64]:
    """Hash the windows of ``tokens[start:end]`` into `values` (written) from `at` on; return next place and sum."""
    total = np.uint64(0)
    for i in range(start, min(start + size, end)):
        total = total * BASE + tokens[i]
    digest = np.uint64(0)
    if end > start:
        digest = mix(total)
        values[at] = digest
        at += 1
    for i in range(start + size, end):
        total = total * BASE + tokens[i] - tokens[i - size] * power
        value = mix(total)
        values[np.uint64(at)] = value
        digest += value
        at += 1
    return at, digest


@kernel
def shingle_texts(
    values: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    settled: npt.NDArray[np.bool_],
    index: npt.NDArray[np.uint16],
    entries: npt.NDArray[np.uint32],
    map_starts: npt.NDArray[np.int32],
    map_points: npt.NDArray[np.int32],
    out: npt.NDArray[np.uint8],
    bits: npt.NDArray[np.uint64],
    unsettled: npt.NDArray[np.bool_],
    tokens: npt.NDArray[np.uint64],
    size: int,
    hashes: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sums: npt.NDArray[np.uint64],
) -> int:
    """Fold, split and hash the texts ``values[starts[i]:ends[i]]``, and hash every window of `size` words of each.

    `tokenise` and `hash_shingles` in one, text by text, so that a text's tokens stay in the cache: `tokens` has room
    for those of one text. Writes `hashes`, `offsets`, `sums` as `hash_shingles`, `unsettled` and returns as `tokenise`.
    """
    none = np.empty((0, 4), dtype=np.int64)
    state = np.empty(5, dtype=np.int64)
    power = base_power(size)
    at, count = np.int64(0), 0
    offsets[0] = 0
    for text in range(len(starts)):
        folded = fold(
            values,
            starts[text],
            ends[text],
            settled[text],
            index,
            entries,
            map_starts,
            map_points,
            out,
            bits,
            none,
            state,
        )
        if folded == FULL or folded // 2 + 1 > len(tokens) or at + folded // 2 + 1 > len(hashes):
            return FULL
        if folded == UNSETTLED_TEXT:
            unsettled[text] = True
            count += 1
        else:
            found = hash_tokens(out, bits, folded, tokens, 0)
            at, sums[text] = windows(tokens, 0, found, size, power, hashes, at)
        offsets[text + 1] = at
    return count


@kernel
def distinct(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
) -> None:
    """Sort the hashes of each of `rows` in place, each kept once; write how many there are into ``sizes[row]``.

    Row r is ``values[offsets[r]:offsets[r + 1]]`` (written); behind its distinct hashes it holds rubbish.
    """
    longest = 1
    for row in rows:
        longest = max(longest, offsets[row + 1] - offsets[row])
    bits = 1
    while (1 << bits) < 2 * longest:
        bits += 1
    table = np.empty((1 << bits) + ROOM, dtype=np.uint64)
    clear(table)
    for row in rows:
        start, end = offsets[row], offsets[row + 1]
        bits = 1
        while (1 << bits) < 2 * (end - start):
            bits += 1
        sizes[row] = _distinct_row(values, start, end, table[: (1 << bits) + ROOM], np.uint64(64 - bits))


@kernel
def _distinct_row(
    values: npt.NDArray[np.uint64], start: int, end: int, table: npt.NDArray[np.uint64], shift: np.uint64
) -> int:
    """Sort one row through the empty `table`, which is left empty; return the number of distinct hashes."""
    last = len(table) - 1
    count = 0
    for i in range(start, end):
        value = values[i]
        slot = np.int64(value >> shift)
        while slot < last and table[slot] < value:
            slot += 1
        if table[slot] == value and value != EMPTY:
            continue
        while slot < last and table[slot] != EMPTY:
            table[slot], value = value, table[slot]
            slot += 1
        if slot == last or value == EMPTY:  # pushed out of the table, or the one hash that means an empty slot
            clear(table)
            return _sorted_row(values, start, end)
        table[slot] = value
        count += 1
    at, slot = start, 0
    while at < start + count:  # no branch on whether a slot is empty, which nobody can foresee
        value = table[slot]
        values[at] = value
        table[slot] = EMPTY
        at += np.int64(value != EMPTY)
        slot += 1
    return count


@kernel
def clear(table: npt.NDArray[np.uint64]) -> None:
    """Empty `table` (written)."""
    for slot in range(len(table)):
        table[slot] = EMPTY


@kernel
def _sorted_row(values: npt.NDArray[np.uint64], start: int, end: int) -> int:
    """Sort a row whose hashes crowd (they are not random): a heap, slower but right for any values."""
    count = end - start
    for last in range(2 * count - 1, 0, -1):  # first the heap is made, then emptied from its top
        if last < count:
            values[start], values[start + last] = values[start + last], values[start]
        place, size = (last - count, count) if last >= count else (0, last)
        while 2 * place + 1 < size:
            child = 2 * place + 1
            if child + 1 < size and values[start + child] < values[start + child + 1]:
                child += 1
            if values[start + place] >= values[start + child]:
                break
            values[start + place], values[start + child] = values[start + child], values[start + place]
            place = child
    at = start
    for i in range(start, end):
        if i == start or values[i] != values[at - 1]:
            values[at] = values[i]
            at += 1
    return at - start

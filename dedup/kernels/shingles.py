"""Shingles: windows of tokens, hashed in O(1) each.

Definition, in naive Python (B odd; all mod 2^64)::

    def shingles(tokens, n):                        # 64-bit hashes of the tokens of one text
        windows = [tokens[i : i + n] for i in range(len(tokens) - n + 1)] or [tokens]     # none for no tokens
        return [mix(sum(t * B ** (len(w) - 1 - i) for i, t in enumerate(w))) for w in windows]

The sum is kept from window to window (Karp-Rabin [1]); `mix` makes its bits alike. B is 5 mod 8, so B and its low
powers minus one have few factors of two, and exchanged tokens do not cancel.

References: [1] Karp, Rabin, "Efficient randomized pattern-matching algorithms", 1987.

Cost: 3 to 4 ns a shingle.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import kernel, part
from dedup.kernels.tokens import FULL, UNSETTLED_TEXT, fold, hash_tokens
from dedup.kernels.words import mix

BASE = np.uint64(0x9E3779B97F4A7C15)


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
    ahead = np.uint64(at - start - size)  # from a window's last token to its place: may be below zero, and wraps
    for i in range(np.uint64(start + size), np.uint64(max(end, start + size))):
        total = total * BASE + (tokens[i] - tokens[i - np.uint64(size)] * power)
        value = mix(total)
        values[i + ahead] = value
        digest += value
    return at + max(end - start - size, 0), digest


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

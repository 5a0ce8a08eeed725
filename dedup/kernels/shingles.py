"""Shingles: windows of tokens, hashed by doubling.

Definition, in naive Python (`mark` and `sign` are words of the key; MASK is 2^64 - 1)::

    def shingles(tokens, n):                        # 64-bit hashes of the tokens of one text
        values, reach, goal = tokens, 1, min(n, len(tokens))        # values[i] is of tokens[i : i + reach]
        while reach < goal:
            step = min(reach, goal - reach)
            reach += step
            values = [combine(a, b, mark ^ reach * sign & MASK) for a, b in zip(values, values[step:])]
        return values

    def combine(left, right, of_length):
        product = left * (right ^ of_length)
        return product & MASK ^ product >> 64

So a window of n tokens is combined from two windows of at least half its length, which may overlap. These are the names
of repeated substrings of Karp, Miller and Rosenberg [1], with a keyed hash as the name. A shingle of 5 tokens takes
three products, one of 1,000 takes ten. Nothing is carried from window to window, so no text makes its own windows
collide (a polynomial modulo 2^64 collides on Thue-Morse sequences, whatever its base). The length is part of the hash,
so the one shingle of a short text is not the same as any window of a longer one.

References: [1] Karp, Miller, Rosenberg, "Rapid identification of repeated patterns in strings, trees and arrays", 1972.

Cost: 1 to 3 ns per shingle of 5 tokens, in addition to the tokens.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part
from dedup.kernels.forms import hash_numbers
from dedup.kernels.tokens import FULL, UNSETTLED_TEXT, fold, hash_keys, hash_tokens
from dedup.kernels.words import multiply

MARK_AT, SIGN_AT = 7, 8
"""Places in the key of the words that hash windows."""


@kernel
def hash_shingles(
    tokens: npt.NDArray[np.uint64],
    token_offsets: npt.NDArray[np.int64],
    size: int,
    key: npt.NDArray[np.uint64],
    values: Written[npt.NDArray[np.uint64]],
    offsets: Written[npt.NDArray[np.int64]],
) -> None:
    """Hash every window of `size` tokens of each text, in the order of the text.

    Writes `values` (as long as `tokens` is enough) and `offsets` (texts + 1).
    """
    at = np.int64(0)
    offsets[0] = 0
    for text in range(len(token_offsets) - 1):
        at = windows(tokens, token_offsets[text], token_offsets[text + 1], size, key, values, at)
        offsets[text + 1] = at


@part
def combine(left: np.uint64, right: np.uint64, mark: np.uint64) -> np.uint64:
    """Return the hash of a window that is combined from two others; `mark` depends on its length.

    There is no guard against a factor of zero, since the factors are hashes. Without the key, one is met with a chance
    of 2^-64; with the key, finding one takes 2^64 tries.
    """
    low, high = multiply(left, right ^ mark)
    return low ^ high


@part
def windows(
    tokens: npt.NDArray[np.uint64],
    start: int,
    end: int,
    size: int,
    key: npt.NDArray[np.uint64],
    values: npt.NDArray[np.uint64],
    at: int,
) -> int:
    """Hash the windows of ``tokens[start:end]`` into `values` (written) from `at` on; return the next place there."""
    count = end - start
    goal = min(size, count)
    if goal < 2:
        for i in range(count):
            values[at + i] = tokens[start + i]
        return at + count
    mark, sign = key[MARK_AT], key[SIGN_AT]
    first, last = np.uint64(start), np.uint64(end - goal + 1)
    ahead = np.uint64(at - start)  # may be below zero, and then wraps
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    of_two = mark ^ (two * sign)
    if goal == 5:  # as below, but values that the next window needs are kept: the default for documents
        of_four, of_five = mark ^ (four * sign), mark ^ (np.uint64(5) * sign)
        token = tokens[first + three]
        second = combine(tokens[first + one], tokens[first + two], of_two)
        third = combine(tokens[first + two], token, of_two)
        whole = combine(combine(tokens[first], tokens[first + one], of_two), third, of_four)
        for i in range(first, last):
            following = tokens[i + four]
            fourth = combine(token, following, of_two)
            next_whole = combine(second, fourth, of_four)
            values[i + ahead] = combine(whole, next_whole, of_five)
            token, second, third, whole = following, third, fourth, next_whole
        return at + count - 4
    if goal == 3:  # the default for paragraphs
        of_three = mark ^ (three * sign)
        pair = combine(tokens[first], tokens[first + one], of_two)
        for i in range(first, last):
            next_pair = combine(tokens[i + one], tokens[i + two], of_two)
            values[i + ahead] = combine(pair, next_pair, of_three)
            pair = next_pair
        return at + count - 2
    for i in range(first, np.uint64(end - 1)):
        values[i + ahead] = combine(tokens[i], tokens[i + one], of_two)
    reach = np.int64(2)
    while reach < goal:
        step = min(reach, goal - reach)
        reach += step
        of_reach, further = mark ^ (np.uint64(reach) * sign), np.uint64(step)
        for i in range(np.uint64(at), np.uint64(at + count - reach + 1)):
            values[i] = combine(values[i], values[i + further], of_reach)
    return at + count - goal + 1


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
    out: Written[npt.NDArray[np.uint8]],
    bits: Written[npt.NDArray[np.uint64]],
    unsettled: Written[npt.NDArray[np.bool_]],
    tokens: Written[npt.NDArray[np.uint64]],
    size: int,
    key: npt.NDArray[np.uint64],
    hashes: Written[npt.NDArray[np.uint64]],
    offsets: Written[npt.NDArray[np.int64]],
    digests: Written[Table[np.uint64]],
    numbers: Written[npt.NDArray[np.uint64]],
) -> int:
    """Fold, split and hash the texts ``values[starts[i]:ends[i]]``, and hash every window of `size` words of each.

    It is `tokenise` and `hash_shingles` in one, text by text, so that the tokens of a text are still in the cache:
    `tokens` has room for one text only. Writes `hashes` and `offsets` as `hash_shingles` does, `digests` (texts, 2) and
    `unsettled`, the form `numbers` of each text (`dedup.kernels.forms`) unless that array has length 0, and returns the
    same as `tokenise`.
    """
    none = np.empty((0, 4), dtype=np.int64)
    state = np.empty(5, dtype=np.int64)
    keys = hash_keys(key)
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
            found, digests[text, 0], digests[text, 1] = hash_tokens(out, bits, folded, keys, tokens, np.int64(0))
            if len(numbers) > 0:
                numbers[text] = hash_numbers(out, bits, folded, tokens, np.int64(0), found, key)
            at = windows(tokens, np.int64(0), found, size, key, hashes, at)
        offsets[text + 1] = at
    return count

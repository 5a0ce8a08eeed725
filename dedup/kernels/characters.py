"""The code points of the tokens of a text, joined by single spaces, each hashed.

The hash of a code point c is, by the words of the key as in `dedup.kernels.tokens`::

    fold(fold(second, c ^ more) ^ third, c ^ fourth)

A kernel of its own, since the very first run should not compile what it does not need. Cost: 2 ns a code point.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part
from dedup.kernels.forms import hash_numbers
from dedup.kernels.tokens import FULL, LINEAR_BITS, UNSETTLED_TEXT, decode, fold, hash_keys, hash_tokens
from dedup.kernels.words import multiply_fold


@part
def hash_point(point: np.uint64, keys: tuple[np.uint64, ...]) -> np.uint64:
    """Return the hash of a code point, which is not that of a token."""
    return multiply_fold(multiply_fold(keys[1], point ^ keys[4]) ^ keys[2], point ^ keys[3])


@part
def hash_characters(
    out: npt.NDArray[np.uint8],
    bits: npt.NDArray[np.uint64],
    size: int,
    keys: tuple[np.uint64, ...],
    hashes: npt.NDArray[np.uint64],
    at: int,
) -> int:
    """Write a hash for each code point of the tokens joined by single spaces; return the next place in `hashes`."""
    begin = at
    gap = False
    i = 0
    while i < size:
        if (bits[i >> LINEAR_BITS] >> np.uint64(i & 63)) & np.uint64(1) == np.uint64(0):
            gap = True
            i += 1
            continue
        if gap and at > begin:
            hashes[at] = hash_point(np.uint64(0x20), keys)
            at += 1
        gap = False
        point, length = decode(out, i, size)
        hashes[at] = hash_point(np.uint64(point), keys)
        at += 1
        i += length
    return at


@kernel
def tokenise_characters(
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
    key: npt.NDArray[np.uint64],
    hashes: Written[npt.NDArray[np.uint64]],
    offsets: Written[npt.NDArray[np.int64]],
    digests: Written[Table[np.uint64]],
    unsettled: Written[npt.NDArray[np.bool_]],
    numbers: Written[npt.NDArray[np.uint64]],
) -> int:
    """Hash the code points of the tokens joined by single spaces, and write each text's digest (texts, 2).

    Writes also the form `numbers` of each text (`dedup.kernels.forms`), unless the array has length 0. All else as
    `dedup.kernels.tokens.tokenise`.
    """
    none = np.empty((0, 4), dtype=np.int64)
    state = np.empty(5, dtype=np.int64)
    keys = hash_keys(key)
    at, count = 0, 0
    offsets[0] = 0
    for text in range(len(starts)):
        size = fold(
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
        if size == FULL or at + size > len(hashes):
            return FULL
        if size == UNSETTLED_TEXT:
            unsettled[text] = True
            count += 1
        else:
            # the hashes of the tokens, of which there are fewer, are overwritten
            end, digests[text, 0], digests[text, 1] = hash_tokens(out, bits, size, keys, hashes, at)
            if len(numbers) > 0:
                numbers[text] = hash_numbers(out, bits, size, hashes, at, end - at, key)
            at = hash_characters(out, bits, size, keys, hashes, at)
        offsets[text + 1] = at
    return count

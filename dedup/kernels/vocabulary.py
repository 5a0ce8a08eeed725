"""A vocabulary: tokens as numbers of 32 bits, where their hashes have 64.

In naive Python, over the hashes of all tokens in order::

    number_of, moved = {}, 0
    for token in tokens:
        if token not in number_of:
            number = token >> 33
            if token == 0 or number in number_of.values():
                number = 2**31 + moved
                moved += 1
            number_of[token] = number
    numbers = [number_of[token] for token in tokens]

Two tokens are equal if and only if their numbers are. A number is the upper part of the hash, but for the few tokens
that have it in common with another one: these are *moved*, to numbers that no hash has. Which of them is moved depends
on the order.

A row of the table is a token; it is found by its number, as one that is not moved. The tokens with one number are in
one run of rows, so the first of them is met before an empty row. Moved tokens have a table of their own.

Cost: 2 to 4 ns a token; 11 to 21 bytes for each distinct one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel

TOKENS_KNOWN, TOKENS_MOVED = range(2)
"""Counts: tokens in the table, moved tokens."""

MOVED_TOKEN, MOVED_NUMBER = range(2)
"""Columns of the table of moved tokens: the token; its number, or 0 in an empty row."""

NUMBER_AT = np.uint64(33)
FIRST_MOVED = np.uint64(1 << 31)


@kernel
def number_tokens(
    tokens: npt.NDArray[np.uint64],
    begin: int,
    table: Written[npt.NDArray[np.uint64]],
    moved: Written[Table[np.uint64]],
    counts: Written[npt.NDArray[np.int64]],
    numbers: Written[npt.NDArray[np.uint32]],
) -> int:
    """Write the numbers of the tokens from `begin` on; return the first that has none.

    `table` is full to three quarters then, or `moved` to a half, as `counts` says: it has to be wider. The number of
    rows of both is a power of two.
    """
    mask, moved_mask = np.uint64(len(table) - 1), np.uint64(len(moved) - 1)
    most, most_moved = 3 * len(table) // 4, len(moved) // 2
    for i in range(np.uint64(begin), np.uint64(len(tokens))):
        token = tokens[i]
        number = token >> NUMBER_AT
        row = number & mask
        shared = token == np.uint64(0)
        while table[row] != token:
            if table[row] == np.uint64(0):
                if shared:
                    break
                if counts[TOKENS_KNOWN] >= most:
                    return np.int64(i)
                table[row] = token
                counts[TOKENS_KNOWN] += 1
                break
            if table[row] >> NUMBER_AT == number:
                shared = True
                break
            row = (row + np.uint64(1)) & mask
        if shared:
            row = token & moved_mask
            while moved[row, MOVED_NUMBER] != np.uint64(0) and moved[row, MOVED_TOKEN] != token:
                row = (row + np.uint64(1)) & moved_mask
            if moved[row, MOVED_NUMBER] == np.uint64(0):
                if counts[TOKENS_MOVED] >= most_moved:
                    return np.int64(i)
                moved[row, MOVED_TOKEN] = token
                moved[row, MOVED_NUMBER] = FIRST_MOVED + np.uint64(counts[TOKENS_MOVED])
                counts[TOKENS_MOVED] += 1
            number = moved[row, MOVED_NUMBER]
        numbers[i] = np.uint32(number)
    return len(tokens)


@kernel
def widen_vocabulary(old: npt.NDArray[np.uint64], table: Written[npt.NDArray[np.uint64]]) -> None:
    """Move the tokens of a table into a wider one, which is all zeros."""
    mask = np.uint64(len(table) - 1)
    for token in old:
        if token != np.uint64(0):
            row = (token >> NUMBER_AT) & mask
            while table[row] != np.uint64(0):
                row = (row + np.uint64(1)) & mask
            table[row] = token


@kernel
def widen_moved(old: Table[np.uint64], moved: Written[Table[np.uint64]]) -> None:
    """Move the moved tokens into a wider table, which is all zeros."""
    mask = np.uint64(len(moved) - 1)
    for at in range(len(old)):
        if old[at, MOVED_NUMBER] != np.uint64(0):
            row = old[at, MOVED_TOKEN] & mask
            while moved[row, MOVED_NUMBER] != np.uint64(0):
                row = (row + np.uint64(1)) & mask
            moved[row, MOVED_TOKEN], moved[row, MOVED_NUMBER] = old[at, MOVED_TOKEN], old[at, MOVED_NUMBER]

"""Repeated stretches of tokens, exactly: every maximal one that occurs earlier, and where it occurred first.

In naive Python, over the tokens of all texts, with a unique separator after each text::

    def earlier(i, j):                                      # the places where s[i:j] begins before i
        return [k for k in range(i) if s[k : k + j - i] == s[i:j]]
    stretches = [(i, j, earlier(i, j)[0]) for all i, j with j - i >= size and earlier(i, j)
                 if not earlier(i - 1, j) and not earlier(i, j + 1)]

Arrays: tokens are numbers, uint32, which are equal where their hashes are (`dedup.hashing.vocabulary`); text t has
``tokens[offsets[t]:offsets[t + 1]]``.
Guarantee: exactly these stretches are found; the proof is in docs/explanation/repeats.md.
Cost: linear in the tokens, whatever repeats in them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.runtime.memory import Afford, unbounded

__all__ = [
    "BLOCK_BYTES",
    "LINK_BYTES",
    "WINDOW_BYTES",
    "Numbers",
    "Places",
    "Stretches",
    "anchor_density",
    "cut_periods",
    "find_blocks",
    "find_stretches",
    "find_windows",
    "gram_of",
    "longest_rows",
    "stand_twice",
]

Places = npt.NDArray[np.int64]

LONGEST_GRAM = 32
"""Tokens of an anchor's hash: longer ones are met by chance less often, and are denser in a window. Curve:
`benchmarks.tuning.maximal_longest_gram`; flat from 32 to 64 on generated:10000, where 16 takes 0.94 times as long (two
cores, 2026-11)."""

FEW_ANCHORS = 1 << 13
"""Anchors that numpy sorts and joins within a millisecond: the first run over a short text compiles no kernels. Curve:
`benchmarks.tuning.maximal_few_anchors`; on generated:100, 2^11 takes 0.85 times as long and 2^15 takes 1.28 times as
long; flat from 128 to 2^13 on generated:1000, where 2^15 takes 1.05 times as long (two cores, 2026-11)."""

ANCHOR_BYTES = 41
"""Of an anchor: its hash, the window it stands for, its place in the table, whether it stays."""

WINDOW_BYTES = 9 + 11
"""Of a window: its place, first place and flags; and the table."""

BLOCK_BYTES = 16
"""Of a block: symbol, window, length and source."""

LINK_BYTES = 100
"""Of a block in the suffix automaton, at the most."""


class Stretches(NamedTuple):
    """Stretches of tokens [start, end) that repeat [source, source_end), int64, by place."""

    start: Places
    end: Places
    source: Places
    source_end: Places


def find_stretches(tokens: npt.NDArray[np.uint32], offsets: Places, size: int, afford: Afford = unbounded) -> Stretches:
    """Return every maximal stretch of `size` tokens or more that occurs earlier, with its first place."""
    place, first, flags = find_windows(tokens, offsets, size, afford=afford)
    afford(tokens.nbytes + 9 * len(place))
    symbols, at_window = find_blocks(first, flags)
    del first, flags
    afford(tokens.nbytes + place.nbytes + (BLOCK_BYTES + LINK_BYTES) * len(symbols))
    return longest_rows(symbols, len(symbols), at_window, place, size)


Numbers = npt.NDArray[np.signedinteger]
Choice = Callable[[npt.NDArray[np.uint64], Places], npt.NDArray[np.bool_]]
"""Of the hashes of anchors, and the first window that each stands for, which may have a partner. Writes the hashes."""


def stand_twice(hashes: npt.NDArray[np.uint64], _since: Places) -> npt.NDArray[np.bool_]:
    """Return which of the hashes of anchors occur twice: all that do, and some that differ only in two bits."""
    twice = np.empty(len(hashes), dtype=np.bool_)
    if len(hashes) <= FEW_ANCHORS:
        _, row, counts = np.unique(hashes | np.uint64(3), return_inverse=True, return_counts=True)
        twice[:] = counts[row] > 1
        return twice
    from dedup.kernels.windows import mark_twice

    mark_twice(hashes, twice)
    return twice


LEAST_ANCHORS = 0.5
"""Of the anchors that a text has as a rule, what may be taken for sure before they are found."""


def find_windows(
    tokens: npt.NDArray[np.uint32],
    offsets: Places,
    size: int,
    choose: Choice = stand_twice,
    afford: Afford = unbounded,
) -> tuple[Numbers, Numbers, npt.NDArray[np.uint8]]:
    """Return `place`, `first` and `flags` of the windows of `size` tokens that may occur twice (dedup.kernels.windows).

    All whose anchor `choose` keeps are among them.
    """
    from dedup.kernels import windows as kernels

    size = min(size, len(tokens) + 1)  # no text has more words, and no time goes into a larger number
    usual = round(LEAST_ANCHORS * anchor_density(size) * len(tokens))
    afford(tokens.nbytes + ANCHOR_BYTES * usual, tokens.nbytes + WINDOW_BYTES * len(tokens))
    # pages that nothing is written to take no memory
    hashes = np.empty(len(tokens), dtype=np.uint64)
    since = np.empty(len(tokens), dtype=np.int64)
    count = kernels.find_anchors_of_numbers(tokens, offsets, size, gram_of(size), hashes, since)
    afford(tokens.nbytes + ANCHOR_BYTES * count, tokens.nbytes + WINDOW_BYTES * len(tokens))
    twice = choose(hashes[:count], since[:count])
    del hashes
    runs = join_runs(offsets, size, since[:count], twice)
    del since, twice
    left = int((runs[:, 1] - runs[:, 0]).sum())
    afford(tokens.nbytes + WINDOW_BYTES * left)
    number: type[np.signedinteger] = np.int32 if len(tokens) < 1 << 31 else np.int64
    place = np.empty(left, dtype=number)
    first = np.empty(left, dtype=number)
    flags = np.empty(left, dtype=np.uint8)
    slots = np.zeros(kernels.table_size(left), dtype=np.uint64)
    kernels.find_first(tokens, runs, size, place, first, flags, slots)
    return place, first, flags


def join_runs(offsets: Places, size: int, since: Places, twice: npt.NDArray[np.bool_]) -> Places:
    """Return the runs (first, end) of the windows whose anchor occurs twice; they end with a text."""
    if len(since) <= FEW_ANCHORS:
        row = np.flatnonzero(twice)
        begin, text = since[row], np.searchsorted(offsets, since[row], side="right")
        end = np.minimum(np.append(since, offsets[-1])[row + 1], offsets[text] - size + 1)
        opens = (np.diff(row, prepend=-2) > 1) | (np.diff(text, prepend=-1) > 0)
        return np.column_stack((begin[opens], end[np.append(opens[1:], np.ones(min(len(row), 1), dtype=np.bool_))]))
    from dedup.kernels.windows import keep_windows

    runs = np.empty((len(since), 2), dtype=np.int64)
    return runs[: keep_windows(offsets, size, since, twice, runs)].copy()


def gram_of(size: int) -> int:
    """Return the tokens of an anchor's hash for windows of `size` tokens."""
    return min((size + 1) // 2, LONGEST_GRAM)


def anchor_density(size: int) -> float:
    """Return the anchors a token, as a rule: 2 in a window's grams and one more (Schleimer et al.)."""
    return min(2.0 / (size - gram_of(size) + 2), 1.0)


def find_blocks(first: Numbers, flags: npt.NDArray[np.uint8]) -> tuple[Numbers, Numbers]:
    """Return the rows of blocks (`symbols`), and the window where each begins; flags the cuts (written)."""
    from dedup.kernels import windows as kernels

    # pages that nothing is written to take no memory
    symbols = np.empty(2 * len(first) + 1, dtype=first.dtype)
    at_window = np.empty(2 * len(first) + 1, dtype=first.dtype)
    count = kernels.write_blocks(first, flags, symbols, at_window)
    return symbols[:count], at_window[:count]


def longest_rows(symbols: Numbers, grown: int, at_window: Numbers, place: Numbers, size: int) -> Stretches:
    """Return the maximal rows of blocks that occur earlier; for those from `grown` on, among the first `grown`."""
    from dedup.kernels.maximal import longest_earlier

    length = np.empty(len(symbols), dtype=symbols.dtype)
    source = np.empty(len(symbols), dtype=symbols.dtype)
    longest_earlier(symbols, grown, length, source)
    if grown < len(symbols):
        length[:grown] = 0
    following = np.concatenate((length[1:], np.zeros(min(len(length), 1), dtype=length.dtype)))
    ends = np.flatnonzero((length > 0) & (following != length + 1))
    sizes = length[ends].astype(np.int64)
    start = place[at_window[ends + 1 - sizes]].astype(np.int64)
    end = place[at_window[ends + 1] - 1].astype(np.int64) + size
    begin = place[at_window[source[ends] + 1 - sizes]].astype(np.int64)
    return Stretches(start, end, begin, begin + end - start)


def cut_periods(stretches: Stretches, size: int) -> Stretches:
    """Cut the stretches that overlap their source at a distance of `size` tokens or more into pieces of that distance.

    What is left over at the end, shorter than `size`, is dropped.
    """
    start, end, source, _ = stretches
    period = start - source
    step = np.where((source + (end - start) > start) & (period >= size), period, end - start)
    pieces = (end - start + step - 1) // step
    row = np.repeat(np.arange(len(start)), pieces)
    number = np.arange(len(row)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    first = start[row] + number * step[row]
    last = np.minimum(first + step[row], end[row])
    whole = last - first >= size
    first, last, source = first[whole], last[whole], source[row][whole]
    return Stretches(first, last, source, source + last - first)

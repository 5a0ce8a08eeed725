"""Repeated stretches of tokens, exactly: every maximal one that stands at an earlier place, and where it stood first.

In naive Python, over the tokens of all texts, with a separator of its own behind each text::

    def earlier(i, j):                                      # the places where s[i:j] begins before i
        return [k for k in range(i) if s[k : k + j - i] == s[i:j]]
    stretches = [(i, j, earlier(i, j)[0]) for all i, j with j - i >= size and earlier(i, j)
                 if not earlier(i - 1, j) and not earlier(i, j + 1)]

Arrays: tokens are uint64 hashes, text t has ``tokens[offsets[t]:offsets[t + 1]]``. Equality is of token hashes.
Guarantee: no stretch is missed, none is reported that is not there; the proof is in docs/explanation/repeats.md.
Cost: linear in the tokens, whatever repeats in them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Passages", "Stretches", "cut_periods", "find_passages", "find_stretches"]

Places = npt.NDArray[np.int64]

LONGEST_GRAM = 32
"""Tokens of an anchor's hash: longer ones are met by chance less often, and are denser in a window."""


SEED = 5
"""Tokens of a seed of a chain: of a passage of 25 words, one in ten of them edited, 998 in 1,000 keep one."""


FEW_SEEDS = 1 << 12
"""Seeds that are looked at before the kernels are called: in larger collections some chain will be found anyway."""

ROWS, COLUMNS = 8, 16
"""Tokens of a text, and of its source, in which an end has to find two equal ones to grow: it gives up 16 points behind
its best, an equal token earns 2, an edit costs 3, and the first step is an edit (`dedup.kernels.alignment`)."""


class Stretches(NamedTuple):
    """Stretches of tokens [start, end) that repeat [source, source_end), int64, by place."""

    start: Places
    end: Places
    source: Places
    source_end: Places


class Passages(NamedTuple):
    """Repeats: `stretches` by place, the `similarity` of each to its source (float64).

    Where edits are bridged, `parts` are the stretches that are equal, with small edits between them, and `part_of` the
    row of each; a repeat that is equal from end to end has none.
    """

    stretches: Stretches
    similarity: npt.NDArray[np.float64]
    parts: Stretches
    part_of: Places


def find_passages(tokens: npt.NDArray[np.uint64], offsets: Places, size: int, threshold: float) -> Passages:
    """Return the repeats of `size` tokens or more: exact ones at threshold 1.0, below it also chains of them."""
    whole = find_stretches(tokens, offsets, size)
    exact = cut_periods(whole, size)
    none = np.empty(0, dtype=np.int64)
    if threshold >= 1.0 or len(tokens) == 0:
        return Passages(exact, np.ones(len(exact.start)), Stretches(none, none, none, none), none)
    chains, parts = _find_chains(tokens, offsets, size, threshold, whole)
    longer = np.maximum(chains[:, 1] - chains[:, 0], chains[:, 3] - chains[:, 2])
    # what is equal and lies inside a chain is said by the chain
    reach = np.maximum.accumulate(np.concatenate((np.full(1, -1, dtype=np.int64), chains[:, 1])))
    alone = reach[np.searchsorted(chains[:, 0], exact.start, side="right")] < exact.end
    stretches = Stretches(*(np.concatenate((column[alone], chains[:, i])) for i, column in enumerate(exact)))
    similarity = np.concatenate((np.ones(int(alone.sum())), chains[:, 4] / np.maximum(longer, 1)))
    order = np.lexsort((stretches.source, -stretches.end, stretches.start))
    row = np.empty(len(order), dtype=np.int64)
    row[order] = np.arange(len(order))
    return Passages(
        Stretches(*(column[order] for column in stretches)),
        similarity[order],
        Stretches(*(parts[:, i] for i in range(1, 5))),
        row[parts[:, 0] + int(alone.sum())],
    )


def _find_chains(
    tokens: npt.NDArray[np.uint64], offsets: Places, size: int, threshold: float, exact: Stretches
) -> tuple[Places, Places]:
    """Return the chains (start, end, source, source end, matched) by start, but those inside an `exact` stretch.

    Also returns the parts of the chains that have more than one (chain, start, end, source, source end).
    """
    from dedup.kernels import chains as kernels

    seed_size = min(SEED, (size + 1) // 2)
    place, first, flags = find_windows(tokens, offsets, seed_size)
    seeds = np.empty((0, 3), dtype=np.int64)
    seeds = np.empty((kernels.find_seeds(place, first, flags, seed_size, seeds), 3), dtype=np.int64)
    kernels.find_seeds(place, first, flags, seed_size, seeds)
    del place, first, flags
    seeds = seeds[np.lexsort((seeds[:, 1], seeds[:, 0]))]
    if len(seeds) <= FEW_SEEDS and nothing_to_chain(tokens, offsets, seeds, exact, size):
        return np.empty((0, 5), dtype=np.int64), np.empty((0, 5), dtype=np.int64)
    scores = np.empty(len(seeds), dtype=np.float64)
    back = np.empty(len(seeds), dtype=np.int64)
    text, source_text = (np.searchsorted(offsets, seeds[:, i], side="right") for i in (0, 1))
    kernels.link_seeds(seeds, text, source_text, scores, back)
    del text, source_text
    chains = np.empty((len(seeds), 5), dtype=np.int64)
    parts = np.empty((len(seeds), 5), dtype=np.int64)
    counts = np.zeros(2, dtype=np.int64)
    best_first = np.argsort(-scores, kind="stable")
    kernels.build_chains(
        tokens, offsets, seeds, best_first, back, scores, exact.start, exact.end, size, threshold, chains, parts, counts
    )
    chains, parts = chains[: counts[0]], parts[: counts[1]]
    reach = np.concatenate((np.full(1, -1, dtype=np.int64), exact.end))  # ascending, as the starts are
    news = np.flatnonzero(reach[np.searchsorted(exact.start, chains[:, 0], side="right")] < chains[:, 1])
    chosen = np.zeros(len(chains), dtype=np.bool_)
    order = news[np.lexsort((chains[news, 0], -chains[news, 4]))]
    kernels.choose_chains(chains, order, chosen, len(tokens))
    number = np.flatnonzero(chosen)
    number = number[np.lexsort((chains[number, 2], chains[number, 0]))]
    row = np.full(len(chains), -1, dtype=np.int64)
    row[number] = np.arange(len(number))
    several = np.bincount(parts[:, 0], minlength=len(chains))[parts[:, 0]] > 1
    parts = parts[several & chosen[parts[:, 0]]]
    parts[:, 0] = row[parts[:, 0]]
    return chains[number], parts[np.lexsort((parts[:, 1], parts[:, 0]))]


def nothing_to_chain(
    tokens: npt.NDArray[np.uint64], offsets: Places, seeds: Places, exact: Stretches, size: int
) -> bool:
    """Say whether it is plain that no chain but `exact` stretches will come of the seeds, which come by start.

    A text that holds its body twice is so, and its first run compiles none of the kernels for chains then. True is
    certain: every two seeds that may be linked lie in the same exact stretch, the others are too short, and what may
    fill an exact stretch cannot grow. Cost: seeds times `BACK`.
    """
    from dedup.kernels.chains import BACK, GAP

    seeds = seeds[seeds[:, 1] + seeds[:, 2] <= seeds[:, 0]]  # one that overlaps its own source is in no chain
    start, source, length = seeds.T
    end, source_end = start + length, source + length
    around = np.searchsorted(exact.start, start, side="right") - 1
    around[end > np.append(exact.end, 0)[around]] = -1  # not in one: the last stretch that begins reaches furthest
    if np.any((around < 0) & (length >= size // 4)):
        return False
    for back in range(1, min(BACK, len(seeds) - 1) + 1):
        linked = (start[back:] - end[:-back] <= GAP) & (source[back:] - source_end[:-back] <= GAP)
        linked &= (start[back:] > start[:-back]) & (source[back:] > source[:-back])
        if np.any(linked & ((around[back:] < 0) | (around[back:] != around[:-back]))):
            return False
    for row in np.unique(around[around >= 0]).tolist():
        inside = around == row
        begins = np.unique(source[inside & (start == exact.start[row])])
        ends = np.unique(source_end[inside & (end == exact.end[row])])
        if len(begins) == 0 or len(ends) == 0:
            continue  # no chain fills it
        a, b, c, d = (int(column[row]) for column in exact)
        if begins.tolist() != [c] or ends.tolist() != [d]:
            return False
        text, source_text = (int(np.searchsorted(offsets, place, side="right")) for place in (a, c))
        # the tokens that `grow` may take at either end, up to the other side in the same text
        low, source_low = int(offsets[text - 1]), int(offsets[source_text - 1])
        high, source_high = int(offsets[text]), int(offsets[source_text])
        if text == source_text:
            low, source_high = max(low, d), min(source_high, a)
        left = np.isin(tokens[max(low, a - ROWS) : a], tokens[max(source_low, c - COLUMNS) : c])
        right = np.isin(tokens[b : min(high, b + ROWS)], tokens[d : min(source_high, d + COLUMNS)])
        if left.sum() > 1 or right.sum() > 1:
            return False
    return True


def find_stretches(tokens: npt.NDArray[np.uint64], offsets: Places, size: int) -> Stretches:
    """Return every maximal stretch of `size` tokens or more that stands earlier, with its first place."""
    from dedup.kernels import windows as kernels

    place, first, flags = find_windows(tokens, offsets, size)
    count = kernels.cut_blocks(first, flags)
    symbols = np.empty(count, dtype=first.dtype)
    at_window = np.empty(count, dtype=first.dtype)
    kernels.write_blocks(first, flags, symbols, at_window)
    del first, flags
    begins, ends, sources = _longest(symbols)
    start = place[at_window[begins]].astype(np.int64)
    end = place[at_window[ends] - 1].astype(np.int64) + size
    source = place[at_window[sources]].astype(np.int64)
    return Stretches(start, end, source, source + end - start)


def find_windows(
    tokens: npt.NDArray[np.uint64], offsets: Places, size: int
) -> tuple[npt.NDArray[np.signedinteger], npt.NDArray[np.signedinteger], npt.NDArray[np.uint8]]:
    """Return `place`, `first` and `flags` of the windows of `size` tokens that may stand twice (dedup.kernels.windows).

    All that stand twice are among them.
    """
    from dedup.kernels import windows as kernels

    # pages that nothing is written to take no memory
    hashes = np.empty(len(tokens), dtype=np.uint64)
    since = np.empty(len(tokens), dtype=np.int64)
    count = kernels.find_anchors(tokens, offsets, size, min((size + 1) // 2, LONGEST_GRAM), hashes, since)
    twice = np.empty(count, dtype=np.bool_)
    kernels.mark_twice(hashes[:count], twice)
    del hashes
    runs = np.empty((count, 2), dtype=np.int64)
    runs = runs[: kernels.keep_windows(offsets, size, since[:count], twice, runs)].copy()
    del since, twice
    left = int((runs[:, 1] - runs[:, 0]).sum())
    number: type[np.signedinteger] = np.int32 if len(tokens) < 1 << 31 else np.int64
    place = np.empty(left, dtype=number)
    first = np.empty(left, dtype=number)
    flags = np.empty(left, dtype=np.uint8)
    room = np.empty(kernels.table_room(left), dtype=np.uint64)
    kernels.find_first(tokens, runs, size, place, first, flags, room)
    return place, first, flags


def _longest(symbols: npt.NDArray[np.signedinteger]) -> tuple[Places, Places, Places]:
    """Return first symbol, end and first symbol of the source of every maximal repeat."""
    from dedup.kernels.passages import longest_earlier

    length = np.empty(len(symbols), dtype=symbols.dtype)
    source = np.empty(len(symbols), dtype=symbols.dtype)
    longest_earlier(symbols, len(symbols), length, source)
    following = np.concatenate((length[1:], np.zeros(min(len(length), 1), dtype=length.dtype)))
    ends = np.flatnonzero((length > 0) & (following != length + 1))
    sizes = length[ends].astype(np.int64)
    return ends + 1 - sizes, ends + 1, source[ends] + 1 - sizes


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

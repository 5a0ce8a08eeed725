"""Repeats with small edits in them: chains of equal stretches, and the repeats of both kinds together.

Arrays as in `dedup.passages.maximal`. Chains are a heuristic (`dedup.kernels.chains`): each is as similar as it says,
but which edited passages are found is measured, not promised. What is equal from end to end is never lost.

Three steps, so that the tokens of all texts need not be held for the last one: `find_seeds` in windows of a few tokens,
`link_seeds` into chains, `find_chains` in the tokens of the texts that have one.

Cost: linear in the windows and seeds; 24 bytes a seed, 200 for each that is linked or long.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.passages.maximal import Numbers, Places, Stretches, cut_periods, find_stretches, find_windows
from dedup.runtime.memory import Afford, unbounded

__all__ = [
    "LINKED_SEED_BYTES",
    "Links",
    "Passages",
    "find_chains",
    "find_passages",
    "find_seeds",
    "join_chains",
    "link_seeds",
    "no_chains",
    "nothing_to_chain",
    "seed_tokens",
]

SEED = 5
"""Tokens of a seed of a chain: of a passage of 25 words, one in ten of them edited, 998 in 1,000 keep one."""

SEED_BYTES = 80
"""Of a seed while it is linked."""

LINKED_SEED_BYTES = 210
"""Of a linked seed while chains are made."""


FEW_SEEDS = 1 << 12
"""Seeds that are looked at before the kernels are called: in larger collections some chain will be found anyway."""

FEW_WINDOWS = 1 << 13
"""Windows whose seeds numpy finds within a millisecond: the first run over a short text compiles no kernel for it."""

ROWS, COLUMNS = 8, 16
"""Tokens of a text, and of its source, in which an end has to find two equal ones to grow: it gives up 16 points behind
its best, an equal token earns 2, an edit costs 3, and the first step is an edit (`dedup.kernels.alignment`)."""


class Passages(NamedTuple):
    """Repeats: `stretches` by place, the `similarity` of each to its source (float64).

    Where edits are bridged, `parts` are the stretches that are equal, with small edits between them, and `part_of` the
    row of each; a repeat that is equal from end to end has none.
    """

    stretches: Stretches
    similarity: npt.NDArray[np.float64]
    parts: Stretches
    part_of: Places


class Links(NamedTuple):
    """Seeds (start, source, tokens) by start; the best `score` of a chain that ends with each, and the seed before."""

    seeds: Places
    scores: npt.NDArray[np.float64]
    back: Places


def find_passages(tokens: npt.NDArray[np.uint64], offsets: Places, size: int, threshold: float) -> Passages:
    """Return the repeats of `size` tokens or more: exact ones at threshold 1.0, below it also chains of them."""
    exact = find_stretches(tokens, offsets, size)
    if threshold >= 1.0 or len(tokens) == 0:
        return join_chains(exact, *no_chains(), size)
    seeds = find_seeds(tokens, offsets, seed_tokens(size))
    if len(seeds) <= FEW_SEEDS and nothing_to_chain(tokens, offsets, seeds, exact, size):
        return join_chains(exact, *no_chains(), size)
    links = link_seeds(seeds, offsets, size)
    return join_chains(exact, *find_chains(tokens, offsets, links, exact, size, threshold), size)


def nothing_to_chain(
    tokens: npt.NDArray[np.uint64], offsets: Places, seeds: Places, exact: Stretches, size: int
) -> bool:
    """Say whether it is plain that no chain but `exact` stretches will come of the seeds.

    A text that holds its body twice is so, and its first run compiles none of the kernels for chains then. True is
    certain: every two seeds that may be linked lie in the same exact stretch, the others are too short, and what may
    fill an exact stretch cannot grow. Cost: seeds times `BACK`.
    """
    from dedup.kernels.chains import BACK, GAP

    seeds = seeds[np.lexsort((seeds[:, 1], seeds[:, 0]))]
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


def no_chains() -> tuple[Places, Places]:
    """Return what `find_chains` gives where there are none."""
    return np.empty((0, 5), dtype=np.int64), np.empty((0, 5), dtype=np.int64)


def join_chains(exact: Stretches, chains: Places, parts: Places, size: int) -> Passages:
    """Return the repeats of both kinds, by place: what is equal and lies inside a chain is said by the chain."""
    pieces = cut_periods(exact, size)
    longer = np.maximum(chains[:, 1] - chains[:, 0], chains[:, 3] - chains[:, 2])
    reach = np.maximum.accumulate(np.concatenate((np.full(1, -1, dtype=np.int64), chains[:, 1])))
    alone = reach[np.searchsorted(chains[:, 0], pieces.start, side="right")] < pieces.end
    stretches = Stretches(*(np.concatenate((column[alone], chains[:, i])) for i, column in enumerate(pieces)))
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


def seed_tokens(size: int) -> int:
    """Return the tokens of the shortest seed for repeats of `size` tokens."""
    return min(SEED, (size + 1) // 2)


def find_seeds(tokens: npt.NDArray[np.uint64], offsets: Places, seed_size: int, afford: Afford = unbounded) -> Places:
    """Return the seeds (start, source, tokens) of `seed_size` tokens or more, in no order."""
    from dedup.kernels import chains as kernels

    place, first, flags = find_windows(tokens, offsets, seed_size, afford=afford)
    if len(first) <= FEW_WINDOWS:
        return seeds_of_few(place, first, flags, seed_size)
    seeds = np.empty((0, 3), dtype=np.int64)
    count = kernels.find_seeds(place, first, flags, seed_size, seeds)
    afford(tokens.nbytes + 13 * len(place) + 24 * count)
    seeds = np.empty((count, 3), dtype=np.int64)
    kernels.find_seeds(place, first, flags, seed_size, seeds)
    return seeds


def seeds_of_few(place: Numbers, first: Numbers, flags: npt.NDArray[np.uint8], seed_size: int) -> Places:
    """Return what the kernel `find_seeds` writes, in another order."""
    from dedup.kernels.windows import OPENS

    window = np.arange(len(first))
    order = np.argsort(first, kind="stable")  # equal windows, in their order
    latest = np.full(len(first), -1)
    latest[order[1:]] = order[:-1]  # of one that is equal to others before, the last of these
    again = first != window
    opens = (flags & OPENS) != 0
    found = []
    for to in (np.where(again, first, -1), np.where(again & (latest != first), latest, -1)):
        before = np.append(-1, to[:-1])
        goes_on = ~opens & (before >= 0) & (to == before + 1) & ~opens[to]
        starts = np.flatnonzero((to >= 0) & ~goes_on)
        ends = np.flatnonzero((to >= 0) & ~np.append(goes_on[1:], False))
        found.append(np.column_stack((place[starts], place[to[starts]], ends - starts + seed_size)))
    return np.concatenate(found).astype(np.int64)


def link_seeds(seeds: Places, offsets: Places, size: int, afford: Afford = unbounded) -> Links:
    """Return the seeds that are in a chain, or may be one alone, linked; `offsets` are the texts they stand in."""
    from dedup.kernels import chains as kernels

    afford(SEED_BYTES * len(seeds))
    seeds = seeds[np.lexsort((seeds[:, 1], seeds[:, 0]))]
    scores = np.empty(len(seeds), dtype=np.float64)
    back = np.empty(len(seeds), dtype=np.int64)
    text, source_text = (np.searchsorted(offsets, seeds[:, i], side="right") for i in (0, 1))
    kernels.link_seeds(seeds, text, source_text, scores, back)
    del text, source_text
    # a seed alone that is too short to be a chain would only be thrown away later
    stays = (back >= 0) | (scores > 0) & (seeds[:, 2] >= size // 4)
    stays[back[back >= 0]] = True
    number = np.cumsum(stays) - 1
    back = back[stays]
    return Links(seeds[stays], scores[stays], np.where(back >= 0, number[back], -1))


def find_chains(
    tokens: npt.NDArray[np.uint64],
    offsets: Places,
    links: Links,
    exact: Stretches,
    size: int,
    threshold: float,
    afford: Afford = unbounded,
) -> tuple[Places, Places]:
    """Return the chains (start, end, source, source end, matched) by start, but those inside an `exact` stretch.

    Also returns the parts of the chains that have more than one (chain, start, end, source, source end).
    """
    from dedup.kernels import chains as kernels

    seeds, scores, back = links
    afford(9 * len(tokens) + LINKED_SEED_BYTES * len(seeds))
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

"""Repeats with small edits in them: chains of equal stretches, and the repeats of both kinds together.

Arrays as in `dedup.passages.maximal`. Chains are a heuristic (`dedup.kernels.chains`): each is as similar as it says,
but which edited passages are found is measured, not guaranteed. All stretches that are equal from end to end are found.

There are two steps: seeds are found and linked (`dedup.passages.seeds`), then chains are made of the links, text by
text. Under a bound on memory, `find_chains` needs the tokens of only those texts that have links.

Cost: linear in the tokens and links; 200 bytes per link of the texts at work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.passages.across import find_across
from dedup.passages.maximal import Places, Stretches, cut_periods, find_stretches, find_windows
from dedup.passages.seeds import Links, Tokens, find_links, seeds_of_few
from dedup.runtime.arrays import sorted_unique
from dedup.runtime.buffers import give_back
from dedup.runtime.threads import begun, map_blocks

__all__ = [
    "LINKED_SEED_BYTES",
    "Passages",
    "find_chains",
    "find_passages",
    "find_passages_across",
    "join_chains",
    "no_chains",
    "nothing_to_chain",
    "seed_stride",
    "seed_tokens",
]

SEED = 5
"""Tokens of a seed of a chain: of a passage of 25 words, one in ten of them edited, 998 in 1,000 keep one."""

LINKED_SEED_BYTES = 210
"""Of a linked seed while chains are made."""

STRIDE, LEAST_STRIDDEN = 2, 25
"""Across two sides, if passages have so many tokens, only every second place of the texts searched in is a source of a
seed: it takes half the time, and where six tokens are equal there still is a seed."""

MATCHED, IN_DOUBT = 4, 5
"""Columns of chains after the four of `Stretches`."""

FEW_SEEDS = 1 << 12
"""Seeds that are looked at before the kernels are called: in larger collections some chain will be found anyway."""

FEW_TOKENS = 1 << 16
"""Tokens in which the windows of a seed are looked for twice, if need be."""

FEW_WINDOWS = 1 << 13
"""Windows whose seeds numpy finds within a millisecond: the first run over a short text compiles no kernel for it."""

ROWS, COLUMNS = 8, 16
"""Tokens of a text, and of its source, in which an end has to find two equal ones to grow: it gives up 16 points below
its best, an equal token earns 2, an edit costs 3, and the first step is an edit (`dedup.kernels.alignment`)."""


MISSPELLED = 0.75
"""Of the threshold: what must be reached by the words of a chain that are equal, if the others may be misspelled. A
word of five letters, one in twenty of them wrong, is equal with a chance of 0.77, one of ten letters with 0.60."""


class Passages(NamedTuple):
    """Repeats: `stretches` by place, and how many tokens of each are `matched` by equal ones of its source (int64).

    Where edits are bridged, `parts` are the stretches that are equal, with small edits between them, and `part_of` the
    row of each; a repeat that is equal from end to end has none. A `doubtful` one (bool) has too few equal tokens, and
    is a repeat only if others are nearly alike (`dedup.passages.spelling`).
    """

    stretches: Stretches
    matched: Places
    parts: Stretches
    part_of: Places
    doubtful: npt.NDArray[np.bool_]

    @property
    def longer(self) -> Places:
        """The tokens of the longer side of each, int64."""
        start, end, source, source_end = self.stretches
        longer: Places = np.maximum(end - start, source_end - source)
        return longer

    def some(self, chosen: npt.NDArray[np.bool_]) -> Passages:
        """Return those that are chosen."""
        row, parts = np.cumsum(chosen) - 1, chosen[self.part_of]
        return Passages(
            Stretches(*(column[chosen] for column in self.stretches)),
            self.matched[chosen],
            Stretches(*(column[parts] for column in self.parts)),
            row[self.part_of[parts]],
            self.doubtful[chosen],
        )


def find_passages(tokens: Tokens, offsets: Places, size: int, threshold: float, threads: int = 1) -> Passages:
    """Return the repeats of `size` tokens or more: exact ones at threshold 1.0, below it also chains of them.

    One thread finds the exact ones, which are needed when the first chains are made, while others look for seeds.
    """
    few = len(tokens) <= FEW_TOKENS
    with begun(partial(find_stretches, tokens, offsets, size), 1 if few or threshold >= 1.0 else threads) as exact:
        if threshold >= 1.0 or len(tokens) == 0 or (few and plainly_alone(tokens, offsets, exact(), size)):
            return join_chains(exact(), *no_chains(), size)
        return _chained(tokens, offsets, exact, size, threshold, threads)


def find_passages_across(
    tokens: Tokens, offsets: Places, against: int, size: int, threshold: float, threads: int = 1
) -> Passages:
    """Return the passages of `size` tokens or more that the texts from `against` on have from those before."""
    border = int(offsets[against])
    only = threshold >= 1.0 or border == 0
    with begun(partial(find_across, tokens, offsets, against, size), 1 if only else threads) as exact:
        if only:
            return join_chains(exact(), *no_chains(), size)
        return _chained(tokens, offsets, exact, size, threshold, threads, border, seed_stride(size))


def _chained(
    tokens: Tokens,
    offsets: Places,
    exact: Callable[[], Stretches],
    size: int,
    threshold: float,
    threads: int,
    border: int = 0,
    stride: int = 1,
) -> Passages:
    """Return the exact repeats and the chains; `border` and `stride` as for `find_links`."""
    known = cache(lambda: _Exact.of(exact()))

    def work(links: Links) -> tuple[Places, Places]:
        return _chains_of(tokens, offsets, known(), size, threshold, links)

    give_back()  # what was freed before would count in addition to the table of windows
    given = tokens, offsets, seed_tokens(size), size // 4, work, threads
    found = _joined(find_links(*given, border=border, stride=stride))
    return join_chains(exact(), *found, size)


def plainly_alone(tokens: Tokens, offsets: Places, exact: Stretches, size: int) -> bool:
    """Say whether so few of the tokens repeat that this can be seen without the kernels, and nothing to chain."""
    windows = find_windows(tokens, offsets, seed_tokens(size))
    if len(windows[0]) > FEW_WINDOWS:
        return False
    seeds = seeds_of_few(*windows, seed_tokens(size))
    return len(seeds) <= FEW_SEEDS and nothing_to_chain(tokens, offsets, seeds, exact, size)


def nothing_to_chain(tokens: Tokens, offsets: Places, seeds: Places, exact: Stretches, size: int) -> bool:
    """Say whether it is plain that no chain but `exact` stretches will come of the seeds.

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
    for row in sorted_unique(around[around >= 0]).tolist():
        inside = around == row
        begins = sorted_unique(source[inside & (start == exact.start[row])])
        ends = sorted_unique(source_end[inside & (end == exact.end[row])])
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
    return np.empty((0, 6), dtype=np.int64), np.empty((0, 5), dtype=np.int64)


def join_chains(exact: Stretches, chains: Places, parts: Places, size: int) -> Passages:
    """Return the repeats of both kinds, by place: what is equal and lies inside a chain is said by the chain."""
    pieces = cut_periods(exact, size)
    doubtful = chains[:, IN_DOUBT] != 0
    alone = ~within(pieces.start, pieces.end, chains[~doubtful, 0], chains[~doubtful, 1])
    stretches = Stretches(*(np.concatenate((column[alone], chains[:, i])) for i, column in enumerate(pieces)))
    matched = np.concatenate(((pieces.end - pieces.start)[alone], chains[:, MATCHED]))
    order = np.lexsort((stretches.source, -stretches.end, stretches.start))
    row = np.empty(len(order), dtype=np.int64)
    row[order] = np.arange(len(order))
    return Passages(
        Stretches(*(column[order] for column in stretches)),
        matched[order],
        Stretches(*(parts[:, i] for i in range(1, 5))),
        row[parts[:, 0] + int(alone.sum())],
        np.concatenate((np.zeros(int(alone.sum()), dtype=np.bool_), doubtful))[order],
    )


def within(start: Places, end: Places, other_start: Places, other_end: Places) -> npt.NDArray[np.bool_]:
    """Say which stretches lie in one of some others, which come by start."""
    reach = np.maximum.accumulate(np.concatenate((np.full(1, -1, dtype=np.int64), other_end)))
    return reach[np.searchsorted(other_start, start, side="right")] >= end


def seed_tokens(size: int) -> int:
    """Return the tokens of the shortest seed for repeats of `size` tokens."""
    return min(SEED, (size + 1) // 2)


def seed_stride(size: int) -> int:
    """Return which places of a text may be sources of seeds of passages of `size` tokens: all, or every second."""
    return STRIDE if size >= LEAST_STRIDDEN else 1


def find_chains(
    tokens: Tokens,
    offsets: Places,
    links: Iterable[Links],
    exact: Stretches,
    size: int,
    threshold: float,
    threads: int = 1,
) -> tuple[Places, Places]:
    """Return the chains (start, end, source, source end, matched, doubtful) by start, but those inside `exact` ones.

    Also returns the parts of the chains that have more than one (chain, start, end, source, source end). The links come
    some whole texts at a time, in the order of the texts.
    """
    return _joined(map_blocks(partial(_chains_of, tokens, offsets, _Exact.of(exact), size, threshold), links, threads))


class _Exact(NamedTuple):
    """Exact stretches: where they start, where they end, and the end of the one before each start (-1: none)."""

    start: Places
    end: Places
    reach: Places

    @classmethod
    def of(cls, exact: Stretches) -> _Exact:
        return cls(exact.start, exact.end, np.append(np.int64(-1), exact.end))  # ascending, as the starts are


def _joined(found: Iterable[tuple[Places, Places]]) -> tuple[Places, Places]:
    chains, parts = [no_chains()[0]], [no_chains()[1]]
    held = 0
    for some, their_parts in found:
        their_parts[:, 0] += held
        held += len(some)
        chains.append(some)
        parts.append(their_parts)
    return np.concatenate(chains), np.concatenate(parts)


def _best_first(scores: npt.NDArray[np.signedinteger]) -> Places:
    """Return the rows of the scores by descending score, and of equal ones by row."""
    below = int(scores.max()) - scores
    return np.argsort(below.astype(np.uint16) if int(below.max()) < 1 << 16 else below, kind="stable")


def _chains_of(
    tokens: Tokens, offsets: Places, exact: _Exact, size: int, threshold: float, links: Links
) -> tuple[Places, Places]:
    """Return the chains of some whole texts, and their parts: no chain depends on those of other texts."""
    from dedup.kernels import chains as kernels

    seeds, scores, back = links
    if not len(seeds):
        return no_chains()
    texts = np.searchsorted(offsets, seeds[[0, -1], 0], side="right")
    begin, end = int(offsets[texts[0] - 1]), int(offsets[texts[1]])
    order = _best_first(scores)
    cut = np.zeros(int(texts[1] - texts[0]) + 1, dtype=np.bool_)

    def choose(chains: Places, news: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        rows = np.flatnonzero(news)
        chosen = np.zeros(len(chains), dtype=np.bool_)
        kernels.choose_chains(chains, rows[np.lexsort((chains[rows, 0], -chains[rows, 4]))], begin, end, chosen)
        return chosen

    def new(chains: Places) -> npt.NDArray[np.bool_]:
        return exact.reach[np.searchsorted(exact.start, chains[:, 0], side="right")] < chains[:, 1]

    chains = np.empty((2 * len(seeds), 5), dtype=np.int64)
    parts = np.empty((2 * len(seeds), 5), dtype=np.int64)
    counts = np.zeros(4, dtype=np.int64)
    given = tokens, offsets, begin, end, seeds, order, back, scores, exact.start, exact.end
    kernels.build_chains(*given, size, threshold, MISSPELLED * threshold, chains, parts, counts, cut)
    others, their_parts = (rows[len(seeds) :][: counts[2 + i]].copy() for i, rows in enumerate((chains, parts)))
    chains, parts = (rows[: counts[i]].copy() for i, rows in enumerate((chains, parts)))
    chosen = choose(chains, new(chains))
    # uncut texts have the same chains at any lower threshold, and no doubtful ones
    in_cut = cut[np.searchsorted(offsets, others[:, 0], side="right") - texts[0]]
    some = np.cumsum(in_cut) - 1
    their_parts = their_parts[in_cut[their_parts[:, 0]]]
    their_parts[:, 0] = some[their_parts[:, 0]]
    others = others[in_cut]
    longer = np.maximum(others[:, 1] - others[:, 0], others[:, 3] - others[:, 2])
    doubtful = new(others) & (others[:, 4] / np.maximum(longer, 1) < threshold)
    sure = len(chains)
    chains = np.concatenate((chains, others))
    chosen = np.concatenate((chosen, choose(chains, np.concatenate((chosen, doubtful)))[sure:]))
    their_parts[:, 0] += sure
    parts = np.concatenate((parts, their_parts))
    chains = np.column_stack((chains, np.arange(len(chains)) >= sure))
    number = np.flatnonzero(chosen)
    number = number[np.lexsort((chains[number, 2], chains[number, 0]))]
    row = np.full(len(chains), -1, dtype=np.int64)
    row[number] = np.arange(len(number))
    several = np.bincount(parts[:, 0], minlength=len(chains))[parts[:, 0]] > 1
    parts = parts[several & chosen[parts[:, 0]]]
    parts[:, 0] = row[parts[:, 0]]
    return chains[number], parts[np.lexsort((parts[:, 1], parts[:, 0]))]

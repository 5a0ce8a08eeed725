"""Survivors: the tokens of texts that are read several times, since not all of them can be held at once.

A window of `size` tokens whose anchor (`dedup.kernels.windows`) occurs once is unique. So the texts are read
a first time to mark the anchors, in a table of a few bits for each, and then again to keep the runs of windows whose
anchor may occur twice. In naive Python, over the windows `w` of all texts::

    kept = [w[i] for i in range(len(w)) if table_says_twice(anchor(w[i]))]      # all that occur twice

Every stretch of `size` tokens or more that occurs twice lies in one run. So a search of the runs, as if they were
texts, finds what a search of the texts finds. `Survivors.back` gives the places in the texts.

Errors of the tables are one-sided: anchors that share a slot keep windows that occur once.

Cost: the texts are tokenised twice, three times for two sides, twice more for each further range of a table that is
larger than its room. Memory: the tables, 4 bytes for each token that is kept, up to 21 for each distinct one (32 while
their table grows), a bit an anchor where there are ranges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.hashing.token_stream import TokenBlock
from dedup.hashing.units import HashRows
from dedup.hashing.vocabulary import Vocabulary
from dedup.pairs.filter_passes import filter_passes
from dedup.pairs.seen_twice import bits_for
from dedup.passages.maximal import WINDOW_BYTES, Places, anchor_density, gram_of
from dedup.runtime.memory import Afford
from dedup.threshold import Metric, Threshold

__all__ = ["Survivors", "keep_both", "keep_twice"]

SPREAD = 4
"""Times the slots that `dedup.pairs.seen_twice` gives a hash: one in 16 anchors then shares its slot with another by
chance. Curve: `benchmarks.tuning.window_filter_spread`; flat from 2 to 8 on generated:10000, where 1 takes 1.10 times
as long (two cores, 2026-11)."""

RUN_BYTES = 40
"""Of a run, beside its tokens, while it is taken."""

Result = TypeVar("Result")

Blocks = Callable[[], Iterable[TokenBlock]]
"""What reads the texts, from the beginning, each time it is called."""


class Survivors(NamedTuple):
    """Runs of tokens that may occur twice: ``tokens[offsets[r]:offsets[r + 1]]`` is run r.

    Tokens are numbers (`dedup.hashing.vocabulary`). The first token of run r is the ``origin[r]``-th of all texts in a
    row; text t begins with the ``bounds[t]``-th (texts + 1).
    The runs of the texts before the last reading are the first `split`.
    """

    tokens: npt.NDArray[np.uint32]
    offsets: Places
    origin: Places
    bounds: Places
    split: int

    def back(self, places: Places, ends: Places) -> tuple[Places, Places]:
        """Return where stretches of the runs (first token, end) are in the texts."""
        run = np.searchsorted(self.offsets, places, side="right") - 1
        shift = self.origin[run] - self.offsets[run]
        return places + shift, ends + shift

    def places(self) -> Places:
        """Return the place of the first token of each run in its text."""
        return self.origin - self.bounds[np.searchsorted(self.bounds, self.origin, side="right") - 1]

    def begins(self) -> Places:
        """Return where the texts begin in `tokens` (texts + 1)."""
        return self.offsets[np.searchsorted(self.origin, self.bounds)]


class _Part(NamedTuple):
    """A block with the last tokens of a text that continues in front, and the anchors of its windows, spread evenly."""

    tokens: npt.NDArray[np.uint64]
    offsets: Places
    first: int  # the number of the first token
    hashes: npt.NDArray[np.uint64]
    since: Places
    ends: bool
    goes_on: bool

    @property
    def rows(self) -> HashRows:
        """The anchors as rows of one hash."""
        return HashRows(self.hashes, np.arange(len(self.hashes) + 1, dtype=np.int64))


def anchored(blocks: Iterable[TokenBlock], size: int) -> Iterator[_Part]:
    """Yield the blocks with their anchors; each window of `size` tokens is in one of them."""
    from dedup.kernels import windows as kernels

    passed = 0
    carried = np.empty(0, dtype=np.uint64)
    for block in blocks:
        tokens, offsets = block.tokens, block.offsets
        first = passed
        if block.goes_on:
            tokens = np.concatenate((carried, tokens))
            offsets = np.array([0, len(tokens)], dtype=np.int64)
            first -= len(carried)
        passed += len(block.tokens)
        carried = tokens[max(len(tokens) - size + 1, 0) :].copy() if not block.ends else tokens[:0]
        hashes = np.empty(len(tokens), dtype=np.uint64)
        since = np.empty(len(tokens), dtype=np.int64)
        count = kernels.find_anchors(tokens, offsets, size, gram_of(size), hashes, since)
        yield _Part(tokens, offsets, first, hashes[:count] * kernels.BASE, since[:count], block.ends, block.goes_on)


class _Gathering:
    """Takes the runs of windows that are kept, one block after the other."""

    def __init__(self, size: int, words: int, tables: int, afford: Afford) -> None:
        """Gather from about so many `words` in all, beside tables of so many bytes."""
        self._size, self._words, self._tables, self._afford = size, words, tables, afford
        self._tokens: list[npt.NDArray[np.uint32]] = []
        self._vocabulary = Vocabulary()
        self._lengths: list[npt.NDArray[np.int64]] = []
        self._origins: list[npt.NDArray[np.int64]] = []
        self._bounds: list[npt.NDArray[np.int64]] = [np.zeros(1, dtype=np.int64)]
        self._next = -1  # the number of the window that would continue the last run
        self.base, self.held, self.runs = 0, 0, 0

    def take(self, part: _Part, stays: npt.NDArray[np.bool_]) -> None:
        """Take the windows of a block whose anchor is kept."""
        from dedup.kernels import windows as kernels

        runs = np.empty((len(stays), 2), dtype=np.int64)
        runs = runs[: kernels.keep_windows(part.offsets, self._size, part.since, stays, runs)]
        bounds = part.first + self.base + part.offsets[1:]
        self._bounds.append(bounds if part.ends else bounds[:-1])
        if not len(runs):
            return
        start, end = runs[:, 0].copy(), runs[:, 1] + self._size - 1
        origin = start + part.first + self.base
        if part.goes_on and origin[0] == self._next:  # the run before continues: its last tokens are held already
            start[0] += self._size - 1
        following = int(runs[-1, 1]) + part.first + self.base
        sizes = end - start
        where = np.arange(sizes.sum()) + np.repeat(start - (np.cumsum(sizes) - sizes), sizes)
        self.held += len(where)
        new = len(sizes)
        if part.goes_on and origin[0] == self._next:
            self._lengths[-1][-1] += sizes[0]
            sizes, origin, new = sizes[1:], origin[1:], new - 1
        self._next = following
        self.runs += new
        read = (following + self._size) / self._words
        everything = (4 + WINDOW_BYTES) * self.held / min(max(read, 1e-6), 1.0)
        self._tokens.append(self._vocabulary.number(part.tokens[where]))
        held = 4 * self.held + self._vocabulary.bytes + RUN_BYTES * self.runs
        self._afford(self._tables + held, round(everything))
        if new:
            self._lengths.append(sizes)
            self._origins.append(origin)

    def done(self, split: int) -> Survivors:
        """Return what was kept."""
        lengths = np.concatenate([np.empty(0, dtype=np.int64), *self._lengths])
        tokens = np.empty(self.held, dtype=np.uint32)
        at = 0
        for number, some in enumerate(self._tokens):
            tokens[at : at + len(some)] = some
            at += len(some)
            self._tokens[number] = some[:0]
        return Survivors(
            tokens,
            np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(lengths))),
            np.concatenate([np.empty(0, dtype=np.int64), *self._origins]),
            np.concatenate(self._bounds),
            split,
        )


ONE_SHARED = Threshold(1.0, Metric.CONTAINMENT)
"""A window is a row with one hash, which occurs in another row or does not."""


class _Windows:
    """The windows of `size` tokens as rows of one hash each, to be read as often as wanted."""

    threads, cheap = 1, False

    def __init__(self, read: Blocks, size: int, words: int) -> None:
        self._read, self._size = read, size
        self.shingles = SPREAD * round(words * anchor_density(size))

    def map(self, work: Callable[[HashRows], Result], _: str) -> Iterator[Result]:
        """Yield what `work` makes of the windows of each block, in order."""
        for part in anchored(self._read(), self._size):
            yield work(part.rows)


def keep_twice(read: Blocks, size: int, words: int, room: int, afford: Afford) -> Survivors:
    """Return the windows of `size` tokens that may occur twice; about so many `words`, a table of `room` bytes."""
    candidates = filter_passes(_Windows(read, size, words), ONE_SHARED, room=room)
    kept = _Gathering(size, words, candidates.bytes, afford)
    for part in anchored(read(), size):
        kept.take(part, candidates.choose(part.rows))
    return kept.done(0)


def keep_both(against: Blocks, texts: Blocks, size: int, words: int, room: int, afford: Afford) -> Survivors:
    """Return the windows that may occur on both sides: those of `against` first.

    About so many `words` on both sides; two tables of `room` bytes together.
    """
    from dedup.kernels.cross_join import mark_side, stand

    # 16 slots of a bit for each, as many as fit
    bits = min(bits_for(4 * SPREAD * round(words * anchor_density(size))), max((4 * room).bit_length() - 1, 10))
    tables = [np.zeros(1 << (bits - 6), dtype=np.uint64) for _ in range(2)]
    one = np.zeros(1, dtype=np.int64)

    def enter(hashes: npt.NDArray[np.uint64], table: npt.NDArray[np.uint64]) -> None:
        mark_side(hashes, np.array([0, len(hashes)]), one, table, 64 - bits)

    for part in anchored(texts(), size):
        enter(part.hashes, tables[0])
    kept = _Gathering(size, words, 2 * tables[0].nbytes, afford)
    split = 0
    for side, blocks in enumerate((against, texts)):
        passed = 0
        for part in anchored(blocks(), size):
            stays = np.zeros(len(part.hashes), dtype=np.bool_)
            stays[stand(part.hashes, 0, len(part.hashes), tables[side], 64 - bits)] = True
            if side == 0:
                enter(part.hashes[stays], tables[1])
            kept.take(part, stays)
            passed = part.first + len(part.tokens)
        if side == 0:
            kept.base, split = passed, kept.runs
    return kept.done(split)

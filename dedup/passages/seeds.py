"""Seeds: short runs of tokens that occur at an earlier place, and links between those that may be in a chain.

The definitions are in `dedup.kernels.window_table`, `dedup.kernels.seeds` and `dedup.kernels.chains`. First the cell of
each window is marked. Then the tokens are read once more, some at a time: their windows are looked up, and the runs are
written. When a text is complete, its seeds are linked, and those that are in no chain are dropped. So only a table of
the windows that occur twice and the seeds of a few texts are held.

The result does not depend on how many tokens are read at a time, or on the number of parts.

Cost: linear in the tokens. Memory: about a byte a token and 13 bytes for each distinct window that stands twice (26
beyond 2^29 tokens); 20 bytes a link; 40 for each seed of the text at hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.passages.maximal import Places
from dedup.passages.window_filter import Survivors
from dedup.runtime.memory import Afford, unbounded
from dedup.runtime.threads import map_blocks

__all__ = ["HELD_LINK_BYTES", "Links", "Tokens", "find_links", "find_seeds", "seeds_of_few"]

Result = TypeVar("Result")
Tokens = npt.NDArray[np.uint32]
"""Tokens by their numbers (`dedup.hashing.vocabulary`)."""

Numbers = npt.NDArray[np.signedinteger]
Columns = tuple[Numbers, Numbers, Numbers]
"""Of seeds: start, source, tokens."""

SEED_CHUNK = 1 << 18
"""Tokens whose windows are looked up before their seeds are linked."""

CELLS_PER_TOKEN = 2
"""Cells per token, at least. Of the windows that occur once, less than two in five then share a cell with another."""

NARROW_TOKENS = 1 << 29
"""Tokens. With so many or more, four times a score needs more than 32 bits."""

WAITING_BLOCKS = 8
"""Blocks of seeds per thread that wait to be linked: so many that seeds can be looked up while exact stretches are
found, without which no chain is made."""

LOAD = 0.8
"""The share of the slots that is filled when all windows are in the table. From 0.5 to 0.85 the time is the same: it
goes into memory that is waited for, not into slots that are passed."""

MOST_FILLED = 7 / 8
"""The share of the slots that may be filled before there have to be more: the number of windows is an estimate."""

SEED_BYTES = 40
"""Of a seed while it is linked."""

HELD_LINK_BYTES = 20
"""Of a link while it is held."""


class Links(NamedTuple):
    """Seeds (start, source, tokens) by start; four times the best score of a chain that ends with each; the one before.

    Of some whole texts; `back` is a row of these, -1 for none. All of one dtype: int32, or int64 beyond 2^29 tokens.
    """

    seeds: Numbers
    scores: Numbers
    back: Numbers


def find_links(
    tokens: Tokens,
    offsets: Places,
    seed_size: int,
    least: int,
    then: Callable[[Links], Result],
    threads: int = 1,
    kept: Survivors | None = None,
    afford: Afford = unbounded,
    border: int = 0,
    stride: int = 1,
) -> Iterator[Result]:
    """Yield what `then` makes of the links of some whole texts at a time: threads call it.

    Links are the seeds of `seed_size` tokens or more that are linked, or have `least` tokens. Where the tokens are runs
    that were `kept`, the places are those in the texts. With a `border`, a place in `tokens` where a text begins, only
    the tokens from there on have seeds, and the sources lie before it, at every `stride`-th place of a text.
    """
    bounds = offsets if kept is None else kept.bounds
    dtype: Any = np.int32 if bounds[-1] < NARROW_TOKENS else np.int64

    def work(seeds: Columns) -> Result:
        return then(_link(seeds, bounds, least))

    yield from map_blocks(
        work,
        find_seeds(tokens, offsets, seed_size, dtype, threads, kept, afford, border, stride),
        threads,
        WAITING_BLOCKS,
    )


def _link(seeds: Columns, offsets: Places, least: int) -> Links:
    from dedup.kernels import chains as kernels

    count, dtype = len(seeds[0]), seeds[0].dtype
    # pages that nothing is written to take no memory
    rows = np.empty((count, 3), dtype=dtype)
    scores, back = np.empty(count, dtype=dtype), np.empty(count, dtype=dtype)
    kept = kernels.link_seeds(*seeds, offsets, least, rows, scores, back)
    return Links(rows[:kept].copy(), scores[:kept].copy(), back[:kept].copy())


def find_seeds(
    tokens: Tokens,
    offsets: Places,
    size: int,
    dtype: Any = np.int64,
    threads: int = 1,
    kept: Survivors | None = None,
    afford: Afford = unbounded,
    border: int = 0,
    stride: int = 1,
) -> Iterator[Columns]:
    """Yield the seeds of `size` tokens or more, those of some whole texts at a time.

    `border` and `stride` (less than `size`, or 1) as for `find_links`.
    """
    from dedup.kernels import seeds as kernels

    borders = offsets if kept is None else kept.begins()
    origins = np.zeros(len(offsets), dtype=np.int64) if kept is None else kept.places()
    sides = border, origins, stride
    parts = [_Part(tokens, offsets, size, sides, number, threads, dtype) for number in range(threads)]
    for _ in map_blocks(_Part.mark, parts, threads):
        pass
    afford(tokens.nbytes + sum(part.bytes for part in parts))
    first, latest = (
        np.empty(min(SEED_CHUNK, len(tokens)), dtype=dtype),
        np.empty(min(SEED_CHUNK, len(tokens)), dtype=dtype),
    )
    state = np.zeros(5, dtype=np.int64)
    columns = np.empty((3, 2 * len(first)), dtype=dtype)
    opened = np.full((kernels.OPENED, 3), -size, dtype=np.int64)
    for begin in range(0, len(tokens), SEED_CHUNK):
        end = min(begin + SEED_CHUNK, len(tokens))
        to_first, to_latest = first[: end - begin], latest[: end - begin]
        to_first.fill(-1)
        to_latest.fill(-1)
        for _ in map_blocks(partial(_Part.place, begin=begin, end=end, to=(to_first, to_latest)), parts, threads):
            pass
        if end <= border:
            continue
        held = int(state[kernels.COUNT])
        if held + 2 * (end - begin) > columns.shape[1]:
            wider = np.empty((3, 2 * held + 2 * len(first)), dtype=dtype)
            wider[:, :held] = columns[:, :held]
            columns = wider
        if stride == 1:
            kernels.write_seeds(to_first, to_latest, begin, offsets, size, state, *columns)
        else:
            kernels.write_sparse_seeds(to_first, to_latest, begin, offsets, size, opened, state, *columns)
        held = int(state[kernels.COUNT])
        afford(tokens.nbytes + sum(part.bytes for part in parts) + SEED_BYTES * held)
        border = int(borders[np.searchsorted(borders, end, side="right") - 1])
        done = int(np.searchsorted(columns[0, :held], border))
        if done:
            start, source, length = (column[:done].copy() for column in columns)
            columns[:, : held - done] = columns[:, done:held]  # of the text that has not ended
            state[[kernels.COUNT, kernels.ROW_FIRST, kernels.ROW_LATEST]] -= done
            opened[:, 2] -= done
            if kept is not None:
                start, source = (kept.back(places, places)[0].astype(dtype) for places in (start, source))
            yield start, source, length


class _Part:
    """The windows whose hashes lie in one part of all: cells, and a table with its slots."""

    def __init__(
        self,
        tokens: Tokens,
        offsets: Places,
        size: int,
        sides: tuple[int, Places, int],
        number: int,
        parts: int,
        dtype: Any,
    ) -> None:
        self._given = tokens, offsets
        self._sides = sides
        self._size, self._share = size, (number, parts)
        self._cells = np.zeros(1 << max(CELLS_PER_TOKEN * len(tokens) // parts // 32, 1).bit_length(), dtype=np.uint64)
        self._table: Numbers = np.empty((0, 2), dtype=dtype)
        self._slots: Numbers = np.empty(0, dtype=dtype)
        self._state = np.zeros(2, dtype=np.int64)

    @property
    def bytes(self) -> int:
        return self._cells.nbytes + self._table.nbytes + self._slots.nbytes

    def mark(self) -> None:
        """Enter the windows into cells, and make the table."""
        from dedup.kernels import window_table as kernels

        counts = np.zeros(2, dtype=np.int64)
        border, origins, stride = self._sides
        kernels.mark_grams(*self._given, self._size, *self._share, border, origins, stride, self._cells, counts)
        met, again = counts.tolist()
        cells = 32 * len(self._cells)
        rows = again * (1 + met / cells) if border else windows_in_cells(cells, met, again)
        self._make_room(int(rows / LOAD) + 1024)

    def place(self, begin: int, end: int, to: tuple[Numbers, Numbers]) -> None:
        """Look up the windows at some places."""
        from dedup.kernels import window_table as kernels

        given, share, (border, origins, stride) = self._given, self._share, self._sides
        self._state[kernels.NEXT] = begin
        while True:
            cells, slots, table, state = self._cells, self._slots, self._table, self._state
            if kernels.place_windows(
                *given, begin, end, self._size, *share, border, origins, stride, cells, slots, table, state, *to
            ):
                return
            held, tokens = int(self._state[kernels.FILLED]), given[0]
            old = self._make_room(len(self._slots) // 2 * 3)
            self._table[:held] = old[:held]
            kernels.fill_slots(tokens, self._size, self._table, held, self._slots)

    def _make_room(self, slots: int) -> Numbers:
        """Make so many slots, and a table for them; return the old table. Rows that are not filled take no memory."""
        old = self._table
        self._slots = np.zeros(slots, dtype=old.dtype)
        self._table = np.empty((int(slots * MOST_FILLED), 2), dtype=old.dtype)
        return old


def windows_in_cells(cells: int, met: int, again: int) -> float:
    """Return how many distinct windows have a cell that was seen again, by how many cells were seen.

    With a windows per cell that occur once and b that occur twice, a cell is empty with a chance of e^-(a + b), and
    was not seen again with e^-(a + b) (1 + a).
    """
    every = -math.log(max(1 - met / cells, 1e-9))
    once = min(max((1 - again / cells) * math.exp(every) - 1, 0.0), every)
    return cells * (every - once + once * (1 - math.exp(-every)))


def seeds_of_few(place: Numbers, first: Numbers, flags: npt.NDArray[np.uint8], seed_size: int) -> Places:
    """Return the seeds (start, source, tokens) by (start, source) of a few windows, as `find_windows` gives them.

    As the kernels do, but no kernel has to be compiled for it.
    """
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
    seeds = np.concatenate(found).astype(np.int64)
    return seeds[np.lexsort((seeds[:, 1], seeds[:, 0]))]

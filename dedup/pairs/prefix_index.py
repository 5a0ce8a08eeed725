"""Prefixes: the first hashes of each row in the common order of a join, and the index over them.

Two sets that share enough hashes share one within their prefixes (`dedup.kernels.self_join`). So only the prefixes of
one side are indexed, and only the prefixes of the other side are looked up.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import HashSets
from dedup.pairs.seen_twice import bits_for
from dedup.runtime.threads import map_blocks, slices

__all__ = ["Counters", "Index", "Keys", "build_index", "take_prefixes"]


LINE = 8
"""Keys per cache line."""


class Counters(NamedTuple):
    """In how many rows the first hashes of some rows occur: for row i ``below[i]`` counters, from ``starts[i]`` on.

    A counter of 1 marks a hash that cannot prove a pair; see `dedup.kernels.self_join.read_counters`. The counters are
    uint8; `starts` and `below` are int64.
    """

    below: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    values: npt.NDArray[np.uint8]


class Keys(NamedTuple):
    """Hashes of some rows: row i has ``keys[bounds[i]:bounds[i + 1]]``, uint64."""

    bounds: npt.NDArray[np.int64]
    keys: npt.NDArray[np.uint64]


class Index(NamedTuple):
    """Keys of some rows in buckets by their top bits; see `dedup.kernels.self_join.build_index`."""

    shift: int
    heads: npt.NDArray[np.int32]
    entries: npt.NDArray[np.uint64]


def take_prefixes(
    sets: HashSets,
    rows: npt.NDArray[np.int64],
    counters: Counters,
    lengths: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    threads: int,
) -> tuple[Keys, Keys]:
    """Return two prefixes of each row, one to look up and one to index, of given lengths, without unique hashes."""
    from dedup.kernels.self_join import prefixes

    bounds = [np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(count))) for count in lengths]
    parts = slices(len(rows))
    spill = LINE * len(parts)  # a place for each part, in a cache line that no other thread writes to
    buffers = [np.empty(places[-1] + spill, dtype=np.uint64) for places in bounds]

    def work(number: int) -> None:
        part = parts[number]
        first, second = (places[part.start : part.stop + 1] for places in bounds)
        where = (first, buffers[0], second, buffers[1], spill - LINE * number)
        below, starts = counters.below[part], counters.starts[part]
        prefixes(sets.values, sets.offsets, rows[part], below, starts, counters.values, *where)

    for _ in map_blocks(work, range(len(parts)), threads):
        pass
    first, second = (Keys(places, made[: len(made) - spill]) for places, made in zip(bounds, buffers, strict=True))
    return first, second


def build_index(keys: Keys) -> tuple[Index, float]:
    """Return the index of some rows' keys, and the sum of the squares of its bucket sizes."""
    from dedup.kernels import self_join as kernels

    count = len(keys.keys)
    bits = bits_for(count)
    places: Any = np.int32 if count < 1 << 31 else np.int64  # half the width takes half of the cache
    heads = np.zeros((1 << bits) + 2, dtype=places)
    entries = np.empty(count + 1, dtype=np.uint64)  # a probe may read one entry after the last, and ignores it
    work = kernels.build_index(keys.keys, keys.bounds, 64 - bits, heads, entries)
    return Index(64 - bits, heads, entries), work

"""Prefixes: the first hashes of each row in the common order of a join, and the index of them.

Two sets that share enough hashes share one within their prefixes (`dedup.kernels.self_join`). So only the prefixes of
one side are indexed, and only the prefixes of the other side are looked up. The index is made part by part of the hash
space, as the counters of the order are (`dedup.pairs.prefixes.counters`, `dedup.kernels.prefix_index`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import HashSets
from dedup.pairs.prefixes.counters import COUNTED_CHUNK, PARTS_BITS, Counted
from dedup.pairs.seen_twice import bits_for
from dedup.runtime.arrays import PORTION, portions, runs_of
from dedup.runtime.threads import done_by, map_blocks

__all__ = ["Index", "Keys", "build_index", "mark_versions", "take_prefixes"]


LINE = 8
"""Keys per cache line."""

INDEX_PART_BITS = 16
"""Bits of a bucket within its part, at most: the buckets of a part and their keys have about 1 MB. Curve:
`benchmarks.tuning.index_index_part_bits`; flat from 10 to 22 on versions:2650:45000 and chinese:40000 (two busy cores,
2026-11)."""


class Keys(NamedTuple):
    """Hashes of some rows: row i has ``keys[bounds[i]:bounds[i + 1]]``, uint64."""

    bounds: npt.NDArray[np.int64]
    keys: npt.NDArray[np.uint64]


class Index(NamedTuple):
    """Keys of some rows in buckets by their top bits: bucket b is ``entries[heads[b]:heads[b + 1]]``.

    An entry has 32 bits of a key and its place, and the places in a bucket ascend.
    """

    shift: int
    heads: npt.NDArray[np.int32]
    entries: npt.NDArray[np.uint64]


def take_prefixes(
    sets: HashSets, counted: Counted, lengths: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]], threads: int
) -> tuple[Keys, Keys]:
    """Return two prefixes of each row, one to look up and one to index, of given lengths, without unique hashes."""
    from dedup.kernels.self_join import prefixes

    bounds = [np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(count))) for count in lengths]
    parts = portions(counted.below)
    spill = LINE * len(parts)  # a place for each part, in a cache line that no other thread writes to
    buffers = [np.empty(places[-1] + spill, dtype=np.uint64) for places in bounds]

    def work(number: int) -> None:
        part = parts[number]
        first, second = (places[part.start : part.stop + 1] for places in bounds)
        where = (first, buffers[0], second, buffers[1], spill - LINE * number)
        below, starts = counted.below[part], counted.starts[part]
        prefixes(sets.values, sets.offsets, counted.rows[part], below, starts, counted.counters, *where)

    done_by(threads, work, range(len(parts)))
    first, second = (Keys(places, made[: len(made) - spill]) for places, made in zip(bounds, buffers, strict=True))
    return first, second


def build_index(keys: Keys, threads: int) -> tuple[Index, float]:
    """Return the index of some rows' keys, and the sum of the squares of its bucket sizes.

    Memory: 12 to 16 bytes per key; a copy of a part of the keys per thread: 1 MB, or one of 64 parts.
    """
    from dedup.kernels import prefix_index as kernels

    count, rows = len(keys.keys), len(keys.bounds) - 1
    bits = bits_for(count)
    inner = min(INDEX_PART_BITS, max(bits - PARTS_BITS, 8))
    part_bits = bits - inner
    shift = 64 - part_bits
    most = 1 << kernels.PLACE_BITS
    chunks = [
        slice(first, min(first + most, run.stop))
        for run in runs_of(np.diff(keys.bounds), COUNTED_CHUNK)
        for first in range(run.start, run.stop, most)
    ]
    firsts = np.array([chunk.start for chunk in chunks], dtype=np.int64)
    starts = np.zeros((1 << part_bits, len(chunks) + 1), dtype=np.int64)

    def tally(chunk: int) -> npt.NDArray[np.int64]:
        own, counts = chunks[chunk], np.zeros(1 << part_bits, dtype=np.int64)
        kernels.tally_keys(keys.keys, int(keys.bounds[own.start]), int(keys.bounds[own.stop]), shift, counts)
        return counts

    for chunk, counts in enumerate(map_blocks(tally, range(len(chunks)), threads), start=1):
        starts[:, chunk] = counts
    np.cumsum(starts, axis=1, out=starts)
    starts[1:] += np.cumsum(starts[:-1, -1])[:, np.newaxis]
    heads = np.empty((1 << bits) + 1, dtype=np.int32)
    heads[-1] = count
    entries = np.empty(count + 1, dtype=np.uint64)  # a probe may read one entry after the last, and ignores it

    def scatter(chunk: int) -> None:
        own = chunks[chunk]
        bounds = keys.bounds[own.start : own.stop + 1]
        kernels.scatter_keys(keys.keys, bounds, shift, starts[:, chunk].copy(), entries)

    def fill(part: int) -> float:
        own = starts[part]
        copy, cursors = np.empty(own[-1] - own[0], dtype=np.uint64), np.zeros(1 << inner, dtype=np.int32)
        buckets = heads[part << inner : (part + 1) << inner]
        return kernels.fill_part(own, firsts, part_bits, copy, cursors, buckets, entries)

    done_by(threads, scatter, range(len(chunks)))
    work = sum(map_blocks(fill, range(1 << part_bits), threads))
    assert rows < 1 << 31
    return Index(64 - bits, heads, entries), work


def mark_versions(index: Index, groups: npt.NDArray[np.int64], threads: int) -> None:
    """Mark the buckets of an index whose rows are all of one group (`dedup.pairs.bitmaps`), by their first entry."""
    from dedup.kernels.prefix_index import mark_pure

    buckets = len(index.heads) - 1
    size = max(PORTION, buckets // 256)
    runs = [(first, min(first + size, buckets)) for first in range(0, buckets, size)]
    done_by(threads, lambda run: mark_pure(index.heads, run[0], run[1], index.entries, groups), runs)

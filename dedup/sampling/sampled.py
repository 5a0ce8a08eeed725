"""A sample of units compared with others, block by block: a histogram of similarities, and the closest partner.

In naive Python, for the sets of `dedup.kernels.sampled`: the similarity of every unit and every sampled unit is counted
in one of `BINS` bins. A sampled unit is not compared with itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import HashRows

__all__ = [
    "BINS",
    "EVERY_HASH",
    "SampleIndex",
    "Similarities",
    "index_sample",
    "limit_of",
    "nothing_seen",
    "see_rows",
]

Hashes = npt.NDArray[np.uint64]

MOST_COMPARED = 512
"""Hashes. If the usual set is larger, only the hashes below a limit are compared, about so many of each set: the
similarity of what is left is an unbiased estimate, with a standard deviation of at most 0.022."""

EVERY_HASH = 1 << 24
"""The limit that all hashes are below; see `dedup.kernels.sampled`."""

FREQUENT = 32
"""Share of the samples, as a divisor: a hash that at least so many of them have is compared as a bit."""

BINS = 1000
"""Bins. A similarity s is counted in bin ``int(s * BINS)``; the last one holds 1.0 alone."""


class SampleIndex(NamedTuple):
    """The sets of a sample, by hash; see `dedup.kernels.sampled.compare_sample`."""

    keys: npt.NDArray[np.uint64]
    directory: npt.NDArray[np.int32]
    shift: int
    having: npt.NDArray[np.int32]
    bits: npt.NDArray[np.uint64]
    sizes: npt.NDArray[np.int64]


class Similarities(NamedTuple):
    """What was seen of each sampled unit: `counts` (int64, samples x (BINS + 1)), `best` (float64), `partner` (int64).

    `partner` is the number of the most similar unit, the first of several, and -1 where no unit shares a hash.
    """

    counts: npt.NDArray[np.int64]
    best: npt.NDArray[np.float64]
    partner: npt.NDArray[np.int64]

    def add(self, other: Similarities) -> None:
        """Add what was seen of later units."""
        np.add(self.counts, other.counts, out=self.counts)
        better = other.best > self.best
        self.best[better] = other.best[better]
        self.partner[better] = other.partner[better]


def nothing_seen(samples: int) -> Similarities:
    """Return what is known of a sample before any unit was seen."""
    partner = np.full(samples, -1, dtype=np.int64)
    return Similarities(np.zeros((samples, BINS + 1), dtype=np.int64), np.zeros(samples), partner)


def limit_of(usual: float, hashes: int = MOST_COMPARED) -> int:
    """Return the limit below which a set of the usual size has about so many hashes."""
    return EVERY_HASH if usual <= hashes else max(round(EVERY_HASH * hashes / usual), 1)


def index_sample(sets: HashRows) -> SampleIndex:
    """Return the index of a sample: its distinct hashes, a row per sampled unit."""
    from dedup.kernels.sampled import LISTED

    samples = len(sets.offsets) - 1
    owners = np.repeat(np.arange(samples, dtype=np.int32), sets.sizes)
    order = np.argsort(sets.values)
    values, having = sets.values[order], owners[order]
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1])[: len(values)])
    keys, lists = values[starts], np.diff(starts, append=len(values))
    bits = max(len(keys), 1).bit_length()
    tops = np.arange((1 << bits) + 1, dtype=np.int64)
    directory = np.searchsorted((keys >> np.uint64(64 - bits)).astype(np.int64), tops).astype(np.int32)
    frequent = lists * FREQUENT >= max(samples, FREQUENT * FREQUENT)
    listed = np.where(frequent, 0, lists)
    first = np.where(frequent, frequent.cumsum() - 1, listed.cumsum() - listed)
    entries = np.column_stack((keys, (first * LISTED + listed).astype(np.uint64)))
    words = -(-int(frequent.sum()) // 64)
    table = np.zeros((samples, words), dtype=np.uint64)
    of_frequent = np.repeat(frequent, lists)
    at = np.repeat(first, lists)[of_frequent]
    np.bitwise_or.at(table, (having[of_frequent], at >> 6), np.uint64(1) << (at & 63).astype(np.uint64))
    return SampleIndex(entries.ravel(), directory, 64 - bits, having[~of_frequent], table.ravel(), sets.sizes)


def see_rows(hashes: HashRows, own: npt.NDArray[np.int64], index: SampleIndex) -> Similarities:
    """Compare the rows of a block with the sample; a row without hashes is not counted. The rows are overwritten.

    `own` (int64, by row) is the number of the sample that a row is, else -1; `partner` is the number of a row. Cost:
    see `dedup.kernels.sampled`.
    """
    from dedup.kernels import sampled as kernels
    from dedup.kernels.sets import distinct

    count = len(hashes.offsets) - 1
    sizes = np.zeros(count, dtype=np.int64)
    distinct(hashes.values, hashes.offsets, sizes, np.arange(count, dtype=np.int64))
    seen = nothing_seen(len(index.sizes))
    kernels.compare_sample(hashes.values, hashes.offsets, sizes, own, *index, *seen)
    return seen

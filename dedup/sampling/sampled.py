"""A sample of units compared with all units, block by block: a histogram of similarities, and the closest partner.

In naive Python, for the sets of `dedup.kernels.sampled`: the similarity of every unit and every sampled unit is counted
in one of `BINS` bins. A sampled unit is not compared with itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import HashRows

__all__ = ["BINS", "SampleIndex", "Similarities", "index_sample", "nothing_seen", "see_block"]

Hashes = npt.NDArray[np.uint64]

MOST_COMPARED = 512
"""Hashes. If the usual set is larger, only the hashes below a limit are compared, about so many of each set: the
similarity of what is left is an unbiased estimate, with a standard deviation of at most 0.022."""

LIMIT_BITS = 24
"""Bits of a hash, its lowest ones, that decide whether it is below the limit."""

BINS = 1000
"""Bins. A similarity s is counted in bin ``int(s * BINS)``; the last one holds 1.0 alone."""


class SampleIndex(NamedTuple):
    """The sets of a sample, by hash; see `dedup.kernels.sampled.compare_sample`. `limit` is that of the hashes."""

    limit: int
    keys: npt.NDArray[np.uint64]
    directory: npt.NDArray[np.int64]
    shift: int
    bounds: npt.NDArray[np.int64]
    having: npt.NDArray[np.int64]
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


def index_sample(sets: list[npt.NDArray[np.uint64]]) -> SampleIndex:
    """Return the index of a sample: its distinct sorted hashes, a set per sampled unit."""
    usual = float(np.median([len(row) for row in sets])) if sets else 0.0
    limit = (1 << LIMIT_BITS) if usual <= MOST_COMPARED else round((1 << LIMIT_BITS) * MOST_COMPARED / usual)
    sets = [row[_below(row, limit)] for row in sets]
    values = np.concatenate([np.empty(0, dtype=np.uint64), *sets])
    owners = np.repeat(np.arange(len(sets), dtype=np.int64), [len(row) for row in sets])
    order = np.argsort(values, kind="stable")
    keys, starts = np.unique(values[order], return_index=True)
    bits = max(len(keys), 1).bit_length()
    tops = np.arange((1 << bits) + 1, dtype=np.int64)
    directory = np.searchsorted((keys >> np.uint64(64 - bits)).astype(np.int64), tops).astype(np.int64)
    bounds = np.append(starts, len(values)).astype(np.int64)
    sizes = np.array([len(row) for row in sets], dtype=np.int64)
    return SampleIndex(limit, keys, directory, 64 - bits, bounds, owners[order], sizes)


def see_block(
    hashes: HashRows, rows: npt.NDArray[np.int64], own: npt.NDArray[np.int64], index: SampleIndex, first: int
) -> Similarities:
    """Compare some `rows` of a block with the sample. The hashes of the block are overwritten.

    `own` (int64, by row of `rows`) is the number of the sample that a row is, else -1; `first` is the number of the
    block's first unit. Cost: see `dedup.kernels.sampled`.
    """
    from dedup.kernels import sampled as kernels
    from dedup.kernels.sets import distinct

    if index.limit < 1 << LIMIT_BITS:
        chosen = _below(hashes.values, index.limit)
        before = np.zeros(len(chosen) + 1, dtype=np.int64)
        np.cumsum(chosen, out=before[1:])
        hashes = HashRows(hashes.values[chosen], before[hashes.offsets])
        kept = hashes.sizes[rows] > 0
        rows, own = rows[kept], own[kept]
    sizes = np.zeros(len(hashes.offsets) - 1, dtype=np.int64)
    distinct(hashes.values, hashes.offsets, sizes, rows)
    seen = nothing_seen(len(index.sizes))
    kernels.compare_sample(hashes.values, hashes.offsets, sizes, rows, own, *index[1:], *seen)
    found = seen.partner >= 0
    seen.partner[found] = first + rows[seen.partner[found]]
    return seen


def _below(hashes: Hashes, limit: int) -> npt.NDArray[np.bool_]:
    """Return which hashes are below the limit (bool)."""
    return (hashes & np.uint64((1 << LIMIT_BITS) - 1)) < np.uint64(limit)

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

BINS = 1000
"""Bins. A similarity s is counted in bin ``int(s * BINS)``; the last one holds 1.0 alone."""


class SampleIndex(NamedTuple):
    """The sets of a sample, by hash; see `dedup.kernels.sampled.compare_sample`."""

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
    values = np.concatenate([np.empty(0, dtype=np.uint64), *sets])
    owners = np.repeat(np.arange(len(sets), dtype=np.int64), [len(row) for row in sets])
    order = np.argsort(values, kind="stable")
    keys, starts = np.unique(values[order], return_index=True)
    bits = max(len(keys), 1).bit_length()
    tops = np.arange((1 << bits) + 1, dtype=np.int64)
    directory = np.searchsorted((keys >> np.uint64(64 - bits)).astype(np.int64), tops).astype(np.int64)
    bounds = np.append(starts, len(values)).astype(np.int64)
    sizes = np.array([len(row) for row in sets], dtype=np.int64)
    return SampleIndex(keys, directory, 64 - bits, bounds, owners[order], sizes)


def see_block(
    hashes: HashRows, rows: npt.NDArray[np.int64], own: npt.NDArray[np.int64], index: SampleIndex, first: int
) -> Similarities:
    """Compare some `rows` of a block with the sample. The hashes of the block are overwritten.

    `own` (int64, by row of `rows`) is the number of the sample that a row is, else -1; `first` is the number of the
    block's first unit. Cost: see `dedup.kernels.sampled`.
    """
    from dedup.kernels import sampled as kernels
    from dedup.kernels.sets import distinct

    sizes = np.zeros(len(hashes.offsets) - 1, dtype=np.int64)
    distinct(hashes.values, hashes.offsets, sizes, rows)
    seen = nothing_seen(len(index.sizes))
    kernels.compare_sample(hashes.values, hashes.offsets, sizes, rows, own, *index, *seen)
    found = seen.partner >= 0
    seen.partner[found] = first + rows[seen.partner[found]]
    return seen

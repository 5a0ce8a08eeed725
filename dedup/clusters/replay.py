"""Replays: the error of the estimated recall, simulated by drawing new bands for the pairs that were found.

Pairs of one family are often found or missed together. Their texts share shingles, so if the lowest hashes of one pair
agree, those of other pairs often agree too. An interval that treats the pairs as independent is too narrow. Only the
permutations are random; the texts are fixed, and the bands are independent and identically distributed. So a pool of
`POOL` times as many bands is made from the texts of the found pairs, with other permutations. A run is then replayed
`REPLAYS` times, each with as many bands as the run had, drawn at random from the pool. In naive Python::

    def error(found):                                # of the estimated number of pairs, in one replay
        return sum((found[i] / P[i] - 1) / P[i] for i in pairs)         # pair i represents 1 / P[i] pairs like it
    errors = sorted(error({i: any(collides[i][b] for b in sample(pool, bands)) for i in pairs}) for _ in replays)
    low, high = errors[2.5 %], errors[97.5 %]

This is the bootstrap of Efron (1979), with two differences: the population is built from the found pairs by their
weights, and the draws are from the distribution of the bands instead of the data. Errors are measured in standard
deviations of independent pairs, for which the ends of the interval are -1.96 and 1.96; in a family of 40 they may be
three times as far away.

Cost: nothing if no text is in two pairs, since such pairs are independent. Else the cost of signatures with `POOL`
times as many lanes, limited to the share `SHARE` of the work of the run's own signatures, or to `LEAST_WORK` if that is
more. If the texts of all pairs would cost more, only some families are replayed: the largest, and some of the others,
which represent the rest.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.clusters.stars import components
from dedup.hashing.units import Units
from dedup.lsh.bands import NORMAL_95, Bands, band_keys
from dedup.minhash import permutations, sign
from dedup.pairs.verify import Pairs, jaccard
from dedup.runtime.arrays import sorted_unique
from dedup.runtime.threads import map_blocks

__all__ = ["Replay", "replay"]

POOL = 8
"""Factor. The pool has so many times the bands of a run. Since bands are drawn without replacement, the spread is a
fifteenth too small; `_played` corrects that."""

REPLAYS = 400
"""Replays. Each end of the interval is the tenth replay from that end."""

LEAST_WORK = 3 * 10**7
"""Hashes times lanes. A replay may always take so much work: about a hundredth of a second."""

SHARE = 1 / 16
"""Share of the work of the run's own signatures that a replay may take."""

MOST_REPLAYED = 20_000
"""Pairs. At most so many are replayed."""

PLAYED_BYTES = 1 << 23
"""Bytes. The replays that are computed together take at most so many."""

OTHER_SEED = 0x5EED
"""Combined with the seed of the run, so that the permutations differ from those of the run."""


class _Part(NamedTuple):
    """Pairs (rows of the found pairs) that represent others like them: their errors are multiplied by `scale`."""

    rows: npt.NDArray[np.int64]
    scale: float


class Replay:
    """The data for a replay of some pairs. The replay is computed when its outcome is first used.

    Memory: 8 bytes per hash of the texts that are replayed, which are few.
    """

    def __init__(self, known: tuple[float, float] | None = None, *needed: Any) -> None:
        """Take the outcome if it is known, else the arguments of `_played`."""
        self._known, self._needed = known, needed

    @property
    def strays(self) -> tuple[float, float]:
        """The lower and upper end of the error of the estimated number of pairs, in standard deviations of independent
        pairs.
        """
        if self._known is None:
            self._known, self._needed = _played(*self._needed), ()
        return self._known


def replay(units: Units, pairs: Pairs, bands: Bands, seed: int, threads: int) -> Replay:
    """Return the replay of the found `pairs` outside large buckets.

    Their units must be prepared. The replay copies their hashes, and does not use `units` later.
    """
    chance = bands.probability(jaccard(pairs, units.sizes))
    deviation = math.sqrt(float(np.sum((1.0 - chance) / chance**2)))  # if pairs were independent
    both = np.concatenate((pairs.left, pairs.right))
    if not deviation or len(sorted_unique(both)) == len(both):
        return Replay((-NORMAL_95, NORMAL_95))
    parts = _parts(units, pairs, chance, bands)
    weights = np.zeros(len(chance))
    for part in parts:
        weights[part.rows] = part.scale / chance[part.rows]
    rows = np.flatnonzero(weights)
    texts = _taken(units, pairs.take(rows))
    return Replay(None, texts, bands, seed, threads, weights[rows], chance[rows], deviation)


def _played(
    texts: _Texts,
    bands: Bands,
    seed: int,
    threads: int,
    weights: npt.NDArray[np.float64],
    chance: npt.NDArray[np.float64],
    deviation: float,
) -> tuple[float, float]:
    """Replay a run many times; return the ends of the interval of its errors."""
    met = _collisions(texts, bands, seed, threads)
    generator = np.random.RandomState(seed ^ OTHER_SEED)
    weight, expected = weights / chance, float(weights.sum())
    drawn = np.argsort(generator.random_sample((REPLAYS, len(met))), axis=1)[:, : bands.bands]
    at_once = max(1, PLAYED_BYTES // max(bands.bands * met.shape[1], 8 * len(weights)))
    errors = np.empty(REPLAYS)
    for first in range(0, REPLAYS, at_once):
        some = slice(first, first + at_once)
        found = np.unpackbits(np.bitwise_or.reduce(met[drawn[some]], axis=1), axis=1, count=len(weights))
        errors[some] = found @ weight - expected
    errors.sort()
    end = REPLAYS // 40 - 1
    scale = math.sqrt(POOL / (POOL - 1)) / deviation
    return float(min(errors[end], 0.0) * scale), float(max(errors[-1 - end], 0.0) * scale)


def _parts(units: Units, pairs: Pairs, chance: npt.NDArray[np.float64], bands: Bands) -> list[_Part]:
    """Return the families that are replayed: all, or the largest ones and some of the others."""
    room = max(LEAST_WORK / bands.num_perm, len(units.hashes) * SHARE) / POOL
    texts = sorted_unique(np.concatenate((pairs.left, pairs.right)))
    if units.sizes[texts].sum() <= room and len(chance) <= MOST_REPLAYED:
        return [_Part(np.arange(len(chance)), 1.0)]
    left, right = (np.searchsorted(texts, column).astype(np.int32) for column in pairs[:2])
    root = components(len(texts), [(left, right)])
    sizes = np.bincount(root, weights=units.sizes[texts], minlength=len(texts)).astype(np.float64)
    counts = np.bincount(root[left], minlength=len(texts))
    families = np.flatnonzero(counts)
    largest = families[np.argsort(-counts[families], kind="stable")]
    first = _fit(largest, sizes, counts, room / 2)
    if not len(first):
        return _some_of(largest[0], root, left, right, units.sizes[texts], room)
    family = root[left]
    rest = np.setdiff1d(families, first)
    rest = rest[np.random.RandomState(0).permutation(len(rest))]
    some = _fit(rest, sizes, counts, room / 2)
    parts = [_Part(np.flatnonzero(np.isin(family, first)), 1.0)]
    if len(some):
        rows, every = np.flatnonzero(np.isin(family, some)), np.isin(family, rest)
        spread = (1.0 - chance) / chance**2
        own = float(spread[rows].sum())
        parts.append(_Part(rows, math.sqrt(float(spread[every].sum()) / own) if own else 1.0))
    return parts


def _fit(
    families: npt.NDArray[np.int64], sizes: npt.NDArray[np.float64], counts: npt.NDArray[np.int64], room: float
) -> npt.NDArray[np.int64]:
    """Return as many of the first families as fit in `room`."""
    fits = (np.cumsum(sizes[families]) <= room) & (np.cumsum(counts[families]) <= MOST_REPLAYED // 2)
    return families[: int(np.argmin(fits)) if not fits.all() else len(families)]


def _some_of(
    family: int,
    root: npt.NDArray[np.int64],
    left: npt.NDArray[np.int32],
    right: npt.NDArray[np.int32],
    sizes: npt.NDArray[np.int64],
    room: float,
) -> list[_Part]:
    """Return the pairs among some texts of a family that does not fit. They represent all, as if all were linked."""
    members = np.flatnonzero(root == family)
    members = members[np.random.RandomState(0).permutation(len(members))]
    inside = np.zeros(len(root), dtype=np.bool_)
    inside[members[: max(2, int(np.searchsorted(np.cumsum(sizes[members]), room)))]] = True
    rows = np.flatnonzero(inside[left] & inside[right])[:MOST_REPLAYED]
    return [_Part(rows, len(left) / max(len(rows), 1))]


class _Texts(NamedTuple):
    """The shingle sets of the texts of some pairs, concatenated, and for each pair the numbers of its two texts."""

    values: npt.NDArray[np.uint64]
    bounds: npt.NDArray[np.int64]
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]


def _taken(units: Units, pairs: Pairs) -> _Texts:
    """Return the texts of some pairs, with a copy of their hashes."""
    texts = sorted_unique(np.concatenate((pairs.left, pairs.right)))
    bounds = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(units.sizes[texts])))
    places = np.repeat(units.offsets[texts] - bounds[:-1], units.sizes[texts])
    places += np.arange(bounds[-1])
    return _Texts(units.hashes[places], bounds, np.searchsorted(texts, pairs.left), np.searchsorted(texts, pairs.right))


def _collisions(texts: _Texts, bands: Bands, seed: int, threads: int) -> npt.NDArray[np.uint8]:
    """Return which pairs collide in which band of the pool: one row per band, one bit per pair."""
    values, bounds, left, right = texts
    functions = permutations(POOL * bands.num_perm, seed ^ OTHER_SEED)

    def work(part: int) -> npt.NDArray[np.uint8]:
        own = slice(part * bands.num_perm, (part + 1) * bands.num_perm)
        keys = band_keys(sign(values, bounds, *(each[own] for each in functions)), bands)
        return np.packbits([row[left] == row[right] for row in keys], axis=1)

    return np.concatenate(list(map_blocks(work, range(POOL), threads)))

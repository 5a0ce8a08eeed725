"""Replays: how far an estimate of the recall strays, seen by drawing the bands of the pairs that were found once more.

Pairs of one family are found, or lost, together: their texts share shingles, so where the lowest hash of one pair's
texts agrees, that of the others' often does. An interval that takes them for independent is too narrow. What chance
there is lies in the permutations alone, the texts are fixed; and bands are independent of each other and alike. So some
`POOL` times as many bands are made of the texts of these pairs, with other permutations, and a run is played again
`REPLAYS` times, each with as many bands of the pool as it had, drawn at random. In naive Python::

    def error(found):                                # of the estimated number of pairs, in one replay
        return sum((found[i] / P[i] - 1) / P[i] for i in pairs)         # pair i stands for 1 / P[i] pairs of its kind
    errors = sorted(error({i: any(collides[i][b] for b in sample(pool, bands)) for i in pairs}) for _ in replays)
    low, high = errors[2.5 %], errors[97.5 %]

This is the bootstrap of Efron (1979), with the population put together from the pairs found by their weights, and drawn
from the law of the bands instead of from the data. The errors are given in standard deviations of independent pairs,
for which -1.96 and 1.96 would be right; in a family of 40 they may be three times as far away.

Cost: nothing where no text is in two pairs, since such pairs are independent; else what signatures of `POOL` times as
many lanes take, of as many texts as make `SHARE` of the run's own signatures, or `LEAST_WORK`. Where there are more,
whole families are taken: the largest, and some of the others, which stand for the rest of them.
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
"""Times as many bands as a run has; a sample without replacement then spreads by a fifteenth less than it should."""

REPLAYS = 400
"""Each end of the interval is the tenth of them."""

LEAST_WORK = 3 * 10**7
"""Hashes times lanes: about a hundredth of a second."""

SHARE = 1 / 16
"""Of the work of the run's own signatures, what a replay may take."""

MOST_PAIRS = 20_000
"""Pairs that are played again."""

PLAYED_BYTES = 1 << 23
"""Bytes that the replays played at once take, at the most."""

OTHER_SEED = 0x5EED
"""Makes other permutations than those of the run, of its seed."""


class _Part(NamedTuple):
    """Pairs (rows of those found) that stand for others like them: their errors count `scale` times."""

    rows: npt.NDArray[np.int64]
    scale: float


class Replay:
    """What is needed of some pairs to play a run again, which is done when its outcome is first asked for.

    Memory: 8 bytes a hash of the texts that are played again, of which there are few.
    """

    def __init__(self, known: tuple[float, float] | None = None, *needed: Any) -> None:
        """Take the outcome where it is known, else what `_played` needs."""
        self._known, self._needed = known, needed

    @property
    def strays(self) -> tuple[float, float]:
        """How far the estimated number of pairs strays to either side, in standard deviations of independent pairs."""
        if self._known is None:
            self._known, self._needed = _played(*self._needed), ()
        return self._known


def replay(units: Units, pairs: Pairs, bands: Bands, seed: int, threads: int) -> Replay:
    """Return the replay of some pairs: those found, none of which a large bucket had a part in.

    Their units are prepared, and not looked at again afterwards.
    """
    chance = bands.probability(jaccard(pairs, units.sizes))
    alone = math.sqrt(float(np.sum((1.0 - chance) / chance**2)))
    both = np.concatenate((pairs.left, pairs.right))
    if not alone or len(sorted_unique(both)) == len(both):
        return Replay((-NORMAL_95, NORMAL_95))
    parts = _parts(units, pairs, chance, bands)
    weights = np.zeros(len(chance))
    for part in parts:
        weights[part.rows] = part.scale / chance[part.rows]
    rows = np.flatnonzero(weights)
    texts = _taken(units, pairs.take(rows))
    return Replay(None, texts, bands, seed, threads, weights[rows], chance[rows], alone)


def _played(
    texts: _Texts,
    bands: Bands,
    seed: int,
    threads: int,
    weights: npt.NDArray[np.float64],
    chance: npt.NDArray[np.float64],
    alone: float,
) -> tuple[float, float]:
    """Play a run again, many times; return the ends of what came out."""
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
    scale = math.sqrt(POOL / (POOL - 1)) / alone
    return float(min(errors[end], 0.0) * scale), float(max(errors[-1 - end], 0.0) * scale)


def _parts(units: Units, pairs: Pairs, chance: npt.NDArray[np.float64], bands: Bands) -> list[_Part]:
    """Return the families that are played again: all, or the largest ones and some of the others."""
    room = max(LEAST_WORK / bands.num_perm, len(units.hashes) * SHARE) / POOL
    texts = sorted_unique(np.concatenate((pairs.left, pairs.right)))
    if units.sizes[texts].sum() <= room and len(chance) <= MOST_PAIRS:
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
    """Return as many of the first families as fit."""
    fits = (np.cumsum(sizes[families]) <= room) & (np.cumsum(counts[families]) <= MOST_PAIRS // 2)
    return families[: int(np.argmin(fits)) if not fits.all() else len(families)]


def _some_of(
    family: int,
    root: npt.NDArray[np.int64],
    left: npt.NDArray[np.int32],
    right: npt.NDArray[np.int32],
    sizes: npt.NDArray[np.int64],
    room: float,
) -> list[_Part]:
    """Return the pairs among some texts of a family that does not fit: they stand for all, as if all were linked."""
    members = np.flatnonzero(root == family)
    members = members[np.random.RandomState(0).permutation(len(members))]
    inside = np.zeros(len(root), dtype=np.bool_)
    inside[members[: max(2, int(np.searchsorted(np.cumsum(sizes[members]), room)))]] = True
    rows = np.flatnonzero(inside[left] & inside[right])[:MOST_PAIRS]
    return [_Part(rows, len(left) / max(len(rows), 1))]


class _Texts(NamedTuple):
    """The sets of the texts of some pairs, one behind the other, and which two of them are a pair."""

    values: npt.NDArray[np.uint64]
    bounds: npt.NDArray[np.int64]
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]


def _taken(units: Units, pairs: Pairs) -> _Texts:
    """Return the texts of some pairs."""
    texts = sorted_unique(np.concatenate((pairs.left, pairs.right)))
    bounds = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(units.sizes[texts])))
    places = np.repeat(units.offsets[texts] - bounds[:-1], units.sizes[texts])
    places += np.arange(bounds[-1])
    return _Texts(units.hashes[places], bounds, np.searchsorted(texts, pairs.left), np.searchsorted(texts, pairs.right))


def _collisions(texts: _Texts, bands: Bands, seed: int, threads: int) -> npt.NDArray[np.uint8]:
    """Return which pairs collide in which band of the pool: a row a band, a bit a pair."""
    values, bounds, left, right = texts
    functions = permutations(POOL * bands.num_perm, seed ^ OTHER_SEED)

    def work(part: int) -> npt.NDArray[np.uint8]:
        own = slice(part * bands.num_perm, (part + 1) * bands.num_perm)
        keys = band_keys(sign(values, bounds, *(each[own] for each in functions)), bands)
        return np.packbits([row[left] == row[right] for row in keys], axis=1)

    return np.concatenate(list(map_blocks(work, range(POOL), threads)))

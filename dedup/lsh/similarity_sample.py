"""Background: how similar the unrelated texts of a collection are.

Bands that find nearly all pairs at a threshold also find some pairs far below it. The similarity of these candidates is
computed in vain. Their number depends on the texts: news articles of 2 kB have almost nothing in common, the pages of
one manual have their template in common. So a few texts are compared, all with all, by signatures of 128 lanes. If two
of them agree in `a` lanes,

    C(a, r) / C(128, r)

is an unbiased estimate of J ** r (the probability that r lanes drawn at random all agree). From it follows what b bands
of r rows would cost (`dedup.lsh.choose_bands`).

The sample depends only on the set of texts and the seed: it is the texts with the smallest mixed digests, in whatever
order the texts are, without exact copies. It has at most 200 texts, so at most 19,900 pairs. One imagined pair of
similarity 0.1 is added, for the similarities that so few pairs cannot show.

Cost: 6 ns per shingle of the sample, and a millisecond for the pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt

from dedup.minhash import permutations, sign

__all__ = ["Background", "sample_background"]

SAMPLE_LANES = 128
"""Lanes of the signatures of the sample. Curve: `benchmarks.tuning.similarity_sample_sample_lanes`; flat from 64 to 256
on generated:10000, where 32 takes 0.87 times as long and 512 takes 1.19 times as long (two cores, 2026-11)."""

MIN_SAMPLED_TEXTS, MAX_SAMPLED_TEXTS = 32, 200
"""Texts. The sample is a sixteenth of the collection, within these bounds."""

IMAGINED = 0.1
"""Jaccard similarity of the pair that is added to the sampled pairs."""

ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Background:
    """How many of the sampled pairs agree in how many lanes.

    Attributes
    ----------
    agreeing : ``agreeing[a]`` pairs agree in `a` of ``len(agreeing) - 1`` lanes
    """

    agreeing: tuple[int, ...]

    @property
    def pairs(self) -> int:
        """Return the number of pairs that were compared."""
        return sum(self.agreeing)

    def similarity(self) -> float:
        """Return the mean similarity of the pairs; 0.0 without pairs."""
        lanes = len(self.agreeing) - 1
        agreed = sum(count * lane for lane, count in enumerate(self.agreeing))
        return agreed / (lanes * self.pairs) if self.pairs else 0.0

    def chance(self, bands: int, rows: int) -> float:
        """Return the probability that two random texts agree in all rows of one of the bands."""
        lanes = len(self.agreeing) - 1
        total = 1.0 - (1.0 - IMAGINED**rows) ** bands
        for lane, count in enumerate(self.agreeing):
            if count and lane >= rows:
                total += count * (1.0 - (1.0 - comb(lane, rows) / comb(lanes, rows)) ** bands)
        return float(total) / (self.pairs + 1)


def sample_background(
    hashes: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    digests: npt.NDArray[np.uint64],
    units: npt.NDArray[np.int64],
    seed: int,
) -> Background:
    """Compare some of `units` with each other. `units` are rows, without exact copies and without empty units.

    Row i has the hashes ``hashes[offsets[i]:offsets[i + 1]]`` (uint64) and the digest ``digests[i]``, 64 bits of it.
    """
    from dedup.kernels import minhash as kernels

    wanted = min(len(units), MAX_SAMPLED_TEXTS, max(MIN_SAMPLED_TEXTS, len(units) // 16))
    keys = (digests[units] ^ np.uint64(seed)) * ODD
    smallest = np.argpartition(keys, wanted - 1)[:wanted] if wanted else np.empty(0, dtype=np.int64)
    chosen = units[smallest]
    rows = [hashes[offsets[unit] : offsets[unit + 1]] for unit in chosen.tolist()]
    bounds = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    values = np.concatenate([np.empty(0, dtype=np.uint64), *rows])
    counts = np.zeros(SAMPLE_LANES + 1, dtype=np.int64)
    kernels.agreements(sign(values, bounds, *permutations(SAMPLE_LANES, seed)), counts)
    return Background(tuple(counts.tolist()))

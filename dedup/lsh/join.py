"""The LSH join: nearly all pairs that reach the threshold, found among texts that share a bucket."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import Units
from dedup.lsh.bands import Bands, band_keys, choose_bands
from dedup.lsh.buckets import BUCKET_LIMITS, BucketLimits, Buckets, buckets_within
from dedup.lsh.similarity_sample import sample_background
from dedup.minhash import permutations, sign
from dedup.pairs.verify import NO_GROUPS, Groups, Pairs, no_pair, verify
from dedup.runtime.arrays import sorted_unique
from dedup.runtime.progress import Progress
from dedup.runtime.threads import map_blocks

__all__ = ["LSH_LIMITS", "LshLimits", "LshPairs", "lsh_join"]

FEWEST_TEXTS = 5000
"""Texts. Bands are chosen as for at least so many: the sample of a small collection shows little, and loose bands may
put many of its texts into large buckets."""

MOST_LANES = 1024
"""Lanes of a signature. If texts are so alike that bands need more, signatures take longer than the exact join."""

SIGNED = 256
"""Units that a thread signs at a time. Curve: `benchmarks.tuning.join_signed`; flat from 256 to 2^10 on
generated:20000 (two cores, 2026-11)."""


@dataclass(frozen=True)
class LshLimits:
    """From where on the exact join takes less time: lanes of a signature, and candidates."""

    lanes: int = MOST_LANES
    buckets: BucketLimits = BUCKET_LIMITS


LSH_LIMITS = LshLimits()


class LshPairs(NamedTuple):
    """The verified pairs of the small buckets, all buckets, and the bands for which they were made."""

    pairs: Pairs
    buckets: Buckets
    bands: Bands


def lsh_join(
    units: Units,
    leading: npt.NDArray[np.int64],
    threshold: float,
    *,
    recall: float,
    seed: int,
    threads: int,
    stages: Progress,
    groups: Groups = NO_GROUPS,
    limits: LshLimits = LSH_LIMITS,
) -> LshPairs | None:
    """Return the pairs of the `leading` units that LSH finds at a Jaccard `threshold`.

    The bands are chosen so that a pair at the threshold is found with a probability of at least `recall`, and at the
    least cost for the similarities in a sample of the units. None if there are too many texts or pairs in the buckets:
    the exact join is cheaper then. Units of one of the `groups` (by unit) are no pair. Prepares the sets of the units
    that share a bucket with another unit. Cost: linear in the hashes times lanes, and in the candidates.
    """
    stages.stage("signatures", 1)
    background = sample_background(units.hashes, units.offsets, units.digests[:, 0], leading, seed)
    bands = choose_bands(threshold, recall, texts=max(len(leading), FEWEST_TEXTS), background=background)
    if bands.num_perm > limits.lanes:
        return None
    keys = _sign(units, bands, seed, threads)
    stages.stage("buckets", 1)
    buckets = buckets_within(keys, leading, limits.buckets)
    if buckets is None:
        return None
    sets = units.prepare(sorted_unique(np.concatenate((buckets.pairs.ravel(), buckets.members))), threads)
    if len(groups):
        buckets = replace(buckets, pairs=buckets.pairs[~no_pair(groups, *buckets.pairs.T)])
    report = stages.stage("verify", len(buckets.pairs))
    return LshPairs(verify(sets, buckets.pairs, threshold, threads, report), buckets, bands)


def _sign(units: Units, bands: Bands, seed: int, threads: int) -> npt.NDArray[np.uint64]:
    """Return the band keys of all units, a row per band."""
    functions = permutations(bands.num_perm, seed)

    def work(first: int) -> npt.NDArray[np.uint64]:
        return band_keys(sign(units.hashes, units.offsets[first : first + SIGNED + 1], *functions), bands)

    keys = np.empty((bands.bands, len(units)), dtype=np.uint64)
    for number, part in enumerate(map_blocks(work, range(0, len(units), SIGNED), threads)):
        keys[:, number * SIGNED : (number + 1) * SIGNED] = part
    return keys

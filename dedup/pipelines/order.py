"""The stages of a search for duplicates once the texts are read: the one place that knows their order.

units with shingle hashes -> exact copies collapse (-> background -> band keys -> buckets) -> candidates
-> verified pairs -> stars

The flows (`dedup.pipelines.find` over texts, `dedup.pipelines.run` over files) read the units and say what they know of
the texts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.clusters.replay import Replay, replay
from dedup.clusters.stars import BIG_CLUSTER, Stars, find_stars, rank_units
from dedup.errors import ParameterError
from dedup.hash_key import choose_key
from dedup.hashing.shingles import Shingle, parse
from dedup.hashing.units import UNITS, Units, rank_by_size
from dedup.lsh import Bands, Buckets, band_keys, choose_bands, find_buckets
from dedup.lsh.similarity_sample import sample_background
from dedup.minhash import permutations, sign
from dedup.options import check_keep, check_recall, check_seed, check_threshold, check_word
from dedup.pairs.self_join import join
from dedup.pairs.verify import METRICS, PairLimit, Pairs, in_order, verify
from dedup.pipelines.closest import Closest, closest_among, closest_of
from dedup.pipelines.memory import SHINGLE_BYTES
from dedup.runtime.arrays import sorted_unique
from dedup.runtime.progress import Progress
from dedup.runtime.threads import map_blocks

__all__ = ["ADVICE", "UNITS", "Found", "Question", "search"]

FEWEST_TEXTS = 5000
"""Bands are chosen as for so many texts at least: the sample of a small collection shows little, and loose bands may
throw much of it into large buckets."""

METHODS = ("auto", "exact", "lsh")
LISTINGS = ("auto", "all")


@dataclass(frozen=True)
class Question:
    """What a search is asked; `check` makes it of the options of `dedup.find_duplicates`."""

    unit: str
    threshold: float
    metric: str
    shingle: Shingle
    method: str
    keep: Any
    listing: str
    recall: float
    seed: int

    @classmethod
    def check(
        cls,
        *,
        unit: str,
        threshold: float,
        metric: str,
        shingle: str | None,
        method: str,
        keep: Any,
        pairs: str,
        recall: float,
        seed: int,
        hash_key: bytes | None = None,
    ) -> Question:
        """Return the question, or raise `ParameterError` where an option means nothing."""
        unit, metric, method, pairs = _check(unit, metric, method, pairs)
        threshold, recall = check_threshold(threshold), check_recall(recall)
        keep, seed = check_keep(keep), check_seed(seed)
        if method == "lsh":
            choose_bands(threshold, recall)  # where there are none, the error comes before the work
        kind = parse(UNITS[unit] if shingle is None else shingle, choose_key(hash_key))
        return cls(unit, threshold, metric, kind, method, keep, pairs, recall, seed)

    @property
    def whole(self) -> bool:
        """Whether a unit may have a partner as soon as one shingle of it stands twice (containment)."""
        return self.metric == "containment"


class Found(NamedTuple):
    """What a search found, by unit; see `Stars`, `dedup.hashing.units.Units.representatives` and
    `dedup.pairs.self_join.Joined`.

    `closest` is a hint (`dedup.pipelines.closest`), and no part of the answer; `replay` tells how far the estimate
    of the pairs strays.
    """

    representatives: npt.NDArray[np.int64]
    rank: npt.NDArray[np.int64]
    pairs: Pairs
    stars: Stars
    bands: Bands | None
    large_buckets: int
    crowded: npt.NDArray[np.int64] | None
    closest: Closest | None
    large: npt.NDArray[np.int64]
    replay: Replay | None = None


def search(
    question: Question,
    units: Units,
    stages: Progress,
    threads: int,
    *,
    lengths: Callable[[], npt.NDArray[np.int64]],
    keys: Callable[[], Any],
    room: int | None = None,
) -> Found:
    """Find the pairs and the stars of some units.

    `lengths` (characters) and `keys` of the units are asked for if `keep` needs them; `room` are the bytes for hashes,
    and for the pairs beside them. In the end the hashes are let go of: `units` is left with its sizes.
    """
    threshold, metric = question.threshold, question.metric
    stages.stage("exact copies", 1)
    rank = rank_units(question.keep, len(units), lengths, keys)
    representatives = units.representatives(rank, units.held)
    copied = sorted_unique(representatives[representatives != np.arange(len(units))])
    leading = units.held[representatives[units.held] == units.held]
    copies = np.bincount(representatives, minlength=len(units))
    bands, large = None, np.empty(0, dtype=np.int64)
    candidates = buckets = None
    if question.method == "lsh":
        stages.stage("signatures", 1)
        background = sample_background(units.hashes, units.offsets, units.digests[:, 0], leading, question.seed)
        bands = choose_bands(threshold, question.recall, texts=max(len(leading), FEWEST_TEXTS), background=background)
        if bands.num_perm <= MOST_LANES:
            keys_of_bands = _sign(units, bands, question.seed, threads)
            candidates = _collide(units, leading, keys_of_bands, threshold, threads, stages)
    if candidates is not None:
        found, buckets = candidates
    else:  # asked for, or cheaper than to look at all that collides: it finds these pairs too
        report = stages.stage("join", len(leading))
        limit = PairLimit(None if room is None else room - SHINGLE_BYTES * len(units.hashes), ADVICE)
        joined = join(
            units,
            leading,
            rank,
            copies,
            threshold,
            metric,
            large=BIG_CLUSTER if question.listing == "auto" else None,
            limit=limit,
            threads=threads,
            progress=report,
        )
        found, large, bands = joined.pairs, joined.large, None
        del joined
    units.prepare(copied, threads)
    if metric == "containment":
        rank = rank_by_size(rank, units)
    stages.stage("clusters", 1)
    stars = find_stars(units, representatives, found, rank, threshold, metric, buckets)
    pairs = in_order([found, stars.further]) if len(stars.further.left) else found
    del found
    closest = None
    if not len(pairs.left) and not len(copied):
        stages.stage("closest pair", 1)
        if buckets is None:
            closest = closest_among(units, leading, threshold, metric, room=room, threads=threads)
        else:
            closest = closest_of(units, buckets.pairs, metric, threads)
    crowded = None if buckets is None else sorted_unique(buckets.members)
    played = None
    if bands is not None and crowded is not None:
        outside = pairs
        if len(crowded):
            outside = pairs.take(~(np.isin(pairs.left, crowded) | np.isin(pairs.right, crowded)))
        played = replay(units, outside, bands, question.seed, threads)
    units.hashes = np.empty(0, dtype=np.uint64)
    large_buckets = 0 if buckets is None else len(buckets)
    return Found(representatives, rank, pairs, stars, bands, large_buckets, crowded, closest, large, played)


ADVICE = 'give more memory, raise the threshold, or leave out pairs="all", where it was asked for'
"""What to do where there are more pairs than fit."""

MOST_LANES = 1024
"""Lanes of a signature; where texts are so alike that bands need more, signatures take longer than the exact join."""

SIGNED = 256
"""Units that a thread signs at a time. Curve: `benchmarks.tuning.order_signed`; flat from 256 to 2^10 on
generated:20000 (two cores, 2026-11)."""


def _sign(units: Units, bands: Bands, seed: int, threads: int) -> npt.NDArray[np.uint64]:
    """Return the band keys of all units, a row a band."""
    functions = permutations(bands.num_perm, seed)

    def work(first: int) -> npt.NDArray[np.uint64]:
        return band_keys(sign(units.hashes, units.offsets[first : first + SIGNED + 1], *functions), bands)

    keys = np.empty((bands.bands, len(units)), dtype=np.uint64)
    for number, part in enumerate(map_blocks(work, range(0, len(units), SIGNED), threads)):
        keys[:, number * SIGNED : (number + 1) * SIGNED] = part
    return keys


def _collide(
    units: Units,
    leading: npt.NDArray[np.int64],
    keys: npt.NDArray[np.uint64],
    threshold: float,
    threads: int,
    stages: Progress,
) -> tuple[Pairs, Buckets] | None:
    """Return the verified pairs of the small buckets, and all buckets; None where there is too much in them."""
    stages.stage("buckets", 1)
    buckets = find_buckets(keys, leading)
    if buckets is None:
        return None
    units.prepare(sorted_unique(np.concatenate((buckets.pairs.ravel(), buckets.members))), threads)
    report = stages.stage("verify", len(buckets.pairs))
    return verify(units, buckets.pairs, threshold, threads, report), buckets


def _check(unit: str, metric: str, method: str, pairs: str) -> tuple[str, str, str, str]:
    unit, metric = check_word("unit", unit, tuple(UNITS)), check_word("metric", metric, METRICS)
    method, pairs = check_word("method", method, METHODS), check_word("pairs", pairs, LISTINGS)
    if metric == "containment" and method == "lsh":
        raise ParameterError('metric: containment needs method="exact" (or "auto"); bands are for jaccard')
    return unit, metric, method, pairs

"""The interval of the measured recall holds the truth as often as it says: in families, for pairs, in mixtures."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

import dedup
from dedup.clusters.replay import replay
from dedup.hashing.shingles import parse
from dedup.hashing.units import Units, read_units
from dedup.lsh import Bands, measure_recall
from dedup.pairs.verify import Pairs
from dedup.sources.coerce import read_texts
from dedup.unit import Unit

WORDS = [f"w{i}" for i in range(4000)]


def versions(chance: random.Random, count: int, words: int, edits: float) -> list[str]:
    """Give versions of one text, each word of which another one with a probability."""
    base = [chance.choice(WORDS) for _ in range(words)]
    return [" ".join(chance.choice(WORDS) if chance.random() < edits else w for w in base) for _ in range(count)]


def families(chance: random.Random) -> list[str]:
    """Give families of 40, in which pairs share their signatures."""
    return [text for _ in range(3) for text in versions(chance, 40, 200, 0.06)]


def pairs_alone(chance: random.Random) -> list[str]:
    """Give pairs that have nothing to do with each other."""
    return [text for _ in range(120) for text in versions(chance, 2, 100, 0.06)]


def mixture(chance: random.Random) -> list[str]:
    """Give a family among pairs."""
    return [*versions(chance, 40, 200, 0.06), *(text for _ in range(60) for text in versions(chance, 2, 100, 0.06))]


@pytest.mark.parametrize("made", [families, pairs_alone, mixture])
@pytest.mark.parametrize(("threshold", "recall"), [(0.35, 0.5), (0.35, 0.9), (0.35, 0.99), (0.35, 0.999)])
def test_the_interval_holds_the_truth(
    made: Callable[[random.Random], list[str]], threshold: float, recall: float
) -> None:
    """Of 100 seeded collections, at least 90 intervals hold the truth, and at most 8 miss it on either side."""
    held = below = above = 0
    for seed in range(100):
        texts = made(random.Random(seed))
        truth = len(dedup.find_duplicates(texts, threshold=threshold, pairs="all").pairs)
        found = dedup.find_duplicates(
            texts, threshold=threshold, method="lsh", recall=recall, seed=seed, pairs="all"
        ).summary
        assert found.recall_interval is not None
        low, high = found.recall_interval
        held += low <= found.pairs / truth <= high
        below += found.pairs / truth < low
        above += found.pairs / truth > high
    assert held >= 90, (held, below, above)
    assert max(below, above) <= 8, (held, below, above)


def test_single_pairs_are_independent() -> None:
    """If no text is in two pairs, the interval is that of the normal law, and nothing is replayed."""
    units = read_units(
        read_texts(["a b c d e f", "a b c d e g", "h i j k l m"]), parse("words:2"), unit=Unit.DOCUMENT, threads=1
    )
    units.prepare(np.arange(3), 1)
    pairs = Pairs(*(np.array([value], dtype=np.int64) for value in (0, 1, 4)))
    bands = Bands(3, 2, 0.5, 0.9)
    assert replay(units, pairs, bands, 1, 1).strays == (-1.96, 1.96)
    similar = np.array([0.7, 0.8])
    assert measure_recall(similar, bands) == measure_recall(similar, bands, (-1.96, 1.96))


def test_the_interval_is_the_same_for_any_threads() -> None:
    """A replay depends only on the texts and the seed."""
    texts = families(random.Random(1))
    one, two = (
        dedup.find_duplicates(texts, threshold=0.35, method="lsh", recall=0.9, threads=threads).summary
        for threads in (1, 2)
    )
    assert one == two
    assert isinstance(read_units(read_texts(texts), parse("words:5"), unit=Unit.DOCUMENT, threads=1), Units)

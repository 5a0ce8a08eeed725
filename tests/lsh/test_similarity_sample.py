"""Background: the sample is a function of the set of texts, and says what bands will cost."""

from __future__ import annotations

import math
from itertools import combinations, pairwise
from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.kernels import minhash as kernels
from dedup.lsh import Bands, choose_bands, measure_recall
from dedup.lsh.similarity_sample import IMAGINED, MAX_SAMPLED_TEXTS, SAMPLE_LANES, Background, sample_background
from tests import corpora, kernel_twins, oracles, table_rows
from tests.kernel_arrays import frozen, packed

U64 = npt.NDArray[np.uint64]


def sampled(rows: list[list[int]], seed: int = 1) -> Background:
    """Sample from rows of hashes, of which the empty ones are left out; a row's digest is its sum."""
    digests = frozen([sum(row) & kernel_twins.MASK64 for row in rows], np.uint64)
    full = np.array([i for i, row in enumerate(rows) if row], dtype=np.int64)
    return sample_background(*packed(rows), digests, full, seed)


def rows_of(seed: int, count: int, size: int, common: int) -> list[list[int]]:
    """Make rows of random hashes, the first `common` of which are in all of them."""
    random = Random(seed)
    shared = [random.getrandbits(64) for _ in range(common)]
    return [shared + [random.getrandbits(64) for _ in range(size - common)] for _ in range(count)]


@given(st.lists(st.lists(st.integers(0, 2), min_size=5, max_size=5), max_size=12))
def test_agreements(rows: list[list[int]]) -> None:
    """The kernel counts the lanes in which each pair agrees."""
    expected = [0] * 6
    for left, right in combinations(rows, 2):
        expected[sum(a == b for a, b in zip(left, right, strict=True))] += 1
    counts = np.zeros(6, dtype=np.int64)
    kernels.agreements(np.array(rows, dtype=np.uint32).reshape(-1, 5), counts)
    assert expected == counts.tolist()


def test_the_sample_is_of_the_set() -> None:
    """The place of a row changes nothing; another seed takes another sample."""
    rows = rows_of(1, 900, 12, 4)
    there = sampled(rows)
    Random(2).shuffle(rows)
    assert there == sampled(rows)
    assert there != sampled(rows, seed=2)


@pytest.mark.parametrize(
    ("count", "texts"), [(0, 0), (1, 1), (31, 31), (32, 32), (400, 32), (1600, 100), (5000, MAX_SAMPLED_TEXTS)]
)
def test_the_size_of_the_sample(count: int, texts: int) -> None:
    """A sixteenth of the texts, but 32 at least and 200 at most; empty ones are not among them."""
    assert texts * (texts - 1) // 2 == sampled([*rows_of(3, count, 3, 0), [], []]).pairs


@pytest.mark.parametrize("similarity", [0.0, 0.02, 0.1, 0.3, 0.7])
def test_the_chance_is_that_of_the_curve(similarity: float) -> None:
    """The estimated chance is b J^r where that is small, and near the S-curve everywhere.

    The lanes of one pair are binomial; all pairs share the common hashes, so their agreement comes from the same
    lanes, and only the lanes average out: 128 of them, ten seeds.
    """
    size = 600
    common = round(2 * similarity / (1 + similarity) * size)
    samples = [sampled(rows_of(seed, 200, size, common), seed) for seed in range(10)]
    mean = sum(sample.similarity() for sample in samples) / len(samples)
    j = common / (2 * size - common)
    assert abs(mean - j) <= 4 * math.sqrt(j * (1 - j) / (SAMPLE_LANES * len(samples)))
    for bands, rows in ((14, 4), (18, 5), (10, 3)):
        curve = Bands(bands, rows, 0.8, 0.9).probability
        expected = (curve(j) * samples[0].pairs + curve(IMAGINED)) / (samples[0].pairs + 1)
        found = sum(sample.chance(bands, rows) for sample in samples) / len(samples)
        assert expected / 1.7 - 1e-6 <= found <= expected * 1.7 + 1e-6


def test_no_texts_no_division() -> None:
    """Without pairs only the imagined one is left."""
    empty = sampled([])
    assert (0, 0.0) == (empty.pairs, empty.similarity())
    assert math.isclose(1 - (1 - IMAGINED**4) ** 14, empty.chance(14, 4))
    assert choose_bands(0.8, background=empty).probability(0.8) >= 0.999


def test_alike_texts_take_longer_bands() -> None:
    """The more alike texts are, the more rows; the promise is kept by all."""
    choices = [choose_bands(0.8, background=sampled(rows_of(1, 5000, 60, common))) for common in (0, 10, 30, 50)]
    assert all(left.rows <= right.rows for left, right in pairwise(choices))
    assert choices[0].rows < choices[-1].rows
    assert all(bands.probability(0.8) >= 0.999 for bands in choices)


# --------------------------------------------------------------------------------- recall, measured


@given(st.lists(st.floats(0.3, 1.0), max_size=40), st.integers(1, 20), st.integers(1, 6))
def test_measure_recall(similarities: list[float], bands: int, rows: int) -> None:
    """As the formula says, in plain Python."""
    found = measure_recall(np.array(similarities), Bands(bands, rows, 0.8, 0.9))
    if not similarities:
        assert found is None
        return
    assert found is not None
    chance = [1 - (1 - s**rows) ** bands for s in similarities]
    total = sum(1 / p for p in chance)
    spread = 1.96 * math.sqrt(sum((1 - p) / p**2 for p in chance))
    share, (low, high) = found
    assert math.isclose(len(chance) / total, share)
    assert math.isclose(len(chance) / (total + spread), low)
    assert math.isclose(min(1.0, len(chance) / (total - spread)) if total > spread else 1.0, high)
    assert low <= share <= high <= 1.0


def test_the_interval_holds_the_truth() -> None:
    """At a low recall, the interval holds the share that was found in 38 of 40 runs on average; 33 are asked for.

    Families of two, so that pairs are independent; 38 less four standard deviations is 32.5.
    """
    texts = corpora.families(seed=5, count=900, size=2, edits=8, words=150)
    truth = {(pair.left, pair.right) for pair in oracles.joined([oracles.shingles(text) for text in texts], 0.7)}
    near = {(a, b) for a, b in truth if texts[a] != texts[b]}
    assert len(near) > 200
    inside = 0
    for seed in range(40):
        result = dedup.find_duplicates(texts, threshold=0.7, method="lsh", recall=0.6, seed=seed)
        share = len(near & set(table_rows.ends(result))) / len(near)
        assert result.summary.recall_interval is not None
        low, high = result.summary.recall_interval
        inside += low <= share <= high
    assert inside >= 33


def test_the_summary_says_it() -> None:
    """The guarantee, the estimate and its interval are in the summary, in words and as fields."""
    texts = corpora.families(seed=6, count=40, size=3, edits=6, words=120)
    summary = dedup.find_duplicates(texts, method="lsh", recall=0.9).summary
    fields = summary.to_dict()
    low, high = fields["recall_interval"]
    assert 0.9 <= fields["guaranteed_recall"] < 1.0
    assert 0.0 < low <= fields["measured_recall"] <= high <= 1.0
    assert f"(95 %: {100 * low:.2f} to {100 * high:.2f} %)" in str(summary)
    assert (1.0, (1.0, 1.0)) == (
        (exact := dedup.find_duplicates(texts).summary).measured_recall,
        exact.recall_interval,
    )
    none = dedup.find_duplicates(["one text", "another one"], method="lsh").summary
    assert (None, None) == (none.measured_recall, none.recall_interval)


def test_large_buckets_are_left_out_of_the_estimate() -> None:
    """The estimate does not cover texts in large buckets: without others, there is nothing to measure."""
    crowd = corpora.families(seed=7, count=1, size=250, edits=4, words=300)
    alone = dedup.find_duplicates(crowd, method="lsh").summary
    assert alone.large_buckets > 0
    assert alone.pairs > 0
    assert alone.measured_recall is None
    pair = corpora.families(seed=8, count=5, size=2, edits=6, words=300)
    apart, both = (dedup.find_duplicates(texts, method="lsh").summary for texts in (pair, [*pair, *crowd]))
    assert apart.measured_recall is not None
    assert both.measured_recall is not None

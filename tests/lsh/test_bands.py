"""LSH: the promise of `choose_bands`, the S-curve that comes true, buckets and the index against dicts."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup import ParameterError
from dedup.lsh import LSH, Bands, band_keys, choose_bands, find_buckets, measure_recall
from dedup.lsh.buckets import BUCKET_LIMITS, SMALL_BUCKET, BucketLimits, buckets_within
from dedup.lsh.join import LshLimits
from dedup.minhash import permutations, sign, signatures
from dedup.pipelines.find import find_in
from dedup.pipelines.order import Limits
from dedup.shingling import shingles
from tests import corpora, kernel_twins, oracles
from tests.kernel_arrays import dtypes, rows_of

SIGMAS = 4.5  # exceeded by one normal value of 150,000
THRESHOLDS = [0.15, 0.3, 0.5, 0.55, 2 / 3, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99, 1.0]
RECALLS = [0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1 - 1e-9, 1 - 1e-15]

# ------------------------------------------------------------------------------- the choice of bands


@pytest.mark.parametrize("recall", RECALLS)
def test_the_promise(recall: float) -> None:
    """A pair at the threshold is found with the recall asked for, and a pair above it more surely."""
    for threshold in THRESHOLDS:
        bands = choose_bands(threshold, recall)
        assert (threshold, recall) == (bands.threshold, bands.recall)
        curve = [bands.probability(threshold + i / 20 * (1 - threshold)) for i in range(21)]
        assert recall <= curve[0]
        assert sorted(curve) == curve
        assert 1.0 == curve[-1]


def test_the_curve_is_the_formula() -> None:
    """1 - (1 - s^r)^b, from 0 to 1 without a fall."""
    bands = Bands(14, 4, 0.8, 0.999)
    assert 56 == bands.num_perm
    for i in range(101):
        s = i / 100
        assert math.isclose(1 - (1 - s**4) ** 14, bands.probability(s), abs_tol=1e-12)
    assert (0.0, 1.0) == (bands.probability(0.0), bands.probability(1.0))


@pytest.mark.parametrize("recall", [0.9, 0.999])
def test_no_band_too_many(recall: float) -> None:
    """With the same rows, one band less would break the promise."""
    for threshold in THRESHOLDS:
        bands = choose_bands(threshold, recall)
        fewer = Bands(bands.bands - 1, bands.rows, threshold, recall)
        assert bands.bands == 1 or fewer.probability(threshold) < recall


def test_more_texts_take_longer_bands() -> None:
    """With more texts a wrong candidate weighs more: rows do not become fewer; the promise is kept."""
    choices = [choose_bands(0.8, texts=10**i) for i in range(2, 10)]
    assert sorted(bands.rows for bands in choices) == [bands.rows for bands in choices]
    assert choices[0].rows < choices[-1].rows
    assert all(bands.probability(0.8) >= 0.999 for bands in choices)
    assert choose_bands(0.8) == choose_bands(0.8), "a pure function"


def test_the_printed_curve() -> None:
    """The text has the bands, the chance at every tenth, and the promise at the threshold."""
    head, columns, *lines = str(choose_bands(0.75, 0.99)).split("\n")
    bands = choose_bands(0.75, 0.99)
    assert f"{bands.bands} bands of {bands.rows} rows: {bands.num_perm} permutations" == head
    assert ["similarity", "found"] == columns.split()
    points = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 1.0]
    assert points == [float(line.split()[0]) for line in lines]
    expected = [round(100 * bands.probability(point), 1) for point in points]
    assert expected == [float(line.split()[1]) for line in lines]
    assert ["0.75"] == [line.split()[0] for line in lines if "<- threshold, 99 % promised" in line]


@pytest.mark.parametrize("threshold", [0, 0.0, -0.1, 1.0001, 80, True, "0.8", None, math.nan, math.inf])
def test_wrong_thresholds(threshold: Any) -> None:
    """The message says what was wanted and found; a percentage gets the number that was meant."""
    with pytest.raises(ParameterError, match=r"threshold: expected 0 < threshold <= 1, found ") as e:
        choose_bands(threshold)
    assert repr(threshold) in str(e.value)
    assert ("did you mean 0.8?" in str(e.value)) == (threshold == 80)


@pytest.mark.parametrize("recall", [0, 1, 1.0, -0.5, 99, math.nan, "0.9", None])
def test_wrong_recalls(recall: Any) -> None:
    """Nothing is certain here: everything outside 0 to 1 is refused; who asks for 1 is shown the way to it."""
    with pytest.raises(ParameterError, match="recall: expected 0 < recall < 1, found ") as e:
        choose_bands(0.8, recall)
    assert ('method="exact"' in str(e.value)) == (recall == 1)


@pytest.mark.parametrize("threshold", [0.001, 1e-9, 1e-300, 5e-324])
def test_thresholds_that_need_too_many_bands(threshold: float) -> None:
    """A threshold next to nothing is an error, not a run without an end."""
    with pytest.raises(ParameterError, match="bands; expected a higher threshold"):
        choose_bands(threshold)


# --------------------------------------------------------------------------------- the S-curve


def hits(similarity: float, size: int, bands: Bands, trials: int) -> tuple[float, float]:
    """Give J, and the share of random pairs of sets that have a band in common; 50 seeds in turn."""
    shared = max(1, round(similarity * size))
    half = (size - shared) // 2
    size = shared + 2 * half
    generator = np.random.default_rng([size, shared, bands.rows])
    found = 0
    for seed in range(50):
        hashes = generator.integers(0, 1 << 64, (trials // 50, size), dtype=np.uint64)
        rows = [
            hashes[:, : shared + half],
            np.hstack((hashes[:, :shared], hashes[:, shared + half :])),
        ]
        left, right = (band_keys(signed(part, bands, seed), bands) for part in rows)
        found += int(np.any(left == right, axis=0).sum())
    return shared / size, found / trials


def signed(hashes: npt.NDArray[np.uint64], bands: Bands, seed: int) -> npt.NDArray[np.uint32]:
    """Give the signature of each row of hashes."""
    offsets = np.arange(len(hashes) + 1, dtype=np.int64) * hashes.shape[1]
    values = np.ascontiguousarray(hashes).ravel()
    return sign(values, offsets, *permutations(bands.num_perm, seed))


@pytest.mark.parametrize("size", [20, 300])
@pytest.mark.parametrize(("count", "rows"), [(14, 4), (38, 5), (26, 8), (1, 1), (72, 4)])
def test_the_curve_comes_true(count: int, rows: int, size: int) -> None:
    """Of 5,000 pairs of each similarity as many become candidates as the curve says.

    The count is binomial, so its share has the standard deviation sqrt(P (1 - P) / n); one pair is allowed
    as well, if P is so near to 0 or 1 that the count is no longer normal.
    """
    bands, trials = Bands(count, rows, 0.8, 0.9), 5000
    for similarity in (0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9):
        j, share = hits(similarity, size, bands, trials)
        p = bands.probability(j)
        sigma = math.sqrt(p * (1 - p) / trials)
        assert abs(share - p) <= SIGMAS * sigma + 1 / trials, (j, share, p)


def test_recall_of_texts() -> None:
    """Families of texts, many of their pairs at the threshold: as many become candidates as is promised.

    A pair is missed with probability 0.001 at most, so of n pairs and five seeds 0.005 n are to be expected;
    five standard deviations more are allowed.
    """
    texts = corpora.families(seed=8, count=30, size=12, edits=1, words=95)
    pairs = {(p.left, p.right) for p in oracles.pairs(texts)}
    bands = choose_bands(0.8)
    missed = 0
    for seed in range(5):
        rows = signatures(shingles(texts), num_perm=bands.num_perm, seed=seed)
        buckets = find_buckets(band_keys(rows, bands), np.arange(len(texts), dtype=np.int64))
        assert buckets is not None
        found = {(a, b) for a, b in buckets.pairs.tolist()}
        missed += len(pairs - found)
    assert len(pairs) > 1000
    expected = 0.005 * len(pairs)
    assert missed <= expected + 5 * math.sqrt(expected)


# ----------------------------------------------------------------------------------- keys, buckets


def test_band_keys() -> None:
    """A row of keys a band, a column a text, as the twin makes them."""
    bands = Bands(5, 3, 0.8, 0.9)
    rows = signatures(shingles(corpora.chain()), num_perm=15)
    keys = band_keys(rows, bands)
    assert ("uint64", (5, len(rows))) == (dtypes(keys), keys.shape)
    assert [kernel_twins.band_keys(row, 5, 3) for row in rows.tolist()] == keys.T.tolist()


@pytest.mark.parametrize("shape", [(3, 55), (3, 57), (56,), (3, 56, 1), (0, 0)])
def test_signatures_of_another_length(shape: tuple[int, ...]) -> None:
    """Signatures that the bands do not cut evenly are refused with both shapes."""
    with pytest.raises(ParameterError, match=r"expected shape \(texts, 56\) for 14 bands of 4 rows") as e:
        band_keys(np.zeros(shape, dtype=np.uint32), Bands(14, 4, 0.8, 0.9))
    assert str(shape) in str(e.value)


def plain_buckets(keys: list[list[int]], texts: list[int]) -> list[list[int]]:
    """Give every bucket of two texts or more, by a dict a band."""
    found: list[list[int]] = []
    for band in keys:
        buckets = defaultdict(list)
        for text in texts:
            buckets[band[text]].append(text)
        found += [bucket for bucket in buckets.values() if len(bucket) > 1]
    return found


def check_buckets(keys: list[list[int]], texts: list[int], limits: BucketLimits = BUCKET_LIMITS) -> None:
    """Check `find_buckets`: the pairs of small buckets, sorted, each once; the large buckets as they are."""
    width = len(keys[0]) if keys else 0
    array = np.array(keys, dtype=np.uint64).reshape(len(keys), width)
    found = buckets_within(array, np.array(texts, dtype=np.int64), limits)
    assert found is not None
    every = plain_buckets(keys, texts)
    small = [bucket for bucket in every if len(bucket) <= SMALL_BUCKET]
    large = [bucket for bucket in every if len(bucket) > SMALL_BUCKET]
    expected = sorted({pair for bucket in small for pair in combinations(bucket, 2)})
    assert [list(pair) for pair in expected] == found.pairs.tolist()
    assert sorted(large) == sorted(rows_of(found.members, found.bounds))
    assert len(large) == len(found)
    assert "int64 int64 int64" == dtypes(found.pairs, found.members, found.bounds)


crowded = st.one_of(st.integers(0, 3), st.integers(0, (1 << 64) - 1), st.just((1 << 64) - 1))


@given(st.integers(0, 4), st.integers(0, 30), st.data())
def test_find_buckets(bands: int, count: int, data: st.DataObject) -> None:
    """Any keys, any texts of them."""
    band = st.lists(crowded, min_size=count, max_size=count)
    keys = data.draw(st.lists(band, min_size=bands, max_size=bands))
    texts = sorted(data.draw(st.sets(st.sampled_from(range(count))))) if count else []
    check_buckets(keys, texts)


def test_more_pairs_than_help() -> None:
    """Where nearly every text collides with every other, there are no buckets: counted by pairs, each once."""
    keys = np.array([[i // 50 for i in range(1000)]] * 4, dtype=np.uint64)
    texts = np.arange(1000, dtype=np.int64)
    for held, most, helped in ((24_000, 24, False), (24_000, 25, True), (24_500, 1, True), (10, 24, False)):
        found = buckets_within(keys, texts, BucketLimits(held, most))
        assert helped == (found is not None and len(found.pairs) == 20 * 49 * 50 // 2)


def test_more_leaders_than_help() -> None:
    """The same where most texts are in large buckets, which are looked at by their leaders."""
    size = 3 * SMALL_BUCKET
    keys = np.array([[i // size for i in range(4 * size)]] * 2, dtype=np.uint64)
    texts = np.arange(4 * size, dtype=np.int64)
    found = buckets_within(keys, texts, BucketLimits(pairs_held=10))
    assert found is not None
    assert len(found.members) == 8 * size
    assert buckets_within(keys, texts, BucketLimits(pairs_held=10, candidates_per_text=15)) is None


@pytest.mark.parametrize("pairs", ["auto", "all"])
@pytest.mark.parametrize(
    "limits",
    [LshLimits(buckets=BucketLimits(pairs_held=10, candidates_per_text=1)), LshLimits(lanes=1)],
    ids=["pairs", "lanes"],
)
def test_a_crowd_is_searched_exactly(pairs: str, limits: LshLimits) -> None:
    """With more pairs, or lanes, than help, LSH leaves it to the exact method, and the summary says so."""
    texts = corpora.families(count=3, size=40, edits=3, words=200)
    exact = dedup.find_duplicates(texts, pairs=pairs)
    found = find_in(texts, method="lsh", pairs=pairs, limits=Limits(lsh=limits))
    assert found.pairs.equals(exact.pairs)
    assert found.clusters.equals(exact.clusters)
    ran = found.summary
    assert (ran.method, ran.guaranteed_recall, ran.measured_recall) == ("exact", 1.0, 1.0)


@pytest.mark.parametrize("size", [SMALL_BUCKET - 1, SMALL_BUCKET, SMALL_BUCKET + 1, 3 * SMALL_BUCKET])
def test_buckets_at_the_border(size: int) -> None:
    """Up to SMALL_BUCKET texts give all their pairs; one more, and the bucket is given as it is."""
    alone = [kernel_twins.mix(i) for i in range(50)]
    check_buckets([[*alone, *[7] * size], [*[8] * size, *alone]], list(range(size + 50)))
    check_buckets([[*[7] * size, *[9] * size]] * 2, list(range(2 * size)))


def test_pairs_are_thinned_on_the_way() -> None:
    """However few pairs may wait, the result is the same."""
    generator = np.random.default_rng(4)
    check_buckets(generator.integers(0, 12, (9, 60)).tolist(), list(range(60)), BucketLimits(pairs_held=3))


# ------------------------------------------------------------------------------------- the index

lanes = st.lists(st.sampled_from([0, 1, (1 << 32) - 1]), min_size=6, max_size=6)


@given(st.lists(lanes, max_size=12), st.lists(lanes, max_size=5), st.integers(0, 12))
def test_the_index(rows: list[list[int]], asked: list[list[int]], cut: int) -> None:
    """`query` gives the keys that agree in a band, in the order in which they were added; empty texts none."""
    bands = Bands(3, 2, 0.8, 0.9)
    index = LSH(bands)
    names = [f"text {i}" for i in range(len(rows))]
    for part in (slice(0, cut), slice(cut, None)):  # added in two parts
        index.add(names[part], np.array(rows[part], dtype=np.uint32).reshape(-1, 6))
    assert len(rows) == len(index)
    empty = [(1 << 32) - 1] * 6
    for row in [*asked, *rows]:
        expected = [
            name
            for name, other in zip(names, rows, strict=True)
            if empty not in (row, other) and any(row[b : b + 2] == other[b : b + 2] for b in (0, 2, 4))
        ]
        assert expected == index.query(np.array(row, dtype=np.uint32))


def test_wrong_use_of_the_index() -> None:
    """Keys and signatures that do not go together are refused, and nothing of them is added."""
    index = LSH(Bands(3, 2, 0.8, 0.9))
    with pytest.raises(ParameterError, match=r"keys: .* found 1 for 2 signatures"):
        index.add(["one"], np.zeros((2, 6), dtype=np.uint32))
    with pytest.raises(ParameterError, match=r"expected shape \(texts, 6\)"):
        index.add(["one"], np.zeros((1, 7), dtype=np.uint32))
    with pytest.raises(ParameterError, match=r"expected shape \(texts, 6\)"):
        index.query(np.zeros(7, dtype=np.uint32))
    assert 0 == len(index)
    assert [] == index.query(np.zeros(6, dtype=np.uint32))


def test_not_a_signature() -> None:
    """One or no dimension, or two for one: errors that say what was passed."""
    index = LSH(choose_bands(0.8))
    rows = signatures(shingles(["a b c d e f"]), num_perm=index.bands.num_perm)
    for wrong in (rows[0], rows[0, 0:1].reshape(())):
        with pytest.raises(ParameterError, match=r"signatures: expected .*\(texts, 56\)"):
            index.add(["a"] * wrong.size, wrong)
    with pytest.raises(ParameterError, match=r"signature: expected 56 lanes .* found shape \(1, 56\)"):
        index.query(rows)


def test_bands_of_numbers_that_mean_nothing() -> None:
    """Counts, shares and similarities outside of what there is."""
    with pytest.raises(ParameterError, match="texts: expected a whole number"):
        choose_bands(0.8, texts=10**400)
    with pytest.raises(ParameterError, match="recall: expected a number from 0 to 1"):
        Bands(3, 3, 0.8, "x")  # type: ignore[arg-type]
    for similarity in (0.0, float("nan"), 1.5):
        with pytest.raises(ParameterError, match="similarities: expected similarities of pairs that bands found"):
            measure_recall(np.array([0.9, similarity]), choose_bands(0.8))

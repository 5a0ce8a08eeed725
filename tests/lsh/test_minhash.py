"""MinHash: signatures by the twin, and the estimate as theory has it.

Each of k lanes agrees with probability J, so k times the estimate is binomial: mean J, variance
J (1 - J) / k. The lanes are k functions drawn independently, so this holds over the draw of the
functions for sets of any size. Every bound below is a number of standard deviations of that theory;
everything is seeded, so a test that passes once always passes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup import ParameterError
from dedup.hashing.shingles import parse
from dedup.minhash import EMPTY_LANE, check_seed, estimate, permutations, sign, signatures
from dedup.shingling import Shingles, shingles
from tests import kernel_twins, oracles, strategies
from tests.kernel_arrays import dtypes

LANES = 128
SEEDS = 100
SIGMAS = 4.5  # exceeded by one normal value of 150,000


class Drawn:
    """Pairs of random sets with a union of `size` hashes and `shared` common ones, and their estimates.

    `skew` is the part of the other hashes that the left set has; 1.0 makes the right set a part of it.
    """

    def __init__(self, size: int, similarity: float, skew: float, trials: int) -> None:
        shared = min(max(round(similarity * size), 1), size)
        left = shared + round(skew * (size - shared))
        self.similarity = shared / size
        self.trials = trials
        generator = np.random.default_rng([size, shared, left])
        found = []
        for seed in range(SEEDS):
            hashes = generator.integers(0, 1 << 64, (trials // SEEDS, size), dtype=np.uint64)
            # the left set has the first hashes of each row, the right set the shared ones and the rest
            first = sign_rows(hashes[:, :left], seed)
            second = sign_rows(np.hstack((hashes[:, :shared], hashes[:, left:])), seed)
            found.append(np.mean(first == second, axis=1))
        self.estimates = np.concatenate(found)


def sign_rows(hashes: npt.NDArray[np.uint64], seed: int) -> npt.NDArray[np.uint32]:
    """Give the signature of each row of hashes."""
    count, size = hashes.shape
    offsets = np.arange(count + 1, dtype=np.int64) * size
    return sign(np.ascontiguousarray(hashes).ravel(), offsets, *permutations(LANES, seed))


@pytest.mark.parametrize("skew", [0.5, 1.0])
@pytest.mark.parametrize(("size", "trials"), [(5, 20_000), (20, 20_000), (300, 10_000), (5000, 2_000)])
@pytest.mark.parametrize("similarity", [0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95])
def test_bias_and_variance(similarity: float, size: int, trials: int, skew: float) -> None:
    """The mean of the estimates is J, and their variance J (1 - J) / k: at small sets, large and skew ones.

    The mean of n estimates has the standard deviation sqrt(J (1 - J) / (k n)). The variance of n values
    with excess kurtosis e has, relative to the true one, the standard deviation sqrt((2 + e) / n); for
    the binomial e = (1 - 6 J (1 - J)) / (k J (1 - J)).
    """
    drawn = Drawn(size, similarity, skew, trials)
    j = drawn.similarity
    if j == 1.0:  # five hashes cannot be alike by 95 %
        assert [1.0] == np.unique(drawn.estimates).tolist()
        return
    theory = j * (1 - j) / LANES
    assert abs(drawn.estimates.mean() - j) < SIGMAS * math.sqrt(theory / trials)
    excess = (1 - 6 * j * (1 - j)) / (LANES * j * (1 - j))
    ratio = np.mean((drawn.estimates - j) ** 2) / theory
    assert abs(ratio - 1) < SIGMAS * math.sqrt((2 + excess) / trials)


def test_disjoint_sets() -> None:
    """Sets that share nothing agree in next to no lane: by chance, one of 2^32 times the smaller size."""
    generator = np.random.default_rng(1)
    hashes = generator.integers(0, 1 << 64, (200, 300), dtype=np.uint64)
    rows = sign_rows(hashes, 1)
    agreed = sum(int((rows[i] == rows[i + 1]).sum()) for i in range(199))
    assert agreed <= 1  # 199 * 128 lanes, each with at most 300 / 2^32: two have a chance of 10^-6


def test_lanes_do_not_depend_on_one_another() -> None:
    """Over many pairs, two lanes of one seed agree together as often as independent ones: J^2.

    64 pairs of lanes, 8,000 pairs of sets: each count is binomial with J^2.
    """
    j, trials, generator = 0.5, 8000, np.random.default_rng(2)
    hashes = generator.integers(0, 1 << 64, (trials, 20), dtype=np.uint64)
    same = sign_rows(hashes[:, :15], 3) == sign_rows(hashes[:, 5:], 3)  # 10 shared of 20
    together = np.mean(same[:, ::2] & same[:, 1::2], axis=0)
    sigma = math.sqrt(j**2 * (1 - j**2) / trials)
    assert np.abs(together - j**2).max() < SIGMAS * sigma


def test_estimates_of_texts() -> None:
    """The whole way, from texts: tokens, shingles, signatures. 60 words, a known part of them shared.

    Words are numbers one after the other: as alike as words can be, so the hashes have to mix them.
    """
    for shared in (12, 30, 48, 54):
        j = shared / 60
        half = (60 - shared) // 2
        errors = []
        for seed in range(200):
            words = [str(100 * seed + i) for i in range(60)]
            pair = [
                " ".join(words[: shared + half]),
                " ".join([*words[:shared], *words[shared + half :]]),
            ]
            sets = shingles(pair, "words:1")
            assert j == sets.jaccard(0, 1)
            left, right = signatures(sets, num_perm=LANES, seed=seed)
            errors.append(estimate(left, right) - j)
        assert abs(np.mean(errors)) < SIGMAS * math.sqrt(j * (1 - j) / (LANES * len(errors)))


# ----------------------------------------------------------------------------------- exact values


@given(strategies.corpora(4), st.integers(1, 30), st.integers(0, 99))
def test_signatures(texts: list[str], num_perm: int, seed: int) -> None:
    """Each signature is that of the twin, from the shingles of the oracle."""
    a, c = kernel_twins.permutations(num_perm, seed)
    hashes = [kernel_twins.token_hashes(oracles.tokens(text)) for text in texts]
    expected = [kernel_twins.signature(kernel_twins.shingle_hashes(row, 3), a, c) for row in hashes]
    found = signatures(shingles(texts, "words:3"), num_perm=num_perm, seed=seed)
    assert ("uint32", (len(texts), num_perm)) == (dtypes(found), found.shape)
    assert expected == found.tolist()


def test_permutations_are_those_of_the_twin() -> None:
    """numpy's frozen generator, written down again: seeds at both ends of their range."""
    for seed in (0, 1, 42, (1 << 32) - 1):
        found = permutations(300, seed)
        assert kernel_twins.permutations(300, seed) == tuple(each.tolist() for each in found)
        assert "uint32 uint32" == dtypes(*found)
        assert np.all(found[0] & 1), "an even multiplier is not a bijection"


def test_seeds_give_other_functions() -> None:
    """Another seed is another set of functions; the same one is the same."""
    drawn = {tuple(np.concatenate(permutations(16, seed)).tolist()) for seed in range(50)}
    assert 50 == len(drawn)
    texts = shingles(["one two three", "four five six"])
    again = [signatures(texts, num_perm=16, seed=seed).tolist() for seed in (1, 1, 2)]
    assert again[0] == again[1] != again[2]
    assert again[0] == signatures(texts, num_perm=16).tolist(), "the default is 1"


def test_repeated_hashes_and_their_order_do_not_matter() -> None:
    """A signature is that of a set."""
    row = np.random.default_rng(5).integers(0, 1 << 64, 50, dtype=np.uint64)
    rows = [row, row[::-1], np.concatenate((row, row[:20]))]
    values, offsets = np.concatenate(rows), np.cumsum([0, *map(len, rows)])
    found = sign(values, offsets, *permutations(64, 1))
    assert found[0].tolist() == found[1].tolist() == found[2].tolist()


def test_texts_without_shingles() -> None:
    """Every lane of an empty text is `EMPTY_LANE`, and it is like nothing, its own copy included."""
    rows = signatures(shingles(["", "one two three", "...", "one two three"]), num_perm=8)
    assert [EMPTY_LANE] * 8 == rows[0].tolist() == rows[2].tolist()
    assert 1.0 == estimate(rows[1], rows[3])
    for left, right in ((0, 2), (0, 0), (0, 1), (1, 0)):
        assert 0.0 == estimate(rows[left], rows[right])


def test_no_texts() -> None:
    """No texts have no signatures, of the right width."""
    found = signatures(shingles([]), num_perm=8)
    assert ("uint32", (0, 8)) == (dtypes(found), found.shape)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=70))
def test_estimate_is_the_share_of_equal_lanes(lanes: list[tuple[int, int]]) -> None:
    """`estimate` counts equal lanes, in either order, as a float."""
    left, right = (np.array([lane[side] for lane in lanes], dtype=np.uint32) for side in (0, 1))
    expected = sum(a == b for a, b in lanes) / len(lanes)
    assert expected == estimate(left, right) == estimate(right, left)
    assert float is type(estimate(left, right))


# ----------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("num_perm", [0, -1, True, 1.5, "128", None, (1 << 16) + 1])
def test_wrong_numbers_of_permutations(num_perm: Any) -> None:
    """The message says what was wanted and what was found."""
    with pytest.raises(ParameterError, match=rf"num_perm: .* from 1 to 65536, found {num_perm!r}"):
        permutations(num_perm)


@pytest.mark.parametrize("seed", [-1, 1 << 32, True, 1.0, "1", None])
def test_wrong_seeds(seed: Any) -> None:
    """The message says what was wanted and what was found."""
    for function in (check_seed, lambda value: permutations(4, value)):
        with pytest.raises(ParameterError, match=rf"seed: .* from 0 to 4294967295, found {seed!r}"):
            function(seed)


def test_signatures_that_do_not_fit() -> None:
    """Signatures of other lengths cannot be compared: the message names both."""
    rows = [np.zeros(size, dtype=np.uint32) for size in (4, 8)]
    with pytest.raises(ParameterError, match=r"\(4,\) and \(8,\).*num_perm"):
        estimate(rows[0], rows[1])
    with pytest.raises(ParameterError, match="one length"):
        estimate(np.zeros((2, 4), np.uint32), np.zeros((2, 4), np.uint32))


@pytest.mark.parametrize("step", [2, -1])
def test_signatures_of_any_view(step: int) -> None:
    """Hashes that are a view of others, in steps or backwards, are signed as their copy is."""
    values = np.arange(1, 41, dtype=np.uint64) << np.uint64(40)
    views = [values[::step], values.reshape(20, 2)[:, 0], np.broadcast_to(values[:1], (20,))]
    for view in views:
        offsets = np.array([0, 9, 7, 9, 20, 9], dtype=np.int64)[::2]  # a view, too
        both = [signatures(Shingles(some, offsets, parse("words:5")), num_perm=40) for some in (view, view.copy())]
        assert both[0].tolist() == both[1].tolist()


@pytest.mark.parametrize("offsets", [[], [0, 21], [0, 5, 3, 20], [-1, 20]])
def test_offsets_outside_of_the_hashes(offsets: list[int]) -> None:
    """They are an error, and nothing is read there."""
    shingles = Shingles(np.arange(20, dtype=np.uint64), np.array(offsets, dtype=np.int64), parse("words:5"))
    with pytest.raises(ParameterError, match="offsets: expected ascending places from 0 to 20"):
        signatures(shingles, num_perm=8)

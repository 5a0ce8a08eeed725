"""A sample against all: counted as plain sets count it, however the units are cut into blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.hash_key import PUBLIC
from dedup.hashing.units import HashRows
from dedup.kernels import sampled as kernels
from dedup.sampling.sampled import BINS, EVERY_HASH, MOST_COMPARED, index_sample, limit_of, nothing_seen, see_rows
from tests import kernel_twins

HASHES = st.integers(0, (1 << 64) - 1) | st.sampled_from([0, 1, 2, 3, (1 << 64) - 1, 1 << 63, (1 << 63) + 1])
SETS = st.lists(st.frozensets(HASHES, min_size=1, max_size=8), min_size=1, max_size=12)
FREQUENT = [1 << 62, (1 << 62) + 1, *range(5, 1 << 60, 1 << 53)]
"""Hashes of which many sampled sets have some."""


def packed(rows: list[list[int]]) -> HashRows:
    """Give some rows as arrays."""
    values = np.array([value for row in rows for value in row], dtype=np.uint64)
    return HashRows(values, np.cumsum([0, *map(len, rows)]).astype(np.int64))


def check(texts: list[frozenset[int]], chosen: list[int], cut: int) -> None:
    """Compare a sample with all texts, in two blocks, and compare that with plain sets."""
    own = [chosen.index(place) if place in chosen else -1 for place in range(len(texts))]
    expected = kernel_twins.compare_sample(texts, own, [texts[place] for place in chosen], BINS)
    index = index_sample(packed([sorted(texts[place]) for place in chosen]))
    seen = nothing_seen(len(chosen))
    for first, last in ((0, cut), (cut, len(texts))):
        rows = packed([[*text, *text] for text in texts[first:last]])  # hashes may repeat
        some = see_rows(rows, np.array(own[first:last], dtype=np.int64), index)
        some.partner[some.partner >= 0] += first
        seen.add(some)
    assert expected == (seen.counts.tolist(), seen.best.tolist(), seen.partner.tolist())


@given(SETS, st.data())
def test_a_sample_is_compared_with_all(texts: list[frozenset[int]], data: st.DataObject) -> None:
    """The counts, the best similarity and the first partner are those of plain sets, block by block or at once."""
    chosen = data.draw(st.lists(st.sampled_from(range(len(texts))), unique=True, min_size=1))
    check(texts, chosen, data.draw(st.integers(0, len(texts))))


@given(st.randoms(use_true_random=False), st.integers(1, 150))
def test_frequent_hashes_are_compared_as_bits(random: np.random.Generator, count: int) -> None:
    """Hashes of many samples, and those of few, are counted alike."""
    texts = [
        frozenset([*random.sample(FREQUENT, random.randint(1, 100)), random.getrandbits(64)])  # type: ignore[attr-defined]
        for _ in range(count)
    ]
    check(texts, list(range(0, count, 2)), count // 3)


TOKENS = st.lists(st.lists(st.integers(0, (1 << 64) - 1), max_size=12), max_size=4)


@given(TOKENS, st.sets(st.integers(1, 12), min_size=1, max_size=5), st.data())
def test_windows_of_several_sizes(rows: list[list[int]], some: set[int], data: st.DataObject) -> None:
    """The windows of each size are those of `hash_shingles`, and only those below the limit are kept."""
    sizes = sorted(some)
    limits = [data.draw(st.sampled_from([EVERY_HASH, EVERY_HASH // 2, 1])) for _ in sizes]
    wanted = data.draw(st.lists(st.sampled_from(range(len(rows))), unique=True)) if rows else []
    given_rows = packed(rows)
    values = np.empty((len(sizes), len(given_rows.values)), dtype=np.uint64)
    offsets = np.empty((len(sizes), len(wanted) + 1), dtype=np.int64)
    arrays = (np.array(each, dtype=np.int64) for each in (sorted(wanted), sizes, limits))
    kernels.hash_sizes(*given_rows, *arrays, PUBLIC.words, values, offsets)
    found = [
        [values[k, start:end].tolist() for start, end in zip(offsets[k], offsets[k, 1:], strict=False)]
        for k in range(len(sizes))
    ]
    expected = [kernel_twins.hash_sizes(rows[row], sizes, limits) for row in sorted(wanted)]
    assert [[each[k] for each in expected] for k in range(len(sizes))] == found


def test_large_sets_are_thinned() -> None:
    """Of large sets about `MOST_COMPARED` hashes are compared, and the similarity is close to that of all."""
    random = np.random.default_rng(1)
    hashes = random.integers(0, 1 << 64, 30_000, dtype=np.uint64)
    limit = limit_of(20_000)
    assert limit < EVERY_HASH == limit_of(MOST_COMPARED)
    left, right = (some[(some & np.uint64(EVERY_HASH - 1)) < limit] for some in (hashes[:20_000], hashes[10_000:]))
    index = index_sample(packed([left.tolist()]))
    assert index.sizes.tolist() == [pytest.approx(MOST_COMPARED, rel=0.2)]
    seen = see_rows(packed([right.tolist()]), np.full(1, -1), index)
    assert seen.best.tolist() == [pytest.approx(1 / 3, abs=0.07)]
    assert seen.partner.tolist() == [0]

"""The kernels that count and choose: pairs, stars and passages, each against its twin of plain Python."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels import clusters, maximal, verify
from dedup.pairs.verify import NO_GROUPS
from tests import kernel_twins, oracles
from tests.kernel_arrays import callable_part, dtypes, frozen, offsets_of, packed
from tests.kernel_twins import MASK64

LARGEST = 60

Array = np.ndarray[Any, np.dtype[Any]]

required = callable_part(verify.required)

sets64 = st.frozensets(st.one_of(st.integers(0, 12), st.sampled_from([1 << 63, MASK64 - 1, MASK64])), max_size=12)
thresholds = st.one_of(
    st.sampled_from([0.0, 0.1, 1 / 3, 0.5, 2 / 3, 0.7, 0.8, 0.9, 1.0]),
    st.floats(0.0, 1.0, exclude_min=True),
)


# ---------------------------------------------------------------------------------------- pairs


def fractions(largest: int) -> list[float]:
    """Give every fraction with a small denominator as a float, and the floats next to it."""
    every = {float(Fraction(p, q)) for q in range(1, largest + 1) for p in range(1, q + 1)}
    beside = {math.nextafter(t, side) for t in every for side in (0.0, 1.0)}
    return sorted(t for t in every | beside if t <= 1.0)


def test_required_is_the_smallest_integer() -> None:
    """For all sizes up to 60 and every threshold at which the answer may change: tried one by one.

    The answer depends on the sum of the sizes alone, so each sum is tried once with all thresholds.
    """
    every = fractions(LARGEST)
    assert len(every) > 3000
    for total in range(2 * LARGEST + 1):
        left = total // 2
        ratios = [shared / (total - shared) for shared in range(total)]
        need = 0
        for threshold in every:  # ascending, so the answer does not fall
            while need < total and ratios[need] < threshold:
                need += 1
            assert need == required(left, total - left, threshold), (total, threshold)


def test_required_depends_on_the_sum() -> None:
    """All pairs of sizes up to 60, by the twin that tries all."""
    for threshold in (0.1, 0.3, 1 / 3, 0.5, 0.55, 0.7, 0.8, math.nextafter(0.8, 1), 0.9, 1.0):
        expected = [kernel_twins.required(a, b, threshold) for a in range(LARGEST + 1) for b in range(a, LARGEST + 1)]
        assert expected == [required(a, b, threshold) for a in range(LARGEST + 1) for b in range(a, LARGEST + 1)]


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 40), thresholds)
def test_required_of_large_sizes(left: int, right: int, threshold: float) -> None:
    """What is required reaches the threshold, and one less does not, for sizes up to 10^12."""
    total, need = left + right, required(left, right, threshold)
    assert 0 <= need <= total
    assert need == total or need / (total - need) >= threshold
    assert need == 0 or (need - 1) / (total - need + 1) < threshold


@given(sets64, sets64, st.integers(0, 14), st.integers(0, 3))
def test_shared_hashes(left: frozenset[int], right: frozenset[int], needed: int, gap: int) -> None:
    """The size of the intersection, or -1 where it is less than needed."""
    row = [*sorted(left), *[5] * gap, *sorted(right)]
    values, start = frozen(row, np.uint64), len(left) + gap
    expected = kernel_twins.shared_count(sorted(left), sorted(right), needed)
    found = verify.shared_hashes(values, 0, len(left), start, start + len(right), needed)
    assert expected == found


@given(st.lists(sets64, min_size=1, max_size=8), st.data(), thresholds)
def test_verify(sets: list[frozenset[int]], data: st.DataObject, threshold: float) -> None:
    """A pair is reported iff shared / union reaches the threshold in float64; 0 reports every pair."""
    place = st.sampled_from(range(len(sets)))
    asked = data.draw(st.lists(st.tuples(place, place), max_size=20))
    values, offsets, sizes = rows_of(sets)
    shared = np.full(len(asked), 7, dtype=np.int64)
    left, right = (frozen([pair[side] for pair in asked], np.int64) for side in (0, 1))
    verify.verify(values, offsets, sizes, left, right, threshold, shared)
    expected = []
    for a, b in asked:
        both, union = len(sets[a] & sets[b]), len(sets[a] | sets[b])
        reached = threshold == 0 or union == 0 or both / union >= threshold
        expected.append(both if reached else -1)
    assert expected == shared.tolist()


def rows_of(sets: Sequence[frozenset[int]]) -> tuple[Any, Any, Any]:
    """Give sorted sets, each followed by garbage, as `distinct` leaves them: values, offsets, sizes."""
    rows = [[*sorted(members), *[3] * (i % 3)] for i, members in enumerate(sets)]
    return *packed(rows), frozen(map(len, sets), np.int64)


# ---------------------------------------------------------------------------------------- stars


def run_earlier(
    sets: Sequence[frozenset[int]], rank: Sequence[int], chosen: Sequence[tuple[int, int]]
) -> tuple[Array, Array, Array]:
    """Run the kernel on some pairs of sets."""
    columns = [[a for a, _ in chosen], [b for _, b in chosen], [len(sets[a] & sets[b]) for a, b in chosen]]
    found = clusters.earlier(*(frozen(column, np.int32) for column in columns), frozen(rank, np.int64))
    assert "int64 int32 int32" == dtypes(*found)
    return found


def run_stars(
    sets: Sequence[frozenset[int]],
    priority: Sequence[int],
    similar: dict[tuple[int, int], float],
    buckets: Sequence[Sequence[int]],
    threshold: float,
) -> kernel_twins.Starred:
    """Run the kernel on what the twin takes."""
    count = len(sets)
    rank = [priority.index(text) if text in priority else count for text in range(count)]
    mine = [[b for b, bucket in enumerate(buckets) if text in bucket] for text in range(count)]
    star, similarity, found, verified, overflow = clusters.stars(
        frozen(priority, np.int64),
        frozen(rank, np.int64),
        *run_earlier(sets, rank, list(similar)),
        0,
        offsets_of(mine),
        frozen([b for each in mine for b in each], np.int64),
        len(buckets),
        *rows_of(sets),
        threshold,
        NO_GROUPS,
    )
    assert "int64 float64" == dtypes(star, similarity)
    rows = [(a, b, shared) for a, b, shared in np.asarray(found).tolist()]
    return kernel_twins.Starred(star.tolist(), similarity.tolist(), rows, verified, overflow)


def similarities(sets: Sequence[frozenset[int]], threshold: float) -> dict[tuple[int, int], float]:
    """Give all pairs that reach the threshold."""
    return {
        (a, b): len(sets[a] & sets[b]) / len(sets[a] | sets[b])
        for a, b in combinations(range(len(sets)), 2)
        if oracles.reaches(len(sets[a] & sets[b]), len(sets[a] | sets[b]), threshold)
    }


few = st.frozensets(st.integers(0, 6), min_size=1, max_size=5)


@given(st.lists(few, max_size=12), st.data())
def test_earlier(sets: list[frozenset[int]], data: st.DataObject) -> None:
    """Each text has the texts of its pairs that come before it, and what it shares with them."""
    rank = data.draw(st.permutations(range(len(sets))))
    every = list(combinations(range(len(sets)), 2))
    chosen = data.draw(st.lists(st.sampled_from(every), unique=True)) if every else []
    offsets, others, common = (column.tolist() for column in run_earlier(sets, rank, chosen))
    assert (0, len(chosen)) == (offsets[0], offsets[-1])
    for text in range(len(sets)):
        row = slice(offsets[text], offsets[text + 1])
        near = [sum(pair) - text for pair in chosen if text in pair]
        expected = sorted((n, len(sets[text] & sets[n])) for n in near if rank[n] < rank[text])
        assert expected == sorted(zip(others[row], common[row], strict=True))


@given(st.lists(few, max_size=16), st.sampled_from([0.2, 0.5, 2 / 3, 0.8, 1.0]), st.data())
def test_stars_of_listed_pairs(sets: list[frozenset[int]], threshold: float, data: st.DataObject) -> None:
    """Every pair listed: the stars of both oracles, in any order of priority; ties go to the earlier."""
    priority = data.draw(st.permutations(range(len(sets))))
    similar = similarities(sets, threshold)
    found = run_stars(sets, priority, similar, [], threshold)
    assert oracles.stars(len(sets), similar, priority) == found.star
    expected = [1.0 if k == t else similar[min(k, t), max(k, t)] for t, k in enumerate(found.star)]
    assert expected == found.similarity
    assert ([], 0, 0) == (found.found, found.verified, found.overflow)


@given(st.lists(few, max_size=24), st.sampled_from([0.3, 0.5, 0.8, 1.0]), st.data())
def test_stars_with_buckets(sets: list[frozenset[int]], threshold: float, data: st.DataObject) -> None:
    """Some pairs listed, the others met in buckets: what is kept, found, counted and left over."""
    chosen = sorted(data.draw(st.sets(st.sampled_from(range(len(sets)))))) if sets else []
    priority = data.draw(st.permutations(chosen))
    every = sorted(similarities([sets[text] for text in chosen], threshold).items())
    every = [((chosen[a], chosen[b]), s) for (a, b), s in every]
    listed = dict(data.draw(st.lists(st.sampled_from(every), unique=True))) if every else {}
    bucket = st.sets(st.sampled_from(chosen)).map(sorted) if chosen else st.just([])
    buckets = data.draw(st.lists(bucket, max_size=4))
    expected = kernel_twins.stars(sets, priority, listed, buckets, threshold, clusters.LEADERS)
    assert expected == run_stars(sets, priority, listed, buckets, threshold)


@pytest.mark.parametrize("spare", [-1, 0, 1, 5])
def test_a_full_bucket_is_counted(spare: int) -> None:
    """A bucket offers its first LEADERS kept texts; each further one is counted as overflow."""
    count = clusters.LEADERS + spare
    sets = [frozenset([i, 100 + i]) for i in range(count)] * 2
    found = run_stars(sets, range(2 * count), {}, [range(2 * count)], 1.0)
    left_over = max(spare, 0)
    kept = [*range(count), *range(count - left_over), *range(2 * count - left_over, 2 * count)]
    assert kept == found.star
    assert 2 * left_over == found.overflow


def test_a_family_costs_one_verification_a_member() -> None:
    """Copies of one text in one bucket: each meets the one that is kept, once, however many buckets."""
    family = [frozenset(range(5))] * 200
    found = run_stars(family, range(200), {}, [range(200)] * 3, 0.8)
    assert ([0] * 200, 199, 0) == (found.star, found.verified, found.overflow)


# ------------------------------------------------------------------------------------- passages


def run_passages(sequence: Sequence[int], grown: int) -> tuple[list[int], list[int]]:
    """Run `longest_earlier` into arrays full of rubbish."""
    length, source = (np.full(len(sequence), 7, dtype=np.int64) for _ in range(2))
    maximal.longest_earlier(frozen(sequence, np.int64), grown, length, source)
    return length.tolist(), source.tolist()


symbols = st.sampled_from([0, 1, 2, -1, -7, 1 << 62, -(1 << 63)])
sequences = st.one_of(
    st.lists(symbols, max_size=40),
    st.lists(st.integers(0, 1), max_size=40),
    st.builds(lambda part, n: part * n, st.lists(symbols, max_size=4), st.integers(0, 10)),
)


@given(sequences)
def test_longest_earlier(sequence: list[int]) -> None:
    """Each end place has its longest stretch that also begins earlier, and where that ended first."""
    assert kernel_twins.longest_earlier(sequence, len(sequence)) == run_passages(sequence, len(sequence))


@given(sequences, sequences)
def test_longest_earlier_looked_up(known: list[int], asked: list[int]) -> None:
    """Symbols after the grown ones are searched only among these, and add nothing."""
    both = [*known, *asked]
    assert kernel_twins.longest_earlier(both, len(known)) == run_passages(both, len(known))


def test_longest_earlier_of_a_fibonacci_word() -> None:
    """The word in which every prefix repeats at once: states split again and again."""
    a, b = [0], [0, 1]
    while len(b) < 150:
        a, b = b, b + a
    assert kernel_twins.longest_earlier(b, len(b)) == run_passages(b, len(b))
    assert kernel_twins.longest_earlier(b + a, len(b)) == run_passages(b + a, len(b))

"""The exact join against brute force: every pair, whatever the hashes, the threads and the families."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
import dedup.pairs.bitmaps
import dedup.pairs.seen_twice
import dedup.pairs.self_join
import dedup.threshold
from dedup.hashing.units import HashSets
from dedup.kernels.verify import least as least_kernel
from dedup.pairs import skew_join
from dedup.pairs.self_join import JOIN_LIMITS, JoinLimits, join
from dedup.pairs.skew_join import FamilyLimits, Prefixes, PrioritySlice
from dedup.pairs.verify import PairLimit
from dedup.pipelines.find import find_in
from dedup.pipelines.order import Limits
from dedup.results.listed_pairs import ListingLimits
from dedup.threshold import Metric, Threshold
from tests import kernel_twins, oracles
from tests.kernel_arrays import callable_part, units_of
from tests.kernel_twins import MASK64
from tests.small_slices import small_slices

UNLIMITED = PairLimit(None, "")

THRESHOLDS = [0.1, 1 / 3, 0.5, 0.55, 0.7, 0.8, 0.9, 0.95, 1.0]
METRICS = ["jaccard", "containment"]

least = callable_part(least_kernel)

Found = list[tuple[int, int, int]]


def similarity(a: frozenset[int], b: frozenset[int], metric: str) -> float:
    """Give shared / union, or shared / the smaller size."""
    whole = len(a | b) if metric == "jaccard" else min(len(a), len(b))
    return len(a & b) / whole


def brute(sets: Sequence[frozenset[int]], threshold: float, metric: str) -> Found:
    """Give every pair that reaches the threshold, and what it shares."""
    pairs = combinations(range(len(sets)), 2)
    reached = (p for p in pairs if similarity(sets[p[0]], sets[p[1]], metric) >= threshold)
    return [(a, b, len(sets[a] & sets[b])) for a, b in reached]


def joined(
    rows: Sequence[Sequence[int]],
    threshold: float,
    metric: str,
    *,
    priority: Sequence[int] | None = None,
    large: int | None = None,
    threads: int = 1,
    limits: JoinLimits = JOIN_LIMITS,
) -> tuple[Found, list[int]]:
    """Run the join over all rows; give its pairs and the hidden rows."""
    units = units_of(rows)
    every = np.arange(len(rows), dtype=np.int64)
    rank = every.copy()
    rank[list(priority or range(len(rows)))] = every
    ones = np.ones(len(rows), dtype=np.int64)
    how: dict[str, Any] = {"large": large, "limit": UNLIMITED, "threads": threads, "limits": limits}
    result = join(units, every, rank, ones, Threshold(threshold, Metric(metric)), **how)
    assert len(result.pairs.left) <= result.merged
    columns = (column.tolist() for column in (result.pairs.left, result.pairs.right, result.pairs.shared))
    return list(zip(*columns, strict=True)), sorted(result.hidden.tolist())


# hashes that are random, equal in their low bits, equal in their high ones, and at both ends
HASHES = [
    *[kernel_twins.mix(i) for i in range(20)],
    *[i << 60 for i in range(8)],
    *[kernel_twins.mix(i) >> 40 for i in range(8)],
    *[0, 1, MASK64, MASK64 - 1, 1 << 63, (1 << 63) - 1],
]
rows_of_hashes = st.lists(st.lists(st.sampled_from(HASHES), min_size=1, max_size=14), min_size=0, max_size=12)


@st.composite
def near_rows(draw: st.DrawFn) -> list[list[int]]:
    """Give rows that are edits of one another, so that many pairs are near any threshold."""
    base = draw(st.lists(st.sampled_from(HASHES), min_size=1, max_size=25, unique=True))
    rows = []
    for _ in range(draw(st.integers(0, 10))):
        row = [h for h in base if draw(st.integers(0, 7))] or base[:1]
        row += draw(st.lists(st.sampled_from(HASHES), max_size=3))
        rows.append(draw(st.permutations(row)))
    return rows


@given(
    st.one_of(rows_of_hashes, near_rows()),
    st.sampled_from(THRESHOLDS),
    st.sampled_from(METRICS),
    st.sampled_from([1, 2, 3]),
    st.booleans(),
)
def test_every_pair(rows: list[list[int]], threshold: float, metric: str, threads: int, crowded: bool) -> None:
    """No pair is missed and none is reported below the threshold, in float64; also where pairs are counted first."""
    expected = brute([frozenset(row) for row in rows], threshold, metric)
    limits = JoinLimits(common_work=0.0, long_lists=0.0, deeper=1e9) if crowded else JOIN_LIMITS
    assert (expected, []) == joined(rows, threshold, metric, threads=threads, limits=limits)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_many_rows(threads: int, metric: str) -> None:
    """Some hundreds of rows of all sizes, in families and single, at every threshold."""
    generator = np.random.default_rng(1)
    rows: list[list[int]] = []
    for _ in range(40):
        base = generator.integers(0, 1 << 64, int(generator.integers(1, 120)), dtype=np.uint64)
        for _ in range(int(generator.integers(1, 15))):
            kept = base[generator.random(len(base)) < generator.choice([0.5, 0.9, 0.97, 1.0])]
            new = generator.integers(0, 1 << 64, int(generator.integers(0, 4)), dtype=np.uint64)
            rows.append([*kept.tolist(), *new.tolist()] or base[:1].tolist())
    sets = [frozenset(row) for row in rows]
    for threshold in (0.3, 0.8, 0.95, 1.0):
        expected = brute(sets, threshold, metric)
        assert len(expected) > 10
        assert (expected, []) == joined(rows, threshold, metric, threads=threads)


@pytest.mark.parametrize("size", [1, 7, 64])
@pytest.mark.parametrize("metric", METRICS)
def test_slices_do_not_matter(size: int, metric: str) -> None:
    """However few rows a thread works on at a time, the pairs are the same."""
    rows = [[kernel_twins.mix(j) for j in range(i // 2, i // 2 + 20 + i % 5)] for i in range(150)]
    expected = brute([frozenset(row) for row in rows], 0.8, metric)
    assert len(expected) > 100
    with small_slices(size, size):
        assert (expected, []) == joined(rows, 0.8, metric, threads=2)


@pytest.mark.parametrize("metric", METRICS)
def test_hashes_in_very_many_rows(metric: str) -> None:
    """A family of 600: counters count no longer exactly, and every pair is found all the same."""
    common = [kernel_twins.mix(i) for i in range(40)]
    rows = [[*common, *(kernel_twins.mix(1000 + 7 * i + j) for j in range(i % 9))] for i in range(600)]
    rows += [[kernel_twins.mix(10**6 + i)] for i in range(50)]
    sets = [frozenset(row) for row in rows]
    for threshold in (0.85, 1.0):
        expected = brute(sets, threshold, metric)
        assert (expected, []) == joined(rows, threshold, metric, threads=2)


# ---------------------------------------------------------------------------------------- versions


def with_labels(patch: pytest.MonkeyPatch, labels: Sequence[int]) -> None:
    """Make bitmaps for every join, of groups that labels say: row i of a call has label i, again from the first on."""
    patch.setattr(dedup.pairs.bitmaps, "FEWEST_VERSIONS", 1)
    patch.setattr(dedup.pairs.bitmaps, "_labels", lambda _, rows: np.resize(np.array(labels, np.int64), len(rows)))


@given(
    st.one_of(rows_of_hashes, near_rows()),
    st.lists(st.integers(0, 3), min_size=1, max_size=12),
    st.sampled_from(THRESHOLDS),
    st.sampled_from(METRICS),
    st.sampled_from([1, 3]),
)
def test_versions(rows: list[list[int]], labels: list[int], threshold: float, metric: str, threads: int) -> None:
    """By bitmaps the pairs are the same, whatever texts are in one group."""
    expected = brute([frozenset(row) for row in rows], threshold, metric)
    with pytest.MonkeyPatch.context() as patch:
        with_labels(patch, labels)
        patch.setattr(dedup.pairs.bitmaps, "VERSIONS_TOGETHER", 2)
        found = joined(rows, threshold, metric, threads=threads, limits=JoinLimits(version_lists=-1.0))
        assert (expected, []) == found


@given(st.one_of(rows_of_hashes, near_rows()), st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_bitmaps(rows: list[list[int]], labels: list[int]) -> None:
    """What two bitmaps of a group share is what their sets share; each has a bit for each hash."""
    units = units_of(rows)
    every = np.arange(len(rows), dtype=np.int64)
    sets = units.prepare(every, 1)
    with pytest.MonkeyPatch.context() as patch:
        with_labels(patch, labels)
        made = dedup.pairs.bitmaps.make_bitmaps(sets, every, 1)
    given = np.resize(np.array(labels, np.int64), len(rows))
    bits = [
        int.from_bytes(made.bits[start : start + words].tobytes(), "little")
        for start, words in zip(made.starts.tolist(), made.words.tolist(), strict=True)
    ]
    for one, row in enumerate(rows):
        assert made.groups[one] >= 0
        assert len(set(row)) == bits[one].bit_count()
        for other in range(one):
            if made.groups[one] == made.groups[other]:
                assert given[one] == given[other]
                assert len(set(row) & set(rows[other])) == (bits[one] & bits[other]).bit_count()


def test_a_lineage_is_one_group() -> None:
    """Versions with few edits are in one group, until it has too many hashes; unrelated texts are in none."""
    fresh = iter(range(1 << 40))
    row = [kernel_twins.mix(next(fresh)) for _ in range(300)]
    rows = []
    for version in range(120):
        row = [*row, kernel_twins.mix(next(fresh)), kernel_twins.mix(next(fresh))]
        row.pop(version * 7 % 250)
        row.pop(version * 11 % 250)
        rows.append(row)
    rows += [[kernel_twins.mix(next(fresh)) for _ in range(100)] for _ in range(20)]
    sets = units_of(rows).prepare(np.arange(len(rows), dtype=np.int64), 1)
    made = dedup.pairs.bitmaps.make_bitmaps(sets, np.arange(len(rows), dtype=np.int64), 1)
    assert {-1} == set(made.groups[120:].tolist())
    _, counts = np.unique(made.groups[:120], return_counts=True)
    assert counts.max() > 100
    expected = brute([frozenset(row) for row in rows], 0.8, "jaccard")
    assert (expected, []) == joined(rows, 0.8, "jaccard", limits=JoinLimits(version_lists=4.0))


def test_a_group_is_cut_where_it_has_too_many_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of one label that have nothing in common: a bitmap has at most four bits a hash."""
    rows = [[kernel_twins.mix(1000 * i + j) for j in range(50 + i % 3)] for i in range(40)]
    sets = units_of(rows).prepare(np.arange(40, dtype=np.int64), 1)
    with_labels(monkeypatch, [0])
    made = dedup.pairs.bitmaps.make_bitmaps(sets, np.arange(40, dtype=np.int64), 1)
    assert 10 <= len(set(made.groups.tolist())) <= 14
    assert made.words.max() <= (4 * 52 >> 6) + 1


# ---------------------------------------------------------------------------------------- families


def expected_with_families(
    sets: Sequence[frozenset[int]], priority: Sequence[int], threshold: float, metric: str, big: int
) -> tuple[Found, list[int]]:
    """Give the pairs of those that are not hidden, those of hidden ones with their kept ones, and the hidden."""
    pairs = brute(sets, threshold, metric)
    similar = {(a, b): similarity(sets[a], sets[b], metric) for a, b, _ in pairs}
    star = oracles.stars(len(sets), similar, priority)
    large = oracles.large_clusters(star, [(a, b) for a, b, _ in pairs], priority, big)
    hidden = {row for row, kept in enumerate(star) if kept != row and kept in large}

    def listed(a: int, b: int) -> bool:
        if a in hidden or b in hidden:
            return (a in hidden and star[a] == b) or (b in hidden and star[b] == a)
        return True

    return [pair for pair in pairs if listed(pair[0], pair[1])], sorted(hidden)


FAMILY_LIMITS = st.builds(
    FamilyLimits,
    sampled=st.integers(1, 12),
    fewest=st.integers(1, 4),
    most_dense=st.integers(1, 30),
    near=st.integers(1, 8),
)


@given(near_rows(), st.sampled_from(THRESHOLDS), st.sampled_from(METRICS), st.data())
def test_families(rows: list[list[int]], threshold: float, metric: str, data: st.DataObject) -> None:
    """Families first: members of large clusters are paired only with kept rows, all others with all."""
    sets = [frozenset(row) for row in rows]
    priority = data.draw(st.permutations(range(len(rows))))
    if metric == "containment":  # the larger always comes first
        priority = sorted(priority, key=lambda row: -len(sets[row]))
    big = data.draw(st.integers(1, 4))
    limits = JoinLimits(family_lists=-1.0, families=data.draw(FAMILY_LIMITS))
    found = joined(rows, threshold, metric, priority=priority, large=big, limits=limits)
    assert expected_with_families(sets, priority, threshold, metric, big) == found


def cut(sets: HashSets, rows: Any, prefixes: Prefixes, size: int) -> Iterator[PrioritySlice]:
    """Give the rows slice by slice, each with copies of only its own sets and keys."""
    for first in range(0, len(rows), size):
        some = rows[first : first + size]
        sizes = sets.sizes[some]
        offsets = np.cumsum(sizes) - sizes
        values = [sets.values[sets.offsets[row] : sets.offsets[row] + sets.sizes[row]] for row in some.tolist()]
        bounds, index_bounds = (
            each[first : first + len(some) + 1] for each in (prefixes.bounds, prefixes.index_bounds)
        )
        own = Prefixes(
            prefixes.keys[bounds[0] : bounds[-1]],
            bounds - bounds[0],
            prefixes.index_keys[index_bounds[0] : index_bounds[-1]],
            index_bounds - index_bounds[0],
            prefixes.unprobed[first : first + len(some)],
            prefixes.unindexed[first : first + len(some)],
        )
        yield PrioritySlice(HashSets(np.concatenate(values), offsets, sizes), own)


@given(near_rows(), st.sampled_from(THRESHOLDS), st.sampled_from(METRICS), st.integers(1, 5), st.data())
def test_families_in_slices(
    rows: list[list[int]], threshold: float, metric: str, size: int, data: st.DataObject
) -> None:
    """A search slice by slice, with only the sets of kept rows, finds what a search with all sets finds."""
    seen = []

    def both(
        sets: HashSets, order: Any, prefixes: Prefixes, by: Threshold, *how: Any, groups: Any, limits: FamilyLimits
    ) -> skew_join.KeptStars:
        found = skew_join.stars_of(sets, order, prefixes, by, *how, groups=groups, limits=limits)
        dense = skew_join.dense_hashes(sets, order, limits=limits)
        slices = cut(sets, order, prefixes, size)
        again = skew_join.stars_of_slices(slices, len(order), len(prefixes.index_keys), dense, by, limits=limits)
        seen.append((found.best.tolist(), again.best.tolist()))
        kept = found.best < 0
        assert found.shared[~kept].tolist() == again.shared[~kept].tolist()
        assert (found.group.tolist(), found.compared) == (again.group.tolist(), again.compared)
        return found

    priority = data.draw(st.permutations(range(len(rows))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dedup.pairs.self_join, "stars_of", both)
        limits = JoinLimits(family_lists=-1.0, families=data.draw(FAMILY_LIMITS))
        joined(rows, threshold, metric, priority=priority, large=1, limits=limits)
    assert all(one == other for one, other in seen)


# ------------------------------------------------------------------------------------ single steps


def test_least_is_the_smallest_integer() -> None:
    """For all sizes up to 200 and the thresholds at which the answer changes: in both its forms."""
    every = {float(Fraction(p, q)) for q in range(1, 31) for p in range(1, q + 1)}
    beside = {math.nextafter(t, side) for t in every for side in (0.0, 1.0)}
    sizes = np.arange(1, 201, dtype=np.int64)
    for threshold in sorted(t for t in every | beside if t <= 1.0):
        expected = []
        need = 0
        for size in sizes.tolist():  # the answer does not fall as sizes grow
            while need / size < threshold:
                need += 1
            expected.append(need)
        assert expected == dedup.threshold.least(sizes, threshold).tolist()
        assert expected[::7] == [least(size, threshold) for size in sizes.tolist()[::7]]


@pytest.mark.parametrize("metric", ["jaccard", "containment"])
@pytest.mark.parametrize("keep", ["first", "last", "shortest"])
def test_large_families_give_the_same_stars(metric: str, keep: str) -> None:
    """Looking families up among kept texts first changes no cluster, whichever copy is kept."""
    words = [f"w{i}" for i in range(400)]
    texts = [" ".join(words[i % 7 : 60 + (i * 37) % 300]) for i in range(60)]
    texts += [" ".join(f"{j}x{i}" if j == i else f"{j}x" for j in range(90)) for i in range(30)]
    plain = dedup.find_duplicates(texts, metric=metric, keep=keep, pairs="all", threads=1)
    limits = Limits(join=JoinLimits(family_lists=0.0), listing=ListingLimits(big_cluster=5))
    families = find_in(texts, metric=metric, keep=keep, pairs="auto", threads=1, limits=limits)
    assert len(families._evidence.run.large), "families were looked for first"
    assert families.summary.large_clusters > 0
    assert plain.clusters.equals(families.clusters)


def wide_family(members: int) -> list[str]:
    """Near copies of one text, of which no single one reaches all the others, and some other texts."""
    generator = np.random.default_rng(5)
    words = [f"w{i}" for i in range(120)]
    texts = []
    for member in range(members):
        mine = list(words)
        for place in generator.choice(120, int(generator.integers(0, 5)), replace=False).tolist():
            mine[place] = f"x{member}y{place}"
        texts.append(" ".join(mine))
    return texts + [" ".join(f"z{i}q{j}" for j in range(30)) for i in range(20)] + texts[::7]


@pytest.mark.parametrize("keep", ["first", "last"])
@pytest.mark.parametrize("metric", METRICS)
def test_clusters_that_hang_together_are_listed_in_part(metric: str, keep: str) -> None:
    """A family that many kept texts stand for: the same tables, looked for first or not, and few pairs."""
    texts = wide_family(90)
    everything = dedup.find_duplicates(texts, threshold=0.75, metric=metric, keep=keep, pairs="all", threads=1)
    results = []
    for lists in (0.0, 1e9):
        limits = Limits(join=JoinLimits(family_lists=lists), listing=ListingLimits(big_cluster=60))
        results.append(find_in(texts, threshold=0.75, metric=metric, keep=keep, threads=1, limits=limits))
    first, plain = results
    assert len(first._evidence.run.large) > len(plain._evidence.run.large) == 0
    assert first.pairs.equals(plain.pairs)
    assert first.clusters.equals(plain.clusters)
    assert first.clusters.equals(everything.clusters)
    assert first.summary == plain.summary
    sizes = first.clusters.group_by("cluster").aggregate([("id", "count")])["id_count"].to_pylist()
    if metric == "jaccard" and keep == "first":
        assert max(sizes) <= 60 < sum(sizes), "no cluster is large alone"
    assert 0 < first.summary.large_clusters <= len(sizes)
    assert first.pairs.num_rows < everything.pairs.num_rows / 3
    with pytest.raises(dedup.ParameterError, match="not all listed"):
        first.rethreshold(0.9)

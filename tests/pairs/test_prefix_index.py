"""The counters of a join and its index: made part by part by any threads, they are what a dictionary would say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.hashing.units import HashSets
from dedup.kernels.counters import EXACT_COUNTER
from dedup.kernels.prefix_index import KEY_TAG, PLACE
from dedup.kernels.seen_twice import SAMPLES
from dedup.pairs.prefixes.counters import COUNT_LIMITS, COUNTED_SLOTS, Counted, CountLimits, count_hashes
from dedup.pairs.prefixes.index import Keys, build_index, mark_versions
from dedup.pairs.seen_twice import bits_for
from dedup.runtime.arrays import by_key, runs_of
from tests import kernel_twins
from tests.kernel_twins import MASK64

SMALL = CountLimits(together=3, chunk=2, part_bits=8)
"""Bands of a few hashes, chunks of one row, small parts."""

# hashes that are random, in one part, and at both ends
HASHES = [*map(kernel_twins.mix, range(30)), *(i << 59 for i in range(16)), 0, 1, MASK64, MASK64 - 1, 1 << 63]
ROWS = st.lists(st.lists(st.sampled_from(HASHES), max_size=14, unique=True), max_size=10)


def sets_of(rows: Sequence[Sequence[int]]) -> HashSets:
    """Give rows as sorted sets, with something between them."""
    sizes = np.array([len(row) for row in rows], dtype=np.int64)
    offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(sizes + 1)))
    values = np.full(int(offsets[-1]), 7, dtype=np.uint64)
    for row, first in zip(rows, offsets.tolist(), strict=False):
        values[first : first + len(row)] = np.array(sorted(row), dtype=np.uint64)
    return HashSets(values, offsets, sizes)


def counters_of(counted: Counted) -> list[list[int]]:
    """Give the counters, row by row."""
    return [
        counted.counters[first : first + count].tolist()
        for first, count in zip(counted.starts.tolist(), counted.below.tolist(), strict=True)
    ]


def shift_of(sides: Sequence[Sequence[Sequence[int]]], sample: int) -> int:
    """Give the shift that makes the slot of a hash: a table has two slots per hash, four if there are two sides."""
    most = max(sum(map(len, rows)) for rows in sides)
    spread = SAMPLES.bit_length() - 1 - (sample - 1).bit_length()
    return 64 - spread - bits_for(COUNTED_SLOTS * len(sides) * most * sample // SAMPLES)


@given(ROWS, st.sampled_from([1, 3, 6, SAMPLES]), st.sampled_from([1, 3]), st.booleans())
def test_counters(rows: list[list[int]], sample: int, threads: int, small: bool) -> None:
    """Each counter is the number of rows with a hash in its slot, of the hashes below the limit, in their order."""
    limit, shift = (sample << 64) // SAMPLES, shift_of([rows], sample)
    texts = Counter(h >> shift for row in rows for h in row if h < limit)
    expected = [[texts[h >> shift] for h in sorted(row) if h < limit] for row in rows]
    everyone = np.arange(len(rows), dtype=np.int64)
    (counted,) = count_hashes(sets_of(rows), [everyone], sample, threads, limits=SMALL if small else COUNT_LIMITS)
    assert expected == counters_of(counted)
    assert [row.count(1) for row in expected] == counted.unique.tolist()
    assert everyone.tolist() == counted.rows.tolist()


@given(ROWS, ROWS, st.sampled_from([1, 3]), st.booleans())
def test_counters_of_two_sides(left: list[list[int]], right: list[list[int]], threads: int, small: bool) -> None:
    """A slot that one side does not have proves nothing; any other one counts both sides."""
    shift = shift_of([left, right], SAMPLES)
    sides = [Counter(h >> shift for row in rows for h in row) for rows in (left, right)]

    def counter(slot: int) -> int:
        return sum(side[slot] for side in sides) if all(side[slot] for side in sides) else 1

    places = np.arange(len(left) + len(right), dtype=np.int64)
    given_rows = [places[: len(left)], places[len(left) :]]
    limits = SMALL if small else COUNT_LIMITS
    found = count_hashes(sets_of([*left, *right]), given_rows, SAMPLES, threads, limits=limits)
    for rows, counted in zip((left, right), found, strict=True):
        expected = [[counter(h >> shift) for h in sorted(row)] for row in rows]
        assert expected == counters_of(counted)
        assert [row.count(1) for row in expected] == counted.unique.tolist()


def test_counters_of_very_many_rows() -> None:
    """Above 128 texts a counter is a class that grows with them; the same one in each row, whatever the threads."""
    times = [100, EXACT_COUNTER, 400, 3000]
    rows = [[kernel_twins.mix(i) for i, count in enumerate(times) if row < count] for row in range(max(times))]
    sets, everyone = sets_of(rows), np.arange(len(rows), dtype=np.int64)
    every = [count_hashes(sets, [everyone], SAMPLES, threads)[0] for threads in (1, 2, 64)]
    assert every[0].counters.tolist() == every[1].counters.tolist() == every[2].counters.tolist()
    found = dict(zip(sorted(rows[0]), counters_of(every[0])[0], strict=True))
    classes = [found[kernel_twins.mix(i)] for i in range(len(times))]
    assert classes == sorted(classes)
    assert classes[:2] == times[:2]
    for counter, count in zip(classes[2:], times[2:], strict=True):
        assert abs(counter - EXACT_COUNTER - 16 * np.log2((count - 96) / 32)) < 16
    for row, counters in zip(rows, counters_of(every[0]), strict=True):
        assert [found[h] for h in sorted(row)] == counters


@given(ROWS, st.sampled_from([1, 3]))
def test_index(rows: list[list[int]], threads: int) -> None:
    """Each bucket has its keys with their places, in the order of the places; the work is the sum of the squares."""
    keys = np.array([h for row in rows for h in row], dtype=np.uint64)
    bounds = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    index, work = build_index(Keys(bounds, keys), threads)
    buckets: list[list[tuple[int, int]]] = [[] for _ in range(len(index.heads) - 1)]
    for place, row in enumerate(rows):
        for h in row:
            buckets[h >> index.shift].append((h << int(KEY_TAG) & MASK64) >> 32 << 32 | place)
    found = [index.entries[first:end].tolist() for first, end in zip(index.heads, index.heads[1:], strict=False)]
    assert buckets == found
    assert work == sum(len(bucket) ** 2 for bucket in buckets)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_index_of_many_keys(threads: int) -> None:
    """Many chunks of more places than one may have, and parts of many buckets: a stable sort by the bucket."""
    generator = np.random.default_rng(3)
    counts = generator.integers(0, 4, 200_000)
    bounds = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts)))
    keys = generator.integers(0, 1 << 64, int(bounds[-1]), dtype=np.uint64)
    keys[::3] = keys[: len(keys[::3])] >> np.uint64(3)
    index, work = build_index(Keys(bounds, keys), threads)
    buckets = (keys >> np.uint64(index.shift)).astype(np.int64)
    order = np.argsort(buckets, kind="stable")
    places = np.repeat(np.arange(len(counts)), counts)
    assert np.array_equal(places[order], (index.entries[:-1] & PLACE).astype(np.int64))
    assert np.array_equal((keys[order] << KEY_TAG) >> np.uint64(32), index.entries[:-1] >> np.uint64(32))
    sizes = np.bincount(buckets, minlength=len(index.heads) - 1)
    assert np.array_equal(np.cumsum(sizes), index.heads[1:])
    assert work == float((sizes**2).sum())


@given(ROWS, st.lists(st.integers(-1, 1), min_size=10, max_size=10), st.sampled_from([1, 3]))
def test_buckets_of_versions(rows: list[list[int]], labels: list[int], threads: int) -> None:
    """The first entry of a bucket is marked iff all of its rows are of one group."""
    keys = Keys(np.cumsum([0, *map(len, rows)], dtype=np.int64), np.array([h for row in rows for h in row], np.uint64))
    index, _ = build_index(keys, threads)
    plain = index.entries.copy()
    mark_versions(index, np.array(labels, dtype=np.int64), threads)
    for first, end in zip(index.heads.tolist(), index.heads[1:].tolist(), strict=False):
        if first < end:
            own = {labels[int(entry & PLACE)] for entry in plain[first:end]}
            pure = len(own) == 1 and own != {-1}
            assert pure == bool((index.entries[first] >> np.uint64(31)) & np.uint64(1))
            assert (index.entries[first:end] & ~np.uint64(1 << 31)).tolist() == plain[first:end].tolist()


def array(values: Sequence[int]) -> npt.NDArray[np.int64]:
    """Give numbers as an array."""
    return np.array(values, dtype=np.int64)


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(1, 20))
def test_runs_of_weight(weights: list[int], size: int) -> None:
    """Runs follow one another and cover all rows; each but the last has the weight, and no row too many."""
    runs = runs_of(array(weights), size)
    assert list(range(len(weights))) == [row for run in runs for row in range(run.start, run.stop)]
    reach = np.cumsum([0, *weights])
    for run in runs[:-1]:
        assert reach[run.stop] // size > reach[run.start] // size
        assert reach[run.stop - 1] // size <= reach[run.start] // size


@given(st.lists(st.sampled_from([0, 1, 5, (1 << 31) - 1]), max_size=30))
def test_order_by_key(keys: list[int]) -> None:
    """The order is that of a stable sort."""
    assert sorted(range(len(keys)), key=keys.__getitem__) == by_key(array(keys)).tolist()

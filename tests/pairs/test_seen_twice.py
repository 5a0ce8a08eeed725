"""The seen-twice table: what it lets go has no partner, and it is the same however the work is cut."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import dedup.pairs.seen_twice
from dedup.kernels import seen_twice as kernels
from dedup.pairs.seen_twice import alike, mostly_shared
from dedup.threshold import Metric, Threshold
from tests import kernel_twins, oracles
from tests.kernel_arrays import units_of

HASHES = st.integers(0, 40).map(kernel_twins.mix)
ROWS = st.lists(st.lists(HASHES, min_size=1, max_size=30), max_size=12)


def naive(rows: list[list[int]], threshold: float, metric: Metric) -> list[int]:
    """Say it with a counter of slots; one hash said twice in a row counts as twice, which only keeps more."""
    sample = dedup.pairs.seen_twice.sample_for(Threshold(threshold, metric))
    picked = [[value for value in row if value % kernels.SAMPLES < sample] for row in rows]
    total = sum(map(len, rows)) * sample // kernels.SAMPLES
    shift = 64 - dedup.pairs.seen_twice.bits_for(dedup.pairs.seen_twice.TWICE_SLOTS * total)
    times = Counter(value >> shift for row in picked for value in row)
    kept = []
    for place, (row, own) in enumerate(zip(rows, picked, strict=True)):
        alone = sum(times[value >> shift] == 1 for value in own)
        least = next(s for s in range(len(row) + 1) if s / len(row) >= threshold)
        if alone <= (len(row) - 1 if metric is Metric.CONTAINMENT else len(row) - least):
            kept.append(place)
    return kept


@given(
    rows=ROWS,
    threshold=st.sampled_from([0.05, 0.3, 0.5, 0.8, 0.95, 1.0]),
    metric=st.sampled_from(Metric),
    threads=st.sampled_from([1, 3]),
)
def test_seen_twice(rows: list[list[int]], threshold: float, metric: Metric, threads: int) -> None:
    """The stage is its definition."""
    units = units_of(rows)
    found = dedup.pairs.seen_twice.seen_twice(
        units.rows, np.arange(len(rows)), Threshold(threshold, metric), threads=threads
    )
    assert naive(rows, threshold, metric) == found.tolist()


@given(rows=ROWS)
def test_chunks_and_parts_do_not_matter(rows: list[list[int]]) -> None:
    """However the rows and the table are cut, the same rows are kept."""
    units = units_of(rows)
    every = np.arange(len(rows))
    found = dedup.pairs.seen_twice.seen_twice(units.rows, every, Threshold(0.5), threads=1).tolist()
    limits = dedup.pairs.seen_twice.CutLimits(chunk_hashes=7, part_bits=3)
    again = dedup.pairs.seen_twice.seen_twice(units.rows, every, Threshold(0.5), threads=2, limits=limits)
    assert found == again.tolist()


@given(rows=st.lists(st.lists(HASHES, min_size=1, max_size=30), max_size=12))
def test_lowest_hashes(rows: list[list[int]]) -> None:
    """The lowest of the hashes in the middle of each row."""
    units = units_of(rows)
    lowest = np.empty(len(rows), dtype=np.uint64)
    kernels.lowest_hashes(units.hashes, units.offsets, np.arange(len(rows)), 3, 4, lowest)
    expected = []
    for row in rows:
        count = min(len(row), max(len(row) // 3, 4))
        start = (len(row) - count) // 2
        expected.append(min(row[start : start + count]))
    assert lowest.tolist() == expected


def test_mostly_shared() -> None:
    """Collections in which nearly all texts occur twice are told apart from collections in which few do."""
    row = [[kernel_twins.mix(1000 * i + j) for j in range(100)] for i in range(40)]
    assert mostly_shared(alike(units_of(row + row).rows, np.arange(80), 2))
    assert not mostly_shared(alike(units_of(row + row[:10]).rows, np.arange(50), 2))
    assert not mostly_shared(alike(units_of(row).rows, np.arange(40), 2))
    assert not mostly_shared(alike(units_of([]).rows, np.arange(0), 2))


@given(rows=ROWS, threshold=st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_no_row_of_a_pair_is_dropped(rows: list[list[int]], threshold: float) -> None:
    """Rows that reach the threshold with another row are kept."""
    kept = set(
        dedup.pairs.seen_twice.seen_twice(
            units_of(rows).rows, np.arange(len(rows)), Threshold(threshold), threads=1
        ).tolist()
    )
    sets: list[Any] = [frozenset(row) for row in rows]
    for left in range(len(sets)):
        for right in range(left):
            if oracles.jaccard(sets[left], sets[right]) >= threshold:
                assert {left, right} <= kept

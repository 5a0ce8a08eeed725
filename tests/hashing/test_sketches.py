"""Sketches: those of plain sets, of the same units whatever the blocks and their order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.hashing.sketches import CROWD_TAKEN, SKETCH_HASHES, Sketcher
from dedup.kernels import sketches as kernels
from tests import kernel_twins

FEW = st.sampled_from([0, 1, 2, 3, 1 << 63, (1 << 63) + 1, (1 << 64) - 2])
HASH = FEW | st.integers(0, (1 << 64) - 2)
ROWS = st.lists(st.lists(HASH, max_size=12) | st.lists(HASH, min_size=60, max_size=90), max_size=12)


def packed(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Give some rows as arrays."""
    values = np.array([value for row in rows for value in row], dtype=np.uint64)
    return values, np.cumsum([0, *map(len, rows)]).astype(np.int64)


@given(ROWS, st.integers(1, 80), st.sampled_from([0.0, 2.0**63, 2.0**64, float("inf")]))
def test_keys_and_lowest_hashes(rows: list[list[int]], most: int, limit: float) -> None:
    """Keys and sketches are those of plain sets, for all rows whose key is at most the limit."""
    values, offsets = packed(rows)
    count = len(rows)
    places, keys, counts = np.zeros(count, np.int64), np.zeros(count), np.zeros(count, np.int64)
    sketches = np.zeros((count, most), dtype=np.uint64)
    taken = kernels.sketch_lowest(values, offsets, limit, places, keys, sketches, counts)
    expected = [(kernel_twins.sketch_key(row), i) for i, row in enumerate(rows) if row]
    assert [each for each in expected if each[0] <= limit] == list(
        zip(keys[:taken].tolist(), places[:taken].tolist(), strict=True)
    )
    found = [sketch[:size].tolist() for sketch, size in zip(sketches[:taken], counts[:taken], strict=True)]
    assert [sorted({*rows[place]})[:most] for place in places[:taken].tolist()] == found


@given(st.lists(st.frozensets(FEW | st.integers(0, 30), min_size=1), min_size=1, max_size=9), st.integers(1, 12))
def test_compared_sketches(sets: list[frozenset[int]], most: int) -> None:
    """All pairs of sketches that share a hash are found, with the similarity of plain sets."""
    rows = [sorted(some)[:most] for some in sets]
    sketches = np.zeros((len(rows), most), dtype=np.uint64)
    for row, held in zip(sketches, rows, strict=True):
        row[: len(held)] = held
    counts = np.array(list(map(len, rows)), dtype=np.int64)
    entries = sorted((value, row) for row, held in enumerate(rows) for value in held)
    values = np.array([value for value, _ in entries], dtype=np.uint64)
    owners = np.array([row for _, row in entries], dtype=np.int64)
    places = len(rows) * (len(rows) - 1) // 2
    left, right, similarity = np.zeros(places, np.int64), np.zeros(places, np.int64), np.zeros(places)
    count = kernels.compare_sketches(values, owners, sketches, counts, left, right, similarity)
    expected = [
        (one, other, kernel_twins.sketch_similarity(rows[one], rows[other], most))
        for one in range(len(rows))
        for other in range(one + 1, len(rows))
        if set(rows[one]) & set(rows[other])
    ]
    found = [column[:count].tolist() for column in (left, right, similarity)]
    assert expected == list(zip(*found, strict=True))


UNIT = st.tuples(st.lists(FEW | st.integers(0, 99), max_size=6), st.integers(0, 3))


@given(st.lists(UNIT, max_size=60), st.integers(1, 12), st.data())
def test_the_same_units_are_taken_in_any_order(
    some: list[tuple[list[int], int]], most: int, data: st.DataObject
) -> None:
    """What is taken does not depend on blocks and their order; a block may be seen twice."""
    units = [
        (hashes, (len(hashes), sum(hashes) * 4 + copy & kernel_twins.MASK64), i)
        for i, (hashes, copy) in enumerate(some)
    ]
    sketcher = Sketcher(most)
    shown = [*data.draw(st.permutations(units)), *units[: data.draw(st.integers(0, len(units)))]]
    while shown:
        size = data.draw(st.integers(1, 20))
        block, shown = shown[:size], shown[size:]
        values, offsets = packed([hashes for hashes, _, _ in block])
        digests = np.array([digest for _, digest, _ in block], dtype=np.uint64).reshape(-1, 2)
        sketcher.see(values, offsets, digests, np.array([place for _, _, place in block], dtype=np.int64), {})
        if data.draw(st.booleans()):
            sketcher.made()
    made = sketcher.made()
    expected = kernel_twins.taken(units, most, CROWD_TAKEN)
    assert expected == ([] if made is None else made.places.tolist())
    if made is not None:
        held = [row[:count].tolist() for row, count in zip(made.hashes, made.counts, strict=True)]
        assert [sorted({*units[place][0]})[:SKETCH_HASHES] for place in expected] == held

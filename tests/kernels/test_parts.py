"""The kernels of distributed stages, each against its definition in plain Python."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels import parts
from tests.kernel_arrays import frozen, offsets_of, packed
from tests.kernel_twins import MASK64

hashes = st.one_of(st.sampled_from([0, 1, 1 << 62, (1 << 63) - 1, 1 << 63, MASK64]), st.integers(0, MASK64))
rows_of_hashes = st.lists(st.lists(hashes, max_size=9), max_size=7)
bits_of_parts = st.sampled_from([1, 2, 5, 13])


@given(rows_of_hashes, st.integers(1, 16))
def test_sampled_hashes_move_to_the_front(rows: list[list[int]], sample: int) -> None:
    values, offsets = packed(rows)
    moved, counts = values.copy(), np.empty(len(rows), dtype=np.int64)
    total = parts.keep_sampled(moved, offsets, sample, counts)
    expected = [[value for value in row if value % 16 < sample] for row in rows]
    assert counts.tolist() == list(map(len, expected))
    assert moved[:total].tolist() == [value for row in expected for value in row]


@given(rows_of_hashes, st.data())
def test_rows_are_gathered_and_put_after(rows: list[list[int]], data: st.DataObject) -> None:
    values, offsets = packed(rows)
    chosen = data.draw(st.lists(st.sampled_from(range(len(rows))))) if rows else []
    starts, sizes = (frozen([each[row] for row in chosen], np.int64) for each in (offsets, list(map(len, rows))))
    gathered = np.empty(int(sizes.sum()), dtype=np.uint64)
    parts.gather_rows(values, starts, sizes, gathered)
    assert gathered.tolist() == [value for row in chosen for value in rows[row]]
    spread = np.zeros(2 * len(gathered), dtype=np.uint64)  # each row after as many zeros
    places = 2 * (np.cumsum(sizes) - sizes) + sizes
    parts.put_after(gathered, places, sizes, spread)
    assert spread.tolist() == [value for row in chosen for value in [0] * len(rows[row]) + rows[row]]


@given(rows_of_hashes, bits_of_parts, st.integers(1, 255))
def test_notes_are_shared_out_and_put_back(rows: list[list[int]], bits: int, counter: int) -> None:
    rows = [sorted(row) for row in rows]
    values, offsets = packed(rows)
    sizes = np.diff(offsets)
    bounds = np.empty((1 << bits) + 1, dtype=np.int64)
    notes, units = np.empty(len(values), dtype=np.uint32), np.empty(len(values), dtype=np.int64)
    parts.share_rows(values, offsets[:-1], sizes, bits, bounds, notes, units)
    cursors, back = offsets[:-1].copy(), np.empty_like(values)
    classes, unique = np.zeros(len(values), dtype=np.uint8), np.zeros(len(rows), dtype=np.int64)
    for part in range(1 << bits):
        own = slice(bounds[part], bounds[part + 1])
        expected = [(value << bits & MASK64) >> 32 for row in rows for value in row if value >> 64 - bits == part]
        assert notes[own].tolist() == expected
        assert units[own].tolist() == sorted(units[own].tolist())
        counters = frozen([counter] * len(expected), np.uint8)
        parts.put_back(notes[own], counters, units[own], part, bits, cursors, back, classes, unique)
    known = np.uint64(MASK64) << np.uint64(32 - bits)
    assert back.tolist() == (values & known).tolist()
    assert cursors.tolist() == offsets[1:].tolist()
    assert unique.tolist() == [len(row) * (counter == 1) for row in rows]
    assert set(classes.tolist()) <= {counter}


@given(st.lists(hashes, max_size=30), bits_of_parts)
def test_places_are_in_the_order_of_parts(values: list[int], bits: int) -> None:
    bounds, order = np.empty((1 << bits) + 1, dtype=np.int64), np.empty(len(values), dtype=np.int64)
    parts.order_parts(frozen(values, np.uint64), bits, bounds, order)
    tops = [value >> 64 - bits for value in values]
    assert order.tolist() == sorted(range(len(values)), key=lambda place: (tops[place], place))
    assert bounds.tolist() == [0, *accumulate(tops.count(part) for part in range(1 << bits))]


@given(st.lists(st.one_of(st.integers(0, 3), st.integers(0, 2000)), max_size=30).map(sorted))
def test_gaps_are_bytes(rows: list[int]) -> None:
    gaps = np.empty(len(rows) + (rows[-1] // 255 if rows else 0), dtype=np.uint8)
    count = parts.write_gaps(frozen(rows, np.int64), gaps)
    sums = list(accumulate(gaps[:count].tolist()))
    assert [total for total, gap in zip(sums, gaps.tolist(), strict=False) if gap < 255] == rows


@given(st.lists(st.integers(0, (1 << 32) - 1), max_size=30), st.sampled_from([20, 22]))
def test_slots_are_counted(slots: list[int], shift: int) -> None:
    table = np.zeros(1 << (32 - shift), dtype=np.int32)
    parts.count_slots(frozen(slots, np.uint32), shift, table)
    assert {place: int(table[place]) for place in np.flatnonzero(table)} == {
        slot >> shift: [other >> shift for other in slots].count(slot >> shift) for slot in slots
    }


counted = st.lists(st.tuples(st.integers(0, 50), st.sampled_from([1, 2, 3, 9, 254, 255])), max_size=9)
others = st.lists(st.integers(51, 99), max_size=4, unique=True).map(sorted)


@given(st.lists(st.tuples(counted, others, st.integers(0, 9), st.integers(0, 9)), max_size=6), st.integers(1, 255))
def test_a_prefix_has_the_first_hashes_in_the_common_order(
    given_rows: list[tuple[list[tuple[int, int]], list[int], int, int]], hot_class: int
) -> None:
    rows, below, expected, probes, indexes = [], [], [], [], []
    for pairs, rest, probed, indexed in given_rows:
        first = sorted(dict(pairs).items())
        common = sorted((counter, value) for value, counter in first if counter > 1) + [(256, each) for each in rest]
        probes.append(min(probed, len(common)))
        indexes.append(indexed)
        chosen = common[: probes[-1]]
        entries = sorted((value, place < indexed) for place, (_, value) in enumerate(chosen))
        expected.append((entries, any(hot_class < counter < 256 for counter, _ in chosen)))
        rows.append([*((value, counter) for value, counter in first), *((value, 0) for value in rest)])
        below.append(len(first))
    bounds, offsets = offsets_of([[0] * count for count in probes]), offsets_of(rows)
    values = frozen((value for row in rows for value, _ in row), np.uint64)
    counters = frozen((counter for row in rows for _, counter in row), np.uint8)
    chosen_values, flags = np.empty(sum(probes), dtype=np.uint64), np.empty(sum(probes), dtype=np.uint8)
    hot = np.empty(len(rows), dtype=np.bool_)
    given_arrays = values, offsets[:-1], frozen(below, np.int64), counters, bounds, frozen(indexes, np.int64)
    parts.choose(*given_arrays, hot_class, chosen_values, flags, hot)
    assert list(zip(chosen_values.tolist(), flags.tolist(), strict=True)) == [
        entry for entries, _ in expected for entry in entries
    ]
    assert hot.tolist() == [is_hot for _, is_hot in expected]

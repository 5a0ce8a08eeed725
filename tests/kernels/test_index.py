"""The kernels of the index, each against its twin of plain Python."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.index.postings.tables import Table, described
from dedup.index.postings.tables import packed as table_of
from dedup.kernels import index_memtable, index_postings, index_search, index_sets
from tests import kernel_twins
from tests.kernel_arrays import frozen, packed
from tests.kernel_twins import MASK64

hashes = st.one_of(st.sampled_from([0, 1, (1 << 63) - 1, 1 << 63, MASK64]), st.integers(0, MASK64))
sets = st.lists(st.lists(hashes, max_size=12, unique=True).map(sorted), max_size=6)
postings = st.lists(st.tuples(hashes, st.integers(0, (1 << 32) - 2)), max_size=40)


@given(sets)
def test_seals_of_sets(rows: list[list[int]]) -> None:
    """The seal of a set; a set outside of the hashes has 0."""
    values, offsets = packed(rows)
    seals = np.empty(len(rows), dtype=np.uint64)
    index_sets.seal_sets(values, offsets[:-1], np.diff(offsets), seals)
    assert [kernel_twins.set_seal(row) for row in rows] == seals.tolist()
    for wrong in (-1, len(values) + 1):
        index_sets.seal_sets(values, frozen([wrong] * len(rows), np.int64), np.diff(offsets), seals)
        assert [0] * len(rows) == seals.tolist()


@given(hashes, st.integers(0, 63), st.lists(hashes, min_size=1, max_size=12), st.data())
def test_one_changed_value_is_seen(first: int, bit: int, rest: list[int], data: st.DataObject) -> None:
    """A flipped bit changes the seal of a set, and that of a row."""
    values = [first, *rest]
    place = data.draw(st.integers(0, len(rest)))
    other = [value ^ (1 << bit if i == place else 0) for i, value in enumerate(values)]
    assert kernel_twins.set_seal(values) != kernel_twins.set_seal(other)
    rows = np.zeros((3, 10), dtype=np.uint64)
    rows[1, place % 9] = rows[2, place % 9] = first
    rows[2, place % 9] ^= np.uint64(1 << bit)
    seals = np.empty(3, dtype=np.uint64)
    index_sets.seal_rows(rows, frozen([5, 5, 5], np.int64), seals)
    assert seals[1] != seals[2]
    index_sets.seal_rows(rows, frozen([5, 6, 5], np.int64), seals)
    assert seals[0] != seals[1]


@given(
    postings,
    st.integers(1, 8),
    st.sampled_from([(2, 2), (2, 3), (3, 2), (4, 3)]),
    st.lists(hashes, max_size=8),
    st.integers(0, 25),
    st.sampled_from([0, 7, 1 << 31]),
)
def test_packed_postings_are_found(
    rows: list[tuple[int, int]], bits: int, sizes: tuple[int, int], keys: list[int], fewer: int, origin: int
) -> None:
    """What is looked up in a table, and what comes out of it again, with as many bits as are known."""
    number_bytes, tag_bytes = sizes
    rows = [(key, origin + number % min(1 << 8 * number_bytes, (1 << 32) - origin)) for key, number in rows]
    known = max(bits, bits + 8 * tag_bytes - fewer)
    doors, entries = np.empty((1 << bits) + 1, dtype=np.uint64), np.zeros(sum(sizes) * len(rows) + 8, dtype=np.uint8)
    posted, documents = frozen([key for key, _ in rows], np.uint64), frozen([number for _, number in rows], np.uint32)
    shape = (bits, known, number_bytes, tag_bytes, origin)
    index_postings.pack(posted, documents, 0, 0, doors, entries, *shape)
    assert np.cumsum([0, *np.bincount([key >> 64 - bits for key, _ in rows], minlength=1 << bits)]).tolist() == [
        int(door) & 0xFFFFFFFF for door in doors
    ]
    asked = keys + [key for key, _ in rows]
    table = Table(doors, entries, *shape)
    for end in (1 << 32, origin + 20):
        both = described([(table, 1 << 32), (table, end)])
        found, total = index_search.lookup(frozen(asked, np.uint64), both.words)
        expected = kernel_twins.looked_up(rows, asked, known)
        expected += [(place, number) for place, number in expected if number < end]
        assert sorted(expected) == sorted(map(tuple, found[:total, :2].tolist()))
    back, numbers = np.empty(len(rows), dtype=np.uint64), np.empty(len(rows), dtype=np.uint32)
    nothing = np.empty(0, dtype=np.uint64)
    count = index_postings.expand(doors, entries, *shape, 0, 1 << bits, nothing, back, numbers)
    assert len(rows) == count
    cut = 64 - known
    assert sorted((key >> cut << cut, number) for key, number in rows) == sorted(
        zip(back.tolist(), numbers.tolist(), strict=True)
    )


def test_the_filter_of_a_door_is_that_of_its_entries() -> None:
    """Most keys that are not there are seen by the door alone, in a table as full as tables are."""
    random = np.random.default_rng(1)
    posted, asked = random.integers(0, 1 << 64, (2, 6 << 12), dtype=np.uint64)
    shape = (12, 36, 3, 3, 0)
    doors, entries = np.empty((1 << 12) + 1, dtype=np.uint64), np.zeros(6 * len(posted) + 8, dtype=np.uint8)
    index_postings.pack(posted, np.arange(len(posted), dtype=np.uint32), 0, 0, doors, entries, *shape)
    passed = 0
    for key in asked.tolist():
        wanted = kernel_twins.door_filter(key, 12, 36)
        passed += int(doors[key >> 52]) & wanted == wanted
    for key in posted.tolist():
        wanted = kernel_twins.door_filter(key, 12, 36)
        assert int(doors[key >> 52]) & wanted == wanted
    assert passed < 0.12 * len(asked)


@given(sets, st.sampled_from([0.3, 0.5, 2 / 3, 0.8, 1.0]), st.booleans())
def test_chosen_hashes(rows: list[list[int]], threshold: float, complete: bool) -> None:
    """So many hashes of each set as the proof asks for: its own, and none that was counted more often before."""
    values, offsets = packed(rows)
    sizes, which = np.diff(offsets), np.arange(len(rows), dtype=np.int64)
    counters = np.zeros(1 << index_memtable.COUNTER_BITS, dtype=np.uint8)
    kept, chosen = np.empty(len(values), dtype=np.uint64), np.empty(len(values), dtype=np.uint64)
    documents = np.empty(len(values), dtype=np.uint32)
    total = index_memtable.choose(
        values, offsets[:-1], sizes, which, counters, threshold, complete, 7, kept, chosen, documents
    )
    assert values.tolist() == kept.tolist()
    pairs = list(zip(documents[:total].tolist(), chosen[:total].tolist(), strict=True))
    shift = 64 - index_memtable.COUNTER_BITS
    before: dict[int, int] = {}
    for place, row in enumerate(rows):
        own = [key for number, key in pairs if number == place + 7]
        least = next((s for s in range(len(row) + 1) if row and s / len(row) >= threshold), 0)
        assert len(own) == (len(row) if complete or not row else len(row) - least + 1)
        assert len(own) == len(set(own) & set(row))
        counts: dict[int, int] = {}
        for key in row:
            counts[key] = before.get(key >> shift, 0)
            before[key >> shift] = counts[key] + 1
        left = [counts[key] for key in row if key not in own]
        assert max((counts[key] for key in own), default=0) <= min(left, default=255)
    assert before == {slot: int(counters[slot]) for slot in np.flatnonzero(counters).tolist()}


def test_damaged_heads_are_harmless() -> None:
    """Places outside of the entries are cut to their end: nothing is read that is not there."""
    every = 0xFFFFFFFF << 32
    doors = np.array([every, every | 4_000_000_000, every | 4_000_000_000], dtype=np.uint64)
    entries = np.array([1, 0, 0, 0, 2, 0, 0, 0, *[0] * 8], dtype=np.uint8)
    keys = frozen([0, MASK64], np.uint64)
    shape = (1, 17, 2, 2, 0)
    found, total = index_search.lookup(keys, described([(Table(doors, entries, *shape), 1 << 32)]).words)
    assert [(0, 1), (0, 2)] == [tuple(row) for row in found[:total, :2].tolist()]
    room = np.empty(1, dtype=np.uint64)
    count = index_postings.expand(doors, entries, *shape, 0, 2, np.empty(0, np.uint64), room, np.empty(1, np.uint32))
    assert 1 == count


few = st.sampled_from([0, 5, 1 << 60, 1 << 61, 3 << 60, 1 << 63, MASK64 - 1, MASK64])
small_sets = st.lists(st.lists(few, min_size=1, max_size=8, unique=True).map(sorted), min_size=1, max_size=12)


@given(small_sets, small_sets, st.lists(st.integers(0, 12), max_size=3), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_probe_of_several_tables(
    stored: list[list[int]], asked: list[list[int]], cuts: list[int], threshold: float
) -> None:
    """Whatever tables the documents are in, one call finds the pairs that all comparisons find."""
    values, offsets = packed(stored)
    rows = np.zeros((len(stored), 10), dtype=np.uint64)
    rows[:, 0] = [number << 32 | len(row) for number, row in enumerate(stored)]
    rows[:, 1] = offsets[:-1]
    rows[:, 4] = [kernel_twins.set_seal(row) for row in stored]
    bounds = [0, *sorted(min(cut, len(stored)) for cut in cuts), len(stored)]
    tables = []
    for first, end in pairwise(bounds):
        keys = frozen([key for row in stored[first:end] for key in row], np.uint64)
        numbers = frozen([number for number in range(first, end) for _ in stored[number]], np.uint32)
        tables.append((table_of(keys, numbers), end))
    texts, starts = packed(asked)
    sizes, which = np.diff(starts), np.arange(len(asked), dtype=np.int64)
    marks, nothing = np.zeros((len(asked), 5), dtype=np.uint64), np.empty(0, dtype=np.uint64)
    how = (described(tables).words, rows, 0, values, 0, nothing, threshold, threshold, 0, True)
    expected = [
        (row, number, len(set(own) & set(other)))
        for row, own in enumerate(asked)
        for number, other in enumerate(stored)
        if len(set(own) & set(other)) / len(set(own) | set(other)) >= threshold
    ]
    for most in (1 << 62, 1):
        found, total, wrong = index_search.probe(texts, starts[:-1], sizes, which, *how, most, marks, 0)
        pairs = [tuple(pair) for pair in found[:total].tolist()]
        assert -1 == wrong
        assert set(pairs) <= set(expected)
        assert len(pairs) == len(expected) if most > 1 else {row for row, _, _ in pairs} == {p[0] for p in expected}
        assert len(pairs) == len(set(pairs))

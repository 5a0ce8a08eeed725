"""The join by edit distance: every way to make candidates finds what plain Python finds."""

from __future__ import annotations

import random
from itertools import combinations, pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.edit.distances import distances, distances_across
from dedup.edit.join import EditLimits, edit_join, edits_of, gram_size
from dedup.edit.points import SURROGATES, points_of
from dedup.errors import ParameterError
from dedup.hashing.units import HashRows
from dedup.kernels import grams as kernels
from dedup.pairs.verify import NO_GROUPS, PairLimit
from dedup.threshold import Metric, Threshold
from tests import kernel_twins, oracles_edit
from tests.kernel_arrays import frozen, offsets_of, packed, units_of

WAYS = {
    "index": EditLimits(candidates=1.0, entries=np.inf),
    "signatures": EditLimits(candidates=1.0, entries=-1.0),
    "all pairs": EditLimits(candidates=-1.0),
}
"""Which part of the join makes the candidates."""

ALPHABETS = ("ab", "abcdefgh ", "aé漢б字 ")
THRESHOLDS = (0.51, 0.6, 2 / 3, 0.75, 0.8, 0.9, 1.0)

PLAIN = st.sampled_from(ALPHABETS).flatmap(lambda letters: st.text(st.sampled_from(letters), min_size=1, max_size=24))


@st.composite
def collections(draw: st.DrawFn) -> list[str]:
    """Give texts, and copies of them with a few edits."""
    texts = draw(st.lists(PLAIN, min_size=1, max_size=6))
    for _ in range(draw(st.integers(0, 8))):
        letters = list(draw(st.sampled_from(texts)))
        for _ in range(draw(st.integers(0, 4))):
            at = draw(st.integers(0, len(letters)))
            letters[at : at + draw(st.integers(0, 1))] = draw(st.sampled_from(["", "a", "b", "é", "xy"]))
        texts.append("".join(letters) or "a")
    return texts


def joined(texts: list[str], threshold: float, **how: Any) -> dict[tuple[int, int], int]:
    """Give the pairs that the join finds, with their distances."""
    units = units_of([[ord(letter) for letter in text] for text in texts])
    limit = PairLimit(None, "")
    leading = np.arange(len(texts), dtype=np.int64)
    given_threads = {"threads": 1, **how}
    found = edit_join(units, leading, Threshold(threshold, Metric.EDIT), limit=limit, **given_threads)
    assert [len(text) for text in texts] == units.sizes.tolist()
    ends = list(zip(found.left.tolist(), found.right.tolist(), strict=True))
    assert sorted(set(ends)) == ends
    longer = [max(len(texts[i]), len(texts[j])) for i, j in ends]
    return dict(zip(ends, (np.array(longer, dtype=np.int64) - found.shared).tolist(), strict=True))


def expected(texts: list[str], threshold: float, chosen: Any = None) -> dict[tuple[int, int], int]:
    """Give the pairs of plain Python, with their distances."""
    ends = combinations(range(len(texts)), 2) if chosen is None else chosen
    near = ((i, j) for i, j in ends if oracles_edit.similarity(texts[i], texts[j]) >= threshold)
    return {(i, j): oracles_edit.levenshtein(texts[i], texts[j]) for i, j in near}


@pytest.mark.parametrize("way", WAYS)
@given(texts=collections(), threshold=st.sampled_from(THRESHOLDS))
def test_all_pairs_are_found(way: str, texts: list[str], threshold: float) -> None:
    """By the index, by signatures and without either, also at the threshold itself."""
    assert expected(texts, threshold) == joined(texts, threshold, limits=WAYS[way])


@pytest.mark.parametrize("way", WAYS)
@given(texts=collections(), threshold=st.sampled_from(THRESHOLDS), data=st.data())
def test_groups_and_sides(way: str, texts: list[str], threshold: float, data: st.DataObject) -> None:
    """Units of one group are no pair, nor are two of a side."""
    count = len(texts)
    groups = data.draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    lefts = data.draw(st.integers(1, count))
    apart = [(i, j) for i, j in combinations(range(count), 2) if groups[i] != groups[j]]
    how: dict[str, Any] = {"limits": WAYS[way], "groups": np.array([groups], dtype=np.uint64)}
    assert expected(texts, threshold, apart) == joined(texts, threshold, **how)
    across = [(i, j) for i, j in apart if i < lefts <= j]
    assert expected(texts, threshold, across) == joined(texts, threshold, lefts=lefts, **how)


@pytest.mark.parametrize("way", WAYS)
def test_lengths_of_many_sizes(way: str) -> None:
    """Long texts and short ones, and more texts than a thread takes at a time; the threads change nothing."""
    source = random.Random(4)
    texts = []
    for size in [1, 2, 3, 5, 9, 17, 40, 90, 200, *[source.randrange(4, 30) for _ in range(600)]]:
        text = "".join(source.choices("abcdefghijklmnop ", k=size))
        letters = list(text)
        for _ in range(size // 12):
            letters[source.randrange(size)] = "x"
        texts += [text, "".join(letters)]
    near = [(i, i + 1) for i in range(0, len(texts), 2)]
    found = joined(texts, 0.85, limits=WAYS[way], threads=1)
    assert expected(texts, 0.85, near).items() <= found.items()
    assert found == joined(texts, 0.85, limits=WAYS[way], threads=2)
    every = [joined(texts, 0.85, limits=limits) for limits in WAYS.values()]
    assert every[0] == every[1] == every[2] == joined(texts, 0.85)


def test_similarity_at_the_threshold() -> None:
    """The similarity is (longer - distance) / longer in float64, which 1 - distance / longer is not always."""
    assert 1 - 9 / 10 < 0.1 == (10 - 9) / 10
    for longer, distance in product(range(2, 60), range(30)):
        if 2 * distance < longer:
            texts = ["a" * longer, "a" * (longer - distance)]
            exact = (longer - distance) / longer
            assert {(0, 1): distance} == joined(texts, exact)
            if exact < 1.0:
                assert {} == joined(texts, float(np.nextafter(exact, 1.0)))


def test_too_many_pairs() -> None:
    """The limit of pairs holds for this join too."""
    units = units_of([[1, 2, 3]] * 10)
    with pytest.raises(ParameterError, match="threshold: expected at most 20 pairs"):
        edit_join(
            units, np.arange(10), Threshold(0.9, Metric.EDIT), limit=PairLimit(None, "raise it", most=20), threads=1
        )


@given(st.lists(st.tuples(PLAIN, PLAIN), max_size=8), st.integers(0, 40))
def test_distances(ends: list[tuple[str, str]], most: int) -> None:
    """They are those of the textbook, up to the number asked for, and greater beyond it."""
    left, right = [end[0] for end in ends], [end[1] for end in ends]
    truth = [[oracles_edit.levenshtein(one, other) for other in right] for one in left]
    assert [min(row[i], most + 1) for i, row in enumerate(truth)] == np.minimum(
        distances(left, right, most), most + 1
    ).tolist()
    if ends:
        across = np.minimum(distances_across(left, right, most), most + 1)
        assert [[min(value, most + 1) for value in row] for row in truth] == across.tolist()


def test_edits_of_pairs() -> None:
    """Pairs have their evidence, however far apart."""
    units = units_of([[1, 2, 3], [1, 2], [9]])
    found = edits_of(units, np.array([[0, 1], [0, 2]], dtype=np.int64), 1)
    assert [(0, 1, 2), (0, 2, 0)] == list(zip(*(column.tolist() for column in found), strict=True))


@pytest.mark.parametrize("count", [3, 3000, 60_000])
def test_points(count: int) -> None:
    """Equal hashes are equal characters and others are others, also beyond those that no text may have."""
    hashes = np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    rows = HashRows(np.concatenate((hashes, hashes[::-1])), np.array([0, count, 2 * count], dtype=np.int64))
    one, other = points_of(rows).strings(np.arange(2, dtype=np.int64))
    assert one == other[::-1]
    assert count == len(set(one)) == len(one)
    assert (count > SURROGATES) == (max(map(ord, one)) > 0xDFFF)


@pytest.mark.parametrize(
    ("threshold", "size"), [(0.51, 2), (0.6, 2), (0.7, 2), (0.8, 3), (0.85, 4), (0.9, 6), (0.95, 6), (1.0, 6)]
)
def test_the_size_of_grams(threshold: float, size: int) -> None:
    """Long texts must share some grams at every threshold that is allowed."""
    assert size == gram_size(threshold)
    assert size * (1 - threshold) < 1


# kernels


@given(st.lists(st.integers(0, 30), max_size=60))
def test_numbers_of_points(values: list[int]) -> None:
    """The first hash is 0, and each new one the next number; a full table says so."""
    for slots in (8, 64):
        known, numbers = np.zeros(slots, dtype=np.uint64), np.full(slots, -1, dtype=np.int32)
        points = np.zeros(len(values), dtype=np.uint32)
        count = kernels.number_points(frozen(values, np.uint64), known, numbers, points)
        distinct = list(dict.fromkeys(values))
        if count < 0:
            assert 2 * len(distinct) > slots
        else:
            assert len(distinct) == count
            assert [distinct.index(value) for value in values] == points.tolist()


@given(st.lists(st.lists(st.integers(0, 3), max_size=12), min_size=1, max_size=6), st.integers(2, 4))
def test_grams(rows: list[list[int]], size: int) -> None:
    """Each text has its grams, the rarest first, equal ones equal, and a rare one before a frequent one."""
    points, offsets = frozen((p for row in rows for p in row), np.uint32), offsets_of(rows)
    counts = [max(len(row) - size + 1, 0) for row in rows]
    places = np.cumsum([0, *counts])
    table, grams = np.zeros(1 << 16, dtype=np.uint32), np.zeros(places[-1], dtype=np.uint64)
    texts = (points, offsets[:-1].copy(), offsets[1:].copy(), size)
    kernels.count_grams(*texts, table, 48)
    kernels.write_grams(*texts, table, 48, grams, places, 0, len(rows))
    assert kernel_twins.gram_rows(rows, size) == [grams[start:end].tolist() for start, end in pairwise(places)]


@given(
    st.lists(st.lists(st.integers(0, 6).map(lambda n: n << 50), max_size=10).map(sorted), min_size=2, max_size=8),
    st.lists(st.integers(0, 4), min_size=8, max_size=8),
    st.lists(st.integers(0, 7), min_size=8, max_size=8),
)
def test_candidates(rows: list[list[int]], needed: list[int], firsts: list[int]) -> None:
    """Both ways find the pairs that share enough elements; the index does where one must be shared."""
    count = len(rows)
    needed, firsts = needed[:count], [min(first, i) for i, first in enumerate(firsts[:count])]
    grams, offsets = packed(rows)
    sizes = np.diff(offsets)
    heads, entries = np.zeros((1 << 10) + 1, dtype=np.int64), np.zeros(int(sizes.sum()), dtype=np.int32)
    kernels.index_prefixes(grams, offsets, sizes, 54, heads, entries)
    signatures = [np.zeros(words * count, dtype=np.uint64) for words in (4, 8)]
    kernels.sign_grams(grams, offsets, signatures[1])
    nothing = (NO_GROUPS, frozen([], np.bool_))
    size, edits = 1, frozen([20] * count, np.int64)
    given_texts = (frozen(firsts, np.int64), edits, size, frozen(needed, np.int64), grams, offsets)
    filters = (*given_texts, *signatures, *nothing)
    every = frozen(range(count), np.int64)
    seen, met = np.full(count, -1, dtype=np.int32), np.zeros(1, dtype=np.int64)
    wanted = kernel_twins.sharing_grams(rows, needed, firsts)
    assert wanted == sorted(map(tuple, kernels.scan_texts(every, *filters).tolist()))
    found = kernels.probe_grams(every, *filters, 54, heads, entries, seen, met)
    assert [pair for pair in wanted if needed[pair[0]]] == sorted(map(tuple, found.tolist()))


@given(collections())
def test_signatures_leave_no_pair_out(texts: list[str]) -> None:
    """No more bits differ than characters, and no more than q times the edits for grams."""
    rows = [[ord(letter) for letter in text] for text in texts]
    points, offsets = frozen((p for row in rows for p in row), np.uint32), offsets_of(rows)
    signatures = np.zeros(4 * len(rows), dtype=np.uint64)
    kernels.sign_characters(points, offsets[:-1].copy(), offsets[1:].copy(), signatures, np.zeros(256, dtype=np.uint8))
    words = [int.from_bytes(signatures[4 * i : 4 * i + 4].tobytes(), "little") for i in range(len(rows))]
    assert all(word.bit_count() <= len(row) for word, row in zip(words, rows, strict=True))
    for i, j in product(range(len(rows)), repeat=2):
        assert (words[i] & ~words[j]).bit_count() <= oracles_edit.levenshtein(texts[i], texts[j])

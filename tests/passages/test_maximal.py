"""Stretches of tokens that occur earlier: exactly those of the oracle; periods; work that grows with the text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.kernels import alignment
from dedup.kernels import windows as window_kernels
from dedup.passages import chains
from dedup.passages.chains import find_passages, nothing_to_chain
from dedup.passages.maximal import (
    Stretches,
    cut_periods,
    find_blocks,
    find_stretches,
    find_windows,
    join_runs,
    stand_twice,
)
from tests import oracles_repeats
from tests.kernel_arrays import callable_part

ODD = np.uint32(0x9E3779B1)

few = st.integers(0, 2)
some = st.integers(0, 9)
rows = st.one_of(
    st.lists(few, max_size=24),
    st.lists(some, max_size=24),
    st.builds(
        lambda unit, times, end: unit * times + end,
        st.lists(some, max_size=8),
        st.integers(1, 4),
        st.lists(some, max_size=3),
    ),
)


@st.composite
def collections(draw: st.DrawFn) -> list[list[int]]:
    """Give texts of which some quote a common one, from here to there."""
    common = draw(st.lists(some, max_size=20))
    texts = draw(st.lists(rows, max_size=4))
    for text in texts:
        low, high = sorted((draw(st.integers(0, len(common))), draw(st.integers(0, len(common)))))
        at = draw(st.integers(0, len(text)))
        text[at:at] = common[low:high]
    return texts


common = callable_part(alignment.common)


def arrays(texts: Sequence[Sequence[int]]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Give texts of numbers as token hashes and offsets."""
    tokens = np.array([token + 1 for text in texts for token in text], dtype=np.uint32) * ODD
    return tokens, np.cumsum([0, *map(len, texts)])


def places(stretches: Stretches, offsets: npt.NDArray[np.int64]) -> list[tuple[int, int, int, int, int]]:
    """Give stretches as the oracle does: document, start, end, document of the source, its start."""
    found = []
    for start, end, source, source_end in zip(*(column.tolist() for column in stretches), strict=True):
        assert end - start == source_end - source
        d, e = (int(np.searchsorted(offsets, place, side="right")) - 1 for place in (start, source))
        found.append((d, start - int(offsets[d]), end - int(offsets[d]), e, source - int(offsets[e])))
    return found


@given(collections(), st.sampled_from([1, 2, 3, 4, 5, 8]))
@example([[1, 2, 3, 4], [1, 2], [2, 3, 4]], 2)  # a text continues where the one before it ends
def test_every_stretch_and_no_other(texts: list[list[int]], size: int) -> None:
    """All maximal stretches with their first places, for any texts."""
    tokens, offsets = arrays(texts)
    assert oracles_repeats.stretches(texts, size) == places(find_stretches(tokens, offsets, size), offsets)


@given(collections(), st.sampled_from([1, 2, 3, 5]))
def test_no_window_that_occurs_twice_is_dropped(texts: list[list[int]], size: int) -> None:
    """Anchors drop only what occurs once; first places are those of a dictionary."""
    tokens, offsets = arrays(texts)
    place, first, _ = find_windows(tokens, offsets, size)
    windows = [
        (int(offsets[d]) + i, tuple(text[i : i + size]))
        for d, text in enumerate(texts)
        for i in range(len(text) - size + 1)
    ]
    known: dict[tuple[int, ...], int] = {}
    expected = {at: known.setdefault(window, at) for at, window in windows}
    found = dict(zip(place.tolist(), place[first].tolist(), strict=True))
    assert found.items() <= expected.items()
    assert {at for at, source in expected.items() if at != source} <= found.keys()


@given(collections(), st.sampled_from([2, 4, 6]), st.sampled_from([0.5, 0.8, 0.95]))
def test_chains_are_as_similar_as_they_say(texts: list[list[int]], size: int, threshold: float) -> None:
    """A chain has its matched tokens, comes after its source, and covers what is equal."""
    tokens, offsets = arrays(texts)
    found = find_passages(tokens, offsets, size, threshold)
    assert np.all((found.matched / np.maximum(found.longer, 1) < threshold)[found.doubtful])
    found = found.some(~found.doubtful)
    exact = cut_periods(find_stretches(tokens, offsets, size), size)
    covered = set()
    for (start, end, source, source_end), similarity in zip(
        zip(*(column.tolist() for column in found.stretches), strict=True),
        (found.matched / found.longer).tolist(),
        strict=True,
    ):
        assert max(end - start, source_end - source) >= size
        assert source < start
        a, b = tokens[start:end].tolist(), tokens[source:source_end].tolist()
        assert threshold <= similarity <= oracles_repeats.longest_common(a, b) / max(len(a), len(b))
        for first, last in ((start, end), (source, source_end)):
            assert np.searchsorted(offsets, first, side="right") == np.searchsorted(offsets, last - 1, side="right")
        covered |= {(start, end)}
    for start, end in zip(exact.start.tolist(), exact.end.tolist(), strict=True):
        assert any(a <= start and end <= b for a, b in covered)


@st.composite
def said_twice(draw: st.DrawFn) -> list[list[int]]:
    """Give texts that hold a body of their own words twice, now and then edited, with a few words that all share."""
    body = list(range(100, 100 + draw(st.integers(8, 40))))
    again = list(body)
    for place in draw(st.lists(st.integers(0, len(body) - 1), max_size=2)):
        again[place] = draw(some)
    title, middle, end = (draw(st.lists(st.one_of(some, st.integers(1000, 9999)), max_size=12)) for _ in range(3))
    text = [*title, *body, *middle, *again, *end]
    return draw(
        st.sampled_from([[text], [text[: len(title) + len(body)], text[len(title) + len(body) :]], [text, body]])
    )


@given(st.one_of(collections(), said_twice()), st.sampled_from([2, 6, 10, 20]), st.sampled_from([0.3, 0.5, 0.8]))
def test_kernels_chain_nothing_if_nothing_can_be_chained(texts: list[list[int]], size: int, threshold: float) -> None:
    """What is found is the same whether the kernels for chains are called or, where that is plain, not."""
    tokens, offsets = arrays(texts)
    found = find_passages(tokens, offsets, size, threshold)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(chains, "nothing_to_chain", lambda *_: False)
        called = find_passages(tokens, offsets, size, threshold)
    for columns in zip(
        (*found.stretches, found.matched, *found.parts, found.part_of, found.doubtful),
        (*called.stretches, called.matched, *called.parts, called.part_of, called.doubtful),
        strict=True,
    ):
        assert columns[0].tolist() == columns[1].tolist()


@pytest.mark.parametrize(
    ("texts", "plain"),
    [
        ([[1, *range(100, 180), *range(100, 180), 2]], True),  # a body twice
        ([[1, *range(100, 180), 3, *range(100, 180), 2]], True),
        ([[*range(100, 180), 3, 4, 5], [6, *range(100, 180), 7, 4, 5]], False),  # grows over one other word
        ([[*range(100, 180)], [*range(100, 140), 1, *range(141, 180)]], False),  # two parts
        ([[*range(100, 120)], [*range(108, 120), 1]], False),  # long enough to grow
        ([[*range(100, 120)], [*range(109, 120), 1]], True),
    ],
)
def test_it_is_plain_that_nothing_is_to_chain(texts: list[list[int]], plain: bool) -> None:
    """A body that occurs twice and short runs do not call for chains; what may grow or be linked does."""
    said = []

    def listen(*given: Any) -> bool:
        said.append(nothing_to_chain(*given))
        return said[-1]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(chains, "nothing_to_chain", listen)
        find_passages(*arrays(texts), 50, 0.8)
    assert [plain] == said


def test_an_edited_copy_is_one_chain() -> None:
    """A word changed, a word put in, two left out: one repeat, with what matches."""
    text = list(range(100, 160))
    copy = [*text[:15], 1, *text[16:30], 2, *text[30:45], *text[47:]]
    tokens, offsets = arrays([text, copy])
    found = find_passages(tokens, offsets, 20, 0.8)
    assert [(60, 60 + len(copy), 0, 60)] == list(zip(*(column.tolist() for column in found.stretches), strict=True))
    assert ([57], [60]) == (found.matched.tolist(), found.longer.tolist())


def test_a_passage_long_put_in_parts_a_chain() -> None:
    """Inserted tokens are outside of the parts of a chain."""
    text = list(range(100, 180))
    copy = [*text[:40], *range(1, 11), *text[40:]]
    tokens, offsets = arrays([text, copy])
    found = find_passages(tokens, offsets, 50, 0.8)
    assert [(80, 170)] == list(zip(found.stretches.start.tolist(), found.stretches.end.tolist(), strict=True))
    assert [(80, 120), (130, 170)] == list(zip(found.parts.start.tolist(), found.parts.end.tolist(), strict=True))
    assert [0, 0] == found.part_of.tolist()


@pytest.mark.parametrize("size", [1000, 10_000])
def test_work_grows_with_the_text(size: int) -> None:
    """However often a stretch occurs, the windows and blocks are as many as the text is long, and no more."""
    unit = list(range(60))
    for texts, blocks in (
        ([[7] * size], size),  # a word
        ([unit * (size // 60)], size // 60 + 1),  # a paragraph
        ([unit] * (size // 60), 2 * (size // 60)),  # a text
    ):
        tokens, offsets = arrays(texts)
        _, first, flags = find_windows(tokens, offsets, 20)
        assert len(first) <= size
        symbols, _ = find_blocks(first, flags)
        assert len(symbols) <= 3 * blocks


@given(st.lists(st.integers(0, 12), max_size=40))
def test_anchors_that_occur_twice(values: list[int]) -> None:
    """A few are sorted, more go through a table: both keep the same, where the two lowest bits do not count."""
    hashes = np.array(values, dtype=np.uint64)
    found = np.empty(len(hashes), dtype=np.bool_)
    window_kernels.mark_twice(hashes, found)
    expected = [sum(value | 3 == other | 3 for other in values) > 1 for value in values]
    assert expected == found.tolist() == stand_twice(hashes, np.empty(0, dtype=np.int64)).tolist()


@given(collections(), st.integers(1, 4), st.randoms())
def test_runs_of_windows(texts: list[list[int]], size: int, random: Random) -> None:
    """Runs are of neighbours in one text, whichever way they are joined."""
    _, offsets = arrays(texts)
    windows = [w for a, b in pairwise(offsets.tolist()) for w in range(a, b - size + 1)]
    firsts = {a for a, b in pairwise(offsets.tolist()) if b - a >= size}
    since = [w for w in windows if w in firsts or random.random() < 0.5]
    twice = [random.random() < 0.6 for _ in since]
    kept = {w: twice[max(i for i, s in enumerate(since) if s <= w)] for w in windows}
    begins = [w for w in windows if kept[w] and (w in firsts or not kept.get(w - 1, False))]
    ends = [w + 1 for w in windows if kept[w] and (w + 1 not in kept or w + 1 in firsts or not kept[w + 1])]
    expected = [list(run) for run in zip(begins, ends, strict=True)]
    given_ = (np.array(since, dtype=np.int64), np.array(twice, dtype=np.bool_))
    assert expected == join_runs(offsets, size, *given_).tolist()
    runs = np.empty((len(since), 2), dtype=np.int64)
    assert expected == runs[: window_kernels.keep_windows(offsets, size, *given_, runs)].tolist()


@pytest.mark.parametrize("count", [70, 400, 3000])
def test_a_full_table_of_windows(count: int) -> None:
    """Each window is kept, most occur once: the table is as full as it may be, and every first place is found in it."""
    size = 3
    tokens = np.concatenate((np.arange(count), np.arange(0, count, 7), np.arange(count // 2))).astype(np.uint32)
    windows = [tuple(tokens[i : i + size].tolist()) for i in range(len(tokens) - size + 1)]
    first: dict[tuple[int, ...], int] = {}
    expected = [first.setdefault(window, i) for i, window in enumerate(windows)]
    place, found = (np.full(len(windows), -1, dtype=np.int32) for _ in range(2))
    slots = np.zeros(window_kernels.table_size(len(windows)), dtype=np.uint64)
    runs = np.array([[0, len(windows)]], dtype=np.int64)
    window_kernels.find_first(tokens, runs, size, place, found, np.empty(len(windows), dtype=np.uint8), slots)
    assert expected == found.tolist()
    assert list(range(len(windows))) == place.tolist()


@given(st.lists(st.integers(0, 4), max_size=64), st.lists(st.integers(0, 4), max_size=64))
def test_tokens_that_a_gap_has_in_common(a: list[int], b: list[int]) -> None:
    """The bits give the length of the longest common subsequence, up to 64 tokens."""
    tokens = np.array([9, *a, 8, *b, 9], dtype=np.uint32)
    begin = len(a) + 2
    assert oracles_repeats.longest_common(a, b) == common(tokens, 1, 1 + len(a), begin, begin + len(b))

"""Ends of chains: they grow as the whole dynamic program says; and chains of two thresholds are made at once."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels import alignment
from dedup.kernels import band as band_kernels
from dedup.kernels import chains as kernels
from dedup.passages.seeds import find_links
from tests import oracles_repeats
from tests.kernel_arrays import callable_part

grow, walk = callable_part(alignment.grow), callable_part(alignment.walk)

tokens = st.one_of(
    st.lists(st.integers(0, 2), max_size=40),
    st.lists(st.integers(0, 9), max_size=40),
    st.builds(lambda unit, times: unit * times, st.lists(st.integers(0, 3), max_size=5), st.integers(1, 12)),
)


def by_kernel(
    here: list[int], there: list[int], walked: list[bool], allowed: int, step: int
) -> tuple[oracles_repeats.End, bool]:
    """Give what the kernel says and that no more was allowed; writes `walked`."""
    both = [*here, -1, *there] if step > 0 else [*there[::-1], -1, *here[::-1]]
    at, source = (0, len(here) + 1) if step > 0 else (len(both) - 1, len(there) - 1)
    bits = np.zeros(len(both), dtype=np.uint8)
    places = [at + step * k for k in range(len(here))]
    bits[[place for place, done in zip(places, walked, strict=True) if done]] = 4
    found, marks = np.empty(6, dtype=np.int64), np.empty((alignment.MARKS, 3), dtype=np.int64)
    state, near = np.empty(band_kernels.BAND_LANES, dtype=np.int64), np.empty(alignment.SOURCE_TOKENS, dtype=np.uint64)
    values = np.array(both, dtype=np.int64).astype(np.uint32)
    before = bits.copy()
    given_end = len(here), len(there)
    crossed = grow(values, at, source, step, *given_end, bits, np.uint8(4), 0, allowed, found, marks, state, near)
    walked[:] = (bits[places] & 4 > 0).tolist()
    if not found[5]:  # what is known already is walked as it was
        again = np.zeros(6, dtype=np.int64)
        assert walk(at, step, crossed, before, np.uint8(4), 0, allowed, again)
        assert before.tolist() == bits.tolist()
        assert again[3] == found[3]
    elif crossed < len(here):
        assert not walk(at, step, crossed + 1, before, np.uint8(4), 0, allowed, np.zeros(6, dtype=np.int64))
    rows = [(a, b, c) for a, b, c in marks[: found[4]].tolist()]
    return oracles_repeats.End(*found[:4].tolist(), rows, crossed), bool(found[5])


@given(tokens, tokens, st.data(), st.sampled_from([1, -1]), st.sampled_from([0, 1, 5, 1000]))
def test_an_end_grows_as_the_oracle_says(
    here: list[int], there: list[int], data: st.DataObject, step: int, allowed: int
) -> None:
    """Where it ends, its equal tokens, its marks, and what it crosses, in either direction."""
    done = data.draw(st.lists(st.booleans(), min_size=len(here), max_size=len(here)))
    walked = list(done)
    wanted = oracles_repeats.grown(here, there, done, allowed)
    assert wanted == by_kernel(here, there, walked, allowed, step)[0]
    assert done == walked


@pytest.mark.parametrize("step", [1, -1])
def test_a_long_end(step: int) -> None:
    """Hundreds of rows with edits: tokens of the source are loaded again and again, and marks are thinned out."""
    chance = Random(3)
    here = [chance.randrange(30) for _ in range(1500)]
    there = []
    for token in here:
        there += [token if chance.random() > 0.08 else chance.randrange(30)] * chance.choice((*(1,) * 20, 0, 2))
    wanted = oracles_repeats.grown(here, there, [False] * len(here), 5)
    assert wanted == by_kernel(here, there, [False] * len(here), 5, step)[0]
    assert wanted.here > 1000


def said_twice(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Give texts with edited passages of one another: tokens and offsets."""
    chance = Random(seed)
    texts: list[list[int]] = []
    for _ in range(8):
        text = [chance.randrange(400) for _ in range(chance.randrange(60))]
        for other in texts[-2:]:
            low, share = chance.randrange(max(len(other), 1)), chance.choice((0.02, 0.1, 0.3))
            text += [t if chance.random() > share else chance.randrange(400) for t in other[low : low + 80]]
        texts.append(text)
    return np.array([t + 1 for text in texts for t in text], dtype=np.uint32), np.cumsum([0, *map(len, texts)])


@pytest.mark.parametrize("seed", range(12))
def test_chains_for_two_thresholds(seed: int) -> None:
    """Those for the lower threshold are those that it has by itself."""
    given_tokens, offsets = said_twice(seed)

    def built(threshold: float, lower: float) -> list[list[list[int]]]:
        found: list[list[list[int]]] = [[], [], [], []]
        for seeds, scores, back in find_links(given_tokens, offsets, 5, 3, lambda links: links):
            if not len(seeds):
                continue
            order = np.argsort(-scores, kind="stable")
            chains, parts = (np.empty((2 * len(seeds), 5), dtype=np.int64) for _ in range(2))
            counts, none = np.zeros(4, dtype=np.int64), np.empty(0, dtype=np.int64)
            cut = np.zeros(len(offsets), dtype=np.bool_)
            ends = 0, len(given_tokens), seeds, order, back, scores, none, none, 12
            kernels.build_chains(given_tokens, offsets, *ends, threshold, lower, chains, parts, counts, cut)
            for i, rows in enumerate((chains, parts)):
                found[i] += rows[: counts[i]].tolist()
                found[2 + i] += rows[len(seeds) :][: counts[2 + i]].tolist()
        return found

    above, below = built(0.8, 0.6), built(0.6, 0.6)
    assert above[2:] == below[:2] == below[2:]
    assert above[:2] == built(0.8, 0.8)[2:]
    assert len(above[2]) > 0


@pytest.mark.parametrize("step", [1, -1])
def test_a_score_of_millions(step: int) -> None:
    """So many equal tokens that scores are counted from another one on, and then others."""
    count = alignment.MOST_SCORE // 2 + 100
    tokens_of_both = [np.arange(count + 50), np.append(np.arange(count), np.arange(50) - 1000)]
    values = np.concatenate(tokens_of_both if step > 0 else [some[::-1] for some in tokens_of_both[::-1]])
    at, source = (0, count + 50) if step > 0 else (2 * count + 99, count + 49)
    found, marks = np.empty(6, dtype=np.int64), np.empty((alignment.MARKS, 3), dtype=np.int64)
    state, near = np.empty(band_kernels.BAND_LANES, dtype=np.int64), np.empty(alignment.SOURCE_TOKENS, dtype=np.uint64)
    walked, mine = np.zeros(len(values), dtype=np.uint8), np.uint8(1)
    rooms = count + 50, count + 50
    given_ends = values.astype(np.uint32), at, source, step, *rooms, walked, mine, 0, 0
    assert grow(*given_ends, found, marks, state, near) == count + 6
    assert found[:5].tolist()[:4] == [count, count, count, 0]
    assert marks[found[4] - 1].tolist()[0] > count - 2 * count // alignment.MARKS

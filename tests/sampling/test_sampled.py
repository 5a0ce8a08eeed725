"""A sample against all: counted as plain sets count it, however the units are cut into blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.hashing.units import HashRows
from dedup.sampling.sampled import BINS, LIMIT_BITS, MOST_COMPARED, index_sample, nothing_seen, see_block
from tests import kernel_twins

HASHES = st.integers(0, (1 << 64) - 1) | st.sampled_from([0, 1, 2, 3, (1 << 64) - 1, 1 << 63, (1 << 63) + 1])
SETS = st.lists(st.frozensets(HASHES, min_size=1, max_size=8), min_size=1, max_size=12)


def packed(rows: list[list[int]]) -> HashRows:
    """Give some rows as arrays."""
    values = np.array([value for row in rows for value in row], dtype=np.uint64)
    return HashRows(values, np.cumsum([0, *map(len, rows)]).astype(np.int64))


@given(SETS, st.data())
def test_a_sample_is_compared_with_all(texts: list[frozenset[int]], data: st.DataObject) -> None:
    """The counts, the best similarity and the first partner are those of plain sets, block by block or at once."""
    chosen = data.draw(st.lists(st.sampled_from(range(len(texts))), unique=True, min_size=1))
    own = [chosen.index(place) if place in chosen else -1 for place in range(len(texts))]
    expected = kernel_twins.compare_sample(texts, own, [texts[place] for place in chosen], BINS)
    index = index_sample([np.array(sorted(texts[place]), dtype=np.uint64) for place in chosen])
    seen = nothing_seen(len(chosen))
    cut = data.draw(st.integers(0, len(texts)))
    for first, last in ((0, cut), (cut, len(texts))):
        rows = packed([[*text, *text] for text in texts[first:last]])  # hashes may repeat
        places = np.arange(last - first, dtype=np.int64)
        seen.add(see_block(rows, places, np.array(own[first:last], dtype=np.int64), index, first))
    assert expected == (seen.counts.tolist(), seen.best.tolist(), seen.partner.tolist())


def test_large_sets_are_thinned() -> None:
    """Of large sets about `MOST_COMPARED` hashes are compared, and the similarity is close to that of all."""
    random = np.random.default_rng(1)
    hashes = random.integers(0, 1 << 64, 30_000, dtype=np.uint64)
    left, right = hashes[:20_000], hashes[10_000:]
    index = index_sample([np.unique(left)])
    assert index.limit < 1 << LIMIT_BITS
    assert index.sizes.tolist() == [pytest.approx(MOST_COMPARED, rel=0.2)]
    rows = HashRows(right.copy(), np.array([0, len(right)]))
    seen = see_block(rows, np.zeros(1, dtype=np.int64), np.full(1, -1), index, 7)
    assert seen.best.tolist() == [pytest.approx(1 / 3, abs=0.07)]
    assert seen.partner.tolist() == [7]

"""A held side: of the rows that are read past it, none that reaches the threshold with one of its sets is dropped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.hashing.units import HashRows, HashSets
from dedup.pairs.seen_across import HeldSide
from dedup.threshold import Metric, Threshold
from tests import kernel_twins
from tests.kernel_twins import MASK64

HASHES = [*map(kernel_twins.mix, range(40)), *(i << 59 for i in range(8)), 0, 1, MASK64, MASK64 - 1]
ROWS = st.lists(st.lists(st.sampled_from(HASHES), min_size=1, max_size=30), max_size=8)


def rows_of(rows: Sequence[Sequence[int]]) -> HashRows:
    """Give rows as they are read: with repetitions, in any order."""
    values = np.array([h for row in rows for h in row], dtype=np.uint64)
    return HashRows(values, np.cumsum([0, *map(len, rows)], dtype=np.int64))


def sets_of(rows: Sequence[Sequence[int]]) -> HashSets:
    """Give rows as sorted sets."""
    values, offsets = rows_of([sorted(set(row)) for row in rows])
    return HashSets(values, offsets[:-1].copy(), np.diff(offsets))


@given(ROWS, ROWS, st.sampled_from([0.3, 0.8, 0.95, 1.0]), st.sampled_from(["jaccard", "containment"]), st.data())
def test_no_partner_is_dropped(
    held: list[list[int]], rows: list[list[int]], threshold: float, metric: str, data: st.DataObject
) -> None:
    """Rows that reach the threshold are kept, and no row that was not chosen is."""
    rows = rows + [data.draw(st.permutations(row + row[:2])) for row in held]
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))), dtype=np.bool_)
    side = HeldSide(sets_of(held), Threshold(threshold, Metric(metric)), data.draw(st.sampled_from([1, 3])))
    kept = side.may_match(rows_of(rows), chosen)
    for row, was_chosen, stays in zip(rows, chosen.tolist(), kept.tolist(), strict=True):
        assert was_chosen or not stays
        for other in held:
            one, two = set(row), set(other)
            whole = len(one | two) if metric == "jaccard" else min(len(one), len(two))
            if len(one & two) / whole >= threshold:
                assert stays or not was_chosen


@pytest.mark.parametrize("threads", [1, 2, 64])
def test_other_rows_are_dropped(threads: int) -> None:
    """Rows of other texts are dropped, and those that have a quarter of a held one; repetitions count once."""
    generator = np.random.default_rng(4)
    held = [generator.integers(0, 1 << 64, 500, dtype=np.uint64).tolist() for _ in range(40)]
    others = [generator.integers(0, 1 << 64, 500, dtype=np.uint64).tolist() for _ in range(400)]
    quarters = [[*own[:125], *other[:375]] for own, other in zip(held, others, strict=False)]
    near = [own + other[:10] * 30 for own, other in zip(held, others, strict=False)]
    side = HeldSide(sets_of(held), Threshold(0.8), threads)
    kept = side.may_match(rows_of([*others, *quarters, *near]), np.ones(480, dtype=np.bool_))
    assert kept[:440].sum() < 5
    assert kept[440:].all()

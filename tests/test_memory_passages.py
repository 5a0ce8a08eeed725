"""A bound on memory for passages: the same answer in more readings, within the bound; else an error that says more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup import columns, matching, plan, streams, survivors
from dedup.marks import Sieve
from dedup.meeting import Meeting
from tests import strategies

TEXTS = st.lists(st.one_of(strategies.articles(3), strategies.texts(0, 30)), max_size=6)


@contextmanager
def tight(block: int, room: int) -> Iterator[list[int]]:
    """Make every bound too small for one reading, blocks of some characters and tables of some bytes; note ranges."""
    ranges: list[int] = []

    class Spy(Sieve):
        def __init__(self, _: int, *args: Any, **options: Any) -> None:
            super().__init__(1 << 12, *args, **{**options, "room": room})
            ranges.append(self.ranges)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan.Plan, "one_pass", property(lambda _: False))
        patch.setattr(streams, "LONG", block)
        patch.setattr(streams, "BLOCK_BYTES", block)
        patch.setattr(columns, "BLOCK_BYTES", block)
        patch.setattr(survivors, "Sieve", Spy)
        yield ranges


@given(TEXTS, st.sampled_from([1, 3, 8, 20]), st.sampled_from([1.0, 0.8, 0.5]), st.integers(1, 200))
def test_repeats_under_a_bound(texts: list[str], min_words: int, threshold: float, block: int) -> None:
    """However the texts are cut and the table shared out, the repeats are the same."""
    options: dict[str, Any] = {"min_words": min_words, "threshold": threshold, "threads": 1}
    whole = dedup.find_repeats(texts, **options)
    for room in (1 << 30, 256):
        with tight(block, room) as ranges:
            bounded = dedup.find_repeats(texts, memory="10GB", **options)
        assert whole.table == bounded.table
        assert whole.without_repeats() == bounded.without_repeats()
        assert set(ranges) == {16 if room == 256 else 1}


@given(
    st.tuples(TEXTS, TEXTS),
    st.sampled_from([1, 3, 8]),
    st.sampled_from([1.0, 0.8, 0.3]),
    st.sampled_from(["jaccard", "containment"]),
    st.sampled_from(["words:5", "words:1", "chars:4"]),
    st.integers(1, 200),
)
def test_matches_under_a_bound(
    sides: tuple[list[str], list[str]], min_words: int, threshold: float, metric: str, shingle: str, block: int
) -> None:
    """Pairs and passages are the same, however the texts are cut; with tables that are too small, too."""
    options: dict[str, Any] = {"min_words": min_words, "threshold": threshold, "metric": metric, "shingle": shingle}
    sides = (sides[0], [*sides[1], *sides[0][:2]])
    whole = dedup.match(*sides, threads=1, **options)
    for room in (1 << 30, 1):
        with small_tables(room), tight(block, 256):
            bounded = dedup.match(*sides, threads=1, memory="10GB", **options)
        assert (whole.pairs, whole.passages, whole.summary) == (bounded.pairs, bounded.passages, bounded.summary)


@contextmanager
def small_tables(room: int) -> Iterator[None]:
    """Give the tables of two sides so many bytes."""
    meeting, keep = matching.Meeting, matching.keep_both

    def roomy(*args: Any, **options: Any) -> Meeting:
        return meeting(*args, **{**options, "room": room})

    def keeping(left: Any, right: Any, size: int, anchors: int, _: int, afford: Any) -> survivors.Survivors:
        return keep(left, right, size, anchors, room, afford)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "Meeting", roomy)
        patch.setattr(matching, "keep_both", keeping)
        yield

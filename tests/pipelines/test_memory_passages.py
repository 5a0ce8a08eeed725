"""A bound on memory for passages: the same answer in more readings, within the bound; else an error that says more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import ParameterError
from dedup.hashing import token_stream
from dedup.kernels.text_layout import UNSETTLED
from dedup.pairs import filter_passes
from dedup.pairs.seen_twice import SeenTwice
from dedup.pipelines.match import match_in
from dedup.pipelines.repeats import repeats_in
from dedup.reading import PLAIN
from dedup.sources.coerce import read_texts
from dedup.sources.texts import BlockLimits, ListTexts, Texts
from dedup.text import unicode
from tests import strategies
from tests.plans import passage_passes

TEXTS = st.lists(st.one_of(strategies.articles(3), strategies.texts(0, 30)), max_size=6)


@contextmanager
def noted_ranges() -> Iterator[list[int]]:
    """Note the ranges of the tables that are made."""
    ranges: list[int] = []

    class Spy(SeenTwice):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            ranges.append(self.ranges)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filter_passes, "SeenTwice", Spy)
        yield ranges


def cut(texts: list[str], block: int) -> Texts:
    """Give texts in blocks, and in pieces, of so many characters."""
    return read_texts(texts, limits=BlockLimits(size=block))


@given(TEXTS, st.sampled_from([1, 3, 8, 20]), st.sampled_from([1.0, 0.8, 0.5]), st.integers(1, 200))
def test_repeats_under_a_bound(texts: list[str], min_words: int, threshold: float, block: int) -> None:
    """However the texts are cut and the table shared out, the repeats are the same."""
    options: dict[str, Any] = {"min_words": min_words, "threshold": threshold, "threads": 1}
    whole = dedup.find_repeats(texts, **options)
    for room in (1 << 30, 256):
        planned = passage_passes(words=1 << 13, table_bytes=room)
        with noted_ranges() as ranges:
            bounded = repeats_in(cut(texts, block), memory="10GB", planned=planned, **options)
        assert whole.table == bounded.table
        assert whole.without_repeats() == bounded.without_repeats()
        assert ranges
        assert all((number > 1) == (room == 256) for number in ranges)


@given(
    st.tuples(TEXTS, TEXTS),
    st.sampled_from([1, 3, 8, 25]),
    st.sampled_from([1.0, 0.8, 0.3]),
    st.sampled_from(["jaccard", "containment"]),
    st.sampled_from(["words:5", "words:1", "chars:4"]),
    st.sampled_from(["document", "paragraph"]),
    st.integers(1, 200),
    st.sampled_from([1.0, 0.8, 0.5]),
)
def test_matches_under_a_bound(
    sides: tuple[list[str], list[str]],
    min_words: int,
    threshold: float,
    metric: str,
    shingle: str,
    unit: str,
    block: int,
    passage_threshold: float,
) -> None:
    """Pairs and passages are the same, however the texts are cut; with tables that are too small, too."""
    options: dict[str, Any] = {"min_words": min_words, "threshold": threshold, "metric": metric, "shingle": shingle}
    options |= {"unit": unit, "passage_threshold": passage_threshold}
    sides = (sides[0], [*sides[1], *sides[0][:2]])
    whole = dedup.match(*sides, threads=1, **options)
    for room in (1 << 30, 1):
        left, right = (cut(side, block) for side in sides)
        planned = passage_passes(words=1 << 12, table_bytes=room)
        bounded = match_in(left, right, threads=1, memory="10GB", planned=planned, **options)
        assert "mark" in bounded.timings, "read more than once"
        assert (whole.pairs, whole.passages, whole.summary) == (bounded.pairs, bounded.passages, bounded.summary)


GROWTH = """
    import json, random, sys
    import dedup, dedup.pipelines.memory
    from benchmarks.speed.measure import Peak

    def texts(count, chance):
        return [" ".join(f"w{chance.randrange(30000)}" for _ in range(400)) for _ in range(count)]

    what, threshold, bound = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(1)
    new = texts(9000, chance)
    new += new[:100]

    def search(some, **options):
        if what == "repeats":
            found = dedup.find_repeats(some, threshold=threshold, threads=1, **options)
            return [tuple(repeat) for repeat in found]
        half = len(some) // 2
        found = dedup.match(some[:half], some[half:], threshold=threshold, threads=1, **options)
        return found.pairs.to_pylist() + found.passages.to_pylist()

    search(new[:300] + new[:40])  # kernels are loaded
    property_ = dedup.pipelines.memory.TextPlan.one_pass
    dedup.pipelines.memory.TextPlan.one_pass = property(lambda _: False)
    search(new[:300] + new[:40], memory="10GB")
    dedup.pipelines.memory.TextPlan.one_pass = property_
    grown = []
    for memory in (bound, None):
        peak = Peak()
        peak.start()
        found = search(new, memory=memory)
        grown.append((peak.stop(), len(found), hash(str(found))))
    print(json.dumps(grown))
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="the system does not keep a peak to reset")
@pytest.mark.parametrize("what", ["repeats 1.0", "repeats 0.8", "match 0.8"])
def test_growth_is_below_the_bound(what: str) -> None:
    """The resident set, measured in a process of its own, grows by less than was allowed; the answer is the same."""
    bound = 70_000_000
    command = [sys.executable, "-c", textwrap.dedent(GROWTH), *what.split(), str(bound)]
    ended = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": "0"}
    )
    bounded, free = json.loads(ended.stdout)
    assert bounded[1:] == free[1:]
    assert bounded[1] >= 100
    assert bounded[0] <= bound


@pytest.mark.parametrize("search", [dedup.find_repeats, lambda texts, **o: dedup.match(texts, texts, **o)])
def test_too_small_a_bound(search: Any) -> None:
    """The error says what would do, before the work where nothing would, and else where it is known."""
    texts = [" ".join(f"w{n}x{i}" for i in range(300)) for n in range(2000)]
    with pytest.raises(ParameterError, match=r"memory: expected about \d+ MB or more for [24],000 texts, whatever"):
        search(texts, memory="1MB")
    with pytest.raises(ParameterError, match=r"memory: expected about (\d+ MB|\d.\d GB) or more for .* may"):
        search(texts * 3, memory="70MB")
    with pytest.raises(ParameterError, match=r'memory: expected bytes, or a text such as "4GB"'):
        search(texts[:2], memory="lots")


@given(st.lists(strategies.texts(0, 40), max_size=5), st.integers(1, 30))
def test_long_texts_are_read_in_pieces(texts: list[str], block: int) -> None:
    """Wherever a long text is cut, its tokens are the same."""
    texts = [text + " " + text for text in texts]
    whole = token_stream.read_tokens(ListTexts(texts), 1, PLAIN)
    some = np.arange(0, len(texts), 2)
    pieces = cut(texts, block)
    long = [text for text in texts if len(text) > pieces.limits.longest]
    in_pieces = any(each.goes_on for each in token_stream.token_blocks(pieces, 1, PLAIN))
    assert in_pieces == any(token_stream.CUT_PLACE.search(text, block) for text in long)
    again = token_stream.read_tokens(pieces, 2, PLAIN, small=-1)
    part = token_stream.read_tokens(pieces, 1, PLAIN, rows=some, small=-1)
    assert [whole[0].tolist(), whole[1].tolist()] == [again[0].tolist(), again[1].tolist()]
    for row, text in enumerate(some.tolist()):
        expected = whole[0][whole[1][text] : whole[1][text + 1]]
        assert expected.tolist() == part[0][part[1][row] : part[1][row + 1]].tolist()


def test_a_cut_acts_on_nothing() -> None:
    """No character before which a text may be cut acts on what comes before it."""
    index, entries, _, _ = unicode.table()
    points = np.array([point for point in range(0x10000) if token_stream.CUT_PLACE.match(" " + chr(point))])
    found = entries[(index[points >> 8].astype(np.int64) << 8) | points & 255]
    acting = (found & UNSETTLED != 0) | (found >> 8 & 255 != 0) & (found >> 16 == 0)
    assert len(points) > 30_000
    assert not acting.any()

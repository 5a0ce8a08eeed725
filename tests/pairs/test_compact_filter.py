"""The compact filter: what it holds is what would be found among all hashes, however the blocks are cut."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
import dedup.pairs.compact_filter
from dedup.hashing.shingles import parse
from dedup.hashing.source import TextSource
from dedup.hashing.units import Units, read_units
from dedup.kernels import seen_twice as kernels
from dedup.lsh.join import LshLimits
from dedup.pairs.compact_filter import CHARACTERS_PER_SHINGLE, FilterLimits
from dedup.pipelines.find import find_in
from dedup.pipelines.order import Limits
from dedup.runtime.progress import Progress
from dedup.sources.arrow import ArrowTexts
from dedup.sources.coerce import read_texts
from dedup.sources.texts import BlockLimits, ListTexts, Texts
from dedup.threshold import Metric, Threshold
from dedup.unit import Unit
from tests import kernel_twins, oracles, strategies

HASHES = st.integers(0, 60).map(kernel_twins.mix)
ROWS = st.lists(st.lists(HASHES, max_size=30), max_size=12)
WORDS2 = parse("words:2")
UNITS = st.sampled_from(["document", "paragraph", "line"])


EVERY = FilterLimits(least_characters=0, most_shared=1.0, noted_rows=3)
"""No collection is too small, nor its texts too much alike; a few rows are noted together."""

BLOCKS = BlockLimits(size=200)
"""A few texts per block."""


def filtered(texts: Any, **options: Any) -> dedup.Duplicates:
    """Search texts through the filter."""
    limits = Limits(filter=EVERY, lsh=LshLimits(lanes=1 << 20))  # LSH, however alike the texts are
    found = find_in(read_texts(texts, limits=BLOCKS), limits=limits, **options)
    assert {"mark", "hold"} <= found.timings.keys()
    return found


def thinned(texts: Any, threshold: float, *, unit: str = "document", threads: int = 1) -> Units:
    """The units of a thinned collection."""
    collection = read_texts(texts, limits=BLOCKS)
    source = TextSource(collection, WORDS2, Unit(unit), threads, Progress(False))
    units = dedup.pairs.compact_filter.hold_candidates(source, Threshold(threshold), limits=EVERY).units
    whole = read_units(collection, WORDS2, unit=Unit(unit), threads=1)
    for name in ("places", "digests", "filled"):
        assert getattr(whole, name).tolist() == getattr(units, name).tolist()
    for unit in units.held.tolist():  # who is held has all of its hashes, in their order
        own = units.hashes[units.offsets[unit] : units.offsets[unit + 1]]
        assert own.tolist() == whole.hashes[whole.offsets[unit] : whole.offsets[unit + 1]].tolist()
    return units


@given(strategies.corpora(), st.sampled_from([0.7, 0.8, 1.0]), UNITS, st.sampled_from([1, 3]))
def test_no_text_of_a_pair_is_dropped(texts: list[str], threshold: float, unit: str, threads: int) -> None:
    """Units that reach the threshold with another one are held."""
    units = thinned(texts, threshold, unit=unit, threads=threads)
    held = set(units.held.tolist())
    whole = read_units(ListTexts(texts), WORDS2, unit=Unit(unit), threads=1)
    sets = [frozenset(whole.hashes[a:b].tolist()) for a, b in zip(whole.offsets, whole.offsets[1:], strict=False)]
    for left in range(len(sets)):
        for right in range(left):
            if sets[left] and oracles.jaccard(sets[left], sets[right]) >= threshold:
                assert {left, right} <= held


def test_unique_texts_are_dropped() -> None:
    """Texts without a partner are not held; their copies and near copies are."""
    texts = [" ".join(f"w{i}x{j}" for j in range(300)) for i in range(50)]  # long enough that no sample is small
    texts += [texts[3] + " more", texts[7], ""]
    assert thinned(texts, 0.8).held.tolist() == [3, 7, 50, 51]


@pytest.mark.parametrize("unit", ["document", "paragraph"])
@given(texts=strategies.corpora(), threads=st.sampled_from([1, 2]))
def test_the_answer_is_the_same(unit: str, texts: list[str], threads: int) -> None:
    """`find_duplicates` gives the same with thinning and without, from lists and from Arrow."""
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]  # Arrow has no lone surrogates
    column = pa.chunked_array([texts[: len(texts) // 2], texts[len(texts) // 2 :]], type=pa.string())
    found = [filtered(some, unit=unit, threads=threads) for some in (texts, column)]
    found.append(dedup.find_duplicates(texts, unit=unit, threads=1))
    assert "mark" not in found[2].timings
    for table in ("pairs", "clusters", "kept", "removed"):
        first, *others = (getattr(result, table) for result in found)
        assert all(first.equals(other) for other in others)
    assert found[0].summary == found[2].summary


@given(strategies.corpora())
def test_lsh_over_what_is_left(texts: list[str]) -> None:
    """Signatures of the candidate texts: real pairs, and nearly all of them."""
    exact = dedup.find_duplicates(texts, threads=1)
    found = filtered(texts, method="lsh", recall=0.999999, threads=1)
    assert found.summary.method == "lsh"
    every = set(zip(exact.pairs["left"].to_pylist(), exact.pairs["right"].to_pylist(), strict=True))
    some = set(zip(found.pairs["left"].to_pylist(), found.pairs["right"].to_pylist(), strict=True))
    assert some <= every
    assert len(every - some) <= 1


@given(ROWS, st.integers(1, kernels.SAMPLES), st.integers(0, 4), st.sampled_from([0, 1, 255, 256, 300, 600]))
def test_share_out_and_add_alone(rows: list[list[int]], sample: int, part_bits: int, empty: int) -> None:
    """The kernels are their definitions; rows are told apart across pages, after many that are empty too."""
    rows = rows[:2] + [[]] * empty + rows[2:]
    values = np.array([value for row in rows for value in row], dtype=np.uint64)
    offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    bounds = np.empty((1 << part_bits) + 1, dtype=np.int64)
    pages = np.empty((max(len(rows) - 1, 0) // 256 + 1, 1 << part_bits), dtype=np.int32)
    notes = np.empty(len(values), dtype=np.uint32)
    count = kernels.share_out(values, offsets, sample, part_bits, bounds, pages, notes)
    picked = [(value, row) for row, own in enumerate(rows) for value in own if value % kernels.SAMPLES < sample]
    assert count == len(picked) == bounds[-1]
    ordered = sorted(picked, key=lambda one: one[0] >> (64 - part_bits))
    expected = [(value << part_bits & kernel_twins.MASK64) >> 40 << 8 | row % 256 for value, row in ordered]
    assert notes[:count].tolist() == expected
    notes = np.concatenate((np.full(5, 7, dtype=np.uint32), notes))  # others' before them
    bounds += 5
    for part in range(1 << part_bits):
        kernels.mark(notes, bounds[np.newaxis], part, 32 - 6, 8, np.zeros(2, dtype=np.uint64))
    times = Counter(value >> (64 - part_bits - 6) for value, _ in picked)
    alone = np.zeros(len(rows), dtype=np.int64)
    if rows:
        kernels.add_alone(notes, bounds, pages, alone)
    single = Counter(row for value, row in picked if times[value >> (64 - part_bits - 6)] == 1)
    assert alone.tolist() == [single[row] for row in range(len(rows))]


@given(strategies.corpora(), st.data())
def test_some_of_the_texts(texts: list[str], data: st.DataObject) -> None:
    """Some rows of a collection are a collection, whatever it is made of."""
    rows = np.array(sorted(data.draw(st.sets(st.integers(0, max(len(texts) - 1, 0))))) if texts else [], dtype=np.int64)
    half = len(texts) // 2
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    column = pa.chunked_array([[None], texts[:half], texts[half:]], type=pa.string())
    for whole, shift in ((ListTexts(texts), 0), (ArrowTexts(column), 1)):
        some: Texts = whole.some(rows + shift)
        assert some.at_hand
        assert [some[i] for i in range(len(some))] == [texts[row] for row in rows]
        assert [some.original(i) for i in range(len(some))] == [texts[row] for row in rows]
        found = [
            block.values[start:end].tobytes()
            for block in some.blocks()
            for start, end in zip(block.starts, block.ends, strict=True)
        ]
        assert found == [texts[row].encode("utf-8", "surrogatepass") for row in rows]
        assert [block.first for block in some.blocks()] == np.cumsum(
            [0, *(len(block.starts) for block in some.blocks())]
        )[:-1].tolist()


def pays(texts: Texts, threshold: float, metric: Metric = Metric.JACCARD, **limits: Any) -> bool:
    """Whether the candidates alone are held of these texts."""
    source = TextSource(texts, WORDS2, Unit.DOCUMENT, 1, Progress(False))
    return dedup.pairs.compact_filter.pays(source, Threshold(threshold, metric), limits=FilterLimits(**limits))


def test_where_it_pays() -> None:
    """Large collections in memory, at thresholds where the table looks at a part of the hashes."""
    large = {"least_characters": 100}
    texts = ["x" * 60, "y" * 60]
    assert pays(ListTexts(texts), 0.8, **large)
    assert not pays(ListTexts(texts[:1]), 0.8, **large)
    assert not pays(ListTexts(texts), 0.8, Metric.CONTAINMENT, **large)
    assert not pays(ListTexts(texts), 0.3, **large)

    class Elsewhere(ListTexts):
        at_hand = False

    assert not pays(Elsewhere(texts), 0.8, **large)


def test_characters_that_are_shingles() -> None:
    """A text without spaces has as many shingles as one with spaces that is six times as long."""
    least = 200 * CHARACTERS_PER_SHINGLE
    assert pays(ListTexts(["\u5317" * 110, "\u5357" * 110]), 0.8, least_characters=least)
    assert not pays(ListTexts(["\u5317" * 90, "\u5357" * 90]), 0.8, least_characters=least)
    assert not pays(
        ListTexts(["words of some letters " * 5, "other of some lengths " * 5]), 0.8, least_characters=least
    )
    assert pays(ListTexts(["words of some letters " * 30, "other of some lengths " * 30]), 0.8, least_characters=least)


@pytest.mark.parametrize("looked_at", [1, 1 << 22])
def test_versions_are_held(looked_at: int) -> None:
    """Where most texts are like their neighbours, or all are alike, they would only be read twice."""
    every = {"least_characters": 0, "probed_characters": looked_at}
    words = [f"w{i}" for i in range(4000)]
    apart = [" ".join(words[7 * i : 7 * i + 200]) for i in range(0, 500, 40)]
    versions = [" ".join([*words[300 * i : 300 * i + 290], f"v{j}"]) for i in range(13) for j in range(4)]
    family = [" ".join([*words[:300], f"v{j}"]) for j in range(100)]
    assert pays(ListTexts(apart), 0.8, **every)
    assert not pays(ListTexts(versions), 0.8, **every)
    assert not pays(ListTexts(family), 0.8, **every)
    assert pays(ListTexts([]), 0.8, **every)


def test_how_large_texts_are() -> None:
    """In characters of a list, by some of its texts; in bytes of a column."""
    texts = ["abc", "", "d\u00e9"]
    assert ListTexts(texts).extent() == ListTexts([*texts, None]).extent() == 5
    assert ListTexts([]).extent() == 0
    assert ListTexts(["four"] * 10_000).extent() == 40_000
    assert abs(ListTexts(["x" * (i % 7) for i in range(10_000)]).extent() - 30_000) < 3000
    column = pa.chunked_array([["skipped"], texts, [None]], type=pa.string())
    assert ArrowTexts(column.slice(1)).extent() == 6
    assert ArrowTexts(column.slice(1, 2)).extent() == 3


def test_missing_texts_and_stages() -> None:
    """Empty texts are not units; progress reports each stage."""
    told: list[tuple[str, int, int | None]] = []
    texts = ["one two three four five six"] * 3 + ["", None, "alone in the world of words"]
    result = filtered(texts, progress=lambda *what: told.append(what), threads=1)
    assert result.kept.to_pylist() == [0, 3, 4, 5]
    assert {"read", "mark", "hold"} <= {stage for stage, _, _ in told}

"""The parts of the benchmarks that judge: the truth without an index, the bound, the curve."""

from __future__ import annotations

import math

import numpy as np
import pytest

import dedup.pairs.self_join
import dedup.runtime.threads
from tests import corpora, oracles

named = pytest.importorskip("benchmarks.corpora.named")
serial_share = pytest.importorskip("benchmarks.speed.serial_share")
check_recall = pytest.importorskip("benchmarks.quality.check_recall")
score = pytest.importorskip("benchmarks.corpora.score")
truth = pytest.importorskip("benchmarks.corpora.truth")


@pytest.mark.parametrize("threshold", [0.5, 0.8, 1.0])
def test_the_truth(threshold: float) -> None:
    """Three independent ways agree: the index of the benchmarks, their brute force, the oracle of the tests."""
    texts = (
        corpora.families(count=15, size=5, edits=4) + corpora.in_all_scripts()[0] + ["", "one", "one two", "One two!"]
    )
    found = truth.find(texts, threshold)
    pairs = list(zip(found.left.tolist(), found.right.tolist(), strict=True))
    expected = oracles.pairs(texts, threshold)
    assert [(pair.left, pair.right) for pair in expected] == pairs
    assert [pair.jaccard for pair in expected] == found.similarity.tolist()
    assert truth.by_brute_force(texts, threshold) == set(pairs)


@pytest.mark.parametrize(("missed", "pairs"), [(0, 10), (1, 1000), (3, 400), (20, 30_000)])
def test_the_bound(missed: int, pairs: int) -> None:
    """At the bound, as many misses or more have a probability of 5 %."""
    rate = check_recall.fewest_missed(missed, pairs)
    if missed == 0:
        assert rate == 0.0
        return
    fewer = sum(math.comb(pairs, k) * rate**k * (1 - rate) ** (pairs - k) for k in range(missed))
    assert math.isclose(0.05, 1 - fewer, rel_tol=1e-6)


def test_the_copies_of_the_check_are_near_the_threshold() -> None:
    """Enough of the pairs lie in [t, t + 0.02] for the check to mean something."""
    for threshold in (0.5, 0.8, 0.9):
        texts = check_recall.corpus(1, threshold)
        border = check_recall.border(texts, threshold)
        expected = {(p.left, p.right) for p in oracles.pairs(texts, threshold) if p.jaccard <= threshold + 0.02}
        assert expected == border
        assert len(border) > 40


def test_the_curve() -> None:
    """Each step says how many pairs it holds and how many of them were reported, in either form of an answer."""
    pairs = [(0, 1, 0.5), (0, 2, 0.519), (1, 2, 0.52), (3, 4, 1.0)]
    left, right, similarity = (np.array(column) for column in zip(*pairs, strict=True))
    none = np.empty(0, dtype=np.int64)
    every = truth.Truth(left, right, similarity, none, none)
    listed = score.Answer(np.array([2, 4]), np.array([1, 3]))
    assert [(0.5, 2, 0), (0.52, 1, 1), (0.98, 1, 1)] == score.curve(listed, every, 5)
    grouped = score.Answer(groups=np.array([7, 7, -1, -1, -1]))
    assert [(0.5, 2, 1), (0.52, 1, 0), (0.98, 1, 0)] == score.curve(grouped, every, 5)


def test_what_was_measured_again_is_there_once() -> None:
    """A tool that two runs measured with the same texts has one row on the page."""
    page = pytest.importorskip("benchmarks.publish.page")
    row = {"kind": "rivals", "path": "whole", "round": 1, "corpus": "generated:10", "unit": "pairs", "seconds": 1.0}
    curves = [[(0.5, 4, 1)], [(0.5, 4, 2)]]
    results = [{**row, "tool": tool, "curve": curve} for curve in curves for tool in ("one", "other")]
    rows = [line for line in page.of_curves(results, ["curve"]) if line.startswith("| one")]
    assert ["| one, generated:10 | 50.0 | - | - | - | - | - |"] == rows


def test_one_table_for_readers() -> None:
    """A row for each tool in its documented way, the fastest first; each cell has a value for each corpus."""
    page = pytest.importorskip("benchmarks.publish.page")
    row = {"kind": "rivals", "path": "whole", "unit": "pairs", "bytes": 10**7, "memory": 2 * 10**7, "precision": 1.0}
    results = [
        {**row, "tool": tool, "corpus": corpus, "seconds": seconds, "recall": recall}
        for tool, corpus, seconds, recall in [
            ("gaoya", "one", 2.0, 0.5),
            ("gaoya", "other", 4.0, 1.0),
            ("dedup", "one", 1.0, 1.0),
            ("dedup", "one", 0.5, 1.0),
            ("dedup", "one", 0.1, 1.0),
            ("rensa-tuned", "one", 0.1, 1.0),
        ]
    ]
    rows = [line for line in page.of_readers(results, []) if line.startswith("| ")][2:]
    assert rows == [
        "| dedup | 20, - | 100, - | 100, - | 2.0, - |",
        "| gaoya | 5, 2 | 50.00, 100 | 100, 100 | 2.0, 2.0 |",
    ]


@pytest.mark.parametrize(
    ("pieces", "workers", "seconds"),
    [
        ([(0, 1, 0)] * 8, 1, 8),
        ([(0, 1, 0)] * 8, 4, 2),
        ([(1, 1, 0)] * 4, 8, 5),  # the last one is made after four seconds
        ([(0, 1, 1)] * 4, 8, 5),
        ([(0, 1, 0)] * 3 + [(0, 9, 0)], 4, 9),
        ([(0, 1, 0)] * 12, 5, 3),
        ([], 4, 0),
    ],
)
def test_blocks_that_are_handed_out(pieces: list[tuple[float, float, float]], workers: int, seconds: float) -> None:
    """How long blocks take that several workers share, by hand."""
    assert seconds == serial_share.replayed([serial_share.Piece(*piece) for piece in pieces], workers, 6)


def test_a_search_in_pieces() -> None:
    """All stages are recorded, each with its blocks; more workers never take longer; the search is as it was."""
    texts = named.corpus(300, 500)
    rows = [serial_share.summary(serial_share.recorded(texts, workers), workers) for workers in (1, 4)]
    for row in rows:
        assert {"read", "join"} <= set(row["stages"])
        assert row["stages"]["read"]["count"] >= 1
        assert 0 < row["replayed"] <= row["seconds"] * 1.000001
    assert dedup.runtime.threads.map_blocks is dedup.pairs.self_join.map_blocks


def test_what_the_machine_allows() -> None:
    """Each cost and each stage has its time, the stages add up to the search, and the page has a row for each."""
    limits = pytest.importorskip("benchmarks.speed.limits")
    page = pytest.importorskip("benchmarks.publish.page")
    seconds = limits.measured(named.corpus(300, 500), 1)
    stages = [value for name, value in seconds.items() if name.startswith("search: ")]
    assert math.isclose(seconds["search"], sum(stages), rel_tol=1e-6)
    assert any(name.startswith("split: ") for name in seconds)
    lines = page.of_limits([{"kind": "limits", "corpus": "generated:300", "bytes": 10**6, "seconds": seconds}], [])
    assert len(seconds) == len([line for line in lines if line.startswith("| ")]) - 2

"""Hostile texts: work that grows with the text, counted; in the long tests also processor time.

``DEDUP_HYPOTHESIS=long`` measures every flow with every shape from 10^4 to 10^6 code points.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dedup
import dedup.pairs.self_join
from dedup.hashing.token_stream import read_tokens
from dedup.kernels import chains as chain_kernels
from dedup.passages import spans
from dedup.passages.chains import MISSPELLED
from dedup.passages.maximal import find_blocks, find_stretches, find_windows
from dedup.passages.seeds import find_seeds
from dedup.reading import PLAIN
from dedup.runtime.progress import Progress
from dedup.sources.coerce import read_texts
from tests import attacks, oracles, oracles_repeats
from tests.passages.test_seeds import all_links

LONG = os.environ.get("DEDUP_HYPOTHESIS") == "long"
MARKS_ARE_LINEAR = True
"""Whether long runs of combining marks are put in order in linear time."""

FEW = [3_000, 10_000]
"""Code points of the texts in which steps are counted."""


@pytest.mark.parametrize("size", FEW)
@pytest.mark.parametrize("shape", attacks.SHAPES)
def test_steps_of_repeats(shape: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows, blocks, seeds and what the ends of chains walk over are a multiple of the tokens, whatever repeats."""
    texts = attacks.SHAPES[shape](size)
    tokens, offsets = read_tokens(read_texts(texts), 1, PLAIN, Progress(False).stage("read", 1))
    n = len(tokens)
    assert n == sum(len(oracles.tokens(text)) for text in texts)
    _, first, flags = find_windows(tokens, offsets, 50)
    symbols, _ = find_blocks(first, flags)
    assert len(first) <= n
    assert len(symbols) <= 2 * n + 1
    lengths = np.concatenate([np.empty(0, dtype=np.int64), *(length for *_, length in find_seeds(tokens, offsets, 5))])
    assert len(lengths) <= 2 * n
    assert lengths.sum() <= 10 * n
    links = all_links(tokens, offsets, 5, 12)
    exact = find_stretches(tokens, offsets, 50)
    k = len(links.seeds)
    chains, parts = np.empty((2, 2 * k, 5), dtype=np.int64)
    given = (tokens, offsets, 0, n, links.seeds, np.argsort(-links.scores, kind="stable"), links.back, links.scores)
    counts, cut = np.zeros(4, dtype=np.int64), np.zeros(len(offsets), dtype=np.bool_)
    both = 0.8, 0.8 * MISSPELLED
    steps = chain_kernels.build_chains(*given, exact.start, exact.end, 50, *both, chains, parts, counts, cut)
    grown = chains[: counts[0]]
    inside = int(links.seeds[:, 2].sum()) + chain_kernels.GAP * k
    allowed = chain_kernels.AGAIN_IN_TEXT * int(links.seeds[:, 2].sum()) + 2 * (inside + 2 * chain_kernels.AGAIN * k)
    assert steps <= 4 * n + allowed
    assert (grown[:, 1] - grown[:, 0]).sum() <= inside + steps


def test_steps_do_not_grow_with_the_square() -> None:
    """Ten times the loop is about ten times the steps; with ends that are not held back it is a hundred times."""
    steps = []
    for size in (40_000, 400_000):
        tokens = np.array([j % 60 if (j * 7919) % 61 else 100 + j for j in range(size // 4)], dtype=np.uint32)
        tokens = (tokens + np.uint32(1)) * np.uint32(0x9E3779B1)
        offsets = np.array([0, len(tokens)])
        links = all_links(tokens, offsets, 5, 12)
        exact = find_stretches(tokens, offsets, 50)
        chains, parts = np.empty((2, 2 * len(links.seeds), 5), dtype=np.int64)
        order, counts = np.argsort(-links.scores, kind="stable"), np.zeros(4, dtype=np.int64)
        cut = np.zeros(1, dtype=np.bool_)
        given = (tokens, offsets, 0, len(tokens), links.seeds, order, links.back, links.scores, exact.start, exact.end)
        steps.append(chain_kernels.build_chains(*given, 50, 0.8, 0.8 * MISSPELLED, chains, parts, counts, cut))
        assert counts[0] > 0
    assert steps[0] > 0
    assert steps[1] <= 13 * steps[0]


@pytest.mark.parametrize("unit", ["document", "paragraph", "line"])
@pytest.mark.parametrize("shape", [*attacks.SHAPES, *attacks.MARKS])
def test_candidates_of_the_join(shape: str, unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries of the index that meet are few, but where all pairs are just below the threshold: then they are many."""
    work: list[int] = []
    build = dedup.pairs.self_join.build_index

    def listen(indexed: Any, threads: int) -> Any:  # noqa: ANN401  (as the original)
        buckets, met = build(indexed, threads)
        work.append(met)
        return buckets, met

    monkeypatch.setattr(dedup.pairs.self_join, "build_index", listen)
    met = []
    shapes = attacks.SHAPES | attacks.MARKS
    for size in FEW:
        work.clear()
        threshold = attacks.BELOW_THRESHOLD if shape == attacks.BELOW else 0.8
        found = dedup.find_duplicates([*shapes[shape](size), ""], unit=unit, threshold=threshold, threads=1)
        assert found.summary.texts > 0
        met.append(sum(work))
    texts = len(shapes[shape](FEW[1]))
    if shape == attacks.BELOW:
        assert met[1] > texts * (texts - 1) // 2
    else:
        assert met[1] <= 5 * FEW[1]


@pytest.mark.parametrize("size", FEW)
def test_characters_looked_at_in_runs_of_flags(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a span may end in a run of flags is found in one walk over it."""
    looked = 0
    is_flag = spans._is_flag

    def listen(character: str) -> bool:
        nonlocal looked
        looked += 1
        return is_flag(character)

    monkeypatch.setattr(spans, "_is_flag", listen)
    texts = attacks.flags(size)
    found = dedup.find_repeats(texts, threads=1)
    assert [tuple(run) for run in oracles_repeats.repeats(texts, 50)] == [tuple(repeat)[:7] for repeat in found]
    assert 0 < looked <= 12 * size


@pytest.mark.parametrize("shape", [*attacks.SHAPES, *attacks.MARKS])
def test_hostile_texts_keep_the_laws(shape: str) -> None:
    """What is left repeats nothing, and every exact repeat is covered, for these texts too."""
    texts = (attacks.SHAPES | attacks.MARKS)[shape](2_000)
    left = dedup.find_repeats(texts, threads=1).without_repeats()
    assert left == dedup.find_repeats(left, threads=1).without_repeats()
    for row, old in enumerate(texts):
        whole = [(r.start, r.end) for r in dedup.find_repeats(texts, threads=1) if r.document == row]
        for exact in dedup.find_repeats(texts, threads=1, threshold=1.0):
            if exact.document == row:
                assert any(a <= exact.start and exact.end <= b for a, b in whole), old[exact.start : exact.end]
    kept = dedup.find_duplicates([*texts, ""], threads=1).filter([*texts, ""])
    assert dedup.find_duplicates(kept, threads=1).summary.removed == 0


FLOWS: dict[str, Callable[[list[str]], Any]] = {
    "documents": lambda texts: dedup.find_duplicates([*texts, ""], threads=1),
    "containment": lambda texts: dedup.find_duplicates([*texts, ""], metric="containment", threads=1),
    "paragraphs": lambda texts: dedup.find_duplicates(texts, unit="paragraph", threads=1),
    "lines": lambda texts: dedup.find_duplicates(texts, unit="line", threads=1),
    "pairs of two": lambda texts: dedup.match(texts, texts[::-1], min_words=None, threads=1),
    "passages": lambda texts: dedup.match(texts, texts[::-1], threads=1).passages,
    "exact repeats": lambda texts: dedup.find_repeats(texts, threshold=1.0, threads=1),
    "repeats": lambda texts: dedup.find_repeats(texts, threads=1),
    "without repeats": lambda texts: dedup.find_repeats(texts, threads=1).without_repeats(),
    "compare": lambda texts: dedup.compare(texts[0], texts[-1]),
}
JOINS = {"documents", "containment", "paragraphs", "lines", "pairs of two", "passages"}


@pytest.mark.skipif(not LONG, reason="long: set DEDUP_HYPOTHESIS=long")
@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("shape", [*attacks.SHAPES, *attacks.MARKS])
def test_time_grows_with_the_text(shape: str, flow: str) -> None:
    """From 10^4 to 10^6 code points the exponent is 1.2 at most: processor time, the least of three."""
    if (shape == attacks.BELOW and flow in JOINS) or (shape == attacks.ORDERS and flow in ("paragraphs", "lines")):
        pytest.skip("pairs are looked at: by nature the square")
    if shape in attacks.MARKS and not MARKS_ARE_LINEAR:
        pytest.skip("marks are put in order in quadratic time")
    make, run = (attacks.SHAPES | attacks.MARKS)[shape], FLOWS[flow]
    run(make(3_000))  # kernels are compiled
    seconds = []
    for size in (10_000, 1_000_000):
        texts, taken = make(size), []
        for _ in range(3):
            start = time.process_time()
            run(texts)
            taken.append(time.process_time() - start)
        seconds.append(max(min(taken), 1e-4))
    assert math.log10(seconds[1] / seconds[0]) / 2 <= 1.2, seconds

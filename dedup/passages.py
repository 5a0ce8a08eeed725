"""Repeated runs: where a stretch of a sequence stands at an earlier place, exactly or with small gaps.

The sequence is that of the paragraphs that have a token, one class number each; paragraphs are equal if their tokens
are. In naive Python, the exact runs (``threshold=1.0``) of at least `min_words` words are::

    repeat(i, j) = stands_earlier(s, i, j)                                # see dedup.kernels.passages
    runs = [(i, j) for all i < j if repeat(i, j) and not repeat(i - 1, j) and not repeat(i, j + 1)]

A run that overlaps its source at a distance of p words is cut into pieces of p, if p >= min_words.

Below 1.0 each run is a seed: it is extended to both sides over gaps of one paragraph (edited, put in or left out) as
long as the paragraphs behind the gap are equal again. Matched words are those of equal paragraphs and the longest
common subsequence of the gaps; a chain whose share of matched words is below the threshold is cut at its worst gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ["Paragraphs", "Run", "find_runs"]

Block = tuple[int, int, int, int]
"""Equal paragraphs: start, end, start in the source, end in the source."""

GAPS = ((1, 1), (1, 0), (0, 1))
"""Paragraphs left out on the side of the repeat and of its source, in the order in which they are tried."""


@dataclass(frozen=True)
class Paragraphs:
    """The paragraphs that have a token, all texts in a row.

    Attributes
    ----------
    classes : int64, equal for equal paragraphs
    words : int64, tokens of each
    bounds : int64; text t has the paragraphs ``bounds[t]`` to ``bounds[t + 1] - 1``
    tokens : token hashes of paragraph p, ``tokens[offsets[p]:offsets[p + 1]]``
    """

    classes: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]
    bounds: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int64]

    def row(self, paragraph: int) -> list[int]:
        """Return the token hashes of a paragraph."""
        start = self.starts[paragraph]
        return self.tokens[start : start + self.words[paragraph]].tolist()  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Run:
    """Paragraphs [start, end) repeat [source_start, source_end); `matched` words of the longer side's `longer`.

    `cuts` are the parts of [start, end) that say nothing new: equal paragraphs, and edited ones of which half the words
    or more stand in the source. Empty stands for all of it.
    """

    start: int
    end: int
    source_start: int
    source_end: int
    matched: int
    longer: int
    cuts: tuple[tuple[int, int], ...] = ()

    @property
    def similarity(self) -> float:
        """Return matched words / words of the longer side."""
        return self.matched / self.longer


def find_runs(paragraphs: Paragraphs, min_words: int, threshold: float) -> list[Run]:
    """Return the repeated runs, by place. Cost: linear in the paragraphs."""
    reach = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(paragraphs.words)))
    seeds = _pieces(_exact_runs(paragraphs), reach, min_words)
    if threshold >= 1.0:
        return [run for run in seeds if reach[run.end] - reach[run.start] >= min_words]
    extender = _Extender(paragraphs, reach, threshold)
    runs: list[Run] = []
    covered = _Covered(len(paragraphs.classes))
    # the longest first: what lies inside a run that is known already adds nothing
    for seed in sorted(seeds, key=lambda run: (-run.matched, run.start)):
        if covered.end(seed.start) >= seed.end:
            continue
        for run in extender.extend(seed):
            if reach[run.end] - reach[run.start] >= min_words:
                runs.append(run)
                covered.add(run.start, run.end)
    return _outermost(runs)


class _Covered:
    """The furthest end of the runs that start at or before a place: a tree of maxima (Fenwick, 1994)."""

    def __init__(self, places: int) -> None:
        self._ends = [0] * (places + 1)

    def add(self, start: int, end: int) -> None:
        node = start + 1
        while node < len(self._ends):
            self._ends[node] = max(self._ends[node], end)
            node += node & -node

    def end(self, start: int) -> int:
        node, furthest = start + 1, 0
        while node:
            furthest = max(furthest, self._ends[node])
            node -= node & -node
        return furthest


def _exact_runs(paragraphs: Paragraphs) -> list[Run]:
    """Return every maximal run, of any length, with its first place as the source."""
    from dedup.kernels.passages import longest_earlier

    bounds = paragraphs.bounds
    texts = len(bounds) - 1
    # a separator behind each text, each of its own class, keeps runs inside texts
    places = np.arange(len(paragraphs.classes)) + np.repeat(np.arange(texts), np.diff(bounds))
    sequence = np.full(len(places) + texts, -1, dtype=np.int64)
    sequence[places] = paragraphs.classes
    gaps = np.flatnonzero(sequence < 0)
    sequence[gaps] = -1 - np.arange(len(gaps))
    length = np.empty(len(sequence), dtype=np.int64)
    source = np.empty(len(sequence), dtype=np.int64)
    longest_earlier(sequence, len(sequence), length, source)
    length, source = length[places], source[places]
    following = np.concatenate((length[1:], np.zeros(min(len(length), 1), dtype=np.int64)))
    ends = np.flatnonzero((length > 0) & (following != length + 1))
    back = np.empty(len(sequence), dtype=np.int64)
    back[places] = np.arange(len(places))
    runs = []
    for end, size, origin in zip(ends.tolist(), length[ends].tolist(), back[source[ends]].tolist(), strict=True):
        runs.append(Run(end + 1 - size, end + 1, origin + 1 - size, origin + 1, 0, 0))
    return runs


def _pieces(runs: Sequence[Run], reach: npt.NDArray[np.int64], min_words: int) -> list[Run]:
    """Cut the runs that overlap their source into periods; note the words of each."""
    pieces: list[Run] = []
    for run in runs:
        distance = run.start - run.source_start
        period = int(reach[run.start] - reach[run.source_start])
        step = run.end - run.start
        if run.source_end > run.start and period >= min_words:
            step = distance
        for start in range(run.start, run.end, step):
            end = min(start + step, run.end)
            words = int(reach[end] - reach[start])
            pieces.append(Run(start, end, run.source_start, run.source_start + end - start, words, words))
    return pieces


class _Extender:
    """Grows seeds over small gaps and cuts what grew too far."""

    def __init__(self, paragraphs: Paragraphs, reach: npt.NDArray[np.int64], threshold: float) -> None:
        self.paragraphs = paragraphs
        self.classes = paragraphs.classes
        self.reach = reach
        self.threshold = threshold
        self.text = np.repeat(np.arange(len(paragraphs.bounds) - 1), np.diff(paragraphs.bounds))

    def extend(self, seed: Run) -> list[Run]:
        """Return the chain round `seed`, cut where it falls below the threshold."""
        if seed.source_end > seed.start:
            return [seed]  # a short period said over and over: it stays whole
        blocks = [(seed.start, seed.end, seed.source_start, seed.source_end)]
        while (block := self._next(blocks[0], blocks[-1])) is not None:
            blocks.append(block)
        while (block := self._before(blocks[0], blocks[-1])) is not None:
            blocks.insert(0, block)
        return self._cut(blocks)

    def _next(self, first: Block, last: Block) -> Block | None:
        bounds, text = self.paragraphs.bounds, self.text
        end, source_end = last[1], last[3]
        limit = int(bounds[text[last[0]] + 1])
        source_limit = min(int(bounds[text[last[2]] + 1]), first[0])
        for gap, source_gap in GAPS:
            start, source = end + gap, source_end + source_gap
            size = 0
            while (
                start + size < limit
                and source + size < source_limit
                and self.classes[start + size] == self.classes[source + size]
            ):
                size += 1
            if size:
                return start, start + size, source, source + size
        return None

    def _before(self, first: Block, last: Block) -> Block | None:
        bounds, text = self.paragraphs.bounds, self.text
        limit = max(int(bounds[text[first[0]]]), last[3])
        source_limit = int(bounds[text[first[2]]])
        for gap, source_gap in GAPS:
            end, source_end = first[0] - gap, first[2] - source_gap
            size = 0
            while (
                end - size > limit
                and source_end - size > source_limit
                and self.classes[end - size - 1] == self.classes[source_end - size - 1]
            ):
                size += 1
            if size:
                return end - size, end, source_end - size, source_end
        return None

    def _cut(self, blocks: list[Block]) -> list[Run]:
        """Return the run over `blocks`, or the runs of its parts where too few words match."""
        reach = self.reach
        equal = [int(reach[end] - reach[start]) for start, end, _, _ in blocks]
        in_gaps = [self._matched(a, b) for a, b in pairwise(blocks)]
        parts = [(0, len(blocks))]
        runs = []
        while parts:
            low, high = parts.pop()
            start, source_start = blocks[low][0], blocks[low][2]
            end, source_end = blocks[high - 1][1], blocks[high - 1][3]
            matched = sum(equal[low:high]) + sum(in_gaps[low : high - 1])
            longer = int(max(reach[end] - reach[start], reach[source_end] - reach[source_start]))
            if matched / longer >= self.threshold:
                cuts = self._cuts(blocks[low:high], in_gaps[low : high - 1])
                runs.append(Run(start, end, source_start, source_end, matched, longer, cuts))
                continue
            worst = max(range(low, high - 1), key=lambda gap: self._lost(blocks[gap], blocks[gap + 1], in_gaps[gap]))
            parts += [(worst + 1, high), (low, worst + 1)]
        return runs

    def _cuts(self, blocks: list[Block], in_gaps: list[int]) -> tuple[tuple[int, int], ...]:
        """Return the paragraphs of a chain that repeat, without those in gaps that are new."""
        cuts = [blocks[0][:2]]
        for (_, _, _, source_end), (start, end, source_start, _), matched in zip(
            blocks, blocks[1:], in_gaps, strict=False
        ):
            last = cuts[-1][1]
            longer = max(self.reach[start] - self.reach[last], self.reach[source_start] - self.reach[source_end])
            if start == last or 2 * matched >= longer:
                cuts[-1] = (cuts[-1][0], end)
            else:
                cuts.append((start, end))
        return tuple(cuts)

    def _lost(self, before: Block, after: Block, matched: int) -> int:
        reach = self.reach
        return int(max(reach[after[0]] - reach[before[1]], reach[after[2]] - reach[before[3]])) - matched

    def _matched(self, before: Block, after: Block) -> int:
        """Return the words that the gap between two blocks has in common with that of the source."""
        if after[0] == before[1] or after[2] == before[3]:
            return 0
        return common_subsequence(self.paragraphs.row(before[1]), self.paragraphs.row(before[3]))


def common_subsequence(left: Sequence[int], right: Sequence[int]) -> int:
    """Return the length of the longest common subsequence: Hyyro's bit vectors, one big integer operation a symbol."""
    places: dict[int, int] = {}
    for i, symbol in enumerate(left):
        places[symbol] = places.get(symbol, 0) | 1 << i
    full = (1 << len(left)) - 1
    open_places = full
    for symbol in right:
        hit = open_places & places.get(symbol, 0)
        open_places = ((open_places + hit) | (open_places - hit)) & full
    return len(left) - open_places.bit_count()


def _outermost(runs: list[Run]) -> list[Run]:
    """Leave out each run that lies inside another one; of equal ones the most similar, then the earliest source."""
    ordered = sorted(runs, key=lambda run: (run.start, -run.end, -run.similarity, run.source_start))
    kept: list[Run] = []
    reached = -1
    for run in ordered:
        if run.end > reached:
            kept.append(run)
            reached = run.end
    return kept

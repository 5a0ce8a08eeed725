"""Doubtful passages: too few of their words are equal, but words that are nearly alike count in part.

So scanned and badly typed copies are found. `dedup.kernels.spelling` has the definition. Only here the words of a
passage are needed as they are spelled. They are read from the spans of the passage, which have the same tokens as the
stretches that they are of.

Cost: the characters of the doubtful passages, and their words times the edits that the threshold allows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.kernels.text_layout import PADDING
from dedup.passages.chains import Passages, within
from dedup.passages.maximal import Places
from dedup.passages.spans import Spans
from dedup.reading import PLAIN, Reading
from dedup.runtime.threads import map_blocks
from dedup.text.rewriting import rewrite
from dedup.text.tokens import hash_characters

__all__ = ["Spelled", "spell"]

SPELLED_TOGETHER, CHARACTERS_HELD = 1 << 14, 1 << 18
"""Characters of passages that are compared at a time by a thread, and that are held: a megabyte or two. The texts are
read in order for as many passages as are held."""


class Spelled(NamedTuple):
    """Passages, their `similarity` (float64), which of those given they are (bool), and which parts (bool)."""

    passages: Passages
    similarity: npt.NDArray[np.float64]
    rows: npt.NDArray[np.bool_]
    parts: npt.NDArray[np.bool_]


def spell(
    text_of: Callable[[int], str],
    offsets: Places,
    passages: Passages,
    spans: tuple[Spans, Spans],
    threshold: float,
    threads: int = 1,
    *,
    reading: Reading = PLAIN,
    held: int = CHARACTERS_HELD,
) -> Spelled:
    """Return the passages that are in no doubt, and the doubtful ones whose similarity reaches the threshold.

    Those inside a doubtful one that does are left out: it says what they say. `spans` are those of the passages, and of
    their sources, in their texts.
    """
    from dedup.kernels.spelling import WORD_WEIGHT

    longer = passages.longer
    totals = WORD_WEIGHT * passages.matched
    doubtful = np.flatnonzero(passages.doubtful)
    here, there = spans
    size = np.cumsum((here.end - here.start + there.end - there.start)[doubtful])
    for some in np.split(doubtful, np.flatnonzero(np.diff(size // held)) + 1):
        if len(some):
            least = np.floor(threshold * WORD_WEIGHT * longer[some]).astype(np.int64) - 1
            found = _totals(text_of, offsets, passages, spans, some, least, threads, reading)
            totals[some] = np.minimum(found, WORD_WEIGHT * longer[some])
    similarity = totals / WORD_WEIGHT / np.maximum(longer, 1)
    proved = passages.doubtful & (similarity >= threshold)
    start, end = passages.stretches.start, passages.stretches.end
    rows = proved | ~(passages.doubtful | within(start, end, start[proved], end[proved]))
    return Spelled(passages.some(rows), similarity[rows], rows, rows[passages.part_of])


def _totals(
    text_of: Callable[[int], str],
    offsets: Places,
    passages: Passages,
    spans: tuple[Spans, Spans],
    rows: Places,
    least: Places,
    threads: int,
    reading: Reading,
) -> Places:
    """Return what some passages have in common with their sources."""
    sides = passages.stretches.start[rows], passages.stretches.source[rows]
    text = np.column_stack([np.searchsorted(offsets, side, side="right") - 1 for side in sides]).ravel()
    start, end = (np.column_stack([span[column][rows] for span in spans]).ravel() for column in (0, 1))
    strings = [""] * len(text)
    order = np.argsort(text, kind="stable")
    last, whole = -1, ""
    for at, number, a, b in zip(
        *(column.tolist() for column in (order, text[order], start[order], end[order])), strict=True
    ):
        if number != last:
            last, whole = number, text_of(number)
        strings[at] = whole[a:b]
    group = np.cumsum([len(strings[2 * i]) + len(strings[2 * i + 1]) for i in range(len(rows))]) // SPELLED_TOGETHER
    bounds = [0, *(np.flatnonzero(np.diff(group)) + 1).tolist(), len(rows)]
    matched = passages.matched[rows]

    def work(some: slice) -> Places:
        return _compare(strings[2 * some.start : 2 * some.stop], matched[some], least[some], reading)

    return np.concatenate(list(map_blocks(work, map(slice, bounds[:-1], bounds[1:]), threads)))


def _compare(strings: list[str], matched: Places, least: Places, reading: Reading) -> Places:
    """Return what the passages 2 i and 2 i + 1 have in common."""
    from dedup.kernels import spelling as kernels

    points, offsets = _points(strings, reading)
    some, _ = _points(["0 1 2 3 4 5 6 7 8 9"], PLAIN._replace(key=reading.key))
    totals = np.empty(len(matched), dtype=np.int64)
    kernels.spelled_alike(points, offsets, some[1], some[::2].copy(), matched, least, totals)
    return totals


def _points(strings: list[str], reading: Reading) -> tuple[npt.NDArray[np.uint64], Places]:
    """Return the code points of the tokens of strings, joined by single spaces, as hashes, and where each begins."""
    data = [text.encode("utf-8", "surrogatepass") for text in strings]
    bounds = np.cumsum([0, *map(len, data)], dtype=np.int64)
    values = np.frombuffer(b"".join([*data, bytes(PADDING)]), dtype=np.uint8)
    made = rewrite(values, bounds[:-1], bounds[1:], reading)
    points, offsets, _ = hash_characters(made.values, made.starts, made.ends, reading, np.empty(0, dtype=np.uint64))
    return points, offsets

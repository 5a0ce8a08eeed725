"""The flow of `match`: the order of the stages across two collections, and nothing else.

both sides -> blocks -> units with shingle hashes -> exact copies collapse on each side -> join across -> pairs
both sides -> blocks -> token hashes -> stretches -> spans -> passages
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.blocks import thread_count
from dedup.crossing import join_across
from dedup.errors import ParameterError
from dedup.lsh import check_threshold
from dedup.matches import Matches, MatchRun, Passages
from dedup.pairs import METRICS
from dedup.progress import Progress, ProgressOption
from dedup.shingling import parse
from dedup.sides import Sides, read_side
from dedup.spans import find_spans
from dedup.streams import read_tokens
from dedup.stretches import find_across
from dedup.units import Units, read_units

__all__ = ["match"]


def match(
    texts: Any,
    against: Any,
    *,
    threshold: float = 0.8,
    metric: str = "jaccard",
    shingle: str | None = None,
    min_words: int | None = 50,
    ids: Iterable[Any] | None = None,
    column: str | None = None,
    id: str | None = None,
    against_ids: Iterable[Any] | None = None,
    against_column: str | None = None,
    against_id: str | None = None,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> Matches:
    """Find what of `texts` stands in `against`: whole texts, exactly and nearly so, and passages word for word.

    Texts of one side are never compared with each other.

    Parameters
    ----------
    texts, against : collections in any form that `dedup.find_duplicates` takes: the left and the right side
    threshold : 0 < threshold <= 1; a pair is reported iff its similarity is at least this
    metric : "jaccard" (shared / union of the shingle sets), or "containment": shared / the smaller set, which finds an
        article inside a longer page. The evidence says which stands in which
    shingle : "words:n" or "chars:n"; by default "words:5"
    min_words : from 1 on; words that a passage has at least. None: passages are not looked for
    ids, column, id : of `texts`, as for `dedup.find_duplicates`
    against_ids, against_column, against_id : the same of `against`
    threads, progress : as for `dedup.find_duplicates`

    Returns
    -------
    Matches, with ``pairs``, ``passages``, ``matched``, ``filter``, ``cut``, ``summary``

    Raises
    ------
    ParameterError : an option means nothing, or more pairs reach the threshold than memory can hold
    InputError : texts, ids or columns cannot be used; the message names the side and the place

    Notes
    -----
    Both are exact: every pair at or above the threshold is found ("exact" is with respect to the 64-bit hashes of the
    shingles), and every stretch of `min_words` tokens or more that cannot be made longer, with the first place where it
    stands. Memory: 8 bytes a shingle, and half as much again for tables. Algorithms: a prefix join across the sides
    (`dedup.crossing`); matching statistics on a suffix automaton of blocks (`dedup.stretches`).

    >>> news = {"a": "the bridge is closed until friday", "b": "something else"}
    >>> result = match(news, ["The bridge is closed until Friday!", "it rained"], min_words=5)
    >>> result.pairs.select(["left", "right", "jaccard"]).to_pylist()
    [{'left': 'a', 'right': 0, 'jaccard': 1.0}]
    >>> result.passages.select(["left", "left_start", "left_end", "words"]).to_pylist()
    [{'left': 'a', 'left_start': 0, 'left_end': 33, 'words': 6}]
    >>> result.filter(news)
    {'b': 'something else'}
    """
    if metric not in METRICS:
        raise ParameterError(f"metric: expected {' or '.join(f'{k!r}' for k in METRICS)}, found {metric!r}")
    check_threshold(threshold)
    if min_words is not None and (isinstance(min_words, bool) or not isinstance(min_words, int) or min_words < 1):
        raise ParameterError(f"min_words: expected a whole number from 1 on, or None, found {min_words!r}")
    kind = parse("words:5" if shingle is None else shingle)
    workers = thread_count(threads)
    left = read_side("texts", texts, ids=ids, column=column, id=id)
    right = read_side("against", against, ids=against_ids, column=against_column, id=against_id)
    sides = Sides(left, right, ("texts", "against"))
    with Progress(progress) as stages:
        report = stages.stage("read", len(sides))
        units = read_units(sides, kind, paragraphs=False, threads=workers, progress=report)
        stages.stage("exact copies", 1)
        representatives = _representatives(units, len(left))
        leading = units.full[representatives[units.full] == units.full]
        middle = int(np.searchsorted(leading, len(left)))
        report = stages.stage("join", middle)
        pairs = join_across(
            units, leading[:middle], leading[middle:], threshold, metric, threads=workers, progress=report
        )
        units.hashes = np.empty(0, dtype=np.uint64)
        found = None if min_words is None else _passages(sides, min_words, workers, stages)
    run = MatchRun(metric, str(kind), threshold, min_words, "text" if column is None else column)
    return Matches(run, sides, units, representatives, pairs, found, stages.seconds)


def _representatives(units: Units, left_count: int) -> npt.NDArray[np.int64]:
    """Return the first of the exact copies of each unit on its own side."""
    first = units.representatives(np.arange(len(units), dtype=np.int64))
    right = first[left_count:]
    own = np.full(len(units), len(units), dtype=np.int64)
    np.minimum.at(own, right, np.arange(left_count, len(units), dtype=np.int64))
    first[left_count:] = own[right]
    return first


def _passages(sides: Sides, min_words: int, threads: int, stages: Progress) -> Passages:
    """Return the passages, with the texts of the right side read first: the first place is then the earliest one."""
    turned = sides.turned()
    tokens, offsets = read_tokens(turned, threads, stages.stage("words", len(turned)))
    stages.stage("passages", 1)
    against = len(sides.right)
    found = find_across(tokens, offsets, against, min_words)
    del tokens
    here, there = find_spans(turned.__getitem__, offsets, found, threads)
    return Passages(
        np.searchsorted(offsets, found.start, side="right") - 1 - against,
        here.start,
        here.end,
        np.searchsorted(offsets, found.source, side="right") - 1,
        there.start,
        there.end,
        found.end - found.start,
    )

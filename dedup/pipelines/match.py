"""`match`: options checked, both collections taken in whatever form, and the plan; `dedup.pipelines.order` finds the
pairs, `dedup.pipelines.passage_order` the passages.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from dedup.errors import InputError
from dedup.hashing.source import TextSource, TwoSources
from dedup.hashing.token_stream import LONG
from dedup.options import check_memory, check_min_words, check_progress
from dedup.pipelines import order
from dedup.pipelines.checkpoints import Run
from dedup.pipelines.measure import measure_words
from dedup.pipelines.memory import TextPlan, Unbounded, plan_passages
from dedup.pipelines.passage_order import find_across_sides
from dedup.pipelines.query import Query
from dedup.results.matches import Matches, MatchInfo, Passages
from dedup.runtime.progress import Progress, ProgressOption
from dedup.runtime.threads import thread_count
from dedup.sources.coerce import read_once
from dedup.sources.two_sided import Sides, read_side

__all__ = ["match"]


def match(
    texts: Any,
    against: Any,
    *,
    unit: str = "document",
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
    hash_key: bytes | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
    progress: ProgressOption = None,
) -> Matches:
    """Find what of `texts` stands in `against`: whole texts, exactly and nearly so, and passages word for word.

    Texts of one side are never compared with each other.

    Parameters
    ----------
    texts, against : collections in any form that `dedup.find_duplicates` takes: the left and the right side
    unit : "document", "paragraph" or "line": what pairs are of. Passages are of texts, whatever the unit
    threshold : 0 < threshold <= 1; a pair is reported iff its similarity is at least this
    metric : "jaccard" (shared / union of the shingle sets), or "containment": shared / the smaller set, which finds an
        article inside a longer page. The evidence says which stands in which
    shingle : "words:n" or "chars:n"; by default "words:5" for documents, "words:3" for paragraphs and lines
    min_words : from 1 on; words that a passage has at least. None: passages are not looked for
    ids, column, id : of `texts`, as for `dedup.find_duplicates`
    against_ids, against_column, against_id : the same of `against`
    memory : bytes, or a text such as "4GB": a bound on what is taken above the caller's own texts
        Where it is too small to hold all shingles and words, the texts are read several times; the answer is the same.
    hash_key, threads, progress : as for `dedup.find_duplicates`

    Returns
    -------
    Matches, with ``pairs``, ``passages``, ``matched``, ``filter``, ``cut``, ``summary``

    Raises
    ------
    ParameterError : an option means nothing, more pairs reach the threshold than memory can hold, or `memory` is too
        small even for what may match
    InputError : texts, ids or columns cannot be used; the message names the side and the place

    Notes
    -----
    Both are exact: every pair at or above the threshold is found ("exact" is with respect to the 64-bit hashes of the
    shingles), and every stretch of `min_words` tokens or more that cannot be made longer, with the first place where it
    stands. Memory: 8 bytes a shingle, and half as much again for tables. Algorithms: a prefix join across the sides
    (`dedup.pairs.cross_join`); matching statistics on a suffix automaton of blocks (`dedup.passages.across`).

    >>> news = {"a": "the bridge is closed until friday", "b": "something else"}
    >>> result = match(news, ["The bridge is closed until Friday!", "it rained"], min_words=5)
    >>> result.pairs.select(["left", "right", "jaccard"]).to_pylist()
    [{'left': 'a', 'right': 0, 'jaccard': 1.0}]
    >>> result.passages.select(["left", "left_start", "left_end", "words"]).to_pylist()
    [{'left': 'a', 'left_start': 0, 'left_end': 33, 'words': 6}]
    >>> result.filter(news)
    {'b': 'something else'}
    """
    query = Query.check(unit=unit, threshold=threshold, metric=metric, shingle=shingle, hash_key=hash_key)
    min_words = None if min_words is None else check_min_words(min_words, also=", or None")
    workers, bound, progress = thread_count(threads), check_memory(memory), check_progress(progress)
    if texts is against and read_once(texts):
        raise InputError(
            f"against: expected another collection, found the same {type(texts).__name__} as for texts, which can be "
            "read only once; pass two, or a list"
        )
    left = read_side("texts", texts, ids=ids, column=column, id=id)
    right = read_side("against", against, ids=against_ids, column=against_column, id=against_id)
    for side in (left, right):
        side.bound(bound)
    sides = Sides(left, right, ("texts", "against"))
    plan = None if bound is None else _plan(sides, query, bound, workers)
    with Progress(progress) as stages:
        run = Run(stages, workers)
        shingles = 0 if plan is None else plan.size.shingles
        sources = TwoSources(
            *(TextSource(some, query.shingle, query.unit, workers, stages, shingles) for some in (left, right, sides))
        )
        found = order.match(sources, query.threshold, plan or Unbounded(), run)
        passages = None
        if min_words is not None:
            across = find_across_sides(sides, plan, min_words, query.shingle.key, run)
            here, there = across.left_spans, across.right_spans
            passages = Passages(across.left, here.start, here.end, across.right, there.start, there.end, across.words)
    kind, reached = query.shingle, query.threshold
    info = MatchInfo(
        query.unit, reached.metric, str(kind), reached.value, min_words, left.text_column, kind.key.fingerprint
    )
    room = None if plan is None else plan.room
    evidence = (found.units, found.representatives, found.pairs, passages, found.closest)
    return Matches(info, sides, *evidence, stages.seconds, room)


WORD_BYTES = 210
"""What a word takes where all are held and all match."""


def _plan(sides: Sides, query: Query, memory: int, threads: int) -> TextPlan:
    size = measure_words(sides, unit=query.unit)
    if query.shingle.kind == "chars":  # as many shingles as characters; the tables for passages are large enough then
        size = replace(size, shingles=size.characters)
    return plan_passages(size, memory, threads, max(LONG, size.longest), WORD_BYTES)

"""`match`: check the options, read both collections, and make a plan. `dedup.pipelines.order` then finds the pairs, and
`dedup.pipelines.passage_order` the passages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from dedup.errors import InputError, ParameterError
from dedup.hashing.source import TextSource, TwoSources
from dedup.option_types import DistinctOption, Id, IgnoreOption, MetricOption, TokensOption, UnitOption
from dedup.options import check_memory, check_min_words, check_progress, check_threshold, shown
from dedup.pipelines import order
from dedup.pipelines.checkpoints import Run
from dedup.pipelines.memory import TextPlan, Unbounded, plan_passages
from dedup.pipelines.passage_order import find_across_sides
from dedup.pipelines.query import Query
from dedup.results.match_links import MatchInfo, Passages
from dedup.results.matches import Matches
from dedup.runtime.progress import Progress, ProgressOption
from dedup.runtime.threads import thread_count
from dedup.sampling.measure import measure_words
from dedup.sampling.missed import sketcher_for
from dedup.sources.coerce import read_once
from dedup.sources.two_sided import Sides, read_side

__all__ = ["match", "match_in"]


def match(
    texts: Any,
    against: Any,
    *,
    unit: UnitOption = "document",
    threshold: float = 0.8,
    metric: MetricOption = "jaccard",
    shingle: str | None = None,
    min_words: int | None = 50,
    passage_threshold: float = 0.8,
    ids: Iterable[Id] | None = None,
    column: str | Sequence[str] | None = None,
    id: str | None = None,
    against_ids: Iterable[Id] | None = None,
    against_column: str | Sequence[str] | None = None,
    against_id: str | None = None,
    distinct: DistinctOption = (),
    within: None = None,
    across: None = None,
    ignore: IgnoreOption = (),
    tokens: TokensOption = "words",
    hash_key: bytes | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
    progress: ProgressOption = None,
) -> Matches:
    """Find texts and passages of `texts` that also occur in `against`.

    Texts are found if they are exact or near duplicates, passages if they are equal, with edits or without. Two texts
    of the same side are never compared.

    Parameters
    ----------
    texts, against : collections in any form that `dedup.find_duplicates` takes: the left and the right side
    unit : "document", "paragraph" or "line": the unit of the pairs. Passages are always found in complete texts
    threshold : 0 < threshold <= 1; a pair is reported iff its similarity is at least this
    metric : "jaccard" (shared / union of the shingle sets), or "containment" (shared / the smaller set), which finds an
        article inside a longer page. ``left_in_right`` and ``right_in_left`` show which text is inside the other. Or
        "edit", as for `dedup.find_duplicates`
    shingle : "words:n" or "chars:n"; by default "words:5" for documents, "words:3" for paragraphs and lines
    min_words : from 1 on; the least number of words in a passage. None: passages are not searched
    passage_threshold : 0 < threshold <= 1; the least similarity of a passage (matched words / words of the longer side,
        which has at least `min_words`). At 1.0 a passage is equal word for word; below 1.0 also with edits. Where too
        few words are equal, misspelled ones count in part
    ids, column, id : of `texts`, as for `dedup.find_duplicates`
    against_ids, against_column, against_id : ids, column and id column of `against`
        Without `against_column`, a table or a file of `against` is read by the names in `column`.
    memory : bytes, or a text such as "4GB": a limit on the memory used in addition to the caller's texts
        If the shingles and words do not fit, the texts are read several times; the answer is the same.
    within, across : not for a match, whose two sides are its labels: an error says what to do
    distinct, ignore, tokens, hash_key, threads, progress : as for `dedup.find_duplicates`

    Returns
    -------
    Matches, with ``pairs``, ``passages``, ``matched``, ``filter``, ``cut``, ``summary``

    Raises
    ------
    ParameterError : an option has an invalid value, more pairs reach the threshold than fit in memory, or `memory` is
        too small even for the texts and words that may match
    InputError : texts, ids or columns cannot be used; the message names the side and the place

    Notes
    -----
    Pairs and passages are exact ("exact" is with respect to the 64-bit hashes of the shingles). All pairs at or above
    the threshold are found. At ``passage_threshold=1.0`` all passages are found: stretches of `min_words` tokens or
    more that occur on both sides and cannot be extended; each with its first place in `against`. Below 1.0 each of them
    is reported or lies within a reported passage; passages with edits are found by chains of short equal stretches, a
    heuristic. Memory: 8 bytes per shingle, and half as much again for tables. Algorithms: a prefix join across the
    sides (`dedup.pairs.cross_join`); matching statistics on a suffix automaton of blocks (`dedup.passages.across`);
    chains (`dedup.passages.chains`).

    >>> news = {"a": "the bridge is closed until friday", "b": "something else"}
    >>> result = match(news, ["The bridge is closed until Friday!", "it rained"], min_words=5)
    >>> result.pairs.select(["left", "right", "jaccard"]).to_pylist()
    [{'left': 'a', 'right': 0, 'jaccard': 1.0}]
    >>> result.passages.select(["left", "left_start", "left_end", "words"]).to_pylist()
    [{'left': 'a', 'left_start': 0, 'left_end': 33, 'words': 6}]
    >>> result.filter(news)
    {'b': 'something else'}
    """
    return match_in(
        texts,
        against,
        unit=unit,
        threshold=threshold,
        metric=metric,
        shingle=shingle,
        min_words=min_words,
        passage_threshold=passage_threshold,
        ids=ids,
        column=column,
        id=id,
        against_ids=against_ids,
        against_column=against_column,
        against_id=against_id,
        distinct=distinct,
        within=within,
        across=across,
        ignore=ignore,
        tokens=tokens,
        hash_key=hash_key,
        threads=threads,
        memory=memory,
        progress=progress,
    )


def match_in(
    texts: Any,
    against: Any,
    *,
    min_words: int | None = 50,
    passage_threshold: float = 0.8,
    ids: Iterable[Any] | None = None,
    column: str | Sequence[str] | None = None,
    id: str | None = None,
    against_ids: Iterable[Any] | None = None,
    against_column: str | Sequence[str] | None = None,
    against_id: str | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
    progress: ProgressOption = None,
    limits: order.Limits = order.LIMITS,
    planned: Callable[..., TextPlan] = plan_passages,
    **options: Any,
) -> Matches:
    """Find what `match` finds, whose `options` these are, within other limits of the stages or by another plan.

    `planned` is called as `dedup.pipelines.memory.plan_passages`. Tests hand them in.
    """
    query = Query.check(**options)
    _refuse_labels(query)
    min_words = None if min_words is None else check_min_words(min_words, also=", or None")
    passage_threshold = check_threshold(passage_threshold, "passage_threshold")
    workers, bound, progress = thread_count(threads), check_memory(memory), check_progress(progress)
    if texts is against and read_once(texts):
        raise InputError(
            f"against: expected another collection, found the same {type(texts).__name__} as for texts, which can be "
            "read only once; pass two, or a list"
        )
    left = read_side("texts", texts, ids=ids, column=column, id=id)
    right = read_side("against", against, ids=against_ids, column=against_column, id=against_id, usual=column)
    for side in (left, right):
        side.bound(bound)
    sides = Sides(left, right, ("texts", "against"))
    plan = None if bound is None else _plan(sides, query, bound, workers, passage_threshold, planned)
    with Progress(progress) as stages:
        run = Run(stages, workers)
        how = (workers, stages, 0 if plan is None else plan.size.shingles, query.distinct)
        left_source, right_source = (TextSource(side, query.shingle, query.unit, *how) for side in (left, right))
        both = TextSource(sides, query.shingle, query.unit, *how, sketcher=sketcher_for(query.threshold))
        sources = TwoSources(left_source, right_source, both)
        found = order.match(sources, query, plan or Unbounded(), run, limits=limits)
        passages = None
        if min_words is not None:
            across = find_across_sides(sides, plan, min_words, passage_threshold, query.shingle.reading, run)
            here, there = across.left_spans, across.right_spans
            places = (across.left, here.start, here.end, across.right, there.start, there.end)
            passages = Passages(*places, across.words, across.similarity)
    kind, reached = query.shingle, query.threshold
    info = MatchInfo(
        query.unit,
        reached.metric,
        str(kind),
        reached.value,
        min_words,
        left.text_column,
        kind.key.fingerprint,
        query.distinct,
        kind.reading.ignore,
        kind.reading.tokens,
        passage_threshold,
        found.missed,
    )
    room = None if plan is None else plan.room
    evidence = (found.units, found.representatives, found.pairs, passages, found.closest)
    return Matches(info, sides, *evidence, stages.seconds, room, apart=found.apart, limits=limits.listing)


def _refuse_labels(query: Query) -> None:
    """Raise `ParameterError` if labels are given."""
    by_label = "match the texts of each label by themselves, as match(new[label], old[label])"
    never = "two texts of one side are never compared; or search both together, by find_duplicates(across=...)"
    for option, value, instead in (("within", query.within, by_label), ("across", query.across, never)):
        if value is not None:
            raise ParameterError(f"{option}: expected None in a match, found {shown(value)}; {instead}")


MATCHED_WORD_BYTES = {True: 210, False: 800}
"""Bytes per word if all words are in memory and all match; the key says whether only exact passages are searched."""


def _plan(
    sides: Sides, query: Query, memory: int, threads: int, passage_threshold: float, planned: Callable[..., TextPlan]
) -> TextPlan:
    size = measure_words(sides, unit=query.unit, reading=query.shingle.reading)
    size = replace(size, forms=query.held_forms)
    if query.shingle.kind == "chars":  # as many shingles as characters; then the tables for passages are large enough
        size = replace(size, shingles=size.characters)
    return planned(
        size, memory, threads, max(sides.limits.longest, size.longest), MATCHED_WORD_BYTES[passage_threshold >= 1.0]
    )

"""The flow of `match`: the order of the stages across two collections, and nothing else.

both sides -> blocks -> units with shingle hashes -> exact copies collapse on each side -> join across -> pairs
both sides -> blocks -> token hashes -> stretches -> spans -> passages
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError
from dedup.hash_key import HashKey, choose_key
from dedup.hashing.shingles import Shingle, parse
from dedup.hashing.token_stream import LONG, TokenBlock, read_tokens, token_blocks
from dedup.hashing.units import UNITS, Sketch, Units, read_units, sketches
from dedup.options import check_memory, check_min_words, check_progress, check_threshold, check_word
from dedup.pairs.cross_join import join_across
from dedup.pairs.seen_across import Meeting
from dedup.pairs.verify import METRICS, PairLimit
from dedup.passages.across import find_across
from dedup.passages.maximal import Stretches
from dedup.passages.spans import find_spans
from dedup.passages.window_filter import keep_both
from dedup.pipelines.closest import closest_across
from dedup.pipelines.memory import Plan, measure_words, plan_passages
from dedup.results.matches import Matches, MatchRun, Passages
from dedup.runtime.progress import Progress, ProgressOption
from dedup.runtime.threads import thread_count
from dedup.sources.coerce import Texts, read_once
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
    unit, metric = check_word("unit", unit, tuple(UNITS)), check_word("metric", metric, METRICS)
    threshold = check_threshold(threshold)
    min_words = None if min_words is None else check_min_words(min_words, also=", or None")
    key = choose_key(hash_key)
    kind = parse(UNITS[unit] if shingle is None else shingle, key)
    workers = thread_count(threads)
    bound = check_memory(memory)
    progress = check_progress(progress)
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
    plan = None if bound is None else _plan(sides, kind, bound, workers, unit=unit)
    with Progress(progress) as stages:
        if plan is None or plan.one_pass:
            report = stages.stage("read", sides.about())
            units = read_units(sides, kind, unit=unit, threads=workers, progress=report)
        else:
            units = _sift(sides, kind, plan, threshold, metric, workers, stages, unit=unit)
        stages.stage("exact copies", 1)
        lefts = int(np.searchsorted(units.places[:, 0], len(left)))
        representatives = _representatives(units, lefts)
        leading = units.held[representatives[units.held] == units.held]
        middle = int(np.searchsorted(leading, lefts))
        report = stages.stage("join", middle)
        both = leading[:middle], leading[middle:]
        limit = PairLimit(None if plan is None else plan.room - HASH_BYTES * len(units.hashes), ADVICE)
        pairs = join_across(units, *both, threshold, metric, limit=limit, threads=workers, progress=report)
        closest = None
        if not len(pairs.left):
            stages.stage("closest pair", 1)
            room = None if plan is None else plan.room
            closest = closest_across(units, *both, threshold, metric, room=room, threads=workers)
        units.hashes = np.empty(0, dtype=np.uint64)
        found = None if min_words is None else _passages(sides, plan, min_words, key, workers, stages)
    run = MatchRun(unit, metric, str(kind), threshold, min_words, left.text_column, key.fingerprint)
    room = None if plan is None else plan.room
    return Matches(run, sides, units, representatives, pairs, found, closest, stages.seconds, room)


def _representatives(units: Units, left_count: int) -> npt.NDArray[np.int64]:
    """Return the first of the exact copies of each unit on its own side."""
    first = units.representatives(np.arange(len(units), dtype=np.int64), units.held)
    right = first[left_count:]
    own = np.full(len(units), len(units), dtype=np.int64)
    np.minimum.at(own, right, np.arange(left_count, len(units), dtype=np.int64))
    first[left_count:] = own[right]
    return first


HASH_BYTES = 40
"""What a held shingle takes while texts are joined, at the most."""

ADVICE = "thin out one side with find_duplicates first, raise the threshold, or give more memory"
"""What to do where there are more pairs than fit."""

WORD_BYTES = 210
"""What a word takes where all are held and all match."""

SPAN_BYTES = 1000
"""What a passage takes while its span is found."""

MATCHING = "what may match"


def _plan(sides: Sides, kind: Shingle, memory: int, threads: int, *, unit: str) -> Plan:
    size = measure_words(sides, unit=unit)
    if kind.kind == "chars":  # as many shingles as characters; tables for passages are then larger than they need be
        size = replace(size, shingles=size.characters)
    return plan_passages(size, memory, threads, max(LONG, size.longest), WORD_BYTES)


def _sift(
    sides: Sides,
    kind: Shingle,
    plan: Plan,
    threshold: float,
    metric: str,
    threads: int,
    stages: Progress,
    *,
    unit: str,
) -> Units:
    """Read both sides twice, and keep the hashes of the units that may have a partner on the other one."""
    read = partial(sketches, shingle=kind, unit=unit, threads=threads)
    meeting = Meeting(plan.size.shingles, threshold, whole=metric == "containment", room=plan.room // 4)
    for part in read(sides.left, progress=stages.stage("mark", len(sides.left))):
        meeting.enter(0, part.hashes)
    kept = [np.zeros(0, dtype=np.bool_)]
    for part in read(sides.right, progress=stages.stage("mark", len(sides.right))):
        kept.append(meeting.stays(1, part.hashes, part.offsets))
        meeting.enter(1, part.hashes[np.repeat(kept[-1], np.diff(part.offsets))])
    rights = np.concatenate(kept)
    afford = plan.affording(MATCHING)
    held = passed = 0

    def choose(part: Sketch, _: int) -> npt.NDArray[np.bool_]:
        nonlocal held, passed
        sizes = np.diff(part.offsets)
        if len(sizes) and part.places[0, 0] < len(sides.left):
            stays = meeting.stays(0, part.hashes, part.offsets)
        else:
            stays = rights[passed : passed + len(sizes)]
            passed += len(sizes)
        held += int(sizes[stays].sum())
        share = (int(part.places[-1, 0]) + 1) / len(sides) if len(sizes) else 1.0
        # the tables of the meeting take a quarter of any bound, at the most
        afford(HASH_BYTES * held + meeting.bytes, round(HASH_BYTES * held / share * 4 / 3))
        return stays

    report = stages.stage("read", len(sides))
    return read_units(sides, kind, unit=unit, threads=threads, choose=choose, progress=report)


def _passages(
    sides: Sides, plan: Plan | None, min_words: int, key: HashKey, threads: int, stages: Progress
) -> Passages:
    """Return the passages, with the texts of the right side read first: the first place is then the earliest one."""
    turned = sides.turned()
    against = len(sides.right)
    if plan is None or plan.one_pass:
        tokens, offsets = read_tokens(turned, threads, key, stages.stage("words", len(turned)))
        stages.stage("passages", 1)
        found = find_across(tokens, offsets, against, min_words)
        del tokens
    else:
        afford = plan.affording(MATCHING)

        def read(texts: Texts) -> Iterable[TokenBlock]:
            return token_blocks(texts, threads, key, stages.stage("words", len(texts)))

        readers = partial(read, sides.right), partial(read, sides.left)
        kept = keep_both(*readers, min_words, plan.size.shingles, plan.room // 4, afford)
        stages.stage("passages", 1)
        some = find_across(kept.tokens, kept.offsets, kept.split, min_words, afford)
        found = Stretches(*kept.back(some.start, some.end), *kept.back(some.source, some.source_end))
        offsets = kept.bounds
        del kept, some
        afford(SPAN_BYTES * len(found.start))
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

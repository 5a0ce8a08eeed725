"""The flow of `find_repeats`: texts -> blocks -> token hashes -> stretches -> chains -> spans -> Repeats.

Under a bound that not everything fits, the texts are read several times, and only what may repeat is held.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.hash_key import HashKey, choose_key
from dedup.hashing.token_stream import LONG, TokenBlock, read_tokens, token_blocks
from dedup.options import check_memory, check_min_words, check_progress, check_threshold
from dedup.passages.chains import (
    LINK_BYTES,
    Passages,
    find_chains,
    find_passages,
    find_seeds,
    join_chains,
    link_seeds,
    no_chains,
    seed_tokens,
)
from dedup.passages.maximal import Stretches, find_stretches
from dedup.passages.spans import find_spans
from dedup.passages.window_filter import Survivors, keep_twice
from dedup.pipelines.memory import Plan, measure_words, plan_passages
from dedup.results.repeats import Repeats
from dedup.runtime.progress import Progress, ProgressOption
from dedup.runtime.threads import thread_count
from dedup.sources.coerce import Texts, read_texts

__all__ = ["find_repeats"]


def find_repeats(
    texts: Any,
    *,
    min_words: int = 50,
    threshold: float = 0.8,
    ids: Iterable[Any] | None = None,
    column: str | None = None,
    id: str | None = None,
    hash_key: bytes | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
    progress: ProgressOption = None,
) -> Repeats:
    """Find every stretch of text that repeats an earlier one, inside one text and across a list.

    Parameters
    ----------
    texts : one str, or a collection in any form that `dedup.find_duplicates` takes
    min_words : from 1 on; words that a repeat has at least
    threshold : 0 < threshold <= 1; the least similarity (matched words / words of the longer side). At 1.0 what
        repeats to the word; below, also stretches with small edits between them
    memory : bytes, or a text such as "4GB": a bound on what is taken above the caller's own texts
        Where it is too small to hold all words, the texts are read several times; the answer is the same.
    ids, column, id, hash_key, threads, progress : as for `dedup.find_duplicates`

    Returns
    -------
    Repeats: iterable of `Repeat`, with ``table``, ``coverage``, ``documents``, ``without_repeats()``

    Raises
    ------
    ParameterError : an option means nothing, or `memory` is too small even for what repeats
    InputError : texts, ids or columns cannot be used; the message names the place

    Notes
    -----
    At ``threshold=1.0`` these are exactly the maximal stretches of `min_words` words or more that stand at an earlier
    place too; the source is the first such place. A body that stands three times is two repeats of the first. Below 1.0
    each of them is reported or lies within a repeat that is. Cost: linear in the text, whatever repeats in it.

    >>> body = "\\n\\n".join(f"Paragraph {i} has words enough to tell it from the others." for i in range(6))
    >>> text = f"Title\\n\\n{body}\\n\\nAdvertisement\\n\\n{body}\\n\\nThe end"
    >>> repeat = find_repeats(text)[0]
    >>> text[repeat.start : repeat.end] == body, repeat.paragraphs, repeat.similarity
    (True, 6, 1.0)
    """
    min_words, threshold = check_min_words(min_words), check_threshold(threshold)
    key = choose_key(hash_key)
    workers = thread_count(threads)
    bound = check_memory(memory)
    progress = check_progress(progress)
    bare = isinstance(texts, str)
    collection = read_texts([texts] if bare else texts, ids=ids, column=column, id=id)
    collection.bound(bound)
    plan = None if bound is None else _plan(collection, bound, workers, threshold)
    with Progress(progress) as stages:
        if plan is None or plan.one_pass:
            tokens, offsets = read_tokens(collection, workers, key, stages.stage("read", collection.about()))
            stages.stage("repeats", 1)
            found = find_passages(tokens, offsets, min_words, threshold)
            del tokens
        else:
            found, offsets = _find_in_passes(collection, plan, min_words, threshold, key, workers, stages)
        stages.stage("spans", 1)
        everything = Stretches(*map(np.concatenate, zip(found.stretches, found.parts, strict=True)))
        if plan is not None:
            plan.affording(REPEATING)(SPAN_BYTES * len(everything.start))
        here, there = find_spans(collection.__getitem__, offsets, everything, workers)
    count = len(found.similarity)
    columns = {
        "document": np.searchsorted(offsets, found.stretches.start, side="right") - 1,
        "start": here.start[:count],
        "end": here.end[:count],
        "source_document": np.searchsorted(offsets, found.stretches.source, side="right") - 1,
        "source_start": there.start[:count],
        "source_end": there.end[:count],
        "words": found.stretches.end - found.stretches.start,
        "paragraphs": here.paragraphs[:count],
        "similarity": found.similarity,
    }
    parts = (found.part_of, here.start[count:], here.end[count:])
    asked: dict[str, Any] = {"min_words": min_words, "threshold": threshold}
    how: dict[str, Any] = {"hash_key": key, "threads": threads, "memory": memory, "progress": False}
    again = partial(find_repeats, **asked, **how)  # a pickle of it has the fingerprint of the key alone
    return Repeats(collection, columns, parts, again, asked=asked, bare=bare, hash_key=key.fingerprint)


REPEATING = "the words that may repeat"

WORD_BYTES = {True: 210, False: 800}
"""What a word takes where all are held and all repeat, by whether only exact repeats are asked for."""

SPAN_BYTES = 1000
"""What a repeat takes while its span is found."""


def _plan(texts: Texts, memory: int, threads: int, threshold: float) -> Plan:
    return plan_passages(measure_words(texts), memory, threads, LONG, WORD_BYTES[threshold >= 1.0])


def _find_in_passes(
    texts: Texts, plan: Plan, size: int, threshold: float, key: HashKey, threads: int, stages: Progress
) -> tuple[Passages, npt.NDArray[np.int64]]:
    """Return the repeats, and where the tokens of each text begin; only what may repeat is held."""
    afford = plan.affording(REPEATING)

    def survivors(size: int) -> Survivors:
        def read() -> Iterable[TokenBlock]:
            return token_blocks(texts, threads, key, stages.stage("read", len(texts)))

        return keep_twice(read, size, plan.size.shingles, plan.room // 4, afford)

    kept = survivors(size)
    stages.stage("repeats", 1)
    found = find_stretches(kept.tokens, kept.offsets, size, afford)
    exact = Stretches(*kept.back(found.start, found.end), *kept.back(found.source, found.source_end))
    bounds = kept.bounds
    del kept, found
    if threshold >= 1.0 or bounds[-1] == 0:
        return join_chains(exact, *no_chains(), size), bounds
    exact_bytes = 4 * exact.start.nbytes
    kept = survivors(seed_tokens(size))
    stages.stage("repeats", 1)
    seeds = find_seeds(kept.tokens, kept.offsets, seed_tokens(size), afford)
    ends = seeds[:, :2] + seeds[:, 2:]
    for column in (0, 1):
        seeds[:, column], _ = kept.back(seeds[:, column], ends[:, column])
    del kept, ends
    links = link_seeds(seeds, bounds, size, afford)
    del seeds
    # chains are made in the tokens of the texts that have one, and of their sources
    rows = np.unique(np.searchsorted(bounds, links.seeds[:, :2], side="right") - 1)
    held = int((bounds[rows + 1] - bounds[rows]).sum())
    afford(9 * held + LINK_BYTES * len(links.seeds) + exact_bytes)
    tokens, offsets = read_tokens(texts, threads, key, stages.stage("read", len(rows)), rows)
    stages.stage("repeats", 1)
    # the tokens of a text that is not held stand at no place, which only shifts those behind
    shift = bounds[rows] - offsets[:-1]
    seeds = links.seeds
    for column in (0, 1):
        seeds[:, column] -= shift[np.searchsorted(bounds[rows], seeds[:, column], side="right") - 1]
    text = np.searchsorted(bounds[rows], exact.start, side="right") - 1
    inside = (text >= 0) & (exact.start < bounds[rows + 1][text]) if len(rows) else np.zeros(len(text), dtype=np.bool_)
    chosen = exact.start[inside] - shift[text[inside]], exact.end[inside] - shift[text[inside]]
    chains, parts = find_chains(tokens, offsets, links, Stretches(*chosen, *chosen), size, threshold)
    for table, columns in ((chains, range(4)), (parts, range(1, 5))):
        # an end is that of a token: it lies in the text of the token before it
        for column in columns:
            last = table[:, column] - (column - columns[0]) % 2
            table[:, column] += shift[np.searchsorted(offsets, last, side="right") - 1]
    return join_chains(exact, chains, parts, size), bounds

"""`find_repeats`: check the options, read the texts, and make a plan. `dedup.pipelines.passage_order` then finds the
repeats.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from dedup.option_types import Id, IgnoreOption, TokensOption
from dedup.options import check_memory, check_min_words, check_progress, check_threshold
from dedup.pipelines.checkpoints import Run
from dedup.pipelines.memory import TextPlan, plan_passages
from dedup.pipelines.passage_order import find_repeated
from dedup.reading import PLAIN, Reading
from dedup.results.repeats import Repeats
from dedup.runtime.progress import Progress, ProgressOption
from dedup.runtime.threads import thread_count
from dedup.sampling.measure import measure_words
from dedup.sources.coerce import Texts, names_a_file, read_texts
from dedup.terminal import clean

__all__ = ["find_repeats", "repeats_in"]


def find_repeats(
    texts: Any,
    *,
    min_words: int = 50,
    threshold: float = 0.8,
    ids: Iterable[Id] | None = None,
    column: str | Sequence[str] | None = None,
    id: str | None = None,
    ignore: IgnoreOption = (),
    tokens: TokensOption = "words",
    hash_key: bytes | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
    progress: ProgressOption = None,
) -> Repeats:
    """Find all spans of text that repeat an earlier span, within a text and across texts.

    Parameters
    ----------
    texts : one str, or a collection in any form that `dedup.find_duplicates` takes
    min_words : from 1 on; the least number of words in a repeat
    threshold : 0 < threshold <= 1; the least similarity (matched words / words of the longer side). At 1.0 a repeat
        is equal to its source word for word; below 1.0 also repeats with small edits are found. Where too few words are
        equal, misspelled ones count in part
    memory : bytes, or a text such as "4GB": a limit on the memory used in addition to the caller's texts
        If the words do not fit, the texts are read several times; the answer is the same.
    ids, column, id, ignore, tokens, hash_key, threads, progress : as for `dedup.find_duplicates`

    Returns
    -------
    Repeats: iterable of `Repeat`, with ``table``, ``coverage``, ``documents``, ``without_repeats()``. Each is a
    `RepeatInColumns` if there are several columns: its places are characters of one, or of two, as it may go on in the
    next

    Raises
    ------
    ParameterError : an option has an invalid value, or `memory` is too small even for the words that may repeat
    InputError : texts, ids or columns cannot be used; the message names the place

    Notes
    -----
    At ``threshold=1.0`` the repeats are exactly the maximal stretches of `min_words` words or more that also occur at
    an earlier place; the source is the first such place. A body that occurs three times gives two repeats of the first
    place. Below 1.0 each of these stretches is reported or lies within a reported repeat. Cost: linear in the text,
    whatever repeats in it.

    >>> body = "\\n\\n".join(f"Paragraph {i} has words enough to tell it from the others." for i in range(6))
    >>> text = f"Title\\n\\n{body}\\n\\nAdvertisement\\n\\n{body}\\n\\nThe end"
    >>> repeat = find_repeats(text)[0]
    >>> text[repeat.start : repeat.end] == body, repeat.paragraphs, repeat.similarity
    (True, 6, 1.0)
    """
    return repeats_in(
        texts,
        min_words=min_words,
        threshold=threshold,
        ids=ids,
        column=column,
        id=id,
        ignore=ignore,
        tokens=tokens,
        hash_key=hash_key,
        threads=threads,
        memory=memory,
        progress=progress,
    )


def repeats_in(
    texts: Any,
    *,
    min_words: int = 50,
    threshold: float = 0.8,
    ignore: str | Collection[str] = (),
    tokens: str = "words",
    hash_key: bytes | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
    progress: ProgressOption = None,
    planned: Callable[..., TextPlan] = plan_passages,
    **options: Any,
) -> Repeats:
    """Find what `find_repeats` finds, by another plan; `options` are those of `dedup.sources.coerce.read_texts`.

    `planned` is called as `dedup.pipelines.memory.plan_passages`. Tests hand it in.
    """
    min_words, threshold = check_min_words(min_words), check_threshold(threshold)
    reading = Reading.check(ignore, tokens, hash_key)
    workers = thread_count(threads)
    bound = check_memory(memory)
    progress = check_progress(progress)
    bare = isinstance(texts, str)
    if bare and names_a_file(texts):
        told = f"the text {texts!r} is searched, not the file of that name; pass pathlib.Path({texts!r}) to search it"
        warnings.warn(clean(told), stacklevel=3)
    collection = read_texts([texts] if bare else texts, **options)
    collection.bound(bound)
    plan = None if bound is None else _plan(collection, bound, workers, threshold, planned, reading)
    with Progress(progress) as stages:
        found = find_repeated(collection, plan, min_words, threshold, reading, Run(stages, workers))
    repeats, offsets, here, there = found.passages, found.offsets, found.here, found.there
    count = len(found.similarity)
    columns = {
        "document": np.searchsorted(offsets, repeats.stretches.start, side="right") - 1,
        "start": here.start[:count],
        "end": here.end[:count],
        "source_document": np.searchsorted(offsets, repeats.stretches.source, side="right") - 1,
        "source_start": there.start[:count],
        "source_end": there.end[:count],
        "words": repeats.stretches.end - repeats.stretches.start,
        "paragraphs": here.paragraphs[:count],
        "similarity": found.similarity,
    }
    parts = (repeats.part_of, here.start[count:], here.end[count:])
    asked: dict[str, Any] = {"min_words": min_words, "threshold": threshold}
    how: dict[str, Any] = {
        **reading.asked(),
        "hash_key": reading.key,
        "threads": threads,
        "memory": memory,
        "progress": False,
    }
    again = partial(find_repeats, **asked, **how)  # a pickle of it contains only the fingerprint of the key
    return Repeats(collection, columns, parts, again, asked=asked, bare=bare, reading=reading)


REPEATED_WORD_BYTES = {True: 210, False: 800}
"""Bytes per word if all words are in memory and all repeat; the key says whether only exact repeats are searched."""


def _plan(
    texts: Texts,
    memory: int,
    threads: int,
    threshold: float,
    planned: Callable[..., TextPlan],
    reading: Reading = PLAIN,
) -> TextPlan:
    return planned(
        measure_words(texts, reading=reading),
        memory,
        threads,
        texts.limits.longest,
        REPEATED_WORD_BYTES[threshold >= 1.0],
    )

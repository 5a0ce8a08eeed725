"""The flow of `find_repeats`: texts -> blocks -> token hashes -> stretches -> chains -> spans -> Repeats."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dedup.blocks import thread_count
from dedup.columns import read_texts
from dedup.errors import ParameterError
from dedup.lsh import check_threshold
from dedup.passages import Stretches, find_passages
from dedup.progress import Progress, ProgressOption
from dedup.repeated import Repeats
from dedup.spans import find_spans
from dedup.streams import read_tokens

__all__ = ["find_repeats"]

def find_repeats(
    texts: Any,
    *,
    min_words: int = 50,
    threshold: float = 0.8,
    ids: Iterable[Any] | None = None,
    column: str | None = None,
    id: str | None = None,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> Repeats:
    """Find every stretch of text that repeats an earlier one, inside one text and across a list.

    Parameters
    ----------
    texts : one str, or a collection in any form that `dedup.find_duplicates` takes
    min_words : from 1 on; words that a repeat has at least
    threshold : 0 < threshold <= 1; the least similarity (matched words / words of the longer side). At 1.0 what
        repeats to the word; below, also stretches with small edits between them
    ids, column, id, threads, progress : as for `dedup.find_duplicates`

    Returns
    -------
    Repeats: iterable of `Repeat`, with ``table``, ``coverage``, ``documents``, ``without_repeats()``

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
    if isinstance(min_words, bool) or not isinstance(min_words, int) or min_words < 1:
        raise ParameterError(f"min_words: expected a whole number from 1 on, found {min_words!r}")
    check_threshold(threshold)
    workers = thread_count(threads)
    bare = isinstance(texts, str)
    collection = read_texts([texts] if bare else texts, ids=ids, column=column, id=id)
    with Progress(progress) as stages:
        tokens, offsets = read_tokens(collection, workers, stages.stage("read", len(collection)))
        stages.stage("repeats", 1)
        found = find_passages(tokens, offsets, min_words, float(threshold))
        del tokens
        everything = Stretches(*map(np.concatenate, zip(found.stretches, found.parts, strict=True)))
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

    def again(shorter: list[str]) -> Repeats:
        return find_repeats(shorter, min_words=min_words, threshold=threshold, threads=threads, progress=False)

    return Repeats(collection, columns, parts, again, bare=bare)

"""The flow of `find_repeats`: texts -> blocks -> paragraphs with token hashes -> classes -> runs -> Repeats."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dedup.blocks import thread_count
from dedup.columns import read_texts
from dedup.errors import ParameterError
from dedup.lsh import check_threshold
from dedup.passages import Paragraphs, find_runs
from dedup.progress import Progress, ProgressOption
from dedup.repeated import Repeat, Repeats
from dedup.shingling import Shingle
from dedup.units import read_units

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
    """Find runs of whole paragraphs that repeat an earlier run, inside one text and across a list.

    Parameters
    ----------
    texts : one str, or a collection in any form that `dedup.find_duplicates` takes
    min_words : from 1 on; words that a repeat has at least
    threshold : 0 < threshold <= 1; the least similarity (matched words / words of the longer side). At 1.0 a run
        repeats to the word; below, one paragraph that was edited, put in or left out is bridged
    ids, column, id, threads, progress : as for `dedup.find_duplicates`

    Returns
    -------
    Repeats: iterable of `Repeat`, with ``table``, ``coverage``, ``documents``, ``without_repeats()``

    Notes
    -----
    At ``threshold=1.0`` these are exactly the maximal runs that stand at an earlier place too; the source is the first
    such place. A body that stands three times is two repeats of the first. Cost: linear in the text, whatever repeats
    in it.

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
        report = stages.stage("read", len(collection))
        units = read_units(collection, Shingle("words", 1), paragraphs=True, threads=workers, progress=report)
        stages.stage("repeats", 1)
        full = units.full
        classes = units.representatives(np.arange(len(units), dtype=np.int64))[full]
        counts = np.bincount(units.places[full, 0], minlength=len(collection))
        paragraphs = Paragraphs(
            classes=classes,
            words=np.diff(units.offsets)[full],
            bounds=np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts))),
            tokens=units.hashes,
            starts=units.offsets[full],
        )
        runs = find_runs(paragraphs, min_words, float(threshold))
    words = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(paragraphs.words)))
    rows = []
    cuts = []
    for run in runs:
        first, last = full[run.start], full[run.end - 1]
        source_first, source_last = full[run.source_start], full[run.source_end - 1]
        row, source_row = int(units.places[first, 0]), int(units.places[source_first, 0])
        repeat = Repeat(
            document=collection.id_of(row),
            start=int(units.places[first, 2]),
            end=int(units.places[last, 3]),
            source_document=collection.id_of(source_row),
            source_start=int(units.places[source_first, 2]),
            source_end=int(units.places[source_last, 3]),
            words=int(words[run.end] - words[run.start]),
            paragraphs=int(last - first) + 1,
            similarity=run.similarity,
        )
        rows.append((row, repeat))
        parts = run.cuts or ((run.start, run.end),)
        cuts.append([(int(units.places[full[a], 2]), int(units.places[full[b - 1], 3])) for a, b in parts])

    def again(shorter: list[str]) -> Repeats:
        return find_repeats(shorter, min_words=min_words, threshold=threshold, threads=threads, progress=False)

    return Repeats(collection, rows, cuts, again, bare=bare)

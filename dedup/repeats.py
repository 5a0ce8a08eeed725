"""The flow of `find_repeats`: texts -> blocks -> token hashes -> stretches -> chains -> spans -> Repeats."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.blocks import map_blocks, thread_count
from dedup.columns import Block, Texts, read_texts
from dedup.errors import ParameterError
from dedup.lsh import check_threshold
from dedup.passages import Stretches, find_passages
from dedup.pool import Pool
from dedup.progress import Progress, ProgressOption
from dedup.repeated import Repeats
from dedup.spans import find_spans
from dedup.tokens import hash_tokens, locate_tokens

__all__ = ["find_repeats"]

FEW, SHORT = 16, 1 << 18
"""Texts, and characters of them all: so little is read by the kernel that finds the spans afterwards, and the first
run need not compile another one."""


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
        tokens, offsets = _read_tokens(collection, workers, stages.stage("read", collection.about()))
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


def _read_tokens(
    texts: Texts, threads: int, progress: Callable[[int], None]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Return the token hashes of all texts in a row, and where each text begins (texts + 1)."""
    if texts.about() <= FEW and int(texts.lengths().sum()) <= SHORT:
        rows = [locate_tokens(texts[row].encode("utf-8", "surrogatepass"))[0] for row in range(len(texts))]
        bounds = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        return np.concatenate([np.empty(0, dtype=np.uint64), *rows]), bounds

    def work(load: Callable[[], Block]) -> tuple[int, npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        block = load()
        hashes, bounds = hash_tokens(block.values, block.starts, block.ends)
        return len(block.starts), hashes, bounds

    tokens: Pool[np.uint64] = Pool(np.uint64)
    offsets = [np.zeros(1, dtype=np.int64)]
    done, about = 0, texts.about()
    for count, hashes, bounds in map_blocks(work, texts.loads(), threads):
        done += count
        offsets.append(bounds[1:] + len(tokens))
        tokens.append(hashes, done / max(about, done, 1))
        progress(done)
    return tokens.array(), np.concatenate(offsets)

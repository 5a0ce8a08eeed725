"""Passages that texts have word for word from the documents of an index which keeps their texts.

A text has its fingerprints looked up (`dedup.index.log.texts`). Only the documents with which it shares one can share a
passage with it; their texts are read, and searched as `dedup.match` would search them.

In naive Python::

    passages = match(texts, living, min_words=min_words, passage_threshold=1.0).passages

Cost: that of a match against the documents that share a fingerprint.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hashing.token_stream import read_tokens
from dedup.index.log.texts import fingerprints, tokens_of
from dedup.index.query import Documents
from dedup.index.view import View
from dedup.passages.chains import find_passages_across
from dedup.passages.spans import find_spans
from dedup.runtime.progress import Progress
from dedup.runtime.threads import map_blocks
from dedup.sources.coerce import Block, ListTexts, Texts
from dedup.sources.two_sided import Sides

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["find"]

Numbers = npt.NDArray[np.int64]


class Shared(NamedTuple):
    """The texts of a block that share a fingerprint with a document, by row, and these documents, by number."""

    texts: int
    rows: Numbers
    documents: Numbers


def find(view: View, texts: Texts, *, min_words: int, threads: int, stages: Progress) -> pa.Table:
    """Return the passages of `texts` of `min_words` or more, as ``dedup.Matches.passages``.

    `min_words` is at least that of the index. Raises `StorageError` if a text that is needed is damaged.
    """
    import pyarrow as pa

    known = view.settings

    def work(load: Callable[[], Block]) -> Shared:
        block = load()
        prints = fingerprints(*tokens_of(block, known.shingle.reading), known.passages)
        places, numbers = view.find_prints(prints.keys)
        rows = np.searchsorted(prints.offsets, np.unique(places), side="right") - 1
        shared = Shared(len(block.starts), block.first + np.unique(rows), np.unique(numbers))
        block.release()
        return shared

    nothing = np.empty(0, dtype=np.int64)
    columns: list[list[npt.NDArray[Any]]] = [[nothing] * 7 + [np.empty(0, dtype=np.float64)]]
    report, done = stages.stage("passages", texts.about()), 0
    for block in map_blocks(work, texts.loads(), threads):
        if len(block.rows):
            columns.append(_of_block(view, texts, block, min_words, threads))
        done += block.texts
        report(done)
    left, left_start, left_end, right, right_start, right_end, words, value = map(
        np.concatenate, zip(*columns, strict=True)
    )
    numbers, places = np.unique(right, return_inverse=True)
    named = Documents(view, view.read(numbers)[1], numbers)
    return pa.table(
        {
            "left": texts.ids_at(left),
            "left_start": left_start,
            "left_end": left_end,
            "right": named.ids_at(places.astype(np.int64)),
            "right_start": right_start,
            "right_end": right_end,
            "words": words,
            "similarity": value,
        }
    )


def _of_block(view: View, texts: Texts, block: Shared, min_words: int, threads: int) -> list[npt.NDArray[Any]]:
    """Return the columns of the passages of a block; those of the right side have the numbers of documents."""
    reading, against = view.settings.shingle.reading, len(block.documents)
    left = ListTexts([texts[row] for row in block.rows.tolist()])
    both = Sides(ListTexts(view.texts(block.documents)), left, ("index", "texts"))
    tokens, offsets = read_tokens(both, threads, reading)
    passages = find_passages_across(tokens, offsets, against, min_words, 1.0, threads)
    found = passages.stretches
    here, there = find_spans(both.__getitem__, offsets, found, threads, reading=reading)
    lefts = np.searchsorted(offsets, found.start, side="right") - 1 - against
    rights = np.searchsorted(offsets, found.source, side="right") - 1
    spans = (
        block.documents[rights],
        there.start,
        there.end,
        found.end - found.start,
        passages.matched / passages.longer,
    )
    return [block.rows[lefts], here.start, here.end, *spans]

"""The order of the stages of a search for passages: the one place that knows it, in one text, many, or two collections.

tokens -> maximal stretches -> chains (below a similarity of 1) -> spans                          (`find_repeated`)
tokens of both sides -> maximal stretches across -> chains -> spans                               (`find_across_sides`)

Where a bound is too small for all tokens, the texts are read several times, and only windows that may occur twice, or
on both sides, are held (`dedup.passages.window_filter`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hashing.token_stream import TokenBlock, read_tokens, token_blocks
from dedup.passages.across import find_across
from dedup.passages.chains import (
    LINKED_SEED_BYTES,
    Passages,
    find_chains,
    find_passages,
    find_passages_across,
    join_chains,
    no_chains,
    seed_stride,
    seed_tokens,
)
from dedup.passages.maximal import Stretches, find_stretches
from dedup.passages.seeds import HELD_LINK_BYTES, Links, find_links
from dedup.passages.spans import Spans, find_spans
from dedup.passages.spelling import spell
from dedup.passages.window_filter import Survivors, keep_both, keep_twice
from dedup.pipelines.checkpoints import Run
from dedup.pipelines.memory import MATCHING, REPEATING, TextPlan
from dedup.reading import Reading
from dedup.runtime.arrays import sorted_unique
from dedup.runtime.memory import Afford
from dedup.sources.coerce import Texts
from dedup.sources.two_sided import Sides

__all__ = ["AcrossSpans", "Repeated", "find_across_sides", "find_repeated"]

SPAN_BYTES = 1000
"""What a repeat or passage takes while its span is found."""

Rows = npt.NDArray[np.int64]


class Repeated(NamedTuple):
    """Repeats by their tokens, their similarity, where the tokens of each text begin, and the spans of both sides.

    The spans of the repeats come first, then the spans of their parts.
    """

    passages: Passages
    similarity: npt.NDArray[np.float64]
    offsets: Rows
    here: Spans
    there: Spans


def find_repeated(
    texts: Texts, plan: TextPlan | None, min_words: int, similarity: float, reading: Reading, run: Run
) -> Repeated:
    """Find the repeats of `min_words` or more, and their spans. Raises `ParameterError` if they do not fit."""
    if plan is None or plan.one_pass:
        tokens, offsets = read_tokens(texts, run.threads, reading, run.stages.stage("read", texts.about()))
        run.stages.stage("repeats", 1)
        found = find_passages(tokens, offsets, min_words, similarity, run.threads)
        del tokens
    else:
        found, offsets = _repeating(texts, plan, reading, run).find(min_words, similarity, reading, run)
    run.stages.stage("spans", 1)
    everything = Stretches(*map(np.concatenate, zip(found.stretches, found.parts, strict=True)))
    if plan is not None:
        plan.affording(REPEATING)(SPAN_BYTES * len(everything.start))
    spans = find_spans(texts.__getitem__, offsets, everything, run.threads, reading=reading)
    spelled = spell(texts.__getitem__, offsets, found, spans, similarity, run.threads, reading=reading)
    here, there = _chosen(spans, np.concatenate((spelled.rows, spelled.parts)))
    return Repeated(spelled.passages, spelled.similarity, offsets, here, there)


def _chosen(spans: tuple[Spans, Spans], rows: npt.NDArray[np.bool_]) -> tuple[Spans, Spans]:
    here, there = (Spans(*(column[rows] for column in side)) for side in spans)
    return here, there


class _Passes(NamedTuple):
    """What is read several times: only tokens that may be in a passage are held.

    `survivors` gives the windows of so many tokens that may be in one, `find_exact` the exact ones among them. `names`
    are those of the stages of reading and of finding.
    """

    texts: Texts
    survivors: Callable[[int], Survivors]
    find_exact: Callable[[Survivors, int], Stretches]
    afford: Afford
    names: tuple[str, str]

    def find(self, size: int, similarity: float, reading: Reading, run: Run) -> tuple[Passages, Rows]:
        """Return the passages, and the place where the tokens of each text begin."""
        threads, stages, afford = run.threads, run.stages, self.afford
        read_stage, finding = self.names
        kept = self.survivors(size)
        stages.stage(finding, 1)
        found = self.find_exact(kept, size)
        exact = Stretches(*kept.back(found.start, found.end), *kept.back(found.source, found.source_end))
        bounds = kept.bounds
        del kept, found
        if similarity >= 1.0 or bounds[-1] == 0:
            return join_chains(exact, *no_chains(), size), bounds
        exact_bytes = 4 * exact.start.nbytes
        kept = self.survivors(seed_tokens(size))
        stages.stage(finding, 1)
        links: list[Links] = []
        count, largest = 0, 0
        given = kept.tokens, kept.offsets, seed_tokens(size), size // 4, _held, threads
        border, stride = int(kept.offsets[kept.split]), seed_stride(size)
        for some in find_links(*given, kept, afford, border, stride if border else 1):
            links.append(some)
            count, largest = count + len(some.seeds), max(largest, len(some.seeds))
            afford(HELD_LINK_BYTES * count + kept.tokens.nbytes)
        del kept, given
        # chains are made in the tokens of the texts that have one, and of their sources
        places = [
            sorted_unique((np.searchsorted(bounds, some.seeds[:, :2], side="right") - 1).ravel()) for some in links
        ]
        rows = sorted_unique(np.concatenate([np.empty(0, dtype=np.int64), *places]))
        held = int((bounds[rows + 1] - bounds[rows]).sum())
        afford(
            4 * held + HELD_LINK_BYTES * count + LINKED_SEED_BYTES * largest * min(threads, len(links)) + exact_bytes
        )
        tokens, offsets = read_tokens(self.texts, threads, reading, stages.stage(read_stage, len(rows)), rows)
        stages.stage(finding, 1)
        # tokens of texts that are not held have no place, so the places after them are shifted
        shift = bounds[rows] - offsets[:-1]
        for some in links:
            for column in (0, 1):
                some.seeds[:, column] -= shift[np.searchsorted(bounds[rows], some.seeds[:, column], side="right") - 1]
        text = np.searchsorted(bounds[rows], exact.start, side="right") - 1
        inside = (
            (text >= 0) & (exact.start < bounds[rows + 1][text]) if len(rows) else np.zeros(len(text), dtype=np.bool_)
        )
        chosen = exact.start[inside] - shift[text[inside]], exact.end[inside] - shift[text[inside]]
        chains, parts = find_chains(tokens, offsets, links, Stretches(*chosen, *chosen), size, similarity, threads)
        for table, columns in ((chains, range(4)), (parts, range(1, 5))):
            # an end is after a token, and belongs to the text of that token
            for column in columns:
                last = table[:, column] - (column - columns[0]) % 2
                table[:, column] += shift[np.searchsorted(offsets, last, side="right") - 1]
        return join_chains(exact, chains, parts, size), bounds


def _repeating(texts: Texts, plan: TextPlan, reading: Reading, run: Run) -> _Passes:
    afford = plan.affording(REPEATING)

    def survivors(size: int) -> Survivors:
        def read() -> Iterable[TokenBlock]:
            return token_blocks(texts, run.threads, reading, run.stages.stage("read", len(texts)))

        return keep_twice(read, size, plan.size.shingles, plan.window_table, afford)

    def find_exact(kept: Survivors, size: int) -> Stretches:
        return find_stretches(kept.tokens, kept.offsets, size, afford)

    return _Passes(texts, survivors, find_exact, afford, ("read", "repeats"))


def _held(links: Links) -> Links:
    return links


class AcrossSpans(NamedTuple):
    """Passages across two sides: texts of the left and the right one, the spans in them, the words and similarity."""

    left: Rows
    left_spans: Spans
    right: Rows
    right_spans: Spans
    words: Rows
    similarity: npt.NDArray[np.float64]


def find_across_sides(
    sides: Sides, plan: TextPlan | None, min_words: int, similarity: float, reading: Reading, run: Run
) -> AcrossSpans:
    """Find the passages of `min_words` or more that the left side has from the right one.

    Raises `ParameterError` if they do not fit.
    """
    threads, stages = run.threads, run.stages
    turned = sides.turned()  # the texts of the right side are read first: the first place is then the earliest one
    against = len(sides.right)
    if plan is None or plan.one_pass:
        tokens, offsets = read_tokens(turned, threads, reading, stages.stage("words", len(turned)))
        stages.stage("passages", 1)
        passages = find_passages_across(tokens, offsets, against, min_words, similarity, threads)
        del tokens
    else:
        passages, offsets = _matching(sides, plan, reading, run).find(min_words, similarity, reading, run)
        plan.affording(MATCHING)(SPAN_BYTES * len(passages.matched))
    spans = find_spans(turned.__getitem__, offsets, passages.stretches, threads, reading=reading)
    spelled = spell(turned.__getitem__, offsets, passages, spans, similarity, threads, reading=reading)
    found, (here, there) = spelled.passages.stretches, _chosen(spans, spelled.rows)
    left = np.searchsorted(offsets, found.start, side="right") - 1 - against
    right = np.searchsorted(offsets, found.source, side="right") - 1
    return AcrossSpans(left, here, right, there, found.end - found.start, spelled.similarity)


def _matching(sides: Sides, plan: TextPlan, reading: Reading, run: Run) -> _Passes:
    afford = plan.affording(MATCHING)

    def read(texts: Texts) -> Iterable[TokenBlock]:
        return token_blocks(texts, run.threads, reading, run.stages.stage("words", len(texts)))

    def survivors(size: int) -> Survivors:
        readers = partial(read, sides.right), partial(read, sides.left)
        return keep_both(*readers, size, plan.size.shingles, plan.window_table, afford)

    def find_exact(kept: Survivors, size: int) -> Stretches:
        return find_across(kept.tokens, kept.offsets, kept.split, size, afford)

    return _Passes(sides.turned(), survivors, find_exact, afford, ("words", "passages"))

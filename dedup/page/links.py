"""The view of links: texts, each with those that match it, or with what repeats in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.page.beside import Main
from dedup.page.clusters import shortened
from dedup.page.view import Histogram, Member, Rows, View, Words
from dedup.reading import PLAIN, Reading

__all__ = ["NO_SPAN", "Links", "view_of_links"]

NO_SPAN = -1
"""Where a link of a pair has no span: what both texts share is looked for when they are shown."""

UNKNOWN = 'the index keeps no texts: look it up by its id, or make the index with store="text"'
"""What is said of a text that an index found."""


@dataclass(frozen=True)
class Links:
    """Links from texts to others, by the first text.

    Attributes
    ----------
    left, right : int64, by link; numbers of texts, ascending on the left
    similarity : float64, by link
    spans : int64 (links, 4); start and end in the left text, start and end in the right; -1 for a pair of whole texts
    in_texts : returns the spans of some links in the texts, if `spans` has others: places in one of several columns
    words : int64, by link; tokens of the span, 0 for a pair
    file : int64, by number of a left text, an index of `sources`
    left_text, left_name, left_id, right_text, right_name : of the number of a text; no `right_text` if the texts of the
        right side are not known
    """

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float64]
    spans: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]
    file: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]]
    sources: list[str]
    left_text: Callable[[int], str]
    left_name: Callable[[int], str]
    left_id: Callable[[int], Any]
    right_text: Callable[[int], str] | None
    right_name: Callable[[int], str]
    in_texts: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]] | None = None

    def at(self, links: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the spans of some links in their texts."""
        return self.spans[links] if self.in_texts is None else self.in_texts(links)


def covered(spans: npt.NDArray[np.int64]) -> int:
    """Return how many characters are in some of the spans (rows of start and end).

    >>> covered(np.array([[0, 4], [2, 5], [7, 9]]))
    7
    """
    if not len(spans):
        return 0
    start, end = spans[np.lexsort((spans[:, 1], spans[:, 0]))].T
    reached = np.maximum.accumulate(end)
    begins = np.maximum(start, np.append(start[:1], reached[:-1]))
    return int(np.maximum(reached - begins, 0).sum())


def view_of_links(
    found: Links,
    *,
    kind: str,
    title: str,
    words: Words,
    noun: str,
    facts: list[tuple[str, str]],
    warnings: list[str],
    threshold: float,
    shingle: str,
    reading: Reading = PLAIN,
    histograms: list[Histogram],
    nothing: str,
    seal: str = "",
) -> View:
    """Return the view of links; `noun` is what a span is called: a passage, a repeat."""
    sharing = f"is in a {noun}"
    lefts, first = np.unique(found.left, return_index=True)
    bounds = np.append(first, len(found.left))
    pairs = found.spans[:, 0] == NO_SPAN
    size = np.zeros(len(lefts), dtype=np.int64)
    if len(lefts):
        both = np.unique(np.column_stack((found.left, found.right)), axis=0)
        size = np.bincount(np.searchsorted(lefts, both[:, 0]), minlength=len(lefts))
    best = np.full(len(lefts), -np.inf)
    np.maximum.at(best, np.searchsorted(lefts, found.left), found.similarity)
    whole = np.zeros(len(lefts), dtype=np.bool_)
    whole[np.searchsorted(lefts, found.left[pairs])] = True

    def in_order(own: Rows) -> list[int]:
        """Return the texts on the right of some links: the most similar first, then those with the longest spans."""
        spans = found.at(own)
        length = spans[:, 1] - spans[:, 0]
        order = own[np.lexsort((found.right[own], -length, -found.similarity[own]))]
        return list(dict.fromkeys(found.right[order].tolist()))

    def group_of(row: int, most: int) -> list[Member]:
        left = int(lefts[row])
        text = found.left_text(left)
        main, own = Main(text, shingle, reading), np.arange(bounds[row], bounds[row + 1])
        said: tuple[str, ...] = ()
        if not pairs[own].any():
            share = 100 * covered(found.at(own)[:, :2]) / max(len(text), 1)
            said = (f"{share:.1f} % of the text {sharing}",)
        group = [Member(found.left_id(left), found.left_name(left), text, evidence=said)]
        for right in in_order(own)[:most]:
            links = own[found.right[own] == right]
            similarity = float(found.similarity[links].max())
            if found.right_text is None:
                seen = (f"similarity {similarity:.3f}", UNKNOWN)
                group.append(Member(right, found.right_name(right), "", similarity, seen))
                continue
            other = found.right_text(right)
            spans = found.at(links[~pairs[links]])
            said = ()
            if len(spans):
                count, tokens = len(spans), int(found.words[links].sum())
                length = f" of {tokens:,} words" * (tokens > 0)
                share = 100 * covered(spans[:, :2]) / max(len(text), 1)
                said = (f"{count:,} {noun}{'s' * (count != 1)}{length}, {share:.1f} % of the text",)
            shown = [(a, b, c, d) for a, b, c, d in spans[np.argsort(spans[:, 2], kind="stable")].tolist()]
            if pairs[links].any():
                shared = main.beside(other)
                shown, said = shared.spans, (*shared.evidence, *said)
            whole_texts = bool(pairs[links].any())
            group.append(Member(right, found.right_name(right), other, similarity, said, shown, differs=whole_texts))
        return group

    def members(rows: Rows, most: int) -> Iterator[list[Member]]:
        return (group_of(row, most) for row in rows.tolist())

    return View(
        kind=kind,
        title=title,
        words=words,
        facts=facts,
        warnings=warnings,
        threshold=threshold,
        number=lefts,
        size=size,
        similarity=best,
        reason=np.where(whole, "whole text", noun),
        names=lambda rows: [found.left_name(left) for left in lefts[rows].tolist()],
        starts=lambda rows: [shortened(found.left_text(left)) for left in lefts[rows].tolist()],
        members=members,
        histograms=histograms,
        sources=found.sources,
        source=found.file(lefts) if len(lefts) else None,
        nothing=nothing,
        seal=seal,
    )

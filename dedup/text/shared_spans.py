"""The spans that two texts share: the longest first, none of which overlaps another in the right text."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.reading import Reading
from dedup.text.tokens import locate_tokens

__all__ = ["Located", "Span", "located", "shared_spans", "spans_of_tokens"]

CHARACTERS_SPAN = 3
"""Tokens. The shortest shared span that is shown if the shingles are of characters."""


class Span(NamedTuple):
    """A span that both texts share: ``left[left_start:left_end]`` and ``right[right_start:right_end]``, in characters.

    `words` is its number of tokens.
    """

    left_start: int
    left_end: int
    right_start: int
    right_end: int
    words: int


class Located(NamedTuple):
    """The tokens of a text: their hashes (uint64), and their spans in characters (int64, n x 2)."""

    tokens: npt.NDArray[np.uint64]
    places: npt.NDArray[np.int64]


def located(text: str, reading: Reading) -> Located:
    """Return the tokens of a text that is read in the way of `reading`."""
    return Located(*locate_tokens(text.encode("utf-8", "surrogatepass"), reading))


def shared_spans(a: str, b: str, kind: str, size: int, reading: Reading) -> tuple[Span, ...]:
    """Return the spans that both texts share, in the order of `b`, where they do not overlap. Cost: linear.

    A span has at least as many tokens as a shingle, whose `kind` is "words" or "chars" (or as the shorter text, if that
    has fewer). Both are read in the way of `reading`.
    """
    return spans_of_tokens(located(a, reading), located(b, reading), kind, size)


def spans_of_tokens(left: Located, right: Located, kind: str, size: int) -> tuple[Span, ...]:
    """Return what `shared_spans` returns, of two texts whose tokens are known."""
    from dedup.kernels.maximal import longest_earlier

    middle = len(left.tokens)
    shortest = size if kind == "words" else CHARACTERS_SPAN
    shortest = min(shortest, middle, len(right.tokens))
    if shortest == 0:
        return ()
    sequence = np.concatenate((left.tokens, right.tokens)).view(np.int64)
    length = np.empty(len(sequence), dtype=np.int64)
    source = np.empty(len(sequence), dtype=np.int64)
    longest_earlier(sequence, middle, length, source)
    spans = []
    for start, end, source_end in _stretches(length[middle:], source[middle:], shortest):
        first, last = source_end - (end - start), source_end - 1
        spans.append(
            Span(
                int(left.places[first, 0]),
                int(left.places[last, 1]),
                int(right.places[start, 0]),
                int(right.places[end - 1, 1]),
                end - start,
            )
        )
    return tuple(spans)


def _stretches(
    length: npt.NDArray[np.int64], source: npt.NDArray[np.int64], shortest: int
) -> list[tuple[int, int, int]]:
    """Return (start, end, end in the source) of stretches that do not overlap. Longer ones are chosen first."""
    following = np.concatenate((length[1:], np.zeros(1, dtype=np.int64)))
    ends = np.flatnonzero((length >= shortest) & (following != length + 1))
    starts = ends + 1 - length[ends]
    if np.all(starts[1:] > ends[:-1]):  # none overlap: near copies, mostly
        return list(zip(starts.tolist(), (ends + 1).tolist(), (source[ends] + 1).tolist(), strict=True))
    order = ends[np.argsort(-length[ends], kind="stable")]
    # lists instead of arrays, since Python reads their items one by one several times faster
    taken = bytearray(len(length) + 2)  # with a free place before the first and one after the last
    ahead, back = list(range(len(taken))), list(range(len(taken)))  # taken place -> a place nearer to a free one
    found = []
    for last, size, at in zip(order.tolist(), length[order].tolist(), source[order].tolist(), strict=True):
        # cut off both ends as far as they are taken
        start = _free(ahead, last + 2 - size) - 1
        end = _free(back, last + 1)
        if end - start >= shortest and taken.find(1, start + 1, end + 1) < 0:
            count = end - start
            taken[start + 1 : end + 1] = b"\x01" * count
            ahead[start + 1 : end + 1] = [end + 1] * count
            back[start + 1 : end + 1] = [start] * count
            found.append((start, end, at + 1 - (last + 1 - end)))
    return sorted(found)


def _free(step: list[int], place: int) -> int:
    """Return the free place to which the steps from `place` lead. `step` is written: the path is shorter next time."""
    if (following := step[place]) == place:
        return place
    passed = [place]
    while (further := step[following]) != following:
        passed.append(following)
        following = further
    for each in passed:
        step[each] = following
    return following

"""Two texts: how similar they are, why, and where."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError
from dedup.hash_key import choose_key
from dedup.hashing.shingles import Shingle, parse
from dedup.shingling import shingles
from dedup.text.tokens import locate_tokens

__all__ = ["Comparison", "Span", "compare"]

CHARACTERS_SPAN = 3
"""Tokens: the shortest common stretch that is shown where shingles are of characters."""


class Span(NamedTuple):
    """A stretch that both texts have: ``left[left_start:left_end]`` and ``right[right_start:right_end]``."""

    left_start: int
    left_end: int
    right_start: int
    right_end: int
    words: int


@dataclass(frozen=True, repr=False)
class Comparison:
    """The evidence for two texts; made by `dedup.compare`.

    Attributes
    ----------
    left_size, right_size, shared : numbers of distinct shingles
    jaccard : shared / union; 0.0 where a text has no token
    left_in_right, right_in_left : shared / left_size, shared / right_size; 0.0 where there are none
    spans : what both share, in the order of the right text
    """

    left_size: int
    right_size: int
    shared: int
    jaccard: float
    left_in_right: float
    right_in_left: float
    spans: tuple[Span, ...]

    def __repr__(self) -> str:
        spans = "1 span" if len(self.spans) == 1 else f"{len(self.spans):,} spans"
        return (
            f"Comparison: {self.shared:,} of {self.left_size:,} and {self.right_size:,} shingles shared, jaccard "
            f"{self.jaccard:.3f}, left in right {self.left_in_right:.3f}, right in left {self.right_in_left:.3f}, "
            f"{spans}"
        )

    __hash__ = None  # type: ignore[assignment]


def compare(a: str, b: str, *, shingle: str | None = None, hash_key: bytes | None = None) -> Comparison:
    """Compare two texts: the numbers that `dedup.find_duplicates` would give for the pair, and what they share.

    `shingle` is "words:5" unless told otherwise; `hash_key` as for `dedup.find_duplicates`. A span is a stretch of as
    many words as a shingle has, or more (for shorter texts, of the whole text); spans do not overlap in `b`. Cost:
    linear.

    >>> result = compare("The cat sat on the mat today.", "Yesterday the cat sat on the mat.")
    >>> result.shared, round(result.jaccard, 2)
    (2, 0.5)
    >>> [("The cat sat on the mat today."[s.left_start : s.left_end], s.words) for s in result.spans]
    [('The cat sat on the mat', 6)]
    """
    for name, text in (("a", a), ("b", b)):
        if not isinstance(text, str):
            hint = _hint(text)
            raise InputError(f"{name}: expected a str, found {type(text).__name__}{hint}")
    a, b = str.__str__(a), str.__str__(b)
    kind = parse("words:5" if shingle is None else shingle, choose_key(hash_key))
    sets = shingles([a, b], str(kind), hash_key=kind.key)
    left_size, right_size = len(sets[0]), len(sets[1])
    shared = len(np.intersect1d(sets[0], sets[1], assume_unique=True))
    return Comparison(
        left_size,
        right_size,
        shared,
        shared / (left_size + right_size - shared) if shared else 0.0,
        shared / left_size if left_size else 0.0,
        shared / right_size if right_size else 0.0,
        _spans(a, b, kind),
    )


def _hint(text: object) -> str:
    """Return what to do about something that is no text, where that is known."""
    if isinstance(text, (bytes, bytearray)):
        return "; decode it first"
    if isinstance(text, os.PathLike):
        return '; read it first: Path.read_text(encoding="utf-8")'
    return "; two collections are compared by dedup.match" if isinstance(text, (list, tuple)) else ""


def _spans(a: str, b: str, shingle: Shingle) -> tuple[Span, ...]:
    from dedup.kernels.maximal import longest_earlier

    left, left_places = locate_tokens(a.encode("utf-8", "surrogatepass"), shingle.key)
    right, right_places = locate_tokens(b.encode("utf-8", "surrogatepass"), shingle.key)
    shortest = shingle.size if shingle.kind == "words" else CHARACTERS_SPAN
    shortest = min(shortest, len(left), len(right))
    if shortest == 0:
        return ()
    sequence = np.concatenate((left, right)).view(np.int64)
    length = np.empty(len(sequence), dtype=np.int64)
    source = np.empty(len(sequence), dtype=np.int64)
    longest_earlier(sequence, len(left), length, source)
    spans = []
    for start, end, source_end in _stretches(length[len(left) :], source[len(left) :], shortest):
        first, last = source_end - (end - start), source_end - 1
        spans.append(
            Span(
                int(left_places[first, 0]),
                int(left_places[last, 1]),
                int(right_places[start, 0]),
                int(right_places[end - 1, 1]),
                end - start,
            )
        )
    return tuple(spans)


def _stretches(
    length: npt.NDArray[np.int64], source: npt.NDArray[np.int64], shortest: int
) -> list[tuple[int, int, int]]:
    """Return (start, end, end in the source) of stretches that do not overlap, the longest first to be taken."""
    following = np.concatenate((length[1:], np.zeros(1, dtype=np.int64)))
    ends = np.flatnonzero((length >= shortest) & (following != length + 1))
    order = ends[np.argsort(-length[ends], kind="stable")]
    # what is walked one by one is a list of Python's: its items are at hand several times sooner than an array's
    taken = bytearray(len(length) + 2)  # with a place that is free before the first and one after the last
    ahead, behind = list(range(len(taken))), list(range(len(taken)))  # from a taken place: one on the way to a free one
    found = []
    for last, size, at in zip(order.tolist(), length[order].tolist(), source[order].tolist(), strict=True):
        # the ends that are taken already are cut off
        start = _free(ahead, last + 2 - size) - 1
        end = _free(behind, last + 1)
        if end - start >= shortest and taken.find(1, start + 1, end + 1) < 0:
            count = end - start
            taken[start + 1 : end + 1] = b"\x01" * count
            ahead[start + 1 : end + 1] = [end + 1] * count
            behind[start + 1 : end + 1] = [start] * count
            found.append((start, end, at + 1 - (last + 1 - end)))
    return sorted(found)


def _free(step: list[int], place: int) -> int:
    """Return the free place that the steps from `place` lead to; shortens the way for the next one (written)."""
    if (following := step[place]) == place:
        return place
    passed = [place]
    while (further := step[following]) != following:
        passed.append(following)
        following = further
    for each in passed:
        step[each] = following
    return following

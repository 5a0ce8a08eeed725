"""`compare`: how similar two texts are, and which spans they share."""

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


@dataclass(frozen=True, repr=False)
class Comparison:
    """The evidence for two texts, made by `dedup.compare`.

    Attributes
    ----------
    left_size, right_size, shared : numbers of distinct shingles
    jaccard : shared / union; 0.0 if a text has no token
    left_in_right, right_in_left : shared / left_size, shared / right_size; 0.0 if a text has no token
    spans : the shared spans, in the order of the right text
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
    """Compare two texts: return the numbers of `dedup.find_duplicates` for the pair, and the spans that both share.

    `shingle` is "words:5" by default; `hash_key` as for `dedup.find_duplicates`. A span has at least as many words as a
    shingle (or as the shorter text, if that has fewer). Spans do not overlap in `b`. Cost: linear.

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
    """Return the end of a message about a value that is not a str: what to do, if that is known."""
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
    """Return (start, end, end in the source) of stretches that do not overlap. Longer ones are chosen first."""
    following = np.concatenate((length[1:], np.zeros(1, dtype=np.int64)))
    ends = np.flatnonzero((length >= shortest) & (following != length + 1))
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

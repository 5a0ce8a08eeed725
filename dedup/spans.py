"""Stretches of tokens as spans of characters: whole paragraphs whole, other borders widened over equal characters.

A stretch [first, last] of the tokens of a text begins, in characters, at its first token. Where it holds all tokens
of the paragraph that it begins in, it begins with that paragraph; elsewhere it is widened over the characters before
the token, as long as they are no white space, stand on both sides, belong to no other token, and do not break what is
seen as one character (marks, emoji sequences, flags). The end likewise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup import unicode
from dedup.columns import PADDING
from dedup.passages import Stretches
from dedup.text import split_paragraphs
from dedup.tokens import locate_tokens

__all__ = ["Sides", "find_spans"]

Numbers = npt.NDArray[np.int64]

CHUNK = 1 << 20
"""Characters of a long text that are located at a time, so that the memory does not grow with a text."""

CHUNK_END = re.compile(r"[\n ][!-~]")
"""Where a text may be cut: nothing acts on a space or line break, or on the ASCII character behind it."""

JOINER = "\u200d"
KEPT_TEXTS = 64
"""Texts kept as strings while borders are widened."""


class Sides(NamedTuple):
    """The spans of stretches in their texts, int64: `start`, `end` in characters, whole `paragraphs` in it."""

    start: Numbers
    end: Numbers
    paragraphs: Numbers


class _Located(NamedTuple):
    """Tokens with their characters, and the number, start and end of the paragraph each is in."""

    token: Numbers
    start: Numbers
    end: Numbers
    paragraph: Numbers
    paragraph_start: Numbers
    paragraph_end: Numbers


def find_spans(
    text_of: Callable[[int], str],
    offsets: Numbers,
    stretches: Stretches,
) -> tuple[Sides, Sides]:
    """Return the spans of stretches of tokens and of their sources.

    Tokens are counted over all texts; text t has those from ``offsets[t]`` to ``offsets[t + 1] - 1``. A stretch lies
    in one text. Cost: the texts that have one are read once more.
    """
    first, last = stretches.start, stretches.end - 1
    source_first, source_last = stretches.source, stretches.source_end - 1
    borders = np.concatenate((first, last, source_first, source_last))
    wanted = np.unique(np.concatenate((borders - 1, borders, borders + 1)))
    wanted = wanted[(wanted >= 0) & (wanted < offsets[-1])]
    located = _locate_all(text_of, offsets, wanted)
    here = _Side(located, offsets, first, last)
    there = _Side(located, offsets, source_first, source_last)
    _widen(lru_cache(maxsize=KEPT_TEXTS)(text_of), here, there)
    return here.spans(), there.spans()


class _Side:
    """One side of the stretches; `start` and `end` are to be widened between `low` and `high`."""

    def __init__(self, located: _Located, offsets: Numbers, first: Numbers, last: Numbers) -> None:
        self.text = np.searchsorted(offsets, first, side="right") - 1
        a, b = np.searchsorted(located.token, first), np.searchsorted(located.token, last)
        self.start, self.end = located.start[a], located.end[b]
        begins, stops = first == offsets[self.text], last + 1 == offsets[self.text + 1]
        before, after = np.maximum(a - 1, 0), np.minimum(b + 1, max(len(located.token) - 1, 0))
        self.low = np.where(begins, 0, located.end[before])
        self.high = np.where(stops, np.iinfo(np.int64).max, located.start[after])
        self.paragraph_start, self.paragraph_end = located.paragraph_start[a], located.paragraph_end[b]
        opens, closes = self.low <= self.paragraph_start, self.high >= self.paragraph_end
        crossed = located.paragraph[b] - located.paragraph[a]
        self.whole_first = opens & ((crossed > 0) | closes)
        self.whole_last = closes & ((crossed > 0) | opens)
        self.paragraphs = np.where(
            crossed > 0, crossed + 1 - ~self.whole_first - ~self.whole_last, (opens & closes).astype(np.int64)
        )

    def spans(self) -> Sides:
        return Sides(
            np.where(self.whole_first, self.paragraph_start, self.start),
            np.where(self.whole_last, self.paragraph_end, self.end),
            self.paragraphs,
        )


def _locate_all(text_of: Callable[[int], str], offsets: Numbers, wanted: Numbers) -> _Located:
    """Locate the tokens `wanted` (ascending)."""
    columns = [np.empty(len(wanted), dtype=np.int64) for _ in range(5)]
    if len(wanted) == 0:
        return _Located(wanted, *columns)
    texts = np.searchsorted(offsets, wanted, side="right") - 1
    edges = np.flatnonzero(np.concatenate(([True], texts[1:] != texts[:-1])))
    for begin, end in zip(edges, [*edges[1:], len(wanted)], strict=True):
        row = int(texts[begin])
        text = text_of(row)
        spans = _locate(text, wanted[begin:end] - offsets[row])
        bounds = _paragraphs(text)
        number = np.searchsorted(bounds[:, 0], spans[:, 0], side="right") - 1
        found = (spans[:, 0], spans[:, 1], number, bounds[number, 0], bounds[number, 1])
        for column, values in zip(columns, found, strict=True):
            column[begin:end] = values
    return _Located(wanted, *columns)


def _locate(text: str, wanted: Numbers) -> Numbers:
    """Return the spans (n, 2) in characters of the tokens `wanted` (ascending) of one text."""
    found = np.empty((len(wanted), 2), dtype=np.int64)
    done, passed = 0, 0
    for at, piece in _pieces(text):
        count, take = _tokens_of(piece)
        end = int(np.searchsorted(wanted, passed + count))
        found[done:end] = take(wanted[done:end] - passed) + at
        passed += count
        done = end
        if done == len(wanted):
            break
    return found


def _tokens_of(text: str) -> tuple[int, Callable[[Numbers], Numbers]]:
    """Return the number of tokens, and a function from some of them (ascending) to their spans in characters.

    As `locate_tokens`, which turns the places of all tokens into characters; here only those of a few are wanted.
    """
    from dedup.kernels.text import character_places
    from dedup.kernels.tokens import locate

    data = text.encode("utf-8", "surrogatepass")
    padded = np.frombuffer(data + bytes(PADDING), dtype=np.uint8)
    size = len(data)
    out = np.empty(size * 3 // 2 + 4 * PADDING, dtype=np.uint8)
    bits = np.empty(len(out) // 64 + 2, dtype=np.uint64)
    segments = np.empty((size // 2 + 8, 4), dtype=np.int64)
    hashes = np.empty(len(out) // 2 + 1, dtype=np.uint64)
    spans = np.empty((len(hashes), 2), dtype=np.int64)
    count = int(locate(padded, size, False, *unicode.table(), out, bits, segments, hashes, spans))
    if count < 0:  # a text to be normalised first, or one that grows: rare
        _, every = locate_tokens(data)
        return len(every), lambda rows: every[rows]

    def take(rows: Numbers) -> Numbers:
        some = spans[rows]
        if len(text) == size:  # ASCII: bytes are characters
            return some
        flat = some.ravel()
        order = np.argsort(flat, kind="stable")
        characters = np.empty_like(flat)
        places = np.empty_like(flat)
        character_places(padded, 0, flat[order], places)
        characters[order] = places
        return characters.reshape(-1, 2)

    return count, take


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    at = 0
    while at < len(text):
        cut = CHUNK_END.search(text, at + CHUNK) if at + CHUNK < len(text) else None
        end = cut.start() + 1 if cut else len(text)
        yield at, text[at:end]
        at = end


def _paragraphs(text: str) -> Numbers:
    """Return the (n, 2) starts and ends of the paragraphs in characters."""
    values = np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)
    table, _ = split_paragraphs(values, np.zeros(1, dtype=np.int64), np.array([len(values)], dtype=np.int64))
    return table[:, 2:]


def _widen(text_of: Callable[[int], str], here: _Side, there: _Side) -> None:
    """Move the starts and ends of both sides over the equal characters round them, in place."""
    for row in np.flatnonzero(~(here.whole_first & there.whole_first)).tolist():
        text, source = text_of(int(here.text[row])), text_of(int(there.text[row]))
        i, k = int(here.start[row]), int(there.start[row])
        low, source_low = int(here.low[row]), int(there.low[row])
        at, back = i, k
        while at > low and back > source_low and text[at - 1] == source[back - 1] and not text[at - 1].isspace():
            at, back = at - 1, back - 1
        while at < i and not (seen_apart(text, at) and seen_apart(source, back)):
            at, back = at + 1, back + 1
        here.start[row], there.start[row] = at, back
    for row in np.flatnonzero(~(here.whole_last & there.whole_last)).tolist():
        text, source = text_of(int(here.text[row])), text_of(int(there.text[row]))
        j, m = int(here.end[row]), int(there.end[row])
        high, source_high = min(int(here.high[row]), len(text)), min(int(there.high[row]), len(source))
        at, ahead = j, m
        while at < high and ahead < source_high and text[at] == source[ahead] and not text[at].isspace():
            at, ahead = at + 1, ahead + 1
        while at > j and not (seen_apart(text, at) and seen_apart(source, ahead)):
            at, ahead = at - 1, ahead - 1
        here.end[row], there.end[row] = at, ahead


def seen_apart(text: str, at: int) -> bool:
    """Say whether a text may be cut before character `at` without breaking what is seen as one character.

    >>> [seen_apart("a👩‍💻🇩🇪", at) for at in range(7)]
    [True, True, False, False, True, False, True]
    """
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if JOINER in (after, before) or unicodedata.category(after)[0] == "M" or "🏻" <= after <= "🏿":
        return False
    if _is_flag(before) and _is_flag(after):
        first = at - 1
        while first > 0 and _is_flag(text[first - 1]):
            first -= 1
        return (at - first) % 2 == 0
    return True


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"

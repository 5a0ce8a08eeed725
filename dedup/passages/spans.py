"""Stretches of tokens as spans of characters: entire paragraphs, and other borders widened over equal characters.

A stretch [first, last] of the tokens of a text begins, in characters, at its first token. If it contains all tokens of
the paragraph that it begins in, it begins with that paragraph. Otherwise it is widened over the characters before the
token, as long as they are not white space, are equal on both sides, belong to no other token, and do not break what is
seen as one character (marks, emoji sequences, flags). The same holds for the end.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.kernels.text_layout import PADDING
from dedup.passages.maximal import Stretches
from dedup.reading import PLAIN, Reading
from dedup.runtime.threads import map_blocks
from dedup.text.paragraphs import split_paragraphs
from dedup.text.rewriting import rewrite
from dedup.text.tokens import place_tokens, place_tokens_of_texts

__all__ = ["Spans", "find_spans"]

Numbers = npt.NDArray[np.int64]

CHUNK = 1 << 20
"""Bytes of a long text that are located at a time, so that the memory does not grow with a text. Curve:
`benchmarks.tuning.spans_chunk`; flat from 2^20 to 2^23 on generated:300:40000, where 2^17 takes 1.19 times as long (two
cores, 2026-11)."""

CHUNK_END = re.compile(rb"[\n ][!-~]")
"""Where a text may be cut: nothing acts on a space or line break, or on the ASCII character after it."""

TOKENS_TOGETHER = 1 << 15
"""Tokens of short texts that are located together. With fewer, the calls take longer than the work."""

LOCATED_SINGLY = 16
"""Texts. So few are located one by one: then the first run compiles one kernel less."""

SPACES = np.array([chr(number).isspace() for number in range(0x22)])
"""Which ASCII characters are white space; none after these are."""

JOINER = "\u200d"
KEPT_TEXTS = 64
"""Texts kept as strings while borders are widened. Curve: `benchmarks.tuning.spans_kept_texts`; flat from 1 to 512 on
generated:10000 (two cores, 2026-11)."""

KEPT_RUNS = 1 << 12
"""Places in texts for which it is kept how many regional indicators end there: repeats share their sources. Curve:
`benchmarks.tuning.spans_kept_runs`; flat from 1 to 2^16 on generated:5000 (two cores, 2026-11)."""


class Spans(NamedTuple):
    """The spans of stretches in their texts, int64: `start`, `end` in characters, whole `paragraphs` in it."""

    start: Numbers
    end: Numbers
    paragraphs: Numbers


class _Located(NamedTuple):
    """Tokens with their characters, and the number, start and end of the paragraph each is in.

    The paragraphs of one text have ascending numbers. `before` and `after`: see `_neighbours`.
    """

    token: Numbers
    start: Numbers
    end: Numbers
    paragraph: Numbers
    paragraph_start: Numbers
    paragraph_end: Numbers
    before: Numbers
    after: Numbers


def find_spans(
    text_of: Callable[[int], str],
    offsets: Numbers,
    stretches: Stretches,
    threads: int = 1,
    *,
    chunk: int = CHUNK,
    few: int = LOCATED_SINGLY,
    reading: Reading = PLAIN,
) -> tuple[Spans, Spans]:
    """Return the spans of stretches of tokens and of their sources.

    Tokens are counted over all texts; text t has those from ``offsets[t]`` to ``offsets[t + 1] - 1``. A stretch lies
    in one text. Cost: the texts that have one are read once more, each by one of `threads`, in pieces of about `chunk`
    bytes. They are read in the way of `reading`, as the tokens were.
    """
    first, last = stretches.start, stretches.end - 1
    source_first, source_last = stretches.source, stretches.source_end - 1
    borders = np.concatenate((first, last, source_first, source_last))
    wanted = np.sort(np.concatenate((borders - 1, borders, borders + 1)))
    wanted = wanted[(wanted >= 0) & (wanted < offsets[-1]) & (np.diff(wanted, prepend=-1) > 0)]
    located = _locate_all(text_of, offsets, wanted, threads, chunk, few, reading)
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
        self.before, self.after = located.before[a], located.after[b]
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

    def spans(self) -> Spans:
        return Spans(
            np.where(self.whole_first, self.paragraph_start, self.start),
            np.where(self.whole_last, self.paragraph_end, self.end),
            self.paragraphs,
        )


def _locate_all(
    text_of: Callable[[int], str],
    offsets: Numbers,
    wanted: Numbers,
    threads: int,
    chunk: int,
    few: int,
    reading: Reading,
) -> _Located:
    """Locate the tokens `wanted` (ascending)."""
    texts = np.searchsorted(offsets, wanted, side="right") - 1
    edges = np.append(np.flatnonzero(np.diff(texts, prepend=-1)), len(wanted))
    rows = texts[edges[:-1]]
    together = 1 if len(rows) <= few else TOKENS_TOGETHER
    group = np.cumsum(offsets[rows + 1] - offsets[rows]) // together
    groups: list[int] = np.append(np.flatnonzero(np.diff(group, prepend=-1)), len(rows)).tolist()

    def work(some: tuple[int, int]) -> list[_Columns]:
        begin, end = some
        bounds = edges[begin : end + 1]
        numbers = wanted[bounds[0] : bounds[-1]] - np.repeat(offsets[rows[begin:end]], np.diff(bounds))
        return list(_locate(map(text_of, rows[begin:end].tolist()), numbers, bounds - bounds[0], chunk, reading))

    columns = tuple(np.empty(len(wanted), dtype=np.int64) for _ in range(7))
    at = 0
    for several in map_blocks(work, pairwise(groups), threads):
        for found in several:
            for column, values in zip(columns, found, strict=True):
                column[at : at + len(values)] = values
            at += len(found[0])
    return _Located(wanted, *columns)


_Columns = tuple[Numbers, ...]
"""Those of `_Located` after the first."""


def _locate(texts: Iterable[str], wanted: Numbers, bounds: Numbers, chunk: int, reading: Reading) -> Iterator[_Columns]:
    """Locate the tokens ``wanted[bounds[i]:bounds[i + 1]]`` (ascending) of text i: short texts several at a time."""
    short: list[str] = []
    size, row = 0, 0

    def done() -> Iterator[_Columns]:
        edges = bounds[row - len(short) : row + 1]
        some = wanted[edges[0] : edges[-1]]
        if len(short) > 1:
            yield _locate_several(short, some, edges - edges[0], reading)
        elif short:
            yield _locate_one(short[0], some, chunk, reading)

    for text in texts:
        if size + len(text) > chunk // 4:
            yield from done()
            short, size = [], 0
        short.append(text)
        size += len(text)
        row += 1
    yield from done()


def _locate_one(text: str, wanted: Numbers, chunk: int, reading: Reading) -> _Columns:
    """Locate tokens (ascending) of one text, in pieces if it is long."""
    data = text.encode("utf-8", "surrogatepass")
    size = len(data)
    values = np.frombuffer(data + bytes(PADDING), dtype=np.uint8)
    borders = np.zeros(1, dtype=np.int64), np.full(1, size, dtype=np.int64)
    read = rewrite(values, *borders, reading, placed=True)
    new_size = int(read.ends[0])
    spans = np.empty((len(wanted), 2), dtype=np.int64)
    done, passed = 0, 0
    for begin, end in _pieces(data if reading.plain else read.values[:new_size].tobytes(), new_size, chunk):
        count, found = place_tokens(read.values, begin, end, wanted[done:] - passed, reading)
        spans[done : done + len(found)] = found
        passed += count
        done += len(found)
        if done == len(wanted):
            break
    spans = read.original(spans)
    return _columns(values, *borders, spans, np.zeros(len(spans), dtype=np.int64), ascii_only=len(text) == size)


def _locate_several(texts: list[str], wanted: Numbers, bounds: Numbers, reading: Reading) -> _Columns:
    """Locate tokens of several texts at once."""
    data = [text.encode("utf-8", "surrogatepass") for text in texts]
    ends = np.cumsum([len(some) + 1 for some in data], dtype=np.int64) - 1
    starts = np.append(0, ends[:-1] + 1)
    values = np.frombuffer(b"\n".join([*data, bytes(PADDING)]), dtype=np.uint8)
    read = rewrite(values, starts, ends, reading, placed=True)
    spans = read.original(place_tokens_of_texts(read.values, read.starts, read.ends, wanted, bounds, reading))
    before = np.cumsum([0, *(len(text) + 1 for text in texts[:-1])], dtype=np.int64)
    ascii_only = int(before[-1]) + len(texts[-1]) == int(ends[-1])
    if ascii_only:
        before = starts
    return _columns(values, starts, ends, spans, np.repeat(before, np.diff(bounds)), ascii_only=ascii_only)


def _columns(
    values: npt.NDArray[np.uint8], starts: Numbers, ends: Numbers, spans: Numbers, before: Numbers, *, ascii_only: bool
) -> _Columns:
    """Return the columns for tokens with these `spans` in bytes; `before` the text of each are so many characters."""
    table, _ = split_paragraphs(values, starts, ends)
    number = np.searchsorted(table[:, 0], spans[:, 0], side="right") - 1
    start, end = (spans[:, 0], spans[:, 1]) if ascii_only else _characters(values, spans)
    return start - before, end - before, number, table[number, 2], table[number, 3], *_neighbours(values, spans)


def _neighbours(values: npt.NDArray[np.uint8], spans: Numbers) -> tuple[Numbers, Numbers]:
    """Return the bytes of the code point before each span, and of that after it: up to three, as a number.

    If the numbers differ, the code points do. -1: white space, or no code point.
    """
    start, end = spans[:, 0], spans[:, 1]
    last, middle, first = (values[np.maximum(start - back, 0)].astype(np.int64) for back in (1, 2, 3))
    before = last + (last >= 0x80) * ((middle << 8) + (middle & 0xC0 == 0x80) * (first << 16))
    first, middle, last = (values[end + ahead].astype(np.int64) for ahead in range(3))
    after = first + (first >= 0xC0) * (middle << 8) + (first >= 0xE0) * (last << 16)
    for some in (before, after):
        some[SPACES[np.minimum(some, len(SPACES) - 1)]] = -1
    before[start == 0] = -1
    return before, after


def _characters(values: npt.NDArray[np.uint8], spans: Numbers) -> Numbers:
    """Return starts and ends in characters (2, n) of spans in bytes (n, 2) of one text."""
    from dedup.kernels.text import character_places

    flat = spans.T.ravel()
    order = np.argsort(flat, kind="stable")
    places = np.empty_like(flat)
    character_places(values, 0, flat[order], places)
    characters = np.empty_like(flat)
    characters[order] = places
    return characters.reshape(2, -1)


def _pieces(data: bytes, size: int, chunk: int) -> Iterator[tuple[int, int]]:
    at = 0
    while at < size:
        cut = CHUNK_END.search(data, at + chunk, size) if at + chunk < size else None
        end = cut.start() + 1 if cut else size
        yield at, end
        at = end


def _widen(text_of: Callable[[int], str], here: _Side, there: _Side) -> None:
    """Move the starts and ends of both sides over the equal characters round them, in place."""
    flags = lru_cache(maxsize=KEPT_RUNS)(lambda number, at: flags_before(text_of(number), at))
    # at most borders the characters next to both sides differ, or are white space
    rows = np.flatnonzero(
        ~(here.whole_first & there.whole_first)
        & (here.before == there.before)
        & (here.before >= 0)
        & (here.start > here.low)
        & (there.start > there.low)
    )
    columns = (here.text, there.text, here.start, there.start, here.low, there.low)
    for row, number, other, i, k, low, source_low in zip(
        rows.tolist(), *(c[rows].tolist() for c in columns), strict=True
    ):
        text, source = text_of(number), text_of(other)
        at, back = i, k
        while at > low and back > source_low and text[at - 1] == source[back - 1] and not text[at - 1].isspace():
            at, back = at - 1, back - 1
        if at == i:
            continue
        if not (plainly_apart(text, at) and plainly_apart(source, back)):
            mine, theirs = flags(number, at), flags(other, back)
            while at < i and not (seen_apart(text, at, mine) and seen_apart(source, back, theirs)):
                mine, theirs = (mine + 1, theirs + 1) if _is_flag(text[at]) else (0, 0)  # both sides are equal here
                at, back = at + 1, back + 1
        here.start[row], there.start[row] = at, back
    rows = np.flatnonzero(
        ~(here.whole_last & there.whole_last)
        & (here.after == there.after)
        & (here.after >= 0)
        & (here.end < here.high)
        & (there.end < there.high)
    )
    columns = (here.text, there.text, here.end, there.end, here.high, there.high)
    for row, number, other, j, m, high, source_high in zip(
        rows.tolist(), *(c[rows].tolist() for c in columns), strict=True
    ):
        text, source = text_of(number), text_of(other)
        high, source_high = min(high, len(text)), min(source_high, len(source))
        at, ahead = j, m
        while at < high and ahead < source_high and text[at] == source[ahead] and not text[at].isspace():
            at, ahead = at + 1, ahead + 1
        if at == j:
            continue
        if not (plainly_apart(text, at) and plainly_apart(source, ahead)):
            mine, theirs = flags(number, at), flags(other, ahead)
            while at > j and not (seen_apart(text, at, mine) and seen_apart(source, ahead, theirs)):
                at, ahead = at - 1, ahead - 1
                mine = mine - 1 if mine else flags_before(text, at)
                theirs = theirs - 1 if theirs else flags_before(source, ahead)
        here.end[row], there.end[row] = at, ahead


def flags_before(text: str, at: int) -> int:
    """Return the number of regional indicators right before character `at`: two are seen as a flag."""
    first = at
    while first > 0 and _is_flag(text[first - 1]):
        first -= 1
    return at - first


def seen_apart(text: str, at: int, flags: int) -> bool:
    """Say whether a text may be cut before character `at` without breaking what is seen as one character.

    `flags` : `flags_before` it.

    >>> text = "a👩‍💻🇩🇪"
    >>> [seen_apart(text, at, flags_before(text, at)) for at in range(7)]
    [True, True, False, False, True, False, True]
    """
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if JOINER in (after, before) or unicodedata.category(after)[0] == "M" or "🏻" <= after <= "🏿":
        return False
    return flags % 2 == 0 or not _is_flag(after)


def plainly_apart(text: str, at: int) -> bool:
    """Say whether a text may be cut before character `at`, if one can see that without counting flags."""
    return at <= 0 or at >= len(text) or (text[at - 1] != JOINER and not _may_join(text[at]))


@lru_cache(maxsize=1 << 10)
def _may_join(character: str) -> bool:
    """Say whether a character may be seen as one with the character before it."""
    return (
        character == JOINER
        or unicodedata.category(character)[0] == "M"
        or "🏻" <= character <= "🏿"
        or _is_flag(character)
    )


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"

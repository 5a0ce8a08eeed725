"""Mark the shared spans of a text for people, in the complete text or only in the parts near a span.

A mark has the number of its span, so that the two texts of a comparison can be read side by side::

    [[1: The bridge is closed until]] Thursday [[2: morning while the deck is resurfaced.]]

A piece that is in several spans has all their numbers. A part that is left out of a long text is replaced by its number
of characters. Characters that control a terminal are shown as U+FFFD (`dedup.terminal.clean_block`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from dedup.terminal import clean_block

__all__ = ["CONTEXT", "Piece", "mark_text", "plain"]

CONTEXT = 240
"""Characters. How many are shown on either side of a part that is left out."""


class Piece(NamedTuple):
    """A piece of a text as it is shown, and the numbers (from 1) of the spans that contain it."""

    text: str
    numbers: tuple[int, ...]


def mark_text(text: str, spans: Sequence[tuple[int, int]], context: int | None = CONTEXT) -> list[Piece]:
    """Return the pieces of `text` in order. Spans are (start, end) in characters, and may overlap.

    With `context` None the pieces contain the complete text. Else at most about `context` characters are shown before
    the first span, after the last span, and at both ends of any other long piece; the rest is left out. Cost: linear in
    the text and in the spans that overlap.
    """
    pieces = []
    text = clean_block(text)
    for start, end, numbers in _split(len(text), spans):
        piece = text[start:end]
        if context is not None:
            before = context if start or numbers else 0
            after = context if end < len(text) or numbers else 0
            piece = _shorten(piece, before, after)
        pieces.append(Piece(piece, numbers))
    return pieces


def plain(pieces: Iterable[Piece]) -> str:
    """Return pieces as one string, with double brackets around each marked piece."""
    return "".join(f"[[{label(piece)}: {piece.text}]]" if piece.numbers else piece.text for piece in pieces)


def label(piece: Piece) -> str:
    """Return the numbers of the spans of a piece as text: ``1`` or ``1,4``."""
    return ",".join(map(str, piece.numbers))


def _split(size: int, spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Yield (start, end, numbers of the spans that cover it) for each piece of a text of `size` characters."""
    events: dict[int, list[int]] = {0: [], size: []}
    for number, (start, end) in enumerate(spans, start=1):
        if start < end:
            events.setdefault(start, []).append(number)
            events.setdefault(end, []).append(-number)
    active: set[int] = set()
    for start, end in pairwise(sorted(events)):
        for number in events[start]:
            active ^= {abs(number)}
        yield start, end, tuple(sorted(active))


def _shorten(text: str, before: int, after: int) -> str:
    """Return about `before` characters of the start of a text and `after` of its end, in whole words."""
    missing = len(text) - before - after
    if missing <= CONTEXT // 4:
        return text
    head = text[:before]
    if not text[before].isspace() and (space := re.search(r"\s\S*$", head)):
        head = head[: space.start()]
    tail = text[len(text) - after :]
    if after and not text[-after - 1].isspace() and (space := re.search(r"^\S*\s", tail)):
        tail = tail[space.end() :]
    left_out = f"[... {len(text) - len(head) - len(tail):,} characters ...]"
    return " ".join(part for part in (head.rstrip(), left_out, tail.lstrip()) if part) + (
        " " if not after and text[-1:].isspace() else ""
    )

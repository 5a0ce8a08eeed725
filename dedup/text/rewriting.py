"""Texts rewritten before their tokens are found, if something is ignored or symbols are tokens.

Each option of `ignore` is a pass over the bytes, in this order; what it does, in naive Python::

    "markup"       tags and comments become a space, references are decoded    # `dedup.kernels.markup`
    "hyphenation"  words that a hyphen divides at the end of a line are joined  # `dedup.kernels.hyphens`
    "accents"      without_accents(text)                         # `dedup.text.points`
    "numbers"      without_numbers(text)                         # `dedup.text.points`

With ``tokens="all"``, symbols are written so that the token kernel takes them for tokens. A text is rewritten as a
whole; only then it is cut into paragraphs or lines, whose borders are those of the original text.

Each pass notes where the new text is not in step with the old one, if places are wanted: a *map*, rows of int64 with
start and end in the new text, start and end in the old one. Between two rows both texts are in step. So places of
tokens are those of the original text.

Nothing of this runs for a plain reading. Cost: a pass over the bytes for markup, one for hyphens, and one for all else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.kernels.text_layout import ACCENTED, ESCAPED, LIFTED, NUMERIC, PADDING
from dedup.reading import ACCENTS, ALL, HYPHENATION, IGNORED_NUMBERS, MARKUP, Reading
from dedup.text import points, references, unicode

__all__ = [
    "InContext",
    "Map",
    "Rewritten",
    "original",
    "rewrite",
    "rewrite_again",
    "rewritten_text",
    "token_table",
]

Map = npt.NDArray[np.int64]
Places = npt.NDArray[np.int64]

NO_MAP: Map = np.empty((0, 4), dtype=np.int64)


class Rewritten(NamedTuple):
    """Rewritten texts ``values[starts[i]:ends[i]]`` with PADDING more bytes, and a map for each pass, if wanted."""

    values: npt.NDArray[np.uint8]
    starts: Places
    ends: Places
    maps: tuple[Map, ...] = ()

    def places(self, starts: Places, ends: Places) -> tuple[Places, Places]:
        """Return the places in the rewritten texts of some spans of the original ones, in order."""
        for each in self.maps:
            starts, ends = _rewritten(starts, each, side=0), _rewritten(ends, each, side=1)
        return starts, np.maximum(starts, ends)

    def original(self, spans: Places) -> Places:
        """Return the places in the original texts of some spans (n, 2) of the rewritten ones."""
        for each in reversed(self.maps):
            spans = np.column_stack([original(spans[:, side], each, side=side) for side in (0, 1)])
        return spans


def token_table(reading: Reading) -> unicode.Table:
    """Return the table with which the token kernel reads a rewritten text."""
    return unicode.symbol_table() if reading.tokens == ALL else unicode.table()


def rewrite(
    values: npt.NDArray[np.uint8], starts: Places, ends: Places, reading: Reading, *, placed: bool = False
) -> Rewritten:
    """Rewrite the UTF-8 texts ``values[starts[i]:ends[i]]``; with maps if it is `placed`.

    `values` must have PADDING more bytes after the last end. A plain reading returns what was given.
    """
    made = Rewritten(values, starts, ends)
    if MARKUP in reading.ignore:
        made = _pass(made, _markup(), placed=placed)
    if HYPHENATION in reading.ignore:
        made = _pass(made, _hyphens(), placed=placed)
    wanted = _purposes(reading)
    if wanted:
        made = _pass(made, _points(wanted), placed=placed, growth=2 if wanted & LIFTED else 1)
    return made


def rewrite_again(data: bytes, reading: Reading, *, placed: bool = False) -> tuple[bytes, Map]:
    """Rewrite the normalised form of a rewritten text: NFKC may have made symbols of ASCII again."""
    wanted = _purposes(reading) & ~ESCAPED
    if not wanted:
        return data, NO_MAP
    made = _pass(_of_one(data), _points(wanted), placed=placed)
    return made.values[: made.ends[0]].tobytes(), made.maps[0] if placed else NO_MAP


def rewritten_text(text: str, reading: Reading) -> str:
    """Return a text rewritten."""
    if reading.plain:
        return text
    made = rewrite(*_of_one(text.encode("utf-8", "surrogatepass"))[:3], reading)
    return made.values[: made.ends[0]].tobytes().decode("utf-8", "surrogatepass")


class InContext:
    """A text that was rewritten for what reaches beyond a paragraph or line: the part of `reading` that does."""

    def __init__(self, text: str, reading: Reading) -> None:
        given = _of_one(text.encode("utf-8", "surrogatepass"))
        self._text = text
        self._read = rewrite(given.values, given.starts, given.ends, reading.context, placed=True)
        self._character = self._byte = 0

    def cut(self, start: int, end: int) -> str:
        """Return the rewritten characters `start` to `end` of the text; each call is for a later part of it."""
        first = self._byte + len(self._text[self._character : start].encode("utf-8", "surrogatepass"))
        last = first + len(self._text[start:end].encode("utf-8", "surrogatepass"))
        self._character, self._byte = start, first
        (low,), (high,) = self._read.places(np.array([first]), np.array([last]))
        return self._read.values[low:high].tobytes().decode("utf-8", "surrogatepass")


def original(places: Places, segments: Map, *, side: int) -> Places:
    """Map places in a new text to places in the old one: of starts if `side` is 0, of ends if it is 1."""
    if len(segments) == 0:
        return places
    row = np.searchsorted(segments[:, 0], places, side="right" if side == 0 else "left") - 1
    before = row < 0
    row = np.maximum(row, 0)
    inside = places < segments[row, 1] if side == 0 else places <= segments[row, 1]
    after = segments[row, 3] + places - segments[row, 1]
    return np.where(before, places, np.where(inside, segments[row, 2 + side], after))


def _rewritten(places: Places, segments: Map, *, side: int) -> Places:
    """Map places in the old text to places in the new one. One inside a segment goes to its other end."""
    if len(segments) == 0:
        return places
    row = np.searchsorted(segments[:, 2], places, side="right" if side == 0 else "left") - 1
    before = row < 0
    row = np.maximum(row, 0)
    first = (places == segments[row, 2]) & (segments[row, 2] < segments[row, 3])
    inside = places < segments[row, 3]
    after = segments[row, 1] + places - segments[row, 3]
    found = np.where(first, segments[row, 0], np.where(inside, segments[row, 1 - side], after))
    return np.where(before, places, found)


def _purposes(reading: Reading) -> int:
    """Return the purposes of the replacements of code points."""
    wanted = ACCENTED if ACCENTS in reading.ignore else 0
    wanted |= NUMERIC if IGNORED_NUMBERS in reading.ignore else 0
    return wanted | (LIFTED | ESCAPED if reading.tokens == ALL else 0)


def _of_one(data: bytes) -> Rewritten:
    """Return one text, as it is."""
    values = np.frombuffer(data + bytes(PADDING), dtype=np.uint8)
    return Rewritten(values, np.zeros(1, dtype=np.int64), np.array([len(data)], dtype=np.int64))


Attempt = Callable[[Rewritten, npt.NDArray[np.uint8], Places, Places, Map], int]
"""A kernel that reads texts and writes the new ones, their starts and ends, and a map; it returns the rows of the map,
or -1 if one of them is too small."""


def _markup() -> Attempt:
    from dedup.kernels.markup import strip_markup

    table = references.table()

    def attempt(
        given: Rewritten, out: npt.NDArray[np.uint8], out_starts: Places, out_ends: Places, segments: Map
    ) -> int:
        return strip_markup(given.values, given.starts, given.ends, *table, out, out_starts, out_ends, segments)

    return attempt


def _hyphens() -> Attempt:
    from dedup.kernels.hyphens import join_hyphens

    index, entries, _, _ = points.table()

    def attempt(
        given: Rewritten, out: npt.NDArray[np.uint8], out_starts: Places, out_ends: Places, segments: Map
    ) -> int:
        texts = (given.values, given.starts, given.ends)
        return join_hyphens(*texts, index, entries, out, out_starts, out_ends, segments)

    return attempt


def _points(wanted: int) -> Attempt:
    from dedup.kernels.points import rewrite_points

    table = points.table()

    def attempt(
        given: Rewritten, out: npt.NDArray[np.uint8], out_starts: Places, out_ends: Places, segments: Map
    ) -> int:
        values, starts, ends, _ = given
        return rewrite_points(values, starts, ends, wanted, *table, out, out_starts, out_ends, segments)

    return attempt


def _pass(given: Rewritten, attempt: Attempt, *, placed: bool, growth: int = 1) -> Rewritten:
    """Run one pass, with larger buffers until they are large enough: at first `growth` times what most texts need."""
    total = int((given.ends - given.starts).sum())
    while True:
        out = np.empty(growth * (total + total // 4) + 4 * PADDING, dtype=np.uint8)
        segments = np.empty((growth * (total // 16) + len(given.starts) + 8, 4), dtype=np.int64) if placed else NO_MAP
        out_starts, out_ends = np.empty_like(given.starts), np.empty_like(given.ends)
        count = attempt(given, out, out_starts, out_ends, segments)
        if count >= 0:
            maps = (*given.maps, segments[:count]) if placed else ()
            return Rewritten(out, out_starts, out_ends, maps)
        growth *= 2

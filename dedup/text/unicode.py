"""What every code point means for tokens: one table, generated for one Unicode version and shipped.

Definition, in naive Python (``cat`` is the general category)::

    mapped[c] = unicodedata.normalize("NFKC", c).casefold()
    kind[c]   = SPACELESS  if cat[0] in "LN" and script in (Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar)
                WORD       if cat[0] in "LN" or c == "_"
                MARK       if cat[0] == "M"
                SKIPPED    if cat == "Cf"; and first of all rules, if c is in `IGNORABLE`
                SEPARATOR  otherwise: white space, punctuation, symbols, controls, surrogates, unassigned

A mark belongs to a token only after a letter, digit or mark of a token. Anywhere else, such as after a symbol, it
separates. So marks by themselves are not a token.

Layout: a two-stage table. ``entries[index[c >> 8] << 8 | c & 255]`` is a uint32::

    bits 0-2    kind of the code point (the kind of its mapping is looked up again)
    bit  3      UNSETTLED: may compose or reorder with the code point before it, so that the text around it
                has to be normalised before the table applies (`dedup.text.normalise.normalise`)
    bit  4      UNASSIGNED in this Unicode version: a separator or skipped, whatever Python knows about it
    bit  5      ALONE: UNSETTLED whatever is before it; without this bit only after a FIRST, or marks after one
    bit  6      FIRST: something may compose with it, or with what it decomposes to
    bit  7      SYMBOL: a symbol or punctuation, S* or P* (the underscore, of which words are made, is none)
    bits 8-15   canonical combining class of the last code point of its NFKC form
    bits 16-31  0, or 1 + the row of its mapping: points[starts[row] : starts[row + 1]]

The table does not depend on the Unicode version of the running Python: the normalisation of assigned code points
never changes (Unicode Normalization Stability Policy), and code points that are unassigned here are cut off before
Python's `unicodedata` sees them. `build` generates the table on a Python that has this version; a test compares it
with the shipped file.

Cost: 4 ms to load, 0.3 MB.
"""

from __future__ import annotations

import io
import sys
import unicodedata
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.kernels.text_layout import ALONE, FIRST, MARK, SEPARATOR, SKIPPED, SPACELESS, SYMBOL, UNSETTLED, WORD

UNICODE_VERSION = "14.0.0"
"""The Unicode version that decides classes and case folding (the version of Python 3.11)."""

FILE_NAME = f"unicode-{UNICODE_VERSION}.npz"

UNASSIGNED = 1 << 4

SPACELESS_NAMES = (
    "CJK UNIFIED IDEOGRAPH",
    "CJK COMPATIBILITY IDEOGRAPH",
    "IDEOGRAPHIC ITERATION MARK",
    "IDEOGRAPHIC NUMBER ZERO",
    "VERTICAL IDEOGRAPHIC ITERATION MARK",
    "OLD CHINESE ITERATION MARK",
    "HANGZHOU NUMERAL",
    "HIRAGANA",
    "HENTAIGANA",
    "KATAKANA",
    "THAI",
    "LAO",
    "KHMER",
    "MYANMAR",
)
"""How the names of letters and digits in scripts without spaces begin."""


IGNORABLE = (
    *((0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
    *((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF)),
    *((0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)
"""First and last code point of each range of Default_Ignorable_Code_Point (DerivedCoreProperties of `UNICODE_VERSION`,
which Python does not have): variation selectors, joiners, fillers, tags. Some are unassigned; they are skipped too."""

LIFTED_POINTS = tuple(code for code in range(0x2010, 0x2028) if code != 0x2017)
"""Dashes and quotes that the token kernel takes for separators without a look at the table."""

LIFT = 0x40000
"""What is added to one of them in the rewritten text if symbols are tokens: nothing is assigned there."""


class Table(NamedTuple):
    """The shipped table; the docstring of the module describes its layout."""

    index: npt.NDArray[np.uint16]  # type: ignore[assignment]  # hides tuple.index, which is not used
    entries: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.int32]
    points: npt.NDArray[np.int32]


@lru_cache(maxsize=1)
def table() -> Table:
    """Load the shipped table (once per process)."""
    data = resources.files("dedup.text").joinpath(FILE_NAME).read_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return Table(arrays["index"], arrays["entries"], arrays["starts"], arrays["points"])


@lru_cache(maxsize=1)
def symbol_table() -> Table:
    """Return the table with which each symbol and punctuation code point (SYMBOL) is a token: as SPACELESS ones are.

    The token kernel looks at it only for code points beyond ASCII that are not among `LIFTED_POINTS`. So symbols have
    to be rewritten first (`dedup.text.points`), and those that are written as c + LIFT are mapped to c here.
    """
    index, entries, starts, points = table()
    symbols = entries & np.uint32(SYMBOL) != 0
    entries = np.where(symbols, entries & np.uint32(0xFFFFFFF8) | np.uint32(SPACELESS), entries)
    page = np.zeros(256, dtype=np.uint32)
    for code in LIFTED_POINTS:
        mapping = entries[(int(index[code >> 8]) << 8) | (code & 255)] & np.uint32(0xFFFF0000)
        if mapping == 0:
            starts, points = np.append(starts, starts[-1:] + 1), np.append(points, np.int32(code))
            mapping = np.uint32(len(starts) - 1 << 16)
        page[code & 255] = mapping | np.uint32(SPACELESS)
    index = index.copy()
    index[(LIFTED_POINTS[0] + LIFT) >> 8] = len(entries) >> 8
    return Table(index, np.concatenate((entries, page)), starts, points)


def kinds(text: str) -> list[int]:
    """Return the entry of each code point of `text` (for documentation pages and tests)."""
    index, entries, _, _ = table()
    return [int(entries[(int(index[ord(c) >> 8]) << 8) | (ord(c) & 255)]) for c in text]


def build() -> Table:
    """Generate the table from Python's `unicodedata`, which must be of `UNICODE_VERSION`."""
    if unicodedata.unidata_version != UNICODE_VERSION:
        raise RuntimeError(
            f"the table is generated for Unicode {UNICODE_VERSION}; this Python has {unicodedata.unidata_version}"
        )
    firsts, seconds = _composing()
    mappings: dict[str, int] = {}
    entries = np.zeros(sys.maxunicode + 1, dtype=np.uint32)
    for code in range(sys.maxunicode + 1):
        entries[code] = _entry(code, firsts, seconds, mappings)
    blocks, index = np.unique(entries.reshape(-1, 256), axis=0, return_inverse=True)
    starts = np.cumsum([0, *map(len, mappings)], dtype=np.int32)
    points = np.array([ord(c) for text in mappings for c in text], dtype=np.int32)
    return Table(index.astype(np.uint16).ravel(), blocks.ravel(), starts, points)


def _entry(code: int, firsts: frozenset[str], seconds: frozenset[str], mappings: dict[str, int]) -> int:
    char = chr(code)
    category = unicodedata.category(char)
    if category == "Cs":
        return SEPARATOR
    if category == "Cn":
        return _kind(char, category) | UNASSIGNED
    normal = unicodedata.normalize("NFKC", char)
    mapped = normal.casefold()
    lead, trail = unicodedata.combining(normal[0]), unicodedata.combining(normal[-1])
    entry = _kind(char, category) | trail << 8
    if category[0] in "SP" and char != "_":
        entry |= SYMBOL
    if lead and mapped != char:
        entry |= UNSETTLED | ALONE
    if char in seconds or normal[0] in seconds:
        entry |= UNSETTLED
    if char in firsts or unicodedata.normalize("NFKD", char) != char:
        entry |= FIRST
    if mapped != char:
        entry |= (1 + mappings.setdefault(mapped, len(mappings))) << 16
    return entry


def _kind(char: str, category: str) -> int:
    if category == "Cf" or any(first <= ord(char) <= last for first, last in IGNORABLE):
        return SKIPPED
    if category[0] == "M":
        return MARK
    if category[0] not in "LN":
        return WORD if char == "_" else SEPARATOR
    return SPACELESS if unicodedata.name(char, "").startswith(SPACELESS_NAMES) else WORD


def _composing() -> tuple[frozenset[str], frozenset[str]]:
    """Return the code points that a later one can compose with, and these later ones (NFC_Quick_Check = Maybe)."""
    firsts = {chr(code) for code in range(0x1100, 0x1113)}  # Hangul initials; syllables decompose
    seconds = {chr(code) for code in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}  # Hangul vowels and finals
    for code in range(sys.maxunicode + 1):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<") and unicodedata.normalize("NFC", chr(code)) == chr(code):
            firsts.add(chr(int(parts[0], 16)))
            seconds.add(chr(int(parts[1], 16)))
    return frozenset(firsts), frozenset(seconds)


def write(path: str) -> None:
    """Write a newly built table to `path`: ``python -c "import dedup.text.unicode as u; u.write(...)"``."""
    built = build()
    with open(path, "wb") as file:
        np.savez_compressed(file, **built._asdict())

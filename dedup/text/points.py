"""What every code point means if accents, numbers or hyphens are ignored: one table, generated and shipped.

It is of the Unicode version of `dedup.text.unicode`. Definition, in naive Python (`cat` is the general category)::

    def of_script(c):                                       # a letter whose marks are accents
        return cat(c)[0] == "L" and name(c).startswith(("LATIN", "GREEK", "CYRILLIC", "HEBREW", "ARABIC"))

    def without_accents(text):
        base, kept = None, []
        for c in NFKD(text):
            if cat(c) == "Mn" and not skipped(c):
                if base is not None and not (c == BREVE and base in "ИиУу"): continue
            elif c == TATWEEL: base = c; continue
            elif cat(c)[0] != "M" and not skipped(c): base = c if of_script(c) else None
            kept.append(c)
        return NFKC("".join(kept))

    def without_numbers(text):
        return "".join("0" if cat(c) == "Nd" else c for c in NFKC(text))

So é is e, and й is й. A code point is `skipped` if its kind is SKIPPED. ø, ł and đ have no mark. In the table, each
code point has a class, and a replacement if it contains an accent or a digit. So a text is rewritten code point by code
point (`dedup.kernels.points`).

Layout: two stages, as in `dedup.text.unicode`. An entry is a uint32::

    bits 0-2    class: what the code point does to marks after it, or is itself
    bit  3      ACCENTED: the replacement is for accents
    bit  4      NUMERIC: the replacement is for numbers
    bit  5      LETTER: a letter, L*
    bit  6      LIFTED: a symbol or punctuation (S*, P*) that the token kernel takes for a separator without a look at
                its table. Its replacement is one that the table of symbols (`dedup.text.unicode.symbol_table`) folds
                to it: the full-width form of ASCII, c + LIFT for others
    bit  7      ESCAPED: a code point that looks like such a replacement, and is replaced by a space
    bits 16-31  0, or 1 + the row of its replacement, UTF-8: data[starts[row] : starts[row + 1]]
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

from dedup.kernels.text_layout import (
    ACCENTED,
    BASE_LETTER,
    BREVE,
    BREVE_BASE,
    ESCAPED,
    LETTER,
    LIFTED,
    MARK_AMID,
    MARK_FIRST,
    NO_BASE,
    NONSPACING,
    NUMERIC,
    SKIPPED,
    SYMBOL,
    TRANSPARENT,
)
from dedup.text import unicode
from dedup.text.unicode import LIFT, LIFTED_POINTS, UNICODE_VERSION

__all__ = ["PointTable", "build", "table", "write"]

POINTS_FILE = f"points-{UNICODE_VERSION}.npz"

SCRIPTS = ("LATIN", "GREEK", "CYRILLIC", "HEBREW", "ARABIC")
"""How the names of letters begin whose nonspacing marks are accents."""

BREVE_POINT, TATWEEL = "\u0306", "\u0640"
BREVE_LETTERS = "\u0418\u0438\u0423\u0443"
"""The Cyrillic letters I and U: with a breve they are letters of their own."""

FULL_WIDTH = 0xFEE0
"""The distance from a symbol of ASCII to its full-width form."""


class PointTable(NamedTuple):
    """The shipped table; the docstring of the module describes its layout."""

    index: npt.NDArray[np.uint16]  # type: ignore[assignment]  # hides tuple.index, which is not used
    entries: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.int32]
    data: npt.NDArray[np.uint8]


@lru_cache(maxsize=1)
def table() -> PointTable:
    """Load the shipped table (once per process)."""
    data = resources.files("dedup.text").joinpath(POINTS_FILE).read_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return PointTable(arrays["index"], arrays["entries"], arrays["starts"], arrays["data"])


def build() -> PointTable:
    """Generate the table from Python's `unicodedata`, which must be of `UNICODE_VERSION`."""
    if unicodedata.unidata_version != UNICODE_VERSION:
        raise RuntimeError(
            f"the table is generated for Unicode {UNICODE_VERSION}; this Python has {unicodedata.unidata_version}"
        )
    replacements: dict[bytes, int] = {}
    entries = np.zeros(sys.maxunicode + 1, dtype=np.uint32)
    for code in range(sys.maxunicode + 1):
        if not 0xD800 <= code < 0xE000:
            entries[code] = _entry(chr(code), replacements)
    blocks, index = np.unique(entries.reshape(-1, 256), axis=0, return_inverse=True)
    starts = np.cumsum([0, *map(len, replacements)], dtype=np.int32)
    data = np.frombuffer(b"".join(replacements), dtype=np.uint8)
    return PointTable(index.astype(np.uint16).ravel(), blocks.ravel(), starts, data)


def _entry(char: str, replacements: dict[bytes, int]) -> int:
    entry, kept = _class_of(char)
    decomposed, composed = unicodedata.normalize("NFKD", char), unicodedata.normalize("NFKC", char)
    numbers = "".join("0" if unicodedata.category(c) == "Nd" else c for c in composed)
    replaced = None
    marks = _first_marks(decomposed)
    if 0 < marks < len(decomposed):
        replaced = unicodedata.normalize("NFKC", decomposed[marks:])
        entry = (MARK_AMID if _class_of(decomposed[marks:])[0] == TRANSPARENT else MARK_FIRST) | ACCENTED
    if unicodedata.category(char)[0] == "L":
        entry |= LETTER
    if replaced is not None:
        pass
    elif entry & 7 not in (NONSPACING, BREVE) and kept != decomposed:
        entry |= ACCENTED
        replaced = unicodedata.normalize("NFKC", kept)
    elif numbers != composed:
        entry |= NUMERIC
        replaced = "".join(map(_lifted, numbers))
    elif _lifted(char) != char:
        entry |= LIFTED
        replaced = _lifted(char)
    elif ord(char) - LIFT in LIFTED_POINTS:
        entry |= ESCAPED
        replaced = " "
    if replaced is not None:
        entry |= (1 + replacements.setdefault(replaced.encode(), len(replacements))) << 16
    return entry


def _lifted(char: str) -> str:
    """Return what a symbol is replaced by, if the token kernel does not look it up in its table; else the character."""
    if char.isascii() and unicode.kinds(char)[0] & SYMBOL:
        return chr(ord(char) + FULL_WIDTH)
    return chr(ord(char) + LIFT) if ord(char) in LIFTED_POINTS else char


def _first_marks(decomposed: str) -> int:
    """Return how many nonspacing marks a decomposed code point begins with."""
    is_mark = [unicodedata.category(c) == "Mn" and unicode.kinds(c)[0] & 7 != SKIPPED for c in decomposed]
    return is_mark.index(False) if False in is_mark else len(is_mark)


def _class_of(char: str) -> tuple[int, str]:
    """Return the class of a code point, and its NFKD form without accents."""
    found, kept = -1, []
    for c in unicodedata.normalize("NFKD", char):
        category = unicodedata.category(c)
        if unicode.kinds(c)[0] & 7 == SKIPPED or category in ("Mc", "Me"):
            found = TRANSPARENT if found < 0 else found
        elif category == "Mn":
            if found in (BASE_LETTER, BREVE_BASE) and not (found == BREVE_BASE and c == BREVE_POINT):
                continue
            if found < 0:
                found = BREVE if c == BREVE_POINT else NONSPACING
        elif c == TATWEEL:
            found = BASE_LETTER
            continue
        else:
            own = category[0] == "L" and unicodedata.name(c, "").startswith(SCRIPTS)
            found = NO_BASE if not own else BREVE_BASE if c in BREVE_LETTERS else BASE_LETTER
        kept.append(c)
    return found, "".join(kept)


def write(path: str) -> None:
    """Write a newly built table to `path`: ``python -c "import dedup.text.points as p; p.write(...)"``."""
    built = build()
    with open(path, "wb") as file:
        np.savez_compressed(file, **built._asdict())

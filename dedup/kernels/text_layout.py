"""What kernels and their callers agree on about texts as bytes: padding, kinds of code points, bytes with a meaning.

No kernel is in this module, so that importing it compiles nothing.
"""

from __future__ import annotations

__all__ = [
    "ACCENTED",
    "ALONE",
    "BASE_LETTER",
    "BREVE",
    "BREVE_BASE",
    "COMMA",
    "ESCAPED",
    "FEED",
    "FIRST",
    "LETTER",
    "LIFTED",
    "MARK",
    "MARK_AMID",
    "MARK_FIRST",
    "NONSPACING",
    "NO_BASE",
    "NUMERIC",
    "PADDING",
    "QUOTE",
    "SEPARATOR",
    "SKIPPED",
    "SPACE",
    "SPACELESS",
    "SYMBOL",
    "TRANSPARENT",
    "UNSETTLED",
    "WORD",
]

PADDING = 64
"""Bytes after the end of a text that a kernel may read and write: `classify` takes so many at a time."""

SEPARATOR, WORD, SKIPPED, SPACELESS, MARK = range(5)
"""Kinds of code points, in bits 0 to 2 of the entries of the table; see `dedup.text.unicode`."""

UNSETTLED, ALONE, FIRST, SYMBOL = 1 << 3, 1 << 5, 1 << 6, 1 << 7
"""Bits of the entries of that table."""

NO_BASE, BASE_LETTER, BREVE_BASE, NONSPACING, BREVE, TRANSPARENT, MARK_FIRST, MARK_AMID = range(8)
"""Classes of code points, in bits 0 to 2 of the entries of the table of points; see `dedup.text.points`. Marks after a
base are accents; a breve is none after a BREVE_BASE. A TRANSPARENT one may occur between a base and its marks. A
MARK_FIRST one is a mark and what is no base, such as the Thai am; a MARK_AMID one is a mark and what is TRANSPARENT:
their replacements, without the mark, are for places after a base."""

ACCENTED, NUMERIC, LETTER, LIFTED, ESCAPED = 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7
"""Bits of the entries of that table. All but LETTER say what the replacement of a code point is for."""

FEED, SPACE, QUOTE, COMMA = 0x0A, 0x20, 0x22, 0x2C
"""Bytes of ASCII."""

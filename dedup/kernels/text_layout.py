"""What kernels and their callers agree on about texts as bytes: padding, kinds of code points, bytes with a meaning.

No kernel is in this module, so that importing it compiles nothing.
"""

from __future__ import annotations

__all__ = [
    "ALONE",
    "COMMA",
    "FEED",
    "FIRST",
    "MARK",
    "PADDING",
    "QUOTE",
    "SEPARATOR",
    "SKIPPED",
    "SPACE",
    "SPACELESS",
    "SYMBOL",
    "UNSETTLED",
    "WORD",
]

PADDING = 64
"""Bytes after the end of a text that a kernel may read and write: `classify` takes so many at a time."""

SEPARATOR, WORD, SKIPPED, SPACELESS, MARK = range(5)
"""Kinds of code points, in bits 0 to 2 of the entries of the table; see `dedup.text.unicode`."""

UNSETTLED, ALONE, FIRST, SYMBOL = 1 << 3, 1 << 5, 1 << 6, 1 << 7
"""Bits of the entries of that table."""

FEED, SPACE, QUOTE, COMMA = 0x0A, 0x20, 0x22, 0x2C
"""Bytes of ASCII."""

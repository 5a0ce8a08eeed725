"""Paragraphs and lines: where each of a text begins and ends.

**Paragraphs.** Line breaks are ``\\n``, ``\\r\\n`` and ``\\r``. A block of non-blank lines is one paragraph if it is
hard-wrapped, else each line is a paragraph::

    lines = [line.strip() for line in block]
    width = max(map(len, lines))
    full = [len(a) + 1 + len(b.split()[0]) > width for a, b in zip(lines, lines[1:])]
    worded = [line for line in lines if any(map(of_word, line))]
    repeats = len(set(worded)) < len(worded)
    hard_wrapped = len(lines) >= 3 and width <= 120 and sum(full) >= 0.8 * len(full) and not repeats

In scripts without spaces a "first word" is one character, as it is one token. Nobody writes the same line twice when a
text is broken to fit a width: where one occurs twice (a log, a list, a refrain), the block is of lines. Lines are the
same if their characters are, less the white space around them. A rule, such as ``- - -`` or a row of stars around a
notice, is no such line: it has no character of a word. These are all but ASCII's that are no letter or digit, and
U+0080 to U+00BF, U+2000 to U+2BFF and U+3000 to U+303F: punctuation and symbols.

**Lines** are the non-blank ones between line breaks.

Both are numbered from 0; their spans are trimmed of white space.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Paragraph", "paragraphs", "split_paragraphs", "split_units"]

COUNTED = 1 << 20
"""Bytes whose line breaks are counted at a time: the count takes a byte a byte. Curve:
`benchmarks.tuning.paragraphs_counted`."""


class Paragraph(NamedTuple):
    """A paragraph of a text: ``text[start:end]``, in characters."""

    start: int
    end: int


def paragraphs(text: str) -> list[Paragraph]:
    """Return the paragraphs of `text`, in order. Cost: linear.

    >>> text = "Heading\\n\\nFirst line.\\nSecond line.\\n"
    >>> [text[p.start : p.end] for p in paragraphs(text)]
    ['Heading', 'First line.', 'Second line.']
    """
    values = np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)
    table, _ = split_paragraphs(values, np.zeros(1, dtype=np.int64), np.array([len(values)], dtype=np.int64))
    return [Paragraph(int(start), int(end)) for _, _, start, end in table]


def split_paragraphs(
    values: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Split texts into paragraphs; see `split_units`."""
    return split_units(values, starts, ends, "paragraph")


def split_units(
    values: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], unit: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Split the UTF-8 texts ``values[starts[i]:ends[i]]``, which follow one another, into paragraphs or lines.

    Returns an int64 table (units, 4) of first byte in `values`, end byte, first character in the text and end
    character, and the offsets (texts + 1) of each text's rows.
    """
    from dedup.kernels import text as kernels

    used = values[starts[0] : ends[-1]] if len(starts) else values[:0]
    bound = len(starts)
    for at in range(0, len(used), COUNTED):
        some = used[at : at + COUNTED]
        bound += int(np.count_nonzero(some == ord("\n")) + np.count_nonzero(some == ord("\r")))
    table = np.empty((bound, 4), dtype=np.int64)
    offsets = np.empty(len(starts) + 1, dtype=np.int64)
    lines = np.empty((bound, 6), dtype=np.int64)
    kernels.split_texts(values, starts, ends, unit == "paragraph", lines, table, offsets)
    return table[: offsets[-1]], offsets

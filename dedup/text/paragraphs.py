"""Paragraphs and lines: where each of them begins and ends in a text.

**Paragraphs.** Line breaks are ``\\n``, ``\\r\\n`` and ``\\r``. A block of non-blank lines is one paragraph if it is
hard-wrapped, else each line is a paragraph::

    lines = [line.strip() for line in block]
    width = max(map(len, lines))
    full = [len(a) + 1 + len(b.split()[0]) > width for a, b in zip(lines, lines[1:])]
    worded = [line for line in lines if any(map(of_word, line))]
    repeats = len(set(worded)) < len(worded)
    hard_wrapped = len(lines) >= 3 and width <= 120 and sum(full) >= 0.8 * len(full) and not repeats

In scripts without spaces a "first word" is one character, as a token is one character. A writer who breaks a text to a
width does not write the same line twice: if a line occurs twice (a log, a list, a refrain), each line of the block is a
paragraph. Two lines are the same if their characters are the same, without the white space around them. A rule, such as
``- - -`` or a row of stars around a notice, does not count as such a line, since it has no character of a word. The
characters of a word are all but punctuation and symbols: ASCII other than letters and digits, U+0080 to U+00BF, U+2000
to U+2BFF and U+3000 to U+303F.

**Lines** are the non-blank lines between line breaks.

Both are numbered from 0. Their spans have no white space at either end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Paragraph", "paragraphs", "split_paragraphs", "split_units"]

COUNTED = 1 << 20
"""Bytes whose line breaks are counted at a time: the count takes one byte per byte. Curve:
`benchmarks.tuning.paragraphs_counted`; flat from 2^14 to 2^22 on generated:10000 (two cores, 2026-11)."""


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
    """Split texts into paragraphs; arguments and results are those of `split_units`."""
    return split_units(values, starts, ends, "paragraph")


def split_units(
    values: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], unit: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Split the UTF-8 texts ``values[starts[i]:ends[i]]``, which follow one another, into paragraphs or lines.

    Returns an int64 table (units, 4) and int64 offsets (texts + 1) of the rows of each text. A row has the first byte
    in `values`, the end byte, the first character in the text and the end character.
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

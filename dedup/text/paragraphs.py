"""Paragraphs and lines: their spans, and texts without some of them.

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

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Paragraph", "cut_units", "paragraphs", "split_paragraphs", "split_units"]

COUNTED = 1 << 20
"""Bytes whose line breaks are counted at a time: the count takes a byte a byte."""


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


def cut_units(text: str, spans: npt.NDArray[np.int64], kept: npt.NDArray[np.bool_], unit: str) -> str:
    """Return `text` without the paragraphs or lines that are not kept; ``""`` where none is.

    `spans` (units, 2): start and end of every unit of the text, in characters.
    """
    return cut_lines(text, spans, kept) if unit == "line" else cut_paragraphs(text, spans, kept)


LINE_BREAK = re.compile(r"\r\n|\n|\r")


def cut_lines(text: str, spans: npt.NDArray[np.int64], kept: npt.NDArray[np.bool_]) -> str:
    r"""Return `text` without the lines that are not kept, each with its line break. Blank lines stay.

    Where the last line goes and no line break ends it, the one before it goes in its place.

    >>> spans = np.array([[0, 1], [4, 5], [6, 7]])
    >>> [cut_lines("a\n  b\nc", spans, np.arange(3) != gone) for gone in range(3)]
    ['  b\nc', 'a\nc', 'a\n  b']
    """
    if not kept.any():
        return ""
    pieces: list[str] = []
    at = 0
    last = len(spans) - 1
    for i in np.flatnonzero(~kept).tolist():
        before = int(spans[i - 1, 1]) if i else 0
        start, end = int(spans[i, 0]), int(spans[i, 1])
        after = int(spans[i + 1, 0]) if i < last else len(text)
        start = max(text.rfind("\n", before, start), text.rfind("\r", before, start), before - 1) + 1
        found = LINE_BREAK.search(text, end, after)
        pieces.append(text[at : max(start, at)])
        at = after if found is None else found.end()
        if found is None:  # the text ends here, as it ended before, without a line break
            pieces = [re.sub(r"(\r\n|\n|\r)\Z", "", "".join(pieces))]
    pieces.append(text[at:])
    return "".join(pieces)


def cut_paragraphs(text: str, spans: npt.NDArray[np.int64], kept: npt.NDArray[np.bool_]) -> str:
    """Return `text` without the paragraphs that are not kept, each with the white space behind it.

    `spans` (paragraphs, 2): start and end of every paragraph of the text, in characters.
    """
    if not kept.any():
        return ""
    pieces: list[str] = []
    at = 0
    for i in range(len(spans)):
        if kept[i]:
            continue
        start = int(spans[i, 0])
        if at <= start:
            pieces.append(text[at:start])
        at = int(spans[i + 1, 0]) if i + 1 < len(spans) else int(spans[i, 1])
    body = "".join(pieces)
    tail = text[at:]
    if not kept[-1]:  # the last paragraph went: so does the white space that parted it from the one before
        body = body.rstrip()
    return body + tail

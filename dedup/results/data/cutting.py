"""Cut paragraphs, lines or spans of characters out of a text.

Each function also removes the white space that belongs to a cut, so that no gap is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

__all__ = ["cut_blocks", "cut_repeats", "cut_spans", "cut_units"]

LINE_BREAKS = ("\r\n", "\n", "\r")


def cut_units(text: str, spans: npt.NDArray[np.int64], kept: npt.NDArray[np.bool_], unit: str) -> str:
    """Return `text` without the paragraphs or lines that are not kept; ``""`` if none is kept.

    `spans` (units, 2): start and end of every unit of the text, in characters.
    """
    return cut_lines(text, spans, kept) if unit == "line" else cut_paragraphs(text, spans, kept)


LINE_BREAK = re.compile(r"\r\n|\n|\r")
WHITE = re.compile(r"\s*")


def cut_lines(text: str, spans: npt.NDArray[np.int64], kept: npt.NDArray[np.bool_]) -> str:
    r"""Return `text` without the lines that are not kept and their line breaks. Blank lines are kept.

    If the last line is removed and no line break ends it, the line break before it is removed instead.

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
        if found is None:  # the text ended without a line break, and does so again
            pieces = [re.sub(r"(\r\n|\n|\r)\Z", "", "".join(pieces))]
    pieces.append(text[at:])
    return "".join(pieces)


def cut_paragraphs(text: str, spans: npt.NDArray[np.int64], kept: npt.NDArray[np.bool_]) -> str:
    """Return `text` without the paragraphs that are not kept and the white space after each.

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
    if not kept[-1]:  # the white space before the last paragraph is removed with it
        body = body.rstrip()
    return body + tail


def cut_spans(text: str, starts: list[int], ends: list[int]) -> str:
    """Return `text` without some spans (they may overlap).

    A span of complete lines is removed with the line break after it, a span between two spaces with the second space.
    """
    pieces: list[str] = []
    at = 0
    for start, end in sorted(zip(starts, ends, strict=True)):
        pieces.append(text[at:start])
        if start == 0 or text.startswith(LINE_BREAKS, start - 1) or at == start:
            end += len(next((mark for mark in LINE_BREAKS if text.startswith(mark, end)), ""))
        elif text.startswith(" ", start - 1):
            end += text.startswith(" ", end)
        at = max(at, end)
    pieces.append(text[at:])
    return "".join(pieces)


def cut_repeats(text: str, spans: list[tuple[int, int]]) -> str:
    """Return `text` without some spans and the line break after each. Spans are ascending, and may overlap."""
    pieces = []
    at = 0
    for start, end in spans:
        if end <= at:
            continue
        pieces.append(text[at : max(start, at)])
        following = next((mark for mark in LINE_BREAKS if text.startswith(mark, end)), "")
        at = end + len(following)
    pieces.append(text[at:])
    return "".join(pieces)


def cut_blocks(text: str, spans: Iterable[tuple[int, int]]) -> str:
    r"""Return `text` without some spans of complete paragraphs, and without the gap that each would leave.

    Spans are ascending and do not overlap. Of the white space before and after a span, what has more line breaks is
    kept (if both have as many, that before); the indent of the next line is kept. A text that began or ended with the
    span begins or ends as it did before.

    >>> [cut_blocks(text, [(3, 4)]) for text in ("a\n\nB\n\nc\n", "a\n\nB\n", "a\n\nB\n  c", "\n  B\n\nc")]
    ['a\n\nc\n', 'a\n', 'a\n\n  c', '\nc']
    """
    pieces: list[str] = []
    gap, at = "", 0
    for start, end in spans:
        part = text[at:start]
        body = part.rstrip()
        if body:
            pieces += (gap, body)
            gap = ""
        before = _lines_of(gap + part[len(body) :])
        at = WHITE.match(text, end).end()  # type: ignore[union-attr]  # it matches nothing, too
        if at == len(text):
            at, gap = end if pieces else at, ""
            break
        after = _lines_of(text[end:at])
        gap = max(before, after, key=_breaks) if pieces else before
        at -= len(text[end:at]) - len(after)
    return "".join((*pieces, gap, text[at:]))


def _lines_of(white: str) -> str:
    """Return white space without the indent of the line after it."""
    return white[: max(white.rfind("\n"), white.rfind("\r")) + 1]


def _breaks(white: str) -> int:
    return len(LINE_BREAK.findall(white))

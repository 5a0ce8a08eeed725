"""`compare`: how similar two texts are, and which spans they share."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dedup.errors import InputError
from dedup.hashing.shingles import parse
from dedup.option_types import IgnoreOption, MetricOption, TokensOption
from dedup.options import check_word
from dedup.page.showing import Shown
from dedup.reading import Reading
from dedup.shingling import shingles
from dedup.text.shared_spans import Span, shared_spans
from dedup.threshold import Metric

if TYPE_CHECKING:
    from dedup.page.view import View

__all__ = ["Comparison", "Span", "compare"]


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """The evidence for two texts, made by `dedup.compare`.

    Attributes
    ----------
    left_size, right_size, shared : numbers of distinct shingles
    jaccard : shared / union; 0.0 if a text has no token
    left_in_right, right_in_left : shared / left_size, shared / right_size; 0.0 if a text has no token
    spans : the shared spans, in the order of the right text
    texts : the left and the right text
    distance, similarity : the edit distance and similarity, as of ``metric="edit"``; None if they were not asked for
    """

    left_size: int
    right_size: int
    shared: int
    jaccard: float
    left_in_right: float
    right_in_left: float
    spans: tuple[Span, ...]
    texts: tuple[str, str] = field(default=("", ""), compare=False)
    distance: int | None = None
    similarity: float | None = None

    def __repr__(self) -> str:
        spans = "1 span" if len(self.spans) == 1 else f"{len(self.spans):,} spans"
        return (
            f"Comparison: {self.shared:,} of {self.left_size:,} and {self.right_size:,} shingles shared, jaccard "
            f"{self.jaccard:.3f}, left in right {self.left_in_right:.3f}, right in left {self.right_in_left:.3f}, "
            f"{spans}{self._edits()}"
        )

    def _edits(self) -> str:
        if self.distance is None or self.similarity is None:
            return ""
        return f", edit distance {self.distance:,}, edit similarity {self.similarity:.3f}"

    __hash__ = None  # type: ignore[assignment]

    def _view(self) -> View:
        from dedup.page.beside import contained, widened
        from dedup.page.clusters import shortened
        from dedup.page.view import Member, View, Words

        counts = f"{self.shared:,} of {self.left_size:,} and {self.right_size:,} shingles shared"
        evidence: tuple[str, ...] = (
            f"{counts}: Jaccard {self.jaccard:.3f}",
            contained(self.left_in_right, self.right_in_left),
        )
        evidence += (self._edits().removeprefix(", "),) if self.distance is not None else ()
        left, right = self.texts
        spans = widened(left, right, [span[:4] for span in self.spans])
        members = [Member(0, "", left), Member(1, "", right, self.jaccard, evidence, spans, differs=True)]
        return View(
            kind="compare",
            title=f"Two texts compared: Jaccard {self.jaccard:.3f}",
            words=Words("comparison", "texts", "left", "right"),
            facts=[("shared spans", f"{len(self.spans):,}")],
            warnings=[],
            threshold=1.0,
            number=np.zeros(1, dtype=np.int64),
            size=np.array([2], dtype=np.int64),
            similarity=np.array([self.jaccard]),
            reason=np.array([""]),
            names=lambda rows: ["of two texts"] * len(rows),
            starts=lambda rows: [shortened(left)] * len(rows),
            members=lambda rows, _: iter([members] * len(rows)),
        )


def compare(
    a: str,
    b: str,
    *,
    shingle: str | None = None,
    metric: MetricOption = "jaccard",
    ignore: IgnoreOption = (),
    tokens: TokensOption = "words",
    hash_key: bytes | None = None,
) -> Comparison:
    """Compare two texts: return the numbers of `dedup.find_duplicates` for the pair, and the spans that both share.

    `shingle` is "words:5" by default. With ``metric="edit"`` the edit distance and similarity are computed too, in time
    that grows with the product of the lengths; the other words for `metric` change nothing. `ignore`, `tokens` and
    `hash_key` are as for `dedup.find_duplicates`. A span has at least as many words as a shingle (or as the shorter
    text, if that has fewer). Spans do not overlap in `b`. Cost: linear.

    >>> result = compare("The cat sat on the mat today.", "Yesterday the cat sat on the mat.")
    >>> result.shared, round(result.jaccard, 2)
    (2, 0.5)
    >>> [("The cat sat on the mat today."[s.left_start : s.left_end], s.words) for s in result.spans]
    [('The cat sat on the mat', 6)]
    """
    for name, text in (("a", a), ("b", b)):
        if not isinstance(text, str):
            hint = _hint(text)
            raise InputError(f"{name}: expected a str, found {type(text).__name__}{hint}")
    a, b = str.__str__(a), str.__str__(b)
    by = Metric(check_word("metric", metric, [str(each) for each in Metric]))
    kind = parse("words:5" if shingle is None else shingle, Reading.check(ignore, tokens, hash_key))
    sets = shingles([a, b], str(kind), hash_key=kind.key, **kind.reading.options)
    edits = None
    if by is Metric.EDIT:
        from dedup.edit.compare import compare_edits

        edits = compare_edits(a, b, kind.reading)
    left_size, right_size = len(sets[0]), len(sets[1])
    shared = len(np.intersect1d(sets[0], sets[1], assume_unique=True))
    return Comparison(
        left_size,
        right_size,
        shared,
        shared / (left_size + right_size - shared) if shared else 0.0,
        shared / left_size if left_size else 0.0,
        shared / right_size if right_size else 0.0,
        shared_spans(a, b, kind.kind, kind.size, kind.reading),
        (a, b),
        *((edits.distance, edits.similarity) if edits is not None else ()),
    )


def _hint(text: object) -> str:
    """Return the end of a message about a value that is not a str: what to do, if that is known."""
    if isinstance(text, (bytes, bytearray)):
        return "; decode it first"
    if isinstance(text, os.PathLike):
        return '; read it first: Path.read_text(encoding="utf-8")'
    return "; two collections are compared by dedup.match" if isinstance(text, (list, tuple)) else ""

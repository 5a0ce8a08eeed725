"""What a search for repeats gives back: the repeats, and the texts without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedup.columns import Texts

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Repeat", "Repeats", "counted"]

HEADING_WORDS = 20
"""A repeat of fewer words stays: headings, bylines, refrains."""

LINE_BREAKS = ("\r\n", "\n", "\r")


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 text", "2,000 texts"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


class Repeat(NamedTuple):
    """A stretch of a document that repeats an earlier one.

    ``text[start:end]`` repeats ``source_text[source_start:source_end]``, in characters. `words` are the tokens of the
    repeat, `paragraphs` the whole paragraphs in it, `similarity` the matched tokens / tokens of the longer side.
    """

    document: int | str
    start: int
    end: int
    source_document: int | str
    source_start: int
    source_end: int
    words: int
    paragraphs: int
    similarity: float


class Repeats(Sequence[Repeat]):
    """Repeats in the order of their places; made by `dedup.find_repeats`. Iterate it, index it, or take ``table``."""

    def __init__(
        self,
        texts: Texts,
        rows: list[tuple[int, Repeat]],
        cuts: list[list[tuple[int, int]]],
        again: Callable[[list[str]], Repeats],
        *,
        bare: bool,
    ) -> None:
        self._texts = texts
        self._rows = rows
        self._cuts = cuts
        self._again = again
        self._bare = bare

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Repeat]:
        return (repeat for _, repeat in self._rows)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        found = self._rows[index]
        return [repeat for _, repeat in found] if isinstance(index, slice) else found[1]

    def __repr__(self) -> str:
        found, texts = counted(len(self), "repeat"), counted(len(self._texts), "text")
        return f"Repeats: {found} in {texts}, {100 * self.coverage:.1f} % of the characters"

    @cached_property
    def table(self) -> pa.Table:
        """The repeats as an Arrow table, a column for each field of `Repeat`."""
        import pyarrow as pa

        ids = self._texts.ids
        id_type = pa.string() if ids and isinstance(ids[0], str) else pa.int64()
        types = [id_type, pa.int64(), pa.int64()] * 2 + [pa.int64(), pa.int64(), pa.float64()]
        columns = zip(*self, strict=True) if self._rows else ([] for _ in types)
        arrays = [pa.array(column, type=kind) for column, kind in zip(columns, types, strict=True)]
        return pa.table(dict(zip(Repeat._fields, arrays, strict=True)))

    @cached_property
    def _lengths(self) -> list[int]:
        return [len(self._texts[row]) for row in range(len(self._texts))]

    @cached_property
    def _repeated(self) -> list[int]:
        """The characters of each document that are in a repeat."""
        counts = [0] * len(self._texts)
        reached: tuple[int, int] = (-1, 0)
        for row, repeat in self._rows:
            start = max(repeat.start, reached[1]) if reached[0] == row else repeat.start
            counts[row] += max(repeat.end - start, 0)
            reached = (row, max(repeat.end, start))
        return counts

    @cached_property
    def coverage(self) -> float:
        """The share of all characters that repeat something earlier, from 0 to 1."""
        total = sum(self._lengths)
        return sum(self._repeated) / total if total else 0.0

    @cached_property
    def documents(self) -> pa.Table:
        """Coverage by document (Arrow table): document, repeats, repeated (characters), characters, coverage."""
        import pyarrow as pa

        lengths, repeated = np.array(self._lengths, dtype=np.int64), np.array(self._repeated, dtype=np.int64)
        counts = np.bincount(np.array([row for row, _ in self._rows], dtype=np.int64), minlength=len(lengths))
        ids = [self._texts.id_of(row) for row in range(len(lengths))]
        return pa.table(
            {
                "document": pa.array(ids, type=pa.string() if ids and isinstance(ids[0], str) else pa.int64()),
                "repeats": counts,
                "repeated": repeated,
                "characters": lengths,
                "coverage": repeated / np.maximum(lengths, 1),
            }
        )

    def without_repeats(self, min_words: int = HEADING_WORDS, *, whole_paragraphs: bool = True) -> str | list[str]:
        """Return the text (or the list of texts) with first places only.

        Each later place goes with the line break that follows it; a paragraph that was bridged stays if more than half
        of its words are new. Repeats of fewer than `min_words` words stay (headings, bylines). With `whole_paragraphs`,
        what is repeated inside a paragraph stays; this version finds whole paragraphs only, so the option changes
        nothing yet. Applied to its own result it changes nothing: where a removal brings two paragraphs together that
        repeat an earlier pair, those go too.
        """
        del whole_paragraphs  # every repeat is of whole paragraphs so far
        texts = [self._texts[row] for row in range(len(self._texts))]
        found = self
        while True:
            shorter = found._remove(texts, min_words)
            if shorter == texts:
                return texts[0] if self._bare else texts
            texts = shorter
            found = self._again(texts)

    def _remove(self, texts: list[str], min_words: int) -> list[str]:
        spans: dict[int, list[tuple[int, int]]] = {}
        for (row, repeat), cuts in zip(self._rows, self._cuts, strict=True):
            if repeat.words >= min_words:
                spans.setdefault(row, []).extend(cuts)
        return [_without(text, sorted(spans[row])) if row in spans else text for row, text in enumerate(texts)]


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    pieces = []
    at = 0
    for start, end in spans:
        pieces.append(text[at:start])
        following = next((mark for mark in LINE_BREAKS if text.startswith(mark, end)), "")
        at = max(at, end + len(following))
    pieces.append(text[at:])
    return "".join(pieces)

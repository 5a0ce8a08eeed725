"""The result of `find_repeats`: the repeats, and the texts without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError
from dedup.hash_key import PUBLIC
from dedup.kernels.text_layout import PADDING
from dedup.options import check_flag, check_min_words
from dedup.page.showing import Shown
from dedup.reading import Reading
from dedup.results.counted import counted
from dedup.results.data.cutting import cut_repeats
from dedup.results.repeat import Repeat, RepeatInColumns
from dedup.runtime.arrays import arrow_table
from dedup.sources.column_places import ColumnSpans
from dedup.sources.texts import Texts
from dedup.sources.two_sided import same_ids
from dedup.text.paragraphs import split_paragraphs
from dedup.text.rewriting import rewrite
from dedup.text.tokens import hash_tokens

if TYPE_CHECKING:
    import pyarrow as pa

    from dedup.page.view import View

__all__ = ["Repeats"]

REPEATS_STATE = ("texts", "_columns", "_parts", "_again", "_asked", "_bare", "reading")
"""The attributes in a pickle; all others are computed from them."""

HEADING_WORDS = 20
"""Words. Shorter repeats are kept by default: headings, bylines, refrains."""


Columns = dict[str, npt.NDArray[Any]]
Parts = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""For repeats with edits: the row of the repeat, and the start and end of each equal part of it."""


class Repeats(Sequence[Repeat], Shown):
    """Repeats in the order of their places, made by `dedup.find_repeats`. Iterate it, index it, or use ``table``.

    Two results are equal if their options and their repeats are equal; the type of the collection does not matter. A
    pickle contains texts that were in memory; for texts in files it contains only their places.
    """

    def __init__(
        self,
        texts: Texts,
        columns: Columns,
        parts: Parts,
        again: Callable[[list[str]], Repeats],
        *,
        asked: Mapping[str, Any],
        bare: bool,
        reading: Reading,
    ) -> None:
        """Take the arrays of a search. `asked` are its options; `again` runs the same search on other texts."""
        self.texts = texts
        self._columns = columns
        self._parts = parts
        self._again = again
        self._asked = dict(asked)
        self._bare = bare
        self.reading = reading

    def __len__(self) -> int:
        return len(self._columns["start"])

    def __iter__(self) -> Iterator[Repeat]:
        return map(self._repeat, range(len(self)))

    @overload
    def __getitem__(self, index: int) -> Repeat: ...
    @overload
    def __getitem__(self, index: slice) -> list[Repeat]: ...
    def __getitem__(self, index: int | slice) -> Repeat | list[Repeat]:
        rows = range(len(self))
        return [self._repeat(row) for row in rows[index]] if isinstance(index, slice) else self._repeat(rows[index])

    def __repr__(self) -> str:
        found, texts = counted(len(self), "repeat"), counted(len(self.texts), "text")
        try:
            return f"Repeats: {found} in {texts}, {100 * self.coverage:.1f} % of the characters"
        except InputError as error:  # the files no longer exist
            return f"Repeats: {found} in {texts} ({error})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Repeats):
            return NotImplemented
        return self is other or (
            (self._asked, self._bare) == (other._asked, other._bare)
            and all(map(np.array_equal, self._arrays(), other._arrays()))
            and same_ids(self.texts, other.texts)
            and np.array_equal(self._lengths, other._lengths)
            and self.texts.column_places == other.texts.column_places
        )

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name in REPEATS_STATE}

    def _arrays(self) -> Iterator[npt.NDArray[Any]]:
        """Yield the arrays from which the repeats are made."""
        return chain(self._columns.values(), self._parts)

    def _repeat(self, row: int) -> Repeat:
        values = {name: column[row].item() for name, column in self._columns.items()}
        for name in ("document", "source_document"):
            values[name] = self.texts.id_of(values[name])
        if self.texts.column_places is None:
            return Repeat(**values)
        names = self.texts.column_places.names
        for prefix, spans in self._in_columns.items():
            column, start, end_column, end = (each[row].item() for each in spans)
            values |= {f"{prefix}column": names[column], f"{prefix}end_column": names[end_column]}
            values |= {f"{prefix}start": start, f"{prefix}end": end}
        return RepeatInColumns(**values)

    @cached_property
    def _in_columns(self) -> dict[str, ColumnSpans]:
        """The spans of repeats and of their sources in several columns, by the prefix of their names."""
        places, own = self.texts.column_places, self._columns
        assert places is not None
        return {
            prefix: places.spans(own[f"{prefix}document"], own[f"{prefix}start"], own[f"{prefix}end"])
            for prefix in ("", "source_")
        }

    @cached_property
    def table(self) -> pa.Table:
        """The repeats as an Arrow table, with one column per field of `Repeat`.

        If several columns were searched, also column and end_column, source_column and source_end_column: the names of
        the columns in which `start` and `end`, `source_start` and `source_end` count characters.
        """
        return self.rows(slice(None))

    def rows(self, part: slice) -> pa.Table:
        """Return a part of ``table``."""
        own = {name: column[part] for name, column in self._columns.items()}
        columns: dict[str, Any] = {}
        for prefix in ("", "source_"):
            rows, start, end = (own.pop(f"{prefix}{name}") for name in ("document", "start", "end"))
            columns[f"{prefix}document"] = self.texts.ids_at(rows)
            if self.texts.column_places is None:
                columns |= {f"{prefix}start": start, f"{prefix}end": end}
            else:
                columns |= self.texts.column_places.columns_of(rows, start, end, prefix)
        return arrow_table({**columns, **own})

    @cached_property
    def _lengths(self) -> npt.NDArray[np.int64]:
        return self.texts.lengths()

    @cached_property
    def _repeated(self) -> npt.NDArray[np.int64]:
        """For each document, the number of its characters that are in a repeat."""
        row, start, end = (self._columns[name] for name in ("document", "start", "end"))
        # with all documents on one axis, a repeat adds its characters after the furthest end of the repeats before it
        base = (np.cumsum(self._lengths + 1) - self._lengths - 1)[row] if len(row) else row
        order = np.lexsort((-end, start, row))
        reached = np.maximum.accumulate((base + end)[order])
        before = np.concatenate((np.zeros(min(len(row), 1), dtype=np.int64), reached[:-1]))
        new = np.maximum(reached - np.maximum(before, (base + start)[order]), 0)
        counts = np.zeros(len(self.texts), dtype=np.int64)
        np.add.at(counts, row[order], new)
        return counts

    @cached_property
    def coverage(self) -> float:
        """The share of all characters that are in a repeat, from 0 to 1."""
        total = int(self._lengths.sum())
        return int(self._repeated.sum()) / total if total else 0.0

    @cached_property
    def documents(self) -> pa.Table:
        """Coverage per document (Arrow table): document, repeats, repeated (characters), characters, coverage."""
        lengths = self._lengths
        return arrow_table(
            {
                "document": self.texts.ids_at(np.arange(len(lengths), dtype=np.int64)),
                "repeats": np.bincount(self._columns["document"], minlength=len(lengths)),
                "repeated": self._repeated,
                "characters": lengths,
                "coverage": self._repeated / np.maximum(lengths, 1),
            }
        )

    def _view(self) -> View:
        from dedup.page.links import Links, view_of_links
        from dedup.page.view import Words, binned

        columns = self._columns
        order = np.argsort(columns["document"], kind="stable")
        sources = list(self.texts.sources or [])
        names = ("start", "end", "source_start", "source_end")
        links = Links(
            left=columns["document"][order],
            right=columns["source_document"][order],
            similarity=columns["similarity"][order],
            spans=np.column_stack([columns[name][order] for name in names]),
            words=columns["words"][order],
            file=lambda rows: self.texts.locate(rows)[0].astype(np.int64),
            sources=sources,
            left_text=self.texts.__getitem__,
            left_name=lambda row: str(self.texts.id_of(row)),
            left_id=self.texts.id_of,
            right_text=self.texts.__getitem__,
            right_name=lambda row: str(self.texts.id_of(row)),
        )
        histograms = []
        if len(self):
            histograms = [
                binned("share of a text that is in a repeat", self.documents.column("coverage").to_numpy(), 0.0, 1.0),
                binned("words of a repeat", columns["words"], 1, int(columns["words"].max()), whole=True),
            ]
            if self._asked["threshold"] < 1.0:
                low = min(self._asked["threshold"], float(columns["similarity"].min()))
                mark = self._asked["threshold"]
                histograms.append(
                    binned("similarity of a repeat to its source", columns["similarity"], low, 1.0, mark=mark)
                )
        facts = [("texts", f"{len(self.texts):,}"), ("repeats", f"{len(self):,}")]
        facts += [("share of all characters", f"{100 * self.coverage:.1f} %")]
        facts += [(name.replace("_", " "), f"{value:,}") for name, value in self._asked.items()]
        return view_of_links(
            links,
            kind="repeats",
            title=f"{counted(len(self), 'repeat')} in {counted(len(self.texts), 'text')}",
            words=Words("text", "texts repeated", "text", "occurs before in"),
            noun="repeat",
            facts=facts,
            warnings=[],
            threshold=self._asked["threshold"],
            shingle="words:5",
            reading=self.reading._replace(key=PUBLIC),
            histograms=histograms,
            nothing=f"No repeats of {self._asked['min_words']:,} words or more were found.",
        )

    def without_repeats(self, min_words: int = HEADING_WORDS, *, whole_paragraphs: bool = True) -> str | list[str]:
        """Return the text (or the list of texts) without its repeats; the first place of each is kept.

        With `whole_paragraphs`, only complete paragraphs are removed: consecutive complete paragraphs of a repeat that
        have at least `min_words` words together, with the line break after them. A repeat inside a paragraph is kept,
        and so are short headings. Without it, each repeat of at least `min_words` words is removed exactly, with the
        line break after it.

        A repeat with edits contains new words. A paragraph is then kept if half of its characters or more are new;
        without `whole_paragraphs` all new words are kept. If only the first word of the first paragraph of a copy is
        new, or the last word of its last one, the repeat may begin or end beside that word: the paragraph is then not
        complete, and kept. Applied to its own result the function changes nothing: if a removal creates a new repeat,
        that is removed too. If several columns were searched, these are the texts of the rows as they were searched:
        those of the columns, joined by a blank line.
        """
        min_words, whole_paragraphs = check_min_words(min_words), check_flag("whole_paragraphs", whole_paragraphs)
        texts = [self.texts[row] for row in range(len(self.texts))]
        found = self
        while True:
            shorter = found._remove(texts, min_words, whole_paragraphs)
            if shorter == texts:
                return texts[0] if self._bare else texts
            texts = shorter
            found = self._again(texts)

    def _remove(self, texts: list[str], min_words: int, whole_paragraphs: bool) -> list[str]:
        result = list(texts)
        for row, spans in self._spans_by_text(min_words):
            cuts = (
                _paragraph_cuts(texts[row], spans, min_words, self.reading) if whole_paragraphs else list(chain(*spans))
            )
            result[row] = cut_repeats(texts[row], sorted(cuts))
        return result

    def _spans_by_text(self, min_words: int) -> Iterator[tuple[int, list[list[tuple[int, int]]]]]:
        """Yield each text with repeats of `min_words` words or more, and for each of them its equal parts."""
        document, start, end = (self._columns[name].tolist() for name in ("document", "start", "end"))
        words = self._columns["words"].tolist()
        parts: dict[int, list[tuple[int, int]]] = {}
        for row, a, b in zip(*(column.tolist() for column in self._parts), strict=True):
            parts.setdefault(row, []).append((a, b))
        by_text: dict[int, list[list[tuple[int, int]]]] = {}
        for row, text in enumerate(document):
            if words[row] >= min_words:
                by_text.setdefault(text, []).append(parts.get(row, [(start[row], end[row])]))
        yield from by_text.items()

    def decision_rows(self) -> pa.Table:
        """Return what an apply cuts out of the texts, in input order (Arrow table): file, record, start, end.

        If several columns were searched, also column, before start; a span is in one of them. The spans are those that
        one step of `without_repeats` removes, without the white space around them; two that overlap are one. A search
        for repeats of fewer words than its default removes these too. Memory: one text at a time.
        """
        import pyarrow as pa

        fewest = min(HEADING_WORDS, self._asked["min_words"])

        places = self.texts.column_places
        rows: list[int] = []
        cuts: list[tuple[int, int, int]] = []
        for row, spans in sorted(self._spans_by_text(fewest)):
            text = self.texts[row]
            found = _joined(sorted(_paragraph_cuts(text, spans, fewest, self.reading)))
            parts = [(0, 0, len(text))] if places is None else places.parts(row)
            own = [(number, *span) for number, *part in parts for span in _clipped(text, found, *part)]
            rows += [row] * len(own)
            cuts += own
        files, records = self.texts.locate(np.array(rows, dtype=np.int64))
        column, start, end = np.array(cuts, dtype=np.int64).reshape(-1, 3).T
        names = {"file": pa.array(files, type=pa.int32()), "record": pa.array(records, type=pa.int64())}
        names |= {} if places is None else {"column": places.named(column)}
        return pa.table({**names, "start": start.copy(), "end": end.copy()})


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ascending spans as spans that do not overlap."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _clipped(text: str, spans: list[tuple[int, int]], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield what of some spans lies in ``text[first:last]``, counted from `first`, without white space around it."""
    for start, end in spans:
        inside = text[max(start, first) : min(end, last)]
        if body := inside.strip():
            start = max(start, first) + len(inside) - len(inside.lstrip())
            yield start - first, start - first + len(body)


def _paragraph_cuts(
    text: str, spans: list[list[tuple[int, int]]], min_words: int, reading: Reading
) -> list[tuple[int, int]]:
    """Return the spans of consecutive complete paragraphs in a repeat that have `min_words` words or more together.

    `spans` has one list per repeat, with the parts of it that are equal to the source.
    """
    values = np.frombuffer(text.encode("utf-8", "surrogatepass") + bytes(PADDING), dtype=np.uint8)
    bounds = np.array([0, len(values) - PADDING], dtype=np.int64)
    table, _ = split_paragraphs(values, bounds[:1], bounds[1:])
    first, end = np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1])
    read = rewrite(values, bounds[:1], bounds[1:], reading, placed=True)
    tokens = reading._replace(key=PUBLIC)
    _, offsets = hash_tokens(read.values, *read.places(first, end), tokens)  # the tokens are only counted
    starts, ends = table[:, 2], table[:, 3]
    cuts: list[tuple[int, int]] = []
    for parts in spans:
        low = int(np.searchsorted(starts, parts[0][0]))
        high = int(np.searchsorted(ends, parts[-1][1], side="right"))
        inside = np.arange(low, max(low, high))
        if len(parts) > 1:
            shared = _covered(parts, ends[inside]) - _covered(parts, starts[inside])
            inside = inside[2 * shared > ends[inside] - starts[inside]]
        if len(inside) == 0:
            continue
        breaks = np.flatnonzero(np.diff(inside) > 1)
        first, last = inside[np.append(0, breaks + 1)], inside[np.append(breaks, len(inside) - 1)]
        enough = offsets[last + 1] - offsets[first] >= min_words
        cuts += zip(starts[first[enough]].tolist(), ends[last[enough]].tolist(), strict=True)
    return cuts


def _covered(parts: list[tuple[int, int]], places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return how many characters of the parts, which are ascending, lie before each place."""
    start, end = np.array(parts, dtype=np.int64).T
    before = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(end - start)))
    row = np.searchsorted(start, places)  # parts that begin before the place; the last may reach beyond it
    last = np.maximum(row - 1, 0)
    beyond = np.where(row > 0, np.maximum(end[last] - places, 0), 0)
    return before[row] - beyond

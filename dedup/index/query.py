"""Queries: the texts of a collection are looked up in an index, block by block; the result is a `Matches`.

In naive Python::

    [(text, document) for text in texts for document in living if similarity(text, document) >= threshold]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError, ParameterError
from dedup.hashing.forms import NUMBERS
from dedup.hashing.shingles import hash_text
from dedup.hashing.units import HashedBlock, HashRows, Units, hash_block, hash_texts
from dedup.index.log.rows import DIFFERING, MARK_WORDS, MarkedSets, marked, sets_of, sizes_of
from dedup.index.memory import Bound
from dedup.index.view import ALL_PAIRS, View
from dedup.pairs.kept_apart import Apart
from dedup.pairs.verify import Pairs, similarity
from dedup.results.match_links import MatchInfo, Passages
from dedup.results.matches import Matches
from dedup.results.summary import MatchSummary
from dedup.runtime.progress import Progress
from dedup.sources.coerce import Block, ListTexts, Texts
from dedup.sources.two_sided import Sides
from dedup.threshold import Metric
from dedup.unit import Unit

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["IndexMatches", "best_of", "query", "seen"]

Found = npt.NDArray[np.int64]

NO_MARKS = np.empty((0, 3), dtype=np.uint64)
"""The marks of texts that nothing tells apart but their sets."""


class IndexMatches(Matches):
    """The pairs of texts with documents of an index: a `dedup.Matches` whose right side is the index.

    ``pairs`` has the ids of the documents. ``passages`` and ``cut`` were not searched. The page of ``to_html`` has the
    texts of the documents if the index was made with ``store="text"``, also after the index was closed; a result that
    was pickled has none.
    """

    _of_index = True

    def __init__(self, live: int, empty: int, *evidence: Any, apart: Apart | None) -> None:
        super().__init__(*evidence, apart=apart)
        self._live, self._empty = live, empty

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_live": self._live, "_empty": self._empty}

    @cached_property
    def summary(self) -> MatchSummary:
        """The numbers of the query; `against` counts the documents of the index."""
        return replace(super().summary, against=self._live, against_empty=self._empty)

    @property
    def _passages(self) -> Passages:
        raise ParameterError(
            "passages: expected a match, found a query of an index, which has no passages; use dedup.match"
        )


class Documents(Texts):
    """The documents of an index that were found, by their ids, and by their numbers in a view of it.

    Their texts are there if the index keeps texts; they are read when they are asked for.
    """

    def __init__(self, view: View, ids: list[Any], numbers: Found) -> None:
        self.ids, self._kind = ids, view.manifest.ids
        self._view = view if view.settings.with_texts else None
        self._numbers = numbers

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_view": None}  # it has open files

    def __len__(self) -> int:
        return len(self.ids or ())

    @property
    def readable(self) -> bool:  # type: ignore[override]  # it depends on the index
        """Whether the texts are there."""
        return self._view is not None

    def __getitem__(self, row: int) -> str:
        if self._view is None:
            raise InputError(
                f"expected a text, found document {self.id_of(row)!r} of an index, which keeps no texts; look "
                "it up by its id where it came from"
            )
        return self._view.texts(self._numbers[row : row + 1])[0]

    def ids_at(self, rows: npt.NDArray[np.int64]) -> pa.Array:
        """Return the ids of some rows as an Arrow array (int64 or string)."""
        found = super().ids_at(rows)
        return found if self._kind != "str" or len(found) else found.cast("string")

    def original(self, row: int) -> Any:
        """Return the text of a row. Raises `InputError` if the index keeps no texts."""
        return self[row]

    def loads(self) -> Iterator[Callable[[], Block]]:
        """Yield a function that makes each block. Raises `InputError` if the index keeps no texts."""
        for row in range(len(self)):
            yield partial(self._block, row)

    def _block(self, row: int) -> Block:
        return next(ListTexts([self[row]]).blocks())._replace(first=row)


def query(
    view: View,
    texts: Texts,
    *,
    threshold: float,
    metric: Metric,
    limit: int | None,
    first: bool,
    threads: int,
    bound: Bound,
    stages: Progress,
) -> IndexMatches:
    """Return the pairs of `texts` with the living documents of an index.

    With a `limit` a text has at most so many: the first of the index, or the most similar ones (ties: the first).
    """
    parts: list[Found] = [np.empty((0, 3), dtype=np.int64)]
    sizes: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
    marks: list[npt.NDArray[np.uint64]] = [np.empty((0, len(MARK_WORDS)), dtype=np.uint64)]
    known = view.settings
    counted = NUMBERS in known.distinct
    separate: list[npt.NDArray[np.float64]] = [np.empty(0, dtype=np.float64)]

    def work(block: HashedBlock) -> tuple[Found, MarkedSets, npt.NDArray[np.float64]]:
        sets = marked(block, known)
        everyone = np.arange(len(sets.sizes), dtype=np.int64)
        found = view.probe(sets, everyone, threshold, metric, counted=counted)
        apart = view.expand(found[found[:, 2] < 0])
        apart[:, 2] *= -1
        found = view.expand(found[found[:, 2] >= 0])
        if limit is not None:
            found = _limited(view, found, sets.sizes, metric, limit, first=first)
        values = _values(view, apart, sets.sizes, metric)
        found[:, 0] = block.places[found[:, 0], 0]
        return found, sets, values

    texts_so_far = pairs_so_far = 0
    report = stages.stage("query", texts.about())
    how: dict[str, Any] = {"unit": Unit.DOCUMENT, "threads": threads, "forms": known.forms, "progress": report}
    for _, (found, some, values) in hash_texts(texts, known.shingle, work, **how):
        parts.append(found)
        sizes.append(some.sizes)
        marks.append(some.marks)
        separate.append(values)
        texts_so_far += len(some.sizes)
        pairs_so_far += len(found)
        bound.check_answers(view.documents, threads, texts_so_far, pairs_so_far)
    found, left_sizes = np.concatenate(parts), np.concatenate(sizes)
    numbers, rights = np.unique(found[:, 1], return_inverse=True)
    rows, ids = view.read(numbers)
    count = len(texts)
    pairs = Pairs(*(each.astype(np.int32) for each in (found[:, 0], count + rights, found[:, 2])))
    total = count + len(numbers)
    all_sizes = np.concatenate((left_sizes, sizes_of(rows)))
    marked_rows = np.concatenate((*marks, rows[:, MARK_WORDS]))
    nothing = np.empty(0, dtype=np.uint64)
    units = Units(
        places=np.arange(total, dtype=np.int64)[:, np.newaxis],
        hashes=nothing,
        offsets=np.zeros(total + 1, dtype=np.int64),
        digests=marked_rows[:, :2],
        sizes=all_sizes,
        filled=all_sizes > 0,
        forms={form: marked_rows[:, word] for word, form in enumerate(DIFFERING, start=3)},
    )
    kind, column = known.shingle, texts.text_column
    read: dict[str, Any] = {"hash_key": kind.key.fingerprint, "distinct": known.distinct, **kind.reading.options}
    info = MatchInfo(Unit.DOCUMENT, metric, str(kind), threshold, None, column, **read)
    one = np.concatenate(separate)
    apart = Apart(one, np.ones(len(one), dtype=np.int64)).merged() if counted else None
    sides = Sides(texts, Documents(view, ids, numbers), ("texts", "index"))
    everyone = np.arange(total, dtype=np.int64)
    stages.stage("query", 1)(1)
    manifest = view.manifest
    evidence = (info, sides, units, everyone, pairs, None, None, stages.seconds)
    return IndexMatches(manifest.live, manifest.empty, *evidence, apart=apart)


def _limited(
    view: View, found: Found, sizes: npt.NDArray[np.int64], metric: Metric, limit: int, *, first: bool
) -> Found:
    """Return at most `limit` pairs of each row, sorted by row and number."""
    if not first:
        value = _values(view, found, sizes, metric)
        found = found[np.lexsort((found[:, 1], -value, found[:, 0]))]
    starts = np.searchsorted(found[:, 0], found[:, 0])
    found = found[np.arange(len(found)) - starts < limit]
    return found[np.lexsort((found[:, 1], found[:, 0]))]


def _values(view: View, found: Found, sizes: npt.NDArray[np.int64], metric: Metric) -> npt.NDArray[np.float64]:
    """Return the similarity of each pair."""
    rows, _ = view.read(found[:, 1])
    both = np.concatenate((sizes, sizes_of(rows)))
    pairs = Pairs(found[:, 0], len(sizes) + np.arange(len(found)), found[:, 2])  # type: ignore[arg-type]
    return similarity(pairs, both, metric)


def _sets_of_one(view: View, text: str) -> MarkedSets:
    known = view.settings
    if known.distinct:
        block = next(ListTexts([text]).blocks())
        return marked(hash_block(block, known.shingle, unit=Unit.DOCUMENT, forms=known.distinct), known)
    return MarkedSets(*sets_of(HashRows(*hash_text(text, known.shingle))), NO_MARKS)


def seen(view: View, text: str) -> bool:
    """Return whether a living document reaches the threshold of the index with a text."""
    return next(view.of_one(_sets_of_one(view, text), 1), None) is not None


def best_of(view: View, text: str) -> tuple[Any, float] | None:
    """Return the id and the similarity of the most similar living document that reaches the threshold, or None."""
    sets = _sets_of_one(view, text)
    parts = list(view.of_one(sets, ALL_PAIRS))
    if not parts:
        return None
    found = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if len(found) == 1 and not view.dead.has_one(int(found[0, 1])):  # if it has copies, they came later
        rows, ids = view.read(found[:, 1])
        shared, both = int(found[0, 2]), int(sets.sizes[0]) + int(sizes_of(rows)[0])
        return ids[0], shared / (both - shared)
    value = _values(view, found, sets.sizes, Metric.JACCARD)
    nearest = found[value == value.max(), 1]
    if view.dead.has(nearest).any():
        found = view.expand(found)
        if not len(found):  # a damaged posting hides the copies
            return None
        value = _values(view, found, sets.sizes, Metric.JACCARD)
        nearest = found[value == value.max(), 1]
    _, ids = view.read(np.array([nearest.min()]))
    return ids[0], float(value.max())

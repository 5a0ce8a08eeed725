"""Recognise data that is given after a search: find for each of its rows the row that was searched.

Rows are identified by id if the texts were searched with ids and the data has them: a table with the id column, or a
dict. All other rows are identified by position. In both cases the data must have all texts that were searched and no
others, equal character by character (a missing text equals an empty one). So a result is never applied to other data.

Cost: each text is compared once, and texts of files are read once more. Nothing is computed during the search, since a
result holds its texts or reads them again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError
from dedup.results.data.cutting import cut_units
from dedup.results.data.rows import add_columns, replace_texts, select_rows, unwrap
from dedup.runtime.arrays import sorted_unique
from dedup.sources.coerce import Ids, Texts, read_texts
from dedup.sources.columns import names_of
from dedup.sources.frames import column_names
from dedup.sources.nested import has_column
from dedup.sources.two_sided import naming

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Given", "recognise"]

COMPARED_TEXTS = 4096
"""Texts. So many are compared at a time. Curve: `benchmarks.tuning.given_compared_texts`; flat from 2^12 to 2^16 on
generated:100000:150, where 1024 takes 0.90 times as long (two cores, 2026-11)."""

BEFORE, AFTER = 20, 40
"""Characters. A message shows so many of a text before and after the first difference."""


@dataclass(frozen=True)
class Given:
    """Data that was recognised.

    Attributes
    ----------
    data : the data as a collection with rows
    wrap : a function that turns such a collection into the type of the data as it was given
    texts : the texts of the data
    rows : int64; for each row of the data the row that was searched
    column : the column of the texts, in tables; `Columns` if there are several
    """

    data: Any
    wrap: Callable[[Any], Any]
    texts: Texts
    rows: npt.NDArray[np.int64]
    column: str

    def select(self, kept: npt.NDArray[np.bool_]) -> Any:
        """Return the rows of the data that are `kept` (bool, by row that was searched)."""
        return self.wrap(select_rows(self.data, kept[self.rows]))

    def annotate(self, columns: pa.Table) -> Any:
        """Return the data with `columns` (a row per row that was searched) beside its own."""
        import pyarrow as pa

        names = column_names(self.data)
        if names is None:
            raise InputError(
                f"annotate: expected a table, found {type(self.data).__name__}; take .clusters, or search a table"
            )
        for name in columns.column_names:
            if name in names:
                raise InputError(f"annotate: expected no column {name!r} yet, found one; rename it, or leave it out")
        return self.wrap(add_columns(self.data, columns.take(pa.array(self.rows))))

    def edit(self, changed: npt.NDArray[np.int64], change: Callable[[int, str, int], str]) -> Any:
        """Return the data with ``change(row, text, 0)`` as the text of each row in `changed` (rows that were searched).

        Of several columns, each text of a row is changed by itself: ``change(row, text, start)``, where `start` is the
        place at which it begins in the joined text.
        """
        places = np.empty(len(self.rows), dtype=np.int64)
        places[self.rows] = np.arange(len(self.rows), dtype=np.int64)
        own, several = places[changed], self.texts.column_places
        if several is None:
            texts = self.texts.originals(range(len(self.texts)))
            for row, place in zip(changed.tolist(), own.tolist(), strict=True):
                texts[place] = change(row, self.texts[place], 0)
            return self.wrap(replace_texts(self.data, texts, self.column))
        data, (starts, lengths) = self.data, several.starts(own)
        for number, name in enumerate(several.names):
            column = read_texts(self.data, column=name)
            texts = column.originals(range(len(column)))
            for at in np.flatnonzero(lengths[:, number]).tolist():
                place = int(own[at])
                texts[place] = change(int(changed[at]), column[place], int(starts[at, number]))
            data = replace_texts(data, texts, name)
        return self.wrap(data)

    def cut(self, places: npt.NDArray[np.int64], kept: npt.NDArray[np.bool_], unit: str) -> Any:
        """Return the data without the units that are not `kept`; `places` as in `dedup.hashing.units.Units`."""
        changed = sorted_unique(places[~kept, 0])
        bounds = np.searchsorted(places[:, 0], np.stack((changed, changed + 1))).T
        parts = {row: slice(*bound) for row, bound in zip(changed.tolist(), bounds.tolist(), strict=True)}

        def shorter(row: int, text: str, start: int) -> str:
            spans, left = places[parts[row], 2:], kept[parts[row]]
            if self.texts.column_places is not None:
                inside = (spans[:, 0] >= start) & (spans[:, 0] < start + len(text))
                spans, left = spans[inside] - start, left[inside]
            return text if left.all() else cut_units(text, spans, left, unit)

        return self.edit(changed, shorter)


def recognise(data: Any, searched: Texts, verb: str, *, cutting: bool) -> Given:
    """Return `data` recognised, or raise `InputError` with the first difference from the texts that were searched.

    `verb` names the operation in messages ("filter"). `cutting` says whether the texts are needed; else ids are enough.
    """
    with naming(verb):
        data, wrap = unwrap(data)
    column, known = searched.text_column, searched.given_ids
    names = column_names(data)
    with naming(verb):
        if names is None:
            texts = read_texts(data)
            ids = texts.ids if isinstance(data, Mapping) else None
        else:
            named = searched.id_column
            if known is None or named is None or not has_column(names, named):
                named = None
            whole = all(has_column(names, name) for name in names_of(column))
            only_ids = not whole and named is not None and not cutting
            texts = read_texts(data, column=named if only_ids else column, id=named, placed=cutting)
            ids = texts.ids
            if only_ids:
                rows = _by_id(known or [], ids or [])
                return Given(data, wrap, texts, rows, column)
        if known is not None and ids is not None:
            rows = _by_id(known, ids)
        else:
            rows = np.arange(len(searched), dtype=np.int64)
            ids = None
        _compare(searched, texts, rows, ids)
        if cutting and texts.column_places is not None:
            _compare_columns(searched, texts, rows)
    return Given(data, wrap, texts, rows, column)


def _by_id(known: Ids, ids: Ids) -> npt.NDArray[np.int64]:
    """Return for each of the `ids` the row that was searched. Raise `InputError` unless both have the same ids."""
    if len(known) == len(ids) and list(known) == list(ids):
        return np.arange(len(ids), dtype=np.int64)
    rows = {name: row for row, name in enumerate(known)}
    found = np.fromiter((rows.get(name, -1) for name in ids), dtype=np.int64, count=len(ids))
    here = np.zeros(len(known), dtype=np.bool_)
    here[found[found >= 0]] = True
    missing, others = np.flatnonzero(~here), np.flatnonzero(found < 0)
    wrong = []
    if len(missing):
        row = int(missing[0])
        wrong.append(f"{known[row]!r:.60} (row {row} of what was searched) is missing")
    if len(others):
        row = int(others[0])
        wrong.append(f"{ids[row]!r:.60} at row {row} was not searched")
    if wrong:
        raise InputError(
            f"expected the {len(known)} ids that were searched, found {len(ids)}: {', and '.join(wrong)}; pass all "
            "rows that were searched and no others"
        )
    return found


def _compare(searched: Texts, given: Texts, rows: npt.NDArray[np.int64], ids: Ids | None) -> None:
    """Raise `InputError` at the first given text that differs from the text that was searched.

    `rows` are, for each given row, the row that was searched. `ids` are the given ids, None if rows are identified by
    position.
    """
    order = np.arange(len(rows), dtype=np.int64)
    in_order = np.array_equal(rows, order)
    if in_order and len(searched) == len(given) and given.equals(searched):
        return
    places = None
    if not in_order:
        places = np.empty(len(rows), dtype=np.int64)
        places[rows] = order
    row = _first_unlike(searched, given, places)
    if row is not None:
        place = row if places is None else int(places[row])
        was, now = _shown(searched[row], given[place])
        if ids is not None:
            raise InputError(
                f"expected for the id {ids[place]!r:.60} the text that was searched, {was}, found {now} at row "
                f"{place}; pass what was searched, or search again"
            )
        raise InputError(
            f"{_counts(searched, given)}expected at row {row} the text that was searched, {was}, found {now}; "
            f"{_hint(searched)}"
        )
    if len(searched) > len(given):
        what = f"row {len(given)}, {_shown(searched[len(given)], '')[0]}, is missing"
    elif len(searched) < len(given):
        what = f"row {len(searched)}, {_shown(given[len(searched)], '')[0]}, was not searched"
    else:
        return
    raise InputError(f"{_counts(searched, given)}{what}; pass all rows that were searched and no others")


def _compare_columns(searched: Texts, given: Texts, rows: npt.NDArray[np.int64]) -> None:
    """Raise `InputError` at the first row of which the columns have other texts, though these are the same together."""
    assert given.column_places is not None
    assert searched.column_places is not None
    was, now = searched.column_places.lengths[rows], given.column_places.lengths
    other = np.argwhere(was != now)
    if len(other):
        row, number = other[0].tolist()
        raise InputError(
            f"expected at row {row} the text that was searched in {given.column_places.names[number]!r}, with "
            f"{was[row, number]:,} characters, found one with {now[row, number]:,}; {_hint(searched)}"
        )


def _counts(searched: Texts, given: Texts) -> str:
    if len(searched) == len(given):
        return ""
    return f"expected the {len(searched)} rows that were searched, found {len(given)}: "


def _hint(searched: Texts) -> str:
    if searched.given_ids is None:
        return "pass what was searched, in the same order (with ids, any order will do)"
    form = "a dict" if searched.id_column is None else f'a table with the column "{searched.id_column}"'
    return f"pass what was searched, in the same order, or with its ids ({form}) in any order"


def _first_unlike(searched: Texts, given: Texts, places: npt.NDArray[np.int64] | None) -> int | None:
    """Return the first row that was searched whose text differs in the data, among the rows that both have."""
    count = min(len(searched), len(given))
    for start in range(0, count, COMPARED_TEXTS):
        run = range(start, min(start + COMPARED_TEXTS, count))
        own = run if places is None else places[run.start : run.stop].tolist()
        if _same(searched.originals(run), given.originals(own)):
            continue
        for row, place in zip(run, own, strict=True):
            if searched[row] != given[place]:
                return row
    return None


def _same(some: list[Any], others: list[Any]) -> bool:
    try:
        return some == others
    except (TypeError, ValueError):  # the value of a missing text may not be comparable: pandas.NA
        return False


def _shown(was: str, now: str) -> tuple[str, str]:
    """Return the parts of two texts around their first difference, for a message."""
    low, high = 0, min(len(was), len(now))
    while low < high:  # bisect for the longest common start
        middle = (low + high + 1) // 2
        low, high = (middle, high) if was[low:middle] == now[low:middle] else (low, middle - 1)
    start = max(low - BEFORE, 0)
    show = partial(_excerpt, start=start, end=low + AFTER)
    return show(was), show(now)


def _excerpt(text: str, start: int, end: int) -> str:
    return f"{'...' * (start > 0)}{text[start:end]!r}{'...' * (end < len(text))}"

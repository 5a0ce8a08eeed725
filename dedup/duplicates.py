"""What a search gives back: Arrow tables with a face that a person can read.

`Duplicates` holds the evidence as arrays and makes its tables when they are asked for. Nothing in a table depends on
threads, on the size of blocks or on the clock; seconds stand apart in ``timings``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.clusters import Stars, components, find_stars
from dedup.columns import Texts, read_texts
from dedup.errors import InputError, ParameterError
from dedup.listing import big_clusters, list_pairs
from dedup.lsh import Bands, check_threshold, measure_recall
from dedup.pairs import Pairs, jaccard, similarity
from dedup.selection import cut, listed, replace_texts, select_rows
from dedup.summary import Summary
from dedup.units import Units

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Duplicates"]

SHOWN = 80
"""Characters of a text that `.repeated` shows."""


@dataclass(frozen=True)
class Run:
    """What a search was asked, and what it found out beside the pairs."""

    unit: str
    method: str
    shingle: str
    threshold: float
    listing: str
    column: str
    metric: str
    bands: Bands | None = None
    large_buckets: int = 0
    crowded: npt.NDArray[np.int64] | None = None  # the units in them
    closest: tuple[int, int, float] | None = None


class Duplicates:
    """Near-duplicate documents or paragraphs, with the evidence, and what is kept of them.

    Made by `dedup.find_duplicates`. The tables are Arrow; ids are those that came in, or positions.
    """

    def __init__(
        self,
        run: Run,
        texts: Texts,
        units: Units,
        representatives: npt.NDArray[np.int64],
        rank: npt.NDArray[np.int64],
        pairs: Pairs,
        stars: Stars,
        timings: Mapping[str, float],
    ) -> None:
        self._run = run
        self._texts = texts
        self._units = units
        self._representatives = representatives
        self._rank = rank
        self._pairs = pairs
        self._stars = stars
        self.timings = dict(timings)

    def __repr__(self) -> str:
        return f"Duplicates\n{self.summary}"

    # tables

    @cached_property
    def _listed(self) -> Pairs:
        return list_pairs(self._pairs, self._representatives, self._units, self._stars.star, self._run.listing)

    @cached_property
    def pairs(self) -> pa.Table:
        """The pairs that reach the threshold, with their evidence, sorted (Arrow table).

        Columns: left, right (ids; left before right in the input), left_size, right_size, shared (shingles), jaccard,
        left_in_right (shared / left_size), right_in_left. With paragraphs also left_paragraph, left_start, left_end and
        the same for right: numbers from 0, and characters of the original text.
        """
        import pyarrow as pa

        pairs, sizes = self._listed, self._units.sizes[self._representatives]
        columns: dict[str, Any] = {}
        for side, rows in (("left", pairs.left), ("right", pairs.right)):
            columns[side] = self._ids(self._units.places[rows, 0])
        for side, rows in (("left", pairs.left), ("right", pairs.right)):
            columns |= self._place_columns(rows, f"{side}_")
        columns |= {"left_size": sizes[pairs.left], "right_size": sizes[pairs.right], "shared": pairs.shared}
        columns["jaccard"] = jaccard(pairs, sizes)
        columns["left_in_right"] = pairs.shared / sizes[pairs.left]
        columns["right_in_left"] = pairs.shared / sizes[pairs.right]
        return pa.table(columns)

    @cached_property
    def clusters(self) -> pa.Table:
        """The members of all clusters of two or more (Arrow table), by cluster, then in input order.

        Columns: id; cluster (int64, numbered by the kept text's position); kept (bool); kept_id; similarity (to the
        kept text, 1.0 for itself); reason ("exact", "near", null for the kept). With paragraphs also paragraph, start,
        end.
        """
        import pyarrow as pa

        members, numbers = self._members
        star = self._stars.star[members]
        kept = star == members
        exact = self._representatives[members] == self._representatives[star]
        reason = np.where(exact, "exact", "near").astype(object)
        return pa.table(
            {
                "id": self._ids(self._units.places[members, 0]),
                **self._place_columns(members, ""),
                "cluster": numbers,
                "kept": kept,
                "kept_id": self._ids(self._units.places[star, 0]),
                "similarity": self._stars.similarity[members],
                "reason": pa.array(reason, type=pa.string(), mask=kept),
            }
        )

    @cached_property
    def kept(self) -> pa.Array:
        """The ids that stay, in input order (Arrow array); paragraphs: struct of document and paragraph."""
        return self._where(self._kept)

    @cached_property
    def removed(self) -> pa.Array:
        """The ids that go, in input order (Arrow array); paragraphs: struct of document and paragraph."""
        return self._where(~self._kept)

    @cached_property
    def repeated(self) -> pa.Table:
        """What repeats, most copies first (Arrow table): text (its start), copies, documents, kept_id, cluster."""
        import pyarrow as pa

        members, numbers = self._members
        kept = members[self._stars.star[members] == members]
        copies = np.bincount(numbers, minlength=len(kept))
        both = np.unique(np.column_stack((numbers, self._units.places[members, 0])), axis=0)
        documents = np.bincount(both[:, 0], minlength=len(kept))
        order = np.lexsort((np.arange(len(kept)), -documents, -copies))
        return pa.table(
            {
                "text": pa.array([self._shown(unit) for unit in kept[order].tolist()], type=pa.string()),
                "copies": copies[order],
                "documents": documents[order],
                "kept_id": self._ids(self._units.places[kept[order], 0]),
                "cluster": order,
            }
        )

    @cached_property
    def summary(self) -> Summary:
        """What the search did, in numbers (see `Summary`)."""
        units, run = self._units, self._run
        documents = len(self._texts)
        with_tokens = len(np.unique(units.places[units.full, 0]))
        numbers = self._members[1]
        closest, measured = run.closest, self._measured_recall()
        return Summary(
            unit=run.unit,
            method=run.method,
            metric=run.metric,
            shingle=run.shingle,
            threshold=run.threshold,
            texts=documents,
            empty=documents - with_tokens,
            paragraphs=len(units) if run.unit == "paragraph" else None,
            pairs=len(self._listed.left),
            clusters=int(numbers[-1]) + 1 if len(numbers) else 0,
            removed=int((~self._kept).sum()),
            large_clusters=len(self._partly_listed),
            large_buckets=run.large_buckets,
            overflow=self._stars.overflow,
            guaranteed_recall=1.0 if run.bands is None else run.bands.probability(run.threshold),
            measured_recall=None if measured is None else measured[0],
            recall_interval=None if measured is None else measured[1],
            closest=None if closest is None else (*(self._name(unit) for unit in closest[:2]), closest[2]),
            warnings=self._warnings(),
        )

    # what to do with it

    def filter(self, data: Any) -> Any:
        """Return `data` without what repeats, as the same type: order, index and other columns untouched.

        `data` has as many rows as were searched (a generator gives a list). With paragraphs the same rows come back
        with the repeated paragraphs cut out; a text of which nothing is left is ``""``.
        """
        if self._run.unit == "document":
            return select_rows(data, self._kept)
        if isinstance(data, str):
            return self.filter([data])[0]
        data = listed(data)
        column = self._run.column
        is_table = isinstance(data, (list, tuple)) and bool(data) and isinstance(data[0], Mapping)
        named = is_table or (hasattr(data, "__getitem__") and getattr(data, "columns", None) is not None)
        named = named or hasattr(data, "column_names")
        texts = read_texts(data, column=column if named else None)
        if len(texts) != len(self._texts):
            raise InputError(f"filter: expected the {len(self._texts)} rows that were searched, found {len(texts)}")
        places = self._units.places
        bounds = np.searchsorted(places[:, 0], np.arange(len(texts) + 1))
        stays = self._kept
        rows: list[Any] = []
        for row in range(len(texts)):
            kept = stays[bounds[row] : bounds[row + 1]]
            whole = bool(kept.all())
            rows.append(texts.original(row) if whole else cut(texts[row], places[bounds[row] : bounds[row + 1]], kept))
        return replace_texts(data, rows, column)

    def rethreshold(self, threshold: float) -> Duplicates:
        """Return what a new run at a higher `threshold` would give, from the pairs found here, without a new search.

        Raises `ParameterError` where `threshold` is lower than that of this run, or where the pairs of some cluster
        were not all listed.
        """
        check_threshold(threshold)
        run = self._run
        if threshold < run.threshold:
            raise ParameterError(
                f"threshold: expected {run.threshold} or more, found {threshold}: lower pairs were not listed; "
                "run find_duplicates again"
            )
        partial = self._partly_listed
        if partial and threshold > run.threshold:
            shown = ", ".join(map(str, partial[:10])) + (", ..." if len(partial) > 10 else "")
            raise ParameterError(
                f"threshold: the pairs of cluster {shown} were not all listed; run find_duplicates again, with "
                f'pairs="all" or with threshold={threshold}'
            )
        pairs = self._pairs.take(similarity(self._pairs, self._units.sizes, run.metric) >= threshold)
        stars = find_stars(self._units, self._representatives, pairs, self._rank, threshold, run.metric)
        new = Run(**{**run.__dict__, "threshold": threshold})
        return Duplicates(new, self._texts, self._units, self._representatives, self._rank, pairs, stars, {})

    def components(self) -> pa.Table:
        """Return the connected components of the listed pairs (Arrow table: id, component; of two or more members).

        Components chain: their members may be far below the threshold from each other. They never decide what is
        removed.
        """
        import pyarrow as pa

        pairs = self._listed
        root = components(len(self._units), pairs.left, pairs.right)
        size = np.bincount(root, minlength=len(root))
        members = np.flatnonzero(size[root] > 1)
        members = members[np.argsort(root[members], kind="stable")]
        _, numbers = np.unique(root[members], return_inverse=True)
        ids = self._ids(self._units.places[members, 0])
        return pa.table({"id": ids, **self._place_columns(members, ""), "component": numbers.astype(np.int64)})

    # parts

    @property
    def _kept(self) -> npt.NDArray[np.bool_]:
        return np.equal(self._stars.star, np.arange(len(self._units)))

    @cached_property
    def _members(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The members of clusters of two or more, by cluster and input order, and their clusters' numbers."""
        star = self._stars.star
        size = np.bincount(star, minlength=len(star))
        members = np.flatnonzero(size[star] > 1)
        members = members[np.argsort(star[members], kind="stable")]
        _, numbers = np.unique(star[members], return_inverse=True)
        return members, numbers.astype(np.int64)

    @cached_property
    def _partly_listed(self) -> list[int]:
        """The numbers of the clusters whose pairs are not all listed."""
        members, numbers = self._members
        star = self._stars.star
        partial = np.zeros(len(star), dtype=np.bool_)
        if self._run.listing == "auto":
            partial |= big_clusters(star)[star]
        if self._run.large_buckets:
            size = np.bincount(star, minlength=len(star))
            partial |= size[star] > 64  # only those can have met in a large bucket
        return np.unique(numbers[partial[members]]).tolist()  # type: ignore[no-any-return]

    def _ids(self, rows: npt.NDArray[np.int64]) -> pa.Array:
        import pyarrow as pa

        if self._texts.ids is None:
            return pa.array(rows, type=pa.int64())
        ids = self._texts.ids
        kind = pa.int64() if not ids or isinstance(ids[0], int) else pa.string()
        return pa.array([ids[row] for row in rows.tolist()], type=kind)

    def _place_columns(self, units: npt.NDArray[np.int64], prefix: str) -> dict[str, Any]:
        if self._run.unit == "document":
            return {}
        places = self._units.places[units]
        return {f"{prefix}{name}": places[:, i] for i, name in enumerate(("paragraph", "start", "end"), start=1)}

    def _where(self, chosen: npt.NDArray[np.bool_]) -> pa.Array:
        import pyarrow as pa

        places = self._units.places[chosen]
        ids = self._ids(places[:, 0])
        if self._run.unit == "document":
            return ids
        return pa.StructArray.from_arrays([ids, pa.array(places[:, 1])], names=["document", "paragraph"])

    def _name(self, unit: int) -> Any:
        name = self._texts.id_of(int(self._units.places[unit, 0]))
        return name if self._run.unit == "document" else (name, int(self._units.places[unit, 1]))

    def _shown(self, unit: int) -> str:
        place = self._units.places[unit].tolist()
        text = self._texts[place[0]]
        text = text[place[2] : place[3]] if self._run.unit == "paragraph" else text
        words = text[: 4 * SHOWN].encode("utf-8", "replace").decode().split()
        line = " ".join(words)
        return line if len(line) <= SHOWN else line[: SHOWN - 3] + "..."

    def _measured_recall(self) -> tuple[float, tuple[float, float]] | None:
        """Measure the recall on the pairs that no large bucket had a part in, exact copies collapsed."""
        run, pairs = self._run, self._pairs
        if run.bands is None or run.crowded is None:
            return 1.0, (1.0, 1.0)
        outside = ~(np.isin(pairs.left, run.crowded) | np.isin(pairs.right, run.crowded))
        return measure_recall(jaccard(pairs, self._units.sizes)[outside], run.bands)

    def _warnings(self) -> tuple[str, ...]:
        members, numbers = self._members
        if not len(members):
            return ()
        sizes = np.bincount(numbers)
        limit = max(1000, len(self._units) // 100)
        found = []
        for number in np.flatnonzero(sizes > limit)[:3].tolist():
            some = [self._name(unit) for unit in members[numbers == number][:3].tolist()]
            found.append(
                f"cluster {number} holds {sizes[number]:,} of {len(self._units):,} {self._run.unit}s; "
                f"look at some of them: {', '.join(map(repr, some))}"
            )
        return tuple(found)

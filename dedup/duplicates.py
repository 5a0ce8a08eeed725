"""What a search gives back: Arrow tables with a face that a person can read.

`Duplicates` holds the evidence (`dedup.evidence`) and makes its tables when they are asked for. Nothing in a table
depends on threads, on the size of blocks or on the clock; seconds stand apart in ``timings``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.clusters import Stars, find_stars
from dedup.columns import Texts, read_texts
from dedup.errors import InputError, ParameterError
from dedup.evidence import Evidence, Run
from dedup.options import check_threshold
from dedup.pairs import Pairs, similarity
from dedup.selection import listed, replace_texts, select_rows
from dedup.summary import Summary, summarise
from dedup.text import cut_paragraphs
from dedup.units import Units

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Duplicates", "Run"]


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
        self.evidence = Evidence(run, texts, units, representatives, rank, pairs, stars)
        self.timings = dict(timings)

    def __repr__(self) -> str:
        return f"Duplicates\n{self.summary}"

    # tables

    @cached_property
    def pairs(self) -> pa.Table:
        """The pairs that reach the threshold, with their evidence, sorted (Arrow table).

        Columns: left, right (ids; left before right in the input), left_size, right_size, shared (shingles), jaccard,
        left_in_right (shared / left_size), right_in_left. With paragraphs also left_paragraph, left_start, left_end and
        the same for right: numbers from 0, and characters of the original text.
        """
        return self.evidence.pair_rows()

    @cached_property
    def clusters(self) -> pa.Table:
        """The members of all clusters of two or more (Arrow table), by cluster, then in input order.

        Columns: id; cluster (int64, numbered by the kept text's position); kept (bool); kept_id; similarity (to the
        kept text, 1.0 for itself); reason ("exact", "near", null for the kept). With paragraphs also paragraph, start,
        end.
        """
        return self.evidence.cluster_rows()

    @cached_property
    def kept(self) -> pa.Array:
        """The ids that stay, in input order (Arrow array); paragraphs: struct of document and paragraph."""
        return self._where(self.evidence.kept)

    @cached_property
    def removed(self) -> pa.Array:
        """The ids that go, in input order (Arrow array); paragraphs: struct of document and paragraph."""
        return self._where(~self.evidence.kept)

    @cached_property
    def repeated(self) -> pa.Table:
        """What repeats, most copies first (Arrow table): text (its start), copies, documents, kept_id, cluster."""
        import pyarrow as pa

        evidence = self.evidence
        members, numbers = evidence.members
        kept = members[evidence.stars.star[members] == members]
        copies = np.bincount(numbers, minlength=len(kept))
        both = np.unique(np.column_stack((numbers, evidence.units.places[members, 0])), axis=0)
        documents = np.bincount(both[:, 0], minlength=len(kept))
        order = np.lexsort((np.arange(len(kept)), -documents, -copies))
        return pa.table(
            {
                "text": pa.array([evidence.shown(unit) for unit in kept[order].tolist()], type=pa.string()),
                "copies": copies[order],
                "documents": documents[order],
                "kept_id": evidence.ids(kept[order]),
                "cluster": order,
            }
        )

    @cached_property
    def summary(self) -> Summary:
        """What the search did, in numbers (see `Summary`)."""
        return summarise(self.evidence)

    # what to do with it

    def filter(self, data: Any) -> Any:
        """Return `data` without what repeats, as the same type: order, index and other columns untouched.

        `data` has as many rows as were searched (a generator gives a list). With paragraphs the same rows come back
        with the repeated paragraphs cut out; a text of which nothing is left is ``""``.
        """
        if self.evidence.run.unit == "document":
            return select_rows(data, self.evidence.kept)
        if isinstance(data, str):
            return self.filter([data])[0]
        data = listed(data)
        column = self.evidence.run.column
        is_table = isinstance(data, (list, tuple)) and bool(data) and isinstance(data[0], Mapping)
        named = is_table or (hasattr(data, "__getitem__") and getattr(data, "columns", None) is not None)
        named = named or hasattr(data, "column_names")
        texts = read_texts(data, column=column if named else None)
        searched = len(self.evidence.texts)
        if len(texts) != searched:
            raise InputError(f"filter: expected the {searched} rows that were searched, found {len(texts)}")
        places = self.evidence.units.places
        bounds = np.searchsorted(places[:, 0], np.arange(len(texts) + 1))
        stays = self.evidence.kept
        rows: list[Any] = []
        for row in range(len(texts)):
            own = slice(bounds[row], bounds[row + 1])
            whole = bool(stays[own].all())
            rows.append(texts.original(row) if whole else cut_paragraphs(texts[row], places[own, 2:], stays[own]))
        return replace_texts(data, rows, column)

    def rethreshold(self, threshold: float) -> Duplicates:
        """Return what a new run at a higher `threshold` would give, from the pairs found here, without a new search.

        Raises `ParameterError` where `threshold` is lower than that of this run, or where the pairs of some cluster
        were not all listed.
        """
        threshold = check_threshold(threshold)
        found, run = self.evidence, self.evidence.run
        if threshold < run.threshold:
            raise ParameterError(
                f"threshold: expected {run.threshold} or more, found {threshold}: lower pairs were not listed; "
                "run find_duplicates again"
            )
        partial = found.partly_listed
        if partial and threshold > run.threshold:
            shown = ", ".join(map(str, partial[:10])) + (", ..." if len(partial) > 10 else "")
            raise ParameterError(
                f"threshold: the pairs of cluster {shown} were not all listed; run find_duplicates again, with "
                f'pairs="all" or with threshold={threshold}'
            )
        units, representatives = found.units, found.representatives
        pairs = found.pairs.take(similarity(found.pairs, units.sizes, run.metric) >= threshold)
        stars = find_stars(units, representatives, pairs, self.evidence.rank, threshold, run.metric)
        new = replace(run, threshold=threshold)
        return Duplicates(new, found.texts, units, representatives, self.evidence.rank, pairs, stars, {})

    def components(self) -> pa.Table:
        """Return the connected components of the listed pairs (Arrow table: id, component; of two or more members).

        Components chain: their members may be far below the threshold from each other. They never decide what is
        removed.
        """
        return self.evidence.component_rows()

    def _where(self, chosen: npt.NDArray[np.bool_]) -> pa.Array:
        import pyarrow as pa

        evidence = self.evidence
        rows = np.flatnonzero(chosen)
        if evidence.run.unit == "document":
            return evidence.ids(rows)
        paragraphs = pa.array(evidence.units.places[rows, 1])
        return pa.StructArray.from_arrays([evidence.ids(rows), paragraphs], names=["document", "paragraph"])

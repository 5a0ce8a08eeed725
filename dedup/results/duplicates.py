"""What a search gives back: Arrow tables with a face that a person can read.

`Duplicates` holds the evidence (`dedup.results.evidence`) and makes its tables when they are asked for. Nothing in a
table depends on threads, on the size of blocks or on the clock; seconds stand apart in ``timings``.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.clusters.stars import Stars, find_stars
from dedup.errors import InputError, ParameterError
from dedup.hashing.units import Units
from dedup.options import check_threshold
from dedup.pairs.verify import Pairs, similarity
from dedup.results.evidence import Evidence, SearchInfo
from dedup.results.given import recognise
from dedup.results.repeats import counted
from dedup.results.summary import Summary, hint_of, summarise
from dedup.sources.coerce import Texts
from dedup.threshold import Threshold

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Duplicates", "SearchInfo", "evidence_of"]

STATE = ("_evidence", "timings", "summary")
"""What a pickle holds; all else is made of it."""


class Duplicates:
    """Near-duplicate documents, paragraphs or lines, with the evidence, and what is kept of them.

    Made by `dedup.find_duplicates`. The tables are Arrow; ids are those that came in, or positions. Its length is the
    number of clusters; it is true even without any. Two results are equal where what was asked and what was found is,
    whatever form the texts had and however long it took. A pickle holds texts that were in memory, and of files where
    they are.
    """

    def __init__(
        self,
        run: SearchInfo,
        texts: Texts,
        units: Units,
        representatives: npt.NDArray[np.int64],
        rank: npt.NDArray[np.int64],
        pairs: Pairs,
        stars: Stars,
        timings: Mapping[str, float],
    ) -> None:
        self._evidence = Evidence(run, texts, units, representatives, rank, pairs, stars)
        self.timings = dict(timings)

    def __repr__(self) -> str:
        try:
            return f"Duplicates\n{self.summary}{hint_of(self.closest)}"
        except InputError as error:  # the files are gone
            return f"Duplicates: {counted(len(self), 'cluster')} ({error})"

    def __len__(self) -> int:
        return self._evidence.cluster_count

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Duplicates):
            return NotImplemented
        agrees = self is other or self._evidence.agrees(evidence_of(other))
        return agrees and self.summary == other.summary

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        with suppress(InputError):  # made now, since it shows texts, and files may not be there later
            _ = self.summary
        return {name: value for name, value in self.__dict__.items() if name in STATE}

    # tables

    @cached_property
    def pairs(self) -> pa.Table:
        """The pairs that reach the threshold, with their evidence, sorted (Arrow table).

        Columns: left, right (ids; left before right in the input), left_size, right_size, shared (shingles), jaccard,
        left_in_right (shared / left_size), right_in_left. With paragraphs also left_paragraph, left_start, left_end and
        the same for right: numbers from 0, and characters of the original text. With lines the same, but left_line and
        right_line: the number of the line among those of its text that are not blank.
        """
        return self._evidence.every_pair()

    @cached_property
    def clusters(self) -> pa.Table:
        """The members of all clusters of two or more (Arrow table), by cluster, then in input order.

        Columns: id; cluster (int64, numbered by the kept text's position); kept (bool); kept_id; similarity (to the
        kept text, 1.0 for itself); reason ("exact", "near", null for the kept). With paragraphs also paragraph, start,
        end, with lines line, start, end.
        """
        return self._evidence.cluster_rows()

    @cached_property
    def kept(self) -> pa.Array:
        """The ids that stay, in input order (Arrow array); else structs of document and paragraph, or line."""
        return self._where(self._evidence.kept)

    @cached_property
    def removed(self) -> pa.Array:
        """The ids that go, in input order (Arrow array); else structs of document and paragraph, or line."""
        return self._where(~self._evidence.kept)

    @cached_property
    def repeated(self) -> pa.Table:
        """What repeats, most copies first (Arrow table): text (its start), copies, documents, kept_id, cluster."""
        import pyarrow as pa

        evidence = self._evidence
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
        return summarise(self._evidence)

    @property
    def closest(self) -> tuple[Any, Any, float] | None:
        """Where nothing was found, (left id, right id, similarity) of the closest pair that was seen, else None.

        A hint: it knows only what was in memory when the search ended, and is no part of the result. Ids of paragraphs
        are (id, paragraph).
        """
        return self._evidence.closest

    # what to do with it

    def filter(self, data: Any) -> Any:
        """Return `data` without what repeats, as the same type: order, index and other columns untouched.

        `data` is what was searched: the same texts (a generator gives a list), in the same order, or in any order
        where it brings the ids with which it was searched. Anything else is an `InputError` that names the first
        difference. With paragraphs or lines the same rows come back with the repeated ones cut out; a text of which
        nothing is left is ``""``.
        """
        found = self._evidence
        if found.run.unit.whole:
            return recognise(data, found.texts, "filter", cutting=False).select(found.kept)
        if isinstance(data, str):
            return self.filter([data])[0]
        return recognise(data, found.texts, "filter", cutting=True).cut(found.units.places, found.kept, found.run.unit)

    def rethreshold(self, threshold: float) -> Duplicates:
        """Return what a new run at a higher `threshold` would give, from the pairs found here, without a new search.

        Raises `ParameterError` where `threshold` is lower than that of this run, or where the pairs of some cluster
        were not all listed.
        """
        threshold = check_threshold(threshold)
        found, run = self._evidence, self._evidence.run
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
        reached = Threshold(threshold, run.metric)
        stars = find_stars(units.sizes, units.full, representatives, pairs, self._evidence.rank, reached)
        new = replace(run, threshold=threshold)
        return Duplicates(new, found.texts, units, representatives, self._evidence.rank, pairs, stars, {})

    def components(self) -> pa.Table:
        """Return the connected components of the listed pairs (Arrow table: id, component; of two or more members).

        Components chain: their members may be far below the threshold from each other. They never decide what is
        removed.
        """
        return self._evidence.component_rows()

    def _where(self, chosen: npt.NDArray[np.bool_]) -> pa.Array:
        import pyarrow as pa

        evidence = self._evidence
        rows = np.flatnonzero(chosen)
        if evidence.run.unit.whole:
            return evidence.ids(rows)
        numbers = pa.array(evidence.units.places[rows, 1])
        return pa.StructArray.from_arrays([evidence.ids(rows), numbers], names=["document", str(evidence.run.unit)])


def evidence_of(result: Duplicates) -> Evidence:
    """Return what a result is made of."""
    return result._evidence  # noqa: SLF001  (a part of this class that is not public)

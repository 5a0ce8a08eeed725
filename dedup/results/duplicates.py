"""The result of `find_duplicates`: Arrow tables, and a summary for people.

`Duplicates` holds the evidence (`dedup.results.evidence`) and makes each table at its first use. The tables do not
depend on the number of threads, the size of blocks or the clock; the seconds are in ``timings`` only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from dedup.clusters.stars import Stars, find_stars
from dedup.clusters.verdicts import documents_of
from dedup.errors import InputError, ParameterError
from dedup.hashing.units import Units
from dedup.option_types import Data, Item, UnitId
from dedup.options import check_threshold, check_whole
from dedup.page.showing import Shown
from dedup.pairs.verify import Pairs, similarity
from dedup.results.counted import counted
from dedup.results.data.given import recognise
from dedup.results.evidence import Evidence
from dedup.results.search_info import SearchInfo
from dedup.results.summary import LOWER_THRESHOLD, Summary, hint_of, summarise
from dedup.sampling.parting import FEWEST_TO_PART
from dedup.sources.coerce import Texts
from dedup.threshold import Metric, Threshold

if TYPE_CHECKING:
    import pyarrow as pa

    from dedup.page.view import View

__all__ = ["Duplicates", "SearchInfo", "evidence_of", "hint_after"]

DUPLICATES_STATE = ("_evidence", "timings", "summary")
"""The attributes in a pickle; all others are computed from them."""


class Duplicates(Shown):
    """Duplicate documents, paragraphs or lines, with the evidence, and which of them are kept.

    `dedup.find_duplicates` makes it. The tables are Arrow; ids are the ids of the input, or positions. Its length is
    the number of clusters; it is true even if that is 0. Two results are equal if their tables and summaries are equal;
    the type of the collection and the seconds do not matter. A pickle contains texts that were in memory; for texts in
    files it contains only their places.
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

    @classmethod
    def of(cls, evidence: Evidence, timings: Mapping[str, float]) -> Duplicates:
        """Return the result with some evidence."""
        e = evidence
        return cls(e.run, e.texts, e.units, e.representatives, e.rank, e.pairs, e.stars, timings)

    def __repr__(self) -> str:
        try:
            return f"Duplicates\n{self.summary}{hint_after(self)}"
        except InputError as error:  # the files no longer exist
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
        with suppress(InputError):  # made now, since it shows texts, and the files may be missing later
            _ = self.summary
        return {name: value for name, value in self.__dict__.items() if name in DUPLICATES_STATE}

    # tables

    @cached_property
    def pairs(self) -> pa.Table:
        """The pairs that reach the threshold, with their evidence, sorted (Arrow table).

        Columns: left, right (ids; left before right in the input), left_size, right_size, shared (shingles), jaccard,
        left_in_right (shared / left_size), right_in_left; with ``metric="edit"`` instead of these, from left_size on:
        distance, similarity; difference ("identical": the same characters; "format": the
        same words; "numbers": the same words once each digit counts as 0; "words"). For paragraphs also left_paragraph,
        left_start, left_end and right_paragraph, right_start, right_end: numbers from 0, and characters of the original
        text. For lines left_line and right_line instead of the paragraphs: the number among the lines of the text that
        are not blank. Of several columns also left_column and right_column, before the starts: the column of these
        characters. Numbers go on from one column of a row to the next.
        """
        return self._evidence.every_pair()

    @cached_property
    def clusters(self) -> pa.Table:
        """The members of all clusters of two or more (Arrow table), by cluster, then in input order.

        Columns: id; cluster (int64, numbered by the position of the kept text); kept (bool); kept_id; similarity (to
        the kept text, 1.0 for the kept text itself); reason ("exact", "near", null for the kept text). For paragraphs
        also paragraph, start, end; for lines line, start, end; of several columns also column, before start. With
        ``keep="none"`` no member is kept, and kept_id is the text that ``keep="first"`` would keep. In a cluster of
        fewer than `min_documents` documents all are kept.
        """
        return self._evidence.cluster_rows()

    @cached_property
    def kept(self) -> pa.Array:
        """The kept ids, in input order (Arrow array); for other units structs of document and paragraph, or line."""
        return self._where(self._evidence.kept)

    @cached_property
    def removed(self) -> pa.Array:
        """The removed ids, in input order (Arrow array); for other units structs of document and paragraph, or line."""
        return self._where(~self._evidence.kept)

    @cached_property
    def repeated(self) -> pa.Table:
        """The clusters, most copies first (Arrow table), to be read by people.

        Columns: text (the start of the kept text), copies (members), documents (documents with a member), kept_id,
        cluster.
        """
        import pyarrow as pa

        evidence = self._evidence
        members, numbers = evidence.members
        kept = members[evidence.stars.star[members] == members]
        copies = np.bincount(numbers, minlength=len(kept))
        documents = documents_of(numbers, evidence.units.places[members, 0])
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
        """The numbers of the search (see `Summary`)."""
        return summarise(self._evidence)

    @property
    def closest(self) -> tuple[UnitId, UnitId, float] | None:
        """(left id, right id, similarity) of the closest pair that was seen, if no pair was found; else None.

        It is a hint and not a part of the result: only the hashes that were in memory at the end of the search were
        compared. Ids of paragraphs are (id, paragraph).
        """
        return self._evidence.closest

    # uses of a result

    @overload
    def filter(self, data: Iterator[Item]) -> list[Item]: ...
    @overload
    def filter(self, data: Data) -> Data: ...
    def filter(self, data: Any) -> Any:
        """Return `data` without the removed texts, as the same type. Order, index and other columns are unchanged.

        `data` is the collection that was searched: the same texts in the same order, or in any order if it has the ids
        with which it was searched. For a generator a list is returned. For any other data an `InputError` names the
        first difference. For paragraphs and lines all rows are returned, and the removed paragraphs or lines are cut
        out of the texts, of several columns out of each by itself; a text of which nothing is left is ``""``.
        """
        found = self._evidence
        if found.run.unit.whole:
            return recognise(data, found.texts, "filter", cutting=False).select(found.kept)
        if isinstance(data, str):
            return self.filter([data])[0]
        return recognise(data, found.texts, "filter", cutting=True).cut(found.units.places, found.kept, found.run.unit)

    def annotate(self, data: Data) -> Data:
        """Return the table `data` with the answer beside its columns, as the same type, for a search of documents.

        Columns: cluster, kept_id, similarity, difference, reason (as in `clusters`; null for a text in no cluster) and
        removed (bool). `data` is the table that was searched, recognised as by `filter`. Raises `InputError` for
        another one, for data that is no table, and for a table that has such a column already.
        """
        found = self._evidence
        if not found.run.unit.whole:
            raise ParameterError(
                f"annotate: expected a search of documents, whose rows are texts, found {found.run.unit}s; take "
                ".clusters, which has their places"
            )
        annotated: Data = recognise(data, found.texts, "annotate", cutting=False).annotate(found.annotations())
        return annotated

    def review(self, n: int = 20) -> pa.Table:
        """Return the `n` removed texts that are nearest to the threshold, with the texts that they were removed for.

        For a look at the most doubtful removals. Exact copies are not among them. Columns: id, kept_id, similarity,
        difference, size, kept_size, shared (shingles), text, kept_text, and spans, a list of the spans that both texts
        share: start, end, kept_start, kept_end in characters of the two texts, and words. For paragraphs and lines also
        their numbers and places, as in `clusters`: those of the kept one with "kept_". The least similar is first, ties
        are in input order. Cost: the texts of `n` pairs are read and hashed.
        """
        from dedup.page.reviewed import nearest, review_table

        count = check_whole("n", n, 1)
        found = self._evidence
        removed = nearest(found.removed, found.stars.similarity, found.same, found.stars.star, count)
        kept = found.stars.star[removed]
        names: dict[str, Any] = {"id": found.ids(removed), **found.place_columns(removed, "")}
        names |= {"kept_id": found.ids(kept), **found.place_columns(kept, "kept_")}
        names |= {"similarity": found.stars.similarity[removed], "difference": found.from_kept(removed)}
        texts = [
            (found.text(one), found.text(other)) for one, other in zip(removed.tolist(), kept.tolist(), strict=True)
        ]
        return review_table(names, texts, found.run.shingle, found.run.reading, found.run.metric)

    def rethreshold(self, threshold: float) -> Duplicates:
        """Return the result of a new run at a higher `threshold`, computed from these pairs without a new search.

        Raises `ParameterError` if `threshold` is lower than that of this run, or if not all pairs of some cluster were
        listed.
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
        given = (units.sizes, representatives, pairs, self._evidence.rank, reached)
        stars = find_stars(*given, copies=run.same is None)
        new = replace(run, threshold=threshold, apart=run.apart and run.apart.above(threshold))
        return Duplicates(new, found.texts, units, representatives, self._evidence.rank, pairs, stars, {})

    def components(self) -> pa.Table:
        """Return the connected components of two or more members of the listed pairs (Arrow table: id, component).

        Two members of a component may be linked only through other members, and be far below the threshold. Components
        never decide which text is removed.
        """
        return self._evidence.component_rows()

    def _view(self) -> View:
        from dedup.page.clusters import Clusters, view_of_clusters
        from dedup.page.view import facts_of

        found = self._evidence
        members, numbers = found.members
        star = found.stars.star[members]
        files = found.texts.locate(found.units.places[members, 0])[0].astype(np.int64)
        sources = list(found.texts.sources or [])
        read = None
        if sources:
            read = np.bincount(found.texts.locate(found.units.places[:, 0])[0], minlength=len(sources))
        differences = cache(lambda: found.from_kept(members))
        return view_of_clusters(
            Clusters(
                cluster=numbers,
                kept=found.kept[members],
                centre=star == members,
                similarity=found.stars.similarity[members],
                exact=found.same[members] == found.same[star],
                difference=lambda rows: differences().take(rows),
                file=files,
                sources=sources,
                texts=lambda rows: found.each_text(members[rows]),
                names=lambda rows: found.labels(members[rows]),
                id=lambda at: found.name(int(members[at])),
            ),
            title=f"{counted(len(self), 'cluster')} of duplicate {found.run.unit}s",
            facts=facts_of(self.summary.to_dict()),
            warnings=list(self.summary.warnings),
            threshold=found.run.threshold,
            shingle="edit" if found.run.metric is Metric.EDIT else found.run.shingle,
            reading=found.run.reading,
            read=read,
            nothing=f"No duplicates were found.{hint_after(self)}",
        )

    def _where(self, chosen: npt.NDArray[np.bool_]) -> pa.Array:
        import pyarrow as pa

        evidence = self._evidence
        rows = np.flatnonzero(chosen)
        if evidence.run.unit.whole:
            return evidence.ids(rows)
        numbers = pa.array(evidence.units.places[rows, 1])
        return pa.StructArray.from_arrays([evidence.ids(rows), numbers], names=["document", str(evidence.run.unit)])


ONLY_EXACT = (
    "\nall of these are exact copies: no near copy reached the threshold; `suggest` shows how near the others come"
)
"""The hint of a search that found exact copies alone. The closest pair is not looked for: it takes a search of its own,
and something was found."""


def hint_after(result: Duplicates) -> str:
    """Return a line to follow the summary of a result, on the closest pair or on near copies; ``""`` if there is none.

    None is on near copies of paragraphs and lines, of which most people look for exact ones, and none by the edit
    distance, which `suggest` does not know.
    """
    found = evidence_of(result)
    run = found.run
    if found.read.filled < FEWEST_TO_PART:  # `suggest` needs so many
        return hint_of(result.closest, str(run.unit), LOWER_THRESHOLD)
    looked_for = run.unit.whole and run.threshold < 1.0 and run.metric is not Metric.EDIT and not run.distinct
    only_exact = len(result) > 0 and not len(found.pairs.left)
    return ONLY_EXACT if looked_for and only_exact and run.missed is None else hint_of(result.closest, str(run.unit))


def evidence_of(result: Duplicates) -> Evidence:
    """Return the evidence of a result."""
    return result._evidence  # noqa: SLF001  (not public, but used within dedup)

"""Summaries: the numbers of a search. Two equal runs have equal summaries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from dedup.lsh import measure_recall
from dedup.option_types import UnitId
from dedup.pairs.verify import jaccard
from dedup.reading import ALL
from dedup.results.counted import counted
from dedup.results.evidence import Evidence
from dedup.runtime.arrays import sorted_unique
from dedup.terminal import clean
from dedup.threshold import Metric
from dedup.unit import Unit

__all__ = ["LOWER_THRESHOLD", "MatchSummary", "Summary", "hint_of", "shown_units", "summarise"]

SHOWN_CLUSTERS, SHOWN_PAIRS = 3, 3
"""Clusters, pairs. A summary shows so many."""


@dataclass(frozen=True, repr=False)
class Summary:
    """The numbers of a search for duplicates. Two runs with the same input and options have equal summaries.

    Attributes
    ----------
    unit, metric, shingle, threshold : the options of the search
    method : the method that ran
    texts : number of texts read; `empty` of them have no token: they are kept, and are never a duplicate
    paragraphs, lines : number of paragraphs or lines read; None if they are not the unit
    pairs, clusters, removed : number of listed pairs, of clusters, and of removed units
    large_clusters : clusters in which each removed text is listed only with its kept text (``pairs="auto"``)
    large_buckets : LSH buckets of more than 64 texts, in which texts were compared with leaders only;
        `guaranteed_recall` does not cover them
    overflow : how often a kept text was in such a bucket that already had all its leaders
    guaranteed_recall : least probability that a pair at the threshold is found
    measured_recall : Horvitz-Thompson estimate of the share of the pairs that were found, of all pairs that reach the
        threshold, without exact copies and texts in large buckets; None without such pairs, 1.0 for the exact method
    recall_interval : 95 % interval of `measured_recall`, (lowest, highest); None if there is no estimate
    rejected : records of files that could not be read: listed in ``rejects.jsonl``, neither kept nor removed
    largest : (members, start of the kept text) of the three largest clusters
    samples : (removed id, kept id, similarity, start of the removed text) of three removed texts: the least similar to
        its kept text, the most similar, and one between
    warnings : clusters and files from which suspiciously many units are removed; removed units that differ from their
        kept one in numbers or symbols alone, if these are many; texts too short for the shingle; pairs that stand apart
        below the threshold, if few were found
    differences : number of removed units by what they differ in from their kept one: "identical", "format", "numbers",
        "words"
    numbers_only : number of pairs that differ in numbers alone: of the listed ones, or with ``distinct="numbers"`` of
        those that reach the threshold and are left out for it. In a group of more than 1,000 texts that differ in
        numbers alone, only those with its first are counted, unless ``pairs="all"``
    distinct : the differences that keep texts apart
    ignore, tokens : what was ignored in the texts, and what is a token
    """

    unit: str
    method: str
    metric: str
    shingle: str
    threshold: float
    texts: int
    empty: int
    paragraphs: int | None
    pairs: int
    clusters: int
    removed: int
    large_clusters: int
    large_buckets: int
    overflow: int
    guaranteed_recall: float
    measured_recall: float | None
    recall_interval: tuple[float, float] | None
    warnings: tuple[str, ...]
    rejected: int = 0
    largest: tuple[tuple[int, str], ...] = ()
    samples: tuple[tuple[UnitId, UnitId, float, str], ...] = ()
    lines: int | None = None
    differences: dict[str, int] = field(default_factory=dict)
    numbers_only: int = 0
    distinct: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    tokens: str = "words"

    __hash__ = None  # type: ignore[assignment]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dict."""
        return asdict(self)

    def __repr__(self) -> str:
        rejected = f", {self.rejected:,} rejected" if self.rejected else ""
        what = f"{counted(self.texts, 'text')} ({self.empty:,} empty{rejected})"
        for number, noun in ((self.paragraphs, "paragraph"), (self.lines, "line")):
            what += "" if number is None else f", {counted(number, noun)}"
        lines = [
            f"{what}, {_compared_by(self.metric, self.shingle, self.threshold)}, {self.method}",
            f"{counted(self.pairs, 'pair')}, {counted(self.clusters, 'cluster')}, {self.removed:,} removed"
            + _differing(self.differences),
            *_left_out(self.distinct, self.numbers_only),
            *_read_as(self.ignore, self.tokens),
        ]
        if self.guaranteed_recall < 1.0:
            measured = ""
            if self.measured_recall is not None and self.recall_interval is not None:
                low, high = (100 * bound for bound in self.recall_interval)
                measured = f", {100 * self.measured_recall:.2f} % measured (95 %: {low:.2f} to {high:.2f} %)"
            lines.append(f"recall: {100 * self.guaranteed_recall:.2f} % guaranteed at the threshold{measured}")
        if self.large_clusters:
            lines.append(f"{self.large_clusters:,} large clusters: removed texts are listed only with their kept text")
        if self.large_buckets:
            lines.append(
                f"{self.large_buckets:,} large buckets: texts are compared with leaders only "
                f"({self.overflow:,} kept texts found no place for a leader)"
            )
        lines += [f"cluster of {size:,}: {text!r}" for size, text in self.largest]
        lines += [
            f"for example: {_named(removed, self.unit)} like {_named(kept, self.unit)}, {similarity:.3f}: {text!r}"
            for removed, kept, similarity, text in self.samples
        ]
        return "\n".join([*lines, *(f"warning: {clean(warning)}" for warning in self.warnings)])


def _named(name: Any, unit: str) -> str:
    """Return what messages call a unit of this name: a paragraph or line by its text and its number there.

    >>> _named(("a.txt", 3), "line"), _named("a.txt", "document")
    ("'a.txt' line 3", "'a.txt'")
    """
    return f"{name[0]!r} {unit} {name[1]}" if isinstance(name, tuple) else repr(name)


def _compared_by(metric: str, shingle: str, threshold: float) -> str:
    """Return how texts were compared: the edit distance has no shingle that anyone asked for."""
    return f"{metric} {threshold:g}" if metric == Metric.EDIT else f"{shingle}, {metric} {threshold:g}"


def _differing(removed: dict[str, int]) -> str:
    """Return what the removed units differ in, for people."""
    words = {"identical": "identical", "format": "in format", "numbers": "in numbers", "words": "in words"}
    parts = [f"{removed[name]:,} {word}" for name, word in words.items() if removed.get(name)]
    return f" ({', '.join(parts)})" if parts else ""


def _left_out(distinct: Iterable[str], numbers_only: int) -> list[str]:
    """Return a line on the differences that keep texts apart, if there are any."""
    if not distinct:
        return []
    count = f"; {counted(numbers_only, 'pair')} left out for their numbers" if "numbers" in distinct else ""
    return [f"texts are kept that differ in {' or '.join(distinct)} alone{count}"]


def _read_as(ignore: Iterable[str], tokens: str) -> list[str]:
    """Return a line on what was ignored, and on tokens, if texts were not read as they are."""
    parts = [f"ignored: {', '.join(ignore)}"] if ignore else []
    return ["; ".join([*parts, *(["symbols are tokens"] if tokens == ALL else [])])] if parts or tokens == ALL else []


@dataclass(frozen=True, repr=False)
class MatchSummary:
    """The numbers of a search across two collections. Two runs with the same input and options have equal summaries.

    Attributes
    ----------
    unit, metric, shingle, threshold, min_words, passage_threshold : the options of the search; the last two are None if
        it was not for passages
    texts, against : number of texts read on the left and on the right; `empty` and `against_empty` of them have no
        token and never match
    paragraphs, against_paragraphs, lines, against_lines : number of paragraphs or lines read on each side; None if
        they are not the unit
    pairs : pairs that reach the threshold
    matched : texts of the left side that are in a pair
    passages : passages found; None if the search was not for passages
    quoting : texts of the left side that have a passage; None as for `passages`
    warnings : sides without a word, texts of both sides too short for the shingle, pairs that stand apart below the
        threshold, if few were found, pairs that differ in numbers or symbols alone, if these are many, and texts of the
        right side that match suspiciously many units
    differences : number of pairs by what the two differ in: "identical", "format", "numbers", "words"
    numbers_only : number of pairs that differ in numbers alone, as for `Summary`
    distinct : the differences that keep texts apart
    ignore, tokens : what was ignored in the texts, and what is a token
    """

    unit: str
    metric: str
    shingle: str
    threshold: float
    min_words: int | None
    texts: int
    empty: int
    against: int
    against_empty: int
    paragraphs: int | None
    against_paragraphs: int | None
    pairs: int
    matched: int
    passages: int | None
    quoting: int | None
    warnings: tuple[str, ...]
    lines: int | None = None
    against_lines: int | None = None
    differences: dict[str, int] = field(default_factory=dict)
    numbers_only: int = 0
    distinct: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    tokens: str = "words"
    passage_threshold: float | None = None

    __hash__ = None  # type: ignore[assignment]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dict."""
        return asdict(self)

    def __repr__(self) -> str:
        left, right = f"{counted(self.texts, 'text')} ({self.empty:,} empty)", f"{self.against:,}"
        sides = f"{left} against {right} ({self.against_empty:,} empty)"
        units = []
        if self.paragraphs is not None and self.against_paragraphs is not None:
            units.append(f"{counted(self.paragraphs, 'paragraph')} against {self.against_paragraphs:,}")
        if self.lines is not None and self.against_lines is not None:
            units.append(f"{counted(self.lines, 'line')} against {self.against_lines:,}")
        lines = [
            f"{sides}, {_compared_by(self.metric, self.shingle, self.threshold)}, exact",
            *units,
            f"{counted(self.pairs, 'pair')}{_differing(self.differences)}, {counted(self.matched, 'text')} matched",
            *_left_out(self.distinct, self.numbers_only),
            *_read_as(self.ignore, self.tokens),
        ]
        if self.passages is not None and self.quoting is not None:
            found, texts = counted(self.passages, "passage"), counted(self.quoting, "text")
            lines.append(f"{found} of {self.min_words:,} words or more, in {texts}")
        return "\n".join([*lines, *(f"warning: {clean(warning)}" for warning in self.warnings)])


LOWER_THRESHOLD = "try a lower threshold"
"""What to do if two collections have no pair, or a few texts: `suggest` looks at one collection, of more texts."""


def hint_of(closest: tuple[Any, Any, float] | None, unit: str, advice: str = "try `suggest`") -> str:
    """Return a line about the closest pair, to follow a summary of a search without pairs; ``""`` if it is None.

    >>> hint_of(("a", 7, 0.5), "document")
    "\\nno pair reached the threshold; the closest one seen: 'a' and 7 at 0.500; try `suggest`"
    """
    if closest is None:
        return ""
    left, right, similarity = closest
    seen = f"{_named(left, unit)} and {_named(right, unit)} at {similarity:.3f}"
    return f"\nno pair reached the threshold; the closest one seen: {seen}; {advice}"


def summarise(evidence: Evidence) -> Summary:
    """Return the summary of a search."""
    read, run = evidence.read, evidence.run
    measured = measured_recall(evidence)
    return Summary(
        unit=str(run.unit),
        method=run.method,
        metric=str(run.metric),
        shingle=run.shingle,
        threshold=run.threshold,
        texts=read.texts,
        empty=read.texts - read.filled_texts,
        paragraphs=read.units if run.unit is Unit.PARAGRAPH else None,
        pairs=len(evidence.listed),
        clusters=evidence.cluster_count,
        removed=int(np.count_nonzero(~evidence.kept)),
        large_clusters=len(evidence.partly_listed),
        large_buckets=run.large_buckets,
        overflow=evidence.stars.overflow,
        guaranteed_recall=1.0 if run.bands is None else run.bands.probability(run.threshold),
        measured_recall=None if measured is None else measured[0],
        recall_interval=None if measured is None else measured[1],
        warnings=evidence.warnings(),
        rejected=evidence.texts.rejected,
        largest=tuple((size, evidence.shown(kept)) for kept, size in largest_clusters(evidence, SHOWN_CLUSTERS)),
        samples=tuple(
            (evidence.name(removed), evidence.name(kept), similarity, evidence.shown(removed))
            for removed, kept, similarity in sampled_removals(evidence, SHOWN_PAIRS)
        ),
        lines=read.units if run.unit is Unit.LINE else None,
        differences=evidence.removals.counts,
        numbers_only=evidence.numbers_only,
        distinct=run.distinct,
        ignore=run.ignore,
        tokens=run.tokens,
    )


def shown_units(evidence: Evidence) -> list[int]:
    """Return the units whose texts a summary shows."""
    samples = (unit for removed, kept, _ in sampled_removals(evidence, SHOWN_PAIRS) for unit in (removed, kept))
    return [*(unit for unit, _ in largest_clusters(evidence, SHOWN_CLUSTERS)), *samples]


def measured_recall(evidence: Evidence) -> tuple[float, tuple[float, float]] | None:
    """Return the estimated recall and its interval, from the pairs of representatives outside large buckets.

    None if there is no estimate; 1.0 for the exact method.
    """
    run, pairs = evidence.run, evidence.pairs
    if run.bands is None or run.crowded is None:
        return 1.0, (1.0, 1.0)
    outside = ~(np.isin(pairs.left, run.crowded) | np.isin(pairs.right, run.crowded))
    return measure_recall(
        jaccard(pairs, evidence.units.sizes)[outside], run.bands, None if run.replay is None else run.replay.strays
    )


def largest_clusters(evidence: Evidence, count: int) -> list[tuple[int, int]]:
    """Return the kept unit and the size of the largest clusters, the largest first (ties in input order)."""
    members, numbers = evidence.members
    sizes = np.bincount(numbers)
    kept = members[evidence.stars.star[members] == members]
    order = np.argsort(-sizes, kind="stable")[:count]
    return [(int(kept[number]), int(sizes[number])) for number in order.tolist()]


def sampled_removals(evidence: Evidence, count: int) -> list[tuple[int, int, float]]:
    """Return some removed units, each with its kept unit and similarity, evenly spaced from the least to the most
    similar: near copies if there are any, else exact copies.
    """
    removed = evidence.removed
    near = removed[evidence.same[removed] != evidence.same[evidence.stars.star[removed]]]
    chosen = near if len(near) else removed
    order = chosen[np.argsort(evidence.stars.similarity[chosen], kind="stable")]
    picked = sorted_unique(np.linspace(0, max(len(order) - 1, 0), min(count, len(order))).astype(np.int64))
    return [(u, int(evidence.stars.star[u]), float(evidence.stars.similarity[u])) for u in order[picked].tolist()]

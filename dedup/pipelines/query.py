"""The query: every option of a search, checked once, for all searches and all sources of texts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from dedup.edit.distances import check_installed
from dedup.errors import ParameterError
from dedup.hashing.forms import DISTINCT, NUMBERS
from dedup.hashing.label_options import LabelOptions
from dedup.hashing.labels import LABEL
from dedup.hashing.shingles import Shingle, parse
from dedup.lsh import choose_bands
from dedup.options import (
    check_keep,
    check_labels,
    check_min_documents,
    check_recall,
    check_seed,
    check_threshold,
    check_word,
    check_words,
    column_of,
)
from dedup.reading import IGNORED_NUMBERS, Reading
from dedup.threshold import Metric, Threshold
from dedup.unit import Unit

__all__ = ["Query"]

LOWEST_EDIT = 0.5
"""Similarity. From here downwards no count of shared pairs of characters tells near texts from others."""

METHODS = ("auto", "exact", "lsh")
EDIT_SHINGLE = "chars:1"
"""What is hashed under ``metric="edit"``: each code point."""

LISTINGS = ("auto", "all")


@dataclass(frozen=True)
class Query:
    """The options of a search. `check` makes it from the options of `dedup.find_duplicates` and `dedup.match`."""

    unit: Unit
    threshold: Threshold
    shingle: Shingle
    method: str
    keep: Any
    listing: str
    recall: float
    seed: int
    distinct: tuple[str, ...] = ()
    within: Any = None
    across: Any = None
    min_documents: int | None = None

    @classmethod
    def check(
        cls,
        *,
        unit: str = "document",
        threshold: float = 0.8,
        metric: str = "jaccard",
        shingle: str | None = None,
        method: str = "auto",
        keep: Any = "first",
        pairs: str = "auto",
        recall: float = 0.999,
        seed: int = 1,
        distinct: str | Collection[str] = (),
        within: Any = None,
        across: Any = None,
        min_documents: int | None = None,
        ignore: str | Collection[str] = (),
        tokens: str = "words",
        hash_key: bytes | None = None,
    ) -> Query:
        """Return the query. Raise `ParameterError` if an option has an invalid value."""
        of = Unit(check_word("unit", unit, [str(each) for each in Unit]))
        by = Metric(check_word("metric", metric, [str(each) for each in Metric]))
        method, pairs = check_word("method", method, METHODS), check_word("pairs", pairs, LISTINGS)
        if by is Metric.CONTAINMENT and method == "lsh":
            raise ParameterError('metric: containment needs method="exact" (or "auto"); bands are for jaccard')
        reached = Threshold(check_threshold(threshold), by)
        recall, keep, seed = check_recall(recall), check_keep(keep), check_seed(seed)
        apart = check_words("distinct", distinct, DISTINCT)
        reading = Reading.check(ignore, tokens, hash_key)
        if NUMBERS in apart and IGNORED_NUMBERS in reading.ignore:
            raise ParameterError(
                'ignore: expected "numbers" in ignore or in distinct, found it in both; texts that differ in numbers '
                "alone are either the same or no pair: leave one of them out"
            )
        if method == "lsh":
            choose_bands(reached.value, recall)  # if no bands reach the recall, raise the error before the work begins
        if by is Metric.EDIT:
            _check_edit(reached.value, shingle, method)
            shingle = EDIT_SHINGLE
        kind = parse(of.shingle if shingle is None else shingle, reading)
        within, across = check_labels("within", within), check_labels("across", across)
        if isinstance(within, str) and isinstance(across, str) and within == across:
            raise ParameterError(f"across: expected another column than within, found {across!r}; leave one out")
        least = check_min_documents(min_documents)
        return cls(of, reached, kind, method, keep, pairs, recall, seed, apart, within, across, least)

    @property
    def keep_column(self) -> str | None:
        """The column that the policy `keep` names, None for the other policies."""
        return column_of(self.keep)

    @property
    def other_columns(self) -> list[tuple[str, str]]:
        """The options that name other columns than those of text and id, each with its column."""
        named = [] if self.keep_column is None else [("keep", self.keep_column)]
        return [*named, *self.labels.columns]

    @property
    def labels(self) -> LabelOptions:
        """The options `within` and `across`, which say which texts are compared."""
        return LabelOptions(self.within, self.across, self.shingle.key)

    @property
    def forms(self) -> tuple[str, ...]:
        """The forms of units that the search compares."""
        return (*self.distinct, *(() if self.across is None else (LABEL,)))

    @property
    def held_forms(self) -> int:
        """How many forms and labels of each unit are held."""
        return len(self.forms) + (self.within is not None) + (self.across is not None)

    @property
    def removes_all(self) -> bool:
        """Whether no member of a cluster is kept."""
        return isinstance(self.keep, str) and self.keep == "none"

    @property
    def least_documents(self) -> int:
        """How many documents a cluster must occur in to remove anything."""
        return (2 if self.removes_all else 1) if self.min_documents is None else self.min_documents

    @property
    def _later(self) -> tuple[tuple[str, Any], ...]:
        """The options that are named only if they are given."""
        return ("within", self.within), ("across", self.across), ("min_documents", self.min_documents)

    def asked(self) -> dict[str, Any]:
        """Return the options on which the answer depends, as JSON, without the hash key."""
        return {
            "unit": str(self.unit),
            "threshold": self.threshold.value,
            "metric": str(self.threshold.metric),
            "method": self.method,
            "keep": self.keep,
            "recall": self.recall,
            "seed": self.seed,
            "shingle": str(self.shingle),
            "pairs": self.listing,
            "distinct": list(self.distinct),
            **{name: value for name, value in self._later if value is not None},
            "ignore": list(self.shingle.reading.ignore),
            "tokens": self.shingle.reading.tokens,
        }


def _check_edit(threshold: float, shingle: str | None, method: str) -> None:
    """Raise `ParameterError` if the options do not fit ``metric="edit"``, or `rapidfuzz` is not installed."""
    if method == "lsh":
        raise ParameterError('metric: edit needs method="exact" (or "auto"); bands are for jaccard')
    if shingle is not None:
        raise ParameterError(
            f'shingle: expected none for metric="edit", which compares characters, found {shingle!r}; leave it out'
        )
    if threshold <= LOWEST_EDIT:
        raise ParameterError(
            f'threshold: expected more than {LOWEST_EDIT} for metric="edit", found {threshold:g}: at {LOWEST_EDIT} and '
            "below, texts that have little in common are similar; raise it, 0.8 is usual"
        )
    check_installed()

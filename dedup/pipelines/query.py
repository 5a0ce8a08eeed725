"""The query: every option of a search, checked once, for all searches and all sources of texts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from dedup.edit.distances import check_installed
from dedup.errors import ParameterError
from dedup.hash_key import choose_key
from dedup.hashing.forms import NUMBERS, SYMBOLS
from dedup.hashing.shingles import Shingle, parse
from dedup.lsh import choose_bands
from dedup.options import check_keep, check_recall, check_seed, check_threshold, check_word, check_words, column_of
from dedup.threshold import Metric, Threshold
from dedup.unit import Unit

__all__ = ["Query"]

LOWEST_EDIT = 0.5
"""Similarity. From here downwards no count of shared pairs of characters tells near texts from others."""

METHODS = ("auto", "exact", "lsh")
CHARACTERS = "chars:1"
"""What is hashed under ``metric="edit"``: each code point."""

LISTINGS = ("auto", "all")
DISTINCT = (NUMBERS, SYMBOLS)


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
        if method == "lsh":
            choose_bands(reached.value, recall)  # if no bands reach the recall, raise the error before the work begins
        if by is Metric.EDIT:
            _check_edit(reached.value, shingle, method)
            shingle = CHARACTERS
        kind = parse(of.shingle if shingle is None else shingle, choose_key(hash_key))
        return cls(of, reached, kind, method, keep, pairs, recall, seed, apart)

    @property
    def keep_column(self) -> str | None:
        """The column that the policy `keep` names, None for the other policies."""
        return column_of(self.keep)

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

"""The query: every option of a search, checked once, for all searches and all sources of texts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from dedup.errors import ParameterError
from dedup.hashing.forms import NUMBERS, SYMBOLS
from dedup.hashing.shingles import Shingle, parse
from dedup.lsh import choose_bands
from dedup.options import check_keep, check_recall, check_seed, check_threshold, check_word, check_words, column_of
from dedup.reading import NUMBERS as IGNORED_NUMBERS
from dedup.reading import Reading
from dedup.threshold import Metric, Threshold
from dedup.unit import Unit

__all__ = ["Query"]

METHODS = ("auto", "exact", "lsh")
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
        kind = parse(of.shingle if shingle is None else shingle, reading)
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
            "ignore": list(self.shingle.reading.ignore),
            "tokens": self.shingle.reading.tokens,
        }

"""The types of options and ids, for programs that a type checker reads: an option of few words lists them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Literal, TypeVar

__all__ = [
    "Data",
    "DistinctOption",
    "Id",
    "IgnoreOption",
    "Item",
    "KeepOption",
    "MatchedBy",
    "MethodOption",
    "MetricOption",
    "PairsOption",
    "TokensOption",
    "UnitId",
    "UnitOption",
]

UnitOption = Literal["document", "paragraph", "line"]
MetricOption = Literal["jaccard", "containment", "edit"]
MethodOption = Literal["auto", "exact", "lsh"]
PairsOption = Literal["auto", "all"]
TokensOption = Literal["words", "all"]
MatchedBy = Literal["pairs", "passages", "either"]

Distinct = Literal["numbers", "symbols"]
DistinctOption = Distinct | Collection[Distinct]
"""One word, or several."""

Ignored = Literal["accents", "markup", "hyphenation", "numbers"]
IgnoreOption = Ignored | Collection[Ignored]
"""One word, or several."""

KeepOption = str | Callable[[Any, str], object]
"""A word, "max:COLUMN", "min:COLUMN", or a function of the id and the text whose smallest result is kept."""

Id = int | str
"""What a text is called: its id, or its number if it has none."""

UnitId = Id | tuple[Id, int]
"""What a unit is called: the id of a document; for a paragraph or line that id and the number in the document."""

Data = TypeVar("Data")
"""The type of a collection of texts: what is filtered has the same type."""

Item = TypeVar("Item")
"""The type of what a generator yields."""

"""The view: what a page shows of a result, whatever the result is.

A result has groups: a cluster, a text with its matches, a text with its repeats, two texts that were compared. Each
group has a main member and others; each of these has the spans that it shares with the main one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Histogram", "Member", "Rows", "Span", "View", "Words", "binned", "facts_of"]

Span = tuple[int, int, int, int]
"""Start and end in the main text, start and end in the other text, in characters."""

Rows = npt.NDArray[np.int64]
"""Groups of a view, by their places."""

MOST_BINS = 40


class Histogram(NamedTuple):
    """A histogram: `counts` has one number less than `edges`; `mark` is where the threshold lies, or None.

    With `whole`, a bin has the whole numbers from its edge to below the next.
    """

    title: str
    edges: list[float]
    counts: list[int]
    mark: float | None = None
    whole: bool = False


class Words(NamedTuple):
    """What things are called on a page: a group, its members, and the two texts side by side."""

    group: str
    members: str
    left: str
    right: str


class Member(NamedTuple):
    """A text of a group.

    Attributes
    ----------
    id : the id as the tables have it; `name` says it to people
    text : the whole text
    similarity : to the main member; None for the main one
    evidence : lines in words
    spans : what it shares with the main member, in the order of this text
    kept : whether it is kept; None where nothing is removed
    difference : how it differs from the main one, as the tables say it
    differs : whether what it does not share with the main one stands out
    """

    id: Any
    name: str
    text: str
    similarity: float | None = None
    evidence: tuple[str, ...] = ()
    spans: Sequence[Span] = ()
    kept: bool | None = None
    difference: str | None = None
    differs: bool = False


@dataclass(frozen=True)
class View:
    """A result as groups.

    Attributes
    ----------
    kind : "find", "match", "repeats" or "compare"
    title, facts, warnings : of the head of the page
    threshold : what is near to it can be looked at first
    number : int64, by group; the number by which tables know it
    size : int64, by group; its members
    similarity : float64, by group; the least of a member; NaN where there is none
    reason : strings by group (numpy); how its members were found, or ""
    source : int64, by group; the file of its main member, an index of `sources`
    names, starts : return what some groups are called, and the starts of their main texts
    members : yields for each of some groups its main member, then at most so many others
    decides : whether a reader may decide what is kept
    nothing : what is said where there is no group
    seal : the checksum of the report, or of the result's tables
    """

    kind: str
    title: str
    words: Words
    facts: list[tuple[str, str]]
    warnings: list[str]
    threshold: float
    number: npt.NDArray[np.int64]
    size: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float64]
    reason: npt.NDArray[np.str_]
    names: Callable[[Rows], list[str]]
    starts: Callable[[Rows], list[str]]
    members: Callable[[Rows, int], Iterator[list[Member]]]
    histograms: list[Histogram] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    source: npt.NDArray[np.int64] | None = None
    decides: bool = False
    nothing: str = "Nothing was found."
    seal: str = ""

    def __len__(self) -> int:
        return len(self.size)


def binned(
    title: str, values: npt.NDArray[Any], low: float, high: float, *, mark: float | None = None, whole: bool = False
) -> Histogram:
    """Return the histogram of some values between two bounds; with `whole`, of whole numbers, in at most 40 bins."""
    if whole:
        wide = max(1, -(-int(high - low + 1) // MOST_BINS))
        edges = np.arange(low, high + wide + 1, wide, dtype=np.float64)
    else:
        edges = np.linspace(low, high if high > low else low + 1, MOST_BINS + 1)
    counts, _ = np.histogram(values, bins=edges)
    return Histogram(title, [round(float(edge), 4) for edge in edges], counts.tolist(), mark, whole)


def facts_of(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the numbers and options of a summary by name, as text; what does not apply is left out.

    >>> facts_of({"texts": 2000, "paragraphs": None, "large_clusters": 1, "warnings": ()})
    [('texts', '2,000'), ('large clusters', '1')]
    """
    facts = []
    for name, value in summary.items():
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            continue
        facts.append((name.replace("_", " "), f"{value:,}" if isinstance(value, (int, float)) else value))
    return facts

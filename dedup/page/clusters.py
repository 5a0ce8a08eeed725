"""The view of clusters, from the columns of their members, wherever these come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.page.beside import Main
from dedup.page.document import STARTS_SHOWN
from dedup.page.view import Histogram, Member, Rows, View, Words, binned
from dedup.reading import PLAIN, Reading

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Clusters", "shortened", "view_of_clusters"]

PAGE_WORDS = Words("cluster", "members", "kept", "removed")
DIFFERENCE_IN_WORDS = {
    "identical": ("the same characters",),
    "format": ("the same words in the same order: case, punctuation, symbols or white space differ",),
    "numbers": ("only numbers differ",),
}
LOOKS = 3 * STARTS_SHOWN // 2, 4 * STARTS_SHOWN
"""Characters of a text that are looked at for its start: first, and if they are mostly white space."""


def shortened(text: str) -> str:
    """Return the start of a text, on one line."""
    line = ""
    for look in LOOKS:
        line = " ".join(text[:look].split())
        if len(line) > STARTS_SHOWN or look > len(text):
            break
    return line if len(line) <= STARTS_SHOWN else line[: STARTS_SHOWN - 3] + "..."


@dataclass(frozen=True)
class Clusters:
    """The members of clusters, by cluster and input order.

    Attributes
    ----------
    cluster, kept, centre, similarity, exact : int64, bool, bool, float64, bool; by member: the number of its cluster,
        whether it is kept, whether it is the centre of its cluster (the kept one, unless all or none are kept), its
        similarity to the centre, and whether it is an exact copy of it
    file : int64; by member, an index of `sources`
    difference : returns what some members differ in from the centre (Arrow strings)
    texts, names : yield the texts of some members, and return what they are called
    id : returns the id of a member as the tables have it
    """

    cluster: npt.NDArray[np.int64]
    kept: npt.NDArray[np.bool_]
    centre: npt.NDArray[np.bool_]
    similarity: npt.NDArray[np.float64]
    exact: npt.NDArray[np.bool_]
    file: npt.NDArray[np.int64]
    sources: list[str]
    difference: Callable[[Rows], pa.Array | pa.ChunkedArray]
    texts: Callable[[Rows], Iterator[str]]
    names: Callable[[Rows], list[str]]
    id: Callable[[int], Any]

    @cached_property
    def bounds(self) -> npt.NDArray[np.int64]:
        """Where the members of each cluster begin, and the number of all members."""
        count = int(self.cluster[-1]) + 1 if len(self.cluster) else 0
        return np.searchsorted(self.cluster, np.arange(count + 1))

    @cached_property
    def leading(self) -> npt.NDArray[np.int64]:
        """The centre of each cluster."""
        return np.flatnonzero(self.centre)


def view_of_clusters(
    found: Clusters,
    *,
    title: str,
    facts: list[tuple[str, str]],
    warnings: list[str],
    threshold: float,
    shingle: str,
    reading: Reading = PLAIN,
    read: npt.NDArray[np.int64] | None = None,
    seal: str = "",
    decides: bool = False,
    nothing: str,
) -> View:
    """Return the view of clusters; `read` are the records that were read, by file."""
    leading, bounds = found.leading, found.bounds
    count = len(leading)
    least = np.full(count, np.inf)
    np.minimum.at(least, found.cluster, np.where(found.centre, np.inf, found.similarity))
    near = np.zeros(count, dtype=np.bool_)
    near[found.cluster[~found.exact & ~found.centre]] = True

    def shown(row: int, most: int) -> Rows:
        inside = np.arange(bounds[row], bounds[row + 1])
        others = inside[inside != leading[row]]
        chosen = others[np.argsort(found.similarity[others], kind="stable")[:most]]
        return np.concatenate((leading[row : row + 1], chosen))

    def members(rows: Rows, most: int) -> Iterator[list[Member]]:
        groups = [shown(row, most) for row in rows.tolist()]
        every = np.concatenate(groups)
        differences = found.difference(every).to_pylist()
        each = zip(every.tolist(), found.names(every), differences, found.texts(every), strict=True)
        for group in groups:
            yield list(beside_each([next(each) for _ in group]))

    def beside_each(group: list[tuple[int, str, str | None, str]]) -> Iterator[Member]:
        main = Main(group[0][3], shingle, reading)
        for at, name, difference, text in group:
            kept = bool(found.kept[at])
            if at == group[0][0]:
                yield Member(found.id(at), name, text, kept=kept)
                continue
            shared = main.beside(text)
            yield Member(
                found.id(at),
                name,
                text,
                similarity=float(found.similarity[at]),
                evidence=(*shared.evidence, *DIFFERENCE_IN_WORDS.get(difference or "", ())),
                spans=shared.spans,
                kept=kept,
                difference=difference,
                differs=True,
            )

    return View(
        kind="find",
        title=title,
        words=PAGE_WORDS,
        facts=facts,
        warnings=warnings,
        threshold=threshold,
        number=np.arange(count, dtype=np.int64),
        size=np.diff(bounds),
        similarity=np.where(np.isinf(least), np.nan, least),
        reason=np.where(near, "near", "exact"),
        names=lambda rows: found.names(leading[rows]),
        starts=lambda rows: list(map(shortened, found.texts(leading[rows]))),
        members=members,
        histograms=_histograms(found, threshold, read),
        sources=found.sources,
        source=found.file[leading] if count else None,
        decides=decides,
        nothing=nothing,
        seal=seal,
    )


def _histograms(found: Clusters, threshold: float, read: npt.NDArray[np.int64] | None) -> list[Histogram]:
    if not len(found.cluster):
        return []
    removed = ~found.kept
    sizes = np.diff(found.bounds)
    near = found.similarity[removed & ~found.centre]
    low = min(threshold, float(near.min())) if len(near) else threshold
    histograms = [
        binned("similarity of removed texts to the kept one", near, low, 1.0, mark=threshold),
        binned("members of a cluster", sizes, 2, max(int(sizes.max()), 3), whole=True),
    ]
    if read is not None and len(found.sources) > 1:
        lost = np.bincount(found.file[removed], minlength=len(read)) / np.maximum(read, 1)
        histograms.append(binned("share of a file that is removed", lost, 0.0, 1.0))
    return histograms

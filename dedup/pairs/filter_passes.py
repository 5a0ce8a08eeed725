"""The filter, in passes over a source: which units may reach the threshold with another one, without holding them all.

A table says of each hash whether it may occur in two rows (`dedup.pairs.seen_twice.SeenTwice`). Where the table is too
large for what memory there is, it is made for one range of the hash space after the other. In naive Python::

    times = Counter(hash for row in rows for hash in row)
    unique = [sum(times[hash] == 1 for hash in row) for row in rows]
    candidates = [row for row in rows if unique[row] <= threshold.may_be_unique(len(row))]

All rows that reach the threshold with another row are candidates. Which other rows are candidates depends only on the
hashes, not on the blocks or on the memory.

Cost: a pass over the hashes to mark them, one to count them, for each range; one range need not be counted beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import HashRows
from dedup.pairs.seen_across import SeenAcross
from dedup.pairs.seen_twice import SeenTwice
from dedup.threshold import Threshold

__all__ = ["AcrossSides", "Candidates", "filter_across", "filter_passes"]

Result = TypeVar("Result")

Counts = npt.NDArray[np.integer[Any]]


class Readable(Protocol):
    """What the filter asks of a `dedup.hashing.source.HashSource`, and of windows of tokens."""

    threads: int

    @property
    def shingles(self) -> int:
        """Hashes of all rows together, or as good a guess as there is."""
        ...

    @property
    def cheap(self) -> bool:
        """Whether the threads have nothing to do but what they are asked."""
        ...

    def map(self, work: Callable[[HashRows], Result], stage: str) -> Iterator[Result]:
        """Yield what `work` makes of each block of rows, in order."""
        ...


class Candidates:
    """Which rows of a source may reach the threshold with another one; rows come in the order of the source."""

    def __init__(self, seen: SeenTwice, unique: list[Counts] | None) -> None:
        self._seen, self._unique = seen, unique
        self._place = 0

    @property
    def bytes(self) -> int:
        """What the table and the counts take."""
        return self._seen.bytes + sum(counts.nbytes for counts in self._unique or ())

    def choose(self, rows: HashRows, _: int = 0) -> npt.NDArray[np.bool_]:
        """Return which rows of the next block are candidates; to be asked block after block, in order."""
        unique = self._seen.unique(*rows) if self._unique is None else _wide(self._unique[self._place], rows.sizes)
        self._place += 1
        return self._may_match(unique, rows.sizes)

    def all(self, sizes: Iterable[npt.NDArray[np.int64]]) -> npt.NDArray[np.bool_]:
        """Return which rows are candidates, by their sizes, block after block; they were counted."""
        assert self._unique is not None
        parts = [self._may_match(_wide(unique, size), size) for unique, size in zip(self._unique, sizes, strict=True)]
        return np.concatenate([np.empty(0, dtype=np.bool_), *parts])

    def _may_match(self, unique: Counts, sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        return self._seen.may_match(unique, sizes) & (sizes > 0)


def filter_passes(source: Readable, threshold: Threshold, *, room: int, complete: bool = False) -> Candidates:
    """Mark and count the hashes of a source, in as many passes as a table of `room` bytes needs.

    Return the candidates.

    With `complete` all hashes are looked at, not a part of the hash space, so fewer rows are candidates. The hashes are
    then always counted, so that `Candidates.all` can be used.
    """
    seen = SeenTwice(source.shingles, threshold, room=room, full=complete)
    unique: list[Counts] | None = None
    for number in range(seen.ranges):
        seen.begin(number)
        for rows in source.map(_same, "mark"):
            seen.add(rows.values, source.threads if source.cheap else 1)  # else the threads are busy with the reading
        if seen.ranges == 1 and not complete:
            break
        counts = source.map(lambda rows: _narrow(seen.unique(*rows), rows.sizes), "count")
        unique = (
            [*counts] if unique is None else [before + counted for before, counted in zip(unique, counts, strict=True)]
        )
    return Candidates(seen, unique)


def _same(rows: HashRows) -> HashRows:
    return rows


def _narrow(unique: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> Counts:
    """Return counts in as few bytes as the longest row needs: in bits, if no row has more than one hash.

    Counts of different ranges can still be added: a hash is in one range, so no bit is set twice.
    """
    most = int(sizes.max(initial=0))
    return np.packbits(unique.astype(np.bool_)) if most <= 1 else unique.astype(np.min_scalar_type(most))


def _wide(counts: Counts, sizes: npt.NDArray[np.int64]) -> Counts:
    """Return the counts that `_narrow` made, one per row."""
    if int(sizes.max(initial=0)) > 1:
        return counts
    return np.unpackbits(counts.astype(np.uint8, copy=False), count=len(sizes))


def filter_across(left: Readable, right: Readable, threshold: Threshold, *, room: int) -> AcrossSides:
    """Mark the hashes of two sides, in two tables of `room` bytes together, and return which rows may match.

    Of the left side all rows are marked, of the right side only rows that may match the left. Cost: one pass over each
    side; the left side is counted when it is read again.
    """
    seen = SeenAcross(max(left.shingles, right.shingles), threshold, room=room)
    lefts = 0
    for rows in left.map(_same, "mark"):
        seen.add(0, rows.values)
        lefts += len(rows.sizes)
    kept: list[npt.NDArray[np.bool_]] = []
    for rows in right.map(_same, "mark"):
        kept.append(seen.may_match(1, *rows))
        seen.add(1, rows.values[np.repeat(kept[-1], rows.sizes)])
    return AcrossSides(seen, lefts, np.concatenate([np.empty(0, dtype=np.bool_), *kept]))


class AcrossSides:
    """Which rows of two sides, the left one first, may reach the threshold with a row of the other side."""

    def __init__(self, seen: SeenAcross, lefts: int, rights: npt.NDArray[np.bool_]) -> None:
        self._seen, self._lefts, self._rights = seen, lefts, rights

    @property
    def bytes(self) -> int:
        """What the tables take."""
        return self._seen.bytes

    def choose(self, rows: HashRows, before: int) -> npt.NDArray[np.bool_]:
        """Return which rows of a block are candidates; `before` are the rows of both sides before it."""
        if before < self._lefts:
            return self._seen.may_match(0, *rows)
        first = before - self._lefts
        return self._rights[first : first + len(rows.sizes)]

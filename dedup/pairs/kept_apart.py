"""Pairs that are kept apart: units that reach the threshold, but are no pair, since they are of one group.

In naive Python (`count` is of exact copies, which a representative stands for)::

    for left, right in combinations(representatives, 2):
        if group[left] == group[right] and digest[left] != digest[right] and similarity(left, right) >= threshold:
            total += count[left] * count[right]

A template with a number in it may occur a hundred thousand times. In a group of more than `most` representatives, only
the pairs with the first of them are counted, as such a cluster is listed.

Cost: a comparison of two sets a pair of a group; linear in groups of more than `most`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from dedup.hashing.forms import NUMBERS, SYMBOLS
from dedup.hashing.forms import Forms as UnitForms
from dedup.hashing.labels import LABEL
from dedup.hashing.shard_source import ShardSource
from dedup.hashing.units import HashSets, Units
from dedup.pairs.verify import NO_GROUPS, Groups, Pairs, pairs_of, similarity, verify
from dedup.threshold import Threshold

__all__ = [
    "Apart",
    "by_label",
    "copies_across",
    "count_apart",
    "count_in_blocks",
    "grouped",
    "groups_of",
    "told_apart",
]

PAIRS_AT_ONCE = 1 << 20
"""Pairs that are compared at a time: 28 MB."""

Rows = npt.NDArray[np.int64]
Forms = npt.NDArray[np.uint64]


class Formed(Protocol):
    """Units with their digests and forms (`dedup.hashing.units.Units`)."""

    @property
    def digests(self) -> Forms:
        """The digest of the tokens of each (n, 2)."""
        ...

    @property
    def forms(self) -> UnitForms:
        """The forms of each."""
        ...


def groups_of(units: Formed, distinct: Sequence[str]) -> Groups:
    """Return the groups of units that are no pair: of one label, if labels are compared across (`LABEL`), and for what
    is `distinct` those that are equal but for numbers, or have equal tokens with other symbols.
    """
    labels = units.forms.get(LABEL)
    form = np.ascontiguousarray(units.digests[:, 0])
    if NUMBERS in distinct:  # units of the same tokens have the same numbers, whatever their symbols
        form = units.forms[NUMBERS]
    if labels is None:
        return form[np.newaxis] if distinct else NO_GROUPS
    if not distinct:
        return labels[np.newaxis]
    return np.stack((labels, form, told_apart(units, distinct)[:, 0]))  # exact copies of two labels are a pair


def told_apart(units: Formed, distinct: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Return the digests by which exact copies are found: of tokens, and of symbols where these are distinct."""
    if SYMBOLS not in distinct:
        return units.digests
    digests = units.digests.copy()
    digests[:, 0] ^= units.forms[SYMBOLS]
    return digests


def by_label(units: Formed, digests: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return digests that are equal only for units of one label, if labels are compared across."""
    labels = units.forms.get(LABEL)
    return digests if labels is None else digests ^ labels[:, np.newaxis]


class Apart(NamedTuple):
    """Pairs that are kept apart: their similarities (float64, ascending, each once), and how many have each (int64)."""

    similarity: npt.NDArray[np.float64]
    pairs: npt.NDArray[np.int64]

    def merged(self) -> Apart:
        """Return it with each similarity once, ascending."""
        values, places = np.unique(self.similarity, return_inverse=True)
        return Apart(values, np.bincount(places, weights=self.pairs, minlength=len(values)).astype(np.int64))

    def above(self, threshold: float) -> Apart:
        """Return those that reach a threshold."""
        reached = self.similarity >= threshold
        return Apart(self.similarity[reached], self.pairs[reached])


def grouped(groups: Forms, rows: Rows) -> Rows:
    """Return those of `rows` (ascending) that share their group with another one, by group, then in order."""
    order = rows[np.argsort(groups[rows], kind="stable")]
    values = groups[order]
    same = np.zeros(len(order) + 1, dtype=np.bool_)
    same[1:-1] = values[1:] == values[:-1]
    return order[same[:-1] | same[1:]]


def copies_across(units: Units, digests: npt.NDArray[np.uint64], left: Rows, right: Rows, threads: int) -> Pairs:
    """Return the pairs of a `left` with a `right` unit of equal `digests`; units of a side differ in these.

    Prepares their sets. Cost: a sort of the units.
    """
    rows = np.concatenate((left, right))
    order = rows[np.lexsort((rows, digests[rows, 1], digests[rows, 0]))]
    same = np.flatnonzero((digests[order[1:]] == digests[order[:-1]]).all(axis=1))
    one, other = order[same], order[same + 1]
    units.prepare(np.sort(np.concatenate((one, other))), threads)
    return pairs_of(one, other, units.sizes[one])


def count_apart(
    sets: HashSets,
    groups: Forms,
    digests: npt.NDArray[np.uint64],
    counts: Rows,
    rows: Rows,
    threshold: Threshold,
    *,
    most: int | None,
    labels: Forms | None = None,
    lefts: int = 0,
    threads: int = 1,
    compare: Callable[[Rows], Pairs] | None = None,
) -> Apart:
    """Return the pairs that reach the threshold and are kept apart, exact copies included.

    Parameters
    ----------
    sets, groups, digests, counts : by unit; its set, group, digest of tokens, and number of exact copies
    rows : what `grouped` returned, of units whose sets were made
    most : representatives of a group of which all pairs are counted; None: of any group
    labels : by unit; units of one label are not compared, and not counted
    lefts : units from this one on are only paired with units before it, and these with none of their own; 0: there is
        one side
    compare : returns pairs of units (n, 2) with their evidence; None: by their sets
    """
    parts = []
    for pairs in _pairs(groups, rows, most, lefts):
        apart = pairs[(digests[pairs[:, 0]] != digests[pairs[:, 1]]).any(axis=1)]
        if labels is not None:
            apart = apart[labels[apart[:, 0]] != labels[apart[:, 1]]]
        inside = np.sort(apart, axis=1)
        found = verify(sets, inside, 0.0, threads) if compare is None else compare(inside)
        values = similarity(found, sets.sizes, threshold.metric)
        reached = values >= threshold.value
        weights = counts[found.left[reached]] * counts[found.right[reached]]
        parts.append(Apart(values[reached], weights).merged())
    return _sum(parts)


def count_in_blocks(
    source: ShardSource,
    held: Rows,
    groups: Forms,
    counts: Rows,
    rows: Rows,
    threshold: Threshold,
    *,
    shingles: int,
    most: int | None,
    labels: Forms | None,
    threads: int,
) -> Apart:
    """Return the same where no hashes are held: whole groups are held, of about as many `shingles` at a time.

    `held` are the units of the source (ascending) that `groups`, `counts` and `rows` are about, by their places.
    """
    sizes = np.concatenate([np.empty(0, dtype=np.int64), *source.sizes()])[held[rows]]
    ends = np.flatnonzero(np.append(groups[rows[1:]] != groups[rows[:-1]], True)) + 1 if len(rows) else rows
    ahead = np.cumsum(sizes)
    parts, at = [], 0
    while at < len(rows):
        before = int(ahead[at - 1]) if at else 0
        fitting = int(np.searchsorted(ahead[ends - 1], before + shingles, side="right"))
        stop = int(ends[max(fitting - 1, int(np.searchsorted(ends, at, side="right")))])
        own = np.sort(rows[at:stop])
        chosen = np.zeros(source.count, dtype=np.bool_)
        chosen[held[own]] = True
        some = source.hold_rows(chosen).units
        everyone = np.arange(len(own), dtype=np.int64)
        sets, by_group = some.prepare(everyone, threads), grouped(groups[own], everyone)
        given = (sets, groups[own], some.digests, counts[own], by_group, threshold)
        own_labels = None if labels is None else labels[own]
        parts.append(count_apart(*given, most=most, labels=own_labels, threads=threads))
        at = stop
    return _sum(parts)


def _sum(parts: list[Apart]) -> Apart:
    nothing = Apart(np.empty(0, dtype=np.float64), np.empty(0, dtype=np.int64))
    return Apart(*map(np.concatenate, zip(nothing, *parts, strict=True))).merged()


def _pairs(groups: Forms, rows: Rows, most: int | None, lefts: int) -> Iterator[Rows]:
    """Yield the pairs (n, 2) of all groups, some at a time."""
    values = groups[rows]
    starts = np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1]))) if len(rows) else rows
    sizes = np.diff(np.append(starts, len(rows)))
    ends = np.repeat(starts + sizes, sizes)
    places = np.arange(len(rows), dtype=np.int64)
    firsts = places + 1
    if lefts:  # rows ascend in a group: the right side comes last
        right = rows >= lefts
        own = np.add.reduceat(~right, starts).astype(np.int64) if len(rows) else rows
        firsts = np.where(right, ends, np.repeat(starts + own, sizes))
    many = ends - firsts
    if most is not None:
        crowded = np.repeat(sizes > most, sizes)
        first = np.repeat(starts, sizes)
        many = np.where(crowded, np.where((places == first) | (lefts > 0), many, 0), many)
        if lefts:
            many = np.where(crowded, np.minimum(many, 1), many)
    at = 0
    ahead = np.cumsum(many)
    while at < len(rows):
        before = int(ahead[at - 1]) if at else 0
        stop = max(int(np.searchsorted(ahead, before + PAIRS_AT_ONCE, side="right")), at + 1)
        count = many[at:stop]
        left = np.repeat(places[at:stop], count)
        inside = np.arange(len(left), dtype=np.int64) - np.repeat(np.cumsum(count) - count, count)
        right_places = np.repeat(firsts[at:stop], count) + inside
        yield np.column_stack((rows[left], rows[right_places]))
        at = stop

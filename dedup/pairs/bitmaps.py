"""Bitmaps: the sets of texts that are versions of each other, so that a pair of them is verified in no time.

In a collection of versions each text has hundreds of partners, and to merge the sets of each pair is most of the work.
Texts are grouped by their lowest hashes: two texts have the same lowest hash with a probability equal to their Jaccard
similarity (Broder, 1997), and here two of them must be the same, in one of two halves of the hashes. Within a group
`dedup.kernels.bitmaps` turns sets into bits. Which texts are in one group decides how long a search takes, and never
what it finds: a pair across groups is merged.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import HashSets
from dedup.runtime.arrays import sorted_unique
from dedup.runtime.threads import map_blocks

__all__ = ["Bitmaps", "make_bitmaps", "no_bitmaps"]

FEWEST_VERSIONS = 12
"""Rows of a group. A smaller one has so few pairs that bitmaps do not pay."""

SPREADS = 8
"""Rounds in which groups that have a text in common are joined, at most: each text has two keys."""

VERSIONS_TOGETHER = 256
"""Rows that a thread makes the bitmaps of, at least; a group is not shared out."""


class Bitmaps(NamedTuple):
    """The bitmaps of some places: that of place p is ``bits[starts[p]:starts[p] + words[p]]``.

    `groups` (int64) has the group of each place, -1 for none; bitmaps of one group can be compared. ``previous[p]`` is
    the place before p that has the group of p, -1 for none. All are empty if there are no bitmaps.
    """

    groups: npt.NDArray[np.int64]
    previous: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]
    bits: npt.NDArray[np.uint64]


def no_bitmaps() -> Bitmaps:
    """Return bitmaps of no place."""
    nothing = np.empty(0, dtype=np.int64)
    return Bitmaps(nothing, nothing, nothing, nothing, np.empty(0, dtype=np.uint64))


def make_bitmaps(sets: HashSets, rows: npt.NDArray[np.int64], threads: int) -> Bitmaps:
    """Return the bitmaps of `rows` that are in groups; a place is that of a row in `rows`.

    Cost: little more than reading the sets. Memory: a sixteenth of that of the sets, at most.
    """
    from dedup.kernels import bitmaps as kernels

    labels = _labels(sets, rows)
    _, group, count = np.unique(labels, return_inverse=True, return_counts=True)
    places = np.flatnonzero(count[group.ravel()] >= FEWEST_VERSIONS)
    places = places[np.lexsort((rows[places], labels[places]))]  # versions in the order of the collection
    room = np.zeros(len(rows), dtype=np.int64)
    room[places] = (kernels.BITS_PER_HASH * sets.sizes[rows[places]] >> 6) + 1
    starts = np.cumsum(room) - room
    groups = np.full(len(rows), kernels.NO_GROUP, dtype=np.int64)
    words = np.zeros(len(rows), dtype=np.int64)
    bits = np.empty(int(room.sum()), dtype=np.uint64)  # pages that nothing is written to take no memory

    def write(part: npt.NDArray[np.int64]) -> None:
        kernels.write_bitmaps(*sets, rows[part], labels[part], part, starts, words, groups, bits)

    for _ in map_blocks(write, _runs(places, labels), threads):
        pass
    previous = np.full(len(rows), -1, dtype=np.int64)
    order = np.argsort(groups, kind="stable")
    same = groups[order[1:]] == groups[order[:-1]]
    previous[order[1:][same]] = order[:-1][same]
    return Bitmaps(groups, previous, starts, words, bits)


def _runs(places: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Cut `places`, sorted by label, into runs of whole groups."""
    edges = np.flatnonzero(np.diff(labels[places])) + 1
    if not len(edges):
        return [places] if len(places) else []
    wanted = np.searchsorted(edges, np.arange(VERSIONS_TOGETHER, len(places), VERSIONS_TOGETHER))
    return np.split(places, sorted_unique(edges[wanted[wanted < len(edges)]]))


def _labels(sets: HashSets, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return a label for each of `rows`: equal ones for rows that are linked by lowest hashes."""
    from dedup.kernels.bitmaps import lowest_of_parts

    lowest = np.empty((len(rows), 4), dtype=np.uint64)
    lowest_of_parts(*sets, rows, lowest)
    mixed = lowest[:, ::2] ^ (lowest[:, 1::2] << np.uint64(1))
    keys = [np.unique(mixed[:, side], return_inverse=True)[1].ravel() for side in (0, 1)]
    labels = np.arange(len(rows), dtype=np.int64)
    for _ in range(SPREADS):
        before = labels
        for key in keys:
            least = np.full(len(rows), len(rows), dtype=np.int64)
            np.minimum.at(least, key, labels)
            labels = least[key]
        if np.array_equal(labels, before):
            break
    return labels

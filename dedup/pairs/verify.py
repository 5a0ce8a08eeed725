"""Verified pairs: candidates counted on their shingle sets, so that no pair below the threshold is reported.

In naive Python::

    shared = len(set(left) & set(right))
    reported = shared / (len(left) + len(right) - shared) >= threshold           # float64
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.errors import ParameterError
from dedup.hashing.units import HashSets
from dedup.runtime.buffers import give_back
from dedup.runtime.threads import lock, map_blocks
from dedup.threshold import Metric

__all__ = [
    "LEAST_ROOM",
    "MAX_JOINED_PAIRS",
    "NO_GROUPS",
    "Groups",
    "PairLimit",
    "Pairs",
    "columns_of",
    "evidence_columns",
    "in_order",
    "jaccard",
    "moved",
    "no_pair",
    "no_pairs",
    "pairs_of",
    "similarity",
    "verify",
]

CANDIDATE_SLICE = 1 << 15
"""Candidates that a thread counts at a time. Curve: `benchmarks.tuning.verify_candidate_slice`; flat from 2^15 to 2^18
on generated:20000 (two cores, 2026-11)."""

PAIR_BYTES = 32
"""Bytes per pair while pairs are found and sorted, at most; 12 afterwards."""

MAX_JOINED_PAIRS = 200_000_000
"""Pairs that a search without a bound may find (about 6 GB), and rows that a table of them may have."""

MANY_PAIRS = 1 << 20
"""Pairs. If there are more, the memory of their parts is returned to the system before they are sorted. Curve:
`benchmarks.tuning.verify_many_pairs`; flat from 2^12 to 2^20 on family:2000 (two cores, 2026-11)."""

LEAST_ROOM = 1 << 23
"""Bytes that pairs may take under any bound: so a search may exceed its bound by as much."""


Groups = npt.NDArray[np.uint64]
"""By unit, in columns: which units are no pair, however similar they are (`dedup.kernels.verify.no_pair`).

Units with an equal value in row 0 are no pair. If there are three rows, units with an equal value in row 1 and
different ones in row 2 are no pair either. Without rows there are no such units.
"""

NO_GROUPS: Groups = np.empty((0, 0), dtype=np.uint64)
NO_GROUPS.setflags(write=False)


def columns_of(groups: Groups, units: npt.NDArray[np.int64]) -> Groups:
    """Return the groups of some units."""
    return np.ascontiguousarray(groups[:, units]) if len(groups) else groups


def no_pair(groups: Groups, left: npt.NDArray[Any], right: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return which pairs of units are none by their groups (bool)."""
    apart = np.zeros(len(left), dtype=np.bool_)
    if len(groups):
        apart = groups[0, left] == groups[0, right]
    if len(groups) > 1:
        apart |= (groups[1, left] == groups[1, right]) & (groups[2, left] != groups[2, right])
    return apart


class Pairs(NamedTuple):
    """Pairs of units with their evidence: int32 arrays of one length, `left` before `right` in the input.

    Under ``metric="edit"``, `shared` is the length of the longer text without the distance (`dedup.edit.join`).
    12 bytes per pair, since there may be very many. So units are numbered below 2^31, as everywhere in the join.
    """

    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    shared: npt.NDArray[np.int32]

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64] | slice) -> Pairs:
        """Return some of the pairs."""
        return Pairs(self.left[rows], self.right[rows], self.shared[rows])


def no_pairs() -> Pairs:
    """Return an empty list of pairs."""
    return Pairs(*(np.empty(0, dtype=np.int32) for _ in range(3)))


def pairs_of(one: npt.NDArray[Any], other: npt.NDArray[Any], shared: npt.NDArray[Any]) -> Pairs:
    """Return pairs of two units each, in any order, with their shared hashes; the arrays are of any integers."""
    low, high = np.minimum(one, other), np.maximum(one, other)
    return Pairs(*(column.astype(np.int32, copy=False) for column in (low, high, shared)))


def moved(pairs: Pairs, rows: npt.NDArray[np.int64]) -> Pairs:
    """Return the pairs with other unit numbers: unit i becomes `rows[i]`; `rows` ascends."""
    return Pairs(rows[pairs.left].astype(np.int32), rows[pairs.right].astype(np.int32), pairs.shared)


def in_order(parts: list[Pairs]) -> Pairs:
    """Return the pairs of all parts in the order of (left, right), without repetitions; `parts` is emptied.

    Memory: `PAIR_BYTES` per pair, including the parts, which are freed one by one.
    """
    total = sum(len(part.left) for part in parts)
    keys, shared = np.empty(total, dtype=np.uint64), np.empty(total, dtype=np.int32)
    while parts:
        part = parts.pop()
        some = slice(total - len(part.left), total)
        keys[some] = part.left
        keys[some] <<= np.uint64(32)
        keys[some] |= part.right.view(np.uint32)
        shared[some] = part.shared
        total -= len(part.left)
        del part
    if len(keys) > MANY_PAIRS:
        give_back()
    if not np.all(keys[1:] > keys[:-1]):
        order = np.argsort(keys)
        keys = keys[order]
        shared = shared[order]
        del order
        once = np.concatenate((np.ones(min(len(keys), 1), dtype=np.bool_), keys[1:] != keys[:-1]))
        if not once.all():
            keys, shared = keys[once], shared[once]
    left = (keys >> np.uint64(32)).astype(np.int32)
    return Pairs(left, keys.astype(np.uint32).view(np.int32), shared)


class PairLimit:
    """How many pairs a search may find. Any thread adds the pairs that it found; too many raise an error.

    `room` is the bytes that pairs may take under a bound; None without a bound. `most` is the limit without a bound.
    """

    def __init__(self, room: int | None, advice: str, *, most: int = MAX_JOINED_PAIRS) -> None:
        """Allow `PAIR_BYTES` per pair; `advice` says what to do if that is too little."""
        self.most = most if room is None else min(most, max(room, LEAST_ROOM) // PAIR_BYTES)
        self._bounded, self._advice = self.most < most, advice
        self._lock, self._found = lock(), 0

    def add(self, count: int) -> None:
        """Add pairs; raise `ParameterError` if there are more than the limit in total."""
        with self._lock:
            self._found += count
            many = self._found > self.most
        if many:
            limit = "the bound allows beside the texts" if self._bounded else "a search may find"
            where = "memory" if self._bounded else "threshold"
            raise ParameterError(
                f"{where}: expected at most {self.most:,} pairs, which {limit}, found more; {self._advice}"
            )


def jaccard(pairs: Pairs, sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return shared / union of each pair, in float64; `sizes` by unit."""
    return pairs.shared / (sizes[pairs.left] + sizes[pairs.right] - pairs.shared)


def similarity(pairs: Pairs, sizes: npt.NDArray[np.int64], metric: Metric) -> npt.NDArray[np.float64]:
    """Return the similarity by `metric` of each pair, in float64; `sizes` by unit."""
    if metric is Metric.EDIT:
        return pairs.shared / np.maximum(sizes[pairs.left], sizes[pairs.right])
    if metric is Metric.CONTAINMENT:
        return pairs.shared / np.minimum(sizes[pairs.left], sizes[pairs.right])
    return jaccard(pairs, sizes)


def evidence_columns(
    shared: npt.NDArray[np.int32], left_size: npt.NDArray[np.int64], right_size: npt.NDArray[np.int64], metric: Metric
) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of a table of pairs that say how similar they are."""
    if metric is Metric.EDIT:
        longer = np.maximum(left_size, right_size)
        return {"distance": longer - shared, "similarity": shared / longer}
    return {
        "left_size": left_size,
        "right_size": right_size,
        "shared": shared.astype(np.int64),
        "jaccard": shared / (left_size + right_size - shared),
        "left_in_right": shared / left_size,
        "right_in_left": shared / right_size,
    }


def verify(
    sets: HashSets,
    candidates: npt.NDArray[np.int64],
    threshold: float,
    threads: int,
    progress: Callable[[int], None] = lambda _: None,
) -> Pairs:
    """Return the candidates (n, 2) that reach the threshold, sorted, with their shared hashes; at 0 all, counted.

    `sets` are those of the units, by their numbers. Cost: linear in the sizes; less for a pair that fails.
    """
    from dedup.kernels import verify as kernels

    def work(part: npt.NDArray[np.int64]) -> Pairs:
        left, right = np.ascontiguousarray(part[:, 0]), np.ascontiguousarray(part[:, 1])
        shared = np.empty(len(part), dtype=np.int64)
        kernels.verify(sets.values, sets.offsets, sets.sizes, left, right, threshold, shared)
        reached = shared >= 0
        return pairs_of(left[reached], right[reached], shared[reached])

    parts = []
    for start, part in enumerate(map_blocks(work, _slices(candidates), threads)):
        parts.append(part)
        progress(min((start + 1) * CANDIDATE_SLICE, len(candidates)))
    return in_order(parts)


def _slices(candidates: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    return [candidates[i : i + CANDIDATE_SLICE] for i in range(0, len(candidates), CANDIDATE_SLICE)]

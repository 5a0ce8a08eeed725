"""Verified pairs: the sets of candidates are brought together and compared, and families are joined in one task each.

Candidates are cut into tasks of about as many pairs. They are ordered by connected component first, so that nearly
every set is sent to one task. A unit with very many partners is sent to several tasks, and so the work is shared.

A family is joined by the join of one machine (`dedup.pairs.self_join`), which knows how to treat a template that occurs
a hundred thousand times. Memory: the sets of the family.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.distributed.candidates.sets import SetBlock, joined_sets
from dedup.distributed.job import Job
from dedup.distributed.transport.keys import Keys, places_of
from dedup.distributed.transport.rows import Row, RowStage, by_part
from dedup.hashing.forms import NUMBERS
from dedup.hashing.units import Units
from dedup.pairs.kept_apart import Apart, count_apart, grouped
from dedup.pairs.self_join import join
from dedup.pairs.verify import PairLimit, Pairs, no_pair, similarity, verify
from dedup.threshold import Metric

__all__ = ["Families", "JoinFamilies", "KeyPairs", "Verify", "apart_in", "tasks_of"]

FEWEST_AT_ONCE = 256
"""Candidates. A task gets at least so many, if there are as many."""

Rows = npt.NDArray[np.int64]


class KeyPairs(NamedTuple):
    """Pairs of units by their keys, with what they share; `apart` are pairs of one group, so none."""

    left: Keys
    right: Keys
    shared: Rows
    apart: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> KeyPairs:
        """Return the pairs of all rows."""
        parts = [cls(*(row[name] for name in cls._fields)) for row in rows]
        nothing = np.empty(0, np.uint64), np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.bool_)
        return cls(*(np.concatenate(columns) for columns in zip(nothing, *parts, strict=True)))

    def take(self, places: npt.NDArray[np.bool_] | Rows) -> KeyPairs:
        """Return some of the pairs."""
        return KeyPairs(self.left[places], self.right[places], self.shared[places], self.apart[places])

    def row(self, part: int) -> Row:
        """Return the pairs as a row."""
        return Row(part, "pairs", 0, self._asdict())


def _key_pairs(found: Pairs, block: SetBlock, job: Job) -> KeyPairs:
    """Return pairs by their keys, without those that are kept apart, unless these may count."""
    left, right = found.left.astype(np.int64), found.right.astype(np.int64)
    apart, groups = no_pair(block.groups, left, right), block.groups
    every = KeyPairs(block.keys[left], block.keys[right], found.shared.astype(np.int64), apart)
    if NUMBERS not in job.distinct:
        return every.take(~apart)
    return every.take(~apart | (groups[0, left] != groups[0, right])) if job.across else every


@dataclass(frozen=True)
class Verify(RowStage):
    """Sets in, pairs that reach the threshold out. Part p has the candidates ``bounds[p]:bounds[p + 1]``."""

    job: Job
    left: Keys
    right: Keys
    bounds: Rows

    def _rows(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Row]:
        threshold = self.job.threshold
        for part, kinds in by_part(batches):
            block = joined_sets(kinds["sets"])
            own = slice(self.bounds[part], self.bounds[part + 1])
            candidates = np.column_stack(
                (places_of(self.left[own], block.keys), places_of(self.right[own], block.keys))
            )
            assert (candidates >= 0).all(), "every candidate was held"
            least = threshold.value if threshold.metric is Metric.JACCARD else 0.0
            found = verify(block.sets(), np.sort(candidates, axis=1), least, 1)
            found = found.take(similarity(found, block.sizes, threshold.metric) >= threshold.value)
            pairs = _key_pairs(found, block, self.job)
            if len(pairs.left):
                yield pairs.row(part)


class Families(NamedTuple):
    """The members of families: keys (ascending), the family of each, its place in the order of ids, its priority (0 is
    kept first), its number of exact copies, and the digest of its tokens (uint64, n x 2).
    """

    keys: Keys
    family: Rows
    place: Rows
    rank: Rows
    copies: Rows
    digests: npt.NDArray[np.uint64]


@dataclass(frozen=True)
class JoinFamilies(RowStage):
    """Sets in, the pairs of each family out, with the keys of the kept units of families that are listed in part.

    Units that were removed into a cluster of more than `large` members are paired with their kept unit only; None: all
    pairs.
    """

    job: Job
    families: Families
    large: int | None
    advice: str = "raise the threshold"

    def _rows(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Row]:
        for part, kinds in by_part(batches):
            every = joined_sets(kinds["sets"])
            families = self.families.family[places_of(every.keys, self.families.keys)]
            for family in np.unique(families).tolist():  # several families may be of one part
                yield from self._joined(part, every.take(np.flatnonzero(families == family)))

    def _joined(self, part: int, block: SetBlock) -> Iterator[Row]:
        places = places_of(block.keys, self.families.keys)
        order = np.argsort(self.families.place[places])
        block, places = block.take(order), places[order]
        count = len(block.keys)
        everyone = np.arange(count, dtype=np.int64)
        joined = join(
            _units(block),
            everyone,
            np.argsort(np.argsort(self.families.rank[places], kind="stable"), kind="stable"),
            self.families.copies[places],
            self.job.threshold,
            large=self.large,
            limit=PairLimit(None, self.advice),
            threads=1,
            groups=block.groups,
        )
        if len(joined.pairs.left):
            yield _key_pairs(joined.pairs, block, self.job).row(part)
        if len(joined.large):
            yield Row(part, "large", 0, {"keys": block.keys[joined.large]})
        if NUMBERS in self.job.distinct:
            labels, numbers = (block.groups[0], block.groups[1]) if self.job.across else (None, block.groups[0])
            own = self.families.digests[places], self.families.copies[places], grouped(numbers, everyone)
            apart = count_apart(block.sets(), numbers, *own, self.job.threshold, most=self.large, labels=labels)
            yield Row(part, "apart", 0, apart._asdict())


def _units(block: SetBlock) -> Units:
    """Return units whose sets are made, as the join takes them."""
    count = len(block.keys)
    offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(block.sizes)))
    places = np.arange(count, dtype=np.int64)[:, np.newaxis]
    digests, filled = np.zeros((count, 2), dtype=np.uint64), np.ones(count, dtype=np.bool_)
    return Units(places, block.values, offsets, digests, block.sizes.copy(), filled)


def apart_in(rows: Iterable[Row]) -> Apart:
    """Return the pairs of all rows that are kept apart."""
    nothing = Apart(np.empty(0, dtype=np.float64), np.empty(0, dtype=np.int64))
    parts = [nothing, *(Apart(row["similarity"], row["pairs"]) for row in rows)]
    return Apart(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def tasks_of(count: int, parts: int) -> Rows:
    """Return the bounds of the tasks for `count` candidates."""
    each = max(FEWEST_AT_ONCE, -(-count // max(parts, 1)))
    return np.append(np.arange(0, count, each, dtype=np.int64), count)

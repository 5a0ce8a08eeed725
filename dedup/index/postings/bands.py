"""An index with ``method="lsh"``: documents are found by the bands of their signatures, and verified.

In naive Python, with `band_keys` as `dedup.lsh` defines them::

    candidates = [document for document in living if any(x == y for x, y in zip(band_keys(text), band_keys(document)))]
    found = [document for document in candidates if jaccard(text, document) >= threshold]

So a document that reaches the threshold is found with a probability of 99.9 % or more, and nothing else is. A document
has a posting for each band in place of one for each of some shingles.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from typing import Protocol

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import HashSets
from dedup.index.log.bits import Bits
from dedup.index.log.rows import MarkedSets, Rows
from dedup.index.postings.segments import hash_numbers
from dedup.index.settings import Settings
from dedup.lsh.bands import Bands, band_keys
from dedup.minhash import permutations, sign
from dedup.pairs.verify import verify

__all__ = ["dense", "keys_of", "new_among", "probe"]

COMPARED_DOCUMENTS = 1 << 12
"""Documents whose sets are in memory at a time."""

MET_ROW_BITS = 31
"""Bits of a row in a number that is a document and a row: both have at most so many."""

Numbers = npt.NDArray[np.int64]


class Searched(Protocol):
    """What is asked of a view of an index (`dedup.index.view`)."""

    settings: Settings
    gone: Bits

    def lookup(self, kind: str, keys: npt.NDArray[np.uint64], *, newest: bool) -> tuple[Numbers, Numbers]:
        """Return places in `keys` and documents that may have that key."""
        ...

    def sets_at(self, numbers: Numbers) -> tuple[Rows, HashSets]:
        """Return the rows and sets of some documents."""
        ...


def keys_of(sets: HashSets, which: Numbers, bands: Bands) -> npt.NDArray[np.uint64]:
    """Return the keys of the bands of some sets that are not empty: those of a set one after the other."""
    some = dense(sets, which)
    offsets = np.append(some.offsets, len(some.values))
    keys = band_keys(sign(some.values, offsets, *permutations(bands.num_perm)), bands).T
    return hash_numbers(np.ascontiguousarray(keys ^ _salts(bands.bands)).ravel().view(np.int64))


@lru_cache(maxsize=8)
def _salts(bands: int) -> npt.NDArray[np.uint64]:
    """Return a number for each band: so bands of one value are not the same."""
    return hash_numbers(np.arange(bands, dtype=np.int64))


def probe(
    view: Searched, texts: MarkedSets, asked: Numbers, threshold: float, *, newest: bool, counted: bool
) -> npt.NDArray[np.int64]:
    """Return the pairs of some sets with documents, as `View.probe` does."""
    bands = view.settings.bands
    assert bands is not None
    asked = asked[texts.sizes[asked] > 0]
    places, numbers = view.lookup("shingles", keys_of(texts.sets, asked, bands), newest=newest)
    if not len(numbers):
        return np.empty((0, 3), dtype=np.int64)
    both = np.unique(numbers << MET_ROW_BITS | asked[places // bands.bands])
    pairs = np.column_stack((both >> MET_ROW_BITS, both & ((1 << MET_ROW_BITS) - 1)))
    pairs = pairs[~view.gone.has(pairs[:, 0])]
    documents, own = np.unique(pairs[:, 0], return_inverse=True)
    parts = [np.empty((0, 3), dtype=np.int64)]
    for start in range(0, len(documents), COMPARED_DOCUMENTS):
        some = documents[start : start + COMPARED_DOCUMENTS]
        part = slice(*np.searchsorted(own, (start, start + len(some))).tolist())
        rows, sets = view.sets_at(some)
        left, right, shared = _verified(texts.sets, sets, pairs[part, 1], own[part] - start, threshold)
        if view.settings.distinct:
            marks, stored = texts.marks[left], rows[right]
            apart = (marks[:, 2] == stored[:, 6]) & (marks[:, :2] != stored[:, 2:4]).any(axis=1)
            shared = np.where(apart, -shared if counted else 0, shared)
            shared[apart & (marks[:, 1] == stored[:, 3])] = 0
            left, right, shared = left[shared != 0], right[shared != 0], shared[shared != 0]
        parts.append(np.column_stack((left, some[right], shared)))
    return np.concatenate(parts)


def new_among(known: Settings, texts: MarkedSets, asked: Numbers) -> Numbers:
    """Return those of some rows (ascending) that reach the threshold with no one of them that is returned before."""
    assert known.bands is not None
    full = asked[texts.sizes[asked] > 0]
    if len(full) < 2:
        return asked
    keys = keys_of(texts.sets, full, known.bands).reshape(-1, known.bands.bands)
    order = np.argsort(keys, axis=None, kind="stable")
    ends = np.flatnonzero(np.diff(keys.ravel()[order])) + 1
    met = {
        (int(left), int(right))
        for group in np.split(order // known.bands.bands, ends)
        if len(group) > 1
        for left, right in combinations(group, 2)
    }
    pairs = np.array(sorted(met), dtype=np.int64).reshape(-1, 2)
    left, right, _ = _verified(texts.sets, texts.sets, full[pairs[:, 0]], full[pairs[:, 1]], known.threshold)
    if known.distinct:
        marks, other = texts.marks[left], texts.marks[right]
        together = (marks[:, 2] != other[:, 2]) | (marks[:, :2] == other[:, :2]).all(axis=1)
        left, right = left[together], right[together]
    seen: set[int] = set()
    for earlier, row in sorted(zip(left.tolist(), right.tolist(), strict=True), key=lambda pair: pair[1]):
        if earlier not in seen:
            seen.add(row)
    return asked[~np.isin(asked, list(seen))]


def _verified(
    texts: HashSets, others: HashSets, left: Numbers, right: Numbers, threshold: float
) -> tuple[Numbers, Numbers, Numbers]:
    """Return the pairs of rows of `texts` with rows of `others` that reach the threshold, and their shared hashes."""
    lefts, here = np.unique(left, return_inverse=True)
    rights, there = np.unique(right, return_inverse=True)
    one, other = dense(texts, lefts), dense(others, rights)
    values = np.concatenate((one.values, other.values))
    offsets = np.concatenate((one.offsets, len(one.values) + other.offsets))
    both = HashSets(values, offsets, np.concatenate((one.sizes, other.sizes)))
    found = verify(both, np.column_stack((here, len(lefts) + there)), threshold, 1)
    return lefts[found.left], rights[found.right - len(lefts)], found.shared.astype(np.int64)


def dense(sets: HashSets, which: Numbers) -> HashSets:
    """Return some sets, one after the other, with nothing between them."""
    sizes = sets.sizes[which]
    if len(which) == 1:
        first = int(sets.offsets[which[0]])
        return HashSets(sets.values[first : first + int(sizes[0])], np.zeros(1, dtype=np.int64), sizes)
    offsets = np.cumsum(sizes) - sizes
    inside = np.arange(int(sizes.sum()), dtype=np.int64) - np.repeat(offsets, sizes)
    return HashSets(sets.values[np.repeat(sets.offsets[which], sizes) + inside], offsets, sizes)

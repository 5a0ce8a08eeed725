"""Sketches: a few units of a collection with their lowest hashes, taken when the collection is read for the first time.

In naive Python, of the units with a token, each once (`digest`), with the definitions of `dedup.kernels.sketches`::

    order = sorted(units, key=lambda unit: (key(unit), unit.digest))
    crowds = groupby(order, key)
    taken = [unit for _, crowd in crowds for unit in islice(crowd, CROWD_TAKEN)][:most]

Near copies have their lowest hash in common, with a probability of their similarity, so they are taken together: of
each unit that is taken most partners are taken too, in a collection of any size. A sample by digest would have few.

What is taken depends on the units alone: not on blocks, threads or their order, nor on how often a unit is seen.
Cost: a comparison a hash, and a copy of the hashes of about ``most * log(units / most)`` units. Sketches are made of
those that remain, once they are asked for; of long units at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hashing.forms import Forms
from dedup.hashing.labels import LABEL
from dedup.runtime.threads import lock

__all__ = ["Sketcher", "Sketches"]

SKETCHED_UNITS = 256
"""Units, at most: few enough to cost little in a search of 20,000 texts."""

SKETCH_HASHES = 32
"""Hashes of a sketch: the standard deviation of a similarity is at most 0.089."""

CROWD_TAKEN = 8
"""Units of one key that are taken. Such units have one lowest hash: many share a formula, and would be most of all."""


LONG_UNIT = 1024
"""Hashes. A longer unit is sketched when it is taken, so that what waits has at most 8 kB a unit."""


class Sketches(NamedTuple):
    """Units that are taken, in the order of their keys.

    Attributes
    ----------
    keys : float64, ascending; see `dedup.kernels.sketches`
    hashes, counts : uint64 (n, SKETCH_HASHES) and int64; of unit i ``hashes[i, : counts[i]]`` are the lowest hashes
    digests, forms : see `dedup.hashing.units.Units`
    sizes : int64; hashes of the unit, repetitions included
    places : int64; the number of its document, the first of exact copies; of those with the lowest label key, if
        labels are compared across
    """

    keys: npt.NDArray[np.float64]
    hashes: npt.NDArray[np.uint64]
    counts: npt.NDArray[np.int64]
    digests: npt.NDArray[np.uint64]
    sizes: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]
    forms: Forms

    def __len__(self) -> int:
        return len(self.keys)


class _Taken(NamedTuple):
    """Units that wait: as `Sketches`, but with all hashes of each unit, or its lowest, in a list of arrays."""

    keys: npt.NDArray[np.float64]
    hashes: list[npt.NDArray[np.uint64]]
    digests: npt.NDArray[np.uint64]
    sizes: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]
    forms: Forms

    def sketched(self) -> Sketches:
        """Return their sketches."""
        counts = np.fromiter(map(len, self.hashes), dtype=np.int64, count=len(self.hashes))
        offsets = np.append(np.int64(0), np.cumsum(counts))
        values = np.concatenate(self.hashes)
        hashes, counts = _lowest_of(values, offsets, np.arange(len(self.keys)))
        return Sketches(self.keys, hashes, counts, self.digests, self.sizes, self.places, self.forms)


class Sketcher:
    """What takes the units of the blocks that it is shown, from several threads and in any order."""

    def __init__(self, most: int = SKETCHED_UNITS) -> None:
        self._most, self._limit, self._lock = most, float("inf"), lock()
        self._waiting: list[_Taken] = []
        self._units = 0
        self.closed = False
        """Set after the first reading: units that are shown later were seen before."""

    @property
    def limit(self) -> float:
        """The highest key that is taken; infinity if no unit was left out, but for those of a crowd."""
        return self._limit

    def see(
        self,
        hashes: npt.NDArray[np.uint64],
        offsets: npt.NDArray[np.int64],
        digests: npt.NDArray[np.uint64],
        documents: npt.NDArray[np.int64],
        forms: Forms,
    ) -> None:
        """Take what is to be taken of a block of units: see `dedup.hashing.units.HashedBlock`."""
        from dedup.kernels import sketches as kernels

        if self.closed:
            return
        keys = np.empty(len(offsets) - 1, dtype=np.float64)
        kernels.lowest_keys(hashes, offsets, keys)
        rows = np.flatnonzero(keys <= self._limit if self._limit < np.inf else keys < np.inf)
        if not len(rows):
            return
        if len(rows) > self._most:
            kept = {name: values[rows] for name, values in forms.items()}
            rows = rows[_first(keys[rows], digests[rows], documents[rows], kept, self._most)]
        sizes = (offsets[1:] - offsets[:-1])[rows]
        long = sizes > LONG_UNIT
        sketches, counts = _lowest_of(hashes, offsets, rows[long])
        lowest = iter([row[:count].copy() for row, count in zip(sketches, counts.tolist(), strict=True)])
        begins, ends = offsets[rows].tolist(), offsets[rows + 1].tolist()
        own = [
            next(lowest) if sketched else hashes[begin:end].copy()
            for begin, end, sketched in zip(begins, ends, long.tolist(), strict=True)
        ]
        kept = {name: values[rows] for name, values in forms.items()}
        self._wait(_Taken(keys[rows], own, digests[rows], sizes, documents[rows], kept))

    def add(self, made: Sketches) -> None:
        """Take what is to be taken of what was taken of some units."""
        own = [row[:count] for row, count in zip(made.hashes, made.counts.tolist(), strict=True)]
        self._wait(_Taken(made.keys, own, made.digests, made.sizes, made.places, made.forms))

    def _wait(self, taken: _Taken) -> None:
        """Add some units to those that wait, and see whether they are too many."""
        with self._lock:
            self._waiting.append(taken)
            self._units += len(taken.keys)
            if self._units >= 2 * self._most:
                self._settle()

    def made(self) -> Sketches | None:
        """Return the units that are taken of all that were seen; None if there was none."""
        with self._lock:
            if self._waiting:
                self._settle()
            return self._waiting[0].sketched() if self._waiting else None

    def _settle(self) -> None:
        """Take the first units of those that wait."""
        parts = self._waiting
        keys, digests, sizes, places = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("keys", "digests", "sizes", "places")
        )
        forms: Forms = {name: np.concatenate([part.forms[name] for part in parts]) for name in parts[0].forms}
        rows = _first(keys, digests, places, forms, self._most)
        every = [hashes for part in parts for hashes in part.hashes]
        own = [every[row] for row in rows.tolist()]
        kept = {name: values[rows] for name, values in forms.items()}
        taken = _Taken(keys[rows], own, digests[rows], sizes[rows], places[rows], kept)
        if len(rows) == self._most:
            self._limit = float(taken.keys[-1])
        self._waiting, self._units = [taken], len(rows)


def _lowest_of(
    hashes: npt.NDArray[np.uint64], offsets: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Return the lowest hashes of some rows, and how many each has."""
    from dedup.kernels.sketches import lowest_hashes_of

    sketches = np.empty((len(rows), SKETCH_HASHES), dtype=np.uint64)
    counts = np.empty(len(rows), dtype=np.int64)
    if len(rows):
        lowest_hashes_of(hashes, offsets, rows, sketches, counts)
    return sketches, counts


def _first(
    keys: npt.NDArray[np.float64],
    digests: npt.NDArray[np.uint64],
    places: npt.NDArray[np.int64],
    forms: Forms,
    most: int,
) -> npt.NDArray[np.int64]:
    """Return which units are taken of some, in the order of their keys."""
    order = np.lexsort((places, forms.get(LABEL, places), digests[:, 1], digests[:, 0], keys))
    same = (digests[order[1:]] == digests[order[:-1]]).all(axis=1)
    order = order[np.append(True, ~same)]
    begins = np.append(True, keys[order[1:]] != keys[order[:-1]])
    behind = np.arange(len(order)) - np.flatnonzero(begins)[np.cumsum(begins) - 1]
    taken: npt.NDArray[np.int64] = order[behind < CROWD_TAKEN][:most]
    return taken

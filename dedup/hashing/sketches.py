"""Sketches: a few units of a collection with their lowest hashes, taken when the collection is read for the first time.

In naive Python, of the units with a token, each once (`digest`), with the definitions of `dedup.kernels.sketches`::

    order = sorted(units, key=lambda unit: (key(unit), unit.digest))
    crowds = groupby(order, key)
    taken = [unit for _, crowd in crowds for unit in islice(crowd, CROWD_TAKEN)][:most]

Near copies have their lowest hash in common, with a probability of their similarity, so they are taken together: of
each unit that is taken most partners are taken too, in a collection of any size. A sample by digest would have few.

What is taken depends on the units alone: not on blocks, threads or their order, nor on how often a unit is seen.
Cost: a comparison a hash; the sketches of about ``most * log(units / most)`` units.
"""

from __future__ import annotations

from typing import Any, NamedTuple

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

    def take(self, rows: npt.NDArray[np.int64]) -> Sketches:
        """Return some of the units."""
        made: list[Any] = [column[rows] for column in self[:-1]]
        made.append({name: values[rows] for name, values in self.forms.items()})
        return Sketches(*made)


class Sketcher:
    """What takes the units of the blocks that it is shown, from several threads and in any order."""

    def __init__(self, most: int = SKETCHED_UNITS) -> None:
        self._most, self._limit, self._lock = most, float("inf"), lock()
        self._waiting: list[Sketches] = []
        self._units = 0
        self.closed = False
        """Set after the first reading: units that are shown later were seen before."""
        self.shown = False
        """Whether any units were shown."""

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
        self.shown = True
        rows = np.empty(len(offsets) - 1, dtype=np.int64)
        keys = np.empty(len(rows), dtype=np.float64)
        sketches = np.empty((len(rows), SKETCH_HASHES), dtype=np.uint64)
        counts = np.empty(len(rows), dtype=np.int64)
        taken = kernels.sketch_lowest(hashes, offsets, self._limit, rows, keys, sketches, counts)
        if not taken:
            return
        rows = rows[:taken]
        kept = {name: values[rows] for name, values in forms.items()}
        sizes = offsets[rows + 1] - offsets[rows]
        own = keys[:taken], sketches[:taken].copy(), counts[:taken], digests[rows], sizes, documents[rows], kept
        self.add(Sketches(*own))

    def add(self, made: Sketches) -> None:
        """Take what is to be taken of what was taken of some units."""
        self.shown = True
        with self._lock:
            self._waiting.append(made)
            self._units += len(made)
            if self._units >= 2 * self._most:
                self._settle()

    def made(self) -> Sketches | None:
        """Return the units that are taken of all that were seen; None if there was none."""
        with self._lock:
            if self._waiting:
                self._settle()
            return self._waiting[0] if self._waiting else None

    def _settle(self) -> None:
        """Take the first units of those that wait."""
        parts = self._waiting
        columns: list[Any] = [np.concatenate(column) for column in zip(*(part[:-1] for part in parts), strict=True)]
        columns.append({name: np.concatenate([part.forms[name] for part in parts]) for name in parts[0].forms})
        every = Sketches(*columns)
        every = every.take(_first(every.keys, every.digests, every.places, every.forms, self._most))
        if len(every) == self._most:
            self._limit = float(every.keys[-1])
        self._waiting, self._units = [every], len(every)


def _first(
    keys: npt.NDArray[np.float64],
    digests: npt.NDArray[np.uint64],
    places: npt.NDArray[np.int64],
    forms: Forms,
    most: int,
) -> npt.NDArray[np.int64]:
    """Return which units are taken of some, in the order of their keys."""
    order = np.argsort(keys, kind="stable")
    if (keys[order[1:]] != keys[order[:-1]]).all():  # no copies and no crowds: nothing else decides
        return order[:most]
    order = np.lexsort((places, forms.get(LABEL, places), digests[:, 1], digests[:, 0], keys))
    same = (digests[order[1:]] == digests[order[:-1]]).all(axis=1)
    order = order[np.append(True, ~same)]
    begins = np.append(True, keys[order[1:]] != keys[order[:-1]])
    behind = np.arange(len(order)) - np.flatnonzero(begins)[np.cumsum(begins) - 1]
    taken: npt.NDArray[np.int64] = order[behind < CROWD_TAKEN][:most]
    return taken

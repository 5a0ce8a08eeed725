"""Where the hashes of a collection come from: a source can be read any number of times, block by block, in order.

Two sources exist: texts that are hashed again each time (here), and shards of files that were read before
(`dedup.hashing.shard_source`). A search uses both in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.hashing.forms import CHARACTERS, NUMBERS
from dedup.hashing.labels import LABEL, NO_LABELS, Labels
from dedup.hashing.shingles import Shingle
from dedup.hashing.sketches import Sketcher
from dedup.hashing.units import Choice, HashRows, Units, hash_texts, read_units, show_units
from dedup.runtime.progress import Progress
from dedup.sources.texts import Texts
from dedup.unit import Unit

__all__ = ["HashSource", "HeldUnits", "TextSource", "TwoSources"]

Result = TypeVar("Result")


class HeldUnits(NamedTuple):
    """Units with their hashes in memory.

    Attributes
    ----------
    units : with the hashes of the chosen units
    rows : int64, ascending; the numbers of these units among all units, None if these are all
    lengths : int64; the characters of each unit, if they are known already
    columns : the other columns that were read with the texts (an Arrow table, a row per unit), if there are any
    hashed : whether hashes are held at all
    """

    units: Units
    rows: npt.NDArray[np.int64] | None = None
    lengths: npt.NDArray[np.int64] | None = None
    columns: Any = None
    hashed: bool = True


class HashSource(Protocol):
    """The hashes of all units of a collection; `unit` is what a unit is, `threads` how many threads read them."""

    unit: Unit
    threads: int

    @property
    def count(self) -> int:
        """Return the number of units, or an estimate."""
        ...

    @property
    def shingles(self) -> int:
        """Return the number of hashes of all units, or an estimate."""
        ...

    @property
    def cheap(self) -> bool:
        """Return whether reading again only reads hashes; if not, texts are hashed again."""
        ...

    def map(self, work: Callable[[HashRows], Result], stage: str) -> Iterator[Result]:
        """Read all units once; yield the result of `work` for each block, in order. Several threads call `work`.

        A result may be a view of the block's memory, which is reused when the next result is requested.
        """
        ...

    def hold(self, chosen: Choice | None = None) -> HeldUnits:
        """Read all units once; return them with the hashes of the `chosen` units, or of all."""
        ...

    def sketched(self, units: Units) -> Sketcher | None:
        """Return what has seen all units, once they were read, if anything has; `units` are those that are held."""
        ...


class TextSource:
    """Texts that are hashed again each time they are read. `shingles` is an estimate of their number of shingles.

    `distinct` are the forms that the search compares. They are hashed when the units are held, and so are those that
    the result will ask for, unless the texts are in memory: then it reads the few that it needs again. `labels` are
    those of the texts. The `sketcher` sees all units in the first reading, unless all hashes are held.
    """

    cheap = False

    def __init__(
        self,
        texts: Texts,
        shingle: Shingle,
        unit: Unit,
        threads: int,
        stages: Progress,
        shingles: int = 0,
        distinct: Sequence[str] = (),
        labels: Labels = NO_LABELS,
        sketcher: Sketcher | None = None,
    ) -> None:
        self._compared = (*distinct, *(() if labels.across is None else (LABEL,)))
        self.forms = tuple(dict.fromkeys((*self._compared, *(() if texts.at_hand else (CHARACTERS, NUMBERS)))))
        self.labels = labels
        self.texts, self.shingle, self.unit, self.threads, self.stages = texts, shingle, unit, threads, stages
        self.shingles, self.sketcher = shingles, sketcher

    @property
    def count(self) -> int:
        """Return the number of texts, as an estimate of the number of units."""
        return len(self.texts)

    def map(self, work: Callable[[HashRows], Result], stage: str) -> Iterator[Result]:
        """Yield the result of `work` for each block of texts, in order."""
        report = self.stages.stage(stage, len(self.texts))
        how: dict[str, Any] = {"unit": self.unit, "threads": self.threads, "labels": self.labels, "progress": report}
        if self.first_reading:
            how |= {"forms": self._compared, "sketcher": self.sketcher}
        for _, made in hash_texts(self.texts, self.shingle, lambda block: work(block.rows), **how):
            yield made
        self.end_reading()

    def hold(self, chosen: Choice | None = None) -> HeldUnits:
        """Return all units, with the hashes of the chosen units."""
        report = self.stages.stage("read", self.texts.about())
        how: dict[str, Any] = {"unit": self.unit, "threads": self.threads, "forms": self.forms, "progress": report}
        if chosen is None:  # all hashes are held until the end: they are sketched then, if that is of use
            return HeldUnits(read_units(self.texts, self.shingle, labels=self.labels, **how))
        how |= {"labels": self.labels, "sketcher": self.sketcher if self.first_reading else None}
        held = read_units(self.texts, self.shingle, choose=chosen, **how)
        self.end_reading()
        return HeldUnits(held)

    def sketched(self, units: Units) -> Sketcher | None:
        """Return the sketcher. If it has seen none of the `units`, the hashes of all are held, and are shown now."""
        if self.sketcher is not None and not self.sketcher.shown:
            show_units(units, self.sketcher)
        return self.sketcher

    @property
    def first_reading(self) -> bool:
        """Return whether the sketcher, if there is one, has not seen the texts."""
        return self.sketcher is not None and not self.sketcher.closed

    def end_reading(self) -> None:
        """Note that all texts were read."""
        if self.sketcher is not None:
            self.sketcher.closed = True


class TwoSources(NamedTuple):
    """Two collections of texts: each by itself, and both as one."""

    left: TextSource
    right: TextSource
    both: TextSource

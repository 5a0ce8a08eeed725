"""Where the hashes of a collection come from: a source is read as often as a search wants, block by block, in order.

Two lie here: texts that are hashed again each time, and, in `dedup.hashing.shard_source`, shards of files that were
read before. What a search does with them is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.hashing.shingles import Shingle
from dedup.hashing.units import Choice, HashRows, Units, hash_texts, read_units
from dedup.runtime.progress import Progress
from dedup.sources.texts import Texts
from dedup.unit import Unit

__all__ = ["HashSource", "HeldUnits", "TextSource", "TwoSources"]

Result = TypeVar("Result")


class HeldUnits(NamedTuple):
    """Units that a source holds.

    Attributes
    ----------
    units : with the hashes of those that were wanted
    rows : int64, ascending; which of all units these are, None for all
    lengths : int64; the characters of each, where they are known already
    columns : the further columns that were read with the texts (an Arrow table, a row a unit), if there are any
    hashed : whether hashes are held at all
    """

    units: Units
    rows: npt.NDArray[np.int64] | None = None
    lengths: npt.NDArray[np.int64] | None = None
    columns: Any = None
    hashed: bool = True


class HashSource(Protocol):
    """The hashes of all units of a collection; `unit` and `threads` say how they are read."""

    unit: Unit
    threads: int

    @property
    def count(self) -> int:
        """Units, or as good a guess as there is."""
        ...

    @property
    def shingles(self) -> int:
        """Hashes of all units together, or as good a guess as there is."""
        ...

    @property
    def cheap(self) -> bool:
        """Whether to read again means to read hashes; else texts are hashed again."""
        ...

    def map(self, work: Callable[[HashRows], Result], stage: str) -> Iterator[Result]:
        """Read everything once; yield what `work` makes of each block, in order. It is called by several threads.

        What is yielded may lie in the memory of the block, which is used again once the next is asked for.
        """
        ...

    def hold(self, chosen: Choice | None = None) -> HeldUnits:
        """Read everything once, and hold the hashes of the units that are `chosen`, or of all."""
        ...


class TextSource:
    """Texts, hashed again each time that they are read; `shingles` is about how many they have."""

    cheap = False

    def __init__(
        self, texts: Texts, shingle: Shingle, unit: Unit, threads: int, stages: Progress, shingles: int = 0
    ) -> None:
        self.texts, self.shingle, self.unit, self.threads, self.stages = texts, shingle, unit, threads, stages
        self.shingles = shingles

    @property
    def count(self) -> int:
        """Texts, of which there are as many units at least."""
        return len(self.texts)

    def map(self, work: Callable[[HashRows], Result], stage: str) -> Iterator[Result]:
        """Yield what `work` makes of each block of texts, in order."""
        report = self.stages.stage(stage, len(self.texts))
        how: dict[str, Any] = {"unit": self.unit, "threads": self.threads, "progress": report}
        for _, made in hash_texts(self.texts, self.shingle, lambda block: work(block.rows), **how):
            yield made

    def hold(self, chosen: Choice | None = None) -> HeldUnits:
        """Return all units, with the hashes of those that are chosen."""
        report = self.stages.stage("read", self.texts.about())
        how: dict[str, Any] = {"unit": self.unit, "threads": self.threads, "progress": report}
        return HeldUnits(read_units(self.texts, self.shingle, choose=chosen, **how))


class TwoSources(NamedTuple):
    """Two collections of texts, alone and one after the other."""

    left: TextSource
    right: TextSource
    both: TextSource

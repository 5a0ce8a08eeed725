"""The options of a search, how much it read, and what it found in addition to the pairs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.clusters.replay import Replay
from dedup.hash_key import PUBLIC
from dedup.lsh import Bands
from dedup.pairs.kept_apart import Apart
from dedup.reading import WORDS, Reading
from dedup.results.listed_pairs import LISTING_LIMITS, ListingLimits
from dedup.threshold import Metric
from dedup.unit import Unit

__all__ = ["Read", "SearchInfo"]


class Read(NamedTuple):
    """How many texts and units were read, how many of each have a token, and how many units are short."""

    texts: int
    units: int
    filled_texts: int
    filled: int
    short: int


@dataclass(frozen=True)
class SearchInfo:
    """The options of a search, and what it found in addition to the pairs."""

    unit: Unit
    method: str
    shingle: str
    threshold: float
    listing: str
    column: str
    metric: Metric
    bands: Bands | None = None
    replay: Replay | None = field(default=None, compare=False)  # for the interval of the recall
    large_buckets: int = 0
    crowded: npt.NDArray[np.int64] | None = None  # the units in large buckets
    closest: tuple[int, int, float] | None = field(default=None, compare=False)  # a hint, not a part of the answer
    missed: tuple[int, float] | None = None  # pairs that stand apart below the threshold, and their similarity
    hash_key: str = "public"  # fingerprint
    distinct: tuple[str, ...] = ()
    within: str | None = None  # the column of the labels, if they are of a column
    across: str | None = None
    removes_all: bool = False  # keep="none"
    min_documents: int = 1
    same: npt.NDArray[np.int64] | None = field(default=None, compare=False)  # see `Evidence.same`
    ignore: tuple[str, ...] = ()
    tokens: str = WORDS
    read: Read | None = None  # if only units in pairs are held; None: those that are held
    units_by_file: npt.NDArray[np.int64] | None = field(default=None, compare=False)  # the same
    apart: Apart | None = None  # the pairs that are none, since they differ in numbers alone
    room: int | None = field(default=None, compare=False)  # bytes for tables under a bound
    limits: ListingLimits = field(default=LISTING_LIMITS, compare=False)
    # see `dedup.pairs.self_join.JoinResult`
    large: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def reading(self) -> Reading:
        """How the texts were read, with the public key."""
        return Reading(PUBLIC, self.ignore, self.tokens)

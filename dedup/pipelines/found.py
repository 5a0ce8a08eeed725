"""What a search found: compact, of the units that were held, as it is committed; and spread over all units.

A unit that was not held reaches the threshold with no other one: it is its own representative, and is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.clusters.replay import Replay
from dedup.clusters.stars import Stars
from dedup.hashing.units import Units
from dedup.lsh import Bands
from dedup.pairs.closest import Closest
from dedup.pairs.kept_apart import Apart
from dedup.pairs.verify import Pairs, moved
from dedup.pipelines.query import Query
from dedup.results.duplicates import Duplicates, SearchInfo
from dedup.results.listed_pairs import LISTING_LIMITS, ListingLimits
from dedup.sampling.missed import Missed
from dedup.sources.texts import Texts

__all__ = ["SearchResult", "duplicates_of"]

Arrays = dict[str, npt.NDArray[Any]]


class SearchResult(NamedTuple):
    """What a search found, per held unit.

    Attributes
    ----------
    units : the units, without their hashes; None if not all were held
    rows : int64, ascending; which of all units were held; None for all
    sizes : int64; distinct hashes of each, -1 if its set was not made
    representatives : int64; see `dedup.clusters.copies.exact_copies`
    rank : int64; 0 is kept first
    pairs, stars : of representatives; see `dedup.clusters.stars.Stars`
    bands, large_buckets, crowded : of the LSH join: the bands, how many buckets were large, the units in them
    closest : a hint (`dedup.pairs.closest`), not a part of the answer
    large : the kept ones of large clusters; see `dedup.pairs.self_join.JoinResult`
    apart : the pairs that are none since they differ in numbers alone; None if nobody asked for it
    replay : how far the estimate of the recall strays
    missed : pairs below the threshold that stand clearly above unrelated ones; None if there are none, or few
    same : int64, if labels are compared across: the representatives of exact copies of any label. Then exact copies of
        one label are no pair
    """

    units: Units | None
    rows: npt.NDArray[np.int64] | None
    sizes: npt.NDArray[np.int64]
    representatives: npt.NDArray[np.int64]
    rank: npt.NDArray[np.int64]
    pairs: Pairs
    stars: Stars
    bands: Bands | None
    large_buckets: int
    crowded: npt.NDArray[np.int64] | None
    closest: Closest | None
    large: npt.NDArray[np.int64]
    apart: Apart | None = None
    replay: Replay | None = None
    same: npt.NDArray[np.int64] | None = None
    missed: Missed | None = None

    @property
    def method(self) -> str:
        """The method by which the pairs were found."""
        return "exact" if self.bands is None else "lsh"

    def spread(self, count: int) -> SearchResult:
        """Return what was found, of all `count` units: a unit that was not held is in no pair."""
        rows = self.rows
        if rows is None or len(rows) == count:
            return self._replace(rows=None)
        sizes = np.full(count, -1, dtype=np.int64)
        sizes[rows] = self.sizes

        def spread_over(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
            every = np.arange(count, dtype=np.int64)
            every[rows] = rows[values]
            return every

        rank = np.zeros(count, dtype=np.int64)
        rank[rows] = self.rank
        star = spread_over(self.stars.star)
        similarity = np.ones(count, dtype=np.float64)
        similarity[rows] = self.stars.similarity
        stars = self.stars._replace(star=star, similarity=similarity, further=moved(self.stars.further, rows))
        return self._replace(
            rows=None,
            sizes=sizes,
            representatives=spread_over(self.representatives),
            rank=rank,
            pairs=moved(self.pairs, rows),
            stars=stars,
            crowded=None if self.crowded is None else rows[self.crowded],
            closest=self.closest and (int(rows[self.closest[0]]), int(rows[self.closest[1]]), self.closest[2]),
            large=rows[self.large],
            same=None if self.same is None else spread_over(self.same),
        )

    def pack(self) -> tuple[Arrays, dict[str, Any]]:
        """Return it as arrays and facts, to be committed."""
        assert self.rows is not None
        arrays: Arrays = {"rows": self.rows, "sizes": self.sizes}
        arrays |= {"representatives": self.representatives, "rank": self.rank}
        arrays |= {f"pairs_{name}": column for name, column in self.pairs._asdict().items()}
        arrays |= {"large": self.large, "star": self.stars.star, "similarity": self.stars.similarity}
        if self.crowded is not None:
            arrays["crowded"] = self.crowded
        if self.same is not None:
            arrays["same"] = self.same
        if self.apart is not None:
            arrays |= {"apart_similarity": self.apart.similarity, "apart_pairs": self.apart.pairs}
        bands = self.bands
        facts = {
            "bands": None if bands is None else [bands.bands, bands.rows],
            "threshold": None if bands is None else [bands.threshold, bands.recall],
            "large_buckets": self.large_buckets,
            "closest": self.closest,
            "missed": self.missed,
            "strays": None if self.replay is None else self.replay.strays,
            "verified": self.stars.verified,
            "overflow": self.stars.overflow,
        }
        return arrays, facts

    @classmethod
    def unpack(cls, arrays: Arrays, facts: dict[str, Any]) -> SearchResult:
        """Return what was committed as arrays and facts."""
        pairs = Pairs(*(arrays[f"pairs_{name}"] for name in Pairs._fields))
        nothing = Pairs(*(column[:0] for column in pairs))
        return cls(
            units=None,
            rows=arrays["rows"],
            sizes=arrays["sizes"],
            representatives=arrays["representatives"],
            rank=arrays["rank"],
            pairs=pairs,
            stars=Stars(arrays["star"], arrays["similarity"], nothing, facts["verified"], facts["overflow"]),
            bands=None if facts["bands"] is None else Bands(*facts["bands"], *facts["threshold"]),
            large_buckets=facts["large_buckets"],
            crowded=arrays.get("crowded"),
            closest=None if facts["closest"] is None else tuple(facts["closest"]),
            large=arrays["large"],
            apart=Apart(arrays["apart_similarity"], arrays["apart_pairs"]) if "apart_pairs" in arrays else None,
            replay=None if facts["strays"] is None else Replay(tuple(facts["strays"])),
            same=arrays.get("same"),
            missed=None if facts["missed"] is None else Missed(*facts["missed"]),
        )


def duplicates_of(
    query: Query,
    texts: Texts,
    units: Units,
    found: SearchResult,
    seconds: Mapping[str, float],
    *,
    room: int | None,
    limits: ListingLimits = LISTING_LIMITS,
) -> Duplicates:
    """Return what was found, of all units, as the caller gets it; `room` is what tables may take under a bound."""
    info = SearchInfo(
        unit=query.unit,
        method=found.method,
        shingle=str(query.shingle),
        threshold=query.threshold.value,
        listing=query.listing,
        column=texts.text_column,
        metric=query.threshold.metric,
        bands=found.bands,
        replay=found.replay,
        large_buckets=found.large_buckets,
        crowded=found.crowded,
        closest=found.closest,
        missed=found.missed,
        large=found.large,
        apart=found.apart,
        distinct=query.distinct,
        within=query.within if isinstance(query.within, str) else None,
        across=query.across if isinstance(query.across, str) else None,
        removes_all=query.removes_all,
        min_documents=query.least_documents,
        same=found.same,
        ignore=query.shingle.reading.ignore,
        tokens=query.shingle.reading.tokens,
        room=room,
        limits=limits,
        hash_key=query.shingle.key.fingerprint,
    )
    return Duplicates(info, texts, units, found.representatives, found.rank, found.pairs, found.stars, seconds)

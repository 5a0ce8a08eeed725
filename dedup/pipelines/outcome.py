"""The outcome of a search over files: compact, of the units that were held, to be committed; and spread over all.

A unit that was not held has no partner: it is its own representative, and is kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.clusters.replay import Replay
from dedup.clusters.stars import Stars
from dedup.hashing.shards import Shards
from dedup.hashing.units import Units, place_columns
from dedup.lsh import Bands
from dedup.pairs.verify import Pairs, moved
from dedup.pipelines.order import Found

__all__ = ["all_units", "from_arrays", "spread", "to_arrays"]


def all_units(shards: Shards, rows: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], *, unit: str) -> Units:
    """Return all units of a corpus, without hashes; `sizes` are of the units in `rows`."""
    count = shards.total("units")
    filled = np.empty(count, dtype=np.bool_)
    places = np.empty((count, place_columns(unit)), dtype=np.int64)
    text = at = 0
    for number in range(len(shards)):
        part = shards.rows(number)
        own = slice(at, at + len(part["sizes"]))
        filled[own] = part["sizes"] > 0
        places[own, 0] = text + np.repeat(np.arange(len(part["counts"]), dtype=np.int64), part["counts"])
        if unit != "document":
            places[own, 1:] = part["places"]
        text += len(part["counts"])
        at = own.stop
    every_size = np.full(count, -1, dtype=np.int64)
    every_size[rows] = sizes
    held = np.zeros(count + 1, dtype=np.int64)
    held[rows + 1] = 1
    held[1:] *= filled
    nothing = np.empty(0, dtype=np.uint64)
    return Units(places, nothing, np.cumsum(held), np.empty(count, dtype=np.uint64), every_size, filled)


def spread(found: Found, rows: npt.NDArray[np.int64], count: int) -> Found:
    """Return what was found among the units in `rows` (ascending), for all units: each of the others stands alone."""
    if len(rows) == count:
        return found
    representatives = np.arange(count, dtype=np.int64)
    representatives[rows] = rows[found.representatives]
    rank = np.zeros(count, dtype=np.int64)
    rank[rows] = found.rank
    star = np.arange(count, dtype=np.int64)
    star[rows] = rows[found.stars.star]
    similarity = np.ones(count, dtype=np.float64)
    similarity[rows] = found.stars.similarity
    stars = found.stars._replace(star=star, similarity=similarity, further=moved(found.stars.further, rows))
    crowded = None if found.crowded is None else rows[found.crowded]
    closest = found.closest and (int(rows[found.closest[0]]), int(rows[found.closest[1]]), found.closest[2])
    return found._replace(
        representatives=representatives,
        rank=rank,
        pairs=moved(found.pairs, rows),
        stars=stars,
        crowded=crowded,
        closest=closest,
        large=rows[found.large],
    )


def to_arrays(
    found: Found, rows: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Return what was found as arrays and facts, to be committed."""
    arrays: dict[str, npt.NDArray[Any]] = {"rows": rows, "sizes": sizes}
    arrays |= {"representatives": found.representatives, "rank": found.rank}
    arrays |= {f"pairs_{name}": column for name, column in found.pairs._asdict().items()}
    arrays |= {"large": found.large, "star": found.stars.star, "similarity": found.stars.similarity}
    if found.crowded is not None:
        arrays["crowded"] = found.crowded
    facts = {
        "bands": None if found.bands is None else [found.bands.bands, found.bands.rows],
        "threshold": None if found.bands is None else [found.bands.threshold, found.bands.recall],
        "large_buckets": found.large_buckets,
        "closest": found.closest,
        "strays": None if found.replay is None else found.replay.strays,
        "verified": found.stars.verified,
        "overflow": found.stars.overflow,
    }
    return arrays, facts


def from_arrays(
    arrays: dict[str, npt.NDArray[Any]], facts: dict[str, Any]
) -> tuple[Found, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return what was committed as arrays and facts."""
    pairs = Pairs(*(arrays[f"pairs_{name}"] for name in Pairs._fields))
    nothing = Pairs(*(column[:0] for column in pairs))
    stars = Stars(arrays["star"], arrays["similarity"], nothing, facts["verified"], facts["overflow"])
    bands = None if facts["bands"] is None else Bands(*facts["bands"], *facts["threshold"])
    closest = None if facts["closest"] is None else tuple(facts["closest"])
    found = Found(
        arrays["representatives"],
        arrays["rank"],
        pairs,
        stars,
        bands,
        facts["large_buckets"],
        arrays.get("crowded"),
        closest,
        arrays["large"],
        None if facts["strays"] is None else Replay(tuple(facts["strays"])),
    )
    return found, arrays["rows"], arrays["sizes"]

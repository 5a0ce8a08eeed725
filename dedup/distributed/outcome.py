"""The outcome: what was found, as the evidence of a search, of which only the linked units are held.

Units are numbered in the order of their documents' ids. All that is told of pairs, clusters and the summary depends on
this order alone, and so is that of a search on one machine over the same texts in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedup.clusters.priority import rank_units
from dedup.clusters.stars import find_stars
from dedup.distributed.job import BY, ID, Engine, Job
from dedup.distributed.order import Found, Linked, join_families
from dedup.distributed.transport.keys import Keys, document_keys, places_of
from dedup.distributed.verified import Families, KeyPairs
from dedup.hashing.forms import FORMS, NUMBERS
from dedup.hashing.units import Units, rank_by_size
from dedup.pairs.kept_apart import Apart
from dedup.pairs.verify import NO_GROUPS, Groups, Pairs, in_order, pairs_of, similarity
from dedup.results.evidence import Evidence
from dedup.results.listed_pairs import LISTING_LIMITS, ListingLimits
from dedup.results.search_info import Read, SearchInfo
from dedup.sources.texts import Block, Texts
from dedup.threshold import Metric

__all__ = ["LinkedTexts", "evidence_of_found"]

Rows = npt.NDArray[np.int64]


class LinkedTexts(Texts):
    """The documents of linked units: their ids, and their texts when they are asked for.

    `fetch` returns the texts of some documents, by their keys, as tables of id and text.
    """

    def __init__(
        self, ids: pa.Array, keys: Keys, column: str, fetch: Callable[[Keys], Iterator[pa.RecordBatch]]
    ) -> None:
        self._ids, self._keys, self.text_column = ids, keys, column
        self._fetch = fetch
        self._texts: dict[Any, str] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def load(self, rows: Rows) -> None:
        """Fetch some texts at once."""
        missing = [row for row in np.unique(rows).tolist() if self.id_of(row) not in self._texts]
        if missing:
            for batch in self._fetch(np.sort(self._keys[missing])):
                self._texts |= dict(zip(*(column.to_pylist() for column in batch.columns), strict=True))

    def __getitem__(self, row: int) -> str:
        self.load(np.array([row]))
        return self._texts[self.id_of(row)]

    def original(self, row: int) -> Any:
        """Return the text of a row."""
        return self[row]

    def loads(self) -> Iterator[Callable[[], Block]]:
        """Yield nothing: the texts are not here."""
        return iter(())

    def id_of(self, row: int) -> int | str:
        """Return the id of a row."""
        return self._ids[row].as_py()  # type: ignore[no-any-return]

    def ids_at(self, rows: Rows) -> pa.Array:
        """Return the ids of some rows as an Arrow array."""
        return self._ids.take(pa.array(rows))


def evidence_of_found(
    engine: Engine,
    found: Found,
    fetch: Callable[[Keys], Iterator[pa.RecordBatch]],
    *,
    keep: str,
    listing: str,
    column: str,
    limits: ListingLimits = LISTING_LIMITS,
) -> Evidence:
    """Return the evidence. `keep` and `listing` are the options `keep` and `pairs`; families are joined by `engine`."""
    job, linked = found.job, found.linked
    place = _Places(linked.keys)
    units = _units(job, linked)
    count = len(units)
    values = linked.table.column(BY) if BY in linked.table.column_names else None
    rank = rank_units(keep, count, lambda: linked.table.column("length").to_numpy(), lambda: values)
    representatives = _representatives(found, place, rank)
    copies = np.bincount(representatives, minlength=count)
    large = limits.big_cluster if listing == "auto" else None
    members = representatives[place.of(found.family)]
    told = members, rank[members], copies[members], units.digests[members]
    joined, crowds, family_apart = join_families(engine, found, Families(found.family, found.family_of, *told), large)
    every = KeyPairs(*(np.concatenate(columns) for columns in zip(found.pairs, joined, strict=True)))
    left, right = representatives[place.of(every.left)], representatives[place.of(every.right)]
    both = in_order([pairs_of(left, right, every.shared).take(~every.apart)])
    groups = _groups(job, linked)
    threshold = job.threshold
    if threshold.metric is Metric.CONTAINMENT:
        rank = rank_by_size(rank, units.sizes)
    everyone = np.arange(count, dtype=np.int64)
    stars = find_stars(
        units.sizes,
        everyone,
        representatives,
        both,
        rank,
        threshold,
        groups=groups[np.newaxis] if len(groups) else NO_GROUPS,
    )
    apart = None
    if NUMBERS in job.distinct:
        none = pairs_of(left, right, every.shared).take(every.apart)
        none = none.take((units.digests[none.left] != units.digests[none.right]).any(axis=1))  # symbols alone
        apart = _apart(none, units.sizes, copies, groups, threshold.metric, large, family_apart)
    texts = _texts(linked, job, column, fetch)
    info = SearchInfo(
        unit=job.unit,
        method="exact",
        shingle=str(job.shingle),
        threshold=threshold.value,
        listing=listing,
        column=column,
        metric=threshold.metric,
        large=representatives[place.of(crowds)],
        hash_key=job.shingle.key.fingerprint,
        distinct=job.distinct,
        read=Read(**found.facts),
        apart=apart,
        limits=limits,
    )
    return Evidence(info, texts, units, representatives, rank, both, stars)


class _Places:
    """The places of units by their keys."""

    def __init__(self, keys: Keys) -> None:
        self._order = np.argsort(keys)
        self._keys = keys[self._order]

    def of(self, keys: Keys) -> Rows:
        """Return the place of each key."""
        return self._order[places_of(keys, self._keys)] if len(keys) else np.empty(0, dtype=np.int64)


def _units(job: Job, linked: Linked) -> Units:
    """Return the linked units, without hashes: each has one, as far as others can see."""
    count = len(linked.table)
    documents = _documents(linked)[0]
    places = documents[:, np.newaxis]
    if not job.unit.whole:
        columns = [linked.table.column(name).to_numpy() for name in ("number", "start", "end")]
        places = np.column_stack((documents, *columns)).astype(np.int64)
    digests = np.column_stack((linked.numbers("low"), linked.numbers("high")))
    forms = {name: linked.numbers(name) for name in FORMS}
    offsets = np.arange(count + 1, dtype=np.int64)
    sizes, filled = linked.numbers("size").view(np.int64), np.ones(count, dtype=np.bool_)
    return Units(places, np.empty(0, dtype=np.uint64), offsets, digests, sizes, filled, 0, forms)


def _documents(linked: Linked) -> tuple[Rows, Rows]:
    """Return the number of each unit's document, in the order of ids, and the first unit of each document."""
    ids = linked.table.column(ID).combine_chunks()
    new = np.ones(len(ids), dtype=np.bool_)
    if len(ids):
        new[1:] = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    return np.cumsum(new) - 1, np.flatnonzero(new)


def _texts(linked: Linked, job: Job, column: str, fetch: Callable[[Keys], Iterator[pa.RecordBatch]]) -> LinkedTexts:
    ids = linked.table.column(ID).combine_chunks().take(pa.array(_documents(linked)[1]))
    return LinkedTexts(ids, document_keys(ids, job.shingle.key, job.seed), column, fetch)


def _representatives(found: Found, place: _Places, rank: Rows) -> Rows:
    """Return, for each unit, the one of its exact copies with the best priority."""
    representatives = np.arange(len(rank), dtype=np.int64)
    members, leaders = place.of(found.copies.keys), place.of(found.copies.leaders)
    order = np.lexsort((rank[members], leaders))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = leaders[order][1:] != leaders[order][:-1]
    best = members[order][first][np.cumsum(first) - 1] if len(order) else order
    representatives[members[order]] = best
    return representatives


def _groups(job: Job, linked: Linked) -> Groups:
    """Return the group of each unit; units of one group are no pair."""
    if not job.distinct:
        return np.empty(0, dtype=np.uint64)
    return linked.numbers(NUMBERS if NUMBERS in job.distinct else "low")


def _apart(
    none: Pairs, sizes: Rows, copies: Rows, groups: Groups, metric: Metric, most: int | None, family: Apart
) -> Apart:
    """Return the pairs that are kept apart: in a group of more than `most`, those with its first unit alone."""
    units = np.unique(np.concatenate((none.left, none.right)))
    values, first, number, count = np.unique(groups[units], return_index=True, return_inverse=True, return_counts=True)
    del values
    own = number.ravel()[np.searchsorted(units, none.left)]
    counted = (
        np.ones(len(own), dtype=np.bool_) if most is None else (count[own] <= most) | (none.left == units[first[own]])
    )
    some = none.take(counted)
    weights = copies[some.left] * copies[some.right]
    mine = Apart(similarity(some, sizes, metric), weights)
    return Apart(*map(np.concatenate, zip(mine, family, strict=True))).merged()  # type: ignore[arg-type]

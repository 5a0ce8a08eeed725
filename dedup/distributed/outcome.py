"""The outcome: what was found, as the evidence of a search, of which only the linked units are held.

Units are numbered in the order of their documents' ids. All that is told of pairs, clusters and the summary depends on
this order alone, and so is that of a search on one machine over the same texts in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedup.clusters.copies import exact_copies
from dedup.clusters.priority import rank_units
from dedup.clusters.stars import find_stars
from dedup.distributed.job import BY, ID, Engine, Job
from dedup.distributed.order import Found, Linked, join_families
from dedup.distributed.transport.keys import Keys, document_keys, places_of
from dedup.distributed.verified import Families, KeyPairs
from dedup.hashing.forms import FORMS, NUMBERS
from dedup.hashing.labels import LABEL
from dedup.hashing.units import Units, rank_by_size
from dedup.pairs.kept_apart import Apart, groups_of, told_apart
from dedup.pairs.verify import Pairs, in_order, pairs_of, similarity
from dedup.results.evidence import Evidence
from dedup.results.search_info import Read, SearchInfo
from dedup.sources.texts import Texts
from dedup.threshold import Metric

__all__ = ["Making", "evidence_of_found", "load_shown"]

Rows = npt.NDArray[np.int64]

Making = Callable[[pa.Array, Keys, pa.Table], Texts]
"""What makes the texts of documents, of their ids, their keys, and what is told of the first linked unit of each."""


def load_shown(evidence: Evidence, units: Iterable[int]) -> None:
    """Fetch the texts of some units at once."""
    places = evidence.units.places[np.array(list(units), dtype=np.int64), 0]
    evidence.texts.load(places)  # type: ignore[attr-defined]


def evidence_of_found(engine: Engine, found: Found, asked: SearchInfo, made: Making) -> Evidence:
    """Return the evidence of a search that `asked`; families are joined by `engine`.

    `made` returns the texts of the documents of linked units, of their ids, their keys, and a row of the table of
    linked units for each.
    """
    job, linked, limits = found.job, found.linked, asked.limits
    place = _Places(linked.keys)
    units = _units(job, linked)
    count = len(units)
    values = linked.table.column(BY) if BY in linked.table.column_names else None
    rank = rank_units(job.keep, count, lambda: linked.table.column("length").to_numpy(), lambda: values)
    representatives = _representatives(found, place, rank)
    copies = np.bincount(representatives, minlength=count)
    large = limits.big_cluster if asked.listing == "auto" else None
    members = representatives[place.of(found.family)]
    told = members, rank[members], copies[members], units.digests[members]
    joined, crowds, family_apart = join_families(engine, found, Families(found.family, found.family_of, *told), large)
    every = KeyPairs(*(np.concatenate(columns) for columns in zip(found.pairs, joined, strict=True)))
    left, right = representatives[place.of(every.left)], representatives[place.of(every.right)]
    both = in_order([pairs_of(left, right, every.shared).take(~every.apart)])
    groups = groups_of(units, job.distinct)
    threshold = job.threshold
    same = exact_copies(told_apart(units, job.distinct), rank, np.arange(count)) if job.across else None
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
        groups=groups,
        copies=same is None,
    )
    apart = None
    if NUMBERS in job.distinct:
        none = pairs_of(left, right, every.shared).take(every.apart)
        none = none.take((units.digests[none.left] != units.digests[none.right]).any(axis=1))  # symbols alone
        apart = _apart(none, units.sizes, copies, units.forms[NUMBERS], threshold.metric, large, family_apart)
    crowded = representatives[place.of(crowds)]
    info = replace(asked, large=crowded, read=Read(**found.facts), apart=apart, same=same)
    return Evidence(info, _texts(found, made), units, representatives, rank, both, stars)


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
    forms = {name: linked.numbers(name) for name in ((*FORMS, LABEL) if job.across else FORMS)}
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


def _texts(found: Found, made: Making) -> Texts:
    """Return the texts of the documents."""
    rows = found.linked.table.take(pa.array(_documents(found.linked)[1]))
    ids = rows.column(ID).combine_chunks()
    return made(ids, document_keys(ids, found.job.shingle.key, found.job.seed), rows)


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


def _apart(
    none: Pairs,
    sizes: Rows,
    copies: Rows,
    groups: npt.NDArray[np.uint64],
    metric: Metric,
    most: int | None,
    family: Apart,
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

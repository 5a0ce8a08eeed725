"""The outcome: what was found, as the evidence of a search, of which only the linked units are held.

Units are numbered in the order of their documents' ids. All that is told of pairs, clusters and the summary depends on
this order alone, and so is that of a search on one machine over the same texts in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedup.clusters.copies import exact_copies
from dedup.clusters.priority import rank_units
from dedup.clusters.stars import find_stars
from dedup.distributed.job import ACROSS, BY, ID, Engine, Job, piece_keys
from dedup.distributed.order import Found, Linked, join_families
from dedup.distributed.transport.keys import Keys, places_of
from dedup.distributed.verified import Families, KeyPairs
from dedup.hashing.forms import FORMS, NUMBERS
from dedup.hashing.labels import LABEL
from dedup.hashing.units import Units, rank_by_size
from dedup.pairs.kept_apart import Apart, groups_of, told_apart
from dedup.pairs.verify import Pairs, in_order, pairs_of, similarity
from dedup.results.evidence import Evidence
from dedup.results.search_info import Read, SearchInfo
from dedup.sampling.missed import missed_pairs
from dedup.sources.texts import Texts
from dedup.threshold import Metric

__all__ = ["Making", "Resolved", "evidence_of_found", "load_shown", "resolve", "sides_of_found"]

Rows = npt.NDArray[np.int64]

Making = Callable[[pa.Array, Keys, pa.Table], Texts]
"""What makes the texts of documents, of their ids, their keys, and what is told of the first linked unit of each."""


def load_shown(evidence: Evidence, units: Iterable[int]) -> None:
    """Fetch the texts of some units at once."""
    places = evidence.units.places[np.array(list(units), dtype=np.int64), 0]
    evidence.texts.load(places)  # type: ignore[attr-defined]


class Resolved(NamedTuple):
    """What was found, by the numbers of linked units.

    Attributes
    ----------
    units : the linked units, without hashes
    rank : the priority of each; 0 is kept first
    representatives : for each unit, the one of its exact copies with the best priority
    pairs : the pairs of representatives
    crowded : the kept units of families that are listed in part
    apart : the pairs that differ in numbers alone, and are none for that; None if nobody asked for it
    """

    units: Units
    rank: Rows
    representatives: Rows
    pairs: Pairs
    crowded: Rows
    apart: Apart | None


def resolve(engine: Engine, found: Found, large: int | None) -> Resolved:
    """Return what was found by numbers; families are joined by `engine`, clusters of more than `large` listed in part.

    For two sides, the units of side 0 come first.
    """
    job, linked = found.job, found.linked
    place = _Places(linked.keys)
    units = _units(job, linked)
    count = len(units)
    values = linked.table.column(BY) if BY in linked.table.column_names else None
    rank = rank_units(job.keep, count, lambda: linked.table.column("length").to_numpy(), lambda: values)
    representatives = _representatives(found, place, rank)
    copies = np.bincount(representatives, minlength=count)
    members = representatives[place.of(found.family)]
    told = members, rank[members], copies[members], units.digests[members]
    joined, crowds, family_apart = join_families(engine, found, Families(found.family, found.family_of, *told), large)
    every = KeyPairs(*(np.concatenate(columns) for columns in zip(found.pairs, joined, strict=True)))
    left, right = representatives[place.of(every.left)], representatives[place.of(every.right)]
    both = in_order([pairs_of(left, right, every.shared).take(~every.apart)])
    apart = None
    if NUMBERS in job.distinct:
        none = pairs_of(left, right, every.shared).take(every.apart)
        none = none.take((units.digests[none.left] != units.digests[none.right]).any(axis=1))  # symbols alone
        apart = _apart(none, units.sizes, copies, units.forms[NUMBERS], job.threshold.metric, large, family_apart)
    return Resolved(units, rank, representatives, both, representatives[place.of(crowds)], apart)


def evidence_of_found(engine: Engine, found: Found, asked: SearchInfo, made: Making) -> Evidence:
    """Return the evidence of a search that `asked`; families are joined by `engine`.

    `made` returns the texts of the documents of linked units, of their ids, their keys, and a row of the table of
    linked units for each.
    """
    job, limits = found.job, asked.limits
    resolved = resolve(engine, found, limits.big_cluster if asked.listing == "auto" else None)
    units, rank, representatives, pairs = resolved[:4]
    everyone = np.arange(len(units), dtype=np.int64)
    same = exact_copies(told_apart(units, job.distinct), rank, everyone) if job.across else None
    if job.threshold.metric is Metric.CONTAINMENT:
        rank = rank_by_size(rank, units.sizes)
    given = (units.sizes, representatives, pairs, rank, job.threshold)
    stars = find_stars(*given, groups=groups_of(units, job.distinct), copies=same is None)
    read = Read(**found.facts)
    missed = missed_pairs(lambda: found.sketcher, read.units, job.threshold, len(pairs.left), job.distinct)
    info = replace(asked, large=resolved.crowded, read=read, apart=resolved.apart, same=same, missed=missed)
    rows = found.linked.table.take(pa.array(documents_in(found.linked)[1]))
    return Evidence(info, _texts(found, rows, made), units, representatives, rank, pairs, stars)


def sides_of_found(found: Found, made: Making) -> tuple[Texts, Texts]:
    """Return the texts of the documents of linked units of side 0, and those of side 1."""
    rows = found.linked.table.take(pa.array(documents_in(found.linked)[1]))
    sides = rows.column(ACROSS)
    return _texts(found, rows.filter(pc.equal(sides, 0)), made), _texts(found, rows.filter(pc.equal(sides, 1)), made)


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
    documents = documents_in(linked)[0]
    places = documents[:, np.newaxis]
    if not job.unit.whole:
        columns = [linked.table.column(name).to_numpy() for name in ("number", "start", "end")]
        places = np.column_stack((documents, *columns)).astype(np.int64)
    digests = np.column_stack((linked.numbers("low"), linked.numbers("high")))
    forms = {name: linked.numbers(name) for name in ((*FORMS, LABEL) if job.across else FORMS)}
    offsets = np.arange(count + 1, dtype=np.int64)
    sizes, filled = linked.numbers("size").view(np.int64), np.ones(count, dtype=np.bool_)
    return Units(places, np.empty(0, dtype=np.uint64), offsets, digests, sizes, filled, 0, forms)


def documents_in(linked: Linked) -> tuple[Rows, Rows]:
    """Return the number of each unit's document, in the order of ids, and the first unit of each document."""
    table = linked.table
    new = np.zeros(len(table), dtype=np.bool_)
    new[:1] = True
    for name in (ID, ACROSS):
        if len(table) and name in table.column_names:
            column = table.column(name).combine_chunks()
            new[1:] |= pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
    return np.cumsum(new) - 1, np.flatnonzero(new)


def _texts(found: Found, rows: pa.Table, made: Making) -> Texts:
    """Return the texts of documents, of a row for each."""
    some = rows.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], schema=rows.schema)]
    return made(some[0].column(ID), piece_keys(some[0], found.job), rows)


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

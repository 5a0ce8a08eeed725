"""The order of the stages of a search for duplicates: the one place that knows it, for texts, files, and blocks.

read and filter -> exact copies -> compare -> stars -> closest pair                              (`find`)
read and filter -> exact copies of each side -> compare across -> closest pair             (`match`)

* **Read and filter.** If all hashes fit into memory, they are held. Otherwise passes over the source find the
  candidates: units that may reach the threshold with another unit. Then only the hashes of candidates are held, or
  none, if these do not fit either.
* **Exact copies** collapse: one of them is compared for all.
* **Compare.** The exact join, LSH, or the join by edit distance; the block join if no hashes are held.
* **Stars.** The kept unit of each removed unit.
* **Closest pair.** A hint, if no pair reached the threshold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.clusters.copies import copies_of_sides, exact_copies
from dedup.clusters.replay import Replay, replay
from dedup.clusters.stars import find_stars
from dedup.edit.join import edit_join, edits_of
from dedup.hashing.forms import NUMBERS
from dedup.hashing.labels import LABEL
from dedup.hashing.shard_source import ShardSource
from dedup.hashing.source import HashSource, HeldUnits, TwoSources
from dedup.hashing.units import Units, rank_by_size
from dedup.lsh import Bands, Buckets
from dedup.lsh.join import LSH_LIMITS, LshLimits, lsh_join
from dedup.pairs import kept_apart
from dedup.pairs.block_join import join_blocks
from dedup.pairs.closest import Closest, closest_across, closest_among, closest_of
from dedup.pairs.compact_filter import FILTER_LIMITS, FilterLimits, hold_candidates, pays
from dedup.pairs.cross_join import join_across
from dedup.pairs.filter_passes import filter_across, filter_passes
from dedup.pairs.self_join import JOIN_LIMITS, JoinLimits, join
from dedup.pairs.verify import MAX_JOINED_PAIRS, Groups, PairLimit, Pairs, in_order
from dedup.pipelines.checkpoints import Run, pack_rows, unpack_rows
from dedup.pipelines.found import SearchResult
from dedup.pipelines.memory import SHINGLE_BYTES, FilePlan, Plan, TextPlan, room_for_edits
from dedup.pipelines.query import Query
from dedup.results.listed_pairs import LISTING_LIMITS, ListingLimits
from dedup.runtime.arrays import sorted_unique
from dedup.sampling.missed import Missed, missed_of
from dedup.threshold import Metric, Threshold

__all__ = ["LIMITS", "Limits", "find", "match"]

Rows = npt.NDArray[np.int64]

MARK_STEP, FIND_STEP = "marks", "found"
"""The steps that are committed: which units are candidates, and what was found."""

ADVICE = 'give more memory, raise the threshold, or leave out pairs="all", where it was asked for'
"""What to do if there are more pairs than fit."""


@dataclass(frozen=True)
class Limits:
    """The limits of all stages. Every search has the defaults; tests hand in small ones.

    Each stage gets its own as an argument. `pairs` is how many a search without a bound may find.
    """

    filter: FilterLimits = FILTER_LIMITS
    join: JoinLimits = JOIN_LIMITS
    lsh: LshLimits = LSH_LIMITS
    listing: ListingLimits = LISTING_LIMITS
    pairs: int = MAX_JOINED_PAIRS


LIMITS = Limits()


def find(
    source: HashSource,
    query: Query,
    plan: Plan,
    run: Run,
    rank_of: Callable[[HeldUnits], Rows],
    *,
    limits: Limits = LIMITS,
) -> SearchResult:
    """Find the pairs and the stars of a source's units; `rank_of` returns the priority of units, 0 is kept first.

    Raises `ParameterError` if the memory of the `plan` is too small for the candidates, or for the pairs.
    """

    def make() -> SearchResult:
        return _find(source, query, plan, run, rank_of, limits)

    return run.step(FIND_STEP, make, SearchResult.pack, SearchResult.unpack)


def _find(
    source: HashSource, query: Query, plan: Plan, run: Run, rank_of: Callable[[HeldUnits], Rows], limits: Limits
) -> SearchResult:
    held = _hold(source, query, plan, run, limits.filter)
    units = held.units
    run.stages.stage("exact copies", 1)
    rank = rank_of(held)
    among = units.held if held.hashed else units.full
    groups = kept_apart.groups_of(units, query.distinct)
    digests = kept_apart.told_apart(units, query.distinct)
    representatives = exact_copies(kept_apart.by_label(units, digests), rank, among)
    same = exact_copies(digests, rank, among) if LABEL in units.forms else None
    leaders = _Leaders(representatives, among, rank, groups)
    compared = _compare(source, held, leaders, query, plan, run, limits)
    if query.threshold.metric is Metric.CONTAINMENT:
        rank = rank_by_size(rank, units.sizes)
    run.stages.stage("clusters", 1)
    given = (units.sizes, representatives, compared.pairs, rank, query.threshold)
    stars = find_stars(*given, compared.buckets, units.sets, groups, copies=same is None)
    pairs = in_order([compared.pairs, stars.further]) if len(stars.further.left) else compared.pairs
    closest = None
    by_sets = query.threshold.metric is not Metric.EDIT
    if by_sets and not len(pairs.left) and held.hashed and (same is not None or not len(leaders.copied)):
        run.stages.stage("closest pair", 1)
        closest = _closest(units, leaders, compared.buckets, query, plan.room_for(len(units), source.count), run)
    crowded = None if (buckets := compared.buckets) is None else sorted_unique(buckets.members)
    found = SearchResult(
        units=units if held.rows is None else None,
        rows=held.rows,
        sizes=units.sizes,
        representatives=representatives,
        rank=rank,
        pairs=pairs,
        stars=stars,
        bands=compared.bands,
        large_buckets=0 if buckets is None else len(buckets),
        crowded=crowded,
        closest=closest,
        missed=missed_of(source, held, query.threshold, len(pairs.left), query.distinct, query.shingle.key),
        large=compared.large,
        apart=_apart(source, held, leaders, query, plan, run, limits.listing.big_cluster),
        replay=_replay(units, pairs, compared.bands, crowded, query.seed, run),
        same=same,
    )
    units.hashes = np.empty(0, dtype=np.uint64)
    return found


# read and filter


def _hold(source: HashSource, query: Query, plan: Plan, run: Run, limits: FilterLimits) -> HeldUnits:
    """Return the units with the hashes of all, of the candidates only, or of none, if these do not fit."""
    if query.threshold.metric is Metric.EDIT:
        room_for_edits(plan, source.count, source.shingles)
        return source.hold()
    if not isinstance(source, ShardSource):
        if plan.holds_all(source) and pays(source, query.threshold, limits=limits):
            return hold_candidates(source, query.threshold, limits=limits)
        if plan.holds_all(source):
            return source.hold()
        assert isinstance(plan, TextPlan)
        return source.hold(plan.watched(filter_passes(source, query.threshold, room=plan.table(source))))
    # bands are chosen for the units that are held: which these are must not depend on the bound
    if query.method != "lsh" and plan.holds_all(source):
        return source.hold()
    assert isinstance(plan, FilePlan)

    def filtered() -> npt.NDArray[np.bool_]:
        # all hashes, not a sample: half as many units of short texts are candidates then, and these must be held
        candidates = filter_passes(source, query.threshold, room=plan.table(source), complete=True)
        return candidates.all(source.sizes())

    chosen = run.step(MARK_STEP, filtered, pack_rows, unpack_rows)
    units, shingles = int(chosen.sum()), int(source.shingles_of(chosen).sum())
    at_once = query.method == "lsh" or plan.fits(units, shingles, source.count)
    needed = shingles if at_once else min(plan.block(source, units), shingles)
    plan.check_join(source, units, needed, bands=query.method == "lsh")
    return source.hold_rows(chosen, hashes=at_once)


# compare


class _Leaders(NamedTuple):
    """The units that are compared: one of all exact copies."""

    representatives: Rows
    among: Rows
    rank: Rows
    groups: Groups

    @property
    def leading(self) -> Rows:
        """The units that lead their copies."""
        leading: Rows = self.among[self.representatives[self.among] == self.among]
        return leading

    @property
    def copied(self) -> Rows:
        """The units of which there are copies."""
        copies = self.representatives != np.arange(len(self.representatives))
        return sorted_unique(self.representatives[copies])


class _Compared(NamedTuple):
    """Pairs that reach the threshold, by what they were found, and the kept ones of large clusters."""

    pairs: Pairs
    large: Rows
    bands: Bands | None = None
    buckets: Buckets | None = None


def _compare(
    source: HashSource, held: HeldUnits, leaders: _Leaders, query: Query, plan: Plan, run: Run, limits: Limits
) -> _Compared:
    """Return the pairs that reach the threshold; the sets of copied units are made in any case."""
    units, threads, nothing = held.units, run.threads, np.empty(0, dtype=np.int64)
    if not held.hashed:
        return _Compared(_join_blocks(source, held, leaders, query, plan, limits), nothing)
    leading, found = leaders.leading, None
    if query.threshold.metric is Metric.EDIT:
        limit = PairLimit(room_for_edits(plan, len(units), len(units.hashes)), ADVICE, most=limits.pairs)
        how: Any = {"threads": threads, "groups": leaders.groups, "progress": run.stages.stage("join", len(leading))}
        return _Compared(edit_join(units, leading, query.threshold, limit=limit, **how), nothing)
    if query.method == "lsh":
        found = lsh_join(
            units,
            leading,
            query.threshold.value,
            recall=query.recall,
            seed=query.seed,
            threads=threads,
            stages=run.stages,
            groups=leaders.groups,
            limits=limits.lsh,
        )
    if found is not None:
        compared = _Compared(found.pairs, nothing, found.bands, found.buckets)
    else:  # asked for, or cheaper than to look at all that collides: it finds these pairs too
        room = plan.room_for(len(units), source.count)
        room_for_pairs = None if room is None else room - SHINGLE_BYTES * len(units.hashes)
        joined = join(
            units,
            leading,
            leaders.rank,
            np.bincount(leaders.representatives, minlength=len(units)),
            query.threshold,
            large=limits.listing.big_cluster if query.listing == "auto" else None,
            limit=PairLimit(room_for_pairs, ADVICE, most=limits.pairs),
            threads=threads,
            groups=leaders.groups,
            progress=run.stages.stage("join", len(leading)),
            limits=limits.join,
        )
        compared = _Compared(joined.pairs, joined.large)
    units.prepare(leaders.copied, threads)
    return compared


def _join_blocks(
    source: HashSource, held: HeldUnits, leaders: _Leaders, query: Query, plan: Plan, limits: Limits
) -> Pairs:
    """Return the pairs of units of which no hashes are held, block by block; writes the sizes of their sets."""
    assert isinstance(source, ShardSource)
    assert isinstance(plan, FilePlan)
    assert held.rows is not None
    masks = np.zeros((2, len(held.rows)), dtype=np.bool_)
    masks[0, leaders.leading] = masks[1, leaders.copied] = True
    shingles = plan.block(source, len(held.rows))
    limit = PairLimit(plan.block_pairs(len(held.rows), source.count), ADVICE, most=limits.pairs)
    how: Any = {"shingles": shingles, "limit": limit, "limits": limits.join, "groups": leaders.groups}
    pairs, sizes = join_blocks(source, held.rows, masks[0], masks[1], query.threshold, **how)
    held.units.sizes = sizes
    return pairs


# what is no pair, however similar


def _apart(
    source: HashSource, held: HeldUnits, leaders: _Leaders, query: Query, plan: Plan, run: Run, most: int
) -> kept_apart.Apart | None:
    """Return the pairs that differ in numbers alone, and are none for that; None if nobody asked for it."""
    if NUMBERS not in query.distinct:
        return None
    units, leading = held.units, leaders.leading
    groups, labels = units.forms[NUMBERS], units.forms.get(LABEL)
    counts = np.bincount(leaders.representatives, minlength=len(units))
    how: Any = {"most": most if query.listing == "auto" else None, "labels": labels, "threads": run.threads}
    if query.threshold.metric is Metric.EDIT:
        how["compare"] = lambda some: edits_of(units, some, run.threads)
    if held.hashed:
        rows = kept_apart.grouped(groups, leading[units.sizes[leading] >= 0])
        return kept_apart.count_apart(units.sets, groups, units.digests, counts, rows, query.threshold, **how)
    assert isinstance(source, ShardSource)
    assert isinstance(plan, FilePlan)
    assert held.rows is not None
    how["shingles"] = plan.block(source, len(held.rows))
    return kept_apart.count_in_blocks(
        source, held.rows, groups, counts, kept_apart.grouped(groups, leading), query.threshold, **how
    )


# what is reported in addition to the answer


def _closest(
    units: Units, leaders: _Leaders, buckets: Buckets | None, query: Query, room: int | None, run: Run
) -> Closest | None:
    """Return the closest pair, if the held hashes show it."""
    if buckets is not None:
        return closest_of(units, buckets.pairs, query.threshold.metric, run.threads)
    how: dict[str, Any] = {"room": room, "threads": run.threads, "groups": leaders.groups}
    return closest_among(units, leaders.among, query.threshold, **how)


def _replay(
    units: Units, pairs: Pairs, bands: Bands | None, crowded: Rows | None, seed: int, run: Run
) -> Replay | None:
    """Return how far the estimated recall of LSH strays, by the pairs in which no large bucket had a part."""
    if bands is None or crowded is None:
        return None
    if len(crowded):
        pairs = pairs.take(~(np.isin(pairs.left, crowded) | np.isin(pairs.right, crowded)))
    return replay(units, pairs, bands, seed, run.threads)


# across two sides


class MatchResult(NamedTuple):
    """What was found across two sides: their units without hashes, the first of all copies of each, and the pairs."""

    units: Units
    representatives: Rows
    pairs: Pairs
    closest: Closest | None
    apart: kept_apart.Apart | None
    missed: Missed | None


def match(sides: TwoSources, query: Query, plan: Plan, run: Run, *, limits: Limits = LIMITS) -> MatchResult:
    """Find the pairs of a left with a right unit.

    Raises `ParameterError` if the memory of the `plan` is too small for the candidates, or for the pairs.
    """
    threshold = query.threshold
    edit = threshold.metric is Metric.EDIT
    units = sides.both.hold().units if edit else _hold_sides(sides, threshold, plan)
    run.stages.stage("exact copies", 1)
    lefts = int(np.searchsorted(units.places[:, 0], sides.left.count))
    groups = kept_apart.groups_of(units, query.distinct)
    digests = kept_apart.told_apart(units, query.distinct)
    representatives = copies_of_sides(digests, units.held, lefts)
    leading = units.held[representatives[units.held] == units.held]
    left, right = np.split(leading, [middle := int(np.searchsorted(leading, lefts))])
    room = room_for_edits(plan, len(units), len(units.hashes)) if edit else plan.room_for(len(units), len(units))
    room_for_pairs = None if room is None else room - SIDE_BYTES * len(units.hashes) * (not edit)
    limit = PairLimit(room_for_pairs, ADVICE_ACROSS, most=limits.pairs)
    report = run.stages.stage("join", len(leading) if edit else middle)
    how: dict[str, Any] = {"threads": run.threads, "groups": groups}
    if edit:
        pairs = edit_join(units, leading, threshold, limit=limit, lefts=lefts, progress=report, **how)
    else:
        pairs = join_across(units, left, right, threshold, limit=limit, progress=report, **how)
    if len(groups):  # copies across the sides are of one group too, but are pairs
        pairs = in_order([pairs, kept_apart.copies_across(units, digests, left, right, run.threads)])
    closest = None
    if not len(pairs.left) and not edit:
        run.stages.stage("closest pair", 1)
        closest = closest_across(units, left, right, threshold, room=room, **how)
    apart = None
    if NUMBERS in query.distinct:
        counts = np.bincount(representatives, minlength=len(units))
        rows = kept_apart.grouped(groups[0], leading[units.sizes[leading] >= 0])
        given = (units.sets, groups[0], units.digests, counts, rows, threshold)
        compare = (lambda some: edits_of(units, some, run.threads)) if edit else None
        most = limits.listing.big_cluster
        apart = kept_apart.count_apart(*given, most=most, lefts=lefts, threads=run.threads, compare=compare)
    told = threshold, len(pairs.left), query.distinct, query.shingle.key, (sides.left.count, lefts)
    missed = missed_of(sides.both, HeldUnits(units), *told)
    units.hashes = np.empty(0, dtype=np.uint64)
    return MatchResult(units, representatives, pairs, closest, apart, missed)


SIDE_BYTES = 40
"""Bytes of a held shingle while two sides are joined, at most."""

ADVICE_ACROSS = "thin out one side with find_duplicates first, raise the threshold, or give more memory"
"""What to do if there are more pairs than fit."""


def _hold_sides(sides: TwoSources, threshold: Threshold, plan: Plan) -> Units:
    """Return the units of both sides with the hashes of all, or of the candidates only."""
    if plan.holds_all(sides.both):
        return sides.both.hold().units
    assert isinstance(plan, TextPlan)
    candidates = filter_across(sides.left, sides.right, threshold, room=plan.table(sides.both) // 2)
    return sides.both.hold(plan.watched_across(candidates, SIDE_BYTES)).units

"""The block join: all pairs of units whose hashes do not fit into memory together (a block nested loop).

The units are cut, in input order, into groups of which two fit at a time. Each group is joined with itself
(`dedup.pairs.self_join`). Then the units of all later groups are read past it: those that may match one of the group
(`dedup.pairs.seen_across.HeldSide`) are held and joined with those of the group that may match one of them
(`dedup.pairs.cross_join`). Every two units meet once, so all pairs are found. In naive Python::

    for number, group in enumerate(groups):
        pairs += join(group)
        partners = [unit for later in groups[number + 1:] for unit in later if may_match(unit, group)]
        pairs += join_across([unit for unit in group if may_match(unit, partners)], partners)

Versions of a text are mostly near each other, and few units have partners in other groups: then a group costs little
more than to read what comes after it. With g groups the hashes are read about g / 2 times. In addition to two groups,
100 bytes per unit are held, and the pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.hashing.shard_source import ShardSource
from dedup.hashing.units import HashRows, Units
from dedup.pairs.cross_join import join_across
from dedup.pairs.seen_across import HeldSide
from dedup.pairs.self_join import JOIN_LIMITS, JoinLimits, join
from dedup.pairs.verify import NO_GROUPS, Groups, PairLimit, Pairs, columns_of, in_order, moved
from dedup.runtime.arrays import portions
from dedup.runtime.buffers import give_back
from dedup.runtime.threads import map_blocks
from dedup.threshold import Threshold

__all__ = ["join_blocks"]


def join_blocks(
    source: ShardSource,
    rows: npt.NDArray[np.int64],
    leading: npt.NDArray[np.bool_],
    prepared: npt.NDArray[np.bool_],
    threshold: Threshold,
    *,
    shingles: int,
    limit: PairLimit,
    groups: Groups = NO_GROUPS,
    limits: JoinLimits = JOIN_LIMITS,
) -> tuple[Pairs, npt.NDArray[np.int64]]:
    """Return all pairs of the `leading` of `rows`, and the sizes of the sets that were made (int64, else -1).

    Parameters
    ----------
    rows : ascending; which of the source's units take part
    leading : a bool per row; the rows that are compared
    prepared : a bool per row; rows among these whose sets are made even if they are in no pair
    shingles : how many two groups may have together; a group has one shard at least
    limit : counts the pairs, and raises if there are too many
    groups : by place in `rows`; which rows are no pair

    Pairs and sizes are by place in `rows`.
    """
    sizes = np.full(len(rows), -1, dtype=np.int64)
    parts: list[Pairs] = []
    chosen = np.zeros(source.count, dtype=np.bool_)
    chosen[rows[leading]] = True
    everything = source.shingles_of(chosen)
    blocks = _blocks(everything, shingles // 2)
    how: Any = {"limit": limit, "threads": source.threads}
    for number, block in enumerate(blocks):
        held = source.hold_rows(chosen, numbers=block)
        assert held.rows is not None
        places = np.searchsorted(rows, held.rows)
        units, everyone = held.units, np.arange(len(places), dtype=np.int64)
        source.stages.stage("join", 1)
        ones = np.ones(len(places), dtype=np.int64)
        own: Any = {"large": None, "limits": limits, "groups": columns_of(groups, places)}
        joined = join(units, everyone, everyone, ones, threshold, **own, **how)
        units.prepare(np.flatnonzero(prepared[places]), source.threads)
        parts.append(moved(joined.pairs, places))
        del held, joined
        give_back()
        later = [shard for other in blocks[number + 1 :] for shard in other]
        if later:
            units.prepare(everyone, source.threads)
        sizes[places] = np.maximum(sizes[places], units.sizes)
        if later:
            side = HeldSide(units.sets, threshold, source.threads)
            for shards, partners in _partners(source, side, chosen, later, shingles // 5):
                found = _across(source, units, places, rows, shards, partners, threshold, groups, sizes, how)
                parts.append(found)
                give_back()
            del side
        del units  # before the next group is read
        give_back()
    return in_order(parts), sizes


def _partners(
    source: ShardSource, side: HeldSide, chosen: npt.NDArray[np.bool_], shards: list[int], most: int
) -> Iterator[tuple[list[int], npt.NDArray[np.bool_]]]:
    """Yield the chosen units of some shards that may match the held side, as a bool per unit, with their shards.

    They come in parts of about `most` shingles, one shard at least.
    """

    def look(first: int, rows: HashRows) -> tuple[npt.NDArray[np.bool_], int]:
        kept = side.may_match(rows, chosen[first : first + len(rows.sizes)])
        return kept, int(rows.sizes[kept].sum())

    kept = np.zeros(len(chosen), dtype=np.bool_)
    units = np.cumsum([0, *(facts.units for facts in source.shards.facts)])
    counts = []
    for shard, (own, count) in zip(shards, source.each(look, "hold", shards), strict=True):
        kept[units[shard] : units[shard + 1]] = own
        counts.append(count)
    for part in _blocks(np.array(counts, dtype=np.int64), most):
        some = [shards[place] for place in part if counts[place]]
        if some:
            yield some, kept


def _across(
    source: ShardSource,
    units: Units,
    places: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    shards: list[int],
    partners: npt.NDArray[np.bool_],
    threshold: Threshold,
    groups: Groups,
    sizes: npt.NDArray[np.int64],
    how: dict[str, Any],
) -> Pairs:
    """Return the pairs of a group, whose sets are made, with the `partners` in some shards; write their `sizes`."""
    held = source.hold_rows(partners, numbers=shards)
    assert held.rows is not None
    others, threads = held.units, source.threads
    source.stages.stage("join", 1)
    others.prepare(np.arange(len(others), dtype=np.int64), threads)
    spots = np.searchsorted(rows, held.rows)
    sizes[spots] = others.sizes
    other_side = HeldSide(others.sets, threshold, threads)
    parts = portions(units.sizes)

    def look(part: slice) -> npt.NDArray[np.int64]:
        own = np.arange(part.start, part.stop, dtype=np.int64)
        ends = units.offsets[own] + units.sizes[own]
        # a set ends before the next one begins: what is between them is another row, that nobody asks for
        bounds = np.column_stack((units.offsets[own], ends)).ravel()
        asked = np.zeros(2 * len(own), dtype=np.bool_)
        asked[::2] = True
        kept = other_side.may_match(HashRows(units.hashes, np.append(bounds, bounds[-1])), asked)
        return own[kept[::2]]

    own = np.concatenate([np.empty(0, dtype=np.int64), *map_blocks(look, parts, threads)])
    both = _put_together(units, own, others)
    everyone = np.arange(len(both), dtype=np.int64)
    where = np.concatenate((places[own], spots))
    across = {"groups": columns_of(groups, where), **how}
    found = join_across(both, everyone[: len(own)], everyone[len(own) :], threshold, **across)
    return moved(found, where)


def _put_together(units: Units, own: npt.NDArray[np.int64], others: Units) -> Units:
    """Return the sets of some units and of all others, as units."""
    lengths = np.concatenate((units.sizes[own], others.sizes))
    offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(lengths)))
    values = np.empty(int(offsets[-1]), dtype=np.uint64)
    starts = np.concatenate((units.offsets[own], others.offsets[:-1])).tolist()
    for row, (first, size, at) in enumerate(zip(starts, lengths.tolist(), offsets.tolist(), strict=False)):
        side = units if row < len(own) else others
        values[at : at + size] = side.hashes[first : first + size]
    count = len(lengths)
    nothing = np.empty((count, 0), dtype=np.int64)
    return Units(nothing, values, offsets, np.empty((count, 2), np.uint64), lengths, np.ones(count, np.bool_))


def _blocks(shingles: npt.NDArray[np.int64], limit: int) -> list[list[int]]:
    """Cut shards into runs of at most so many shingles, one shard at least."""
    blocks: list[list[int]] = []
    held = 0
    for number, count in enumerate(shingles.tolist()):
        if not blocks or held + count > limit:
            blocks.append([])
            held = 0
        blocks[-1].append(number)
        held += count
    return blocks

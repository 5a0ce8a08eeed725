"""The block join: all pairs of units whose hashes do not fit into memory together (a block nested loop).

The units are cut, in input order, into groups of which two fit at a time. Each group is joined with itself, and each
two groups are joined with each other (`dedup.pairs.self_join`, `dedup.pairs.cross_join`). Every two units meet once, so
all pairs are found. In naive Python::

    for group, other in combinations_with_replacement(groups, 2):
        pairs += join(group) if group is other else join_across(group, other)

With g groups the hashes are read about g times. In addition to two groups, 100 bytes per unit are held, and the pairs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.hashing.shard_source import ShardSource
from dedup.pairs.cross_join import join_across
from dedup.pairs.self_join import JOIN_LIMITS, JoinLimits, join
from dedup.pairs.verify import NO_GROUPS, Groups, PairLimit, Pairs, columns_of, in_order, moved
from dedup.runtime.buffers import give_back
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
    blocks = _blocks(source.shingles_of(chosen), shingles // 2)
    for number, block in enumerate(blocks):
        held = source.hold_rows(chosen, numbers=block)
        assert held.rows is not None
        places = np.searchsorted(rows, held.rows)
        units, everyone = held.units, np.arange(len(places), dtype=np.int64)
        source.stages.stage("join", 1)
        ones = np.ones(len(places), dtype=np.int64)
        own_groups = columns_of(groups, places)
        how: Any = {"limit": limit, "threads": source.threads}
        own: Any = {"large": None, "limits": limits, "groups": own_groups}
        joined = join(units, everyone, everyone, ones, threshold, **own, **how)
        units.prepare(np.flatnonzero(prepared[places]), source.threads)
        sizes[places] = np.maximum(sizes[places], units.sizes)
        parts.append(moved(joined.pairs, places))
        del held, units, joined
        give_back()
        for other in blocks[number + 1 :]:
            both = source.hold_rows(chosen, numbers=[*block, *other])
            assert both.rows is not None
            spots = np.searchsorted(rows, both.rows)
            everyone = np.arange(len(spots), dtype=np.int64)
            left, right = everyone[: len(places)], everyone[len(places) :]
            source.stages.stage("join", 1)
            own_groups = columns_of(groups, spots)
            found = join_across(both.units, left, right, threshold, groups=own_groups, **how)
            sizes[spots] = np.maximum(sizes[spots], both.units.sizes)
            parts.append(moved(found, spots))
            del both  # before the next two are read
            give_back()
    return in_order(parts), sizes


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

"""Exact copies: units with the same sequence of tokens. Only one of them, the representative, is compared with others.

In naive Python::

    first = {}
    for unit in sorted(among, key=rank):
        first.setdefault(tokens(unit), unit)
    leaders = [first[tokens(unit)] if unit in among else unit for unit in units]
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["copies_of_sides", "exact_copies"]


def exact_copies(
    digests: npt.NDArray[np.uint64], rank: npt.NDArray[np.int64], among: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return, for each unit, the one of its exact copies (itself included) with the lowest `rank`; int64.

    Copies are units with equal `digests` (uint64, n x 2). `among` are the units that may have a copy, ascending. Cost:
    linear in the units, and a sort of the units that have a copy.
    """
    from dedup.kernels.lsh import seen_twice

    result = np.arange(len(digests), dtype=np.int64)
    again = seen_twice(np.ascontiguousarray(digests[:, 0]), among)  # few, so the sort is short
    some = digests[again]
    order = np.lexsort((rank[again], some[:, 1], some[:, 0]))
    some, again = some[order], again[order]
    first = np.ones(len(again), dtype=np.bool_)
    first[1:] = (some[1:] != some[:-1]).any(axis=1)
    result[again] = again[first][np.cumsum(first) - 1]
    return result


def copies_of_sides(digests: npt.NDArray[np.uint64], among: npt.NDArray[np.int64], lefts: int) -> npt.NDArray[np.int64]:
    """Return, for each unit, the first of its exact copies on its own side; the first `lefts` units are the left side.

    The other parameters and the cost are those of `exact_copies`.
    """
    first = exact_copies(digests, np.arange(len(digests), dtype=np.int64), among)
    right = first[lefts:]
    own = np.full(len(digests), len(digests), dtype=np.int64)
    np.minimum.at(own, right, np.arange(lefts, len(digests), dtype=np.int64))
    first[lefts:] = own[right]
    return first

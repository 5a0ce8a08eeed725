"""Stars: each removed text reaches the threshold with the text that is kept for it.

Texts are taken in an order of priority (`keep`). Each joins the most similar text already kept that reaches the
threshold (ties: the one earlier in priority), or is kept itself. So nothing is removed because of a chain: A like B,
B like C does not remove C for A's sake. Exact copies collapse first, into the one with the best priority.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.clusters.keys import in_order
from dedup.clusters.looks import as_text
from dedup.errors import ParameterError
from dedup.hashing.units import Units
from dedup.lsh import Buckets
from dedup.options import KEEP, Keep, column_of
from dedup.pairs.verify import METRICS, Pairs, pairs_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "BIG_CLUSTER",
    "KEEP",
    "Stars",
    "column_of",
    "components",
    "find_stars",
    "large_clusters",
    "rank_units",
]

BIG_CLUSTER = 1000
"""Members; with ``pairs="auto"`` the removed units of larger clusters are listed with their kept one alone. Curve:
`benchmarks.tuning.stars_big_cluster`."""


class Stars(NamedTuple):
    """Who stands for whom: for each unit the kept one and the similarity to it (itself and 1.0 where kept).

    `further` are pairs that were verified on the way; `overflow` counts kept units that found a large bucket full.
    """

    star: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float64]
    further: Pairs
    verified: int
    overflow: int


def rank_units(keep: Keep, count: int, lengths: Callable[[], Any], keys: Callable[[], Any]) -> Any:
    """Return the rank of each unit, int64: 0 is kept first.

    `lengths` (characters) and `keys` are asked if needed: of a function a key for each unit, of a column its values
    (Arrow).
    """
    positions = np.arange(count, dtype=np.int64)
    if keep == "first":
        return positions
    if keep == "last":
        return positions[::-1].copy()
    if callable(keep):
        order = np.array(in_order(keys()), dtype=np.int64)
    elif column_of(keep) is not None:
        order = _order_of(keys(), keep)
    else:
        sizes = lengths()
        order = np.argsort(-sizes if keep == "longest" else sizes, kind="stable")
    rank = np.empty(count, dtype=np.int64)
    rank[order] = positions
    return rank


def _order_of(values: pa.Array | pa.ChunkedArray, keep: str) -> npt.NDArray[np.int64]:
    """Return the rows by their values, the one to keep first: nulls and NaN last, ties in input order."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_dictionary(kind):
        values = _places(values) if kind.ordered else _values(values)
    if pa.types.is_string_view(values.type):
        values = values.cast(pa.large_string())
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    rows = pa.table({"value": values, "row": np.arange(len(values), dtype=np.int64)})
    direction = "descending" if keep.startswith("max:") else "ascending"
    try:
        # nulls come last unless Arrow is told otherwise
        order = pc.sort_indices(rows, sort_keys=[("value", direction), ("row", "ascending")])
    except (pa.ArrowNotImplementedError, pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise ParameterError(f"keep={keep!r}: expected numbers, texts or dates in the column, found {kind}") from error
    return order.to_numpy().astype(np.int64)  # type: ignore[no-any-return]


def _values(values: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return what categories without an order stand for."""
    import pyarrow as pa

    kind = values.type.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return as_text(values)
    return values.cast(kind)


def _places(values: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the places of ordered categories among these, which is the order that they have."""
    import pyarrow as pa

    # where the parts differ, one has further categories behind those of the other: `dedup.clusters.looks` saw to it
    chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
    if any(not chunk.dictionary.equals(chunks[0].dictionary) for chunk in chunks):
        chunks = values.unify_dictionaries().chunks
    return pa.chunked_array([chunk.indices.cast(pa.int64()) for chunk in chunks], type=pa.int64())


def find_stars(
    units: Units,
    representatives: npt.NDArray[np.int64],
    pairs: Pairs,
    rank: npt.NDArray[np.int64],
    threshold: float,
    metric: str = "jaccard",
    buckets: Buckets | None = None,
) -> Stars:
    """Give each unit the kept one that stands for it; `pairs` and `buckets` are of representatives.

    Units in `buckets` must be prepared. Cost: linear in pairs and in bucket members; 8 bytes a pair.
    """
    from dedup.kernels import clusters as kernels

    count = len(units)
    full = units.full
    leading = full[representatives[full] == full]
    priority = leading[np.argsort(rank[leading], kind="stable")]
    members = np.empty(0, dtype=np.int64) if buckets is None else buckets.members
    bounds = np.zeros(1, dtype=np.int64) if buckets is None else buckets.bounds
    bucket_order = np.argsort(members, kind="stable")
    numbers = np.repeat(np.arange(len(bounds) - 1, dtype=np.int64), np.diff(bounds))[bucket_order]
    star, to_kept, found, verified, overflow = kernels.stars(
        priority,
        rank,
        *kernels.earlier(*pairs, rank),
        METRICS.index(metric),
        _offsets(members, count),
        numbers,
        len(bounds) - 1,
        units.hashes,
        units.offsets,
        units.sizes,
        threshold,
    )
    alone = star < 0
    star[alone] = np.flatnonzero(alone)
    copies = np.flatnonzero(representatives != np.arange(count))
    star[copies] = star[representatives[copies]]
    to_kept[copies] = to_kept[representatives[copies]]
    return Stars(star, to_kept, pairs_of(*found.T), int(verified), int(overflow))


def _offsets(rows: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    return np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(np.bincount(rows, minlength=count))))


def large_clusters(
    star: npt.NDArray[np.int64],
    copies: npt.NDArray[np.int64],
    rank: npt.NDArray[np.int64],
    left: npt.NDArray[np.int32],
    right: npt.NDArray[np.int32],
) -> npt.NDArray[np.bool_]:
    """Return, for each unit, whether it is the kept one of a cluster that counts as large.

    `star` is the kept one of each representative, `copies` how many units are behind it (0 for the others), `rank` its
    priority; left-right are pairs that reach the threshold. A cluster is large where it has more than `BIG_CLUSTER`
    members, alone or with the clusters that it hangs together with: two do where a removed text could have joined
    either. Otherwise a family that needs many kept texts to stand for it would be listed with the square of its size.
    Cost: linear.
    """
    from dedup.kernels import clusters as kernels

    members = np.bincount(star, weights=copies, minlength=len(star)).astype(np.int64)
    if members[members > 1].sum() <= BIG_CLUSTER:
        return np.zeros(len(star), dtype=np.bool_)
    removed = star != np.arange(len(star))
    root = np.arange(len(star), dtype=np.int64)
    for one, other in ((left, right), (right, left)):
        edges = removed[one] & ~removed[other] & (rank[other] < rank[one])
        kernels.linked(root, star[one[edges]].astype(np.int32), other[edges])
    together = np.bincount(root, weights=members, minlength=len(star))
    large: npt.NDArray[np.bool_] = (together > BIG_CLUSTER)[root] & (members > 1)
    return large


def components(
    count: int, edges: Iterable[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]]
) -> npt.NDArray[np.int64]:
    """Return, for each of `count` units, the first unit of its connected component; `edges` come in parts."""
    from dedup.kernels import clusters as kernels

    root = np.arange(count, dtype=np.int64)
    for left, right in edges:
        kernels.linked(root, left, right)
    return root

"""Priority: the order in which units are kept, by the policy `keep`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.clusters.keys import in_order
from dedup.clusters.looks import as_text
from dedup.errors import ParameterError
from dedup.options import Keep, column_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["rank_units"]


def rank_units(keep: Keep, count: int, lengths: Callable[[], Any], keys: Callable[[], Any]) -> npt.NDArray[np.int64]:
    """Return the rank of each unit (int64); 0 is the best.

    `lengths` and `keys` are called only if the policy needs them. `lengths` returns characters per unit. `keys` returns
    a `Key` per unit if `keep` is a function, and the values (Arrow) if it names a column.
    """
    positions = np.arange(count, dtype=np.int64)
    if keep in ("first", "none"):
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
    """Return the rows in the order of their values, the best first. Nulls and NaN are last, ties in input order."""
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
        # Arrow puts nulls last by default
        order = pc.sort_indices(rows, sort_keys=[("value", direction), ("row", "ascending")])
    except (pa.ArrowNotImplementedError, pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise ParameterError(f"keep={keep!r}: expected numbers, texts or dates in the column, found {kind}") from error
    return order.to_numpy().astype(np.int64)  # type: ignore[no-any-return]


def _values(values: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return the values of categories without an order."""
    import pyarrow as pa

    kind = values.type.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return as_text(values)
    return values.cast(kind)


def _places(values: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the positions of ordered categories in their list, which are their order."""
    import pyarrow as pa

    # if the lists of two parts differ, one begins with the other: `dedup.clusters.looks` checked it
    chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
    if any(not chunk.dictionary.equals(chunks[0].dictionary) for chunk in chunks):
        chunks = values.unify_dictionaries().chunks
    return pa.chunked_array([chunk.indices.cast(pa.int64()) for chunk in chunks], type=pa.int64())

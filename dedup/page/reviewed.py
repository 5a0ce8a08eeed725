"""The removed texts nearest to the threshold, beside the texts that they were removed for, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.edit.compare import compare_edits
from dedup.hashing.shingles import parse
from dedup.reading import Reading
from dedup.shingling import shingles
from dedup.text.shared_spans import shared_spans
from dedup.threshold import Metric

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["nearest", "review_table"]

Rows = npt.NDArray[np.int64]


def nearest(removed: Rows, similarity: npt.NDArray[np.float64], same: Rows, star: Rows, count: int) -> Rows:
    """Return the `count` least similar of the `removed` units that are no exact copies of their kept one (`star`).

    `removed` is ascending; the others are by unit. Units with an equal value of `same` are exact copies.
    """
    near = removed[same[removed] != same[star[removed]]]
    chosen: Rows = near[np.argsort(similarity[near], kind="stable")[:count]]
    return chosen


def review_table(
    names: Mapping[str, Any], texts: Sequence[tuple[str, str]], shingle: str, reading: Reading, metric: str
) -> pa.Table:
    """Return a table of removed and kept `texts`: the columns `names`, what the two share, the texts, and the spans.

    Under ``metric="edit"`` the edit distance is in place of the shingles, and the spans are of single words.
    """
    import pyarrow as pa

    edit = metric == Metric.EDIT
    kind = parse("words:1" if edit else shingle, reading)
    sizes = np.empty((3, len(texts)), dtype=np.int64)
    spans = []
    for at, (text, kept) in enumerate(texts):
        spans.append(shared_spans(text, kept, kind.kind, kind.size, kind.reading))
        if edit:
            sizes[:, at] = compare_edits(text, kept, reading)
            continue
        sets = shingles([text, kept], str(kind), hash_key=kind.key, **kind.reading.options)
        shared = len(np.intersect1d(sets[0], sets[1], assume_unique=True))
        sizes[:, at] = len(sets[0]), len(sets[1]), shared
    of_span = pa.struct([(name, pa.int64()) for name in ("start", "end", "kept_start", "kept_end", "words")])
    named = [[dict(zip(of_span.names, span, strict=True)) for span in each] for each in spans]
    columns: dict[str, Any] = dict(names)
    columns |= {"distance": sizes[2]} if edit else {"size": sizes[0], "kept_size": sizes[1], "shared": sizes[2]}
    columns["text"] = pa.array([_valid(text) for text, _ in texts], type=pa.string())
    columns["kept_text"] = pa.array([_valid(kept) for _, kept in texts], type=pa.string())
    columns["spans"] = pa.array(named, type=pa.list_(of_span))
    return pa.table(columns)


def _valid(text: str) -> str:
    """Return a text that can be UTF-8: half of a surrogate pair becomes one other character."""
    return text.encode("utf-8", "replace").decode()

"""dedup: the library measured like the others, from strings to its result.

`dedup` is the exact method, `dedup-lsh` MinHash-LSH at a recall of 0.999; everything else is as a
user finds it. In clusters of more than 1,000 members the result lists a removed text with its kept
text only, so there two members of one cluster count as found, as they do for the tools that answer
with groups.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import numpy as np

import dedup
from benchmarks.corpora.score import Answer
from benchmarks.rivals import Tool

_LARGE: Final = 1_000  # members from which on not every pair of a cluster is listed


def _whole(texts: list[str], threshold: float, threads: int, *, method: str) -> Any:
    return dedup.find_duplicates(texts, threshold=threshold, method=method, threads=threads)


def _column(table: Any, name: str) -> Any:
    return table.column(name).to_numpy().astype(np.int64)


def _answer(native: Any, documents: int) -> Answer:
    members, cluster = _column(native.clusters, "id"), _column(native.clusters, "cluster")
    groups = np.full(documents, -1, dtype=np.int64)
    if len(cluster):
        large = np.bincount(cluster)[cluster] > _LARGE
        groups[members[large]] = cluster[large]
    return Answer(_column(native.pairs, "left"), _column(native.pairs, "right"), groups)


TOOLS: Final = {
    name: Tool(name, "dedup-text", settings, partial(_whole, method=method), _answer, ours=True)
    for name, method, settings in (
        ("dedup", "exact", "exact, all pairs verified"),
        ("dedup-lsh", "lsh", "recall 0.999, all pairs verified"),
    )
}

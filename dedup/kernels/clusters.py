"""Stars: which texts are kept, and which kept text stands for each of the others.

Definition, in naive Python (`similarity` of the verified pairs; 0 for any other)::

    kept = []
    for text in priority:
        best = max(kept, key=lambda k: (similarity[text, k], -rank[k]), default=None)
        if best is not None and similarity[text, best] >= threshold: star[text] = best
        else: star[text] = text; kept.append(text)

Texts of large buckets have no list of pairs: each meets the texts kept so far in its buckets, up to LEADERS a bucket,
and is verified on the spot. So a family of any size costs one verification a member as long as one kept text stands
for it, and LEADERS x bands at the worst.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import kernel
from dedup.kernels.join import longer
from dedup.kernels.pairs import required, shared_hashes

LEADERS = 8
"""Kept texts that a large bucket offers for comparison; further ones are counted as overflow."""


@kernel
def stars(
    priority: npt.NDArray[np.int64],
    rank: npt.NDArray[np.int64],
    neighbour_offsets: npt.NDArray[np.int64],
    neighbours: npt.NDArray[np.int64],
    similarities: npt.NDArray[np.float64],
    bucket_offsets: npt.NDArray[np.int64],
    buckets: npt.NDArray[np.int64],
    bucket_count: int,
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    threshold: float,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.int64], int, int]:
    """Give each text of `priority` the kept text that stands for it.

    `rank` inverts `priority`. The verified pairs are rows of `neighbours` (all texts) with their `similarities`; the
    large buckets of a text are rows of `buckets`. `values`, `offsets` and `sizes` are the sorted shingle sets, read
    for texts of large buckets alone.

    Returns, for all texts, the kept one and the similarity to it (itself and 1.0 for a kept text), the further pairs
    found (kept, text, shared), the number of verifications and the number of times that a kept text found its bucket
    full.
    """
    count = len(rank)
    star = np.empty(count, dtype=np.int64)
    similarity = np.empty(count, dtype=np.float64)
    met = np.empty(count, dtype=np.int64)
    for i in range(count):
        star[i] = -1
        similarity[i] = 1.0
        met[i] = -1
    leaders = np.empty((bucket_count, LEADERS), dtype=np.int64)
    filled = np.zeros(bucket_count, dtype=np.int64)
    found = np.empty((64, 3), dtype=np.int64)
    total = 0
    verified, overflow = 0, 0
    for text in priority:
        best, best_similarity = np.int64(-1), 0.0
        for at in range(neighbour_offsets[text], neighbour_offsets[text + 1]):
            other = neighbours[at]
            met[other] = text
            if star[other] != other:
                continue
            value = similarities[at]
            if value > best_similarity or (value == best_similarity and rank[other] < rank[best]):
                best, best_similarity = other, value
        for at in range(bucket_offsets[text], bucket_offsets[text + 1]):
            bucket = buckets[at]
            for slot in range(filled[bucket]):
                other = leaders[bucket, slot]
                if met[other] == text:
                    continue
                met[other] = text
                verified += 1
                shared = shared_hashes(
                    values,
                    offsets[text],
                    offsets[text] + sizes[text],
                    offsets[other],
                    offsets[other] + sizes[other],
                    required(sizes[text], sizes[other], threshold),
                )
                if shared < 0:
                    continue
                if total == len(found):
                    found = longer(found, 2 * total)
                found[total, 0] = other
                found[total, 1] = text
                found[total, 2] = shared
                total += 1
                value = shared / (sizes[text] + sizes[other] - shared)
                if value > best_similarity or (value == best_similarity and rank[other] < rank[best]):
                    best, best_similarity = other, value
        if best >= 0:
            star[text] = best
            similarity[text] = best_similarity
            continue
        star[text] = text
        for at in range(bucket_offsets[text], bucket_offsets[text + 1]):
            bucket = buckets[at]
            if filled[bucket] < LEADERS:
                leaders[bucket, filled[bucket]] = text
                filled[bucket] += 1
            else:
                overflow += 1
    return star, similarity, found[:total], verified, overflow


@kernel
def linked(root: npt.NDArray[np.int64], left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> None:
    """Join the trees of `root` (written; each node its own at first) that an edge left-right links, and flatten them.

    The smallest node of a tree is its root. Cost: nearly linear in the edges (union-find, paths halved).
    """
    for edge in range(len(left)):
        a, b = left[edge], right[edge]
        while root[a] != a:
            root[a] = root[root[a]]
            a = root[a]
        while root[b] != b:
            root[b] = root[root[b]]
            b = root[b]
        if a < b:
            root[b] = a
        else:
            root[a] = b
    for node in range(len(root)):
        root[node] = root[root[node]]

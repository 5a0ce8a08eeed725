"""Stars: which texts are kept, and which kept text each removed text belongs to.

Definition, in naive Python (`similarity` of the verified pairs; 0 for any other)::

    kept = []
    for text in priority:
        best = max(kept, key=lambda k: (similarity[text, k], -rank[k]), default=None)
        if best is not None and similarity[text, best] >= threshold: star[text] = best
        else: star[text] = text; kept.append(text)

Texts of large buckets have no list of pairs. Each is compared with the texts kept so far in its buckets, up to LEADERS
per bucket, and verified at once. So a group of near copies of any size costs one verification per member while it has
one kept text, and LEADERS x bands at most.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part
from dedup.kernels.self_join import CONTAINMENT, EDIT, longer
from dedup.kernels.verify import no_pair, required, shared_hashes

LEADERS = 8
"""Texts. A large bucket offers at most so many kept texts for comparison; further ones are counted as overflow."""


@part
def whole_size(size: int, its_size: int, shared: int, metric: int) -> int:
    """Return what `shared` is divided by for the similarity of a pair of these sizes."""
    if metric == EDIT:
        return max(size, its_size)
    return min(size, its_size) if metric == CONTAINMENT else size + its_size - shared


@kernel
def earlier(
    left: npt.NDArray[np.int32],
    right: npt.NDArray[np.int32],
    shared: npt.NDArray[np.int32],
    rank: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return, for each text, the texts before it in `rank` that are in a pair with it, and what each pair shares.

    They are the rows from ``offsets[text]`` to ``offsets[text + 1]`` of the two other arrays. Cost: linear.
    """
    count = len(rank)
    offsets = np.zeros(count + 2, dtype=np.int64)
    for pair in range(len(left)):
        later = right[pair] if rank[left[pair]] < rank[right[pair]] else left[pair]
        offsets[later + 2] += 1
    for text in range(count):
        offsets[text + 2] += offsets[text + 1]
    others = np.empty(len(left), dtype=np.int32)
    common = np.empty(len(left), dtype=np.int32)
    for pair in range(len(left)):
        first, later = left[pair], right[pair]
        if rank[first] > rank[later]:
            first, later = later, first
        place = offsets[later + 1]
        others[place] = first
        common[place] = shared[pair]
        offsets[later + 1] = place + 1
    return offsets[: count + 1], others, common


@kernel
def stars(
    priority: npt.NDArray[np.int64],
    rank: npt.NDArray[np.int64],
    neighbour_offsets: npt.NDArray[np.int64],
    neighbours: npt.NDArray[np.int32],
    neighbour_shared: npt.NDArray[np.int32],
    metric: int,
    bucket_offsets: npt.NDArray[np.int64],
    buckets: npt.NDArray[np.int64],
    bucket_count: int,
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    threshold: float,
    groups: Table[np.uint64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.int64], int, int]:
    """Assign to each text of `priority` its kept text.

    `rank` inverts `priority`. The verified pairs are rows of `neighbours` (`earlier`) with their shared hashes; the
    large buckets of a text are rows of `buckets`. `values`, `offsets` and `sizes` are the sorted shingle sets. The
    sizes are read for all texts, the sets only for texts of large buckets. Two texts that are `no_pair` by
    `groups` (by text) are left out.

    Returns, for all texts, the kept text and the similarity to it (itself and 1.0 for a kept text); the further pairs
    that were found (kept, text, shared); the number of verifications; and how often the bucket of a kept text was full.
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
            other = np.int64(neighbours[at])
            met[other] = text
            if star[other] != other:
                continue
            common = np.int64(neighbour_shared[at])
            size, its_size = sizes[text], sizes[other]
            value = common / whole_size(size, its_size, common, metric)
            if value > best_similarity or (value == best_similarity and rank[other] < rank[best]):
                best, best_similarity = other, value
        for at in range(bucket_offsets[text], bucket_offsets[text + 1]):
            bucket = buckets[at]
            for slot in range(filled[bucket]):
                other = leaders[bucket, slot]
                if met[other] == text:
                    continue
                met[other] = text
                if no_pair(groups, other, text):
                    continue
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
def linked(root: Written[npt.NDArray[np.int64]], left: npt.NDArray[np.int32], right: npt.NDArray[np.int32]) -> None:
    """Join the trees of `root` (written; at first each node is a root) that an edge left-right links, and flatten them.

    The smallest node of a tree is its root. Cost: nearly linear in the edges (union-find, paths halved).
    """
    for edge in range(len(left)):
        a, b = np.int64(left[edge]), np.int64(right[edge])
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

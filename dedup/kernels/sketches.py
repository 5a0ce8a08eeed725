"""Sketches of sets of hashes: the lowest hashes of each, and how similar two sets are by them.

Definition, in naive Python (`rows` are the sets of some texts)::

    key = min(row) * 2.0 ** floor(log2(len(row)))                      # for each row, repetitions counted; else inf
    sketch = sorted(set(row))[:most]                                   # for each row
    union = sorted(set(left) | set(right))[:most]                      # for two sketches
    similarity = sum(h in left and h in right for h in union) / len(union)

Two texts have the same lowest hash with a probability of their Jaccard similarity. So of the rows with the lowest keys,
whose number is fixed, near texts are there together, or are both not there; the factor makes long texts as likely as
short ones. What is `similarity` of two sketches is an unbiased estimate of that of the sets, exact where both sets are
whole in their sketches.

Cost of `sketch_lowest`: a comparison a hash, several at a time; for each row that is taken another one, and for each of
its hashes that is among the lowest so far the moving of some others. Of `compare_sketches`: a bit for each two rows and
hash that they share; and for each two rows that share one at most `most` steps.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part

ABOVE_ALL = (1 << 64) - 1
"""The highest hash; no hash is expected to be that high."""


@kernel
def sketch_lowest(
    hashes: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    limit: float,
    rows: Written[npt.NDArray[np.int64]],
    keys: Written[npt.NDArray[np.float64]],
    sketches: Written[Table[np.uint64]],
    counts: Written[npt.NDArray[np.int64]],
) -> int:
    """Write the rows whose key is at most `limit`, their keys and their sketches; return how many there are.

    The sketch of ``rows[i]`` is ``sketches[i, : counts[i]]``, ascending. A row without hashes is never taken.
    """
    most, taken = np.uint64(sketches.shape[1]), np.int64(0)
    for row in range(len(offsets) - 1):
        first, end = np.uint64(offsets[row]), np.uint64(offsets[row + 1])
        if first == end:
            continue
        lowest = np.uint64(ABOVE_ALL)
        for place in range(first, end):
            lowest = min(lowest, hashes[place])
        factor = 1.0
        while 2.0 * factor <= end - first:
            factor *= 2.0
        key = np.float64(lowest) * factor
        if key > limit:
            continue
        rows[taken], keys[taken] = row, key
        below = np.uint64(ABOVE_ALL)
        if end - first > np.uint64(2) * most:  # of so many hashes a few more than `most` are expected below it
            below = np.uint64(ABOVE_ALL) // (end - first) * (most + most // np.uint64(2))
        counts[taken] = lowest_below(hashes, first, end, below, sketches, taken)
        if counts[taken] < most and below < np.uint64(ABOVE_ALL):
            counts[taken] = lowest_below(hashes, first, end, np.uint64(ABOVE_ALL), sketches, taken)
        taken += 1
    return taken


@part
def lowest_below(
    hashes: npt.NDArray[np.uint64],
    first: np.uint64,
    end: np.uint64,
    below: np.uint64,
    sketches: Table[np.uint64],
    number: int,
) -> int:
    """Write the lowest distinct hashes, those up to `below`, ascending, to a row of `sketches`; return how many."""
    most, count = sketches.shape[1], np.int64(0)
    for place in range(first, end):
        value = hashes[place]
        if value > below:
            continue
        at = count
        while at > 0 and sketches[number, at - 1] > value:
            at -= 1
        if at == most or (at > 0 and sketches[number, at - 1] == value):
            continue
        count = min(count + 1, most)
        for later in range(count - 1, at, -1):
            sketches[number, later] = sketches[number, later - 1]
        sketches[number, at] = value
        if count == most:
            below = sketches[number, most - 1]
    return count


@kernel
def compare_sketches(
    values: npt.NDArray[np.uint64],
    owners: npt.NDArray[np.int64],
    sketches: Table[np.uint64],
    counts: npt.NDArray[np.int64],
    left: Written[npt.NDArray[np.int64]],
    right: Written[npt.NDArray[np.int64]],
    similarity: Written[npt.NDArray[np.float64]],
) -> int:
    """Write each two rows of `sketches` whose sketches share a hash, `left` before `right`, and their similarity.

    `values` are the hashes of all sketches, ascending, and `owners` their rows. Returns how many two rows there are.
    `left`, `right` and `similarity` have a place for each two rows.
    """
    rows, most = sketches.shape
    met = np.zeros((rows, rows), dtype=np.bool_)
    first = np.int64(0)
    for end in range(1, len(values) + 1):
        if end < len(values) and values[end] == values[first]:
            continue
        for one in range(first, end):
            for other in range(first, one):
                met[owners[one], owners[other]] = True
        first = np.int64(end)
    pairs = np.int64(0)
    for one in range(rows):
        for other in range(one + 1, rows):
            if not (met[one, other] or met[other, one]):
                continue
            i, j, taken, both = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
            while taken < most and i + j < counts[one] + counts[other]:
                x = sketches[one, i] if i < counts[one] else np.uint64(ABOVE_ALL)
                y = sketches[other, j] if j < counts[other] else np.uint64(ABOVE_ALL)
                both += np.int64(x == y)
                i += np.int64(x <= y)
                j += np.int64(y <= x)
                taken += 1
            left[pairs], right[pairs], similarity[pairs] = one, other, both / taken
            pairs += 1
    return pairs

"""Verification: how many hashes two sorted sets share.

Definition, in naive Python::

    shared = len(set(left) & set(right))
    reaches = shared / (len(left) + len(right) - shared) >= threshold          # float64

`required` turns the threshold into the smallest number of shared hashes for which that holds. `shared_hashes` merges
the two sorted rows and stops as soon as too few hashes are left to reach it.

Cost: at most one step per hash of the two sets; far fewer for most pairs that do not reach the threshold.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part
from dedup.kernels.words import equal4


@part
def least(size: int, threshold: float) -> int:
    """Return the smallest s with ``s / size >= threshold`` in float64."""
    shared = max(np.int64(threshold * size) - 1, 0)
    while shared < size and shared / size < threshold:
        shared += 1
    return shared


@part
def required(left_size: int, right_size: int, threshold: float) -> int:
    """Return the smallest `shared` with ``shared / (left_size + right_size - shared) >= threshold`` in float64.

    ``ceil(t / (1 + t) * (a + b))`` in floats is wrong by one for some values, so it is only the first guess.
    """
    total = left_size + right_size
    shared = max(np.int64(threshold / (1.0 + threshold) * total) - 1, 0)
    while shared < total and shared / (total - shared) < threshold:
        shared += 1
    return shared


@part
def no_pair(groups: Table[np.uint64], left: int, right: int) -> bool:
    """Return whether two texts (rows) are no pair, however similar: a row of `groups` is what they may not share.

    Without rows every two may be a pair. With three rows, texts of one value in the second row are no pair either,
    unless their values in the third row are equal too.
    """
    if len(groups) == 0:
        return False
    if groups[0, left] == groups[0, right]:
        return True
    return len(groups) > 1 and groups[1, left] == groups[1, right] and groups[2, left] != groups[2, right]


@part
def first_from(values: npt.NDArray[np.uint64], first: int, end: int, lowest: np.uint64) -> int:
    """Return the first place in the sorted ``values[first:end]`` whose value is at least `lowest`; `end` if none is."""
    while first < end:
        middle = (first + end) // 2
        if values[middle] < lowest:
            first = middle + 1
        else:
            end = middle
    return first


@kernel
def shared_hashes(
    values: npt.NDArray[np.uint64], left: int, left_end: int, right: int, right_end: int, needed: int
) -> int:
    """Return how many hashes two sorted rows of `values` share; -1 as soon as `needed` is out of reach."""
    if left == left_end or min(left_end - left, right_end - right) < needed:
        return -1 if needed > 0 else 0
    low_end = (left + left_end) // 2
    high, other_end = low_end, first_from(values, right, right_end, values[low_end])
    other = other_end
    shared = 0
    # each step waits for the values of the step before, so both halves are merged in one loop
    while min(low_end - left, other_end - right) >= 4 and min(left_end - high, right_end - other) >= 4:
        shared += equal4(values, left, right) + equal4(values, high, other)
        low_last, low_other = values[np.uint64(left + 3)], values[np.uint64(right + 3)]
        high_last, high_other = values[np.uint64(high + 3)], values[np.uint64(other + 3)]
        left += 4 * np.int64(low_last <= low_other)
        right += 4 * np.int64(low_other <= low_last)
        high += 4 * np.int64(high_last <= high_other)
        other += 4 * np.int64(high_other <= high_last)
        if shared + min(low_end - left, other_end - right) + min(left_end - high, right_end - other) < needed:
            return -1
    rest = min(left_end - high, right_end - other)
    shared = merge(values, left, low_end, right, other_end, shared, needed - rest)
    if shared >= 0:
        shared = merge(values, high, left_end, other, right_end, shared, needed)
    return shared


@part
def merge(
    values: npt.NDArray[np.uint64], left: int, left_end: int, right: int, right_end: int, shared: int, needed: int
) -> int:
    """Return `shared` plus the number of hashes that two sorted rows share; -1 as soon as `needed` is out of reach."""
    while left + 4 <= left_end and right + 4 <= right_end:  # blocks of four; each equal pair is met once
        shared += equal4(values, left, right)
        x, y = values[np.uint64(left + 3)], values[np.uint64(right + 3)]
        left += 4 * np.int64(x <= y)
        right += 4 * np.int64(y <= x)
        if shared + min(left_end - left, right_end - right) < needed:
            return -1
    while left < left_end and right < right_end:
        x, y = values[left], values[right]
        shared += np.int64(x == y)
        left += np.int64(x <= y)
        right += np.int64(y <= x)
    return shared if shared >= needed else -1


@kernel
def verify(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    left: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    threshold: float,
    shared: Written[npt.NDArray[np.int64]],
) -> None:
    """Write into `shared` how many hashes each pair of rows shares; -1 if the pair does not reach `threshold`.

    Row r is the sorted set ``values[offsets[r]:offsets[r] + sizes[r]]``. With a `threshold` of 0 every pair gets its
    count.
    """
    for pair in range(len(left)):
        a, b = left[pair], right[pair]
        shared[pair] = shared_hashes(
            values,
            offsets[a],
            offsets[a] + sizes[a],
            offsets[b],
            offsets[b] + sizes[b],
            required(sizes[a], sizes[b], threshold),
        )

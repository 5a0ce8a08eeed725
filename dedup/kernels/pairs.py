"""Verification: how many hashes two sorted sets share.

Definition, in naive Python::

    shared = len(set(left) & set(right))
    reaches = shared / (len(left) + len(right) - shared) >= threshold          # float64

`required` turns the threshold into the smallest number of shared hashes for which that holds; `shared_hashes` merges
the two sorted rows and stops as soon as too few are left to reach it.

Cost: one step a hash of the two sets at most; far fewer for most pairs that fail.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import kernel, part
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


@kernel
def shared_hashes(
    values: npt.NDArray[np.uint64], left: int, left_end: int, right: int, right_end: int, needed: int
) -> int:
    """Return how many hashes two sorted rows of `values` share; -1 as soon as `needed` is out of reach."""
    shared = 0
    if min(left_end - left, right_end - right) < needed:
        return -1
    while left + 4 <= left_end and right + 4 <= right_end:  # blocks of four, each equal pair met once
        shared += equal4(values, left, right)
        x, y = values[left + 3], values[right + 3]
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
    shared: npt.NDArray[np.int64],
) -> None:
    """Write into `shared` how many hashes each pair of rows shares; -1 where the pair does not reach `threshold`.

    Row r is the sorted set ``values[offsets[r]:offsets[r] + sizes[r]]``. A `threshold` of 0 gives every count.
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

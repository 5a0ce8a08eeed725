"""MinHash signatures: a few hundred bytes a text, from which the Jaccard similarity of two texts is estimated.

In naive Python (mod 2^32)::

    signature = [min(a[j] * (h >> 32) + c[j] for h in shingles) for j in range(num_perm)]
    estimate  = sum(x == y for x, y in zip(left, right)) / num_perm

The estimate has no bias and a standard deviation of sqrt(J (1 - J) / num_perm): 0.035 at J = 0.8 and 128
permutations. dedup never reports an estimate: it uses signatures to find candidates, and then counts.

Two signatures can be compared if they were made with the same `num_perm`, the same `seed` and the same shingles; the
permutations are those of datasketch's ``affine32`` scheme, so `dedup.interop` can hand signatures over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dedup.errors import ParameterError

if TYPE_CHECKING:
    from dedup.shingling import Shingles

__all__ = ["EMPTY_LANE", "estimate", "permutations", "signatures"]

EMPTY_LANE = 0xFFFFFFFF
"""Every lane of the signature of a text without shingles. It is equal to nothing: leave such texts out."""

MOST_PERMUTATIONS = 1 << 16


def permutations(num_perm: int, seed: int = 1) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Return multipliers (odd) and addends of `num_perm` functions x -> a x + c mod 2^32, as uint32 arrays.

    They are drawn as datasketch 2.0 draws those of its ``affine32`` scheme, from numpy's frozen `RandomState`.
    """
    if isinstance(num_perm, bool) or not isinstance(num_perm, int) or not 1 <= num_perm <= MOST_PERMUTATIONS:
        raise ParameterError(f"num_perm: expected a whole number from 1 to {MOST_PERMUTATIONS}, found {num_perm!r}")
    check_seed(seed)
    generator = np.random.RandomState(seed)
    odd = generator.randint(0, 1 << 31, num_perm, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return odd, generator.randint(0, 1 << 32, num_perm, dtype=np.uint32)


def check_seed(seed: int) -> None:
    """Raise `ParameterError` unless `seed` is a whole number from 0 to 2^32 - 1."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 1 << 32:
        raise ParameterError(f"seed: expected a whole number from 0 to {(1 << 32) - 1}, found {seed!r}")


def signatures(shingles: Shingles, *, num_perm: int = 128, seed: int = 1) -> npt.NDArray[np.uint32]:
    """Return the signatures of some shingle sets: uint32, shape (texts, num_perm).

    Cost: linear in shingles times permutations.

    >>> from dedup.shingling import shingles
    >>> texts = ["one two three four five six", "one two three four five six seven"]
    >>> signatures(shingles(texts), num_perm=64).shape
    (2, 64)
    """
    return sign(shingles.values, shingles.offsets, *permutations(num_perm, seed))


def sign(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    multipliers: npt.NDArray[np.uint32],
    addends: npt.NDArray[np.uint32],
) -> npt.NDArray[np.uint32]:
    """Return the signatures of rows of hashes (repeated ones do no harm): uint32, shape (rows, permutations)."""
    from dedup.kernels import minhash as kernels

    result = np.empty((len(offsets) - 1, len(multipliers)), dtype=np.uint32)
    kernels.sign(values, offsets, multipliers, addends, result)
    return result


def estimate(left: npt.NDArray[np.uint32], right: npt.NDArray[np.uint32]) -> float:
    """Return the estimated Jaccard similarity of two signatures: the share of lanes that agree.

    Raises `ParameterError` where their lengths differ. Standard deviation: sqrt(J (1 - J) / len(left)).
    """
    if left.shape != right.shape or left.ndim != 1:
        raise ParameterError(
            f"signatures: expected two rows of one length, found shapes {left.shape} and {right.shape}; "
            "make both with the same num_perm"
        )
    if len(left) == 0 or (int(left[0]) == EMPTY_LANE and bool(np.all(left == EMPTY_LANE))):
        return 0.0
    return float(np.mean(left == right))

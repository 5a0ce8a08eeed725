"""MinHash signatures: a few hundred bytes per text, from which the Jaccard similarity of two texts is estimated.

In naive Python (mod 2^32)::

    signature = [min(a[j] * (h >> 32) + c[j] for h in shingles) for j in range(num_perm)]
    estimate  = sum(x == y for x, y in zip(left, right)) / num_perm

The estimate is unbiased and has a standard deviation of sqrt(J (1 - J) / num_perm): 0.035 at J = 0.8 and 128
permutations. dedup never reports an estimate: it uses signatures to find candidates, and then computes the exact
similarity of each.

Two signatures can be compared if they were made with the same `num_perm`, `seed`, kind of shingle and hash key. An
array of signatures has the fingerprint of the key (`Signatures`). The permutations are those of the ``affine32`` scheme
of datasketch, so `dedup.interop` can exchange signatures with it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError, ParameterError
from dedup.hash_key import HashKey, choose_key
from dedup.options import check_array, check_seed, check_whole, shown

if TYPE_CHECKING:
    from dedup.shingling import Shingles

__all__ = ["EMPTY_LANE", "Signatures", "estimate", "permutations", "signatures"]

EMPTY_LANE = 0xFFFFFFFF
"""The value of every lane in the signature of a text without shingles. Leave such texts out: they equal no text."""

MOST_PERMUTATIONS = 1 << 16


class Signatures(np.ndarray[tuple[int, ...], np.dtype[np.uint32]]):
    """A uint32 array of signatures that also has the fingerprint of the key with which the shingles were hashed.

    Attributes
    ----------
    hash_key : the fingerprint of the key; "public" for the public key; None if the key is not known, for example in an
        array read from a file
    """

    hash_key: str | None = None

    def __array_finalize__(self, made_of: Any) -> None:
        self.hash_key = getattr(made_of, "hash_key", None)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the fingerprint together with the lanes."""
        return _signatures, (np.asarray(self), self.hash_key)


def _signatures(lanes: npt.NDArray[np.uint32], hash_key: str | None) -> Signatures:
    result = lanes.view(Signatures)
    result.hash_key = hash_key
    return result


def check_same_key(left: npt.NDArray[np.uint32], right: npt.NDArray[np.uint32]) -> None:
    """Raise `ParameterError` if both arrays have the fingerprint of a key and the fingerprints differ."""
    keys = getattr(left, "hash_key", None), getattr(right, "hash_key", None)
    if None not in keys and keys[0] != keys[1]:
        raise ParameterError(
            f"signatures: expected both by one hash key, found {keys[0]} and {keys[1]}; "
            "make both with the same hash_key"
        )


def permutations(num_perm: int, seed: int = 1) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Return the multipliers (odd) and addends of `num_perm` functions x -> a x + c mod 2^32, as two uint32 arrays.

    They are drawn from numpy's frozen `RandomState`, in the way of the ``affine32`` scheme of datasketch 2.0.
    """
    multipliers, addends = _drawn(check_whole("num_perm", num_perm, 1, MOST_PERMUTATIONS), check_seed(seed))
    return multipliers.copy(), addends.copy()


@lru_cache(maxsize=8)
def _drawn(num_perm: int, seed: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    generator = np.random.RandomState(seed)
    odd = generator.randint(0, 1 << 31, num_perm, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return odd, generator.randint(0, 1 << 32, num_perm, dtype=np.uint32)


def signatures(
    shingles: Shingles, *, num_perm: int = 128, seed: int = 1, hash_key: bytes | HashKey | None = None
) -> Signatures:
    """Return the signatures of shingle sets: uint32, shape (texts, num_perm).

    The result has the fingerprint of the key with which the shingles were hashed. If `hash_key` is given, it must be
    that key; else it is a `ParameterError`. Cost: linear in shingles times permutations.

    >>> from dedup.shingling import shingles
    >>> texts = ["one two three four five six", "one two three four five six seven"]
    >>> signatures(shingles(texts), num_perm=64).shape
    (2, 64)
    """
    functions = permutations(num_perm, seed)
    if not hasattr(shingles, "values") or not hasattr(shingles, "offsets") or not hasattr(shingles, "shingle"):
        raise InputError(
            f"shingles: expected the sets that dedup.shingling.shingles(texts) returns, found {type(shingles).__name__}"
        )
    values = np.ascontiguousarray(check_array("shingles.values", shingles.values, "uint64", 1))
    offsets = np.ascontiguousarray(check_array("shingles.offsets", shingles.offsets, "int64", 1))
    if not len(offsets) or offsets[0] < 0 or offsets[-1] > len(values) or bool(np.any(offsets[1:] < offsets[:-1])):
        raise ParameterError(
            f"shingles.offsets: expected ascending places from 0 to {len(values)}, one more than texts, found "
            f"{shown(offsets.tolist()[:8])}"
        )
    key = shingles.shingle.key
    if hash_key is not None and choose_key(hash_key) != key:
        raise ParameterError(
            f"hash_key: expected the key of the shingles, {key.fingerprint}, found {choose_key(hash_key).fingerprint}; "
            "leave it out, or make the shingles with this key"
        )
    return _signatures(sign(values, offsets, *functions), key.fingerprint)


def sign(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    multipliers: npt.NDArray[np.uint32],
    addends: npt.NDArray[np.uint32],
) -> npt.NDArray[np.uint32]:
    """Return the signatures of rows of hashes: uint32, shape (rows, permutations). Hashes may repeat in a row."""
    from dedup.kernels import minhash as kernels

    result = np.empty((len(offsets) - 1, len(multipliers)), dtype=np.uint32)
    kernels.sign(values, offsets, multipliers, addends, result)
    return result


def estimate(left: npt.NDArray[np.uint32], right: npt.NDArray[np.uint32]) -> float:
    """Return the estimated Jaccard similarity of two texts: the share of lanes in which their signatures agree.

    Raises `ParameterError` if the lengths of the signatures or their hash keys differ. Standard deviation:
    sqrt(J (1 - J) / len(left)).
    """
    for name, signature in (("left", left), ("right", right)):
        check_array(name, signature, "uint32", None)
    if left.shape != right.shape or left.ndim != 1:
        raise ParameterError(
            f"signatures: expected two rows of one length, found shapes {left.shape} and {right.shape}; "
            "make both with the same num_perm"
        )
    check_same_key(left, right)
    if len(left) == 0 or (int(left[0]) == EMPTY_LANE and bool(np.all(left == EMPTY_LANE))):
        return 0.0
    return float(np.mean(left == right))

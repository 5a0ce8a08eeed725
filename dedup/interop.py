"""Exchange signatures with datasketch 2.0.

The ``affine32`` scheme of datasketch (its default since 2.0.0) is::

    hashvalue[j] = min(a[j] * fmix32(sha1_hash32(token)) + c[j] mod 2^32 for token in tokens)

`dedup.minhash` computes the same function over other input hashes. So its signatures can be converted without loss
(`to_minhash`, `to_leanminhash`, `from_datasketch`), but must be compared only with signatures of `dedup.minhash`.
`datasketch_signatures` computes from token sets exactly the signatures of ``datasketch.MinHash.update_batch``, several
times faster. Use it to add to existing signatures of datasketch. The older ``legacy`` scheme is read, but not written.

Only the functions that return objects of datasketch need that package: ``pip install 'datasketch>=2.0'``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.errors import ParameterError
from dedup.minhash import permutations, sign
from dedup.options import check_array, check_seed, shown

if TYPE_CHECKING:
    from datasketch import LeanMinHash, MinHash

__all__ = ["datasketch_signatures", "from_datasketch", "to_leanminhash", "to_minhash"]

SCHEME = "affine32"


def datasketch_signatures(
    token_sets: Iterable[Iterable[bytes]], *, num_perm: int = 128, seed: int = 1
) -> npt.NDArray[np.uint32]:
    """Return the hash values of ``datasketch.MinHash(num_perm, seed)`` after `update_batch`: uint32, one row per set.

    Tokens are bytes, as in datasketch. All bits are set in the row of an empty set, as in datasketch.

    >>> datasketch_signatures([[b"one", b"two"]], num_perm=4).shape
    (1, 4)
    """
    functions = permutations(num_perm, seed)
    rows: list[npt.NDArray[np.uint32]] = []
    offsets = [0]
    if isinstance(token_sets, (str, bytes)) or not isinstance(token_sets, Iterable):
        raise ParameterError(f"token_sets: expected a list of sets of bytes, found {type(token_sets).__name__}")
    for number, tokens in enumerate(token_sets):
        if isinstance(tokens, (str, bytes)) or not isinstance(tokens, Iterable):
            raise ParameterError(
                f"token_sets: expected sets of bytes, found {type(tokens).__name__} at position {number}"
            )
        given = list(tokens)
        wrong = next((token for token in given if not isinstance(token, (bytes, bytearray, memoryview))), None)
        if wrong is not None or None in given:
            raise ParameterError(
                f"token_sets: expected sets of bytes, found {type(wrong).__name__} {shown(wrong)} in the set at "
                f"position {number}; encode it first"
            )
        digests = b"".join(hashlib.sha1(token, usedforsecurity=False).digest()[:4] for token in given)
        rows.append(np.frombuffer(digests, dtype="<u4"))
        offsets.append(offsets[-1] + len(rows[-1]))
    hashes = np.concatenate([np.empty(0, dtype=np.uint32), *rows])
    # the kernel reads the high half of a 64-bit hash
    values = _mix(hashes).astype(np.uint64) << np.uint64(32)
    return sign(values, np.array(offsets, dtype=np.int64), *functions)


def _mix(hashes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Return the 32-bit finaliser of MurmurHash3 of each hash, which datasketch applies too."""
    mixed = hashes ^ (hashes >> np.uint32(16))
    mixed = mixed * np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed = mixed * np.uint32(0xC2B2AE35)
    mixed ^= mixed >> np.uint32(16)
    return mixed


def to_minhash(signature: npt.NDArray[np.uint32], *, seed: int = 1) -> MinHash:
    """Return one signature as a ``datasketch.MinHash`` of scheme ``affine32``.

    ``MinHash.update`` hashes tokens with SHA-1. So call it only if `datasketch_signatures` made the signature.
    """
    from datasketch import MinHash

    return MinHash(seed=check_seed(seed), hashvalues=_checked(signature), scheme=SCHEME)


def to_leanminhash(signature: npt.NDArray[np.uint32], *, seed: int = 1) -> LeanMinHash:
    """Return one signature as a ``datasketch.LeanMinHash`` of scheme ``affine32``."""
    from datasketch import LeanMinHash

    return LeanMinHash(seed=check_seed(seed), hashvalues=_checked(signature), scheme=SCHEME)


def from_datasketch(minhashes: Iterable[Any]) -> tuple[npt.NDArray[np.uint32], int]:
    """Return the signatures of ``MinHash`` or ``LeanMinHash`` objects (uint32, one row per object) and their seed.

    Raises `ParameterError` if their seeds, lengths or schemes differ, or if the scheme has 64-bit values.
    """
    rows: list[npt.NDArray[np.uint32]] = []
    first: tuple[int, int, str] | None = None
    if not isinstance(minhashes, Iterable):
        raise ParameterError(f"minhashes: expected a list of MinHash objects, found {type(minhashes).__name__}")
    for number, minhash in enumerate(minhashes):
        if not hasattr(minhash, "seed") or not hasattr(minhash, "hashvalues"):
            raise ParameterError(
                f"minhashes: expected MinHash or LeanMinHash objects, found {type(minhash).__name__} at "
                f"position {number}"
            )
        kind = (int(minhash.seed), len(minhash.hashvalues), str(getattr(minhash, "scheme", "legacy")))
        if first is None:
            first = kind
        if kind != first:
            raise ParameterError(
                f"minhashes: expected seed={first[0]}, num_perm={first[1]}, scheme={first[2]!r} as at position 0, "
                f"found seed={kind[0]}, num_perm={kind[1]}, scheme={kind[2]!r} at position {number}"
            )
        if kind[2] == "affine64":
            raise ParameterError("minhashes: expected 32-bit hash values, found scheme 'affine64'; make them again")
        rows.append(np.asarray(minhash.hashvalues).astype(np.uint32))
    if first is None:
        raise ParameterError("minhashes: expected one or more, found none")
    return np.stack(rows), first[0]


def _checked(signature: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    checked: npt.NDArray[np.uint32] = check_array("signature", signature, "uint32", 1, wanted="one row of uint32")
    return checked

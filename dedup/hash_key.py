"""The key of all hashes of words and shingles.

Without a key of your own, a public one is used: the same for everybody, so that hashes can be compared. Who knows the
key can, with much work, write a text whose hashes are those of another one. So if strangers write the texts, and gain
something where a good text is removed, set a key that they do not know: ``hash_key=``, or the variable
``DEDUP_HASH_KEY``. Exact answers do not depend on the key.

A key is 16 bytes or more, best 32 random ones. It is spread to 16 words of 64 bits by BLAKE2b [1], keyed with it. What
is kept for later (reports, work directories, signatures) carries a fingerprint, from which the key cannot be told.

References: [1] Saarinen, Aumasson, "The BLAKE2 cryptographic hash", RFC 7693, 2015.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from dedup.errors import ParameterError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["PUBLIC", "SHORTEST", "VARIABLE", "HashKey", "choose_key", "read_key"]

VARIABLE = "DEDUP_HASH_KEY"
SHORTEST = 16
"""Bytes: a shorter key can be guessed."""

LONGEST = 1 << 16
"""Bytes that are read of a file with a key: a device that never ends is none."""


@dataclass(frozen=True)
class HashKey:
    """A key, named by its fingerprint; two keys are equal if their fingerprints are.

    It is never written anywhere: `repr` shows the fingerprint, and a pickled one has nothing else.
    """

    fingerprint: str
    _words: tuple[int, ...] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def words(self) -> npt.NDArray[np.uint64]:
        """The key as the kernels take it: uint64, 16 words."""
        import numpy as np

        if self._words is None:
            raise ParameterError(
                f"hash_key: expected the key of fingerprint {self.fingerprint}, found only its fingerprint, "
                "since keys are not pickled; make the hashes again with the key"
            )
        return np.array(self._words, dtype=np.uint64)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy as the fingerprint alone; the public key is no secret."""
        return (_public, ()) if self.fingerprint == PUBLIC.fingerprint else (HashKey, (self.fingerprint,))


def _spread(secret: bytes, fingerprint: str) -> HashKey:
    """Return the key with its 16 words: BLAKE2b of two numbers, keyed with a digest of `secret`."""
    inner = hashlib.blake2b(secret, person=b"dedup hash key").digest()
    blocks = (hashlib.blake2b(bytes([i]), key=inner, person=b"dedup words").digest() for i in range(2))
    data = b"".join(blocks)
    return HashKey(fingerprint, tuple(int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data), 8)))


PUBLIC = _spread(b"", "public")
"""The key that everybody knows."""


def _public() -> HashKey:
    return PUBLIC


@lru_cache(maxsize=16)
def _key_of(secret: bytes) -> HashKey:
    return _spread(secret, hashlib.blake2b(secret, digest_size=8, person=b"dedup print").hexdigest())


def choose_key(hash_key: bytes | HashKey | None) -> HashKey:
    """Return the key of the option `hash_key`; for None that of the variable, or else the public one.

    A key that was chosen before is taken as it is. Raises `ParameterError` where it is not bytes, or fewer than 16 of
    them. What was given is not shown.
    """
    if isinstance(hash_key, HashKey):
        return hash_key
    name, secret = "hash_key", hash_key
    if secret is None:
        given = os.environ.get(VARIABLE)
        if given is None:
            return PUBLIC
        name, secret = VARIABLE, os.fsencode(given)
    if not isinstance(secret, bytes | bytearray | memoryview):
        raise ParameterError(
            f"{name}: expected bytes or None, found {type(secret).__name__}; pass such as secrets.token_bytes(32)"
        )
    secret = bytes(secret)
    if len(secret) < SHORTEST:
        raise ParameterError(
            f"{name}: expected at least {SHORTEST} bytes, found {len(secret)}; take 32 random ones, "
            f"such as secrets.token_bytes(32){'' if name == 'hash_key' else ', or leave the variable unset'}"
        )
    return _key_of(secret)


def read_key(path: str) -> bytes:
    """Return the key that a file holds: its bytes, less one line break at their end.

    Raises `ParameterError` where the file cannot be read, or holds fewer than 16 bytes or more than 64 KiB.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(LONGEST + 1)
    except OSError as error:
        raise ParameterError(
            f"--hash-key-file: expected a file with the key, found {path!r}: {error.strerror}; name a readable file"
        ) from None
    if len(data) > LONGEST:
        raise ParameterError(
            f"--hash-key-file: expected at most {LONGEST:,} bytes in {path!r}, found more; name a file that holds a key"
        )
    data = data.removesuffix(b"\n").removesuffix(b"\r")
    if len(data) < SHORTEST:
        raise ParameterError(
            f"--hash-key-file: expected at least {SHORTEST} bytes in {path!r}, found {len(data)}; "
            "write 32 random ones, such as: head -c 32 /dev/urandom > KEY"
        )
    return data

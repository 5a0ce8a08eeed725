"""The key of all hashes of words and shingles.

Unless you set a key, a public key is used. It is the same for everybody, so that hashes can be compared. Somebody who
knows the key can, with much work, write a text that has the hashes of another text. So set a secret key for untrusted
texts, if their authors gain something when a good text is removed: ``hash_key=``, or the variable ``DEDUP_HASH_KEY``.
Exact answers do not depend on the key.

A key is at least 16 bytes, preferably 32 random ones. BLAKE2b [1], keyed with it, expands it to 16 words of 64 bits.
Reports, work directories and signatures store a fingerprint of the key, from which the key cannot be computed.

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

__all__ = ["KEY_VARIABLE", "PUBLIC", "SHORTEST", "HashKey", "choose_key", "read_key"]

KEY_VARIABLE = "DEDUP_HASH_KEY"
SHORTEST = 16
"""Bytes. The length of the shortest key that is accepted: a shorter one can be guessed."""

LONGEST_KEY_FILE = 1 << 16
"""Bytes. The size of the largest key file that is accepted: so a device that never ends is refused."""


@dataclass(frozen=True)
class HashKey:
    """A key and its fingerprint. Two keys are equal if their fingerprints are equal.

    The key itself is never written: `repr` and a pickle contain only the fingerprint.
    """

    fingerprint: str
    _words: tuple[int, ...] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def words(self) -> npt.NDArray[np.uint64]:
        """The key in the form that the kernels use: a uint64 array of 16 words."""
        import numpy as np

        if self._words is None:
            raise ParameterError(
                f"hash_key: expected the key of fingerprint {self.fingerprint}, found only its fingerprint, "
                "since keys are not pickled; make the hashes again with the key"
            )
        return np.array(self._words, dtype=np.uint64)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy only the fingerprint; the public key, which is not secret, is restored from it."""
        return (_public, ()) if self.fingerprint == PUBLIC.fingerprint else (HashKey, (self.fingerprint,))


def _spread(secret: bytes, fingerprint: str) -> HashKey:
    """Return a key with its 16 words: the BLAKE2b digests of the numbers 0 and 1, keyed with a digest of `secret`."""
    inner = hashlib.blake2b(secret, person=b"dedup hash key").digest()
    blocks = (hashlib.blake2b(bytes([i]), key=inner, person=b"dedup words").digest() for i in range(2))
    data = b"".join(blocks)
    return HashKey(fingerprint, tuple(int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data), 8)))


PUBLIC = _spread(b"", "public")
"""The public key, which everybody knows."""


def _public() -> HashKey:
    return PUBLIC


@lru_cache(maxsize=16)
def _key_of(secret: bytes) -> HashKey:
    return _spread(secret, hashlib.blake2b(secret, digest_size=8, person=b"dedup print").hexdigest())


def choose_key(hash_key: bytes | HashKey | None) -> HashKey:
    """Return the key for the option `hash_key`. For None, use the variable ``DEDUP_HASH_KEY``, else the public key.

    A `HashKey` is returned unchanged. Raises `ParameterError` if the value is not bytes or is shorter than 16 bytes.
    The message does not show the value.
    """
    if isinstance(hash_key, HashKey):
        return hash_key
    name, secret = "hash_key", hash_key
    if secret is None:
        given = os.environ.get(KEY_VARIABLE)
        if given is None:
            return PUBLIC
        name, secret = KEY_VARIABLE, os.fsencode(given)
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
    """Return the key in a file: its bytes without a line break at the end.

    Raises `ParameterError` if the file cannot be read, or contains fewer than 16 bytes or more than 64 KiB.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(LONGEST_KEY_FILE + 1)
    except OSError as error:
        raise ParameterError(
            f"--hash-key-file: expected a file with the key, found {path!r}: {error.strerror}; name a readable file"
        ) from None
    if len(data) > LONGEST_KEY_FILE:
        raise ParameterError(
            f"--hash-key-file: expected at most {LONGEST_KEY_FILE:,} bytes in {path!r}, found more; "
            "name a file that holds a key"
        )
    data = data.removesuffix(b"\n").removesuffix(b"\r")
    if len(data) < SHORTEST:
        raise ParameterError(
            f"--hash-key-file: expected at least {SHORTEST} bytes in {path!r}, found {len(data)}; "
            "write 32 random ones, such as: head -c 32 /dev/urandom > KEY"
        )
    return data

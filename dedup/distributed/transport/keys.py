"""Keys: 64 bits that stand for a unit in all stages, made of its document's id; and filters of keys.

A document's number cannot be its position: an engine cuts the input as it likes, each time it reads it. Keys of int ids
differ if the ids do. Keys of ids that are texts are hashes. Two documents with one key are found in the first stage:
they have one id, or the job begins again with another seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.hash_key import HashKey
from dedup.sources.arrow import block_of

__all__ = ["GOLDEN", "Bloom", "Keys", "block_key", "document_keys", "mix", "part_of", "places_of", "unit_keys"]

Keys = npt.NDArray[np.uint64]

GOLDEN = 0x9E3779B97F4A7C15
"""2^64 divided by the golden ratio."""

BLOOM_BITS, BLOOM_HASHES = 20, 14
"""Bits of a filter per key, and how many of them a key sets: one of 15,000 other keys passes by chance."""


def mix(values: Keys) -> Keys:
    """Return other 64 bits for each of `values`, one-to-one, in which every bit depends on all bits (splitmix64)."""
    values = values + np.uint64(GOLDEN)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def document_keys(ids: pa.Array, key: HashKey, seed: int) -> Keys:
    """Return the key of each document, by its id (int or text); ids are not null."""
    if pa.types.is_integer(ids.type):
        return mix(ids.cast(pa.int64()).to_numpy(zero_copy_only=False).view(np.uint64) + np.uint64(seed))
    from dedup.kernels.forms import hash_texts

    block = block_of(0, ids.cast(pa.large_string()))
    keys = np.empty(len(ids), dtype=np.uint64)
    hash_texts(block.values, block.starts, block.ends, key.words, keys)
    return mix(keys ^ np.uint64(seed))


def unit_keys(documents: Keys, places: npt.NDArray[np.int64]) -> Keys:
    """Return the key of each unit: of its document, and of its number in it, if documents are not the units."""
    own = documents[places[:, 0]]
    if places.shape[1] == 1:
        return own
    return mix(mix(own) ^ mix(places[:, 1].astype(np.uint64)))  # ids and numbers may be the same small integers


def part_of(keys: Keys, bits: int) -> npt.NDArray[np.int64]:
    """Return the top `bits` bits, at least 1, of each value."""
    return (keys >> np.uint64(64 - bits)).astype(np.int64)


def block_key(keys: Keys) -> int:
    """Return a number for the block of units with these keys; another order makes another number."""
    order = mix(np.arange(len(keys), dtype=np.uint64))
    total = mix(np.array([np.bitwise_xor.reduce(mix(keys ^ order), initial=np.uint64(len(keys)))], dtype=np.uint64))
    return int(total.view(np.int64)[0])


def places_of(keys: Keys, among: Keys) -> npt.NDArray[np.int64]:
    """Return the place of each key in `among`, which ascends and contains it; -1 for one that it does not contain."""
    places = np.searchsorted(among, keys)
    places[places == len(among)] = 0
    return np.where(among[places] == keys, places, -1) if len(among) else np.full(len(keys), -1, dtype=np.int64)


@dataclass(frozen=True)
class Bloom:
    """A filter that all of some keys pass, and few others [1]. Cost: 2.5 bytes a key.

    References: [1] Bloom, "Space/time trade-offs in hash coding with allowable errors", CACM 1970.
    """

    words: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, keys: Keys) -> Bloom:
        """Return the filter for some keys."""
        bits = max(10, int(BLOOM_BITS * max(len(keys), 1) - 1).bit_length())
        table = np.zeros(1 << bits, dtype=np.bool_)
        for some in _places(keys, bits):
            table[some] = True
        return cls(np.packbits(table))

    def __call__(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Return which keys pass."""
        passed = np.ones(len(keys), dtype=np.bool_)
        for some in _places(keys, 3 + int(len(self.words) - 1).bit_length()):
            passed &= (self.words[some >> 3] >> (7 - (some & 7)).astype(np.uint8) & 1).astype(np.bool_)
        return passed


def _places(keys: Keys, bits: int) -> Any:
    """Yield the bit of each key, `BLOOM_HASHES` times (double hashing)."""
    one, step = mix(keys), mix(~keys) | np.uint64(1)
    for _ in range(BLOOM_HASHES):
        yield (one >> np.uint64(64 - bits)).astype(np.int64)
        one = one + step

"""Bands of a signature, and the buckets that they make.

Definition, in naive Python::

    key[band] = mix(fold over the r lanes of the band: h = (h ^ lane) * C; h ^= h >> 32; starting from band + 1)
    bucket[band][key] = the texts with that key, in the order of the input

Most keys occur once. `seen_twice` finds the keys that may occur again, with two bits per slot. Its errors are one-sided
(a key that occurs twice is always found), so sorting these few keys gives exactly the buckets.

Cost: linear in the lanes and in the keys, except for the sort of the few keys.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel
from dedup.kernels.words import mix

STEP = np.uint64(0x9FB21C651E98DF25)


@kernel
def band_keys(signatures: Table[np.uint32], rows: int, keys: Written[Table[np.uint64]]) -> None:
    """Write the key of every band into ``keys[band, text]``; band b is lanes ``b * rows`` to ``(b + 1) * rows - 1``."""
    for text in range(len(signatures)):
        for band in range(len(keys)):
            h = np.uint64(band + 1)
            for j in range(band * rows, (band + 1) * rows):
                h = (h ^ np.uint64(signatures[text, j])) * STEP
                h ^= h >> np.uint64(32)
            keys[band, text] = mix(h)


@kernel
def seen_twice(keys: npt.NDArray[np.uint64], texts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the `texts` whose key may be the key of another: all that have such a partner, and a few that do not."""
    bits = 10
    while (1 << bits) < 16 * len(texts):
        bits += 1
    table = np.zeros(1 << (bits - 5), dtype=np.uint64)  # 32 slots of two bits per word
    shift = np.uint64(64 - bits)
    for text in texts:
        slot = keys[text] >> shift
        word = np.int64(slot >> np.uint64(5))
        once = np.uint64(1) << ((slot & np.uint64(31)) << np.uint64(1))
        table[word] |= (table[word] & once) << np.uint64(1) | once
    count = 0
    found = np.empty(len(texts), dtype=np.int64)
    for text in texts:
        slot = keys[text] >> shift
        twice = np.uint64(2) << ((slot & np.uint64(31)) << np.uint64(1))
        if table[np.int64(slot >> np.uint64(5))] & twice:
            found[count] = text
            count += 1
    return found[:count]


@kernel
def bucket_pairs(members: npt.NDArray[np.int64], bounds: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Return all pairs inside each bucket ``members[bounds[b]:bounds[b + 1]]``, ascending: left << 32 | right."""
    total = 0
    for bucket in range(len(bounds) - 1):
        size = bounds[bucket + 1] - bounds[bucket]
        total += size * (size - 1) // 2
    pairs = np.empty(total, dtype=np.uint64)
    at = 0
    for bucket in range(len(bounds) - 1):
        for i in range(bounds[bucket], bounds[bucket + 1]):
            left = np.uint64(members[i]) << np.uint64(32)
            for j in range(i + 1, bounds[bucket + 1]):
                pairs[at] = left | np.uint64(members[j])
                at += 1
    return pairs

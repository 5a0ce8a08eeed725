"""Buckets: the texts with one key of a band, and an index in memory over them.

The package's page says what bands are for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedup.errors import ParameterError
from dedup.lsh.bands import Bands, band_keys, check_bands
from dedup.minhash import check_same_key
from dedup.options import check_array, shown
from dedup.runtime.arrays import sorted_unique

__all__ = ["LSH", "SMALL_BUCKET", "Buckets", "find_buckets"]

SMALL_BUCKET = 64
"""Texts: in buckets up to this size all pairs are candidates; larger ones go by verified leaders. Curve:
`benchmarks.tuning.buckets_small_bucket`."""


@dataclass(frozen=True)
class Buckets:
    """Texts that share the key of a band.

    Attributes
    ----------
    pairs : (n, 2) int64, left < right, sorted, each once: all pairs of texts in buckets up to `SMALL_BUCKET`
    members, bounds : the larger buckets: bucket i is ``members[bounds[i]:bounds[i + 1]]``, ascending int64
    """

    pairs: npt.NDArray[np.int64]
    members: npt.NDArray[np.int64]
    bounds: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of larger buckets."""
        return len(self.bounds) - 1


PAIRS_HELD = 1 << 24
"""Packed pairs that may wait before repeated ones are thrown out: 128 MB. Curve:
`benchmarks.tuning.buckets_pairs_held`."""


MOST_PAIRS = 64
"""Candidates a text, above which they are no help: nearly all of them are real, and an exact search takes less. Curve:
`benchmarks.tuning.buckets_most_pairs`."""


def find_buckets(keys: npt.NDArray[np.uint64], texts: npt.NDArray[np.int64]) -> Buckets | None:
    """Return the pairs and the larger buckets of some texts; `keys` as from `band_keys`, `texts` ascending rows.

    None where there are more than `PAIRS_HELD` candidates, and more than `MOST_PAIRS` a text: pairs, or leaders that
    the members of the larger buckets may meet.
    """
    from dedup.kernels import lsh as kernels
    from dedup.kernels.clusters import LEADERS

    check_array("keys", keys, "uint64", 2)
    check_array("texts", texts, "int64", 1)
    if len(keys) and len(texts) and not 0 <= int(texts.min()) <= int(texts.max()) < keys.shape[1]:
        raise ParameterError(
            f"texts: expected rows from 0 to {keys.shape[1] - 1}, found {int(texts.min())} to {int(texts.max())}"
        )
    most = max(PAIRS_HELD, MOST_PAIRS * len(texts))
    packed: list[npt.NDArray[np.uint64]] = []
    members: list[npt.NDArray[np.int64]] = []
    sizes: list[npt.NDArray[np.int64]] = []
    for band_key in keys:
        for group, bounds in _groups(band_key, kernels.seen_twice(band_key, texts)):
            if bounds is None:
                members.append(group)
                sizes.append(np.array([len(group)], dtype=np.int64))
            else:
                packed.append(kernels.bucket_pairs(group, bounds))
        if sum(map(len, packed)) > PAIRS_HELD:
            packed = [sorted_unique(np.concatenate(packed))]
            if len(packed[0]) > most:
                return None
        if LEADERS * sum(map(len, members)) > most:
            return None
    pairs = sorted_unique(np.concatenate([np.empty(0, dtype=np.uint64), *packed]))
    split = np.column_stack((pairs >> np.uint64(32), pairs & np.uint64(0xFFFFFFFF))).astype(np.int64)
    none = np.empty(0, dtype=np.int64)
    bounds = np.cumsum(np.concatenate([np.zeros(1, dtype=np.int64), *sizes]))
    return Buckets(split, np.concatenate([none, *members]), bounds)


def _groups(
    keys: npt.NDArray[np.uint64], texts: npt.NDArray[np.int64]
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64] | None]]:
    """Yield the small buckets of one band together (members, bounds), and each larger one alone (members, None)."""
    order = np.argsort(keys[texts], kind="stable")
    texts = texts[order]
    ordered = keys[texts]
    edges = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1], [True]))) if len(texts) else np.zeros(1)
    starts, sizes = edges[:-1].astype(np.int64), np.diff(edges).astype(np.int64)
    small = (sizes >= 2) & (sizes <= SMALL_BUCKET)
    if small.any():
        rows = np.repeat(starts[small] - np.cumsum(sizes[small]) + sizes[small], sizes[small])
        picked = texts[rows + np.arange(len(rows))]
        yield picked, np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(sizes[small])))
    for start, size in zip(starts[sizes > SMALL_BUCKET], sizes[sizes > SMALL_BUCKET], strict=True):
        yield texts[start : start + size], None


class LSH:
    """Buckets in memory: add signatures under any key, ask which keys may be similar.

    What comes back are candidates: count them (`dedup.shingling.Shingles.jaccard`) before believing them.

    >>> from dedup.lsh import choose_bands
    >>> from dedup.minhash import signatures
    >>> from dedup.shingling import shingles
    >>> texts = ["a b c d e f g h i j", "a b c d e f g h i j k", "quite another text than the two of them"]
    >>> bands = choose_bands(0.8)
    >>> index = LSH(bands)
    >>> index.add(["one", "two", "three"], signatures(shingles(texts), num_perm=bands.num_perm))
    >>> index.query(signatures(shingles(["a b c d e f g h i j k"]), num_perm=bands.num_perm)[0])
    ['one', 'two']
    """

    def __init__(self, bands: Bands) -> None:
        self.bands = check_bands(bands)
        self._keys: list[object] = []
        self._sample: npt.NDArray[np.uint32] = np.empty(0, dtype=np.uint32)  # knows the key of the hashes
        self._tables: list[dict[int, list[int]]] = [{} for _ in range(bands.bands)]

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, keys: list[object] | list[str] | list[int], signatures: npt.NDArray[np.uint32]) -> None:
        """Add each signature under its key. Texts without shingles are in no bucket.

        Raises `ParameterError` where lengths differ, or the signatures are by another hash key than those before.
        """
        of = f"signatures of shape (texts, {self.bands.num_perm}), uint32"
        check_array("signatures", signatures, "uint32", 2, wanted=of)
        if isinstance(keys, (str, bytes)) or not isinstance(keys, Iterable):
            raise ParameterError(f"keys: expected a list, a key a signature, found {type(keys).__name__} {shown(keys)}")
        keys = list(keys)
        if len(keys) != len(signatures):
            raise ParameterError(f"keys: expected one a signature, found {len(keys)} for {len(signatures)} signatures")
        check_same_key(self._sample, signatures)
        if len(signatures):
            self._sample = signatures[:1]
        full = (signatures != np.uint32(0xFFFFFFFF)).any(axis=1)
        for table, row in zip(self._tables, band_keys(signatures, self.bands), strict=True):
            for place, (key, used) in enumerate(zip(row.tolist(), full.tolist(), strict=True), start=len(self._keys)):
                if used:
                    table.setdefault(key, []).append(place)
        self._keys += keys

    def query(self, signature: npt.NDArray[np.uint32]) -> list[object]:
        """Return the keys that share a bucket with `signature`, in the order in which they were added.

        Raises `ParameterError` where it is by another hash key than those that were added.
        """
        check_array("signature", signature, "uint32", 1, wanted=f"{self.bands.num_perm} lanes of uint32, one signature")
        check_same_key(self._sample, signature)
        if bool((signature == np.uint32(0xFFFFFFFF)).all()):
            return []
        found: set[int] = set()
        for table, row in zip(self._tables, band_keys(signature[np.newaxis], self.bands), strict=True):
            found.update(table.get(int(row[0]), ()))
        return [self._keys[place] for place in sorted(found)]

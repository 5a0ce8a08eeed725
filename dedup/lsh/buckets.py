"""Buckets: the texts with the same key in a band, and an index in memory over them.

The docstring of the package explains bands.
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

__all__ = ["BUCKET_LIMITS", "LSH", "SMALL_BUCKET", "BucketLimits", "Buckets", "buckets_within", "find_buckets"]

SMALL_BUCKET = 64
"""Texts. In buckets up to this size all pairs are candidates; in larger ones, texts are compared with verified leaders
only. Curve: `benchmarks.tuning.buckets_small_bucket`; flat from 4 to 256 on generated:10000 (two cores, 2026-11)."""


@dataclass(frozen=True)
class Buckets:
    """Texts that share the key of a band.

    Attributes
    ----------
    pairs : (n, 2) int64, left < right, sorted, without repetitions: all pairs of texts in buckets up to `SMALL_BUCKET`
    members, bounds : the larger buckets: bucket i is ``members[bounds[i]:bounds[i + 1]]``, ascending int64
    """

    pairs: npt.NDArray[np.int64]
    members: npt.NDArray[np.int64]
    bounds: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of larger buckets."""
        return len(self.bounds) - 1


PAIRS_HELD = 1 << 24
"""Packed pairs that may wait before repetitions are removed: 128 MB. Curve: `benchmarks.tuning.buckets_pairs_held`;
flat from 2^15 to 2^27 on generated:10000 (two cores, 2026-11)."""


MAX_CANDIDATES_PER_TEXT = 64
"""Candidates per text. If there are more, nearly all of them are real, and an exact search takes less time. Curve:
`benchmarks.tuning.buckets_max_candidates_per_text`; on family:1500, the answer differs with 8 and 512 takes 0.80 times
as long (two cores, 2026-11)."""


@dataclass(frozen=True)
class BucketLimits:
    """How many candidates buckets may give: see the constants."""

    pairs_held: int = PAIRS_HELD
    candidates_per_text: int = MAX_CANDIDATES_PER_TEXT


BUCKET_LIMITS = BucketLimits()


def find_buckets(keys: npt.NDArray[np.uint64], texts: npt.NDArray[np.int64]) -> Buckets | None:
    """Return the pairs and the larger buckets of some texts; `keys` are those of `band_keys`, `texts` ascending rows.

    None if there are more than `PAIRS_HELD` candidates, and more than `MAX_CANDIDATES_PER_TEXT` per text. Candidates
    are pairs, or leaders with which the members of the larger buckets may be compared.
    """
    return buckets_within(keys, texts, BUCKET_LIMITS)


def buckets_within(keys: npt.NDArray[np.uint64], texts: npt.NDArray[np.int64], limits: BucketLimits) -> Buckets | None:
    """Return what `find_buckets` does, within other limits."""
    from dedup.kernels import lsh as kernels
    from dedup.kernels.clusters import LEADERS

    check_array("keys", keys, "uint64", 2)
    check_array("texts", texts, "int64", 1)
    if len(keys) and len(texts) and not 0 <= int(texts.min()) <= int(texts.max()) < keys.shape[1]:
        raise ParameterError(
            f"texts: expected rows from 0 to {keys.shape[1] - 1}, found {int(texts.min())} to {int(texts.max())}"
        )
    most = max(limits.pairs_held, limits.candidates_per_text * len(texts))
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
        if sum(map(len, packed)) > limits.pairs_held:
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
    """Yield all small buckets of one band together (members, bounds), then each larger one (members, None)."""
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
    """Buckets in memory: add signatures under any key, then query which keys may be similar.

    A query returns candidates. Compute their similarity (`dedup.shingling.Shingles.jaccard`) before you rely on them.

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
        self._sample: npt.NDArray[np.uint32] = np.empty(0, dtype=np.uint32)  # records the key of the hashes
        self._tables: list[dict[int, list[int]]] = [{} for _ in range(bands.bands)]

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, keys: list[object] | list[str] | list[int], signatures: npt.NDArray[np.uint32]) -> None:
        """Add each signature under its key. Texts without shingles are in no bucket.

        Raises `ParameterError` if lengths differ, or if the signatures have another hash key than the earlier ones.
        """
        of = f"signatures of shape (texts, {self.bands.num_perm}), uint32"
        check_array("signatures", signatures, "uint32", 2, wanted=of)
        if isinstance(keys, (str, bytes)) or not isinstance(keys, Iterable):
            raise ParameterError(
                f"keys: expected a list with a key per signature, found {type(keys).__name__} {shown(keys)}"
            )
        keys = list(keys)
        if len(keys) != len(signatures):
            raise ParameterError(
                f"keys: expected one per signature, found {len(keys)} for {len(signatures)} signatures"
            )
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

        Raises `ParameterError` if it has another hash key than the added signatures.
        """
        check_array("signature", signature, "uint32", 1, wanted=f"{self.bands.num_perm} lanes of uint32, one signature")
        check_same_key(self._sample, signature)
        if bool((signature == np.uint32(0xFFFFFFFF)).all()):
            return []
        found: set[int] = set()
        for table, row in zip(self._tables, band_keys(signature[np.newaxis], self.bands), strict=True):
            found.update(table.get(int(row[0]), ()))
        return [self._keys[place] for place in sorted(found)]

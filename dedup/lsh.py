"""Locality-sensitive hashing: which pairs are worth counting.

A signature is cut into b bands of r rows (lanes). Two texts are a *candidate* if they agree in all rows of some band;
for similarity s that happens with probability::

    P(s) = 1 - (1 - s ** r) ** b

an S-shaped curve. The common choice puts its steepest point at the threshold, and so loses half of the pairs that lie
there. Here every candidate is counted afterwards, so a wrong one costs a microsecond and a lost one is lost for good:
`choose_bands` takes the curve that is at least `recall` *at the threshold*, and the cheapest of those.

>>> print(choose_bands(0.8))
14 bands of 4 rows: 56 permutations
similarity  found
      0.10   0.1 %
      0.20   2.2 %
      0.30  10.8 %
      0.40  30.4 %
      0.50  59.5 %
      0.60  85.7 %
      0.70  97.9 %
      0.80  99.9 %  <- threshold, 99.9 % promised
      0.90 100.0 %
      1.00 100.0 %
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedup.background import Background
from dedup.errors import ParameterError
from dedup.minhash import check_same_key
from dedup.options import check_array, check_recall, check_share, check_threshold, check_whole, shown
from dedup.runtime.arrays import sorted_unique

__all__ = ["LSH", "Bands", "Buckets", "band_keys", "choose_bands", "find_buckets", "measure_recall"]

SMALL_BUCKET = 64
"""Texts: in buckets up to this size all pairs are candidates; larger ones go by verified leaders."""

NORMAL_95 = 1.96
"""Standard deviations to either side of the mean that hold 95 % of a normal law."""

MOST_BANDS = 4096
MOST_ROWS = 16
LANE_COST = 14.0
CANDIDATE_COST = 300.0
SORTING_COST = 1800.0
"""Nanoseconds for a text of 300 shingles: a permutation; counting a candidate; sorting the shingles of a text that is
in some candidate. Only their ratios decide, and only between settings that keep the promise."""


@dataclass(frozen=True)
class Bands:
    """A choice of bands, and what it promises.

    Attributes
    ----------
    bands, rows : how a signature of ``bands * rows`` permutations is cut
    threshold : the similarity that it was chosen for
    recall : what was asked for there
    """

    bands: int
    rows: int
    threshold: float
    recall: float

    def __post_init__(self) -> None:
        values = {"bands": check_whole("bands", self.bands, 0), "rows": check_whole("rows", self.rows, 1)}
        for name, value in {**values, "threshold": check_threshold(self.threshold)}.items():
            object.__setattr__(self, name, value)

    @property
    def num_perm(self) -> int:
        """The number of permutations: bands times rows."""
        return self.bands * self.rows

    def probability(self, similarity: float) -> float:
        """Return the probability that two texts of this Jaccard similarity become a candidate."""
        return _probability(similarity, self.bands, self.rows)

    def __str__(self) -> str:
        lines = [f"{self.bands} bands of {self.rows} rows: {self.num_perm} permutations", "similarity  found"]
        points = sorted({*(i / 10 for i in range(1, 11)), self.threshold})
        for point in points:
            line = f"{point:10.2f} {100 * self.probability(point):5.1f} %"
            if point == self.threshold:
                line += f"  <- threshold, {100 * self.recall:g} % promised"
            lines.append(line)
        return "\n".join(lines)


def choose_bands(
    threshold: float, recall: float = 0.999, *, texts: int = 100_000, background: float | Background = 0.01
) -> Bands:
    """Return the cheapest bands that find a pair at the threshold with at least this probability.

    Cost counts the permutations of a text and the candidates that it makes with the others: `texts` of them, of
    similarity `background`, or as alike as a sample of them was found to be (`dedup.background`). It is a pure function
    of its arguments. Raises `ParameterError` unless ``0 < threshold <= 1`` and ``0 < recall < 1``.

    >>> choose_bands(0.5).probability(0.5) >= 0.999
    True
    """
    threshold, recall = check_threshold(threshold), check_recall(recall)
    texts = check_whole("texts", texts, 0)
    if not isinstance(background, Background):
        background = check_share("background", background)
    best, least_cost = None, math.inf
    for rows in range(1, MOST_ROWS + 1):
        hit = threshold**rows
        wanted = 1.0 if hit == 1.0 else math.log(1.0 - recall) / math.log1p(-hit) if hit else math.inf
        if wanted > MOST_BANDS:
            break
        bands = math.ceil(wanted)
        if _probability(threshold, bands, rows) < recall:  # rounding of the logarithms
            bands += 1
        if isinstance(background, Background):
            chance = background.chance(bands, rows)
        else:
            chance = _probability(background, bands, rows)
        candidates = texts / 2 * chance
        cost = LANE_COST * bands * rows + CANDIDATE_COST * candidates
        cost -= SORTING_COST * math.expm1(-2.0 * candidates)
        if cost < least_cost:
            best, least_cost = (bands, rows), cost
    if best is None:
        raise ParameterError(
            f"threshold: {threshold} at recall {recall} needs more than {MOST_BANDS} bands; expected a higher threshold"
        )
    return Bands(*best, threshold, recall)


def _probability(similarity: float, bands: int, rows: int) -> float:
    return 1.0 - (1.0 - similarity**rows) ** bands


def _check_bands(bands: Bands) -> Bands:
    if not isinstance(bands, Bands):
        raise ParameterError(
            f"bands: expected Bands, as dedup.lsh.choose_bands(threshold) returns, found {type(bands).__name__}"
        )
    return bands


def band_keys(signatures: npt.NDArray[np.uint32], bands: Bands) -> npt.NDArray[np.uint64]:
    """Return the key of each band of each signature: uint64, shape (bands, texts).

    Raises `ParameterError` where the signatures do not have ``bands.num_perm`` lanes.
    """
    from dedup.kernels import lsh as kernels

    _check_bands(bands)
    check_array("signatures", signatures, "uint32", None)
    if signatures.ndim != 2 or signatures.shape[1] != bands.num_perm:
        raise ParameterError(
            f"signatures: expected shape (texts, {bands.num_perm}) for {bands.bands} bands of {bands.rows} rows, "
            f"found {signatures.shape}"
        )
    keys = np.empty((bands.bands, len(signatures)), dtype=np.uint64)
    kernels.band_keys(signatures, bands.rows, keys)
    return keys


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
"""Packed pairs that may wait before repeated ones are thrown out: 128 MB."""


MOST_PAIRS = 64
"""Candidates a text, above which they are no help: nearly all of them are real, and an exact search takes less."""


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


def measure_recall(
    similarities: npt.NDArray[np.float64], bands: Bands, strays: tuple[float, float] | None = None
) -> tuple[float, tuple[float, float]] | None:
    """Return the share of the pairs that was found, and its 95 % interval, from the pairs that were; None without any.

    A pair that was found had to be found with the known probability P of its similarity, so it stands for 1 / P pairs
    of its kind (Horvitz and Thompson, 1952): of ``sum(1 / P)`` pairs, with the variance ``sum((1 - P) / P ** 2)`` where
    pairs are independent. `strays` says how many such standard deviations that number strays to either side, as
    (negative, positive), in 95 of 100 runs: None, for independent pairs, stands for those of the normal law, 1.96 each;
    in families they are more (`dedup.replay`). The interval ends at 1. It is about pairs whose collisions were all
    examined.
    """
    below, above = (-NORMAL_95, NORMAL_95) if strays is None else strays
    _check_bands(bands)
    check_array("similarities", similarities, "float64", 1)
    if not len(similarities):
        return None
    chance = 1.0 - (1.0 - similarities**bands.rows) ** bands.bands
    found, total = len(chance), float(np.sum(1.0 / chance))
    spread = math.sqrt(float(np.sum((1.0 - chance) / chance**2)))
    return found / total, (found / (total - below * spread), found / max(found, total - above * spread))


class LSH:
    """Buckets in memory: add signatures under any key, ask which keys may be similar.

    What comes back are candidates: count them (`dedup.shingling.Shingles.jaccard`) before believing them.

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
        self.bands = _check_bands(bands)
        self._keys: list[object] = []
        self._sample: npt.NDArray[np.uint32] = np.empty(0, dtype=np.uint32)  # knows the key of the hashes
        self._tables: list[dict[int, list[int]]] = [{} for _ in range(bands.bands)]

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, keys: list[object] | list[str] | list[int], signatures: npt.NDArray[np.uint32]) -> None:
        """Add each signature under its key. Texts without shingles are in no bucket.

        Raises `ParameterError` where lengths differ, or the signatures are by another hash key than those before.
        """
        check_array("signatures", signatures, "uint32", None)
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
        check_array("signature", signature, "uint32", None)
        check_same_key(self._sample, signature)
        if bool((signature == np.uint32(0xFFFFFFFF)).all()):
            return []
        found: set[int] = set()
        for table, row in zip(self._tables, band_keys(signature[np.newaxis], self.bands), strict=True):
            found.update(table.get(int(row[0]), ()))
        return [self._keys[place] for place in sorted(found)]

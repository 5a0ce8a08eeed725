"""The exact join by edit similarity: every pair of texts that reaches the threshold.

In naive Python, for the code points of the tokens of each text, joined by single spaces::

    longer = max(len(left), len(right))
    reached = (longer - levenshtein(left, right)) / longer >= threshold           # float64

`similarity` of a pair is ``shared / longer``, with ``shared = longer - distance``: so pairs have the same evidence as
those of sets (`dedup.pairs.verify.Pairs`), and the same rule at the threshold: the least `shared` is
``least(longer, threshold)``, and so many edits are allowed as are left.

Texts are sorted by length, and each is compared with texts before it that are not too short. They are taken in bands of
lengths. For each band a sample of its texts decides how, so it depends on the texts alone:

* If filters leave few candidates (`dedup.kernels.grams`), these are verified. Candidates come from an index of rare
  q-grams, or from a look at the signatures of all texts of fitting length, whichever reads less.
* Elsewhere all texts of fitting length are compared. Pages with much noise, at a low threshold, share as many q-grams
  with any other page as with their own copy, so no filter tells them apart.

Either way the answer is the same.

Cost: `dedup.kernels.grams`, and a distance per candidate. Memory: at most `POINT_BYTES` per character and
`EDIT_TEXT_BYTES` per text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.edit.distances import distances, distances_across
from dedup.edit.points import Points, points_of
from dedup.hashing.units import Units
from dedup.pairs.verify import NO_GROUPS, Groups, PairLimit, Pairs, columns_of, in_order, no_pair, pairs_of
from dedup.runtime.threads import map_blocks
from dedup.threshold import Threshold, least

__all__ = ["EDIT_LIMITS", "EditLimits", "bytes_needed", "edit_join", "edits_of", "gram_size"]

Rows = npt.NDArray[np.int64]

POINT_BYTES, EDIT_TEXT_BYTES = 64, 256
"""Bytes per character and per text while texts are joined, at most."""

LARGEST_GRAM = 6
"""Characters."""

SAMPLED_EDITS = 32
"""Texts. So many of each band are compared with all others, to see how many candidates the count of grams leaves."""

PROBED = 512
"""Texts that a thread looks up at a time. Curve: `benchmarks.tuning.join_probed`; flat from 128 to 2048
on generated:5000 (two busy cores, 2026-11)."""

CANDIDATE_SHARE = 0.125
"""Share of the pairs of a band. If filters leave more, all pairs are verified: a distance takes a tenth of the time
then, since `rapidfuzz` prepares each text once. Curve: `benchmarks.tuning.join_candidate_share`; flat from 0.03 to 0.5
on generated:5000 (two busy cores, 2026-11)."""

ENTRY_SHARE = 1.0
"""Entries of the index per pair of a band. If more are read, the signatures of all texts are looked at. Curve:
`benchmarks.tuning.join_entry_share`; flat from 0.5 to 4 on generated:5000 (two busy cores, 2026-11)."""

COMPARED = 32
"""Texts that a thread compares with all texts of fitting length at a time. Curve:
`benchmarks.tuning.join_compared`; flat from 8 to 128 on generated:5000 (two busy cores, 2026-11)."""

CANDIDATES = 1 << 14
"""Candidates that a thread verifies at a time. Curve: `benchmarks.tuning.join_candidates`; flat from 2^10 to 2^18
on generated:5000 (two busy cores, 2026-11)."""


@dataclass(frozen=True)
class EditLimits:
    """From where on all pairs of a band are looked at: by their distances, and by their signatures."""

    candidates: float = CANDIDATE_SHARE
    entries: float = ENTRY_SHARE


EDIT_LIMITS = EditLimits()


def bytes_needed(texts: int, characters: int) -> int:
    """Return the bytes that a join takes at most, with its hashes and without its pairs."""
    return POINT_BYTES * characters + EDIT_TEXT_BYTES * texts


def gram_size(threshold: float) -> int:
    """Return q, at least 2: about six tenths of the grams of a text may be lost to edits."""
    return min(max(int(0.6 / max(1.0 - threshold, 1e-9) + 1e-9), 2), LARGEST_GRAM)


def edit_join(
    units: Units,
    leading: Rows,
    threshold: Threshold,
    *,
    limit: PairLimit,
    threads: int,
    groups: Groups = NO_GROUPS,
    lefts: int = 0,
    progress: Callable[[int], None] = lambda _: None,
    limits: EditLimits = EDIT_LIMITS,
) -> Pairs:
    """Return all pairs of the `leading` texts that reach the threshold, with ``shared = longer - distance``.

    Writes the lengths of the texts to the sizes of the units.

    Parameters
    ----------
    units : with the hashes of their single characters, in the order of the text
    leading : int64; the units that are compared; each has a token
    limit : counts the pairs, and raises if there are too many
    groups : by unit; units that are `no_pair` by their groups are none
    lefts : units from this one on are only paired with units before it; 0: there is one side
    progress : called with the number of units that are done
    """
    points = points_of(units.rows)
    units.sizes[:] = np.diff(units.offsets)
    join = _Join(points, leading, threshold, groups, lefts, threads, limits)
    parts: list[Pairs] = []
    done = 0
    for some, found in join.run():
        limit.add(len(found.left))
        parts.append(found)
        done += some
        progress(done)
    return in_order(parts)


def edits_of(units: Units, pairs: Rows, threads: int) -> Pairs:
    """Return pairs of units (n, 2) with their evidence, whether they reach a threshold or not."""
    points = points_of(units.rows)
    lengths = np.diff(points.offsets)

    def work(part: Rows) -> Pairs:
        left, right = np.ascontiguousarray(part[:, 0]), np.ascontiguousarray(part[:, 1])
        longer = np.maximum(lengths[left], lengths[right])
        found = distances(points.strings(left), points.strings(right), int(longer.max()))
        return pairs_of(left, right, longer - found)

    parts = [pairs[i : i + CANDIDATES] for i in range(0, len(pairs), CANDIDATES)]
    return in_order(list(map_blocks(work, parts, threads)))


class _Index(NamedTuple):
    """What the kernels that make candidates are given; see `dedup.kernels.grams`."""

    texts: tuple[Any, ...]
    prefixes: tuple[Any, ...]


class _Join:
    """One join. Texts are numbered in the order of their lengths."""

    def __init__(
        self,
        points: Points,
        leading: Rows,
        threshold: Threshold,
        groups: Groups,
        lefts: int,
        threads: int,
        limits: EditLimits,
    ) -> None:
        self.limits = limits
        self.threads = threads
        lengths = np.diff(points.offsets)[leading]
        order = np.argsort(lengths, kind="stable")
        self.units, self.lengths = leading[order], lengths[order]
        starts = points.offsets[:-1][self.units]
        self.points, self.starts, self.ends = points.values, starts, starts + self.lengths
        self.texts = points.strings(self.units)
        self.groups = columns_of(groups, self.units)
        self.sides = self.units >= lefts if lefts else np.empty(0, dtype=np.bool_)
        shared = least(self.lengths, threshold.value)
        self.edits = self.lengths - shared
        self.firsts = np.searchsorted(self.lengths, shared)
        self.size = gram_size(threshold.value)
        self.needed = np.maximum(self.lengths - self.size + 1 - self.size * self.edits, 0)

    def run(self) -> Iterator[tuple[int, Pairs]]:
        """Yield how many texts were compared with the texts before them, and their pairs, part by part."""
        index = self._index()
        for band in self._bands():
            some = band[np.linspace(0, len(band) - 1, min(SAMPLED_EDITS, len(band))).astype(np.int64)]
            window = int((some - self.firsts[some]).sum())
            candidates = len(self._scan(index, some))
            if candidates > self.limits.candidates * window:
                yield from self._compare_all(band)
                continue
            by_index = band[self.needed[band] > 0]
            if self._probe(index, some)[1] > self.limits.entries * window:
                by_index = by_index[:0]
            for part, make in (
                (np.setdiff1d(band, by_index), self._scan),
                (by_index, lambda i, s: self._probe(i, s)[0]),
            ):
                yield from self._compare_candidates(index, part, make)

    def _bands(self) -> Iterator[Rows]:
        """Yield the texts in bands: the longest text of a band is less than twice as long as its shortest."""
        logs = np.frexp(self.lengths)[1]
        places = np.arange(len(logs), dtype=np.int64)
        for part in np.split(places, np.flatnonzero(np.diff(logs)) + 1):
            if len(part):
                yield part

    # by grams

    def _index(self) -> _Index:
        from dedup.kernels import grams as kernels

        counts = np.maximum(self.lengths - self.size + 1, 0)
        offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts)))
        bits = min(max(int(offsets[-1]).bit_length(), 10), 22)
        table, grams = np.zeros(1 << bits, dtype=np.uint32), np.empty(int(offsets[-1]), dtype=np.uint64)
        texts = (self.points, self.starts, self.ends, self.size)
        kernels.count_grams(*texts, table, 64 - bits)

        def write(part: slice) -> None:
            kernels.write_grams(*texts, table, 64 - bits, grams, offsets, part.start, part.stop)

        parts = [slice(i, min(i + PROBED, len(counts))) for i in range(0, len(counts), PROBED)]
        for _ in map_blocks(write, parts, self.threads):
            pass
        # a longer text needs at least so many: the least of all lengths from this one on
        most = np.iinfo(np.int64).max
        later = np.minimum.accumulate(np.where(self.needed > 0, self.needed, most)[::-1])[::-1]
        lengths = np.where(later == most, 0, np.maximum(counts - later + 1, 0))
        bits = min(max(int(lengths.sum()).bit_length(), 10), 26)
        heads, entries = np.zeros((1 << bits) + 1, dtype=np.int64), np.empty(int(lengths.sum()), dtype=np.int32)
        kernels.index_prefixes(grams, offsets, lengths, 64 - bits, heads, entries)
        characters = np.zeros(kernels.CHARACTER_WORDS * len(self.units), dtype=np.uint64)
        kernels.sign_characters(self.points, self.starts, self.ends, characters, np.zeros(256, dtype=np.uint8))
        signatures = np.zeros(kernels.GRAM_WORDS * len(self.units), dtype=np.uint64)
        kernels.sign_grams(grams, offsets, signatures)
        filters = (self.firsts, self.edits, self.size, self.needed, grams, offsets, characters, signatures)
        return _Index((*filters, self.groups, self.sides), (64 - bits, heads, entries))

    def _probe(self, index: _Index, some: Rows) -> tuple[npt.NDArray[np.int32], int]:
        """Return the candidates of some texts by the index, and how many of its entries were read."""
        from dedup.kernels import grams as kernels

        seen, met = np.full(len(self.units), -1, dtype=np.int32), np.zeros(1, dtype=np.int64)
        found: npt.NDArray[np.int32] = kernels.probe_grams(*(some, *index.texts, *index.prefixes, seen, met))
        return found, int(met[0])

    def _scan(self, index: _Index, some: Rows) -> npt.NDArray[np.int32]:
        """Return the candidates of some texts: all texts of fitting length are looked at."""
        from dedup.kernels import grams as kernels

        candidates: npt.NDArray[np.int32] = kernels.scan_texts(some, *index.texts)
        return candidates

    def _compare_candidates(
        self, index: _Index, some: Rows, make: Callable[[_Index, Rows], npt.NDArray[np.int32]]
    ) -> Iterator[tuple[int, Pairs]]:
        def work(part: Rows) -> Pairs:
            made = make(index, part)
            return in_order([self._verify(made[i : i + CANDIDATES]) for i in range(0, len(made), CANDIDATES)])

        parts = [some[i : i + PROBED] for i in range(0, len(some), PROBED)]
        for part, found in zip(parts, map_blocks(work, parts, self.threads), strict=True):
            yield len(part), found

    def _verify(self, candidates: npt.NDArray[np.int32]) -> Pairs:
        longer, other = candidates[:, 0], candidates[:, 1]
        texts = self.texts
        left, right = [texts[i] for i in longer.tolist()], [texts[i] for i in other.tolist()]
        edits = self.edits[longer]
        found = distances(left, right, int(edits.max()))
        return self._pairs(longer, other, found, found <= edits)

    # by length

    def _compare_all(self, every: Rows) -> Iterator[tuple[int, Pairs]]:
        sides = (None,) if not len(self.sides) else (False, True)
        parts = []
        for side in sides:
            own = every if side is None else every[self.sides[every] == side]
            parts += [(side, own[i : i + COMPARED]) for i in range(0, len(own), COMPARED)]

        def work(given: tuple[bool | None, Rows]) -> Pairs:
            side, some = given
            first, last = int(self.firsts[some[0]]), int(some[-1])
            others, right = np.arange(first, last + 1, dtype=np.int64), self.texts[first : last + 1]
            if side is not None:
                others = others[self.sides[others] != side]
                right = [self.texts[i] for i in others.tolist()]
            edits = self.edits[some][:, np.newaxis]
            left = [self.texts[i] for i in some.tolist()]
            found = distances_across(left, right, int(edits.max()))
            near, far = np.nonzero((found <= edits) & (others < some[:, np.newaxis]))
            one, other = some[near], others[far]
            return self._pairs(one, other, found[near, far], ~no_pair(self.groups, one, other))

        for given, found in zip(parts, map_blocks(work, parts, self.threads), strict=True):
            yield len(given[1]), found

    def _pairs(
        self,
        longer: npt.NDArray[Any],
        other: npt.NDArray[Any],
        edits: npt.NDArray[np.int32],
        some: npt.NDArray[np.bool_],
    ) -> Pairs:
        """Return `some` of the pairs, as pairs of units."""
        longer, other = longer[some], other[some]
        return pairs_of(self.units[longer], self.units[other], self.lengths[longer] - edits[some])

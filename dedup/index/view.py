"""What is in an index at one moment: segments, the newest documents in memory, and which documents were removed.

Everything that is asked of an index is asked of a view. A reader has one for each generation that it opens; the view of
the writer changes with each text that is added.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.errors import StorageError
from dedup.hashing.units import HashSets
from dedup.index.log.bits import Bits, numbers_in, read_bits
from dedup.index.log.rows import (
    MARK_WORDS,
    MarkedSets,
    Rows,
    Stored,
    damaged,
    firsts_of,
    seal_sets,
    sizes_of,
)
from dedup.index.log.texts import Kept, block_of, fingerprints, tokens_of
from dedup.index.manifest import CHECK_IT, Manifest
from dedup.index.postings import bands
from dedup.index.postings.bands import dense
from dedup.index.postings.memtable import Memtable
from dedup.index.postings.segments import Segment, hash_ids, hash_numbers, joined, look_up, open_segment
from dedup.index.postings.tables import Tables
from dedup.index.settings import Settings
from dedup.runtime.threads import map_blocks, slices
from dedup.threshold import Metric

__all__ = ["ALL_PAIRS", "View"]

ALL_PAIRS = (1 << 62) - 1
"""More pairs than a text can have."""

FIRST_ROW = np.zeros(1, dtype=np.int64)
"""The first row alone."""

Numbers = npt.NDArray[np.int64]


class View:
    """One state of an index. `manifest` has its numbers; `memtable` the documents that are in no segment."""

    def __init__(
        self, folder: Path, manifest: Manifest, settings: Settings, counters: npt.NDArray[np.uint8], older: View | None
    ) -> None:
        """Open what a manifest names; segments that an older view of the same epoch has open are taken from it.

        Raises `StorageError` if a file is not there, was cut, or is damaged where it is read.
        """
        self.folder, self.manifest, self.settings = folder, manifest, settings
        opened = {} if older is None else {segment.entry.number: segment for segment in older.segments}
        self.put_segments(
            [
                opened[entry.number] if entry.number in opened else open_segment(folder, entry)
                for entry in manifest.segments
            ]
        )
        (self.dead, self.copied), whole = read_bits(folder, manifest)
        if not whole:
            raise StorageError(
                f"expected the bytes of the bits in {folder} that were written, found other bytes: the index is "
                f"damaged; {CHECK_IT}"
            )
        base = manifest.segments[-1].end if manifest.segments else 0
        everything = Stored(folder, manifest)
        self.stored = everything
        self.memtable = Memtable(settings, base, 0, counters)
        self._replay(everything, base)
        self.gone = Bits(self.dead.cut(self.documents) & ~self.copied.cut(self.documents))
        self.bury(numbers_in(self.dead.cut(self.documents) & self.copied.cut(self.documents)))

    # state

    def put_segments(self, segments: list[Segment]) -> None:
        """Have other segments from now on."""
        self.segments = segments
        self._joined: dict[str, Tables] = {}

    def tables(self, kind: str) -> Tables:
        """Return the tables of a kind of all segments."""
        if kind not in self._joined:
            self._joined[kind] = joined(self.segments, kind)
        return self._joined[kind]

    def _replay(self, everything: Stored, base: int) -> None:
        """Take the documents that are in no segment into memory, each compared with its seals."""
        numbers = np.arange(base, self.manifest.documents, dtype=np.int64)
        rows, ids = everything.read(numbers)
        rows = np.ascontiguousarray(rows)
        firsts, sizes = firsts_of(rows), sizes_of(rows)
        new = np.flatnonzero(firsts == numbers)
        offsets = rows[:, 1].astype(np.int64)
        self.memtable.hashes_before = int(offsets[new[0]]) if len(new) else self.manifest.hashes
        wrong = np.flatnonzero(seal_sets(HashSets(everything.sets, offsets, sizes), new) != rows[new, 4])
        if len(wrong):
            damaged(everything.path, int(numbers[new[wrong[0]]]))
        kept = self._kept(numbers) if self.settings.passages is not None else None
        self.memtable.add(rows, list(ids), HashSets(everything.sets, offsets, sizes), new, kept)
        self.memtable.drop_texts()  # they are on disk
        removed = numbers[self.dead.has(numbers)]
        for number in removed.tolist():
            self.memtable.forget(number)

    def bury(self, firsts: Numbers) -> None:
        """Note those of some removed documents that have no living copy: no search needs to look at their sets."""
        copied = self.copied.has(firsts)
        places, _ = self.copies_of(firsts) if copied.any() else (firsts[:0], firsts[:0])
        left = np.ones(len(firsts), dtype=np.bool_)
        left[places] = False
        self.gone.add(firsts[left])

    @property
    def documents(self) -> int:
        """The number of documents, removed ones included."""
        return self.memtable.end

    # rows

    def read(self, numbers: Numbers) -> tuple[Rows, list[Any]]:
        """Return the rows and ids of some documents. Raises `StorageError` if one is damaged."""
        base = self.memtable.base
        old = numbers < base
        if old.all():
            return self.stored.read(numbers)
        rows = np.empty((len(numbers), self.stored.rows.shape[1]), dtype=np.uint64)
        ids: list[Any] = [None] * len(numbers)
        rows[old], names = self.stored.read(numbers[old])
        for place, name in zip(np.flatnonzero(old).tolist(), names, strict=True):
            ids[place] = name
        rows[~old] = self.memtable.rows[numbers[~old] - base]
        for place in np.flatnonzero(~old).tolist():
            ids[place] = self.memtable.ids[int(numbers[place]) - base]
        return rows, ids

    def sets_at(self, numbers: Numbers) -> tuple[Rows, HashSets]:
        """Return the rows and the sets of some documents, each compared with its seal."""
        rows, _ = self.read(numbers)
        rows = np.ascontiguousarray(rows)
        old, offsets, sizes = numbers < self.memtable.base, rows[:, 1].astype(np.int64), sizes_of(rows)
        offsets[~old] -= self.memtable.hashes_before
        parts = []
        for which, values in ((old, self.stored.sets), (~old, self.memtable.sets[: self.memtable.hashes])):
            place = np.flatnonzero(which)
            sets = HashSets(values, offsets[place], sizes[place])
            wrong = np.flatnonzero(seal_sets(sets, np.arange(len(place))) != rows[place, 4])
            if len(wrong):
                damaged(self.stored.path, int(numbers[place[wrong[0]]]))
            parts.append(dense(sets, np.arange(len(place))))
        values = np.concatenate([part.values for part in parts])
        offsets[old], offsets[~old] = parts[0].offsets, len(parts[0].values) + parts[1].offsets
        return rows, HashSets(values, offsets, sizes)

    def living(self, numbers: Numbers) -> Numbers:
        """Return those of some documents that were not removed."""
        return numbers[~self.dead.has(numbers)]

    def batches(self, count: int, hashes: int) -> Iterator[tuple[MarkedSets, list[Any]]]:
        """Yield the sets, marks and ids of all living documents on disk, in order.

        A batch has at most `count` documents, and about so many hashes. Raises `StorageError` if one is damaged.
        """
        for start in range(0, len(self.stored), count):
            living = self.living(np.arange(start, min(start + count, len(self.stored)), dtype=np.int64))
            filled = np.cumsum(sizes_of(self.stored.rows[living])) // hashes
            for numbers in np.split(living, np.flatnonzero(np.diff(filled)) + 1):
                yield self._batch(numbers)

    def _batch(self, numbers: Numbers) -> tuple[MarkedSets, list[Any]]:
        rows, ids = self.stored.read(numbers)
        sets = HashSets(self.stored.sets, rows[:, 1].astype(np.int64), sizes_of(rows))
        wrong = np.flatnonzero(seal_sets(sets, np.arange(len(rows))) != rows[:, 4])
        if len(wrong):
            damaged(self.stored.path, int(numbers[wrong[0]]))
        kept = self._kept(numbers) if self.settings.with_texts else None
        return MarkedSets(*sets, np.ascontiguousarray(rows[:, MARK_WORDS]), kept), list(ids)

    def _kept(self, numbers: Numbers) -> Kept:
        """Return what is kept of the texts of some documents on disk, with their fingerprints."""
        texts = self.stored.texts(numbers)
        packed, frames, _ = self.stored.packed(numbers)
        tokens = tokens_of(block_of(texts), self.settings.shingle.reading)
        prints = fingerprints(*tokens, self.settings.passages)
        return Kept(packed, frames[:, 2].astype(np.int64), np.ascontiguousarray(frames[:, 3]), prints)

    def texts(self, numbers: Numbers) -> list[str]:
        """Return the texts of some documents, if texts are kept. Raises `StorageError` if one is damaged."""
        old = numbers < len(self.stored)
        found = iter(self.stored.texts(numbers[old]))
        places = zip(numbers.tolist(), old.tolist(), strict=True)
        raw = [next(found) if there else self.memtable.text(number) for number, there in places]
        return [data.decode("utf-8", "surrogatepass") for data in raw]

    # lookups

    def find_ids(self, ids: Sequence[Any]) -> Numbers:
        """Return the number of the living document of each id, -1 for an id that there is not."""
        found = np.fromiter((self.memtable.by_id.get(each, -1) for each in ids), dtype=np.int64, count=len(ids))
        rest = np.flatnonzero(found < 0)
        if not len(rest) or not self.segments:
            return found
        names = [ids[place] for place in rest.tolist()]
        places, numbers = self._looked_up("ids", hash_ids(names))
        _, known, fits = self.stored.sealed(numbers)
        for place, number, name, fit in zip(places.tolist(), numbers.tolist(), known, fits.tolist(), strict=True):
            if fit and name == names[place]:
                found[rest[place]] = number
        return found

    def find_digests(self, digests: npt.NDArray[np.uint64]) -> Numbers:
        """Return the first of the living exact copies of each text by its digest (n, 2), -1 for none.

        One that is itself a copy of a removed document is not found.
        """
        found = np.full(len(digests), -1, dtype=np.int64)
        if self.segments:
            places, numbers = self._looked_up("digests", np.ascontiguousarray(digests[:, 0]))
            if len(places):
                rows, _, fits = self.stored.sealed(numbers)
                same = fits & (rows[:, 2:4] == digests[places]).all(axis=1) & (firsts_of(rows) == numbers)
                found[places[same]] = numbers[same]
        if self.memtable.by_digest:
            newest = self.memtable.find_digests(digests)
            found[newest >= 0] = newest[newest >= 0]
        return found

    def copies_of(self, firsts: Numbers) -> tuple[Numbers, Numbers]:
        """Return places in `firsts` and the living copies of these documents, themselves not included."""
        all_places, all_numbers = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        if self.segments:
            places, numbers = self._looked_up("copies", hash_numbers(firsts))
            rows, _, fits = self.stored.sealed(numbers)
            same = fits & (firsts_of(rows) == firsts[places])
            all_places.append(places[same])
            all_numbers.append(numbers[same])
        if self.memtable.copies:
            for place, first in enumerate(firsts.tolist()):
                numbers = self.living(np.array(self.memtable.copies.get(first, []), dtype=np.int64))
                all_places.append(np.full(len(numbers), place, dtype=np.int64))
                all_numbers.append(numbers)
        return np.concatenate(all_places), np.concatenate(all_numbers)

    def lookup(self, kind: str, keys: npt.NDArray[np.uint64], *, newest: bool = True) -> tuple[Numbers, Numbers]:
        """Return places in `keys` and documents that may have that key: of a band ("shingles") or a fingerprint."""
        parts = [look_up(keys, self.tables(kind))]
        if newest and len(self.memtable):
            parts.append(self.memtable.lookup(kind, keys))
        nothing = np.empty(0, dtype=np.int64)
        places, numbers = (np.concatenate(column) for column in zip((nothing, nothing), *parts, strict=True))
        inside = numbers < self.documents
        return places[inside], numbers[inside]

    def find_prints(self, keys: npt.NDArray[np.uint64]) -> tuple[Numbers, Numbers]:
        """Return places in `keys` and documents that may have that fingerprint, each the first of its living copies."""
        places, numbers = self.lookup("passages", keys)
        firsts, inverse = np.unique(numbers, return_inverse=True)
        removed = self.dead.has(firsts)
        living = np.where(removed, self.documents, firsts)
        replaced = np.flatnonzero(removed & self.copied.has(firsts))
        if len(replaced):
            which, copies = self.copies_of(firsts[replaced])
            np.minimum.at(living, replaced[which], copies)
        numbers = living[inverse]
        return places[numbers < self.documents], numbers[numbers < self.documents]

    def _looked_up(self, kind: str, keys: npt.NDArray[np.uint64]) -> tuple[Numbers, Numbers]:
        """Return places in `keys` and living documents on disk that may have that key."""
        places, numbers = look_up(keys, self.tables(kind))
        alive = ~self.dead.has(numbers)
        return places[alive], numbers[alive]

    # search

    @property
    def apart(self) -> int:
        """What kernels do with documents that are no pair of a text, however similar (`dedup.kernels.index_judge`)."""
        return 1 if self.settings.distinct else 0

    def probe(
        self,
        sets: MarkedSets,
        asked: Numbers,
        threshold: float,
        metric: Metric = Metric.JACCARD,
        *,
        most: int = ALL_PAIRS,
        newest: bool = True,
        counted: bool = False,
    ) -> npt.NDArray[np.int64]:
        """Return the pairs of some sets with documents: row, document, shared hashes (int64, n x 3), in no order.

        A document is the first of its copies: it, or a copy of it, was not removed. A set has at most `most` pairs
        with the documents in memory, and as many with those on disk. Without `newest` the documents in memory are left
        out. With `counted` there are also those that are no pairs since they differ in numbers alone, with minus the
        number of shared hashes. Raises `StorageError` if a set that is needed is damaged.
        """
        from dedup.kernels import index_memtable, index_search

        known = self.settings
        if known.bands is not None:
            return bands.probe(self, sets, asked, threshold, newest=newest, counted=counted)
        how: tuple[Any, ...] = (self.gone.words, threshold, known.threshold, metric.code, known.containment, most)
        how += sets.marks, 2 if counted else self.apart
        only = sets.sets
        parts = []
        asked = asked[sets.sizes[asked] > 0]
        tables = self.tables("shingles")
        if tables.kept:
            log: tuple[Any, ...] = (tables.words, self.stored.rows, 0, self.stored.sets, 0)
            found, total, wrong = index_search.probe(*only, asked, *log, *how)
            if wrong >= 0:
                damaged(self.stored.path, int(wrong))
            parts.append(found[:total])
        if newest and len(self.memtable):
            held = (*self.memtable.chains, *self.memtable.held)
            found, total, wrong = index_memtable.probe_chains(*only, asked, *held, *how)
            if wrong >= 0:
                damaged(self.stored.path, int(wrong))
            parts.append(found[:total])
        return np.concatenate([np.empty((0, 3), dtype=np.int64), *parts])

    def of_one(self, texts: MarkedSets, most: int) -> Iterator[npt.NDArray[np.int64]]:
        """Yield the pairs of the first of some sets with the documents in memory, and then with those in segments.

        They are those of `probe` at the threshold of the index; parts without a pair are left out.
        """
        from dedup.kernels import index_memtable, index_search

        known, stored, memtable, sets = self.settings, self.stored, self.memtable, texts.sets
        how: tuple[Any, ...] = (self.gone.words, known.threshold, known.threshold, 0, known.containment, most)
        how += texts.marks, self.apart
        if known.bands is not None:
            pairs = self.probe(texts, FIRST_ROW, known.threshold)
            if len(pairs):
                yield pairs
            return
        if not sets.sizes[0]:
            return
        if memtable.count:
            held = (*memtable.chains, *memtable.held)
            found, total, wrong = index_memtable.probe_chains(*sets, FIRST_ROW, *held, *how)
            if total:
                yield found[:total]
            if wrong >= 0:
                damaged(stored.path, int(wrong))
        tables = self.tables("shingles")
        if tables.kept:
            log: tuple[Any, ...] = (tables.words, stored.rows, 0, stored.sets, 0)
            found, total, wrong = index_search.probe(*sets, FIRST_ROW, *log, *how)
            if total:
                yield found[:total]
            if wrong >= 0:
                damaged(stored.path, int(wrong))

    def any_alive(self, sets: MarkedSets, asked: Numbers, threads: int) -> npt.NDArray[np.bool_]:
        """Return, for each row of `asked`, whether it reaches the threshold with a living document in a segment."""
        result = np.zeros(len(sets.sizes), dtype=np.bool_)
        if not self.segments:
            return result[asked]

        def work(part: slice) -> npt.NDArray[np.int64]:
            return self.probe(sets, asked[part], self.settings.threshold, most=1, newest=False)

        for found in map_blocks(work, slices(len(asked)), threads):
            result[found[:, 0]] = True
        return result[asked]

    def expand(self, found: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return pairs with the living copies of each document in place of the document, sorted by row and number."""
        if not self.copied.has(found[:, 1]).any():
            found = found[~self.dead.has(found[:, 1])]
            return found[np.lexsort((found[:, 1], found[:, 0]))]
        firsts, inverse = np.unique(found[:, 1], return_inverse=True)
        places, copies = self.copies_of(firsts) if self.copied.has(firsts).any() else (firsts[:0], firsts[:0])
        alive = ~self.dead.has(firsts)
        groups = np.concatenate((np.flatnonzero(alive), places))
        members = np.concatenate((firsts[alive], copies))
        order = np.argsort(groups, kind="stable")
        groups, members = groups[order], members[order]
        starts = np.searchsorted(groups, np.arange(len(firsts) + 1))
        counts = np.diff(starts)[inverse]
        pairs = np.repeat(np.arange(len(found)), counts)
        inside = np.arange(len(pairs)) - np.repeat(np.cumsum(counts) - counts, counts)
        result = found[pairs].copy()
        result[:, 1] = members[np.repeat(starts[inverse], counts) + inside]
        return result[np.lexsort((result[:, 1], result[:, 0]))]

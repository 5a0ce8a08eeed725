"""The newest documents of an index, in memory: their rows, sets, and postings as chains, until they become a segment.

`dedup.kernels.index_memtable` has the layout of the chains.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import HashSets
from dedup.index.log.rows import Rows, Stored, firsts_of, sizes_of
from dedup.index.log.texts import Kept
from dedup.index.manifest import WORDS_PER_ROW
from dedup.index.postings.bands import dense, keys_of
from dedup.index.postings.segments import Keys, hash_ids, hash_numbers, look_up
from dedup.index.postings.tables import Tables, described, packed
from dedup.index.settings import Settings

__all__ = ["Memtable", "copies_within", "new_counters"]

HEAD_BITS = 12
"""Bits of a key that choose its chain, in an empty table."""

NO_KEYS = Keys(np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.uint32))

DOCUMENT_BYTES = 480
"""Bytes of a document beside its set and its postings: its row, its id, and its places in dictionaries."""

ANY_NUMBER = 1 << 32
"""The number after that of the last document that there can be."""

FEW_KEYS, LATER_KEYS = 1 << 8, 1 << 12
"""Keys of bands or fingerprints that are added at once, and distinct ones in all, that are kept in a dictionary beside
the packed ones: a text that is added alone does not make the next lookup pack all of them anew."""

LEARNED_HASHES, LEARNED_BATCH = 1 << 20, 1 << 6
"""Hashes on disk, the last ones, that are counted before the first text is added, some 10 ms, and how many documents at
a time. What is frequent in them is then not posted."""

AGING = 16
"""Hashes per counter after which all counters are halved, so that they say what is frequent now, and none is full: a
counter of a hash that was not there before has between 8 and 16 by chance."""


def new_counters() -> npt.NDArray[np.uint8]:
    """Return counters that counted nothing."""
    from dedup.kernels.index_memtable import COUNTER_BITS

    return np.zeros(1 << COUNTER_BITS, dtype=np.uint8)


class Memtable:
    """The documents from number `base` on. Arrays have more room than is used: `count`, `hashes` and `postings`.

    `ids` are those of the documents; `by_id` and `by_digest` (by its first word) are the numbers of living documents,
    and `copies` those of the copies of a document, which may itself be in a segment. `texts` has what is kept of the
    texts that are not on disk yet, with the number of the first of each batch.
    """

    def __init__(
        self,
        settings: Settings,
        base: int,
        hashes_before: int,
        counters: npt.NDArray[np.uint8],
        older: Memtable | None = None,
    ) -> None:
        """Begin an empty table, in the memory of an `older` one that is not used any more, if there is one."""
        self.settings, self.base, self.hashes_before, self.counters = settings, base, hashes_before, counters
        self.count = self.hashes = self.postings = 0
        self.counted: int = 0 if older is None else older.counted  # the counters go on
        self.learned: bool = older is not None and older.learned
        if older is None:
            self.rows: Rows = np.empty((0, WORDS_PER_ROW), dtype=np.uint64)
            self.sets = np.empty(0, dtype=np.uint64)
            self.keys = np.empty(0, dtype=np.uint64)
            self.documents = np.empty(0, dtype=np.uint32)
            self.links = np.empty(0, dtype=np.int32)
            self.heads = np.full(1 << HEAD_BITS, -1, dtype=np.int32)
            self.shift = 64 - HEAD_BITS
        else:
            self.rows, self.sets, self.keys = older.rows, older.sets, older.keys
            self.documents, self.links, self.heads, self.shift = older.documents, older.links, older.heads, older.shift
            self.heads[:] = -1
        self.ids: list[Any] = []
        self.by_id: dict[Any, int] = {}
        self.by_digest: dict[int, int] = {}
        self.copies: dict[int, list[int]] = {}
        self.texts: list[tuple[int, Kept]] = []
        self._keyed: dict[str, list[Keys]] = {"shingles": [], "passages": []}
        self._key_counts = {"shingles": 0, "passages": 0}
        self._packed: dict[str, Tables] = {}
        self._later: dict[str, dict[int, list[int]]] = {}  # documents by the keys that are not packed yet
        self._text_bytes = 0

    def __len__(self) -> int:
        return self.count

    @property
    def end(self) -> int:
        """The number of the next document."""
        return self.base + self.count

    @property
    def held(self) -> tuple[Rows, int, npt.NDArray[np.uint64], int]:
        """The rows and the sets that are used, and the numbers of rows and hashes before them."""
        return self.rows[: self.count], self.base, self.sets[: self.hashes], self.hashes_before

    @property
    def chains(self) -> tuple[Any, ...]:
        """The postings as kernels take them."""
        return self.heads, self.links, self.keys, self.documents, self.shift

    def reserve(self, documents: int, hashes: int) -> None:
        """Make room for more documents, which have so many hashes in their sets."""
        self.rows = _grown(self.rows, self.count, self.count + documents)
        self.sets = _grown(self.sets, self.hashes, self.hashes + hashes)
        if self.settings.bands is not None:
            return
        room = self.postings + hashes
        self.keys = _grown(self.keys, self.postings, room)
        self.documents = _grown(self.documents, self.postings, room)
        self.links = _grown(self.links, self.postings, room)

    def add(
        self, rows: Rows, ids: list[Any], sets: HashSets, new: npt.NDArray[np.int64], kept: Kept | None
    ) -> npt.NDArray[np.uint64]:
        """Add documents with their sealed rows; `new` are the places of those that are no copies, ascending.

        Returns the sets of the new documents, one after the other. Their places must be those of the rows.
        """
        total = int(sets.sizes[new].sum())
        self.reserve(len(rows), total)
        start = self.hashes
        self.rows[self.count : self.count + len(rows)] = rows
        if self.settings.bands is not None:
            self.sets[start : start + total] = dense(sets, new).values
            self._note_bands(sets, new)
        else:
            self._post(sets, new, total)
        self.hashes += total
        self.note(rows, ids, kept)
        return self.sets[start : self.hashes]

    def _post(self, sets: HashSets, new: npt.NDArray[np.int64], total: int) -> None:
        """Take the sets of new documents, which have `total` hashes, and choose and enter their postings."""
        from dedup.kernels import index_memtable as kernels

        start, known = self.hashes, self.settings
        chosen = slice(self.postings, self.postings + total)
        more = kernels.choose(
            *sets,
            new,
            self.counters,
            known.threshold,
            known.containment,
            self.end,
            self.sets[start : start + total],
            self.keys[chosen],
            self.documents[chosen],
        )
        self.age(total)
        before = self.postings
        self.widen(before + int(more))  # enters those before: a posting that is entered twice makes a chain a circle
        self.postings += int(more)
        kernels.enter(self.keys, before, self.postings, self.shift, self.heads, self.links)

    def note(self, rows: Rows, ids: list[Any], kept: Kept | None) -> None:
        """Note the ids, digests, copies and texts of new documents, whose rows were written after the last."""
        if len(ids) == 1 and kept is None:
            self._note_one(rows[0].tolist(), ids[0])
            return
        numbers = range(self.end, self.end + len(rows))
        self.ids += ids
        self.by_id.update(zip(ids, numbers, strict=True))
        self.count += len(rows)
        firsts, all_numbers = firsts_of(rows), np.array(numbers, dtype=np.int64)
        leading = (firsts == all_numbers) & (rows[:, 0] & np.uint64(0xFFFFFFFF) != 0)
        self.by_digest.update(zip(rows[leading, 2].tolist(), all_numbers[leading].tolist(), strict=True))
        copies = np.flatnonzero(firsts != all_numbers)
        for first, number in zip(firsts[copies].tolist(), all_numbers[copies].tolist(), strict=True):
            self.copies.setdefault(first, []).append(number)
        if kept is not None and len(rows):
            self.texts.append((numbers.start, kept))
            self._text_bytes += sum(map(len, kept.packed))
            prints = kept.prints.take(np.flatnonzero(leading))
            owners = np.repeat(all_numbers[leading], prints.counts).astype(np.uint32)
            self._append("passages", Keys(prints.keys, owners))

    def _note_one(self, row: list[int], name: Any) -> None:
        """Note a new document by the words of its row; nothing is kept of its text."""
        number, first = self.end, row[0] >> 32
        self.ids.append(name)
        self.by_id[name] = number
        self.count += 1
        if first != number:
            self.copies.setdefault(first, []).append(number)
        elif row[0] & 0xFFFFFFFF:
            self.by_digest[row[2]] = number

    def find_digests(self, digests: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Return the first of the living exact copies of each text by its digest (n, 2), -1 for none."""
        known = self.by_digest
        if len(digests) == 1 and int(digests[0, 0]) not in known:
            return np.full(1, -1, dtype=np.int64)
        found = np.fromiter(map(known.get, digests[:, 0].tolist(), repeat(-1)), dtype=np.int64, count=len(digests))
        places = np.flatnonzero(found >= 0)
        other = self.rows[found[places] - self.base, 3] != digests[places, 1]
        found[places[other]] = -1
        return found

    def text(self, number: int) -> bytes:
        """Return the UTF-8 of the text of a document that is not on disk yet."""
        first, kept = self.texts[bisect_right(self.texts, number, key=lambda batch: batch[0]) - 1]
        return kept.text(number - first)

    def drop_texts(self) -> None:
        """Keep no texts: they are on disk."""
        self.texts.clear()
        self._text_bytes = 0

    def forget(self, number: int) -> None:
        """Note that a document was removed."""
        place = number - self.base
        name = self.ids[place]
        if self.by_id.get(name) == number:
            del self.by_id[name]
        digest = int(self.rows[place, 2])
        if self.by_digest.get(digest) == number:
            del self.by_digest[digest]

    def learn(self, stored: Stored) -> None:
        """Once, count the hashes of the last documents on disk, so that those are known which many texts have.

        Only the speed of questions depends on it. What is damaged is left out.
        """
        from dedup.kernels import index_memtable as kernels

        counting = self.settings.bands is None and not self.settings.containment
        learned, end = 0 if counting and not self.learned else LEARNED_HASHES, self.base
        self.learned = True
        while learned < LEARNED_HASHES and end > 0:
            rows = stored.rows[max(end - LEARNED_BATCH, 0) : end]
            offsets, sizes = rows[:, 1].astype(np.int64), sizes_of(rows)
            whole = (offsets >= 0) & (offsets <= len(stored.sets) - sizes) & (sizes <= LEARNED_HASHES // LEARNED_BATCH)
            which = np.flatnonzero(whole)
            total = int(sizes[which].sum())
            unused: tuple[Any, ...] = tuple(np.empty(total, dtype=dtype) for dtype in (np.uint64, np.uint64, np.uint32))
            kernels.choose(
                stored.sets, offsets, sizes, which, self.counters, self.settings.threshold, False, 0, *unused
            )
            self.age(total)
            learned, end = learned + total + LEARNED_BATCH, end - LEARNED_BATCH

    def age(self, hashes: int) -> None:
        """Count hashes that were counted; halve all counters after some."""
        self.counted += hashes
        if self.counted > AGING * len(self.counters):
            self.counted = 0
            self.counters >>= np.uint8(1)

    def widen(self, wanted: int) -> None:
        """Take more chains, if more postings are `wanted` than there are chains."""
        from dedup.kernels import index_memtable as kernels

        if wanted <= len(self.heads):
            return
        bits = min(max(wanted.bit_length() + 1, HEAD_BITS), 26)
        if 64 - bits == self.shift:
            return
        self.heads, self.shift = np.full(1 << bits, -1, dtype=np.int32), 64 - bits
        kernels.enter(self.keys, 0, self.postings, self.shift, self.heads, self.links)

    @property
    def bytes(self) -> int:
        """About how many bytes the documents take, without the room that arrays have for more."""
        postings = self.postings + sum(self._key_counts.values())
        return 8 * self.hashes + 20 * postings + DOCUMENT_BYTES * self.count + self._text_bytes

    @property
    def posted(self) -> int:
        """The number of postings of shingles, or of bands."""
        return self.postings + self._key_counts["shingles"]

    def _note_bands(self, sets: HashSets, new: npt.NDArray[np.int64]) -> None:
        """Note the keys of the bands of new documents, by which they are found."""
        bands = self.settings.bands
        assert bands is not None
        full = new[sets.sizes[new] > 0]
        self._append(
            "shingles", Keys(keys_of(sets, full, bands), np.repeat(self.end + full, bands.bands).astype(np.uint32))
        )

    def _append(self, kind: str, keys: Keys) -> None:
        """Take more keys. A few are found by themselves; for more, the next lookup packs all anew."""
        self._keyed[kind].append(keys)
        self._key_counts[kind] += len(keys.keys)
        if kind not in self._packed:
            return
        later = self._later.setdefault(kind, {})
        if len(keys.keys) > FEW_KEYS or len(later) > LATER_KEYS:
            del self._packed[kind], self._later[kind]
            return
        for key, document in zip(keys.keys.tolist(), keys.documents.tolist(), strict=True):
            later.setdefault(key, []).append(document)

    def keyed(self, kind: str) -> Keys:
        """Return the postings of bands ("shingles") or fingerprints ("passages")."""
        parts = self._keyed[kind]
        if len(parts) != 1:
            parts[:] = [Keys(*map(np.concatenate, zip(*(NO_KEYS, *parts), strict=True)))]
        return parts[0]

    def lookup(self, kind: str, keys: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return places in `keys` and documents that may have that key, of a kind that `keyed` has.

        The first call after documents were added makes a table of all their keys.
        """
        if kind not in self._packed:
            self._packed[kind] = described([(packed(*self.keyed(kind)), ANY_NUMBER)])
        places, numbers = look_up(keys, self._packed[kind])
        later = self._later.get(kind)
        if not later:
            return places, numbers
        asked = [(place, later[key]) for place, key in enumerate(keys.tolist()) if key in later]
        more = [(place, number) for place, documents in asked for number in documents]
        found = np.array(more, dtype=np.int64).reshape(-1, 2)
        return np.concatenate((places, found[:, 0])), np.concatenate((numbers, found[:, 1]))

    def tables(self) -> dict[str, Keys]:
        """Return all postings, by kind, for a segment."""
        rows, base, _, _ = self.held
        numbers = np.arange(base, self.end, dtype=np.int64)
        firsts = firsts_of(rows)
        copies = firsts != numbers
        leading = ~copies & (rows[:, 0] & np.uint64(0xFFFFFFFF) != 0)
        small = numbers.astype(np.uint32)
        return {
            "shingles": self.keyed("shingles")
            if self.settings.bands is not None
            else Keys(self.keys[: self.postings], self.documents[: self.postings]),
            "ids": Keys(hash_ids(self.ids), small),
            "digests": Keys(rows[leading, 2], small[leading]),
            "copies": Keys(hash_numbers(firsts[copies]), small[copies]),
            "passages": self.keyed("passages"),
        }


def copies_within(
    firsts: npt.NDArray[np.int64], digests: npt.NDArray[np.uint64], sizes: npt.NDArray[np.int64], base: int
) -> None:
    """Write the first copy of each text for which `firsts` has -1: itself, or an earlier one of this batch.

    Text i of the batch has the number ``base + i``. A text without a token has no copies.
    """
    alone = np.flatnonzero(firsts < 0)
    firsts[alone] = base + alone
    if len(alone) < 2:
        return
    alone = alone[sizes[alone] > 0]
    _, first, group = np.unique(digests[alone, 0], return_index=True, return_inverse=True)
    earlier = alone[first[group]]
    same = digests[earlier, 1] == digests[alone, 1]
    firsts[alone[same]] = base + earlier[same]


def _grown(array: npt.NDArray[Any], used: int, wanted: int) -> npt.NDArray[Any]:
    """Return an array with room for `wanted` rows that begins with the `used` ones."""
    if wanted <= len(array):
        return array
    grown = np.empty((max(wanted, 2 * len(array), 256), *array.shape[1:]), dtype=array.dtype)
    grown[:used] = array[:used]
    return grown

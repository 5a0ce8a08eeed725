"""The half of the writer of an index that adds texts: all of a batch, or those that are new.

What is added is in memory (`dedup.index.postings.memtable`), and in files that no manifest counts.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.index.log.rows import (
    SEAL_WORD,
    Log,
    MarkedSets,
    damaged,
    encode_ids,
    rows_of,
    seal_rows,
)
from dedup.index.log.texts import frames_of
from dedup.index.manifest import Manifest
from dedup.index.opening import new_by_id
from dedup.index.postings.bands import new_among
from dedup.index.postings.memtable import copies_within
from dedup.index.view import View

__all__ = ["Adding"]

FILTERED_TEXTS = 1 << 8
"""Texts that are compared with one another before those of them that are new are added, with ``method="lsh"``."""

Numbers = npt.NDArray[np.int64]


class Adding(ABC):
    """A writer that can add texts. `view` shows what was added, committed or not."""

    folder: Path
    view: View
    interrupted: bool
    _log: Log
    _changed: bool
    _bits_changed: bool

    @abstractmethod
    def work(self) -> None:
        """Do what additions make necessary."""

    @property
    def manifest(self) -> Manifest:
        """The manifest that the next commit writes."""
        return self.view.manifest

    def add(self, texts: MarkedSets, ids: list[Any] | None, kind: str) -> None:
        """Add texts by their sets and marks. Without `ids` they get the next running numbers."""
        self.view.memtable.learn(self.view.stored)
        sets, digests = texts.sets, texts.marks[:, :2]
        view, memtable = self.view, self.view.memtable
        count, base = len(sets.sizes), memtable.end
        names = self._names(ids, count, kind)
        firsts = view.find_digests(digests)
        firsts[sets.sizes == 0] = -1
        copies_within(firsts, digests, sets.sizes, base)
        numbers = np.arange(base, base + count, dtype=np.int64)
        new = np.flatnonzero(firsts == numbers)
        rows = rows_of(texts, firsts, base, self.manifest.hashes, lambda some: view.read(some)[0])
        encoded = self._name_and_seal(rows, numbers, names, kind)
        with self._whole_or_interrupted():
            added = memtable.add(rows, names, sets, new, texts.kept)
            if len(new) < count:
                view.copied.add(firsts[firsts != numbers])
                self._bits_changed = True
            frames, data = frames_of(texts.kept, self.manifest.text_bytes, numbers)
            self._log.append(rows, added, encoded, frames, data)
            self._count(sets.sizes, encoded, len(added), len(data))
        self.work()

    def filter(
        self, sets: MarkedSets, ids: list[Any] | None, kind: str, threads: int, place_of: Callable[[int], str]
    ) -> npt.NDArray[np.bool_]:
        """Add those texts that reach the threshold with no text before; return which (bool).

        `place_of` says where a text is.
        """
        from dedup.kernels import index_memtable as kernels

        view, memtable = self.view, self.view.memtable
        everyone = np.arange(len(sets.sizes), dtype=np.int64)
        if view.settings.bands is not None:
            return self._filter_by_bands(sets, ids, kind, place_of)
        self.view.memtable.learn(self.view.stored)
        rest = everyone[~view.any_alive(sets, everyone, threads)]
        if ids is not None:
            rest = new_by_id(view, sets, rest, ids, place_of)
        hashes = int(sets.sizes[rest].sum())
        memtable.reserve(len(rest), hashes)
        memtable.widen(memtable.postings + hashes)
        memtable.age(hashes)
        kept = np.zeros(len(everyone), dtype=np.bool_)
        state: tuple[Any, ...] = (
            memtable.counters,
            *memtable.chains,
            memtable.postings,
            memtable.rows,
            memtable.base,
            memtable.count,
            memtable.sets,
            memtable.hashes_before,
            memtable.hashes,
            view.gone.words,
            view.settings.threshold,
            view.settings.containment,
            sets.marks,
            view.apart,
            kept,
        )
        with self._whole_or_interrupted():
            held, postings, used, wrong = kernels.filter_rows(*sets.sets, rest, *state)
            if wrong >= 0:
                damaged(view.stored.path, int(wrong))
            new = np.flatnonzero(kept)
            numbers = np.arange(memtable.end, memtable.base + held, dtype=np.int64)
            names = self._names(None if ids is None else [ids[row] for row in new.tolist()], len(new), kind)
            rows = memtable.rows[memtable.count : held]
            encoded = self._name_and_seal(rows, numbers, names, kind)
            added = memtable.sets[memtable.hashes : used]
            some = None if sets.kept is None else sets.kept.take(new)
            frames, data = frames_of(some, self.manifest.text_bytes, numbers)
            self._log.append(rows, added, encoded, frames, data)
            memtable.postings, memtable.hashes = int(postings), int(used)
            memtable.note(rows, names, some)
            self._count(sets.sizes[new], encoded, len(added), len(data))
        self.work()
        return kept

    def _filter_by_bands(
        self, sets: MarkedSets, ids: list[Any] | None, kind: str, place_of: Callable[[int], str]
    ) -> npt.NDArray[np.bool_]:
        """As `filter`, for an index of bands."""
        kept = np.zeros(len(sets.sizes), dtype=np.bool_)
        rest = np.arange(len(kept), dtype=np.int64)
        if ids is not None:
            rest = new_by_id(self.view, sets, rest, ids, place_of)
        for start in range(0, len(rest), FILTERED_TEXTS):
            some = rest[start : start + FILTERED_TEXTS]
            seen = self.view.probe(sets, some, self.view.settings.threshold)
            new = new_among(self.view.settings, sets, np.setdiff1d(some, seen[:, 0]))
            self.add(sets.take(new), None if ids is None else [ids[row] for row in new.tolist()], kind)
            kept[new] = True
        return kept

    @contextlib.contextmanager
    def _whole_or_interrupted(self) -> Iterator[None]:
        """After an error in the block the index is neither as before it nor as after it, so it cannot be used."""
        try:
            yield
        except BaseException:
            self.interrupted = True
            raise

    def _names(self, ids: list[Any] | None, count: int, kind: str) -> list[Any]:
        """Return the ids of new documents, and note how documents are named."""
        manifest = self.manifest
        if count:
            manifest.ids = kind
        if ids is not None:
            if kind == "auto" and ids:  # of another index, compacted
                manifest.next_id = max(manifest.next_id, int(ids[-1]) + 1)
            return ids
        names = list(range(manifest.next_id, manifest.next_id + count))
        manifest.next_id += count
        return names

    def _name_and_seal(self, rows: npt.NDArray[np.uint64], numbers: Numbers, names: list[Any], kind: str) -> bytes:
        """Write the ids and seals into rows; return the bytes of ids that are texts."""
        encoded, hashes = b"", None
        if kind == "str":
            rows[:, 5], encoded, hashes = encode_ids(names, self.manifest.id_bytes)
        else:
            rows[:, 5] = np.array(names, dtype=np.int64).view(np.uint64)
        rows[:, SEAL_WORD] = seal_rows(rows, numbers, hashes)
        return encoded

    def _count(self, sizes: Numbers, encoded: bytes, hashes: int, text_bytes: int) -> None:
        manifest = self.manifest
        manifest.documents += len(sizes)
        manifest.live += len(sizes)
        manifest.empty += int(np.count_nonzero(sizes == 0))
        manifest.hashes += hashes
        manifest.id_bytes += len(encoded)
        manifest.text_bytes += text_bytes
        self._changed = self._changed or len(sizes) > 0

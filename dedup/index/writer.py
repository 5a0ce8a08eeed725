"""The writer of an index: it adds, removes, makes segments of what was added, merges them, and commits.

What was added is at first in memory, and in files that no manifest counts. `commit` syncs these files and replaces the
manifest. So a process that ends in between, however it ends, leaves the index as it was at the last commit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.errors import StorageError
from dedup.index.adding.batches import Adding
from dedup.index.log.bits import write_bits
from dedup.index.log.rows import (
    Log,
    Stored,
    firsts_of,
    sizes_of,
)
from dedup.index.manifest import SUFFIX, Manifest
from dedup.index.memory import ANY
from dedup.index.postings.memtable import Memtable, new_counters
from dedup.index.postings.merge import Merges
from dedup.index.postings.segments import open_segment, write_segment
from dedup.index.settings import Settings
from dedup.index.view import ALL_PAIRS, View
from dedup.storage.atomic import storage_errors, sync_file
from dedup.storage.writer_lock import lock_for_writing

__all__ = ["Writer"]

FLUSH_DOCUMENTS, FLUSH_HASHES = 1 << 14, 1 << 23
"""Documents in memory, and their hashes (64 MB), of which a segment is made. Curve:
`benchmarks.tuning.writer_flush_documents`; flat from 2^12 to 2^16 (2026-11)."""

COMMIT_DOCUMENTS = 1 << 11
"""Documents of which a commit makes a segment: a reader holds fewer in memory. Curve:
`benchmarks.tuning.writer_commit_documents`; with commits of 2,000 documents 2^12 takes 1.47 times as long (2026-11)."""

MERGED_PER_POSTING = 16
"""Postings that are merged for each one that is added: more than there are levels, so merges keep up. Curve:
`benchmarks.tuning.writer_merged_per_posting`; flat from 4 to 32 on generated:20000 (two busy cores, 2026-11)."""

MOST_SEGMENTS = 12
"""Segments. If a commit finds more, it ends the merges that run."""

SETTLED_POSTINGS = 1 << 26
"""Postings that are merged when an index is closed, though fewer were added: of a million texts of 2 kB, a second or
two. 2^24 of them took 0.37 s of the processor (two busy cores, 2026-11)."""

FEED_DOCUMENTS, FEED_HASHES = 1 << 12, 1 << 20
"""Documents that are copied at a time from another index, and about how many hashes."""

Numbers = npt.NDArray[np.int64]


class Writer(Adding):
    """The one writer of the index in `folder`. `view` shows what was added, committed or not."""

    def __init__(self, folder: Path, hash_key: Any) -> None:
        """Lock and open the index. Raises `StorageError` if it is in use, is none, or is damaged."""
        Manifest.read(folder)  # without an index there, no lock is made
        self.folder = folder
        self._lock = lock_for_writing(folder)
        try:
            manifest = Manifest.read(folder)
            settings = Settings.from_json(manifest.settings, folder, hash_key)
            self.view = View(folder, manifest, settings, new_counters(), None)
            self._log = Log(folder, manifest)
        except BaseException:
            self._lock.close()
            raise
        self.interrupted = False  # in the middle of a change, by Ctrl-C or an error of the caller's
        self.room = ANY  # bytes that the newest documents may hold
        self._merges = Merges(folder)
        self._unsynced: list[Path] = []
        self._changed = self._bits_changed = False
        self._collect()

    @classmethod
    def create(cls, folder: Path, settings: Settings) -> None:
        """Make an empty index in a folder that is not there, or is empty."""
        with storage_errors(f"make an index in {folder}", begun=False):
            folder.mkdir(parents=True, exist_ok=True)
        lock = lock_for_writing(folder)
        try:
            manifest = Manifest(settings.to_json())
            Log(folder, manifest).close()
            manifest.write(folder)
        finally:
            lock.close()

    def remove(self, numbers: Numbers) -> None:
        """Remove living documents by their numbers, each once."""
        view = self.view
        rows, _ = view.read(numbers)
        view.dead.add(numbers)
        for number in numbers[numbers >= view.memtable.base].tolist():
            view.memtable.forget(number)
        firsts = np.unique(firsts_of(rows))
        view.bury(firsts[view.dead.has(firsts)])
        self.manifest.live -= len(numbers)
        self.manifest.empty -= int(np.count_nonzero(sizes_of(rows) == 0))
        self._changed = self._bits_changed = True

    def feed(self, source: View, report: Callable[[int], None], *, fresh_ids: bool) -> None:
        """Add the living documents of another view, which has none in memory alone, in their order."""
        done = 0
        for sets, ids in source.batches(FEED_DOCUMENTS, FEED_HASHES):
            self.add(sets, None if fresh_ids else ids, str(source.manifest.ids))
            done += len(ids)
            report(done)

    # segments

    def work(self) -> None:
        """Make a segment if there are enough documents in memory, and merge as much as was added."""
        memtable = self.view.memtable
        budget = MERGED_PER_POSTING * max(memtable.posted - self._worked, 0)
        self._worked, self._paid = memtable.posted, self._paid + budget
        if memtable.count >= FLUSH_DOCUMENTS or memtable.hashes >= FLUSH_HASHES or memtable.bytes >= self.room:
            self.flush()
        self._merge(budget)

    _worked = _paid = 0

    def flush(self) -> None:
        """Make a segment of the documents in memory."""
        view, manifest = self.view, self.manifest
        memtable = view.memtable
        if not memtable.count:
            return
        self._log.write()
        entry = write_segment(self.folder, manifest.next_segment, memtable.base, memtable.end, memtable.tables())
        stored = Stored(self.folder, manifest)
        segment = open_segment(self.folder, entry)
        self._unsynced += segment.entry.paths(self.folder)
        manifest.next_segment += 1
        manifest.segments.append(entry)
        view.stored = stored
        view.put_segments([*view.segments, segment])
        view.memtable = Memtable(view.settings, memtable.end, manifest.hashes, memtable.counters, memtable)
        self._worked = 0
        self._changed = True
        self._merges.plan(view)

    def _merge(self, budget: int, *, into_one: bool = False) -> None:
        """Merge about `budget` postings; with `into_one` all segments, as far as a table can hold them."""
        for made in self._merges.run(self.view, budget, into_one=into_one):
            self._unsynced += made.paths(self.folder)
            self._changed = True

    # committing

    def commit(self) -> None:
        """Make all that was done so far durable."""
        if self.view.memtable.count >= COMMIT_DOCUMENTS:
            self.flush()
        if len(self.view.segments) > MOST_SEGMENTS:
            self._merge(ALL_PAIRS)
        if not self._changed and not self._bits_changed:
            return
        self._log.sync()
        needed = self.manifest.names()  # not the inputs of a merge that is done
        for path in dict.fromkeys(self._unsynced):
            if path.name in needed:
                sync_file(path)
        manifest = self.manifest
        generation, bits = manifest.generation, manifest.bits
        try:
            manifest.generation += 1
            if self._bits_changed:
                bits_now = self.view.dead, self.view.copied, self.view.documents
                manifest.bits = write_bits(self.folder, manifest.generation, *bits_now)
            manifest.write(self.folder)
        except BaseException:
            manifest.generation, manifest.bits = generation, bits
            raise
        self._unsynced = []
        self._changed = self._bits_changed = False
        self._collect()

    def settle(self, stage: Callable[[int], Callable[[int], None]]) -> None:
        """After a commit, and before the index is closed: merge the newest segments and documents, and commit that.

        So those who open the index have few segments to ask. No more is merged than the texts that were added would
        pay for in `work`: at most `SETTLED_POSTINGS`, or as many postings as were added, if that is more. So what a
        session costs depends on it alone, not on the index. What it adds to an index is durable before, so an error of
        the system is none of the caller's. `stage` begins a stage of so many postings, if some are merged.
        """
        view = self.view
        budget = min(max(SETTLED_POSTINGS, self._paid // MERGED_PER_POSTING), self._paid)
        with contextlib.suppress(StorageError):
            if view.segments and view.segments[-1].entry.most + view.memtable.posted <= budget:
                self.flush()
            made = self._merges.settle(view, budget, stage)
            if made is not None:
                self._unsynced += made.paths(self.folder)
                self._changed = True
            self.commit()

    def compact(self, report: Callable[[int], None]) -> None:
        """Write the index anew, without removed documents, as one segment; commit. `report` gets the documents done."""
        self.flush()
        self._merge(ALL_PAIRS)
        self.commit()
        old, old_log = self.view, self._log
        manifest = replace(
            Manifest(old.manifest.settings),
            generation=old.manifest.generation,
            ids=old.manifest.ids,
            next_id=old.manifest.next_id,
            epoch=old.manifest.epoch + 1,
            next_segment=old.manifest.next_segment,
        )
        try:
            self._log = Log(self.folder, manifest)
            self.view = View(self.folder, manifest, old.settings, old.memtable.counters, None)
            self._worked = 0
            self.feed(old, report, fresh_ids=False)
            self.manifest.next_id = old.manifest.next_id
            self.flush()
            self._merge(ALL_PAIRS, into_one=True)
            self._changed = self._bits_changed = True
            self.commit()
        except BaseException:
            self._merges.abandon()
            if self._log is not old_log:
                self._log.close()
            self.view, self._log, self._unsynced = old, old_log, []
            self.interrupted = False  # what was there before is whole
            self._changed = self._bits_changed = False
            raise
        old_log.close()

    def close(self) -> None:
        """Free the lock; what was not committed is lost."""
        self._merges.abandon()
        self._log.close()
        self._lock.close()

    def _collect(self) -> None:
        """Remove the files that no manifest names and no merge writes."""
        needed = self.manifest.names() | self._merges.names()
        with storage_errors(f"remove from {self.folder} what is no longer needed"):
            for entry in self.folder.iterdir():
                ours = entry.name.endswith((SUFFIX, f"{SUFFIX}.tmp")) or entry.name == "manifest.json.tmp"
                if ours and entry.name not in needed:
                    entry.unlink(missing_ok=True)

"""Merges of segments, a slice at a time: so no text that is added waits for a large merge.

The last segments are merged as soon as there are three or more of which the oldest is at most three times as large as
the others together. So a posting is moved again only when its segment grows by a third or more, and in an index of
millions of documents there are about four segments. Only neighbours are merged; the result has their documents.

In naive Python, with the sizes of segments, the oldest first::

    runs = [sizes[start:] for start in range(len(sizes) - 3, -1, -1)]
    merged = next((run for run in runs if run[0] <= 3 * sum(run[1:])), None)

A slice is all postings whose keys begin with the same bits. Keys are read in this order from all inputs, so the result
is written from start to end. Postings of removed documents are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dedup.index.manifest import TABLE_KINDS, SegmentEntry, TableEntry, table_name
from dedup.index.postings.segments import Segment, open_segment
from dedup.index.postings.tables import MOST_ENTRIES, Table, TableWriter, shape_for
from dedup.index.view import View

__all__ = ["MERGE_FACTOR", "Merge", "Merges"]

MERGE_FACTOR = 4
"""The result of a merge is at most so many times as large as the newer segments that are merged into the oldest one.
Curve: `benchmarks.tuning.merge_merge_factor`; flat from 2 to 16 on generated:20000, where little is merged (two busy
cores, 2026-11). Counted for 5 million texts: with 4 each posting is moved 7 times, and there are 4 segments on average;
with 9 it is moved 11 times, and there are as many."""

FEWEST_MERGED = 3
"""Segments that are merged at once, at least."""

SLICE_ENTRIES = 1 << 15
"""Postings that a step merges, about. Curve: `benchmarks.tuning.merge_slice_entries`; flat from 2^13 to 2^17 on
generated:20000 (two busy cores, 2026-11)."""


def run_to_merge(segments: Sequence[SegmentEntry]) -> int:
    """Return how many of the last segments should be merged now, 0 for none."""
    newer = entries = 0
    for run, segment in enumerate(reversed(segments), start=1):
        size = segment.end - segment.first
        entries += segment.most
        if entries > MOST_ENTRIES:
            return 0
        if run >= FEWEST_MERGED and size <= (MERGE_FACTOR - 1) * newer:
            return run
        newer += size
    return 0


class Merge:
    """A merge that runs step by step. `inputs` are neighbours, `number` is that of the result."""

    def __init__(self, folder: Path, inputs: Sequence[Segment], number: int) -> None:
        self.inputs, self.number = list(inputs), number
        self._folder = folder
        self._kinds = list(TABLE_KINDS)
        self._made: dict[str, TableEntry | None] = {}
        self._writer: TableWriter | None = None
        self._tables: list[Table] = []
        self._slice = self._slice_bits = 0

    @property
    def done(self) -> bool:
        """Whether all postings are merged."""
        return self._writer is None and not self._kinds

    @property
    def entry(self) -> SegmentEntry:
        """What the manifest says of the result."""
        assert self.done
        return SegmentEntry(self.number, self.inputs[0].entry.first, self.inputs[-1].entry.end, self._made)

    def paths(self) -> list[Path]:
        """Return the files of the result, those that are not finished included."""
        return [self._folder / table_name(self.number, kind) for kind in TABLE_KINDS]

    def step(self, skipped: Mapping[str, npt.NDArray[np.uint64]]) -> int:
        """Merge one slice; return how many postings were read. `skipped` has the documents to drop as bits, by kind."""
        from dedup.kernels import index_postings as kernels

        if self._writer is None:
            self._begin(self._kinds[0])
            if self._writer is None:
                return 1
        kind, writer = self._kinds[0], self._writer
        all_keys, all_documents, read = [], [], 0
        for table in self._tables:
            each = table.bits - self._slice_bits
            first, end = self._slice << each, (self._slice + 1) << each
            head = kernels.HEAD_MASK
            room = max(int(table.doors[end] & head) - int(table.doors[first] & head), 0)
            room = min(room, table.postings)
            keys, documents = np.empty(room, dtype=np.uint64), np.empty(room, dtype=np.uint32)
            kept = kernels.expand(*table, first, end, skipped[kind], keys, documents)
            all_keys.append(keys[:kept])
            all_documents.append(documents[:kept])
            read += room
        buckets = 1 << (writer.shape.bits - self._slice_bits)
        writer.add(np.concatenate(all_keys), np.concatenate(all_documents), buckets)
        self._slice += 1
        if self._slice == 1 << self._slice_bits:
            self._made[kind] = writer.finish()
            self._writer = None
            self._kinds.pop(0)
        return read + buckets // 4 + 1

    def abandon(self) -> None:
        """Remove what was written."""
        if self._writer is not None:
            self._writer.abandon()
        for path in self.paths():
            path.unlink(missing_ok=True)

    def _begin(self, kind: str) -> None:
        self._tables = [segment.tables[kind] for segment in self.inputs if kind in segment.tables]
        if not self._tables:
            self._made[kind] = None
            self._kinds.pop(0)
            return
        entries = sum(table.postings for table in self._tables)
        known = min(table.known for table in self._tables)
        shape = shape_for(entries, self.inputs[0].entry.first, self.inputs[-1].entry.end, known)
        self._writer = TableWriter(self._folder / table_name(self.number, kind), shape)
        wanted = (entries // SLICE_ENTRIES).bit_length()
        self._slice, self._slice_bits = 0, min(wanted, shape.bits, *(table.bits for table in self._tables))


class Merges:
    """The merges that run, the one with the newest documents last: it is done first, since it is small."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[Merge] = []
        self._credit = 0  # postings; a slice may be more than one text pays for, so the next ones have less to do

    def names(self) -> set[str]:
        """Return the names of the files that are being written."""
        return {path.name for merge in self._running for path in merge.paths()}

    def plan(self, view: View) -> None:
        """Begin the next merge, of segments that no merge reads."""
        busy = self._running[-1].inputs[-1].entry.number if self._running else None
        place = next((i + 1 for i, each in enumerate(view.segments) if each.entry.number == busy), 0)
        run = run_to_merge([segment.entry for segment in view.segments[place:]])
        if run:
            self._begin(view, view.segments[-run:])

    def run(self, view: View, budget: int, *, into_one: bool = False) -> Iterator[SegmentEntry]:
        """Merge about `budget` postings; yield what was made, once it is in the place of its inputs in the view.

        With `into_one` all segments are merged at the end, if one table can hold their postings.
        """
        self._credit += budget
        while self._credit > 0:
            if not self._running:
                self.plan(view)
            total = sum(segment.entry.most for segment in view.segments)
            if not self._running and into_one and len(view.segments) > 1 and total <= MOST_ENTRIES:
                self._begin(view, view.segments)
            if not self._running:
                break
            read, made = self._step(view)
            self._credit -= read
            if made is not None:
                yield made
                self.plan(view)
        if not self._running:
            self._credit = 0

    def settle(self, view: View, budget: int, stage: Callable[[int], Callable[[int], None]]) -> SegmentEntry | None:
        """Merge the newest segments that have at most `budget` postings together; return what was made.

        Merges that run are abandoned. `stage` begins a stage of so many postings, if some are merged.
        """
        self.abandon()
        count = entries = 0
        for segment in reversed(view.segments):
            if entries + segment.entry.most > min(budget, MOST_ENTRIES):
                break
            entries += segment.entry.most
            count += 1
        if count < 2:
            return None
        report = stage(entries)
        self._begin(view, view.segments[-count:])
        made, done = None, 0
        while made is None:
            read, made = self._step(view)
            done += read
            report(min(done, entries))
        return made

    def abandon(self) -> None:
        """Remove what merges that are not done wrote."""
        for merge in self._running:
            merge.abandon()
        self._running = []

    def _step(self, view: View) -> tuple[int, SegmentEntry | None]:
        """Merge a slice; return how many postings were read, and what was made, once it has the place of its inputs."""
        merge, gone, dead = self._running[-1], view.gone.words, view.dead.words
        try:
            read = merge.step({kind: gone if kind in ("shingles", "passages") else dead for kind in TABLE_KINDS})
        except BaseException:  # a slice may be half written: it begins anew another time
            self._running.pop().abandon()
            raise
        if not merge.done:
            return read, None
        self._running.pop()
        self._replace(view, merge)
        return read, merge.entry

    def _begin(self, view: View, inputs: Sequence[Segment]) -> None:
        self._running.append(Merge(self._folder, inputs, view.manifest.next_segment))
        view.manifest.next_segment += 1

    def _replace(self, view: View, merge: Merge) -> None:
        """Put the result of a merge in the place of its inputs."""
        numbers = [segment.entry.number for segment in view.segments]
        first = numbers.index(merge.inputs[0].entry.number)
        made = open_segment(self._folder, merge.entry)
        view.put_segments([*view.segments[:first], made, *view.segments[first + len(merge.inputs) :]])
        view.manifest.segments[first : first + len(merge.inputs)] = [made.entry]

"""`check`: everything that an index committed is read, and what is damaged is named.

A damaged row or set is never an answer: a query that needs it raises an error. A damaged posting may hide a document;
then the document is named here, by its id. The index need not be open: one that is damaged in its manifest, or in the
newest documents, cannot be opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from dedup.errors import StorageError
from dedup.hash_key import HashKey
from dedup.hashing.units import HashSets
from dedup.index.log.bits import Bits, read_bits
from dedup.index.log.rows import Rows, Stored, firsts_of, sizes_of
from dedup.index.log.texts import block_of, fingerprints, tokens_of
from dedup.index.manifest import CHECK_IT, RESTORE, Manifest, SegmentEntry, TableEntry, bits_name, is_index, table_name
from dedup.index.postings.bands import keys_of
from dedup.index.postings.memtable import ANY_NUMBER
from dedup.index.postings.segments import hash_ids, hash_numbers, look_up
from dedup.index.postings.tables import Table, described, doors_bytes, mapped, open_table
from dedup.index.settings import Settings
from dedup.runtime.progress import Progress

__all__ = ["IndexCheck", "check"]

CHECKED_DOCUMENTS = 1 << 14
"""Documents that are read at a time."""

CHECKS = 3
"""How often a generation is checked, if a writer replaces it meanwhile and something seems damaged."""

COMPACT = "the documents are whole: dedup index compact (Index.compact) writes the postings anew"
"""What to do if postings alone are damaged."""

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class IndexCheck:
    """What `Index.check` found.

    Attributes
    ----------
    documents : how many there are, removed ones included
        0 if the manifest is damaged, which knows it
    problems : what is damaged, in words; empty if nothing is
    lost : the ids of documents that may not be found, or cannot be reported. For a row that is damaged the id is None
    advice : what to do, in words; "" if nothing is damaged
    """

    documents: int
    problems: tuple[str, ...]
    lost: tuple[Any, ...]
    advice: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is damaged."""
        return not self.problems

    def __repr__(self) -> str:
        if self.ok:
            return f"IndexCheck: {self.documents:,} documents, nothing damaged"
        lines = [f"IndexCheck: {self.documents:,} documents, {len(self.lost):,} of them may not be found"]
        return "\n".join([*lines, *self.problems, self.advice])


class _Findings:
    """Problems in words, and the numbers of the documents that they concern."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.lost: dict[int, Any] = {}
        self.mendable = True  # by writing the postings anew

    def add(self, problem: str, *, of_postings: bool) -> None:
        self.problems.append(problem.removesuffix(f"; {CHECK_IT}"))  # which is what this is
        self.mendable &= of_postings

    def result(self, documents: int) -> IndexCheck:
        advice = "" if not self.problems else COMPACT if self.mendable else f"{RESTORE}, or make it anew from the texts"
        return IndexCheck(documents, tuple(self.problems), tuple(self.lost.values()), advice)


def check(folder: Path, hash_key: bytes | HashKey | None, stages: Progress) -> IndexCheck:
    """Read all of the committed generation of an index.

    Raises `StorageError` if there is no index, and `ParameterError` if it was made with another hash key, or another
    format or Unicode version.
    """
    for attempt in range(CHECKS):
        try:
            manifest = Manifest.read(folder)
        except StorageError as error:
            if error.errno is not None or not is_index(folder):
                raise
            found = _Findings()
            found.add(str(error), of_postings=False)
            return found.result(0)
        settings = Settings.from_json(manifest.settings, folder, hash_key)
        checked = _check_generation(folder, manifest, settings, stages)
        if checked.ok or attempt == CHECKS - 1 or Manifest.read(folder).generation == manifest.generation:
            break  # else a writer removed files meanwhile
    return checked


def _check_generation(folder: Path, manifest: Manifest, settings: Settings, stages: Progress) -> IndexCheck:
    done = 0
    report = stages.stage("check", manifest.documents + sum(each.end - each.first for each in manifest.segments))

    def advance(documents: int) -> None:
        nonlocal done
        done += documents
        report(done)

    found = _Findings()
    dead, copied = _bits(folder, manifest, found)
    try:
        stored = Stored(folder, manifest)
    except StorageError as error:
        found.add(str(error), of_postings=False)
        found.lost = dict.fromkeys(range(manifest.live))
        return found.result(manifest.documents)
    intact = _check_log(stored, manifest, dead, found, advance)
    copied = _still_copied(stored, dead, copied)
    for segment in manifest.segments:
        _check_segment(folder, stored, segment, settings, dead, copied, intact, found, advance)
    return found.result(manifest.documents)


def _bits(folder: Path, manifest: Manifest, found: _Findings) -> tuple[Bits, Bits]:
    try:
        both, whole = read_bits(folder, manifest)
    except StorageError as error:
        found.add(str(error), of_postings=False)
        return Bits(), Bits()
    if not whole and manifest.bits is not None:
        problem = f"{bits_name(manifest.bits[0])}: expected the bytes that were written, found others"
        found.add(problem, of_postings=False)
    return both


def _still_copied(stored: Stored, dead: Bits, copied: Bits) -> Bits:
    """Return which documents have a living copy. Of a removed one that has none, a merge drops the postings."""
    living = Bits()
    for numbers in _parts(0, len(stored) if copied.words.any() else 0):
        firsts = firsts_of(stored.rows[numbers])
        living.add(firsts[~dead.has(numbers) & copied.has(firsts)])
    return living


def _parts(first: int, end: int) -> Iterator[Numbers]:
    for start in range(first, end, CHECKED_DOCUMENTS):
        yield np.arange(start, min(start + CHECKED_DOCUMENTS, end), dtype=np.int64)


def _check_log(
    stored: Stored, manifest: Manifest, dead: Bits, found: _Findings, advance: Callable[[int], None]
) -> npt.NDArray[np.bool_]:
    """Compare all rows and sets with their seals; return which documents fit."""
    from dedup.kernels import index_sets as kernels

    intact = np.ones(manifest.documents, dtype=np.bool_)
    with_texts = "texts" in manifest.log_sizes
    for numbers in _parts(0, manifest.documents):
        rows, ids, fits = stored.sealed(numbers)
        seals = np.empty(len(rows), dtype=np.uint64)
        kernels.seal_sets(stored.sets, rows[:, 1].astype(np.int64), sizes_of(rows), seals)
        good = seals == rows[:, 4]
        alive = ~dead.has(numbers)
        whole = np.ones(len(numbers), dtype=np.bool_)
        if with_texts:
            whole = np.array([text is not None for text in stored.unpacked(numbers)], dtype=np.bool_)
        for what, wrong in (("row", ~fits), ("set", fits & ~good), ("text", fits & ~whole)):
            for place in np.flatnonzero(wrong).tolist():
                number = int(numbers[place])
                name = None if what == "row" else ids[place]
                named = "" if name is None else f" (id {name!r})"
                found.add(f"the {what} of document number {number:,}{named} is damaged", of_postings=False)
                if alive[place]:
                    found.lost[number] = name
        intact[numbers] = fits & good
        advance(len(numbers))
    return intact


def _check_segment(
    folder: Path,
    stored: Stored,
    segment: SegmentEntry,
    settings: Settings,
    dead: Bits,
    copied: Bits,
    intact: npt.NDArray[np.bool_],
    found: _Findings,
    advance: Callable[[int], None],
) -> None:
    tables: dict[str, Table] = {}
    for kind, entry in segment.tables.items():
        if entry is None:
            continue
        path = folder / table_name(segment.number, kind)
        try:
            tables[kind] = open_table(path, entry, segment.first)
        except StorageError as error:
            found.add(str(error), of_postings=False)  # the index cannot be opened
            continue
        if not _as_written(path, tables[kind], entry):
            found.add(f"{path.name}: expected the bytes that were written, found others", of_postings=True)
    for numbers in _parts(segment.first, segment.end):
        some = numbers[intact[numbers] & ~(dead.has(numbers) & ~copied.has(numbers))]
        rows, ids, _ = stored.sealed(some)
        _check_part(tables, stored, np.ascontiguousarray(rows), ids, some, settings, dead, found)
        advance(len(numbers))


def _as_written(path: Path, table: Table, entry: TableEntry) -> bool:
    between = mapped(path, doors_bytes(entry.bits))[8 * len(table.doors) :]
    doors = xxhash.xxh3_128_hexdigest(table.doors.view(np.uint8).data)
    entries = xxhash.xxh3_128_hexdigest(table.entries.data)
    return doors == entry.doors_xxh3 and entries == entry.entries_xxh3 and not between.any()


def _check_part(
    tables: dict[str, Table],
    stored: Stored,
    rows: Rows,
    ids: list[Any],
    numbers: Numbers,
    settings: Settings,
    dead: Bits,
    found: _Findings,
) -> None:
    """Look up every key of some documents."""
    from dedup.kernels import index_postings as kernels

    firsts, sizes = firsts_of(rows), sizes_of(rows)
    alive = ~dead.has(numbers)
    leading = (firsts == numbers) & (sizes > 0)
    missing = np.zeros(len(numbers), dtype=np.int64)
    if settings.bands is not None:
        sets = HashSets(stored.sets, rows[:, 1].astype(np.int64), sizes)
        full = np.flatnonzero(leading)
        owners = np.repeat(full, settings.bands.bands)
        missing = _lacking(tables.get("shingles"), keys_of(sets, full, settings.bands), owners, numbers)
    elif "shingles" in tables:
        kernels.count_postings(
            *tables["shingles"], rows, numbers, stored.sets, settings.threshold, settings.containment, missing
        )
    else:
        missing[leading] = 1
    lacks = leading & (missing > 0) & _needed(numbers, firsts, alive)
    for kind, keys, which in (
        ("ids", hash_ids(ids), alive),
        ("digests", rows[:, 2], leading & alive),
        ("copies", hash_numbers(firsts), (firsts != numbers) & alive),
    ):
        lost = which.copy()
        if kind in tables:
            places = np.flatnonzero(which)
            hits, known = look_up(np.ascontiguousarray(keys[places]), described([(tables[kind], ANY_NUMBER)]))
            lost[places[hits[numbers[places[hits]] == known]]] = False
        if kind == "copies":
            lacks |= lost
        for place in np.flatnonzero(lost).tolist():
            what = kind[:-1] if kind != "copies" else "original"
            found.add(f"document {ids[place]!r} has no posting for its {what}", of_postings=True)
    for place in np.flatnonzero(lacks).tolist():
        found.add(f"document {ids[place]!r} lacks {int(missing[place]):,} of its postings", of_postings=True)
        found.lost[int(numbers[place])] = ids[place]
    if settings.passages is not None:
        _check_prints(tables.get("passages"), stored, ids, numbers, np.flatnonzero(leading), settings, found)


def _check_prints(
    table: Table | None,
    stored: Stored,
    ids: list[Any],
    numbers: Numbers,
    leading: Numbers,
    settings: Settings,
    found: _Findings,
) -> None:
    """Look up every fingerprint of the documents at the places `leading`. A damaged text has been named already."""
    texts = [text or b"" for text in stored.unpacked(numbers[leading])]
    prints = fingerprints(*tokens_of(block_of(texts), settings.shingle.reading), settings.passages)
    lacking = _lacking(table, prints.keys, np.repeat(leading, prints.counts), numbers)
    for place in np.flatnonzero(lacking).tolist():
        found.add(f"document {ids[place]!r} lacks {int(lacking[place]):,} of its fingerprints", of_postings=True)
        found.lost[int(numbers[place])] = ids[place]


def _lacking(table: Table | None, keys: npt.NDArray[np.uint64], owners: Numbers, numbers: Numbers) -> Numbers:
    """Return how many postings each of some documents lacks; key i should have one for the document ``owners[i]``."""
    lost = np.ones(len(owners), dtype=np.bool_)
    if table is not None:
        hits, known = look_up(keys, described([(table, ANY_NUMBER)]))
        lost[hits[numbers[owners[hits]] == known]] = False
    return np.bincount(owners[lost], minlength=len(numbers)).astype(np.int64)


def _needed(numbers: Numbers, firsts: Numbers, alive: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which documents must be found: living ones. Removed ones with copies are reported by their copies."""
    needed: npt.NDArray[np.bool_] = alive | (firsts == numbers)
    return needed

"""Texts that come into an index: hashed block by block, with what else is kept of them, and with their ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.hashing.units import HashedBlock, hash_block, hash_texts
from dedup.index.log.rows import MarkedSets, marked, refuse_id
from dedup.index.log.texts import keep
from dedup.index.settings import Settings
from dedup.index.view import View
from dedup.index.writer import Writer
from dedup.runtime.progress import Progress
from dedup.runtime.threads import map_blocks
from dedup.sources.coerce import Block, Ids, Texts
from dedup.unit import Unit

__all__ = ["REPLACE", "add_missing", "hashed", "in_index", "names_of", "placed"]

ID_SLICE = 1 << 14
"""Ids that are looked up at a time."""

RESUMED_HASHES = 1 << 24
"""Hashes that are added between two commits of an addition that can be resumed: 128 MB of sets, a few seconds."""

REPLACE = "give replace=True (--replace) to put the new text in its place"
"""What to do about an id that is in the index already."""


def hashed(
    texts: Texts, known: Settings, threads: int, stages: Progress, stage: str
) -> Iterator[tuple[HashedBlock, MarkedSets]]:
    """Yield the hashed blocks of texts, and their sets with what else is kept of the texts."""
    report, forms = stages.stage(stage, texts.about()), known.forms
    if not known.with_texts:
        how: dict[str, Any] = {"unit": Unit.DOCUMENT, "threads": threads, "forms": forms, "progress": report}
        yield from hash_texts(texts, known.shingle, lambda block: marked(block, known), **how)
        return

    def read(load: Callable[[], Block]) -> tuple[HashedBlock, MarkedSets]:
        block = load()
        made = hash_block(block, known.shingle, unit=Unit.DOCUMENT, forms=forms)
        sets = marked(made, known)._replace(kept=keep(block, known.shingle.reading, known.passages))
        block.release()
        return made, sets

    done = 0
    for made, sets in map_blocks(read, texts.loads(), threads):
        done += made.texts
        report(done)
        yield made, sets


def names_of(names: Ids | None, block: HashedBlock) -> list[Any] | None:
    """Return the ids of the texts of a block."""
    first = block.places[0, 0] if len(block.places) else 0
    return None if names is None else list(names[first : first + block.texts])


def placed(texts: Texts, block: HashedBlock) -> Callable[[int], str]:
    """Return what says in words where a text of a block is."""
    first = int(block.places[0, 0]) if len(block.places) else 0
    return lambda row: texts.place_of(first + row)


def add_missing(writer: Writer, texts: Texts, kind: str, threads: int, stages: Progress, *, replace: bool) -> int:
    """Add the texts that are not in the index with their id, and commit from time to time; return how many."""
    added = waiting = 0
    for block, sets in hashed(texts, writer.view.settings, threads, stages, "add"):
        part = names_of(texts.ids, block) or []
        numbers = writer.view.find_ids(part)
        there = np.flatnonzero(numbers >= 0)
        rows, _ = writer.view.read(numbers[there])
        other = there[(rows[:, 2:4] != sets.marks[there, :2]).any(axis=1)]
        if len(other) and not replace:
            place = placed(texts, block)(int(other[0]))
            refuse_id(part[int(other[0])], f"its text is another one; {REPLACE}", place)
        if len(other):
            writer.remove(np.sort(numbers[other]))
        new = np.union1d(np.flatnonzero(numbers < 0), other)
        if not len(new):
            continue
        some = sets.take(new)
        writer.add(some, [part[row] for row in new.tolist()], kind)
        added, waiting = added + len(new), waiting + int(some.sizes.sum())
        if waiting >= RESUMED_HASHES:
            writer.commit()
            waiting = 0
    return added


def in_index(view: View, names: Any) -> npt.NDArray[Any]:
    """Return the numbers of the documents that have one of some ids."""
    found = [np.empty(0, dtype=np.int64)]
    if names is not None and len(names) and view.documents:
        for start in range(0, len(names), ID_SLICE):
            numbers = view.find_ids(list(names[start : start + ID_SLICE]))
            found.append(numbers[numbers >= 0])
    return np.sort(np.concatenate(found))

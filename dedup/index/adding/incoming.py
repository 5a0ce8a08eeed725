"""Texts that come into an index: hashed block by block, with what else is kept of them, and with their ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError, ParameterError
from dedup.hashing.units import HashedBlock, hash_block, hash_one, hash_texts
from dedup.index.log.rows import MarkedSets, kind_of_ids, marked, refuse_id
from dedup.index.log.texts import keep
from dedup.index.opening import open_view
from dedup.index.settings import Settings
from dedup.index.view import View
from dedup.index.writer import Writer
from dedup.options import shown
from dedup.runtime.progress import Progress
from dedup.runtime.threads import map_blocks
from dedup.sources.coerce import Block, Ids, Texts
from dedup.sources.texts import INT64
from dedup.unit import Unit

__all__ = [
    "REPLACE",
    "OneText",
    "add_missing",
    "add_one",
    "filter_one",
    "hash_only",
    "hashed",
    "in_index",
    "listed",
    "merged",
    "names_of",
    "only_text",
    "placed",
]

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


def listed(ids: Any) -> list[Any]:
    """Return several ids in a list. Raise `InputError` if they are something else."""
    if isinstance(ids, Iterable) and not isinstance(ids, str | bytes):
        return list(ids)
    raise InputError(f"ids: expected a list of ids, found {type(ids).__name__} {shown(ids)}")


def only_text(texts: Any, ids: Any) -> tuple[str, Any] | None:
    """Return the text and the id (None: without) of a collection that is one str in a list or a dict; None of another.

    What is not returned is not wrong: `read_texts` takes it, or says what is.
    """
    if type(texts) is list and len(texts) == 1 and (ids is None or (type(ids) is list and len(ids) == 1)):
        text, name, named = texts[0], None if ids is None else ids[0], ids is not None
    elif type(texts) is dict and len(texts) == 1 and ids is None:
        ((name, text),), named = texts.items(), True
    else:
        return None
    good = (type(name) is int and name in INT64) or (type(name) is str and name.isascii())
    return (text, name) if type(text) is str and (good or not named) else None


class OneText(NamedTuple):
    """The set and the mark of one text, and its id in a list, or None if it gets a number."""

    sets: MarkedSets
    ids: list[Any] | None


def hash_only(text: str, name: Any, known: Settings) -> OneText | None:
    """Return one text, hashed; None if more than that is kept of it."""
    if known.with_texts:
        return None
    sets = marked(hash_one(text, known.shingle, known.forms), known)
    return OneText(sets, None if name is None else [name])


def add_one(writer: Writer, sets: MarkedSets, ids: list[Any] | None) -> int:
    """Add one text; return 1."""
    kind = kind_of_ids(writer.manifest, ids, 1)
    if ids is not None and len(in_index(writer.view, ids)):
        refuse_id(ids[0], REPLACE)
    writer.add(sets, ids, kind)
    return 1


def filter_one(writer: Writer, sets: MarkedSets, ids: list[Any] | None) -> bool:
    """Add one text if it reaches the threshold with no text before; return whether it was added."""
    kind = kind_of_ids(writer.manifest, ids, 1)
    return bool(writer.filter(sets, ids, kind, 1, lambda row: f"row {row}")[0])


def merged(writer: Writer, path: Path, folder: Path, stages: Progress) -> int:
    """Add the documents of the index at `path` to the one in `folder`; return how many."""
    known = writer.view.settings
    source, _ = open_view(path, known.shingle.key, None)
    here, there = known.to_json(), source.settings.to_json()
    for name, value in here.items():
        if there[name] != value:
            raise ParameterError(
                f"{name}: expected {value!r} as in {folder}, found {there[name]!r} in {path}; make the "
                "other index again with the same options"
            )
    if source.manifest.ids is None:
        return 0
    ids = None if source.manifest.ids == "auto" else ["" if source.manifest.ids == "str" else 0]
    kind_of_ids(writer.manifest, ids, source.manifest.live)
    if ids is not None:
        for start in range(0, source.manifest.documents, ID_SLICE):
            some = np.arange(start, min(start + ID_SLICE, source.manifest.documents), dtype=np.int64)
            old = in_index(writer.view, source.stored.read(source.living(some))[1])
            if len(old):
                refuse_id(writer.view.read(old[:1])[1][0], f"remove it from one of them, or from {path}")
    writer.feed(source, stages.stage("merge", source.manifest.live), fresh_ids=ids is None)
    return source.manifest.live


def add_missing(writer: Writer, texts: Texts, kind: str, threads: int, stages: Progress, *, replace: bool) -> int:
    """Add the texts that are not in the index with their id, and commit from time to time; return how many.

    An interrupt says what stays.
    """
    begun = writer.manifest.generation
    try:
        return _add_missing(writer, texts, kind, threads, stages, replace=replace)
    except KeyboardInterrupt as stop:
        stays = "what was committed stays in the index: run the same command again to add the rest"
        stop.add_note("the index is as it was" if writer.manifest.generation == begun else stays)
        raise


def _add_missing(writer: Writer, texts: Texts, kind: str, threads: int, stages: Progress, *, replace: bool) -> int:
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

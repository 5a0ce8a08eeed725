"""How an index is opened for reading, and what its methods check about what they are given."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError, StorageError
from dedup.hash_key import HashKey
from dedup.index.log.rows import MarkedSets, refuse_id, sizes_of
from dedup.index.manifest import INDEX_MANIFEST, Manifest
from dedup.index.postings.memtable import new_counters
from dedup.index.settings import Settings
from dedup.index.view import View
from dedup.options import shown
from dedup.runtime.threads import thread_count
from dedup.sources.coerce import Texts
from dedup.sources.texts import INT64

__all__ = ["fits", "new_by_id", "one_text", "open_view", "state_of", "workers_for"]

Numbers = npt.NDArray[np.int64]

CALLER_TEXTS = 32
"""Texts in memory that the calling thread hashes alone."""

ATTEMPTS = 100
"""How often a reader begins anew, if the writer replaced files while it opened them."""


def workers_for(texts: Texts, threads: int | None) -> int:
    """Return how many threads work on texts. To find out how many there may be takes longer than to hash a few."""
    return 1 if texts.at_hand and len(texts) <= CALLER_TEXTS else thread_count(threads)


def fits(view: View, name: object) -> bool:
    """Return whether an id is of the type of the ids of the index."""
    kind = view.manifest.ids
    if kind is None or isinstance(name, str) != (kind == "str"):
        return False
    return isinstance(name, str) or (isinstance(name, int) and name in INT64)


def one_text(text: object) -> str:
    """Return a text. Raise `InputError` if it is something else."""
    if not isinstance(text, str):
        raise InputError(f"text: expected one str, found {type(text).__name__} {shown(text)}; for several use query")
    return text


def state_of(folder: Path) -> tuple[int, int, int] | None:
    """Return what changes with each commit, None if there is no index."""
    try:
        found = (folder / INDEX_MANIFEST).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def open_view(folder: Path, hash_key: bytes | HashKey | None, older: View | None) -> tuple[View, object]:
    """Open the newest generation. A file that the writer removed meanwhile means that there is a newer one."""
    for attempt in range(ATTEMPTS):
        state = state_of(folder)
        manifest = Manifest.read(folder)
        settings = Settings.from_json(manifest.settings, folder, hash_key)
        same = older is not None and older.manifest.epoch == manifest.epoch
        try:
            return View(folder, manifest, settings, new_counters(), older if same else None), state
        except StorageError:
            if Manifest.read(folder).generation == manifest.generation or attempt == ATTEMPTS - 1:
                raise
            time.sleep(0.001 * attempt)
    raise AssertionError


def new_by_id(view: View, sets: MarkedSets, rest: Numbers, ids: list[Any], place_of: Callable[[int], str]) -> Numbers:
    """Return the rows `rest` without those that have no token, as the document in the index that has their id.

    Such a text reaches the threshold with nothing, so only its id says that it was seen. Raises `InputError` if a text
    has the id of a document that it does not reach the threshold with; `place_of` says where it is.
    """
    numbers = view.find_ids([ids[row] for row in rest.tolist()])
    known = rest[numbers >= 0]
    if not len(known):
        return rest
    blank = (sets.sizes[known] == 0) & (sizes_of(view.read(numbers[numbers >= 0])[0]) == 0)
    seen = view.probe(sets, known, view.settings.threshold, most=1)
    other = np.setdiff1d(known[~blank], seen[:, 0])
    if len(other):
        row = int(other[0])
        refuse_id(ids[row], "remove that text, or give this one another id", place_of(row))
    return np.setdiff1d(rest, known[blank])

"""How an index is opened for reading, and what its methods check about what they are given."""

from __future__ import annotations

import time
from pathlib import Path

from dedup.errors import InputError, StorageError
from dedup.hash_key import HashKey
from dedup.index.manifest import INDEX_MANIFEST, Manifest
from dedup.index.postings.memtable import new_counters
from dedup.index.settings import Settings
from dedup.index.view import View
from dedup.options import shown
from dedup.runtime.threads import thread_count
from dedup.sources.coerce import Texts
from dedup.sources.texts import INT64

__all__ = ["fits", "one_text", "open_view", "state_of", "workers_for"]

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

"""The counters that choose postings: they outlive a segment, age, and know what an older process added."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dedup
from dedup.hashing.shingles import hash_text
from dedup.index import writer
from dedup.index.postings import memtable

PHRASE = "all rights reserved and no part of this page may be copied without a letter"


def pages(first: int, count: int) -> list[str]:
    """Give texts of which each has the same phrase."""
    return [" ".join([*(f"w{number}x{k}" for k in range(40)), PHRASE]) for number in range(first, first + count)]


def met(folder: Path) -> int:
    """Give how many documents the shingles of the phrase meet in the segments of an index."""
    with dedup.Index.open(folder) as index:
        view = index._open()
        values = np.unique(hash_text(PHRASE, view.settings.shingle)[0])
        return len(view.lookup("shingles", values, newest=False)[1])


def test_counters_outlive_a_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was counted for a segment counts for the next ones, and all is halved in time: no counter gets full."""
    monkeypatch.setattr(writer, "FLUSH_DOCUMENTS", 16)
    monkeypatch.setattr(memtable, "AGING", 1 / (1 << 12))  # halved after each 1,024 hashes
    with dedup.Index.create(tmp_path / "index") as index:
        for first in range(0, 600, 5):
            index.add(pages(first, 5))
        counters = index._writer.view.memtable.counters
        assert 1 <= int(counters.max()) < 128


def test_what_an_older_process_added_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that is opened to be written posts no phrase that all of its texts have."""
    monkeypatch.setattr(writer, "COMMIT_DOCUMENTS", 16)
    folder = tmp_path / "index"
    with dedup.Index.create(folder) as index:
        index.add(pages(0, 64))
    before = met(folder)
    for day in range(1, 4):
        with dedup.Index.open(folder, write=True) as index:
            index.add(pages(64 * day, 64))
    assert met(folder) == before
    assert before < 11 * 64

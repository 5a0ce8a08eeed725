"""A writer and four reading processes: while it adds, removes, merges and compacts, no reader sees a part of anything.

Batch b of the writer is known: five texts, of which two are removed by batch b + 1. So from the number of documents a
reader knows which commit it sees, and then every answer of the index. A refresh never goes back. The long form is
``python -m benchmarks.quality.index_campaign readers``.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import dedup

ROOT = Path(dedup.__file__).parent.parent

BATCH, GONE = 5, 2

READERS = 4


def text_of(batch: int, place: int) -> str:
    """Give a text of the writer."""
    return " ".join(f"w{batch}x{place}x{k}" for k in range(15))


def write(folder: str, seed: int) -> int:
    """Add, remove, compact, commit and close until the file `stop` is beside the index; give the number of commits."""
    from dedup.index import writer
    from dedup.index.postings import merge

    writer.FLUSH_DOCUMENTS, writer.COMMIT_DOCUMENTS, merge.SLICE_ENTRIES = 20, 5, 64
    chance, batch = random.Random(seed), 0
    index = dedup.Index.open(folder, write=True)
    while not Path(folder).with_name("stop").exists():
        index.add({f"{batch}.{place}": text_of(batch, place) for place in range(BATCH)})
        if batch:
            index.remove([f"{batch - 1}.{place}" for place in range(GONE)])
        if chance.random() < 0.02:
            index.compact()
        if chance.random() < 0.2:
            index.close()  # commits, and merges what is small
            index = dedup.Index.open(folder, write=True)
        index.commit()
        batch += 1
        if chance.random() < 0.2:
            time.sleep(chance.uniform(0, 0.02))
    index.close()
    return batch


def read(folder: str, seconds: float, seed: int) -> tuple[int, int, int]:
    """Ask for some time; give how many questions, refreshes with news, and openings there were."""
    chance, start = random.Random(seed), time.monotonic()
    asked = news = opened = newest = 0
    index: Any = None
    while time.monotonic() < start + seconds or (min(asked // 5, news) < 3 and time.monotonic() < start + 90):
        if index is None or chance.random() < 0.05:
            index, opened = dedup.Index.open(folder), opened + 1
        elif chance.random() < 0.7:
            news += index.refresh()
        batches = check_state(index, chance)
        assert batches >= newest, f"the index went back from {newest} to {batches} batches"
        newest, asked = batches, asked + 1
    return asked, news, opened


def check_state(index: dedup.Index, chance: random.Random) -> int:
    """Ask one state of an index about some texts, and give the number of its batches."""
    count = len(index)
    if not count:
        assert not index.seen(text_of(0, 0))
        return 0
    batches, rest = divmod(count - GONE, BATCH - GONE)
    assert 0 == rest, f"{count} documents: a part of a batch"
    last = batches - 1
    for batch in {0, last, max(last - 1, 0), chance.randrange(batches)}:
        there = [f"{batch}.{place}" for place in range(0 if batch == last else GONE, BATCH)]
        texts = [text_of(batch, place) for place in range(BATCH)]
        assert there == index.query(texts).pairs["right"].to_pylist(), f"batch {batch} of {batches}"
        place = chance.randrange(BATCH)
        alive = batch == last or place >= GONE
        assert alive == index.seen(texts[place])
        assert ((f"{batch}.{place}", 1.0) if alive else None) == index.best(texts[place])
        assert alive == (f"{batch}.{place}" in index)
    assert not index.seen(text_of(batches, 0))
    return batches


class Counts(NamedTuple):
    """What a campaign saw."""

    commits: int
    questions: int  # of states of the index: each is several queries
    refreshes: int  # with news
    openings: int


def start(call: str, folder: Path) -> subprocess.Popen[str]:
    """Start a process that calls a function of this module with the folder."""
    code = f"import sys; from tests.index import test_readers as t; print(*t.numbers(t.{call}))"
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    return subprocess.Popen([sys.executable, "-c", code, str(folder)], cwd=ROOT, **pipes)


def numbers(found: int | tuple[int, ...]) -> tuple[int, ...]:
    """Give one number, or several, as several."""
    return (found,) if isinstance(found, int) else found


def said(process: subprocess.Popen[str]) -> list[int]:
    """Wait for a process, and give the numbers that it printed."""
    out, error = process.communicate()
    assert 0 == process.returncode, error
    return list(map(int, out.split()))


def campaign(seconds: float, seed: int, readers: int = READERS) -> Counts:
    """Run a writer and some readers, each in a process of its own."""
    folder = Path(tempfile.mkdtemp()) / "index"
    try:
        dedup.Index.create(folder, shingle="words:3").close()
        writer = start(f"write(sys.argv[1], {seed})", folder)
        asking = [start(f"read(sys.argv[1], {seconds}, {seed + i})", folder) for i in range(readers)]
        try:
            counts = [said(process) for process in asking]
        finally:
            folder.with_name("stop").touch()
            commits = writer.communicate()
        assert 0 == writer.returncode, commits[1]
        with dedup.Index.open(folder) as index:
            assert index.check().ok
            assert int(commits[0]) == check_state(index, random.Random(seed))
        return Counts(int(commits[0]), *(sum(column) for column in zip(*counts, strict=True)))
    finally:
        shutil.rmtree(folder.parent)


def test_readers_see_whole_commits() -> None:
    """For some seconds; every process asked, and saw something new."""
    found = campaign(3, 1)
    assert found.commits > 3
    assert found.questions > 3 * READERS
    assert found.refreshes >= READERS

"""A process that adds and removes is killed at some moment: what was committed is there, and nothing else.

What was committed is known outside: the process says so after each commit. The long form is
``python -m benchmarks.quality.index_campaign kills``.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import pytest

import dedup
from dedup.errors import StorageError

ROOT = Path(dedup.__file__).parent.parent

BATCH = 7

CODE = """
import sys
import dedup
from dedup.index import writer
from dedup.index.postings import merge
writer.FLUSH_DOCUMENTS, writer.COMMIT_DOCUMENTS, merge.SLICE_ENTRIES = 16, 5, 64
folder, batch = sys.argv[1], int(sys.argv[2])
index = dedup.Index.open(folder, write=True)
number = len(index) // (batch - 1)
print("begun", flush=True)
while True:
    names = [f"{number}.{i}" for i in range(batch)]
    index.add({name: " ".join(f"w{number}x{i}x{k}" for k in range(12)) for i, name in enumerate(names)})
    index.remove(names[:1])
    if number % 11 == 10:
        index.compact()
    if number % 4 == 1:
        index.close()
        index = dedup.Index.open(folder, write=True)
    index.commit()
    print(number, flush=True)
    number += 1
"""


def text_of(number: int, i: int) -> str:
    """Give the text that the process adds under an id."""
    return " ".join(f"w{number}x{i}x{k}" for k in range(12))


def run(folder: Path, commits: int, seconds: float) -> tuple[int, int]:
    """Let a process commit as often, wait, kill it; give its last commit, -1 for none, and how many it announced."""
    command = [sys.executable, "-c", CODE, str(folder), str(BATCH)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        assert "begun\n" == process.stdout.readline(), "it could not go on with the index"
        said = [process.stdout.readline() for _ in range(commits)]
        time.sleep(seconds)
        process.kill()
        said += process.stdout.read().split("\n")
    assert -9 == process.returncode or sys.platform == "win32", "it ended by itself"
    numbers = [int(line) for line in said if line.strip()]
    return max(numbers, default=-1), len(numbers)


def committed_state(folder: Path, last: int) -> int:
    """Check that the index has all batches up to one, whole, and give the number of it."""
    with dedup.Index.open(folder) as index:
        found = index.check()
        assert found.ok, found
        count, rest = divmod(len(index), BATCH - 1)
        assert 0 == rest, "a part of a batch"
        newest = count - 1
        assert newest in (last, last + 1), "a commit is lost, or one is there that was not begun"
        for number in {0, newest // 2, newest} if count else ():
            texts = [text_of(number, i) for i in range(BATCH)]
            pairs = index.query(texts).pairs
            assert [f"{number}.{i}" for i in range(1, BATCH)] == pairs["right"].to_pylist()
            assert list(range(1, BATCH)) == pairs["left"].to_pylist()
            quoted = index.passages([f"the {text} it" for text in texts])
            assert [f"{number}.{i}" for i in range(1, BATCH)] == quoted["right"].to_pylist()
        assert not index.seen(text_of(newest + 1, 1))
    return newest


class Counts(NamedTuple):
    """What a campaign saw."""

    kills: int
    commits: int
    surviving: int  # commits that were not announced any more, and are there
    idle: int  # kills before the first commit of a process


def campaign(times: int, seed: int, most: int = 8) -> Counts:
    """Kill a process as often, each time at some moment after up to `most` commits, and check what it left."""
    chance = random.Random(seed)
    folder = Path(tempfile.mkdtemp()) / "index"
    try:
        dedup.Index.create(folder, shingle="words:3", store="text", passages=6).close()
        newest, surviving, idle = -1, 0, 0
        for _ in range(times):
            last, commits = run(folder, chance.randrange(most + 1), chance.uniform(0, 0.05))
            idle += commits == 0
            found = committed_state(folder, max(last, newest))
            surviving += found > max(last, newest)
            newest = found
        return Counts(times, newest + 1, surviving, idle)
    finally:
        shutil.rmtree(folder.parent)


def test_killed_processes() -> None:
    """Some times in a row; the next process goes on, after a compaction too."""
    found = campaign(4, 3, most=12)
    assert found.commits > 11, "the first compaction was among them"
    assert found.idle < found.kills


def test_a_killed_creation(tmp_path: Path) -> None:
    """A folder in which no manifest was written yet can be used again; it is no index."""
    folder = tmp_path / "index"
    dedup.Index.create(folder).close()
    (folder / "manifest.json").unlink()
    with pytest.raises(StorageError, match=r"expected the manifest .*, if nothing was added to it yet"):
        dedup.Index.open(folder)
    dedup.Index.create(folder).close()
    assert 0 == len(dedup.Index.open(folder))

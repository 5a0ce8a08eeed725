"""A process that adds and removes is killed at some moment: what was committed is there, and nothing else.

What was committed is known outside: the process says so after each commit. ``python -m tests.index.test_kill 300`` is
the long form.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import dedup
from dedup.errors import StorageError

ROOT = Path(dedup.__file__).parent.parent

BATCH = 7

CODE = """
import sys
import dedup
from dedup.index import merge, writer
writer.FLUSH_DOCUMENTS, writer.COMMIT_DOCUMENTS, merge.SMALLEST_SEGMENT = 16, 5, 8
folder, batch = sys.argv[1], int(sys.argv[2])
index = dedup.Index.open(folder, write=True)
start = len(index.query([""]).texts) and index.stats.documents + index.stats.removed
number = start // batch
while True:
    names = [f"{number}.{i}" for i in range(batch)]
    index.add({name: " ".join(f"w{number}x{i}x{k}" for k in range(12)) for i, name in enumerate(names)})
    index.remove(names[:1])
    if number % 11 == 10:
        index.compact()
    index.commit()
    print(number, flush=True)
    number += 1
"""


def text_of(number: int, i: int) -> str:
    """Give the text that the process adds under an id."""
    return " ".join(f"w{number}x{i}x{k}" for k in range(12))


def run(folder: Path, seconds: float) -> int:
    """Let a process write for some time, kill it, and give the number of its last commit, -1 for none."""
    command = [sys.executable, "-c", CODE, str(folder), str(BATCH)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(seconds)
        process.kill()
        said = [first, *process.stdout.read().split("\n")]
    return max((int(line) for line in said if line.strip()), default=-1)


def committed_state(folder: Path, last: int) -> int:
    """Check that the index has all batches up to one, whole, and give the number of it."""
    with dedup.Index.open(folder) as index:
        found = index.check()
        assert found.ok, found
        count, rest = divmod(len(index), BATCH - 1)
        assert 0 == rest, "a part of a batch"
        newest = count - 1
        assert newest in (last, last + 1), "a commit is lost, or one is there that was not begun"
        for number in {0, newest // 2, newest}:
            texts = [text_of(number, i) for i in range(BATCH)]
            pairs = index.query(texts).pairs
            assert [f"{number}.{i}" for i in range(1, BATCH)] == pairs["right"].to_pylist()
            assert list(range(1, BATCH)) == pairs["left"].to_pylist()
        assert not index.seen(text_of(newest + 1, 1))
    return newest


def campaign(times: int, seed: int) -> int:
    """Kill as often; give how many commits survived."""
    chance = random.Random(seed)
    folder = Path(tempfile.mkdtemp()) / "index"
    try:
        dedup.Index.create(folder, shingle="words:3").close()
        newest = -1
        for _ in range(times):
            last = run(folder, chance.uniform(0, 0.4))
            newest = committed_state(folder, max(last, newest))
        return newest + 1
    finally:
        shutil.rmtree(folder.parent)


def test_killed_processes() -> None:
    """Three times in a row; the next process goes on."""
    assert campaign(3, 1) > 3


def test_a_killed_creation(tmp_path: Path) -> None:
    """A folder in which no manifest was written yet can be used again; it is no index."""
    folder = tmp_path / "index"
    dedup.Index.create(folder).close()
    (folder / "manifest.json").unlink()
    try:
        dedup.Index.open(folder)
    except StorageError as error:
        assert "expected an index" in str(error)
    dedup.Index.create(folder).close()
    assert 0 == len(dedup.Index.open(folder))


if __name__ == "__main__":
    print(f"{campaign(int(sys.argv[1]), int(time.time()))} commits, none lost, no part of one")

"""`memory=` of an index: the same answers under a bound, the bound is kept, and an error says what is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dedup
from dedup.errors import ParameterError

WORDS = [f"w{number:x}" for number in range(20_000)]

PROGRAM = """
import sys
import numpy as np
import dedup

def held():
    for line in open("/proc/self/status"):
        if line.startswith("RssAnon"):
            return int(line.split()[1]) << 10

words = np.array([f"w{number:x}" for number in range(20_000)], dtype=object)
random = np.random.default_rng(3)

def texts():
    return [" ".join(row) for row in words[random.integers(0, len(words), (500, 300))].tolist()]

with dedup.Index.create(sys.argv[1] + "/warm") as index:
    index.filter_new(texts(), threads=1)
before, most = held(), 0
memory = None if sys.argv[2] == "none" else sys.argv[2]
with dedup.Index.create(sys.argv[1] + "/index", memory=memory) as index:
    for _ in range(24):
        index.filter_new(texts(), threads=1)
        most = max(most, held())
    index.commit()
    most = max(most, held())
    print(most - before, index.stats.segments)
"""


def texts_of(count: int, seed: int) -> list[str]:
    """Give random texts, every third one a near copy of one before."""
    random = np.random.default_rng(seed)
    rows = [[WORDS[place] for place in row] for row in random.integers(0, len(WORDS), (count, 300)).tolist()]
    for row in range(2, count, 3):
        rows[row] = [*rows[row - 1][:-4], "one", "more", "or", "less"]
    return [" ".join(row) for row in rows]


def test_the_same_answers_under_a_bound(tmp_path: Path) -> None:
    """More segments are made, and nothing else changes: what is kept, found, merged, compacted."""
    texts = texts_of(3000, 1)
    kept = []
    for name, memory in (("all", None), ("some", "102 MB")):
        with dedup.Index.create(tmp_path / name, memory=memory) as index:
            kept.append([index.filter_new(texts[start : start + 500], threads=1) for start in range(0, 3000, 500)])
            assert (index.stats.segments > 0) == (memory is not None)
            index.merge(index_of(tmp_path / f"{name} other", texts_of(300, 2)))
            index.compact()
    assert kept[0] == kept[1]
    found = [
        dedup.Index.open(tmp_path / name, memory=memory).query(texts[:600], threads=1).pairs
        for name, memory in (("all", None), ("some", "102 MB"))
    ]
    assert found[0].equals(found[1])


def index_of(folder: Path, texts: list[str]) -> Path:
    """Make an index of some texts; return its folder."""
    with dedup.Index.create(folder) as index:
        index.add(texts)
    return folder


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not report anonymous memory")
def test_the_bound_is_kept(tmp_path: Path) -> None:
    """The process grows by less than the bound, and by more without one."""

    def run(memory: str) -> tuple[int, int]:
        folder = tmp_path / memory.replace(" ", "")
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(folder), memory],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        grown, segments = map(int, done.stdout.split())
        return grown, segments

    grown, segments = run("103 MB")
    assert grown < 103_000_000
    assert segments > 1
    assert run("none")[0] > grown


def test_a_bound_that_is_too_small(tmp_path: Path) -> None:
    """An error says how much is needed: to open nothing is refused, to add and to ask are."""
    with dedup.Index.create(tmp_path / "index", memory="1 MB") as index:
        with pytest.raises(ParameterError, match=r"memory: expected about 1\d\d MB or more .* 2 threads, found 1 MB"):
            index.add(["a b c"] * 100, threads=2)
        with pytest.raises(ParameterError, match="memory: expected about .* or more"):
            index.filter_new(["a b c"], threads=1)
        assert 0 == len(index)
    long = "word " * 2_000_000
    with (
        dedup.Index.open(tmp_path / "index", write=True, memory="120 MB") as index,
        pytest.raises(ParameterError, match=r"memory: expected about 2\d\d MB or more"),
    ):
        index.add([long], threads=1)
    with pytest.raises(ParameterError, match="memory: expected bytes"):
        dedup.Index.create(tmp_path / "other", memory="much")
    assert not (tmp_path / "other").exists()


def test_answers_that_do_not_fit(tmp_path: Path) -> None:
    """A query with too many pairs ends with an error, not with the memory."""
    with dedup.Index.create(tmp_path / "index") as index:
        index.add(["one two three four five six seven"] * 2000)
    with dedup.Index.open(tmp_path / "index", memory="110 MB") as index:
        assert 2000 == len(index.query(["one two three four five six seven"], threads=1))
        with pytest.raises(ParameterError, match=r"memory: expected about .* or more for the [\d,]+ pairs of"):
            index.query(["one two three four five six seven"] * 1000, threads=1)

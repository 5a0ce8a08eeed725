"""Which segments are merged: while texts are added, and when an index is closed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import StorageError
from dedup.index import writer
from dedup.index.manifest import SegmentEntry
from dedup.index.postings.merge import Merges, run_to_merge
from tests.index.model import make_small

SHINGLE = "words:2"


@given(st.lists(st.integers(1, 100), max_size=8))
def test_a_run_is_merged_as_soon_as_it_pays(sizes: list[int]) -> None:
    """It is what the docstring of the module says, in naive Python."""
    segments = [SegmentEntry(n, sum(sizes[:n]), sum(sizes[: n + 1]), {}) for n in range(len(sizes))]
    runs = [sizes[start:] for start in range(len(sizes) - 3, -1, -1)]
    expected = next((run for run in runs if run[0] <= 3 * sum(run[1:])), [])
    assert len(expected) == run_to_merge(segments)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=300))
def test_segments_stay_few(sizes: list[int]) -> None:
    """Of merges that are done at once a segment is left for each factor of 3, and a posting is moved as often."""
    segments: list[int] = []
    moved = 0
    for size in sizes:
        segments.append(size)
        while run := run_to_merge([SegmentEntry(0, 0, each, {}) for each in segments]):
            moved += sum(segments[-run:])
            segments[-run:] = [sum(segments[-run:])]
    total = sum(sizes)
    assert len(segments) <= 3 + total.bit_length()
    assert moved <= total * (2 + 3 * total.bit_length())


def texts_of(first: int, count: int) -> list[str]:
    """Give texts of which no two are similar."""
    return [" ".join(f"w{number}x{k}" for k in range(6)) for number in range(first, first + count)]


def test_a_closed_index_has_few_segments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a session added is merged when it ends, documents in memory too; a short one leaves large segments alone."""
    make_small(monkeypatch)
    with dedup.Index.create(tmp_path / "index", shingle=SHINGLE) as index:
        for start in range(0, 50, 2):
            index.add(texts_of(start, 2))
        assert index.stats.segments > 1
    with dedup.Index.open(tmp_path / "index", write=True) as index:
        assert (1, 0) == (index.stats.segments, index.stats.in_memory)
        index.add(texts_of(50, 1))
    with dedup.Index.open(tmp_path / "index") as index:
        assert (1, 1) == (index.stats.segments, index.stats.in_memory)
        assert all(map(index.seen, texts_of(0, 51)))
    monkeypatch.setattr(writer, "SETTLED_POSTINGS", 30)
    with dedup.Index.open(tmp_path / "index", write=True) as index:
        index.add(texts_of(51, 7))
        index.commit()
        index.add(texts_of(58, 7))
    with dedup.Index.open(tmp_path / "index") as index:
        assert index.stats.segments > 1, "the first is too large to be merged here"
        assert all(map(index.seen, texts_of(0, 65)))
        assert index.check().ok
    monkeypatch.setattr(writer, "SETTLED_POSTINGS", 0)
    with dedup.Index.open(tmp_path / "index", write=True) as index:
        for start in range(65, 300, 5):
            index.add(texts_of(start, 5))
        assert index.stats.segments > 2
        seen: list[tuple[str, int, int]] = []
        index.close(progress=lambda *stage: seen.append(stage))
    with dedup.Index.open(tmp_path / "index") as index:
        assert index.stats.segments <= 2, "all that was added is merged"
        assert all(map(index.seen, texts_of(0, 300)))
        assert index.check().ok
    assert {name for name, _, _ in seen} == {"merge"}
    assert seen[0][1] == 0
    assert seen[-1][1] == seen[-1][2]


def test_an_error_after_the_last_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing an index does not fail since segments could not be merged: all is there, and the next session goes on."""
    make_small(monkeypatch)

    def full(*_: object) -> None:
        raise StorageError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Merges, "settle", full)
        with dedup.Index.create(tmp_path / "index", shingle=SHINGLE) as index:
            for start in range(0, 30, 3):
                index.add(texts_of(start, 3))
            before = index.stats.segments
    assert before > 1
    with dedup.Index.open(tmp_path / "index", write=True) as index:
        assert all(map(index.seen, texts_of(0, 30)))
        assert index.check().ok
        index.add(texts_of(30, 30))
    with dedup.Index.open(tmp_path / "index") as index:
        assert 1 == index.stats.segments
        assert 60 == len(index)


def test_a_stop_while_the_index_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends the merge at the end of a session: all that was added is there, and no file of the merge is left."""
    make_small(monkeypatch)
    index = dedup.Index.create(tmp_path / "index", shingle=SHINGLE)
    for start in range(0, 50, 2):
        index.add(texts_of(start, 2))
    index.commit()
    segments = index.stats.segments

    def stop(stage: str, done: int, total: int) -> None:
        assert (stage, 0 <= done <= total) == ("merge", True)
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.close(progress=stop)
    with dedup.Index.open(tmp_path / "index", write=True) as index:
        assert (50, segments) == (len(index), index.stats.segments)
        assert all(map(index.seen, texts_of(0, 50)))
        assert index.check().ok
    with dedup.Index.open(tmp_path / "index") as index:
        assert all(map(index.seen, texts_of(0, 50)))

"""Copies of the folder of an index: made beside a writer, by the writer itself, and under its lock."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

import dedup
from dedup.errors import StorageError
from tests.index import test_readers as writing

TEXTS = {f"t{i}": " ".join(f"w{i}x{k}" for k in range(20)) for i in range(30)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make an index of some texts."""
    with dedup.Index.create(tmp_path / "index") as index:
        index.add(TEXTS)
    return tmp_path / "index"


def test_a_copy_beside_a_writer_is_whole_or_is_found_damaged(tmp_path: Path) -> None:
    """What `check` finds sound is one commit of the writer, and can be written; files of two moments are named."""
    folder, chance = tmp_path / "index", random.Random(1)
    dedup.Index.create(folder, shingle="words:3").close()
    writer = writing.start("write(sys.argv[1], 1)", folder)
    whole = newest = 0
    try:
        while whole < 10 and writer.poll() is None:
            copy = tmp_path / "copy"
            try:
                shutil.copytree(folder, copy)
            except (shutil.Error, OSError):  # a file was removed meanwhile
                shutil.rmtree(copy, ignore_errors=True)
                continue
            if dedup.Index.check_files(copy).ok:
                with dedup.Index.open(copy, write=True) as index:
                    batches = writing.check_state(index, chance)
                    index.add({"more": "of the copy alone"})
                assert batches >= newest
                whole, newest = whole + 1, batches
            shutil.rmtree(copy)
    finally:
        folder.with_name("stop").touch()
        _, errors = writer.communicate()
    assert (0, 10) == (writer.returncode, whole), errors


def test_files_of_two_moments_are_found(folder: Path, tmp_path: Path) -> None:
    """A manifest that is newer than the other files: `check` says so."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    with dedup.Index.open(folder, write=True) as index:
        index.add({"new": "one more text"})
    shutil.copy(folder / "manifest.json", copy)
    assert not dedup.Index.check_files(copy).ok


def test_the_writer_copies_what_it_committed(folder: Path, tmp_path: Path) -> None:
    """And both go on by themselves; the lock is not copied with its file, nor needed."""
    copy, moved = tmp_path / "copy", tmp_path / "other" / "moved"
    with dedup.Index.open(folder, write=True) as index:
        index.add({"new": "one more text"})
        shutil.copytree(folder, copy)
        with dedup.Index.open(copy, write=True) as other:
            assert (len(TEXTS), True) == (len(other), other.check().ok)
            assert other.add({"new": "another text with this id"}) == 1
    assert len(dedup.Index.open(folder)) == len(dedup.Index.open(copy)) == len(TEXTS) + 1
    (copy / "lock").unlink()
    moved.parent.mkdir()
    copy.rename(moved)
    with dedup.Index.open(moved, write=True) as index:
        assert index.seen("another text with this id")
        assert index.check().ok


@pytest.mark.skipif(shutil.which("flock") is None, reason="the program is not there")
def test_the_lock_is_that_of_flock(folder: Path, tmp_path: Path) -> None:
    """While a writer has the index, `flock` waits; while `flock` has it, there is no writer, and readers ask."""
    copying = ["flock", "--nonblock", str(folder / "lock"), "cp", "-r", str(folder), str(tmp_path / "copy")]
    with dedup.Index.open(folder, write=True):
        assert 1 == subprocess.run(copying, check=False).returncode
    assert 0 == subprocess.run(copying, check=False).returncode
    assert dedup.Index.check_files(tmp_path / "copy").ok
    held = subprocess.Popen(["flock", str(folder / "lock"), "sh", "-c", "echo; read x"], stdin=-1, stdout=-1, text=True)
    assert held.stdout is not None
    held.stdout.readline()
    with pytest.raises(StorageError, match="to be free for writing"):
        dedup.Index.open(folder, write=True)
    assert len(TEXTS) == len(dedup.Index.open(folder))
    held.communicate("\n")
    dedup.Index.open(folder, write=True).close()

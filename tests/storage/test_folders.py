"""New files and folders: complete or absent, and nothing that was there is lost."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from dedup.errors import ParameterError
from dedup.storage import folders
from dedup.storage.folders import folder_beside, place_file


@pytest.mark.parametrize("links", [True, False])
def test_a_file_is_placed_or_nothing_is_lost(links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A complete file gets its name, on a disk without links too; a file of that name is never replaced."""
    if not links:

        def link(*_: object) -> None:
            raise OSError(errno.EPERM, "no links here")

        monkeypatch.setattr(os, "link", link)
    with folder_beside(tmp_path / "new.txt") as folder:
        (folder / "made").write_text("new", encoding="utf-8")
        place_file(folder / "made", tmp_path / "new.txt")
    (tmp_path / "old.txt").write_text("old", encoding="utf-8")
    with folder_beside(tmp_path / "old.txt") as folder:
        (folder / "made").write_text("new", encoding="utf-8")
        with pytest.raises(ParameterError, match=r"old\.txt, which exists; choose another name"):
            place_file(folder / "made", tmp_path / "old.txt")
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {
        "new.txt": "new",
        "old.txt": "old",
    }


def test_what_killed_runs_left_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As much as is possible in the time for it: a folder with a million of them does not stop a run."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = [tmp_path / f"{folders.SCRATCH}{number}" for number in range(5)]
    for each in left:
        each.mkdir()
    (tmp_path / "other").mkdir()
    monkeypatch.setattr(folders, "SWEEP_SECONDS", -1.0)  # no time at all
    with folders.scratch_folder() as folder:
        assert folder.is_dir()
    assert all(each.exists() for each in left)
    monkeypatch.undo()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with folders.scratch_folder() as folder:
        assert sorted(each.name for each in tmp_path.iterdir()) == sorted([folder.name, "other"])

"""New files and folders: complete or absent, and nothing that was there is lost."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from dedup.errors import ParameterError
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

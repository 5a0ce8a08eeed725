"""Which files of folders are read: patterns that include and exclude, and names from a file."""

from __future__ import annotations

import codecs
import fnmatch
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import InputError, ParameterError
from dedup.sources.files.chosen.globs import Globs
from dedup.sources.files.listing import Listing
from tests.cli.test_commands import DONE, ROOT, WRONG, call

FILES = ["a.txt", "b.md", "c.log", "drafts/d.txt", "drafts/old/e.txt", "2024/f.txt", "2024/05/g.txt", "2024/05/h.jsonl"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder of files, and go there."""
    for name in FILES:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"text": "one"}\n' if name.endswith("jsonl") else f"a text {name}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*names: str, **options: Any) -> list[str]:
    """Give the paths that are read, below the folder."""
    return sorted(entry.path.removeprefix("in/") for entry in Listing(names, **options))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["2024/05/g.txt", "2024/05/h.jsonl", "2024/f.txt", "a.txt", "b.md", "drafts/d.txt", "drafts/old/e.txt"]),
        ({"include": "*.txt"}, ["2024/05/g.txt", "2024/f.txt", "a.txt", "drafts/d.txt", "drafts/old/e.txt"]),
        ({"include": ["*.md", "*.log"]}, ["b.md", "c.log"]),
        ({"include": ["2024/*.txt"]}, ["2024/f.txt"]),
        ({"include": ["2024/**/*.txt"]}, ["2024/05/g.txt", "2024/f.txt"]),
        ({"include": ["**/old/**"]}, ["drafts/old/e.txt"]),
        ({"exclude": ["drafts", "*.md"]}, ["2024/05/g.txt", "2024/05/h.jsonl", "2024/f.txt", "a.txt"]),
        ({"exclude": ["drafts/", "2024/0[0-9]"]}, ["2024/f.txt", "a.txt", "b.md"]),
        ({"exclude": ["a.txt/", "[!a].md", "2024", "drafts/d*"]}, ["a.txt", "drafts/old/e.txt"]),
        ({"include": ["*.txt"], "exclude": ["old/", "2024/**"]}, ["a.txt", "drafts/d.txt"]),
    ],
)
def test_patterns_in_a_folder(folder: Path, options: dict[str, Any], expected: list[str]) -> None:
    """Names anywhere, paths from the folder on; what is excluded is neither read nor counted."""
    assert expected == found("in", **options)
    assert expected == [path.removeprefix("in/") for path in dedup.files("in", **options).paths]


def test_what_is_counted(folder: Path) -> None:
    """Files that are neither chosen nor left out on purpose."""
    assert 1 == dedup.files("in").unread["files"]
    assert 0 == dedup.files("in", exclude="*.log").unread["files"]
    assert 0 == dedup.files("in", include="*.md").unread["files"]


@pytest.mark.parametrize(
    ("names", "ours"),
    [
        (["lock", "manifest.json"], True),
        (["lock", "manifest.json", "read.dedup", "rows.dedup.tmp"], True),
        (["lock", "manifest.json", "texts.json"], False),
        (["manifest.json", "texts.json"], False),
        (["lock", "texts.json"], False),
    ],
)
@pytest.mark.parametrize("where", ["work", "2024/05/work"])
def test_work_directories(where: str, names: list[str], ours: bool, folder: Path) -> None:
    """One is never read, empty or not; a folder with other files is, and so are folders in a folder with a lock."""
    before = Path("in", where)
    before.mkdir()
    for name in names:
        (before / name).write_text('[{"text": "one"}]')
    read = [os.path.join(where, name) for name in names if name.endswith(".json") and not ours]
    assert sorted([*(name for name in FILES if name != "c.log"), *read]) == found("in")


def test_below_a_work_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the names of a work directory alone hides no folder in it: work directories have none."""
    monkeypatch.chdir(tmp_path)
    Path("in/below").mkdir(parents=True)
    for name in ("in/lock", "in/manifest.json", "in/below/a.txt"):
        Path(name).write_text("a text")
    assert ["below/a.txt"] == found("in")


def test_named_files_and_patterns(folder: Path) -> None:
    """What is named is read, whatever is included; what is excluded is not, however it is named."""
    assert ["a.txt", "b.md"] == found("in/a.txt", "in/*.md", include="*.none")
    assert ["b.md"] == found("in/a.txt", "in/*.md", exclude="a.*")
    assert ["a.txt"] == found("in/**/*.txt", exclude=["in/*/**"])
    with pytest.raises(InputError, match=r"only what the patterns choose is read \(exclude a\.\*\)"):
        Listing(["in/a.txt"], exclude="a.*")
    with pytest.raises(InputError, match=r"only what the patterns choose is read \(include \*\.none and exclude b\*\)"):
        Listing(["in"], include="*.none", exclude="b*")


@given(st.text("ab*?[]!-.", max_size=8), st.text("ab.-", min_size=1, max_size=6))
def test_names_as_fnmatch(pattern: str, name: str) -> None:
    """A pattern without a slash means what Python's `fnmatch` says, but that two stars alone are not special there."""
    assert fnmatch.fnmatchcase(name, pattern) == Globs([pattern or "*x"]).match(f"in/{name}") or not pattern


@pytest.mark.parametrize("option", ["include", "exclude"])
@pytest.mark.parametrize("wrong", ["", "/", 5, None, [3], ["*.md", ""], b"*.md"])
def test_wrong_patterns(option: str, wrong: Any, folder: Path) -> None:
    """They are errors that show an example."""
    with pytest.raises(ParameterError, match=rf'{option}: expected a pattern such as "\*\.md", or a list of them'):
        dedup.files("in", **{option: wrong})


def test_from_a_shell(folder: Path) -> None:
    """The options are given as often as wanted, and hold for all commands that read files."""
    done = call("find", "in", "--include", "*.txt", "--include", "*.md", "--exclude", "2024", "--json", cwd=folder)
    assert DONE == done.returncode, done.stderr
    assert "4 texts" in done.stderr
    done = call("repeats", "in", "--exclude", "*", cwd=folder)
    assert WRONG == done.returncode
    assert "only what the patterns choose is read (exclude *)" in done.stderr


def test_names_from_a_file(folder: Path) -> None:
    """A name a line, or what find -print0 writes, is read beside the names on the command line."""
    (folder / "names").write_bytes(b"in/a.txt\r\nin/b.md\n\n")
    (folder / "zeros").write_bytes(b"in/a.txt\0in/drafts\0")
    for arguments, count in (
        (["--files-from", "names"], 2),
        (["in/c.log", "--files-from", "names"], 3),
        (["--files-from", "zeros"], 3),
    ):
        done = call("find", *arguments, cwd=folder)
        assert DONE == done.returncode, done.stderr
        assert f"{count} texts" in done.stderr
    done = subprocess.run(
        [sys.executable, "-m", "dedup", "find", "--files-from", "-"],
        cwd=folder, input=b"in/a.txt\nin/b.md\n", env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, check=False,
    )  # fmt: skip
    assert b"2 texts" in done.stderr


def test_names_with_a_mark(folder: Path) -> None:
    """A list that was saved with a byte order mark names the same files."""
    (folder / "names").write_bytes(codecs.BOM_UTF8 + b"in/a.txt\r\nin/b.md\r\n")
    done = call("find", "--files-from", "names", cwd=folder)
    assert DONE == done.returncode, done.stderr
    assert "2 texts" in done.stderr


def test_names_and_texts_in_one_pipe(folder: Path) -> None:
    """Standard input is read once."""
    done = subprocess.run(
        [sys.executable, "-m", "dedup", "find", "-", "--files-from", "-"],
        cwd=folder, input=b"in/a.txt\n", env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, check=False,
    )  # fmt: skip
    assert WRONG == done.returncode
    assert b"--files-from: expected one use of standard input, found names and texts in it" in done.stderr


def test_no_names_from_a_file(folder: Path) -> None:
    """No file, and a file without names, are errors."""
    done = call("find", "--files-from", "gone", cwd=folder)
    assert WRONG == done.returncode
    assert "--files-from: expected a file of names, found gone: No such file or directory; name a file" in done.stderr
    (folder / "empty").write_bytes(b"\n")
    done = call("find", "--files-from", "empty", cwd=folder)
    assert WRONG == done.returncode
    assert "no names in empty" in done.stderr
    assert "INPUT...: expected a name, found none" in done.stderr


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("[", "expected a closing bracket after"),
        ("a[b", "expected a closing bracket after"),
        ("*.{md,txt}", r"expected a pattern without \{a,b\}"),
        ("../a.txt", r".*without \. and \.\. as names of folders"),
        ("a/./b", r".*without \. and \.\. as names of folders"),
    ],
)
def test_patterns_that_match_nothing(pattern: str, says: str, tmp_path: Path) -> None:
    """They are errors that say what to write instead."""
    (tmp_path / "a.txt").write_text("a text", encoding="utf-8")
    for option in ("include", "exclude"):
        with pytest.raises(ParameterError, match=f"{option}: {says}"):
            dedup.files(tmp_path, **{option: pattern})


def test_patterns_with_a_dot_and_brackets(tmp_path: Path) -> None:
    """A dot and a slash at the beginning are the folder; brackets that are closed and braces of names are patterns."""
    for name in ("a.txt", "[b].txt", "{c}.txt"):
        (tmp_path / name).write_text("a text", encoding="utf-8")
    for pattern, name in (
        ("./a.txt", "a.txt"),
        ("[[]b].txt", "[b].txt"),
        ("{c}.txt", "{c}.txt"),
        ("[!b{[].txt", "a.txt"),
    ):
        assert [str(tmp_path / name)] == dedup.files(tmp_path, include=pattern).paths

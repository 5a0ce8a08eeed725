"""What other systems lack: no `fcntl`, no `sched_getaffinity`, no `wait4`, no `fork` hooks. Searches work as here.

Each program runs in a process of its own, in which these are hidden before anything is loaded.
"""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import dedup
from dedup.cli import main
from dedup.storage import folders
from tests import corpora

ROOT = Path(dedup.__file__).parent.parent

HIDE = """
import os, sys
sys.modules["fcntl"] = sys.modules["resource"] = None
for name in ("sched_getaffinity", "register_at_fork", "fork", "wait4"):
    if hasattr(os, name):
        delattr(os, name)
"""
"""What a program begins with."""

LOCKS = """
import fcntl, sys, types
def locking(handle, mode, count, system=fcntl):
    system.flock(handle, system.LOCK_EX | system.LOCK_NB)
sys.modules["msvcrt"] = types.SimpleNamespace(locking=locking, LK_NBLCK=2)
"""
"""A module with the name of that of Windows: the only one that locks."""

COMMANDS = [
    ["find", "texts.jsonl", "--quiet"],
    ["find", "texts.jsonl", "--output", "report", "--work-dir", "work", "--quiet"],
    ["apply", "report", "--output", "clean"],
    ["clean", "texts.jsonl", "--output", "new.jsonl"],
    ["repeats", "texts.jsonl", "--quiet"],
    ["match", "texts.jsonl", "--against", "texts.jsonl", "--quiet"],
    ["estimate", "texts.jsonl", "--json"],
    ["suggest", "texts.jsonl", "--json"],
    ["index", "create", "seen.index"],
    ["index", "add", "seen.index", "texts.jsonl"],
    ["index", "query", "seen.index", "texts.jsonl", "--quiet"],
    ["index", "check", "seen.index"],
]


def run(program: str, place: Path, *arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program in a folder, as on another system."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", before + HIDE + program, *arguments],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Make a folder with texts."""
    rows = [json.dumps({"text": text}) for text in corpora.families(count=3, size=3, words=40)]
    (tmp_path / "texts.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


def test_commands_do_without(
    place: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same output, byte for byte, as with everything."""
    program = """
import json, sys
from dedup.cli import main
from dedup.storage import folders
for command in json.loads(sys.argv[1]):
    print("$", *command, flush=True)
    try:
        main(command)
    except SystemExit as stop:
        assert not stop.code, (command, stop.code)
"""
    hidden = run(program, place, json.dumps(COMMANDS))
    assert 0 == hidden.returncode, hidden.stderr
    said = dict(re.findall(r"^\$ ([^\n]*)\n(.*?)(?=^\$ |\Z)", hidden.stdout, re.MULTILINE | re.DOTALL))
    here = tmp_path_factory.mktemp("here")
    (here / "texts.jsonl").write_bytes((place / "texts.jsonl").read_bytes())
    monkeypatch.chdir(here)
    for command in COMMANDS:
        plain = CliRunner().invoke(main, command, catch_exceptions=False)
        assert 0 == plain.exit_code, plain.stderr
        if command[0] not in ("estimate", "suggest"):  # which measure the machine
            assert plain.stdout == said[" ".join(command)], command
    for name in ("clean/texts.jsonl", "new.jsonl", "report/clusters.parquet", "report/decisions.parquet"):
        assert (here / name).read_bytes() == (place / name).read_bytes()


def test_processors_are_counted_without_an_affinity(place: Path) -> None:
    """By the number that Python gives."""
    program = "import os; from dedup.runtime.processors import processors; print(1 <= processors() <= os.cpu_count())"
    assert run(program, place).stdout == "True\n"


def test_one_writer_at_a_time(place: Path) -> None:
    """Where bytes are locked and not files, a second writer of an index is refused; and a second run of a folder."""
    program = """
import dedup
from pathlib import Path
from dedup.storage.work_dir import Store
first = dedup.Index.create("seen")
ASKED = {"options": {}, "inputs": []}
store = Store(Path("work"), ASKED).__enter__()
for again in (lambda: dedup.Index.open("seen", write=True), lambda: Store(Path("work"), ASKED).__enter__()):
    try:
        again()
    except dedup.StorageError as error:
        print("in use" in str(error))
first.add(["a text"])
first.commit()
first.close()
with dedup.Index.open("seen") as again:
    print(len(again))
store.__exit__(None, None, None)
"""
    done = run(program, place, before=LOCKS)
    assert done.stdout == "True\nTrue\n1\n", done.stderr


def test_a_folder_that_cannot_be_locked_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On a disk without locks a work directory is made once, and not again and again."""
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with folders.scratch_folder() as folder:
        assert [folder] == list(tmp_path.iterdir())
    assert [] == list(tmp_path.iterdir())


def test_a_folder_that_another_process_deletes_is_made_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One that is held by another is left to it."""
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    calls: list[object] = []

    def held_once(*given: object) -> None:
        calls.append(given)
        if len(calls) == 1:
            raise BlockingIOError(errno.EWOULDBLOCK, "Resource temporarily unavailable")

    monkeypatch.setattr(fcntl, "flock", held_once)
    with folders.scratch_folder() as folder:
        assert folder.exists()
        assert len(list(tmp_path.iterdir())) == 2

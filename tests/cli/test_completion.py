"""The completion scripts, run by the shells that they are for. Each test is skipped without its shell."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import dedup

ROOT = Path(dedup.__file__).parent.parent

WORDS = {
    "a command": ("dedup fin", ["find"]),
    "an option": ("dedup find --metr", ["--metric"]),
    "a word": ("dedup find --metric ", ["containment", "edit", "jaccard"]),
    "a word after a sign": ("dedup find --unit=p", ["--unit=paragraph"]),
    "a command of a group": ("dedup index me", ["merge"]),
    "a file": ("dedup find a.j", ["a.jsonl"]),
    "a file after an option": ("dedup find --output fol", ["folder/"]),
}
"""What is typed, and what it may become."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with files, the scripts, and a `dedup` that is found."""
    where = tmp_path_factory.mktemp("shells")
    (where / "bin").mkdir()
    command = where / "bin" / "dedup"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m dedup "$@"\n')
    command.chmod(0o755)
    (where / "functions").mkdir()
    for shell, name in (("bash", "dedup.bash"), ("zsh", "functions/_dedup"), ("fish", "dedup.fish")):
        done = subprocess.run([command, "completion", shell], capture_output=True, text=True, check=True)
        (where / name).write_text(done.stdout)
    (where / "here" / "folder").mkdir(parents=True)
    (where / "here" / "a.jsonl").touch()
    (where / "here" / "b c.txt").touch()
    return where


def environment(place: Path) -> dict[str, str]:
    """Put `dedup` on the path."""
    return {**os.environ, "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}", "TERM": "dumb"}


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish")
@pytest.mark.parametrize("typed", WORDS)
def test_fish(typed: str, place: Path) -> None:
    """`complete -C` gives what Tab shows."""
    line, expected = WORDS[typed]
    script = f"source ../dedup.fish; complete -C '{line}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        cwd=place / "here",
        env=environment(place),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert expected == [row.split("\t")[0] for row in done.stdout.splitlines()]
    if typed == "a command":  # a comma ends no description
        assert "paragraphs" in done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize("typed", WORDS)
def test_bash(typed: str, place: Path) -> None:
    """The function that bash calls; for files it leaves the work to bash."""
    line, expected = WORDS[typed]
    words = [part for word in line.split(" ") for part in word.replace("=", " = ").split(" ")]
    quoted = " ".join(f"'{word}'" for word in words)
    script = f"""
source ../dedup.bash
COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; compopt() {{ echo "compopt $1 $2"; }}
_dedup_completion dedup; printf '%s\\n' "${{COMPREPLY[@]}}"; complete -p dedup
"""
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=place / "here",
        env=environment(place),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    *found, known = done.stdout.split("\n")[:-1]
    assert known.endswith("-F _dedup_completion dedup")
    if typed.startswith("a file"):
        assert ["compopt -o default", ""] == found
    else:
        assert [word.split("=")[-1] for word in expected] == sorted(found)


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
@pytest.mark.parametrize("typed", [typed for typed, (_, words) in WORDS.items() if len(words) == 1])
def test_zsh(typed: str, place: Path) -> None:
    """A line with one completion, on a terminal: Tab writes it."""
    line, (expected,) = WORDS[typed]
    start = "fpath=(../functions $fpath); autoload -Uz compinit && compinit -u -D; PS1='% '; echo rea''dy\n"
    process, terminal = pty.fork()
    if not process:
        os.chdir(place / "here")
        os.execvpe("zsh", ["zsh", "-f", "-i"], environment(place))
    try:
        os.write(terminal, start.encode())
        assert "ready" in shown_until(terminal, "ready\r\n")
        os.write(terminal, f"{line}\t".encode())
        wanted = f"{line.rsplit(' ', 1)[0]} {expected}"
        assert wanted in shown_until(terminal, wanted)
    finally:
        os.close(terminal)
        os.waitpid(process, 0)


def shown_until(terminal: int, wanted: str) -> str:
    """Read what a terminal shows until it has the `wanted` text, or for a minute."""
    shown, end = b"", time.monotonic() + 60
    while wanted.encode() not in shown and time.monotonic() < end:
        if select.select([terminal], [], [], 0.5)[0]:
            shown += os.read(terminal, 4096)
    return shown.decode(errors="replace")

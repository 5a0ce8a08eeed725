"""What people type: each command, its exit code, and what it says, as ripgrep, ruff or duckdb would behave.

Commands run in a shell, in processes of their own: pipes, globs, closed streams, full disks and terminals are real.
"""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import dedup
from tests import corpora, corpus_files

ROOT = Path(dedup.__file__).parent.parent
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")


class Typed(NamedTuple):
    """A line in a shell: its exit code, and what is in its output and in its messages (patterns)."""

    line: str
    code: int
    out: str = r"\A\Z"
    err: str = r"\A\Z"


SUMMARY = r"\d+ texts? \("
ONE_LINE = r"\Adedup: [^\n]+\n\Z"

LINES = {
    # help and version
    "nothing": Typed("dedup", 2, err=r"\AUsage: dedup .*\nFind:\n"),
    "help": Typed("dedup --help", 0, r"\AUsage: dedup "),
    "help of a command": Typed("dedup find --help", 0, r"\AUsage: dedup find .*Examples:.*Exit codes:"),
    "help after arguments": Typed("dedup find a.jsonl --threshold 2 --help", 0, r"\AUsage: dedup find "),
    "help after a missing file": Typed("dedup clean missing.txt -h", 0, r"\AUsage: dedup clean "),
    "help before a command": Typed("dedup -h find", 0, r"\AUsage: dedup "),
    "help as a command": Typed("dedup help repeats", 0, r"\AUsage: dedup repeats "),
    "version": Typed("dedup --version", 0, r"\Adedup, version \d+\.\d+\.\d+\S*\n\Z"),
    "version, short": Typed("dedup -V", 0, r"\Adedup, version "),
    "version of a command": Typed("dedup find --version", 2, err=r"\Adedup: --version: .*--version prints it\n\Z"),
    # typos
    "a command": Typed("dedup fidn a.jsonl", 2, err=r"\Adedup: .*'fidn'; did you mean dedup find\?\n\Z"),
    "an option": Typed("dedup find a.jsonl --treshold 0.7", 2, err=r"\Adedup: --treshold: .*mean --threshold\?\n\Z"),
    "an option with a space": Typed("dedup find a.jsonl -- threshold 0.7", 3, r"keep", r"rejected threshold: "),
    "one dash": Typed("dedup find a.jsonl -threshold 0.7", 2, err=ONE_LINE),
    "a comma for a point": Typed("dedup find a.jsonl -t 0,7", 2, err=r"--threshold: expected a number, found '0,7'\n"),
    "per cent": Typed("dedup find a.jsonl -t 80", 2, err=r"--threshold: .*found 80.0 \(did you mean 0.8\?\)\n"),
    "a column": Typed("dedup find a.jsonl --column txt", 2, err=r"--column \"txt\": .*did you mean 'text'\?\n"),
    "an id twice": Typed("dedup find a.jsonl --id n --id text", 2, err=r"--id: expected one value, found 2"),
    # order
    "options first": Typed("dedup find --threshold 0.7 -q a.jsonl", 0, "keep"),
    "options between": Typed("dedup find a.jsonl -q b.jsonl", 0, "keep"),
    "an equals sign": Typed("dedup find a.jsonl --threshold=0.7 --quiet", 0, "keep"),
    "an option before the command": Typed("dedup --quiet find a.jsonl", 2, err=r"\Adedup: --quiet: "),
    "report and output swapped": Typed("dedup apply new --output a.jsonl", 2, err=r"new/report.json: expected a part"),
    "a file that begins with a dash": Typed("dedup find -- -odd.txt other.txt -q", 3, "no dup", "rejected -q: No such"),
    "a file that begins with a dash, by its folder": Typed("dedup find ./-odd.txt other.txt -q", 0, "no duplicates"),
    # pipes
    "a pipe in": Typed("cat a.jsonl | dedup find - -q", 0, "keep"),
    "a pipe in and out": Typed("cat a.jsonl | dedup find - --json -q | wc -l", 0, r"\A\s*[1-9]\d*\n\Z"),
    "a filter": Typed("cat twice.txt | dedup clean - --repeats -q | dedup repeats - -q", 0, "no repeats of 50 words"),
    "head": Typed("dedup find a.jsonl --json -q | head -n 1", 0, r"\A\{[^\n]*\}\n\Z"),
    "head of nothing": Typed("dedup find a.jsonl | head -c 0", 0, err=r""),
    "head of help": Typed("dedup find --help | head -n 1", 0, r"\AUsage: [^\n]*\n\Z"),
    "a reader that is gone": Typed("dedup find a.jsonl --json -q | true", 0),
    "process substitution": Typed("dedup find <(cat a.jsonl) -q", 0, "keep"),
    "a here string": Typed("dedup repeats - -q <<< 'a few words'", 0, "no repeats"),
    "nothing in a pipe": Typed("dedup find - < /dev/null", 2, err=r"\Adedup: [^\n]*expected [^\n]*\n\Z"),
    "two readers of standard input": Typed("dedup match - --against - < a.jsonl", 2, err=ONE_LINE),
    # streams
    "a full disk": Typed("dedup find a.jsonl -q > /dev/full", 74, err=r"\Adedup: expected to write to standard output"),
    "a full disk for help": Typed("dedup find --help > /dev/full", 74, err=r"\Adedup: expected to write"),
    "messages to a full disk": Typed("dedup find a.jsonl 2> /dev/full", 0, "keep"),
    "standard input is closed": Typed("dedup find a.jsonl -q <&-", 0, "keep"),
    "standard input is closed, and read": Typed("dedup find - <&-", 2, err=ONE_LINE),
    "standard output is closed": Typed("dedup find a.jsonl -q >&-", 74, err=r"\Adedup: expected to write"),
    "standard error is closed": Typed("dedup find a.jsonl 2>&-", 0, "keep"),
    "messages only": Typed("dedup find a.jsonl > /dev/null", 0, err=SUMMARY),
    # files
    "a missing file": Typed("dedup find missing.txt", 2, err=r"\Adedup: .*missing.txt: No such file.*\n\Z"),
    "a missing file among others": Typed("dedup find a.jsonl missing.txt -q", 3, "keep", "rejected missing.txt: No"),
    "a folder": Typed("dedup find folder -q", 0, "keep"),
    "a folder with a slash": Typed("dedup find folder/ -q", 0, "keep"),
    "here": Typed("dedup find . -c -q", 0, r"\A\d+\n\Z"),
    "an empty folder": Typed("dedup find empty", 2, err=r"\Adedup: expected readable texts, found none in 'empty'"),
    "an empty file": Typed("dedup repeats empty.txt", 2, err=r"\Adedup: .*empty.txt"),
    "a folder for a text": Typed("dedup compare folder other.txt", 2, err=r"\Adedup: expected one file, found 2 in"),
    "a glob of the shell": Typed("dedup find *.jsonl -q", 0, "keep"),
    "a glob in quotes": Typed("dedup find '*.jsonl' -q", 0, "keep"),
    "a glob of nothing": Typed("dedup find '*.xyz'", 2, err=r"\*\.xyz: no file matches"),
    "two stars": Typed("dedup find 'folder/**/*.txt' -q", 0, "keep"),
    "a name with spaces": Typed("dedup repeats 'a name.txt' -q", 0, "no repeats"),
    "the same file twice": Typed("dedup find a.jsonl a.jsonl ./a.jsonl -c -q", 0, r"\A[1-4]\n\Z"),
    "an output that exists": Typed("dedup clean a.jsonl -o other.txt", 2, err=r"\Adedup: --output: .*other.txt, which"),
    "an output into the input": Typed("dedup clean a.jsonl -o a.jsonl", 2, err=r"\Adedup: --output: a.jsonl is the"),
    "output by redirection": Typed("dedup clean twice.txt --repeats -o - -q > n && wc -l < n", 0, r"\A\s*\d+\n\Z"),
    # codes
    "check": Typed("dedup find a.jsonl --check -q > /dev/null || echo $?", 0, r"\A1\n\Z"),
    "check without duplicates": Typed("dedup find other.txt b.jsonl --check -q", 0, "no duplicates"),
    "a condition": Typed("if dedup repeats twice.txt --check -q > n; then echo no; else echo yes; fi", 0, "yes"),
    # surroundings
    "no colours": Typed("NO_COLOR=1 dedup compare twice.txt other.txt -q", 0, r"\A[^\x1b]*\Z"),
    "no home": Typed("env -u HOME dedup find a.jsonl -q", 0, "keep"),
    "another locale": Typed("LC_ALL=C PYTHONIOENCODING= dedup find a.jsonl -q", 0, "keep"),
    "no place for temporary files": Typed("TMPDIR=/nowhere dedup find a.jsonl -q", 0, "keep"),
    "as a module": Typed("python -m dedup find a.jsonl -q", 0, "keep"),
    "names from find": Typed("find folder -name '*.txt' -print0 | xargs -0 dedup find -q", 0, "keep"),
    "lines as JSON": Typed("dedup find a.jsonl --json -q | python -m json.tool --json-lines", 0, r"\A\{"),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write what is there, and a `dedup` that is found by the shell."""
    where = tmp_path_factory.mktemp("typed")
    families = corpora.families(count=2, size=3, words=40)
    corpus_files.write(
        where, "a.jsonl", corpus_files.encode("jsonl", [{"n": i, "text": t} for i, t in enumerate(families)])
    )
    corpus_files.write(where, "b.jsonl", corpus_files.encode("jsonl", [{"n": 9, "text": "words that nobody else has"}]))
    (where / "twice.txt").write_text(corpora.doubled_article(1).text)
    for name in ("folder/x.txt", "folder/deep/y.txt"):
        (where / name).parent.mkdir(exist_ok=True, parents=True)
        (where / name).write_text(families[0])
    (where / "empty").mkdir()
    (where / "empty.txt").write_text("")
    (where / "other.txt").write_text("This is another text, with words of its own.")
    (where / "-odd.txt").write_text("A text in a file with an odd name.")
    (where / "a name.txt").write_text("A text in a file whose name has a space.")
    (where / "bin").mkdir()
    command = where / "bin" / "dedup"
    command.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m dedup "$@"\n')
    command.chmod(0o755)
    python = where / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return where


@pytest.fixture
def place(folder: Path, tmp_path: Path) -> Path:
    """Copy the folder: what a command writes is nobody else's."""
    return Path(shutil.copytree(folder, tmp_path / "here", symlinks=True))


def environment(place: Path) -> dict[str, str]:
    """Give the variables of a shell without a terminal."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DEDUP_", "_DEDUP"))}
    paths = os.pathsep.join([str(place / "bin"), os.environ["PATH"]])
    return {**kept, "PATH": paths, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}


@pytest.mark.parametrize("name", LINES)
def test_what_is_typed(name: str, place: Path) -> None:
    """The code, the output and the messages; never a traceback, never what a terminal would obey."""
    typed = LINES[name]
    if "/dev/full" in typed.line and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", typed.line],
        cwd=place,
        env=environment(place),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert typed.code == done.returncode, done.stderr
    assert re.search(typed.out, done.stdout, re.DOTALL), done.stdout
    assert re.search(typed.err, done.stderr, re.DOTALL), done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_there_are_enough() -> None:
    """At least forty."""
    assert len(LINES) >= 40


def on_terminal(place: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """Run a command on a terminal; give its exit code and all that it showed."""
    process, terminal = pty.fork()
    if not process:
        os.chdir(place)
        os.execvpe("dedup", ["dedup", *arguments], {**environment(place), "TERM": "xterm", **variables})
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), shown.decode()


def test_colours_are_for_terminals(place: Path) -> None:
    """Shared text is coloured there, unless NO_COLOR is set."""
    code, shown = on_terminal(place, "compare", "folder/x.txt", "folder/deep/y.txt")
    assert (0, True) == (code, "\x1b[1;" in shown)
    code, plain = on_terminal(place, "compare", "folder/x.txt", "folder/deep/y.txt", NO_COLOR="1")
    assert (0, False, True) == (code, "\x1b[1;" in plain, "[[1: " in plain)


def test_twenty_groups_on_a_terminal(place: Path) -> None:
    """A terminal gets the first ones, and is told how to see all; a pipe gets all."""
    pair = [{"text": f"text number {i} {j} with a few more words of family {i}"} for i in range(25) for j in (1, 1)]
    (place / "many.jsonl").write_text("".join(json.dumps(row) + "\n" for row in pair))
    code, shown = on_terminal(place, "find", "many.jsonl", "-q")
    assert (0, 20) == (code, shown.count("keep "))
    assert "5 more clusters; --limit 25 shows all" in shown
    code, shown = on_terminal(place, "find", "many.jsonl", "-q", "--limit", "25")
    assert (0, 25) == (code, shown.count("keep "))


def test_a_terminal_sees_that_it_begins(place: Path) -> None:
    """Something is written at once, and gone when there is a result."""
    _, shown = on_terminal(place, "find", "a.jsonl")
    assert shown.startswith("reading ...\r")
    assert "reading" not in shown.split("\x1b[K", 1)[1]
    _, shown = on_terminal(place, "find", "missing.txt")
    assert re.search(r"\x1b\[Kdedup: expected readable texts", shown)

"""What a command loads before it does anything: most of the time of a short run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

import dedup
from dedup.cli import HOMES, main
from dedup.cli.command import Commands

ROOT = Path(dedup.__file__).parent.parent
EXAMPLES = ROOT / "docs" / "examples"

PROGRAM = """
import json, sys
sys.argv = ["dedup", *sys.argv[1:]]
from dedup.__main__ import main
try:
    main()
except SystemExit as stop:
    assert stop.code == 0, stop.code
import gc, os
print(json.dumps([gc.get_freeze_count(), os.environ["OPENBLAS_NUM_THREADS"], sorted(sys.modules)]))
"""

HEAVY = ("numba", "numpy", "pyarrow", "msgspec", "rich", "pandas", "polars", "xxhash")
NOT_FOR_A_FEW_LINES = (
    "numba",
    "pandas",
    "polars",
    "rich",
    "scipy",
    "numpy.ma",
    "pyarrow.compute",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "dedup.page.document",
    "dedup.page.links",
    "dedup.index.index",
    "dedup.report.apply",
)
"""What a search of a few lines does without."""


def loaded(*arguments: str) -> tuple[int, str, set[str]]:
    """Run a command; give how many objects were frozen, how many threads OpenBLAS has, and what was loaded."""
    env = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**env, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        cwd=EXAMPLES,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    frozen, threads, modules = json.loads(done.stdout.splitlines()[-1])
    return frozen, threads, set(modules)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["-h"],
        ["find", "-h"],
        ["help", "index"],
        ["index", "stats", "-h"],
        ["completion", "zsh"],
        ["man"],
    ],
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    """It is there at once."""
    assert not loaded(*arguments)[2] & set(HEAVY)


def test_nothing_is_loaded_before_ctrl_c_is_handled() -> None:
    """Until the handler is there, Ctrl-C prints a traceback: of what a command needs, only `signal` comes first."""
    program = (
        "import gc, os, signal, sys\n"
        "before = set(sys.modules)\n"
        "def handle(*_):\n"
        "    print(sorted(set(sys.modules) - before - {'dedup', 'dedup.__main__', '__future__'}))\n"
        "    raise SystemExit\n"
        "signal.signal = handle\n"
        "from dedup.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "[]\n" == done.stdout, done.stderr


@pytest.mark.parametrize("name", sorted(HOMES))
def test_a_command_does_not_load_the_others(name: str) -> None:
    """Only its own module, and what that one takes from another."""
    modules = {module for module in loaded(name, "-h")[2] if module.startswith("dedup.cli.commands.")}
    allowed = {HOMES[name]} | {"clean": {"apply"}, "index": {"upkeep"}}.get(name, set())
    assert {f"dedup.cli.commands.{HOMES[name]}"} <= modules <= {f"dedup.cli.commands.{each}" for each in allowed}


@pytest.mark.parametrize(
    "arguments",
    [
        ["find", "notices.jsonl"],
        ["estimate", "notices.jsonl"],
        ["repeats", "doubled-article.txt"],
        ["match", "bridge-1.txt", "--against", "bridge-2.txt"],
        ["compare", "bridge-1.txt", "bridge-2.txt"],
    ],
)
def test_a_search_of_a_few_lines_loads_little(arguments: list[str]) -> None:
    """No compute functions of Arrow, no page, no frames; and nothing looks for garbage when it ends."""
    frozen, threads, modules = loaded(*arguments)
    wraps = {"rich"} if arguments[0] == "compare" else set()  # it prints two texts side by side
    assert wraps == modules & set(NOT_FOR_A_FEW_LINES)
    assert (True, "1") == (frozen > 10_000, threads)


def test_a_number_of_threads_that_is_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who sets the threads of OpenBLAS knows why."""
    program = PROGRAM.replace("import json, sys", "import json, os, sys; os.environ['OPENBLAS_NUM_THREADS'] = '3'", 1)
    monkeypatch.setattr(sys.modules[__name__], "PROGRAM", program)
    assert loaded("--version")[1] == "3"


def test_commands_are_a_mapping() -> None:
    """Names are known before modules are loaded; what is set needs no module."""
    commands = Commands({"find": "find", "man": "shell"})
    assert (["find", "man"], 2, True, False) == (list(commands), len(commands), "man" in commands, "x" in commands)
    assert commands["man"].name == "man"
    commands["x"] = click.Command("x")
    assert (["find", "man", "x"], 3) == (list(commands), len(commands))
    del commands["man"]
    assert ["find", "x"] == list(commands)
    for missing in ("man", "y"):
        with pytest.raises(KeyError):
            commands[missing]
        with pytest.raises(KeyError):
            del commands[missing]


def test_all_commands_are_in_the_help() -> None:
    """Each has a section there."""
    context = click.Context(main, info_name="dedup")
    shown = main.get_help(context)
    assert not [name for name in main.list_commands(context) if f"\n  {name}" not in shown]

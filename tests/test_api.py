"""What the package shows: its names, their pages, and how little an import costs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import dedup
from dedup import errors

ROOT = Path(dedup.__file__).parent.parent
REFERENCE = Path(__file__).parent.parent / "docs" / "reference"


def run(code: str) -> str:
    """Run a line of Python in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout


def test_the_names_are_sorted_and_there() -> None:
    """`__all__` is sorted, each name is there, and `dir` shows them."""
    assert sorted(dedup.__all__) == list(dedup.__all__)
    assert len(set(dedup.__all__)) == len(dedup.__all__)
    assert {"compare", "find_duplicates", "find_repeats"} <= set(dedup.__all__)
    for name in dedup.__all__:
        assert getattr(dedup, name) is not None
        assert name in dir(dedup)


def test_unknown_names_are_attribute_errors() -> None:
    """A name that is not there is an AttributeError that says so."""
    with pytest.raises(AttributeError, match="no_such_name"):
        dedup.no_such_name  # noqa: B018


def test_every_name_has_a_docstring() -> None:
    """What is public says what it does."""
    for name in dedup.__all__:
        public = getattr(dedup, name)
        if callable(public):
            assert (public.__doc__ or "").strip(), name


def test_every_name_is_in_the_reference() -> None:
    """Each public name is in the reference."""
    if not REFERENCE.is_dir():
        pytest.skip("the documentation is not beside the tests")
    pages = "\n".join(page.read_text(encoding="utf-8") for page in REFERENCE.rglob("*.md"))
    missing = [name for name in dedup.__all__ if not re.search(rf"\b{re.escape(name)}\b", pages)]
    assert [] == missing


@pytest.mark.parametrize("heavy", ["numba", "numpy", "pyarrow", "pandas", "polars"])
def test_importing_is_cheap(heavy: str) -> None:
    """`import dedup` loads none of the heavy packages."""
    assert "False\n" == run(f"import dedup, sys; print({heavy!r} in sys.modules)")


def test_importing_everything_changes_nothing() -> None:
    """The names load one by one, in any order, without a warning or a word on the terminal."""
    assert "" == run("import dedup; [getattr(dedup, name) for name in reversed(dedup.__all__)]")


@pytest.mark.parametrize(
    "command", [["find", "notices.jsonl"], ["repeats", "doubled-article.txt"], ["estimate", "notices.jsonl"]]
)
def test_a_small_file_needs_no_compute_functions(command: list[str]) -> None:
    """Importing those of Arrow takes a fifth of the time of such a run."""
    examples = Path(__file__).parents[1] / "docs" / "examples"
    arguments = ["dedup", command[0], str(examples / command[1])]
    code = f"""
import runpy, sys
sys.argv = {arguments!r}
try:
    runpy.run_module("dedup", run_name="__main__")
except SystemExit as stop:
    assert stop.code == 0
print("pyarrow.compute" in sys.modules)
"""
    assert run(code).endswith("False\n")


def test_the_frames_stay_unloaded() -> None:
    """Finding duplicates in a list loads neither pandas nor polars."""
    code = "import dedup, sys; dedup.find_duplicates(['a', 'a']);print({'pandas', 'polars'} & set(sys.modules))"
    assert "set()\n" == run(code)


def test_results_do_not_depend_on_the_hash_seed() -> None:
    """The same tables in processes with different seeds of Python's own hash."""
    code = (
        "import dedup; from tests import corpora; t = corpora.families(count=5);"
        "r = dedup.find_duplicates(t); print(r.pairs.to_pylist(), r.clusters.to_pylist());"
        "print(dedup.find_repeats(corpora.doubled_article().text).table.to_pylist())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PATH": "", "HOME": str(Path.home())},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        for seed in ("0", "1", "7")
    }
    assert 1 == len(found)


def test_the_errors() -> None:
    """The errors are few, public, and children of one."""
    assert {"DedupError", "InputError", "ParameterError"} <= set(errors.__all__)
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), errors.DedupError)


def test_the_version() -> None:
    """The package says which version it is."""
    assert re.match(r"\d+\.\d+", dedup.__version__)

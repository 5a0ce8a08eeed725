"""The scripts that print the curve of a tuned constant: they name what is there, they run, and they say what is so."""

from __future__ import annotations

import ast
import importlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import dedup
from tests import corpora

curve = pytest.importorskip("benchmarks.tuning.curve")
changed_source = pytest.importorskip("benchmarks.tuning.changed_source")

PACKAGE = Path(dedup.__file__).parent
FOLDER = Path(curve.__file__).parent
SCRIPTS = sorted(
    path.stem for path in FOLDER.glob("*.py") if path.stem not in {"__init__", "calls", "changed_source", "curve"}
)


def curve_of(script: str) -> Any:
    """Give the curve of a script."""
    return importlib.import_module(f"benchmarks.tuning.{script}").CURVE


def source_of(module: str) -> ast.Module:
    """Give the syntax tree of a module of the package."""
    path = importlib.import_module(module).__file__
    assert path is not None
    return ast.parse(Path(path).read_text(encoding="utf-8"))


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_names_a_constant_that_is_there(script: str) -> None:
    """It bears the constant's name, its values hold the present one, and a worker can change the source."""
    found = curve_of(script)
    assert f"benchmarks.tuning.{script}" == curve.script_of(found.constant)
    assert found.present in list(found.values)
    assert len(set(found.values)) >= 3
    assert found.corpus.startswith(("generated:", "family:"))  # there is one where the real sets are not
    for constant in (found.constant, *found.also):
        module, name = constant.rsplit(".", 1)
        assert name in vars(importlib.import_module(module))
        changed_source.change(source_of(module), name, 1)
    assert f"`{found.constant}`.\n\n" in (importlib.import_module(f"benchmarks.tuning.{script}").__doc__ or "")


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_runs(script: str) -> None:
    """Its call runs over few texts, twice with the same answer, and the stages that it names are those of a search."""
    found = curve_of(script)
    call = found.prepare(corpora.families(count=6, size=4, edits=2), 1)
    whole = replace(found, stages=())
    first, second = (curve.measured(whole, call) for _ in range(2))
    assert first.answer == second.answer
    assert first.cpu > 0.0
    sources = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    assert set(found.stages) <= set(re.findall(r'stage\("([\w ]+)"', sources))


@pytest.mark.parametrize("script", ["seen_twice_twice_slots", "kernel_sets_few"])
def test_the_table(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row for each value, the present one marked, whether the constant is Python's or compiled into a kernel."""
    monkeypatch.setenv("DEDUP_BENCH_CACHE", str(tmp_path))
    found = curve_of(script)
    curve.main(found, ["--corpus", "generated:40,family:20", "--rounds", "2", "--values", "1"])
    out = capsys.readouterr().out.splitlines()
    assert [f"{found.constant}: generated:40 (40 texts", f"{found.constant}: family:20 (20 texts"] == [
        line.partition(",")[0] for line in out if line.startswith(found.constant)
    ]
    rows = [line.split() for line in out if line.endswith("same")]
    assert 2 * ["1", f"*{found.present}"] == [row[0] for row in rows] or 2 * ["1", "*"] == [row[0] for row in rows]
    assert all(float(row[1 + (row[0] == "*")]) > 0 for row in rows)
    assert 2 == sum(line.startswith("flat within 5% from ") for line in out)


def test_a_constant_is_changed_where_it_is_assigned() -> None:
    """Alone, with a type, or with others; one that is not there is an error."""
    source = 'A = 1\n"""One."""\nB: int = 1 << 4\nC, D = 8, 64\nE = (A, B, C, D)\n'
    for name, expected in (("A", (7, 16, 8, 64)), ("B", (1, 7, 8, 64)), ("D", (1, 16, 8, 7))):
        tree = ast.parse(source)
        changed_source.change(tree, name, 7)
        values: dict[str, Any] = {}
        exec(compile(tree, "changed", "exec"), values)
        assert expected == values["E"]
    with pytest.raises(LookupError, match="F on the top level"):
        changed_source.change(ast.parse(source), "F", 7)


def test_kernels_that_use_a_module_are_compiled_anew() -> None:
    """What a kernel is compiled with are the constants of all modules that it calls."""
    assert {"alignment", "chains"} == curve.dependants("alignment")
    joins = {"clusters", "counters", "cross_join", "parts", "seen_twice", "self_join", "skew_join"}
    index = {"index_judge", "index_memtable", "index_postings", "index_search"}
    assert {"verify", "bitmaps", "grams", *joins, *index} == curve.dependants("verify")


def test_the_flat_part() -> None:
    """The run of values round the present one, to the first slope on either side."""
    assert (2, 8) == curve.flat({1: True, 2: False, 4: False, 8: False, 16: True, 32: False}, 4)
    assert (4, 4) == curve.flat({2: True, 4: False, 8: True}, 4)
    assert (1, 2) == curve.flat({1: False, 2: False}, 1)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_tuned_constant_names_its_script(script: str) -> None:
    """Who reads the constant finds its curve."""
    module, _ = curve_of(script).constant.rsplit(".", 1)
    path = PACKAGE.parent / (module.replace(".", "/") + ".py")
    assert script in path.read_text(encoding="utf-8")


def test_the_readme_lists_the_scripts() -> None:
    """Each script has its line."""
    readme = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    assert [] == [script for script in SCRIPTS if f"`{script}`" not in readme]

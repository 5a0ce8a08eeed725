"""The jobs of newcomers: each script does one, in the steps that a page of the docs names.

Here they run in the environment of the tests. `.github/newcomers.py` runs them in empty ones, each with what its page
names.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
JOBS = ROOT / "docs" / "examples" / "jobs"
SCRIPTS = sorted(path.name for path in JOBS.iterdir())
RUNNER = ROOT / ".github" / "newcomers.py"


def newcomers() -> Any:
    """Load the program that runs the jobs in empty environments."""
    if not RUNNER.exists():
        pytest.skip("the program is not beside the tests")
    spec = importlib.util.spec_from_file_location("newcomers", RUNNER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Put `dedup` and `python` of this interpreter on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, command in (("dedup", "-m dedup"), ("python", "")):
        path = folder / name
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {command} "$@"\n', encoding="utf-8")
        path.chmod(0o755)
    inherited = os.environ.get("PYTHONPATH", "")
    return {
        **os.environ,
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), inherited])),
        "EXAMPLES": str(JOBS.parent),
    }


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_job_is_done(script: str, environment: dict[str, str], tmp_path: Path) -> None:
    """In an empty folder, with no step that the script does not have."""
    wanted = newcomers().needs(JOBS / script)
    for name in [*wanted.packages, *(["rapidfuzz"] if "edit" in wanted.extras else [])]:
        pytest.importorskip(name)
    place = tmp_path / "place"
    place.mkdir()
    program = [sys.executable] if script.endswith(".py") else ["bash", "-euo", "pipefail"]
    done = subprocess.run(
        [*program, str(JOBS / script)], cwd=place, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_job_names_its_page(script: str) -> None:
    """The page is there, so that a reader finds out more."""
    found = re.search(r"The page: (how-to/[\w-]+\.md)", (JOBS / script).read_text(encoding="utf-8"))
    assert found is not None
    assert (ROOT / "docs" / found[1]).is_file()


def test_there_are_twelve() -> None:
    """Each that was named."""
    assert len(SCRIPTS) == 12


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_job_asks_for_what_exists(script: str) -> None:
    """An extra of the package, and packages that its page names."""
    text = (JOBS / script).read_text(encoding="utf-8")
    wanted = newcomers().needs(JOBS / script)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(wanted.extras) <= set(extras)
    page = (ROOT / "docs" / re.search(r"The page: (how-to/[\w-]+\.md)", text)[1]).read_text(encoding="utf-8")  # type: ignore[index]
    assert all(name in page for name in [*wanted.packages, *wanted.extras])

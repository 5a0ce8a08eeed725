"""The jobs of newcomers: each script does one, in the steps that a page of the docs names.

The twelfth, a service with an index, is `docs/examples/seen_service.py` (`tests/test_web_service.py`).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
JOBS = ROOT / "docs" / "examples" / "jobs"
SCRIPTS = sorted(path.name for path in JOBS.iterdir())


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
    if script == "titles.sh":
        pytest.importorskip("rapidfuzz")
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

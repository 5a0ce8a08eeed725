"""Kernels compiled beforehand: in several processes, kept on disk, announced in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import dedup
from dedup.cli import main
from dedup.kernels import native, warming

ROOT = Path(dedup.__file__).parent.parent
ANNOUNCED = "dedup: compiling kernels, once, about 20 s (dedup warmup does it beforehand)\n"

NAMES = """
from dedup.kernels import warming
print(*warming.all_kernels())
"""

WARM = """
import sys
from dedup.kernels import warming
print(warming.warm(["lsh.band_keys", "csv_records.record_ends"], 2), "dedup.kernels.lsh" in sys.modules)
"""

CALL = """
import numpy as np
from dedup.kernels import csv_records, lsh
lsh.band_keys(np.zeros((1, 1), np.uint32), 1, np.zeros((1, 1), np.uint64))
print(csv_records.record_ends(np.frombuffer(b"a\\n", np.uint8), 44, 0, np.zeros(1, np.int64)))
"""


NARROW = """
from dedup.kernels import warming
warming.warm(["windows.write_blocks"], 2, narrow=True)
from dedup.kernels import compiling, windows
for width, entry in windows.write_blocks.entries.items():
    print(width, entry._cache.is_kept(compiling.types_of(entry.py_func, width), entry.targetctx))
"""


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run some code in a process of its own, with numba and an empty folder for its kernels."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DEDUP_KERNELS": "jit", "NUMBA_CACHE_DIR": str(folder)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )


def test_the_groups_name_kernels(tmp_path: Path) -> None:
    """What a command is expected to call is there, and each search has a group."""
    names = set(run(NAMES, tmp_path).stdout.split())
    assert len(names) > 40
    assert {"find", "match", "repeats", "compare", "estimate", "index"} == set(warming.GROUPS)
    for group in warming.GROUPS.values():
        assert len(group) == len(set(group) & names)


def test_other_processes_compile(tmp_path: Path) -> None:
    """What they have compiled is taken from the disk; without them it is announced, once, and compiled."""
    done = run(WARM, tmp_path)
    assert ("True False", "") == (done.stdout.strip(), done.stderr)
    done = run(CALL, tmp_path)
    assert ("(1, 0)", "") == (done.stdout.strip(), done.stderr)
    done = run(CALL, tmp_path / "other")
    assert ("(1, 0)", ANNOUNCED) == (done.stdout.strip(), done.stderr)


def test_the_narrow_kernel_is_enough_for_a_first_run(tmp_path: Path) -> None:
    """Of kernels for two widths of numbers, the wide one is not compiled until it is called."""
    assert ["q False", "i True"] == run(NARROW, tmp_path).stdout.splitlines()


@pytest.mark.skipif(not native.COMPLETE, reason=native.REASON)
def test_nothing_is_done_twice() -> None:
    """With compiled kernels there is nothing to do."""
    result = CliRunner().invoke(main, ["warmup"], standalone_mode=False)
    assert f"nothing to do: the kernels are compiled, for processor level {native.LEVEL}\n" == result.stdout

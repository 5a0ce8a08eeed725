"""Damaged files of every format: a reject or an error of ours, never a traceback, a crash or a hang.

2,000 mutations of each format with ``DEDUP_HYPOTHESIS=long``, 40 without. They are read in a child, which says what it
is at: one that ends is started again after the mutation that ended it.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.cli.test_commands import ROOT
from tests.fuzzing import KINDS

COUNT = 2000 if os.environ.get("DEDUP_HYPOTHESIS") == "long" else 40


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_end_nothing(kind: str) -> None:
    """Every mutation is read, or is an error that says what is wrong."""
    faults: list[str] = []
    first = 0
    while first < COUNT and len(faults) < 10:
        command = [sys.executable, "-X", "faulthandler", "-m", "tests.fuzzing", kind, str(first), str(COUNT)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        lines = done.stdout.splitlines()
        faults += [line for line in lines if line.startswith("raised at")]
        if done.returncode == 0 and lines[-1] == "end":
            break
        numbers = [int(line) for line in lines if line.isdigit()]
        assert numbers, done.stderr
        faults.append(f"ended with {done.returncode} at {numbers[-1]}: {done.stderr[-1500:]}")
        first = numbers[-1] + 1
    assert not faults, "\n".join(faults)

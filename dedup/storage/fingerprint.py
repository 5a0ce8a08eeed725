"""The fingerprint of a run: its options, and its inputs by path, size and time. A run resumes only if both are equal.

A difference is reported with both values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dedup.errors import ParameterError

__all__ = ["compare_inputs", "compare_options"]

HINT = "start over with --fresh, or name another work directory"
"""What to do if the work directory belongs to another run."""


def compare_options(was: dict[str, Any], now: dict[str, Any], path: Path) -> None:
    """Raise `ParameterError` for the first option in which two runs differ."""
    for name in sorted({*was, *now}):
        if was.get(name) != now.get(name):
            raise ParameterError(
                f"{name}: expected {was.get(name)!r}, with which the run in {path} was started, found "
                f"{now.get(name)!r}; {HINT}"
            )


def compare_inputs(was: list[list[Any]], now: list[list[Any]], path: Path) -> None:
    """Raise `ParameterError` for the first file in which two runs differ."""
    old, new = ({row[0]: row for row in side} for side in (was, now))
    for name in sorted({*old, *new}):
        if name not in new:
            raise ParameterError(f"inputs: expected {name}, which the run in {path} started with, found none; {HINT}")
        if name not in old:
            raise ParameterError(f"inputs: the run in {path} was started without {name}; {HINT}")
        if old[name] != new[name]:
            raise ParameterError(
                f"inputs: expected {name} as it was when the run in {path} was started (size and time "
                f"{old[name][1:]}), found {new[name][1:]}; {HINT}"
            )
    raise ParameterError(f"inputs: expected the files that the run in {path} started with, found others; {HINT}")

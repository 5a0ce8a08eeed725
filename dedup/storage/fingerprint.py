"""The fingerprint of a run: its options, and its inputs by path, size and time; it goes on only where both are equal.

What differs is named, with both sides.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dedup.errors import ParameterError

__all__ = ["compare_inputs", "compare_options"]

HINT = "begin again with --fresh, or name another work directory"
"""What to do about a work directory of another run."""


def compare_options(was: dict[str, Any], now: dict[str, Any], path: Path) -> None:
    """Raise `ParameterError` at the first option in which two runs differ."""
    for name in sorted({*was, *now}):
        if was.get(name) != now.get(name):
            raise ParameterError(
                f"{name}: expected {was.get(name)!r}, with which the run in {path} was begun, found "
                f"{now.get(name)!r}; {HINT}"
            )


def compare_inputs(was: list[list[Any]], now: list[list[Any]], path: Path) -> None:
    """Raise `ParameterError` at the first file in which two runs differ."""
    old, new = ({row[0]: row for row in side} for side in (was, now))
    for name in sorted({*old, *new}):
        if name not in new:
            raise ParameterError(f"inputs: expected {name}, which the run in {path} was begun with, found none; {HINT}")
        if name not in old:
            raise ParameterError(f"inputs: the run in {path} was begun without {name}; {HINT}")
        if old[name] != new[name]:
            raise ParameterError(
                f"inputs: expected {name} as it was when the run in {path} was begun (size and time "
                f"{old[name][1:]}), found {new[name][1:]}; {HINT}"
            )
    raise ParameterError(f"inputs: expected those that the run in {path} was begun with, found others; {HINT}")

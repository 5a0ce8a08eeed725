"""Slices of few rows for the threads.

These constants are replaced and not handed in: nearly every stage cuts its rows by `dedup.runtime.threads.slices`,
`stretches` or `dedup.runtime.arrays.portions`, and an argument for them would go through all signatures.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def small_slices(rows: int, stretch: int) -> Iterator[None]:
    """Let a thread work on so few rows at a time, and a serial kernel on so few between two checks for Ctrl-C."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dedup.runtime.threads.MIN_SLICE_ROWS", rows)
        patch.setattr("dedup.runtime.threads.STRETCH", stretch)
        patch.setattr("dedup.runtime.arrays.PORTION", rows)
        yield

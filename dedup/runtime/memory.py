"""Bytes: how a stage asks before it holds many, and how messages write them.

`dedup.pipelines.memory`, in a layer above, decides how much a search may take. A stage only asks.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["Afford", "given", "unbounded", "written"]


class Afford(Protocol):
    """A function that gets the bytes that a stage is about to hold, and raises an error if they are too many.

    `all_in_all` is an estimate of the bytes that the stage will hold at its end. It is used in the error message.
    """

    def __call__(self, held: int, all_in_all: int = 0) -> None:
        """Raise `ParameterError` if `held` bytes are too many."""


def unbounded(held: int, all_in_all: int = 0) -> None:
    """Allow any number of bytes."""


def written(size: int) -> str:
    """Return a number of bytes in MB or GB, rounded, for messages.

    >>> written(1_500_000), written(2_340_000_000)
    ('2 MB', '2.3 GB')
    """
    return f"{size / 1e9:.1f} GB" if size >= 10**9 else f"{max(round(size / 1e6), 1):,} MB"


def given(memory: int) -> str:
    """Return a memory bound as a message shows it: below 1 MB in bytes, since such a bound is probably a mistake.

    >>> given(4), given(4_000_000)
    ('4 bytes', '4 MB')
    """
    return written(memory) if memory >= 10**6 else f"{memory:,} bytes"

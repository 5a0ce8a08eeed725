"""Bytes: what a stage asks before it holds many, and how messages write them.

What a search may take is decided above (`dedup.pipelines.memory`); a stage only asks.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["Afford", "given", "unbounded", "written"]


class Afford(Protocol):
    """Is told the bytes that a stage is about to hold, and raises an error where they are too many.

    `all_in_all` are those that it will hold in the end, by what is known, for the error.
    """

    def __call__(self, held: int, all_in_all: int = 0) -> None:
        """Raise `ParameterError` where so many bytes are too many."""


def unbounded(held: int, all_in_all: int = 0) -> None:
    """Afford anything."""


def written(size: int) -> str:
    """Return bytes as a person writes them.

    >>> written(1_500_000), written(2_340_000_000)
    ('2 MB', '2.3 GB')
    """
    return f"{size / 1e9:.1f} GB" if size >= 10**9 else f"{max(round(size / 1e6), 1):,} MB"


def given(memory: int) -> str:
    """Return a bound as a message shows it: in bytes where it is smaller than any that can be meant.

    >>> given(4), given(4_000_000)
    ('4 bytes', '4 MB')
    """
    return written(memory) if memory >= 10**6 else f"{memory:,} bytes"

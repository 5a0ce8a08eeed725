"""How large a record may be: a larger one is rejected while it is read, and never held.

The limit depends only on the bound on memory, not on threads or files, so it rejects the same records whenever they are
read. Without a bound it is `MAX_RECORD_BYTES`, whatever memory the machine has.
"""

from __future__ import annotations

__all__ = ["GROUPED", "MAX_RECORD_BYTES", "SMALLEST", "most_of", "too_large"]

MAX_RECORD_BYTES = 1 << 30
"""Bytes of a record, at most: a search takes a dozen times as much memory for it."""

SMALLEST = 1 << 20
"""Bytes of a record that every bound allows: so many are read at a time anyway."""

LIBRARY_BYTES = 48 << 20
"""Bytes that the interpreter and its libraries take in addition to the records."""

COPIES = 48
"""Bytes of memory per byte of a record: it waits and is worked on, and so are the records next to it
(`dedup.pipelines.memory`)."""

GROUPED = 12
"""Records of the largest size that may be held of a table at once, before they are yielded."""


def most_of(memory: int | None) -> int:
    """Return the bytes that one record may have under a bound on memory.

    >>> most_of(None), most_of(500_000_000), most_of(1)
    (1073741824, 9368090, 1048576)
    """
    if memory is None:
        return MAX_RECORD_BYTES
    return min(max((memory - LIBRARY_BYTES) // COPIES, SMALLEST), MAX_RECORD_BYTES)


def too_large(what: str, size: int, most: int, *, so_far: bool = True) -> str:
    """Return the reason why a record is rejected: what it is, and its size."""
    bounded = most < MAX_RECORD_BYTES
    limit = "the limit under the bound on memory" if bounded else "the most that can be read"
    advice = "give more memory (--memory), or split it" if bounded else "split it"
    found = f"{size:,} bytes so far" if so_far else f"{size:,} bytes"
    return f"expected {what} of {most:,} bytes or fewer, which is {limit}, found {found}; {advice}"

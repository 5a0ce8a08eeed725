"""How much one record may take: what is larger is rejected while it is read, and never held.

The limit is a function of the bound on memory alone, not of threads or files, so that it rejects the same records
whenever they are read. Without a bound it is `LARGEST`, whatever the machine has.
"""

from __future__ import annotations

__all__ = ["GROUPED", "LARGEST", "most_of", "too_large"]

LARGEST = 1 << 30
"""Bytes of a record, at most: a search takes a dozen times as much for it."""

SMALLEST = 1 << 20
"""Bytes that every bound allows: as much as is read at a time anyway."""

AT_REST = 48 << 20
"""Bytes: what the interpreter and its libraries take beside the records."""

COPIES = 48
"""What a record takes in all, in bytes a byte: it waits, is worked on, and so are its neighbours
(`dedup.pipelines.memory`)."""

GROUPED = 12
"""Records of the largest size that may be held of a table at once, before they are handed on."""


def most_of(memory: int | None) -> int:
    """Return the bytes that one record may have under a bound.

    >>> most_of(None), most_of(500_000_000), most_of(1)
    (1073741824, 9368090, 1048576)
    """
    if memory is None:
        return LARGEST
    return min(max((memory - AT_REST) // COPIES, SMALLEST), LARGEST)


def too_large(what: str, size: int, most: int, *, so_far: bool = True) -> str:
    """Return the reason why a record is rejected: what it is, and how large it was found to be."""
    bounded = most < LARGEST
    whose = "under the bound on memory" if bounded else "at the most"
    advice = "give more memory (--memory), or split it" if bounded else "split it"
    found = f"{size:,} bytes so far" if so_far else f"{size:,} bytes"
    return f"expected {what} of {most:,} bytes or fewer, which is what can be read {whose}, found {found}; {advice}"

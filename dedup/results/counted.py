"""A number with its noun, as messages print it."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 text", "2,000 texts"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"

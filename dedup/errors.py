"""The errors of dedup: each message says what was wanted, what was found, where, and what to do.

::

    DedupError(Exception)
      ParameterError(DedupError, ValueError)   an option has a value that means nothing
      InputError(DedupError, ValueError)       a text, an id, a column or a file cannot be used
      StorageError(DedupError, OSError)        a work directory or a report cannot be written or read

They are ``ValueError`` or ``OSError`` too, so that code which knows nothing of dedup can catch them. A message is one
line, in which what a file name or an id holds cannot steer a terminal (`dedup.terminal.clean`).
"""

from __future__ import annotations

from dedup.terminal import clean

__all__ = ["DedupError", "InputError", "ParameterError", "StorageError"]


class DedupError(Exception):
    """Base of every error that dedup raises on purpose."""

    def __str__(self) -> str:
        return clean(super().__str__())


class ParameterError(DedupError, ValueError):
    """An option has a value that means nothing: ``threshold=80``, an unknown ``method``."""


class InputError(DedupError, ValueError):
    """What came in cannot be used: a number among the texts, an unknown column, two equal ids."""


class StorageError(DedupError, OSError):
    """A work directory or a report cannot be written or read: a full disk, a damaged file, a folder in use."""

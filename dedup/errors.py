"""The errors of dedup. Each message says what was expected, what was found, where, and what to do.

::

    DedupError(Exception)
      ParameterError(DedupError, ValueError)   an option has an invalid value
      InputError(DedupError, ValueError)       a text, an id, a column or a file cannot be used
      StorageError(DedupError, OSError)        a work directory or a report cannot be written or read

They are also ``ValueError`` or ``OSError``, so that code that does not import dedup can catch them. A message is one
line. Control characters in it, for example from a file name or an id, are escaped (`dedup.terminal.clean`).
"""

from __future__ import annotations

from dedup.terminal import clean

__all__ = ["DedupError", "InputError", "ParameterError", "StorageError"]


class DedupError(Exception):
    """The base class of every error that dedup raises on purpose."""

    def __str__(self) -> str:
        return clean(super().__str__())


class ParameterError(DedupError, ValueError):
    """An option has an invalid value: ``threshold=80``, an unknown ``method``."""


class InputError(DedupError, ValueError):
    """The input cannot be used: a number among the texts, an unknown column, two equal ids."""


class StorageError(DedupError, OSError):
    """A work directory or a report cannot be written or read: a full disk, a damaged file, a folder in use."""

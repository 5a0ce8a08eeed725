"""The package that finds the text of a page of HTML: `trafilatura`, of the extra ``dedup-text[html]``."""

from __future__ import annotations

import importlib
from typing import Any

from dedup.errors import ParameterError

__all__ = ["NEEDS_EXTRACTOR", "extractor", "installed"]

NEEDS_EXTRACTOR = ".html, which needs trafilatura"
"""What the pages of a folder are called that are not read, since the package is not installed."""


def installed() -> bool:
    """Return whether the package is installed."""
    try:
        extractor()
    except ParameterError:
        return False
    return True


def extractor() -> Any:
    """Return the package. Raise `ParameterError` if it is not installed."""
    try:
        return importlib.import_module("trafilatura")
    except ImportError as error:
        raise ParameterError(
            "expected trafilatura for files of HTML, found no such package; install it: pip install "
            "'trafilatura>=2.0' 'lxml-html-clean>=0.4', or leave these files out (exclude=, --exclude)"
        ) from error

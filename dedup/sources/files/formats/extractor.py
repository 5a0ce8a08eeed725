"""The package that finds the text of a page of HTML: `trafilatura`, of the extra ``dedup-text[html]``."""

from __future__ import annotations

import importlib
from typing import Any

from dedup.errors import ParameterError

__all__ = ["extractor"]


def extractor() -> Any:
    """Return the package. Raise `ParameterError` if it is not installed."""
    try:
        return importlib.import_module("trafilatura")
    except ImportError as error:
        raise ParameterError(
            "expected trafilatura for files of HTML, found no such package; install it: pip install "
            "'dedup-text[html]', or leave these files out (exclude=, --exclude)"
        ) from error

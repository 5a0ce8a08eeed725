"""What a script needs that this machine may not have: the real data, and packages of other tools.

Where it is missing, the script ends with a message that says what to do.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any


class MissingDataError(SystemExit):
    """Real data was asked for and is not on this machine. If nobody catches it, the script ends with its message."""


def has_data() -> bool:
    """Whether the folder of the real data is named."""
    return bool(os.environ.get("DEDUP_DATA"))


def data(name: str) -> Path:
    """The path of a file or folder of the real data; `MissingDataError` where DEDUP_DATA does not lead to it."""
    if not has_data():
        raise MissingDataError(
            f"{name} needs the environment variable DEDUP_DATA, the folder of the real data, which is not set"
        )
    path = Path(os.environ["DEDUP_DATA"]) / name
    if not path.exists():
        raise MissingDataError(f"expected {name} in the folder that DEDUP_DATA names, found none in {path.parent}")
    return path


def folder() -> Path:
    """Return the folder of real texts; an error says what is missing."""
    return data(".")


def package(name: str) -> Any:
    """The module of another tool; ends the script where it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise SystemExit(f"expected the package {error.name}, found none: pip install -e '.[benchmark]'") from None

"""Names of files in messages: bytes that are not UTF-8 are escaped, and can be turned back."""

from __future__ import annotations

import os
import re

from dedup.sources.files.remote.addresses import is_address, shown_address

__all__ = ["possible", "shown", "shown_name", "unshown"]


def shown(path: str) -> str:
    """Return a path for messages: bytes that are not UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace") if possible(path) else ascii(path)[1:-1]


def shown_name(name: str) -> str:
    """Return a path, or an address, for messages."""
    return shown(shown_address(name) if is_address(name) else name)


def unshown(path: str) -> str:
    """Return the path that is shown as `path`: the one with escaped bytes, if no file has the literal name."""
    if "\\x" not in path or os.path.lexists(path):
        return path
    written = re.sub(rb"\\x([89a-f][0-9a-f])", lambda found: bytes([int(found[1], 16)]), os.fsencode(path))
    return os.fsdecode(written) if os.path.lexists(written) else path


def possible(name: str) -> bool:
    """Return whether a file can have this name: it has no NUL, and every character can be encoded."""
    try:
        return b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:
        return False

"""Patterns of names in folders: which files and folders ``--include`` and ``--exclude`` choose.

A pattern without ``/`` is one of names: ``*.md``, ``drafts``. One with ``/`` is of paths below the folder that is
searched: ``2024/*.md``, ``**/old/*``. ``*`` and ``?`` stand for letters but ``/``, ``**/`` for any number of folders,
``[a-z]`` for one letter. A ``/`` at the end means a folder. The case of letters counts.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from typing import Any

from dedup.errors import ParameterError
from dedup.options import shown

__all__ = ["Globs", "check_globs"]

FOLDERS = "**/"


class Globs:
    """Some patterns.

    Examples
    --------
    >>> some = Globs(["*.txt", "old/", "2024/**/x?"])
    >>> some.match("a/b.txt"), some.match("b.csv"), some.match("2024/a/b/x1"), some.match("2024/x1"), some.match("x1")
    (True, False, True, True, False)
    >>> some.match("a/old", folder=True), some.match("a/old")
    (True, False)
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = [
            (_expression(each.rstrip("/")), "/" in each.rstrip("/"), each.endswith("/")) for each in patterns
        ]

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def match(self, path: str, *, folder: bool = False) -> bool:
        """Return whether a pattern matches a path, relative to the folder that is searched."""
        name = path.rpartition("/")[2]
        return any(
            expression.fullmatch(path if whole else name) is not None
            for expression, whole, only_folders in self._patterns
            if folder or not only_folders
        )


def _expression(pattern: str) -> re.Pattern[str]:
    """Return a pattern as a regular expression."""
    pattern = pattern.removeprefix("/")
    found = ""
    while pattern:
        if pattern.startswith(FOLDERS):
            found, pattern = found + "(?:.*/)?", pattern[len(FOLDERS) :]
        elif pattern == "**":
            found, pattern = found + ".*", ""
        elif pattern[0] in "*?":
            found, pattern = found + {"*": "[^/]*", "?": "[^/]"}[pattern[0]], pattern[1:]
        elif pattern[0] == "[" and "]" in pattern[2:]:
            end = pattern.index("]", 2) + 1
            found, pattern = found + _letters(pattern[:end]), pattern[end:]
        else:
            found, pattern = found + re.escape(pattern[0]), pattern[1:]
    return re.compile(found, re.DOTALL)


def _letters(pattern: str) -> str:
    """Return a pattern of one letter as a regular expression."""
    inside = re.match(r"\(\?s:(.*)\)\\[Zz]", fnmatch.translate(pattern), re.DOTALL)
    assert inside is not None, pattern
    return inside[1]


def check_globs(option: str, given: Any) -> tuple[str, ...]:
    """Return patterns, of which one may be given as it is. Raise `ParameterError` for any other value."""
    some: Sequence[Any] = [given] if isinstance(given, str) else given
    if not isinstance(some, (list, tuple)) or not all(isinstance(each, str) and each.strip("/") for each in some):
        raise ParameterError(f'{option}: expected a pattern such as "*.md", or a list of them, found {shown(given)}')
    for each in some:
        if wrong := _never(each):
            raise ParameterError(f"{option}: {wrong}, found {shown(each)}")
    return tuple(each.removeprefix("./") for each in some)


def _never(pattern: str) -> str:
    """Return what was expected of a pattern that matches nothing, or not what is meant; "" of others.

    >>> _never("a[0-9].txt"), _never("[[]a")
    ('', '')
    >>> _never("[a")
    'expected a closing bracket after [ (or [[] for a bracket)'
    """
    parts = pattern.rstrip("/").removeprefix("./").removeprefix("/").split("/")
    if "." in parts or ".." in parts:
        return "expected a path below the folder that is searched, without . and .. as names of folders"
    if re.search(r"\{[^{}/]*,[^{}/]*\}", pattern):
        return "expected a pattern without {a,b}, of which each is a pattern of its own; give it once for each"
    for found in re.finditer(r"\[", pattern):
        inside = re.match(r"\[!?\]?[^\]]*\]", pattern[found.start() :])
        if inside is None and "[" not in pattern[: found.start()]:
            return "expected a closing bracket after [ (or [[] for a bracket)"
    return ""

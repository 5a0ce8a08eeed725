"""Fields by path: ``doc.body`` is the field ``body`` of the field ``doc``.

A field or column with exactly this name wins. An empty part makes no path: ``a..b`` and ``.a`` are only names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

__all__ = ["ABSENT", "DOTTED", "field_of", "is_path", "names_in", "parts_of"]

ABSENT: Final[Any] = ...
"""Marks a field that a record does not have."""

DOTTED = "in a path, no name may have a dot, and one of these fields has; rename it"
"""Why a path does not lead to a field that is shown by the same name."""

DEEPEST = 8
"""Parts of the paths that messages show, at most."""


def parts_of(name: str) -> tuple[str, ...]:
    """Return the parts of a path; a name that is no path is its only part.

    >>> parts_of("doc.body"), parts_of("body"), parts_of("a..b")
    (('doc', 'body'), ('body',), ('a..b',))
    """
    parts = tuple(name.split("."))
    return parts if all(parts) else (name,)


def is_path(name: str) -> bool:
    """Return whether a name may also be a path."""
    return len(parts_of(name)) > 1


def field_of(record: Mapping[str, Any], name: str) -> Any:
    """Return the value of a field, by its name or its path; `ABSENT` if there is none.

    A field of a null is null.
    """
    if name in record:
        return record[name]
    if not is_path(name):
        return ABSENT
    value: Any = record
    for part in parts_of(name):
        if value is None:
            return None
        if not isinstance(value, Mapping) or part not in value:
            return ABSENT
        value = value[part]
    return value


def names_in(record: Mapping[str, Any], *, nested: bool) -> list[str]:
    """Return the names of the fields of a record; if `nested`, paths instead of fields that are records."""
    return list(_names(record.items(), "", DEEPEST)) if nested else list(record)


def _names(fields: Iterable[tuple[str, Any]], before: str, depth: int) -> Iterator[str]:
    for name, value in fields:
        if depth > 1 and isinstance(value, Mapping) and value:
            yield from _names(value.items(), f"{before}{name}.", depth - 1)
        else:
            yield before + name

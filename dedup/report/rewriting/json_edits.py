"""Records of JSON with a changed value or more fields. All other bytes are unchanged."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from dedup.errors import ParameterError
from dedup.sources.files.formats.sniffing import BYTE_ORDER_MARK
from dedup.sources.paths import is_path, parts_of

__all__ = ["refuse", "with_fields", "with_value"]


def with_value(line: bytes, name: str, change: Callable[[str], str]) -> bytes:
    """Return a record of JSON in which `change` was applied to the field `name`; to the record itself if it is a text.

    The new value is escaped to ASCII if the old value was ASCII. If a key occurs twice, the last one is changed. A name
    with dots that no field has is a path.
    """
    text = line.decode("utf-8", "surrogateescape")  # another field may contain bytes that are not UTF-8
    start, end, value = _text(text, name)
    new = change(value)
    plain = text[start:end].isascii() or any("\ud800" <= letter <= "\udfff" for letter in new)
    return (text[:start] + json.dumps(new, ensure_ascii=plain) + text[end:]).encode("utf-8", "surrogateescape")


def _text(text: str, name: str) -> tuple[int, int, str]:
    """Return where the text of a record begins and ends, and the text."""
    at = _next(text, 0)
    if text[at] == '"':
        value, end = json.JSONDecoder(strict=True).raw_decode(text, at)
        return at, end, value
    found = _value(text, at, name)
    if found is None and is_path(name):
        for part in parts_of(name):
            found = _value(text, at, part)
            if found is None:
                break
            at = found[0]
    assert found is not None, "a record without the field of its text"
    return found


def _value(text: str, at: int, name: str) -> tuple[int, int, Any] | None:
    """Return where the value of a field of the object at `at` begins and ends, and the value; None if it has none."""
    decode = json.JSONDecoder(strict=True).raw_decode
    found: tuple[int, int, Any] | None = None
    at = _next(text, at + 1)
    while text[at] != "}":
        key, at = decode(text, at)
        at = _next(text, _next(text, at) + 1)  # after the colon
        value, end = decode(text, at)
        if key == name:
            found = (at, end, value)
        at = _next(text, end)
        if text[at] == ",":
            at = _next(text, at + 1)
    return found


def _next(text: str, at: int) -> int:
    while text[at] in " \t\r\n\ufeff":
        at += 1
    return at


def with_fields(line: bytes, fields: Mapping[str, object], path: str, number: int) -> bytes:
    """Return an object of JSON with `fields` added at the end. Raise `ParameterError` if it has one of them already."""
    if any(f'"{name}"'.encode() in line for name in fields):
        refuse([name for name in json.loads(line.removeprefix(BYTE_ORDER_MARK)) if name in fields], f"{path}:{number}")
    end = line.rindex(b"}")
    added = json.dumps(fields, separators=(",", ":"))[1:].encode()
    comma = b"" if line[:end].rstrip().endswith(b"{") else b","
    return line[:end] + comma + added + line[end + 1 :]


def refuse(names: list[str], place: str) -> None:
    """Raise `ParameterError` if there are `names`: the columns at a place that would be added, and exist already."""
    if names:
        raise ParameterError(f"annotate: {place} has the column {names[0]!r} already; leave it out first")

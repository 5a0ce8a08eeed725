"""Plain files for the command line: text files and JSON lines, in UTF-8.

What cannot be read is named on stderr with its place and counted, and the rest goes on; nothing readable at all is an
error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dedup.errors import InputError

__all__ = ["Inputs", "read_files"]


@dataclass
class Inputs:
    """The texts that were read, their ids (file, or file:line), and how many inputs were rejected."""

    texts: list[str] = field(default_factory=list)
    ids: list[Any] = field(default_factory=list)
    rejected: int = 0

    def reject(self, place: str, reason: str) -> None:
        """Name one rejected input on stderr."""
        self.rejected += 1
        print(f"dedup: rejected {place}: {reason}", file=sys.stderr)


def read_files(
    names: Sequence[str], *, json_lines: bool, column: str, id_column: str | None, all_needed: bool = False
) -> Inputs:
    """Read each file; with `json_lines`, a ``.jsonl`` file is a document a line.

    Raises `InputError` where nothing could be read, or not all and `all_needed`; the reasons stand on stderr.
    """
    inputs = Inputs()
    for name in names:
        try:
            data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except OSError as error:
            inputs.reject(name, error.strerror or str(error))
            continue
        if json_lines and name.endswith((".jsonl", ".ndjson")):
            _read_lines(inputs, name, data, column, id_column)
            continue
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            inputs.reject(name, f"not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}")
            continue
        inputs.texts.append(text)
        inputs.ids.append(name)
    if not inputs.texts or (all_needed and inputs.rejected):
        raise InputError("expected readable texts, found none" if not inputs.texts else "expected to read both files")
    if not any(text.strip() for text in inputs.texts) and not all_needed:
        raise InputError(f"expected texts, found nothing but white space in {len(inputs.texts)}")
    _tell_apart(inputs)
    return inputs


def _read_lines(inputs: Inputs, name: str, data: bytes, column: str, id_column: str | None) -> None:
    columns: set[str] = set()
    before = len(inputs.texts)
    for number, line in _lines(data):
        place = f"{name}:{number}"
        try:
            record = _parse(line)
            columns.update(record)
            if column not in record:
                raise ValueError(f"no field {column!r}; found {', '.join(map(repr, record)) or 'none'}")
            text = record[column]
            if text is not None and not isinstance(text, str):
                raise ValueError(f"field {column!r}: expected a text, found {type(text).__name__}")
            key = place if id_column is None else record.get(id_column)
            if isinstance(key, bool) or not isinstance(key, (int, str)):
                raise ValueError(f"field {id_column!r}: expected an int or a text, found {type(key).__name__}")
        except ValueError as error:
            inputs.reject(place, str(error))
            continue
        inputs.texts.append(text or "")
        inputs.ids.append(key)
    if columns and column not in columns and len(inputs.texts) == before:
        raise InputError(f'column="{column}": no line of {name} has it; found {", ".join(map(repr, sorted(columns)))}')


def _parse(line: bytes) -> dict[str, Any]:
    import json

    try:
        record = json.loads(line)
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: byte 0x{line[error.start]:02x} at offset {error.start} of the line") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from None
    if not isinstance(record, dict):
        raise ValueError(f"expected a JSON object, found {type(record).__name__}")
    return record


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, numbered from 1."""
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if line.strip():
            yield number, line


def _tell_apart(inputs: Inputs) -> None:
    """Give a second naming of a file an id of its own; leave ids that the user chose to be checked with the rest."""
    seen: dict[Any, int] = {}
    for row, key in enumerate(inputs.ids):
        count = seen.get(key, 0)
        seen[key] = count + 1
        if count and isinstance(key, str) and Path(key).exists():
            inputs.ids[row] = f"{key} ({count + 1})"

"""Sealed files: JSON files that contain a checksum of themselves, and the checksums of other files.

So a file that was changed is an error, and never gives a different answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import xxhash

from dedup.errors import StorageError

__all__ = ["as_json", "read_sealed", "seal_of", "sum_of", "write_sealed"]


def as_json(value: Any) -> str:
    """Return a value as JSON. Equal values give equal bytes."""
    return json.dumps(value, ensure_ascii=True, indent=1) + "\n"


def seal_of(path: Path) -> dict[str, Any]:
    """Return the length of a file and its 128-bit xxh3."""
    digest, size = xxhash.xxh3_128(), 0
    with open(path, "rb") as file:
        for data in iter(partial(file.read, 1 << 20), b""):
            digest.update(data)
            size += len(data)
    return {"bytes": size, "xxh3_128": digest.hexdigest()}


def sum_of(body: Mapping[str, Any]) -> str:
    """Return the 128-bit xxh3 of a body in the form in which it is written."""
    return xxhash.xxh3_128(as_json(body).encode()).hexdigest()


def write_sealed(path: Path, body: Mapping[str, Any]) -> None:
    """Write a body together with its checksum."""
    path.write_text(as_json({**body, "xxh3_128": sum_of(body)}), encoding="utf-8", newline="\n")


def read_sealed(path: Path) -> dict[str, Any]:
    """Return the body that `write_sealed` wrote. Raise `StorageError` if any byte of the file was changed."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StorageError(
            f"{path}: expected a part of a report, found none: {error.strerror or error}; name the folder that "
            "`dedup find --output` (match, repeats) wrote, or make the report again"
        ) from error
    try:
        body = json.loads(data)
        seal = body.pop("xxh3_128")
    except (ValueError, KeyError, AttributeError, TypeError):
        body, seal = None, None
    unchanged = body is not None and as_json({**body, "xxh3_128": seal}).encode() == data
    if not unchanged or sum_of(body) != seal:
        raise StorageError(f"{path}: expected what dedup wrote there, found something else; make the report again")
    return body  # type: ignore[no-any-return]

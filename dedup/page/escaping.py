"""Data in a page: as JSON that no browser takes for anything else, plain or packed."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from typing import Any

__all__ = ["as_island", "hash_of", "packed", "packed_bytes", "readable"]

ESCAPES = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


def readable(text: str) -> str:
    """Return a text with surrogates, which no file can contain, as replacement characters; its length is the same.

    >>> readable("a\\ud800b")
    'a�b'
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in text)
    return text


def as_island(value: Any) -> str:
    """Return JSON that may stand in a script element.

    >>> as_island({"a": "</script>"})
    '{"a":"\\\\u003c/script\\\\u003e"}'
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).translate(ESCAPES)


def packed(value: Any) -> str:
    """Return JSON, compressed by gzip (always to the same bytes), in base64."""
    return packed_bytes(json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode())


def packed_bytes(data: bytes) -> str:
    """Return bytes, compressed by gzip (always to the same bytes), in base64."""
    return base64.b64encode(gzip.compress(data, 6, mtime=0)).decode("ascii")


def hash_of(text: str) -> str:
    """Return the hash by which a content security policy lets an element run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")

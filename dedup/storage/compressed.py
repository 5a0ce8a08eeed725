"""Compressed files. The same data always gives the same bytes: the files contain no time and no name."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

__all__ = ["GZIP_LEVEL", "open_sink"]

GZIP_LEVEL = 6
"""The default level of the program gzip."""


@contextmanager
def open_sink(path: Path, compression: str | None) -> Iterator[IO[bytes]]:
    """Yield a binary file to write to, compressed by "gzip", "zstd", "bz2" or "xz", or not compressed (None)."""
    if compression == "xz":
        with lzma.open(path, "wb") as sink:
            yield sink
        return
    with open(path, "wb") as file:
        if compression is None:
            yield file
        elif compression == "gzip":
            with gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0) as sink:
                yield cast("IO[bytes]", sink)
        else:
            import pyarrow as pa

            packed: Any = pa.CompressedOutputStream(file, compression)
            with packed:
                yield packed

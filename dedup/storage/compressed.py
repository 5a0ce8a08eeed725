"""Files that are written compressed, the same bytes for the same data: no time and no name stands in them."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

__all__ = ["open_sink"]

GZIP_LEVEL = 6
"""As the gzip program has it."""


@contextmanager
def open_sink(path: Path, compression: str | None) -> Iterator[IO[bytes]]:
    """Yield a binary file to write to, compressed by "gzip", "zstd", "bz2", "xz", or not at all (None)."""
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

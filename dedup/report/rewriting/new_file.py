"""A new file like one that was read: compressed as it is, and in its encoding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from dedup.sources.files.decompress import Stream
from dedup.sources.files.encodings import UTF8, Encoded
from dedup.sources.files.listing import Entry
from dedup.storage.compressed import open_sink

__all__ = ["open_like"]


@contextmanager
def open_like(entry: Entry, stream: Stream, path: Path) -> Iterator[IO[bytes]]:
    """Yield a file to which UTF-8 is written, as the stream of `entry` gives it: ``write`` is all that it has.

    In UTF-8, UTF-16, UTF-32 and encodings of one byte a character, bytes that are copied are those of the file.
    """
    with open_sink(path, entry.compression) as sink:
        yield sink if stream.encoding == UTF8 else cast("IO[bytes]", Encoded(sink, stream.encoding))

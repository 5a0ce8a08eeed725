"""Plain text: a file is a document; a byte order mark at its beginning is skipped."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dedup.sources.files.batch import Batch, Wanted, empty_batch, text_array
from dedup.sources.files.decompress import PIECE, Stream
from dedup.sources.files.encodings import bad_byte, hint
from dedup.sources.files.formats.sniffing import BYTE_ORDER_MARK
from dedup.sources.files.limits import too_large
from dedup.sources.files.listing import Entry
from dedup.sources.files.rejects import Reject

__all__ = ["OTHERWISE", "document_batch", "load_document", "read_document"]

HINT_BYTES = 1 << 16
"""Bytes around a bad one that are looked at to say what encoding they may have."""

OTHERWISE = "; give the encoding of the file with encoding= (--encoding), or write it anew in UTF-8"
"""What to do about a text that is not in its encoding, if nothing is known of another one."""


def read_document(entry: Entry, number: int, wanted: Wanted) -> Iterator[Batch]:
    """Yield the batch of a text file: its text, or the reason why there is none. The id is its path."""
    text, rejects = load_document(entry)
    yield document_batch(entry, number, wanted, text, rejects)


def document_batch(entry: Entry, number: int, wanted: Wanted, text: str | None, rejects: list[Reject]) -> Batch:
    """Return the batch of a file that is one text; None if it cannot be read."""
    import pyarrow as pa

    if text is None:
        return empty_batch(number, wanted, 1, rejects)
    one = np.ones(1, dtype=np.int64)
    ids = None if wanted.id is None else pa.array([entry.path], type=pa.large_string())
    extra = {name: pa.nulls(1) for name in wanted.extra}
    return Batch(number, 1, one, text_array([text]), ids, extra, None, rejects, [number + 1, 0, 1])


def load_document(entry: Entry, *, piece_bytes: int = PIECE) -> tuple[str | None, list[Reject]]:
    """Return the text of a file, and the reason if there is none, or if only a part of it can be read.

    `piece_bytes` are read at a time.
    """
    rejects: list[Reject] = []
    pieces: list[bytes] = []
    with Stream(entry) as stream:
        encoding = stream.encoding
        while piece := stream.read(piece_bytes):
            pieces.append(piece)
            if stream.at > entry.most:
                return None, [Reject(entry.path, None, 0, too_large("a text", stream.at, entry.most))]
        data = b"".join(pieces)
        if stream.broken is not None:
            rejects.append(Reject(entry.path, None, len(data), stream.broken))
    mark = len(BYTE_ORDER_MARK) if data.startswith(BYTE_ORDER_MARK) else 0
    try:
        return data[mark:].decode("utf-8"), rejects
    except UnicodeDecodeError as error:
        at = error.start + mark
        if rejects and error.reason == "unexpected end of data":  # the stream ended within a character
            return data[mark:at].decode("utf-8"), rejects
        advice = hint(data[:HINT_BYTES] if at < HINT_BYTES else data[at - HINT_BYTES : at + HINT_BYTES], encoding)
        reason = f"{bad_byte(data, at, encoding)} at offset {at}{advice or OTHERWISE}"
        return None, [*rejects, Reject(entry.path, None, at, reason)]

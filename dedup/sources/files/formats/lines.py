"""A text a line: each line of a file is a text, without its line break.

Lines end with ``\\n`` or ``\\r\\n``. A line of white space is not a text. A byte order mark at the beginning of a file
is skipped. The format is never detected, since a file of lines looks like plain text: ``format="lines"`` names it.

Cost: one look at each byte.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dedup.sources.files.batch import Batch, Token, Wanted, empty_batch, text_array
from dedup.sources.files.decompress import Run, Stream, line_runs
from dedup.sources.files.encodings import bad_byte, hint
from dedup.sources.files.formats.sniffing import BYTE_ORDER_MARK
from dedup.sources.files.limits import too_large
from dedup.sources.files.listing import Entry
from dedup.sources.files.rejects import Reject

__all__ = ["read_text_lines"]


def read_text_lines(entry: Entry, number: int, wanted: Wanted, after: Token) -> Iterator[Batch]:
    """Yield the batches of a file with a text a line, starting at the token `after`. There are no other columns."""
    if others := wanted.names[1:]:
        raise wanted.missing(others[0], f"{entry.path}, which has a text a line", [])
    _, offset, line = after
    with Stream(entry, offset) as stream:
        for run in line_runs(stream, wanted.limits.size):
            if run.skipped:
                reason = too_large("a line", run.skipped, entry.most, so_far=False)
                offset = run.offset + run.skipped
                rejects = [Reject(entry.path, line, run.offset, reason)]
                yield empty_batch(number, wanted, line, rejects, [number, offset, line + 1])
                line += 1
                continue
            batch = _batch(entry, number, run, line, stream.encoding)
            _, offset, line = batch.more
            yield batch
        if stream.broken is not None:
            yield empty_batch(number, wanted, line, [Reject(entry.path, line, offset, stream.broken)])


def _batch(entry: Entry, number: int, run: Run, first: int, encoding: str) -> Batch:
    """Return the texts of complete lines, of which the first has the number `first`."""
    data, at = bytes(run.data), run.offset
    texts: list[str] = []
    numbers: list[int] = []
    offsets: list[int] = []
    rejects: list[Reject] = []
    lines = data.split(b"\n")
    if data.endswith(b"\n"):
        lines.pop()
    for line, whole in enumerate(lines, start=first):
        start, at = at, at + len(whole) + 1
        content = whole.removeprefix(BYTE_ORDER_MARK) if start == 0 else whole
        content = content.removesuffix(b"\r")
        if not content.strip():
            continue
        try:
            texts.append(content.decode("utf-8"))
        except UnicodeDecodeError as error:
            problem = bad_byte(content, error.start, encoding)
            reason = f"{problem} at offset {error.start} of the line{hint(content, encoding)}"
            rejects.append(Reject(entry.path, line, start, reason))
            continue
        numbers.append(line)
        offsets.append(start)
    more = [number, run.offset + len(run.data), first + len(lines)]
    found = np.array(numbers, dtype=np.int64), np.array(offsets, dtype=np.int64)
    return Batch(number, first, found[0], text_array(texts), None, {}, found[1], rejects, more)

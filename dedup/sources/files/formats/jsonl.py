"""JSON lines: one record per line (`dedup.sources.files.formats.json_records`).

Lines end with ``\\n``; a line of white space is not a record. A byte order mark at the beginning of a file is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from dedup.sources.files.batch import Batch, Token, Wanted, empty_batch
from dedup.sources.files.decompress import Run, Stream, line_runs
from dedup.sources.files.formats.json_records import Columns, Records
from dedup.sources.files.formats.sniffing import BYTE_ORDER_MARK
from dedup.sources.files.limits import too_large
from dedup.sources.files.listing import Entry
from dedup.sources.files.rejects import Reject

__all__ = ["read_lines"]

NEWLINE, OPENING, CLOSING, RETURN = 10, ord("{"), ord("}"), 13


def read_lines(entry: Entry, number: int, wanted: Wanted, after: Token) -> Iterator[Batch]:
    """Yield the batches of a ``.jsonl`` file, starting at the token `after`."""
    _, offset, line = after
    with Stream(entry, offset) as stream:
        records = Records(entry, number, wanted, "line", stream.encoding)
        for run in line_runs(stream, wanted.limits.size):
            if run.skipped:
                reason = too_large("a line", run.skipped, entry.most, so_far=False)
                offset = run.offset + run.skipped
                more = [number, offset, line + 1]
                yield empty_batch(number, wanted, line, [Reject(entry.path, line, run.offset, reason)], more)
                line += 1
                continue
            batch, line = _batch(records, run, line)
            offset = batch.more[1]
            yield batch
        if stream.broken is not None:
            yield empty_batch(number, wanted, line, [Reject(entry.path, line, offset, stream.broken)])


def _batch(records: Records, run: Run, first: int) -> tuple[Batch, int]:
    """Return the batch of a run whose first line has the number `first`, and the number of the line after it."""
    data, offset = run.data, run.offset
    if offset == 0 and data[: len(BYTE_ORDER_MARK)] == BYTE_ORDER_MARK:
        data, offset = data[len(BYTE_ORDER_MARK) :], len(BYTE_ORDER_MARK)
    values = np.frombuffer(data, dtype=np.uint8)
    breaks = np.flatnonzero(values == NEWLINE)
    starts = np.concatenate((np.zeros(1, np.int64), breaks + 1))
    starts = starts[:-1] if starts[-1] == len(data) else starts
    kept = np.arange(len(starts), dtype=np.int64)
    rejects: list[Reject] = []
    found = records.of_lines(data, len(starts)) if _are_objects(data, values, starts, breaks) else None
    if found is None:
        found, kept, rejects = _one_by_one(records, data, starts, offset, first)
    if first == 1:
        records.look_for_columns(found, lambda: bytes(data).partition(b"\n")[0])
    after = first + len(starts)
    more = [records.number, run.offset + len(run.data), after]
    return records.batch(found, first, first + kept, offset + starts[kept], rejects, more), after


def _are_objects(
    data: memoryview, values: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], breaks: npt.NDArray[np.int64]
) -> bool:
    """Return whether each line begins with "{" and ends with "}".

    If there are then as many objects as lines, each line is one object: an object that continued in the next line would
    continue there with a comma or a bracket.
    """
    if not len(starts) or not bool((values[starts] == OPENING).all()):
        return False
    ends = breaks if len(breaks) == len(starts) else np.concatenate((breaks, [len(data)]))
    last = values[ends - 1]
    last = np.where(last == RETURN, values[np.maximum(ends - 2, 0)], last)
    return bool((last == CLOSING).all())


def _one_by_one(
    records: Records, data: memoryview, starts: npt.NDArray[np.int64], offset: int, first: int
) -> tuple[Columns, npt.NDArray[np.int64], list[Reject]]:
    """Return what the readable lines contain, their indices, and the rejects."""
    ends = [*starts[1:].tolist(), len(data)] if len(starts) else []
    lines = [bytes(data[start:end]).strip(b" \t\r\n") for start, end in zip(starts.tolist(), ends, strict=True)]
    filled = np.array([i for i, line in enumerate(lines) if line], dtype=np.int64)
    numbers, offsets = (first + filled).tolist(), (offset + starts[filled]).tolist()
    columns, kept, rejects = records.one_by_one([lines[i] for i in filled.tolist()], numbers, offsets)
    return columns, filled[kept], rejects

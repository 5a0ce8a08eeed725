"""JSON that is not in lines: an array of records, or records one after another, over as many lines as they like.

`dedup.sources.files.formats.json_records` says what a record is. In an array, a string or null is a text too, if no
column was named. The number of a record is its place in the file, from 1. A value that is no record is rejected, and so
is what follows the array, and an array that is not closed: the values before are used.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dedup.sources.files.batch import Batch, Token, Wanted, empty_batch
from dedup.sources.files.decompress import Stream
from dedup.sources.files.formats.json_records import Records
from dedup.sources.files.formats.json_values import BLANKS, ValueRun, Values, opening_of
from dedup.sources.files.limits import too_large
from dedup.sources.files.listing import Entry
from dedup.sources.files.rejects import Reject

__all__ = ["read_json"]


def read_json(entry: Entry, number: int, wanted: Wanted, after: Token) -> Iterator[Batch]:
    """Yield the batches of a ``.json`` file, starting at the token `after`."""
    with Stream(entry) as stream:
        opening = opening_of(stream)
        broken, encoding = stream.broken, stream.encoding
    if not opening.known:
        if opening.mark or broken is not None:
            found = ascii(opening.mark.decode("latin-1"))
            reason = broken or f"expected a JSON array or JSON objects, found {found} at offset {opening.before}"
            yield empty_batch(number, wanted, 1, [Reject(entry.path, None, 0, reason)])
        return
    records = Records(entry, number, wanted, "record", encoding, alone=opening.array)
    _, offset, record = after
    begun = offset > 0
    offset = offset or opening.values
    with Stream(entry, offset - begun) as stream:
        closed = begun and stream.read(1) == b"]" and opening.array
        values = Values(stream, array=opening.array, closed=closed)
        for run in values.runs(wanted.limits.size):
            offset = run.offset + (run.skipped or len(run.data))
            if run.skipped:
                reason = too_large("a record", run.skipped, entry.most, so_far=False)
                rejects = [Reject(entry.path, record, run.offset, reason)]
                yield empty_batch(number, wanted, record, rejects, [number, offset, record + 1])
                record += 1
                continue
            batch = _batch(records, run, record, array=opening.array)
            record = batch.more[2]
            yield batch
        if reason := _unended(values, stream):
            yield empty_batch(number, wanted, record, [Reject(entry.path, record, offset, reason)])


def _batch(records: Records, run: ValueRun, first: int, *, array: bool) -> Batch:
    """Return the batch of a run whose first record has the number `first`."""
    contents, starts = run.contents(array=array)
    if array and run.data.endswith(b"]") and first == len(contents) == 1 and not contents[0]:  # it has no elements
        contents, starts = [], starts[:0]
    count = len(contents)
    kept = np.arange(count, dtype=np.int64)
    rejects: list[Reject] = []
    numbers, offsets = first + kept, run.offset + starts
    found = records.of_list(b"[" + b",".join(contents) + b"]", count)
    if found is None:
        found, kept, rejects = records.one_by_one(contents, numbers.tolist(), offsets.tolist())
    if first == 1:
        records.look_for_columns(found, lambda: contents[0])
    more = [records.number, run.offset + len(run.data), first + count]
    return records.batch(found, first, numbers[kept], offsets[kept], rejects, more)


def _unended(values: Values, stream: Stream) -> str:
    """Return what is wrong with the end of a file, after all complete values were read; "" if nothing is."""
    if stream.broken is not None:
        return stream.broken
    left = values.rest.strip(BLANKS)
    while values.closed and not left and (piece := stream.read(1 << 16)):
        left = piece.strip(BLANKS)
    if values.closed:
        return "expected the end of the file after the array, found more; only the array was read" if left else ""
    if values.array:
        return "expected a comma or ] after a value, found the end of the file; the values before were used"
    return "expected a whole JSON object, found the end of the file; the objects before were used" if left else ""

"""Write JSON without some of its records: an array without some elements, or objects without some of them.

Kept elements keep their bytes, with the white space around them; commas are between those that are left. What is before
the first element and after the last one is copied. An array that was not closed is closed.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from dedup.errors import ParameterError
from dedup.report.decisions import NOTES, Counts, Verdict
from dedup.report.rewriting.json_edits import with_fields, with_value
from dedup.report.rewriting.new_file import open_like
from dedup.report.rewriting.records import no_fields
from dedup.sources.files.batch import BATCH_BYTES
from dedup.sources.files.decompress import PIECE, Stream
from dedup.sources.files.formats.json_values import BLANKS, ValueRun, Values, opening_of
from dedup.sources.files.listing import Entry

__all__ = ["rewrite_json"]


def rewrite_json(entry: Entry, path: Path, verdict: Verdict) -> Counts:
    """Write the kept records of a file of JSON to `path`, and return how many."""
    counts, number = Counts(0, 0), 1
    with Stream(entry) as stream:
        opening = opening_of(stream)
    with Stream(entry) as stream, open_like(entry, stream, path) as sink:
        sink.write(stream.read(opening.values))
        if not opening.known:
            return counts
        values = Values(stream, array=opening.array)
        writer = _Writer(sink, verdict, array=opening.array)
        for run in values.runs(BATCH_BYTES):
            if run.skipped:  # this record was rejected
                number += 1
                continue
            numbers = np.arange(number, number + len(run.ends), dtype=np.int64)
            number += len(run.ends)
            if opening.array and len(numbers) == 1 == numbers[0] and not run.data[:-1].strip(BLANKS):
                numbers = numbers[:0]  # an array without elements
            counts = counts.plus(verdict.count(numbers))
            writer.write(run, numbers)
        sink.write(writer.last_blanks)
        if opening.array:
            sink.write(b"]")
        rest = values.rest or stream.read(PIECE)
        while rest and not rest.strip(BLANKS):
            sink.write(rest)
            rest = stream.read(PIECE)
    return counts


class _Writer:
    """Writes the kept values of runs, neighbours that do not change in one piece.

    Attributes
    ----------
    last_blanks : white space after the last value, if that value is not written
    """

    def __init__(self, sink: IO[bytes], verdict: Verdict, *, array: bool) -> None:
        self._sink, self._verdict, self._array = sink, verdict, array
        self._begun = self._dropped = False
        self.last_blanks = b""

    def write(self, run: ValueRun, numbers: npt.NDArray[np.int64]) -> None:
        """Write the values of a run that are kept; `numbers` are those of its records."""
        data, ends = run.data, run.ends.tolist()
        starts = [0, *ends[:-1]]
        dropped, edited = self._verdict.drops(numbers), self._verdict.edited(numbers)
        first = 0
        for i in [*np.flatnonzero(dropped | edited).tolist(), len(numbers)]:
            if i > first:
                self._piece(data[starts[first] : self._end(ends[i - 1])])
            if i < len(numbers):
                part = data[starts[i] : self._end(ends[i])]
                if dropped[i]:
                    self._dropped = True
                else:
                    self._piece(self._edit(part, int(numbers[i])))
            first = i + 1
        last = data[starts[-1] : self._end(ends[-1])]
        gone = not len(numbers) or bool(dropped[-1])
        self.last_blanks = last[len(last.rstrip(BLANKS)) :] if gone and self._array else b""

    def _end(self, end: int) -> int:
        """Return where a value ends, without its comma or bracket in an array."""
        return end - self._array

    def _piece(self, data: bytes) -> None:
        """Write one value, or several neighbours."""
        if self._array:
            self._sink.write(b"," if self._begun else b"")
        elif self._dropped and not self._begun:
            data = data.lstrip(BLANKS)
        self._sink.write(data)
        self._begun = True

    def _edit(self, part: bytes, number: int) -> bytes:
        verdict, blanks = self._verdict, len(part) - len(part.lstrip(BLANKS))
        value, before, after = part.strip(BLANKS), part[:blanks], part[len(part.rstrip(BLANKS)) :]
        if verdict.notes is None:
            new = value
            for name, change in verdict.edits(number):
                new = with_value(new, name, change)
        elif value.startswith(b'"'):
            raise ParameterError(no_fields(f"the texts without fields of {verdict.path}"))
        else:
            new = with_fields(value, dict(zip(NOTES, verdict.note(number), strict=True)), verdict.path, number)
        return before + new + after

"""Removal: the removed paragraphs or lines are cut out of the texts of a table, whose other columns are unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.distributed.job import Job
from dedup.distributed.transport.keys import Keys, document_keys, places_of
from dedup.results.data.cutting import cut_units
from dedup.sources.arrow import block_of
from dedup.text.paragraphs import split_units

__all__ = ["Remove", "UnitsOf"]


def spans_of(text: str, job: Job) -> npt.NDArray[np.int64]:
    """Return the start and end of each unit of a text, in characters (n, 2)."""
    block = block_of(0, pa.array([text], type=pa.large_string()))
    spans: npt.NDArray[np.int64] = split_units(block.values, block.starts, block.ends, job.unit)[0][:, 2:4]
    return spans


@dataclass(frozen=True)
class Remove:
    """Rows of a table in, the same rows without the removed units out.

    `keys` (ascending) are those of the documents that lose a unit, ``numbers[bounds[i]:bounds[i + 1]]`` the units that
    document i loses. `id` and `column` are the columns of ids and texts.
    """

    job: Job
    keys: Keys
    bounds: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.int64]
    id: str
    column: str

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Return some rows of the table."""
        job = self.job.here()
        for batch in batches:
            at = batch.schema.get_field_index(self.column)
            texts = batch.column(at).to_pylist()
            places = places_of(document_keys(batch.column(self.id), job.shingle.key, job.seed), self.keys)
            for row in np.flatnonzero(places >= 0).tolist():
                spans = spans_of(texts[row], job)
                kept = np.ones(len(spans), dtype=np.bool_)
                kept[self.numbers[self.bounds[places[row]] : self.bounds[places[row] + 1]]] = False
                texts[row] = cut_units(texts[row], spans, kept, str(job.unit))
            field = batch.schema.field(at)
            yield batch.set_column(at, field, pa.array(texts, type=field.type))


@dataclass(frozen=True)
class UnitsOf:
    """Rows of ids and texts in, a row for each of their units out: the id, and the number of the unit."""

    job: Job
    id: str
    column: str
    schema: pa.Schema

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Return the units of some rows."""
        for batch in batches:
            block = block_of(0, batch.column(self.column).cast(pa.large_string()))
            counts = np.diff(split_units(block.values, block.starts, block.ends, self.job.unit)[1])
            ends = np.cumsum(counts)
            numbers = np.arange(int(ends[-1]) if len(ends) else 0, dtype=np.int64) - np.repeat(ends - counts, counts)
            rows = pa.array(np.repeat(np.arange(len(batch), dtype=np.int64), counts))
            ids = batch.column(self.id).take(rows).cast(self.schema.field(0).type)
            yield pa.RecordBatch.from_arrays([ids, pa.array(numbers)], schema=self.schema)

"""Removal: the removed paragraphs or lines are cut out of the texts of a table, whose other columns are unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.distributed.job import Job
from dedup.distributed.transport.keys import Keys, document_keys, places_of
from dedup.errors import InputError
from dedup.hashing.forms import CHARACTERS, hash_forms
from dedup.options import shown
from dedup.results.data.cutting import cut_units
from dedup.sources.arrow import block_of
from dedup.text.paragraphs import split_units

__all__ = ["Remove", "UnitsOf"]


@dataclass(frozen=True)
class Remove:
    """Rows of a table in, the same rows without the removed units out.

    `keys` (ascending) are those of the documents that lose a unit, ``numbers[bounds[i]:bounds[i + 1]]`` the units that
    document i loses, and `characters` their forms of that name (`dedup.hashing.forms`). Another text with the id is an
    `InputError`. `id` and `column` are the columns of ids and texts.
    """

    job: Job
    keys: Keys
    bounds: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.int64]
    characters: npt.NDArray[np.uint64]
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
                texts[row] = self._cut(texts[row], int(places[row]), job, batch.column(self.id)[row])
            field = batch.schema.field(at)
            yield batch.set_column(at, field, pa.array(texts, type=field.type))

    def _cut(self, text: str | None, place: int, job: Job, id: pa.Scalar) -> str:
        """Return the text of the document at a place among `keys`, without its removed units."""
        block = block_of(0, pa.array([text or ""], type=pa.large_string()))
        units = split_units(block.values, block.starts, block.ends, job.unit)[0]
        own = slice(self.bounds[place], self.bounds[place + 1])
        removed = self.numbers[own]
        there = removed[removed < len(units)]
        found = block._replace(starts=units[there, 0], ends=units[there, 1])
        forms = hash_forms(found, found, job.shingle.reading, (CHARACTERS,))[CHARACTERS]
        if len(there) < len(removed) or (forms != self.characters[own]).any():
            raise InputError(
                f"filter: expected for the id {shown(id.as_py())} the text that was searched, found another one; pass "
                "what was searched, or search again"
            )
        kept = np.ones(len(units), dtype=np.bool_)
        kept[removed] = False
        return cut_units(text or "", units[:, 2:4], kept, str(job.unit))


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

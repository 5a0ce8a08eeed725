"""Linked units: those that are in a pair or have an exact copy, and what is told of them.

They are few. All others are kept, and nothing is told of them but how many they are. What is told of units that may be
linked is held beside their sets (`dedup.distributed.candidates.sets`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedup.distributed.job import GIVEN, ID, TEXT, Hashed, Job, piece_keys, pieces
from dedup.distributed.transport.keys import Keys, block_key, document_keys, places_of
from dedup.distributed.transport.rows import Row, rows_of
from dedup.hashing.forms import FORMS
from dedup.hashing.labels import LABEL

__all__ = ["LINKED", "Describe", "Fetch", "Given", "Telling"]

PLACE_MASK = ("number", "start", "end")

LINKED = "linked"
"""The kind of rows with what is told of units."""


@dataclass(frozen=True)
class Telling:
    """What is told of a unit, if it is linked: its id, place, length, set size, digests and forms.

    `kind` is the type of ids, `more` are further columns of the input that are handed on.
    """

    job: Job
    kind: pa.DataType
    more: pa.Schema

    @property
    def schema(self) -> pa.Schema:
        """The columns: id, key, number, start, end, length, size, low, high, a column a form, and those of `more`."""
        forms = (*FORMS, LABEL) if self.job.across else FORMS
        numbers = [(name, pa.int64()) for name in ("key", *PLACE_MASK, "length", "size", "low", "high", *forms)]
        more = [(field.name, sent_type(field.type)) for field in self.more]
        return pa.schema([(ID, self.kind), *numbers, *more])

    def row(self, hashed: Hashed, sizes: npt.NDArray[np.int64]) -> Row:
        """Return what is told of some units, as a row; `sizes` are those of their sets."""
        batch = self.batch(hashed, sizes)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        return Row(0, LINKED, block_key(hashed.keys), {"table": np.frombuffer(sink.getvalue(), dtype=np.uint8)})

    def batch(self, hashed: Hashed, sizes: npt.NDArray[np.int64]) -> pa.RecordBatch:
        """Return what is told of some units; `sizes` are those of their sets."""
        documents = hashed.places[:, 0]
        rows = pa.array(documents)
        numbers: dict[str, npt.NDArray[Any]] = {
            "key": hashed.keys,
            "low": hashed.digests[:, 0],
            "high": hashed.digests[:, 1],
            **hashed.forms,
        }
        if self.job.unit.whole:
            lengths = pc.utf8_length(hashed.batch.column(TEXT)).to_numpy(zero_copy_only=False)[documents]
            numbers |= dict.fromkeys(PLACE_MASK, np.zeros(len(documents), dtype=np.int64))
        else:
            numbers |= {name: hashed.places[:, place] for place, name in enumerate(PLACE_MASK, start=1)}
            lengths = numbers["end"] - numbers["start"]
        numbers |= {"length": lengths, "size": sizes}
        made = {name: pa.array(values.astype(values.dtype).view(np.int64)) for name, values in numbers.items()}
        made[ID] = hashed.batch.column(ID).take(rows).cast(self.kind)
        for field in self.more:
            made[field.name] = sent(hashed.batch.column(field.name).take(rows), field.type)
        return pa.RecordBatch.from_arrays([made[name] for name in self.schema.names], schema=self.schema)


@dataclass(frozen=True)
class Describe:
    """What is held in, what is told of some units out: a row for each of `keys` (which ascend)."""

    telling: Telling
    keys: Keys

    @property
    def schema(self) -> pa.Schema:
        """The schema of what is told."""
        return self.telling.schema

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Return the linked units among those of some rows."""
        for row in rows_of(batches, LINKED):
            with pa.ipc.open_stream(pa.py_buffer(row["table"])) as stream:
                for batch in stream:
                    keys = batch.column("key").to_numpy().view(np.uint64)
                    linked = np.flatnonzero(places_of(keys, self.keys) >= 0)
                    if len(linked):
                        yield batch.take(pa.array(linked))


@dataclass(frozen=True)
class Fetch:
    """Texts in, the ids and texts of some documents out, by their keys (which ascend); texts are bytes."""

    job: Job
    keys: Keys
    kind: pa.DataType

    @property
    def schema(self) -> pa.Schema:
        """The columns: id and text."""
        return pa.schema([(ID, self.kind), (TEXT, pa.binary())])

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Return some documents of a part of the input."""
        job = self.job.here()
        for piece in pieces(batches):
            rows = pa.array(np.flatnonzero(places_of(piece_keys(piece, job), self.keys) >= 0))
            if len(rows):
                some = piece.take(rows)
                columns = [some.column(ID).cast(self.kind), some.column(TEXT).cast(pa.binary())]
                yield pa.RecordBatch.from_arrays(columns, schema=self.schema)


@dataclass(frozen=True)
class Given:
    """Texts in, the ids of some documents out, and those that the user gave them, by the keys of these."""

    job: Job
    keys: Keys
    kind: pa.DataType
    given: pa.DataType

    @property
    def schema(self) -> pa.Schema:
        """The columns: id, and the id that was given."""
        return pa.schema([(ID, self.kind), (GIVEN, sent_type(self.given))])

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Return some documents of a part of the input."""
        job = self.job.here()
        for batch in batches:
            keys = document_keys(batch.column(GIVEN), job.shingle.key, job.seed)
            rows = pa.array(np.flatnonzero(places_of(keys, self.keys) >= 0))
            given = sent(batch.column(GIVEN).take(rows), self.given)
            columns = [batch.column(ID).take(rows).cast(self.kind), given]
            yield pa.RecordBatch.from_arrays(columns, schema=self.schema)


def sent_type(kind: pa.DataType) -> pa.DataType:
    """Return the type in which the values of a column are sent: one that every engine knows, with the same order."""
    import pyarrow.types as kinds

    if kinds.is_dictionary(kind):
        return pa.int64() if kind.ordered else sent_type(kind.value_type)
    if kinds.is_null(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind):
        return pa.string()
    if kinds.is_uint64(kind):
        return pa.decimal128(20, 0)
    if kinds.is_integer(kind) or kinds.is_temporal(kind) or kinds.is_boolean(kind):
        return pa.int64()
    return pa.float64() if kinds.is_floating(kind) else kind


def sent(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return the values of a column, which are meant to be of a type, as they are sent."""
    import pyarrow.types as kinds

    if kinds.is_dictionary(kind) and kind.ordered:
        return column.indices.cast(pa.int64())
    if kinds.is_dictionary(column.type):
        column = column.dictionary.take(column.indices)
    plain = kind.value_type if kinds.is_dictionary(kind) else kind
    column = column.cast(plain)
    if kinds.is_date32(plain) or kinds.is_time32(plain):
        column = column.cast(pa.int32())
    return column.cast(sent_type(plain))

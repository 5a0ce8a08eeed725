"""Rows: what stages hand to each other, a few named arrays in one cell of an Arrow batch.

An engine moves rows and does not look into them. `part` says where a row goes: a shuffle brings all rows of one part to
one call of the next stage, one after the other, in any order. `block` says which texts a row is about.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.errors import InputError

__all__ = ["ROW_SCHEMA", "Row", "RowStage", "batches_of", "by_part", "narrow", "rows_of"]

ROW_SCHEMA = pa.schema([("part", pa.int32()), ("kind", pa.string()), ("block", pa.int64()), ("body", pa.binary())])
"""The schema of the batches between two stages."""

MOST_SENT = (1 << 31) - 1
"""Bytes of a batch, at most: those that an offset of Arrow's binary type counts."""

SENT_BYTES = 1 << 25
"""Bytes. A batch is handed on as soon as its rows have so many."""

ROW_ALIGNED = 8
"""Bytes. Arrays in a cell begin at multiples of it."""

Array = npt.NDArray[Any]


@dataclass
class Row:
    """Some named arrays about the texts of one block, for one part of the next stage."""

    part: int
    kind: str
    block: int = 0
    arrays: dict[str, Array] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Array:
        return self.arrays[name]

    def with_part(self, part: int) -> Row:
        """Return the row for another part."""
        return Row(part, self.kind, self.block, self.arrays)


class RowStage(ABC):
    """A stage that returns rows."""

    schema = ROW_SCHEMA

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Return the rows as batches."""
        return batches_of(self._rows(batches))

    @abstractmethod
    def _rows(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Row]:
        """Yield the rows that the stage makes of its batches."""


def narrow(values: Array) -> Array:
    """Return unsigned integers in the smallest type that holds them all."""
    largest = int(values.max()) if len(values) else 0
    return values.astype(np.min_scalar_type(largest), copy=False)


def _packed(arrays: dict[str, Array]) -> tuple[list[Any], int]:
    """Return arrays as parts of a cell: their names, types and lengths, then their values; and their bytes."""
    head = ";".join(f"{name}:{each.dtype.str}:{len(each)}" for name, each in arrays.items()).encode()
    head += b" " * (-(len(head) + 4) % ROW_ALIGNED)
    parts: list[Any] = [len(head).to_bytes(4, "little"), head]
    size = 4 + len(head)
    for each in arrays.values():
        data = np.ascontiguousarray(each)
        parts += [data.data if len(data) else b"", bytes(-data.nbytes % ROW_ALIGNED)]
        size += data.nbytes + -data.nbytes % ROW_ALIGNED
    return parts, size


def _unpacked(cell: pa.Buffer) -> dict[str, Array]:
    """Return the arrays of a cell, as views of it."""
    size = int.from_bytes(cell[:4], "little")
    at, arrays = 4 + size, {}
    for each in cell[4:at].to_pybytes().decode().split(";"):
        name, kind, count = each.strip().split(":")
        dtype = np.dtype(kind)
        arrays[name] = np.frombuffer(cell, dtype=dtype, count=int(count), offset=at)
        data = dtype.itemsize * int(count)
        at += data + -data % ROW_ALIGNED
    return arrays


def rows_of(batches: Iterable[pa.RecordBatch], only: str | None = None) -> Iterator[Row]:
    """Yield the rows of batches, all or those of one kind. Their arrays are views, which cannot be written to."""
    for batch in batches:
        parts, kinds, blocks, bodies = batch.columns
        for part, kind, block, body in zip(parts, kinds.to_pylist(), blocks, bodies, strict=True):
            if only in (None, kind):
                yield Row(part.as_py(), kind, block.as_py(), _unpacked(body.as_buffer()))


def batches_of(rows: Iterable[Row]) -> Iterator[pa.RecordBatch]:
    """Yield rows as batches of about `SENT_BYTES`."""
    held: list[tuple[Row, list[Any], int]] = []
    size = 0
    for row in rows:
        held.append((row, *_packed(row.arrays)))
        size += held[-1][2]
        if size >= SENT_BYTES:
            yield _batch(held)
            held, size = [], 0
    if held:
        yield _batch(held)


def _batch(rows: list[tuple[Row, list[Any], int]]) -> pa.RecordBatch:
    """Return rows as a batch; their bodies are copied once. Raise `InputError` if they are too large for one."""
    total = sum(size for _, _, size in rows)
    if total > MOST_SENT:
        largest = max(rows, key=itemgetter(2))
        raise InputError(
            f"expected rows of at most {MOST_SENT:,} bytes for a task, found {total:,} ({largest[0].kind!r}); "
            "cut very long texts, or give more partitions"
        )
    names = zip(*((row.part, row.kind, row.block) for row, _, _ in rows), strict=True)
    arrays = [pa.array(column, type=field.type) for column, field in zip(names, ROW_SCHEMA, strict=False)]
    offsets = np.concatenate((np.zeros(1, dtype=np.int32), np.cumsum([size for _, _, size in rows], dtype=np.int32)))
    bodies = b"".join(part for _, parts, _ in rows for part in parts)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(bodies)]
    arrays.append(pa.Array.from_buffers(pa.binary(), len(rows), buffers))
    return pa.RecordBatch.from_arrays(arrays, schema=ROW_SCHEMA)


def by_part(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, dict[str, list[Row]]]]:
    """Yield each part with its rows by kind, in the order of their blocks.

    The rows of a part come one after the other, in any order. Memory: those of a part.
    """
    for part, rows in groupby(rows_of(batches), key=lambda row: row.part):
        kinds: dict[str, list[Row]] = {}
        for row in rows:
            kinds.setdefault(row.kind, []).append(row)
        for each in kinds.values():
            each.sort(key=lambda row: row.block)
        yield part, kinds

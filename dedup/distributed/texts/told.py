"""Told: what reading files tells beside texts, as JSON in the metadata of a batch, summed for a task.

A batch of a file says how many texts it has, which records could not be read, and the types of its other columns.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from dedup.distributed.job import GIVEN, ID, TEXT
from dedup.distributed.transport.rows import Row
from dedup.sources.files.rejects import Reject

__all__ = ["About", "Told", "about", "heard"]

ABOUT = b"dedup"
"""The key of the metadata."""


class About(NamedTuple):
    """What is told of some texts of a file that come one after the other.

    Attributes
    ----------
    file, number : the file, and its first record
    texts, units : how many there are
    rejects : the records that could not be read
    columns : the schema of the other columns
    first : the first of the ids that the user gave, if there are any
    """

    file: int
    number: int
    texts: int
    units: int
    rejects: list[Reject]
    columns: pa.Schema
    first: Any = None


def about(batch: pa.RecordBatch, file: int, number: int, rejects: list[Reject]) -> pa.RecordBatch:
    """Return a batch of texts that tells about itself."""
    return batch.replace_schema_metadata({ABOUT: json.dumps([file, number, rejects]).encode()})


class Told:
    """What the batches of a task told."""

    def __init__(self) -> None:
        self._held: list[About] = []

    def add(self, batch: pa.RecordBatch, units: int) -> None:
        """Take what a batch tells, if it does; it has so many units."""
        found = (batch.schema.metadata or {}).get(ABOUT)
        if found is None:
            return
        file, number, rejects = json.loads(found)
        others = [field for field in batch.schema if field.name not in (ID, TEXT)] if len(batch) else []
        first = batch.column(GIVEN)[0].as_py() if len(batch) and GIVEN in batch.schema.names else None
        new = About(file, number, len(batch), units, rejects, pa.schema(others), first)
        last = self._held[-1] if self._held else None
        if last is None or last.file != file or (last.texts and len(batch) and last.columns != new.columns):
            self._held.append(new)
            return
        known = last if last.texts else new
        self._held[-1] = last._replace(
            texts=last.texts + new.texts,
            units=last.units + new.units,
            rejects=[*last.rejects, *rejects],
            columns=known.columns,
            first=known.first,
        )

    def rows(self) -> Iterator[Row]:
        """Yield it as rows of kind "told"."""
        for each in self._held:
            columns = base64.b64encode(each.columns.serialize().to_pybytes()).decode()
            data = json.dumps(each._replace(columns=columns)).encode()
            yield Row(0, "told", 0, {"json": np.frombuffer(data, dtype=np.uint8)})


def heard(rows: Iterable[Row]) -> list[About]:
    """Return what was told, in the order of the files."""
    found = []
    for row in rows:
        each = About(*json.loads(row["json"].tobytes()))
        columns = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(each.columns)))
        found.append(each._replace(columns=columns, rejects=[Reject(*reject) for reject in each.rejects]))
    return sorted(found, key=lambda each: (each.file, each.number))

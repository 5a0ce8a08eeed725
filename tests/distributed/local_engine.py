"""An engine in one process: batches in lists, cut and shuffled by a seed, so that no stage can rely on any order."""

from __future__ import annotations

import pickle
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.distributed.job import ID, TEXT, Engine
from dedup.distributed.order import search
from dedup.distributed.outcome import evidence_of_found
from dedup.distributed.texts.documents import LinkedTexts
from dedup.distributed.texts.linked import Fetch
from dedup.distributed.transport.rows import ROW_SCHEMA
from dedup.pipelines.query import Query
from dedup.results.duplicates import Duplicates
from dedup.results.listed_pairs import LISTING_LIMITS
from dedup.spark.inputs import info_of, job_of

Data = list[list[pa.RecordBatch]]


class LocalEngine(Engine):
    """Runs stages over lists of batches. Each evaluation reads the input in another order and cuts it elsewhere."""

    def __init__(self, seed: int = 0, partitions: int = 3, most: int = 5) -> None:
        self.random, self.partitions, self.most = random.Random(seed), partitions, most
        self.moved: Counter[str] = Counter()
        self.last, self.reads = "", 0

    def read(self, table: pa.Table) -> Data:
        """Return a table as partitions of small batches, in any order of rows."""
        rows = list(range(len(table)))
        self.random.shuffle(rows)
        table = table.take(pa.array(rows, type=pa.int64()))
        return self._cut(table.to_batches())

    def _cut(self, batches: list[pa.RecordBatch]) -> Data:
        pieces = []
        for batch in batches:
            at = 0
            while at < len(batch):
                size = self.random.randint(1, self.most)
                pieces.append(batch.slice(at, size))
                at += size
        self.random.shuffle(pieces)
        cut: Data = [[] for _ in range(self.partitions)]
        for piece in pieces:
            cut[self.random.randrange(self.partitions)].append(piece)
        return cut

    def map(self, data: Data | pa.Table, stage: Any, name: str) -> Data:
        self.last = name
        if isinstance(data, pa.Table):
            data = self.read(data)
            self.reads += 1
        made = []
        for part in data:
            copy = pickle.loads(pickle.dumps(stage))
            batches = list(copy(iter(part)))
            assert all(batch.schema == stage.schema for batch in batches), name
            made.append(batches)
        return made

    def shuffle(self, data: Data) -> Data:
        parts: defaultdict[int, list[pa.RecordBatch]] = defaultdict(list)
        for batches in data:
            for batch in batches:
                assert batch.schema == ROW_SCHEMA
                self.moved[self.last] += batch.nbytes
                for row in range(len(batch)):
                    parts[batch.column("part")[row].as_py()].append(batch.slice(row, 1))
        made: Data = [[] for _ in range(self.partitions)]
        for part in sorted(parts):
            self.random.shuffle(parts[part])
            made[part % self.partitions] += parts[part]
        return made

    def hold(self, data: Data) -> Data:
        return data

    def drop(self, data: Data) -> None:
        pass

    def collect(self, data: Data) -> Iterator[pa.RecordBatch]:
        batches = [batch for part in data for batch in part]
        self.random.shuffle(batches)
        return iter(batches)


def found_by(
    texts: list[str],
    ids: list[Any] | None = None,
    *,
    engine: LocalEngine | None = None,
    part_bits: int = 2,
    hot: int = 1024,
    limits: Any = LISTING_LIMITS,
    by: list[Any] | None = None,
    within: list[Any] | None = None,
    across: list[Any] | None = None,
    **options: Any,
) -> Duplicates:
    """Search as `dedup.find_duplicates`, in stages."""
    named = {name: name for name, labels in (("within", within), ("across", across)) if labels is not None}
    query = Query.check(**options, **named)
    engine = engine or LocalEngine()
    ids = list(range(len(texts))) if ids is None else ids
    kind = pa.string() if ids and isinstance(ids[0], str) else pa.int64()
    table = pa.table({ID: pa.array(ids, type=kind), TEXT: pa.array(texts, type=pa.string())})
    if by is not None:
        table = table.append_column("by", pa.array(by))
    for name, labels in (("within", within), ("across", across)):
        if labels is not None:
            table = table.append_column(name, pa.array(labels))
    job = replace(job_of(query, 1), part_bits=part_bits, hot=hot)
    more = pa.schema([table.schema.field("by")] if by is not None else [])
    found = search(engine, table, job, kind, more)

    def fetch(ids: pa.Array, keys: np.ndarray) -> Iterator[pa.RecordBatch]:
        return engine.collect(engine.map(table, Fetch(found.job, keys, kind), "texts"))

    def made(ids: pa.Array, keys: np.ndarray, _: pa.Table) -> LinkedTexts:
        return LinkedTexts(ids, keys, "text", fetch)

    evidence = evidence_of_found(engine, found, replace(info_of(query, "text"), limits=limits), made)
    return Duplicates.of(evidence, {})

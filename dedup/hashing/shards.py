"""Shards: the hashes and rows of a corpus, in pieces of about 64 MB, in memory or in a work directory.

A shard has the data of some batches, in order: the hashes of their units, one unit after the other (uint64), and the
rows:

| array | shape | contents |
|---|---|---|
| sizes | (units,) int64 | per unit: number of hashes |
| digests | (units, 2) uint64 | per unit: see `dedup.hashing.units.Units` |
| form_characters, form_numbers, form_symbols | (units,) uint64 | per unit: the wanted `dedup.hashing.forms` |
| form_label | (units,) uint64 | per unit: the key of its label (`dedup.hashing.labels`), if these are compared across |
| places | (units, 3) int64 | per paragraph or line: number, start, end; absent for documents |
| counts | (texts,) int64 | per text: number of units |
| lengths | (texts,) int64 | per text: characters |
| numbers | (texts,) int64 | per text: number of its record in the file |
| batches | (batches, 5) int64 | per batch: number of its file, texts, and the token with which reading it begins |
| ids, extra, rejects | (bytes,) uint8 | Arrow IPC of the user's ids and of other columns; JSON of the rejects |

Hashes and rows are two parts of a store, since most passes need only one of them. A shard is valid when its rows are
committed. The end of a shard depends on the batches and on the size of a shard; results depend on neither.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hashing.forms import joined
from dedup.hashing.labels import NO_LABELS, Labels
from dedup.hashing.shingles import Shingle
from dedup.hashing.sketches import Sketcher
from dedup.hashing.units import HashedBlock, hash_block
from dedup.runtime.threads import map_blocks
from dedup.sources.arrow import block_of
from dedup.sources.files.batch import Batch, Token, lengths_of, text_array
from dedup.sources.files.reader import BEGIN
from dedup.sources.files.rejects import Reject
from dedup.storage.work_dir import Store
from dedup.unit import Unit

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FORM_ROW", "SHARD_BYTES", "Facts", "Rows", "Shard", "Shards", "form_row", "read_shards", "unpacked"]

SHARD_BYTES = 64 << 20
"""Bytes of hashes and rows that a shard aims at: few enough to read at once, enough to keep the cost of syncs low.
Curve: `benchmarks.tuning.shards_shard_bytes`; flat from 16 MB to 256 MB on generated:20000 within 200 MB, where 4 MB
take 0.91 times as long (two busy cores, 2026-11)."""

READ_BYTES = 4096
"""Bytes that are held per batch in addition to its arrays. They matter if every file is a small batch."""

REJECT_BYTES = 400
"""Bytes that are held per record that cannot be read."""

FORM_ROW = "form_"
"""What the names of the rows of forms begin with."""

Rows = dict[str, npt.NDArray[Any]]


class Facts(NamedTuple):
    """What is known about a shard without reading it: counts, the bytes of its longest text, and where reading resumes.

    `filled` are the units that have a token.
    """

    texts: int
    units: int
    shingles: int
    filled: int
    rejects: int
    bytes: int
    longest: int
    more: Token


class Shard(NamedTuple):
    """The hashes and rows of some batches."""

    hashes: npt.NDArray[np.uint64]
    rows: Rows
    facts: Facts

    def rejects(self) -> list[Reject]:
        """Return the rejects of these batches."""
        return _rejects(self.rows)


def _rejects(rows: Rows) -> list[Reject]:
    return [Reject(*fields) for fields in json.loads(rows["rejects"].tobytes() or b"[]")]


class _Read(NamedTuple):
    """The data of one batch, without its texts."""

    begin: Token
    batch: Batch
    hashed: HashedBlock
    lengths: npt.NDArray[np.int64]
    bytes: int
    longest: int


def read_shards(
    batches: Iterable[Batch],
    shingle: Shingle,
    *,
    unit: Unit,
    threads: int,
    size: int = SHARD_BYTES,
    after: Token | None = None,
    forms: Sequence[str] = (),
    labelled: Callable[[Batch], tuple[Batch, Labels]] = lambda batch: (batch, NO_LABELS),
    sketcher: Sketcher | None = None,
    progress: Callable[[Token], None] = lambda _: None,
) -> Iterator[Shard]:
    """Yield the shards of some batches, with some `forms` of their units. The first begins at the token `after`.

    `labelled` returns a batch without the columns of labels, and the labels of its texts. The `sketcher` sees all
    units, with the number of each document in its batch. `progress` is called after each batch, with the token at which
    reading resumes after it.
    """
    waiting: list[_Read] = []
    held = 0

    def work(given: tuple[Token, Batch]) -> _Read:
        begin, batch = given
        return _read(begin, *labelled(batch), shingle, unit=unit, forms=forms, sketcher=sketcher)

    for read in map_blocks(work, _with_begin(batches, BEGIN if after is None else after), threads):
        kinds = _kinds(read.batch)
        if kinds is not None and any(_kinds(each.batch) not in (None, kinds) for each in waiting):
            yield _shard(waiting, unit=unit)  # a column of a shard has one type; joining shards reports a difference
            waiting, held = [], 0
        waiting.append(read)
        held += read.hashed.hashes.nbytes + read.hashed.places.nbytes + 32 * len(read.lengths) + READ_BYTES
        held += sum(form.nbytes for form in read.hashed.forms.values())
        held += REJECT_BYTES * len(read.batch.rejects)
        if held >= size:
            yield _shard(waiting, unit=unit)
            waiting, held = [], 0
        progress(read.batch.more)
    if waiting:
        yield _shard(waiting, unit=unit)


def _kinds(batch: Batch) -> list[pa.DataType] | None:
    """Return the types of the columns that are kept from a batch; None if it has no texts."""
    if not len(batch.numbers):
        return None
    return [column.type for column in (*(() if batch.ids is None else (batch.ids,)), *batch.extra.values())]


def _with_begin(batches: Iterable[Batch], begin: Token) -> Iterator[tuple[Token, Batch]]:
    for batch in batches:
        yield begin, batch
        begin = batch.more


def _read(begin: Token, batch: Batch, labels: Labels, shingle: Shingle, **how: Any) -> _Read:
    block = block_of(0, batch.texts)
    hashed = hash_block(block, shingle, labels=labels, **how)
    lengths = lengths_of(batch.texts)
    sizes = block.ends - block.starts
    nothing = text_array([])  # a slice of the texts would keep all of them in memory
    return _Read(begin, batch._replace(texts=nothing), hashed, lengths, int(sizes.sum()), int(sizes.max(initial=0)))


def form_row(name: str) -> str:
    """Return the name of the rows of a form; without a prefix the numbers of units would be those of records."""
    return f"{FORM_ROW}{name}"


def _shard(reads: list[_Read], *, unit: Unit) -> Shard:
    batches = [read.batch for read in reads]
    hashed_blocks = [read.hashed for read in reads]
    sizes = np.concatenate([np.diff(hashed.offsets) for hashed in hashed_blocks])
    lengths = np.concatenate([read.lengths for read in reads])
    rejects = [reject for batch in batches for reject in batch.rejects]
    rows: Rows = {
        "sizes": sizes,
        "digests": np.concatenate([hashed.digests for hashed in hashed_blocks]),
        "counts": np.concatenate([np.bincount(h.places[:, 0], minlength=h.texts) for h in hashed_blocks]).astype(
            np.int64
        ),
        "lengths": lengths,
        "numbers": np.concatenate([batch.numbers for batch in batches]),
        "batches": np.array([[b.batch.file, len(b.batch.numbers), *b.begin] for b in reads], dtype=np.int64),
        "rejects": _bytes(json.dumps(rejects).encode()) if rejects else _bytes(b""),
    }
    forms = joined([hashed.forms for hashed in hashed_blocks], hashed_blocks[0].forms)
    rows |= {form_row(name): values for name, values in forms.items()}
    if not unit.whole:
        rows["places"] = np.concatenate([hashed.places[:, 1:] for hashed in hashed_blocks])
    if batches[0].ids is not None:
        rows["ids"] = _packed({"id": [batch.ids for batch in batches if len(batch.numbers)]})
    if batches[0].extra:
        full = [batch for batch in batches if len(batch.numbers)]
        rows["extra"] = _packed({name: [batch.extra[name] for batch in full] for name in batches[0].extra})
    hashes = np.concatenate([hashed.hashes for hashed in hashed_blocks])
    facts = Facts(
        len(lengths),
        len(sizes),
        len(hashes),
        int((sizes > 0).sum()),
        len(rejects),
        sum(read.bytes for read in reads),
        max(read.longest for read in reads),
        batches[-1].more,
    )
    return Shard(hashes, rows, facts)


def _bytes(data: bytes) -> npt.NDArray[np.uint8]:
    return np.frombuffer(data, dtype=np.uint8)


def _packed(columns: dict[str, list[pa.Array]]) -> npt.NDArray[np.uint8]:
    """Return columns, each given in some pieces, as Arrow IPC."""
    import pyarrow as pa

    table = pa.table({name: pa.chunked_array(pieces) if pieces else pa.nulls(0) for name, pieces in columns.items()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return _bytes(sink.getvalue().to_pybytes())


def unpacked(data: npt.NDArray[np.uint8]) -> pa.Table:
    """Return columns that were packed as Arrow IPC."""
    import pyarrow as pa

    return pa.ipc.open_stream(pa.py_buffer(data)).read_all()


class Shards:
    """The shards of a corpus, in order. They are held in memory until `spill` moves them into a store."""

    def __init__(self, store: Store | None = None) -> None:
        """Begin with the shards that a store has already, if there is a store."""
        self._store = store
        self._held: list[Shard | None] = []
        self.facts: list[Facts] = []
        while store is not None and f"rows-{len(self.facts):05}" in store:
            self.facts.append(Facts(*store.parts[f"rows-{len(self.facts):05}"].facts))

    def __len__(self) -> int:
        return len(self.facts)

    @property
    def stored(self) -> bool:
        """Return whether the shards are in a store."""
        return self._store is not None

    @property
    def more(self) -> Token | None:
        """Return the token at which reading resumes; None if nothing was read."""
        return self.facts[-1].more if self.facts else None

    def total(self, name: str) -> int:
        """Return the sum of a fact over all shards."""
        place = Facts._fields.index(name)
        return sum(facts[place] for facts in self.facts)  # type: ignore[misc]

    def add(self, shard: Shard) -> None:
        """Add a shard after the others."""
        if self._store is None:
            self._held.append(shard)
        else:
            self._commit(self._store, len(self.facts), shard)
        self.facts.append(shard.facts)

    def spill(self, store: Store) -> None:
        """Move all held shards into a store; later shards are written to it too."""
        for number, shard in enumerate(self._held):
            assert shard is not None
            self._commit(store, number, shard)
            self._held[number] = None
        self._held = []
        self._store = store

    @staticmethod
    def _commit(store: Store, number: int, shard: Shard) -> None:
        store.commit(f"hashes-{number:05}", {"hashes": shard.hashes})
        store.commit(f"rows-{number:05}", shard.rows, shard.facts)

    def hashes(self, number: int) -> npt.NDArray[np.uint64]:
        """Return the hashes of a shard."""
        if self._store is not None:
            return self._store.arrays(f"hashes-{number:05}")["hashes"]
        shard = self._held[number]
        assert shard is not None
        return shard.hashes

    def pop_hashes(self, number: int) -> npt.NDArray[np.uint64]:
        """Return the hashes of a shard, which drops them if it is in memory."""
        hashes = self.hashes(number)
        if self._store is None:
            shard = self._held[number]
            assert shard is not None
            self._held[number] = shard._replace(hashes=hashes[:0].copy())
        return hashes

    def rows(self, number: int) -> Rows:
        """Return the rows of a shard."""
        if self._store is not None:
            return self._store.arrays(f"rows-{number:05}")
        shard = self._held[number]
        assert shard is not None
        return shard.rows

    def rejects(self) -> Iterator[Reject]:
        """Yield the rejects of all records, in order."""
        for number, facts in enumerate(self.facts):
            if facts.rejects:
                yield from _rejects(self.rows(number))

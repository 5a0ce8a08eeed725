"""The job: what every stage of a distributed search has to know, and how the input becomes units with hashes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedup.distributed.transport.keys import GOLDEN, Keys, document_keys, unit_keys
from dedup.hash_key import HashKey, choose_key
from dedup.hashing.forms import Forms, joined
from dedup.hashing.labels import LABEL, Labels, keys_of_column
from dedup.hashing.shingles import Shingle
from dedup.hashing.units import HashedBlock, hash_block
from dedup.kernels.digest import digest
from dedup.pairs.kept_apart import by_label, groups_of, told_apart
from dedup.pairs.verify import Groups
from dedup.runtime.buffers import BufferPool
from dedup.sources.arrow import ArrowTexts
from dedup.threshold import Threshold
from dedup.unit import Unit

__all__ = [
    "ACROSS",
    "BY",
    "CHANGED",
    "GIVEN",
    "ID",
    "TEXT",
    "WITHIN",
    "Engine",
    "Hashed",
    "Job",
    "Stage",
    "hashed_pieces",
    "library_version",
]

ID, TEXT, BY, WITHIN, ACROSS, GIVEN = "id", "text", "by", "within", "across", "given"
"""The columns of the input. All but the first two occur if they are needed: what `keep`, `within` and `across` name,
and the id that the user gave to a record of a file."""

LABELLED = WITHIN, ACROSS
"""The columns of `dedup.hashing.labels.Labels`."""

CHANGED = (
    "expected the same rows each time that the input is read, found others when a task was repeated; write the "
    "DataFrame to files first, or checkpoint it"
)
"""What is said if a task that was repeated has other units: blocks of two attempts would be mixed."""

PIECE_BYTES = 1 << 25
"""Bytes of text. A batch of more is hashed in pieces."""

PIECE_TEXTS = 1 << 14
"""Texts. The same."""


class Stage(Protocol):
    """A function of batches that makes batches of the schema `schema`; it can be pickled, and called again."""

    @property
    def schema(self) -> pa.Schema:
        """The schema of what it makes."""
        ...

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Return what the stage makes of some batches."""
        ...


class Engine(Protocol):
    """What runs stages: over all batches of some data, wherever they are."""

    def map(self, data: Any, stage: Stage, name: str) -> Any:
        """Return what a stage makes of the data."""
        ...

    def shuffle(self, data: Any) -> Any:
        """Return the data with all rows of one part together (`dedup.distributed.transport.rows`)."""
        ...

    def hold(self, data: Any) -> Any:
        """Return the data, evaluated once for all uses, until they are dropped."""
        ...

    def drop(self, data: Any) -> None:
        """Let held data go."""
        ...

    def collect(self, data: Any) -> Iterator[pa.RecordBatch]:
        """Yield the batches of the data, in any order."""
        ...


@lru_cache(maxsize=1)
def library_version() -> str:
    """Return the version of the library and the start of the digest of its kernels."""
    return f"{import_module('dedup').__version__} (kernels {digest()[:8]})"


@dataclass(frozen=True)
class Job:
    """The options of a search, as all stages need them.

    Attributes
    ----------
    across : whether the input has labels, and texts of one label are no pair
    sides : whether these labels are the numbers of two sides (0, 1), each with ids of its own
    part_bits : the hash space is cut into ``2 ** part_bits`` parts
    seed : changes the keys of documents
    version : of the library and its kernels on the driver, to which those on a worker are compared
    hot : a hash that more units have is compared within its family only
    keep : what decides which unit is kept, as the user wrote it
    """

    unit: Unit
    threshold: Threshold
    shingle: Shingle
    distinct: tuple[str, ...] = ()
    across: bool = False
    sides: bool = False
    part_bits: int = 6
    seed: int = 0
    version: str = field(default_factory=library_version)
    hot: int = 1024
    keep: str = "first"

    @property
    def parts(self) -> int:
        """The number of parts of the hash space."""
        return 1 << self.part_bits

    def here(self) -> Job:
        """Return the job with the hash key of this process, since a key is never sent."""
        if not self._without_key:
            return self
        return replace(self, shingle=self.shingle._replace(reading=self.shingle.reading._replace(key=choose_key(None))))

    @property
    def _without_key(self) -> bool:
        return self.shingle.key.fingerprint != "public" and self.shingle.key._words is None  # noqa: SLF001

    def fault(self) -> str | None:
        """Return what is wrong with this process: another version, or another hash key, than the driver has."""
        if library_version() != self.version:
            return (
                f"expected dedup-text {self.version} on every worker, as on the driver, found {library_version()}; "
                "install the same version everywhere"
            )
        found = self.here().shingle.key.fingerprint
        if found != self.shingle.key.fingerprint:
            return (
                f"hash_key: expected the key of fingerprint {self.shingle.key.fingerprint} on every worker, found "
                f"{found}; set DEDUP_HASH_KEY in the environment of the workers: a key is never sent to them"
            )
        return None


class Hashed(NamedTuple):
    """The units of some texts.

    Attributes
    ----------
    keys : uint64, by unit
    hashes, offsets : of unit i ``hashes[offsets[i]:offsets[i + 1]]``, in the order of the text, with repetitions
    digests, places, forms : as in `dedup.hashing.units.Units`; documents are counted from the first of the piece
    ids : of the documents of the piece
    batch : the piece itself
    """

    keys: Keys
    hashes: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]
    digests: npt.NDArray[np.uint64]
    places: npt.NDArray[np.int64]
    forms: Forms
    batch: pa.RecordBatch

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """The number of hashes of each unit, repetitions included."""
        return np.diff(self.offsets)

    def groups(self, distinct: Sequence[str]) -> Groups:
        """Return which units are no pair."""
        return groups_of(self, distinct)

    def copy_names(self, distinct: Sequence[str]) -> npt.NDArray[np.uint64]:
        """Return what exact copies have in common (n, 2)."""
        return by_label(self, told_apart(self, distinct))


def pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the batches of the input in pieces of a bounded size, with texts of 64-bit offsets, none of them null."""
    for batch in batches:
        texts = pc.fill_null(batch.column(TEXT).cast(pa.large_string()), "")
        whole = batch.set_column(batch.schema.get_field_index(TEXT), TEXT, texts)
        reach = np.cumsum(pc.binary_length(texts).to_numpy(zero_copy_only=False).astype(np.int64))
        at = 0
        while at < len(whole):
            before = int(reach[at - 1]) if at else 0
            end = max(int(np.searchsorted(reach, before + PIECE_BYTES, side="right")), at + 1)
            end = min(end, at + PIECE_TEXTS)
            yield whole.slice(at, end - at)
            at = end


def piece_keys(piece: pa.RecordBatch, job: Job) -> Keys:
    """Return the keys of the documents of a piece."""
    keys = document_keys(piece.column(ID), job.shingle.key, job.seed)
    if job.sides:
        keys ^= piece.column(ACROSS).to_numpy(zero_copy_only=False).astype(np.uint64) * np.uint64(GOLDEN)
    return keys


def hashed_pieces(
    batches: Iterable[pa.RecordBatch], job: Job, chosen: Any = None, forms: Sequence[str] = ()
) -> Iterator[Hashed]:
    """Yield the units of the input, piece by piece. `chosen` says which keys to hash (a function; None: all)."""
    hashes_pool, folding = BufferPool(), BufferPool()
    forms = (*forms, LABEL) if job.across else tuple(forms)
    for piece in pieces(batches):
        keys = piece_keys(piece, job)
        if chosen is not None and job.unit.whole:  # others need not be hashed at all
            rows = np.flatnonzero(chosen(keys))
            piece, keys = piece.take(pa.array(rows)), keys[rows]
        parts: list[HashedBlock] = []
        labels = _labels(piece, job.shingle.key)
        texts = ArrowTexts(pa.chunked_array([piece.column(TEXT)]))
        for block in texts.blocks():
            how: dict[str, Any] = {"make_buffer": hashes_pool.take, "spare": folding, "forms": forms, "labels": labels}
            made = hash_block(block, job.shingle, unit=job.unit, **how)
            parts.append(made._replace(hashes=made.hashes.copy()))
            hashes_pool.give(made.hashes)
        hashed = _joined(parts, keys, job, forms, piece)
        yield hashed if chosen is None or job.unit.whole else _some(hashed, chosen(hashed.keys))


def _labels(piece: pa.RecordBatch, key: HashKey) -> Labels:
    """Return the labels of the documents of a piece."""
    named = piece.schema.names
    return Labels(*(keys_of_column(piece.column(name), name, key) if name in named else None for name in LABELLED))


def _joined(parts: list[HashedBlock], keys: Keys, job: Job, forms: Sequence[str], piece: pa.RecordBatch) -> Hashed:
    """Return the units of all blocks of a piece."""
    width = job.unit.place_columns
    places = np.concatenate([np.empty((0, width), dtype=np.int64), *(part.places for part in parts)])
    sizes = np.concatenate([np.empty(0, dtype=np.int64), *(np.diff(part.offsets) for part in parts)])
    return Hashed(
        unit_keys(keys, places),
        np.concatenate([np.empty(0, dtype=np.uint64), *(part.hashes for part in parts)]),
        np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(sizes))),
        np.concatenate([np.empty((0, 2), dtype=np.uint64), *(part.digests for part in parts)]),
        places,
        joined([part.forms for part in parts], forms),
        piece,
    )


def _some(hashed: Hashed, chosen: npt.NDArray[np.bool_]) -> Hashed:
    """Return some of the units of a piece."""
    sizes = hashed.sizes
    return Hashed(
        hashed.keys[chosen],
        hashed.hashes[np.repeat(chosen, sizes)],
        np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(sizes[chosen]))),
        hashed.digests[chosen],
        hashed.places[chosen],
        {name: form[chosen] for name, form in hashed.forms.items()},
        hashed.batch,
    )

"""The units that are compared (documents, paragraphs or lines), with the hashes of their shingles.

A unit is a row: its document, its place there, and ``hashes[offsets[i]:offsets[i + 1]]``, first in the order of the
text, then, for the units that `prepare` was asked for, the sorted set of its distinct hashes in front of the row and
``sizes[i]`` of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.hashing.shingles import Shingle, hash_shingles
from dedup.runtime.buffers import BufferPool, GiveBuffer, GrowingArray, new_buffer
from dedup.runtime.threads import map_blocks
from dedup.sources.coerce import Block, Texts
from dedup.text.paragraphs import split_units
from dedup.unit import Unit

__all__ = [
    "Choice",
    "HashRows",
    "HashSets",
    "HashedBlock",
    "Units",
    "hash_block",
    "hash_texts",
    "rank_by_size",
    "read_units",
]

SLICE = 256
"""Units that a thread prepares at a time. Curve: `benchmarks.tuning.units_slice`."""


class HashRows(NamedTuple):
    """The hashes of some units in the order of their texts: row i is ``values[offsets[i]:offsets[i + 1]]``.

    `values` is uint64, `offsets` int64 (rows + 1).
    """

    values: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """How many hashes each row has, repeated ones too."""
        return np.diff(self.offsets)


class HashSets(NamedTuple):
    """The sets of some units: that of row i is ``values[offsets[i]:offsets[i] + sizes[i]]``, distinct and ascending.

    `values` is uint64, `offsets` and `sizes` are int64; a size of -1 is that of a row whose set was not made. Between
    two sets there may be anything.
    """

    values: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]


class HashedBlock(NamedTuple):
    """What one block of so many texts gives: hashes with their offsets, digests and places, see `Units`."""

    texts: int
    hashes: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]
    digests: npt.NDArray[np.uint64]
    places: npt.NDArray[np.int64]

    @property
    def rows(self) -> HashRows:
        """The hashes alone."""
        return HashRows(self.hashes, self.offsets)


@dataclass
class Units:
    """All units of a collection, in input order.

    Attributes
    ----------
    places : int64; (n, 1) for documents: document; (n, 4) for paragraphs and lines: document, number in it from 0,
        start and end in characters
    hashes, offsets : uint64 and int64 (n + 1); see the module's first page
    digests : (n, 2) uint64; 128 bits of a keyed hash of the unit's tokens, equal for equal token sequences alone
    sizes : int64; distinct hashes, -1 where not prepared
    filled : bool; which have a token. One that cannot have a partner may have been read without keeping its hashes.
    """

    places: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]
    digests: npt.NDArray[np.uint64]
    sizes: npt.NDArray[np.int64]
    filled: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.digests)

    @property
    def rows(self) -> HashRows:
        """The hashes that are held, a row a unit."""
        return HashRows(self.hashes, self.offsets)

    @property
    def sets(self) -> HashSets:
        """The sets of the units that `prepare` made, in the memory of their rows."""
        return HashSets(self.hashes, self.offsets, self.sizes)

    @property
    def full(self) -> npt.NDArray[np.int64]:
        """The units that have a token, ascending."""
        return np.flatnonzero(self.filled)

    @property
    def held(self) -> npt.NDArray[np.int64]:
        """The units whose hashes are held, ascending."""
        return np.flatnonzero(np.diff(self.offsets))

    def prepare(self, units: npt.NDArray[np.int64], threads: int) -> None:
        """Make the sorted sets of some units (ascending), in place."""
        from dedup.kernels.sets import distinct

        units = units[self.sizes[units] < 0]
        slices = [units[i : i + SLICE] for i in range(0, len(units), SLICE)]
        for _ in map_blocks(lambda rows: distinct(self.hashes, self.offsets, self.sizes, rows), slices, threads):
            pass


def rank_by_size(rank: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the rank of each unit where the larger set always comes first and `rank` breaks ties."""
    order = np.lexsort((rank, -sizes))
    result = np.empty_like(rank)
    result[order] = np.arange(len(rank), dtype=np.int64)
    return result


Made = TypeVar("Made")


def hash_texts(
    texts: Texts,
    shingle: Shingle,
    work: Callable[[HashedBlock], Made],
    *,
    unit: Unit,
    threads: int,
    pool: GrowingArray[np.uint64] | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[tuple[HashedBlock, Made]]:
    """Yield what each block of `texts` gives, and what `work` makes of it, in order; several threads call `work`.

    The hashes of a block may be overwritten once the next is asked for. One thread writes them to the end of `pool`
    where that has room, so that they can be appended without a copy.
    """
    spare, folding = BufferPool(), BufferPool()

    def room(size: int) -> npt.NDArray[np.uint64]:
        tail = pool.tail(size) if pool is not None and threads == 1 else None
        return spare.take(size) if tail is None else tail

    def read(load: Callable[[], Block]) -> tuple[HashedBlock, Made]:
        block = load()
        hashed = hash_block(block, shingle, unit=unit, room=room, spare=folding)
        block.release()
        return hashed, work(hashed)

    done = 0
    for hashed, made in map_blocks(read, texts.loads(), threads):
        done += hashed.texts
        progress(done)
        yield hashed, made
        spare.give(hashed.hashes)


Choice = Callable[[HashRows, int], npt.NDArray[np.bool_]]
"""Of the rows of a block, and the number of rows before it, which are chosen; asked block after block, in order."""


def read_units(
    texts: Texts,
    shingle: Shingle,
    *,
    unit: Unit,
    threads: int,
    choose: Choice | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Units:
    """Read `texts` into units, with the hashes of those that `choose` wants, or of all."""
    hashes: GrowingArray[np.uint64] = GrowingArray(np.uint64)
    offsets: list[npt.NDArray[np.int64]] = [np.zeros(1, dtype=np.int64)]
    digests: list[npt.NDArray[np.uint64]] = []
    places: list[npt.NDArray[np.int64]] = []
    filled: list[npt.NDArray[np.bool_]] = []
    done, count, about = 0, 0, texts.about()
    pool = hashes if choose is None else None
    for part, _ in hash_texts(texts, shingle, _nothing, unit=unit, threads=threads, pool=pool, progress=progress):
        done += part.texts
        digests.append(part.digests)
        places.append(part.places)
        sizes = np.diff(part.offsets)
        filled.append(sizes > 0)
        values = part.hashes
        if choose is not None:
            chosen = choose(part.rows, count)
            count += len(sizes)
            values = values[np.repeat(chosen, sizes)]
            sizes = np.where(chosen, sizes, 0)
        offsets.append(len(hashes) + np.cumsum(sizes))
        hashes.append(values, done / max(about, done, 1))
    width = unit.place_columns
    all_digests = np.concatenate([np.empty((0, 2), dtype=np.uint64), *digests])
    return Units(
        np.concatenate([np.empty((0, width), dtype=np.int64), *places]),
        hashes.array(),
        np.concatenate(offsets),
        all_digests,
        np.full(len(all_digests), -1, dtype=np.int64),
        np.concatenate([np.empty(0, dtype=np.bool_), *filled]),
    )


def _nothing(_: HashedBlock) -> None:
    """Make nothing of a block."""


def hash_block(
    block: Block,
    shingle: Shingle,
    *,
    unit: Unit,
    numbers: npt.NDArray[np.int64] | None = None,
    room: GiveBuffer = new_buffer,
    spare: BufferPool | None = None,
) -> HashedBlock:
    """Return what a block of texts gives.

    `numbers` (int64, one a text) are the numbers of the texts, where these do not follow each other from the block's
    first. `room` gives the array of the hashes, of a size; `spare` what is needed beside it.
    """
    starts, ends = block.starts, block.ends
    documents = np.arange(block.first, block.first + len(starts), dtype=np.int64) if numbers is None else numbers
    if not unit.whole:
        table, rows = split_units(block.values, starts, ends, unit)
        counts = np.diff(rows)
        numbers = np.arange(len(table), dtype=np.int64) - np.repeat(rows[:-1], counts)
        places = np.column_stack((np.repeat(documents, counts), numbers, table[:, 2], table[:, 3]))
        starts, ends = np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1])
    else:
        places = documents[:, np.newaxis]
    hashes, offsets, digests = hash_shingles(block.values, starts, ends, shingle, room, spare)
    return HashedBlock(len(block.starts), hashes, offsets, digests, places)

"""The units that are compared (documents, paragraphs or lines), with the hashes of their shingles.

A unit is a row: its document, its place there, and ``hashes[offsets[i]:offsets[i + 1]]``, first in the order of the
text, then, for the units that `prepare` was asked for, the sorted set of its distinct hashes in front of the row and
``sizes[i]`` of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hashing.shingles import Shingle, hash_shingles
from dedup.runtime.buffers import Pool, Room, Spare, new_room
from dedup.runtime.threads import map_blocks
from dedup.sources.coerce import Block, Texts
from dedup.text.paragraphs import split_units

__all__ = ["Sketch", "Units", "rank_by_size", "read_units", "sketch_block", "sketches"]

UNITS = {"document": "words:5", "paragraph": "words:3", "line": "words:3"}
"""The units, and the shingle that each is compared by unless told otherwise."""

SLICE = 256
"""Units that a thread prepares at a time. Curve: `benchmarks.tuning.units_slice`."""


def place_columns(unit: str) -> int:
    """Return the number of columns of `places`: see `Units`."""
    return 1 if unit == "document" else 4


class Sketch(NamedTuple):
    """What one block gives: hashes with their offsets, digests, places."""

    texts: int
    hashes: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]
    digests: npt.NDArray[np.uint64]
    places: npt.NDArray[np.int64]


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
    def full(self) -> npt.NDArray[np.int64]:
        """The units that have a token, ascending."""
        return np.flatnonzero(self.filled)

    @property
    def held(self) -> npt.NDArray[np.int64]:
        """The units whose hashes are held, ascending."""
        return np.flatnonzero(np.diff(self.offsets))

    def representatives(self, rank: npt.NDArray[np.int64], among: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return, for each unit, the one of its exact copies (itself included) with the lowest `rank`.

        Copies have the same token sequence: they are told by their digests. `among` are the units that may have one.
        """
        from dedup.kernels.lsh import seen_twice

        result = np.arange(len(self), dtype=np.int64)
        again = seen_twice(np.ascontiguousarray(self.digests[:, 0]), among)  # few, so the sort is short
        digests = self.digests[again]
        order = np.lexsort((rank[again], digests[:, 1], digests[:, 0]))
        digests, again = digests[order], again[order]
        first = np.ones(len(again), dtype=np.bool_)
        first[1:] = (digests[1:] != digests[:-1]).any(axis=1)
        result[again] = again[first][np.cumsum(first) - 1]
        return result

    def prepare(self, units: npt.NDArray[np.int64], threads: int) -> None:
        """Make the sorted sets of some units (ascending), in place."""
        from dedup.kernels.sets import distinct

        units = units[self.sizes[units] < 0]
        slices = [units[i : i + SLICE] for i in range(0, len(units), SLICE)]
        for _ in map_blocks(lambda rows: distinct(self.hashes, self.offsets, self.sizes, rows), slices, threads):
            pass


def rank_by_size(rank: npt.NDArray[np.int64], units: Units) -> npt.NDArray[np.int64]:
    """Return the rank of each unit where the larger set always comes first and `rank` breaks ties."""
    order = np.lexsort((rank, -units.sizes))
    result = np.empty_like(rank)
    result[order] = np.arange(len(rank), dtype=np.int64)
    return result


def sketches(
    texts: Texts,
    shingle: Shingle,
    *,
    unit: str,
    threads: int,
    pool: Pool[np.uint64] | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[Sketch]:
    """Yield what each block of `texts` gives, in order. Its hashes may be overwritten once the next is asked for.

    One thread writes them to the end of `pool` where that has room, so that they can be appended without a copy.
    """
    spare, folding = Spare(), Spare()

    def room(size: int) -> npt.NDArray[np.uint64]:
        tail = pool.tail(size) if pool is not None and threads == 1 else None
        return spare.take(size) if tail is None else tail

    def work(load: Callable[[], Block]) -> Sketch:
        block = load()
        sketch = sketch_block(block, shingle, unit=unit, room=room, spare=folding)
        block.release()
        return sketch

    done = 0
    for part in map_blocks(work, texts.loads(), threads):
        done += part.texts
        progress(done)
        yield part
        spare.give(part.hashes)


Choice = Callable[[Sketch, int], npt.NDArray[np.bool_]]
"""Of a block, and the number of units before it, which of its units keep their hashes."""


def read_units(
    texts: Texts,
    shingle: Shingle,
    *,
    unit: str,
    threads: int,
    choose: Choice | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Units:
    """Read `texts` into units, with the hashes of those that `choose` wants, or of all."""
    hashes: Pool[np.uint64] = Pool(np.uint64)
    offsets: list[npt.NDArray[np.int64]] = [np.zeros(1, dtype=np.int64)]
    digests: list[npt.NDArray[np.uint64]] = []
    places: list[npt.NDArray[np.int64]] = []
    filled: list[npt.NDArray[np.bool_]] = []
    done, count, about = 0, 0, texts.about()
    pool = hashes if choose is None else None
    for part in sketches(texts, shingle, unit=unit, threads=threads, pool=pool, progress=progress):
        done += part.texts
        digests.append(part.digests)
        places.append(part.places)
        sizes = np.diff(part.offsets)
        filled.append(sizes > 0)
        values = part.hashes
        if choose is not None:
            stays = choose(part, count)
            count += len(sizes)
            values = values[np.repeat(stays, sizes)]
            sizes = np.where(stays, sizes, 0)
        offsets.append(len(hashes) + np.cumsum(sizes))
        hashes.append(values, done / max(about, done, 1))
    width = place_columns(unit)
    all_digests = np.concatenate([np.empty((0, 2), dtype=np.uint64), *digests])
    return Units(
        np.concatenate([np.empty((0, width), dtype=np.int64), *places]),
        hashes.array(),
        np.concatenate(offsets),
        all_digests,
        np.full(len(all_digests), -1, dtype=np.int64),
        np.concatenate([np.empty(0, dtype=np.bool_), *filled]),
    )


def sketch_block(
    block: Block, shingle: Shingle, *, unit: str, room: Room = new_room, spare: Spare | None = None
) -> Sketch:
    """Return what a block of texts gives; `room` gives the array of the hashes, of a size, `spare` what is needed."""
    starts, ends = block.starts, block.ends
    documents = np.arange(block.first, block.first + len(starts), dtype=np.int64)
    if unit != "document":
        table, rows = split_units(block.values, starts, ends, unit)
        counts = np.diff(rows)
        numbers = np.arange(len(table), dtype=np.int64) - np.repeat(rows[:-1], counts)
        places = np.column_stack((np.repeat(documents, counts), numbers, table[:, 2], table[:, 3]))
        starts, ends = np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1])
    else:
        places = documents[:, np.newaxis]
    hashes, offsets, digests = hash_shingles(block.values, starts, ends, shingle, room, spare)
    return Sketch(len(block.starts), hashes, offsets, digests, places)

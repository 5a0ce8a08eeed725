"""Units hashed with several kinds of shingles: the tokens are found once for words, and once for characters.

In naive Python, for each of some units of a block, and each of `kinds`::

    [hash for hash in hash_shingles(unit, kind.shingle) if hash % 2**24 < kind.limit]

`hash_shingles` is that of `dedup.hashing.shingles`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from dedup.hashing.shingles import Shingle, hash_shingles
from dedup.hashing.units import HashRows
from dedup.sources.coerce import Block
from dedup.text.paragraphs import split_units
from dedup.text.rewriting import rewrite
from dedup.unit import Unit

__all__ = ["hash_kinds"]


def hash_kinds(
    block: Block, shingles: Sequence[Shingle], limits: Sequence[int], rows: npt.NDArray[np.int64], unit: Unit
) -> Iterator[tuple[Shingle, HashRows]]:
    """Yield each kind of shingle with the hashes below its limit of some units of the block, in the order of the text.

    `shingles` must have one reading. `rows` are numbers of units, from 0, ascending. Cost: that of the tokens, once for
    words and once for characters, and about 1 ns a shingle.
    """
    from dedup.kernels import sampled as kernels

    reading = shingles[0].reading
    read = rewrite(block.values, block.starts, block.ends, reading, placed=not unit.whole)
    starts, ends = read.starts, read.ends
    if not unit.whole:
        table, _ = split_units(block.values, block.starts, block.ends, unit)
        starts, ends = read.places(np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1]))
    starts, ends = starts[rows], ends[rows]
    every = np.arange(len(rows), dtype=np.int64)
    for kind in ("words", "chars"):
        some = sorted((each.size, number) for number, each in enumerate(shingles) if each.kind == kind)
        if not some:
            continue
        tokens, bounds, _ = hash_shingles(read.values, starts, ends, Shingle(kind, 1, reading))
        sizes = np.array([size for size, _ in some], dtype=np.int64)
        chosen = np.array([limits[number] for _, number in some], dtype=np.int64)
        values = np.empty((len(some), len(tokens)), dtype=np.uint64)
        offsets = np.empty((len(some), len(bounds)), dtype=np.int64)
        kernels.hash_sizes(tokens, bounds, every, sizes, chosen, reading.key.words, values, offsets)
        for place, (_, number) in enumerate(some):
            yield shingles[number], HashRows(values[place, : offsets[place, -1]], offsets[place])

"""Units hashed with several kinds of shingles: the tokens are found once for words, and once for characters.

In naive Python, for each unit of a block::

    [hash_shingles(unit, shingle) for shingle in shingles]                       # see `dedup.hashing.shingles`
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


def hash_kinds(block: Block, shingles: Sequence[Shingle], unit: Unit) -> Iterator[tuple[Shingle, HashRows]]:
    """Yield each kind of shingle with the hashes of all units of the block, in the order of the text.

    `shingles` must have one reading. Cost: that of the tokens, once for words and once for characters, and 1 to 3 ns a
    shingle.
    """
    from dedup.kernels import shingles as kernels

    reading = shingles[0].reading
    read = rewrite(block.values, block.starts, block.ends, reading, placed=not unit.whole)
    starts, ends = read.starts, read.ends
    if not unit.whole:
        table, _ = split_units(block.values, block.starts, block.ends, unit)
        starts, ends = read.places(np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1]))
    for kind in ("words", "chars"):
        sizes = [shingle for shingle in shingles if shingle.kind == kind]
        if not sizes:
            continue
        tokens, bounds, _ = hash_shingles(read.values, starts, ends, Shingle(kind, 1, reading))
        for shingle in sizes:
            if shingle.size == 1:
                yield shingle, HashRows(tokens.copy(), bounds)
                continue
            values: npt.NDArray[np.uint64] = np.empty_like(tokens)
            offsets = np.empty_like(bounds)
            kernels.hash_shingles(tokens, bounds, shingle.size, shingle.key.words, values, offsets)
            yield shingle, HashRows(values[: offsets[-1]], offsets)

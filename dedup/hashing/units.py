"""The units that are compared (documents, paragraphs or lines), with the hashes of their shingles.

A unit is a row: its document, its place in the document, and ``hashes[offsets[i]:offsets[i + 1]]``, at first in the
order of the text. `prepare` then sorts the distinct hashes of some units to the beginning of their rows, and sets
``sizes[i]`` to their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.hashing.forms import CHARACTERS, NUMBERS, Forms, hash_forms, joined
from dedup.hashing.labels import LABEL, NO_LABELS, Labels
from dedup.hashing.shingles import AT_ZERO, Shingle, hash_alone, hash_shingles
from dedup.hashing.sketches import Sketcher
from dedup.reading import Reading
from dedup.runtime.arrays import portions
from dedup.runtime.buffers import BufferPool, GiveBuffer, new_buffer
from dedup.runtime.ordered import OrderedArray
from dedup.runtime.threads import map_blocks
from dedup.sources.coerce import Block, Texts
from dedup.sources.texts import ListTexts
from dedup.text.paragraphs import split_units
from dedup.text.rewriting import rewrite
from dedup.unit import Unit

__all__ = [
    "Choice",
    "HashRows",
    "HashSets",
    "HashedBlock",
    "Units",
    "count_short",
    "forms_of",
    "hash_block",
    "hash_one",
    "hash_texts",
    "rank_by_size",
    "read_units",
    "show_units",
]


class HashRows(NamedTuple):
    """The hashes of some units in the order of their texts: row i is ``values[offsets[i]:offsets[i + 1]]``.

    `values` is uint64, `offsets` int64 (rows + 1).
    """

    values: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Return the number of hashes of each row, repetitions included."""
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
    """The result of one block of `texts` texts: hashes with their offsets, digests, places and forms; see `Units`."""

    texts: int
    hashes: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]
    digests: npt.NDArray[np.uint64]
    places: npt.NDArray[np.int64]
    forms: Forms

    @property
    def rows(self) -> HashRows:
        """Return only the hashes and offsets."""
        return HashRows(self.hashes, self.offsets)


SHOWN_UNITS = 512
"""Units that are shown at a time: with more, most of the first ones would be sketched for nothing."""


@dataclass
class Units:
    """All units of a collection, in input order.

    Attributes
    ----------
    places : int64; (n, 1) for documents: document; (n, 4) for paragraphs and lines: document, number in it from 0,
        start and end in characters
    hashes, offsets : uint64 and int64 (n + 1); see the docstring of the module
    digests : (n, 2) uint64; 128 bits of a keyed hash of the unit's tokens: equal only for equal token sequences
    sizes : int64; distinct hashes, -1 if not prepared
    filled : bool; which units have a token. The hashes of a unit that is not a candidate may have been dropped.
    short : how many units have a token and are shorter than three shingles (`count_short`)
    forms : the forms of the units that were hashed when they were read (`dedup.hashing.forms`)
    """

    places: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]
    digests: npt.NDArray[np.uint64]
    sizes: npt.NDArray[np.int64]
    filled: npt.NDArray[np.bool_]
    short: int = 0
    forms: Forms = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.digests)

    @property
    def rows(self) -> HashRows:
        """Return the held hashes, a row per unit."""
        return HashRows(self.hashes, self.offsets)

    @property
    def sets(self) -> HashSets:
        """The sets of the units that `prepare` made, in the memory of their rows."""
        return HashSets(self.hashes, self.offsets, self.sizes)

    @property
    def full(self) -> npt.NDArray[np.int64]:
        """Return the units that have a token, ascending."""
        return np.flatnonzero(self.filled)

    @property
    def held(self) -> npt.NDArray[np.int64]:
        """Return the units whose hashes are held, ascending."""
        return np.flatnonzero(np.diff(self.offsets))

    def prepare(self, units: npt.NDArray[np.int64], threads: int) -> HashSets:
        """Make the sorted sets of some units (ascending), in place."""
        from dedup.kernels.sets import distinct

        units = units[self.sizes[units] < 0]
        parts = [units[part] for part in portions(self.offsets[units + 1] - self.offsets[units])]
        for _ in map_blocks(lambda rows: distinct(self.hashes, self.offsets, self.sizes, rows), parts, threads):
            pass
        return self.sets


def count_short(counts: npt.NDArray[np.int64], shingle: Shingle) -> int:
    """Return how many units have fewer words (characters) than three shingles, but one at least.

    `counts` (int64) is the number of hashes of each unit, repetitions included: n tokens make n - size + 1 of them.
    """
    return int(np.count_nonzero((counts > 0) & (counts <= 2 * shingle.size)))


def rank_by_size(rank: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the rank of each unit if units are ordered by set size, larger first, and equal sizes by `rank`."""
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
    pool: OrderedArray[np.uint64] | None = None,
    forms: Sequence[str] = (),
    labels: Labels = NO_LABELS,
    sketcher: Sketcher | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[tuple[HashedBlock, Made]]:
    """Yield each hashed block of `texts`, and the result of `work` for it, in order; several threads call `work`.

    `labels` are those of all texts; the `sketcher` sees all units.

    The threads append the hashes of all blocks to `pool`, if there is one; the yielded blocks have no hashes then.
    Otherwise the hashes of a block may be overwritten when the next block is requested.
    """
    spare, folding = BufferPool(), BufferPool()
    make_buffer = spare.take if pool is None else pool.buffer

    def read(job: tuple[int, Callable[[], Block]]) -> tuple[HashedBlock, Made]:
        number, load = job
        block = load()
        how: dict[str, Any] = {"unit": unit, "make_buffer": make_buffer, "spare": folding}
        hashed = hash_block(block, shingle, forms=forms, labels=labels, sketcher=sketcher, **how)
        block.release()
        made = work(hashed)
        if pool is not None:
            pool.put(number, hashed.hashes, hashed.texts)
            hashed = hashed._replace(hashes=np.empty(0, dtype=np.uint64))
        return hashed, made

    done = 0
    for hashed, made in map_blocks(read, enumerate(texts.loads()), threads):
        done += hashed.texts
        progress(done)
        yield hashed, made
        spare.give(hashed.hashes)


Choice = Callable[[HashRows, int], npt.NDArray[np.bool_]]
"""A function of the rows of a block and the number of rows before it; it returns which rows are chosen (bool). It is
called once per block, in order."""


def read_units(
    texts: Texts,
    shingle: Shingle,
    *,
    unit: Unit,
    threads: int,
    choose: Choice | None = None,
    forms: Sequence[str] = (),
    labels: Labels = NO_LABELS,
    sketcher: Sketcher | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Units:
    """Read `texts` into units, with the hashes of the units that `choose` returns, or of all, and some `forms`."""
    about = texts.about()
    hashes: OrderedArray[np.uint64] = OrderedArray(np.uint64, about, alone=threads == 1 or choose is not None)
    offsets: list[npt.NDArray[np.int64]] = [np.zeros(1, dtype=np.int64)]
    digests: list[npt.NDArray[np.uint64]] = []
    places: list[npt.NDArray[np.int64]] = []
    filled: list[npt.NDArray[np.bool_]] = []
    made: list[Forms] = []
    end, count, short = 0, 0, 0
    pool = hashes if choose is None else None
    how: dict[str, Any] = {"unit": unit, "threads": threads, "pool": pool, "forms": forms, "progress": progress}
    how |= {"labels": labels, "sketcher": sketcher}
    for number, (part, _) in enumerate(hash_texts(texts, shingle, _nothing, **how)):
        made.append(part.forms)
        digests.append(part.digests)
        places.append(part.places)
        sizes = np.diff(part.offsets)
        filled.append(sizes > 0)
        short += count_short(sizes, shingle)
        if choose is not None:
            chosen = choose(part.rows, count)
            count += len(sizes)
            hashes.put(number, part.hashes[np.repeat(chosen, sizes)], part.texts)
            sizes = np.where(chosen, sizes, 0)
        bounds = end + np.cumsum(sizes)
        offsets.append(bounds)
        end = int(bounds[-1]) if len(bounds) else end
    width = unit.place_columns
    all_digests = np.concatenate([np.empty((0, 2), dtype=np.uint64), *digests])
    return Units(
        np.concatenate([np.empty((0, width), dtype=np.int64), *places]),
        hashes.array(),
        np.concatenate(offsets),
        all_digests,
        np.full(len(all_digests), -1, dtype=np.int64),
        np.concatenate([np.empty(0, dtype=np.bool_), *filled]),
        short,
        joined(made, forms),
    )


def _nothing(_: HashedBlock) -> None:
    """Return nothing."""


def hash_block(
    block: Block,
    shingle: Shingle,
    *,
    unit: Unit,
    numbers: npt.NDArray[np.int64] | None = None,
    make_buffer: GiveBuffer = new_buffer,
    spare: BufferPool | None = None,
    forms: Sequence[str] = (),
    labels: Labels = NO_LABELS,
    sketcher: Sketcher | None = None,
) -> HashedBlock:
    """Return the units of a block of texts, hashed.

    `numbers` (int64, one per text) are the numbers of the texts, if they do not follow from the block's first.
    `make_buffer` returns the array for the hashes, of a given size. `spare` lends the other buffers. `forms` are the
    forms that are hashed too, and `labels` the labels of the texts, by their numbers. The `sketcher` sees all units.
    """
    starts, ends, reading = block.starts, block.ends, shingle.reading
    documents = np.arange(block.first, block.first + len(starts), dtype=np.int64) if numbers is None else numbers
    if not unit.whole:
        table, rows = split_units(block.values, starts, ends, unit)
        counts = np.diff(rows)
        numbers = np.arange(len(table), dtype=np.int64) - np.repeat(rows[:-1], counts)
        places = np.column_stack((np.repeat(documents, counts), numbers, table[:, 2], table[:, 3]))
        starts, ends = np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1])
    else:
        places = documents[:, np.newaxis]
    units = block._replace(starts=starts, ends=ends)
    read = units if reading.plain else _rewritten(block, units, reading)
    found: Forms = {NUMBERS: np.empty(len(starts), dtype=np.uint64)} if NUMBERS in forms else {}
    made = hash_shingles(read.values, read.starts, read.ends, shingle, make_buffer, spare, found.get(NUMBERS))
    hashes, offsets, digests = made
    if forms:
        found |= hash_forms(units, read, reading, forms)
    if labels.within is not None:
        own = labels.within[places[:, 0]]
        hashes ^= np.repeat(own, np.diff(offsets))
        digests ^= own[:, np.newaxis]
        if NUMBERS in found:
            found[NUMBERS] ^= own
    if labels.across is not None:
        found[LABEL] = labels.across[places[:, 0]]
    if sketcher is not None:
        sketcher.see(hashes, offsets, digests, places[:, 0], found)
    return HashedBlock(len(block.starts), hashes, offsets, digests, places, found)


def hash_one(text: str, shingle: Shingle, forms: Sequence[str]) -> HashedBlock:
    """Return the block of one text, hashed as a document: as `hash_block`, in a third of the time."""
    from dedup.kernels import forms as kernels

    if not set(forms) <= {CHARACTERS, NUMBERS}:
        return hash_block(next(ListTexts([text]).blocks()), shingle, unit=Unit.DOCUMENT, forms=forms)
    made = hash_alone(text, shingle, numbers=NUMBERS in forms)
    found: Forms = {NUMBERS: made.numbers} if NUMBERS in forms else {}
    if CHARACTERS in forms:
        found[CHARACTERS] = np.empty(1, dtype=np.uint64)
        kernels.hash_texts(made.values, AT_ZERO, made.ends, shingle.key.words, found[CHARACTERS])
    return HashedBlock(1, made.hashes, made.offsets, made.digests, AT_ZERO[:, np.newaxis], found)


def _rewritten(texts: Block, units: Block, reading: Reading) -> Block:
    """Return the units of some texts as they are read: each text is rewritten as a whole."""
    made = rewrite(texts.values, texts.starts, texts.ends, reading, placed=units.starts is not texts.starts)
    starts, ends = made.starts, made.ends
    if units.starts is not texts.starts:
        starts, ends = made.places(units.starts, units.ends)
    return units._replace(values=made.values, starts=starts, ends=ends)


def forms_of(texts: Sequence[str], wanted: Sequence[str], reading: Reading) -> Forms:
    """Return some forms of texts that are read so. Cost: each text is read and hashed once."""
    parts = [
        hash_block(block, Shingle("words", 1, reading), unit=Unit.DOCUMENT, forms=wanted).forms
        for block in ListTexts(texts).blocks()
    ]
    return joined(parts, wanted)


def show_units(units: Units, sketcher: Sketcher) -> None:
    """Show all units to the sketcher, whose hashes are held; those of a set may be sorted by now."""
    for first in range(0, len(units), SHOWN_UNITS):
        end = min(first + SHOWN_UNITS, len(units))
        bounds = units.offsets[first : end + 1]
        hashes = units.hashes[bounds[0] : bounds[-1]]
        forms = {name: form[first:end] for name, form in units.forms.items()}
        sketcher.see(hashes, bounds - bounds[0], units.digests[first:end], units.places[first:end, 0], forms)

"""Texts as blocks of UTF-8: what the stages take, whatever the form of the input.

A block is some consecutive texts as one uint8 array, with the first and end byte of each. Blocks are made one after the
other, while kernels work on earlier ones, so the whole collection is never held twice.

``None``, an Arrow null and NaN are empty texts. Any other value that is not a ``str`` raises an `InputError` with its
position.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError, ParameterError
from dedup.kernels.text_layout import PADDING
from dedup.options import shown
from dedup.runtime.arrays import arrow_of, sorted_unique
from dedup.runtime.buffers import BufferPool
from dedup.sources.utf8 import addresses, encode_all, encode_at, measured

if TYPE_CHECKING:
    import pyarrow as pa

    from dedup.sources.column_places import ColumnPlaces

__all__ = [
    "BLOCK_LIMITS",
    "BLOCK_TEXTS",
    "INT64",
    "TEXT_BLOCK_BYTES",
    "Block",
    "BlockLimits",
    "Ids",
    "ListTexts",
    "Texts",
]

TEXT_BLOCK_BYTES = 1 << 20
"""Bytes of text (characters, for lists) that a block aims at: so its tokens and shingles fit into the cache. Curve:
`benchmarks.tuning.texts_text_block_bytes`; flat from 2^18 to 2^24 on generated:20000; flat from 2^14 to 2^22 on
ota_dev (two cores, 2026-11)."""

BLOCK_TEXTS = 1 << 14
"""Texts per block, at most. Curve: `benchmarks.tuning.texts_block_texts`; flat from 2^12 to 2^14 on
generated:100000:150 (two cores, 2026-11)."""


@dataclass(frozen=True)
class BlockLimits:
    """How large blocks are: `size` is what a block aims at (bytes; characters, for lists), `texts` how many it has."""

    size: int = TEXT_BLOCK_BYTES
    texts: int = BLOCK_TEXTS

    @property
    def longest(self) -> int:
        """Characters. A stage that can read a longer text in pieces of `size` does so."""
        return self.size + self.size // 4


BLOCK_LIMITS = BlockLimits()
"""What every collection has, unless a test makes it with others."""

MEASURED_TOGETHER = 1 << 15
"""Texts whose lengths are read before they are cut into blocks. Curve: `benchmarks.tuning.texts_measured_together`;
flat from 2^9 to 2^18 on generated:100000 (two cores, 2026-11)."""

MEASURED_TEXTS = 512
"""Texts whose lengths are read, if the length of all texts is only estimated."""

Ids = Sequence[int] | Sequence[str]
INT64 = range(-(1 << 63), 1 << 63)


class Block(NamedTuple):
    """Texts `first` and following: ``values[starts[i]:ends[i]]`` is text ``first + i``, in UTF-8.

    `values` (uint8) has 64 more bytes after the last end.
    """

    first: int
    values: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    spare: BufferPool | None = None

    def release(self) -> None:
        """Return `values` to `spare`, if they came from it. They may not be used afterwards."""
        if self.spare is not None:
            self.spare.give(self.values)


class Texts(ABC):
    """A collection of texts with their ids; a missing text is empty.

    ``ids`` is None if texts are identified by their position. ``sources`` are the names of the files of the texts, None
    if they are not from files; ``rejected`` counts the records in these files that are not texts. ``others`` returns
    another column of a table. ``text_column`` and ``id_column`` are the columns of texts and ids, in tables and files.
    ``column_places`` knows where several columns of texts are in a text; None if there are not several, or if nobody
    asks for it. ``limits`` says how large its blocks are.

    Texts do not change: a deep copy is the collection itself. A pickle has the texts, or how to read them, and no more.
    """

    at_hand = False
    """Whether the texts are in memory: then reading them again costs no more than reading them once."""

    readable = True
    """Whether the texts can be read; those of an index can be if it keeps them."""

    may_be_empty = False
    """Whether files may have no record: a batch for an index may be empty, but a search of nothing is a slip."""

    ids: Ids | None = None
    sources: Sequence[str] | None = None
    rejected: int = 0
    others: Callable[[str, str], pa.ChunkedArray] | None = None
    text_column: str = "text"
    id_column: str | None = None
    column_places: ColumnPlaces | None = None
    limits: BlockLimits = BLOCK_LIMITS

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "others"}

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return self

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, row: int) -> str: ...

    def bound(self, memory: int | None) -> None:  # noqa: B027  (texts that are in memory already are not bounded)
        """Respect a bound on memory when texts are read."""

    def about(self) -> int:
        """Return the number of texts; an estimate, if the exact number requires reading them all."""
        return len(self)

    @abstractmethod
    def original(self, row: int) -> Any:
        """Return the value of a row: a text, or the marker of a missing one."""

    def originals(self, rows: range | list[int]) -> list[Any]:
        """Return the values of some rows."""
        return [self.original(row) for row in rows]

    def equals(self, other: Texts) -> bool:
        """Return whether these are the texts of `other`. If that cannot be decided quickly, return False."""
        return self is other

    @property
    def given_ids(self) -> Ids | None:
        """Return the ids that were given with the texts; None if there were none."""
        return self.ids

    @abstractmethod
    def loads(self) -> Iterator[Callable[[], Block]]:
        """Yield, in order, a function that makes each block. It is cheap to get: the work is done when it is called."""

    def blocks(self) -> Iterator[Block]:
        """Yield the texts as blocks, in order."""
        return (load() for load in self.loads())

    def some(self, rows: npt.NDArray[np.int64]) -> Texts:
        """Return some of the texts, by ascending rows, as a collection of their own, without ids."""
        return ListTexts([self[row] for row in rows.tolist()], limits=self.limits)

    def extent(self) -> int:
        """Return the approximate size of all texts: in characters, estimated from some texts, or in bytes.

        Reading the lengths of all texts takes a tenth of the time of reading them: strings are scattered in memory.
        """
        count = len(self)
        rows = sorted_unique(np.linspace(0, max(count - 1, 0), min(count, MEASURED_TEXTS)).astype(np.int64)).tolist()
        return sum(len(self[row]) for row in rows) * count // max(len(rows), 1)

    def lengths(self) -> npt.NDArray[np.int64]:
        """Return the length of each text in characters."""
        return np.fromiter((len(self[row]) for row in range(len(self))), dtype=np.int64, count=len(self))

    def id_of(self, row: int) -> int | str:
        """Return the id of a row."""
        return row if self.ids is None else self.ids[row]

    def ids_at(self, rows: npt.NDArray[np.int64]) -> pa.Array:
        """Return the ids of some rows as an Arrow array (int64 or string)."""
        return ids_column(self.ids, rows)

    def column(self, name: str, option: str = "keep") -> pa.ChunkedArray:
        """Return another column of the table, or of the files, that the texts come from; one value per row.

        `option` is the option that names it. Raises `ParameterError` if there are no columns, or none of this name.
        """
        if self.others is None and not len(self):  # no rows: it may be meant as a table
            import pyarrow as pa

            return pa.chunked_array([pa.nulls(0)])
        if self.others is None:
            raise ParameterError(
                f'{option}: "{name}" names a column, but the input is not a table; pass one value for each text'
            )
        return self.others(name, option)

    def place_of(self, row: int) -> str:
        """Return where a row is, in words."""
        return f"row {row:,}"

    def locate(self, rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Return the file (index in `sources`) and the record (from 1) of some rows; file 0 if there are no files."""
        return np.zeros(len(rows), dtype=np.int32), rows + 1

    def records_of(self, files: int) -> npt.NDArray[np.int64]:
        """Return how many texts each of the `files` has (int64)."""
        return np.bincount(self.locate(np.arange(len(self)))[0], minlength=files).astype(np.int64)


def ids_column(ids: Ids | None, rows: npt.NDArray[np.int64]) -> pa.Array:
    """Return the ids of some rows as an Arrow array; their positions if there are no ids."""
    import pyarrow as pa

    if ids is None:
        return arrow_of(rows.astype(np.int64, copy=False))
    kind = pa.int64() if not ids or isinstance(ids[0], int) else pa.string()
    return pa.array([ids[row] for row in rows.tolist()], type=kind)


class ListTexts(Texts):
    """Texts that are Python strings, in a sequence that nothing else changes."""

    at_hand = True

    def __init__(self, texts: Sequence[Any], *, limits: BlockLimits = BLOCK_LIMITS) -> None:
        self._texts, self.limits = texts, limits
        self._spare = BufferPool()

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_spare": BufferPool()}

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, row: int) -> str:
        text = self._texts[row]
        return text if type(text) is str else self._text(text, row)

    def original(self, row: int) -> Any:
        """Return the value of a row: a text, or the marker of a missing one."""
        return self._texts[row]

    def loads(self) -> Iterator[Callable[[], Block]]:
        """Yield a function that makes each block, in order."""
        places = self._places()
        if places is not None:
            yield from self._cut(places)
            return
        first = 0
        while first < len(self._texts):
            part, size = self._take(first)
            yield partial(self._load, first, part, size)
            first += len(part)

    def some(self, rows: npt.NDArray[np.int64]) -> Texts:
        """Return some of the texts, by ascending rows."""
        return ListTexts(_Picked(self._texts, rows), limits=self.limits)

    def _places(self) -> npt.NDArray[np.int64] | None:
        """Return where the texts are in memory, if that can be known (`dedup.sources.utf8.addresses`)."""
        if isinstance(self._texts, _Picked):
            places = addresses(self._texts.texts)
            return None if places is None else places[self._texts.rows]
        return addresses(self._texts)

    def _cut(self, places: npt.NDArray[np.int64]) -> Iterator[Callable[[], Block]]:
        """Yield a function that makes each block, of texts that are somewhere in memory; none of them is touched."""
        limits = self.limits
        for start in range(0, len(places), MEASURED_TOGETHER):
            lengths = measured(places[start : start + MEASURED_TOGETHER])
            for row in np.flatnonzero(lengths < 0).tolist():
                text = self._texts[start + row]
                lengths[row] = -1 - len(text) if isinstance(text, str) else -1
            plain = lengths >= 0
            every, count = bool(plain.all()), len(lengths)
            reach = np.zeros(count + 1, dtype=np.int64)
            np.cumsum(lengths if every else np.where(plain, lengths, -1 - lengths), out=reach[1:])
            first = before = 0
            while first < count:
                end = int(reach.searchsorted(before + limits.size))
                end = min(max(end, first + 1), first + limits.texts, count)
                after = int(reach[end])
                size, block = after - before, slice(start + first, start + end)
                before = after
                if every or plain[first:end].all():
                    yield partial(self._load_at, block, places[block], size)
                else:
                    yield partial(self._load, block.start, self._texts[block], size)
                first = end

    def _load_at(self, block: slice, places: npt.NDArray[np.int64], size: int) -> Block:
        """Return a block of plain strings at some addresses."""
        values = self._spare.take(4 * size + PADDING, np.uint8)
        ends = encode_at(places, values)
        if ends is not None:
            return _block(block.start, values, ends, self._spare)
        self._spare.give(values)
        return self._load(block.start, self._texts[block], size)

    def lengths(self) -> npt.NDArray[np.int64]:
        """Return the length of each text in characters."""
        if set(map(type, self._texts)) <= {str}:
            return np.fromiter(map(len, self._texts), dtype=np.int64, count=len(self._texts))
        return super().lengths()

    def _load(self, first: int, part: Sequence[Any], size: int) -> Block:
        texts = self._checked(part, first)
        if texts is not part:  # an object of a derived class may report any length
            size = sum(map(len, texts))
        return _encode(first, texts, size, self._spare)

    def _take(self, first: int) -> tuple[Sequence[Any], int]:
        """Return texts from `first` on, with enough characters for a block, and the number of their characters."""
        end, size, limits = first, 0, self.limits
        while size < limits.size and end - first < limits.texts and end < len(self._texts):
            few = self._texts[end : end + 32]
            try:
                size += sum(map(len, few))
            except TypeError:  # one of them is not a text; `_checked` reports it
                size += sum(len(text) for text in few if isinstance(text, str))
            end += len(few)
        return self._texts[first:end], size

    def _checked(self, part: Sequence[Any], first: int) -> Sequence[str]:
        if set(map(type, part)) == {str}:
            return part
        return [self._text(text, first + i) for i, text in enumerate(part)]

    def _text(self, text: object, row: int) -> str:
        """Return a text as a plain str, and a missing text as "". Raises `InputError` for anything else."""
        if isinstance(text, str):
            return str.__str__(text)  # itself, or the plain string of an object of a derived class
        missing = isinstance(text, (float, np.floating)) and text != text
        if text is None or missing or type(text).__name__ in ("NAType", "NaTType"):
            return ""
        where = f"at position {row}" + ("" if self.ids is None else f" (id {shown(self.ids[row])})")
        found = f"{type(text).__name__} {shown(text)}{_hint(text)}"
        raise InputError(f"expected a text (str or None) {where}, found {found}")


def _hint(text: object) -> str:
    """Return advice about a value that is not a text, if there is any."""
    if isinstance(text, (bytes, bytearray, memoryview)):
        return "; decode it first"
    if isinstance(text, os.PathLike):
        return "; to search files, pass dedup.files(paths)"
    if isinstance(text, Mapping) or is_dataclass(text) or hasattr(text, "_asdict"):
        return "; for records, pass a list of dicts and column=, or only their texts"
    if isinstance(text, (list, tuple)) or hasattr(text, "__array__"):
        return "; pass a flat list of texts, a dict of id to text, or a table with column="
    return ""


def _encode(first: int, texts: Sequence[str], size: int, spare: BufferPool) -> Block:
    values = spare.take(4 * size + PADDING, np.uint8)  # pages that nothing is written to take no memory
    return _block(first, values, encode_all(texts, values), spare)


def _block(first: int, values: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64], spare: BufferPool) -> Block:
    at = int(ends[-1]) if len(ends) else 0
    values[at : at + PADDING] = 0
    starts = np.zeros_like(ends)
    starts[1:] = ends[:-1]
    return Block(first, values[: at + PADDING], starts, ends, spare)


class _Picked(Sequence[Any]):
    """Some items of a sequence, by ascending rows: they are looked up when they are asked for."""

    def __init__(self, texts: Sequence[Any], rows: npt.NDArray[np.int64]) -> None:
        self.texts, self.rows = texts, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: Any) -> Any:
        rows = self.rows[place]
        return self.texts[rows] if rows.ndim == 0 else [self.texts[row] for row in rows.tolist()]

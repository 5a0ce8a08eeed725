"""Texts in Arrow columns, as blocks: their bytes are read in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.kernels.text_layout import PADDING
from dedup.sources.texts import BLOCK_LIMITS, Block, BlockLimits, Texts

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ArrowTexts", "block_of"]


class ArrowTexts(Texts):
    """Texts in an Arrow column of any string type."""

    at_hand = True

    def __init__(self, column: pa.ChunkedArray, *, limits: BlockLimits = BLOCK_LIMITS) -> None:
        self._column, self.limits = column, limits

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_column": _unshared(self._column)}

    def equals(self, other: Texts) -> bool:
        """Return whether these are the texts of `other`, if both are in Arrow columns; otherwise False."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not isinstance(other, ArrowTexts) or len(self) != len(other):
            return False
        both = [pc.fill_null(column.cast(pa.large_string()), "") for column in (self._column, other._column)]  # noqa: SLF001
        return pc.all(pc.equal(*both)).as_py() is not False

    def some(self, rows: npt.NDArray[np.int64]) -> Texts:
        """Return some of the texts, by ascending rows, without a copy."""
        return _SomeOfArrow(self, rows)

    def extent(self) -> int:
        """Return the bytes of all texts together."""
        return sum(int(offsets[-1] - offsets[0]) for _, offsets in self.chunks())

    def chunks(self) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]]:
        """Yield the bytes of each chunk, and the offsets of its texts (texts + 1). A missing text is empty."""
        import pyarrow as pa

        for chunk in self._column.chunks:
            large = chunk.cast(pa.large_string())
            if large.null_count:
                large = large.fill_null("")
            _, bounds, data = large.buffers()
            offsets = np.frombuffer(bounds, dtype=np.int64)[large.offset : large.offset + len(large) + 1]
            yield np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, dtype=np.uint8), offsets

    def __len__(self) -> int:
        return len(self._column)

    def __getitem__(self, row: int) -> str:
        return self._column[row].as_py() or ""

    def original(self, row: int) -> Any:
        """Return the value of a row: a text, or the marker of a missing one."""
        return self._column[row].as_py()

    def originals(self, rows: range | list[int]) -> list[Any]:
        """Return the values of some rows."""
        if isinstance(rows, range) and rows.step == 1:
            return self._column[rows.start : rows.stop].to_pylist()  # type: ignore[no-any-return]
        return super().originals(rows)

    def lengths(self) -> npt.NDArray[np.int64]:
        """Return the length of each text in characters; 0 for a missing text."""
        import pyarrow as pa
        import pyarrow.compute as pc

        lengths = pc.fill_null(pc.utf8_length(self._column.cast(pa.large_string())), 0)
        return np.asarray(lengths.to_numpy(), dtype=np.int64)

    def loads(self) -> Iterator[Callable[[], Block]]:
        """Yield a function that makes each block, in order."""
        first = 0
        for values, offsets in self.chunks():
            yield from _cut(first, values, offsets[:-1], offsets[1:], self.limits)
            first += len(offsets) - 1


def _unshared(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column that shares no buffer with a longer one: the pickle of a slice would have the whole column."""
    import pyarrow as pa

    if pa.types.is_string_view(column.type):  # a slice of string views keeps all buffers of the column
        return column.cast(pa.large_string())
    if column.get_total_buffer_size() <= 2 * column.nbytes + PADDING * (column.num_chunks + 1):
        return column
    return pa.chunked_array([pa.concat_arrays([chunk, chunk[:0]]) for chunk in column.chunks], type=column.type)


class _SomeOfArrow(Texts):
    """Some texts of an Arrow column, by ascending rows."""

    at_hand = True

    def __init__(self, whole: ArrowTexts, rows: npt.NDArray[np.int64]) -> None:
        self._whole, self._rows, self.limits = whole, rows, whole.limits

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, row: int) -> str:
        return self._whole[int(self._rows[row])]

    def original(self, row: int) -> Any:
        """Return the value of a row: a text, or the marker of a missing one."""
        return self._whole.original(int(self._rows[row]))

    def loads(self) -> Iterator[Callable[[], Block]]:
        """Yield a function that makes each block, in order."""
        first = passed = 0
        for values, offsets in self._whole.chunks():
            end = int(np.searchsorted(self._rows, passed + len(offsets) - 1))
            own = self._rows[first:end] - passed
            yield from _cut(first, values, offsets[own], offsets[own + 1], self.limits)
            first, passed = end, passed + len(offsets) - 1


def _cut(
    first: int,
    values: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    limits: BlockLimits,
) -> Iterator[Callable[[], Block]]:
    """Yield functions that make blocks of texts in one buffer."""
    reach = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(ends - starts)))
    at = 0
    while at < len(starts):
        end = int(np.searchsorted(reach, reach[at] + limits.size, side="right"))
        end = min(max(end, at + 1), at + limits.texts, len(starts))
        yield partial(_view, first + at, values, starts[at:end], ends[at:end])
        at = end


def block_of(first: int, column: pa.LargeStringArray) -> Block:
    """Return a column of texts as one block, without a copy if the buffer has enough bytes after the last text."""
    if column.null_count:
        column = column.fill_null("")
    _, bounds, data = column.buffers()
    offsets = np.frombuffer(bounds, dtype=np.int64)[column.offset : column.offset + len(column) + 1]
    values = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, np.uint8)
    return _view(first, values, offsets[:-1], offsets[1:])


def _view(
    first: int, values: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> Block:
    start, end = (int(starts[0]), int(ends[-1])) if len(starts) else (0, 0)
    if end + PADDING <= len(values):
        return Block(first, values, starts, ends)
    padded = np.zeros(end - start + PADDING, dtype=np.uint8)
    padded[: end - start] = values[start:end]
    return Block(first, padded, starts - start, ends - start)

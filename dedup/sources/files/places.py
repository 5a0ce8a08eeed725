"""Where the rows of a collection are in its files, and their names.

A row is the record `number` of a file. What is recorded per batch is enough to find it: rows within a batch are
consecutive, and the numbers of records usually are too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from dedup.runtime.arrays import sorted_unique
from dedup.sources.files.batch import FEW_TEXTS, Token
from dedup.sources.files.formats.named import DOCUMENTS
from dedup.sources.files.listing import Listing

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Names", "Part", "UserIds", "locate", "names_at", "runs"]


class Part(NamedTuple):
    """What is recorded per batch: where it begins, its first row, its file, its numbers.

    If the numbers are consecutive, only the first is recorded.
    """

    token: Token
    row: int
    file: int
    numbers: int | npt.NDArray[np.int64]

    def number(self, row: int) -> int:
        """Return the number of the record of a row."""
        i = row - self.row
        return self.numbers + i if isinstance(self.numbers, int) else int(self.numbers[i])


def runs(numbers: npt.NDArray[np.int64]) -> int | npt.NDArray[np.int64]:
    """Return only the first of some numbers if they are consecutive, else all of them."""
    return int(numbers[0]) if int(numbers[-1]) - int(numbers[0]) + 1 == len(numbers) else numbers


def locate(parts: Sequence[Part], rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Return the file and the number of the record of some rows."""
    first = np.array([part.row for part in parts], dtype=np.int64)
    which = np.searchsorted(first, rows, side="right") - 1
    files = np.array([part.file for part in parts], dtype=np.int32)[which]
    inside = rows - first[which]
    numbers = np.array([part.numbers if isinstance(part.numbers, int) else -1 for part in parts], dtype=np.int64)[which]
    gaps = numbers < 0
    numbers += inside
    for part in sorted_unique(which[gaps]).tolist():
        here = which == part
        numbers[here] = np.asarray(parts[part].numbers)[inside[here]]
    return files, numbers


def names_at(listing: Listing, files: npt.NDArray[np.int32], numbers: npt.NDArray[np.int64]) -> pa.StringArray:
    """Return "path:number" of some records; for a ``.txt`` file its path."""
    import pyarrow as pa

    if len(files) <= FEW_TEXTS:
        entries = [listing[file] for file in files.tolist()]
        return pa.array(
            [
                entry.path if entry.format in DOCUMENTS else f"{entry.path}:{number}"
                for entry, number in zip(entries, numbers.tolist(), strict=True)
            ],
            type=pa.string(),
        )
    import pyarrow.compute as pc

    paths = pa.array([entry.path for entry in listing], type=pa.string()).take(pa.array(files))
    names = pc.binary_join_element_wise(paths, pa.array(numbers).cast(pa.string()), ":")
    plain = np.array([entry.format in DOCUMENTS for entry in listing], dtype=np.bool_)[files]
    return pc.if_else(pa.array(plain), paths, names) if plain.any() else names


class Names(Sequence[str]):
    """The name of each row, "path:number", made when it is requested."""

    def __init__(self, place_of: Callable[[int], str], count: int) -> None:
        self._place_of, self._count = place_of, count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[str]: ...
    def __getitem__(self, row: int | slice) -> str | Sequence[str]:
        if isinstance(row, slice):
            return [self[i] for i in range(*row.indices(self._count))]
        if not -self._count <= row < self._count:
            raise IndexError(row)
        return self._place_of(row % self._count)


class UserIds(Sequence[Any]):
    """The ids of a column, converted to Python values when they are requested."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    def take(self, rows: npt.NDArray[np.int64]) -> pa.Array:
        """Return the ids of some rows."""
        import pyarrow as pa

        found = self._column.take(pa.array(rows))
        kind = pa.int64() if pa.types.is_integer(found.type) else pa.string()
        chunks = found.cast(kind).chunks
        return pa.concat_arrays(chunks) if chunks else pa.array([], type=kind)

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return self._column[row].to_pylist()
        return self._column[row].as_py()

"""The texts of a corpus whose files were read before: their ids and places are known, a text is read again when asked.

Ids are the user's, or made of the place when they are asked for: "path:number", of a ``.txt`` file its path. What is
held of a text is its number in its file (8 bytes), and the user's id; of a batch, where reading it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError
from dedup.hashing.shards import Shards, unpacked
from dedup.sources.arrow import block_of
from dedup.sources.files.listing import Listing
from dedup.sources.files.reader import read_batches
from dedup.sources.texts import Block, Ids, Texts

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["KnownTexts"]


class KnownTexts(Texts):
    """The texts of a listing, by what the shards hold of them.

    Attributes
    ----------
    sources : the paths of the files
    """

    def __init__(self, listing: Listing, column: str, id: str | None, shards: Shards) -> None:
        """Take over places and ids. Raises `InputError` where the user's ids are not of one type, each once."""
        self._listing, self._column = listing, column
        self.text_column, self.id_column = column, id
        self.sources = [entry.path for entry in listing]
        self.rejected = shards.total("rejects") + len(listing.rejects)
        batches, self._lengths, self._numbers, ids = [], [], [], []
        for number in range(len(shards)):
            rows = shards.rows(number)
            batches.append(rows["batches"].copy())
            self._lengths.append(rows["lengths"].copy())
            self._numbers.append(rows["numbers"].copy())
            if id is not None and shards.facts[number].texts:
                ids.append(unpacked(rows["ids"].copy())["id"])
        self._all_numbers = np.concatenate(self._numbers)
        self._all_lengths = np.concatenate(self._lengths)
        self._numbers, self._lengths = [], []
        table = np.concatenate(batches)
        table = table[table[:, 1] > 0]
        self._files, self._tokens = table[:, 0], table[:, 2:]
        self._ends = np.cumsum(table[:, 1])
        self._held: tuple[int, pa.LargeStringArray] | None = None
        self._names = None if id is None else self._checked(ids, id)

    def __len__(self) -> int:
        return len(self._all_numbers)

    def locate(self, rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Return the number of the file of some texts, and the number of their records in it."""
        return self._files[self._batch(rows)].astype(np.int32), self._all_numbers[rows]

    def _batch(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return np.searchsorted(self._ends, rows, side="right")

    def place_of(self, row: int) -> str:
        """Return "path:number" of a text; of a ``.txt`` file its path."""
        entry = self._listing[int(self._files[self._batch(np.array([row]))[0]])]
        return entry.path if entry.format == "txt" else f"{entry.path}:{self._all_numbers[row]}"

    def id_of(self, row: int) -> int | str:
        """Return the id of a text."""
        if self._names is None:
            return self.place_of(row)
        name: int | str = self._names[row].as_py()
        return name

    def ids_at(self, rows: npt.NDArray[np.int64]) -> pa.Array:
        """Return the ids of some texts as an Arrow array."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if self._names is not None:
            found = self._names.take(pa.array(rows))
            found = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
            return found.cast(pa.string()) if pa.types.is_large_string(found.type) else found
        files, numbers = self.locate(rows)
        paths = pa.array([entry.path for entry in self._listing], type=pa.string())
        places = pa.array([entry.format == "txt" for entry in self._listing])
        plain = paths.take(pa.array(files))
        named = pc.binary_join_element_wise(plain, pa.array(numbers).cast(pa.string()), ":")
        return pc.if_else(places.take(pa.array(files)), plain, named)

    @property
    def given_ids(self) -> Ids | None:
        """The user's ids; None where texts go by their places."""
        return None if self._names is None else self._names.to_pylist()

    def lengths(self) -> npt.NDArray[np.int64]:
        """Return the length of each text in characters."""
        return self._all_lengths

    def __getitem__(self, row: int) -> str:
        return self.original(row) or ""

    def original(self, row: int) -> str | None:
        """Return the text of a row, read again; None where it is null."""
        batch = int(self._batch(np.array([row]))[0])
        if self._held is None or self._held[0] != batch:
            after = self._tokens[batch].tolist()
            read = read_batches(self._listing, column=self._column, after=after)
            texts = next((each.texts for each in read if len(each.texts)), None)
            if texts is None:
                raise self._listing[int(self._files[batch])].lost()
            self._held = batch, texts
        start = int(self._ends[batch - 1]) if batch else 0
        value = self._held[1][row - start]
        return value.as_buffer().to_pybytes().decode("utf-8", "surrogatepass") if value.is_valid else None

    def loads(self) -> Iterator[Callable[[], Block]]:
        """Yield what makes each block, in order; the files are read here."""
        first = 0
        for batch in read_batches(self._listing, column=self._column):
            if len(batch.texts):
                yield lambda first=first, texts=batch.texts: block_of(first, texts)  # type: ignore[misc]
                first += len(batch.texts)

    def _checked(self, ids: list[pa.ChunkedArray], name: str) -> pa.ChunkedArray:
        import pyarrow as pa
        import pyarrow.compute as pc

        at = 0
        for column in ids:
            if column.type != ids[0].type:
                raise InputError(
                    f'id="{name}": expected one type, found {ids[0][0].as_py()!r} at {self.place_of(0)} and '
                    f"{column[0].as_py()!r} at {self.place_of(at)}"
                )
            at += len(column)
        names = pa.chunked_array([chunk for column in ids for chunk in column.chunks])
        if pc.count_distinct(names).as_py() < len(names):
            seen: dict[Any, int] = {}
            for row, value in enumerate(value.as_py() for value in names):
                if seen.setdefault(value, row) != row:
                    places = f"{self.place_of(seen[value])} and at {self.place_of(row)}"
                    raise InputError(f'id="{name}": expected each once, found {value!r} at {places}')
        return names

"""Documents: those of linked units as a collection, whose texts are fetched when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.distributed.texts.files import FileInput, place_in
from dedup.distributed.transport.keys import Keys
from dedup.sources.files.places import names_at
from dedup.sources.texts import Block, Texts

__all__ = ["Fetching", "LinkedRecords", "LinkedTexts"]

Rows = npt.NDArray[np.int64]

Fetching = Callable[[pa.Array, Keys], Iterator[pa.RecordBatch]]
"""What returns the ids and texts of some documents, by their ids, and by their keys, which ascend."""


class LinkedTexts(Texts):
    """The documents of linked units: their ids, and their texts when they are asked for.

    `fetch` returns the texts of some documents, as batches of id and text (bytes).
    """

    def __init__(self, ids: pa.Array, keys: Keys, column: str, fetch: Fetching) -> None:
        self._ids, self._keys, self.text_column = ids, keys, column
        self._fetch = fetch
        self._texts: dict[Any, str] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def load(self, rows: Rows) -> None:
        """Fetch some texts at once."""
        missing = [row for row in np.unique(rows).tolist() if self._ids[row].as_py() not in self._texts]
        if missing:
            for batch in self._fetch(self._ids.take(pa.array(missing)), np.sort(self._keys[missing])):
                for name, data in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    self._texts[name] = _decoded(data)

    def __getitem__(self, row: int) -> str:
        self.load(np.array([row]))
        return self._texts[self._ids[row].as_py()]

    def original(self, row: int) -> Any:
        """Return the text of a row."""
        return self[row]

    def loads(self) -> Iterator[Callable[[], Block]]:
        """Yield nothing: the texts are not here."""
        return iter(())

    def id_of(self, row: int) -> int | str:
        """Return the id of a row."""
        return self._ids[row].as_py()  # type: ignore[no-any-return]

    def ids_at(self, rows: Rows) -> pa.Array:
        """Return the ids of some rows as an Arrow array."""
        return self._ids.take(pa.array(rows))


def _decoded(data: bytes) -> str:
    """Return a text; an engine may hold bytes that are no UTF-8."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


class LinkedRecords(LinkedTexts):
    """Records of files, by their ids (`dedup.distributed.texts.files.record_id`).

    `given` are the ids that the user gave them; None: they are named by their places.
    """

    def __init__(
        self, files: FileInput, given: pa.Array | None, ids: pa.Array, keys: Keys, column: str, fetch: Fetching
    ) -> None:
        super().__init__(ids, keys, column, fetch)
        self._files, self._given = files, given
        self._places = place_in(ids.to_numpy())

    @property
    def sources(self) -> list[str]:  # type: ignore[override]
        """Return the paths of all files."""
        return [entry.path for entry in self._files.listing]

    @property
    def rejected(self) -> int:  # type: ignore[override]
        """Return how many records could not be read."""
        return len(self._files.rejects)

    def records_of(self, files: int) -> Rows:  # noqa: ARG002  (their number is known)
        """Return how many texts each file has, whether they are linked or not."""
        return self._files.records

    def locate(self, rows: Rows) -> tuple[npt.NDArray[np.int32], Rows]:
        """Return the file and the number of the record of some rows."""
        return self._places[0][rows], self._places[1][rows]

    def id_of(self, row: int) -> int | str:
        """Return the id of a row: the user's, or its place."""
        return self.ids_at(np.array([row]))[0].as_py()  # type: ignore[no-any-return]

    def ids_at(self, rows: Rows) -> pa.Array:
        """Return the ids of some rows as an Arrow array."""
        if self._given is None:
            return names_at(self._files.listing, *self.locate(rows))
        return self._given.take(pa.array(rows)).cast(_plain(self._given.type))


def _plain(kind: pa.DataType) -> Any:
    return pa.int64() if pa.types.is_integer(kind) else pa.string()

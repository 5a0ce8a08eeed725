"""The texts of files as a collection: searched like a list, but not held in memory.

The first reading records, for each batch, where it begins and how many texts it has, and for each text the user's id.
A text that is requested later is read again, with its batch. A compressed file is then read from its beginning, unless
the texts are requested in order. Lengths are read again too.
"""

from __future__ import annotations

import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError, ParameterError
from dedup.runtime.threads import lock
from dedup.sources.arrow import block_of
from dedup.sources.column_places import ColumnPlaces
from dedup.sources.columns import Columns
from dedup.sources.files.batch import BATCH_LIMITS, Batch, BatchLimits, any_text, lengths_of
from dedup.sources.files.decompress import seekable
from dedup.sources.files.formats.named import DOCUMENTS
from dedup.sources.files.listing import Listing
from dedup.sources.files.places import Names, Part, UserIds, locate, names_at, runs
from dedup.sources.files.reader import BEGIN, read_batches, read_column_places
from dedup.sources.files.rejects import Errors, Reject, check_extra, no_texts
from dedup.sources.files.sampling import Outline, sample_files
from dedup.sources.texts import BLOCK_LIMITS, Block, BlockLimits, Ids, Texts
from dedup.terminal import clean

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FileTexts"]

HELD = 4
"""Batches that are held after they were read again."""

USUAL_RATIO = 3
"""Bytes of text per compressed byte, for a rough estimate of the texts."""


class FileTexts(Texts):
    """The texts of files, read when they are requested; see the docstring of the module.

    Attributes
    ----------
    rejects : the records that could not be read so far, in order
    """

    def __init__(
        self,
        listing: Listing,
        column: str,
        id: str | None,
        errors: Errors,
        tell: Callable[[Reject], None] | None = None,
        batches: BatchLimits = BATCH_LIMITS,
        limits: BlockLimits = BLOCK_LIMITS,
    ) -> None:
        self._listing, self._column, self._id, self._errors, self._tell = listing, column, id, errors, tell
        self._batches, self.limits = batches, limits
        self.text_column, self.id_column = column, id
        self._note = listing.check_column(column)
        self.rejects: list[Reject] = []
        self._rejected = 0
        self._parts: list[Part] = []
        self._rows: list[int] = []
        self._count = -1
        self._lengths: npt.NDArray[np.int64] | None = None
        self._column_places: ColumnPlaces | None = None
        self._names: Ids | None = None
        self._held: dict[int, pa.LargeStringArray] = {}
        self._going: tuple[int, Iterator[Batch]] | None = None
        self._lock = lock()

    @classmethod
    def known(
        cls,
        listing: Listing,
        column: str,
        id: str | None,
        *,
        parts: list[Part],
        lengths: npt.NDArray[np.int64],
        ids: list[tuple[int, pa.Array | pa.ChunkedArray]],
        rejected: int,
    ) -> FileTexts:
        """Return the texts of files that were read already, so that no first reading is needed.

        Parameters
        ----------
        parts : what is recorded per batch with a text, in order
        lengths : int64, of each text, in characters
        ids : pieces of the column `id`, in order, each with its first row
        rejected : how many records could not be read

        Raises `InputError` if the user's ids are not of one type, or not unique.
        """
        texts = cls(listing, column, id, Errors())
        texts._rejected, texts._lengths = rejected, lengths
        texts._take(parts, ids, len(lengths))
        return texts

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_tell": None, "_held": {}, "_going": None, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = lock()

    def bound(self, memory: int | None) -> None:
        """Reject records that are too large for a bound on memory; called before the first reading."""
        if memory is not None and self._count < 0:
            self._listing = self._listing.bounded(memory)

    # the first reading

    def __len__(self) -> int:
        if self._count < 0:
            for _ in self._first_reading():
                pass
        return self._count

    @property
    def ids(self) -> Ids:  # type: ignore[override]  # known only when the files have been read
        """Return the user's ids, or "path:number"; the id of a ``.txt`` file is its path."""
        len(self)
        assert self._names is not None
        return self._names

    @property
    def given_ids(self) -> Ids | None:
        """Return the user's ids; None if texts are identified by their places."""
        return None if self._id is None else self.ids

    def about(self) -> int:
        """Return the number of texts; an estimate from the first batch, if they have not been read yet."""
        if self._count >= 0:
            return self._count
        texts = sum(entry.format in DOCUMENTS for entry in self._listing)
        others = [i for i, entry in enumerate(self._listing) if entry.format not in DOCUMENTS]
        if not others:
            return texts
        batch = next(self._read(after=[others[0], 0, 1]), None)
        if batch is None or not len(batch.texts):
            return texts + 1
        entry = self._listing[others[0]]
        seen = batch.more[1] if batch.offsets is not None else max(batch.texts.nbytes, 1)
        whole = entry.size * (USUAL_RATIO if entry.compression or batch.offsets is None else 1)
        if batch.more[0] != batch.file:  # all was read
            seen = whole
        size = sum(self._listing[i].size for i in others)
        share = min(max(seen / max(whole, 1), 1e-9), 1.0) * entry.size / max(size, 1)
        return texts + max(round(len(batch.texts) / share), 1)

    def _read(self, **what: Any) -> Iterator[Batch]:
        return read_batches(self._listing, column=self._column, limits=self._batches, **what)

    def _first_reading(self) -> Iterator[tuple[int, Batch]]:
        """Yield the batches with their first rows, and record what is needed to read them again."""
        token, rows = BEGIN, 0
        parts: list[Part] = []
        ids: list[tuple[int, pa.Array | pa.ChunkedArray]] = []
        self.rejects.clear()
        self._reject(self._listing.rejects, 0)
        filled = False
        for batch in self._read(id=self._id):
            self._reject(batch.rejects, rows + len(batch.texts))
            if len(batch.texts):
                filled = filled or any_text(batch.texts)
                parts.append(Part(token, rows, batch.file, runs(batch.numbers)))
                if batch.ids is not None:
                    ids.append((rows, batch.ids))
                yield rows, batch
                rows += len(batch.texts)
            token = batch.more
        first = self.rejects[0] if self.rejects else None
        self._errors.check(len(self.rejects), rows + len(self.rejects), first, done=True)
        if not (filled or (self.may_be_empty and not rows and first is None)):
            found = f"nothing but white space in {rows:,} text{'s' * (rows != 1)} of" if rows else "none in"
            raise no_texts(self._listing.some(), found, first, len(self.rejects))
        self._take(parts, ids, rows)
        self.warn(rows)

    def note(self, reject: Reject) -> None:
        """Add a reject from a reading by another module (`dedup.pipelines.find_files`)."""
        self.rejects.append(reject)
        if self._tell is not None:
            self._tell(reject)

    def warn(self, rows: int) -> None:
        """Warn about records that were not searched, unless a function gets each, or no warning is wanted.

        `rows` is the number of texts that were searched.
        """
        if self._tell is None and self._errors.on_error == "quarantine":
            self._warn(rows, self.rejects[0] if self.rejects else None)

    def _warn(self, rows: int, first: Reject | None) -> None:
        """Warn about what was not searched, or not in the requested way."""
        if first is not None:
            warnings.warn(
                f"{len(self.rejects):,} of {rows + len(self.rejects):,} records were rejected and not searched (the "
                f"first: {clean(first)}); see .rejects of the files",
                stacklevel=2,
            )
        if self._listing.unread:
            how = 'name them or a pattern, and give their format with format=, or pass on_error="skip"'
            warnings.warn(f"{clean(self._listing.unread)}; {how}", stacklevel=2)
        if self._note:
            warnings.warn(clean(self._note), stacklevel=2)

    def _reject(self, rejects: Sequence[Reject], texts: int) -> None:
        for reject in rejects:
            self.note(reject)
        if rejects:
            self._errors.check(len(self.rejects), texts + len(self.rejects), self.rejects[0], done=False)

    def _take(self, parts: list[Part], ids: list[tuple[int, pa.Array | pa.ChunkedArray]], count: int) -> None:
        """Record the result of a reading: where the texts are, and the user's ids."""
        self._parts, self._rows = parts, [part.row for part in parts]
        self._names = Names(self.place_of, count) if self._id is None else self._checked(ids)
        self._count = count

    def _checked(self, ids: list[tuple[int, pa.Array | pa.ChunkedArray]]) -> UserIds:
        """Return the user's ids. Raises `InputError` if they are not of one type, or not unique."""
        import pyarrow as pa
        import pyarrow.compute as pc

        for row, values in ids:
            if values.type != ids[0][1].type:
                first = f"{ids[0][1][0].as_py()!r} at {self.place_of(0)}"
                other = f"{values[0].as_py()!r} at {self.place_of(row)}"
                raise InputError(f'id="{self._id}": expected one type, found {first} and {other}')
        kind = ids[0][1].type if ids else pa.string()
        column = pa.chunked_array([chunk for _, values in ids for chunk in getattr(values, "chunks", [values])], kind)
        if pc.count_distinct(column).as_py() < len(column):
            seen: dict[Any, int] = {}
            for row, value in enumerate(value.as_py() for value in column):
                if seen.setdefault(value, row) != row:
                    places = f"{self.place_of(seen[value])} and at {self.place_of(row)}"
                    raise InputError(f'id="{self._id}": expected unique ids, found {value!r} at {places}')
        return UserIds(column)

    # the texts

    def loads(self) -> Iterator[Callable[[], Block]]:
        """Yield a function that makes each block, in order; files are read here, and small batches are joined."""
        waiting: list[pa.LargeStringArray] = []
        first = size = count = 0
        for row, batch in self._first_reading() if self._count < 0 else self._again():
            if not waiting:
                first = row
            waiting.append(batch.texts)
            size, count = size + batch.texts.nbytes, count + len(batch.texts)
            if size >= self.limits.size // 2 or count >= self.limits.texts:
                yield partial(_block, first, waiting)
                waiting, size, count = [], 0, 0
        if waiting:
            yield partial(_block, first, waiting)

    def _again(self) -> Iterator[tuple[int, Batch]]:
        row = 0
        for batch in self._read(id=self._id):
            if len(batch.texts):
                yield row, batch
                row += len(batch.texts)

    def lengths(self) -> npt.NDArray[np.int64]:
        """Return the length of each text in characters; reads the files, if they are not known."""
        if self._lengths is None:
            reading = self._first_reading() if self._count < 0 else self._again()
            self._lengths = np.concatenate([lengths_of(batch.texts) for _, batch in reading])
        return self._lengths

    @property
    def column_places(self) -> ColumnPlaces | None:  # type: ignore[override]  # read when it is asked for
        """Where each of several columns is in the texts; reads the files. Memory: 8 bytes per text and column."""
        if self._column_places is None and isinstance(self._column, Columns):
            self._column_places = read_column_places(self._listing, self._column, len(self), self._batches)
        return self._column_places

    def place_of(self, row: int) -> str:
        """Return "path:number" of a row; for a ``.txt`` file its path."""
        part = self._parts[bisect_right(self._rows, row) - 1]
        entry = self._listing[part.file]
        return entry.path if entry.format in DOCUMENTS else f"{entry.path}:{part.number(row)}"

    @property
    def listing(self) -> Listing:
        """Return the files."""
        return self._listing

    @property
    def errors(self) -> Errors:
        """Return what is done about records that cannot be read."""
        return self._errors

    def outline(self) -> Outline | None:
        """Return how much text there is, from a sample; None if the files are small, or have been read."""
        return sample_files(self._listing, self._column) if self._count < 0 else None

    @property
    def sources(self) -> list[str]:  # type: ignore[override]
        """Return the paths of the files."""
        return [entry.path for entry in self._listing]

    @property
    def rejected(self) -> int:  # type: ignore[override]
        """Return how many records could not be read so far."""
        return len(self.rejects) or self._rejected

    def locate(self, rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Return the file (index in ``sources``) and the number of the record of some rows."""
        len(self)
        return locate(self._parts, rows)

    def row_at(self, file: int, record: int) -> int:
        """Return the row of a record, by the index of its file. Raise `InputError` if it is not there."""
        len(self)
        at = bisect_right(self._parts, (file, record), key=lambda part: (part.file, part.number(part.row))) - 1
        if at >= 0 and self._parts[at].file == file:
            part = self._parts[at]
            numbers = part.numbers
            inside = record - numbers if isinstance(numbers, int) else int(np.searchsorted(numbers, record))
            row, end = part.row + inside, self._rows[at + 1] if at + 1 < len(self._rows) else self._count
            if row < end and part.number(row) == record:
                return row
        entry = self._listing[file]
        raise InputError(f"{entry.path}:{record}: expected the record that was searched, found none; search again")

    def ids_at(self, rows: npt.NDArray[np.int64]) -> pa.Array:
        """Return the ids of some rows as an Arrow array (int64 or string)."""
        len(self)
        return (
            self._names.take(rows) if isinstance(self._names, UserIds) else names_at(self._listing, *self.locate(rows))
        )

    def column(self, name: str, option: str = "keep") -> pa.ChunkedArray:
        """Return another column of the files, a value per row; null for ``.txt`` files. Cost: one more reading."""
        import pyarrow as pa

        check_extra(option, name, (entry.format for entry in self._listing), self._listing.some())
        batches = self._read(id=self._id, extra={name: option})
        parts = [pa.table({name: batch.extra[name]}) for batch in batches if len(batch.texts)]
        try:
            return pa.concat_tables(parts, promote_options="permissive").column(0)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise ParameterError(f'{option}: expected values of one kind in the column "{name}"; {error}') from error

    def check_column(self, name: str, option: str) -> None:
        """Raise the error of `column` if the first records of the files have no such column."""
        check_extra(option, name, (entry.format for entry in self._listing), self._listing.some())
        next(self._read(id=self._id, extra={name: option}), None)

    def __getitem__(self, row: int) -> str:
        return self.original(row) or ""

    def original(self, row: int) -> str | None:
        """Return the text of a row; None if it is null."""
        if not 0 <= row < len(self):
            raise IndexError(row)
        number = bisect_right(self._rows, row) - 1
        with self._lock:
            texts = self._texts_of(number)
        value = texts[row - self._rows[number]]
        return value.as_buffer().to_pybytes().decode("utf-8", "surrogatepass") if value.is_valid else None

    def _texts_of(self, number: int) -> pa.LargeStringArray:
        """Return the texts of a batch, which is held or is read again."""
        if number in self._held:
            return self._held[number]
        part = self._parts[number]
        at, reading = self._going or (-1, iter(()))
        if at != number and (not 0 <= at <= number or seekable(self._listing[part.file])):
            at, reading = number, self._read(id=self._id, after=part.token)
        while True:
            batch = next(reading, None)
            if batch is None:
                raise self._listing[part.file].lost()
            if not len(batch.texts):
                continue
            at += 1
            self._held[at - 1] = batch.texts
            if len(self._held) > HELD:
                self._held.pop(next(iter(self._held)))
            if at > number:
                self._going = (at, reading)
                return batch.texts


def _block(first: int, texts: list[pa.LargeStringArray]) -> Block:
    import pyarrow as pa

    return block_of(first, texts[0] if len(texts) == 1 else pa.concat_arrays(texts))

"""The log of an index: a row for each document, the sets, the ids that are texts, and the texts. It only grows.

A row is ten words of 64 bits:

====  ============================================================================================
word  has
====  ============================================================================================
0     the number of the first of its exact copies, itself if there is none, and (low half) the size of its set
1     the place of its set in the file of sets, in hashes
2, 3  the digest of its tokens, and of its symbols if these are distinct
4     the seal of its set (`dedup.kernels.index_sets`)
5     its id, as int64; for an id that is a text: its place in the file of ids, and (low 24 bits) its length in bytes
6     its group: documents of one group and another digest are no pair; 0 if nothing is distinct
7, 8  its forms (`dedup.hashing.forms`): characters, and numbers
9     the seal of the row: of the nine words, of the number of the document, and of the bytes of its id
====  ============================================================================================

A row is compared with its seal before it is reported, and a set before it is compared with another one. So what is
damaged is never an answer. Texts have frames (`dedup.index.log.texts`), if they are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from dedup.errors import InputError, StorageError
from dedup.hashing.forms import CHARACTERS, NUMBERS
from dedup.hashing.units import HashedBlock, HashRows, HashSets
from dedup.index.log.texts import Frames, Kept, seal_frames, unpack
from dedup.index.manifest import CHECK_IT, WORDS_PER_FRAME, WORDS_PER_ROW, Manifest
from dedup.index.postings.tables import mapped
from dedup.index.settings import Settings
from dedup.options import shown
from dedup.pairs.kept_apart import groups_of, told_apart
from dedup.storage.appended_file import AppendedFile

__all__ = [
    "DIFFERING",
    "MARK_WORDS",
    "SEAL_WORD",
    "Log",
    "MarkedSets",
    "Stored",
    "damaged",
    "encode_ids",
    "firsts_of",
    "kind_of_ids",
    "marked",
    "refuse_id",
    "rows_of",
    "seal_rows",
    "seal_sets",
    "sets_of",
    "sizes_of",
]

MOST_DOCUMENTS = (1 << 31) - 1
"""Documents of an index: so a number and a size fit in a word."""


class MarkedSets(NamedTuple):
    """The sets of some texts, as in `HashSets`, and for each text a row of `marks` (uint64, n x 5).

    A mark is the digest of a text, two words, its group, and its forms: the words 2, 3, 6, 7 and 8 of a row of the log.
    `kept` is what else is kept of the texts, if anything is.
    """

    values: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    marks: npt.NDArray[np.uint64]
    kept: Kept | None = None

    @property
    def sets(self) -> HashSets:
        """Return only the sets."""
        return HashSets(self.values, self.offsets, self.sizes)

    def take(self, which: npt.NDArray[np.int64]) -> MarkedSets:
        """Return some of them; their hashes are not copied."""
        kept = None if self.kept is None else self.kept.take(which)
        return MarkedSets(self.values, self.offsets[which], self.sizes[which], self.marks[which], kept)


MARK_WORDS = [2, 3, 6, 7, 8]
"""The words of a row that are the mark of its text."""

DIFFERING = (CHARACTERS, NUMBERS)
"""The forms of a text that a row has: they say what two texts of a pair differ in."""

SEAL_WORD = WORDS_PER_ROW - 1

LENGTH_BITS = 24
"""Bits of the length of an id that is a text."""

Rows = npt.NDArray[np.uint64]


def firsts_of(rows: Rows) -> npt.NDArray[np.int64]:
    """Return, for each row, the number of the first of its exact copies."""
    return (rows[:, 0] >> np.uint64(32)).astype(np.int64)


def sizes_of(rows: Rows) -> npt.NDArray[np.int64]:
    """Return the size of the set of each row."""
    return (rows[:, 0] & np.uint64(0xFFFFFFFF)).astype(np.int64)


def check_lengths(ids: list[str]) -> None:
    """Raise `InputError` if an id is too long for a row."""
    for name in ids:
        if len(name) >= 1 << (LENGTH_BITS - 2) and len(name.encode()) >= 1 << LENGTH_BITS:
            raise InputError(
                f"ids: expected at most {(1 << LENGTH_BITS) - 1:,} bytes, found {len(name.encode()):,} in "
                f"{shown(name)}; shorten it"
            )


def encode_ids(ids: list[str], at: int) -> tuple[npt.NDArray[np.uint64], bytes, npt.NDArray[np.uint64]]:
    """Return the word of each id for its row, the bytes to append to the ids at place `at`, and the hash of each."""
    check_lengths(ids)
    encoded = [each.encode() for each in ids]
    lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
    starts = at + np.cumsum(lengths) - lengths
    words = (starts << LENGTH_BITS | lengths).view(np.uint64)
    hashes = np.fromiter(map(xxhash.xxh3_64_intdigest, encoded), dtype=np.uint64, count=len(encoded))
    return words, b"".join(encoded), hashes


def seal_rows(rows: Rows, numbers: npt.NDArray[np.int64], hashes: npt.NDArray[np.uint64] | None) -> Rows:
    """Return the seal of each row; `hashes` are those of ids that are texts."""
    from dedup.kernels import index_sets as kernels

    seals = np.empty(len(rows), dtype=np.uint64)
    kernels.seal_rows(np.ascontiguousarray(rows), np.ascontiguousarray(numbers), seals)
    return seals if hashes is None else seals ^ hashes


def seal_sets(sets: HashSets, which: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Return the seal of the set of each row of `which`; 0 if it is not within the hashes."""
    from dedup.kernels import index_sets as kernels

    seals = np.empty(len(which), dtype=np.uint64)
    kernels.seal_sets(sets.values, sets.offsets[which], sets.sizes[which], seals)
    return seals


def rows_of(
    texts: MarkedSets,
    firsts: npt.NDArray[np.int64],
    base: int,
    hashes: int,
    read: Callable[[npt.NDArray[np.int64]], Rows],
) -> Rows:
    """Return the rows of new documents, the first of which is number `base`, without their ids and seals.

    `firsts` has the first copy of each. The sets of those that are no copies come after `hashes` others. `read` returns
    the rows of documents before `base`.
    """
    sets, numbers = texts.sets, np.arange(base, base + len(firsts), dtype=np.int64)
    leading = firsts == numbers
    new = np.flatnonzero(leading)
    rows = np.zeros((len(firsts), WORDS_PER_ROW), dtype=np.uint64)
    rows[:, 0] = (firsts << 32 | sets.sizes).view(np.uint64)
    rows[:, MARK_WORDS] = texts.marks
    sizes = sets.sizes[new]
    rows[new, 1] = (hashes + np.cumsum(sizes) - sizes).view(np.uint64)
    rows[new, 4] = seal_sets(sets, new)
    if len(new) == len(firsts):
        return rows
    copies = np.flatnonzero(~leading)
    older = firsts[copies] < base
    earlier, within = read(firsts[copies[older]]), firsts[copies[~older]] - base
    rows[copies[older], 1], rows[copies[older], 4] = earlier[:, 1], earlier[:, 4]
    rows[copies[~older], 1], rows[copies[~older], 4] = rows[within, 1], rows[within, 4]
    return rows


def sets_of(rows: HashRows) -> HashSets:
    """Return the sets of hashed texts, made in their memory."""
    from dedup.kernels.sets import distinct

    sizes = np.zeros(len(rows.offsets) - 1, dtype=np.int64)
    distinct(rows.values, rows.offsets, sizes, np.arange(len(sizes), dtype=np.int64))
    return HashSets(rows.values, rows.offsets[:-1], sizes)


def marked(block: HashedBlock, settings: Settings) -> MarkedSets:
    """Return the sets of hashed texts, made in their memory, and their marks, with those forms that were made."""
    marks = np.zeros((block.texts, len(MARK_WORDS)), dtype=np.uint64)
    marks[:, :2] = told_apart(block, settings.distinct)
    if settings.distinct:
        marks[:, 2] = groups_of(block, settings.distinct)[0]
    for word, form in enumerate(DIFFERING, start=3):
        if form in block.forms:
            marks[:, word] = block.forms[form]
    return MarkedSets(*sets_of(block.rows), marks)


class Log:
    """The files of the log, open for appending."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """Open the files and cut off what no manifest names; those of an empty index are made."""
        self._files: dict[str, AppendedFile] = {}
        try:
            for kind, size in manifest.log_sizes.items():
                self._files[kind] = AppendedFile(folder / manifest.log_name(kind), size)
        except BaseException:
            self.close()
            raise

    def append(self, rows: Rows, sets: npt.NDArray[np.uint64], ids: bytes, frames: Frames, texts: bytes) -> None:
        """Append rows, the sets of new documents, the bytes of ids, and frames with their texts."""
        parts: tuple[npt.NDArray[np.uint64] | bytes, ...] = (rows.reshape(-1), sets, ids, frames.reshape(-1), texts)
        for kind, data in zip(("rows", "sets", "ids", "frames", "texts"), parts, strict=True):
            if len(data):
                self._files[kind].append(data)

    def write(self) -> None:
        """Write what was appended, so that it can be mapped."""
        for file in self._files.values():
            file.write()

    def sync(self) -> None:
        """Write and sync what was appended."""
        for file in self._files.values():
            file.sync()

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()


class Stored:
    """The log, mapped, as far as a manifest counts it.

    `named` is whether ids are texts.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.path = folder / manifest.log_name("rows")
        maps = {kind: mapped(folder / manifest.log_name(kind), size) for kind, size in manifest.log_sizes.items()}
        self.rows: Rows = maps["rows"].view(np.uint64).reshape(-1, WORDS_PER_ROW)
        self.sets: npt.NDArray[np.uint64] = maps["sets"].view(np.uint64)
        self.id_bytes = maps["ids"]
        nothing = np.empty(0, dtype=np.uint8)
        self.frames: Frames = maps.get("frames", nothing).view(np.uint64).reshape(-1, WORDS_PER_FRAME)
        self.text_bytes = maps.get("texts", nothing)
        self.named = manifest.ids == "str"

    def __len__(self) -> int:
        return len(self.rows)

    def sealed(self, numbers: npt.NDArray[np.int64]) -> tuple[Rows, list[int] | list[str], npt.NDArray[np.bool_]]:
        """Return the rows of some documents, their ids, and which of the rows fit their seals."""
        rows = self.rows[numbers]
        if not self.named:
            return rows, rows[:, 5].astype(np.int64).tolist(), rows[:, SEAL_WORD] == seal_rows(rows, numbers, None)
        encoded = []
        for word in rows[:, 5].tolist():
            start, length = word >> LENGTH_BITS, word & ((1 << LENGTH_BITS) - 1)
            encoded.append(self.id_bytes[start : start + length].tobytes())
        hashes = np.fromiter(map(xxhash.xxh3_64_intdigest, encoded), dtype=np.uint64, count=len(encoded))
        fits = rows[:, SEAL_WORD] == seal_rows(rows, numbers, hashes)
        return rows, [each.decode("utf-8", "replace") for each in encoded], fits

    def read(self, numbers: npt.NDArray[np.int64]) -> tuple[Rows, list[int] | list[str]]:
        """Return the rows of some documents and their ids. Raises `StorageError` if one is damaged."""
        rows, ids, fits = self.sealed(numbers)
        if not fits.all():
            damaged(self.path, int(numbers[np.flatnonzero(~fits)[0]]))
        return rows, ids

    def packed(self, numbers: npt.NDArray[np.int64]) -> tuple[list[bytes], Frames, npt.NDArray[np.bool_]]:
        """Return the bytes of the texts of some documents, their frames, and which of these fit their seals."""
        frames = self.frames[numbers]
        fits = frames[:, 4] == seal_frames(frames, numbers)
        places = zip(frames[:, 0].tolist(), frames[:, 1].tolist(), fits.tolist(), strict=True)
        return [self.text_bytes[at : at + size].tobytes() if fit else b"" for at, size, fit in places], frames, fits

    def texts(self, numbers: npt.NDArray[np.int64]) -> list[bytes]:
        """Return the UTF-8 of the texts of some documents. Raises `StorageError` if one is damaged."""
        found = self.unpacked(numbers)
        whole = [text for text in found if text is not None]
        if len(whole) < len(found):
            damaged(self.path, int(numbers[found.index(None)]))
        return whole

    def unpacked(self, numbers: npt.NDArray[np.int64]) -> list[bytes | None]:
        """Return the UTF-8 of the texts of some documents, None for one that is damaged."""
        packed, frames, fits = self.packed(numbers)
        found: list[bytes | None] = [None] * len(packed)
        good = np.flatnonzero(fits)
        for place, text in zip(good.tolist(), unpack([packed[i] for i in good.tolist()], frames[good]), strict=True):
            found[place] = text
        return found


def damaged(path: Path, number: int) -> None:
    """Raise the error for a document that does not fit its seal."""
    raise StorageError(
        f"expected document number {number:,} of the index in {path.parent} as it was written, found other bytes: the "
        f"index is damaged; {CHECK_IT}"
    )


def refuse_id(name: Any, advice: str, place: str = "") -> None:
    """Raise the error for an id that is in the index already, at a place in the texts."""
    at = f" at {place}" if place and place != name else ""  # the id of a record without one is its place
    raise InputError(f"ids: expected new ids, found {shown(name)}{at}, which is in the index already; {advice}")


def kind_of_ids(manifest: Manifest, ids: Sequence[Any] | None, count: int) -> str:
    """Return how `count` texts are named: "auto", "int", "str".

    Raises `InputError` if those before were named otherwise, an id is too long, or there are too many.
    """
    if manifest.documents + count > MOST_DOCUMENTS:
        raise InputError(
            f"expected at most {MOST_DOCUMENTS:,} documents in an index, removed ones included, found "
            f"{manifest.documents + count:,}; compact it, or begin another one"
        )
    kind = "auto" if ids is None else "str" if len(ids) and isinstance(ids[0], str) else "int"
    if kind == "str" and isinstance(ids, list):
        check_lengths(ids)
    known = manifest.ids
    if not count and known is not None:
        return known
    if known is not None and known != kind and (ids is None or len(ids)):
        words = {"auto": "none (running numbers)", "int": "ids that are integers", "str": "ids that are str"}
        raise InputError(
            f"ids: expected {words[known]}, as the documents of the index have, found {words[kind]}; name these texts "
            "in the same way"
        )
    return kind

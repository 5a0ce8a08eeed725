"""The manifest of an index: the commit point. What it does not name is not there.

::

    lock                       held by the writer
    manifest.json              one generation: what is in the index, with a checksum of its own; replaced at each commit
    rows-1.dedup               ten words a document             (`dedup.index.log.rows`)
    sets-1.dedup               the sets, one after the other
    ids-1.dedup                the bytes of ids that are texts
    frames-1.dedup             five words a document            (`dedup.index.log.texts`; only with store="text")
    texts-1.dedup              the texts, compressed            (the same)
    segment-7-shingles.dedup   postings                          (`dedup.index.postings.tables`)
    bits-12.dedup              two bits a document: removed, and has copies

The number in the names of the first five is the epoch: `compact` writes new ones. They grow, and a manifest says how
much of them counts. All other files never change. A file that no manifest names is removed by the next writer.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import xxhash

from dedup.errors import ParameterError, StorageError
from dedup.storage.atomic import storage_errors, write_atomically

__all__ = [
    "CHECK_IT",
    "INDEX_FORMAT",
    "INDEX_MANIFEST",
    "RESTORE",
    "SUFFIX",
    "TABLE_KINDS",
    "WORDS_PER_FRAME",
    "WORDS_PER_ROW",
    "Manifest",
    "SegmentEntry",
    "TableEntry",
    "bits_name",
    "is_index",
    "table_name",
]

INDEX_FORMAT = 2
"""The version of the layout. An index of another version is refused."""

INDEX_MANIFEST, SUFFIX = "manifest.json", ".dedup"

WORDS_PER_ROW, WORDS_PER_FRAME = 10, 5
"""Words of 64 bits of a document in two files of the log (`dedup.index.log.rows`, `dedup.index.log.texts`)."""

CHECK_IT = "dedup index check (dedup.Index.check_files) names all that is damaged, and what to do"
RESTORE = "restore the index from a copy of its folder"
"""What to do about damage that was met, and about damage that is known."""

TABLE_KINDS = ("shingles", "ids", "digests", "copies", "passages")
"""The tables of a segment: what their keys are hashes of."""


class TableEntry(NamedTuple):
    """A table of postings: see `dedup.kernels.index_postings`; and the checksums of its two arrays."""

    bits: int
    known: int
    number_bytes: int
    tag_bytes: int
    entries: int
    doors_xxh3: str
    entries_xxh3: str


class SegmentEntry(NamedTuple):
    """The postings of the documents `first` to `end` - 1: a table of each kind, None where it has no entries."""

    number: int
    first: int
    end: int
    tables: dict[str, TableEntry | None]

    @property
    def most(self) -> int:
        """The number of entries of the largest table."""
        return max((table.entries for table in self.tables.values() if table is not None), default=0)

    def paths(self, folder: Path) -> list[Path]:
        """Return the files of the tables."""
        return [folder / table_name(self.number, kind) for kind, table in self.tables.items() if table is not None]


@dataclass
class Manifest:
    """One generation of an index.

    Attributes
    ----------
    generation : counts the commits
    settings : options, as JSON (`dedup.index.settings`)
    ids : "auto", "int" or "str": whether ids are given, and their type; None before the first text
    next_id : the next running number, where ids are not given
    epoch : the number in the names of the rows, sets and ids
    documents, hashes, id_bytes, text_bytes : how much of these counts
    live, empty : documents that were not removed, and those of them without a token
    bits : generation, bytes and xxh3 of the file of bits; None if no document was removed or is a copy
    segments : in the order of their documents; the documents after the last are in no segment
    next_segment : the number of the next segment
    """

    settings: dict[str, Any]
    generation: int = 0
    ids: str | None = None
    next_id: int = 0
    epoch: int = 1
    documents: int = 0
    live: int = 0
    empty: int = 0
    hashes: int = 0
    id_bytes: int = 0
    text_bytes: int = 0
    bits: tuple[int, int, str] | None = None
    segments: list[SegmentEntry] = field(default_factory=list)
    next_segment: int = 1

    def write(self, folder: Path) -> None:
        """Put this generation in the place of the one before, durably."""
        content = {"format": INDEX_FORMAT, **asdict(self)}
        content["segments"] = [
            {**segment._asdict(), "tables": {k: t and t._asdict() for k, t in segment.tables.items()}}
            for segment in self.segments
        ]
        data = json.dumps({"content": content, "xxh3": _checksum(content)}).encode()
        write_atomically(folder / INDEX_MANIFEST, lambda file: file.write(data))

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Return the newest generation of the index in `folder`.

        Raises `StorageError` if there is no index, or its manifest is damaged, and `ParameterError` if it has another
        format.
        """
        path = folder / INDEX_MANIFEST
        try:
            whole = path.is_file()
            there = "something else" if path.exists() or (folder.exists() and not folder.is_dir()) else "none"
        except OSError as error:
            whole, there = False, f"none: {error.strerror}"
        if not whole and there == "none" and is_index(folder):
            raise StorageError(
                f"expected the manifest of the index in {folder}, found the other files without it; {RESTORE}, or, if "
                "nothing was added to it yet, create it again"
            )
        if not whole:
            raise StorageError(
                f"expected an index in {folder}, found {there}; make one with dedup.Index.create (dedup index create), "
                "or check the path"
            )
        with storage_errors(f"read {path}"):
            data = path.read_bytes()
        try:
            outer = json.loads(data)
            content = outer["content"]
            if not isinstance(content, dict) or outer["xxh3"] != _checksum(content):
                raise ValueError("its checksum does not match")
            found = content.pop("format")
            if found != INDEX_FORMAT:
                raise ParameterError(
                    f"expected an index of format {INDEX_FORMAT} in {folder}, found format {found!r}; use the "
                    "version of dedup that made it, or add the texts to a new index"
                )
            segments = [
                SegmentEntry(**{**each, "tables": {k: t and TableEntry(**t) for k, t in each["tables"].items()}})
                for each in content.pop("segments")
            ]
            bits = content.pop("bits")
            return cls(**content, segments=segments, bits=bits and tuple(bits))
        except ParameterError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise StorageError(
                f"expected an undamaged manifest in {folder}, found a damaged one ({error}); {RESTORE}"
            ) from error

    @property
    def log_sizes(self) -> dict[str, int]:
        """How many bytes of each file of the log count."""
        sizes = {"rows": 8 * WORDS_PER_ROW * self.documents, "sets": 8 * self.hashes, "ids": self.id_bytes}
        if self.settings.get("store") == "text":
            sizes |= {"frames": 8 * WORDS_PER_FRAME * self.documents, "texts": self.text_bytes}
        return sizes

    def log_name(self, kind: str) -> str:
        """Return the name of a file of the log, by its kind in `log_sizes`."""
        return f"{kind}-{self.epoch}{SUFFIX}"

    def names(self) -> set[str]:
        """Return the names of all files of this generation but the lock."""
        logs = {self.log_name(kind) for kind in self.log_sizes}
        tables = {path.name for segment in self.segments for path in segment.paths(Path())}
        bits = set() if self.bits is None else {bits_name(self.bits[0])}
        return {INDEX_MANIFEST} | logs | tables | bits


def is_index(folder: Path) -> bool:
    """Return whether a folder has the manifest of an index, or other files of one. A damaged one is one, too."""
    try:
        return (folder / INDEX_MANIFEST).is_file() or any(folder.glob(f"rows-*{SUFFIX}"))
    except OSError:  # a name that is too long
        return False


def table_name(segment: int, kind: str) -> str:
    """Return the name of the file of a table."""
    return f"segment-{segment}-{kind}{SUFFIX}"


def bits_name(generation: int) -> str:
    """Return the name of the file of bits of a generation."""
    return f"bits-{generation}{SUFFIX}"


def _checksum(content: Any) -> str:
    return xxhash.xxh3_128_hexdigest(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())

"""How much text some files contain, estimated from a sample: at evenly spaced bytes of all files, a batch is read.

Lines are counted by bytes: the share of a batch in its file tells how many such batches the file has. For a compressed
file, the share is known from the compressed bytes of its first megabytes. The footer of a Parquet file has the number
of its rows. So the cost does not grow with the files, except for a look at the size of each.
"""

from __future__ import annotations

import lzma
from typing import IO, Any, NamedTuple, cast

import numpy as np

from dedup.runtime.arrays import sorted_unique
from dedup.sources.files.batch import Batch, Token
from dedup.sources.files.decompress import seekable
from dedup.sources.files.formats.arrow.tables import damage
from dedup.sources.files.formats.named import DOCUMENTS
from dedup.sources.files.listing import Entry, Listing
from dedup.sources.files.reader import BEGIN, read_batches
from dedup.sources.texts import ListTexts, Texts

__all__ = ["Outline", "sample_files"]

READ_WHOLE = 64 << 20
"""Bytes. Smaller files are read to their end instead: the result is exact, and it takes a second or two."""

PLACES, SAMPLED_DOCUMENTS = 32, 256
"""Places at which some text is read; and files that are read, if each file is a text."""

ENOUGH = 1 << 18
"""Bytes of text that are read at a place, at least."""

UNPACKED = 8 << 20
"""Bytes that are unpacked to measure how well a file is compressed."""

ARROW_MAGIC = b"ARROW1"
"""How an Arrow file begins; an Arrow stream begins otherwise."""

MOST_SAMPLE_TEXTS, MOST_SAMPLE_CHARACTERS = 4096, 1 << 22
"""Texts and characters of the sample, at most."""


class Outline(NamedTuple):
    """The size of a collection: texts, characters, the longest text (characters), and some of the texts."""

    texts: int
    characters: int
    longest: int
    sample: Texts


def sample_files(listing: Listing, column: str, *, read_whole: int = READ_WHOLE) -> Outline | None:
    """Return the outline of some files; None if reading them is better: small files, and compressed tables.

    Files are small if they have at most `read_whole` bytes together.
    """
    total = sum(entry.size for entry in listing)
    packed_tables = any(entry.compression and entry.format in ("parquet", "arrow") for entry in listing)
    if total <= read_whole or packed_tables:
        return None
    documents = all(entry.format in DOCUMENTS for entry in listing)
    count = SAMPLED_DOCUMENTS if documents else PLACES
    ends = np.cumsum([entry.size for entry in listing])
    places = ((np.arange(count) + 0.5) * total / count).astype(np.int64)
    read: dict[int, list[tuple[list[Batch], float]]] = {}
    packing: dict[int, float] = {}
    for place in places.tolist():
        number = int(np.searchsorted(ends, place, side="right"))
        entry = listing[number]
        offset = place - (int(ends[number - 1]) if number else 0)
        if entry.compression is not None and number not in packing:
            packing[number] = _packing(entry)
        found = _some(entry, offset, column, packing.get(number, 1.0), again=number in read)
        if found is not None:
            read.setdefault(number, []).append(found)
    if not read:
        return None
    taken = [part for parts in read.values() for part in parts]
    share = total / max(sum(covered for _, covered in taken), 1.0)
    batches = [batch for some, _ in taken for batch in some]
    lengths = [_lengths(batch) for batch in batches]
    texts = round(share * sum(map(len, lengths)))
    if documents:
        texts = len(listing)
    characters = round(share * sum(int(each.sum()) for each in lengths))
    longest = max(int(each.max(initial=0)) for each in lengths)
    return Outline(max(texts, 1), characters, longest, ListTexts(_picked(batches)))


def _some(entry: Entry, offset: int, column: str, packing: float, *, again: bool) -> tuple[list[Batch], float] | None:
    """Return some batches from about `offset` on, and the bytes of the file that these batches represent."""
    after: Token = BEGIN
    rows: int | None = 0
    if entry.format == "jsonl" and seekable(entry):
        after = [0, _next_line(entry, offset), 2]  # a number that is not 1: this is not the beginning of the file
    elif entry.format == "parquet":
        rows = _rows(entry)
        if rows is None:
            return None
        after = [0, rows * offset // max(entry.size, 1), 1 + rows * offset // max(entry.size, 1)]
    elif again:
        return None  # it can be read from its beginning only, and was read already
    elif entry.format == "arrow":
        rows = _rows(entry)
    some: list[Batch] = []
    size = 0
    for batch in read_batches(cast("Listing", [entry]), column=column, after=after):
        size += batch.texts.nbytes
        some.append(batch)
        if size >= ENOUGH:
            break
    count = sum(len(batch.texts) for batch in some)
    if not count:
        return None
    if rows:
        return some, entry.size * count / rows
    if some[-1].offsets is not None and some[-1].more[0] == 0:
        return some, (some[-1].more[1] - after[1]) / packing
    return some, entry.size - after[1] / packing


def _next_line(entry: Entry, offset: int) -> int:
    """Return where the first line after an offset begins."""
    with open(entry.source, "rb") as file:
        file.seek(offset)
        return offset + len(file.readline()) if offset else 0


def _rows(entry: Entry) -> int | None:
    """Return the number of rows of a table; None if it is damaged. For an Arrow stream, all batches are read.

    The reader reports damage when it comes to it.
    """
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    try:
        if entry.format == "parquet":
            return int(pq.read_metadata(entry.source).num_rows)
        with pa.memory_map(entry.source) as file:
            if file.read(len(ARROW_MAGIC)) != ARROW_MAGIC:
                file.seek(0)
                return sum(int(part.num_rows) for part in pa.ipc.open_stream(file))
        return int(ds.dataset(entry.source, format="ipc").count_rows())
    except damage():
        return None


class _Counted:
    """A file that counts the bytes that are read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.count, self.closed = file, 0, False

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.count += len(data)
        return data


def _packing(entry: Entry) -> float:
    """Return the bytes of text per byte of a compressed file."""
    import pyarrow as pa

    with open(entry.source, "rb") as file:
        counted: Any = _Counted(file)
        size = 0
        try:
            if entry.compression == "xz":
                with lzma.open(counted) as unpacked:
                    size = len(unpacked.read(UNPACKED))
            else:
                stream = pa.CompressedInputStream(pa.PythonFile(counted, mode="r"), entry.compression)
                while size < UNPACKED and (piece := stream.read(1 << 20)):
                    size += len(piece)
        except (OSError, EOFError, lzma.LZMAError):
            pass  # the reader reports it when it comes to it
        return max(size / max(int(counted.count), 1), 1e-3)


def _lengths(batch: Batch) -> Any:
    import pyarrow.compute as pc

    return np.asarray(pc.fill_null(pc.utf8_length(batch.texts), 0).to_numpy(zero_copy_only=False), dtype=np.int64)


def _picked(batches: list[Batch]) -> list[str]:
    """Return some of the texts, evenly spaced over the batches."""
    rows = [(i, row) for i, batch in enumerate(batches) for row in range(len(batch.texts))]
    picked: list[str] = []
    size = 0
    step = sorted_unique(np.linspace(0, len(rows) - 1, min(MOST_SAMPLE_TEXTS, len(rows))).astype(np.int64))
    # at most so many characters, in random order, so that the last batches are not left out
    for place in np.random.default_rng(0).permutation(step).tolist():
        if size > MOST_SAMPLE_CHARACTERS:
            break
        i, row = rows[place]
        value = batches[i].texts[row]
        picked.append(value.as_buffer().to_pybytes().decode("utf-8", "surrogatepass") if value.is_valid else "")
        size += len(picked[-1])
    return picked

"""The texts of an index with ``store="text"``, and the fingerprints of their passages.

Texts. Each is compressed by itself (zstd), or kept as it is where that is not shorter. Its frame is five words of 64
bits:

====  ===========================================================================================
word  has
====  ===========================================================================================
0, 1  the place of its bytes in the file of texts, and how many there are
2     the bytes of its UTF-8; lone surrogates are encoded as if they were characters
3     the xxh3-64 of its bytes in the file
4     the seal of the words before, and of the number of the document
====  ===========================================================================================

The bytes of a text are compared with their hash before they are used.

Fingerprints. In naive Python, for a text of n tokens, and `size` the least passage that can be found::

    grams = [mix(tokens[i : i + gram]) for i in range(n - gram + 1)]
    fingerprints = {min(grams[i : i + size - gram + 1]) for i in range(n - size + 1)}

(winnowing: `dedup.kernels.windows.find_anchors`). Two texts that share `size` tokens in a row have a fingerprint in
common, since it is chosen from these tokens alone. About ``2 / (size - gram + 2)`` of the tokens have one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from dedup.index.manifest import WORDS_PER_FRAME
from dedup.index.postings.segments import hash_numbers
from dedup.kernels.text_layout import PADDING
from dedup.reading import Reading
from dedup.sources.texts import Block
from dedup.text.rewriting import rewrite
from dedup.text.tokens import hash_tokens

__all__ = [
    "Frames",
    "Kept",
    "Prints",
    "block_of",
    "fingerprints",
    "frames_of",
    "keep",
    "seal_frames",
    "tokens_of",
    "unpack",
]

TEXT_LEVEL = 3
"""The level of zstd: higher ones take much longer, and save a few bytes in a hundred of a short text."""

LONGEST_PRINT = 8
"""Tokens of a gram, at most: shorter ones make fewer fingerprints, which more texts have by chance."""

PRINT_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""The smallest hashes crowd at zero, so a multiplication spreads them over the buckets."""

Numbers = npt.NDArray[np.int64]
Frames = npt.NDArray[np.uint64]


class Prints(NamedTuple):
    """Fingerprints: those of text i are ``keys[offsets[i]:offsets[i + 1]]`` (uint64), each once."""

    keys: npt.NDArray[np.uint64]
    offsets: Numbers

    @property
    def counts(self) -> Numbers:
        """How many each text has."""
        return np.diff(self.offsets)

    def take(self, which: Numbers) -> Prints:
        """Return those of some texts."""
        counts = self.counts[which]
        offsets = np.concatenate(([0], np.cumsum(counts)))
        inside = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
        return Prints(self.keys[np.repeat(self.offsets[which], counts) + inside], offsets)


class Kept(NamedTuple):
    """What an index keeps of some texts besides their sets.

    `packed` are the bytes of each text in the file, `lengths` (int64) how many its UTF-8 has, and `hashes` (uint64) the
    xxh3-64 of those in the file.
    """

    packed: list[bytes]
    lengths: Numbers
    hashes: npt.NDArray[np.uint64]
    prints: Prints

    def text(self, row: int) -> bytes:
        """Return the UTF-8 of a text."""
        import pyarrow as pa

        data, length = self.packed[row], int(self.lengths[row])
        return data if len(data) == length else bytes(pa.Codec("zstd").decompress(data, length, asbytes=True))

    def take(self, which: Numbers) -> Kept:
        """Return what is kept of some of the texts."""
        some = [self.packed[row] for row in which.tolist()]
        return Kept(some, self.lengths[which], self.hashes[which], self.prints.take(which))


def keep(block: Block, reading: Reading, passages: int | None) -> Kept:
    """Return what is kept of a block of texts; `passages` is the least number of tokens of a passage, or None."""
    import pyarrow as pa

    codec = pa.Codec("zstd", compression_level=TEXT_LEVEL)
    packed, hashes = [], []
    for start, end in zip(block.starts.tolist(), block.ends.tolist(), strict=True):
        data = block.values[start:end].tobytes()
        small = codec.compress(data, asbytes=True) if data else data
        packed.append(small if len(small) < len(data) else data)
        hashes.append(xxhash.xxh3_64_intdigest(packed[-1]))
    prints = fingerprints(*tokens_of(block, reading), passages)
    return Kept(packed, block.ends - block.starts, np.array(hashes, dtype=np.uint64), prints)


def block_of(texts: list[bytes]) -> Block:
    """Return texts in UTF-8 as a block."""
    bounds = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    values = np.frombuffer(b"".join([*texts, bytes(PADDING)]), dtype=np.uint8)
    return Block(0, values, bounds[:-1], bounds[1:])


def tokens_of(block: Block, reading: Reading) -> tuple[npt.NDArray[np.uint64], Numbers]:
    """Return the hashes of the tokens of a block of texts, and the offsets of each text."""
    made = rewrite(block.values, block.starts, block.ends, reading)
    return hash_tokens(made.values, made.starts, made.ends, reading)


def fingerprints(tokens: npt.NDArray[np.uint64], offsets: Numbers, size: int | None) -> Prints:
    """Return the fingerprints of texts for passages of `size` tokens; none, if that is None."""
    from dedup.kernels.windows import find_anchors

    if size is None:
        return Prints(np.empty(0, dtype=np.uint64), np.zeros(len(offsets), dtype=np.int64))
    hashes, since = np.empty(len(tokens), dtype=np.uint64), np.empty(len(tokens), dtype=np.int64)
    count = find_anchors(tokens, offsets, size, min((size + 1) // 2, LONGEST_PRINT), hashes, since)
    keys, text = hashes[:count] * PRINT_SPREAD, np.searchsorted(offsets, since[:count], side="right") - 1
    order = np.lexsort((keys, text))
    keys, text = keys[order], text[order]
    new = np.ones(len(keys), dtype=np.bool_)
    new[1:] = (keys[1:] != keys[:-1]) | (text[1:] != text[:-1])
    counts = np.bincount(text[new], minlength=len(offsets) - 1)
    return Prints(keys[new], np.concatenate(([0], np.cumsum(counts))))


def frames_of(kept: Kept | None, at: int, numbers: Numbers) -> tuple[Frames, bytes]:
    """Return the frames of the documents `numbers`, and the bytes to append to the texts at place `at`.

    Nothing, if no texts are kept.
    """
    if kept is None:
        return np.empty((0, WORDS_PER_FRAME), dtype=np.uint64), b""
    sizes = np.fromiter(map(len, kept.packed), dtype=np.int64, count=len(kept.packed))
    columns: tuple[npt.NDArray[Any], ...] = (at + np.cumsum(sizes) - sizes, sizes, kept.lengths, kept.hashes)
    frames = np.empty((len(sizes), WORDS_PER_FRAME), dtype=np.uint64)
    for word, column in enumerate(columns):
        frames[:, word] = column.view(np.uint64)
    frames[:, 4] = seal_frames(frames, numbers)
    return frames, b"".join(kept.packed)


def seal_frames(frames: Frames, numbers: Numbers) -> npt.NDArray[np.uint64]:
    """Return the seal of each frame."""
    seal = numbers.view(np.uint64)
    for word in range(WORDS_PER_FRAME - 1):
        seal = hash_numbers((seal ^ frames[:, word]).view(np.int64))
    return seal


def unpack(packed: Sequence[bytes], frames: Frames) -> list[bytes | None]:
    """Return the UTF-8 of some texts whose frames fit their seals; None for one that is damaged."""
    import pyarrow as pa

    codec, texts = pa.Codec("zstd"), list[bytes | None]()
    for data, length, known in zip(packed, frames[:, 2].tolist(), frames[:, 3].tolist(), strict=True):
        whole = xxhash.xxh3_64_intdigest(data) == known
        texts.append((data if len(data) == length else codec.decompress(data, length, asbytes=True)) if whole else None)
    return texts

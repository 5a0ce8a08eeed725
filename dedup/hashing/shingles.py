"""Hashed shingles of UTF-8 texts: the kind of a shingle, and the hashes of all shingles in the order of the text.

`dedup.shingling` defines a shingle.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.errors import ParameterError
from dedup.hash_key import HashKey
from dedup.kernels.text_layout import PADDING
from dedup.options import shown
from dedup.reading import PLAIN, Reading
from dedup.runtime.buffers import BufferPool, GiveBuffer, new_buffer
from dedup.text import unicode
from dedup.text.rewriting import rewrite, token_table
from dedup.text.tokens import Buffers, Given, hash_characters, run_settled

__all__ = ["HashedText", "Shingle", "hash_alone", "hash_shingles", "hash_text", "parse"]

AT_ZERO, SETTLED, NO_NUMBERS = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.bool_), np.empty(0, dtype=np.uint64)
"""What kernels take for one text that begins at 0 and is not known to be normalised; its numbers are not asked for."""

MAX_SHINGLE_SIZE = 1000
"""Tokens or characters. A larger shingle is surely a mistake."""


class Shingle(NamedTuple):
    """The kind and size of a shingle, and how texts are read. ``Shingle("words", 5)`` is written ``"words:5"``."""

    kind: str
    size: int
    reading: Reading = PLAIN

    @property
    def key(self) -> HashKey:
        """The key of the hashes."""
        return self.reading.key

    def __str__(self) -> str:
        return f"{self.kind}:{self.size}"


def parse(shingle: str, reading: Reading | None = None) -> Shingle:
    """Parse ``"words:5"`` or ``"chars:8"``, for texts that are read so; raise `ParameterError` for anything else."""
    match = re.fullmatch(r"(words|chars):([0-9]{1,6})", shingle) if isinstance(shingle, str) else None
    if match is None or not 1 <= int(match[2]) <= MAX_SHINGLE_SIZE:
        raise ParameterError(
            f'shingle: expected "words:n" or "chars:n" with n from 1 to {MAX_SHINGLE_SIZE}, such as "words:5", '
            f"found {shown(shingle)}"
        )
    return Shingle(match[1], int(match[2]), PLAIN if reading is None else reading)


def hash_shingles(
    values: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    shingle: Shingle,
    make_buffer: GiveBuffer = new_buffer,
    spare: BufferPool | None = None,
    numbers: npt.NDArray[np.uint64] | None = None,
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """Hash the shingles of the UTF-8 texts ``values[starts[i]:ends[i]]``, in the order of each text.

    The texts were rewritten for the reading of the shingle (`dedup.text.rewriting`). Returns uint64 hashes (with
    repetitions), int64 offsets (texts + 1), and the digest of each text's tokens (uint64, texts x 2). `values` must
    have 64 more bytes after the last end. `make_buffer` returns the array for the hashes, of a given size. `spare`
    lends the other buffers. `numbers` (uint64, one per text) is written, if it is given: the form `numbers` of each
    text (`dedup.hashing.forms`).
    """
    from dedup.kernels import shingles as kernels

    offsets = np.empty(len(starts) + 1, dtype=np.int64)
    words = shingle.key.words
    numbers = np.empty(0, dtype=np.uint64) if numbers is None else numbers
    if shingle.kind == "chars":
        tokens, token_offsets, digests = hash_characters(values, starts, ends, shingle.reading, numbers)
        hashes = np.empty_like(tokens)
        kernels.hash_shingles(tokens, token_offsets, shingle.size, words, hashes, offsets)
        return hashes[: offsets[-1]], offsets, digests
    digests = np.zeros((len(starts), 2), dtype=np.uint64)

    def attempt(given: Given, buffers: Buffers) -> tuple[int, npt.NDArray[np.uint64]]:
        hashes = make_buffer(buffers.tokens())
        folding = (*given, *token_table(shingle.reading), buffers.out, buffers.bits, buffers.unsettled)
        made = (buffers.words, shingle.size, words, hashes, offsets, digests, numbers)
        return kernels.shingle_texts(*folding, *made), hashes

    made = run_settled(values, starts, ends, attempt, spare, words=True, reading=shingle.reading)
    return made[: offsets[-1]], offsets, digests


def hash_token_shingles(tokens: npt.NDArray[np.uint64], shingle: Shingle) -> npt.NDArray[np.uint64]:
    """Hash the shingles of words of one text whose tokens are known (uint64), in the order of the text."""
    from dedup.kernels import shingles as kernels

    hashes, offsets = np.empty_like(tokens), np.empty(2, dtype=np.int64)
    kernels.hash_shingles(tokens, np.array([0, len(tokens)]), shingle.size, shingle.key.words, hashes, offsets)
    return hashes[: offsets[1]]


class HashedText(NamedTuple):
    """One text: its bytes with `PADDING`, its hashes, offsets and digest as `hash_shingles` has them, and its form.

    `ends` (int64) has the number of its bytes. `numbers` is empty if it was not asked for.
    """

    values: npt.NDArray[np.uint8]
    ends: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]
    digests: npt.NDArray[np.uint64]
    numbers: npt.NDArray[np.uint64]


def hash_alone(text: str, shingle: Shingle, *, numbers: bool = False) -> HashedText:
    """Hash the shingles of one text: as `hash_shingles`. It saves what only many texts need.

    With `numbers` also its form of that name (`dedup.hashing.forms`).
    """
    from dedup.kernels import shingles as kernels

    data = str.encode(text, "utf-8", "surrogatepass")  # of a derived class too
    size = len(data)
    values = np.frombuffer(data + bytes(PADDING), dtype=np.uint8)
    ends, offsets = np.array([size], dtype=np.int64), np.empty(2, dtype=np.int64)
    form = np.empty(1, dtype=np.uint64) if numbers else NO_NUMBERS
    if not shingle.reading.plain:
        read = rewrite(values, AT_ZERO, ends, shingle.reading)
        made = hash_shingles(read.values, read.starts, read.ends, shingle, numbers=form if numbers else None)
        return HashedText(values, ends, *made, form)
    if shingle.kind == "words":
        out = size * 3 // 2 + 4 * PADDING
        tokens = size // 2 + size + 65
        room = np.empty(out // 8 + out // 64 + 3 + 2 * tokens, dtype=np.uint64)
        hashes, words = room[:tokens], room[tokens : 2 * tokens]
        bits = room[2 * tokens : 2 * tokens + out // 64 + 2]
        folded = room[2 * tokens + out // 64 + 2 :].view(np.uint8)
        unsettled, digests = np.zeros(1, dtype=np.bool_), np.zeros((1, 2), dtype=np.uint64)
        given = (values, AT_ZERO, ends, SETTLED, *unicode.table(), folded, bits, unsettled)
        how = (words, shingle.size, shingle.key.words, hashes, offsets, digests, form)
        if kernels.shingle_texts(*given, *how) == 0:
            return HashedText(values, ends, hashes[: offsets[1]], offsets, digests, form)
    # one that must be normalised, or grows
    made = hash_shingles(values, AT_ZERO, ends, shingle, numbers=form if numbers else None)
    return HashedText(values, ends, *made, form)


def hash_text(text: str, shingle: Shingle) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Hash the shingles of one text: as `hash_shingles`, without the digest."""
    made = hash_alone(text, shingle)
    return made.hashes, made.offsets

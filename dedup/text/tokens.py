"""Tokens: the words (or single characters, in scripts without spaces) that shingles are made of.

A token is a maximal run of letters, digits, marks and underscores of the case-folded NFKC form of the text. Format
characters are skipped and do not split. In scripts written without spaces (Han, Hiragana, Katakana, Thai, Lao, Khmer,
Myanmar) each base code point with its marks is a token. On text with spaces this is ``\\w+``.

Classes and folding come from one Unicode version, `dedup.text.unicode.UNICODE_VERSION`, on every Python.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.kernels.text_layout import PADDING
from dedup.reading import PLAIN, Reading
from dedup.runtime.buffers import BufferPool
from dedup.text.normalise import normalise
from dedup.text.rewriting import Map, original, rewrite, rewrite_again, token_table

__all__ = ["Token", "tokens"]


class Token(NamedTuple):
    """A token of a text: ``text[start:end]``, in characters, and its 64-bit hash (keyed, of the folded form)."""

    start: int
    end: int
    hash: int


def tokens(
    text: str, *, ignore: str | Collection[str] = (), tokens: str = "words", hash_key: bytes | None = None
) -> list[Token]:
    """Return the tokens of `text`, in order.

    Two tokens are the same word if their hashes by one key are equal. The options are those of
    `dedup.find_duplicates`. Cost: linear, and a Python object per token.

    >>> text = "Déjà-vu: déjà VU!"
    >>> [text[t.start : t.end] for t in tokens(text)]
    ['Déjà', 'vu', 'déjà', 'VU']
    >>> [t.hash for t in tokens(text)[:2]] == [t.hash for t in tokens(text)[2:]]
    True
    """
    reading = Reading.check(ignore, tokens, hash_key)
    hashes, spans = locate_tokens(text.encode("utf-8", "surrogatepass"), reading)
    return [Token(int(start), int(end), int(h)) for (start, end), h in zip(spans, hashes, strict=True)]


def hash_tokens(
    values: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    reading: Reading,
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Hash the tokens of the UTF-8 texts ``values[starts[i]:ends[i]]``, which were rewritten (`dedup.text.rewriting`).

    Returns uint64 hashes and int64 offsets (texts + 1). `values` must have `PADDING` more bytes
    (`dedup.kernels.text_layout`) after the last end.
    """
    from dedup.kernels.tokens import tokenise

    offsets = np.empty(len(starts) + 1, dtype=np.int64)

    def attempt(given: Given, buffers: Buffers) -> tuple[int, npt.NDArray[np.uint64]]:
        hashes = np.empty(buffers.tokens(), dtype=np.uint64)
        folding = (*given, *token_table(reading), buffers.out, buffers.bits, reading.key.words)
        return tokenise(*folding, hashes, offsets, buffers.unsettled), hashes

    return run_settled(values, starts, ends, attempt, reading=reading)[: offsets[-1]], offsets


def hash_characters(
    values: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    reading: Reading,
    numbers: npt.NDArray[np.uint64],
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """Hash the code points of the tokens joined by single spaces; otherwise as `hash_tokens`.

    Returns also the digest of each text's tokens (uint64, texts x 2). `numbers` as for
    `dedup.hashing.shingles.hash_shingles`.
    """
    from dedup.kernels.characters import tokenise_characters

    offsets = np.empty(len(starts) + 1, dtype=np.int64)
    digests = np.zeros((len(starts), 2), dtype=np.uint64)

    def attempt(given: Given, buffers: Buffers) -> tuple[int, npt.NDArray[np.uint64]]:
        hashes = np.empty(buffers.tokens(characters=True), dtype=np.uint64)
        folding = (*given, *token_table(reading), buffers.out, buffers.bits, reading.key.words)
        return tokenise_characters(*folding, hashes, offsets, digests, buffers.unsettled, numbers), hashes

    return run_settled(values, starts, ends, attempt, reading=reading)[: offsets[-1]], offsets, digests


Given = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]
"""Values, starts and ends of texts, and which of the texts are normalised already."""


class Buffers:
    """The output buffers of a kernel that folds texts. `growth` is a multiple of the size that suffices for most texts.

    `words` has space for the tokens of one text. All memory comes from `spare` and is returned to it by `release`.
    """

    def __init__(
        self, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], growth: int, spare: BufferPool, *, words: bool
    ) -> None:
        self._lengths, self._growth, self._spare = ends - starts, growth, spare
        longest = int(self._lengths.max(initial=0))
        size = growth * longest * 3 // 2 + 4 * PADDING
        bits = size // 64 + 2
        words_end = bits + (self.tokens(one_text=True) if words else 0)
        self._buffer = spare.take(words_end + size // 8 + 1)
        self.bits, self.words = self._buffer[:bits], self._buffer[bits:words_end]
        self.out = self._buffer[words_end:].view(np.uint8)
        self.unsettled = np.zeros(len(starts), dtype=np.bool_)

    def release(self) -> None:
        """Return the memory to the pool. It may not be used afterwards."""
        self._spare.give(self._buffer)

    def tokens(self, *, characters: bool = False, one_text: bool = False) -> int:
        """Return an upper bound of the tokens, or code points, in all texts or in one."""
        longest = int(self._lengths.max(initial=0))
        total = longest if one_text else int(self._lengths.sum())
        return self._growth * (total if characters else total // 2) + longest + len(self._lengths) + 64


Made = TypeVar("Made")


def run_settled(
    values: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    attempt: Callable[[Given, Buffers], tuple[int, Made]],
    spare: BufferPool | None = None,
    *,
    words: bool = False,
    reading: Reading,
) -> Made:
    """Run a kernel over texts until its buffers are large enough and all texts that need it are normalised.

    `attempt` returns two values: the number of texts that have to be normalised first, or FULL, and its result. With
    `words`, its buffers have space for the tokens of one text. The buffers come from `spare`, a pool that should lend
    no other kind of buffer. The texts were rewritten for `reading`.
    """
    spare = BufferPool() if spare is None else spare
    settled = np.zeros(len(starts), dtype=np.bool_)
    growth = 1
    while True:
        buffers = Buffers(starts, ends, growth, spare, words=words)
        count, made = attempt((values, starts, ends, settled), buffers)
        buffers.release()
        if count == 0:
            return made
        if count < 0:  # mappings made a text longer than the buffers; this is rare, so the buffers just grow
            growth *= 2
            continue
        values, starts, ends = _normalise_texts(values, starts, ends, np.flatnonzero(buffers.unsettled), reading)
        settled |= buffers.unsettled


def _normalise_texts(
    values: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    texts: npt.NDArray[np.int64],
    reading: Reading,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return values, starts and ends in which the normalised form of each of `texts` replaces it."""
    starts, ends = starts.copy(), ends.copy()
    low, high = int(starts.min()), int(ends.max())
    pieces = [values[low:high].tobytes()]
    place = high - low
    starts -= low
    ends -= low
    for text in texts:
        data, _ = rewrite_again(normalise(values[low + starts[text] : low + ends[text]].tobytes()).data, reading)
        pieces.append(data)
        starts[text], ends[text] = place, place + len(data)
        place += len(data)
    pieces.append(bytes(PADDING))
    return np.frombuffer(b"".join(pieces), dtype=np.uint8), starts, ends


def locate_tokens(data: bytes, reading: Reading) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Return the hashes (uint64) of the tokens of one UTF-8 text, and their spans (int64, n x 2) in characters."""
    from dedup.kernels import text as kernels

    values = np.frombuffer(data + bytes(PADDING), dtype=np.uint8)
    if reading.plain:
        _, hashes, spans = _locate(values, 0, len(data), None, reading, hashed=True)
    else:
        ends = np.array([len(data)], dtype=np.int64)
        made = rewrite(values, np.zeros(1, dtype=np.int64), ends, reading, placed=True)
        _, hashes, spans = _locate(made.values, 0, int(made.ends[0]), None, reading, hashed=True)
        spans = made.original(spans)
    if data.isascii():  # bytes are characters: then the first run need not compile the kernel that counts them
        return hashes.copy(), spans
    flat = spans.ravel()
    order = np.argsort(flat, kind="stable")
    characters = np.empty_like(flat)
    kernels.character_places(values, 0, flat[order], characters)
    result = np.empty_like(flat)
    result[order] = characters
    return hashes.copy(), result.reshape(-1, 2)


def place_tokens(
    values: npt.NDArray[np.uint8], start: int, end: int, wanted: npt.NDArray[np.int64], reading: Reading = PLAIN
) -> tuple[int, npt.NDArray[np.int64]]:
    """Return the number of tokens of the UTF-8 text ``values[start:end]``, and the places of some of them in `values`.

    The text was rewritten for `reading`. `wanted` are token numbers (int64, ascending). The spans (int64, n x 2, in
    bytes) of the existing ones are returned. `values` must have ``kernels.text_layout.PADDING`` more bytes after `end`.
    """
    count, _, spans = _locate(values, start, end, wanted, reading, hashed=False)
    return count, spans


def place_tokens_of_texts(
    values: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    wanted: npt.NDArray[np.int64],
    bounds: npt.NDArray[np.int64],
    reading: Reading = PLAIN,
) -> npt.NDArray[np.int64]:
    """Return the places, in `values`, of some tokens of the UTF-8 texts ``values[starts[i]:ends[i]]``.

    The texts were rewritten for `reading`. ``wanted[bounds[i]:bounds[i + 1]]`` are token numbers of text i (int64,
    ascending, at least one), which all exist. Returns their spans (int64, n x 2, in bytes). `values` must have
    `PADDING` more bytes after the last end.
    """
    from dedup.kernels.tokens import locate_texts

    longest, growth = int((ends - starts).max()), 1
    spans = np.empty((len(wanted), 2), dtype=np.int64)
    unsettled = np.zeros(len(starts), dtype=np.bool_)
    while True:
        out = np.empty(growth * longest * 3 // 2 + 4 * PADDING, dtype=np.uint8)
        bits = np.empty(len(out) // 64 + 2, dtype=np.uint64)
        segments = np.empty((growth * longest // 2 + 8, 4), dtype=np.int64)
        buffers = out, bits, segments
        if locate_texts(values, starts, ends, *token_table(reading), *buffers, wanted, bounds, spans, unsettled):
            break
        growth *= 2
    for text in np.flatnonzero(unsettled).tolist():
        some = slice(int(bounds[text]), int(bounds[text + 1]))
        _, spans[some] = place_tokens(values, int(starts[text]), int(ends[text]), wanted[some], reading)
    return spans


def _locate(
    values: npt.NDArray[np.uint8],
    start: int,
    end: int,
    wanted: npt.NDArray[np.int64] | None,
    reading: Reading,
    *,
    hashed: bool,
) -> tuple[int, npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Return the number of tokens, their hashes if they are `hashed`, and the spans in bytes of the `wanted` tokens.

    If `wanted` is None, the spans of all tokens are returned. The text was rewritten for `reading`.
    """
    from dedup.kernels.tokens import FULL, UNSETTLED_TEXT, locate

    table, words = token_table(reading), reading.key.words
    at, first, last, settled, growth = values, start, end, False, 1
    maps: tuple[Map, ...] = ()
    none = np.empty(0, dtype=np.int64)
    while True:
        size = last - first
        out = np.empty(growth * size * 3 // 2 + 4 * PADDING, dtype=np.uint8)
        bits = np.empty(len(out) // 64 + 2, dtype=np.uint64)
        segments = np.empty((growth * size // 2 + 8, 4), dtype=np.int64)
        hashes = np.empty(len(out) // 2 + 1 if hashed else 0, dtype=np.uint64)
        spans = np.empty((len(out) // 2 + 1 if wanted is None else len(wanted), 2), dtype=np.int64)
        chosen = none if wanted is None else wanted
        count = int(locate(at, first, last, settled, *table, out, bits, segments, words, hashes, chosen, spans))
        if count == FULL:
            growth *= 2
        elif count == UNSETTLED_TEXT:
            normal = normalise(values[start:end].tobytes())
            data, again = rewrite_again(normal.data, reading, placed=True)
            at, first, last, settled = np.frombuffer(data + bytes(PADDING), np.uint8), 0, len(data), True
            maps = again, normal.segments
        else:
            break
    spans = spans[: count if wanted is None else int(np.searchsorted(wanted, count))]
    if settled:
        for each in maps:
            spans = np.column_stack([original(spans[:, side], each, side=side) for side in (0, 1)])
        spans = spans + start
    return count, hashes[:count], spans

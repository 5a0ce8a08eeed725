"""The tokens of all texts in one array: text t has ``tokens[offsets[t]:offsets[t + 1]]``.

`read_tokens` returns the tokens of all texts, as numbers (`dedup.hashing.vocabulary`); `token_blocks` yields them block
by block, as hashes. A long text is read in pieces
(`dedup.sources.texts.BlockLimits`). It is cut where no code point acts on the one after the cut, so neither memory nor
threads depend on the longest text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hashing.vocabulary import Vocabulary
from dedup.kernels.text_layout import PADDING
from dedup.reading import Reading
from dedup.runtime.ordered import OrderedArray
from dedup.runtime.threads import map_blocks
from dedup.sources.texts import Block, Texts
from dedup.text.rewriting import rewrite, rewritten_text
from dedup.text.tokens import hash_tokens, locate_tokens

__all__ = ["TokenBlock", "read_tokens", "token_blocks"]

SMALL_TEXTS, SMALL_CHARACTERS = 16, 1 << 18
"""Texts, and characters of all of them. A collection that small is read by the kernel that also finds the spans later,
so the first run need not compile another kernel."""

MOST_TEXTS = 1 << 14
"""Texts per block, at most. Curve: `benchmarks.tuning.token_stream_most_texts`; flat from 256 to 2^16 on
generated:40000:150 (two cores, 2026-11)."""

CUT_PLACE = re.compile(
    "[\n ][!-~\u0391-\u03a1\u0430-\u044f\u05d0-\u05ea\u0621-\u064a\u0905-\u0939\uac00-\ud7a3\u3041-\u3096"
    "\u30a1-\u30fa\u4e00-\u9fd5]"
)
"""Where a text may be cut: after a space or line break, if the next character acts on nothing before it."""


class TokenBlock(NamedTuple):
    """Tokens of some texts, one after the other; `offsets` are defined above, and begin at 0.

    `characters` is how many were read. If `goes_on`, the first text begins in an earlier block. If not `ends`, the last
    text continues in the next block. Such a block has only one text.
    """

    tokens: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]
    goes_on: bool
    ends: bool
    characters: int


Report = Callable[[int], None]


def read_tokens(
    texts: Texts,
    threads: int,
    reading: Reading,
    progress: Report = lambda _: None,
    rows: npt.NDArray[np.int64] | None = None,
    *,
    small: int = SMALL_TEXTS,
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Return the tokens of all texts, or of some `rows`, as numbers, and the offsets of each text (texts + 1).

    Numbers are equal where the tokens are, within one call. A collection of at most `small` texts, if they are short
    too, is not read in blocks.
    """
    vocabulary = Vocabulary()
    if rows is None and texts.about() <= small and int(texts.lengths().sum()) <= SMALL_CHARACTERS:
        some = [locate_tokens(texts[row].encode("utf-8", "surrogatepass"), reading)[0] for row in range(len(texts))]
        bounds = np.cumsum([0, *map(len, some)], dtype=np.int64)
        return vocabulary.number(np.concatenate([np.empty(0, dtype=np.uint64), *some])), bounds
    lengths = texts.lengths() if rows is None else texts.lengths()[rows]
    tokens: OrderedArray[np.uint32] = OrderedArray(np.uint32, int(lengths.sum()), alone=threads == 1)
    offsets, end = [np.zeros(1, dtype=np.int64)], 0
    for block in token_blocks(texts, threads, reading, progress, rows, (tokens, vocabulary)):
        bounds = block.offsets[1:] + end
        end += int(block.offsets[-1])
        offsets.append(bounds if block.ends else bounds[:-1])
    return tokens.array(), np.concatenate(offsets)


def token_blocks(
    texts: Texts,
    threads: int,
    reading: Reading,
    progress: Report = lambda _: None,
    rows: npt.NDArray[np.int64] | None = None,
    to: tuple[OrderedArray[np.uint32], Vocabulary] | None = None,
) -> Iterator[TokenBlock]:
    """Yield the tokens of all texts, or of some `rows`, in order; `progress` gets the number of texts read.

    The threads append the numbers of the tokens to `to`, if it is given; the blocks have no tokens then.
    """
    lengths = texts.lengths()
    if rows is None and int(lengths.max(initial=0)) <= texts.limits.longest:
        jobs: Iterator[Callable[[], TokenBlock]] = (partial(_read, load, reading, lengths) for load in texts.loads())
    else:
        jobs = _cut(texts, np.arange(len(texts), dtype=np.int64) if rows is None else rows, lengths, reading)

    def read(numbered: tuple[int, Callable[[], TokenBlock]]) -> TokenBlock:
        number, job = numbered
        block = job()
        if to is None:
            return block
        array, vocabulary = to
        array.put(number, vocabulary.number(block.tokens, array.buffer(len(block.tokens))), block.characters)
        return block._replace(tokens=np.empty(0, dtype=np.uint64))

    done = 0
    for block in map_blocks(read, enumerate(jobs), threads):
        done += len(block.offsets) - 1 - (not block.ends)
        progress(done)
        yield block


def _read(load: Callable[[], Block], reading: Reading, lengths: npt.NDArray[np.int64]) -> TokenBlock:
    """Return the tokens of complete texts; `lengths` are those of all texts that are numbered as in the block."""
    block = load()
    made = rewrite(block.values, block.starts, block.ends, reading)
    tokens = hash_tokens(made.values, made.starts, made.ends, reading)
    block.release()
    characters = int(lengths[block.first : block.first + len(block.starts)].sum())
    return TokenBlock(*tokens, goes_on=False, ends=True, characters=characters)


def _read_piece(text: str, reading: Reading, *, goes_on: bool, ends: bool) -> TokenBlock:
    """Return the tokens of a piece of a text, which was rewritten before it was cut."""
    piece = _encoded([text])
    return TokenBlock(*hash_tokens(piece.values, piece.starts, piece.ends, reading), goes_on, ends, len(text))


def _encoded(texts: list[str]) -> Block:
    data = [text.encode("utf-8", "surrogatepass") for text in texts]
    bounds = np.cumsum([0, *map(len, data)], dtype=np.int64)
    return Block(0, np.frombuffer(b"".join([*data, bytes(PADDING)]), dtype=np.uint8), bounds[:-1], bounds[1:])


def _of_several(some: list[str], reading: Reading) -> Callable[[], TokenBlock]:
    return partial(_read, partial(_encoded, some), reading, np.array([*map(len, some)], dtype=np.int64))


def _cut(
    texts: Texts, rows: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], reading: Reading
) -> Iterator[Callable[[], TokenBlock]]:
    """Yield a function that makes each block. Short texts share a block; each piece of a long text is a block."""
    some: list[str] = []
    size, limits = 0, texts.limits
    for row in rows.tolist():
        if lengths[row] > limits.longest or size > limits.size or len(some) >= MOST_TEXTS:
            if some:
                yield _of_several(some, reading)
            some, size = [], 0
        text = texts[row]
        if len(text) <= limits.longest:
            some.append(text)
            size += len(text)
            continue
        text, at = rewritten_text(text, reading), 0
        while at < len(text):
            found = CUT_PLACE.search(text, at + limits.size)
            end = found.start() + 1 if found else len(text)
            yield partial(_read_piece, text[at:end], reading, goes_on=at > 0, ends=end == len(text))
            at = end
    if some:
        yield _of_several(some, reading)

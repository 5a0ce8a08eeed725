"""The tokens of all texts in a row, as their hashes: text t has ``tokens[offsets[t]:offsets[t + 1]]``.

`read_tokens` holds them all; `token_blocks` gives them block by block. A long text is read in pieces, cut where nothing
acts on what stands behind, so that neither memory nor threads depend on how long a text is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.hash_key import HashKey
from dedup.runtime.buffers import GrowingArray
from dedup.runtime.threads import map_blocks
from dedup.sources.texts import BLOCK_BYTES, PADDING, Block, Texts
from dedup.text.tokens import hash_tokens, locate_tokens

__all__ = ["LONG", "TokenBlock", "read_tokens", "token_blocks"]

FEW, SHORT = 16, 1 << 18
"""Texts, and characters of them all: so little is read by the kernel that finds the spans afterwards, and the first
run need not compile another one."""

LONG = BLOCK_BYTES + BLOCK_BYTES // 4
"""Characters; a longer text is read in pieces of `BLOCK_BYTES`."""

MOST_TEXTS = 1 << 14
"""Texts of a block, at most. Curve: `benchmarks.tuning.token_stream_most_texts`."""

CUT = re.compile(
    "[\n ][!-~\u0391-\u03a1\u0430-\u044f\u05d0-\u05ea\u0621-\u064a\u0905-\u0939\uac00-\ud7a3\u3041-\u3096"
    "\u30a1-\u30fa\u4e00-\u9fd5]"
)
"""Where a text may be cut: behind a space or line break, before a character that acts on nothing before it."""


class TokenBlock(NamedTuple):
    """Tokens of some texts in a row; `offsets` as above, from 0.

    With `goes_on` the first text has its beginning in the block before, without `ends` the last one has more in the
    next: such a block has one text alone.
    """

    tokens: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]
    goes_on: bool
    ends: bool


Report = Callable[[int], None]


def read_tokens(
    texts: Texts,
    threads: int,
    key: HashKey,
    progress: Report = lambda _: None,
    rows: npt.NDArray[np.int64] | None = None,
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Return the token hashes of all texts, or of some `rows`, and where each begins (texts + 1)."""
    if rows is None and texts.about() <= FEW and int(texts.lengths().sum()) <= SHORT:
        some = [locate_tokens(texts[row].encode("utf-8", "surrogatepass"), key)[0] for row in range(len(texts))]
        bounds = np.cumsum([0, *map(len, some)], dtype=np.int64)
        return np.concatenate([np.empty(0, dtype=np.uint64), *some]), bounds
    tokens: GrowingArray[np.uint64] = GrowingArray(np.uint64)
    offsets = [np.zeros(1, dtype=np.int64)]
    lengths = texts.lengths() if rows is None else texts.lengths()[rows]
    total, characters, done = max(int(lengths.sum()), 1), np.concatenate(([0], np.cumsum(lengths))), 0
    for block in token_blocks(texts, threads, key, progress, rows):
        # of a text that has not ended, what has come in is not known: the forecast goes by what will have
        done += len(block.offsets) - 1 - (not block.ends)
        bounds = block.offsets[1:] + len(tokens)
        offsets.append(bounds if block.ends else bounds[:-1])
        tokens.append(block.tokens, float(characters[done] + (0 if block.ends else BLOCK_BYTES)) / total)
    return tokens.array(), np.concatenate(offsets)


def token_blocks(
    texts: Texts,
    threads: int,
    key: HashKey,
    progress: Report = lambda _: None,
    rows: npt.NDArray[np.int64] | None = None,
) -> Iterator[TokenBlock]:
    """Yield the tokens of all texts, or of some `rows`, in order; `progress` is told the number of texts read."""
    lengths = texts.lengths()
    if rows is None and int(lengths.max(initial=0)) <= LONG:
        jobs: Iterator[Callable[[], TokenBlock]] = (partial(_hashed, load, key) for load in texts.loads())
    else:
        jobs = _cut(texts, np.arange(len(texts), dtype=np.int64) if rows is None else rows, lengths, key)
    done = 0
    for block in map_blocks(_call, jobs, threads):
        done += len(block.offsets) - 1 - (not block.ends)
        progress(done)
        yield block


def _call(job: Callable[[], TokenBlock]) -> TokenBlock:
    return job()


def _hashed(load: Callable[[], Block], key: HashKey, *, goes_on: bool = False, ends: bool = True) -> TokenBlock:
    block = load()
    made = hash_tokens(block.values, block.starts, block.ends, key)
    block.release()
    return TokenBlock(*made, goes_on, ends)


def _encoded(texts: list[str]) -> Block:
    data = [text.encode("utf-8", "surrogatepass") for text in texts]
    bounds = np.cumsum([0, *map(len, data)], dtype=np.int64)
    return Block(0, np.frombuffer(b"".join([*data, bytes(PADDING)]), dtype=np.uint8), bounds[:-1], bounds[1:])


def _cut(
    texts: Texts, rows: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], key: HashKey
) -> Iterator[Callable[[], TokenBlock]]:
    """Yield what makes each block: short texts together, pieces of long ones alone."""
    some: list[str] = []
    size = 0
    for row in rows.tolist():
        if lengths[row] > LONG or size > BLOCK_BYTES or len(some) >= MOST_TEXTS:
            if some:
                yield partial(_hashed, partial(_encoded, some), key)
            some, size = [], 0
        text = texts[row]
        if len(text) <= LONG:
            some.append(text)
            size += len(text)
            continue
        at = 0
        while at < len(text):
            found = CUT.search(text, at + BLOCK_BYTES)
            end = found.start() + 1 if found else len(text)
            yield partial(_hashed, partial(_encoded, [text[at:end]]), key, goes_on=at > 0, ends=end == len(text))
            at = end
    if some:
        yield partial(_hashed, partial(_encoded, some), key)

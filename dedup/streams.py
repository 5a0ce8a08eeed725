"""The tokens of all texts in a row, as their hashes: text t has ``tokens[offsets[t]:offsets[t + 1]]``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from dedup.blocks import map_blocks
from dedup.columns import Block, Texts
from dedup.pool import Pool
from dedup.tokens import hash_tokens, locate_tokens

__all__ = ["read_tokens"]

FEW, SHORT = 16, 1 << 18
"""Texts, and characters of them all: so little is read by the kernel that finds the spans afterwards, and the first
run need not compile another one."""


def read_tokens(
    texts: Texts, threads: int, progress: Callable[[int], None] = lambda _: None
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Return the token hashes of all texts in a row, and where each text begins (texts + 1)."""
    if len(texts) <= FEW and int(texts.lengths().sum()) <= SHORT:
        rows = [locate_tokens(texts[row].encode("utf-8", "surrogatepass"))[0] for row in range(len(texts))]
        bounds = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        return np.concatenate([np.empty(0, dtype=np.uint64), *rows]), bounds

    def work(load: Callable[[], Block]) -> tuple[int, npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        block = load()
        hashes, bounds = hash_tokens(block.values, block.starts, block.ends)
        return len(block.starts), hashes, bounds

    tokens: Pool[np.uint64] = Pool(np.uint64)
    offsets = [np.zeros(1, dtype=np.int64)]
    done = 0
    for count, hashes, bounds in map_blocks(work, texts.loads(), threads):
        done += count
        offsets.append(bounds[1:] + len(tokens))
        tokens.append(hashes, done / max(len(texts), 1))
        progress(done)
    return tokens.array(), np.concatenate(offsets)

"""rensa: MinHash and LSH in Rust; the user brings tokens.

Settings are those of its README: 128 slots, threshold 0.8, and the 8 bands that it chooses for that
threshold. Four rows:

* `rensa` gives pairs in its documented way: sketches of full sets of strings of five words, all
  inserted in its LSH, all queried. Its matrix call is faster but answers only with flags, so the
  sketches are made as objects.
* `rensa-tuned` is the same with tokens of the 8 bytes of a 5-gram that a user has hashed in numpy,
  which its Rust side hashes again: 17 against 14 MB/s, and 12 for `RMinHashDeduplicator.add_pairs`.
* `rensa-flags` is its fastest path over full sets: hashes in a row, a digest matrix, and a flag for
  each document that shares a band with another one. It does not name that document.
* `rensa-rho` is the path that the figures in its README are from: it samples tokens of each document.

Not used: C-MinHash, at a fifth of the speed of R-MinHash.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from rensa import RMinHash, RMinHashLSH

from benchmarks.corpora.score import Answer
from benchmarks.rivals import Tool
from benchmarks.rivals.shingles import I64, U64, Shingles, blocks, hashed, joined, listed, rows

_SLOTS: Final = 128
_BANDS: Final = 8
_SEED: Final = 42


def _sketches(hashes: U64, counts: I64) -> list[Any]:
    tokens = hashes.view("S8").tolist()
    made: list[Any] = RMinHash.from_token_sets([tokens[start:stop] for start, stop in rows(counts)], _SLOTS, _SEED)
    return made


def _pairs(sketches: list[Any], threshold: float) -> list[list[int]]:
    index = RMinHashLSH(threshold, _SLOTS, _BANDS)
    index.insert_many(sketches)
    found: list[list[int]] = index.query_all(sketches)
    return found


def _whole(texts: list[str], threshold: float, threads: int) -> list[list[int]]:
    return _pairs([sketch for block in blocks(texts) for sketch in _sketches(*block)], threshold)


def _documented(texts: list[str], threshold: float, threads: int) -> list[list[int]]:
    sketches = RMinHash.from_token_sets([joined(text) for text in texts], _SLOTS, _SEED)
    return _pairs(sketches, threshold)


def _ready(shingles: Shingles, threshold: float, threads: int) -> list[list[int]]:
    return _pairs([sketch for block in shingles.blocks() for sketch in _sketches(*block)], threshold)


def _flags(hashes: U64, offsets: I64, threshold: float) -> list[bool]:
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets.astype(np.uint64), _SLOTS, _SEED)
    flags: list[bool] = RMinHashLSH(threshold, _SLOTS, _BANDS).query_duplicate_flags_matrix_one_shot(matrix)
    return flags


def _flags_rho(hashes: U64, offsets: I64, threshold: float) -> list[bool]:
    matrix = RMinHash.digest_matrix_from_flat_token_hashes_rho(hashes, offsets.astype(np.uint64), _SLOTS, _SEED)
    flags: list[bool] = RMinHashLSH(threshold, _SLOTS, _BANDS).query_duplicate_flags_matrix_one_shot(matrix)
    return flags


def _listed(native: list[list[int]], documents: int) -> Answer:
    return Answer(*listed(native))


def _flagged(native: list[bool], documents: int) -> Answer:
    return Answer(flags=np.array(native, dtype=np.bool_))


TOOLS: Final = {
    "rensa": Tool("rensa", "rensa", "full sets, 128 slots, 8 bands", _documented, _listed),
    "rensa-tuned": Tool(
        "rensa-tuned",
        "rensa",
        "the same, fed hashes made in numpy",
        _whole,
        _listed,
        _ready,
        tuned=True,
    ),
    "rensa-flags": Tool(
        "rensa-flags",
        "rensa",
        "full sets, 128 slots, 8 bands; flags, no pairs",
        lambda texts, threshold, threads: _flags(*hashed(texts), threshold),
        _flagged,
        lambda shingles, threshold, threads: _flags(shingles.hashes, shingles.offsets, threshold),
    ),
    "rensa-rho": Tool(
        "rensa-rho",
        "rensa",
        "rho: samples tokens, 128 slots, 8 bands; flags, no pairs",
        lambda texts, threshold, threads: _flags_rho(*hashed(texts), threshold),
        _flagged,
        lambda shingles, threshold, threads: _flags_rho(shingles.hashes, shingles.offsets, threshold),
        samples=True,
    ),
}

"""FastSketchLSH: Fast Similarity Sketch in C++ with banded LSH; the user brings tokens.

Settings are those of its README: 128 slots in 16 bands. Candidates are not verified. Hashed
shingles go in as CSR, "for maximum throughput", and the answer is asked for as CSR: that is
`fastsketchlsh-tuned`, with hashes that a user has made in numpy. `fastsketchlsh` is its README's way,
strings of five words.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from FastSketchLSH import LSH, FastSimilaritySketch

from benchmarks.corpora.score import Answer
from benchmarks.rivals import Tool
from benchmarks.rivals.shingles import I64, U64, Shingles, hashed, joined

_SLOTS: Final = 128
_BANDS: Final = 16


def _pairs(hashes: U64, offsets: I64, threads: int) -> tuple[U64, U64]:
    sketcher = FastSimilaritySketch(size=_SLOTS, seed=42)
    sketches = sketcher.batch_csr(hashes, offsets.astype(np.uint64), prehashed=True, num_threads=threads)
    return _collide(sketches, threads)


def _documented(texts: list[str], threshold: float, threads: int) -> tuple[U64, U64]:
    sketcher = FastSimilaritySketch(size=_SLOTS, seed=42)
    sketches = sketcher.batch([joined(text) for text in texts], num_threads=threads)
    return _collide(sketches, threads)


def _collide(sketches: Any, threads: int) -> tuple[U64, U64]:
    index = LSH(num_perm=_SLOTS, num_bands=_BANDS, num_threads=threads)
    index.reserve(len(sketches))
    index.insert(sketches)
    found: tuple[U64, U64] = index.query(sketches, format="csr")
    return found


def _whole(texts: list[str], threshold: float, threads: int) -> tuple[U64, U64]:
    return _pairs(*hashed(texts), threads)


def _ready(shingles: Shingles, threshold: float, threads: int) -> tuple[U64, U64]:
    return _pairs(shingles.hashes, shingles.offsets, threads)


def _answer(native: tuple[U64, U64], documents: int) -> Answer:
    found, starts = (part.astype(np.int64) for part in native)
    return Answer(np.repeat(np.arange(documents, dtype=np.int64), np.diff(starts)), found)


TOOLS: Final = {
    "fastsketchlsh": Tool("fastsketchlsh", "fastsketchlsh", "128 slots, 16 bands", _documented, _answer),
    "fastsketchlsh-tuned": Tool(
        "fastsketchlsh-tuned",
        "fastsketchlsh",
        "the same, fed hashes made in numpy",
        _whole,
        _answer,
        _ready,
        tuned=True,
    ),
}

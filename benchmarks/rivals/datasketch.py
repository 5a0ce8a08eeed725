"""datasketch: MinHash in numpy and LSH in Python dictionaries.

Settings are its defaults: 128 permutations ("affine32"), the bands that `MinHashLSH(threshold=0.8)`
chooses (9 of 13 rows), `MinHash.bulk`'s generator, and an insertion session without the check for
keys given twice. Candidates are not verified: `query` is what its documentation calls "likely
greater than the threshold".

Two rows. `datasketch` is its documented way: strings of five words, encoded, into `MinHash.generator`
with its own hash function (SHA-1). `datasketch-tuned` is fed 32-bit hashes that a user has made in
numpy, with `operator.index` as hash function: nothing that it offers, but what an expert would do;
xxh32 or crc32 of joined words take 1.1 to 1.5 times as long. The index is filled before it is
queried, as its documentation does; asking before each insert takes as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import index as as_is
from typing import Any, Final

import numpy as np
from datasketch import MinHash, MinHashLSH

from benchmarks.corpora.score import Answer
from benchmarks.rivals import Tool
from benchmarks.rivals.shingles import I64, U64, Shingles, blocks, joined, listed, rows

_PERMUTATIONS: Final = 128


def _narrow(hashes: U64, counts: I64) -> Iterator[list[int]]:
    """The 32 upper bits of each text's hashes."""
    values = (hashes >> np.uint64(32)).tolist()
    for start, stop in rows(counts):
        yield values[start:stop]


def _pairs(values: Iterator[list[int]], threshold: float) -> list[list[int]]:
    return _collide(list(MinHash.generator(values, num_perm=_PERMUTATIONS, hashfunc=as_is)), threshold)


def _documented(texts: list[str], threshold: float, threads: int) -> list[list[int]]:
    tokens = ([shingle.encode() for shingle in joined(text)] for text in texts)
    return _collide(list(MinHash.generator(tokens, num_perm=_PERMUTATIONS)), threshold)


def _collide(sketches: list[Any], threshold: float) -> list[list[int]]:
    index = MinHashLSH(threshold=threshold, num_perm=_PERMUTATIONS)
    with index.insertion_session() as session:
        for key, sketch in enumerate(sketches):
            session.insert(key, sketch, check_duplication=False)
    return [index.query(sketch) for sketch in sketches]


def _whole(texts: list[str], threshold: float, threads: int) -> list[list[int]]:
    return _pairs((values for block in blocks(texts) for values in _narrow(*block)), threshold)


def _ready(shingles: Shingles, threshold: float, threads: int) -> list[list[int]]:
    return _pairs((values for block in shingles.blocks() for values in _narrow(*block)), threshold)


def _answer(native: list[list[int]], documents: int) -> Answer:
    return Answer(*listed(native))


TOOLS: Final = {
    "datasketch": Tool("datasketch", "datasketch", "128 permutations, 9 bands x 13 rows", _documented, _answer),
    "datasketch-tuned": Tool(
        "datasketch-tuned",
        "datasketch",
        "the same, fed hashes made in numpy",
        _whole,
        _answer,
        _ready,
        tuned=True,
    ),
}

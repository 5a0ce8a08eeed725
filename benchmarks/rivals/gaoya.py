"""gaoya: MinHash index in Rust, with its own tokeniser.

Settings are its documented defaults, 20 bands of 5 rows of 32 bits, with word 5-grams, lower case
and threshold 0.8. It verifies by the estimate of its signatures, so pairs near the threshold come
and go. Its API takes texts for a query, not signatures, so every text is tokenised and hashed
twice; no public call avoids that.

Tried, at about 15 MB/s each: `id_container` "set", "vec" and "smallvec" (used: documented for few
near duplicates); texts lowered by Python first; 16-bit hashes; one insert and one query at a time;
128 hashes in bands chosen by gaoya. Slower: 64-bit hashes, a Python analyser, tokens passed in.
"""

from __future__ import annotations

from typing import Any, Final

from gaoya.minhash import MinHashStringIndex

from benchmarks.corpora.score import Answer
from benchmarks.rivals import Tool
from benchmarks.rivals.shingles import Shingles, listed


def index_of(threshold: float) -> Any:
    """Return an empty index."""
    return MinHashStringIndex(
        hash_size=32,
        jaccard_threshold=threshold,
        num_bands=20,
        band_size=5,
        analyzer="word",
        lowercase=True,
        ngram_range=(5, 5),
        id_container="smallvec",
    )


def _whole(texts: list[str], threshold: float, threads: int) -> list[list[int]]:
    index = index_of(threshold)
    index.par_bulk_insert_docs(list(range(len(texts))), texts)
    found: list[list[int]] = index.par_bulk_query(texts)
    return found


def _ready(shingles: Shingles, threshold: float, threads: int) -> list[list[int]]:
    index = index_of(threshold).minhash_index
    index.par_bulk_insert_tokens(list(range(len(shingles.strings))), shingles.strings)
    found: list[list[int]] = index.par_bulk_query_tokens(shingles.strings)
    return found


def _answer(native: list[list[int]], documents: int) -> Answer:
    return Answer(*listed(native))


TOOLS: Final = {
    "gaoya": Tool("gaoya", "gaoya", "20 bands x 5 rows, 32 bits", _whole, _answer, _ready, strings=True),
}

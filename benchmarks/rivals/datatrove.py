"""datatrove: the MinHash stages of a pipeline for clusters, run here one after the other in one
process.

Settings are its defaults: 14 buckets of 8 hashes of 64 bits, 5-grams, its text simplification.
Stages: signatures, buckets, clusters; they exchange files in a temporary folder. The
answer is the clusters, components of what collided.

Its word tokenisers load spaCy; here its hook for "custom tokenizers" gets `str.split`, which is
enough after its simplification and saves that time. Its hash function is wrapped to pass bytes,
because from version 4 on xxhash refuses the strings that datatrove gives it. Needs the packages
`regex` and `tokenizers`, which it imports without asking for them.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import xxhash
from datatrove.data import Document
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupSignature,
)
from datatrove.utils.word_tokenizers import WordTokenizer
from loguru import logger

from benchmarks.corpora.score import Answer
from benchmarks.rivals import Tool

logger.remove()  # it writes a line for each step to the standard error
logging.getLogger("datatrove").setLevel(logging.WARNING)


class _Split(WordTokenizer):  # type: ignore[misc]  # the base class has no types
    """Words between white space."""

    def word_tokenize(self, text: str) -> list[str]:
        return text.split()

    def sent_tokenize(self, text: str) -> list[str]:
        return [text]

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        return [(0, len(text))]


def _hash(text: str) -> int:
    return int(xxhash.xxh64_intdigest(text.encode()))


def _whole(texts: list[str], threshold: float, threads: int) -> Any:
    config = MinhashConfig(n_grams=5)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        signatures = MinhashDedupSignature(str(folder / "signatures"), config, language=_Split())
        signatures._hash_func = _hash
        signatures.run(Document(text=text, id=str(place)) for place, text in enumerate(texts))
        for bucket in range(config.num_buckets):
            step = MinhashDedupBuckets(str(folder / "signatures"), str(folder / "pairs"), config=config)
            step.run(None, bucket, config.num_buckets)
        MinhashDedupCluster(str(folder / "pairs"), str(folder / "clusters"), config=config, save_cluster_id=True).run()
        found = folder / "clusters" / "000000.clusters"
        return np.fromfile(found, dtype="<u4").reshape(-1, 2) if found.exists() else np.empty((0, 2), dtype="<u4")


def _answer(native: Any, documents: int) -> Answer:
    groups = np.full(documents, -1, dtype=np.int64)
    groups[native[:, 0]] = native[:, 1]
    return Answer(groups=groups)


TOOLS: Final = {
    "datatrove": Tool("datatrove", "datatrove", "14 buckets x 8 hashes; clusters", _whole, _answer),
}

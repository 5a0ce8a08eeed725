"""SetSimilaritySearch: an exact join of sets in Python, by prefixes (All-Pairs).

`all_pairs` takes one set for each text, and yields each pair with its similarity; it has no other setting than the
similarity and the threshold. Sets of hashes take less time than sets of strings, so it gets the hashes. Quadratic in
what many sets share, so it is measured once.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from SetSimilaritySearch import all_pairs

from benchmarks.corpora.score import Answer
from benchmarks.rivals import Tool
from benchmarks.rivals.shingles import Shingles, blocks, rows

Native = tuple[list[int], list[tuple[int, int, float]]]


def _sets(made: Any) -> tuple[list[int], list[set[int]]]:
    """The sets of the texts that have a shingle, and the numbers of these texts: an empty set is an error there."""
    kept: list[int] = []
    sets: list[set[int]] = []
    number = 0
    for hashes, counts in made:
        values = hashes.tolist()
        for start, stop in rows(counts):
            if start < stop:
                kept.append(number)
                sets.append(set(values[start:stop]))
            number += 1
    return kept, sets


def _joined(made: Any, threshold: float) -> Native:
    kept, sets = _sets(made)
    return kept, list(all_pairs(sets, similarity_func_name="jaccard", similarity_threshold=threshold))


def _whole(texts: list[str], threshold: float, threads: int) -> Native:
    return _joined(blocks(texts), threshold)


def _ready(shingles: Shingles, threshold: float, threads: int) -> Native:
    return _joined(shingles.blocks(), threshold)


def _answer(native: Native, documents: int) -> Answer:
    numbers = np.array(native[0], dtype=np.int64)
    pairs = np.array([pair[:2] for pair in native[1]], dtype=np.int64).reshape(-1, 2)
    return Answer(numbers[pairs[:, 0]], numbers[pairs[:, 1]])


TOOLS: Final = {
    "setsimilaritysearch": Tool(
        "setsimilaritysearch", "SetSimilaritySearch", "exact, all_pairs, sets of hashes", _whole, _answer, _ready
    ),
}

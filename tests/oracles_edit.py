"""What a search by edit distance must answer, in plain Python: the textbook's distance, and all pairs.

No numpy, no import of dedup.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import combinations

from tests import oracles


def plain(text: str) -> str:
    """Give the tokens of a text, joined by single spaces."""
    return " ".join(oracles.tokens(text))


def levenshtein(left: Sequence[Hashable], right: Sequence[Hashable]) -> int:
    """Give how many insertions, deletions and substitutions make one sequence of the other, at least."""
    row = list(range(len(right) + 1))
    for one in left:
        above, row = row, [row[0] + 1]
        for at, other in enumerate(right):
            row.append(min(above[at] + (one != other), above[at + 1] + 1, row[at] + 1))
    return row[-1]


def similarity(left: str, right: str) -> float:
    """Give what is equal of two texts that have a token: the length of the longer one without the distance."""
    longer = max(len(left), len(right))
    return (longer - levenshtein(left, right)) / longer


def pairs(
    texts: Sequence[str], threshold: float, chosen: Iterable[tuple[int, int]] | None = None
) -> dict[tuple[int, int], tuple[int, float]]:
    """Give the distance and similarity of the pairs that reach the threshold, of all or of the `chosen` pairs."""
    found = {}
    known = [plain(text) for text in texts]
    for i, j in combinations(range(len(texts)), 2) if chosen is None else chosen:
        if known[i] and known[j]:
            value = similarity(known[i], known[j])
            if value >= threshold:
                found[i, j] = levenshtein(known[i], known[j]), value
    return found

r"""The exact answer, by code that shares nothing with the library: dictionaries, sets, an index.

Two texts are a pair when `shared / union >= threshold`, in float64, of their sets of word 5-grams.
A word is a run of `\w` and marks in the NFKC-normalised, case-folded text with format characters
dropped, a code point at a time in scripts that write no spaces; a text of fewer than five words is
one shingle; a text without words equals nothing.

Nothing is hashed: words get numbers from a dictionary, 5-grams from the ranks of their words, so
that two shingles are the same exactly when their words are. Only texts that share one of their
rarest shingles are compared. A text with n shingles shares at least o of them with any partner, so
the rarest shingle that a pair shares is among the n - o + 1 rarest of each. `by_brute_force` says
the same without an index, for small sets.

Families make pairs quadratically: past `limit` pairs the search stops with `TooManyPairsError`
rather than fill the memory.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]

SIZE: Final = 5  # words in a shingle
LIMIT: Final = 5_000_000  # pairs
_VERSION: Final = 2  # of what is kept on disk: raise it when the definition changes
_WORD: Final = re.compile(r"\w+")
_SPACELESS: Final = (
    "CJK UNIFIED IDEOGRAPH",
    "CJK COMPATIBILITY IDEOGRAPH",
    "IDEOGRAPHIC",
    "HIRAGANA",
    "KATAKANA",
    "THAI ",
    "LAO ",
    "KHMER ",
    "MYANMAR ",
)


class TooManyPairsError(Exception):
    """The corpus has more pairs than the limit, so recall and precision are not measured on it."""


@dataclass(frozen=True)
class Truth:
    """All pairs at a threshold with their Jaccard similarity, and the identical texts among them; left before right,
    sorted."""

    left: I64
    right: I64
    similarity: NDArray[np.float64]
    copies_left: I64
    copies_right: I64


@cache
def _kind(letter: str) -> str:
    """What a code point is to a word: "word", "mark", "alone", "dropped" or "gap"."""
    category = unicodedata.category(letter)
    if category == "Cf":
        return "dropped"
    if category[0] == "M":
        return "mark"
    if category[0] not in "LN" and letter != "_":
        return "gap"
    return "alone" if unicodedata.name(letter, "").startswith(_SPACELESS) else "word"


def words(text: str) -> list[str]:
    """The words of a text."""
    text = unicodedata.normalize("NFKC", text).casefold()
    if all(_kind(letter) == ("word" if _WORD.match(letter) else "gap") for letter in set(text)):
        return _WORD.findall(text)
    found: list[str] = []
    last = "gap"
    for letter in text:
        kind = _kind(letter)
        if kind == "dropped":
            continue
        if kind == "alone" or (kind != "gap" and last == "gap") or (kind == "word" and last == "alone"):
            found.append(letter)
        elif kind != "gap":
            found[-1] += letter
        if kind != "mark" or last == "gap":  # a mark belongs to what it follows
            last = kind
    return found


def shingle_sets(texts: Iterable[str]) -> list[I64]:
    """The sorted numbers of each text's shingles: equal exactly where the words are equal."""
    numbers: defaultdict[str, int] = defaultdict(lambda: len(numbers) + 1)
    rows: list[I64] = []
    for text in texts:
        row = np.fromiter((numbers[word] for word in words(text)), dtype=np.int64)
        if 0 < len(row) < SIZE:
            row = np.concatenate((row, np.zeros(SIZE - len(row), dtype=np.int64)))
        rows.append(row)
    counts = np.array([max(0, len(row) - SIZE + 1) for row in rows], dtype=np.int64)
    places = [np.concatenate([row[k : len(row) - SIZE + 1 + k] for row in rows]) for k in range(SIZE)]
    key = places[0]
    for place in places[1:]:
        key = np.unique(key * (len(numbers) + 1) + place, return_inverse=True)[1].astype(np.int64)
    ends = np.cumsum(counts)
    return [np.unique(key[end - count : end]) for end, count in zip(ends.tolist(), counts.tolist(), strict=True)]


def least_shared(size: int, threshold: float) -> int:
    """The fewest shingles that a set of this size shares with any partner at the threshold."""
    fewest = max(1, int(threshold * size) - 1)
    while fewest / size < threshold:
        fewest += 1
    return fewest


def _rarest_first(sets: list[I64]) -> list[I64]:
    """The same sets with shingles renamed by frequency: the smallest number is the rarest."""
    flat = np.concatenate(sets) if sets else np.empty(0, dtype=np.int64)
    frequency = np.bincount(flat)
    rank = np.empty(len(frequency), dtype=np.int64)
    rank[np.argsort(frequency, kind="stable")] = np.arange(len(frequency))
    return [np.sort(rank[found]) for found in sets]


def _near(sets: list[I64], threshold: float, limit: int) -> Iterable[tuple[int, int, float]]:
    """Pairs of different sets that reach the threshold, and their similarity."""
    ranked = _rarest_first(sets)
    members: dict[int, set[int]] = {}
    index: defaultdict[int, list[int]] = defaultdict(list)
    compared = 0
    for right, found in enumerate(ranked):
        prefix = found[: len(found) - least_shared(len(found), threshold) + 1].tolist()
        partners: set[int] = set()
        for shingle in prefix:
            partners.update(index[shingle])
            index[shingle].append(right)
        if not partners:
            continue
        compared += len(partners)
        if compared > 10 * limit:
            raise TooManyPairsError(f"More than {10 * limit:,} comparisons at threshold {threshold}")
        members[right] = set(found.tolist())
        for left in sorted(partners):
            if left not in members:
                members[left] = set(ranked[left].tolist())
            shared = len(members[left] & members[right])
            similarity = shared / (len(ranked[left]) + len(found) - shared)
            if similarity >= threshold:
                yield left, right, similarity


def _groups(keys: Iterable[bytes]) -> list[list[int]]:
    """Positions of equal keys, empty keys left out."""
    groups: defaultdict[bytes, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        if key:
            groups[key].append(place)
    return list(groups.values())


def _arrays(found: set[tuple[int, int]]) -> tuple[I64, I64]:
    table = np.array(sorted(found), dtype=np.int64).reshape(-1, 2)
    return table[:, 0].copy(), table[:, 1].copy()


def find(texts: list[str], threshold: float = 0.8, limit: int = LIMIT) -> Truth:
    """All pairs of the texts at the threshold."""
    sets = shingle_sets(texts)
    groups = _groups(found.tobytes() for found in sets)  # one text represents all with the same shingles
    pairs: dict[tuple[int, int], float] = {}

    def add(new: Iterable[tuple[int, int]], similarity: float) -> None:
        pairs.update(((left, right) if left < right else (right, left), similarity) for left, right in new)

    def check(more: int) -> None:
        if len(pairs) + more > limit:
            raise TooManyPairsError(f"More than {limit:,} pairs at threshold {threshold} in {len(texts):,} texts")

    for group in groups:
        check(len(group) * (len(group) - 1) // 2)
        add(combinations(group, 2), 1.0)
    for one, other, similarity in _near([sets[group[0]] for group in groups], threshold, limit):
        check(len(groups[one]) * len(groups[other]))
        add(((left, right) for left in groups[one] for right in groups[other]), similarity)
    same = _groups(
        text.encode("utf-8", "surrogatepass") if len(found) else b"" for text, found in zip(texts, sets, strict=True)
    )
    copies = {pair for group in same for pair in combinations(group, 2)}
    values = np.array([pairs[pair] for pair in sorted(pairs)], dtype=np.float64)
    return Truth(*_arrays(set(pairs)), values, *_arrays(copies))


def by_brute_force(texts: list[str], threshold: float = 0.8) -> set[tuple[int, int]]:
    """What `find` finds, said without an index; quadratic."""
    sets = []
    for text in texts:
        found = words(text)
        sets.append({tuple(found[k : k + SIZE]) for k in range(max(1, len(found) - SIZE + 1))} if found else set())
    return {
        (left, right)
        for left, right in combinations(range(len(texts)), 2)
        if sets[left] and len(sets[left] & sets[right]) / max(1, len(sets[left] | sets[right])) >= threshold
    }


def kept(texts: Iterable[str], digest: str, folder: Path, threshold: float = 0.8, limit: int = LIMIT) -> Truth:
    """The truth of a corpus, from the folder when it was found before."""
    path = folder / f"truth-{digest}-{threshold}-v{_VERSION}.npz"
    if not path.exists():
        found = find(list(texts), threshold, limit)
        part = path.with_suffix(".part.npz")
        np.savez(part, found.left, found.right, found.similarity, found.copies_left, found.copies_right)
        part.replace(path)
    with np.load(path) as stored:
        return Truth(*(stored[f"arr_{k}"] for k in range(5)))

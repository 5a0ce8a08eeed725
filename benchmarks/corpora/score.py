"""How far an answer agrees with the truth.

Tools answer in three ways: pairs, groups (components of what collided), or a flag for each document
that has a partner somewhere. A flag names no partner, so it is judged by documents instead of
pairs, and such rows are marked.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.corpora.truth import Truth

I64 = NDArray[np.int64]


def _none() -> I64:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Answer:
    """What a tool reported, in the numbers of the input.

    `left` and `right` are pairs in any order. `groups` gives a number to each document, -1 for
    none; if there are groups, two documents of one group count as found. `flags` are documents
    that are in a pair.
    """

    left: I64 = field(default_factory=_none)
    right: I64 = field(default_factory=_none)
    groups: I64 | None = None
    flags: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Score:
    """Shares in [0, 1]; None where there is nothing to share."""

    reported: int
    unit: str
    recall: float | None
    precision: float | None
    copies: float | None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _keys(left: I64, right: I64, documents: int) -> I64:
    """One number for each unordered pair, each once, a document's pair with itself left out."""
    apart = left != right
    low, high = np.minimum(left, right)[apart], np.maximum(left, right)[apart]
    return np.unique(low * documents + high)


def curve(answer: Answer, truth: Truth, documents: int, steps: int = 50) -> list[tuple[float, int, int]] | None:
    """For each step of similarity from 0 to 1: where it begins, how many pairs lie in it, how many were reported.

    Identical texts and texts with the same shingles are in the last step. None for flags, which name no pair.
    """
    if answer.flags is not None:
        return None
    found = np.isin(truth.left * documents + truth.right, _keys(answer.left, answer.right, documents))
    if answer.groups is not None:
        left, right = answer.groups[truth.left], answer.groups[truth.right]
        found |= (left >= 0) & (left == right)
    step = np.minimum((truth.similarity * steps + 1e-9).astype(np.int64), steps - 1)
    counts, hits = np.bincount(step, minlength=steps), np.bincount(step[found], minlength=steps)
    return [(k / steps, int(counts[k]), int(hits[k])) for k in range(steps) if counts[k]]


def score(answer: Answer, truth: Truth | None, documents: int) -> Score:
    """Recall and precision over all pairs, and the recall of the pairs of identical texts."""
    if answer.flags is not None:
        return _flagged(answer.flags, truth)
    found = _keys(answer.left, answer.right, documents)
    reported = len(found)
    sizes = _none()
    if answer.groups is not None and not reported:
        sizes = np.unique(answer.groups[answer.groups >= 0], return_counts=True)[1].astype(np.int64)
        reported = int((sizes * (sizes - 1) // 2).sum())
    if truth is None:
        return Score(reported, "pairs", None, None, None)

    def hits(left: I64, right: I64) -> int:
        hit = np.isin(left * documents + right, found)
        if answer.groups is not None:
            hit |= (answer.groups[left] >= 0) & (answer.groups[left] == answer.groups[right])
        return int(hit.sum())

    right = hits(truth.left, truth.right)
    listed = right if len(sizes) else int(np.isin(found, truth.left * documents + truth.right).sum())
    return Score(
        reported,
        "pairs",
        _share(right, len(truth.left)),
        _share(listed, reported),
        _share(hits(truth.copies_left, truth.copies_right), len(truth.copies_left)),
    )


def _flagged(flags: NDArray[np.bool_], truth: Truth | None) -> Score:
    reported = int(flags.sum())
    if truth is None:
        return Score(reported, "documents", None, None, None)
    paired = np.unique(np.concatenate((truth.left, truth.right)))
    copied = np.unique(np.concatenate((truth.copies_left, truth.copies_right)))
    right = int(flags[paired].sum())
    return Score(
        reported,
        "documents",
        _share(right, len(paired)),
        _share(right, reported),
        _share(int(flags[copied].sum()), len(copied)),
    )

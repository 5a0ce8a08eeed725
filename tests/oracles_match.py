"""What a search across two collections must answer, in plain Python that is obviously right.

* `crossed`: the pairs of a left with a right text that reach the threshold, by comparing each with each;
* `passages`: the stretches of each left text that occur on the right, by trying them all, with their spans;
* `seeds`: the places of short windows on the left, each with the first place on the right and the last;
* `edited`: whether a passage with edits is what it says.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations, product
from typing import NamedTuple

from tests import oracles, oracles_repeats

Pair = tuple[int, int]


def crossed(
    left: Sequence[str], right: Sequence[str], threshold: float, metric: str = "jaccard", shingle: str = "words:5"
) -> list[oracles.Pair]:
    """Give every pair across the sides that reaches the threshold; `right` is a position on the right."""
    lefts = [oracles.shingles(text, shingle) for text in left]
    rights = [oracles.shingles(text, shingle) for text in right]
    found = []
    for (i, a), (j, b) in product(enumerate(lefts), enumerate(rights)):
        whole = min(len(a), len(b)) if metric == "containment" else len(a | b)
        if oracles.reaches(len(a & b), whole, threshold):
            found.append(oracles.Pair(i, j, len(a), len(b), len(a & b)))
    return found


class Stretch(NamedTuple):
    """A stretch of tokens of a left text and the first place where it occurs on the right."""

    left: int
    start: int
    end: int
    right: int
    right_start: int


def stretches(left: Sequence[Sequence[str]], right: Sequence[Sequence[str]], min_words: int) -> list[Stretch]:
    """Give the stretches of tokens that cannot be made longer: tries them all."""
    found = []
    for text, words in enumerate(left):
        places = {}
        for i, j in combinations(range(len(words) + 1), 2):
            wanted = tuple(words[i:j])
            for other, (row, others) in product([wanted], enumerate(right)):
                at = [k for k in range(len(others) - (j - i) + 1) if tuple(others[k : k + j - i]) == other]
                if at:
                    places[i, j] = (row, at[0])
                    break
        for (i, j), (row, at) in sorted(places.items()):
            if j - i >= min_words and not {(i - 1, j), (i, j + 1)} & places.keys():
                found.append(Stretch(text, i, j, row, at))
    return found


def seeds(left: Sequence[Sequence[Hashable]], right: Sequence[Sequence[Hashable]], size: int, stride: int) -> set[Pair]:
    """Give the windows of the left that are on the right, at a place that `stride` divides: with the first and last.

    Places are those of a row of the right texts, then the left ones.
    """
    known: dict[tuple[Hashable, ...], list[int]] = {}
    begin = 0
    for symbols in right:
        for i in range(0, len(symbols) - size + 1, stride):
            known.setdefault(tuple(symbols[i : i + size]), []).append(begin + i)
        begin += len(symbols)
    found = set()
    for symbols in left:
        for i in range(len(symbols) - size + 1):
            at = known.get(tuple(symbols[i : i + size]), [])
            found |= {(begin + i, place) for place in (*at[:1], *at[-1:])}
        begin += len(symbols)
    return found


def edited(a: Sequence[str], b: Sequence[str], words: int, similarity: float, min_words: int, threshold: float) -> bool:
    """Say whether two token rows are a passage: long enough, and as similar as it says, and as it must be."""
    longer = max(len(a), len(b))
    most = oracles_repeats.longest_common(a, b) / longer
    return words == len(a) and longer >= min_words and threshold <= similarity <= most


class Passage(NamedTuple):
    """A passage in characters: the columns of `Matches.passages`."""

    left: int
    left_start: int
    left_end: int
    right: int
    right_start: int
    right_end: int
    words: int


def passages(left: Sequence[str], right: Sequence[str], min_words: int) -> list[Passage]:
    """Give the passages with their spans, for texts that are their own NFKC form."""
    lefts = [oracles.token_spans(text) for text in left]
    rights = [oracles.token_spans(text) for text in right]
    words = [[[token.token for token in text] for text in side] for side in (lefts, rights)]
    found = []
    for at in stretches(*words, min_words):
        a = Side(left[at.left], lefts[at.left], at.start, at.end)
        b = Side(right[at.right], rights[at.right], at.right_start, at.right_start + at.end - at.start)
        before = after = 0
        while a.outside(a.begin - before - 1) == b.outside(b.begin - before - 1) is not None:
            before += 1
        while a.outside(a.finish + after) == b.outside(b.finish + after) is not None:
            after += 1
        while before and (
            oracles_repeats.grows(a.text, a.begin - before) or oracles_repeats.grows(b.text, b.begin - before)
        ):
            before -= 1
        while after and (
            oracles_repeats.grows(a.text, a.finish + after) or oracles_repeats.grows(b.text, b.finish + after)
        ):
            after -= 1
        spans = [side.widened(before, after) for side in (a, b)]
        found.append(Passage(at.left, *spans[0], at.right, *spans[1], at.end - at.start))
    return found


class Side:
    """One side of a stretch."""

    def __init__(self, text: str, tokens: Sequence[oracles.TokenSpan], first: int, end: int) -> None:
        self.text, self.tokens, self.first, self.stop = text, tokens, first, end
        self.begin, self.finish = tokens[first].start, tokens[end - 1].end

    def outside(self, place: int) -> str | None:
        """Give the character that adjoins the stretch, None where it is a space, of another token, or outside."""
        if not 0 <= place < len(self.text) or self.text[place].isspace():
            return None
        low = self.tokens[self.first - 1].end if self.first else 0
        high = self.tokens[self.stop].start if self.stop < len(self.tokens) else len(self.text)
        return self.text[place] if low <= place < high else None

    def widened(self, before: int, after: int) -> tuple[int, int]:
        """Give the span: widened, and with the complete paragraphs whose tokens are all in it."""
        start, end = self.begin - before, self.finish + after
        for a, b in oracles.paragraphs(self.text):
            inside = [n for n, token in enumerate(self.tokens) if a <= token.start < b]
            if inside and self.first <= inside[0] and inside[-1] < self.stop:
                start = a if inside[0] == self.first else start
                end = b if inside[-1] == self.stop - 1 else end
        return start, end

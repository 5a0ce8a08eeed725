"""What a search for repeats must answer, in plain Python that is obviously right.

* `stretches`: the maximal stretches of symbols that occur earlier, by trying every end;
* `repeats`: the repeats at threshold 1, with their spans in characters;
* `longest_common`: no alignment of two token rows can match more tokens;
* `spelled_alike`: nor can one, where a word that is nearly equal counts in part.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from tests import oracles, oracles_edit


class Run(NamedTuple):
    """A repeated stretch and its source, in characters: the first fields of `Repeat`."""

    document: int
    start: int
    end: int
    source_document: int
    source_start: int
    source_end: int
    words: int


def stretches(documents: Sequence[Sequence[Hashable]], size: int) -> list[tuple[int, int, int, int, int]]:
    """Give every maximal stretch that occurs earlier: document, start, end, and the first such place.

    Brute force over rows of symbols: for each end, how far back each earlier end agrees.
    """
    found = []
    for d, symbols in enumerate(documents):
        longest: list[tuple[int, int, int]] = []
        for end in range(1, len(symbols) + 1):
            best = (0, 0, 0)
            for e in range(d + 1):
                for last in range(1, len(documents[e]) + 1 if e < d else end):
                    n = 0
                    while n < min(end, last) and symbols[end - n - 1] == documents[e][last - n - 1]:
                        n += 1
                    if n > best[0]:  # the first of the longest is the first place
                        best = (n, e, last - n)
            longest.append(best)
        for end, (n, e, start) in enumerate(longest, start=1):
            if n >= size and (end == len(symbols) or longest[end][0] != n + 1):
                found.append((d, end - n, end, e, start))
    return found


def seeds(documents: Sequence[Sequence[Hashable]], size: int) -> list[tuple[int, int, int]]:
    """Give the runs of windows that link to their first place, or to the last: place, source, tokens."""
    places: dict[tuple[Hashable, ...], list[int]] = {}
    to: dict[tuple[int, int], list[int]] = {}  # of a text and place: the first, and the last if another
    text_of: dict[int, int] = {}
    begin = 0
    for d, symbols in enumerate(documents):
        for i in range(len(symbols) - size + 1):
            before = places.setdefault(tuple(symbols[i : i + size]), [])
            to[d, begin + i] = sorted({*before[:1], *before[-1:]})
            before.append(begin + i)
            text_of[begin + i] = d
        begin += len(symbols)
    found = []
    for which in (0, 1):
        link = {key: some[which] for key, some in to.items() if len(some) > which}
        for (d, i), source in link.items():
            if link.get((d, i - 1)) == source - 1 and text_of[source - 1] == text_of[source]:
                continue
            n = 0
            while link.get((d, i + n + 1)) == source + n + 1 and text_of[source + n + 1] == text_of[source]:
                n += 1
            found.append((i, source, n + size))
    return sorted(found)


def links(
    documents: Sequence[Sequence[Hashable]], size: int, least: int, back: int, far: int
) -> list[tuple[tuple[int, int, int], float, int]]:
    """Give the seeds that are in a chain or have `least` tokens, with the best score and the row of the one before."""
    text = [d for d, symbols in enumerate(documents) for _ in symbols]
    every = seeds(documents, size)
    scores: list[float] = []
    before: list[int] = []
    begins: list[int] = []
    for s, (start, source, tokens) in enumerate(every):
        best, at, begin = float(tokens), -1, start
        if source + tokens > start:
            best = 0.0
        else:
            for p in reversed(range(max(s - back, 0), s)):
                p_start, p_source, p_tokens = every[p]
                ahead, source_ahead = start - p_start - p_tokens, source - p_source - p_tokens
                overlap = max(0, -ahead, -source_ahead)
                if (
                    scores[p] > 0
                    and (text[p_start], text[p_source]) == (text[start], text[source])
                    and max(ahead, source_ahead) <= far
                    and start > p_start
                    and source > p_source
                    and source + tokens <= begins[p]
                    and overlap < min(tokens, p_tokens)
                ):
                    gap = max(0, ahead, source_ahead)
                    score = scores[p] + tokens - overlap - abs(ahead - source_ahead) / 2 - gap / 4
                    if score > best:
                        best, at, begin = score, p, begins[p]
        scores.append(best)
        before.append(at)
        begins.append(begin)
    rows = [s for s in range(len(every)) if before[s] >= 0 or s in before or (scores[s] > 0 and every[s][2] >= least)]
    return [(every[s], scores[s], rows.index(before[s]) if before[s] >= 0 else -1) for s in rows]


def grows(text: str, at: int) -> bool:
    """Say whether the character at a place belongs to what is seen as one character with the one before."""
    if not 0 < at < len(text):
        return False
    joined = unicodedata.category(text[at])[0] == "M" or "\u200d" in text[at - 1 : at + 1]
    flags = re.search("[\U0001f1e6-\U0001f1ff]*$", text[:at])
    half = flags is not None and len(flags[0]) % 2 == 1 and "\U0001f1e6" <= text[at] <= "\U0001f1ff"
    return joined or half or "\U0001f3fb" <= text[at] <= "\U0001f3ff"


def repeats(texts: Sequence[str], min_words: int) -> list[Run]:
    """Give the repeats by their definition at threshold 1: tries everything."""
    spans = [oracles.token_spans(text) for text in texts]
    parts = [oracles.paragraphs(text) for text in texts]

    def whole(d: int, start: int, end: int) -> tuple[int, int] | None:
        """Give from where to where the whole paragraphs among some tokens of a document reach."""
        inside = [
            (a, b)
            for a, b in parts[d]
            if any(a <= span.start < b for span in spans[d])
            and all(start <= k < end for k, span in enumerate(spans[d]) if a <= span.start < b)
        ]
        return (inside[0][0], inside[-1][1]) if inside else None

    def side(d: int, start: int, end: int, left: int, right: int) -> tuple[int, int]:
        """Give the characters of a stretch that is widened by some on both sides."""
        first, last = spans[d][start].start, spans[d][end - 1].end
        low, high = first - left, last + right
        covered = whole(d, start, end)
        if covered and first >= covered[0]:
            low = covered[0]
        if covered and last <= covered[1]:
            high = covered[1]
        return low, high

    found = []
    for d, start, end, e, source in stretches([[span.token for span in row] for row in spans], min_words):
        period = start - source
        step = period if e == d and source + end - start > start and period >= min_words else end - start
        for i in range(start, end, step):
            j = min(i + step, end)
            if j - i < min_words:
                continue
            k, m = source, source + j - i
            text, other = texts[d], texts[e]
            left = 0
            while True:
                a, b = spans[d][i].start - left - 1, spans[e][k].start - left - 1
                if a < (spans[d][i - 1].end if i else 0) or b < (spans[e][k - 1].end if k else 0):
                    break
                if text[a] != other[b] or text[a].isspace():
                    break
                left += 1
            while left and (grows(text, spans[d][i].start - left) or grows(other, spans[e][k].start - left)):
                left -= 1
            right = 0
            while True:
                a, b = spans[d][j - 1].end + right, spans[e][m - 1].end + right
                if a >= (spans[d][j].start if j < len(spans[d]) else len(text)):
                    break
                if b >= (spans[e][m].start if m < len(spans[e]) else len(other)):
                    break
                if text[a] != other[b] or text[a].isspace():
                    break
                right += 1
            while right and (grows(text, spans[d][j - 1].end + right) or grows(other, spans[e][m - 1].end + right)):
                right -= 1
            found.append(Run(d, *side(d, i, j, left, right), e, *side(e, k, m, left, right), j - i))
    return sorted(found)


def longest_common(a: Sequence[str], b: Sequence[str]) -> int:
    """Give the length of the longest common subsequence: no alignment can match more tokens."""
    row = [0] * (len(b) + 1)
    for left in a:
        diagonal = 0
        for k, right in enumerate(b, start=1):
            above = row[k]
            row[k] = diagonal + 1 if left == right else max(above, row[k - 1])
            diagonal = above
    return row[-1]


def worth(a: str, b: str) -> int:
    """Give what two words have in common, in thousandths of a word."""
    if a == b:
        return 1000
    if any(c in "0123456789" for c in a + b):
        return 0
    longer, edits = max(len(a), len(b)), oracles_edit.levenshtein(a, b)
    return 1000 * (longer - edits) // longer if 5 * edits <= 2 * longer and longer <= 64 else 0


def spelled_alike(a: Sequence[str], b: Sequence[str]) -> int:
    """Give the most that two rows of words have in common, in thousandths of a word."""
    row = [0] * (len(b) + 1)
    for left in a:
        diagonal = 0
        for k, right in enumerate(b, start=1):
            above = row[k]
            row[k] = max(above, row[k - 1], diagonal + worth(left, right))
            diagonal = above
    return row[-1]


class End(NamedTuple):
    """An end that has grown: tokens here, in the source, equal ones, those that were crossed before; and the marks."""

    here: int
    there: int
    equal: int
    again: int
    marks: list[tuple[int, int, int]]
    crossed: int


def grown(here: Sequence[int], there: Sequence[int], walked: list[bool], allowed: int, *, most: int = 128) -> End:
    """Grow an end over the tokens `here` and `there`, by the whole dynamic program; `walked` is written."""
    band, drop, equal_score, edit = 8, 16, 2, -3
    low = -(10**9)
    row = {k: (edit * k, 0) for k in range(min(band, len(there)) + 1)}  # by the tokens taken of `there`
    best, end, met, stride, again = 0, (0, 0, 0), 0, 1, 0
    marks: list[tuple[int, int, int]] = []
    for i, token in enumerate(here, start=1):
        if walked[i - 1]:
            if allowed == 0:
                return End(*end, again, marks, i - 1)
            allowed, again = allowed - 1, again + 1
        else:
            walked[i - 1], allowed = True, allowed + 1
        made: dict[int, tuple[int, int]] = {}
        for k in range(max(i - band, 0), min(i + band, len(there)) + 1):
            choices = []
            if k - 1 in row and k > 0:
                score, equal = row[k - 1]
                same = there[k - 1] == token
                choices.append((score + (equal_score if same else edit), equal + same))
            choices += [(some[k2][0] + edit, some[k2][1]) for some, k2 in ((row, k), (made, k - 1)) if k2 in some]
            made[k] = max(choices, key=lambda choice: choice[0])  # of equal scores, the first
            if made[k][0] > best:
                best, end = made[k][0], (i, k, made[k][1])
                if met % stride == 0:
                    if len(marks) == most:
                        marks, stride = marks[::2], 2 * stride
                    marks.append(end)
                met += 1
        row = made
        if max((score for score, _ in row.values()), default=low) < best - drop:
            return End(*end, again, marks, i)
    return End(*end, again, marks, len(here))

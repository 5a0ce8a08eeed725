"""What dedup must answer, in plain Python that is obviously right: sets and integers.

No numpy, no import of dedup. Slow on purpose: every function is a definition,
written down a second time.

* `tokens`, `token_spans`, `shingles`: a tokeniser of its own, from the tables of `unicodedata`;
* `jaccard`, `containment`, `reaches`: the arithmetic of a pair, in float64;
* `pairs`: all pairs, by brute force; `joined`: the same through an inverted index, for large sets;
* `stars`: which text is kept for which; `components`: what chaining would make of the pairs;
* `paragraphs`, `filled_lines`: paragraphs and lines.

`tests.oracles_match` says what a search across two collections must answer, `tests.oracles_repeats` what one for
repeats must.

The tables of Unicode 14 are those of Python 3.11. A newer Python knows more code points, which are
letters to it and separators to dedup: `SAME_UNICODE` says whether this Python can judge them all.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations, pairwise
from typing import Any, NamedTuple

SAME_UNICODE = unicodedata.unidata_version == "14.0.0"

Shingle = tuple[str, ...] | str

# ------------------------------------------------------------------------------------- tokens

BASE, SPACELESS, MARK, SKIPPED, SEPARATOR = "base", "spaceless", "mark", "skipped", "separator"
OUTSIDE = {SKIPPED, SEPARATOR}

# How the names of the letters and digits begin whose script writes no spaces. U+30FC, the prolonged
# sound mark, is "Common" to Unicode, but occurs only among kana: it is taken as one of them.
SPACELESS_NAMES = (
    "CJK UNIFIED IDEOGRAPH",
    "CJK COMPATIBILITY IDEOGRAPH",
    "IDEOGRAPHIC ITERATION MARK",
    "VERTICAL IDEOGRAPHIC ITERATION MARK",
    "OLD CHINESE ITERATION MARK",
    "IDEOGRAPHIC NUMBER ZERO",
    "HANGZHOU NUMERAL",
    "HIRAGANA ",
    "HENTAIGANA ",
    "KATAKANA",
    "THAI ",
    "LAO ",
    "KHMER ",
    "MYANMAR ",
)

# What is not shown unless a font knows better, beside format characters (Cf) and variation selectors, which are known
# by their names: Other_Default_Ignorable_Code_Point of Unicode 14.
IGNORABLE = frozenset(
    chr(code)
    for first, last in (
        *((0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x2065, 0x2065), (0x3164, 0x3164), (0xFFA0, 0xFFA0)),
        *((0xFFF0, 0xFFF8), (0xE0000, 0xE0000), (0xE0002, 0xE001F), (0xE0080, 0xE00FF), (0xE01F0, 0xE0FFF)),
    )
    for code in range(first, last + 1)
)

_classes: dict[str, str] = {}


def class_of(character: str) -> str:
    """Say what one code point is to a token."""
    known = _classes.get(character)
    if known is None:
        category = unicodedata.category(character)
        if category == "Cf" or character in IGNORABLE or "VARIATION SELECTOR" in unicodedata.name(character, ""):
            known = SKIPPED
        elif category[0] == "M":
            known = MARK
        elif category[0] in "LN" or character == "_":
            name = unicodedata.name(character, "")
            known = SPACELESS if name.startswith(SPACELESS_NAMES) else BASE
        else:
            known = SEPARATOR  # punctuation, symbols, spaces, controls, surrogates, unassigned
        _classes[character] = known
    return known


def tokens(text: str) -> list[str]:
    """Give the tokens of a text: of the case-folded NFKC form, in order."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    kinds = {character: class_of(character) for character in set(folded)}
    if not {SPACELESS, MARK} & set(kinds.values()):  # the common case: what is not a word becomes a space or nothing
        outside = {ord(c): " " if k == SEPARATOR else None for c, k in kinds.items() if k in OUTSIDE}
        return folded.translate(outside).split()
    found: list[str] = []
    token = ""
    spaceless = False  # the token at hand began with a letter of a script without spaces
    for character in folded:
        kind = kinds[character]
        if kind == MARK and not token:
            kind = SEPARATOR  # of nothing that is a letter
        if kind == MARK or (kind == BASE and not spaceless):
            token += character
        elif kind != SKIPPED:
            if token:
                found.append(token)
            token = "" if kind == SEPARATOR else character
            spaceless = kind == SPACELESS
    if token:
        found.append(token)
    return found


def zeros(token: str) -> str:
    """Give the token with every decimal digit as 0."""
    return "".join("0" if unicodedata.category(character) == "Nd" else character for character in token)


def symbols(text: str) -> list[str]:
    """Give the punctuation and symbols of a text, in order: of its NFKC form. The underscore is of words."""
    normal = unicodedata.normalize("NFKC", text)
    return [c for c in normal.casefold() if unicodedata.category(c)[0] in "SP" and c != "_"]


def difference(left: str, right: str) -> str:
    """Say what two texts differ in."""
    if left == right:
        return "identical"
    one, other = tokens(left), tokens(right)
    if one == other:
        return "format"
    return "numbers" if list(map(zeros, one)) == list(map(zeros, other)) else "words"


def apart(left: str, right: str, distinct: Sequence[str]) -> bool:
    """Say whether two texts are no pair since they differ in what is distinct, alone."""
    differ = difference(left, right)
    if differ == "format" and "symbols" in distinct:
        return symbols(left) != symbols(right)
    return differ == "numbers" and "numbers" in distinct


class TokenSpan(NamedTuple):
    """A token and its place: ``text[start:end]`` in characters of the original."""

    token: str
    start: int
    end: int


def token_spans(text: str) -> list[TokenSpan]:
    """Give the tokens with their places, for texts in which NFKC looks at one character at a time."""
    if unicodedata.normalize("NFKC", text) != "".join(unicodedata.normalize("NFKC", c) for c in text):
        message = "token_spans is for texts whose characters NFKC does not join"
        raise ValueError(message)
    found: list[TokenSpan] = []
    spaceless = False
    closed = True  # nothing may be added to the last token any more
    for place, original in enumerate(text):
        for character in unicodedata.normalize("NFKC", original).casefold():
            kind = class_of(character)
            if kind == SKIPPED:
                continue
            if kind == SEPARATOR or (kind == MARK and closed):
                closed, spaceless = True, False
            elif not closed and (kind == MARK or (kind == BASE and not spaceless)):
                last = found[-1]
                found[-1] = TokenSpan(last.token + character, last.start, place + 1)
            else:
                found.append(TokenSpan(character, place, place + 1))
                closed, spaceless = False, kind == SPACELESS
    return found


# ------------------------------------------------------------------------- shingles and pairs


def shingles(text: str, shingle: str = "words:5") -> frozenset[Shingle]:
    """Give the set of shingles: ``"words:n"`` as tuples of tokens, ``"chars:n"`` as strings."""
    unit, _, count = shingle.partition(":")
    n = int(count)
    words = tokens(text)
    whole: Sequence[str] = words if unit == "words" else " ".join(words)
    if not whole:
        return frozenset()
    starts = range(max(1, len(whole) - n + 1))
    if unit == "words":
        return frozenset(tuple(whole[i : i + n]) for i in starts)
    return frozenset("".join(whole[i : i + n]) for i in starts)


def reaches(shared: int, union: int, threshold: float) -> bool:
    """Say whether a pair reaches the threshold: in float64, and never without a union."""
    return union > 0 and shared / union >= threshold


def jaccard(a: frozenset[Shingle], b: frozenset[Shingle]) -> float:
    """Give shared / union; two sets without a member are nothing alike."""
    union = len(a | b)
    return len(a & b) / union if union else 0.0


def containment(a: frozenset[Shingle], b: frozenset[Shingle]) -> float:
    """Give the share of `a` that is in `b`."""
    return len(a & b) / len(a) if a else 0.0


class Pair(NamedTuple):
    """Two texts, by position, and the evidence: the same columns as `Duplicates.pairs`."""

    left: int
    right: int
    left_size: int
    right_size: int
    shared: int

    @property
    def jaccard(self) -> float:
        """Give shared / union."""
        return self.shared / (self.left_size + self.right_size - self.shared)


def pairs(texts: Sequence[str], threshold: float = 0.8, shingle: str = "words:5") -> list[Pair]:
    """Give every pair of texts that reaches the threshold, by comparing each with each."""
    sets = [shingles(text, shingle) for text in texts]
    return [
        Pair(i, j, len(sets[i]), len(sets[j]), len(sets[i] & sets[j]))
        for i, j in combinations(range(len(texts)), 2)
        if reaches(len(sets[i] & sets[j]), len(sets[i] | sets[j]), threshold)
    ]


def joined(sets: Sequence[frozenset[Hashable]], threshold: float) -> list[Pair]:
    """Give the same pairs through an inverted index, for corpora too large for `pairs`.

    A pair that reaches the threshold shares at least ``need`` members of either set, so not all of
    them can be among any ``need - 1`` members: one is among the rest, which are the rarest. One is
    taken from ``need``, so that no rounding of a product matters: a longer list loses nothing. "The
    rarest" is by one order of all members: with ties broken differently from set to set, the member
    that two sets share may be in the rest of neither. Nor can a pair reach more than the ratio of its
    sizes, and division of floats is monotone.
    """
    frequency = Counter(chain.from_iterable(sets))
    order = {member: place for place, member in enumerate(sorted(frequency, key=frequency.__getitem__))}
    postings: dict[Hashable, list[int]] = defaultdict(list)
    found: list[Pair] = []
    for j, members in enumerate(sets):
        repeated = sorted((m for m in members if frequency[m] > 1), key=order.__getitem__)
        need = max(1, math.floor(threshold * len(members)) - 1)
        alone = len(members) - len(repeated)  # the rarest of all: they occur nowhere else
        rest = repeated[: max(0, len(members) - need + 1 - alone)]
        near = {i for member in rest for i in postings[member]}
        for member in rest:
            postings[member].append(j)
        for i in near:
            small, large = sorted((len(sets[i]), len(members)))
            if not reaches(small, large, threshold):
                continue
            shared = len(sets[i] & members)
            if reaches(shared, len(sets[i]) + len(members) - shared, threshold):
                found.append(Pair(i, j, len(sets[i]), len(members), shared))
    return sorted(found)


# ----------------------------------------------------------------------------------- clusters


def stars(
    n: int,
    similarities: Mapping[tuple[int, int], float],
    priority: Sequence[int],
    copies: Sequence[Hashable] | None = None,
) -> list[int]:
    """Give for each of `n` texts the one that is kept for it (itself, where it is kept).

    `similarities` holds the pairs that reach the threshold; `priority` the texts in the order in
    which they are considered; `copies` a label for each text, equal for exact copies, None for a
    text that equals nothing.
    """
    first: dict[Hashable, int] = {}
    kept_for = list(range(n))
    kept: list[int] = []  # in the order of priority, so that the first of several maxima is the earliest
    for text in priority:
        label = copies[text] if copies is not None else None
        if label is not None and label in first:
            kept_for[text] = kept_for[first[label]]  # collapsed: it follows its representative
            continue
        if label is not None:
            first[label] = text
        near = [k for k in kept if (min(k, text), max(k, text)) in similarities]
        if near:
            kept_for[text] = max(near, key=lambda k: similarities[min(k, text), max(k, text)])
        else:
            kept.append(text)
    return kept_for


class Search(NamedTuple):
    """What a search finds: the pairs in their order, and for each text the one that is kept for it."""

    pairs: list[Pair]
    kept_for: list[int]


def similar(pair: Pair, metric: str = "jaccard") -> float:
    """Give the similarity of a pair by a metric."""
    return pair.shared / min(pair.left_size, pair.right_size) if metric == "containment" else pair.jaccard


def search(
    texts: Sequence[str],
    rank: Sequence[int],
    threshold: float,
    shingle: str,
    *,
    metric: str = "jaccard",
    distinct: Sequence[str] = (),
    across: Sequence[Hashable] | None = None,
) -> Search:
    """Search for duplicates by brute force; `rank` says which text is kept before which.

    Two texts of one label of `across` are no pair. Their exact copies of one label share one decision: all are removed
    for the same text, or each is kept.
    """
    n = len(texts)
    sets = [shingles(text, shingle) for text in texts]
    labels = list(range(n)) if across is None else [kind_of(label) for label in across]
    every = [Pair(i, j, len(sets[i]), len(sets[j]), len(sets[i] & sets[j])) for i, j in combinations(range(n), 2)]
    found = [
        pair
        for pair in every
        if sets[pair.left]
        and sets[pair.right]
        and similar(pair, metric) >= threshold
        and labels[pair.left] != labels[pair.right]
        and not apart(texts[pair.left], texts[pair.right], distinct)
    ]
    order = sorted(range(n), key=lambda i: (-len(sets[i]) if metric == "containment" else 0, rank[i]))
    copies = [
        (words, tuple(symbols(text)) if "symbols" in distinct else (), None if across is None else label)
        if (words := tuple(tokens(text)))
        else None
        for text, label in zip(texts, labels, strict=True)
    ]
    kept_for = stars(n, {(p.left, p.right): similar(p, metric) for p in found}, order, copies)
    if across is not None:
        kept_for = [i if copies[i] is not None and copies[i] == copies[k] else k for i, k in enumerate(kept_for)]
    return Search(found, kept_for)


def search_within(texts: Sequence[str], labels: Sequence[Hashable], rank: Sequence[int], **how: Any) -> Search:
    """Search each label by itself, and put the answers together; `across` and all else in `how` are as in `search`."""
    found: list[Pair] = []
    kept_for = list(range(len(texts)))
    across = how.pop("across", None)
    for label in {kind_of(label) for label in labels}:
        rows = [i for i, other in enumerate(labels) if kind_of(other) == label]
        some = None if across is None else [across[i] for i in rows]
        part = search([texts[i] for i in rows], [rank[i] for i in rows], across=some, **how)
        found += [pair._replace(left=rows[pair.left], right=rows[pair.right]) for pair in part.pairs]
        for i, kept in zip(rows, part.kept_for, strict=True):
            kept_for[i] = rows[kept]
    return Search(sorted(found), kept_for)


def kept(kept_for: Sequence[int], documents: Sequence[int], *, none: bool, least: int) -> list[bool]:
    """Say which units are kept, where a cluster in fewer documents than `least` removes nothing, or `none` is kept.

    `kept_for` is what `stars` gives, `documents` the document that each unit is in.
    """
    clusters: dict[int, list[int]] = defaultdict(list)
    for unit, centre in enumerate(kept_for):
        clusters[centre].append(unit)
    found = [True] * len(kept_for)
    for centre, members in clusters.items():
        if len(members) > 1 and len({documents[unit] for unit in members}) >= least:
            for unit in members:
                found[unit] = unit == centre and not none
    return found


def kind_of(label: Hashable) -> tuple[str, Hashable]:
    """Give what two equal labels have in common: the number 1 and the text "1" are two labels, and None is one."""
    return type(label).__name__, label


def large_clusters(
    star: Sequence[int], pairs: Iterable[tuple[int, int]], priority: Sequence[int], big: int
) -> set[int]:
    """Give the kept ones of clusters that have more than `big` members, linked clusters included.

    Two clusters are linked if a removed text reaches the kept texts of both, which come before it.
    """
    kept = {k for row, k in enumerate(star) if row == k}
    groups = [{k} for k in kept]
    for a, b in pairs:
        for removed, other in ((a, b), (b, a)):
            if removed not in kept and other in kept and priority.index(other) < priority.index(removed):
                one = next(group for group in groups if star[removed] in group)
                two = next(group for group in groups if other in group)
                if one is not two:
                    one |= two
                    groups.remove(two)
    members = {k: sum(s == k for s in star) for k in kept}
    return {k for g in groups if sum(members[k] for k in g) > big for k in g if members[k] > 1}


def components(n: int, edges: Iterable[tuple[int, int]]) -> set[frozenset[int]]:
    """Give the connected components of two texts or more."""
    label = list(range(n))
    for a, b in edges:
        old, new = label[b], label[a]
        label = [new if each == old else each for each in label]
    groups: dict[int, set[int]] = defaultdict(set)
    for text, each in enumerate(label):
        groups[each].add(text)
    return {frozenset(group) for group in groups.values() if len(group) > 1}


# --------------------------------------------------------------------------------- paragraphs


class Line(NamedTuple):
    """A line without the white space round it, by its place in the text."""

    start: int
    end: int


def lines(text: str) -> Iterator[Line]:
    r"""Give the lines between ``\n``, ``\r\n`` and ``\r``, trimmed; a blank one is empty."""
    start = 0
    for part in re.split(r"(\r\n|\n|\r)", text):
        if part not in {"\n", "\r\n", "\r"}:
            trimmed = part.strip()
            at = start + len(part) - len(part.lstrip()) if trimmed else start
            yield Line(at, at + len(trimmed))
        start += len(part)


def filled_lines(text: str) -> list[tuple[int, int]]:
    """Give the span of each line that is not blank."""
    return [(line.start, line.end) for line in lines(text) if line.start < line.end]


def first_word(line: str) -> str:
    """Give the first word of a line; where words are not spaced, a word ends with a character of such a script."""
    word = line.split()[0]
    for end, char in enumerate(word, start=1):
        if any(first <= ord(char) <= last for first, last in UNSPACED_BLOCKS):
            return word[:end]
    return word


UNSPACED_BLOCKS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x9FFF),  # Han, Kana and what is between them
    (0xF900, 0xFAFF),
    (0x20000, 0x33FFF),
)


def of_word(character: str) -> bool:
    """Say whether a character makes a line more than a rule: none of ASCII's and others' punctuation and symbols."""
    if character < "\x80":
        return "0" <= character <= "9" or "A" <= character <= "Z" or "a" <= character <= "z"
    symbols = ("\x80", "\xbf"), ("\u2000", "\u2bff"), ("\u3000", "\u303f")
    return not any(first <= character <= last for first, last in symbols)


def hard_wrapped(block: Sequence[str]) -> bool:
    """Say whether a block of trimmed lines is one paragraph that was broken to fit a width."""
    longest = max(map(len, block))
    if len(block) < 3 or longest > 120:
        return False
    if any(count > 1 and any(map(of_word, line)) for line, count in Counter(block).items()):
        return False  # nobody writes a line twice when a text is broken to fit a width
    forced = sum(len(line) + 1 + len(first_word(following)) > longest for line, following in pairwise(block))
    return 10 * forced >= 8 * (len(block) - 1)


def paragraphs(text: str) -> list[tuple[int, int]]:
    """Give the span of each paragraph, in characters."""
    blocks: list[list[Line]] = [[]]
    for line in lines(text):
        if line.start == line.end:
            blocks.append([])
        else:
            blocks[-1].append(line)
    spans: list[tuple[int, int]] = []
    for block in blocks:
        if block and hard_wrapped([text[start:end] for start, end in block]):
            spans.append((block[0].start, block[-1].end))
        else:
            spans.extend((start, end) for start, end in block)
    return spans


def without_lines(text: str, gone: set[int]) -> str:
    """Give a text without some of its lines that are not blank, each with its line break; "" where all of them go."""
    parts = re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", text)
    filled = [i for i, part in enumerate(parts) if part.strip()]
    if filled and len(gone) == len(filled):
        return ""
    left = "".join(part for i, part in enumerate(parts) if i not in {filled[number] for number in gone})
    if filled and len(filled) - 1 in gone and filled[-1] == len(parts) - 1 and not re.search(r"[\r\n]\Z", text):
        left = re.sub(r"(?:\r\n|\n|\r)\Z", "", left)
    return left

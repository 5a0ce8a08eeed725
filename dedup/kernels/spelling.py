"""Words that are spelled nearly alike: how many words two passages have in common, if those count in part.

In naive Python, for two passages as rows of words, in thousandths of a word::

    def worth(a, b):
        if a == b: return 1000
        if any(c in "0123456789" for c in a + b): return 0    # another number is not a misspelled one
        longer, edits = max(len(a), len(b)), levenshtein(a, b)
        return 1000 * (longer - edits) // longer if 5 * edits <= 2 * longer <= 2 * MOST_POINTS else 0

    def common(a, b):  # of lists of words
        if not a or not b: return 0
        return max(common(a[:-1], b), common(a, b[:-1]), common(a[:-1], b[:-1]) + worth(a[-1], b[-1]))

If so many words are equal that only k of the longer side are not, no alignment of this worth drifts by more than k: the
table is a band of k cells on either side, and exact. Beyond `WIDEST_WORD` it is a heuristic. Only one row is held, and
only cells in which a pair of words adds to it are computed [2]: eight words are looked at together, by their letters,
and by what is known. Cost: the words times the band, and a distance for each two words that were not compared lately.

References: [1] Hyyrö, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances", 2003. [2] Hunt and
Szymanski, "A fast algorithm for computing longest common subsequences", 1977, here with weights.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part, shared
from dedup.kernels.words import bit_count, trailing_zeros

WORD_WEIGHT = 1000
"""What an equal word is worth."""

MOST_POINTS = 64
"""Code points of a word, at most, that may be misspelled."""

WIDEST_WORD = 256
"""Words that an alignment may drift, at most."""

SHORTEST_WORD = 2
"""Code points of a word, at least, that may be misspelled: of one, all of it would be."""

WORD_START, WORD_SIZE, WORD_HASH, WORD_LETTERS = range(4)
"""Columns of a word: where its code points begin; their number, or 0 if it cannot be misspelled; a hash of them; a bit
for each letter modulo 64."""

LETTER_SLOTS = 128
"""Slots of the table of the letters of a word: twice as many as letters."""

PARTNERS = 8
"""Words that are looked at together: a register of AVX-512."""

REMEMBERED_BITS = 12
"""Pairs of words of which the worth is remembered, 2 to this power: the same ones meet again and again in a law."""

LETTER_MASK = np.uint64(LETTER_SLOTS - 1)

POINT_BASE = np.uint64(0x9E3779B97F4A7C15)


@shared
def split_words(
    points: npt.NDArray[np.uint64],
    begin: int,
    end: int,
    space: np.uint64,
    digits: npt.NDArray[np.uint64],
    words: Table[np.uint64],
) -> int:
    """Write the words of ``points[begin:end]``, which single spaces divide, and return their number."""
    last_bits, digit_bits = np.uint64(63), np.uint64(0)
    for digit in digits:
        digit_bits |= np.uint64(1) << (digit & last_bits)
    count = np.int64(0)
    first = np.int64(begin)
    total, letters, any_digit = np.uint64(0), np.uint64(0), False
    for at in range(begin, end + 1):
        if at < end and points[at] != space:
            total = total * POINT_BASE + points[at]
            letter = np.uint64(1) << (points[at] & last_bits)
            letters |= letter
            if digit_bits & letter != np.uint64(0):
                for digit in digits:
                    any_digit |= points[at] == digit
            continue
        size = np.int64(at) - first
        if size < SHORTEST_WORD or size > MOST_POINTS or any_digit:
            size = np.int64(0)
        words[count, WORD_START], words[count, WORD_SIZE] = np.uint64(first), np.uint64(size)
        words[count, WORD_HASH], words[count, WORD_LETTERS] = total, letters
        count += 1
        first = np.int64(at + 1)
        total, letters, any_digit = np.uint64(0), np.uint64(0), False
    return count


@shared
def enter_letters(
    points: npt.NDArray[np.uint64],
    begin: int,
    size: int,
    letters: Written[npt.NDArray[np.uint64]],
    places: Written[npt.NDArray[np.uint64]],
) -> None:
    """Enter the letters of a word of at most 64: for each, a bit for every place where it stands.

    `letters` and `places` are a table of `LETTER_SLOTS`; places of 0 are a free slot.
    """
    for slot in range(LETTER_SLOTS):
        places[slot] = np.uint64(0)
    for k in range(size):
        point = points[begin + k]
        slot = np.int64(point & LETTER_MASK)
        while places[slot] != np.uint64(0) and letters[slot] != point:
            slot = (slot + 1) & (LETTER_SLOTS - 1)
        letters[slot] = point
        places[slot] |= np.uint64(1) << np.uint64(k)


@shared
def misspelled(
    points: npt.NDArray[np.uint64],
    size: int,
    other: int,
    other_size: int,
    letters: npt.NDArray[np.uint64],
    places: npt.NDArray[np.uint64],
) -> int:
    """Return what a word, by its letters (`enter_letters`), is worth if it is another that it is not equal to.

    The distance is computed for a column at a time: bits say where it rises and falls by one [1].
    """
    one = np.uint64(1)
    longer = max(size, other_size)
    edits = np.int64(size)
    last = np.uint64(size - 1)
    rises, falls = ~np.uint64(0), np.uint64(0)
    for j in range(other_size):
        point = points[other + j]
        slot = np.int64(point & LETTER_MASK)
        while places[slot] != np.uint64(0) and letters[slot] != point:
            slot = (slot + 1) & (LETTER_SLOTS - 1)
        equal = places[slot]
        across = (((equal & rises) + rises) ^ rises) | equal
        upright = equal | falls
        more, less = falls | ~(across | rises), rises & across
        edits += np.int64((more >> last) & one) - np.int64((less >> last) & one)
        more = (more << one) | one
        rises, falls = (less << one) | ~(upright | more), more & upright
    return WORD_WEIGHT * (longer - edits) // longer if edits <= 2 * longer // 5 else np.int64(0)


@part
def find_partners(
    own: np.uint64,
    size: int,
    letters: np.uint64,
    hashes: npt.NDArray[np.uint64],
    sizes: npt.NDArray[np.uint64],
    masks: npt.NDArray[np.uint64],
    best: npt.NDArray[np.int64],
    at: np.uint64,
    before: int,
    known: int,
    left: int,
    others: int,
) -> np.uint64:
    """Return a bit for each of the 8 words from `at` on that may add to an alignment, as the partner of a given word.

    It is equal to the word, or may be: it has about the size and the letters, where an edit takes one letter for
    another, at most. And the worth would be more than what an alignment has without it (`best`, and `before` in the
    same row), and may lead to more than is known, with `left` words to come of `others`.
    """
    some = np.uint64(0)
    for k in range(np.uint64(PARTNERS)):
        j = at + k
        other = np.int64(sizes[j])
        longer = max(size, other)
        edits = max(abs(size - other), np.int64(bit_count(letters ^ masks[j]) + np.uint64(1)) >> 1)
        equal = hashes[j] == own
        near = (5 * edits <= 2 * longer) & (min(size, other) > 0)
        gain = WORD_WEIGHT - max(before, best[j + np.uint64(1)]) + best[j]
        spare = best[j] + WORD_WEIGHT * min(left, others - np.int64(j)) - known
        enough = longer * min(gain, spare) > WORD_WEIGHT * edits
        some |= np.uint64((near & enough) | (equal & (min(gain, spare) > 0))) << k
    return some


@kernel
def spelled_alike(
    points: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    space: np.uint64,
    digits: npt.NDArray[np.uint64],
    matched: npt.NDArray[np.int64],
    least: npt.NDArray[np.int64],
    totals: Written[npt.NDArray[np.int64]],
) -> None:
    """Write what the passages 2 i and 2 i + 1 have in common, in thousandths: exactly, if it is at least ``least[i]``.

    Of others, what the words that are `matched` are worth, or more. Passage k has the code points
    ``points[offsets[k]:offsets[k + 1]]``, as hashes: words, divided by a `space`. `digits` are those of which no
    misspelled word has one.
    """
    longest = np.int64(0)
    for k in range(len(offsets) - 1):
        longest = max(longest, offsets[k + 1] - offsets[k])
    room = longest + PARTNERS + 2
    words, other_words = np.empty((room, 4), dtype=np.uint64), np.empty((room, 4), dtype=np.uint64)
    hashes, sizes, masks = (
        np.zeros(room, dtype=np.uint64),
        np.zeros(room, dtype=np.uint64),
        np.zeros(room, dtype=np.uint64),
    )
    best = np.zeros(room, dtype=np.int64)
    columns, values = np.empty(room, dtype=np.uint64), np.empty(room, dtype=np.int64)
    of_word, places = np.empty(LETTER_SLOTS, dtype=np.uint64), np.empty(LETTER_SLOTS, dtype=np.uint64)
    keys = np.empty(1 << REMEMBERED_BITS, dtype=np.uint64)
    worths = np.empty(1 << REMEMBERED_BITS, dtype=np.int64)
    for number in range(1 << REMEMBERED_BITS):
        worths[number] = -1
    for pair in range(len(matched)):
        count = split_words(points, offsets[2 * pair], offsets[2 * pair + 1], space, digits, words)
        others = split_words(points, offsets[2 * pair + 1], offsets[2 * pair + 2], space, digits, other_words)
        known = max(WORD_WEIGHT * matched[pair], least[pair] - 1)  # what does not lead to more is not looked at
        band = min(max(count, others) - known // WORD_WEIGHT, np.int64(WIDEST_WORD))
        # equal words at both ends are in some best alignment
        front, back = np.int64(0), np.int64(0)
        while front < min(count, others) and words[front, WORD_HASH] == other_words[front, WORD_HASH]:
            front += 1
        while count > front and others > front and words[count - 1, WORD_HASH] == other_words[others - 1, WORD_HASH]:
            count -= 1
            others -= 1
            back += 1
        count -= front
        others -= front
        known -= WORD_WEIGHT * (front + back)
        for j in range(others):
            hashes[j], sizes[j] = other_words[front + j, WORD_HASH], other_words[front + j, WORD_SIZE]
            masks[j] = other_words[front + j, WORD_LETTERS]
        # `best[j]`: what the words so far have in common with the first j others. It rises by a word at most from row
        # to row, and from column to column: what can lead to no more than is known stays of no use
        best[0] = 0
        first, reached = np.int64(0), np.int64(0)
        for i in range(count):
            left = count - i
            first = max(first, i - band)
            while first <= reached and best[first] + WORD_WEIGHT * left <= known:
                first += 1
            most = min(others, i + band + 1)
            while reached < most and best[reached] + WORD_WEIGHT * (others - reached) > known:
                best[reached + 1] = best[reached]
                reached += 1
            if first > reached:
                break
            own, size = words[front + i, WORD_HASH], np.int64(words[front + i, WORD_SIZE])
            letters = words[front + i, WORD_LETTERS]
            found, before, entered = np.uint64(0), np.int64(0), False
            for block in range(np.uint64(first), np.uint64(reached), np.uint64(PARTNERS)):
                some = find_partners(own, size, letters, hashes, sizes, masks, best, block, before, known, left, others)
                while some != np.uint64(0):
                    j = block + np.uint64(trailing_zeros(some))
                    some &= some - np.uint64(1)
                    value = max(before, best[j + np.uint64(1)])
                    if j >= np.uint64(reached) or best[j] + WORD_WEIGHT <= value:
                        continue
                    worth = np.int64(WORD_WEIGHT)
                    if hashes[j] != own:
                        key = (own * POINT_BASE) ^ hashes[j]
                        slot = (key * POINT_BASE) >> np.uint64(64 - REMEMBERED_BITS)
                        if keys[slot] != key or worths[slot] < 0:
                            if not entered:
                                entered = True
                                enter_letters(points, np.int64(words[front + i, WORD_START]), size, of_word, places)
                            at, other_size = np.int64(other_words[np.uint64(front) + j, WORD_START]), np.int64(sizes[j])
                            keys[slot] = key
                            worths[slot] = misspelled(points, size, at, other_size, of_word, places)
                        worth = worths[slot]
                    if best[j] + worth > value:
                        before = best[j] + worth
                        columns[found], values[found] = j + np.uint64(1), before
                        found += np.uint64(1)
            for k in range(found):
                for column in range(columns[k], np.uint64(reached + 1)):
                    if best[column] >= values[k]:
                        break
                    best[column] = values[k]
        totals[pair] = max(best[reached] + WORD_WEIGHT * (front + back), WORD_WEIGHT * matched[pair])

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
table is a band of k cells on either side, and exact. Beyond `WIDEST` it is a heuristic. Cells that cannot lead to more
than is known are left out. Cost: the words times the band; most unequal words are told apart by their letters, without
a distance.

References: [1] Hyyrö, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances", 2003.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part, shared

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
    count = np.int64(0)
    first = np.int64(begin)
    total, letters, any_digit = np.uint64(0), np.uint64(0), False
    for at in range(begin, end + 1):
        if at < end and points[at] != space:
            total = total * POINT_BASE + points[at]
            letters |= np.uint64(1) << (points[at] & np.uint64(63))
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


@part
def bits_of(value: np.uint64) -> int:
    """Return how many bits are set."""
    value -= (value >> np.uint64(1)) & np.uint64(0x5555555555555555)
    value = (value & np.uint64(0x3333333333333333)) + ((value >> np.uint64(2)) & np.uint64(0x3333333333333333))
    value = (value + (value >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((value * np.uint64(0x0101010101010101)) >> np.uint64(56))


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
    words = np.empty((longest + 1, 4), dtype=np.uint64)
    other_words = np.empty((longest + 1, 4), dtype=np.uint64)
    rows = np.empty((2, longest + 2), dtype=np.int64)
    of_word, places = np.empty(LETTER_SLOTS, dtype=np.uint64), np.empty(LETTER_SLOTS, dtype=np.uint64)
    nothing = np.int64(-1) << 40
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
        above, below = rows[0], rows[1]
        first, last = np.int64(0), np.int64(-1)  # of the row above: the columns that may lead to more than is known
        for j in range(min(band, others) + 1):
            above[j] = 0
            if WORD_WEIGHT * min(count, others - j) > known:
                last = np.int64(j)
        for i in range(1, count + 1):
            if last < first:
                break
            low, high = max(i - band, first, 1), min(i + band, others)
            above[last + 1] = nothing
            below[low - 1] = nothing if low > 1 or i > band else np.int64(0)
            ever = low == 1 and i <= band and WORD_WEIGHT * min(count - i, others) > known
            first, end = (np.int64(0) if ever else others + 1), (np.int64(0) if ever else np.int64(-1))
            own = words[front + i - 1, WORD_HASH]
            own_size, letters = np.int64(words[front + i - 1, WORD_SIZE]), words[front + i - 1, WORD_LETTERS]
            begin = np.int64(words[front + i - 1, WORD_START])
            before = below[low - 1]
            entered = False
            for column in range(np.uint64(low), np.uint64(high + 1)):
                if np.int64(column) > last + 1:
                    if end + 1 < np.int64(column):
                        break
                    above[column] = nothing
                row = np.uint64(front) + column - np.uint64(1)
                diagonal = above[column - np.uint64(1)]
                value = max(above[column], before)
                if diagonal + WORD_WEIGHT > value:
                    if own == other_words[row, WORD_HASH]:
                        value = diagonal + WORD_WEIGHT
                    else:
                        size = np.int64(other_words[row, WORD_SIZE])
                        most = 2 * max(size, own_size) // 5  # an edit takes one letter for another, at most
                        left = min(count - i, others - np.int64(column))
                        if (
                            abs(size - own_size) <= most
                            and most > 0
                            and diagonal + WORD_WEIGHT * (1 + left) > known
                            and bits_of(letters ^ other_words[row, WORD_LETTERS]) <= 2 * most
                        ):
                            if not entered:
                                entered = True
                                enter_letters(points, begin, own_size, of_word, places)
                            other = np.int64(other_words[row, WORD_START])
                            value = max(value, diagonal + misspelled(points, own_size, other, size, of_word, places))
                below[column] = value
                before = value
                if value + WORD_WEIGHT * min(count - i, others - np.int64(column)) > known:
                    first, end = min(first, np.int64(column)), np.int64(column)
            last = end
            above, below = below, above
        best = np.int64(0)
        if last >= first:
            for j in range(first, last + 1):
                best = max(best, above[j])
        totals[pair] = max(best + WORD_WEIGHT * (front + back), WORD_WEIGHT * matched[pair])

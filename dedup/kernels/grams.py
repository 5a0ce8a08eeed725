"""The q-gram join of texts: which pairs share enough q-grams that few edits may part them.

An edit changes at most q of the q-grams of a text. So two texts k edits apart, the longer one of n characters, share
``n - q + 1 - k * q`` q-grams, repetitions included [1]. In naive Python, for texts in order of length::

    grams = lambda text: Counter(text[i : i + q] for i in range(len(text) - q + 1))
    candidate = needed > 0 and (grams(longer) & grams(shorter)).total() >= needed

A gram is a number of 64 bits: 24 bits say about how often it occurs in all texts, 40 are of its hash. So the grams of a
text, in ascending order, begin with the rarest. The first of equal grams is another element than the second: a list
with repetitions is a set of pairs (gram, occurrence), and two such sets that share s elements share one of the first
``len - s + 1`` of each, in a common order [2]. Only these prefixes are indexed and looked up. Two grams with one hash
add candidates, and lose none.

Before two lists are merged, two signatures of the texts are compared. A signature has a bit for each element, of the
characters (with their occurrences) or of the grams. An element that one text has and the other lacks is an edit for
characters, and a q-th of one for grams; a bit may stand for several elements, so bits that differ are no more.

Cost: a sort of the grams of each text, a few nanoseconds for each pair that shares an element of its prefixes (or, in
`scan_texts`, for each pair), and a merge of two lists for each pair with signatures that are near.

References: [1] Ukkonen, "Approximate string matching with q-grams and maximal matches", 1992; Gravano et al., VLDB
2001. [2] as `dedup.kernels.self_join`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part, shared
from dedup.kernels.verify import no_pair
from dedup.kernels.words import bit_count, mix

CHARACTER_WORDS, GRAM_WORDS = 4, 8
"""Words of 64 bits of the two signatures of a text."""

RARITY = 24
"""Bits of a gram that say how often it occurs; the others are of its hash."""

GRAM_STEP = np.uint64(0x9E3779B97F4A7C15)


@kernel
def number_points(
    hashes: npt.NDArray[np.uint64],
    known: Written[npt.NDArray[np.uint64]],
    numbers: Written[npt.NDArray[np.int32]],
    points: Written[npt.NDArray[np.uint32]],
) -> int:
    """Write the number of each hash into `points`: 0 for the first one, then 1 for the next that is not equal.

    `known` and `numbers` (-1: a free slot) are a table of a power of two slots. Returns how many distinct hashes there
    are, or -1 if they fill more than half of the table.
    """
    mask = np.uint64(len(known) - 1)
    count = 0
    for i in range(len(hashes)):
        value = hashes[i]
        slot = mix(value) & mask
        while numbers[slot] >= 0 and known[slot] != value:
            slot = (slot + np.uint64(1)) & mask
        if numbers[slot] < 0:
            if 2 * count >= len(known):
                return -1
            known[slot] = value
            numbers[slot] = count
            count += 1
        points[i] = numbers[slot]
    return count


@part
def gram_hash(points: npt.NDArray[np.uint32], at: int, size: int) -> np.uint64:
    """Return the hash of the gram of `size` points at a place."""
    value = np.uint64(0)
    for i in range(np.uint64(at), np.uint64(at + size)):
        value = (value + np.uint64(points[i]) + np.uint64(1)) * GRAM_STEP
        value ^= value >> np.uint64(32)
    return mix(value)


@kernel
def count_grams(
    points: npt.NDArray[np.uint32],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    size: int,
    table: Written[npt.NDArray[np.uint32]],
    shift: int,
) -> None:
    """Add every gram of the texts ``points[starts[i]:ends[i]]`` to the counter of its slot in `table`."""
    for text in range(len(starts)):
        for at in range(starts[text], ends[text] - size + 1):
            table[gram_hash(points, at, size) >> np.uint64(shift)] += np.uint32(1)


@kernel
def write_grams(
    points: npt.NDArray[np.uint32],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    size: int,
    table: npt.NDArray[np.uint32],
    shift: int,
    grams: Written[npt.NDArray[np.uint64]],
    offsets: npt.NDArray[np.int64],
    first: int,
    last: int,
) -> None:
    """Write the grams of the texts `first` to `last`, the rarest first: those of text i from ``grams[offsets[i]]``."""
    most = np.uint64((1 << RARITY) - 1)
    for text in range(first, last):
        to = offsets[text]
        for at in range(starts[text], ends[text] - size + 1):
            value = gram_hash(points, at, size)
            often = min(np.uint64(table[value >> np.uint64(shift)]), most)
            grams[to] = often << np.uint64(64 - RARITY) | value >> np.uint64(RARITY)
            to += 1
        grams[offsets[text] : to].sort()


@part
def element_slot(gram: np.uint64, occurrence: int, shift: int) -> np.uint64:
    """Return the slot of an element: a gram, and how many equal ones are before it in its text."""
    return mix(gram + np.uint64(occurrence) * GRAM_STEP) >> np.uint64(shift)


@kernel
def index_prefixes(
    grams: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    shift: int,
    heads: Written[npt.NDArray[np.int64]],
    entries: Written[npt.NDArray[np.int32]],
) -> None:
    """Index the first ``lengths[i]`` elements of each text i by their slots.

    Writes the texts of slot s, ascending, to ``entries[heads[s]:heads[s + 1]]``. `heads` comes with zeros.
    """
    for text in range(len(lengths)):
        occurrence = 0
        for i in range(offsets[text], offsets[text] + lengths[text]):
            occurrence = occurrence + 1 if i > offsets[text] and grams[i] == grams[i - 1] else 0
            heads[element_slot(grams[i], occurrence, shift)] += 1
    total = 0
    for slot in range(len(heads)):  # the end of each slot; the loop below moves it to the beginning
        total += heads[slot]
        heads[slot] = total
    for back in range(len(lengths)):
        text = len(lengths) - 1 - back
        occurrence = 0
        for i in range(offsets[text], offsets[text] + lengths[text]):
            occurrence = occurrence + 1 if i > offsets[text] and grams[i] == grams[i - 1] else 0
            slot = element_slot(grams[i], occurrence, shift)
            heads[slot] -= 1
            entries[heads[slot]] = text


@shared
def shared_grams(
    grams: npt.NDArray[np.uint64], left: int, left_end: int, right: int, right_end: int, needed: int
) -> bool:
    """Return whether two lists of grams share `needed` elements."""
    missing = needed
    # an element of either list that the other one lacks may be left out so often
    left_spare, right_spare = left_end - left - needed, right_end - right - needed
    while missing > 0:
        if left_spare < 0 or right_spare < 0:
            return False
        x, y = grams[np.uint64(left)], grams[np.uint64(right)]
        lower, higher, equal = np.int64(x < y), np.int64(y < x), np.int64(x == y)
        left += lower + equal
        right += higher + equal
        left_spare -= lower
        right_spare -= higher
        missing -= equal
    return True


@shared
def longer_pairs(rows: npt.NDArray[np.int32], count: int) -> npt.NDArray[np.int32]:
    """Return an array of `count` rows that begins with `rows`."""
    result = np.empty((count, 2), dtype=np.int32)
    for row in range(len(rows)):
        result[row, 0] = rows[row, 0]
        result[row, 1] = rows[row, 1]
    return result


@part
def set_bit(signatures: npt.NDArray[np.uint64], first: int, words: int, element: np.uint64) -> None:
    """Set the bit of an element in the signature whose `words` begin at a place."""
    bit = mix(element)
    signatures[np.uint64(first) + (bit >> np.uint64(6)) % np.uint64(words)] |= np.uint64(1) << (bit & np.uint64(63))


@kernel
def sign_characters(
    points: npt.NDArray[np.uint32],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    signatures: Written[npt.NDArray[np.uint64]],
    counts: Written[npt.NDArray[np.uint8]],
) -> None:
    """Set a bit for each character of a text, by its low byte and how many of these are before it.

    `CHARACTER_WORDS` words per text; `counts` has 256 zeros.
    """
    for text in range(len(starts)):
        for at in range(starts[text], ends[text]):
            slot = np.uint64(points[at]) & np.uint64(255)
            set_bit(signatures, CHARACTER_WORDS * text, CHARACTER_WORDS, slot + np.uint64(counts[slot]) * GRAM_STEP)
            counts[slot] += np.uint8(1)
        for at in range(starts[text], ends[text]):
            counts[np.uint64(points[at]) & np.uint64(255)] = np.uint8(0)


@kernel
def sign_grams(
    grams: npt.NDArray[np.uint64], offsets: npt.NDArray[np.int64], signatures: Written[npt.NDArray[np.uint64]]
) -> None:
    """Set a bit for each element of a text: `GRAM_WORDS` words per text."""
    for text in range(len(offsets) - 1):
        occurrence = 0
        for i in range(offsets[text], offsets[text + 1]):
            occurrence = occurrence + 1 if i > offsets[text] and grams[i] == grams[i - 1] else 0
            set_bit(signatures, GRAM_WORDS * text, GRAM_WORDS, grams[i] + np.uint64(occurrence) * GRAM_STEP)


@part
def differ_by(mine: tuple[np.uint64, ...], signatures: npt.NDArray[np.uint64], at: np.uint64) -> np.uint64:
    """Return how many bits of a signature, as words, the one that begins at a place lacks."""
    return (
        bit_count(mine[0] & ~signatures[at])
        + bit_count(mine[1] & ~signatures[at + np.uint64(1)])
        + bit_count(mine[2] & ~signatures[at + np.uint64(2)])
        + bit_count(mine[3] & ~signatures[at + np.uint64(3)])
    )


@part
def words_of(signatures: npt.NDArray[np.uint64], at: np.uint64) -> tuple[np.uint64, ...]:
    """Return the four words of a signature that begin at a place."""
    one, two, three = np.uint64(1), np.uint64(2), np.uint64(3)
    return signatures[at], signatures[at + one], signatures[at + two], signatures[at + three]


@shared
def may_reach(
    text: int,
    other: int,
    edits: int,
    size: int,
    needed: int,
    grams: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    signatures: npt.NDArray[np.uint64],
    groups: Table[np.uint64],
    sides: npt.NDArray[np.bool_],
) -> bool:
    """Return whether two texts may be a pair of at most so many edits."""
    at, its, half = np.uint64(GRAM_WORDS * text), np.uint64(GRAM_WORDS * other), np.uint64(4)
    missing = differ_by(words_of(signatures, at), signatures, its)
    missing += differ_by(words_of(signatures, at + half), signatures, its + half)
    if missing > np.uint64(size * edits):
        return False
    if no_pair(groups, other, text):
        return False
    if len(sides) > 0 and sides[other] == sides[text]:
        return False
    return shared_grams(grams, offsets[text], offsets[text + 1], offsets[other], offsets[other + 1], needed)


@kernel
def probe_grams(
    texts: npt.NDArray[np.int64],
    firsts: npt.NDArray[np.int64],
    edits: npt.NDArray[np.int64],
    size: int,
    needed: npt.NDArray[np.int64],
    grams: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    characters: npt.NDArray[np.uint64],
    signatures: npt.NDArray[np.uint64],
    groups: Table[np.uint64],
    sides: npt.NDArray[np.bool_],
    shift: int,
    heads: npt.NDArray[np.int64],
    entries: npt.NDArray[np.int32],
    seen: Written[npt.NDArray[np.int32]],
    met: Written[npt.NDArray[np.int64]],
) -> npt.NDArray[np.int32]:
    """Return the candidates of some `texts`, by the index: rows of a text and an earlier one, in their order.

    Text y is compared with the texts from ``firsts[y]`` to y - 1. They may be ``edits[y]`` edits apart, so they share
    ``needed[y]`` elements; with 0, the index finds nothing. Two texts that are `no_pair` by their `groups`, or of one
    of the `sides` (of length 0: there are none), are no pair. `seen` is -1 for all texts. Adds to ``met[0]`` how many
    entries of the index were read.
    """
    pairs = np.empty((64, 2), dtype=np.int32)
    total = 0
    for text in texts:
        first = firsts[text]
        most, mine = np.uint64(edits[text]), words_of(characters, np.uint64(CHARACTER_WORDS * text))
        begin, end, least = offsets[text], offsets[text + 1], needed[text]
        stop = end - least + 1 if least > 0 else begin
        occurrence = 0
        for i in range(begin, stop):
            occurrence = occurrence + 1 if i > begin and grams[i] == grams[i - 1] else 0
            slot = element_slot(grams[i], occurrence, shift)
            low, high = heads[slot], heads[slot + np.uint64(1)]
            last = high
            while low < high:
                middle = (low + high) // 2
                if entries[middle] < first:
                    low = middle + 1
                else:
                    high = middle
            for at in range(np.uint64(low), np.uint64(last)):
                other = np.int64(entries[at])
                if other >= text:
                    break
                met[0] += 1
                if seen[other] == text:
                    continue
                seen[other] = text
                if differ_by(mine, characters, np.uint64(other) << np.uint64(2)) > most:
                    continue
                given = (edits[text], size, least, grams, offsets, signatures, groups, sides)
                if may_reach(text, other, *given):
                    if total == len(pairs):
                        pairs = longer_pairs(pairs, 2 * total)
                    pairs[total, 0] = text
                    pairs[total, 1] = other
                    total += 1
    return pairs[:total]


@kernel
def scan_texts(
    texts: npt.NDArray[np.int64],
    firsts: npt.NDArray[np.int64],
    edits: npt.NDArray[np.int64],
    size: int,
    needed: npt.NDArray[np.int64],
    grams: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    characters: npt.NDArray[np.uint64],
    signatures: npt.NDArray[np.uint64],
    groups: Table[np.uint64],
    sides: npt.NDArray[np.bool_],
) -> npt.NDArray[np.int32]:
    """Return the candidates of some `texts` as `probe_grams`, without an index: all earlier texts are looked at."""
    pairs = np.empty((64, 2), dtype=np.int32)
    total = 0
    for text in texts:
        most, mine = np.uint64(edits[text]), words_of(characters, np.uint64(CHARACTER_WORDS * text))
        for other in range(np.uint64(firsts[text]), np.uint64(text)):
            if differ_by(mine, characters, other << np.uint64(2)) > most:
                continue
            given = (edits[text], size, needed[text], grams, offsets, signatures, groups, sides)
            if may_reach(text, np.int64(other), *given):
                if total == len(pairs):
                    pairs = longer_pairs(pairs, 2 * total)
                pairs[total, 0] = text
                pairs[total, 1] = other
                total += 1
    return pairs[:total]

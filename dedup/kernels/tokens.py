"""Tokens of UTF-8 texts: folded, split and hashed, with their byte offsets.

Definition, in naive Python (`kind` from `dedup.text.unicode`; `folded` is the case-folded NFKC form of the text)::

    tokens, last = [], None
    for c in folded:
        if kind[c] == SKIPPED: continue
        if kind[c] == SEPARATOR or (kind[c] == MARK and last is None): last = None; continue
        if last is None or kind[c] == SPACELESS or (last == SPACELESS and kind[c] == WORD): tokens.append("")
        tokens[-1] += c
        if kind[c] != MARK: last = kind[c]

There are two steps. `fold` writes the folded bytes of one text, and one bit per byte that says whether it belongs to a
token. If two tokens touch (scripts without spaces), it writes a zero byte between them. ASCII is folded 64 bytes at a
time, runs of Han and kana 16 characters at a time (`fold_spaceless`), other code points by the table. Then the
ends of the runs of ones are the ends of the tokens. If the folded bytes are not in step with the text, `fold` notes a
*segment* (folded from, folded to, text from, text to), each int64. So the place of a token in the text is found without
a map of every byte.

The hash of a token has 64 bits, the digest of a text's tokens 128 bits. Both are computed with the words of a key
(`dedup.hash_key`; `fold` is `dedup.kernels.words.multiply_fold`, MASK is 2^64 - 1)::

    first, second, third, fourth, more, closed, opened = key[:7]
    low, high = closed, opened
    for token in tokens:
        state = second
        *chunks, last = the token's bytes by eights, the last ones padded with zeros, as little-endian integers
        for x in chunks:
            state = fold(state ^ x, more)
            low, high = absorb(low, high, x, opened)
        low, high = absorb(low, high, last, closed)
        hash = fold(fold(state, last ^ first) ^ third, last ^ fourth)
    digest = fold(low ^ first, high ^ second), fold(low ^ third, high ^ fourth)

    def absorb(low, high, x, end):
        a, b = low ^ x, high ^ end
        return a * b & MASK ^ b, a * b >> 64 ^ a

Without the key, nobody can choose two tokens with the same hash, or two texts with the same digest, better than by
chance.

Cost: about 1.2 ns per byte of ASCII prose with hashing, 4 ns per byte of Chinese; 8 bytes of output per token, 16 with
offsets.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part, shared
from dedup.kernels.text_layout import ALONE, FIRST, MARK, PADDING, SEPARATOR, SKIPPED, SPACELESS, UNSETTLED, WORD
from dedup.kernels.words import (
    bit_count,
    classify,
    leading_zeros,
    load8,
    multiply,
    multiply_fold,
    spread16,
    store8,
    trailing_zeros,
)

KIND = 7

PLAIN_BITS, ACTING_BITS = np.uint32(0xFFFFFF2F), np.uint32(0xFF28)
"""Bits of an entry. Those of PLAIN_BITS are the kind alone for a code point that folds to itself and does not change
the one before it, by composing or by its combining class; those of ACTING_BITS are zero if it does not change that one.
"""

KANA = np.uint64(0xE3)
"""The first byte of hiragana and katakana, which may compose with a mark. Those of U+4E00 to U+9FFF are the next six,
and no mark composes with these."""

BEYOND_ASCII = np.uint64(0x8080808080808080)
THREE_BYTES, THREE_LEADS = np.uint64(0xC0C0F0), np.uint64(0x8080E0)
"""The bits that say that three bytes are one code point, and what they are then."""

FULL = -1
UNSETTLED_TEXT = -2
LINEAR_BITS = 6

AT, TO, NOTED, LAST_KIND, LAST_CLASS = range(5)
"""Places in the state of `fold`: the next byte of the text; the next folded byte; the number of segments; the kind
of the open token (SEPARATOR if none is open, WORD or SPACELESS); the combining class of the code point before, and
`COMPOSING` if a mark may compose with that code point, or with the one that it is a mark of."""

COMPOSING = 1 << 8


@shared
def decode(values: npt.NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """Return the code point at `at` and its length: (-1, 1) if no code point starts, (-1, 3) for a surrogate."""
    lead = np.int64(values[at])
    if lead < 0x80:
        return lead, 1
    if lead < 0xC2 or lead > 0xF4:
        return -1, 1
    length = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if at + length > end:
        return -1, 1
    point = lead & (0x7F >> length)
    for i in range(1, length):
        byte = np.int64(values[at + i])
        if byte & 0xC0 != 0x80:
            return -1, 1
        point = (point << 6) | (byte & 0x3F)
    if 0xD800 <= point < 0xE000:
        return -1, 3
    if (length == 3 and point < 0x800) or (length == 4 and not 0x10000 <= point < 0x110000):
        return -1, 1
    return point, length


@shared
def encode(point: int, out: npt.NDArray[np.uint8], at: int) -> int:
    """Write `point` as UTF-8 into `out` from `at` on; return its length."""
    if point < 0x80:
        out[at] = point
        return 1
    if point < 0x800:
        out[at] = 0xC0 | (point >> 6)
        out[at + 1] = 0x80 | (point & 0x3F)
        return 2
    if point < 0x10000:
        out[at] = 0xE0 | (point >> 12)
        out[at + 1] = 0x80 | ((point >> 6) & 0x3F)
        out[at + 2] = 0x80 | (point & 0x3F)
        return 3
    out[at] = 0xF0 | (point >> 18)
    out[at + 1] = 0x80 | ((point >> 12) & 0x3F)
    out[at + 2] = 0x80 | ((point >> 6) & 0x3F)
    out[at + 3] = 0x80 | (point & 0x3F)
    return 4


@part
def put_bits(bits: npt.NDArray[np.uint64], at: int, mask: np.uint64, count: int) -> None:
    """Append `count` bits of `mask` at bit `at`; all bits of `bits` from `at` on must be zero or unwritten."""
    shift = np.uint64(at & 63)
    word = at >> LINEAR_BITS
    if shift == np.uint64(0):
        bits[word] = mask
        bits[word + 1] = np.uint64(0)
    else:
        bits[word] |= mask << shift
        bits[word + 1] = mask >> (np.uint64(64) - shift)


@part
def note(segments: npt.NDArray[np.int64], row: int, to: int, to_end: int, at: int, at_end: int) -> int:
    """Write a segment, unless none are wanted; return the number of segments, or FULL."""
    if len(segments) == 0:
        return 0
    if row >= len(segments):
        return FULL
    segments[row, 0] = to
    segments[row, 1] = to_end
    segments[row, 2] = at
    segments[row, 3] = at_end
    return row + 1


@part
def fold(
    values: npt.NDArray[np.uint8],
    start: int,
    end: int,
    settled: bool,
    index: npt.NDArray[np.uint16],
    entries: npt.NDArray[np.uint32],
    map_starts: npt.NDArray[np.int32],
    map_points: npt.NDArray[np.int32],
    out: npt.NDArray[np.uint8],
    bits: npt.NDArray[np.uint64],
    segments: npt.NDArray[np.int64],
    state: npt.NDArray[np.int64],
) -> int:
    """Fold the text ``values[start:end]`` into `out` and `bits` (written); note its `segments` (written).

    `values` must be readable for PADDING bytes after `end`. If `segments` has length 0, none are noted. Returns the
    number of folded bytes, and leaves the number of segments in ``state[NOTED]``. Returns FULL if `out` or `segments`
    is too small, and UNSETTLED_TEXT if the text has to be normalised first (never with `settled`).
    """
    room = len(out) - 2 * PADDING
    bits[0] = np.uint64(0)
    state[AT] = start
    state[TO] = 0
    state[NOTED] = 0
    state[LAST_KIND] = SEPARATOR
    state[LAST_CLASS] = 0
    while state[AT] < end:
        at, to = state[AT], state[TO]
        if to > room:
            return FULL
        word, other = classify(values, at, out, to)
        count = end - at if end - at < 64 else np.int64(64)
        if count < 64 and values[end - 1] >= 0xC0:  # cut off by the end: later bytes do not belong to it
            other |= np.uint64(1) << np.uint64(count - 1)
        if other != np.uint64(0):
            plain = trailing_zeros(other)
            if plain < count:
                count = plain
        if count > 0:
            if count < 64:
                word &= (np.uint64(1) << np.uint64(count)) - np.uint64(1)
            if state[LAST_KIND] == SPACELESS and word & np.uint64(1):
                state[NOTED] = note(segments, state[NOTED], to, to + 1, at, at)
                if state[NOTED] < 0:
                    return FULL
                out[to] = 0
                put_bits(bits, to, np.uint64(0), np.int64(1))
                state[TO] = to + 1
                state[LAST_KIND] = WORD
                continue
            put_bits(bits, to, word, count)
            state[AT] = at + count
            state[TO] = to + count
            state[LAST_KIND] = WORD if word >> np.uint64(count - 1) else SEPARATOR
            state[LAST_CLASS] = COMPOSING
            if count == 64:
                continue
        if state[AT] < end:
            status = fold_others(
                values, end, settled, index, entries, map_starts, map_points, out, bits, segments, state
            )
            if status < 0:
                return status
    return state[TO]


@part
def nibbles(bits: np.uint64) -> np.uint64:
    """Return four equal bits for each of the 16 lowest of `bits`, but the lowest of the four is zero."""
    spread = (bits | bits << np.uint64(24)) & np.uint64(0x000000FF000000FF)
    spread = (spread | spread << np.uint64(12)) & np.uint64(0x000F000F000F000F)
    spread = (spread | spread << np.uint64(6)) & np.uint64(0x0303030303030303)
    return ((spread | spread << np.uint64(3)) & np.uint64(0x1111111111111111)) * np.uint64(0xE)


@part
def fold_spaceless(
    values: npt.NDArray[np.uint8],
    at: int,
    end: int,
    index: npt.NDArray[np.uint16],
    entries: npt.NDArray[np.uint32],
    map_starts: npt.NDArray[np.int32],
    map_points: npt.NDArray[np.int32],
    out: npt.NDArray[np.uint8],
    bits: npt.NDArray[np.uint64],
    to: int,
) -> tuple[int, int, np.uint32]:
    """Fold a run of code points of three bytes: each a token by itself that folds to itself, or a separator.

    Han, kana and the marks between them are taken 16 at a time. A little ASCII between them is taken along: a change to
    `classify` costs more. In `out`, a zero byte stands before each token of three bytes, and one or four bytes stand
    for each separator; at most 64 bytes count, and as many after them may be overwritten. Returns where the run ends in
    the text, how many bytes were written, and the entry of the last code point, with the kind that it has folded.
    """
    used, last, mask = np.int64(0), np.uint32(0), np.uint64(0)
    full_stop = entries[np.uint64(index[0x30]) << np.uint64(8) | np.uint64(2)]
    apart = full_stop & np.uint32(KIND) == np.uint32(SEPARATOR)  # else symbols are tokens
    while used <= 60 and at + 3 <= end:
        chunk = load8(values, at)
        if (chunk & np.uint64(0xFF)) - KANA < np.uint64(7):  # most of them, without a look at the table
            own, marks = spread16(values, at, out, to + used)
            most = np.int64(64 - used) >> 2
            if at + 3 * most > end:
                most = (end - at) // 3
            if not apart:
                marks = np.uint64(0)
            inside = own | marks
            inside &= ~(inside + np.uint64(1))  # the first ones without a gap
            own &= inside & ((np.uint64(1) << np.uint64(most)) - np.uint64(1))
            if own != np.uint64(0):
                count = 64 - leading_zeros(own)  # the marks after the last one come next
                mask |= nibbles(own) << np.uint64(used)
                used += 4 * count
                at += 3 * count
                last = np.uint32(SPACELESS)
                if np.uint64(values[at - 3]) == KANA:
                    point = np.uint64(values[at - 2] & 3) << np.uint64(6) | np.uint64(values[at - 1] & 0x3F)
                    point |= np.uint64(0x3000)
                    last = entries[np.uint64(index[point >> np.uint64(8)]) << np.uint64(8) | point & np.uint64(255)]
                continue
        if chunk & THREE_BYTES != THREE_LEADS:
            if used == 0 or chunk & np.uint64(0x80) != np.uint64(0) or chunk & BEYOND_ASCII == np.uint64(0):
                break
            byte = chunk & np.uint64(0xFF)
            entry = entries[np.uint64(index[0]) << np.uint64(8) | byte]
            word = entry & np.uint32(KIND) == np.uint32(WORD)
            if word:
                if last & np.uint32(KIND) == np.uint32(SPACELESS):
                    out[to + used] = 0
                    used += 1
                mask |= np.uint64(1) << np.uint64(used)
                byte |= np.uint64(entry > np.uint32(0xFFFF)) << np.uint64(5)  # a capital
            out[to + used] = byte
            last = np.uint32(FIRST) | entry & np.uint32(KIND)
            used += 1
            at += 1
            continue
        point = (chunk & np.uint64(0xF)) << np.uint64(12)
        point |= (chunk >> np.uint64(2)) & np.uint64(0xFC0) | (chunk >> np.uint64(16)) & np.uint64(0x3F)
        entry = entries[np.uint64(index[point >> np.uint64(8)]) << np.uint64(8) | point & np.uint64(255)]
        if entry & PLAIN_BITS == np.uint32(SPACELESS):
            store8(out, to + used, (chunk & np.uint64(0xFFFFFF)) << np.uint64(8))
            mask |= np.uint64(0xE) << np.uint64(used)
            used += 4
        else:
            if entry & ACTING_BITS != np.uint32(0) or point < np.uint64(0x800):
                break
            row = np.int64(entry >> np.uint32(16))
            if row > 0:  # it folds to something else: full-width punctuation to that of ASCII
                first = map_starts[row - 1]
                if map_starts[row] != first + 1:
                    break
                point = np.uint64(map_points[first])
                mapped = entries[np.uint64(index[point >> np.uint64(8)]) << np.uint64(8) | point & np.uint64(255)]
                entry = entry & np.uint32(FIRST) | mapped & np.uint32(KIND)
            if entry & np.uint32(KIND) != np.uint32(SEPARATOR):
                break
            out[to + used] = 0
            used += 1
        last = entry
        at += 3
    if used > 0:
        put_bits(bits, to, mask, used)
    return at, used, last


@shared
def fold_others(
    values: npt.NDArray[np.uint8],
    end: int,
    settled: bool,
    index: npt.NDArray[np.uint16],
    entries: npt.NDArray[np.uint32],
    map_starts: npt.NDArray[np.int32],
    map_points: npt.NDArray[np.int32],
    out: npt.NDArray[np.uint8],
    bits: npt.NDArray[np.uint64],
    segments: npt.NDArray[np.int64],
    state: npt.NDArray[np.int64],
) -> int:
    """Fold the code points beyond ASCII at ``state[AT]``; return 0, FULL or UNSETTLED_TEXT."""
    room = len(out) - 2 * PADDING
    at, to, noted = state[AT], state[TO], state[NOTED]
    last, last_class = state[LAST_KIND], state[LAST_CLASS]
    while at < end and values[at] >= 0x80:
        if to > room or noted < 0:
            return FULL
        if len(segments) == 0:
            at, used, of_last = fold_spaceless(values, at, end, index, entries, map_starts, map_points, out, bits, to)
            if used > 0:
                to, last = to + used, np.int64(of_last) & KIND
                last_class = COMPOSING if of_last & np.uint32(FIRST) != np.uint32(0) else 0
                continue
        point, length = decode(values, at, end)
        entry = np.int64(SEPARATOR)
        if point >= 0:
            entry = np.int64(entries[(np.int64(index[point >> 8]) << 8) | (point & 255)])
        row = entry >> 16
        combining = (entry >> 8) & 255
        # a mapping begins with a starter unless it is UNSETTLED, so only plain marks can be out of order
        acts = entry & UNSETTLED != 0 and (entry & ALONE != 0 or last_class & COMPOSING != 0)
        if not settled and (acts or (row == 0 and combining != 0 and combining < last_class & 255)):
            return UNSETTLED_TEXT
        if entry & FIRST != 0:
            last_class = combining | COMPOSING
        else:  # after a mark, the code point before it can still compose
            last_class = combining | (last_class & COMPOSING if combining != 0 else 0)
        parts, first_part = 1, 0
        if row > 0:
            first_part = np.int64(map_starts[row - 1])
            parts = np.int64(map_starts[row]) - first_part
        first_to = to
        in_step = parts == 1
        for i in range(parts):
            kind = entry & KIND
            if row > 0:
                point = np.int64(map_points[first_part + i])
                kind = np.int64(entries[(np.int64(index[point >> 8]) << 8) | (point & 255)]) & KIND
            if kind == SKIPPED:
                in_step = False
                continue
            if kind == MARK and last == SEPARATOR:  # a mark without a letter: after a symbol or white space
                kind = np.int64(SEPARATOR)
            touching = last != SEPARATOR and (kind == SPACELESS or (last == SPACELESS and kind == WORD))
            if kind == SEPARATOR or touching:
                out[to] = 0
                put_bits(bits, to, np.uint64(0), np.int64(1))
                to += 1
                last = SEPARATOR
            if touching and i == 0:  # the boundary is before the code point, so it is not part of the mapping
                noted = note(segments, noted, to - 1, to, at, at)
                first_to = to
            if kind != SEPARATOR:
                size = encode(point, out, to)
                put_bits(bits, to, (np.uint64(1) << np.uint64(size)) - np.uint64(1), size)
                to += size
                if kind != MARK:
                    last = kind
        if to - first_to != length or not in_step:
            noted = note(segments, noted, first_to, to, at, at + length)
        at += length
    state[AT], state[TO], state[NOTED] = at, to, noted
    state[LAST_KIND], state[LAST_CLASS] = last, last_class
    return 0 if noted >= 0 else FULL


@part
def hash_keys(key: npt.NDArray[np.uint64]) -> tuple[np.uint64, ...]:
    """Return the words of the key that hash a token, for `hash_tokens`: they are loaded once for all tokens."""
    return key[0], key[1], key[2], key[3], key[4], key[5], key[6]


@part
def hash_tokens(
    out: npt.NDArray[np.uint8],
    bits: npt.NDArray[np.uint64],
    size: int,
    keys: tuple[np.uint64, ...],
    hashes: npt.NDArray[np.uint64],
    at: int,
) -> tuple[int, np.uint64, np.uint64]:
    """Hash the runs of ones in the first `size` bits into `hashes` (written) from `at` on.

    Returns the next place, and the two halves of the text's digest. 8 bytes after the end of `out` must be readable.
    """
    first, second, third, fourth, more, closed, opened = keys
    low, high = closed, opened
    short = first ^ second ^ third
    carry = np.uint64(0)
    start = np.int64(0)
    words = (size + 63) >> LINEAR_BITS
    for word in range(words + 1):
        mask = bits[word] if word < words else np.uint64(0)  # one more, to close a token that ends with the text
        before = (mask << np.uint64(1)) | carry
        starts, ends = mask & ~before, before & ~mask
        carry = mask >> np.uint64(63)
        base = word << LINEAR_BITS
        while ends != np.uint64(0):
            if trailing_zeros(starts) < trailing_zeros(ends):  # else the token was open when this word began
                start = base + trailing_zeros(starts)
                starts &= starts - np.uint64(1)
            end = base + trailing_zeros(ends)
            ends &= ends - np.uint64(1)
            bytes_left = end - start
            if bytes_left <= 8:  # most tokens: as below, but with values that were computed before the loop
                unused = np.uint64(64) - np.uint64(8) * np.uint64(bytes_left)
                chunk = load8(out, start) & (np.uint64(0xFFFFFFFFFFFFFFFF) >> unused)
                left, right = low ^ chunk, high ^ closed
                low, high = multiply(left, right)
                low, high = low ^ right, high ^ left
                left, right = multiply(second, chunk ^ first)
                state = left ^ right ^ (chunk ^ short)
                other = chunk ^ fourth
                left, right = multiply(state, other)
                hashes[np.uint64(at)] = left ^ right ^ (state ^ other)
            else:
                state = second
                while end - start > 8:
                    chunk = load8(out, start)
                    state = multiply_fold(state ^ chunk, more)
                    left, right = low ^ chunk, high ^ opened
                    low, high = multiply(left, right)
                    low, high = low ^ right, high ^ left
                    start += 8
                unused = np.uint64(64) - np.uint64(8) * np.uint64(end - start)
                chunk = load8(out, start) & (np.uint64(0xFFFFFFFFFFFFFFFF) >> unused)
                left, right = low ^ chunk, high ^ closed
                low, high = multiply(left, right)
                low, high = low ^ right, high ^ left
                state = multiply_fold(state, chunk ^ first)
                hashes[np.uint64(at)] = multiply_fold(state ^ third, chunk ^ fourth)
            at += 1
        if starts != np.uint64(0):
            start = base + trailing_zeros(starts)
    return at, multiply_fold(low ^ first, high ^ second), multiply_fold(low ^ third, high ^ fourth)


@kernel
def tokenise(
    values: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    settled: npt.NDArray[np.bool_],
    index: npt.NDArray[np.uint16],
    entries: npt.NDArray[np.uint32],
    map_starts: npt.NDArray[np.int32],
    map_points: npt.NDArray[np.int32],
    out: Written[npt.NDArray[np.uint8]],
    bits: Written[npt.NDArray[np.uint64]],
    key: npt.NDArray[np.uint64],
    hashes: Written[npt.NDArray[np.uint64]],
    offsets: Written[npt.NDArray[np.int64]],
    unsettled: Written[npt.NDArray[np.bool_]],
) -> int:
    """Hash the tokens of the texts ``values[starts[i]:ends[i]]``.

    Writes `hashes` and `offsets` (texts + 1): the hashes of text i are ``hashes[offsets[i]:offsets[i + 1]]``. A text
    that has to be normalised first is marked in `unsettled` and gets no hashes. Returns the number of such texts, or
    FULL if `out` or `hashes` is too small.
    """
    none = np.empty((0, 4), dtype=np.int64)
    state = np.empty(5, dtype=np.int64)
    keys = hash_keys(key)
    at, count = 0, 0
    offsets[0] = 0
    for text in range(len(starts)):
        size = fold(
            values,
            starts[text],
            ends[text],
            settled[text],
            index,
            entries,
            map_starts,
            map_points,
            out,
            bits,
            none,
            state,
        )
        if size == FULL or at + size // 2 + 1 > len(hashes):
            return FULL
        if size == UNSETTLED_TEXT:
            unsettled[text] = True
            count += 1
        else:
            at, _, _ = hash_tokens(out, bits, size, keys, hashes, at)
        offsets[text + 1] = at
    return count


@part
def token_spans(
    bits: npt.NDArray[np.uint64],
    size: int,
    text_start: int,
    segments: npt.NDArray[np.int64],
    wanted: npt.NDArray[np.int64],
    spans: npt.NDArray[np.int64],
) -> int:
    """Write the bytes at which some tokens start and end into `spans`; return the number of all tokens.

    `wanted` are the numbers of these tokens, ascending. If it has length 0, the first tokens are wanted, as many as
    `spans` has rows. A token that begins or ends inside the mapping of a code point gets the complete code point.
    """
    count = 0
    words = (size + 63) >> LINEAR_BITS
    for side in range(2):  # starts, then ends
        count = 0
        row, passed = 0, 0
        shift = text_start  # place in the text minus place in the folded bytes, after the segments that were passed
        carry = np.uint64(0)
        for word in range(words + 1):
            mask = bits[word] if word < words else np.uint64(0)  # one more, to close a token that ends with the text
            before = (mask << np.uint64(1)) | carry
            carry = mask >> np.uint64(63)
            edges = mask & ~before if side == 0 else before & ~mask
            following = count + np.int64(bit_count(edges))
            while row < len(spans):
                token = wanted[row] if len(wanted) > 0 else row
                if token >= following:
                    break
                while count < token:
                    edges &= edges - np.uint64(1)
                    count += 1
                i = (word << LINEAR_BITS) + trailing_zeros(edges)
                limit = i - side  # a start looks at segments from at or before i, an end at those from before i
                while passed < len(segments) and segments[passed, 1] <= limit and segments[passed, 0] <= limit:
                    shift = segments[passed, 3] - segments[passed, 1]
                    passed += 1
                spans[row, side] = i + shift
                if passed < len(segments) and segments[passed, 0] <= limit:
                    spans[row, side] = segments[passed, 2 + side]
                row += 1
            count = following
    return count


@kernel
def locate(
    values: npt.NDArray[np.uint8],
    start: int,
    end: int,
    settled: bool,
    index: npt.NDArray[np.uint16],
    entries: npt.NDArray[np.uint32],
    map_starts: npt.NDArray[np.int32],
    map_points: npt.NDArray[np.int32],
    out: Written[npt.NDArray[np.uint8]],
    bits: Written[npt.NDArray[np.uint64]],
    segments: Written[Table[np.int64]],
    key: npt.NDArray[np.uint64],
    hashes: Written[npt.NDArray[np.uint64]],
    wanted: npt.NDArray[np.int64],
    spans: Written[Table[np.int64]],
) -> int:
    """Hash the tokens of the text ``values[start:end]``; write the bytes at which the `wanted` tokens start and end.

    Returns the number of tokens, FULL or UNSETTLED_TEXT as `fold` does. `wanted` and `spans` are as in `token_spans`,
    and need `segments`. `hashes` has room for half as many hashes as `out` has bytes; if it has length 0, none are
    written.
    """
    state = np.empty(5, dtype=np.int64)
    folded = fold(values, start, end, settled, index, entries, map_starts, map_points, out, bits, segments, state)
    if folded < 0:
        return folded
    if len(hashes) > 0:
        hash_tokens(out, bits, folded, hash_keys(key), hashes, np.int64(0))
    return token_spans(bits, folded, start, segments[: state[NOTED]], wanted, spans)


@kernel
def locate_texts(
    values: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    index: npt.NDArray[np.uint16],
    entries: npt.NDArray[np.uint32],
    map_starts: npt.NDArray[np.int32],
    map_points: npt.NDArray[np.int32],
    out: Written[npt.NDArray[np.uint8]],
    bits: Written[npt.NDArray[np.uint64]],
    segments: Written[Table[np.int64]],
    wanted: npt.NDArray[np.int64],
    bounds: npt.NDArray[np.int64],
    spans: Written[Table[np.int64]],
    unsettled: Written[npt.NDArray[np.bool_]],
) -> bool:
    """Write the bytes where some tokens of the texts ``values[starts[i]:ends[i]]`` start and end.

    Those of text i are ``wanted[bounds[i]:bounds[i + 1]]``, at least one, and all exist. A text that has to be
    normalised first is marked in `unsettled`, and no span of it is written. Returns False where `out` is too small.
    """
    state = np.empty(5, dtype=np.int64)
    for text in range(len(starts)):
        folded = fold(
            values,
            starts[text],
            ends[text],
            False,
            index,
            entries,
            map_starts,
            map_points,
            out,
            bits,
            segments,
            state,
        )
        if folded == FULL:
            return False
        if folded == UNSETTLED_TEXT:
            unsettled[text] = True
            continue
        low, high = bounds[text], bounds[text + 1]
        token_spans(bits, folded, starts[text], segments[: state[NOTED]], wanted[low:high], spans[low:high])
    return True

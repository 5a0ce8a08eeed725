"""Forms of a text, 64 bits each, which tell how two texts differ: its characters, its numbers, its symbols.

Definition, in naive Python (`fold` is `dedup.kernels.words.multiply_fold`, `key` the words of a key, MASK 2^64 - 1)::

    def characters(data):                                   # the bytes of the text
        lanes = list(key[:4])
        for at in range(0, len(data) - 63, 64):
            words = unpack("<8Q", data[at : at + 64])
            for lane in range(4):
                lanes[lane] = fold(lanes[lane] ^ words[2 * lane], words[2 * lane + 1] ^ key[lane + 4])
        state = len(data)
        for lane in lanes: state = fold(state ^ key[4], lane ^ key[5])
        rest = data[len(data) // 64 * 64 :]
        for at in range(0, len(rest), 8): state = fold(state ^ int.from_bytes(rest[at : at + 8], "little"), key[6])
        return fold(state ^ key[0], key[1])

    def numbers(tokens):                                    # `zeros` is the token with every decimal digit as 0
        first = sum(hash(zeros(token)) for token in tokens) & MASK
        second = sum((len(tokens) - i) * hash(zeros(token)) for i, token in enumerate(tokens)) & MASK
        return fold(first ^ key[9], second ^ key[10])

    def symbols(points):                                    # code points of S* and P* in the NFKC form, in order
        state = key[11]
        for point in points: state = fold(state ^ point, key[12])
        return fold(state ^ key[13], key[14])

`numbers` is a sum, so that it needs no second walk over the tokens: only those with a digit are hashed again.

Cost: a walk over the bytes for each form: characters 0.2 ns a byte, numbers 0.9 (prose, two cores, 2026-11).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Written, kernel, part, shared
from dedup.kernels.text_layout import ALONE, FIRST, SEPARATOR, SYMBOL, UNSETTLED
from dedup.kernels.tokens import COMPOSING, LINEAR_BITS, decode, hash_keys
from dedup.kernels.words import bit_count, digits, leading_zeros, load8, multiply_fold, trailing_zeros

DIGIT_BLOCKS = (
    0x66,
    0x6F,
    0x7C,
    0xE5,
    0xED,
    0xF2,
    0x104,
    0x109,
    0x17E,
    0x181,
    0x19D,
    0x1A8,
    0x1A9,
    0x1B5,
    0x1BB,
    0x1C4,
    0x1C5,
    0xA62,
    0xA8D,
    0xA90,
    0xA9D,
    0xA9F,
    0xAA5,
    0xABF,
    0x104A,
    0x10D3,
    0x110F,
    0x111D,
    0x112F,
    0x1145,
    0x114D,
    0x1165,
    0x116C,
    0x1173,
    0x118E,
    0x1195,
    0x11C5,
    0x11D5,
    0x11DA,
    0x16A6,
    0x16AC,
    0x16B5,
    0x1E14,
    0x1E2F,
    0x1E95,
)
"""Code points, by 16: those that begin with ten decimal digits, beyond ASCII."""


@part
def decimal(point: int) -> bool:
    """Return whether a code point is a decimal digit (Nd) that NFKC leaves as it is."""
    low, block = point & 15, point >> 4
    if point < 0x660:
        return 0x30 <= point <= 0x39
    if 0x900 <= point < 0xE00:  # ten Indic scripts, each in 128 code points
        return 0x66 <= point & 127 <= 0x6F
    if low >= 6 and (block == 0x194 or block == 0x1106 or block == 0x1113):  # noqa: PLR1714  (no sets in kernels)
        return True
    if low < 10:
        for zero in DIGIT_BLOCKS:
            if block == zero:
                return True
    return False


@part
def hash_run(out: npt.NDArray[np.uint8], start: int, end: int, keys: tuple[np.uint64, ...]) -> np.uint64:
    """Return the hash of the token ``out[start:end]``, as `dedup.kernels.tokens.hash_tokens` does."""
    first, second, third, fourth, more, _, _ = keys
    state = second
    while end - start > 8:
        state = multiply_fold(state ^ load8(out, start), more)
        start += 8
    unused = np.uint64(64) - np.uint64(8) * np.uint64(end - start)
    chunk = load8(out, start) & (np.uint64(0xFFFFFFFFFFFFFFFF) >> unused)
    state = multiply_fold(state, chunk ^ first)
    return multiply_fold(state ^ third, chunk ^ fourth)


@shared
def zero_digits(out: npt.NDArray[np.uint8], start: int, end: int, zeros: npt.NDArray[np.uint8]) -> int:
    """Write the token ``out[start:end]`` with every decimal digit as 0 into `zeros`; return its length there."""
    at, to = start, 0
    while at < end:
        byte = out[at]
        if byte < 0x80:
            zeros[to] = 0x30 if 0x30 <= byte <= 0x39 else byte
            at += 1
            to += 1
            continue
        point, length = decode(out, at, end)
        if decimal(point):
            zeros[to] = 0x30
            to += 1
        else:
            for i in range(length):
                zeros[to + i] = out[at + i]
            to += length
        at += length
    return to


@part
def has_bit(bits: npt.NDArray[np.uint64], at: int) -> bool:
    """Return one of the bits."""
    return (bits[at >> LINEAR_BITS] >> np.uint64(at & 63)) & np.uint64(1) != np.uint64(0)


@shared
def hash_numbers(
    out: npt.NDArray[np.uint8],
    bits: npt.NDArray[np.uint64],
    size: int,
    tokens: npt.NDArray[np.uint64],
    first: int,
    count: int,
    key: npt.NDArray[np.uint64],
) -> np.uint64:
    """Return the form `numbers` of a text whose tokens are hashed in ``tokens[first:first + count]``.

    `out`, `bits` and `size` are what `dedup.kernels.tokens.fold` left of it.
    """
    keys = hash_keys(key)
    zeros = np.empty(0, dtype=np.uint8)
    total, weighted = np.uint64(0), np.uint64(0)
    for i in range(np.uint64(first), np.uint64(first + count)):
        total += tokens[i]
        weighted += total
    seen, begun, done = np.int64(0), np.int64(0), np.int64(0)  # tokens begun so far, the last one's start, place behind
    carry = np.uint64(0)
    for word in range((size + 63) >> LINEAR_BITS):
        mask = bits[word]
        base = word << LINEAR_BITS
        starts = mask & ~((mask << np.uint64(1)) | carry)
        carry = mask >> np.uint64(63)
        plain, lead = digits(out, base)
        found = (plain | lead) & mask
        while found != np.uint64(0):
            bit = found & (~found + np.uint64(1))
            found ^= bit
            place = base + trailing_zeros(bit)
            if place < done:  # of a token that is done
                continue
            if bit & lead != np.uint64(0):
                point, _ = decode(out, place, size)
                if not decimal(point):
                    continue
            before = starts & (bit | (bit - np.uint64(1)))
            number = seen + np.int64(bit_count(before)) - 1
            start = begun
            if before != np.uint64(0):
                start = base + 63 - leading_zeros(before)
            done = place + 1
            while done < size and has_bit(bits, done):
                done += 1
            if done - start + 8 > len(zeros):
                zeros = np.empty(2 * (done - start) + 64, dtype=np.uint8)
            changed = hash_run(zeros, np.int64(0), zero_digits(out, start, done, zeros), keys)
            changed -= tokens[np.uint64(first + number)]
            total += changed
            weighted += np.uint64(count - number) * changed
        seen += np.int64(bit_count(starts))
        if starts != np.uint64(0):
            begun = base + 63 - leading_zeros(starts)
    return multiply_fold(total ^ key[9], weighted ^ key[10])


@kernel
def hash_texts(
    values: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    key: npt.NDArray[np.uint64],
    forms: Written[npt.NDArray[np.uint64]],
) -> None:
    """Write the form `characters` of each text ``values[starts[i]:ends[i]]``; 8 bytes behind it are readable."""
    k0, k1, k2, k3, k4, k5, k6, k7 = key[0], key[1], key[2], key[3], key[4], key[5], key[6], key[7]
    for text in range(len(starts)):
        at, end = starts[text], ends[text]
        one, two, three, four = k0, k1, k2, k3
        while at + 64 <= end:
            one = multiply_fold(one ^ load8(values, at), load8(values, at + 8) ^ k4)
            two = multiply_fold(two ^ load8(values, at + 16), load8(values, at + 24) ^ k5)
            three = multiply_fold(three ^ load8(values, at + 32), load8(values, at + 40) ^ k6)
            four = multiply_fold(four ^ load8(values, at + 48), load8(values, at + 56) ^ k7)
            at += 64
        state = np.uint64(end - starts[text])
        state = multiply_fold(state ^ k4, one ^ k5)
        state = multiply_fold(state ^ k4, two ^ k5)
        state = multiply_fold(state ^ k4, three ^ k5)
        state = multiply_fold(state ^ k4, four ^ k5)
        while at + 8 <= end:
            state = multiply_fold(state ^ load8(values, at), k6)
            at += 8
        if at < end:
            unused = np.uint64(64) - np.uint64(8) * np.uint64(end - at)
            state = multiply_fold(state ^ (load8(values, at) & (np.uint64(0xFFFFFFFFFFFFFFFF) >> unused)), k6)
        forms[text] = multiply_fold(state ^ k0, k1)


@kernel
def hash_symbols(
    values: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    settled: npt.NDArray[np.bool_],
    index: npt.NDArray[np.uint16],
    entries: npt.NDArray[np.uint32],
    map_starts: npt.NDArray[np.int32],
    map_points: npt.NDArray[np.int32],
    key: npt.NDArray[np.uint64],
    forms: Written[npt.NDArray[np.uint64]],
    unsettled: Written[npt.NDArray[np.bool_]],
) -> int:
    """Write the form `symbols` of each text ``values[starts[i]:ends[i]]``.

    A text that has to be normalised first (`dedup.kernels.tokens.fold`) is marked in `unsettled`; returns how many.
    """
    count = 0
    for text in range(len(starts)):
        at, end = starts[text], ends[text]
        state, last_class = key[11], np.int64(0)
        while at < end:
            point, length = decode(values, at, end)
            at += length
            entry = np.int64(SEPARATOR)
            if point >= 0:
                entry = np.int64(entries[(np.int64(index[point >> 8]) << 8) | (point & 255)])
            row = entry >> 16
            combining = (entry >> 8) & 255
            acts = entry & UNSETTLED != 0 and (entry & ALONE != 0 or last_class & COMPOSING != 0)
            if not settled[text] and (acts or (row == 0 and combining != 0 and combining < last_class & 255)):
                unsettled[text] = True
                count += 1
                break
            if point < 0x80 or entry & FIRST != 0:
                last_class = combining | COMPOSING
            else:
                last_class = combining | (last_class & COMPOSING if combining != 0 else 0)
            if row == 0:
                if entry & SYMBOL != 0:
                    state = multiply_fold(state ^ np.uint64(point), key[12])
                continue
            for i in range(map_starts[row - 1], map_starts[row]):
                mapped = np.int64(map_points[i])
                if np.int64(entries[(np.int64(index[mapped >> 8]) << 8) | (mapped & 255)]) & SYMBOL != 0:
                    state = multiply_fold(state ^ np.uint64(mapped), key[12])
        forms[text] = multiply_fold(state ^ key[13], key[14])
    return count

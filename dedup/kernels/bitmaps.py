"""Bitmaps: sets of near copies, as bits over the hashes that occur in their group.

Definition, in naive Python (`rows` are the sets of one group, in order)::

    numbers = {}
    for row in rows:
        for hash in row: numbers.setdefault(hash, len(numbers))
    bitmaps = [{numbers[hash] for hash in row} for row in rows]

What two rows of a group share is then a few words of ``popcount(left & right)``: for texts of 8,000 hashes a hundredth
of the time of a merge.

A row is nearly the one before it. So only what differs from that is looked up (a table with open addressing), and the
other bits are copied. A group whose hashes are too many for bitmaps that are a small part of the sets is cut: the next
row begins another one.

Cost: for each row a walk over it and the one before it, four hashes a step where they are the same, and a look-up for
each hash that differs. Memory: at most `BITS_PER_HASH` bits a hash.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, part
from dedup.kernels.verify import first_from
from dedup.kernels.words import bit_count

BITS_PER_HASH = 4
"""Bits of a row's bitmap for each of its hashes, at most: a sixteenth of the memory of the sets."""

NO_GROUP = -1


@kernel
def lowest_of_parts(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    lowest: Written[Table[np.uint64]],
) -> None:
    """Write into ``lowest[i, p]`` the lowest hash of row i of `rows` in the p-th equal part of all hashes, or above.

    There are as many parts as columns; where no hash is so high, it is the highest one of all.
    """
    parts = lowest.shape[1]
    width = np.uint64(0xFFFFFFFFFFFFFFFF) // np.uint64(parts)
    for place in range(len(rows)):
        first = offsets[rows[place]]
        end = first + sizes[rows[place]]
        for number in range(parts):
            at = first_from(values, first, end, np.uint64(number) * width)
            lowest[place, number] = values[at] if at < end else np.uint64(0xFFFFFFFFFFFFFFFF)


@part
def slot_of(value: np.uint64, hashes: npt.NDArray[np.uint64], numbers: npt.NDArray[np.int32], mask: np.uint64) -> int:
    """Return the slot of a hash in the table, or the empty one where it would go."""
    slot = value & mask
    while numbers[slot] != NO_GROUP and hashes[slot] != value:
        slot = (slot + np.uint64(1)) & mask
    return np.int64(slot)


@part
def enter(
    value: np.uint64,
    hashes: npt.NDArray[np.uint64],
    numbers: npt.NDArray[np.int32],
    mask: np.uint64,
    count: int,
    bits: npt.NDArray[np.uint64],
    start: int,
) -> int:
    """Set the bit of a hash, which gets the next number if it has none; return how many have one."""
    slot = np.uint64(slot_of(value, hashes, numbers, mask))
    if numbers[slot] == NO_GROUP:
        hashes[slot], numbers[slot] = value, count
        bits[start + (count >> 6)] |= np.uint64(1) << np.uint64(count & 63)
        return count + 1
    number = np.int64(numbers[slot])
    bits[start + (number >> 6)] |= np.uint64(1) << np.uint64(number & 63)
    return count


@kernel
def write_bitmaps(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    labels: npt.NDArray[np.int64],
    places: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    words: Written[npt.NDArray[np.int64]],
    groups: Written[npt.NDArray[np.int64]],
    bits: Written[npt.NDArray[np.uint64]],
) -> None:
    """Write the bitmap of each of `rows`, which are in runs of equal `labels`, for its place p of `places`.

    It begins at ``bits[starts[p]]``, where there is room for `BITS_PER_HASH` bits a hash and one word more, and has
    ``words[p]`` words. Rows of the same ``groups[p]`` (the place of the first of them) have bits of the same meaning.
    """
    longest = np.int64(1)
    for row in rows:
        longest = max(longest, sizes[row])
    capacity = np.int64(64)
    while capacity < 2 * (BITS_PER_HASH + 1) * longest:
        capacity *= 2
    mask = np.uint64(capacity - 1)
    hashes = np.empty(capacity, dtype=np.uint64)
    numbers = np.empty(capacity, dtype=np.int32)
    count, group = np.int64(0), np.int64(NO_GROUP)
    one = np.uint64(1)
    for i in range(len(rows)):
        row, place = rows[i], places[i]
        start, most = starts[place], BITS_PER_HASH * sizes[row]
        at, end = np.uint64(offsets[row]), np.uint64(offsets[row] + sizes[row])
        if i > 0 and labels[i] == labels[i - 1]:
            before, other = places[i - 1], rows[i - 1]
            old, old_end = np.uint64(offsets[other]), np.uint64(offsets[other] + sizes[other])
            copied = min(words[before], (most >> 6) + 1)
            for word in range(copied):
                bits[start + word] = bits[starts[before] + word]
            for word in range(copied, (most >> 6) + 1):
                bits[start + word] = np.uint64(0)
            while at < end and old < old_end and count < most:
                while at + np.uint64(4) <= end and old + np.uint64(4) <= old_end:
                    differ = (values[at] ^ values[old]) | (values[at + one] ^ values[old + one])
                    differ |= values[at + np.uint64(2)] ^ values[old + np.uint64(2)]
                    differ |= values[at + np.uint64(3)] ^ values[old + np.uint64(3)]
                    if differ != np.uint64(0):
                        break
                    at += np.uint64(4)
                    old += np.uint64(4)
                if at == end or old == old_end:
                    break
                value, old_value = values[at], values[old]
                if value < old_value:
                    count = enter(value, hashes, numbers, mask, count, bits, start)
                    at += one
                elif value > old_value:
                    number = np.int64(numbers[slot_of(old_value, hashes, numbers, mask)])
                    bits[start + (number >> 6)] &= ~(one << np.uint64(number & 63))
                    old += one
                else:
                    at += one
                    old += one
            while at < end and count < most:
                count = enter(values[at], hashes, numbers, mask, count, bits, start)
                at += one
            while old < old_end and count < most:
                number = np.int64(numbers[slot_of(values[old], hashes, numbers, mask)])
                bits[start + (number >> 6)] &= ~(one << np.uint64(number & 63))
                old += one
            if count < most:
                groups[place], words[place] = group, (count + 63) >> 6
                continue
            at = np.uint64(offsets[row])
        for slot in range(capacity):
            numbers[slot] = NO_GROUP
        for word in range((most >> 6) + 1):
            bits[start + word] = np.uint64(0)
        count, group = np.int64(0), place
        while at < end:
            count = enter(values[at], hashes, numbers, mask, count, bits, start)
            at += one
        groups[place], words[place] = group, (count + 63) >> 6


@part
def shared_bits(bits: npt.NDArray[np.uint64], left: int, right: int, words: int) -> int:
    """Return how many bits two bitmaps share in their first `words`."""
    total = np.uint64(0)
    for word in range(np.uint64(words)):
        total += bit_count(bits[np.uint64(left) + word] & bits[np.uint64(right) + word])
    return np.int64(total)

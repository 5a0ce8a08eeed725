"""What was met in an index becomes pairs: met documents are counted, filtered by their counts, and verified.

Definition, in naive Python, for one set that is asked about::

    for document, met in Counter(documents).items():
        stored = sets[document]
        needed = smallest number of shared hashes that reaches the threshold
        if document not in skipped and met >= needed - (len(stored) - posted(stored)):
            shared = len(asked & stored)
            if shared >= needed:
                found.append((row, document, shared))

`posted` is how many hashes of a stored set have a posting: all of them, or ``n - least(n, threshold of index) + 1``. At
least `needed` hashes are shared, and only ``n - posted`` of them have no posting; so the count filter drops no pair.

A stored set is compared with its seal before it is used. What does not fit is damaged: its number is returned.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import part, shared
from dedup.kernels.index_sets import SIZE_MASK, seal_of, shared_between
from dedup.kernels.self_join import longer, needed
from dedup.kernels.verify import least

UNDAMAGED = np.int64(-1)

NOT_APART, APART, APART_COUNTED = 0, 1, 2
"""What is done with documents that `is_apart` names: they are as others; no pair; no pair, but reported if their tokens
differ."""


@part
def posted_of(size: int, threshold: float, complete: bool) -> int:
    """Return how many hashes of a set of `size` have a posting."""
    if complete:
        return size
    return size - least(size, threshold) + 1


@part
def bit_of(bits: npt.NDArray[np.uint64], number: int) -> bool:
    """Return whether a number is in a set of bits; numbers after its end are not."""
    word = number >> 6
    if word >= len(bits):
        return False
    return (bits[word] >> np.uint64(number & 63)) & np.uint64(1) != np.uint64(0)


@shared
def more(values: npt.NDArray[np.uint32], count: int) -> npt.NDArray[np.uint32]:
    """Return an array of `count` values that begins with `values`."""
    result = np.empty(count, dtype=np.uint32)
    result[: len(values)] = values
    return result


@part
def is_apart(rows: npt.NDArray[np.uint64], place: int, marks: npt.NDArray[np.uint64], row: int) -> bool:
    """Return whether a document and a text are of one group, and have other digests: then they are no pair."""
    return rows[place, 6] == marks[row, 2] and (rows[place, 2] != marks[row, 0] or rows[place, 3] != marks[row, 1])


@shared
def judge(
    values: npt.NDArray[np.uint64],
    start: int,
    size: int,
    row: int,
    met: npt.NDArray[np.uint32],
    count: int,
    rows: npt.NDArray[np.uint64],
    base: int,
    sets: npt.NDArray[np.uint64],
    sets_base: int,
    skipped: npt.NDArray[np.uint64],
    threshold: float,
    index_threshold: float,
    metric: int,
    complete: bool,
    most: int,
    marks: npt.NDArray[np.uint64],
    apart: int,
    found: npt.NDArray[np.int64],
    total: int,
) -> tuple[npt.NDArray[np.int64], int, int]:
    """Append the pairs of the set ``values[start:start + size]`` with the `count` documents in `met` to `found`.

    Document d has the row ``rows[d - base]``, and its set begins at `sets` after `sets_base` hashes that are not there.
    ``marks[row]`` has the digest (two words) and the group of the asked set. A pair that is `APART_COUNTED`
    has minus its number of shared hashes.
    Returns `found` (it may have grown), the number of pairs in it, and the number of a damaged document or -1.

    The sizes of all documents are read in a loop of their own, so that the memory answers for many at once: a phrase
    that many texts have meets hundreds of documents.
    """
    width = np.int64(8)
    while width < 2 * count:
        width *= 2
    mask = np.uint64(width - 1)
    numbers = np.empty(width, dtype=np.int64)
    counts = np.zeros(width, dtype=np.int64)
    order = np.empty(count, dtype=np.int64)
    distinct = 0
    for i in range(count):
        number = np.int64(met[i])
        slot = ((np.uint64(number) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)) & mask
        while counts[slot] != 0 and numbers[slot] != number:
            slot = (slot + np.uint64(1)) & mask
        if counts[slot] == 0:
            numbers[slot] = number
            order[distinct] = np.int64(slot)
            distinct += 1
        counts[slot] += 1
    before = total
    if len(rows) == 0:
        return found, total, UNDAMAGED
    first_words = np.empty(distinct, dtype=np.uint64)
    for i in range(distinct):
        place = numbers[order[i]] - base
        inside = place >= 0 and place < len(rows)
        first_words[i] = rows[np.uint64(place if inside else np.int64(0)), 0]
    for i in range(distinct):
        number, times = numbers[order[i]], counts[order[i]]
        place = number - base
        if place < 0 or place >= len(rows) or bit_of(skipped, number):
            continue
        other_size = np.int64(first_words[i] & SIZE_MASK)
        if other_size == 0:
            continue
        wanted = needed(size, other_size, threshold, metric)
        if wanted > min(size, other_size):
            continue
        separate = apart != NOT_APART and is_apart(rows, place, marks, row)
        if separate and (apart == APART or rows[place, 3] == marks[row, 1]):
            continue
        if times < wanted - (other_size - posted_of(other_size, index_threshold, complete)):
            continue
        offset = np.int64(rows[place, 1]) - sets_base
        if offset < 0 or offset > len(sets) - other_size or seal_of(sets, offset, other_size) != rows[place, 4]:
            return found, total, number
        common = shared_between(values, start, start + size, sets, offset, offset + other_size, wanted)
        if common < 0:
            continue
        if total == len(found):
            found = longer(found, 2 * total)
        found[total, 0] = row
        found[total, 1] = number
        found[total, 2] = -common if separate else common
        total += 1
        if total - before >= most:
            break
    return found, total, UNDAMAGED

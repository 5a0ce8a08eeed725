"""A sample against all: how similar every text is to each of a few sampled texts, by several sizes of shingle.

`hash_sizes` hashes the windows of several sizes from the same tokens, and keeps those below a limit. Definition, in
naive Python (`shingles` of `dedup.kernels.shingles`)::

    values[k] = [hash for hash in shingles(tokens, sizes[k]) if hash % 2**24 < limits[k]]       # for each text

`compare_sample` compares. Definition, in naive Python::

    for text in texts:
        for number, sampled in enumerate(sample):
            if sampled is not text:
                similarity = len(text & sampled) / len(text | sampled)
                histograms[number][int(similarity * bins)] += 1
                if similarity > best[number]:
                    best[number], partner[number] = similarity, text

The hashes of the sample are sorted, and a directory by their top bits leads to about one of them. A hash that few
samples have leads to a list of them, which are counted one by one; one that many have is a bit: so what two texts share
of these is a few words of ``popcount(left & right)``.

Cost of `hash_sizes`: a product for each token and size, and one more for each doubling. Of `compare_sample`: 5 ns a
hash of a text, 1 ns for each sample that has a rare hash, and for each text and sample 1 ns, a quarter of it for each
64 frequent hashes, and 4 ns where they share any.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel
from dedup.kernels.shingles import MARK_AT, SIGN_AT, combine
from dedup.kernels.words import bit_count

LISTED = 1 << 20
"""More than the number of samples that have a hash."""

LIMIT_MASK = (1 << 24) - 1
"""The bits of a hash that decide whether it is below a limit."""


@kernel
def hash_sizes(
    tokens: npt.NDArray[np.uint64],
    token_offsets: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    limits: npt.NDArray[np.int64],
    key: npt.NDArray[np.uint64],
    values: Written[Table[np.uint64]],
    offsets: Written[Table[np.int64]],
) -> None:
    """Hash the windows of each of the ascending `sizes` of the texts `rows`, in the order of the text.

    Writes ``values[k]`` (as long as `tokens` is enough), those below ``limits[k]``, and ``offsets[k]`` (rows + 1).
    """
    longest = np.int64(1)
    for row in rows:
        longest = max(longest, token_offsets[row + 1] - token_offsets[row])
    windows = np.empty(longest, dtype=np.uint64)  # those of `reach` tokens
    mark, sign, mask = key[MARK_AT], key[SIGN_AT], np.uint64(LIMIT_MASK)
    for k in range(len(sizes)):
        offsets[k, 0] = 0
    for place in range(len(rows)):
        start = token_offsets[rows[place]]
        count = token_offsets[rows[place] + 1] - start
        for i in range(count):
            windows[i] = tokens[start + i]
        reach = np.int64(1)
        for k in range(len(sizes)):
            goal, limit, at = min(sizes[k], count), np.uint64(limits[k]), offsets[k, place]
            while 2 * reach < goal:
                of_reach, further = mark ^ (np.uint64(2 * reach) * sign), np.uint64(reach)
                for i in range(np.uint64(count - 2 * reach + 1)):
                    windows[i] = combine(windows[i], windows[i + further], of_reach)
                reach *= 2
            if goal < 2:
                for i in range(count):
                    if windows[i] & mask < limit:
                        values[k, at] = windows[i]
                        at += 1
            else:
                of_goal, further = mark ^ (np.uint64(goal) * sign), np.uint64(goal - reach)
                for i in range(np.uint64(count - goal + 1)):
                    value = combine(windows[i], windows[i + further], of_goal)
                    values[k, at] = value
                    at += np.int64(value & mask < limit)
            offsets[k, place + 1] = at


@kernel
def compare_sample(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    own: npt.NDArray[np.int64],
    keys: npt.NDArray[np.uint64],
    directory: npt.NDArray[np.int32],
    shift: int,
    having: npt.NDArray[np.int32],
    bits: npt.NDArray[np.uint64],
    sample_sizes: npt.NDArray[np.int64],
    histograms: Written[Table[np.int64]],
    best: Written[npt.NDArray[np.float64]],
    partner: Written[npt.NDArray[np.int64]],
) -> None:
    """Compare every row that has a hash with each sample; ``own[row]`` is the sample that it is, or -1.

    Key k is ``keys[2 * k]``; the keys with top bits t are those from ``directory[t]`` to ``directory[t + 1]``. What
    follows a key says which samples have it: where its list in `having` begins, times `LISTED`, and how many there are;
    or, if they are none, its bit in `bits`, times `LISTED`; `bits` has the same number of words for each sample. Adds
    to `histograms` (samples, bins + 1). Writes `best`, and the row as `partner`, where a row is more similar.
    """
    samples, bins = len(sample_sizes), histograms.shape[1] - 1
    words = len(bits) // max(samples, 1)
    counts = np.zeros(samples, dtype=np.int32)
    alike = np.zeros(samples, dtype=np.int64)  # how often it was not in the first bin for sharing nothing
    mine = np.zeros(words, dtype=np.uint64)
    compared = np.int64(0)
    for row in range(len(sizes)):
        if sizes[row] == 0:
            continue
        compared += 1
        for word in range(words):
            mine[word] = np.uint64(0)
        for place in range(offsets[row], offsets[row] + sizes[row]):
            value = values[place]
            top = np.int64(value >> np.uint64(shift))
            for k in range(directory[top], directory[top + 1]):
                if keys[np.uint64(2 * k)] == value:
                    found = keys[np.uint64(2 * k + 1)]
                    first, listed = found // np.uint64(LISTED), found % np.uint64(LISTED)
                    if listed == np.uint64(0):
                        mine[first >> np.uint64(6)] |= np.uint64(1) << (first & np.uint64(63))
                    for p in range(first, first + listed):
                        counts[having[p]] += np.int32(1)
        for number in range(samples):
            common = np.uint64(0)
            begin = np.uint64(number * words)
            for word in range(np.uint64(words)):
                common += bit_count(mine[word] & bits[begin + word])
            shared = np.int64(counts[number]) + np.int64(common)
            counts[number] = np.int32(0)
            if number == own[row]:
                alike[number] += 1
                continue
            if shared == 0:
                continue
            alike[number] += 1
            similarity = shared / (sizes[row] + sample_sizes[number] - shared)
            histograms[number, np.int64(similarity * bins)] += 1
            if similarity > best[number]:
                best[number] = similarity
                partner[number] = row
    for number in range(samples):
        histograms[number, 0] += compared - alike[number]

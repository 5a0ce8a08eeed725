"""Chains: equal stretches that follow one another on both sides, with small edits between them.

A seed is a run of windows that each link to the first place where the same tokens occur, or to the last one before. In
naive Python, over the seeds (start, source, size) by start::

    score[s] = size[s] + max(0, max(score[p] - cost(p, s) for p before s, within `GAP` tokens on both sides))

where overlapping tokens count once and ``cost = drift / 2 + gap / 4`` (as in minimap2 [1], with the last `BACK` seeds
only). A chain leads back from the best score, over seeds that are in no better chain. Its gaps are aligned by the
longest common subsequence. Its ends grow as long as the score of the alignment rises, the best chains first; where
other ends have grown before, only a part of the way (`dedup.kernels.alignment`). A chain never overlaps its own source.
If its matched tokens are less than `threshold` of its longer side, it is cut at its worst gap.

No chain depends on the seeds of another text.

Cost: linear in the windows and seeds: each seed looks back at `BACK` others, a gap is `GAP` tokens at most, and an end
grows in a narrow band, all ends of a text together over twice its tokens and `AGAIN_IN_TEXT` times those of its seeds.

References: [1] Li, "Minimap2: pairwise alignment for nucleotide sequences", Bioinformatics 2018.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel, shared
from dedup.kernels.alignment import MARKS, SOURCE_TOKENS, common, grow, walk
from dedup.kernels.band import BAND_LANES, EDIT_COST, EQUAL, before64
from dedup.kernels.words import leading_zeros

GAP = 40
"""Tokens between two seeds of a chain, on either side, at most."""

BACK = 64
"""Seeds that a seed looks back at."""

AGAIN = 64
"""Tokens that an end may cross although others crossed them before, in addition to as many as its chain has."""

AGAIN_IN_TEXT = 4
"""Times the tokens of its linked seeds: what all ends in a text may cross again before each is limited to `AGAIN`. In
eight collections of real texts, this changed no repeat."""

MOST_BLOCKS = 128
"""Blocks of a chain among which the best part is searched; a longer one is cut at its worst gap first."""

PADDED = 8
"""Tokens at both ends of a chain together that count as edited, at most, so that it is long enough."""

SMALL = 4
"""Tokens: an edit of this length does not divide a chain into parts."""

KNOWN_ENDS = 8
"""Ends of a chain, in either direction, that are kept for the lower threshold. Few chains have more parts."""

START, SOURCE, SIZE = range(3)
WAY, ROOM, SOURCE_ROOM, CROSSED, GROWN = range(2, 7)
"""Columns of an end after `START` and `SOURCE`: what `grow` is called with, what it crossed, and what it wrote."""

CHAIN_START, CHAIN_END, CHAIN_SOURCE, CHAIN_SOURCE_END, CHAIN_MATCHED = range(5)


@kernel
def link_seeds(
    start: npt.NDArray[np.signedinteger],
    source: npt.NDArray[np.signedinteger],
    length: npt.NDArray[np.signedinteger],
    offsets: npt.NDArray[np.int64],
    least: int,
    seeds: Written[Table[np.signedinteger]],
    scores: Written[npt.NDArray[np.signedinteger]],
    back: Written[npt.NDArray[np.signedinteger]],
) -> int:
    """Link seeds, which come by (start, source), and write those that are in a chain; return their number.

    Each that is linked to another, or has `least` tokens, is written as (start, source, tokens), with four times the
    best score of a chain that ends with it, and the seed before it among those written (-1 for none). One that overlaps
    its own source is left out. `seeds`, `scores` and `back` have room for all of them.
    """
    count = len(start)
    reach = np.empty(count, dtype=start.dtype)  # the last place where the source of a next seed may begin
    begin = np.empty(count, dtype=start.dtype)  # where the chain starts
    text_end = np.empty(count, dtype=np.int64)  # where the text of the source ends, once it is known
    low = 0
    text = ahead_of(offsets, start[0]) if count else 0
    for s in range(count):
        here, there, size = np.int64(start[s]), np.int64(source[s]), np.int64(length[s])
        if here >= offsets[text]:
            low = s
            while here >= offsets[text]:
                text += 1
        back[s] = -1
        begin[s] = here
        text_end[s] = -1
        if there + size > here:
            scores[s] = 0
            reach[s] = -1
            continue
        reach[s] = there + size + GAP
        best = 4 * size
        at, near = s - BACK, np.uint64(0)
        if at >= low:
            near = before64(source, reach, at, source[s])
        else:
            at = low
            for p in range(low, s):
                near |= np.uint64(source[p] < source[s] <= reach[p]) << np.uint64(p - low)
        while near != np.uint64(0):
            bit = 63 - leading_zeros(near)
            near ^= np.uint64(1) << np.uint64(bit)
            p = at + bit
            if scores[p] + 4 * size <= best:
                continue
            p_here, p_there, p_size = np.int64(start[p]), np.int64(source[p]), np.int64(length[p])
            ahead = here - p_here - p_size
            source_ahead = there - p_there - p_size
            if ahead > GAP or here <= p_here or there + size > begin[p]:  # it would reach into itself
                continue
            overlap = max(np.int64(0), -ahead, -source_ahead)
            if overlap >= size or overlap >= p_size:
                continue
            drift = abs(ahead - source_ahead)
            gap = max(np.int64(0), ahead, source_ahead)
            score = scores[p] + 4 * (size - overlap) - 2 * drift - gap
            if score > best:
                if text_end[p] < 0:
                    text_end[p] = offsets[ahead_of(offsets, p_there)]
                if there < text_end[p]:
                    best = np.int64(score)
                    back[s] = p
                    begin[s] = begin[p]
                    text_end[s] = text_end[p]
        scores[s] = best
    for s in range(count):
        if back[s] >= 0:
            reach[back[s]] = -2  # another seed is linked to it
    kept = 0
    for s in range(count):
        if back[s] >= 0 or reach[s] == -2 or (scores[s] > 0 and length[s] >= least):
            seeds[kept, START], seeds[kept, SOURCE], seeds[kept, SIZE] = start[s], source[s], length[s]
            scores[kept] = scores[s]
            back[kept] = begin[back[s]] if back[s] >= 0 else -1
            begin[s] = kept  # from here on: its number among the kept seeds
            kept += 1
    return kept


@shared
def ahead_of(values: npt.NDArray[np.int64], value: int) -> int:
    """Return how many of the ascending `values` are at most `value`."""
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] <= value:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def build_chains(
    tokens: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.int64],
    texts_begin: int,
    texts_end: int,
    seeds: Table[np.signedinteger],
    order: npt.NDArray[np.int64],
    back: npt.NDArray[np.signedinteger],
    scores: npt.NDArray[np.signedinteger],
    exact_start: npt.NDArray[np.int64],
    exact_end: npt.NDArray[np.int64],
    size: int,
    threshold: float,
    lower: float,
    chains: Written[Table[np.int64]],
    parts: Written[Table[np.int64]],
    counts: Written[npt.NDArray[np.int64]],
    cut: Written[npt.NDArray[np.bool_]],
) -> int:
    """Write the chains of `size` tokens or more that reach the threshold, and their parts; and those for a lower one.

    The seeds are those of the texts from token `texts_begin` to `texts_end`; `order` is the seeds by score, the best
    first. A chain is (start, end, source, source end, matched); a part is (chain, start, end, source, source end).
    Room for each threshold: one chain, one part a seed; those for the `lower` one begin in the row of the number of
    seeds. `counts` is the number of chains and parts for the threshold, and the numbers for the lower one. What has
    fewer equal tokens than a quarter of `size`, or lies within an exact stretch and is shorter, is left out. Writes
    which texts are `cut`: where the threshold shortened or refused a chain. The chains of all others are the same at
    any lower threshold, and are not written for it.
    Returns the number of tokens that all ends crossed.
    """
    walked = np.zeros(texts_end - texts_begin, dtype=np.uint8)
    first_text = ahead_of(offsets, texts_begin)
    # of each text and either threshold: tokens that its ends may still cross again
    again = np.zeros((2, ahead_of(offsets, texts_end) - first_text + 1), dtype=np.int64)
    text = np.int64(first_text)
    for s in range(len(seeds)):
        while seeds[s, START] >= offsets[text]:
            text += 1
        again[0, text - first_text] += AGAIN_IN_TEXT * seeds[s, SIZE]
    for row in range(again.shape[1]):
        again[1, row] = again[0, row]
    steps = np.int64(0)
    used = np.empty(len(seeds), dtype=np.bool_)
    for s in range(len(seeds)):
        used[s] = False
    blocks = np.empty((len(seeds), 2), dtype=np.int64)  # seed, and tokens cut off its front
    matched_gap = np.empty(len(seeds), dtype=np.int64)
    reached = np.empty(len(seeds) + 1, dtype=np.int64)  # matched tokens up to the end of each block
    loss = np.empty(len(seeds), dtype=np.int64)  # tokens that the gap before each block does not match
    below = np.empty((len(seeds), 2), dtype=np.int64)  # the worst gap on either side of a gap: a Cartesian tree
    stack = np.empty((len(seeds) + 2, 3), dtype=np.int64)
    band, near = np.empty(BAND_LANES, dtype=np.int64), np.zeros(SOURCE_TOKENS, dtype=np.uint64)
    left, right = np.empty(6, dtype=np.int64), np.empty(6, dtype=np.int64)
    ends = np.empty(CROSSED, dtype=np.int64)
    known = np.empty((KNOWN_ENDS, GROWN + 4), dtype=np.int64)
    known_marks = np.empty((KNOWN_ENDS, MARKS, 3), dtype=np.int64)
    left_marks, right_marks = np.empty((MARKS, 3), dtype=np.int64), np.empty((MARKS, 3), dtype=np.int64)
    bounds = np.empty(4, dtype=np.int64)
    for i in range(4):
        counts[i] = 0
    for place in range(len(order)):
        s = order[place]
        if used[s] or scores[s] == 0.0:
            continue
        members = 0
        while s >= 0 and not used[s]:
            used[s] = True
            blocks[members, 0] = s
            members += 1
            s = back[s]
        for i in range(members // 2):
            other = members - 1 - i
            blocks[i, 0], blocks[other, 0] = blocks[other, 0], blocks[i, 0]
        blocks[0, 1] = 0
        most = np.int64(seeds[blocks[0, 0], SIZE])  # tokens that match, if all do that are in the gaps
        for i in range(1, members):
            s, p = blocks[i, 0], blocks[i - 1, 0]
            most += seeds[s, SIZE] + max(np.int64(0), seeds[s, START] - seeds[p, START] - seeds[p, SIZE])
        if most < size // 4:
            continue
        for i in range(1, members):
            s, p = blocks[i, 0], blocks[i - 1, 0]
            end, source_end = seeds[p, START] + seeds[p, SIZE], seeds[p, SOURCE] + seeds[p, SIZE]
            overlap = max(np.int64(0), end - seeds[s, START], source_end - seeds[s, SOURCE])
            blocks[i, 1] = overlap
            start, source = seeds[s, START] + overlap, seeds[s, SOURCE] + overlap
            matched_gap[i] = 0
            if start > end and source > source_end:
                matched_gap[i] = common(tokens, end, start, source_end, source)
            loss[i] = max(start - end, source - source_end) - matched_gap[i]
        reached[0] = 0
        for i in range(members):
            reached[i + 1] = reached[i] + seeds[blocks[i, 0], SIZE] - blocks[i, 1]
            if i > 0:
                reached[i + 1] += matched_gap[i]
        root, depth = np.int64(-1), 0
        for i in range(1, members):  # gaps, each under the nearest worse one
            last = np.int64(-1)
            while depth > 0 and loss[stack[depth - 1, 0]] < loss[i]:
                depth -= 1
                last = stack[depth, 0]
            below[i, 0], below[i, 1] = last, -1
            if depth > 0:
                below[stack[depth - 1, 0], 1] = i
            else:
                root = np.int64(i)
            stack[depth, 0] = i
            depth += 1
        for row in range(KNOWN_ENDS):
            known[row, WAY] = 0
        for level in range(2):
            wanted = threshold if level == 0 else lower
            from_row = level * len(seeds)
            chain_count, part_count = counts[2 * level], counts[2 * level + 1]
            shortened = False
            stack[0, 0], stack[0, 1], stack[0, 2] = 0, members, root
            depth = 1
            while depth > 0:
                depth -= 1
                low, high, worst = stack[depth, 0], stack[depth, 1], stack[depth, 2]
                a, z = blocks[low, 0], blocks[high - 1, 0]
                start, source = seeds[a, START] + blocks[low, 1], seeds[a, SOURCE] + blocks[low, 1]
                end, source_end = seeds[z, START] + seeds[z, SIZE], seeds[z, SOURCE] + seeds[z, SIZE]
                matched = reached[high] - reached[low] - (matched_gap[low] if low > 0 else 0)
                if matched / max(end - start, source_end - source) < wanted:
                    shortened = True
                    if high - low > MOST_BLOCKS:
                        stack[depth, 0], stack[depth, 1], stack[depth, 2] = worst, high, below[worst, 1]
                        stack[depth + 1, 0], stack[depth + 1, 1], stack[depth + 1, 2] = low, worst, below[worst, 0]
                        depth += 2
                        continue
                    best_part(seeds, blocks, matched_gap, loss, reached, low, high, wanted, bounds)
                    if bounds[1] < high:
                        stack[depth, 0], stack[depth, 1], stack[depth, 2] = bounds[1], high, -1
                        depth += 1
                    if bounds[0] > low:
                        stack[depth, 0], stack[depth, 1], stack[depth, 2] = low, bounds[0], -1
                        depth += 1
                    low, high = bounds[0], bounds[1]
                    a, z = blocks[low, 0], blocks[high - 1, 0]
                    start, source = seeds[a, START] + blocks[low, 1], seeds[a, SOURCE] + blocks[low, 1]
                    end, source_end = seeds[z, START] + seeds[z, SIZE], seeds[z, SOURCE] + seeds[z, SIZE]
                    matched = reached[high] - reached[low] - (matched_gap[low] if low > 0 else 0)
                if matched < size // 4:
                    continue
                around = ahead_of(exact_start, start) - 1
                if around >= 0 and end <= exact_end[around] and end - start < exact_end[around] - exact_start[around]:
                    continue
                text = ahead_of(offsets, start)
                row_of_text = text - first_text
                source_text = ahead_of(offsets, source)
                inside = text == source_text
                # ends are of one type, or numba compiles `grow_end` for each of them
                own = end - start + AGAIN
                ends[START], ends[SOURCE], ends[WAY] = start - 1, source - 1, -1
                ends[ROOM] = start - max(offsets[text - 1], source_end if inside else np.int64(0))
                ends[SOURCE_ROOM] = source - offsets[source_text - 1]
                allowed = again[level, row_of_text] + own
                bit = np.uint8(1 << 2 * level)
                crossed = grow_end(
                    tokens, ends, walked, bit, texts_begin, allowed, left, left_marks, band, near, known, known_marks
                )
                steps += crossed
                again[level, row_of_text] = allowed - own - max(np.int64(0), left[3] - own)
                again[level, row_of_text] = max(np.int64(0), again[level, row_of_text])
                ends[START], ends[SOURCE], ends[WAY] = end, source_end, 1
                ends[ROOM] = offsets[text] - end
                ends[SOURCE_ROOM] = (start - left[0] if inside else offsets[source_text]) - source_end
                allowed = again[level, row_of_text] + own
                bit = np.uint8(2 << 2 * level)
                crossed = grow_end(
                    tokens, ends, walked, bit, texts_begin, allowed, right, right_marks, band, near, known, known_marks
                )
                steps += crossed
                again[level, row_of_text] = allowed - own - max(np.int64(0), right[3] - own)
                again[level, row_of_text] = max(np.int64(0), again[level, row_of_text])
                if fit_ends(matched, end - start, source_end - source, left, left_marks, right, right_marks, wanted):
                    shortened = True
                here, there = end - start + left[0] + right[0], source_end - source + left[1] + right[1]
                total = matched + left[2] + right[2]
                if high - low == 1 and total == seeds[a, SIZE]:
                    continue  # equal from end to end and so an exact repeat
                if max(here, there) < size:
                    lacking = size - max(here, there)
                    edited = max(here, there) - total
                    if lacking > PADDED:
                        continue
                    bounds[0] = max(offsets[text - 1], source_end + right[1] if inside else np.int64(0))
                    bounds[1] = offsets[text]
                    bounds[2] = offsets[source_text - 1]
                    bounds[3] = start - left[0] if inside else offsets[source_text]
                    pad_ends(tokens, start, end, source, source_end, lacking, bounds, left, right)
                    here, there = end - start + left[0] + right[0], source_end - source + left[1] + right[1]
                    total = matched + left[2] + right[2]
                    if total / max(here, there) < wanted:
                        shortened = True
                        continue
                    if max(here, there) < size:
                        continue
                    if max(here, there) - total > 2 * edited:
                        continue  # more edits at its ends than inside
                    if inside and source_end + right[1] > start - left[0]:
                        continue
                row = from_row + chain_count
                chains[row, CHAIN_START] = start - left[0]
                chains[row, CHAIN_SOURCE] = source - left[1]
                chains[row, CHAIN_END] = chains[row, CHAIN_START] + here
                chains[row, CHAIN_SOURCE_END] = chains[row, CHAIN_SOURCE] + there
                chains[row, CHAIN_MATCHED] = total
                chain_count += 1
                parts[from_row + part_count, 0] = row - from_row
                parts[from_row + part_count, 1] = chains[row, CHAIN_START]
                parts[from_row + part_count, 3] = chains[row, CHAIN_SOURCE]
                for i in range(low + 1, high):
                    s, p = blocks[i, 0], blocks[i - 1, 0]
                    p_end, p_source_end = seeds[p, START] + seeds[p, SIZE], seeds[p, SOURCE] + seeds[p, SIZE]
                    new, source_new = seeds[s, START] + blocks[i, 1], seeds[s, SOURCE] + blocks[i, 1]
                    wide = max(new - p_end, source_new - p_source_end)
                    if wide > SMALL and 2 * matched_gap[i] < wide:
                        parts[from_row + part_count, 2] = p_end
                        parts[from_row + part_count, 4] = p_source_end
                        part_count += 1
                        parts[from_row + part_count, 0] = row - from_row
                        parts[from_row + part_count, 1] = new
                        parts[from_row + part_count, 3] = source_new
                parts[from_row + part_count, 2] = chains[row, CHAIN_END]
                parts[from_row + part_count, 4] = chains[row, CHAIN_SOURCE_END]
                part_count += 1
            if level == 0 and shortened:
                cut[ahead_of(offsets, seeds[blocks[0, 0], START]) - first_text] = True
            counts[2 * level], counts[2 * level + 1] = chain_count, part_count
    return steps


@shared
def grow_end(
    tokens: npt.NDArray[np.uint32],
    end: npt.NDArray[np.int64],
    walked: Written[npt.NDArray[np.uint8]],
    mine: np.uint8,
    begin: int,
    allowed: int,
    grown: Written[npt.NDArray[np.int64]],
    marks: Written[Table[np.int64]],
    band: Written[npt.NDArray[np.int64]],
    near: Written[npt.NDArray[np.uint64]],
    known: Written[Table[np.int64]],
    known_marks: Written[npt.NDArray[np.int64]],
) -> int:
    """Grow an end (`WAY` and so on) as `grow` does, or as it was found for the other threshold of the same chain.

    `known` and `known_marks` (`KNOWN_ENDS`) keep what was found. A row without an end has a `WAY` of 0.
    """
    row = 0
    while row < KNOWN_ENDS and known[row, WAY] != 0:
        same = True
        for i in range(CROSSED):
            same &= known[row, i] == end[i]
        if same:
            crossed = known[row, CROSSED]
            if not walk(end[START], end[WAY], crossed, walked, mine, begin, allowed, grown):
                row = KNOWN_ENDS
                break
            for i in range(3):
                grown[i] = known[row, GROWN + i]
            grown[4] = known[row, GROWN + 3]
            for i in range(grown[4]):
                for k in range(3):
                    marks[i, k] = known_marks[row, i, k]
            return crossed
        row += 1
    crossed = grow(
        tokens,
        end[START],
        end[SOURCE],
        end[WAY],
        end[ROOM],
        end[SOURCE_ROOM],
        walked,
        mine,
        begin,
        allowed,
        grown,
        marks,
        band,
        near,
    )
    if row < KNOWN_ENDS and grown[5] == 0:
        for i in range(CROSSED):
            known[row, i] = end[i]
        known[row, CROSSED] = crossed
        for i in range(3):
            known[row, GROWN + i] = grown[i]
        known[row, GROWN + 3] = grown[4]
        for i in range(grown[4]):
            for k in range(3):
                known_marks[row, i, k] = marks[i, k]
    return crossed


@shared
def best_part(
    seeds: Table[np.signedinteger],
    blocks: Table[np.int64],
    matched_gap: npt.NDArray[np.int64],
    loss: npt.NDArray[np.int64],
    reached: npt.NDArray[np.int64],
    low: int,
    high: int,
    threshold: float,
    bounds: Written[npt.NDArray[np.int64]],
) -> None:
    """Write the first block, and the one after the last, of the best part of a chain that reaches the threshold.

    That is the part whose score, as that of an end, is the best, if it reaches the threshold; otherwise the longest
    part of it that does.
    """
    value, best, since = np.int64(0), np.int64(-1), np.int64(low)
    first, last = np.int64(low), np.int64(low + 1)
    for i in range(low, high):
        if i > low:
            value += EQUAL * matched_gap[i] + EDIT_COST * loss[i]
            if value <= 0:
                value, since = np.int64(0), np.int64(i)
        value += EQUAL * (seeds[blocks[i, 0], SIZE] - blocks[i, 1])
        if value > best:
            best, first, last = value, since, np.int64(i + 1)
    most = np.int64(0)
    bounds[0], bounds[1] = first, first + 1
    for i in range(first, last):
        a = blocks[i, 0]
        start, source = seeds[a, START] + blocks[i, 1], seeds[a, SOURCE] + blocks[i, 1]
        before = reached[i] + (matched_gap[i] if i > 0 else 0)
        for j in range(last, i, -1):
            matched = reached[j] - before
            if matched <= most:
                break
            z = blocks[j - 1, 0]
            end, source_end = seeds[z, START] + seeds[z, SIZE], seeds[z, SOURCE] + seeds[z, SIZE]
            if matched / max(end - start, source_end - source) >= threshold:
                most = np.int64(matched)
                bounds[0], bounds[1] = i, j
                break


@shared
def fit_ends(
    matched: int,
    here: int,
    there: int,
    left: Written[npt.NDArray[np.int64]],
    left_marks: Table[np.int64],
    right: Written[npt.NDArray[np.int64]],
    right_marks: Table[np.int64],
    threshold: float,
) -> bool:
    """Take back the ends of a chain, as little as possible, until it reaches the threshold (written).

    Return whether it did not reach it as it was.
    """
    if (matched + left[2] + right[2]) / max(here + left[0] + right[0], there + left[1] + right[1]) >= threshold:
        return False
    most, best_left, best_right = np.int64(0), np.int64(-1), np.int64(-1)
    for i in range(left[4] - 1, -2, -1):
        a, b, equal = np.int64(0), np.int64(0), np.int64(0)
        if i >= 0:
            a, b, equal = left_marks[i, 0], left_marks[i, 1], left_marks[i, 2]
        for j in range(right[4] - 1, -2, -1):
            c, d, more = np.int64(0), np.int64(0), np.int64(0)
            if j >= 0:
                c, d, more = right_marks[j, 0], right_marks[j, 1], right_marks[j, 2]
            if equal + more <= most:
                break
            if (matched + equal + more) / max(here + a + c, there + b + d) >= threshold:
                most, best_left, best_right = equal + more, np.int64(i), np.int64(j)
                break
    for k in range(3):
        left[k] = left_marks[best_left, k] if best_left >= 0 else 0
        right[k] = right_marks[best_right, k] if best_right >= 0 else 0
    return True


@shared
def pad_ends(
    tokens: npt.NDArray[np.uint32],
    start: int,
    end: int,
    source: int,
    source_end: int,
    lacking: int,
    bounds: npt.NDArray[np.int64],
    left: Written[npt.NDArray[np.int64]],
    right: Written[npt.NDArray[np.int64]],
) -> None:
    """Give a chain the tokens that it is `lacking`, at either end so many that most of them match.

    Where it makes no difference, half of them at either end. `bounds` are where the tokens of its text and of that of
    its source begin and end.
    """
    first, last = start - left[0], end + right[0]
    source_first, source_last = source - left[1], source_end + right[1]
    head, most = lacking // 2, np.int64(-1)
    for step in range(lacking + 1):  # the half first, then what is nearest to it
        some = lacking // 2 + ((step + 1) // 2 if step % 2 == 1 else -(step // 2))
        if some < 0 or some > lacking:
            continue
        a, b = max(first - some, bounds[0]), max(source_first - some, bounds[2])
        c, d = min(last + lacking - some, bounds[1]), min(source_last + lacking - some, bounds[3])
        equal = common(tokens, a, first, b, source_first) + common(tokens, last, c, source_last, d)
        if equal > most:
            head, most = some, np.int64(equal)
    tail = lacking - head
    a, b = max(first - head, bounds[0]), max(source_first - head, bounds[2])
    c, d = min(last + tail, bounds[1]), min(source_last + tail, bounds[3])
    left[2] += common(tokens, a, first, b, source_first)
    right[2] += common(tokens, last, c, source_last, d)
    left[0] += first - a
    left[1] += source_first - b
    right[0] += c - last
    right[1] += d - source_last


@kernel
def choose_chains(
    chains: Table[np.int64],
    order: npt.NDArray[np.int64],
    texts_begin: int,
    texts_end: int,
    chosen: Written[npt.NDArray[np.bool_]],
) -> None:
    """Choose chains in some order: each of which less than half is covered by those chosen before.

    They are chains of the texts from token `texts_begin` to `texts_end`.
    """
    covered = np.zeros(texts_end - texts_begin, dtype=np.bool_)
    for row in order:
        start, end = chains[row, CHAIN_START] - texts_begin, chains[row, CHAIN_END] - texts_begin
        already = np.int64(0)
        for i in range(start, end):
            already += covered[i]
        chosen[row] = 2 * already < end - start
        if chosen[row]:
            for i in range(start, end):
                covered[i] = True

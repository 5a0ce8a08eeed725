"""Stretches: what a text of the left side has word for word from the right side.

In naive Python, for each text x of the left side, with the right side's texts in their order::

    stands(i, j) = any(x[i:j] == y[k : k + j - i] for y in right for k in range(len(y)))          # tokens
    found = [(i, j) for all j - i >= min_words if stands(i, j) and not stands(i - 1, j) and not stands(i, j + 1)]

each with the first place (text, then place in it) where it stands. They may overlap one another.

1. *Windows*: a stretch is a run of windows of `min_words` tokens, each of which stands on both sides. A table of bits
   and then the sorted hashes say which do; runs of such windows are all that is looked at from here on. Of runs with
   the same tokens the first is enough: a stretch in a later one stands in the first one too, and earlier.
2. *Matching statistics* [1]: the suffix automaton of the right runs (`dedup.kernels.passages`) gives for each place of
   the left runs the longest stretch that ends there and stands on the right, and the end of its first place. The right
   runs go into automata of `PORTION` tokens each, since they take some 300 bytes a token; the longest of all, the
   earliest among equals, is that of the whole.
3. *Spans*: tokens become characters; see `locate_spans`.

Cost: linear in the texts, and in the tokens of the left runs for every `PORTION` tokens of distinct right runs.

References: [1] Chang, Lawler, "Sublinear approximate string matching and biological applications", 1994.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from dedup.blocks import map_blocks
from dedup.columns import Texts
from dedup.crossing import side_table
from dedup.text import split_paragraphs
from dedup.tokens import locate_tokens
from dedup.units import Units

__all__ = ["Spans", "Stretches", "find_stretches", "locate_spans"]

PORTION = 1 << 20
"""Tokens of an automaton, unless a single run is longer."""


class Stretches(NamedTuple):
    """Stretches by their tokens (int64, one length), in the order of their places on the left.

    ``words`` tokens from token `left_first` of text `left` on stand at token `right_first` of text `right`.
    """

    left: npt.NDArray[np.int64]
    left_first: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    right_first: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]


class _Runs(NamedTuple):
    """Runs of windows that stand on both sides: (n, 3) text, first token, end token; and which tokens they hold.

    Run i has the same tokens as the others of its number ``kind[i]``; ``tokens[k]`` are those of kind k, and
    ``first[k]`` is the first run of it.
    """

    places: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    tokens: list[npt.NDArray[np.uint64]]
    first: list[int]


def find_stretches(
    texts: Texts,
    windows: Units,
    left_count: int,
    min_words: int,
    threads: int,
    progress: Callable[[int], None] = lambda _: None,
) -> Stretches:
    """Return the stretches of at least `min_words` tokens that the first `left_count` texts have from the others.

    `windows` are the texts as documents, hashed by "words:min_words", not prepared.
    """
    places = _common(windows, left_count)
    cut = int(np.searchsorted(places, windows.offsets[left_count]))
    lefts = _runs(texts, windows, places[:cut], min_words, threads)
    rights = _runs(texts, windows, places[cut:], min_words, threads)
    if not lefts.tokens or not rights.tokens:
        return Stretches(*(np.empty(0, dtype=np.int64) for _ in range(5)))
    sequence, starts = _row(lefts.tokens)
    length, source, origin = _statistics(sequence, starts, rights.tokens, threads, progress)
    following = np.concatenate((length[1:], np.zeros(1, dtype=np.int64)))
    ends = np.flatnonzero((length >= min_words) & (following != length + 1))
    kind = np.searchsorted(starts, ends, side="right") - 1
    first = ends + 1 - length[ends] - starts[kind]
    where = rights.places[np.array(rights.first, dtype=np.int64)][origin[ends]]
    found = np.column_stack((first, where[:, 0], where[:, 1] + source[ends] + 1 - length[ends], length[ends]))
    # every run on the left has the stretches of its kind
    bounds = np.searchsorted(kind, np.arange(len(lefts.tokens) + 1))
    counts = np.diff(bounds)[lefts.kind]
    run = np.repeat(np.arange(len(lefts.kind)), counts)
    inside = np.arange(len(run)) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen = found[bounds[lefts.kind[run]] + inside]
    return Stretches(
        lefts.places[run, 0], lefts.places[run, 1] + chosen[:, 0], chosen[:, 1], chosen[:, 2], chosen[:, 3]
    )


def _common(windows: Units, left_count: int) -> npt.NDArray[np.int64]:
    """Return the places of the windows, ascending, whose hash stands on both sides."""
    from dedup.kernels.crossing import stand

    values, middle, end = windows.hashes, int(windows.offsets[left_count]), int(windows.offsets[-1])
    table, shift = side_table(values, windows.offsets, np.arange(left_count, len(windows), dtype=np.int64))
    left = stand(values, 0, middle, table, shift)
    kept = values[left]
    table, shift = side_table(kept, np.array([0, len(kept)]), np.zeros(1, dtype=np.int64))
    right = stand(values, middle, end, table, shift)
    common = np.intersect1d(kept, values[right])
    if not len(common):
        return np.empty(0, dtype=np.int64)
    places = np.concatenate((left, right))
    slot = np.minimum(np.searchsorted(common, values[places]), len(common) - 1)
    return np.asarray(places[common[slot] == values[places]])


def _runs(texts: Texts, windows: Units, places: npt.NDArray[np.int64], min_words: int, threads: int) -> _Runs:
    """Return the runs of neighbouring windows, with their tokens."""
    document = np.searchsorted(windows.offsets, places, side="right") - 1
    position = places - windows.offsets[document]
    begins = np.ones(len(places), dtype=np.bool_)
    begins[1:] = (places[1:] != places[:-1] + 1) | (document[1:] != document[:-1])
    starts = np.flatnonzero(begins)
    lasts = np.concatenate((starts[1:], [len(places)])) - 1 if len(starts) else starts
    runs = np.column_stack((document[starts], position[starts], position[lasts] + min_words))
    kinds: dict[bytes, int] = {}
    tokens: list[npt.NDArray[np.uint64]] = []
    first: list[int] = []
    kind = np.empty(len(runs), dtype=np.int64)

    def read(rows: tuple[int, int]) -> list[npt.NDArray[np.uint64]]:
        hashes = locate_tokens(texts[int(runs[rows[0], 0])].encode("utf-8", "surrogatepass"))[0]
        return [hashes[runs[row, 1] : runs[row, 2]] for row in range(*rows)]

    for (start, _), found in zip(_by_text(runs[:, 0]), map_blocks(read, _by_text(runs[:, 0]), threads), strict=True):
        for row, some in enumerate(found, start=start):
            digest = xxhash.xxh3_128_digest(memoryview(some.data).cast("B")) if len(some) else b""
            number = kinds.setdefault(digest, len(tokens))
            if number == len(tokens):
                tokens.append(some.copy())
                first.append(row)
            kind[row] = number
    return _Runs(runs, kind, tokens, first)


def _by_text(rows: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each stretch of rows with the same text."""
    starts = np.flatnonzero(np.diff(rows, prepend=-1)).tolist()
    yield from pairwise([*starts, len(rows)])


def _row(pieces: list[npt.NDArray[np.uint64]]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Return the pieces in a row with a place of 0 behind each, and where each begins."""
    lengths = np.array([len(piece) + 1 for piece in pieces], dtype=np.int64)
    starts = np.cumsum(lengths) - lengths
    row = np.zeros(int(lengths.sum()), dtype=np.uint64)
    for start, piece in zip(starts.tolist(), pieces, strict=True):
        row[start : start + len(piece)] = piece
    return row, starts


def _statistics(
    left: npt.NDArray[np.uint64],
    left_starts: npt.NDArray[np.int64],
    rights: list[npt.NDArray[np.uint64]],
    threads: int,
    progress: Callable[[int], None],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return for each place of `left` the longest stretch that ends there, its last place in a right run, and the run.

    The earliest run, and the first place in it. 0 where there is none.
    """
    from dedup.kernels.passages import longest_earlier

    right, right_starts = _row(rights)
    bounds = np.concatenate((right_starts, [len(right)]))
    _, inverse = np.unique(np.concatenate((right, left)), return_inverse=True)
    numbers = inverse.astype(np.int64)
    # what parts two runs equals nothing, on neither side
    numbers[bounds[1:] - 1] = -2 - np.arange(len(rights))
    numbers[len(right) + np.concatenate((left_starts[1:], [len(left)])) - 1] = -1

    def work(portion: tuple[int, int]) -> tuple[npt.NDArray[np.int64], ...]:
        grown = numbers[bounds[portion[0]] : bounds[portion[1]]]
        sequence = np.concatenate((grown, numbers[len(right) :]))
        length = np.empty(len(sequence), dtype=np.int64)
        source = np.empty(len(sequence), dtype=np.int64)
        longest_earlier(sequence, len(grown), length, source)
        length, source = length[len(grown) :], source[len(grown) :] + bounds[portion[0]]
        run = np.maximum(np.searchsorted(right_starts, source, side="right") - 1, 0)
        return length, source - right_starts[run], run

    best = [np.zeros(len(left), dtype=np.int64) for _ in range(3)]
    done = 0
    for number, found in enumerate(map_blocks(work, _portions(rights), threads), start=1):
        longer = found[0] > best[0]
        for old, new in zip(best, found, strict=True):
            old[longer] = new[longer]
        done = number
        progress(done)
    return best[0], best[1], best[2]


def _portions(runs: list[npt.NDArray[np.uint64]]) -> Iterator[tuple[int, int]]:
    """Cut the runs into portions of about `PORTION` tokens."""
    start, size = 0, 0
    for end, run in enumerate(runs):
        if size and size + len(run) > PORTION:
            yield start, end
            start, size = end, 0
        size += len(run)
    yield start, len(runs)


class Spans(NamedTuple):
    """Characters of the original texts, on both sides (int64, one length)."""

    left_start: npt.NDArray[np.int64]
    left_end: npt.NDArray[np.int64]
    right_start: npt.NDArray[np.int64]
    right_end: npt.NDArray[np.int64]


class _Border(NamedTuple):
    """One side of a stretch: its span, what adjoins it up to the next space or token, the whole paragraphs at its ends.

    `whole_start` and `whole_end` are -1 where the paragraph is not wholly in the stretch.
    """

    start: int
    end: int
    before: str
    behind: str
    whole_start: int
    whole_end: int


def locate_spans(texts: Texts, stretches: Stretches, threads: int) -> Spans:
    """Return the spans of stretches: from the first to the last token, widened.

    A span takes in what adjoins it without a space and is equal on both sides, up to the next token; a paragraph that
    stands wholly in it is taken whole.
    """
    lefts = _borders(texts, stretches.left, stretches.left_first, stretches.words, threads)
    rights = _borders(texts, stretches.right, stretches.right_first, stretches.words, threads)
    spans = np.empty((len(lefts), 4), dtype=np.int64)
    for row, (left, right) in enumerate(zip(lefts, rights, strict=True)):
        before = _equal(left.before[::-1], right.before[::-1])
        behind = _equal(left.behind, right.behind)
        for column, side in ((0, left), (2, right)):
            spans[row, column] = side.whole_start if side.whole_start >= 0 else side.start - before
            spans[row, column + 1] = side.whole_end if side.whole_end >= 0 else side.end + behind
    return Spans(*(spans[:, column].copy() for column in range(4)))


def _equal(left: str, right: str) -> int:
    """Return the length of the common beginning of two strings."""
    count = 0
    while count < min(len(left), len(right)) and left[count] == right[count]:
        count += 1
    return count


def _borders(
    texts: Texts,
    rows: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
    words: npt.NDArray[np.int64],
    threads: int,
) -> list[_Border]:
    """Return the borders of stretches on one side; each text is looked at once."""
    order = np.argsort(rows, kind="stable")

    def work(part: tuple[int, int]) -> list[_Border]:
        text = texts[int(rows[order[part[0]]])]
        data = text.encode("utf-8", "surrogatepass")
        places = locate_tokens(data)[1]
        values = np.frombuffer(data, dtype=np.uint8)
        blocks = split_paragraphs(values, np.zeros(1, dtype=np.int64), np.array([len(data)]))[0][:, 2:]
        # the first token of each paragraph, and of the one behind it
        heads = np.searchsorted(places[:, 0], np.concatenate((blocks[:, 0], [len(text) + 1])))
        some = order[part[0] : part[1]]
        return [_border(text, places, blocks, heads, int(first[row]), int(first[row] + words[row])) for row in some]

    found: list[_Border | None] = [None] * len(rows)
    at = 0
    for borders in map_blocks(work, _by_text(rows[order]), threads):
        for border in borders:
            found[order[at]] = border
            at += 1
    return found  # type: ignore[return-value]  # each place has been filled


def _border(
    text: str,
    places: npt.NDArray[np.int64],
    blocks: npt.NDArray[np.int64],
    heads: npt.NDArray[np.int64],
    first: int,
    end: int,
) -> _Border:
    start_at, end_at = int(places[first, 0]), int(places[end - 1, 1])
    low = int(places[first - 1, 1]) if first else 0
    high = int(places[end, 0]) if end < len(places) else len(text)
    head = int(np.searchsorted(heads, first, side="right")) - 1
    tail = int(np.searchsorted(heads, end - 1, side="right")) - 1
    begins = heads[head] == first and heads[head + 1] <= end
    finishes = heads[tail + 1] == end and heads[tail] >= first
    return _Border(
        start_at,
        end_at,
        _last_word(text[low:start_at]),
        _first_word(text[end_at:high]),
        int(blocks[head, 0]) if begins else -1,
        int(blocks[tail, 1]) if finishes else -1,
    )


def _first_word(text: str) -> str:
    return "" if not text or text[0].isspace() else text.split(maxsplit=1)[0]


def _last_word(text: str) -> str:
    return "" if not text or text[-1].isspace() else text.rsplit(maxsplit=1)[-1]

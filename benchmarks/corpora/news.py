"""News-like text from a seeded model: any number of documents, with planted copies.

Document i is a function of (seed, i) alone, so a run of 10**7 documents can be streamed, a larger
run begins with the smaller one, the cut into blocks changes nothing, and a copy of an earlier
document needs no memory of it. Of all documents

* 10 % are near copies of a random earlier document: words replaced, inserted and deleted at the
  rate that gives a Jaccard similarity of the word 5-grams drawn uniformly from [0.5, 1];
* 2 % are exact copies of a random earlier document;
* the rest are originals. A tenth of their 8-word chunks are stock phrases that other documents use
  too, and a quarter of them end with one of 256 boilerplate paragraphs. Half of them use
  typographic quotes, so are not ASCII.

Lengths are log-normal. The random numbers are splitmix64 [1] over (stream, place), in uint64, which
is the same on each machine and with each version of numpy; text leaves as `list[str]` blocks. Cost:
about 0.1 microseconds a word.

[1] G. Steele, D. Lea, C. Flood. Fast splittable pseudorandom number generators. OOPSLA 2014.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import exp
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.corpora import vocabulary
from benchmarks.corpora.vocabulary import ENDINGS, PARAGRAPH, SHAPES, STOP, WORDS

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]

NEAR_SHARE: Final = 0.10
EXACT_SHARE: Final = 0.02
BOILERPLATE_SHARE: Final = 0.25
SIGMA: Final = 0.7  # of the logarithm of the length
SHORTEST: Final = 3  # words: now and then a text is shorter than one shingle
CHUNK: Final = 8  # words
BLOCK: Final = 512  # documents made at once: the arrays fit into the cache

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_STEPS: Final = 4096  # entries of the tables of lengths and of edit rates
_KIND, _SOURCE, _LENGTH, _WORDS, _STYLE, _BOILER, _TARGET, _EDITS, _PHRASE, _FAMILY, _LINEAGE = range(11)
_FORMS: Final = WORDS * SHAPES


def _mix(value: U64) -> U64:
    """Splitmix64's finaliser."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def _draw(seed: int, role: int, place: U64) -> U64:
    """Random 64-bit numbers of one purpose, one for each place."""
    stream = _mix(np.array([seed * 64 + role], dtype=np.uint64) * _GOLDEN + _GOLDEN)
    return _mix(stream + place * _GOLDEN)


@cache
def _length_factors() -> I64:
    """Quantiles of the log-normal law with mean 1, in 1/4096."""
    normal = NormalDist()
    levels = ((step + 0.5) / _STEPS for step in range(_STEPS))
    made = [exp(SIGMA * normal.inv_cdf(level) - SIGMA * SIGMA / 2) for level in levels]
    return np.array([round(factor * 4096) for factor in made], dtype=np.int64)


def _edit_rate(survival: float) -> int:
    """Return the edits for 2**32 words, a third of each kind, after which a share `survival` of the
    5-grams is unchanged.

    A 5-gram survives when none of its 5 words is replaced or deleted and nothing is inserted in its
    4 gaps.
    """
    low, high = 0.0, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        word, gap = 1 - 2 * rate / 3, 1 - rate / 3
        if word * word * word * word * word * gap * gap * gap * gap > survival:
            low = rate
        else:
            high = rate
    return round(low * (1 << 32))


@cache
def _edit_rates() -> U64:
    """Edit rates for J spread evenly over [0.5, 1]; J = s / (2 - s) where a share s survives."""
    targets = (0.5 + 0.5 * (step + 0.5) / _STEPS for step in range(_STEPS))
    return np.array([_edit_rate(2 * j / (1 + j)) for j in targets], dtype=np.uint64)


@cache
def _phrase_slots() -> I64:
    return vocabulary.slots(1 << 15, 18, 20)


@cache
def _boiler_slots() -> I64:
    return vocabulary.slots(256, 12, 2.7)


def _starts(lengths: I64) -> I64:
    """Return where each of the runs begins if they follow each other."""
    return np.cumsum(lengths) - lengths


def _within(lengths: I64) -> I64:
    """0, 1, 2, … within each of the runs."""
    return np.arange(lengths.sum(), dtype=np.int64) - np.repeat(_starts(lengths), lengths)


class Model:
    """The documents of one seed and mean size, as runs of forms."""

    def __init__(self, mean_bytes: int, seed: int) -> None:
        if mean_bytes < 50:
            raise ValueError(f"Expected mean_bytes >= 50, got {mean_bytes}")
        self.seed = seed
        boiler = BOILERPLATE_SHARE * 5.5 * CHUNK  # words of boilerplate in the average document
        self.mean_words = max(SHORTEST + 1, round(mean_bytes / (vocabulary.letters_per_word() + 0.2) - boiler))

    def _kinds(self, docs: U64) -> I64:
        """0 for an original, 1 for a near copy, 2 for an exact copy."""
        level = _draw(self.seed, _KIND, docs) >> np.uint64(32)
        near, exact = (round(share * (1 << 32)) for share in (NEAR_SHARE, NEAR_SHARE + EXACT_SHARE))
        kinds = (level < np.uint64(exact)).astype(np.int64) * 2 - (level < np.uint64(near)).astype(np.int64)
        kinds[docs == 0] = 0
        return kinds

    def runs(self, docs: U64) -> tuple[I64, I64, I64]:
        """Forms of all documents in a row, and where each document begins and ends in it."""
        kinds = self._kinds(docs)
        begins, ends = np.empty(len(docs), dtype=np.int64), np.empty(len(docs), dtype=np.int64)
        original = kinds == 0
        flat, lengths = self._originals(docs[original])
        begins[original] = _starts(lengths)
        ends[original] = begins[original] + lengths
        if not original.all():
            copied = docs[~original]
            drawn = _draw(self.seed, _SOURCE, copied) >> np.uint64(32)
            sources, source_begins, source_ends = self.runs(drawn * copied >> np.uint64(32))
            lengths = source_ends - source_begins
            copies = sources[np.repeat(source_begins, lengths) + _within(lengths)]
            target = _draw(self.seed, _TARGET, copied) >> np.uint64(52)
            rates = np.where(kinds[~original] == 1, _edit_rates()[target.astype(np.int64)], np.uint64(0))
            copies, lengths = edited(copies, lengths, _draw(self.seed, _EDITS, copied), rates)
            begins[~original] = len(flat) + _starts(lengths)
            ends[~original] = begins[~original] + lengths
            flat = np.concatenate((flat, copies))
        return flat, begins, ends

    def _originals(self, docs: U64) -> tuple[I64, I64]:
        """Forms and lengths of documents that copy nothing, whatever their kind says."""
        factor = _length_factors()[(_draw(self.seed, _LENGTH, docs) >> np.uint64(52)).astype(np.int64)]
        own = np.maximum(SHORTEST, self.mean_words * factor >> 12)
        return self._written(docs, own, boilerplate=True)

    def template(self, words: int, doc: int = 0) -> I64:
        """The forms of one text of so many words; each `doc` is another one."""
        docs = np.array([doc], dtype=np.uint64)
        return self._written(docs, np.array([words], dtype=np.int64), boilerplate=False)[0]

    def _written(self, docs: U64, own: I64, *, boilerplate: bool) -> tuple[I64, I64]:
        """Text by the chunk: own words, stock phrases and at the end boilerplate."""
        boiler = _draw(self.seed, _BOILER, docs)
        which = _boiler_slots()[(boiler >> np.uint64(52)).astype(np.int64)]
        has = (boiler & np.uint64(0xFFFF)).astype(np.int64) < round(BOILERPLATE_SHARE * 65_536) * boilerplate
        chunks = (own + CHUNK - 1) // CHUNK
        extra = np.where(has, 3 + which % 6, 0)  # 24 to 64 words
        counts = chunks + extra
        place = _within(counts)
        key = np.repeat(_draw(self.seed, _WORDS, docs), counts) + place.astype(np.uint64) * _GOLDEN
        key = _mix(key)
        stock = key & np.uint64(0xFF) < np.uint64(26)
        phrase = _phrase_slots()[(key[stock] >> np.uint64(46)).astype(np.int64)]
        key[stock] = _draw(self.seed, _PHRASE, phrase.astype(np.uint64))
        tail = place - np.repeat(chunks, counts)
        boiled = np.repeat(which * 16, counts)[tail >= 0] + tail[tail >= 0]
        key[tail >= 0] = _draw(self.seed + 1, _PHRASE, boiled.astype(np.uint64))
        drawn = _mix(key[:, None] + np.arange(CHUNK, dtype=np.uint64)[None, :] * _GOLDEN).ravel()
        left = np.repeat(own, counts) - place * CHUNK  # words wanted from this chunk on
        wanted = np.where(tail >= 0, CHUNK, np.minimum(left, CHUNK))
        keep = (np.arange(CHUNK)[None, :] < wanted[:, None]).ravel()
        lengths = own + extra * CHUNK
        style = np.repeat((_draw(self.seed, _STYLE, docs) >> np.uint64(63)).astype(np.int64), lengths)
        return _shaped(drawn[keep], own, lengths) + style * _FORMS, lengths


def _shaped(drawn: U64, own: I64, lengths: I64) -> I64:
    """Words with endings and capitals: sentences of 18 words, paragraphs of three sentences."""
    word = vocabulary.word_slots()[(drawn >> np.uint64(64 - vocabulary.SLOT_BITS)).astype(np.int64)]
    chance = (drawn & np.uint64(0x3FF)).astype(np.int64)
    endings = np.zeros(1 << 10, dtype=np.int64)
    endings[:38], endings[38:57], endings[57:117], endings[117:125] = (
        STOP,
        PARAGRAPH,
        vocabulary.COMMA,
        vocabulary.QUOTED,
    )
    ending = endings[chance]
    starts = _starts(lengths)
    ending[starts + own - 1] = PARAGRAPH
    ending[starts + lengths - 1] = PARAGRAPH
    capital = np.ones(len(word), dtype=np.int64)
    capital[1:] = (ending[:-1] == STOP) | (ending[:-1] == PARAGRAPH)
    shaped: I64 = word * SHAPES + capital * ENDINGS + ending
    return shaped


def edited(flat: I64, lengths: I64, keys: U64, rates: U64) -> tuple[I64, I64]:
    """Runs of forms after replacing, deleting and inserting words at each run's rate (of 2**32)."""
    hashes = _mix(np.repeat(keys, lengths) + _within(lengths).astype(np.uint64) * _GOLDEN)
    level, third = hashes & np.uint64(0xFFFFFFFF), np.repeat(rates // np.uint64(3), lengths)
    word = vocabulary.word_slots()[(hashes >> np.uint64(64 - vocabulary.SLOT_BITS)).astype(np.int64)]
    base = flat - flat % _FORMS  # the style does not change
    replaced = level < third
    deleted = ~replaced & (level < np.uint64(2) * third)
    inserted = ~replaced & ~deleted & (level < np.uint64(3) * third)
    kept = np.where(replaced, base + word * SHAPES + flat % SHAPES, flat)
    copies = np.ones(len(flat), dtype=np.int64)
    copies[deleted], copies[inserted] = 0, 2
    made = np.repeat(kept, copies)
    made[np.cumsum(copies)[inserted] - 1] = (base + word * SHAPES)[inserted]
    totals = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(copies)))
    ends = np.cumsum(lengths)
    return made, totals[ends] - totals[ends - lengths]


def spelled(flat: I64, begins: I64, ends: I64, forms: NDArray[np.object_] | None = None) -> list[str]:
    """Return the texts that runs of forms spell; `forms` are those of another script."""
    pieces = (vocabulary.forms() if forms is None else forms)[flat].tolist()
    return ["".join(pieces[b:e]).rstrip() for b, e in zip(begins.tolist(), ends.tolist(), strict=True)]


def generate(documents: int, mean_bytes: int = 2000, seed: int = 1, block: int = BLOCK) -> Iterator[list[str]]:
    """Documents 0 to `documents` of a seed, in blocks; the cut into blocks changes nothing."""
    model = Model(mean_bytes, seed)
    for start in range(0, documents, block):
        docs = np.arange(start, min(documents, start + block), dtype=np.uint64)
        yield spelled(*model.runs(docs))


def family(members: int, mean_bytes: int = 2000, seed: int = 1, similarity: float = 0.9) -> Iterator[list[str]]:
    """Near copies of one template, any two of which have about this Jaccard similarity, in blocks.

    A shared 5-gram has survived in both, so each member keeps the square root of what a pair has to
    share.
    """
    if not 0 < similarity <= 1:
        raise ValueError(f"Expected 0 < similarity <= 1, got {similarity}")
    model = Model(mean_bytes, seed)
    words = max(SHORTEST, round(mean_bytes / (vocabulary.letters_per_word() + 0.2)))
    template = model.template(words)
    rate = _edit_rate((2 * similarity / (1 + similarity)) ** 0.5)
    for start in range(0, members, BLOCK):
        docs = np.arange(start, min(members, start + BLOCK), dtype=np.uint64)
        lengths = np.full(len(docs), len(template), dtype=np.int64)
        rates = np.full(len(docs), rate, dtype=np.uint64)
        keys = _draw(seed, _FAMILY, docs)
        flat, lengths = edited(np.tile(template, len(docs)), lengths, keys, rates)
        begins = _starts(lengths)
        yield spelled(flat, begins, begins + lengths)


FEWEST_VERSIONS: Final = 10
MOST_VERSIONS: Final = 700
VERSIONS_APART: Final = 85  # this many versions later, J has come down to 0.8


def versions(texts: int, mean_bytes: int = 45_000, seed: int = 1) -> Iterator[list[str]]:
    """Lineages of versions, one after the other: each version is the one before it with a few edits.

    A lineage has from 10 to 700 versions, small ones as often as large ones on a logarithmic scale, and its texts have
    from half to one and a half times the mean size. The last lineage is cut where there are enough `texts`.
    """
    model = Model(mean_bytes, seed)
    words = max(SHORTEST, round(mean_bytes / (vocabulary.letters_per_word() + 0.2)))
    rate = np.array([_edit_rate((2 * 0.8 / 1.8) ** (1 / VERSIONS_APART))], dtype=np.uint64)
    made = lineage = 0
    while made < texts:
        drawn = _draw(seed, _LINEAGE, np.array([lineage], dtype=np.uint64))
        level = int(drawn[0] >> np.uint64(52)) / _STEPS
        count = min(round(FEWEST_VERSIONS * (MOST_VERSIONS / FEWEST_VERSIONS) ** level), texts - made)
        own = words // 2 + words * int(drawn[0] & np.uint64(0xFFF)) // _STEPS
        flat = model.template(max(SHORTEST, own), lineage)
        runs = [flat]
        for key in _draw(seed + lineage, _FAMILY, np.arange(1, count, dtype=np.uint64)):
            flat, _ = edited(flat, np.array([len(flat)], dtype=np.int64), np.array([key]), rate)
            runs.append(flat)
        for run in runs:
            yield spelled(run, np.zeros(1, dtype=np.int64), np.array([len(run)], dtype=np.int64))
        made += count
        lineage += 1

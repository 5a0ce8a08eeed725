"""Estimate the size of a collection from a sample of its texts. The plan of a search depends on it.

The sample is fixed, so a plan depends only on the texts and the options.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dedup.hashing.shingles import Shingle
from dedup.hashing.units import read_units
from dedup.reading import PLAIN, Reading
from dedup.runtime.arrays import sorted_unique
from dedup.sources.files.sampling import Outline
from dedup.sources.texts import ListTexts, Texts
from dedup.unit import Unit

__all__ = ["Size", "measure", "measure_words", "outline_of", "sample_of"]

SAMPLED_TEXTS = 512
SAMPLED_CHARACTERS = 1 << 22
"""Texts, characters. The sample has at most so many, but at least one text."""

SLICE = 1 << 13
"""Characters. So many of a sampled text are taken to count its words."""


@dataclass(frozen=True)
class Size:
    """The size of a collection: texts, characters, longest text (characters), units, shingles. Some are estimates.

    `forms` is how many forms and labels a search holds of each unit; `rewritten`, whether texts are rewritten before
    they are read.
    """

    texts: int
    characters: int
    longest: int
    units: int
    shingles: int
    forms: int = 0
    rewritten: bool = False


def sample_of(texts: Texts, most: int = SAMPLED_TEXTS) -> Texts:
    """Return at most `most` evenly spaced texts. The sample of equal collections is equal."""
    count = len(texts)
    rows = sorted_unique(np.linspace(0, max(count - 1, 0), min(count, most)).astype(np.int64))
    picked: list[str] = []
    characters = 0
    for row in rows.tolist():
        if characters > SAMPLED_CHARACTERS:
            break
        picked.append(texts[row])
        characters += len(picked[-1])
    return ListTexts(picked)


def outline_of(texts: Texts) -> Outline:
    """Return the outline of a collection. Cost: reading the length of each text."""
    lengths = texts.lengths()
    return Outline(len(texts), int(lengths.sum()), int(lengths.max(initial=0)), sample_of(texts))


def measure(outline: Outline, shingle: Shingle, *, unit: Unit) -> Size:
    """Return the size of a collection. Shingles, paragraphs and lines are estimated from the sample."""
    texts, characters, longest, sample = outline
    sampled = int(sample.lengths().sum())
    units = read_units(sample, shingle, unit=unit, threads=1)
    share = characters / sampled if sampled else 0.0
    count = round(len(units) * share) if not unit.whole else texts
    rewritten = not shingle.reading.plain
    return Size(texts, characters, longest, count, round(len(units.hashes) * share), rewritten=rewritten)


def measure_words(texts: Texts, *, unit: Unit = Unit.DOCUMENT, reading: Reading = PLAIN) -> Size:
    """Return the size of a collection, with UTF-8 bytes as ``characters`` and words as ``shingles``.

    Both are estimated from slices of some texts. ``units`` is the number of texts for documents, else the estimated
    number of lines, which is at least the number of paragraphs.
    """
    lengths = texts.lengths()
    total = int(lengths.sum())
    rows = sorted_unique(np.linspace(0, max(len(texts) - 1, 0), min(len(texts), SAMPLED_TEXTS)).astype(np.int64))
    slices = []
    for row in rows.tolist():
        middle = max((int(lengths[row]) - SLICE) // 2, 0)
        slices.append(texts[row][middle : middle + SLICE])
    sampled = max(sum(map(len, slices)), 1)
    encoded = sum(len(some.encode("utf-8", "surrogatepass")) for some in slices)
    units = read_units(ListTexts(slices), Shingle("words", 1, reading), unit=Unit.DOCUMENT, threads=1)
    words = -(-len(units.hashes) * total // sampled)
    longest = int(lengths.max(initial=0))
    lines = len(texts) + -(-sum(some.count("\n") for some in slices) * total // sampled)
    count = lines if not unit.whole else len(texts)
    return Size(
        len(texts),
        -(-encoded * total // sampled),
        -(-encoded * longest // sampled),
        count,
        words,
        rewritten=not reading.plain,
    )

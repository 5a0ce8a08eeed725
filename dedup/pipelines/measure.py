"""How large a collection is, by a sample of its texts: what a search is planned by.

The sample is fixed, so what is planned is a pure function of texts and options.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dedup.hashing.shingles import Shingle
from dedup.hashing.units import read_units
from dedup.sources.files.sampling import Outline
from dedup.sources.texts import ListTexts, Texts
from dedup.unit import Unit

__all__ = ["Size", "measure", "measure_words", "outline_of", "sample_of"]

SAMPLED_TEXTS = 512
SAMPLED_CHARACTERS = 1 << 22
"""Texts and characters of the sample, at most (one text at least)."""

SLICE = 1 << 13
"""Characters of a sampled text whose words are counted."""


@dataclass(frozen=True)
class Size:
    """How large a collection is, by a sample: texts, characters, longest text (characters), units, shingles."""

    texts: int
    characters: int
    longest: int
    units: int
    shingles: int


def sample_of(texts: Texts, most: int = SAMPLED_TEXTS) -> Texts:
    """Return some of the texts, evenly spaced: the same for the same texts."""
    count = len(texts)
    rows = np.unique(np.linspace(0, max(count - 1, 0), min(count, most)).astype(np.int64))
    picked: list[str] = []
    characters = 0
    for row in rows.tolist():
        if characters > SAMPLED_CHARACTERS:
            break
        picked.append(texts[row])
        characters += len(picked[-1])
    return ListTexts(picked)


def outline_of(texts: Texts) -> Outline:
    """Return the outline of a collection. Cost: a look at each text's length."""
    lengths = texts.lengths()
    return Outline(len(texts), int(lengths.sum()), int(lengths.max(initial=0)), sample_of(texts))


def measure(outline: Outline, shingle: Shingle, *, unit: Unit) -> Size:
    """Return how large a collection is; shingles, paragraphs and lines by the sample."""
    texts, characters, longest, sample = outline
    sampled = int(sample.lengths().sum())
    units = read_units(sample, shingle, unit=unit, threads=1)
    share = characters / sampled if sampled else 0.0
    count = round(len(units) * share) if not unit.whole else texts
    return Size(texts, characters, longest, count, round(len(units.hashes) * share))


def measure_words(texts: Texts, *, unit: Unit = Unit.DOCUMENT) -> Size:
    """Return how large a collection is in UTF-8 bytes and words (``shingles``), both by a slice of some texts.

    Units are texts, or at most so many paragraphs, and lines.
    """
    lengths = texts.lengths()
    total = int(lengths.sum())
    rows = np.unique(np.linspace(0, max(len(texts) - 1, 0), min(len(texts), SAMPLED_TEXTS)).astype(np.int64))
    slices = []
    for row in rows.tolist():
        middle = max((int(lengths[row]) - SLICE) // 2, 0)
        slices.append(texts[row][middle : middle + SLICE])
    sampled = max(sum(map(len, slices)), 1)
    encoded = sum(len(some.encode("utf-8", "surrogatepass")) for some in slices)
    units = read_units(ListTexts(slices), Shingle("words", 1), unit=Unit.DOCUMENT, threads=1)
    words = -(-len(units.hashes) * total // sampled)
    longest = int(lengths.max(initial=0))
    lines = len(texts) + -(-sum(some.count("\n") for some in slices) * total // sampled)
    count = lines if not unit.whole else len(texts)
    return Size(len(texts), -(-encoded * total // sampled), -(-encoded * longest // sampled), count, words)

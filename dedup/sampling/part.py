"""The part of a collection that is read, where it is large: documents of about the same lengths.

In naive Python, for documents::

    rows = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    each, middles = most // WINDOWS, [len(rows) * (2 * i + 1) // (2 * WINDOWS) for i in range(WINDOWS)]
    part = sorted(row for middle in middles for row in rows[middle - each // 2 :][:each])

A near copy is nearly as long as its original. So of the partners of these texts many are among them, where one in
twenty texts at random would have one in twenty. What is in the collection for each of them is known, so unrelated
texts can be counted so many times (`dedup.sampling.parting`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.runtime.arrays import sorted_unique
from dedup.sources.texts import Texts
from dedup.unit import Unit

__all__ = ["Part", "part_of"]

READ_CHARACTERS, READ_TEXTS, FEWEST_READ = 3_000_000, 8_000, 600
"""Characters, texts, texts. Of a collection with more than the first or the second a part is read, but at least so many
texts. Seconds and answers: `benchmarks.quality.quality_suggest`."""

WINDOWS = 3
"""Places in the order of lengths from which the texts of a part are taken."""


class Part(NamedTuple):
    """The texts that are read: their numbers in the collection and their lengths (int64).

    `share` is the number of texts in the collection for each that is read, where those of about one length are read.
    """

    texts: Texts
    rows: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    share: float

    def among(self, texts: int, unit: Unit) -> str:
        """Return what the units of a sample are compared with, in words, in a collection of so many texts."""
        if len(self.rows) == texts:
            return f"{unit}s were compared with all different ones"
        some = f"{unit}s were compared with the different ones of {len(self.rows):,} of the {texts:,} {Unit.DOCUMENT}s"
        return f"{some}, of about the same lengths" if unit.whole else some


def part_of(texts: Texts, unit: Unit) -> Part:
    """Return the texts that are read: all of a small collection.

    Of a large one, documents whose lengths are next to each other, in `WINDOWS` places. Of paragraphs and lines the
    length is not known before they are read: texts that are evenly spaced. Cost: reading the length of each text, and
    sorting them.
    """
    lengths = texts.lengths()
    count, total = len(lengths), int(lengths.sum())
    every = np.arange(count, dtype=np.int64)
    most = int(min(READ_TEXTS, READ_CHARACTERS * count / max(total, 1)))
    most = max(most, min(count, FEWEST_READ))
    if count <= most:
        whole = texts if texts.at_hand else texts.some(every)
        return Part(whole, every, lengths, 1.0)
    if not unit.whole:
        rows = sorted_unique(np.linspace(0, count - 1, most).astype(np.int64))
        return Part(texts.some(rows), rows, lengths[rows], 1.0)
    order, each = np.argsort(lengths, kind="stable"), most // WINDOWS
    middles = [count * (2 * number + 1) // (2 * WINDOWS) for number in range(WINDOWS)]
    rows = np.sort(np.concatenate([order[middle - each // 2 : middle - each // 2 + each] for middle in middles]))
    return Part(texts.some(rows), rows, lengths[rows], count / len(rows))

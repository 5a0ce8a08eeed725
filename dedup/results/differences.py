"""The difference of two units of a pair: what a person would see between the two texts.

In naive Python, for two texts of a pair (the first that holds)::

    "identical"  left == right                                        # the same characters
    "format"     tokens(left) == tokens(right)                        # case, punctuation, symbols, white space
    "numbers"    [zeros(t) for t in tokens(left)] == [zeros(t) for t in tokens(right)]    # every digit as 0
    "words"      otherwise

It is decided by the forms of the units (`dedup.hashing.forms`). Those of files were made when they were read. Of texts
in memory, those are made that are asked for: the characters of exact copies; the numbers of units in a pair of which
both have as many hashes, since without that more than numbers differ. Their key is made up, so that no text can be
written for it.

Cost: the units in question are read and hashed once; 9 bytes a unit a form.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dedup.hash_key import HashKey, choose_key
from dedup.hashing.forms import CHARACTERS, NUMBERS, SYMBOLS, Forms
from dedup.hashing.units import Units, forms_of
from dedup.pairs.verify import Pairs
from dedup.reading import PLAIN, Reading
from dedup.results.suggestion import advised
from dedup.runtime.arrays import sorted_unique
from dedup.sources.files.batch import FEW_TEXTS
from dedup.sources.texts import TEXT_BLOCK_BYTES, Texts
from dedup.text.rewriting import InContext
from dedup.unit import Unit

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["DIFFERENCES", "Differences", "PairDifferences", "Removals", "difference_column"]

DIFFERENCES = IN_NOTHING, IN_FORMAT, IN_NUMBERS, IN_WORDS = ("identical", "format", "numbers", "words")
"""The values of the column `difference`; their codes are their places."""

Rows = npt.NDArray[np.int64] | npt.NDArray[np.int32]

DOUBTFUL = 0.05
"""Share. A warning says so if more of the removed units or the pairs differ in numbers or symbols alone."""

COPIES_LOOKED_AT = 1000
"""Pairs. The symbols of at most so many exact copies are compared, for a warning."""


@lru_cache(maxsize=1)
def _key() -> HashKey:
    """Return the key of this process: forms that are made later are compared with each other only."""
    return choose_key(secrets.token_bytes(32))


class Differences:
    """The differences of the units of a collection, whose texts are read in the way of `reading`."""

    def __init__(self, texts: Texts, units: Units, reading: Reading = PLAIN) -> None:
        self._texts, self._units, self._reading = texts, units, reading._replace(key=_key())
        self._made: Forms = {}
        self._known: dict[str, npt.NDArray[np.bool_]] = {}

    def codes(self, left: Rows, right: Rows, same: npt.NDArray[np.bool_]) -> npt.NDArray[np.int8]:
        """Return the code of the difference of each pair; `same` says whether its tokens are equal."""
        codes = np.full(len(left), DIFFERENCES.index(IN_WORDS), dtype=np.int8)
        codes[same] = DIFFERENCES.index(IN_FORMAT)
        codes[self._equal(CHARACTERS, left, right, same)] = DIFFERENCES.index(IN_NOTHING)
        near = ~same
        if NUMBERS not in self._units.forms:
            counts = np.diff(self._units.offsets)
            near &= counts[left] == counts[right]
        codes[self._equal(NUMBERS, left, right, near)] = DIFFERENCES.index(IN_NUMBERS)
        return codes

    @property
    def readable(self) -> bool:
        """Whether the texts are there, from which forms can be made that were not made when they were read."""
        return self._texts.readable

    def of_pairs(self, pairs: Pairs) -> npt.NDArray[np.int8]:
        """Return the code of the difference of each pair, whatever its tokens."""
        digests = self._units.digests
        return self.codes(pairs.left, pairs.right, (digests[pairs.left] == digests[pairs.right]).all(axis=1))

    def numbers_only(self, left: Rows, right: Rows) -> npt.NDArray[np.bool_]:
        """Return which pairs of units with other tokens differ in numbers alone."""
        codes = self.codes(left, right, np.zeros(len(left), dtype=np.bool_))
        return np.equal(codes, DIFFERENCES.index(IN_NUMBERS))

    def other_symbols(self, left: Rows, right: Rows) -> int:
        """Return about how many pairs with equal tokens differ in their symbols, by a sample of them."""
        picked = sorted_unique(np.linspace(0, max(len(left) - 1, 0), min(len(left), COPIES_LOOKED_AT)).astype(np.int64))
        every = np.ones(len(picked), dtype=np.bool_)
        found = len(picked) - len(self._equal(SYMBOLS, left[picked], right[picked], every))
        return round(found * len(left) / max(len(picked), 1))

    def _equal(self, form: str, left: Rows, right: Rows, among: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Return which of the pairs `among` all have the form in common, as places."""
        places = np.flatnonzero(among)
        one, other = left[places], right[places]
        values = self._units.forms.get(form)
        if values is None:
            values = self._make(form, one, other)
        equal: npt.NDArray[np.int64] = places[values[one] == values[other]]
        return equal

    def _make(self, form: str, *rows: Rows) -> npt.NDArray[np.uint64]:
        """Return a form of the units, of which some `rows` are made, and others if they were needed before."""
        if form not in self._made:
            self._made[form] = np.zeros(len(self._units), dtype=np.uint64)
            self._known[form] = np.zeros(len(self._units), dtype=np.bool_)
        made, known = self._made[form], self._known[form]
        wanted = np.zeros(len(known), dtype=np.bool_)
        for some_rows in rows:
            wanted[some_rows] = True
        missing = np.flatnonzero(wanted & ~known)
        whole = self._units.places.shape[1] == 1
        document, text, read, alone = -1, "", None, self._reading
        if not whole and form != CHARACTERS:  # what is ignored may begin in one unit and end in another
            alone = alone.without_context
        some: list[str] = []
        size = first = 0
        for at, (row, *place) in enumerate(self._units.places[missing].tolist(), start=1):
            if row != document:
                document, text = row, self._texts[row]
                read = InContext(text, self._reading) if alone != self._reading else None
            start, end = (0, len(text)) if whole else place[1:]
            some.append(text[start:end] if read is None else read.cut(start, end))
            size += len(some[-1])
            if size > TEXT_BLOCK_BYTES or at == len(missing):
                made[missing[first:at]] = forms_of(some, [form], alone)[form]
                some, size, first = [], 0, at
        known[missing] = True
        return made


class Removals:
    """What each removed unit differs in from its `kept` one; `representatives` are of exact copies, by unit."""

    def __init__(
        self,
        differences: Differences,
        removed: npt.NDArray[np.int64],
        kept: npt.NDArray[np.int64],
        representatives: npt.NDArray[np.int64],
    ) -> None:
        self._differences, self._removed, self._kept = differences, removed, kept
        self._codes = differences.codes(kept, removed, representatives[kept] == representatives[removed])

    @property
    def counts(self) -> dict[str, int]:
        """How many removed units differ in what."""
        return _by_name(np.bincount(self._codes, minlength=len(DIFFERENCES)))

    def doubtful(self, unit: Unit) -> list[str]:
        """Return warnings if many differ in numbers or symbols alone."""
        counts, some = self.counts, self._codes == DIFFERENCES.index(IN_FORMAT)

        def other() -> int:
            return self._differences.other_symbols(self._kept[some], self._removed[some])

        near, same = f"{unit}s removed as near duplicates differ", f"{unit}s removed as exact copies differ"
        return _doubts(counts, other, f"{near} from the kept one", f"{same} from the kept one", "keeps them")


class PairDifferences:
    """What the two of each pair differ in, of pairs that come in `parts`: the `counts`, and what to warn of."""

    def __init__(self, differences: Differences, parts: Iterable[Pairs]) -> None:
        self._differences = differences
        found = np.zeros(len(DIFFERENCES), dtype=np.int64)
        picked, each, seen = np.empty((0, 3), dtype=np.int64), 1, 0
        for pairs in parts:
            codes = differences.of_pairs(pairs)
            found += np.bincount(codes, minlength=len(DIFFERENCES))
            places = np.flatnonzero(codes == DIFFERENCES.index(IN_FORMAT))
            numbers = seen + np.arange(len(places), dtype=np.int64)
            seen += len(places)
            places, numbers = places[numbers % each == 0], numbers[numbers % each == 0]
            picked = np.concatenate((picked, np.column_stack((numbers, pairs.left[places], pairs.right[places]))))
            while len(picked) > COPIES_LOOKED_AT:
                each *= 2
                picked = picked[picked[:, 0] % each == 0]
        self.counts = _by_name(found)
        self._picked = picked[:, 1], picked[:, 2]

    def doubtful(self, *, of_index: bool) -> list[str]:
        """Return warnings if many pairs differ in numbers or symbols alone; `of_index` is as for `advised`.

        Symbols can only be compared if the texts are there; those of an index may not be.
        """

        def other() -> int:
            if not self._differences.readable:
                return 0
            left, right = self._picked
            return round(self._differences.other_symbols(left, right) * self.counts[IN_FORMAT] / max(len(left), 1))

        words = "near pairs differ", "pairs of exact copies differ", "leaves them out"
        return _doubts(self.counts, other, *words, of_index=of_index)


def _doubts(
    counts: dict[str, int], other: Callable[[], int], near: str, same: str, then: str, *, of_index: bool = False
) -> list[str]:
    """Return warnings if many of what was counted differ in numbers or symbols alone; `other` counts the latter."""
    found = []
    nears, sames = counts[IN_NUMBERS] + counts[IN_WORDS], counts[IN_NOTHING] + counts[IN_FORMAT]
    if counts[IN_NUMBERS] > DOUBTFUL * nears:
        told = f"{near} in numbers alone; {advised('distinct', 'numbers', of_index=of_index)} {then}"
        found.append(f"{counts[IN_NUMBERS]:,} of {nears:,} {told}")
    if counts[IN_FORMAT] > DOUBTFUL * sames:  # only these can have other symbols
        symbols = other()
        if symbols > DOUBTFUL * sames:
            about = "about " if counts[IN_FORMAT] > COPIES_LOOKED_AT else ""
            told = f"{same} in symbols or punctuation; {advised('distinct', 'symbols', of_index=of_index)} {then}"
            found.append(f"{about}{symbols:,} of {sames:,} {told}")
    return found


def _by_name(counts: npt.NDArray[np.int64]) -> dict[str, int]:
    """Return how often each difference occurs, by its name."""
    return dict(zip(DIFFERENCES, counts.tolist(), strict=True))


def difference_column(codes: npt.NDArray[np.int8], mask: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Return the column `difference` of a table (Arrow strings); null where `mask` is set."""
    import pyarrow as pa

    if len(codes) <= FEW_TEXTS:
        hidden = [False] * len(codes) if mask is None else mask.tolist()
        said = zip(codes.tolist(), hidden, strict=True)
        return pa.array([None if skipped else DIFFERENCES[code] for code, skipped in said], type=pa.string())
    words = pa.array(DIFFERENCES, type=pa.string())
    return words.take(pa.array(codes, type=pa.int8(), mask=mask))

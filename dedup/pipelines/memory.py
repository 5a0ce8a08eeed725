"""The plan of a search: in one pass over the texts or in several, and what it will take.

Without a bound everything is held: 8 bytes a shingle and half as much again. With ``memory=`` that is too small for
it, the texts are read more than once: first to mark the shingles that stand twice (`dedup.pairs.seen_twice.Sieve`), a
range of them at a time where even the table is too large, then to keep the hashes of the texts that may have a partner.
The answer is the same. What the plan goes by (`Size`) comes from a fixed sample of the texts, so it is a pure function
of texts and options.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dedup.errors import ParameterError
from dedup.hashing.shingles import Shingle
from dedup.hashing.units import read_units
from dedup.runtime.memory import Afford, given, written
from dedup.sources.coerce import BLOCK_BYTES, ListTexts, Texts
from dedup.sources.files.sampling import Outline

__all__ = [
    "Plan",
    "Size",
    "make_plan",
    "measure",
    "measure_words",
    "outline_of",
    "plan_for",
    "plan_passages",
    "sample_of",
]

SAMPLED_TEXTS = 512
SAMPLED_CHARACTERS = 1 << 22
"""Texts and characters of the sample, at most (one text at least)."""

SHINGLE_BYTES = 16
"""What a held shingle takes at the most, from its hash to its place in the index; 9 to 12 were measured."""

UNIT_BYTES = 158
"""What a document or paragraph takes beside its shingles: its places, digest, rank and star."""

BLOCK_COPIES = 12
"""What a block of texts takes while it is worked on, in bytes a byte: tokens, shingles, and what waits for its turn."""

FIXED = 16 << 20
"""Bytes: what the interpreter and its libraries take beside the arrays."""


@dataclass(frozen=True)
class Size:
    """How large a collection is, by a sample: texts, characters, longest text (characters), units, shingles."""

    texts: int
    characters: int
    longest: int
    units: int
    shingles: int


@dataclass(frozen=True)
class Plan:
    """How the texts will be read.

    Attributes
    ----------
    size : what the plan goes by
    fixed : bytes that are taken whatever is held: blocks in work, and what each unit takes
    whole : bytes that are taken where everything is held
    memory : the bound in bytes, None without one
    """

    size: Size
    fixed: int
    whole: int
    memory: int | None

    @property
    def one_pass(self) -> bool:
        """Whether everything is held."""
        return self.memory is None or self.whole <= self.memory

    @property
    def room(self) -> int:
        """Bytes for the table and for hashes, under a bound."""
        assert self.memory is not None
        return self.memory - self.fixed

    def fits(self, shingles: int, table: int) -> bool:
        """Return whether so many shingles can be held beside a table of so many bytes."""
        return table + SHINGLE_BYTES * shingles <= self.room

    def too_small(self, shingles: int, of: str) -> ParameterError:
        """Return the error that says what would be needed to hold so many shingles."""
        return self.needing(SHINGLE_BYTES * shingles * 3 // 2, of)

    def affording(self, of: str) -> Afford:
        """Return what raises the error where more bytes are held than there is room for."""

        def afford(held: int, all_in_all: int = 0) -> None:
            if held > self.room:
                raise self.needing(max(held, all_in_all), of)

        return afford

    def needing(self, held: int, of: str) -> ParameterError:
        """Return the error that says what would be needed to hold so many bytes: more than there is, in any case.

        What a step takes is known to a few hundredths, and some of it grows with the bound.
        """
        needed = max(self.fixed + held, (self.memory or 0) * 21 // 20)
        return ParameterError(
            f"memory: expected about {written(needed)} or more for {of}, found {given(self.memory or 0)}; "
            "give more, leave memory out, or search the collection in parts"
        )


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


def measure(outline: Outline, shingle: Shingle, *, unit: str) -> Size:
    """Return how large a collection is; shingles, paragraphs and lines by the sample."""
    texts, characters, longest, sample = outline
    sampled = int(sample.lengths().sum())
    units = read_units(sample, shingle, unit=unit, threads=1)
    share = characters / sampled if sampled else 0.0
    count = round(len(units) * share) if unit != "document" else texts
    return Size(texts, characters, longest, count, round(len(units.hashes) * share))


def make_plan(texts: Texts, shingle: Shingle, memory: int | None, threads: int, *, unit: str) -> Plan | None:
    """Return the plan for a bound; None where there is no bound, so nothing to plan."""
    if memory is None:
        return None
    return plan_for(measure(outline_of(texts), shingle, unit=unit), memory, threads)


def plan_for(size: Size, memory: int | None, threads: int) -> Plan:
    """Return the plan for a collection of this size."""
    in_work = (2 * threads + 2) * BLOCK_COPIES * max(min(BLOCK_BYTES, size.characters), size.longest)
    fixed = FIXED + in_work + UNIT_BYTES * size.units
    plan = Plan(size, fixed, fixed + SHINGLE_BYTES * size.shingles, memory)
    if memory is not None and not plan.one_pass and plan.room < BLOCK_BYTES:
        raise plan.too_small(BLOCK_BYTES // SHINGLE_BYTES, f"{size.texts:,} texts, whatever is found in them")
    return plan


SLICE = 1 << 13
"""Characters of a sampled text whose words are counted."""

SPAN_COPIES = 4
"""What a text takes while spans are found in it, in bytes a byte: itself in UTF-8, twice for a moment, its lines."""

PASSAGE_UNIT_BYTES = 100
"""What a text or paragraph takes beside its tokens: where it begins, its length, its copies, the same in the result."""


def measure_words(texts: Texts, *, unit: str = "document") -> Size:
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
    units = read_units(ListTexts(slices), Shingle("words", 1), unit="document", threads=1)
    words = -(-len(units.hashes) * total // sampled)
    longest = int(lengths.max(initial=0))
    lines = len(texts) + -(-sum(some.count("\n") for some in slices) * total // sampled)
    count = lines if unit != "document" else len(texts)
    return Size(len(texts), -(-encoded * total // sampled), -(-encoded * longest // sampled), count, words)


def plan_passages(size: Size, memory: int, threads: int, block: int, word_bytes: int) -> Plan:
    """Return the plan for passages of texts that are read in blocks of at most so many bytes.

    `word_bytes` is what a word takes where everything is held and everything repeats.
    """
    in_work = (threads + 1) * BLOCK_COPIES * min(block, size.characters)
    spans = threads * SPAN_COPIES * size.longest
    fixed = FIXED + max(in_work, spans) + PASSAGE_UNIT_BYTES * size.units
    plan = Plan(size, fixed, fixed + word_bytes * size.shingles, memory)
    if not plan.one_pass and plan.room < BLOCK_BYTES:
        raise plan.needing(BLOCK_BYTES, f"{size.texts:,} texts, whatever is found in them")
    return plan

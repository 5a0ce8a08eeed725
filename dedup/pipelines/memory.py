"""The planner: how much memory each step of a search takes, what fits under a bound, and the error if it does not.

`dedup.find_duplicates`, `dedup find` and `dedup.estimate` use the same plans. Every figure is in bytes by which the
process grows while it searches.

**Texts in memory** (`TextPlan`), and words of files for passages. Without a bound everything is held: 8 bytes per
shingle, and half as much again. If ``memory=`` is too small for that, the texts are read more than once
(`dedup.pairs.filter_passes`). The size of the collection is estimated from a fixed sample (`dedup.sampling.measure`),
so the plan depends only on the texts and the options.

**Files** (`FilePlan`) are read once, and their hashes are written to a work directory if they do not fit. Texts, units,
shingles and the longest text are then counted, not estimated. With T threads, shards of s bytes, n texts, u units, and
h shingles of the m candidates, the steps take, in addition to 48 MB for the interpreter::

    reading          (2 T + 2) * 12 * max(1 MB, longest text)  +  3 s
    marking          table  +  (2 T + 1) s  +  5 u
    joining          16 h  +  150 m  +  (2 T + 1) s  +  u  (+ 500 m with the method "lsh", for its bands)
    clusters, report 156 u  +  16 n  (+ 24 u for paragraphs and lines)

and the work directory holds 8 bytes per shingle and 56 per unit (80 per paragraph or line). If the table of marks does
not fit, it is halved until it does, and made for one part of the hashes at a time. If the join does not fit, it is done
in blocks (`dedup.pairs.block_join`).

If the other steps do not fit, the bound is too small, and the error says by how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from dedup.edit.join import bytes_needed
from dedup.errors import ParameterError
from dedup.hashing.shard_source import ShardSource
from dedup.hashing.source import HashSource
from dedup.hashing.units import Choice, HashRows
from dedup.pairs.filter_passes import AcrossSides, Candidates
from dedup.pairs.seen_twice import SeenTwice
from dedup.pairs.verify import PAIR_BYTES
from dedup.runtime.memory import Afford, given, written
from dedup.sampling.measure import Size
from dedup.sources.texts import TEXT_BLOCK_BYTES
from dedup.threshold import Threshold
from dedup.unit import Unit

__all__ = ["MATCHING", "REPEATING", "FilePlan", "Plan", "TextPlan", "Unbounded", "plan_for", "plan_passages"]

SHINGLE_BYTES = 16
"""Bytes of a held shingle, from its hash to its place in the index, at most; 9 to 12 were measured."""

UNIT_BYTES = 158
"""Bytes of a document or paragraph, in addition to its shingles: its places, digest, rank and star."""

FORM_BYTES = 24
"""Bytes of a form or label of a unit: as it was read, in one array, and while units are grouped by it."""

BLOCK_COPIES, REWRITTEN_COPIES = 12, 4
"""Bytes per byte of a block of texts, while it is worked on: tokens, shingles, and results that wait to be taken; and
the texts rewritten, by one pass from another, each with room for what grows."""

FIXED = 16 << 20
"""Bytes. The interpreter and its libraries take so much in addition to the arrays."""

SPAN_COPIES = 4
"""Bytes per byte of a text, while spans are found in it: its UTF-8, for a moment twice, and its lines."""

PASSAGE_UNIT_BYTES = 100
"""Bytes of a text or paragraph, in addition to its tokens: its start, length and copies, and these in the result."""

AT_REST = 48 << 20
"""Bytes. The interpreter and its libraries grow to so much in addition to the arrays."""

MARK_BYTES, SPREAD_BYTES, TEXT_BYTES, PLACE_BYTES = 5, 156, 16, 24
"""Bytes of a unit while it is marked, and while the report is made; of a text, and of a part's place, in the report."""

BAND_BYTES = 500
"""Bytes of the band keys of a unit and of its buckets: 14 to 50 bands are usual."""

GROUPED_BYTES = 20
"""Bytes of a shingle while two groups are joined across; 16 to 18 were measured."""

PAIRS_SHARE = 8
"""Divisor. The pairs found so far may take this part of the memory for shingles, in addition to two groups."""

HELD_PAIR_BYTES = 12
"""Bytes of a pair that waits to be sorted."""

UNIT_DISK_BYTES = 64
"""Bytes on disk of a unit in addition to its hashes and its place."""

SMALLEST_SHARD, LARGEST_SHARD = 1 << 20, 64 << 20
SHARDS = 64
"""Divisor. A shard is this part of the bound, within its limits: a few shards are in work at a time.
Curve: `benchmarks.tuning.memory_shards`; on generated:20000 within 200 MB, 32 takes 0.94 times as long and 6 MB more,
and 256 takes 1.36 times as long (two busy cores, 2026-11)."""

MATCHING = "what may match"

REPEATING = "the words that may repeat"
"""What is held under a bound, for messages."""


class Plan(Protocol):
    """What fits into memory while the units of a source are searched."""

    def holds_all(self, source: HashSource) -> bool:
        """Return whether the hashes of all units fit."""
        ...

    def table(self, source: HashSource) -> int:
        """Return the bytes that a table of marks may take."""
        ...

    def room_for(self, held: int, units: int) -> int | None:
        """Return the bytes for hashes while `held` of the units are joined; None: there is no bound."""
        ...


class Unbounded:
    """The plan without a bound: everything is held."""

    def holds_all(self, _: HashSource) -> bool:
        """Return that the hashes of all units fit."""
        return True

    def table(self, _: HashSource) -> int:
        """Return the bytes that a table of marks may take: any."""
        return 1 << 62

    def room_for(self, _: int, __: int) -> None:
        """Return that there is no bound."""


@dataclass(frozen=True)
class TextPlan:
    """How texts in memory are read, and for passages also texts in files: in one pass or in several.

    Attributes
    ----------
    size : the size that the plan was made for
    fixed : bytes that are taken in any case: blocks in work, and per unit
    everything : bytes that are taken where everything is held
    memory : the bound in bytes, None without one
    """

    size: Size
    fixed: int
    everything: int
    memory: int | None

    @property
    def one_pass(self) -> bool:
        """Whether everything is held."""
        return self.memory is None or self.everything <= self.memory

    @property
    def room(self) -> int:
        """Bytes for the table and for hashes, under a bound."""
        assert self.memory is not None
        return self.memory - self.fixed

    def holds_all(self, _: HashSource) -> bool:
        """Return whether the hashes of all units fit."""
        return self.one_pass

    def table(self, _: HashSource) -> int:
        """Return the bytes that a table of marks may take."""
        return self.room // 2

    @property
    def window_table(self) -> int:
        """Bytes that a table of windows may take."""
        return self.room // 4

    def room_for(self, _: int, __: int) -> int | None:
        """Return the bytes for hashes while units are joined; None: there is no bound."""
        return None if self.memory is None else self.room

    def fits(self, shingles: int, table: int) -> bool:
        """Return whether so many shingles can be held in addition to a table of so many bytes."""
        return table + SHINGLE_BYTES * shingles <= self.room

    def readings(self, threshold: Threshold) -> int:
        """Return how many times the texts are read."""
        if self.one_pass:
            return 1
        ranges = SeenTwice(self.size.shingles, threshold, room=self.room // 2).ranges
        return 2 if ranges == 1 else 2 * ranges + 1

    def watched(self, candidates: Candidates) -> Choice:
        """Return a function that chooses the candidates. It raises `ParameterError` if more are held than fit."""
        held = 0

        def choose(rows: HashRows, before: int) -> npt.NDArray[np.bool_]:
            nonlocal held
            chosen = candidates.choose(rows, before)
            held += int(rows.sizes[chosen].sum())
            if not self.fits(held, candidates.bytes):
                share = min((before + len(chosen)) / max(self.size.units, 1), 1.0)
                raise self.too_small(round(held / share), "the candidates: texts that may be like another one")
            return chosen

        return choose

    def watched_across(self, candidates: AcrossSides, shingle_bytes: int) -> Choice:
        """Return a function that chooses the candidates of both sides. It raises `ParameterError` if they do not fit.

        A held shingle takes `shingle_bytes`.
        """
        afford = self.affording(MATCHING)
        held = 0

        def choose(rows: HashRows, before: int) -> npt.NDArray[np.bool_]:
            nonlocal held
            chosen = candidates.choose(rows, before)
            held += int(rows.sizes[chosen].sum())
            share = min((before + len(chosen)) / max(self.size.units, 1), 1.0)
            # the tables take at most a quarter of any bound
            afford(shingle_bytes * held + candidates.bytes, round(shingle_bytes * held / max(share, 1e-9) * 4 / 3))
            return chosen

        return choose

    def too_small(self, shingles: int, of: str) -> ParameterError:
        """Return the error that says how much is needed to hold so many shingles."""
        return self.needing(SHINGLE_BYTES * shingles * 3 // 2, of)

    def affording(self, of: str) -> Afford:
        """Return a function that raises the error if more bytes are held than fit."""

        def afford(held: int, all_in_all: int = 0) -> None:
            if held > self.room:
                raise self.needing(max(held, all_in_all), of)

        return afford

    def needing(self, held: int, of: str) -> ParameterError:
        """Return the error that says how much is needed to hold so many bytes: in any case more than the bound.

        The memory of a step is known to a few hundredths, and some of it grows with the bound.
        """
        needed = max(self.fixed + held, (self.memory or 0) * 21 // 20)
        return ParameterError(
            f"memory: expected about {written(needed)} or more for {of}, found {given(self.memory or 0)}; "
            "give more, leave memory out, or search the collection in parts"
        )


def plan_for(size: Size, memory: int | None, threads: int) -> TextPlan:
    """Return the plan for a collection of this size."""
    copies = (2 * threads + 2) * (BLOCK_COPIES + REWRITTEN_COPIES * size.rewritten)
    in_work = copies * max(min(TEXT_BLOCK_BYTES, size.characters), size.longest)
    fixed = FIXED + in_work + (UNIT_BYTES + FORM_BYTES * size.forms) * size.units
    plan = TextPlan(size, fixed, fixed + SHINGLE_BYTES * size.shingles, memory)
    if memory is not None and not plan.one_pass and plan.room < TEXT_BLOCK_BYTES:
        raise plan.too_small(TEXT_BLOCK_BYTES // SHINGLE_BYTES, f"{size.texts:,} texts, whatever is found in them")
    return plan


def room_for_edits(plan: Plan, units: int, characters: int) -> int | None:
    """Return the bytes for pairs while all texts are joined by edit distance; None: there is no bound.

    Raises `ParameterError` if the texts do not fit: this join holds all of them.
    """
    room, needed = plan.room_for(units, units), bytes_needed(units, characters)
    if room is None or needed <= room:
        return None if room is None else room - needed
    assert isinstance(plan, TextPlan | FilePlan)
    bound = plan.memory or 0
    raise ParameterError(
        f'memory: expected about {written(max(bound - room + needed, bound * 21 // 20))} or more for metric="edit", '
        f"which holds the characters of all texts, found {given(bound)}; give more, leave memory out, or search the "
        "collection in parts"
    )


def plan_passages(size: Size, memory: int, threads: int, block: int, word_bytes: int) -> TextPlan:
    """Return the plan for passages of texts that are read in blocks of at most so many bytes.

    `word_bytes` is the memory per word if everything is held and everything repeats.
    """
    in_work = (threads + 1) * (BLOCK_COPIES + REWRITTEN_COPIES * size.rewritten) * min(block, size.characters)
    spans = threads * SPAN_COPIES * size.longest
    fixed = FIXED + max(in_work, spans) + (PASSAGE_UNIT_BYTES + FORM_BYTES * size.forms) * size.units
    plan = TextPlan(size, fixed, fixed + word_bytes * size.shingles, memory)
    if not plan.one_pass and plan.room < TEXT_BLOCK_BYTES:
        raise plan.needing(TEXT_BLOCK_BYTES, f"{size.texts:,} texts, whatever is found in them")
    return plan


@dataclass(frozen=True)
class FilePlan:
    """A bound in bytes (None: no bound), the number of threads under it, and `forms`, `rewritten` as in `Size`."""

    memory: int | None
    threads: int
    resumable: bool = True
    """Whether the work directory is kept if the bound is found to be too small."""
    forms: int = 0
    rewritten: bool = False

    @property
    def shard(self) -> int:
        """Bytes that a shard should have."""
        if self.memory is None:
            return LARGEST_SHARD
        return min(max(self.memory // SHARDS, SMALLEST_SHARD), LARGEST_SHARD)

    def _reading(self, longest: int) -> int:
        copies = (2 * self.threads + 2) * (BLOCK_COPIES + REWRITTEN_COPIES * self.rewritten)
        return AT_REST + copies * max(TEXT_BLOCK_BYTES, longest) + 3 * self.shard

    def check_reading(self, longest: int = 0) -> None:
        """Raise `ParameterError` if not even reading fits, with texts of up to `longest` bytes."""
        needed = self._reading(longest)
        if self.memory is not None and needed > self.memory:
            threads = f"{self.threads} thread{'s' * (self.threads != 1)}"
            raise ParameterError(
                f"memory: expected about {written(self._more(needed))} or more to read files with {threads}, found "
                f"{given(self.memory)}; give more{', or fewer threads' if self.threads > 1 else ''}"
            )

    def _more(self, needed: int) -> int:
        """Return how much a message asks for: in any case more than the bound, since shards grow with the bound."""
        assert self.memory is not None
        return max(needed + needed // 20, self.memory * 21 // 20)

    def holds_all(self, source: HashSource) -> bool:
        """Return whether all hashes of shards fit into memory."""
        assert isinstance(source, ShardSource)
        longest = max((facts.longest for facts in source.shards.facts), default=0)
        return self.holds(source.count, source.shingles, longest)

    def holds(self, units: int, shingles: int, longest: int) -> bool:
        """Return whether a corpus of this size can be searched with all hashes in memory."""
        if self.memory is None:
            return True
        needed = SHINGLE_BYTES * shingles + (UNIT_BYTES + FORM_BYTES * self.forms) * units
        return self._reading(longest) + needed <= self.memory

    def table(self, source: HashSource) -> int:
        """Return the bytes that a table of marks may take."""
        if self.memory is None:
            return 1 << 62
        room = self.memory - AT_REST - (2 * self.threads + 1) * self.shard - MARK_BYTES * source.count
        return max(room, 1 << 20)

    def disk(self, units: int, shingles: int, *, unit: Unit) -> int:
        """Return the bytes that the work directory takes."""
        return 8 * shingles + (UNIT_DISK_BYTES + PLACE_BYTES * (not unit.whole)) * units

    def _joining(self, held: int, units: int) -> int:
        return AT_REST + (2 * self.threads + 1) * self.shard + (UNIT_BYTES + FORM_BYTES * self.forms) * held + units

    def room_for(self, held: int, units: int) -> int | None:
        """Return the bytes for hashes while `held` of the units are joined; None: there is no bound."""
        return None if self.memory is None else max(self.memory - self._joining(held, units), 0)

    def block(self, source: ShardSource, held: int) -> int:
        """Return how many shingles two groups may have together, if `held` of the units are candidates.

        It is at least as many as two of the largest shards have.
        """
        room = self.room_for(held, source.count)
        assert room is not None
        least = 2 * max((facts.shingles for facts in source.shards.facts), default=1)
        return max((room - room // PAIRS_SHARE) // GROUPED_BYTES, least)

    def block_pairs(self, held: int, units: int) -> int | None:
        """Return the bytes for pairs that are found in groups: they are sorted after the shingles are freed."""
        room = self.room_for(held, units)
        return None if room is None else room // PAIRS_SHARE * PAIR_BYTES // HELD_PAIR_BYTES

    def fits(self, held: int, shingles: int, units: int) -> bool:
        """Return whether `held` of the units, with so many shingles, can be joined at once."""
        return self.memory is None or self._joining(held, units) + SHINGLE_BYTES * shingles <= self.memory

    def check_join(self, source: ShardSource, held: int, shingles: int, *, bands: bool) -> None:
        """Raise `ParameterError` if the report, or so many shingles of `held` of the units, do not fit."""
        self.check(source.shards.total("texts"), source.count, held, shingles, unit=source.unit, bands=bands)

    def check(self, texts: int, units: int, held: int, shingles: int, *, unit: Unit, bands: bool) -> None:
        """Raise `ParameterError` if the report, or so many shingles of `held` of the units, do not fit."""
        if self.memory is None:
            return
        joining = self._joining(held, units) + SHINGLE_BYTES * shingles + BAND_BYTES * bands * held
        ending = AT_REST + (SPREAD_BYTES + PLACE_BYTES * (not unit.whole)) * units + TEXT_BYTES * texts
        again = ", and run the same command again: what was read is kept in the work directory" * self.resumable
        for needed, of in (
            (joining, f"the {held:,} of {units:,} texts that may be like another one"),
            (ending, f"the report on {units:,} texts"),
        ):
            if needed > self.memory:
                raise ParameterError(
                    f"memory: expected about {written(self._more(needed))} or more for {of}, found "
                    f"{given(self.memory)}; give more{again}"
                )

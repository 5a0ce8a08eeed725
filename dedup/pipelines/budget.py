"""The budget: what each step of a search over files takes, and what fits under a bound.

Every figure is bytes of growth above the process at rest. Texts, units, shingles and the longest text are counted, not
estimated, since the whole corpus was read before anything must be decided. With T threads, shards of s bytes, n texts,
u units, and h shingles of the m units that may have a partner, the steps take, beside 48 MB for the interpreter::

    reading          (2 T + 2) * 12 * max(1 MB, longest text)  +  3 s
    marking          table  +  (2 T + 1) s  +  5 u
    joining          16 h  +  150 m  +  (2 T + 1) s  +  u  (+ 500 m with the method "lsh", for its bands)
    clusters, report 140 u  +  16 n  (+ 24 u for paragraphs and lines)

and the work directory holds 8 bytes a shingle and 40 a unit (64 a paragraph or line).

The table of marks is halved and made in turns (`dedup.pairs.seen_twice.Sieve`) until it fits, and where the joining
does not fit, it is done in groups (`dedup.pipelines.groups`). What is left can make a bound too small, and the error
says by how much.
"""

from __future__ import annotations

from dataclasses import dataclass

from dedup.errors import ParameterError
from dedup.pairs.verify import PAIR_BYTES
from dedup.pipelines.memory import BLOCK_COPIES, SHINGLE_BYTES, UNIT_BYTES
from dedup.runtime.memory import given, written
from dedup.sources.texts import BLOCK_BYTES

__all__ = ["Budget"]

AT_REST = 48 << 20
"""Bytes: what the interpreter and its libraries come to take beside the arrays."""

MARK_BYTES, SPREAD_BYTES, TEXT_BYTES, PLACE_BYTES = 5, 140, 16, 24
"""Bytes of a unit while it is marked and while the report is made; of a text, and of a part's place, there too."""

BAND_BYTES = 500
"""Bytes of the keys of the bands of a unit, and of its buckets: 14 to 50 bands are usual."""

GROUPED_BYTES = 20
"""Bytes of a shingle while two groups are joined across; 16 to 18 were measured."""

PAIRS_SHARE = 8
"""Of the room for shingles, what the pairs found so far may take beside two groups."""

HELD_PAIR_BYTES = 12
"""Bytes of a pair that waits to be sorted."""

ROW_BYTES = 48
"""Bytes on disk of what is known of a unit beside its hashes and its place."""

SMALLEST_SHARD, LARGEST_SHARD = 1 << 20, 64 << 20
SHARDS = 64
"""A shard is this part of the bound, within its limits: a few are in work at a time."""


@dataclass(frozen=True)
class Budget:
    """A bound in bytes (None: there is none) and the threads that work under it."""

    memory: int | None
    threads: int

    @property
    def shard(self) -> int:
        """Bytes that a shard should have."""
        if self.memory is None:
            return LARGEST_SHARD
        return min(max(self.memory // SHARDS, SMALLEST_SHARD), LARGEST_SHARD)

    def _reading(self, longest: int) -> int:
        return AT_REST + (2 * self.threads + 2) * BLOCK_COPIES * max(BLOCK_BYTES, longest) + 3 * self.shard

    def check_reading(self, longest: int = 0) -> None:
        """Raise `ParameterError` where not even the reading of texts up to so many bytes fits."""
        needed = self._reading(longest)
        if self.memory is not None and needed > self.memory:
            threads = f"{self.threads} thread{'s' * (self.threads != 1)}"
            raise ParameterError(
                f"memory: expected about {written(self._more(needed))} or more to read files with {threads}, found "
                f"{given(self.memory)}; give more{', or fewer threads' if self.threads > 1 else ''}"
            )

    def _more(self, needed: int) -> int:
        """Return what a message asks for: more than there is in any case, and what a shard grows by with it."""
        assert self.memory is not None
        return max(needed + needed // 20, self.memory * 21 // 20)

    def holds_all(self, units: int, shingles: int, longest: int) -> bool:
        """Return whether a corpus of this size can be searched with all hashes in memory."""
        if self.memory is None:
            return True
        return self._reading(longest) + SHINGLE_BYTES * shingles + UNIT_BYTES * units <= self.memory

    def table(self, units: int) -> int:
        """Return the bytes that a table of marks may take."""
        assert self.memory is not None
        room = self.memory - AT_REST - (2 * self.threads + 1) * self.shard - MARK_BYTES * units
        return max(room, 1 << 20)

    def disk(self, units: int, shingles: int, *, unit: str) -> int:
        """Return the bytes that the work directory takes."""
        return 8 * shingles + (ROW_BYTES + PLACE_BYTES * (unit != "document")) * units

    def _joining(self, held: int, units: int) -> int:
        return AT_REST + (2 * self.threads + 1) * self.shard + UNIT_BYTES * held + units

    def room(self, held: int, units: int) -> int | None:
        """Return the bytes for hashes while `held` of the units are joined; None: there is no bound."""
        return None if self.memory is None else max(self.memory - self._joining(held, units), 0)

    def limit(self, held: int, units: int) -> int:
        """Return how many shingles two groups may have together, where `held` of the units may have a partner."""
        room = self.room(held, units)
        assert room is not None
        return (room - room // PAIRS_SHARE) // GROUPED_BYTES

    def pairs(self, held: int, units: int) -> int | None:
        """Return the bytes for pairs that are found in groups: they are sorted when no shingle is held any more."""
        room = self.room(held, units)
        return None if room is None else room // PAIRS_SHARE * PAIR_BYTES // HELD_PAIR_BYTES

    def fits(self, held: int, shingles: int, units: int) -> bool:
        """Return whether `held` of the units, with so many shingles, can be joined at once."""
        return self.memory is None or self._joining(held, units) + SHINGLE_BYTES * shingles <= self.memory

    def check(self, texts: int, units: int, held: int, shingles: int, *, unit: str, bands: bool) -> None:
        """Raise `ParameterError` where the report does not fit, or not so many shingles, of `held` of the units."""
        if self.memory is None:
            return
        joining = self._joining(held, units) + SHINGLE_BYTES * shingles + BAND_BYTES * bands * held
        ending = AT_REST + (SPREAD_BYTES + PLACE_BYTES * (unit != "document")) * units + TEXT_BYTES * texts
        for needed, of in (
            (joining, f"the {held:,} of {units:,} texts that may have a partner"),
            (ending, f"the report on {units:,} texts"),
        ):
            if needed > self.memory:
                raise ParameterError(
                    f"memory: expected about {written(self._more(needed))} or more for {of}, found "
                    f"{given(self.memory)}; give more, and run the same command again: what was read is kept in the "
                    "work directory"
                )

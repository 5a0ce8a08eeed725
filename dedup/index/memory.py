"""How much memory an open index takes under a bound, and the error if the bound is too small.

Counted is what is taken in addition to texts that are in memory already, and to pages of the files, which the system
takes back when it needs them. With T threads and n documents::

    at rest   20 MB  +  n / 2
    blocks    16 * ((2 T + 1) * 1 MB  +  max(1 MB, longest text))
    newest    3 * (8 a hash  +  20 a posting  +  480 a document  +  the texts that are not on disk yet)
    query     100 a text  +  100 a pair

The newest documents are those that are in no segment. Without a bound they are up to 16,384, or 8,388,608 hashes;
under a bound a segment is made when they fill what is left. Arrays grow by doubling, hence the factor of 3.
"""

from __future__ import annotations

from dataclasses import dataclass

from dedup.errors import ParameterError
from dedup.runtime.memory import given, written
from dedup.sources.texts import TEXT_BLOCK_BYTES, Texts

__all__ = ["ANY", "NEWEST_COPIES", "Bound"]

ANY = 1 << 62
"""Bytes. More than there are."""

REST_BYTES = 20 << 20
"""Bytes. The counters of shingles take 4 MB of them."""

BLOCK_ROOM = 16
"""Bytes per byte of a block of texts while it is worked on: tokens, shingles, marks, and what is kept of the texts."""

NEWEST_COPIES, LEAST_NEWEST = 3, 4 << 20
"""What the newest documents take for each byte that they hold; and the least bytes that they are given to hold."""

ANSWER_BYTES = 100
"""Bytes of a text that is asked about, and of a pair."""


@dataclass(frozen=True)
class Bound:
    """A bound on the memory of an open index, in bytes; None for no bound."""

    memory: int | None

    def newest(self, documents: int, threads: int, texts: Texts | None) -> int:
        """Return the bytes that the newest documents may hold, in an index to which texts are added.

        Raises `ParameterError` if that is too few to work with.
        """
        if self.memory is None:
            return ANY
        longest = 0
        if texts is not None:
            texts.bound(self.memory)
            if texts.at_hand:  # files reject larger records
                longest = int(texts.lengths().max(initial=0))
        fixed = self._fixed(documents, threads, longest)
        room = (self.memory - fixed) // NEWEST_COPIES
        if room < LEAST_NEWEST:
            raise self._too_small(fixed + NEWEST_COPIES * LEAST_NEWEST, f"an index of {documents:,} documents", threads)
        return room

    def check_answers(self, documents: int, threads: int, texts: int, pairs: int) -> None:
        """Raise `ParameterError` if the answers of a query do not fit."""
        needed = self._fixed(documents, threads, 0) + ANSWER_BYTES * (texts + pairs)
        if self.memory is not None and needed > self.memory:
            raise self._too_small(needed, f"the {pairs:,} pairs of {texts:,} texts", threads)

    def _fixed(self, documents: int, threads: int, longest: int) -> int:
        blocks = (2 * threads + 1) * TEXT_BLOCK_BYTES + max(TEXT_BLOCK_BYTES, longest)
        return REST_BYTES + documents // 2 + BLOCK_ROOM * blocks

    def _too_small(self, needed: int, what: str, threads: int) -> ParameterError:
        bound = self.memory or 0
        fewer = ", or fewer threads" if threads > 1 else ""
        return ParameterError(
            f"memory: expected about {written(max(needed * 21 // 20, bound * 21 // 20))} or more for {what} with "
            f"{threads} thread{'s' * (threads != 1)}, found {given(bound)}; give more{fewer}, "
            "or ask or add less at a time"
        )

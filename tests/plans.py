"""Plans that say of every collection that it does not fit: what a test hands to a search as `planned`.

So a small collection is read in passes, or goes to a work directory, with tables and shards as small as a test needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from dedup.pipelines.memory import FilePlan, TextPlan, plan_for, plan_passages


@dataclass(frozen=True)
class Passes(TextPlan):
    """Texts are never held at once.

    `table_bytes` is for tables, `held_bytes` for tables and hashes together; None is what was planned.
    """

    table_bytes: int | None = None
    held_bytes: int | None = None

    @property
    def one_pass(self) -> bool:
        """Give False."""
        return False

    @property
    def room(self) -> int:
        """Give the bytes for tables and hashes."""
        return super().room if self.held_bytes is None else self.held_bytes

    def table(self, source: Any) -> int:
        """Give the bytes for a table of marks."""
        return super().table(source) if self.table_bytes is None else self.table_bytes

    @property
    def window_table(self) -> int:
        """Give the bytes for a table of windows."""
        return super().window_table if self.table_bytes is None else self.table_bytes


def passes(**how: Any) -> Callable[..., Passes]:
    """Give what plans a search for duplicates in passes; `how` are the fields of `Passes`."""
    return lambda *given: Passes(**vars(plan_for(*given)), **how)


def passage_passes(*, words: int | None = None, **how: Any) -> Callable[..., Passes]:
    """Give what plans a search for passages in passes, as if the collection had so many `words`."""

    def planned(size: Any, *given: Any) -> Passes:
        counted = size if words is None else replace(size, shingles=words)
        return Passes(**vars(plan_passages(counted, *given)), **how)

    return planned


@dataclass(frozen=True)
class OnDisk(FilePlan):
    """Hashes are never held at once; nor those of the candidates, unless `at_once`. Shards and tables may be small."""

    at_once: bool = True
    shard_bytes: int | None = 1 << 14
    table_bytes: int | None = None
    block_shingles: int | None = None

    def holds_all(self, source: Any) -> bool:
        """Give False."""
        return False

    def fits(self, held: int, shingles: int, units: int) -> bool:
        """Say whether the candidates are joined at once."""
        return self.at_once and super().fits(held, shingles, units)

    @property
    def shard(self) -> int:
        """Give the bytes of a shard."""
        return super().shard if self.shard_bytes is None else self.shard_bytes

    def table(self, source: Any) -> int:
        """Give the bytes for a table of marks."""
        return super().table(source) if self.table_bytes is None else self.table_bytes

    def block(self, source: Any, held: int) -> int:
        """Give the shingles of two groups together; 0 makes each shard a group."""
        return super().block(source, held) if self.block_shingles is None else self.block_shingles

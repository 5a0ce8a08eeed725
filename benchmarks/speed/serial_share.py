"""What one thread does alone, and what 16 or 64 would take: `python -m benchmarks.speed.serial_share generated:20000`.

A search is cut into blocks as for so many workers, but one thread works on them, one after the other. The processor
time of each block is recorded, that of what the calling thread does for a block before and after it (it makes blocks
and fetches results, while others work), and that of all else, which is the serial share. From these follows what so
many workers take at best: `replayed` hands out the blocks as `dedup.runtime.threads.map_blocks` does. Workers that wait
for memory, for each other's caches or for the interpreter's lock are not in it: it is a bound, and says which stage to
cut.

With `--rounds` the search is repeated, and the least of each piece is taken: on a machine with other work, a block that
waits for memory or is moved to another core would look as if it always took so long.

Prints, for each number of workers, a row for each stage: its seconds outside of blocks, by the caller, and in blocks;
the number of blocks and the longest one.
"""

from __future__ import annotations

import heapq
import sys
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from benchmarks.corpora import named
from benchmarks.speed.asked import asking, chosen_corpora, keep

BETWEEN = "between stages"


class Piece(NamedTuple):
    """Seconds of a block: to make it, to work on it, to use its result."""

    made: float
    worked: float
    used: float


@dataclass
class Call:
    """A call of `map_blocks`: in which stage, how many blocks may wait for each worker, and its blocks."""

    stage: str
    ahead: int
    pieces: list[Piece] = field(default_factory=list)


@dataclass
class _Task:
    ready: float
    seconds: float
    done: float | None = None


def replayed(pieces: Sequence[Piece], workers: int, ahead: int) -> float:
    """Return the seconds of a call with so many workers; the caller is one of them, and works while it waits."""
    now = 0.0
    free = [0.0] * (workers - 1)
    pending: deque[_Task] = deque()
    waiting: deque[tuple[_Task, float]] = deque()

    def begin() -> None:
        """Let the other workers begin what they can have begun by now."""
        while pending and free and max(free[0], pending[0].ready) <= now:
            task = pending.popleft()
            task.done = max(heapq.heappop(free), task.ready) + task.seconds
            heapq.heappush(free, task.done)

    def work(task: _Task) -> None:
        nonlocal now
        pending.remove(task)
        now += task.seconds
        task.done = now

    def take() -> None:
        nonlocal now
        first, used = waiting.popleft()
        begin()
        while first.done is None or first.done > now:
            if first.done is None:
                work(first)
            elif pending:
                work(pending[0])
            else:
                now = first.done
            begin()
        now += used

    for piece in pieces:
        now += piece.made
        task = _Task(now, piece.worked)
        pending.append(task)
        waiting.append((task, piece.used))
        begin()
        if len(waiting) >= workers * ahead:
            take()
    while waiting:
        take()
    return now


class Recorder:
    """Takes the place of `map_blocks`, and records what a search spends where."""

    def __init__(self) -> None:
        self.stage = BETWEEN
        self.calls: list[Call] = []
        self.outside: dict[str, float] = defaultdict(float)
        self._inside = self._mapping = False
        self._last = time.process_time()

    def _passed(self) -> float:
        """Return the seconds since it was asked last."""
        now = time.process_time()
        passed, self._last = now - self._last, now
        return passed

    def progress(self, stage: str, _done: int, _total: int | None) -> None:
        """Note that a stage goes on."""
        if not self._inside and not self._mapping:
            self.outside[self.stage] += self._passed()
        if not self._inside:
            self.stage = stage

    def map_blocks(
        self, function: Callable[[Any], Any], blocks: Iterable[Any], threads: int, ahead: int = 6
    ) -> Iterator[Any]:
        """Yield the results, as `map_blocks` does; `threads` is how many there would be."""
        if self._inside:  # a stage inside a block is a part of it
            yield from map(function, blocks)
            return
        self.outside[self.stage] += self._passed()
        call = Call(self.stage, ahead)
        self.calls.append(call)
        self._mapping = True
        source = iter(blocks)
        while True:
            try:
                block = next(source)
            except StopIteration:
                self._mapping = False
                self.outside[self.stage] += self._passed()
                return
            made = self._passed()
            self._inside = True
            try:
                result = function(block)
            finally:
                self._inside = False
            worked = self._passed()
            yield result
            call.pieces.append(Piece(made, worked, self._passed()))

    def finish(self) -> None:
        """Count what came after the last stage."""
        self.outside[BETWEEN] += self._passed()


def recorded(texts: list[str], workers: int, **options: Any) -> Recorder:
    """Search `texts` with one thread, cut as for so many `workers`; return what was spent where."""
    import dedup
    from dedup.runtime import threads

    dedup.find_duplicates(["one two three four five six"] * 2, threads=1)  # loads all modules
    original, recorder = threads.map_blocks, Recorder()
    changed = [module for name, module in list(sys.modules.items()) if name.startswith("dedup.")]
    changed = [module for module in changed if getattr(module, "map_blocks", None) is original]
    for module in changed:
        module.map_blocks = recorder.map_blocks  # type: ignore[attr-defined]
    try:
        dedup.find_duplicates(texts, threads=workers, progress=recorder.progress, **options)
    finally:
        for module in changed:
            module.map_blocks = original  # type: ignore[attr-defined]
    recorder.finish()
    assert recorder.calls, "all stages are cut into blocks"
    return recorder


def least(recorders: Sequence[Recorder]) -> Recorder:
    """Return the least seconds of some records of one search, piece by piece: what other work took is in none."""
    first, *others = recorders
    for other in others:
        assert [len(call.pieces) for call in first.calls] == [len(call.pieces) for call in other.calls]
        for call, again in zip(first.calls, other.calls, strict=True):
            call.pieces = [Piece(*map(min, *pair)) for pair in zip(call.pieces, again.pieces, strict=True)]
        for stage, seconds in other.outside.items():
            first.outside[stage] = min(first.outside[stage], seconds)
    return first


def summary(recorder: Recorder, workers: int) -> dict[str, Any]:
    """Return the seconds: of all, serial, with so many workers; and of each stage."""
    stages: dict[str, dict[str, float]] = {}
    replay = 0.0
    for stage in dict.fromkeys([*(call.stage for call in recorder.calls), *recorder.outside]):
        calls = [call for call in recorder.calls if call.stage == stage]
        pieces = [piece for call in calls for piece in call.pieces]
        taken = sum(replayed(call.pieces, workers, call.ahead) for call in calls)
        replay += taken + recorder.outside[stage]
        stages[stage] = {
            "outside": recorder.outside[stage],
            "caller": sum(piece.made + piece.used for piece in pieces),
            "blocks": sum(piece.worked for piece in pieces),
            "count": len(pieces),
            "longest": max((piece.worked for piece in pieces), default=0.0),
            "replayed": taken + recorder.outside[stage],
        }
    outside, caller, blocks = (sum(row[name] for row in stages.values()) for name in ("outside", "caller", "blocks"))
    return {
        "workers": workers,
        "seconds": outside + caller + blocks,
        "outside": outside,
        "caller": caller,
        "replayed": replay,
        "stages": stages,
    }


def printed(corpus: named.Corpus, rows: list[dict[str, Any]]) -> None:
    """Print the table of a corpus."""
    alone = rows[0]["seconds"]
    print(f"{corpus.name}, {corpus.bytes / 1e6:.0f} MB: one thread {alone:.2f} s")
    for row in rows[1:]:
        print(
            f"  {row['workers']} workers: {row['replayed']:.3f} s at best, {alone / row['replayed']:.1f} times as "
            f"fast; outside of blocks {row['outside']:.3f} s ({row['outside'] / alone:.1%}), "
            f"by the caller {row['caller']:.3f} s"
        )
        print(f"    {'stage':<16}{'outside':>9}{'caller':>9}{'blocks':>9}{'count':>7}{'longest':>9}{'at best':>9}")
        for name, stage in row["stages"].items():
            shown = [f"{stage[key]:>9.3f}" for key in ("outside", "caller", "blocks")]
            ends = f"{stage['count']:>7}{stage['longest']:>9.3f}{stage['replayed']:>9.3f}"
            print(f"    {name:<16}{''.join(shown)}{ends}")


def main() -> None:
    """Measure and print."""
    parser = asking("benchmarks.speed.serial_share", __doc__)
    parser.add_argument("--workers", default="16,64")
    parser.add_argument("--rounds", type=int, default=1)
    chosen = parser.parse_args()
    counts = [1, *map(int, chosen.workers.split(","))]
    for corpus in chosen_corpora(chosen):
        rows = [
            summary(least([recorded(named.loaded(corpus.path), workers) for _ in range(chosen.rounds)]), workers)
            for workers in counts
        ]
        printed(corpus, rows)
        keep(chosen, {"kind": "serial", "corpus": corpus.name, "bytes": corpus.bytes, "rows": rows})


if __name__ == "__main__":
    main()

"""Threads over blocks: the one place that has any.

A stage is a function from a block of arrays to a block of arrays. Kernels release the GIL, so plain threads are
enough; results come back in the order of the blocks, whatever the number of threads, so nothing depends on it.

The caller is one of the threads. So no more of them run than were asked for, what a block leaves in the cache is used
where it was made, and a stage within a stage cannot wait for itself.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Generic, TypeVar

from dedup.options import check_threads
from dedup.runtime.processors import processors

__all__ = ["lock", "map_blocks", "slices", "stretches", "this_thread", "thread_count"]

Block = TypeVar("Block")
Result = TypeVar("Result")

LOOK_AHEAD = 6
"""Blocks a thread that are prepared or wait to be taken: while one takes long, others go on with what is behind it.
Curve: `benchmarks.tuning.threads_look_ahead`."""


SLICE = 256
"""Rows that a thread works on at a time, at least. Curve: `benchmarks.tuning.threads_slice`."""

STRETCH = 1 << 15
"""Rows that a serial kernel works on between two looks at the signals. Curve: `benchmarks.tuning.threads_stretch`."""


def thread_count(threads: int | None) -> int:
    """Return the number of threads to use; None stands for the processors this process may use."""
    return check_threads(threads) or processors()


def this_thread() -> int:
    """Return a number that this thread alone has while it lives."""
    return threading.get_ident()


def lock() -> AbstractContextManager[bool]:
    """Return a lock for what threads share: ``with lock:`` one of them at a time."""
    return threading.Lock()


def map_blocks(
    function: Callable[[Block], Result], blocks: Iterable[Block], threads: int, ahead: int = LOOK_AHEAD
) -> Iterator[Result]:
    """Yield ``function(block)`` for each block, in order; blocks are made while earlier ones are worked on.

    Where the next result is not there yet, the caller takes a block that nobody has begun. An error comes when it is
    its block's turn; what ends the process (`KeyboardInterrupt`) at once. Up to `ahead` blocks a thread are begun, or
    wait with their result: few where results are large.
    """
    if threads == 1:
        yield from map(function, blocks)
        return
    pool = _pool(threads - 1)
    waiting: deque[_Task[Block, Result]] = deque()
    try:
        for block in blocks:
            waiting.append(_Task(pool, function, block))
            if len(waiting) >= threads * ahead:
                yield _take(waiting)
        while waiting:
            yield _take(waiting)
    finally:
        wait([task.future for task in waiting if not task.future.cancel()])


@lru_cache
def _pool(helpers: int) -> ThreadPoolExecutor:
    """Return the threads, which wait for the next stage: to start them anew for each takes longer than many a stage."""
    return ThreadPoolExecutor(helpers, thread_name_prefix=f"dedup_{helpers}")


if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)


class _Task(Generic[Block, Result]):
    """A block that is to be worked on, by whoever begins with it first."""

    def __init__(self, pool: ThreadPoolExecutor, function: Callable[[Block], Result], block: Block) -> None:
        self._function, self._block = function, block
        self.future: Future[Result] = pool.submit(function, block)

    def try_here(self) -> bool:
        """Do the work in this thread, if no other one has begun; return whether that was so."""
        if not self.future.cancel():
            return False
        future: Future[Result] = Future()
        try:
            future.set_result(self._function(self._block))
        except Exception as error:  # noqa: BLE001  # it is raised in its turn, as it would be by another thread
            future.set_exception(error)
        self.future = future
        return True


def _take(waiting: deque[_Task[Block, Result]]) -> Result:
    """Return the result of the first task, once it is there; until then, work on others."""
    first = waiting.popleft()
    while not first.future.done():
        if not (first.try_here() or any(task.try_here() for task in waiting)):
            break
    return first.future.result()


def slices(count: int) -> list[slice]:
    """Cut `count` rows into slices for the threads: of `SLICE` rows, or a few hundred slices."""
    size = max(SLICE, count // 256)
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def stretches(count: int) -> list[slice]:
    """Cut `count` rows so that Ctrl-C need not wait for all of them."""
    return [slice(start, min(start + STRETCH, count)) for start in range(0, count, STRETCH)]

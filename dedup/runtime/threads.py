"""Threads over blocks. No other module starts threads.

A stage is a function from a block of arrays to a block of arrays. Kernels release the GIL, so plain threads suffice.
Results are returned in the order of the blocks, so they do not depend on the number of threads.

The calling thread works too. So no more threads run than the caller asked for, a block is used by the thread that has
it in its cache, and a stage inside another stage cannot wait for itself.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from typing import Generic, TypeVar

from dedup.options import check_threads
from dedup.runtime.processors import processors

__all__ = [
    "Background",
    "begun",
    "condition",
    "done_by",
    "lock",
    "map_blocks",
    "slices",
    "stretches",
    "this_thread",
    "thread_count",
]

Block = TypeVar("Block")
Result = TypeVar("Result")

LOOK_AHEAD = 6
"""Blocks per thread that may be prepared, or wait to be fetched. While one block takes long, the other threads continue
with the blocks after it. Curve: `benchmarks.tuning.threads_look_ahead`; flat from 1 to 12 on generated:10000 (two
cores, 2026-11)."""


MIN_SLICE_ROWS = 256
"""Least number of rows that a thread works on at a time. Curve: `benchmarks.tuning.threads_min_slice_rows`; flat from
256 to 2^12 on generated:10000, where 64 takes 1.19 times as long (two cores, 2026-11)."""

STRETCH = 1 << 15
"""Rows that a serial kernel works on before it checks for signals again (Ctrl-C). Curve:
`benchmarks.tuning.threads_stretch`; flat from 512 to 2^18 on generated:40000:150 (two cores, 2026-11)."""


def thread_count(threads: int | None) -> int:
    """Return the number of threads to use. None means the number of processors that this process may use."""
    return check_threads(threads) or processors()


def this_thread() -> int:
    """Return the number of this thread. No other living thread has it."""
    return threading.get_ident()


def lock() -> AbstractContextManager[bool]:
    """Return a lock for data that threads share: inside ``with lock:`` only one of them runs."""
    return threading.Lock()


def condition() -> threading.Condition:
    """Return a lock on which threads can wait until another thread says that something changed."""
    return threading.Condition()


def map_blocks(
    function: Callable[[Block], Result], blocks: Iterable[Block], threads: int, ahead: int = LOOK_AHEAD
) -> Iterator[Result]:
    """Yield ``function(block)`` for each block, in order. Blocks are made while earlier blocks are worked on.

    If the next result is not ready, the caller works on a block that no thread has begun. An error in a block is
    raised when its result is due; `KeyboardInterrupt` is raised at once. Up to `ahead` blocks per thread are begun or
    wait with their result: keep it small if results are large.
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


def done_by(threads: int, work: Callable[[Block], object], blocks: Iterable[Block]) -> None:
    """Let threads work on all blocks; the results are in memory that `work` knows."""
    for _ in map_blocks(work, blocks, threads):
        pass


@contextmanager
def begun(function: Callable[[], Result], threads: int) -> Iterator[Callable[[], Result]]:
    """Begin with a task in another thread, beside what the caller does; give a function that returns its result.

    That function waits for the result, or does the task itself if no thread has begun. Any thread may call it. An error
    in the task is raised by it. With one thread the task is done at once.
    """
    if threads == 1:
        result = function()
        yield lambda: result
        return
    task = _Task(_pool(threads - 1), lambda _: function(), None)
    turn = lock()

    def wait_for() -> Result:
        with turn:  # a task that was taken from the pool is done by one thread
            if not task.future.done():
                task.try_here()
        return task.future.result()

    try:
        yield wait_for
    finally:
        wait([task.future] if not task.future.cancel() else [])


@lru_cache
def _pool(helpers: int) -> ThreadPoolExecutor:
    """Return the threads. They are kept for the next stage: starting new ones takes longer than many stages do."""
    return ThreadPoolExecutor(helpers, thread_name_prefix=f"dedup_{helpers}")


if hasattr(os, "register_at_fork"):  # a forked child has none of the threads of its parent
    os.register_at_fork(after_in_child=_pool.cache_clear)


class _Task(Generic[Block, Result]):
    """A block to be worked on by the thread that begins with it first."""

    def __init__(self, pool: ThreadPoolExecutor, function: Callable[[Block], Result], block: Block) -> None:
        self._function, self._block = function, block
        self.future: Future[Result] = pool.submit(function, block)

    def try_here(self) -> bool:
        """Do the work in this thread, if no other thread has begun; return whether this thread did it."""
        if not self.future.cancel():
            return False
        future: Future[Result] = Future()
        try:
            future.set_result(self._function(self._block))
        except Exception as error:  # noqa: BLE001  # raised when the result is due, as if another thread had raised it
            future.set_exception(error)
        self.future = future
        return True


def _take(waiting: deque[_Task[Block, Result]]) -> Result:
    """Return the result of the first task; until it is ready, work on others."""
    first = waiting.popleft()
    while not first.future.done():
        if not (first.try_here() or any(task.try_here() for task in waiting)):
            break
    return first.future.result()


def slices(count: int) -> list[slice]:
    """Cut `count` rows into slices for the threads: of at least `MIN_SLICE_ROWS` rows, and a few hundred at most."""
    size = max(MIN_SLICE_ROWS, count // 256)
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def stretches(count: int) -> list[slice]:
    """Cut `count` rows into short slices, so that Ctrl-C need not wait for all rows."""
    return [slice(start, min(start + STRETCH, count)) for start in range(0, count, STRETCH)]


class Background:
    """A thread that works beside the others until it is done or stopped. It does not keep the process alive.

    `work` is called with a function that returns whether it should stop.
    """

    def __init__(self, work: Callable[[Callable[[], bool]], None]) -> None:
        self._stopped = threading.Event()
        threading.Thread(target=work, args=(self._stopped.is_set,), daemon=True).start()

    def stop(self) -> None:
        """Ask the work to stop."""
        self._stopped.set()

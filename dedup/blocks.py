"""Threads over blocks: the one place that has any.

A stage is a function from a block of arrays to a block of arrays. Kernels release the GIL, so plain threads are
enough; results come back in the order of the blocks, whatever the number of threads, so nothing depends on it.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TypeVar

from dedup.errors import ParameterError

__all__ = ["lock", "map_blocks", "slices", "stretches", "thread_count"]

Block = TypeVar("Block")
Result = TypeVar("Result")

LOOK_AHEAD = 2
"""Blocks a thread that are prepared or wait to be taken, beside the one it works on."""


SLICE = 256
"""Rows that a thread works on at a time, at least."""

STRETCH = 1 << 15
"""Rows that a serial kernel works on between two looks at the signals."""


def thread_count(threads: int | None) -> int:
    """Return the number of threads to use; None stands for the processors this process may run on."""
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ParameterError(f"threads: expected a whole number from 1 on, or None, found {threads!r}")
    return threads


def lock() -> AbstractContextManager[bool]:
    """Return a lock for what threads share: ``with lock:`` one of them at a time."""
    return threading.Lock()


def map_blocks(function: Callable[[Block], Result], blocks: Iterable[Block], threads: int) -> Iterator[Result]:
    """Yield ``function(block)`` for each block, in order; blocks are made while earlier ones are worked on."""
    if threads == 1:
        yield from map(function, blocks)
        return
    pool = ThreadPoolExecutor(threads, thread_name_prefix="dedup")
    waiting: deque[Future[Result]] = deque()
    try:
        for block in blocks:
            waiting.append(pool.submit(function, block))
            if len(waiting) >= threads * LOOK_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def slices(count: int) -> list[slice]:
    """Cut `count` rows into slices for the threads: of `SLICE` rows, or a few hundred slices."""
    size = max(SLICE, count // 256)
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def stretches(count: int) -> list[slice]:
    """Cut `count` rows so that Ctrl-C need not wait for all of them."""
    return [slice(start, min(start + STRETCH, count)) for start in range(0, count, STRETCH)]

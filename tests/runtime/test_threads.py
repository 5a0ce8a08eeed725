"""Threads over blocks: order, errors, and that nothing is worked on after the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup import ParameterError
from dedup.runtime.threads import LOOK_AHEAD, _pool, begun, map_blocks, thread_count

ROOT = Path(dedup.__file__).parent.parent
THREADS = [1, 2, 8]


@pytest.fixture(autouse=True)
def helpers_stay_and_wait() -> Iterator[None]:
    """Check after each test that no threads are left but the helpers, one less than were asked for, and that they wait.

    They take a block of another stage at once.
    """
    before = set(threading.enumerate())
    yield
    new = [thread for thread in set(threading.enumerate()) - before if not thread.name.startswith("dedup_")]
    assert [] == new
    for threads in THREADS[1:]:
        assert sum(thread.name.startswith(f"dedup_{threads - 1}_") for thread in threading.enumerate()) < threads
        meeting = threading.Barrier(threads, timeout=10)
        assert set(range(threads)) == set(map_blocks(lambda _, all_at=meeting: all_at.wait(), range(threads), threads))


# ---------------------------------------------------------------------------------------- results


@given(st.lists(st.integers()), st.sampled_from(THREADS))
def test_results_come_in_order(blocks: list[int], threads: int) -> None:
    """A result a block, in the order of the blocks, from any iterable."""
    expected = [block * 2 for block in blocks]
    assert expected == list(map_blocks(lambda block: block * 2, blocks, threads))
    assert expected == list(map_blocks(lambda block: block * 2, iter(blocks), threads))


@pytest.mark.parametrize("threads", THREADS)
def test_order_does_not_depend_on_who_is_first(threads: int) -> None:
    """Later blocks that are done before earlier ones wait for them."""
    done = [threading.Event() for _ in range(20)]

    def work(block: int) -> int:
        if threads > 1 and block % 2 == 0:
            done[block + 1].wait(10)  # each even block ends after the odd one that follows it
        done[block].set()
        return block

    assert list(range(20)) == list(map_blocks(work, range(20), threads))


@pytest.mark.parametrize("threads", THREADS)
def test_the_caller_is_one_of_the_threads(threads: int) -> None:
    """So many threads work, and no more; one of them is the caller's own."""
    meeting = threading.Barrier(threads, timeout=10)

    def work(_: int) -> int:
        meeting.wait()
        return threading.get_ident()

    found = set(map_blocks(work, range(3 * threads), threads))
    assert threading.get_ident() in found
    assert threads == len(found)


def test_a_block_may_have_blocks_of_its_own() -> None:
    """A stage within a stage, of as many threads, comes to its end."""

    def work(block: int) -> int:
        return sum(map_blocks(lambda inner: inner * block, range(30), 2))

    assert [sum(range(30)) * block for block in range(30)] == list(map_blocks(work, range(30), 2))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes of POSIX")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_threads_of_its_own() -> None:
    """The helpers of the parent are not in the child, which makes others."""
    list(map_blocks(lambda block: block, range(9), 2))
    child = os.fork()
    if child == 0:
        good = list(map_blocks(lambda block: block, range(99), 2)) == list(range(99))
        os._exit(0 if good else 1)
    end = time.monotonic() + 30
    while (state := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < end:
        time.sleep(0.01)
    if state == (0, 0):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert (child, 0) == state


def test_two_blocks_at_a_time() -> None:
    """Two threads work at once: each block waits for the other one."""
    meeting = threading.Barrier(2, timeout=10)
    assert {0, 1} == set(map_blocks(lambda _: meeting.wait(), range(2), 2))


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("ahead", [1, LOOK_AHEAD])
def test_blocks_are_not_made_far_ahead(threads: int, ahead: int) -> None:
    """Blocks are made as they are needed: a few a thread are held, not all."""
    made = taken = 0

    def blocks() -> Iterator[int]:
        nonlocal made
        for block in range(100):
            made += 1
            assert made - taken <= threads * ahead
            yield block

    for _ in map_blocks(lambda block: block, blocks(), threads, ahead):
        taken += 1
    assert 100 == made == taken


# ----------------------------------------------------------------------------------------- the end


class MistakeError(Exception):
    """The error that is raised in these tests."""


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("error", [MistakeError, KeyboardInterrupt, SystemExit])
def test_an_error_in_the_work(threads: int, error: type[BaseException]) -> None:
    """The error of a block comes when it is its turn, as it was raised; later blocks are given up.

    What ends a process comes at once where it reaches the caller's own thread.
    """

    def work(block: int) -> int:
        if block == 5:
            raise error("block 5")
        return block

    found: list[int] = []
    with pytest.raises(error, match="block 5"):
        found.extend(map_blocks(work, range(1000), threads))
    assert found == [0, 1, 2, 3, 4] or (error is not MistakeError and found == list(range(len(found))))


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("error", [MistakeError, KeyboardInterrupt])
def test_an_error_in_the_blocks(threads: int, error: type[BaseException]) -> None:
    """An error while a block is made comes through, and the threads end."""

    def blocks() -> Iterator[int]:
        yield from range(5)
        raise error("no sixth block")

    with pytest.raises(error, match="no sixth block"):
        list(map_blocks(lambda block: block, blocks(), threads))


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("taken", [0, 1, 3])
def test_a_closed_generator(threads: int, taken: int) -> None:
    """Who has enough closes the generator: the threads end, and nothing more is begun."""
    begun: list[int] = []

    def work(block: int) -> int:
        begun.append(block)
        return block

    with closing(map_blocks(work, range(1000), threads)) as results:  # type: ignore[type-var]
        assert list(range(taken)) == [next(results) for _ in range(taken)]
    left = len(begun)
    assert left <= taken + threads * LOOK_AHEAD
    assert left == len(begun)


@pytest.mark.parametrize("threads", THREADS)
def test_a_consumer_that_fails(threads: int) -> None:
    """An error in the code that uses the results, as with Ctrl-C: the threads end when the generator is closed."""

    def use() -> None:
        for result in map_blocks(lambda block: block, range(1000), threads):
            if result == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use()


INTERRUPTED = """
import os, signal, threading
from dedup.runtime.threads import map_blocks
before = threading.active_count()
def work(block):
    if block == 40:
        os.kill(os.getpid(), signal.SIGINT)
    return block
def blocks():
    block = 0
    while True:  # without an end: only Ctrl-C stops it
        yield block
        block += 1
try:
    for _ in map_blocks(work, blocks(), THREADS):
        pass
except KeyboardInterrupt:
    print("interrupted", threading.active_count() - before < THREADS)
"""


@pytest.mark.skipif(not hasattr(os, "kill") or sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("threads", THREADS)
def test_control_c(threads: int) -> None:
    """A real Ctrl-C in a run without an end: KeyboardInterrupt, no thread but the helpers, the process ends."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.replace("THREADS", str(threads))],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    assert ("interrupted True\n", "") == (done.stdout, done.stderr)


WHOLE_RUN = """
import dedup, os, signal, threading
def report(stage, done, total):
    if done > 2000:
        os.kill(os.getpid(), signal.SIGINT)
try:
    dedup.find_duplicates([f"text number {i}" for i in range(50_000)], threads=2, progress=report)
except KeyboardInterrupt:
    print("interrupted", threading.active_count() <= 2)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGINT") or sys.platform == "win32", reason="signals of POSIX")
def test_control_c_in_a_whole_run() -> None:
    """The same in `find_duplicates`, from its own progress report."""
    done = subprocess.run(
        [sys.executable, "-c", WHOLE_RUN],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    assert ("interrupted True\n", "") == (done.stdout, done.stderr)


# -------------------------------------------------------------------------------------- the option


def test_thread_count() -> None:
    """What was asked for; by default the processors that this process may use."""
    assert [1, 2, 64] == [thread_count(n) for n in (1, 2, 64)]
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    assert 1 <= thread_count(None) <= allowed


@pytest.mark.parametrize("threads", [0, -1, True, False, 1.5, "2", [2]])
def test_wrong_numbers_of_threads(threads: Any) -> None:
    """The message says what was wanted and what was found, also from the outermost call."""
    for function in (thread_count, lambda n: dedup.find_duplicates(["a"], threads=n)):
        with pytest.raises(ParameterError, match="threads: expected a whole number from 1 on") as e:
            function(threads)
        assert repr(threads) in str(e.value)


@pytest.mark.parametrize("threads", THREADS)
def test_a_task_that_has_begun(threads: int) -> None:
    """It is done once, though all threads ask for its result; its error is raised to each that asks."""
    done = []

    def task() -> int:
        time.sleep(0.01)
        done.append(threading.get_ident())
        return 7

    with begun(task, threads) as result:
        assert [7] * 40 == list(map_blocks(lambda _: result(), range(40), threads))
    assert len(done) == 1
    with begun(task, threads):
        pass  # nobody asked
    assert len(done) <= 2


@pytest.mark.parametrize("threads", THREADS[1:])
def test_a_task_that_no_thread_begins(threads: int) -> None:
    """Where all helpers are busy, the first thread that asks does it; otherwise it is not done."""
    free, started = threading.Event(), threading.Semaphore(0)

    def hold(_: int) -> None:
        started.release()
        free.wait(10)

    helpers = [_pool(threads - 1).submit(hold, number) for number in range(threads - 1)]
    for _ in helpers:
        started.acquire(timeout=10)
    with begun(threading.get_ident, threads) as result:
        assert result() == threading.get_ident()
    done: list[int] = []
    with begun(lambda: done.append(1), threads):
        pass
    free.set()
    assert [None] * len(helpers) == [helper.result(timeout=10) for helper in helpers]
    assert done == []


@pytest.mark.parametrize("threads", THREADS)
def test_an_error_in_a_task_that_has_begun(threads: int) -> None:
    """It is raised when the result is asked for, at once with one thread."""

    def fails() -> int:
        raise MistakeError

    with pytest.raises(MistakeError), begun(fails, threads) as result:
        result()

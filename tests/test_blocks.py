"""Threads over blocks: order, errors, and that none of them stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup import ParameterError
from dedup.blocks import LOOK_AHEAD, map_blocks, thread_count

ROOT = Path(dedup.__file__).parent.parent
THREADS = [1, 2, 8]


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    """Check after each test that all threads that it began have ended."""
    before = set(threading.enumerate())
    yield
    assert set() == set(threading.enumerate()) - before


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
            done[block + 1].wait(10)  # each even block ends after the odd one behind it
        done[block].set()
        return block

    assert list(range(20)) == list(map_blocks(work, range(20), threads))


def test_blocks_are_worked_on_by_other_threads() -> None:
    """With several threads the caller's own only makes blocks; with one it does all."""
    here = threading.get_ident()
    assert {here} == set(map_blocks(lambda _: threading.get_ident(), range(9), 1))
    assert here not in set(map_blocks(lambda _: threading.get_ident(), range(9), 2))


def test_two_blocks_at_a_time() -> None:
    """Two threads work at once: each block waits for the other one."""
    meeting = threading.Barrier(2, timeout=10)
    assert {0, 1} == set(map_blocks(lambda _: meeting.wait(), range(2), 2))


@pytest.mark.parametrize("threads", THREADS)
def test_blocks_are_not_made_far_ahead(threads: int) -> None:
    """Blocks are made as they are needed: a few a thread are held, not all."""
    made = taken = 0

    def blocks() -> Iterator[int]:
        nonlocal made
        for block in range(100):
            made += 1
            assert made - taken <= threads * LOOK_AHEAD
            yield block

    for _ in map_blocks(lambda block: block, blocks(), threads):
        taken += 1
    assert 100 == made == taken


# ----------------------------------------------------------------------------------------- the end


class MistakeError(Exception):
    """What goes wrong in these tests."""


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("error", [MistakeError, KeyboardInterrupt, SystemExit])
def test_an_error_in_the_work(threads: int, error: type[BaseException]) -> None:
    """The error of a block comes when it is its turn, as it was raised; later blocks are given up."""

    def work(block: int) -> int:
        if block == 5:
            raise error("block 5")
        return block

    found: list[int] = []
    with pytest.raises(error, match="block 5"):
        found.extend(map_blocks(work, range(1000), threads))
    assert [0, 1, 2, 3, 4] == found


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
    """An error where the results are used, as Ctrl-C is: the threads end as the generator goes away."""

    def use() -> None:
        for result in map_blocks(lambda block: block, range(1000), threads):
            if result == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use()


INTERRUPTED = """
import os, signal, threading
from dedup.blocks import map_blocks
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
    print("interrupted", threading.active_count() - before)
"""


@pytest.mark.skipif(not hasattr(os, "kill") or sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("threads", THREADS)
def test_control_c(threads: int) -> None:
    """A real Ctrl-C in a run without an end: KeyboardInterrupt, no thread left, the process ends."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.replace("THREADS", str(threads))],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    assert ("interrupted 0\n", "") == (done.stdout, done.stderr)


WHOLE_RUN = """
import dedup, os, signal, threading
def report(stage, done, total):
    if done > 2000:
        os.kill(os.getpid(), signal.SIGINT)
try:
    dedup.find_duplicates([f"text number {i}" for i in range(50_000)], threads=2, progress=report)
except KeyboardInterrupt:
    print("interrupted", threading.active_count())
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
    assert ("interrupted 1\n", "") == (done.stdout, done.stderr)


# -------------------------------------------------------------------------------------- the option


def test_thread_count() -> None:
    """What was asked for; by default the processors that this process may use."""
    assert [1, 2, 64] == [thread_count(n) for n in (1, 2, 64)]
    if hasattr(os, "sched_getaffinity"):
        assert len(os.sched_getaffinity(0)) == thread_count(None)
    assert thread_count(None) >= 1


@pytest.mark.parametrize("threads", [0, -1, True, False, 1.5, "2", [2]])
def test_wrong_numbers_of_threads(threads: Any) -> None:
    """The message says what was wanted and what was found, also from the outermost call."""
    for function in (thread_count, lambda n: dedup.find_duplicates(["a"], threads=n)):
        with pytest.raises(ParameterError, match="threads: expected a whole number from 1 on") as e:
            function(threads)
        assert repr(threads) in str(e.value)

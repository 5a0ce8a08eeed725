"""What a second core can give at most: `python -m benchmarks.speed.ceiling ota_dev --cores 0,1`.

Two processes, each pinned to a core of its own, search the same texts with one thread: in turns alone, then both at
once. They share nothing but the machine, so twice the time alone over the time of the slower of both is the most that
two threads of one search can reach there; it is below 2 where cores share caches, the way to memory, or a clock. The
table also has one search with two threads. Medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

from benchmarks.corpora import named


def worker(name: str, cores: list[int], threads: int) -> None:
    """Search the corpus once for each line of standard input; print the seconds."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    from dedup import find_duplicates

    corpus = named.prepared(name)
    find_duplicates(list(named.loaded(corpus.path)), threads=threads)
    while sys.stdin.readline():
        texts = list(named.loaded(corpus.path))
        print("ready", flush=True)
        sys.stdin.readline()
        start = time.perf_counter()
        find_duplicates(texts, threads=threads)
        print(time.perf_counter() - start, flush=True)
        del texts


def started(name: str, cores: list[int], threads: int) -> subprocess.Popen[str]:
    """Start a worker."""
    command = [sys.executable, "-m", "benchmarks.speed.ceiling", name, "--worker", json.dumps([cores, threads])]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def search(workers: list[subprocess.Popen[Any]]) -> float:
    """Let workers search at the same time; return the seconds of the slowest."""
    for word in ("load", "go"):
        for one in workers:
            one.stdin.write(f"{word}\n")  # type: ignore[union-attr]
            one.stdin.flush()  # type: ignore[union-attr]
        answers = [one.stdout.readline() for one in workers]  # type: ignore[union-attr]
    return max(map(float, answers))


def main() -> None:
    """Measure and print a line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.ceiling", description=__doc__)
    parser.add_argument("corpus")
    parser.add_argument("--cores", default="0,1")
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        worker(chosen.corpus, *json.loads(chosen.worker))
        return
    named.prepared(chosen.corpus)  # the workers find it
    first, second = (int(core) for core in chosen.cores.split(","))
    one, other = (started(chosen.corpus, [core], 1) for core in (first, second))
    both = started(chosen.corpus, [first, second], 2)
    rounds = [(search([one]), search([one, other]), search([other]), search([both])) for _ in range(chosen.repeat)]
    alone = statistics.median([row[i] for row in rounds for i in (0, 2)])
    together, threads = (statistics.median(row[i] for row in rounds) for i in (1, 3))
    print(
        f"{chosen.corpus}: alone {alone:.3f} s, both at once {together:.3f} s, two threads {threads:.3f} s; "
        f"at most {2 * alone / together:.2f} times, reached {alone / threads:.2f}"
    )
    for process in (one, other, both):
        process.stdin.close()  # type: ignore[union-attr]
        process.wait()


if __name__ == "__main__":
    main()

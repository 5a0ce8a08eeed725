"""Killed at any moment, and the same report: `python -m benchmarks.quality.kill_matrix --kills 200`.

A corpus of news-like documents is searched by the command line, in processes that are killed with SIGKILL: half of
them after a random time, half of them just before a random write, sync or rename of the work directory. Then the same
command is run again (one time in three it is killed again), until it ends. The digest of all files of the report but
run.json must be that of a run that nobody disturbed, which is kept in this process alone. A line of JSON a kill that
went wrong, and one in the end; the exit code is 1 where any did.

Children are forks of a process that has imported and compiled everything, so that most of their time is the search's.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

import xxhash

MEMORY: Final = "150MB"
"""A bound under which the corpus does not fit, so that the marks are made as well."""

ENDED, KILLED = "ended", "killed"


def digest_of(report: Path) -> str:
    """Hash all files of a report but run.json, with their names."""
    digest = xxhash.xxh3_128()
    for path in sorted(report.iterdir()):
        if path.name != "run.json":
            digest.update(path.name.encode() + b"\n")
            digest.update(path.read_bytes())
    return digest.hexdigest()


def child(command: list[str], log: Path, act: int | None) -> int:
    """Start the command line in a fork; with `act` it kills itself before that write, sync or rename."""
    pid = os.fork()
    if pid:
        return pid
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    left = act

    def hook(what: str, path: Path, size: int) -> int | None:
        nonlocal left
        if left is not None:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return None

    from dedup.cli import main
    from dedup.storage import atomic

    atomic.hook = hook
    code = 70
    try:
        main(command, prog_name="dedup")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 70
    finally:
        os._exit(code)


def run(command: list[str], log: Path, *, act: int | None = None, delay: float | None = None) -> int:
    """Run the command line in a fork, kill it after `delay` seconds; return its exit code, negative for a signal."""
    pid = child(command, log, act)
    if delay is not None:
        end = time.monotonic() + delay
        while time.monotonic() < end:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.001)
        os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def matrix(kills: int, documents: int, folder: Path, seed: int, threads: int) -> dict[str, object]:
    """Kill so many runs; return what came of it."""
    from benchmarks.speed.bench_corpus import write

    source = random.Random(seed)
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, suffix in enumerate(("jsonl", "jsonl.zst", "parquet")):
        write(corpus, suffix, (number + 1) * documents // 3, 500, [number * documents // 3])
        for path in corpus.glob("part-*"):
            path.rename(corpus / f"{number}.{suffix}")

    def command(output: Path, work: Path) -> list[str]:
        options = ["--output", str(output), "--work-dir", str(work), "--memory", MEMORY, "--threads", str(threads)]
        return ["find", str(corpus), *options]

    log = folder / "log"
    acts = count_acts(command(folder / "warm", folder / "warm-work"), log)
    start = time.monotonic()
    if run(command(folder / "whole", folder / "whole-work"), log):
        raise SystemExit(f"the run that nobody disturbs failed:\n{log.read_text()[-2000:]}")
    seconds = time.monotonic() - start
    truth = digest_of(folder / "whole")
    count: Counter[str] = Counter()
    wrong = 0
    number = 0
    while count[KILLED] < kills:
        number += 1
        output, work = folder / f"report-{number}", folder / f"work-{number}"
        log.unlink(missing_ok=True)
        code = -1
        killing = True
        while killing:
            if source.random() < 0.5:
                code = run(command(output, work), log, act=source.randrange(acts))
            else:
                code = run(command(output, work), log, delay=source.uniform(0.0, 1.1 * seconds))
            count[KILLED if code == -signal.SIGKILL else ENDED] += 1
            killing = code == -signal.SIGKILL and source.random() < 1 / 3
        if code == -signal.SIGKILL:
            code = run(command(output, work), log)
        # a run that was killed after its last step is refused the second time: its report is complete
        right = code in (0, 2) and output.is_dir() and digest_of(output) == truth
        if not right:
            wrong += 1
            print(json.dumps({"run": number, "code": code, "log": log.read_text()[-1000:]}), flush=True)
        left = [path.name for path in folder.glob(f".report-{number}*")]
        count["left behind"] += bool(left) and code == 0
        for path in (output, work):
            shutil.rmtree(path, ignore_errors=True)
    return {
        "kills": count[KILLED],
        "runs": number,
        "ended before they were killed": count[ENDED],
        "wrong": wrong,
        "left behind": count["left behind"],
        "digest": truth,
        "acts": acts,
        "seconds a run": round(seconds, 2),
    }


def count_acts(command: list[str], log: Path) -> int:
    """Run once, which compiles everything, and return the number of writes, syncs and renames."""
    from dedup.storage import atomic

    acts = 0

    def hook(what: str, path: Path, size: int) -> int | None:
        nonlocal acts
        acts += 1
        return None

    from dedup.cli import main

    atomic.hook = hook
    quiet = os.dup(2)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(handle, 2)
    try:
        main(command, prog_name="dedup", standalone_mode=False)
    except SystemExit as end:
        if end.code:
            raise SystemExit(f"the first run failed:\n{log.read_text()[-2000:]}") from end
    finally:
        atomic.hook = None
        os.dup2(quiet, 2)
        os.close(quiet)
        os.close(handle)
    return acts


def main(given: list[str] | None = None) -> int:
    """Run the matrix, print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.kill_matrix", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--documents", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args(sys.argv[1:] if given is None else given)
    if not hasattr(os, "fork"):
        raise SystemExit("expected a system with fork")
    with tempfile.TemporaryDirectory(prefix="kill-matrix-") as folder:
        found = matrix(chosen.kills, chosen.documents, Path(folder), chosen.seed, chosen.threads)
    print(json.dumps(found), flush=True)
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())

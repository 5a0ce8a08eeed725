"""One measurement in a process of its own: `python -m benchmarks.speed.measure JOB RESULT`, both files of
JSON.

The process is pinned to its cores, warms the tool up on a small other corpus (so that compilation
and first imports are done), is given freshly decoded strings, and runs the tool once. Nothing but
the tool's own call is within the clock; what it hands back is judged afterwards.

Memory: the peak of the resident set during the call, above what was resident just before it, when
the texts, the tool and its compiled code were loaded. Linux keeps that peak (`VmHWM`) and resets it
when "5" is written to /proc/self/clear_refs.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.corpora import named
from benchmarks.corpora.score import curve, score
from benchmarks.corpora.truth import Truth, kept
from benchmarks.rivals import shingles, tool

WARM_UP: Final = "generated:300:2000:99"
_SAMPLE: Final = 0.002  # seconds between two looks at the resident set, where the kernel does not keep its peak


@dataclass(frozen=True)
class Job:
    """What to measure: `path` "whole" or "ready", `memory` gigabytes of address space or 0.

    With a `curve` above 0, the share of the pairs that are reported is given for each similarity from there on.
    """

    tool: str
    path: str
    corpus: named.Corpus
    truth: bool
    threshold: float
    threads: int
    cores: list[int]
    memory: float
    curve: float = 0.0


class Peak:
    """Growth of the resident set between `start` and `stop`, in bytes."""

    def __init__(self) -> None:
        self._before = 0
        self._sampled = 0
        self._sampler: threading.Thread | None = None
        self._done = threading.Event()

    def start(self) -> None:
        """Give freed memory back, so that it counts when it is taken again; reset the peak."""
        gc.collect()
        with suppress(OSError, AttributeError):  # another C library: that memory is part of the baseline
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        try:
            Path("/proc/self/clear_refs").write_text("5")
        except OSError:
            self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._before = _status("VmRSS")
        if self._sampler:
            self._sampler.start()

    def _sample(self) -> None:
        while not self._done.wait(_SAMPLE):
            self._sampled = max(self._sampled, _status("VmRSS"))

    def stop(self) -> int:
        """Bytes between the resident set at the start and its peak since."""
        self._done.set()
        peak = max(self._sampled, _status("VmRSS")) if self._sampler else _status("VmHWM")
        return max(0, peak - self._before)


def _status(name: str) -> int:
    """A line of /proc/self/status, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"Expected {name} in /proc/self/status, found none")


def _call(job: Job, path: str) -> Callable[[], Any]:
    """The tool's call on a corpus, with all that is not to be timed done already."""
    chosen = tool(job.tool)
    texts = named.loaded(path)
    if job.path == "whole":
        return lambda: chosen.whole(texts, job.threshold, job.threads)
    run, given = chosen.ready, shingles.ready(texts)
    if run is None:
        raise ValueError(f"Expected a path from ready shingles, {job.tool} has none")
    if chosen.strings:
        len(given.strings)  # made here, outside the clock
    return lambda: run(given, job.threshold, job.threads)


def measured(job: Job) -> dict[str, Any]:
    """Run the job in this process."""
    os.sched_setaffinity(0, job.cores)
    if job.memory:
        limit = int(job.memory * 1e9)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    chosen = tool(job.tool)
    if job.path == "ready" and chosen.ready is None:
        return {"absent": True}
    _call(job, named.prepared(WARM_UP).path)()
    call = _call(job, job.corpus.path)
    peak = Peak()
    peak.start()
    cpu, clock = time.process_time(), time.perf_counter()
    native = call()
    seconds, cpu = time.perf_counter() - clock, time.process_time() - cpu
    grown = peak.stop()
    truth: Truth | None = None
    if job.truth:
        truth = kept([], job.corpus.digest, named.cache_folder(), job.threshold)
    answer = chosen.answer(native, job.corpus.documents)
    shown: dict[str, Any] = {}
    if job.curve:
        every = kept([], job.corpus.digest, named.cache_folder(), job.curve)
        shown["curve"] = curve(answer, every, job.corpus.documents)
    if chosen.ours:
        shown["stages"] = native.timings
    return {
        **shown,
        "seconds": seconds,
        "cpu_seconds": cpu,
        "memory": grown,
        "version": chosen.version,
        "settings": chosen.settings,
        "ours": chosen.ours,
        "samples": chosen.samples,
        **asdict(score(answer, truth, job.corpus.documents)),
    }


def in_child(job: Job, timeout: float) -> dict[str, Any]:
    """Run the job in a new process; what went wrong, if anything, is in the result's "error"."""
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    for name in ("OMP", "RAYON", "OPENBLAS", "MKL", "NUMBA"):
        environment[f"{name}_NUM_THREADS"] = str(job.threads)
    with tempfile.TemporaryDirectory() as folder:
        asked, told = Path(folder) / "job.json", Path(folder) / "result.json"
        asked.write_text(json.dumps(asdict(job)))
        command = [sys.executable, "-m", "benchmarks.speed.measure", str(asked), str(told)]
        try:
            ended = subprocess.run(
                command,
                env=environment,
                capture_output=True,
                timeout=timeout,
                text=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"error": f"not done after {timeout:.0f} s"}
        if not told.exists():
            last = ended.stderr.strip().splitlines()[-1:] or [f"ended with status {ended.returncode}"]
            return {"error": last[0]}
        result: dict[str, Any] = json.loads(told.read_text())
        return result


def main() -> None:
    """Run the job of the first file and write the result to the second."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.measure", description=__doc__)
    parser.add_argument("job", type=Path, help="a file of JSON with the fields of a Job, as the other scripts write it")
    parser.add_argument("result", type=Path, help="the file that is written")
    chosen = parser.parse_args()
    asked = json.loads(chosen.job.read_text())
    asked["corpus"] = named.Corpus(**asked["corpus"])
    chosen.result.write_text(json.dumps(measured(Job(**asked))))


if __name__ == "__main__":
    main()

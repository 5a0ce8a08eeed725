"""The curve of a tuned constant: its value against time, memory and the answer, beside the value that it has.

A script of this folder says which constant, which values, which call, and which stages of the call feel it. Each value
has a process of its own. There the constant is changed in the source of its module before that is loaded, so that what
is computed from it, and kernels that are compiled with it, have the new value too. The processes then run in turns;
each round begins with the next value. The figures are processor time, which other work on the machine disturbs least,
and a ratio is the median over the rounds of a value's time by the time of the present value in the same round.

A value is outside of the flat part if its ratio differs from 1 by more than `FLAT`, and the middle half of its rounds
is on the same side of 1. If the answers of two values differ, speed does not decide between them.

    python -m benchmarks.tuning.seen_twice_twice_slots
    python -m benchmarks.tuning.seen_twice_twice_slots --corpus generated:100000,ota_dev --values 2,4,8 --rounds 15
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib
import importlib.util
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import needs
from benchmarks.corpora import named
from benchmarks.speed.measure import Peak
from benchmarks.tuning.calls import Call, Prepare
from benchmarks.tuning.changed_source import Changing

FLAT = 0.05
"""Of the time of the present value: what two values may differ by and still be on the flat part."""

KERNELS = "dedup.kernels."
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Curve:
    """What a script measures.

    `constant` is the dotted name, `values` hold its present value. `prepare` makes of some texts, outside the clock,
    the call that is measured; the time of `stages` counts, or all of it if none is named.

    `also` are other constants by their dotted names, which have another value throughout, so that the one is felt.
    A constant of a kernel is compiled into it; the kernels for each value are kept beside the corpora.
    """

    constant: str
    values: Sequence[float]
    prepare: Prepare
    stages: tuple[str, ...] = ()
    corpus: str = "generated:20000"
    threads: int = 1
    also: Mapping[str, Any] = field(default_factory=dict)

    @property
    def present(self) -> Any:
        """The value that the package has."""
        module, name = self.constant.rsplit(".", 1)
        return getattr(importlib.import_module(module), name)


class Figures(NamedTuple):
    """Of one run: seconds of the processor and the clock in its stages, bytes above the start, the answer's digest."""

    cpu: float
    wall: float
    peak: int
    answer: str


def digest_of(answer: Any) -> str:
    """Return a digest of what a call found."""
    import pyarrow as pa

    state = hashlib.blake2b(str(getattr(answer, "closest", None)).encode(), digest_size=8)
    names = ["pairs", "clusters"]
    if getattr(getattr(answer, "summary", None), "passages", None) is not None:
        names.append("passages")
    tables = [getattr(answer, name) for name in names if hasattr(answer, name)]
    for table in tables:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table.combine_chunks())
        state.update(sink.getvalue())
    if not tables:
        state.update(repr(list(answer) if isinstance(answer, Sequence) else answer).encode())
    return state.hexdigest()


def measured(curve: Curve, call: Call) -> Figures:
    """Run a call once. A stage lasts from the first that is told of it to the first of the next one."""
    cpu: dict[str, float] = {}
    wall: dict[str, float] = {}
    last = ["", time.process_time(), time.perf_counter()]

    def told(stage: str, done: int, total: int) -> None:
        now, then = time.process_time(), time.perf_counter()
        cpu[last[0]] = cpu.get(last[0], 0.0) + now - last[1]
        wall[last[0]] = wall.get(last[0], 0.0) + then - last[2]
        last[:] = [stage, now, then]

    peak = Peak()
    peak.start()
    last[1:] = [time.process_time(), time.perf_counter()]
    answer = call(told)
    told("", 0, 0)
    grown = peak.stop()
    stages = curve.stages or tuple(cpu)
    missing = [stage for stage in curve.stages if stage not in cpu]
    if missing:
        raise RuntimeError(f"Expected the stages {missing} in this search, found {sorted(cpu)}; choose another corpus")
    return Figures(sum(map(cpu.__getitem__, stages)), sum(map(wall.__getitem__, stages)), grown, digest_of(answer))


# -------------------------------------------------------------------------------------- processes


class Worker:
    """A process with one value of the constant. It is `ready` when its kernels are compiled."""

    def __init__(self, script: str, curve: Curve, value: Any, corpora: Sequence[named.Corpus], threads: int) -> None:
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        if curve.constant.startswith(KERNELS):
            environment["DEDUP_KERNELS"] = "jit"  # the library has the constant as it is
        if value != curve.present and curve.constant.startswith(KERNELS):
            environment["NUMBA_CACHE_DIR"] = kernels_for(curve.constant, value)
        job = json.dumps([script, value, {one.name: one.path for one in corpora}, threads])
        command = [sys.executable, "-m", "benchmarks.tuning.curve", job]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
        )

    def ready(self) -> None:
        """Wait until it is."""
        self._answer()

    def run(self, corpus: str) -> Figures:
        """Let it run its call over a corpus once more."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{corpus}\n")
        self._process.stdin.flush()
        return Figures(*self._answer())

    def end(self) -> None:
        """Let it end."""
        self._process.communicate()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"Expected figures of a process, found that it ended with code {self._process.wait()}")
        return json.loads(line)


def kernels_for(constant: str, value: Any) -> str:
    """Return a folder of kernels for a value; those that do not depend on the constant are there already."""
    from dedup.kernels.cache import cache_folder

    folder = named.cache_folder() / "tuning" / f"{constant}={value}"
    present = Path(cache_folder() or "")
    own = folder / present.name
    if own.exists() or not present.name:
        return str(folder)
    own.mkdir(parents=True)
    others = dependants(constant.rpartition(".")[0].removeprefix(KERNELS))
    for path in present.iterdir():
        if path.name.partition(".")[0] not in others:
            shutil.copy2(path, own)
    return str(folder)


def dependants(module: str) -> set[str]:
    """Return the kernel modules that use one, itself included."""
    spec = importlib.util.find_spec(KERNELS + module)
    assert spec is not None
    assert spec.origin is not None
    users = {
        path.stem: set(re.findall(rf"^from {re.escape(KERNELS)}(\w+) import", path.read_text("utf-8"), re.MULTILINE))
        for path in Path(spec.origin).parent.glob("*.py")
    }
    found = {module}
    while more := {user for user, used in users.items() if used & found} - found:
        found |= more
    return found


def work(script: str, value: Any, corpora: dict[str, str], threads: int) -> None:
    """Be such a process: warm up, then run the call over each corpus that standard input names."""
    curve: Curve = importlib.import_module(script).CURVE
    assert not any(name.partition(".")[0] == "dedup" for name in sys.modules)
    sys.meta_path.insert(0, Changing({**curve.also, curve.constant: value}))
    whole = replace(curve, stages=())
    calls = {name: curve.prepare(named.loaded(path), threads) for name, path in corpora.items()}
    for call in calls.values():
        measured(whole, call)
    assert value == curve.present
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(measured(curve, calls[line.strip()])), flush=True)


def main(curve: Curve, given: list[str] | None = None) -> None:
    """Measure the curve on some corpora, and print it."""
    script = script_of(curve.constant)
    parser = argparse.ArgumentParser(prog=f"python -m {script}", description=f"The curve of {curve.constant}.")
    parser.add_argument("--corpus", default=curve.corpus, help="one or more, with commas between; see corpora/named.py")
    parser.add_argument("--values", help="instead of those of the script, with commas between")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=curve.threads)
    chosen = parser.parse_args(given)
    values = (
        list(curve.values) if chosen.values is None else [ast.literal_eval(one) for one in chosen.values.split(",")]
    )
    values = sorted({*map(type(curve.present), values), curve.present})
    corpora = [
        named.prepared(name) for name in chosen.corpus.split(",") if chosen.corpus != curve.corpus or at_hand(name)
    ]
    workers = {value: Worker(script, curve, value, corpora, chosen.threads) for value in values}
    figures: dict[str, dict[Any, list[Figures]]] = {one.name: {value: [] for value in values} for one in corpora}
    try:
        for worker in workers.values():
            worker.ready()
        for number in range(chosen.rounds):
            for corpus in figures:
                for place in range(len(values)):
                    value = values[(place + number) % len(values)]
                    figures[corpus][value].append(workers[value].run(corpus))
    finally:
        for worker in workers.values():
            worker.end()
    stages = ", ".join(curve.stages) or "all of it"
    for corpus in corpora:
        print(f"{curve.constant}: {corpus.name} ({corpus.documents:,} texts, {corpus.bytes / 1e6:.1f} MB), {stages}")
        print("\n".join(lines_of(figures[corpus.name], curve.present)), flush=True)


def at_hand(corpus: str) -> bool:
    """Return whether a corpus that nobody asked for can be had: a generated one, or DEDUP_DATA leads to it."""
    return corpus not in named.REAL or needs.has_data()


def script_of(constant: str) -> str:
    """Return the name of the script of a constant: its module and its own name, ``kernel_`` before those of kernels."""
    module, name = constant.rsplit(".", 1)
    before = "kernel_" if constant.startswith(KERNELS) else ""
    return f"benchmarks.tuning.{before}{module.rpartition('.')[2]}_{name.lower()}"


def lines_of(figures: dict[Any, list[Figures]], present: Any) -> list[str]:
    """Return the table of a corpus."""
    lines = [f"{'value':>12} {'cpu s':>8} {'ratio':>6} {'lower':>6} {'upper':>6} {'clock':>6} {'peak MB':>8}  answer"]
    slopes = {}
    for value, runs in figures.items():
        ratios = [one.cpu / max(other.cpu, 1e-9) for one, other in zip(runs, figures[present], strict=True)]
        clock = [one.wall / max(other.wall, 1e-9) for one, other in zip(runs, figures[present], strict=True)]
        lower, ratio, upper = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
        slopes[value] = abs(ratio - 1.0) > FLAT and (lower > 1.0 or upper < 1.0)
        seconds, peak = statistics.median(one.cpu for one in runs), statistics.median(one.peak for one in runs) / 1e6
        same = "same" if {one.answer for one in runs} == {figures[present][0].answer} else "DIFFERS"
        mark = "*" if value == present else " "
        lines.append(
            f"{mark}{value:>11} {seconds:8.3f} {ratio:6.3f} {lower:6.3f} {upper:6.3f}"
            f" {statistics.median(clock):6.3f} {peak:8.1f}  {same}"
        )
    low, high = flat(slopes, present)
    return [*lines, f"flat within {FLAT:.0%} from {low} to {high}, {len(figures[present])} rounds"]


def flat(slopes: Mapping[Any, bool], present: Any) -> tuple[Any, Any]:
    """Return the first and last value of the run round the present one in which none is on a slope."""
    values = sorted(slopes)
    low = high = values.index(present)
    while low and not slopes[values[low - 1]]:
        low -= 1
    while high + 1 < len(values) and not slopes[values[high + 1]]:
        high += 1
    return values[low], values[high]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tuning.curve", description=__doc__)
    parser.add_argument("work", type=json.loads, help="what to measure, as the script of a constant writes it, in JSON")
    work(*parser.parse_args().work)

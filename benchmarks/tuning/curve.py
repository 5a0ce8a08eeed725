"""The curve of a tuned constant: its value against time, memory and the answer, beside the value that it has.

A script of this folder says which constant, which values, which call, and which stages of the call feel it. Each value
has a process of its own. There the constant is changed in the source of its module before that is loaded, so that what
is computed from it, and kernels that are compiled with it, have the new value too. The processes then run in turns;
each round begins with the next value. The figures are processor time, which other work on the machine disturbs least,
and a ratio is the median over the rounds of a value's time by the time of the present value in the same round.

A value is off the flat part where its ratio is further than `FLAT` from 1, and the middle half of its rounds is on the
same side of 1. Two values whose answers differ are no matter of speed alone.

    python -m benchmarks.tuning.seen_twice_slots
    python -m benchmarks.tuning.seen_twice_slots --corpus generated:100000,ota_dev --values 2,4,8 --rounds 15
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

from benchmarks.corpora import named
from benchmarks.speed.measure import Peak

FLAT = 0.05
"""Of the time of the present value: what two values may differ by and still be on the flat part."""

KERNELS = "dedup.kernels."
ROOT = Path(__file__).parents[2]

Stage = Callable[[str, int, int], None]
Call = Callable[[Stage], Any]
"""Runs once, and tells of its stages; what it returns is compared between values."""


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
    prepare: Callable[[list[str], int], Call]
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


# ---------------------------------------------------------------------------------------------- calls


def searching(**options: Any) -> Callable[[list[str], int], Call]:
    """Search for duplicates."""

    def prepare(texts: list[str], threads: int) -> Call:
        from dedup import find_duplicates

        return lambda told: find_duplicates(fresh(texts), threads=threads, progress=told, **options)

    return prepare


def listing(**options: Any) -> Callable[[list[str], int], Call]:
    """Search for duplicates, and make the table of pairs."""
    prepare_search = searching(**options)

    def prepare(texts: list[str], threads: int) -> Call:
        search = prepare_search(texts, threads)

        def call(told: Stage) -> Any:
            found = search(told)
            _ = found.pairs  # it is made when it is asked for
            return found

        return call

    return prepare


def finding_nothing(**options: Any) -> Callable[[list[str], int], Call]:
    """Search for duplicates among texts that have none, not even at half the threshold."""
    search = searching(**options)

    def prepare(texts: list[str], threads: int) -> Call:
        from dedup import find_duplicates

        return search(find_duplicates(texts, threshold=0.4).filter(texts), threads)

    return prepare


def repeating(**options: Any) -> Callable[[list[str], int], Call]:
    """Search for repeats."""

    def prepare(texts: list[str], threads: int) -> Call:
        from dedup import find_repeats

        return lambda told: find_repeats(fresh(texts), threads=threads, progress=told, **options)

    return prepare


def matching(**options: Any) -> Callable[[list[str], int], Call]:
    """Match every other text against the rest."""

    def prepare(texts: list[str], threads: int) -> Call:
        from dedup import match

        return lambda told: match(fresh(texts[::2]), fresh(texts[1::2]), threads=threads, progress=told, **options)

    return prepare


def reading(suffix: str, **options: Any) -> Callable[[list[str], int], Call]:
    """Search in a file of a format: .jsonl, .csv or .parquet, the first two compressed too (.jsonl.gz)."""

    def prepare(texts: list[str], threads: int) -> Call:
        from dedup import files, find_duplicates

        path = written(texts, suffix)
        return lambda told: find_duplicates(files(path, id="n"), threads=threads, progress=told, **options)

    return prepare


def fresh(texts: list[str]) -> list[str]:
    """Return the texts as strings of which nobody has asked for the UTF-8: Python keeps it."""
    return list(named.fresh(texts))


def written(texts: list[str], suffix: str) -> str:
    """Return the path of a file with these texts; the folder is removed when the process ends."""
    import atexit

    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    folder = tempfile.TemporaryDirectory(prefix="dedup-tuning-")
    atexit.register(folder.cleanup)
    path = os.path.join(folder.name, f"texts{suffix}")
    whole = [text.encode("utf-8", "replace").decode() for text in texts]
    table = pa.table({"n": range(len(texts)), "text": pa.array(whole)})
    if suffix == ".parquet":
        pq.write_table(table, path, row_group_size=1 << 14)
        return path
    sink = pa.BufferOutputStream()
    if suffix.startswith(".csv"):
        pc.write_csv(table, sink)
    else:
        for number, text in enumerate(whole):
            sink.write(json.dumps({"n": number, "text": text}, ensure_ascii=False).encode() + b"\n")
    with pa.output_stream(path) as stream:  # compressed as its suffix says
        stream.write(sink.getvalue())
    return path


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


# ------------------------------------------------------------------------------- the value of a constant


class Changed(importlib.machinery.SourceFileLoader):
    """Loads a module with other values of some constants."""

    def __init__(self, fullname: str, path: str, values: Mapping[str, Any]) -> None:
        super().__init__(fullname, path)
        self._values = values

    def get_code(self, fullname: str) -> CodeType:
        """Compile the changed source; nothing of it is kept."""
        tree = ast.parse(self.get_data(self.path))
        for name, value in self._values.items():
            change(tree, name, value)
        code: CodeType = compile(tree, self.path, "exec", dont_inherit=True)
        return code


def change(tree: ast.Module, name: str, value: Any) -> None:
    """Put a value in the place of the one that a constant has on the top level of a module."""
    new = ast.parse(repr(value), mode="eval").body
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            node.value = ast.copy_location(new, node)
            break
        targets = node.targets[0] if isinstance(node, ast.Assign) else None
        if isinstance(node, ast.Assign) and isinstance(targets, ast.Name) and targets.id == name:
            node.value = ast.copy_location(new, node)
            break
        if isinstance(node, ast.Assign) and isinstance(targets, ast.Tuple) and isinstance(node.value, ast.Tuple):
            names = [getattr(target, "id", None) for target in targets.elts]
            if name in names:
                node.value.elts[names.index(name)] = ast.copy_location(new, node)
                break
    else:
        raise LookupError(f"Expected an assignment to {name} on the top level of its module, found none")
    ast.fix_missing_locations(tree)


class Changing(importlib.abc.MetaPathFinder):
    """Finds the modules of some constants as Python does, and has them loaded with other values."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values: dict[str, dict[str, Any]] = {}
        for constant, value in values.items():
            module, name = constant.rsplit(".", 1)
            self._values.setdefault(module, {})[name] = value

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """Find a module; None where none of its constants is changed."""
        if fullname not in self._values:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or spec.origin is None:
            return None
        spec.loader = Changed(fullname, spec.origin, self._values[fullname])
        return spec


# -------------------------------------------------------------------------------------- processes


class Worker:
    """A process with one value of the constant. It is `ready` when its kernels are compiled."""

    def __init__(self, script: str, curve: Curve, value: Any, corpora: Sequence[named.Corpus], threads: int) -> None:
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
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
    return corpus not in named.REAL or "DEDUP_DATA" in os.environ


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
    work(*json.loads(sys.argv[1]))

"""All measurements, one after the other, unattended: `python -m benchmarks.speed.campaign --output DIR`.

Each measurement is a process of its own, pinned to `--core` (or to all of `--cores` for the runs with two threads);
tools take turns, and each round begins with the next. Results are added to ``DIR/raw.jsonl`` as soon as they are known,
so a run that was stopped can be continued part by part with `--parts`. Then ``python -m benchmarks.publish.page DIR``
makes the page of the documentation and its plots from that file, and nothing else.

The parts:

* ``rivals``: all tools on three corpora: speed, memory, recall, precision, and what they report at each similarity
* ``ready``: the same tools from the same ready shingles to pairs, where a tool has such a path
* ``cores``: one core and two
* ``growth``: from 10^4 to 10^6 documents, and families of near copies up to 10^5
* ``limits``: a search beside reading, checking, hashing and splitting the same texts (`limits`)
* ``serial``: what one thread does alone, and what 16 and 64 workers would take at best (`serial_share`)
* ``promise``: the recall of LSH at the threshold (`check_recall`)
* ``scripts``, ``noise``: which shingle fits (`quality_scripts`, `quality_noise`)
* ``million``: 1,000 documents of a million against all (`check_million`); a quarter of an hour, only when asked for

`--short` makes smaller corpora and one round: a few minutes, for trying it out.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks import needs
from benchmarks.corpora import named, truth
from benchmarks.publish import report
from benchmarks.speed.measure import WARM_UP, Job, in_child

THRESHOLD: Final = 0.8
CURVE: Final = 0.5  # similarity from which on the curve is drawn
FAST: Final = ("dedup", "dedup-lsh", "gaoya", "rensa", "rensa-tuned", "rensa-flags", "fastsketchlsh")
SLOW: Final = ("fastsketchlsh-tuned", "datasketch", "datatrove", "setsimilaritysearch")  # measured once
PARTS: Final = ("rivals", "ready", "cores", "growth", "limits", "serial", "promise", "scripts", "noise")


@dataclass(frozen=True)
class Plan:
    """What to measure, where."""

    output: Path
    core: int
    cores: list[int]
    short: bool
    timeout: float

    @property
    def rounds(self) -> int:
        """Turns of each fast tool."""
        return 1 if self.short else 3

    def size(self, documents: int) -> int:
        """A number of generated documents, a tenth of it for a short run."""
        return documents // 10 if self.short else documents

    def write(self, record: dict[str, Any]) -> None:
        """Add a line to the raw results."""
        with (self.output / "raw.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, sort_keys=True) + "\n")


class _Texts:
    """The texts of a corpus on disk, read when they are asked for: only where a truth is not kept yet."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __iter__(self) -> Iterator[str]:
        return iter(named.loaded(self._path))


def known(name: str, thresholds: Iterable[float] = ()) -> tuple[named.Corpus, set[float]] | None:
    """The corpus on disk, and the thresholds at which its pairs are known; None where this machine does not have it."""
    try:
        corpus = named.prepared(name)
    except needs.MissingDataError as error:
        print(f"skipped: {error}", file=sys.stderr)
        return None
    judged: set[float] = set()
    for threshold in thresholds:
        try:
            truth.kept(_Texts(corpus.path), corpus.digest, named.cache_folder(), threshold)
        except truth.TooManyPairsError as error:
            print(f"{name} is not judged at {threshold}: {error}", file=sys.stderr)
        else:
            judged.add(threshold)
    return corpus, judged


def take(plan: Plan, part: str, jobs: list[tuple[Job, int]]) -> None:
    """Measure jobs in turns; each has a number of rounds."""
    for turn in range(max(rounds for _, rounds in jobs)):
        first = turn % len(jobs)
        for job, rounds in jobs[first:] + jobs[:first]:
            if turn >= rounds:
                continue
            begun = datetime.now(UTC).isoformat(timespec="seconds")
            result = in_child(job, plan.timeout)
            if "absent" in result:
                continue
            shown = result.get("error") or f"{result['seconds']:.3f} s"
            print(f"  {part} {job.corpus.name} round {turn + 1} {job.tool} x{job.threads}  {shown}", flush=True)
            plan.write(
                {
                    "kind": part,
                    "tool": job.tool,
                    "path": job.path,
                    "corpus": job.corpus.name,
                    "digest": job.corpus.digest,
                    "documents": job.corpus.documents,
                    "bytes": job.corpus.bytes,
                    "round": turn + 1,
                    "threads": job.threads,
                    "cores": len(job.cores),
                    "threshold": job.threshold,
                    "time": begun,
                    **result,
                }
            )


def rivals(plan: Plan) -> None:
    """All tools from strings to pairs."""
    for name in (f"generated:{plan.size(20_000)}", "ota_dev", "win32_docs", "dc_laws_dev")[: 1 if plan.short else 4]:
        found = known(name, (THRESHOLD, CURVE))
        if found is not None:
            corpus, judged = found
            curve = CURVE if CURVE in judged else 0.0
            job = Job("", "whole", corpus, THRESHOLD in judged, THRESHOLD, 1, [plan.core], 0, curve)
            jobs = [(replace(job, tool=tool), plan.rounds) for tool in FAST]
            take(plan, "rivals", [*jobs, *((replace(job, tool=tool), 1) for tool in SLOW)])


def ready(plan: Plan) -> None:
    """Tools from ready shingles to pairs."""
    found = known(f"generated:{plan.size(20_000)}", (THRESHOLD,))
    if found is not None:
        corpus, judged = found
        job = Job("", "ready", corpus, THRESHOLD in judged, THRESHOLD, 1, [plan.core], 0)
        take(plan, "ready", [(replace(job, tool=tool), 1) for tool in (*FAST, *SLOW) if tool != "datatrove"])


def cores(plan: Plan) -> None:
    """One core and two."""
    for name in (f"generated:{plan.size(100_000)}", "ota_dev"):
        found = known(name)
        if found is not None:
            one = Job("", "whole", found[0], False, THRESHOLD, 1, [plan.core], 0)
            two = replace(one, threads=len(plan.cores), cores=plan.cores)
            tools = ("dedup", "dedup-lsh", "gaoya") if name == "ota_dev" else ("dedup", "dedup-lsh")
            take(plan, "cores", [(replace(job, tool=tool), plan.rounds) for tool in tools for job in (one, two)])


def growth(plan: Plan) -> None:
    """Time and memory against size."""
    last = 5 if plan.short else 6
    for kind, form, sizes in (
        ("generated", "generated:{}", [10**k for k in range(4, last + 1)]),
        ("family", "family:{}:2000:1:0.9", [10**k for k in range(3, last)]),
    ):
        for size in sizes:
            found = known(form.format(size))
            if found is None:
                continue
            job = Job("", "whole", found[0], False, THRESHOLD, 1, [plan.core], 0)
            rounds = plan.rounds if size <= 10**5 else 1
            jobs = [(replace(job, tool=tool), rounds) for tool in ("dedup", "dedup-lsh")]
            if size <= (
                10**5 if kind == "generated" else 10**3
            ):  # past that, minutes; families: every pair of a bucket
                jobs.append((replace(job, tool="gaoya"), 1))
            take(plan, "growth", jobs)


def command(plan: Plan, module: str, *arguments: str, cores: list[int] | None = None) -> None:
    """Run another script of this folder, pinned, its results added to ours."""
    pinned = cores or [plan.core]
    line = [sys.executable, "-m", f"benchmarks.{module}", *arguments, "--output", str(plan.output / "raw.jsonl")]
    subprocess.run(
        line, check=False, preexec_fn=lambda: os.sched_setaffinity(0, pinned)
    )  # its status is in its results


def limits(plan: Plan) -> None:
    """What the machine allows."""
    names = [f"generated:{plan.size(20_000)}", "ota_dev"]
    command(plan, "speed.limits", *names[: 1 if plan.short else 2], *(("--rounds", "1") if plan.short else ()))


def serial(plan: Plan) -> None:
    """The serial share."""
    names = [f"generated:{plan.size(size)}" for size in (100_000, 1_000_000)]
    command(plan, "speed.serial_share", *names[: 1 if plan.short else 2], *(() if plan.short else ("ota_dev",)))


def promise(plan: Plan) -> None:
    """The recall of LSH at the threshold."""
    command(plan, "quality.check_recall", "--corpora", "10" if plan.short else "200")


def scripts(plan: Plan) -> None:
    """Shingles for scripts without spaces."""
    command(plan, "quality.quality_scripts")


def noise(plan: Plan) -> None:
    """Shingles for scanned texts."""
    command(plan, "quality.quality_noise", *(("--texts", "200") if plan.short else ()))


def million(plan: Plan) -> None:
    """A thousand documents of a million against all."""
    command(plan, "quality.check_million", "--documents", str(plan.size(10**6)), cores=plan.cores)


RUN: Final[dict[str, Callable[[Plan], None]]] = {
    function.__name__: function
    for function in (rivals, ready, cores, growth, limits, serial, promise, scripts, noise, million)
}


def main(given: list[str] | None = None) -> None:
    """Measure part after part."""
    arguments = sys.argv[1:] if given is None else given
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.campaign", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder for raw.jsonl; added to")
    parser.add_argument("--parts", default=",".join(PARTS), help="names with commas between them")
    parser.add_argument("--core", type=int, default=0, help="the core for runs on one")
    parser.add_argument("--cores", default="0,1", help="the cores for runs on two")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--timeout", type=float, default=900, help="seconds for one measurement")
    chosen = parser.parse_args(arguments)
    parts = chosen.parts.split(",")
    unknown = [part for part in parts if part not in RUN]
    if unknown:
        parser.error(f"expected parts among {', '.join(RUN)}; got {', '.join(unknown)}")
    chosen.output.mkdir(parents=True, exist_ok=True)
    plan = Plan(
        chosen.output, chosen.core, [int(core) for core in chosen.cores.split(",")], chosen.short, chosen.timeout
    )
    named.prepared(WARM_UP)
    shown = ["DIR" if argument == str(chosen.output) else argument for argument in arguments]
    told = shlex.join(["python", "-m", "benchmarks.speed.campaign", *shown])
    now = datetime.now(UTC).isoformat(timespec="seconds")
    plan.write({"kind": "run", "command": told, "machine": report.machine(), "time": now, "short": plan.short})
    for part in parts:
        begun = time.monotonic()
        RUN[part](plan)
        print(f"{part}: {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()

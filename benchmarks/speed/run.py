"""Measure tools beside each other: `python -m benchmarks.speed.run --corpus generated:20000 --tools
dedup,gaoya --repeat 3`.

Tools take turns, so that a slow minute of the machine hits all of them, and each round begins with
the next one. Every measurement is a process of its own on the same cores; see `measure.py` for what
is timed and `README.md` for the columns.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import needs
from benchmarks.corpora import named, truth
from benchmarks.publish import report
from benchmarks.rivals import MODULES
from benchmarks.speed.measure import WARM_UP, Job, in_child


def _arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.run", description=__doc__)
    parser.add_argument("--corpus", action="append", required=True, help="name of a corpus; may be given again")
    parser.add_argument("--tools", default=",".join(MODULES), help="names with commas between them (default: all)")
    parser.add_argument("--path", choices=("whole", "ready", "both"), default="whole")
    parser.add_argument("--repeat", type=int, default=3, help="rounds")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cores", default="0", help="cores to pin to, with commas between them")
    parser.add_argument("--threshold", type=float, default=0.8)
    parser.add_argument("--timeout", type=float, default=1800, help="seconds for one measurement")
    parser.add_argument("--memory", type=float, default=0, help="gigabytes of address space for one measurement")
    parser.add_argument("--no-truth", action="store_true", help="do not measure recall and precision")
    parser.add_argument("--output", type=Path, help="folder for raw.jsonl and summary.md")
    chosen = parser.parse_args(given)
    unknown = [name for name in chosen.tools.split(",") if name not in MODULES]
    if unknown:
        parser.error(f"expected tools among {', '.join(MODULES)}; got {', '.join(unknown)}")
    absent = sorted({int(core) for core in chosen.cores.split(",")} - os.sched_getaffinity(0))
    if absent:
        parser.error(f"this process may not use the cores {absent}")
    return chosen


def _ready_corpora(names: list[str], threshold: float, *, judged: bool) -> list[tuple[named.Corpus, bool]]:
    """The corpora on this machine, each with whether its truth is known."""
    made: list[tuple[named.Corpus, bool]] = []
    for name in names:
        try:
            corpus = named.prepared(name)
        except needs.MissingDataError as error:
            print(f"skipped: {error}", file=sys.stderr)
            continue
        known = judged
        if judged:
            try:
                texts = named.loaded(corpus.path)
                truth.kept(texts, corpus.digest, named.cache_folder(), threshold)
            except truth.TooManyPairsError as error:
                print(f"{name} is not judged: {error}", file=sys.stderr)
                known = False
        made.append((corpus, known))
    return made


def measure(chosen: argparse.Namespace) -> tuple[list[named.Corpus], list[dict[str, Any]]]:
    """All rounds of all tools on all named."""
    named.prepared(WARM_UP)
    cores = [int(core) for core in chosen.cores.split(",")]
    paths = ("whole", "ready") if chosen.path == "both" else (chosen.path,)
    tools = chosen.tools.split(",")
    results: list[dict[str, Any]] = []
    found = _ready_corpora(chosen.corpus, chosen.threshold, judged=not chosen.no_truth)
    for corpus, known in found:
        print(report.title(corpus), file=sys.stderr)
        for turn in range(chosen.repeat):
            first = turn % len(tools)
            for name in tools[first:] + tools[:first]:
                for path in paths:
                    job = Job(
                        name,
                        path,
                        corpus,
                        known,
                        chosen.threshold,
                        chosen.threads,
                        cores,
                        chosen.memory,
                    )
                    result = in_child(job, chosen.timeout)
                    if "absent" in result:  # the tool has no such path
                        continue
                    shown = result.get("error") or f"{result['seconds']:.3f} s"
                    print(f"  round {turn + 1}  {name} {path}  {shown}", file=sys.stderr, flush=True)
                    results.append(
                        {
                            "tool": name,
                            "path": path,
                            "corpus": corpus.name,
                            "digest": corpus.digest,
                            "bytes": corpus.bytes,
                            "round": turn + 1,
                            "threads": chosen.threads,
                            "cores": len(cores),
                            "threshold": chosen.threshold,
                            "time": datetime.now(UTC).isoformat(timespec="seconds"),
                            **result,
                        }
                    )
    return [corpus for corpus, _ in found], results


def main(given: list[str] | None = None) -> None:
    """Measure, print the tables, and write them to the output folder if there is one."""
    arguments = sys.argv[1:] if given is None else given
    chosen = _arguments(arguments)
    measured, results = measure(chosen)
    for corpus in measured:
        print(f"\n{report.title(corpus)}\n\n{report.text_table(report.rows(results, corpus))}")
        print("\n".join(report.ratios(results, corpus)))
    if chosen.output:
        report.write(
            chosen.output,
            shlex.join(["python", "-m", "benchmarks.speed.run", *arguments]),
            measured,
            results,
        )


if __name__ == "__main__":
    main()

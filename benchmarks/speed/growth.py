"""How time grows with the corpus: `python -m benchmarks.speed.growth --sizes 10000,100000 --tools dedup`.

Two kinds of corpus: generated news, and one family of near copies, where methods that look at each
pair of a bucket are quadratic. Printed for each size: the shortest of a few runs, and the exponent
e of time ~ documents**e since the size before. 1 is linear. Sizes of 10**6 need a few gigabytes for
the texts alone.
"""

from __future__ import annotations

import argparse
import sys
from math import log

from benchmarks.corpora import named
from benchmarks.publish import report
from benchmarks.speed.measure import WARM_UP, Job, in_child

KINDS = {"generated": "generated:{}", "family": "family:{}:2000:1:0.9"}


def grown(job: Job, repeat: int, timeout: float) -> tuple[float, int] | str:
    """Shortest time and its memory, or what went wrong."""
    best: tuple[float, int] | None = None
    for _ in range(repeat):
        result = in_child(job, timeout)
        if "error" in result:
            return str(result["error"])
        if best is None or result["seconds"] < best[0]:
            best = (result["seconds"], result["memory"])
    return best or "not run"


def main(given: list[str] | None = None) -> None:
    """Measure and print, a line as soon as it is known."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.growth", description=__doc__)
    parser.add_argument("--sizes", default="10000,100000", help="numbers of documents with commas between them")
    parser.add_argument("--tools", default="dedup")
    parser.add_argument("--kinds", default=",".join(KINDS), help="generated, family or both with a comma between")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cores", default="0")
    parser.add_argument("--threshold", type=float, default=0.8)
    parser.add_argument("--timeout", type=float, default=3600)
    parser.add_argument("--memory", type=float, default=0, help="gigabytes of address space for one measurement")
    chosen = parser.parse_args(sys.argv[1:] if given is None else given)
    print("\n".join(report.machine()))
    named.prepared(WARM_UP)
    cores = [int(core) for core in chosen.cores.split(",")]
    for tool in chosen.tools.split(","):
        for kind in chosen.kinds.split(","):
            before: tuple[int, float] | None = None
            for size in (int(size) for size in chosen.sizes.split(",")):
                corpus = named.prepared(KINDS[kind].format(size))
                job = Job(
                    tool,
                    "whole",
                    corpus,
                    False,
                    chosen.threshold,
                    chosen.threads,
                    cores,
                    chosen.memory,
                )
                found = grown(job, chosen.repeat, chosen.timeout)
                if isinstance(found, str):
                    print(f"{tool:14} {report.title(corpus)}  {found}", flush=True)
                    break
                seconds, memory = found
                line = f"{tool:14} {report.title(corpus)}  {seconds:.3f} s"
                line += f"  {memory / corpus.bytes:.2f} bytes a byte"
                if before:
                    line += f"  exponent {log(seconds / before[1]) / log(size / before[0]):.3f}"
                print(line, flush=True)
                before = (size, seconds)


if __name__ == "__main__":
    main()

"""What a user waits for: `import dedup`, and `dedup repeats FILE` for the very first time and ever
after.

Each figure is the median of new processes. The import is timed inside the process, so the start of
Python is not in it; the command is timed from outside, with the start of Python in it, as a user
sees it. The first run of the command begins with an empty folder for compiled kernels
(NUMBA_CACHE_DIR), the warm runs use what that one left there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from statistics import median

from benchmarks.corpora import news
from benchmarks.publish import report

IMPORT = "import time; t = time.perf_counter(); import dedup; print(time.perf_counter() - t)"


def seconds(command: list[str], environment: Mapping[str, str]) -> float:
    """Wall clock of a command; its own failure is an error here."""
    clock = time.perf_counter()
    ended = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    spent = time.perf_counter() - clock
    if ended.returncode:
        raise SystemExit(f"{' '.join(command[1:4])} ended with {ended.returncode}: {ended.stderr.strip()[-500:]}")
    return spent


def article(folder: Path) -> Path:
    """Write a generated news page whose body occurs twice; return its path."""
    body = next(chain.from_iterable(news.generate(1, 4500, 7)))
    path = folder / "article.txt"
    path.write_text(
        f"A line that occurs once\n{body}\n{body}\nAnother line that occurs once\n",
        encoding="utf-8",
    )
    return path


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.bench_import", description=__doc__)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--file", type=Path, help="the text for `dedup repeats` (default: a generated page)")
    chosen = parser.parse_args()
    python = sys.executable
    print("\n".join(report.machine()))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "kernels")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # users do not compile at each start
        imports = [
            float(
                subprocess.run(
                    [python, "-c", IMPORT],
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
            )
            for _ in range(chosen.repeat)
        ]
        starts = [seconds([python, "-c", "pass"], environment) for _ in range(chosen.repeat)]
        command = [python, "-m", "dedup", "repeats", str(chosen.file or article(folder))]
        first = seconds(command, environment)
        warm = [seconds(command, environment) for _ in range(chosen.repeat)]
    for label, times in (
        ("import dedup", imports),
        ("start of Python alone", starts),
        ("dedup repeats FILE, first run, kernels compiled", [first]),
        ("dedup repeats FILE, warm", warm),
    ):
        spread = f"({min(times):.3f}-{max(times):.3f}, {len(times)} runs)"
        print(f"{label:48} {median(times):7.3f} s  {spread}")


if __name__ == "__main__":
    main()

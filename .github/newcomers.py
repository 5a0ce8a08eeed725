"""Do the jobs of newcomers, each in an environment of its own that has only what its page names.

    python .github/newcomers.py                  all of docs/examples/jobs, three files of 300 MB among them
    python .github/newcomers.py titles service   some of them

One wheel is built from this clone. For each job a new virtual environment gets the wheel, with the extras and packages
that the head of its script names, and the script runs in an empty folder. Needs pip, bash and a connection to a package
registry. Prints what each job took; ends with 1 if one failed.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
JOBS = ROOT / "docs" / "examples" / "jobs"
MEMORY = 1_000_000_000
"""Bytes that a process of the job `larger-than-memory` may take, at most."""


class Needs(NamedTuple):
    """What a script asks for: extras of the wheel, and other packages."""

    extras: list[str]
    packages: list[str]


def needs(script: Path) -> Needs:
    """Return what the head of a script names."""
    head = script.read_text(encoding="utf-8")
    extras, packages = (re.search(rf"^# {name}: (.*)$", head, re.MULTILINE) for name in ("Extras", "Packages"))
    return Needs(extras[1].split() if extras else [], packages[1].split() if packages else [])


def built(folder: Path) -> Path:
    """Build the wheel, and return it."""
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT], check=True)
    return next(folder.glob("*.whl"))


class Done(NamedTuple):
    """How a job ended."""

    ended: int
    said: str
    installing: float
    seconds: float
    memory: int
    """Bytes of its largest process."""


def do(script: Path, wheel: Path, folder: Path, megabytes: int) -> Done:
    """Do one job."""
    began = time.monotonic()
    place, environment = folder / "place", folder / "environment"
    place.mkdir(parents=True)
    venv.create(environment, with_pip=True)
    asked = needs(script)
    bin_folder = environment / ("Scripts" if os.name == "nt" else "bin")
    named = f"{wheel}[{','.join(asked.extras)}]" if asked.extras else str(wheel)
    subprocess.run([bin_folder / "python", "-m", "pip", "install", "-q", named, *asked.packages], check=True)
    installed = time.monotonic()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DEDUP_", "PYTHON"))}
    program = [bin_folder / "python", script] if script.suffix == ".py" else ["bash", "-euo", "pipefail", script]
    with open(folder / "said.txt", "w+b") as said:
        running = subprocess.Popen(
            program,
            cwd=place,
            env={
                **kept,
                "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
                "VIRTUAL_ENV": str(environment),
                "EXAMPLES": str(JOBS.parent),
                "MEGABYTES": str(megabytes),
            },
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        ended, memory = waited(running)
        said.seek(0)
        text = said.read().decode(errors="replace")
    return Done(ended, text, installed - began, time.monotonic() - installed, memory)


def waited(running: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Wait for a process. Return its code, and the bytes of the largest process that it started; 0 if not known."""
    if not hasattr(os, "wait4"):
        return running.wait(), 0
    _, status, used = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    return running.returncode, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Do the jobs, and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", nargs="*", help="names of jobs; by default all")
    parser.add_argument("--wheel", type=Path, help="a wheel that was built before")
    parser.add_argument("--megabytes", type=int, default=300, help="the size of a file of larger-than-memory")
    asked = parser.parse_args()
    scripts = sorted(path for path in JOBS.iterdir() if not asked.jobs or path.stem in asked.jobs)
    if unknown := set(asked.jobs) - {path.stem for path in scripts}:
        parser.error(f"expected names of jobs, found {', '.join(sorted(unknown))}")
    failed = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = asked.wheel.resolve() if asked.wheel else built(folder)
        for script in scripts:
            done = do(script, wheel, folder / script.stem, asked.megabytes)
            too_large = script.stem == "larger-than-memory" and done.memory > MEMORY
            if done.ended or too_large:
                failed.append(script.stem)
                print(done.said)
            state = "too large" if too_large else "failed" if done.ended else "done"
            print(
                f"{script.stem:20} {state:9} installed in {done.installing:5.1f} s, done in {done.seconds:6.1f} s, "
                f"largest process {done.memory / 1e6:5.0f} MB",
                flush=True,
            )
    print(f"{len(scripts) - len(failed)} of {len(scripts)} jobs are done")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()

"""Build the library of kernels: ``python -m dedup.kernels.native.build [--output FOLDER] [--levels v2,v3]``.

numba writes LLVM's code of each kernel once (`dedup.kernels.native.drafts`). LLVM optimises it for each processor
level. The C compiler links the object files with `library.c` into one extension module of the stable ABI. The build
needs numba, a C compiler (``CC``, otherwise ``cc``) and Python's headers. Several processes share the modules, since
numba's compiler holds a lock.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import pkgutil
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import llvmlite.binding as llvm

import dedup.kernels
from dedup.kernels import native
from dedup.kernels.digest import LIBRARY, source_digest
from dedup.kernels.native import drafts
from dedup.kernels.signatures import KERNELS, name_of, spelled

__all__ = ["FILE", "LEVELS", "build", "levels_here", "main"]

FILE = "library.abi3.so"

LEVELS = {
    "x86_64": {"v2": "x86-64-v2", "v3": "x86-64-v3", "v4": "x86-64-v4"},
    "aarch64": {"baseline": "generic"},
}
"""For each machine: the processor levels, lowest first, and LLVM's name of each."""

NEEDED = {
    "v2": ("ssse3", "sse4.2", "popcnt"),
    "v3": ("avx2", "fma", "bmi", "bmi2"),
    "v4": ("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"),
}
"""The features that a level requires of a processor, in addition to the level below; the same as `able` in
`library.c`."""

FOLDER = Path(__file__).parent
FLAGS = ("-shared", "-fPIC", "-O2", "-fvisibility=hidden", "-Wall", "-Wl,-Bsymbolic")


class Entry(NamedTuple):
    """A kernel in the library: its name, parameters, results, symbols of its entries, and an object file for each."""

    name: str
    parameters: str
    results: str
    symbols: tuple[str, ...]
    objects: dict[str, bytes]


def levels_here() -> dict[str, str]:
    """Return the levels of this machine; none if no library can be built."""
    return LEVELS.get(os.uname().machine, {}) if sys.platform == "linux" else {}


def levels_of_this_processor() -> list[str]:
    """Return the lowest level, which runs everywhere, and the best level that this processor can run."""
    known = list(levels_here())
    if len(known) < 2:
        return known
    found = llvm.get_host_cpu_features()
    able = [level for level in known if all(found.get(feature, False) for feature in NEEDED[level])]
    return sorted({known[0], *able[-1:]})


def modules() -> list[str]:
    """Return the modules of kernels, the longest first."""
    (folder,) = dedup.kernels.__path__
    names = [module.name for module in pkgutil.iter_modules([folder]) if not module.ispkg]
    return sorted(names, key=lambda name: -(Path(folder) / f"{name}.py").stat().st_size)


def compile_module(job: tuple[str, Sequence[str]]) -> list[Entry]:
    """Compile the kernels of one module for some levels."""
    module, levels = job
    importlib.import_module(f"dedup.kernels.{module}")
    machines = {level: drafts.target_machine(LEVELS[os.uname().machine][level]) for level in levels}
    entries = []
    for function in KERNELS:
        if function.__module__ != f"dedup.kernels.{module}":
            continue
        parameters, results, symbols, objects = spelled(function), "", [], {}
        for signed in "qi" if ":s" in parameters else "q":
            symbol = f"dedup_{module}_{function.__name__}_{signed}"
            library, results = drafts.draft(function, symbol, signed)
            symbols.append(symbol)
            for level, machine in machines.items():
                objects[f"{symbol}_{level}"] = drafts.object_code(library, machine, symbol, f"{symbol}_{level}")
        entries.append(Entry(name_of(function), parameters, results, tuple(symbols), objects))
    return entries


def table(entries: Iterable[Entry], levels: Sequence[str], stamp: str) -> str:
    """Return the header that lists the kernels for `library.c`; `stamp` is the sources' digest and the levels."""
    entries = list(entries)
    names = ", ".join(f'"{level}"' for level in levels)
    lines = ["typedef int32_t (*code_of_kernel)(const int64_t *, int64_t *);"]
    lines += [f"int32_t {name}(const int64_t *, int64_t *);" for entry in entries for name in entry.objects]
    lines += [
        f"enum {{ LEVELS = {len(levels)}, ENTRIES = {len(entries)} }};",
        f'static const char STAMP[] = "{stamp}";',
        f"static const char *const level_names[] = {{{names}}};",
        "struct entry { const char *name, *parameters, *results; code_of_kernel code[LEVELS][2]; };",
        "static const struct entry entries[] = {",
    ]
    for entry in entries:
        rows = [", ".join(f"{symbol}_{level}" for symbol in entry.symbols) for level in levels]
        code = ", ".join(f"{{{row}}}" for row in rows)
        lines.append(f'    {{"{entry.name}", "{entry.parameters}", "{entry.results}", {{{code}}}}},')
    return "\n".join([*lines, "};", ""])


def compiler() -> list[str]:
    """Return the C compiler and its first arguments. Raise an error that says what is missing, if anything is."""
    command = shlex.split(os.environ.get("CC", "")) or ["cc"]
    if shutil.which(command[0]) is None:
        raise OSError(f"expected a C compiler, found no {command[0]}; install one, or name it in the variable CC")
    headers = sysconfig.get_paths()["include"]
    if not (Path(headers) / "Python.h").exists():
        raise OSError(f"expected Python's headers in {headers}, found no Python.h there; install them (python3-dev)")
    with tempfile.TemporaryDirectory() as folder:  # the kernels take a minute, and then it is too late
        source = Path(folder) / "tried.c"
        source.write_text("#include <Python.h>\nint tried(void) { return 0; }\n", encoding="utf-8")
        trial = [*command, *FLAGS, "-I", headers, "-o", str(Path(folder) / "tried.so"), str(source)]
        done = subprocess.run(trial, capture_output=True, encoding="utf-8", errors="replace", check=False)  # noqa: S603
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["nothing"])[0]
        raise OSError(f"expected a C compiler that works, found that {shlex.join(command)} says: {said}")
    return command


def build(output: Path, levels: Sequence[str], jobs: int) -> Path:
    """Build the library for some levels in the folder `output`, unless it is there already; return its path."""
    stamp, target = f"{source_digest(*LIBRARY)} {','.join(levels)}", output / FILE
    if target.exists() and stamp.encode() in target.read_bytes():
        return target
    command = compiler()
    drafts.prepare()
    work = [(module, levels) for module in modules()]
    context = multiprocessing.get_context("fork")  # child processes inherit the modules that are imported here
    with context.Pool(min(jobs, len(work))) as pool:
        entries = [entry for found in pool.imap_unordered(compile_module, work, chunksize=1) for entry in found]
    entries.sort()
    with tempfile.TemporaryDirectory() as folder:
        objects = []
        for entry in entries:
            for name, code in entry.objects.items():
                objects.append(Path(folder) / f"{name}.o")
                objects[-1].write_bytes(code)
        (Path(folder) / "table.h").write_text(table(entries, levels, stamp), encoding="utf-8")
        made = Path(folder) / FILE
        include = ["-I", sysconfig.get_paths()["include"], "-I", folder]
        subprocess.run(  # noqa: S603  # the user's compiler
            [*command, *FLAGS, *include, "-o", str(made), str(FOLDER / "library.c"), *map(str, objects)], check=True
        )
        output.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, output / f".{FILE}")
        os.replace(output / f".{FILE}", target)  # a process that has mapped the old file keeps it
    return target


def main() -> None:
    """Build the library as the command line says."""
    known = levels_here()
    parser = argparse.ArgumentParser(prog="python -m dedup.kernels.native.build", description="Build the kernels.")
    parser.add_argument("--output", type=Path, default=FOLDER, help="the folder for the library; default: the package")
    parser.add_argument("--levels", default=",".join(known), help=f"some of {','.join(known)}, or here")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes")
    given = parser.parse_args()
    levels = levels_of_this_processor() if given.levels == "here" else given.levels.split(",")
    wrong = [level for level in levels if level not in known]
    if wrong:
        parser.error(f"expected levels among {', '.join(known) or 'none (not Linux)'}, found {', '.join(wrong)}")
    if native.COMPLETE:  # kernels of the library cannot be compiled: start again with numba
        arguments = [sys.executable, "-m", __spec__.name, *sys.argv[1:]]
        os.execve(sys.executable, arguments, {**os.environ, native.KERNELS_VARIABLE: native.JIT})  # noqa: S606  # ourselves
    print(build(given.output, [level for level in known if level in levels], given.jobs))


if __name__ == "__main__":
    main()

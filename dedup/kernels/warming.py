"""Compile kernels beforehand, in several processes: numba's compiler holds a lock, so threads do not help.

When the first kernel is compiled in a process, one line on stderr announces it at once. If the command that runs is
known (`expect`), all kernels that it calls are then compiled in parallel, and loaded from disk.

    python -m dedup.kernels.warming CLAIMS [--narrow] NAME...     compiles some kernels (``module.kernel``), keeps them

Each process takes a module, compiles its kernels, and takes the next one: it makes a file in the folder `CLAIMS`, which
only one of them can.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from dedup.kernels.signatures import KERNELS, name_of

__all__ = ["GROUPS", "QUIET", "all_kernels", "expect", "main", "missing", "warm"]

NARROW = "--narrow"
"""Of kernels that are compiled for two widths of numbers, only the narrow one. The wide one is for more than 2^29
tokens, where a few seconds more do not matter."""

SLOWEST = ("chains", "tokens", "shingles", "text", "self_join", "utf8")
"""Modules whose kernels take 5 to 12 s to compile, the slowest first; the others take up to 4 (busy core, 2026-11)."""

QUIET = "DEDUP_KERNELS_QUIET"
"""Set in processes that compile for another process, which has already announced it."""

TEXT_PARTS = (
    "json_strings.unescape", "shingles.shingle_texts", "sets.distinct", "lsh.seen_twice", "sketches.sketch_lowest",
)  # fmt: skip
JOIN = (
    "seen_twice.lowest_hashes", "seen_twice.tally", "seen_twice.scatter", "seen_twice.mark", "seen_twice.alone",
    "counters.count_below", "counters.tally", "counters.scatter", "counters.count_part", "counters.gather",
    "self_join.prefix_lengths", "self_join.prefixes", "prefix_index.tally_keys", "prefix_index.scatter_keys",
    "prefix_index.fill_part", "self_join.probe", "clusters.earlier", "clusters.stars",
)  # fmt: skip
PASSAGES = (
    "tokens.locate", "text.split_texts", "text.character_places", "windows.find_anchors_of_numbers",
    "vocabulary.number_tokens", "vocabulary.widen_vocabulary", "windows.find_first", "windows.write_blocks",
    "maximal.longest_earlier",
)  # fmt: skip
CHAINS = (
    "window_table.mark_grams", "window_table.place_windows", "chains.link_seeds", "chains.build_chains",
    "chains.choose_chains",
)  # fmt: skip
GROUPS: dict[str, tuple[str, ...]] = {
    "find": (*TEXT_PARTS, *JOIN, "forms.hash_texts", "listing.both_ways", "listing.count_listed", "listing.spell_out"),
    "estimate": ("utf8.encode_strings", "utf8.measure_strings", *TEXT_PARTS, *JOIN),
    "match": (
        *TEXT_PARTS, *PASSAGES, "cross_join.mark_side", "cross_join.meets", "counters.tally", "counters.scatter",
        "counters.count_sides", "counters.gather", "cross_join.probe_across", "cross_join.stand", "self_join.prefixes",
        "prefix_index.tally_keys", "prefix_index.scatter_keys", "prefix_index.fill_part", "tokens.tokenise",
        "tokens.locate_texts", "forms.hash_texts",
        "listing.both_ways", "listing.count_listed", "listing.spell_out",
        *CHAINS, "seeds.write_sparse_seeds",
    ),
    "repeats": (*PASSAGES, *CHAINS, "seeds.write_seeds"),
    "index": (
        "utf8.encode_strings", "utf8.measure_strings", "json_strings.unescape", "shingles.shingle_texts",
        "sets.distinct", "index_sets.seal_sets", "index_sets.seal_rows", "index_memtable.choose",
        "index_memtable.enter", "index_memtable.probe_chains", "index_memtable.filter_rows", "index_postings.pack",
        "index_postings.expand", "index_search.probe", "index_search.lookup",
    ),
    "compare": (
        "utf8.encode_strings", "utf8.measure_strings", "shingles.shingle_texts", "sets.distinct", "tokens.locate",
        "text.character_places", "maximal.longest_earlier",
    ),
}  # fmt: skip
"""The kernels that each command calls on plain input, by the name of the command."""

_expected: tuple[str, ...] = ()
_announced = QUIET in os.environ
_quiet = False


def expect(command: str | None, *, quiet: bool = False) -> None:
    """Record which command runs: if a kernel is missing, all kernels of that command are compiled at once.

    With `quiet` this is not announced.
    """
    global _expected, _quiet  # of the process, as the command is
    _expected, _quiet = GROUPS.get(command or "", ()), quiet


def missing() -> None:
    """Announce, once per process, that kernels are compiled; compile the expected ones in several processes."""
    global _announced  # noqa: PLW0603  # once a process
    if _announced:
        return
    _announced = True
    if sys.stderr is not None and not _quiet:
        print(
            "dedup: compiling kernels, once, about 20 s (dedup warmup does it beforehand)", file=sys.stderr, flush=True
        )
    if _expected:
        warm(_expected, narrow=True)


def all_kernels() -> list[str]:
    """Return the names of all kernels, ordered by module and then as in the module."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if not module.ispkg:
            importlib.import_module(f"dedup.kernels.{module.name}")
    return [name_of(function) for function in KERNELS]


def warm(names: Iterable[str], processes: int | None = None, *, narrow: bool = False) -> bool:
    """Compile some kernels in several processes and keep them on disk; return False if that cannot be done here.

    With `narrow`, kernels for two widths are compiled for the first run of a command: see `NARROW`.

    The kernels of a module are compiled in one process, since they share parts. By default there is one process per
    processor, but four at most.
    """
    from dedup.kernels.cache import cache_folders

    folders = cache_folders()
    count = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1, 4)
    count = count if processes is None else processes
    if count < 2 or getattr(sys, "frozen", False) or not folders or not folders[-1].writable:
        return False
    ordered = [name for _, members in sorted(_modules(names).items(), key=_by_time) for name in members]
    environment = {**os.environ, QUIET: "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    with tempfile.TemporaryDirectory() as claims:
        command = [sys.executable, "-m", __name__, claims, *([NARROW] if narrow else []), *ordered]
        started = [subprocess.Popen(command, env=environment) for _ in range(count)]  # noqa: S603
        try:
            ended = [process.wait() for process in started]
            return not any(ended)
        finally:
            for process in started:
                process.kill()  # after an interrupt; no effect on a process that has ended
                process.wait()


def _modules(names: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(name.partition(".")[0], []).append(name)
    return found


def _by_time(module: tuple[str, list[str]]) -> tuple[int, int]:
    """Return a key by which those modules come first whose kernels take the longest to compile.

    Of most, the length of the source is a measure of the time.
    """
    source = Path(__file__).parent / f"{module[0]}.py"
    length = source.stat().st_size if source.exists() else 1
    return SLOWEST.index(module[0]) if module[0] in SLOWEST else len(SLOWEST), -length


def main() -> None:
    """Compile the kernels that the command line names, as far as no other process does."""
    claims, names = Path(sys.argv[1]), [name for name in sys.argv[2:] if name != NARROW]
    for module, members in _modules(names).items():
        try:
            (claims / module).touch(exist_ok=False)
        except OSError:
            continue
        for name in members:
            entries = getattr(importlib.import_module(f"dedup.kernels.{module}"), name.partition(".")[2]).entries
            for width, entry in entries.items():
                if width != "q" or len(entries) == 1 or NARROW not in sys.argv:
                    entry.prepare()


if __name__ == "__main__":
    main()

"""From raw results to a table: one row per tool and path, with speed and agreement."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.corpora.named import Corpus

Result = dict[str, Any]

COPIES: Final = 0.99  # share of the pairs of identical texts that a rival must find to count as one
_COLUMNS: Final = (
    "tool",
    "path",
    "s (min-max)",
    "MB/s",
    "cpu s",
    "peak MB",
    "B/B",
    "reported",
    "recall",
    "precision",
    "copies",
    "version, settings",
)


def _percent(share: float | None, unit: str) -> str:
    """Percent, cut and not rounded, so that 100 means all; a star where documents are judged."""
    if share is None:
        return "-"
    shown = "100" if share == 1 else f"{int(share * 10_000) / 100:.2f}"
    return shown + ("*" if unit == "documents" else "")


def rows(results: Iterable[Result], corpus: Corpus) -> list[tuple[str, ...]]:
    """The table's rows for one corpus, fastest first within each path."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        if result["corpus"] == corpus.name:
            groups.setdefault((result["path"], result["tool"]), []).append(result)
    made: list[tuple[str, float, tuple[str, ...]]] = []
    for (path, name), runs in groups.items():
        good = [run for run in runs if "error" not in run]
        if not good:
            made.append((path, float("inf"), (name, path, *["-"] * 9, runs[0]["error"])))
            continue
        seconds = [run["seconds"] for run in good]
        middle, memory, last = median(seconds), median(run["memory"] for run in good), good[-1]
        spread = f"{middle:.3g} ({min(seconds):.3g}-{max(seconds):.3g})"
        shares = (_percent(last[key], last["unit"]) for key in ("recall", "precision", "copies"))
        note = f"{last['version']}, {last['settings']}" + ("; samples tokens" if last["samples"] else "")
        row = (
            name,
            path,
            spread,
            f"{corpus.bytes / 1e6 / middle:.1f}",
            f"{median(run['cpu_seconds'] for run in good):.3g}",
            f"{memory / 1e6:.0f}",
            f"{memory / max(1, corpus.bytes):.2f}",
            f"{last['reported']:,}",
            *shares,
            note,
        )
        made.append((path, middle, row))
    return [row for _, _, row in sorted(made, key=lambda item: (item[0] != "whole", item[1]))]


def ratios(results: Iterable[Result], corpus: Corpus) -> list[str]:
    """Our whole paths beside the fastest rival that names pairs, finds copies, never samples."""
    times: dict[str, list[float]] = {}
    ours: set[str] = set()
    for run in results:
        if run["corpus"] != corpus.name or run["path"] != "whole" or "error" in run:
            continue
        if run["ours"]:
            ours.add(run["tool"])
        elif run["samples"] or run["unit"] != "pairs" or (run["copies"] is not None and run["copies"] < COPIES):
            continue
        times.setdefault(run["tool"], []).append(run["seconds"])
    rivals = {name: median(seconds) for name, seconds in times.items() if name not in ours}
    if not rivals:
        return []
    documented = {name: seconds for name, seconds in rivals.items() if not name.endswith("-tuned")}
    lines = ["Against rivals that name pairs, find 99 % of the copies and sample nothing:"]
    for label, group in (("documented ways", documented), ("tuned ones too", rivals)):
        if group:
            best = min(group, key=lambda name: group[name])
            told = ", ".join(f"{name} {group[best] / median(times[name]):.2f}" for name in sorted(ours & times.keys()))
            lines.append(f"fastest, {label}, is {best}; times its speed: {told}")
    for rival in ("datasketch", "gaoya"):
        if rival in rivals:
            told = ", ".join(
                f"{name} {rivals[rival] / median(times[name]):.2f}" for name in sorted(ours & times.keys())
            )
            lines.append(f"times the speed of {rival}: {told}")
    return lines


def text_table(table: list[tuple[str, ...]]) -> str:
    """The table for a terminal."""
    widths = [max(len(row[column]) for row in [_COLUMNS, *table]) for column in range(len(_COLUMNS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [_COLUMNS, *table]
    ]
    return "\n".join(line.rstrip() for line in lines)


def markdown_table(table: list[tuple[str, ...]]) -> str:
    """The table for a page."""
    rule = tuple("---" for _ in _COLUMNS)
    return "\n".join("| " + " | ".join(row) + " |" for row in [_COLUMNS, rule, *table])


def title(corpus: Corpus) -> str:
    """A corpus in a line."""
    size = f"{corpus.documents:,} documents, {corpus.bytes / 1e6:.1f} MB"
    return f"{corpus.name}: {size}, digest {corpus.digest}"


def machine() -> list[str]:
    """Processor, system and versions; nothing that names the machine or its owner."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    packages = []
    for name in ("numpy", "numba", "pyarrow"):
        try:
            packages.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    told = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return [
        f"processor: {model}, {os.cpu_count()} cores visible",
        f"system: {platform.system()} {platform.release()}",
        f"python: {platform.python_implementation()} {platform.python_version()}",
        f"packages: {', '.join(packages)}",
        f"commit: {told.stdout.strip() or 'none'}",
    ]


def write(folder: Path, command: str, corpora: list[Corpus], results: list[Result]) -> None:
    """`raw.jsonl` and `summary.md` in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "raw.jsonl").write_text("".join(json.dumps(result, sort_keys=True) + "\n" for result in results))
    lines = ["# Run", "", f"    {command}", "", *(f"- {line}" for line in machine())]
    for corpus in corpora:
        lines += ["", f"## {title(corpus)}", "", markdown_table(rows(results, corpus))]
        lines += ["", *ratios(results, corpus)]
    (folder / "summary.md").write_text("\n".join(lines).rstrip() + "\n")

"""From the raw results of a campaign to the page: `python -m benchmarks.publish.page DIR [--docs docs]`.

Writes the page ``explanation/benchmarks.md`` with its plots in ``explanation/images``. Every
figure on the page comes from ``DIR/raw.jsonl``; nothing is typed by hand. A part that was not measured is left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from math import log
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.publish import plots
from benchmarks.publish.plots import good, middle, names_of, tools_of
from benchmarks.publish.report import COPIES

Result = dict[str, Any]
Lines = list[str]

TARGETS: Final = {"dedup": (15.0, 10.0), "dedup-lsh": (20.0, 13.0)}
"""Times the fastest rival: usually, and on the corpora of `LONG`."""

LONG: Final = ("ota_dev", "dc_laws_dev")
"""Corpora of long texts that share much, of which each takes more time to compare."""


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Lines:
    """A table for a page, numbers at the right."""
    head = list(head)
    rule = ["---" if place == 0 else "---:" for place in range(len(head))]
    return ["| " + " | ".join(row) + " |" for row in [head, rule, *map(list, rows)]] + [""]


def percent(share: float | None, unit: str = "pairs") -> str:
    """Percent, cut and not rounded, so that 100 means all; a star where documents are judged."""
    if share is None:
        return "-"
    return ("100" if share == 1 else f"{int(share * 10_000) / 100:.2f}") + ("*" if unit == "documents" else "")


def described(row: Result) -> str:
    """A corpus in words."""
    return f"`{row['corpus']}`, {row['documents']:,} texts, {row['bytes'] / 1e6:.1f} MB"


def picture(drawn: list[str], name: str, what: str) -> Lines:
    """The plot, where it was drawn."""
    return [f"![{what}](images/{name}.png)", ""] if name in drawn else []


def counts(row: Result) -> bool:
    """Whether a row is a rival that targets are about: it names pairs, finds the copies, samples nothing."""
    return not row["ours"] and not row["samples"] and row["unit"] == "pairs" and (row["copies"] or 1.0) >= COPIES


def of_readers(results: list[Result], drawn: list[str]) -> Lines:  # noqa: ARG001  # as the other parts
    """One table for those who read no further: each tool as it is documented, on all corpora."""
    rows = [row for row in good(results, "rivals", path="whole") if not row["tool"].endswith("-tuned")]
    if not rows:
        return []
    corpora, last = names_of(rows), {(row["tool"], row["corpus"]): row for row in rows}

    def speed(tool: str, corpus: str) -> float:
        mine = [row for row in rows if (row["tool"], row["corpus"]) == (tool, corpus)]
        return mine[-1]["bytes"] / 1e6 / middle(mine, "seconds") if mine else 0.0

    def each(tool: str, cell: Callable[[Result], str]) -> str:
        return ", ".join(cell(last[tool, corpus]) if (tool, corpus) in last else "-" for corpus in corpora)

    body = [
        [
            tool,
            each(tool, lambda row: f"{speed(row['tool'], row['corpus']):.0f}"),
            each(tool, lambda row: percent(row["recall"], row["unit"])),
            each(tool, lambda row: percent(row["precision"], row["unit"])),
            each(tool, lambda row: f"{row['memory'] / row['bytes']:.1f}"),
        ]
        for tool in sorted(tools_of(rows), key=lambda tool: -sum(speed(tool, corpus) for corpus in corpora))
    ]
    return [
        "## In one table",
        "",
        f"From strings to pairs on one core, each tool as its documents say: {', '.join(corpora)}.",
        "",
        *table(("tool", "MB of text a second", "recall %", "precision %", "bytes a byte"), body),
        "`dedup` is the exact method, which is the default. What the columns mean, and more of each run, is below.",
        "",
    ]


def of_tools(results: list[Result], drawn: list[str]) -> Lines:
    """Speed, memory and agreement."""
    rows = good(results, "rivals", path="whole")
    if not rows:
        return []
    lines = ["## From strings to pairs", "", "One core, word 5-grams, threshold 0.8. Medians of the runs.", ""]
    lines += picture(drawn, "speed", "Megabytes of text per second by tool")
    for corpus in names_of(rows):
        here = [row for row in rows if row["corpus"] == corpus]
        lines += [f"{described(here[0])}:", ""]
        body = []
        for tool in sorted(tools_of(here), key=lambda tool: middle([r for r in here if r["tool"] == tool], "seconds")):
            mine = [row for row in here if row["tool"] == tool]
            seconds, last = middle(mine, "seconds"), mine[-1]
            spread = f"{min(r['seconds'] for r in mine):.3g}-{max(r['seconds'] for r in mine):.3g}"
            shares = [percent(last[name], last["unit"]) for name in ("recall", "precision", "copies")]
            body.append(
                [
                    f"{tool} {last['version'] if last['version'] != 'source tree' else ''}".strip(),
                    f"{seconds:.3g} ({spread}, {len(mine)})",
                    f"{last['bytes'] / 1e6 / seconds:.1f}",
                    f"{middle(mine, 'memory') / last['bytes']:.2f}",
                    f"{last['reported']:,}",
                    *shares,
                ]
            )
        lines += table(
            ("tool", "s (min-max, runs)", "MB/s", "bytes a byte", "reported", "recall %", "precision %", "copies %"),
            body,
        )
        lines += ratios(here)
    failed = [row for row in results if row["kind"] in {"rivals", "ready"} and "error" in row]
    lines += [f"{row['tool']} failed on `{row['corpus']}`: {row['error']}" for row in failed]
    lines += [
        '`dedup` is the exact method, `dedup-lsh` is `method="lsh"` at recall 0.999. Recall and precision compare',
        "with all pairs of texts whose sets of word 5-grams reach the threshold, as independent code finds them.",
        "`copies %` is the recall of identical texts. `*`: scored per document, because the tool does not name",
        "pairs. The targets are ours.",
        "",
    ]
    return lines


def ratios(here: list[Result]) -> Lines:
    """Ours beside the fastest rival, by the clock and by processor time, which other work disturbs less."""
    rivals = [row for row in here if counts(row)]
    lines: Lines = []
    for label, group in (
        ("among tools in their documented ways", [row for row in rivals if not row["tool"].endswith("-tuned")]),
        ("among tools that are given our hashes too", rivals),
    ):
        for name, what in (("seconds", "wall time"), ("cpu_seconds", "processor time")):
            if not group or (name == "seconds" and all(row["seconds"] == row["cpu_seconds"] for row in group)):
                continue
            times = {tool: middle([row for row in group if row["tool"] == tool], name) for tool in tools_of(group)}
            best = min(times, key=times.__getitem__)
            told = []
            for tool, (usual, on_long) in TARGETS.items():
                target = on_long if here[0]["corpus"] in LONG else usual
                mine = [row for row in here if row["tool"] == tool]
                if mine:
                    ratio = times[best] / middle(mine, name)
                    told.append(f"{tool} {ratio:.1f} (target {target:g}{'' if ratio >= target else ', missed'})")
            lines.append(f"- times as fast as {best}, the fastest {label}, {what}: {', '.join(told)}")
    return [*lines, ""]


def of_curves(results: list[Result], drawn: list[str]) -> Lines:
    """What is reported at each similarity."""
    lines = picture(drawn, "curve", "Share of the pairs of each similarity that a tool reports")
    if not lines:
        return []
    body = []
    measured = (row for row in good(results, "rivals", path="whole", round=1) if row.get("curve"))
    once = {(row["tool"], row["corpus"]): row for row in measured}  # runs may repeat one another: the last one holds
    for row in once.values():
        shares = []
        for low, high in ((0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.84), (0.84, 0.9), (0.9, 1.01)):
            steps = [(pairs, hits) for start, pairs, hits in row["curve"] if low - 1e-9 <= start < high - 1e-9]
            pairs = sum(step[0] for step in steps)
            shares.append(f"{100 * sum(step[1] for step in steps) / pairs:.1f}" if pairs else "-")
        body.append([f"{row['tool']}, {row['corpus']}", *shares])
    head = ("% of the pairs with J in", "[.5, .6)", "[.6, .7)", "[.7, .8)", "[.8, .84)", "[.84, .9)", "[.9, 1]")
    return [
        "## What is reported at which similarity",
        "",
        "A tool that follows the threshold reports no pairs left of the line at 0.8 and all pairs to the right of",
        "it. Reported pairs on the left are false pairs, missing pairs on the right are lost pairs.",
        "",
        *lines,
        *table(head, body),
    ]


def of_memory(results: list[Result], drawn: list[str]) -> Lines:
    """Peak memory."""
    lines = picture(drawn, "memory", "Peak memory by bytes of text")
    return (
        ["## Memory", "", "Peak of the resident memory above what was resident before the call.", "", *lines]
        if lines
        else []
    )


def of_growth(results: list[Result], drawn: list[str]) -> Lines:
    """Time against size."""
    rows = good(results, "growth")
    if not rows:
        return []
    lines = ["## Growth", "", *picture(drawn, "growth", "Seconds and memory against the number of documents")]
    body = []
    for kind in ("generated", "family"):
        for tool in tools_of([row for row in rows if row["corpus"].startswith(kind)]):
            mine = [row for row in rows if row["tool"] == tool and row["corpus"].startswith(kind)]
            before: tuple[int, float] | None = None
            for size in sorted({row["documents"] for row in mine}):
                some = [row for row in mine if row["documents"] == size]
                seconds = min(row["seconds"] for row in some)
                exponent = f"{log(seconds / before[1]) / log(size / before[0]):.2f}" if before else "-"
                ratio = max(row["memory"] / row["bytes"] for row in some)
                body.append([f"{tool}, {kind}", f"{size:,}", f"{seconds:.3g}", exponent, f"{ratio:.2f}"])
                before = (size, seconds)
    lines += table(("tool, texts", "documents", "s (shortest)", "exponent", "bytes a byte"), body)
    failed = [row for row in results if row["kind"] == "growth" and "error" in row]
    lines += [f"{row['tool']} on `{row['corpus']}`: {row['error']}" for row in failed] + ([""] if failed else [])
    lines += [
        "The exponent e compares a row with the row above: time ~ documents ** e; 1 is linear. Our target: at most",
        "1.1.",
        "",
    ]
    return lines


def of_cores(results: list[Result], drawn: list[str]) -> Lines:
    """One core and two."""
    rows = good(results, "cores")
    body = []
    for corpus in names_of(rows):
        for tool in tools_of([row for row in rows if row["corpus"] == corpus]):
            times = {
                threads: middle(some, "seconds")
                for threads in (1, 2)
                if (some := [r for r in rows if (r["corpus"], r["tool"], r["threads"]) == (corpus, tool, threads)])
            }
            if len(times) == 2:
                ratio = times[1] / times[2]
                body.append([f"{tool}, {corpus}", f"{times[1]:.3g}", f"{times[2]:.3g}", f"{ratio:.2f}"])
    if not body:
        return []
    lines = ["## A second core", "", *picture(drawn, "cores", "Speed on one core and two")]
    return [*lines, *table(("tool, texts", "s, one core", "s, two cores", "times"), body), "Our target: 1.8 times.", ""]


def of_limits(results: list[Result], drawn: list[str]) -> Lines:
    """A search beside what the machine allows."""
    rows = good(results, "limits")
    if not rows:
        return []
    lines = [
        "## How near to the limit",
        "",
        "What it costs to touch, check, hash and split the same texts, by the fastest means at hand, and each stage",
        "of the exact search; one core, processor time (`python -m benchmarks.speed.limits`). The last column compares",
        "with the fastest way to split the texts into words, which a search does too.",
        "",
    ]
    for row in rows:
        best = min(value for name, value in row["seconds"].items() if name.startswith("split"))
        body = [
            [name, f"{value:.3g}", f"{row['bytes'] / 1e6 / max(value, 1e-9):,.0f}", f"{value / best:.2f}"]
            for name, value in row["seconds"].items()
        ]
        lines += [f"`{row['corpus']}`, {row['bytes'] / 1e6:.1f} MB:", ""]
        lines += table(("", "s", "MB/s", "times the fastest split"), body)
    return lines


def of_serial(results: list[Result], drawn: list[str]) -> Lines:
    """What many cores would give."""
    rows = good(results, "serial")
    if not rows:
        return []
    body = []
    for row in rows:
        alone = row["rows"][0]["seconds"]
        body += [
            [
                f"`{row['corpus']}`, {row['bytes'] / 1e6:,.0f} MB",
                f"{each['workers']}",
                f"{alone:.3g}",
                f"{each['replayed']:.3g}",
                f"{alone / each['replayed']:.1f}",
                f"{each['outside'] / alone:.1%}",
            ]
            for each in row["rows"][1:]
        ]
    head = ("texts", "workers", "s, one thread", "s, so many at best", "times", "outside of blocks")
    return [
        "## Many cores",
        "",
        "The duration of each block was recorded on one core, and the blocks handed out to more workers on paper",
        "(`python -m benchmarks.speed.serial_share`): the most that so many cores can give, if they do not wait for",
        "memory.",
        "",
        *table(head, body),
    ]


def of_stages(results: list[Result], drawn: list[str]) -> Lines:
    """Where the time goes."""
    lines = picture(drawn, "stages", "Shares of the stages of a search")
    return ["## Where the time goes", "", "From `result.timings`, one core.", "", *lines] if lines else []


def of_ready(results: list[Result], drawn: list[str]) -> Lines:
    """From ready shingles."""
    rows = good(results, "ready")
    if not rows:
        return []
    body = [
        [
            row["tool"],
            f"{row['seconds']:.3g}",
            percent(row["recall"], row["unit"]),
            percent(row["precision"], row["unit"]),
        ]
        for row in sorted(rows, key=lambda row: row["seconds"])
    ]
    return [
        "## From ready shingles to pairs",
        "",
        f"The other tools on {described(rows[0])}. The shingles are made before the clock starts, so this is",
        "the time of their sketches and indexes only.",
        "",
        *table(("tool", "s", "recall %", "precision %"), body),
    ]


def of_promise(results: list[Result], drawn: list[str]) -> Lines:
    """The recall of LSH."""
    rows = good(results, "promise")
    lines = ["## The promise of LSH", ""]
    if not rows:
        return [*lines, "`python -m benchmarks.quality.check_recall` checks it.", ""]
    body = [
        [
            f"{row['threshold']:g}",
            f"{row['promised']:g}",
            f"{row['pairs']:,}",
            f"{row['missed']}",
            f"{row['recall']:.5f}",
            f"{row['upper']:.5f}",
            "kept" if row["kept"] else "broken",
        ]
        for row in rows
    ]
    head = ("threshold t", "promised", "pairs with J in [t, t + .02]", "missed", "recall", "95 % upper bound", "")
    return [
        *lines,
        (
            f"Pooled over {rows[0]['corpora']} seeded collections, each with a new seed "
            "(`benchmarks.quality.check_recall`):"
        ),
        "",
        *table(head, body),
    ]


def of_million(results: list[Result], drawn: list[str]) -> Lines:
    """A thousand of a million."""
    lines: Lines = []
    for row in good(results, "million"):
        lines += [
            f"Exact on {row['documents']:,} generated documents ({row['bytes'] / 1e6:,.0f} MB): {row['pairs']:,}",
            f"pairs in {row['seconds']:.0f} s. {row['chosen']:,} random documents were compared with all others in an",
            f"independent way (`python -m benchmarks.quality.check_million`): {row['expected']:,} pairs expected,",
            f"{row['found']:,} found, {row['differ']} differ.",
            "",
        ]
    return ["## A million documents", "", *lines] if lines else []


def of_scripts(results: list[Result], drawn: list[str]) -> Lines:
    """Shingles for scripts without spaces."""
    rows = good(results, "scripts")
    if not rows:
        return []
    body = []
    for shingle in dict.fromkeys(row["shingle"] for row in rows):
        mine = [row for row in rows if row["shingle"] == shingle]
        best = max(mine, key=lambda row: row["f1"])
        default = next((row for row in mine if row["threshold"] == 0.8), None)
        body.append(
            [
                f"`{shingle}`",
                f"{best['threshold']:g}",
                f"{best['precision']:.4f}",
                f"{best['recall']:.4f}",
                f"{best['f1']:.4f}",
                f"{default['recall']:.4f}" if default else "-",
            ]
        )
    head = ("shingle", "best threshold", "precision", "recall", "F1", "recall at 0.8")
    return [
        "## The same poem in two editions",
        "",
        (
            f"{rows[0]['pairs']:,} Chinese poems, each in two transcriptions "
            "(`python -m benchmarks.quality.quality_scripts`). See"
        ),
        "[scripts without spaces](../how-to/scripts-without-spaces.md).",
        "",
        *picture(drawn, "scripts", "F1, recall and precision by threshold and shingle"),
        *table(head, body),
    ]


def of_noise(results: list[Result], drawn: list[str]) -> Lines:
    """Shingles for scanned texts."""
    rows = good(results, "noise")
    if not rows:
        return []
    rates = sorted({row["rate"] for row in rows})
    lines = [
        "## Noise",
        "",
        (
            f"{rows[0]['count']} texts of each kind and a noisy copy of each "
            "(`python -m benchmarks.quality.quality_noise`). The"
        ),
        "gap is A − B: 99 % of the noisy copies have a similarity above A to their text, and for 99 % of the texts,",
        "the most similar unrelated text is below B. If it is negative, no threshold separates them. See",
        "[scanned text](../how-to/scanned-text.md).",
        "",
        *picture(drawn, "noise", "Gap between copies and other texts by noise and shingle"),
    ]
    for texts, noise in dict.fromkeys((row["texts"], row["noise"]) for row in rows):
        here = [row for row in rows if (row["texts"], row["noise"]) == (texts, noise)]
        body = []
        for shingle in dict.fromkeys(row["shingle"] for row in here):
            mine = {row["rate"]: row for row in here if row["shingle"] == shingle}
            cells = [
                f"{mine[rate]['gap']:+.2f}, {mine[rate]['threshold']:.2f}" if rate in mine else "-" for rate in rates
            ]
            body.append([f"`{shingle}`", *cells])
        lines += [f"{texts}, {noise} noise: gap, and the threshold with the best F1:", ""]
        lines += table(("shingle", *(f"{rate:.0%}" for rate in rates)), body)
    return lines


def of_losses(results: list[Result], drawn: list[str]) -> Lines:
    """The cases that we lose."""
    lines: Lines = []
    rows = good(results, "rivals", path="whole")
    for corpus in names_of(rows):
        here = [row for row in rows if row["corpus"] == corpus]
        for name, what, form in (("seconds", "time", "{:.3g} s"), ("memory", "memory", "{:.2f} bytes a byte")):
            for ours in ("dedup", "dedup-lsh"):
                mine = [row for row in here if row["tool"] == ours]
                if not mine:
                    continue
                scale = mine[0]["bytes"] if name == "memory" else 1
                value = middle(mine, name)
                for tool in tools_of([row for row in here if not row["ours"]]):
                    theirs = middle([row for row in here if row["tool"] == tool], name)
                    if theirs < value:
                        told = f"{form.format(theirs / scale)} against {form.format(value / scale)}"
                        lines.append(f"- {what}, `{corpus}`: {tool} takes less than {ours}, {told}")
    for row in good(results, "growth"):
        if row["ours"] and row["round"] == 1:
            others = [r for r in good(results, "growth", corpus=row["corpus"]) if not r["ours"]]
            lines += [
                f"- time, `{row['corpus']}`: {other['tool']} takes less than {row['tool']}, "
                f"{other['seconds']:.3g} s against {row['seconds']:.3g} s"
                for other in others
                if other["seconds"] < row["seconds"]
            ]
    lines = lines or ["- none among the measurements above"]
    return [
        "## What we lose",
        "",
        *lines,
        "",
        "`rensa-flags` returns flags and does not name pairs. `dedup` holds the shingles of all texts to verify",
        "pairs; a sketch is smaller than a long text. Missed targets of speed are marked in the lists above.",
        "",
    ]


PARTS: Final[tuple[Callable[[list[Result], list[str]], Lines], ...]] = (
    of_readers,
    of_tools,
    of_curves,
    of_memory,
    of_growth,
    of_cores,
    of_serial,
    of_limits,
    of_stages,
    of_ready,
    of_losses,
    of_promise,
    of_million,
    of_scripts,
    of_noise,
)


def busy(results: list[Result]) -> bool:
    """Whether the runs on one core had it for less than nine tenths of their time."""
    shares = [
        row["cpu_seconds"] / row["seconds"]
        for kind in ("rivals", "growth")
        for row in good(results, kind)
        if row["threads"] == 1 and row["seconds"] > 0.5
    ]
    return bool(shares) and median(shares) < 0.9


def undisturbed(results: list[Result]) -> list[Result]:
    """The results with processor times for those of the clock, where other work took the core away."""
    if not busy(results):
        return results
    single = {"rivals", "growth", "ready"}
    return [
        {**row, "seconds": row["cpu_seconds"]} if row["kind"] in single and "error" not in row else row
        for row in results
    ]


def page(results: list[Result], drawn: list[str], *, disturbed: bool) -> str:
    """The page."""
    runs = [row for row in results if row["kind"] == "run"]
    lines = [
        "# Benchmarks",
        "",
        (
            "This page is made by `python -m benchmarks.publish.page` from the raw results of "
            "`python -m benchmarks.speed.campaign`."
        ),
        "The README of the benchmarks (`benchmarks/README.md`) says what is measured, how, and what is unfair",
        "about it. Every measurement runs in a process of its own, which is pinned to its cores and decodes its",
        "strings anew. The tools take turns. `bytes a byte` is the peak of memory in bytes per byte of text.",
        "",
    ]
    if runs:
        lines += [f"- {line}" for line in runs[-1]["machine"]]
        lines += [f"- {runs[-1]['time'][:10]}" + (", a short run" if runs[-1]["short"] else ""), ""]
    if disturbed:
        lines += [
            "The machine was busy with other work, so times of runs on one core are processor times here, and those of",
            "a second core are not to be trusted. Ratios say more than seconds.",
            "",
        ]
    for part in PARTS:
        lines += part(results, drawn)
    return "\n".join(lines).rstrip() + "\n"


def main(given: list[str] | None = None) -> None:
    """Read, draw, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.publish.page", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder with raw.jsonl")
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    chosen = parser.parse_args(sys.argv[1:] if given is None else given)
    if not (chosen.folder / "raw.jsonl").is_file():
        parser.error(
            f"folder: expected one with raw.jsonl, as benchmarks.speed.campaign writes it, found {chosen.folder}"
        )
    raw = (chosen.folder / "raw.jsonl").read_text(encoding="utf-8")
    results = [json.loads(line) for line in raw.split("\n") if line.strip()]
    explanation = chosen.docs / "explanation"
    shown = undisturbed(results)
    drawn = plots.draw(shown, explanation / "images")
    (explanation / "benchmarks.md").write_text(page(shown, drawn, disturbed=busy(results)), encoding="utf-8")
    print(f"{len(results)} results, plots: {', '.join(drawn)}")


if __name__ == "__main__":
    main()

"""Plots of the raw results, each for a page: `benchmarks.publish.page` calls them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

Result = dict[str, Any]

COLOURS: Final = {
    "dedup": "#0b5cad",
    "dedup-lsh": "#4aa3ff",
    "gaoya": "#d1495b",
    "rensa": "#e08e29",
    "rensa-tuned": "#f2c14e",
    "rensa-flags": "#b08968",
    "fastsketchlsh": "#5f8f3e",
    "fastsketchlsh-tuned": "#9bc53d",
    "datasketch": "#6d597a",
    "datatrove": "#555555",
    "setsimilaritysearch": "#8c6bb1",
}
SHINGLES: Final = {
    "words:1": "#c6dbef",
    "words:2": "#9ecae1",
    "words:3": "#6baed6",
    "words:4": "#3182bd",
    "words:5": "#08519c",
    "chars:3": "#fdd0a2",
    "chars:5": "#fdae6b",
    "chars:8": "#e6550d",
    "chars:12": "#8c2d04",
}
STAGES: Final = ("read", "exact copies", "join", "signatures", "buckets", "verify", "clusters", "closest pair")
STYLE: Final = {
    "figure.dpi": 110,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "legend.fontsize": 9,
}


def good(results: list[Result], kind: str, **wanted: Any) -> list[Result]:
    """The results of a part that did not fail, with these values."""
    return [
        row
        for row in results
        if row["kind"] == kind and "error" not in row and all(row.get(name) == value for name, value in wanted.items())
    ]


def middle(rows: list[Result], name: str) -> float:
    """The median of a value."""
    return float(median(row[name] for row in rows))


def tools_of(rows: list[Result]) -> list[str]:
    """The tools of some results, in the order of the legend."""
    there = {row["tool"] for row in rows}
    return [tool for tool in COLOURS if tool in there]


def names_of(rows: list[Result]) -> list[str]:
    """The corpora of some results, in the order in which they were measured."""
    return list(dict.fromkeys(row["corpus"] for row in rows))


def speed(results: list[Result], path: Path) -> bool:
    """Bars: megabytes a second by tool and corpus, recall written beside them."""
    rows = good(results, "rivals", path="whole")
    corpora = names_of(rows)
    if not corpora:
        return False
    figure, axes = plt.subplots(1, len(corpora), figsize=(4.6 * len(corpora), 4.2), squeeze=False)
    for axis, corpus in zip(axes[0], corpora, strict=True):
        here = [row for row in rows if row["corpus"] == corpus]
        tools = sorted(tools_of(here), key=lambda tool: middle([r for r in here if r["tool"] == tool], "seconds"))[::-1]
        for place, tool in enumerate(tools):
            mine = [row for row in here if row["tool"] == tool]
            rate = mine[0]["bytes"] / 1e6 / middle(mine, "seconds")
            axis.barh(place, rate, color=COLOURS[tool])
            found = mine[-1]["recall"]
            note = "" if found is None else f", finds {100 * found:.1f} %"
            note += " (flags)" if mine[-1]["unit"] == "documents" else ""
            axis.text(rate, place, f" {rate:.1f}{note}", va="center", fontsize=8)
        axis.set_yticks(range(len(tools)), tools)
        axis.set_xlabel("MB of text a second, one core")
        axis.set_title(corpus)
        axis.set_xlim(0, 1.75 * axis.get_xlim()[1])
        axis.grid(axis="y", visible=False)
    return _save(figure, path)


def memory(results: list[Result], path: Path) -> bool:
    """Bars: peak memory by bytes of text."""
    rows = good(results, "rivals", path="whole")
    corpora = names_of(rows)
    if not corpora:
        return False
    figure, axes = plt.subplots(1, len(corpora), figsize=(4.6 * len(corpora), 4.0), squeeze=False)
    for axis, corpus in zip(axes[0], corpora, strict=True):
        here = [row for row in rows if row["corpus"] == corpus]
        for place, tool in enumerate(tools_of(here)[::-1]):
            mine = [row for row in here if row["tool"] == tool]
            ratio = middle(mine, "memory") / mine[0]["bytes"]
            axis.barh(place, ratio, color=COLOURS[tool])
            axis.text(ratio, place, f" {ratio:.2f}", va="center", fontsize=8)
        axis.set_yticks(range(len(tools_of(here))), tools_of(here)[::-1])
        axis.set_xlabel("peak bytes a byte of text, above the texts")
        axis.set_title(corpus)
        axis.margins(x=0.15)
        axis.grid(axis="y", visible=False)
    return _save(figure, path)


def curve(results: list[Result], path: Path) -> bool:
    """Lines: the share of the pairs of each similarity that a tool reports, at a threshold of 0.8."""
    rows = [row for row in good(results, "rivals", path="whole") if row.get("curve")]
    corpora = names_of(rows)
    if not corpora:
        return False
    figure, axes = plt.subplots(1, len(corpora), figsize=(4.8 * len(corpora), 5.6), squeeze=False, sharey=True)
    for axis, corpus in zip(axes[0], corpora, strict=True):
        here = [row for row in rows if row["corpus"] == corpus]
        for tool in tools_of(here):
            steps = [row["curve"] for row in here if row["tool"] == tool][-1]
            pooled: dict[int, list[int]] = {}
            for start, pairs, hits in steps:  # two hundredths are few pairs; four are more
                bucket = pooled.setdefault(int(start * 25 + 1e-6), [0, 0])
                bucket[0] += pairs
                bucket[1] += hits
            points = [(key / 25 + 0.02, hits / pairs) for key, (pairs, hits) in sorted(pooled.items()) if pairs >= 5]
            rate = middle([row for row in here if row["tool"] == tool], "seconds")
            label = f"{tool}, {here[0]['bytes'] / 1e6 / rate:.1f} MB/s"
            style = "-" if tool.startswith("dedup") else "--"
            width = 2.4 if tool == "dedup" else 1.4
            axis.plot(
                *zip(*points, strict=True), style, color=COLOURS[tool], label=label, linewidth=width,
                drawstyle="steps-mid" if tool.startswith("dedup") else "default",
            )  # fmt: skip
        axis.axvline(0.8, color="black", linewidth=0.8, alpha=0.6)
        axis.set_xlabel("Jaccard similarity of a pair")
        axis.set_title(corpus)
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, fontsize=8)
    axes[0][0].set_ylabel("share of these pairs that is reported")
    return _save(figure, path)


def growth(results: list[Result], path: Path) -> bool:
    """Lines: seconds and bytes a byte against the number of documents."""
    rows = good(results, "growth")
    if not rows:
        return False
    figure, axes = plt.subplots(1, 3, figsize=(14.2, 4.2))
    panels = (("generated", "seconds", "generated texts"), ("family", "seconds", "one family of near copies"))
    for axis, (kind, _, title) in zip(axes, panels, strict=False):
        here = [row for row in rows if row["corpus"].startswith(kind)]
        for tool in tools_of(here):
            mine = [row for row in here if row["tool"] == tool]
            sizes = sorted({row["documents"] for row in mine})
            times = [middle([row for row in mine if row["documents"] == size], "seconds") for size in sizes]
            axis.loglog(sizes, times, "o-", color=COLOURS[tool], label=tool)
            for size, seconds in zip(sizes, times, strict=True):
                place = (0, -12 if tool == "dedup-lsh" else 6)
                axis.annotate(f"{seconds:.3g}", (size, seconds), place, textcoords="offset points", fontsize=7)
            if tool == "dedup":
                line = [times[0] * size / sizes[0] for size in sizes]
                axis.loglog(sizes, line, ":", color="black", linewidth=1, label="linear")
        axis.set_xlabel("documents of 2 kB")
        axis.set_ylabel("seconds, one core")
        axis.set_title(title)
        axis.legend()
    for tool in tools_of(rows):
        for kind, style in (("generated", "o-"), ("family", "s--")):
            mine = [row for row in rows if row["tool"] == tool and row["corpus"].startswith(kind)]
            sizes = sorted({row["documents"] for row in mine})
            ratios = [max(row["memory"] / row["bytes"] for row in mine if row["documents"] == size) for size in sizes]
            axes[2].semilogx(sizes, ratios, style, color=COLOURS[tool], label=f"{tool}, {kind}")
    axes[2].set_xlabel("documents of 2 kB")
    axes[2].set_ylabel("peak bytes a byte of text")
    axes[2].set_title("memory")
    axes[2].set_ylim(bottom=0)
    axes[2].legend(fontsize=7)
    return _save(figure, path)


def cores(results: list[Result], path: Path) -> bool:
    """Bars: one core beside two."""
    rows = good(results, "cores")
    groups = [
        (corpus, tool) for corpus in names_of(rows) for tool in tools_of([r for r in rows if r["corpus"] == corpus])
    ]
    if not groups:
        return False
    figure, axis = plt.subplots(figsize=(8.5, 0.62 * len(groups) + 1.4))
    for place, (corpus, tool) in enumerate(groups[::-1]):
        mine = [row for row in rows if row["corpus"] == corpus and row["tool"] == tool]
        for offset, threads in ((0.2, 1), (-0.2, 2)):
            some = [row for row in mine if row["threads"] == threads]
            if not some:
                continue
            rate = some[0]["bytes"] / 1e6 / middle(some, "seconds")
            axis.barh(place + offset, rate, 0.36, color=COLOURS[tool], alpha=0.55 if threads == 1 else 1.0)
            axis.text(
                rate, place + offset, f" {rate:.0f} MB/s, {threads} core{'s' * (threads > 1)}", va="center", fontsize=8
            )
    axis.set_yticks(range(len(groups)), [f"{tool}, {corpus}" for corpus, tool in groups[::-1]])
    axis.set_xlabel("MB of text a second")
    axis.margins(x=0.18)
    axis.grid(axis="y", visible=False)
    return _save(figure, path)


def stages(results: list[Result], path: Path) -> bool:
    """Stacked bars: where the time of a search goes."""
    rows = [
        row for row in (*good(results, "rivals"), *good(results, "cores")) if row.get("stages") and row["threads"] == 1
    ]
    groups = list(dict.fromkeys((row["corpus"], row["tool"]) for row in rows))
    if not groups:
        return False
    there = {name for row in rows for name in row["stages"]}
    names = [name for name in STAGES if name in there] + sorted(there - set(STAGES))
    figure, axis = plt.subplots(figsize=(9.5, 0.5 * len(groups) + 1.6))
    palette = plt.get_cmap("tab10")
    for place, (corpus, tool) in enumerate(groups[::-1]):
        mine = [row for row in rows if (row["corpus"], row["tool"]) == (corpus, tool)]
        left = 0.0
        total = sum(sum(row["stages"].values()) for row in mine)
        for number, name in enumerate(names):
            share = sum(row["stages"].get(name, 0.0) for row in mine) / total
            axis.barh(place, share, left=left, color=palette(number), label=name if place == 0 else None)
            if share > 0.05:
                axis.text(left + share / 2, place, f"{share:.0%}", ha="center", va="center", fontsize=8, color="white")
            left += share
    axis.set_yticks(range(len(groups)), [f"{tool}, {corpus}" for corpus, tool in groups[::-1]])
    axis.set_xlabel("share of the time, one core")
    axis.set_xlim(0, 1)
    axis.legend(ncols=min(5, len(names)), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    axis.grid(visible=False)
    return _save(figure, path)


def scripts(results: list[Result], path: Path) -> bool:
    """Lines: F1 and precision against the threshold, by shingle."""
    rows = good(results, "scripts")
    if not rows:
        return False
    figure, axes = plt.subplots(1, 3, figsize=(14.2, 4.2), sharex=True)
    for axis, name, label in zip(axes, ("f1", "recall", "precision"), ("F1", "recall", "precision"), strict=True):
        for shingle in dict.fromkeys(row["shingle"] for row in rows):
            mine = [row for row in rows if row["shingle"] == shingle]
            axis.plot(
                [row["threshold"] for row in mine], [row[name] for row in mine], "o-", ms=3,
                color=SHINGLES[shingle], label=shingle,
            )  # fmt: skip
        axis.set_xlabel("threshold")
        axis.set_title(f"{label}, the same poem in two editions")
    axes[0].legend()
    return _save(figure, path)


def noise(results: list[Result], path: Path) -> bool:
    """Lines: similarity of a text and its noisy copy against the noise, over that of the nearest other text."""
    rows = good(results, "noise")
    panels = list(dict.fromkeys((row["texts"], row["noise"]) for row in rows))
    if not panels:
        return False
    figure, axes = plt.subplots(1, len(panels), figsize=(4.2 * len(panels), 4.4), squeeze=False, sharey=True)
    for axis, (texts, kind) in zip(axes[0], panels, strict=True):
        here = [row for row in rows if (row["texts"], row["noise"]) == (texts, kind)]
        for shingle in dict.fromkeys(row["shingle"] for row in here):
            mine = [row for row in here if row["shingle"] == shingle]
            rates = [100 * row["rate"] for row in mine]
            axis.plot(rates, [row["gap"] for row in mine], "o-", ms=4, color=SHINGLES[shingle], label=shingle)
        axis.axhline(0, color="black", linewidth=0.8)
        axis.set_title(f"{texts}, {kind} noise")
        axis.set_xlabel("% of the characters struck")
    axes[0][0].set_ylabel("gap between copies and other texts")
    axes[0][0].legend(fontsize=8)
    if len(panels) > 2:
        axes[0][2].legend(fontsize=8)
    return _save(figure, path)


def _save(figure: Any, path: Path) -> bool:
    figure.tight_layout()
    figure.savefig(path, metadata={"Software": None})
    plt.close(figure)
    return True


PLOTS: Final[dict[str, Callable[[list[Result], Path], bool]]] = {
    function.__name__: function for function in (speed, curve, memory, growth, cores, stages, scripts, noise)
}


def draw(results: list[Result], folder: Path) -> list[str]:
    """Draw all plots for which there are results; return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    with plt.rc_context(STYLE):
        return [name for name, plot in PLOTS.items() if plot(results, folder / f"{name}.png")]

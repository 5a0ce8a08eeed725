"""The table and the plot of `benchmarks.speed.bench_index`, for the page about indexes.

    python -m benchmarks.speed.bench_index --redis 6379 --output benchmarks/runs/DATE-index/raw.jsonl
    python -m benchmarks.publish.index_page benchmarks/runs/DATE-index

It writes `docs/explanation/index-benchmarks.md` and `docs/explanation/images/index.png`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

from benchmarks.publish.page import table
from benchmarks.publish.plots import COLOURS, STYLE

Result = dict[str, Any]

NAMES: Final = {"setsimilaritysearch": "SetSimilaritySearch", "datasketch, redis": "datasketch, Redis"}
PANELS: Final = (
    ("added_per_cpu_s", "texts added a second", True),
    ("one_cpu_p50_us", "µs a question, median", False),
    ("held_per_document", "bytes of memory a text", False),
)


def head(results: list[Result]) -> list[str]:
    """Say what was measured."""
    documents = results[0]["documents"]
    return [
        "# Benchmarks of the index",
        "",
        "This page is made by `python -m benchmarks.publish.index_page` from the raw results of",
        "`python -m benchmarks.speed.bench_index`, which says how each tool is used. All texts are hashed, added and",
        f"asked for from strings, on one core: {documents:,} generated news of about 2 kB. Times are of the processor,",
        "since other work ran on the machine; with Redis that of the server is not in them: there the clock says more.",
        "",
    ]


def rows_of(results: list[Result]) -> list[list[str]]:
    """Return a row for each tool."""
    own = next(row for row in results if row["tool"] == "dedup")
    made = []
    for row in results:
        times = own["added_per_cpu_s"] / row["added_per_cpu_s"], own["added_per_s"] / row["added_per_s"]
        made.append(
            [
                NAMES.get(row["tool"], row["tool"]),
                f"{row['added_per_cpu_s']:,}",
                f"{row['added_per_s']:,}",
                "" if row is own else f"{times[0]:.1f}, {times[1]:.1f}",
                f"{row['one_cpu_p50_us']:,.0f}",
                f"{row['one_cpu_p99_us']:,.0f}",
                f"{row['many_per_cpu_s']:,}",
                f"{row['found']:.3f}",
                f"{row['precise']:.3f}",
                f"{row['held_per_document']:,}",
            ]
        )
    return made


def draw(results: list[Result], path: Path) -> None:
    """Draw a panel for each of three figures."""
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(PANELS), figsize=(11, 2.8), squeeze=False)
        for axis, (field, title, more) in zip(axes[0], PANELS, strict=True):
            names = [NAMES.get(row["tool"], row["tool"]) for row in results]
            colours = [COLOURS.get(row["tool"].split(",")[0], "#888888") for row in results]
            axis.barh(names[::-1], [max(row[field], 1) for row in results][::-1], color=colours[::-1])
            axis.set_xscale("log")
            axis.set_title(f"{title}\n({'more' if more else 'less'} is better)", fontsize=10)
            if axis is not axes[0][0]:
                axis.set_yticklabels([])
        figure.tight_layout()
        figure.savefig(path, metadata={"Software": None})
        plt.close(figure)


def page(results: list[Result]) -> str:
    """Return the page."""
    names = ["tool", "texts a processor second", "texts a second", "dedup is faster by", "µs a question", "99 %"]
    names += ["questions a second in batches", "recall", "precision", "bytes of memory a text"]
    own = next(row for row in results if row["tool"] == "dedup")
    lines = head(results) + table(names, rows_of(results))
    lines += [
        "![Texts added a second, microseconds a question, memory](images/index.png)",
        "",
        f"dedup has the index on disk when the texts are added: {own['bytes_per_document']:,} bytes a text, of which",
        f"{own['bytes_without_sets']:,} are not the hashes of shingles. `seen`, which needs no best document, takes",
        f"{own['seen_cpu_p50_us']:.0f} µs. The memory of dedup is that of its newest texts, and does not grow with the",
        "index. The answers of datasketch are candidates, which are not verified; gaoya verifies by signatures. Tools",
        "that take hashes get the words of `text.lower().split()`, so a few copies at the threshold are none for them.",
    ]
    return "\n".join(lines) + "\n"


def main(given: list[str] | None = None) -> None:
    """Read, draw, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.publish.index_page", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder with raw.jsonl")
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    chosen = parser.parse_args(given)
    raw = (chosen.folder / "raw.jsonl").read_text(encoding="utf-8").splitlines()
    results = [json.loads(line) for line in raw if line.strip()]
    explanation = chosen.docs / "explanation"
    draw(results, explanation / "images" / "index.png")
    (explanation / "index-benchmarks.md").write_text(page(results), encoding="utf-8")
    print(f"{len(results)} tools")


if __name__ == "__main__":
    main()

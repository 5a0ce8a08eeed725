"""The table and the plot of `benchmarks.speed.bench_index`, for the page about indexes.

    python -m benchmarks.speed.bench_index --documents 100000 --redis 6379 --redis-documents 20000 \\
        --output benchmarks/runs/DATE-index/raw.jsonl
    python -m benchmarks.speed.bench_index_growth --documents 5000000 --folder /somewhere \\
        --output benchmarks/runs/DATE-index/raw.jsonl
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

NAMES: Final = {
    "setsimilaritysearch": "SetSimilaritySearch",
    "datasketch, redis": "datasketch, Redis",
    "datasketch-tuned": "datasketch, given integers",
    "dedup-lsh": "dedup, lsh",
}
GROWN: Final = ((min, "added_per_cpu_s"), (max, "slowest_add_of_one_cpu_ms"))
PANELS: Final = (
    ("added_per_cpu_s", "texts added a second", True),
    ("one_cpu_p50_us", "µs a question, median", False),
    ("held_per_document", "bytes of memory a text", False),
)


def head(results: list[Result]) -> list[str]:
    """Say what was measured."""
    documents = results[0]["documents"]
    others = sorted({row["documents"] for row in results} - {documents})
    apart = f" (Redis: {others[0]:,})" if others else ""
    return [
        "# Benchmarks of the index",
        "",
        "This page is made by `python -m benchmarks.publish.index_page` from the raw results of",
        "`python -m benchmarks.speed.bench_index`, which says how each tool is used. All texts are hashed, added and",
        f"asked for from strings, on one core: {documents:,} generated news of about 2 kB{apart}. Times are of the",
        "processor, since other work ran on the machine; with Redis that of the server is not in them: there the clock",
        "says more. The whole way of a text is to ask for it, and to add it if nothing like it is there.",
        "",
    ]


def rows_of(results: list[Result]) -> list[list[str]]:
    """Return a row for each tool."""
    own = next(row for row in results if row["tool"] == "dedup")
    made = []
    for row in results:
        times = own["added_per_cpu_s"] / row["added_per_cpu_s"], own["added_per_s"] / row["added_per_s"]
        whole = row.get("filtered_per_cpu_s")
        ways = [own["filtered_per_cpu_s"] / whole, own["filtered_per_s"] / row["filtered_per_s"]] if whole else []
        made.append(
            [
                NAMES.get(row["tool"], row["tool"]),
                f"{row['added_per_cpu_s']:,}",
                f"{row['added_per_s']:,}",
                "" if row is own else f"{times[0]:.1f}, {times[1]:.1f}",
                f"{whole:,}" if whole else "",
                "" if row is own else ", ".join(f"{each:.1f}" for each in ways),
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
            colours = [COLOURS.get(row["tool"].split(",")[0].removesuffix("-tuned"), "#888888") for row in results]
            axis.barh(names[::-1], [max(row[field], 1) for row in results][::-1], color=colours[::-1])
            axis.set_xscale("log")
            axis.set_title(f"{title}\n({'more' if more else 'less'} is better)", fontsize=10)
            if axis is not axes[0][0]:
                axis.set_yticklabels([])
        figure.tight_layout()
        figure.savefig(path, metadata={"Software": None})
        plt.close(figure)


def growth(rows: list[Result]) -> list[str]:
    """Say what was measured while an index grew; nothing if that was not measured."""
    steps = [row for row in rows if row["kind"] == "growth" and "added_per_cpu_s" in row]
    asked = next((row for row in rows if row["kind"] == "questions"), None)
    if not steps or asked is None:
        return []
    least, one = (pick(step[field] for step in steps) for pick, field in GROWN)
    held, bare = steps[-1]["writer_bytes_per_document"], asked["bytes_without_sets"]
    median, most = asked["warm_cpu_p50_us"], asked["warm_cpu_p99_us"]
    reader, opened, segments = asked["reader_bytes_per_document"], asked["open_ms"], asked["segments"]
    parts = "1 segment" if segments == 1 else f"{segments} segments"
    return [
        "",
        f"## {steps[-1]['documents']:,} texts",
        "",
        "By `python -m benchmarks.speed.bench_index_growth`, dedup alone: texts of 2 kB from numpy, added a thousand",
        f"at a time, some thousand of each step one by one. The slowest step added {least:,} texts a processor second;",
        f"the slowest addition of one text took {one} ms of the processor. Closed, it had {parts},",
        f"with {bare:,} bytes a text besides the sets. The writer held {held} bytes of memory a text, a reader",
        f"{reader}; it was opened in {opened} ms. A question took {median:.0f} µs",
        f"(99 %: {most:.0f}) once its pages were in memory; {asked['many_per_cpu_s']:,} a second were answered in a",
        f"batch. Recall {asked['found']:.3f}.",
    ]


def page(results: list[Result]) -> str:
    """Return the page."""
    grown = growth(results)
    results = [row for row in results if row["kind"] == "index"]
    names = ["tool", "texts a processor second", "texts a second", "dedup is faster by"]
    names += ["whole way, texts a processor second", "dedup is faster by", "µs a question", "99 %"]
    names += ["questions a second in batches", "recall", "precision", "bytes of memory a text"]
    own = next(row for row in results if row["tool"] == "dedup")
    lines = head(results) + table(names, rows_of(results))
    lines += [
        "![Texts added a second, microseconds a question, memory](images/index.png)",
        "",
        f"dedup has the index on disk when the texts are added: {own['bytes_per_document']:,} bytes a text, of which",
        f"{own['bytes_without_sets']:,} are not the hashes of shingles. `seen`, which needs no best document, takes",
        f"{own['seen_cpu_p50_us']:.0f} µs. The memory of dedup is that of its newest texts, and does not grow with the",
        "index. datasketch is used as it is documented; given integers is what an expert would do, who makes them in",
        "numpy. Its answers are candidates, which are not verified; gaoya verifies by signatures. Tools that take",
        "hashes get the words of `text.lower().split()`, so a few copies at the threshold are none for them.",
    ]
    return "\n".join([*lines, *grown]) + "\n"


def main(given: list[str] | None = None) -> None:
    """Read, draw, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.publish.index_page", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder with raw.jsonl")
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    chosen = parser.parse_args(given)
    raw = (chosen.folder / "raw.jsonl").read_text(encoding="utf-8").splitlines()
    results = [json.loads(line) for line in raw if line.strip()]
    explanation = chosen.docs / "explanation"
    draw([row for row in results if row["kind"] == "index"], explanation / "images" / "index.png")
    (explanation / "index-benchmarks.md").write_text(page(results), encoding="utf-8")
    print(f"{len(results)} tools")


if __name__ == "__main__":
    main()

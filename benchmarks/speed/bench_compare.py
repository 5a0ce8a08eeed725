"""Two texts: `dedup.compare` beside `difflib` and `rapidfuzz`, from two strings to what they share.

    python -m benchmarks.speed.bench_compare --output benchmarks/runs/2026-01-31-compare

Pairs are of generated news (a long text, and a copy in which 5 % of the words are replaced, deleted or inserted in
equal parts, and a tenth of the text has moved), and of versions of policies in `ota_dev` (from the folder that
DEDUP_DATA names). The rivals are given the words as `\\w+` of the lower-cased text finds them, and are timed with that,
since `dedup` is timed from strings too:

    difflib            SequenceMatcher(None, a, b).get_matching_blocks(), with and without autojunk
    rapidfuzz          Levenshtein.opcodes(a, b), and Indel.opcodes(a, b), which is the longest common subsequence

They do not answer the same question: `dedup` shows stretches of five words or more, moved ones too; the others show one
alignment in order, single words included. So the table also has `aligned`, the share of the words of b that the tool
aligns with an equal word of a, and `agrees`, the share of the words aligned by `dedup` that the tool aligns too, with
any word. The quadratic ones are not run above --most words. Each pair is run --repeat times, the tools taking turns.
"""

from __future__ import annotations

import argparse
import difflib
import importlib.metadata
import json
import random
import re
import time
from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa

import dedup
from benchmarks import needs
from benchmarks.corpora import news
from benchmarks.publish import report

WORD = re.compile(r"\w+")
QUADRATIC = {"difflib", "difflib, no autojunk", "rapidfuzz Levenshtein", "rapidfuzz Indel"}

Aligned = set[int]
"""Places of words of b."""


def words(text: str) -> list[str]:
    """The words that the rivals are given."""
    return WORD.findall(text.lower())


def by_dedup(a: str, b: str) -> Any:
    return dedup.compare(a, b).spans


def by_difflib(a: str, b: str) -> Any:
    return difflib.SequenceMatcher(None, words(a), words(b)).get_matching_blocks()


def by_difflib_whole(a: str, b: str) -> Any:
    return difflib.SequenceMatcher(None, words(a), words(b), autojunk=False).get_matching_blocks()


def by_levenshtein(a: str, b: str) -> Any:
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.opcodes(words(a), words(b))


def by_indel(a: str, b: str) -> Any:
    from rapidfuzz.distance import Indel

    return Indel.opcodes(words(a), words(b))


TOOLS: dict[str, Callable[[str, str], Any]] = {
    "dedup": by_dedup,
    "difflib": by_difflib,
    "difflib, no autojunk": by_difflib_whole,
    "rapidfuzz Levenshtein": by_levenshtein,
    "rapidfuzz Indel": by_indel,
}


def aligned(tool: str, answer: Any, b: str) -> Aligned:
    """The words of b, by place, that an answer lays to an equal word of a."""
    if tool == "dedup":
        starts = [found.start() for found in WORD.finditer(b.lower())]
        return {
            place
            for span in answer
            for place in range(bisect_left(starts, span.right_start), bisect_left(starts, span.right_end))
        }
    if tool.startswith("difflib"):
        return {place for block in answer for place in range(block.b, block.b + block.size)}
    return {place for op in answer if op.tag == "equal" for place in range(op.dest_start, op.dest_end)}


def generated(size: int) -> tuple[str, str]:
    """A text of about `size` words and an edited copy."""
    chance = random.Random(size)
    a: list[str] = []
    for block in news.generate(10**9, 2000, size):
        for text in block:
            a += text.split()
        if len(a) >= size:
            break
    a = a[:size]
    b: list[str] = []
    for word in a:
        kind = chance.random()
        if kind < 0.05 / 3:
            b.append(chance.choice(a))
        elif kind < 0.10 / 3:
            b += [word, chance.choice(a)]
        elif kind >= 0.05:
            b.append(word)
    tenth = len(b) // 10
    return " ".join(a), " ".join([*b[tenth : 6 * tenth], *b[:tenth], *b[6 * tenth :]])


def policies(where: Path) -> list[tuple[str, str, str]]:
    """Pairs of versions of one policy: the one nearest to each of a few sizes and similarities."""
    with pa.CompressedInputStream(str(where / "ota_versions.jsonl.zst"), "zstd") as stream:
        texts = {row["id"]: row["text"] for row in map(json.loads, stream.read().splitlines())}
    with pa.CompressedInputStream(str(where / "lineage_pairs.tsv.zst"), "zstd") as stream:
        pairs = [line.decode().split("\t") for line in stream.read().splitlines()[1:]]
    counts = {name: len(text) / 6.2 for name, text in texts.items()}
    found = []
    for size in (500, 2000, 6000, 15000):
        for similarity in (0.5, 0.9):
            a, b, _ = min(pairs, key=lambda p: abs(float(p[2]) - similarity) * 5 + abs(counts[p[0]] - size) / size)
            found.append((f"ota_dev, about {size:,} words, J {similarity}", texts[a], texts[b]))
    return found


def main() -> None:
    """Measure, print a table, and keep the raw results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.bench_compare", description=__doc__)
    parser.add_argument("--sizes", default="300,1000,3000,10000,30000,100000,1000000", help="words, generated")
    parser.add_argument("--most", type=int, default=30_000, help="words up to which the others are run")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--output", type=Path, help="folder for raw.jsonl and summary.md")
    chosen = parser.parse_args()
    needs.package("rapidfuzz.distance")  # now, not within a measurement
    pairs = [(f"generated, {int(size):,} words", *generated(int(size))) for size in chosen.sizes.split(",")]
    if needs.has_data():
        pairs += policies(needs.data("ota_dev"))
    versions = {name: importlib.metadata.version(name) for name in ("rapidfuzz", "numpy", "numba")}
    by_dedup(*generated(300))  # kernels are loaded
    raw: list[dict[str, Any]] = []
    table = ["| pair | words | tool | s | cpu s | aligned | agrees |", "|---|---:|---|---:|---:|---:|---:|"]
    for name, a, b in pairs:
        size = len(words(b))
        runs: dict[str, list[tuple[float, float]]] = {tool: [] for tool in TOOLS}
        places: dict[str, Aligned] = {}
        for _ in range(chosen.repeat):
            for tool, run in TOOLS.items():
                if (tool in QUADRATIC and size > chosen.most) or (runs[tool] and runs[tool][0][0] > 20):
                    continue
                fresh = a.encode().decode(), b.encode().decode()
                cpu, clock = time.process_time(), time.perf_counter()
                answer = run(*fresh)
                runs[tool].append((time.perf_counter() - clock, time.process_time() - cpu))
                places[tool] = aligned(tool, answer, b)
        for tool, times in runs.items():
            if not times:
                continue
            share = len(places[tool]) / size
            agrees = len(places[tool] & places["dedup"]) / max(len(places["dedup"]), 1)
            seconds, cpus = median(s for s, _ in times), median(c for _, c in times)
            raw.append(
                {"pair": name, "words": size, "tool": tool, "seconds": [s for s, _ in times]}
                | {"cpu_seconds": [c for _, c in times], "aligned": share, "agrees": agrees, "versions": versions}
            )
            table.append(f"| {name} | {size:,} | {tool} | {seconds:.4f} | {cpus:.4f} | {share:.3f} | {agrees:.3f} |")
            print(table[-1], flush=True)
    head = [*report.machine(), f"dedup {dedup.__version__}, {versions}", ""]
    print("\n".join(head))
    if chosen.output:
        chosen.output.mkdir(parents=True, exist_ok=True)
        (chosen.output / "raw.jsonl").write_text("".join(json.dumps(row) + "\n" for row in raw), encoding="utf-8")
        (chosen.output / "summary.md").write_text("\n".join([*head, *table]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

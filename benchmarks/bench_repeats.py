"""`find_repeats` against a suffix array, on one core: seconds, memory, agreement; growth.

    python -m benchmarks.bench_repeats against --corpus civil_codes_dev
    python -m benchmarks.bench_repeats growth

Each measurement is a process of its own that has warmed up before. **against**: the same texts for both, 50 words for
`find_repeats`; for the suffix array, see `rivals/suffix_array.py`. Agreement: every repeat that `find_repeats` names is
checked word by word against its source, and the share of the words in repeats of 50 words or more that a brute force
over word windows finds is what it covers. **growth**: seconds and memory by size of a generated collection in which one
text in ten is a copy, and by the number of copies of one text.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import time
from typing import Any

from benchmarks.measure import Peak
from benchmarks.quality_passages import lines_of

WORD = re.compile(r"\w+")
SIZE = 50


def corpus(name: str) -> list[str]:
    """The texts of a name: a real set, ``generated:TEXTS`` or ``copies:TEXTS``."""
    if name == "civil_codes_dev":
        import os
        from pathlib import Path

        import pyarrow as pa

        texts = []
        for path in sorted((Path(os.environ["DEDUP_DATA"]) / name).glob("*.txt*")):
            data = path.read_bytes()
            if path.suffix == ".zst":
                with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
                    data = stream.read()
            texts.append(data.decode("utf-8", "replace"))
        return texts
    if name == "ota_dev":
        return [row["text"] for row in lines_of("ota_dev/ota_versions.jsonl.zst")]
    kind, _, count = name.partition(":")
    chance = random.Random(7)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randrange(2, 10))) for _ in range(30_000)]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    texts = []
    for number in range(int(count)):
        if kind == "copies" and number:
            texts.append(texts[0])
        elif number and number % 10 == 0:
            texts.append(texts[chance.randrange(number)])
        else:
            texts.append(" ".join(chance.choices(words, weights, k=500)) + ".")
    return texts


def measured(tool: str, name: str, threshold: float, *, check: bool) -> dict[str, Any]:
    """Run one tool in this process."""
    import dedup
    from benchmarks.rivals import suffix_array

    texts = corpus(name)
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    row: dict[str, Any] = {"tool": tool, "corpus": name, "texts": len(texts), "bytes": size}
    few = ["a b c d e f " * 20, "a b c d e f é " * 20]
    for warm in (few, few * 20):  # many texts are read by another kernel than few
        dedup.find_repeats(warm, threshold=threshold, progress=False)
    peak = Peak()
    if tool == "dedup":
        peak.start()
        clock, cpu = time.perf_counter(), time.process_time()
        found = dedup.find_repeats(texts, min_words=SIZE, threshold=threshold, threads=1, progress=False)
        row |= {"seconds": time.perf_counter() - clock, "cpu_seconds": time.process_time() - cpu, "memory": peak.stop()}
        row |= {"threshold": threshold, "repeats": len(found), "coverage": found.coverage}
        if check:
            row |= agreement(texts, found)
    else:
        peak.start()
        clock, cpu = time.perf_counter(), time.process_time()
        data = suffix_array.normalised(texts)
        row |= {"bytes_given": len(data), "cpu_seconds_making_bytes": time.process_time() - cpu}
        mask = suffix_array.repeated(data, 200)
        row |= {"seconds": time.perf_counter() - clock, "cpu_seconds": time.process_time() - cpu, "memory": peak.stop()}
        row["share"] = float(mask.mean())
    row["megabytes_a_second"] = size / row["cpu_seconds"] / 1e6
    row["bytes_a_byte"] = row["memory"] / size
    return row


def agreement(texts: list[str], found: Any) -> dict[str, Any]:  # noqa: ANN401
    """Check repeats against their sources, and what they cover against a dictionary of all windows."""
    unequal = 0
    spans: dict[int, list[tuple[int, int]]] = {}
    for r in found:
        spans.setdefault(int(r.document), []).append((r.start, r.end))
        if r.similarity == 1.0:
            here = WORD.findall(texts[int(r.document)][r.start : r.end].casefold())
            unequal += here != WORD.findall(texts[int(r.source_document)][r.source_start : r.source_end].casefold())
    seen: set[int] = set()
    wanted = covered = 0
    for number, text in enumerate(texts):
        matches = list(WORD.finditer(text))
        words = [match[0].casefold() for match in matches]
        row = sorted(spans.get(number, []))
        reached, at = 0, 0
        for i in range(len(words) - SIZE + 1):
            key = hash(tuple(words[i : i + SIZE]))
            if key in seen:
                wanted += 1
                while at < len(row) and row[at][0] <= matches[i].start():
                    reached = max(reached, row[at][1])
                    at += 1
                covered += reached >= matches[i + SIZE - 1].end()
            else:
                seen.add(key)
    return {"unequal": unequal, "windows": wanted, "windows_found": covered}


def in_child(*arguments: str) -> dict[str, Any]:
    """One measurement in a new process."""
    command = [sys.executable, "-m", "benchmarks.bench_repeats", "one", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        return {"arguments": arguments, "error": ended.stderr.strip().splitlines()[-1:]}
    result: dict[str, Any] = json.loads(ended.stdout)
    return result


def main() -> None:
    """Measure and print, a JSON line a measurement."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_repeats", description=__doc__)
    parser.add_argument("what", choices=["against", "growth", "one"])
    parser.add_argument("--corpus", default="civil_codes_dev,ota_dev,generated:30000")
    parser.add_argument("--tool", default="dedup,pydivsufsort")
    parser.add_argument("--threshold", type=float, default=1.0)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--check", action="store_true", help="also judge the agreement, in slow Python")
    chosen = parser.parse_args()
    if chosen.what == "one":
        print(json.dumps(measured(chosen.tool, chosen.corpus, chosen.threshold, check=chosen.check)))
        return
    names = chosen.corpus.split(",")
    tools = chosen.tool.split(",")
    if chosen.what == "growth":
        names = ["generated:3000", "generated:30000", "generated:100000", "copies:300", "copies:3000", "copies:30000"]
        tools = ["dedup"]
    for _ in range(chosen.repeat):
        for name in names:
            for tool in tools:
                row = in_child(
                    "--tool", tool, "--corpus", name, "--threshold", str(chosen.threshold), *["--check"] * chosen.check
                )
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()

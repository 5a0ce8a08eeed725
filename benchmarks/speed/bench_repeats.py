"""`find_repeats` against a suffix array, on one core: seconds, memory, agreement; growth.

    python -m benchmarks.speed.bench_repeats against --corpus civil_codes_dev
    python -m benchmarks.speed.bench_repeats growth
    python -m benchmarks.speed.bench_repeats large

Each measurement is a process of its own that has warmed up before. **against**: the same texts for both, 50 words for
`find_repeats`; for the suffix array, see `rivals/suffix_array.py`. Agreement: every repeat that `find_repeats` names is
checked token by token against its source, and it has to cover the windows of 50 tokens that occur earlier too, which a
dictionary of all windows finds. **growth**: seconds and memory by size of a generated collection in which one
text in ten is a copy, and by the number of copies of one text. **large**: texts that are long or degenerate;
their spans are checked against what was put there.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from itertools import accumulate
from typing import Any

import numpy as np

from benchmarks import needs
from benchmarks.quality.quality_passages import lines_of
from benchmarks.speed.measure import Peak

SIZE = 50

REAL = {"civil_codes_dev", "ota_dev", "de_gesetze", "tang_poetry"}
"""Corpora that are read from the real data."""


def corpus(name: str) -> list[str]:
    """The texts of a name: a real set, ``generated:TEXTS``, ``copies:TEXTS`` or ``chinese:MEGABYTES``."""
    if name == "civil_codes_dev":
        import pyarrow as pa

        texts = []
        for path in sorted(needs.data(name).glob("*.txt*")):
            data = path.read_bytes()
            if path.suffix == ".zst":
                with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
                    data = stream.read()
            texts.append(data.decode("utf-8", "replace"))
        return texts
    if name == "ota_dev":
        return [row["text"] for row in lines_of("ota_dev/ota_versions.jsonl.zst")]
    if name == "de_gesetze":
        return [row["text"] for row in lines_of("de_gesetze/de_gesetze.jsonl.zst")]
    if name == "tang_poetry":
        editions = ("quantangshi", "yuding_quantangshi")
        return [row["text"] for edition in editions for row in lines_of(f"tang_poetry/{edition}.jsonl.zst")]
    kind, _, count = name.partition(":")
    if kind == "chinese" and count.isdecimal():
        return chinese(int(count))
    if kind not in {"generated", "copies"} or not count.isdecimal():
        wanted = ", ".join(("generated:N, copies:N, chinese:N", *sorted(REAL)))
        raise SystemExit(f"corpus: expected one of {wanted}, found {name!r}")
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


def chinese(megabytes: int) -> list[str]:
    """Make texts of Chinese characters: words and set phrases by Zipf, in families of edited copies."""
    chance = random.Random(5)
    characters = [chr(0x4E00 + number) for number in range(4000)]
    chance.shuffle(characters)
    rare_last = [1 / (rank + 20) for rank in range(len(characters))]
    words = ["".join(chance.choices(characters, rare_last, k=chance.choice((1, 2, 2, 2, 3, 4)))) for _ in range(40_000)]
    weights = list(accumulate(1 / (rank + 10) for rank in range(len(words))))
    phrases = ["".join(chance.choices(words, cum_weights=weights, k=chance.randrange(4, 9))) for _ in range(2000)]

    def sentence() -> str:
        said = "".join(chance.choices(words, cum_weights=weights, k=chance.randrange(5, 15)))
        return f"{said}，{chance.choice(phrases)}。" if chance.random() < 0.25 else f"{said}。"  # noqa: RUF001

    def edited(said: str, share: float) -> str:
        kept = (c if chance.random() >= share else chance.choice(("", chance.choice(characters))) for c in said)
        return "".join(kept)

    texts: list[str] = []
    size = 0
    while size < 1_000_000 * megabytes:
        base = [sentence() for _ in range(chance.randrange(20, 120))]
        for copy in range(chance.choice((1, 1, 1, 2, 3, 6))):
            share = chance.choice((0.01, 0.03, 0.1)) if copy else 0.0
            kept = [edited(said, share) for said in base if not copy or chance.random() >= 0.05]
            texts.append("\n".join("".join(kept[at : at + 4]) for at in range(0, len(kept), 4)))
            size += len(texts[-1].encode())
    chance.shuffle(texts)
    return texts


LARGE = {
    "doubled:100": "a text of 100 MB, whose second half is the first once more",
    "word:4000000": "one word, 4 million times",
    "paragraphs:1000000": "one paragraph, a million times",
    "scripts:20": "20 MB of lines in turning scripts, each block of a hundred twice",
    "borders:50000": "a quotation 50,000 times, between emoji sequences and flags, its last letter with a mark",
}


def large(name: str) -> tuple[str, list[tuple[int, int, int, int]]]:
    """A text, and the spans that its repeats have (start, end, start and end of the source)."""
    kind, _, number = name.partition(":")
    count = int(number)
    chance = random.Random(9)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randrange(3, 9))) for _ in range(50_000)]
    if kind == "doubled":
        lines: list[str] = []
        size = 0
        while size < count * 500_000:
            lines.append(" ".join(chance.choices(words, k=60)) + ".")
            size += len(lines[-1]) + 1
        body = "\n".join(lines)
        return f"{body}\n{body}", [(len(body) + 1, 2 * len(body) + 1, 0, len(body))]
    if kind == "word":
        text = " ".join(["na"] * count)
        return text, [(3, len(text), 0, len(text) - 3)]
    if kind == "paragraphs":
        line = " ".join(words[:60]) + "."
        text = "\n\n".join([line] * count)
        step = len(line) + 2  # 60 words: pieces as long as the step
        return text, [(i * step, i * step + len(line), 0, len(line)) for i in range(1, count)]
    if kind == "scripts":
        firsts = "aаαאاअ一ก"  # noqa: RUF001 - the first letters of eight scripts
        alphabets = ["".join(chr(ord(first) + k) for k in range(10)) for first in firsts]
        blocks = []
        while sum(map(len, blocks)) < count * 200_000:
            turning = [chance.choice(alphabets) for _ in range(100)]
            made = [" ".join("".join(chance.choices(some, k=6)) for _ in range(12)) for some in turning]
            blocks.append("\n".join(made))
        body = "\n".join(blocks)
        return f"{body}\n\nxyz\n\n{body}", [(len(body) + 7, 2 * len(body) + 7, 0, len(body))]
    quote = " ".join([*words[:60], "cafe\u0301"])
    ends = ["👩‍💻", "🇩🇪", "👍🏽", "…", "”", "🇩🇪🇫🇷"]
    found, pieces, at = [], [], 0
    for i in range(count):
        before, behind = (
            (ends[i % 6], ends[(i // 6) % 6]) if i else ("", "")
        )  # at the source there is nothing to widen over
        pieces.append(f"p{i} {before}{quote}{behind} q{i}\n")
        start = at + len(f"p{i} {before}")
        found.append((start, start + len(quote), len("p0 "), len("p0 ") + len(quote)))
        at += len(pieces[-1])
    return "".join(pieces), found[1:]


def measured_large(name: str, threshold: float) -> dict[str, Any]:
    """Run `find_repeats` on a large or degenerate text in this process, and check its spans."""
    import dedup

    text, expected = large(name)
    size = len(text.encode())
    for warm in (["a b c d e f " * 20, "a b c d e f é " * 20], ["a b c d e f " * 20, "a b c d e f é " * 20] * 20):
        dedup.find_repeats(warm, threshold=threshold, progress=False)
    peak = Peak()
    peak.start()
    clock, cpu = time.perf_counter(), time.process_time()
    found = dedup.find_repeats(text, threshold=threshold, threads=1, progress=False)
    row: dict[str, Any] = {"seconds": time.perf_counter() - clock, "cpu_seconds": time.process_time() - cpu}
    grown = peak.stop()
    table = found.table
    names = ("start", "end", "source_start", "source_end")
    spans = list(zip(*(table[name].to_pylist() for name in names), strict=True))
    return {
        "text": name,
        "what": LARGE.get(name, ""),
        "threshold": threshold,
        "bytes": size,
        "characters": len(text),
        **row,
        "nanoseconds_a_character": 1e9 * row["cpu_seconds"] / len(text),
        "memory": grown,
        "bytes_a_byte": grown / size,
        "repeats": len(spans),
        "spans_right": spans == expected,
    }


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
    """Check repeats against their sources, and what they cover against a dictionary of all windows of tokens.

    `windows_cut` are the windows that no repeat covers because a stretch that overlaps its own source is cut into
    pieces: they cross two pieces, or come after the last complete one.
    """
    from dedup.text.tokens import locate_tokens

    located = [locate_tokens(text.encode("utf-8", "surrogatepass")) for text in texts]
    spans: dict[int, list[tuple[int, int]]] = {}
    unequal = 0
    for r in found:
        spans.setdefault(int(r.document), []).append((r.start, r.end))
        if r.similarity == 1.0:
            here = _inside(located[int(r.document)], r.start, r.end)
            unequal += here != _inside(located[int(r.source_document)], r.source_start, r.source_end)
    seen: dict[int, tuple[int, int]] = {}
    wanted = covered = cut = 0
    for number, (hashes, places) in enumerate(located):
        words, begins, ends = hashes.tolist(), places[:, 0].tolist(), places[:, 1].tolist()
        row = sorted(spans.get(number, []))
        reached, at = 0, 0
        for i in range(len(words) - SIZE + 1):
            key = hash(tuple(words[i : i + SIZE]))
            before = seen.get(key)
            seen[key] = number, i
            if before is None:
                continue
            wanted += 1
            while at < len(row) and row[at][0] <= begins[i]:
                reached = max(reached, row[at][1])
                at += 1
            if reached >= ends[i + SIZE - 1]:
                covered += 1
            elif before[0] == number:
                cut += _overlaps_its_source(words, i, i - before[1])
    return {"unequal": unequal, "windows": wanted, "windows_found": covered, "windows_cut": cut}


def _inside(located: Any, start: int, end: int) -> list[int]:  # noqa: ANN401
    hashes, places = located
    first, last = np.searchsorted(places[:, 0], start), np.searchsorted(places[:, 1], end, side="right")
    return list(hashes[first:last].tolist())


def _overlaps_its_source(words: list[int], place: int, distance: int) -> bool:
    """Return whether the stretch around a window that repeats tokens `distance` earlier is longer than `distance`."""
    low, high = place, place + SIZE
    while low > distance and words[low - 1] == words[low - 1 - distance]:
        low -= 1
    while high < len(words) and words[high] == words[high - distance]:
        high += 1
    return high - low > distance


def in_child(*arguments: str) -> dict[str, Any]:
    """One measurement in a new process."""
    command = [sys.executable, "-m", "benchmarks.speed.bench_repeats", "one", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        return {"arguments": arguments, "error": ended.stderr.strip().splitlines()[-1:]}
    result: dict[str, Any] = json.loads(ended.stdout)
    return result


def main() -> None:
    """Measure, and print one JSON line per measurement."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.bench_repeats", description=__doc__)
    parser.add_argument("what", choices=["against", "growth", "large", "one"])
    parser.add_argument("--corpus", default="civil_codes_dev,ota_dev,generated:30000")
    parser.add_argument("--tool", default="dedup,pydivsufsort")
    parser.add_argument("--threshold", type=float, default=1.0)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--check", action="store_true", help="also judge the agreement, in slow Python")
    chosen = parser.parse_args()
    if chosen.what == "one":
        if chosen.corpus.partition(":")[0] in {name.partition(":")[0] for name in LARGE}:
            print(json.dumps(measured_large(chosen.corpus, chosen.threshold)))
            return
        print(json.dumps(measured(chosen.tool, chosen.corpus, chosen.threshold, check=chosen.check)))
        return
    names = chosen.corpus.split(",")
    tools = chosen.tool.split(",")
    if chosen.what == "growth":
        names = ["generated:3000", "generated:30000", "generated:100000", "copies:300", "copies:3000", "copies:30000"]
        tools = ["dedup"]
    if chosen.what == "large":
        names, tools = list(LARGE), ["dedup"]
    for name in [name for name in names if name in REAL]:
        try:
            needs.data(name)
        except needs.MissingDataError as error:
            print(f"skipped: {error}", file=sys.stderr)
            names.remove(name)
    for _ in range(chosen.repeat):
        for name in names:
            for tool in tools:
                # edits would chain a quotation in every line
                threshold = "1.0" if name.startswith("borders") else str(chosen.threshold)
                row = in_child("--tool", tool, "--corpus", name, "--threshold", threshold, *["--check"] * chosen.check)
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()

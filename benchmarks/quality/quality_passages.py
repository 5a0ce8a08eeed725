"""How well `find_repeats` finds what was edited: planted passages (plagdet) and the verses of many translations.

    python -m benchmarks.quality.quality_passages planted
    python -m benchmarks.quality.quality_passages verses

**planted**: passages of real texts (`ota_dev`, one version a service; `civil_codes_dev` would repeat itself) are put
into other texts, after a share of their words was edited: substituted, inserted and deleted in equal thirds, words
drawn from the corpus. Only repeats whose document or source is a planted one's are judged, since the texts repeat one
another too: a repeat of a planted document from elsewhere counts against precision only where it touches the passage.
Measures are those of PAN [1], in characters: recall, precision, granularity, plagdet = F1 / log2(1 + granularity).

**verses**: the chapters of `bible_versions`, a verse a line; which verse of the second translation repeats the same
verse of the first, by similarity of the two verses (longest common subsequence of words / words of the longer).

References: [1] Potthast, Stein, Barron-Cedeno, Rosso, "An evaluation framework for plagiarism detection", 2010.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
from collections.abc import Iterator

import pyarrow as pa

import dedup
from benchmarks import needs

GRAM = 10
"""Words. A passage has one source if no sequence of so many of its words occurs in another text."""

WORD = re.compile(r"\w+")


def lines_of(name: str) -> Iterator[dict[str, str]]:
    """The records of a compressed file of JSON lines in the folder of the real data."""
    with pa.CompressedInputStream(pa.OSFile(str(needs.data(name))), "zstd") as stream:
        for line in stream.read().decode().split("\n"):  # texts have line separators of other kinds in them
            if line:
                yield json.loads(line)


def edited(words: list[str], share: float, vocabulary: list[str], chance: random.Random) -> list[str]:
    """Edit a share of the words: substitute, insert, delete in equal thirds."""
    result = []
    for word in words:
        kind = chance.randrange(3) if chance.random() < share else -1
        if kind != 2:
            result.append(chance.choice(vocabulary) if kind == 0 else word)
        if kind == 1:
            result.append(chance.choice(vocabulary))
    return result


def union(spans: list[tuple[int, int]]) -> int:
    """Characters that some spans cover together."""
    total, reached = 0, 0
    for start, end in sorted(spans):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total


def planted(size: int, share: float, threshold: float, seed: int) -> dict[str, float]:
    """Plant one passage into each of 300 texts, find, and judge."""
    chance = random.Random(f"{size}:{share}:{seed}")
    by_service = {row["cluster"]: row["text"] for row in lines_of("ota_dev/ota_versions.jsonl.zst")}
    texts = [text for text in by_service.values() if 1000 < len(WORD.findall(text)) < 20000]
    chance.shuffle(texts)
    vocabulary = [word for text in texts for word in WORD.findall(text)]
    count = len(texts) // 2
    sources, hosts = texts[:count], texts[count : 2 * count]
    grams: set[tuple[str, ...]] = set()
    twice: set[tuple[str, ...]] = set()
    for text in texts:
        words = WORD.findall(text.casefold())
        own = {tuple(words[i : i + GRAM]) for i in range(len(words) - GRAM + 1)}
        twice |= own & grams
        grams |= own
    cases, pages, hosts_of = [], [], []
    for number, (source, host) in enumerate(zip(sources, hosts, strict=True)):
        found = list(WORD.finditer(source))
        for _ in range(100):  # a passage that occurs elsewhere too has several sources
            at = chance.randrange(len(found) - size)
            start, end = found[at].start(), found[at + size - 1].end()
            words = WORD.findall(source[start:end].casefold())
            if not any(tuple(words[i : i + GRAM]) in twice for i in range(len(words) - GRAM + 1)):
                break
        else:
            continue
        passage = " ".join(edited(source[start:end].split(), share, vocabulary, chance))
        spaces = [match.start() for match in re.finditer(" ", host)]
        place = chance.choice(spaces) + 1
        pages.append(f"{host[:place]}{passage} {host[place:]}")
        hosts_of.append(number)
        cases.append((number, start, end, count + len(pages) - 1, place, place + len(passage)))
    every = sources + pages
    background = {
        (r.document, r.source_document)
        for r in dedup.find_repeats([*sources, *hosts], min_words=20, threshold=threshold, progress=False)
    }
    found_by: dict[tuple[int, int], list[dedup.Repeat]] = {}
    for repeat in dedup.find_repeats(every, min_words=20, threshold=threshold, progress=False):
        key = (int(repeat.document), int(repeat.source_document))
        if key[0] >= count > key[1]:
            found_by.setdefault(key, []).append(repeat)
    recalls, precisions, pieces = [], [], []
    judged = 0
    for number, start, end, page, place, stop in cases:
        if (count + hosts_of[page - count], number) in background:
            continue  # the two texts repeat each other anyway
        judged += 1
        hits = [r for r in found_by.get((page, number), []) if r.start < stop and r.end > place]
        inside = union([(max(r.start, place), min(r.end, stop)) for r in hits])
        there = union([(max(r.source_start, start), min(r.source_end, end)) for r in hits if r.source_start < end])
        recalls.append((inside + there) / (stop - place + end - start))
        if hits:
            pieces.append(len(hits))
        for r in found_by.get((page, number), []):
            here = max(0, min(r.end, stop) - max(r.start, place))
            back = max(0, min(r.source_end, end) - max(r.source_start, start))
            precisions.append((here + back) / (r.end - r.start + r.source_end - r.source_start))
    recall = sum(recalls) / judged
    precision = sum(precisions) / len(precisions) if precisions else 0.0
    granularity = sum(pieces) / len(pieces) if pieces else 1.0
    f1 = 2 * recall * precision / (recall + precision) if recall + precision else 0.0
    return {
        "words": size,
        "edits": share,
        "cases": judged,
        "recall": recall,
        "precision": precision,
        "granularity": granularity,
        "plagdet": f1 / math.log2(1 + granularity),
    }


def longest_common(a: list[str], b: list[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for left in a:
        diagonal = 0
        for k, right in enumerate(b, start=1):
            above = row[k]
            row[k] = diagonal + 1 if left == right else max(above, row[k - 1])
            diagonal = above
    return row[-1]


def verses(first: str, second: str, min_words: int, threshold: float) -> list[dict[str, float]]:
    """Judge the verses of two translations, by similarity."""
    chapters: dict[str, dict[str, str]] = {}
    for row in lines_of("bible_versions/bible_chapters.jsonl.zst"):
        chapters.setdefault(row["version"], {})[row["cluster"]] = row["text"]
    names = [name for name in chapters[first] if name in chapters[second]]
    texts = [chapters[version][name] for version in (first, second) for name in names]
    borders = []
    for text in texts:
        ends = [0]
        for line in text.split("\n"):
            ends.append(ends[-1] + len(line) + 1)
        borders.append(ends)
    found: set[tuple[int, int]] = set()
    wrong = 0
    for repeat in dedup.find_repeats(texts, min_words=min_words, threshold=threshold, progress=False):
        document, source = int(repeat.document), int(repeat.source_document)
        if document < len(names) or source >= len(names):
            continue
        if document - len(names) != source:
            wrong += 1
            continue
        for verse, (start, end) in enumerate(zip(borders[document], borders[document][1:], strict=False)):
            covered = min(repeat.end, end - 1) - max(repeat.start, start)
            if covered * 2 > end - 1 - start > 0:
                found.add((source, verse))
    table: dict[int, list[int]] = {}
    for chapter in range(len(names)):
        left, right = texts[chapter].split("\n"), texts[len(names) + chapter].split("\n")
        for verse, (a, b) in enumerate(zip(left, right, strict=False)):
            a_words, b_words = WORD.findall(a.casefold()), WORD.findall(b.casefold())
            if min(len(a_words), len(b_words)) < min_words:
                continue
            similarity = longest_common(a_words, b_words) / max(len(a_words), len(b_words))
            row = table.setdefault(min(int(similarity * 10), 9), [0, 0])
            row[0] += 1
            row[1] += (chapter, verse) in found
    return [
        {"similarity": bucket / 10, "verses": total, "found": hit, "recall": hit / total, "elsewhere": wrong}
        for bucket, (total, hit) in sorted(table.items())
    ]


def main() -> None:
    """Measure, and print one JSON line per row."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.quality_passages", description=__doc__)
    parser.add_argument("what", choices=["planted", "verses"])
    parser.add_argument("--threshold", type=float, default=0.8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sizes", default="50,100")
    parser.add_argument("--edits", default="0,0.02,0.05,0.1,0.2")
    parser.add_argument("--versions", default="KJVPCE,Webster")
    parser.add_argument("--min-words", type=int, default=8)
    chosen = parser.parse_args()
    if chosen.what == "planted":
        for size in map(int, chosen.sizes.split(",")):
            for share in map(float, chosen.edits.split(",")):
                print(json.dumps(planted(size, share, chosen.threshold, chosen.seed)), flush=True)
    else:
        for row in verses(*chosen.versions.split(","), chosen.min_words, chosen.threshold):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()

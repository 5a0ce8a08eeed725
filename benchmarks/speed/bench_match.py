"""Articles planted inside pages twenty times longer: `dedup.match` beside datasketch's MinHashLSHEnsemble.

    python -m benchmarks.speed.bench_match --articles 1000 --output benchmarks/runs/2026-01-31-match

Each article is planted in a page of other generated news, at a place drawn at random; half of them word for word, the
others with words replaced, inserted and deleted at a rate that leaves containments from 0.7 to 1. The truth is counted
on sets of Python strings: the word 5-grams of `\\w+` in lower case. Measured are

    recall, precision      of the pairs (article, page) whose containment of the article reaches 0.8
    spans                  share of the articles planted word for word of which a passage is the whole article, at its
                           first place in the pages, on both sides to the character
    seconds                from two lists of strings to pairs (and passages), one core; datasketch is timed with the
                           making of its shingles, and does not verify: its candidates are what it answers

--family N adds a row: N near copies of one article on the right, and the same articles on the left. --versions
100,200,400,800 is a measurement of its own: so many versions of one text of 3,000 words on either side, 30 words of
each drawn anew; seconds and passages, which are to grow together.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import random
import re
import time
from pathlib import Path
from typing import Any

import dedup
from benchmarks import needs
from benchmarks.corpora import news
from benchmarks.publish import report

WORD = re.compile(r"\w+")
THRESHOLD = 0.8
PAGE = 20
Pairs = set[tuple[int, int]]


def shingles(text: str) -> set[str]:
    """The word 5-grams."""
    words = WORD.findall(text.lower())
    return {" ".join(words[i : i + 5]) for i in range(max(1, len(words) - 4))} if words else set()


def edited(text: str, rate: float, chance: random.Random) -> str:
    """A copy in which a share of the words is replaced, followed by another, or left out."""
    words = text.split(" ")
    found: list[str] = []
    for word in words:
        kind = chance.random()
        if kind < rate / 3:
            found.append(chance.choice(words))
        elif kind < 2 * rate / 3:
            found += [word, chance.choice(words)]
        elif kind >= rate:
            found.append(word)
    return " ".join(found)


def planted(count: int) -> tuple[list[str], list[str], list[int]]:
    """Return articles, pages, and the place of each article in its page, word for word (-1 if it was edited)."""
    chance = random.Random(count)
    articles: list[str] = []
    filler: list[str] = []
    for block in news.generate(10**9, 2000, 1):
        articles += [text for text in block if len(text) >= 1200]
        if len(articles) >= count:
            break
    for block in news.generate(10**9, 2000, 2):
        filler += block
        if sum(map(len, filler)) > PAGE * sum(map(len, articles[:count])):
            break
    articles = articles[:count]
    pages: list[str] = []
    places: list[int] = []
    at = 0
    for number, article in enumerate(articles):
        around: list[str] = []
        while sum(map(len, around)) < (PAGE - 1) * len(article):
            around.append(filler[at % len(filler)])
            at += 1
        place = chance.randrange(len(around) + 1)
        inside = article if number % 2 == 0 else edited(article, chance.uniform(0.0, 0.07), chance)
        before = "\n".join(around[:place])
        places.append(len(before) + 1 if number % 2 == 0 else -1)
        pages.append(before + "\n" + inside + "\n" + "\n".join(around[place:]))
    return articles, pages, places


def truth(articles: list[str], pages: list[str]) -> Pairs:
    """The pairs that reach the threshold: every page that holds any shingle of an article is counted."""
    sets = [shingles(article) for article in articles]
    holders: dict[str, list[int]] = {}
    for number, some in enumerate(sets):
        for shingle in some:
            holders.setdefault(shingle, []).append(number)
    found = set()
    for page, text in enumerate(pages):
        inside = shingles(text)
        shared: dict[int, int] = {}
        for shingle in inside:
            for number in holders.get(shingle, ()):
                shared[number] = shared.get(number, 0) + 1
        found |= {(n, page) for n, s in shared.items() if s / min(len(sets[n]), len(inside)) >= THRESHOLD}
    return found


def first_place(article: str, pages: list[str]) -> tuple[int, int, int]:
    """Page, start and end of the first place: some of the generated articles are copies of earlier ones."""
    page = next(number for number, text in enumerate(pages) if article in text)
    place = pages[page].index(article)
    return page, place, place + len(article)


def by_dedup(articles: list[str], pages: list[str], min_words: int | None) -> tuple[Pairs, Any]:
    """All pairs, and the passages."""
    result = dedup.match(
        articles, pages, metric="containment", threshold=THRESHOLD, min_words=min_words, threads=1, progress=False
    )
    pairs = result.pairs
    both = set(zip(pairs["left"].to_pylist(), pairs["right"].to_pylist(), strict=True))
    return both, None if min_words is None else result.passages.to_pylist()


def by_ensemble(articles: list[str], pages: list[str], weights: tuple[float, float] = (0.5, 0.5)) -> tuple[Pairs, Any]:
    """Candidates of an ensemble over the pages: 128 permutations, 32 parts, as its documentation has it.

    `weights` are what it gives to false positives and false negatives where it chooses its bands.
    """

    from datasketch import MinHash, MinHashLSHEnsemble

    def sketch(text: str) -> tuple[Any, int]:
        some = shingles(text)
        made = MinHash(num_perm=128)
        made.update_batch([shingle.encode() for shingle in some])
        return made, max(len(some), 1)

    index = MinHashLSHEnsemble(threshold=THRESHOLD, num_perm=128, num_part=32, weights=weights)
    index.index([(number, *sketch(page)) for number, page in enumerate(pages)])
    found = set()
    for number, article in enumerate(articles):
        found |= {(number, page) for page in index.query(*sketch(article))}
    return found, None


def versions(counts: list[int]) -> None:
    """Measure versions of one text against other versions of it, and print a JSON line for each number."""
    chance = random.Random(3)
    base = [f"w{chance.randrange(20_000)}" for _ in range(3_000)]

    def side(name: str, count: int) -> list[str]:
        made = []
        for number in range(count):
            words = list(base)
            for _ in range(30):
                words[chance.randrange(len(words))] = f"{name}{number}x{chance.randrange(10**6)}"
            made.append(" ".join(words))
        return made

    dedup.match(side("a", 20), side("b", 20), threads=1, progress=False)  # kernels are loaded
    for count in counts:
        left, right = side("l", count), side("r", count)
        cpu, clock = time.process_time(), time.perf_counter()
        result = dedup.match(left, right, threshold=1.0, threads=1, progress=False)
        row = {"versions": count, "MB": sum(map(len, left + right)) / 1e6, "passages": result.summary.passages}
        row |= {"seconds": time.perf_counter() - clock, "cpu_seconds": time.process_time() - cpu}
        print(json.dumps(row), flush=True)


def main() -> None:
    """Measure, print a table, and keep the raw results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.bench_match", description=__doc__)
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--family", type=int, default=0, help="near copies of one article on the right")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--output", type=Path, help="folder for raw.jsonl and summary.md")
    parser.add_argument("--versions", default="", help="numbers of versions on either side")
    chosen = parser.parse_args()
    needs.package("datasketch")  # now, not within a measurement
    if chosen.versions:
        versions([int(count) for count in chosen.versions.split(",")])
        return
    articles, pages, places = planted(chosen.articles)
    wanted = truth(articles, pages)
    size = sum(len(text.encode()) for text in (*articles, *pages)) / 1e6
    by_dedup(articles[:20], pages[:20], 50)  # kernels are loaded
    tools = {
        "dedup.match": lambda a, b: by_dedup(a, b, 50),
        "dedup.match, pairs alone": lambda a, b: by_dedup(a, b, None),
        "datasketch MinHashLSHEnsemble": by_ensemble,
        "datasketch MinHashLSHEnsemble, weights 0.05, 0.95": lambda a, b: by_ensemble(a, b, (0.05, 0.95)),
    }
    raw: list[dict[str, Any]] = []
    for turn in range(chosen.repeat):
        for tool, run in tools.items():
            if turn and tool.startswith("datasketch"):
                continue
            sides = [[text.encode().decode() for text in side] for side in (articles, pages)]
            cpu, clock = time.process_time(), time.perf_counter()
            pairs, passages = run(*sides)
            seconds, cpu = time.perf_counter() - clock, time.process_time() - cpu
            row = {"tool": tool, "articles": len(articles), "MB": size, "seconds": seconds, "cpu_seconds": cpu}
            row |= {"reported": len(pairs), "recall": len(pairs & wanted) / len(wanted)}
            row["precision"] = len(pairs & wanted) / max(len(pairs), 1)
            if passages is not None:
                whole = {
                    (p["left"], p["left_start"], p["left_end"], p["right"], p["right_start"], p["right_end"])
                    for p in passages
                }
                verbatim = [number for number, place in enumerate(places) if place >= 0]
                right = sum((n, 0, len(articles[n]), *first_place(articles[n], pages)) in whole for n in verbatim)
                row["spans"] = right / len(verbatim)
            raw.append(row)
            print(row, flush=True)
    if chosen.family:
        chance = random.Random(7)
        family = [edited(articles[0], 0.03, chance) for _ in range(chosen.family)]
        cpu, clock = time.process_time(), time.perf_counter()
        result = dedup.match(articles, family, threads=1, progress=False)
        row = {"tool": "dedup.match", "family": chosen.family, "MB": sum(map(len, family)) / 1e6}
        row |= {"seconds": time.perf_counter() - clock, "cpu_seconds": time.process_time() - cpu}
        raw.append(row | {"reported": result.summary.pairs, "passages": result.summary.passages})
        print(raw[-1], flush=True)
    head = [*report.machine(), f"dedup {dedup.__version__}, datasketch {importlib.metadata.version('datasketch')}"]
    head.append(f"{len(articles):,} articles, {len(pages):,} pages, {size:.1f} MB; {len(wanted):,} pairs reach 0.8")
    names = ("tool", "family", "seconds", "cpu_seconds", "reported", "recall", "precision", "spans", "passages")
    table = ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
    for row in raw:
        cells = [row.get(name, "-") for name in names]
        table.append("| " + " | ".join(f"{c:.3f}" if isinstance(c, float) else str(c) for c in cells) + " |")
    print("\n".join([*head, "", *table]))
    if chosen.output:
        chosen.output.mkdir(parents=True, exist_ok=True)
        (chosen.output / "raw.jsonl").write_text("".join(json.dumps(row) + "\n" for row in raw), encoding="utf-8")
        (chosen.output / "summary.md").write_text("\n".join([*head, "", *table]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""`metric="edit"` beside all pairs of `rapidfuzz`: titles, and pages with much noise.

    python -m benchmarks.speed.bench_edit --titles 20000 --pages 2000

Titles of 3 to 9 invented words (`benchmarks.corpora.vocabulary`, by their frequencies), a quarter of them near copies:
up to one edit per eight characters. Pages of about 3 kB, each a second time with 30 % of the characters struck by
noise, so that the two are about 0.7 alike. Both sides get the strings, and answer with pairs:

    dedup       dedup.find_duplicates(texts, metric="edit", threshold=..., threads=1), from texts to pairs
    rapidfuzz   process.cdist(texts, texts, scorer=Levenshtein.normalized_similarity, score_cutoff=... - 1e-6),
                which compares each pair once, and the pairs where the result is not 0

The texts are lower case with single spaces, so both compare the same characters. Seconds are processor time, the median
of --rounds rounds, the tools taking turns after one warm-up of `dedup` with few texts. The pairs must be equal. `cdist`
of 20,000 texts holds 1.6 GB.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from random import Random
from statistics import median
from typing import Any

import numpy as np

import dedup
from benchmarks import needs
from benchmarks.corpora.vocabulary import words

ROUNDING = 1e-6
"""At its own cut-off, `rapidfuzz` drops some pairs of exactly that similarity: 3 edits in 15 characters at 0.8."""

LETTERS = "etaoinshrdlucmfwypvbgkjqxz"


def struck(text: str, edits: int, random: Random) -> str:
    """Return the text with so many letters replaced, inserted or deleted."""
    letters = list(text)
    for _ in range(edits):
        at, kind = random.randrange(len(letters)), random.randrange(3)
        if kind == 0:
            letters[at] = random.choice(LETTERS)
        elif kind == 1:
            letters.insert(at, random.choice(LETTERS))
        elif len(letters) > 1:
            del letters[at]
    return " ".join("".join(letters).split())


def drawn(random: Random, count: int, known: list[str], weights: list[float]) -> str:
    """Return some words, joined by spaces."""
    return " ".join(random.choices(known, cum_weights=weights, k=count))


def vocabulary() -> tuple[list[str], list[float]]:
    """Return words of ASCII letters in lower case, and the sums of their frequencies."""
    known = [word for word in words() if word.isascii() and word.isalpha() and word.islower()]
    return known, np.cumsum([1 / (rank + 2.7) for rank in range(len(known))]).tolist()


def titles(count: int, seed: int = 1) -> list[str]:
    """Return titles; a quarter are near copies of others. They are all different."""
    random, (known, weights) = Random(seed), vocabulary()
    found: dict[str, None] = {}
    while len(found) < count:
        title = drawn(random, random.randint(3, 9), known, weights)
        found[title] = None
        if random.random() < 1 / 3:
            found[struck(title, random.randint(1, max(len(title) // 8, 1)), random)] = None
    made = list(found)[:count]
    random.shuffle(made)
    return made


def pages(count: int, seed: int = 1) -> list[str]:
    """Return pages of about 3 kB, half of them noisy copies of the others."""
    random, (known, weights) = Random(seed), vocabulary()
    made: list[str] = []
    while len(made) < count:
        page = drawn(random, 3000 // 6, known, weights)
        made += [page, struck(page, 3 * len(page) // 10, random)]
    random.shuffle(made)
    return made[:count]


def by_dedup(texts: list[str], threshold: float) -> set[tuple[int, int]]:
    """Return the pairs that dedup finds."""
    pairs = dedup.find_duplicates(texts, metric="edit", threshold=threshold, threads=1).pairs
    return set(zip(pairs.column("left").to_pylist(), pairs.column("right").to_pylist(), strict=True))


def by_rapidfuzz(texts: list[str], threshold: float) -> set[tuple[int, int]]:
    """Return the pairs that reach the threshold, of all pairs."""
    needs.package("rapidfuzz")
    from rapidfuzz import process
    from rapidfuzz.distance import Levenshtein

    how: dict[str, Any] = {
        "scorer": Levenshtein.normalized_similarity,
        "score_cutoff": threshold - ROUNDING,
        "workers": 1,
    }
    left, right = np.nonzero(process.cdist(texts, texts, dtype=np.float32, **how))
    return {(i, j) for i, j in zip(left.tolist(), right.tolist(), strict=True) if i < j}


TOOLS: dict[str, Callable[[list[str], float], set[tuple[int, int]]]] = {"dedup": by_dedup, "rapidfuzz": by_rapidfuzz}


def measured(name: str, texts: list[str], threshold: float, rounds: int) -> None:
    """Print the seconds of each tool."""
    seconds: dict[str, list[float]] = {tool: [] for tool in TOOLS}
    answers: dict[str, set[tuple[int, int]]] = {}
    by_dedup(texts[:40], threshold)
    for _ in range(rounds):
        for tool, find in TOOLS.items():
            start = time.process_time()
            answers[tool] = find(texts, threshold)
            seconds[tool].append(time.process_time() - start)
    own, other = (median(seconds[tool]) for tool in ("dedup", "rapidfuzz"))
    same = "the same pairs" if answers["dedup"] == answers["rapidfuzz"] else "OTHER PAIRS"
    print(
        f"{name}: {len(texts):,} texts of {sum(map(len, texts)) / len(texts):.0f} characters at {threshold:g}: "
        f"{len(answers['dedup']):,} pairs, {same}; dedup {own:.2f} s, rapidfuzz {other:.2f} s, ratio {own / other:.3f}",
        flush=True,
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.bench_edit", description=__doc__.split("\n")[0])
    parser.add_argument("--titles", type=int, default=20_000, help="titles; 0: none")
    parser.add_argument("--pages", type=int, default=2_000, help="pages; 0: none")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    for threshold in (0.8, 0.9) if given.titles else ():
        measured("titles", titles(given.titles), threshold, given.rounds)
    if given.pages:
        measured("pages", pages(given.pages), 0.6, given.rounds)


if __name__ == "__main__":
    main()

"""Is the promise of LSH kept? `python -m benchmarks.quality.check_recall --corpora 200`.

Each corpus is made from its number: 60 texts of about 300 words, four near copies of each, edited so that many pairs
are as similar as the threshold and a little more. Their pairs are found by `truth.py`, which shares nothing with the
library. Pairs with J in [t, t + 0.02] are counted, and those of them that `find_duplicates` misses, with the number of
the corpus as its seed. Over all corpora, the recall has an upper bound at 95 % (Clopper and Pearson, one-sided): the
promise is refuted if that lies below it.

Pairs of one corpus share their permutations and so are not quite independent; the bound takes them for it, which makes
the check stricter.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from math import exp, lgamma, log, log1p
from pathlib import Path
from random import Random
from typing import Any

import dedup
from benchmarks.corpora import truth
from benchmarks.publish import report

WINDOW = 0.02
HEADS, COPIES, WORDS = 60, 4, 300


def near(random: Random, words: list[str], similarity: float) -> list[str]:
    """A copy with so many words replaced that about this share of the 5-grams is common."""
    survival = 2 * similarity / (1 + similarity)  # of the 5-grams, which is that of five words in a row
    edits = len(words) * (1 - survival ** (1 / truth.SIZE))
    places = sorted(range(len(words)), key=lambda _: random.random())
    copy = list(words)
    for place in places[: int(edits) + (random.random() < edits % 1)]:
        copy[place] = f"edit{int(random.random() * 1e9)}"
    return copy


def corpus(number: int, threshold: float) -> list[str]:
    """The texts of one corpus."""
    random = Random(number)
    texts: list[str] = []
    for _ in range(HEADS):
        size = int(WORDS * (0.6 + 0.8 * random.random()))
        head = [f"word{int(30_000 * random.random() ** 2)}" for _ in range(size)]
        texts.append(" ".join(head))
        targets = [min(1.0, threshold + WINDOW * random.random()) for _ in range(COPIES)]
        texts += [" ".join(near(random, head, target)) for target in targets]
    return texts


def border(texts: list[str], threshold: float) -> set[tuple[int, int]]:
    """The pairs with a similarity in [t, t + 0.02]."""
    sets = [set(found.tolist()) for found in truth.shingle_sets(texts)]
    found = truth.find(texts, threshold)
    return {
        (left, right)
        for left, right in zip(found.left.tolist(), found.right.tolist(), strict=True)
        if len(sets[left] & sets[right]) <= (threshold + WINDOW) * len(sets[left] | sets[right])
    }


def fewest_missed(missed: int, pairs: int, level: float = 0.05) -> float:
    """The smallest rate of misses that so many are still compatible with (one-sided Clopper and Pearson)."""
    if missed == 0:
        return 0.0

    def as_many(rate: float) -> float:
        """The probability of at least so many misses."""
        logs = (
            lgamma(pairs + 1) - lgamma(k + 1) - lgamma(pairs - k + 1) + k * log(rate) + (pairs - k) * log1p(-rate)
            for k in range(missed)
        )
        return 1.0 - sum(map(exp, logs))

    low, high = 0.0, missed / pairs
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if as_many(middle) < level else (low, middle)
    return low


def checked(corpora: int, threshold: float, recall: float) -> Iterator[tuple[int, int, float, int]]:
    """For each corpus: pairs at the border, those missed, the recall guaranteed and whether the interval held."""
    for number in range(corpora):
        texts = corpus(number, threshold)
        wanted = border(texts, threshold)
        result = dedup.find_duplicates(texts, threshold=threshold, method="lsh", recall=recall, seed=number, threads=1)
        found = set(zip(result.pairs["left"].to_pylist(), result.pairs["right"].to_pylist(), strict=True))
        yield len(wanted), len(wanted - found), result.summary.guaranteed_recall, result.summary.large_buckets


def run(corpora: int, threshold: float, recall: float) -> dict[str, Any]:
    """Pool all corpora."""
    rows = list(checked(corpora, threshold, recall))
    pairs, missed = sum(row[0] for row in rows), sum(row[1] for row in rows)
    upper = 1.0 - fewest_missed(missed, pairs)
    return {
        "kind": "promise",
        "corpora": corpora,
        "threshold": threshold,
        "promised": recall,
        "guaranteed": min(row[2] for row in rows),
        "pairs": pairs,
        "missed": missed,
        "recall": 1.0 - missed / pairs,
        "upper": upper,
        "large_buckets": sum(row[3] for row in rows),
        "kept": upper >= recall,
    }


def main(given: list[str] | None = None) -> None:
    """Check, print a line a threshold, end with 1 where the promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.check_recall", description=__doc__)
    parser.add_argument("--corpora", type=int, default=200)
    parser.add_argument("--thresholds", default="0.5,0.7,0.8,0.9")
    parser.add_argument("--recalls", default="0.999")
    parser.add_argument("--output", type=Path, help="a file for the results, a line of JSON each; added to")
    chosen = parser.parse_args(sys.argv[1:] if given is None else given)
    print("\n".join(report.machine()))
    broken = False
    for recall in map(float, chosen.recalls.split(",")):
        for threshold in map(float, chosen.thresholds.split(",")):
            found = run(chosen.corpora, threshold, recall)
            broken |= not found["kept"]
            print(
                f"t {threshold:g}, recall {recall:g} promised, {found['guaranteed']:.5f} guaranteed: "
                f"{found['missed']} of {found['pairs']:,} pairs missed, recall {found['recall']:.5f}, "
                f"95 % upper bound {found['upper']:.5f}: {'kept' if found['kept'] else 'BROKEN'}",
                flush=True,
            )
            if chosen.output:
                with chosen.output.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(found, sort_keys=True) + "\n")
    sys.exit(int(broken))


if __name__ == "__main__":
    main()

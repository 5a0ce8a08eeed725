"""How good are the suggestions of `dedup.suggest`? `python -m benchmarks.quality.quality_suggest`.

For each kind of `kinds.py`: F1 of the pairs that a search with the suggestion finds, against F1 at the best threshold
of the best shingle, of those that are suggested, in steps of 0.005. Pairs of one group are right, all others are wrong.
`default` is F1 of a search without options. `seconds` is processor time of `suggest`, `search` that of a search with
the suggestion. With --rivals, kinds of short texts are also judged by all pairs of
`rapidfuzz.distance.Levenshtein.normalized_similarity` (of lower case), at its best threshold; and all kinds by
`datasketch.MinHashLSH` with 256 permutations, the best shingle, and its best threshold.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import dedup
from benchmarks import needs
from benchmarks.publish import report
from benchmarks.quality.kinds import KINDS, Kind, kind
from dedup.pipelines.suggest import SUGGESTED as SHINGLES
from dedup.shingling import shingles

STEPS = 200


def curve(texts: list[str], groups: np.ndarray, shingle: str) -> np.ndarray:  # type: ignore[type-arg]
    """F1 at each threshold of 0, 0.005, ... 0.995."""
    sets = shingles(texts, shingle)
    values, numbers = np.unique(sets.values, return_inverse=True)
    owners = np.repeat(np.arange(len(texts)), np.diff(sets.offsets))
    order = np.argsort(numbers, kind="stable")
    owners_of = owners[order]
    bounds = np.searchsorted(numbers[order], np.arange(len(values) + 1))
    sizes = np.diff(sets.offsets)
    same, other = np.zeros(STEPS + 1), np.zeros(STEPS + 1)
    for row in range(len(texts)):
        found = numbers[sets.offsets[row] : sets.offsets[row + 1]]
        lists = [owners_of[bounds[k] : bounds[k + 1]] for k in found.tolist()]
        shared = np.bincount(np.concatenate(lists) if lists else [], minlength=len(texts))[row + 1 :]
        jaccard = shared / np.maximum(1, sizes[row] + sizes[row + 1 :] - shared)
        right = groups[row + 1 :] == groups[row]
        for wanted, counts in ((right, same), (~right, other)):
            counts += np.bincount((jaccard[wanted] * STEPS).astype(int), minlength=STEPS + 1)
    hits, wrong = same[::-1].cumsum()[::-1], other[::-1].cumsum()[::-1]
    return (2 * hits / np.maximum(hits + wrong + same.sum(), 1))[:STEPS]


def score(texts: list[str], groups: np.ndarray, **options: Any) -> float:  # type: ignore[type-arg]
    """F1 of a search."""
    table = dedup.find_duplicates(texts, pairs="all", **options).pairs
    left, right = table["left"].to_numpy(), table["right"].to_numpy()
    _, sizes = np.unique(groups, return_counts=True)
    truth = int((sizes * (sizes - 1) // 2).sum())
    return 2 * int((groups[left] == groups[right]).sum()) / max(len(left) + truth, 1)


SHORT = 300
"""Characters, on average, up to which texts are compared by edit distance: all pairs of longer ones take minutes."""


def by_distance(texts: list[str], groups: np.ndarray) -> tuple[float, float]:  # type: ignore[type-arg]
    """The best F1 of all pairs of rapidfuzz, and its threshold."""
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import cdist

    folded = [text.lower() for text in texts]
    same, other = np.zeros(STEPS + 1), np.zeros(STEPS + 1)
    for row in range(0, len(texts), 200):
        alike = cdist(folded[row : row + 200], folded, scorer=Levenshtein.normalized_similarity)
        later = np.arange(len(texts)) > np.arange(row, row + len(alike))[:, None]
        right = groups[row : row + 200, None] == groups
        for wanted, counts in ((right & later, same), (~right & later, other)):
            counts += np.bincount((alike[wanted] * STEPS).astype(int), minlength=STEPS + 1)
    hits, wrong = same[::-1].cumsum()[::-1], other[::-1].cumsum()[::-1]
    values = 2 * hits / np.maximum(hits + wrong + same.sum(), 1)
    return float(values.max()), int(values.argmax()) / STEPS


PERMUTATIONS = 256

RIVAL_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+")
"""A Han character, or a word of others: what a user of datasketch would take for Chinese and for English."""


def by_datasketch(texts: list[str], groups: np.ndarray, shingle: str, threshold: float) -> tuple[float, float]:  # type: ignore[type-arg]
    """The best F1 of `datasketch.MinHashLSH` with the shingle, and its threshold.

    Candidates are those of an index made for a threshold 0.1 below the given one; a pair counts where the estimated
    similarity reaches a threshold, the best of all. A Han character is a word, as for the library.
    """
    from datasketch import MinHash, MinHashLSH

    kind, _, size = shingle.partition(":")
    sketches = []
    for text in texts:
        made = MinHash(num_perm=PERMUTATIONS)
        folded = RIVAL_WORD.findall(text.lower())
        tokens, blank = (folded, " ") if kind == "words" else (list(" ".join(folded)), "")
        parts = {blank.join(tokens[i : i + int(size)]) for i in range(max(1, len(tokens) - int(size) + 1))}
        made.update_batch([part.encode("utf-8", "surrogatepass") for part in parts])
        sketches.append(made)
    index = MinHashLSH(threshold=max(threshold - 0.1, 0.05), num_perm=PERMUTATIONS)
    same, other = np.zeros(STEPS + 1), np.zeros(STEPS + 1)
    for row, sketch in enumerate(sketches):
        for earlier in index.query(sketch):
            level = int(sketch.jaccard(sketches[earlier]) * STEPS)
            (same if groups[row] == groups[earlier] else other)[level] += 1
        index.insert(row, sketch)
    _, sizes = np.unique(groups, return_counts=True)
    truth = int((sizes * (sizes - 1) // 2).sum())
    hits, wrong = same[::-1].cumsum()[::-1], other[::-1].cumsum()[::-1]
    values = 2 * hits / np.maximum(hits + wrong + truth, 1)
    return float(values.max()), int(values.argmax()) / STEPS


def measured(some: Kind, *, rivals: bool = False) -> dict[str, Any]:
    """The row of a kind."""
    groups = np.array(some.groups)
    begun = time.process_time()
    suggestion = dedup.suggest(some.texts, threads=1)
    spent = time.process_time() - begun
    begun = time.process_time()
    dedup.find_duplicates(some.texts, threads=1, **suggestion.options)
    searched = time.process_time() - begun
    short = sum(map(len, some.texts)) <= SHORT * len(some.texts)
    distance = by_distance(some.texts, groups) if rivals and short else (None, None)
    best = {shingle: curve(some.texts, groups, shingle) for shingle in SHINGLES}
    top = max(best, key=lambda shingle: float(best[shingle].max()))
    top_threshold = int(best[top].argmax()) / STEPS
    sketched = by_datasketch(some.texts, groups, top, top_threshold) if rivals else (None, None)
    return {
        "kind": "suggest",
        "texts": some.name,
        "chosen": KINDS[some.name],
        "count": len(some.texts),
        "shingle": suggestion.shingle,
        "threshold": suggestion.threshold,
        "estimate": suggestion.estimate,
        "f1": score(some.texts, groups, **suggestion.options),
        "best_shingle": top,
        "best_threshold": top_threshold,
        "best_f1": float(best[top].max()),
        "default_f1": score(some.texts, groups),
        "seconds": spent,
        "search": searched,
        "rapidfuzz_f1": distance[0],
        "rapidfuzz_threshold": distance[1],
        "datasketch_f1": sketched[0],
        "datasketch_threshold": sketched[1],
    }


def rows(root: Path, names: list[str], *, rivals: bool = False) -> Iterator[dict[str, Any]]:
    """A row a kind."""
    for name in names:
        yield measured(kind(name, root), rivals=rivals)


def main(given: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.quality_suggest", description=__doc__)
    parser.add_argument("kinds", nargs="*", help=f"of {', '.join(KINDS)}")
    parser.add_argument("--rivals", action="store_true", help="rapidfuzz, for short texts, and datasketch too")
    parser.add_argument("--output", type=Path, help="a file for the results, a line of JSON each; added to")
    chosen = parser.parse_args(sys.argv[1:] if given is None else given)
    root = needs.folder()
    print("\n".join(report.machine()))
    for row in rows(root, chosen.kinds or list(KINDS), rivals=chosen.rivals):
        seen = "chosen on" if row["chosen"] else "kept aside"
        print(
            f"{row['texts']:14} {row['count']:5,} {seen:10}  {row['shingle']:7} {row['threshold']:.2f}"
            f"  F1 {row['f1']:.3f}  best {row['best_f1']:.3f} ({row['best_shingle']} {row['best_threshold']:.2f})"
            f"  default {row['default_f1']:.3f}  {row['seconds']:.2f} s, search {row['search']:.2f} s"
            + (
                f"  rapidfuzz {row['rapidfuzz_f1']:.3f} ({row['rapidfuzz_threshold']:.2f})"
                if row["rapidfuzz_f1"]
                else ""
            )
            + (
                f"  datasketch {row['datasketch_f1']:.3f} ({row['datasketch_threshold']:.2f})"
                if row["datasketch_f1"] is not None
                else ""
            ),
            flush=True,
        )
        if chosen.output:
            with chosen.output.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()

"""How good are the suggestions of `dedup.suggest`? `python -m benchmarks.quality.quality_suggest`.

For each kind of `kinds.py`: F1 of the pairs that a search with the suggestion finds, against F1 at the best threshold
of the best shingle, of those that are suggested, in steps of 0.005. Pairs of one group are right, all others are wrong.
`default` is F1 of a search without options. `seconds` is processor time of `suggest`, `search` that of a search with
the suggestion. With --rivals, kinds of short texts are also judged by all pairs of
`rapidfuzz.distance.Levenshtein.normalized_similarity` and of `difflib.SequenceMatcher.ratio` (of lower case), at the
best threshold of each; and all kinds by `datasketch.MinHashLSH` and by gaoya with 256 permutations, the best shingle,
and the best threshold of each.
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

RIVALS = ("rapidfuzz", "difflib", "datasketch", "gaoya")


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


SHORT, SHORTEST = 300, 100
"""Characters, on average, up to which texts are compared by edit distance, and by difflib: all pairs of longer ones
take minutes."""


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
    return best_of(same, other, groups)


def by_matching(texts: list[str], groups: np.ndarray) -> tuple[float, float]:  # type: ignore[type-arg]
    """The best F1 of all pairs of difflib, and its threshold. Pairs below `LOWEST_RATIO` are not compared in full."""
    from difflib import SequenceMatcher

    same, other = np.zeros(STEPS + 1), np.zeros(STEPS + 1)
    matcher = SequenceMatcher(autojunk=False)
    folded = [text.lower() for text in texts]
    for row, text in enumerate(folded):
        matcher.set_seq2(text)
        for earlier in range(row):
            matcher.set_seq1(folded[earlier])
            if matcher.real_quick_ratio() >= LOWEST_RATIO and matcher.quick_ratio() >= LOWEST_RATIO:
                level = int(matcher.ratio() * STEPS)
                (same if groups[row] == groups[earlier] else other)[level] += 1
    return best_of(same, other, groups)


def best_of(same: np.ndarray, other: np.ndarray, groups: np.ndarray) -> tuple[float, float]:  # type: ignore[type-arg]
    """The best F1, and its threshold, of counts of right and wrong pairs at each level of similarity."""
    _, sizes = np.unique(groups, return_counts=True)
    truth = int((sizes * (sizes - 1) // 2).sum())
    hits, wrong = same[::-1].cumsum()[::-1], other[::-1].cumsum()[::-1]
    values = 2 * hits / np.maximum(hits + wrong + truth, 1)
    return float(values.max()), int(values.argmax()) / STEPS


LOWEST_RATIO = 0.5
"""Similarity. Unrelated short texts come up to it by their letters alone."""

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
    return best_of(same, other, groups)


TRIED = (-0.15, -0.1, -0.05, 0.0, 0.05, 0.1)
"""Thresholds of gaoya that are tried, from the best one of the exact search."""


def by_gaoya(texts: list[str], groups: np.ndarray, shingle: str, threshold: float) -> tuple[float, float]:  # type: ignore[type-arg]
    """The best F1 of gaoya's index with the shingle, and its threshold. It chooses bands. Words as for datasketch."""
    from gaoya.minhash import MinHashStringIndex

    kind, _, size = shingle.partition(":")
    words = [" ".join(RIVAL_WORD.findall(text.lower())) for text in texts]
    results = []
    for wanted in sorted({max(threshold + step, 0.05) for step in TRIED}):
        index = MinHashStringIndex(
            hash_size=32,
            jaccard_threshold=wanted,
            num_bands=None,
            band_size=None,
            num_hashes=PERMUTATIONS,
            analyzer="word" if kind == "words" else "char",
            ngram_range=(int(size), int(size)),
        )
        index.par_bulk_insert_docs(list(range(len(words))), words)
        same, other = np.zeros(STEPS + 1), np.zeros(STEPS + 1)
        for row, found in enumerate(index.par_bulk_query(words)):
            for earlier in found:
                if earlier < row:
                    (same if groups[row] == groups[earlier] else other)[STEPS] += 1
        results.append((best_of(same, other, groups)[0], wanted))
    return max(results)


def measured(some: Kind, *, rivals: bool = False) -> dict[str, Any]:
    """The row of a kind."""
    groups = np.array(some.groups)
    begun = time.process_time()
    suggestion = dedup.suggest(some.texts, threads=1)
    spent = time.process_time() - begun
    begun = time.process_time()
    dedup.find_duplicates(some.texts, threads=1, **suggestion.options)
    searched = time.process_time() - begun
    length = sum(map(len, some.texts)) / len(some.texts)
    best = {shingle: curve(some.texts, groups, shingle) for shingle in SHINGLES}
    top = max(best, key=lambda shingle: float(best[shingle].max()))
    top_threshold = int(best[top].argmax()) / STEPS
    at_best = some.texts, groups, top, top_threshold
    found_by = {
        "rapidfuzz": by_distance(some.texts, groups) if rivals and length <= SHORT else None,
        "difflib": by_matching(some.texts, groups) if rivals and length <= SHORTEST else None,
        "datasketch": by_datasketch(*at_best) if rivals else None,
        "gaoya": by_gaoya(*at_best) if rivals else None,
    }
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
        **{f"{rival}_f1": None if found is None else found[0] for rival, found in found_by.items()},
        **{f"{rival}_threshold": None if found is None else found[1] for rival, found in found_by.items()},
    }


def rows(root: Path, names: list[str], *, rivals: bool = False) -> Iterator[dict[str, Any]]:
    """A row a kind."""
    for name in names:
        yield measured(kind(name, root), rivals=rivals)


def main(given: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.quality_suggest", description=__doc__)
    parser.add_argument("kinds", nargs="*", help=f"of {', '.join(KINDS)}")
    parser.add_argument(
        "--rivals", action="store_true", help="datasketch and gaoya too, and for short texts rapidfuzz and difflib"
    )
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
            + "".join(
                f"  {rival} {row[f'{rival}_f1']:.3f} ({row[f'{rival}_threshold']:.2f})"
                for rival in RIVALS
                if row[f"{rival}_f1"] is not None
            ),
            flush=True,
        )
        if chosen.output:
            with chosen.output.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()

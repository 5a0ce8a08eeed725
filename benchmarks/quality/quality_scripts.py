"""Which shingle finds the same poem in two editions? `python -m benchmarks.quality.quality_scripts`.

`tang_poetry` holds two transcriptions of the Complete Tang Poems, made independently: other characters for the same
word, other divisions, gaps. 30,699 pairs have the same title and author in both and are the truth here; the collection
are the poems of these pairs, one edition after the other. Only pairs across the editions are judged.

Both editions list some poems twice, under another title or author. So a pair that is found and not in the truth counts
as right where its left poem and the partner of its right one (or the other way round) have three quarters of their
characters in the same order, by Python's `difflib`, which knows no shingles; `relisted` counts these. Recall is over
the 30,699 alone; some of them are the same title over a part of the text, so it cannot quite reach 1.

One search a shingle, at its lowest threshold; higher ones follow from the similarities.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
import time
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

import dedup
from benchmarks import needs
from benchmarks.corpora.named import _content
from benchmarks.publish import report

LOWEST: Final = {
    "words:1": 0.5,
    "words:2": 0.1,
    "words:3": 0.1,
    "words:4": 0.1,
    "words:5": 0.1,
    "chars:5": 0.2,
    "chars:8": 0.2,
}
SAME: Final = 0.75  # of the characters, in order
THRESHOLDS: Final = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def poems(folder: Path) -> tuple[list[str], list[str]]:
    """The poems of all pairs, by edition."""
    texts: dict[str, str] = {}
    for name in ("quantangshi", "yuding_quantangshi"):
        for line in _content(folder / f"{name}.jsonl.zst").split("\n"):
            if line.strip():
                record = json.loads(line)
                texts[record["id"]] = record["text"]
    rows = csv.reader(io.StringIO(_content(folder / "same_title_author_pairs.tsv.zst")), delimiter="\t")
    next(rows)
    pairs = [(left, right) for left, right, *_ in rows]
    return [texts[pair[0]] for pair in pairs], [texts[pair[1]] for pair in pairs]


def measured(left: list[str], right: list[str]) -> Iterator[dict[str, Any]]:
    """Precision, recall and F1 of each shingle at each threshold from its lowest on."""
    count = len(left)

    @cache
    def relisted(one: int, other: int) -> bool:
        """Whether two poems of one edition are the same, in either edition."""
        both = ((texts[one], texts[other]) for texts in (left, right))
        return any(SequenceMatcher(None, *pair, autojunk=False).ratio() >= SAME for pair in both)

    for shingle, lowest in LOWEST.items():
        begun = time.perf_counter()
        result = dedup.find_duplicates(left + right, shingle=shingle, threshold=lowest, pairs="all")
        table = result.pairs
        seconds = time.perf_counter() - begun
        first, second, jaccard = (table[name].to_numpy() for name in ("left", "right", "jaccard"))
        across = (first < count) & (second >= count)
        one, other, similarity = first[across], second[across] - count, jaccard[across]
        same = one == other
        again = np.array([a != b and relisted(a, b) for a, b in zip(one.tolist(), other.tolist(), strict=True)])
        for threshold in THRESHOLDS:
            if threshold < lowest:
                continue
            reached = similarity >= threshold
            hits, found = int(np.sum(reached & same)), int(np.sum(reached))
            extra = int(np.sum(reached & again))
            precision, recall = (hits + extra) / max(1, found), hits / count
            yield {
                "kind": "scripts",
                "corpus": "tang_poetry",
                "shingle": shingle,
                "threshold": threshold,
                "pairs": count,
                "found": found,
                "hits": hits,
                "relisted": extra,
                "precision": precision,
                "recall": recall,
                "f1": 2 * precision * recall / max(1e-9, precision + recall),
                "seconds": seconds,
            }


def main(given: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.quality_scripts", description=__doc__)
    parser.add_argument("--output", type=Path, help="a file for the results, a line of JSON each; added to")
    chosen = parser.parse_args(sys.argv[1:] if given is None else given)
    left, right = poems(needs.data("tang_poetry"))
    print("\n".join(report.machine()))
    print(f"{len(left):,} poems in two editions, {np.mean([len(text) for text in left]):.0f} characters on average")
    for row in measured(left, right):
        print(
            f"{row['shingle']:8} {row['threshold']:5.2f}  precision {row['precision']:.4f}  recall {row['recall']:.4f}"
            f"  F1 {row['f1']:.4f}  {row['found']:,} found  {row['seconds']:.1f} s",
            flush=True,
        )
        if chosen.output:
            with chosen.output.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()

"""Which shingle and threshold find the same text under noise? `python -m benchmarks.quality.quality_noise`.

Texts of two kinds, 500 of each: articles in English (`minhash_articles`, all different) and poems in Chinese
(`tang_poetry`, the longer ones). A share of their characters, 1, 2, 5 and 10 %, is struck by noise, each struck
character by one of three: put in another's place, put in, taken out. `ocr` puts in its place what scanners confuse
(rn for m, 1 for l, a character of the same radical for a Han character), `edit` any character of the texts. Spaces are
struck like others, so words split and grow together.

Searched is a collection of the clean texts with one noisy copy of each. A pair of a text and its copy is right, all
others are wrong. For each shingle, the similarity of right pairs, and of the most similar wrong pair of each text, give
the thresholds that separate them: `gap` is the 1st percentile of the right pairs less the 99th percentile of the wrong
ones. Where it is positive, a threshold between them finds 99 % of the copies, and wrong partners for at most 1 % of the
texts. Similarities are exact, by the library's own shingle sets.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np

from benchmarks import needs
from benchmarks.corpora.named import _content
from benchmarks.publish import report
from dedup.shingling import shingles

RATES: Final = (0.01, 0.02, 0.05, 0.10)
SHINGLES: Final = {
    "english": ("words:1", "words:2", "words:3", "words:5", "chars:3", "chars:5", "chars:8", "chars:12"),
    "chinese": ("words:1", "words:2", "words:3", "words:4", "words:5", "chars:5", "chars:8"),
}
TEXTS: Final = 500
SEED: Final = 1

CONFUSED: Final = {
    "m": "rn", "w": "vv", "l": "1", "i": "l", "o": "0", "e": "c", "c": "e", "h": "b", "b": "h", "n": "u", "u": "n",
    "s": "5", "g": "q", "q": "g", "f": "t", "t": "f", "d": "cl", "a": "o", "r": "i", "v": "y", "y": "v", "k": "lc",
    "S": "5", "O": "0", "I": "l", "B": "8", "E": "F", "G": "6", "Z": "2", "1": "l", "0": "O", "5": "S", "8": "B",
    "6": "G", "2": "Z", ",": ".", ".": ",", "-": "", "'": "", " ": "",
}  # fmt: skip
"""What scanners take for what, from tables of confusions of printed English; an empty one is lost."""


def english(root: Path) -> list[str]:
    """News articles of about 250 words."""
    lines = _content(root / "minhash_articles" / "articles_1000.train.zst").split("\n")
    planted = set(_content(root / "minhash_articles" / "articles_1000.truth").split())
    rows = [line.partition(" ") for line in lines if line.strip()]
    return [text for name, _, text in rows if name not in planted][:TEXTS]


def chinese(root: Path) -> list[str]:
    """Poems of at least 60 characters, one of each that share a line."""
    texts: list[str] = []
    seen: set[str] = set()
    for line in _content(root / "tang_poetry" / "quantangshi.jsonl.zst").split("\n"):
        text = json.loads(line)["text"] if line.strip() else ""
        verses = set(text.replace("，", "\n").replace("。", "\n").split())
        if len(text) >= 60 and not verses & seen:
            texts.append(text)
        seen |= verses
    Random(SEED).shuffle(texts)
    return texts[:TEXTS]


KINDS: Final = {"english": english, "chinese": chinese}


def noisy(text: str, rate: float, kind: str, letters: str, random: Random) -> str:
    """A copy with noise in this share of its characters."""
    made: list[str] = []
    for letter in text:
        if random.random() >= rate:
            made.append(letter)
            continue
        dice = random.random()
        if kind == "ocr" and dice < 0.8:
            ordinal = ord(letter)
            neighbour = chr(ordinal + 1 + int(random.random() * 8)) if ordinal > 0x3000 else letter
            made.append(CONFUSED.get(letter, neighbour))
        elif dice < 1 / 3:
            made.append(letters[int(random.random() * len(letters))])
        elif dice < 2 / 3:
            made.append(letter + letters[int(random.random() * len(letters))])
    return "".join(made)


def similarities(texts: list[str], copies: list[str], shingle: str) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """For each text: the similarity to its copy, and to the most similar other copy."""
    sets = shingles(texts + copies, shingle)
    count = len(texts)
    left = [sets[row] for row in range(count)]
    right = [sets[count + row] for row in range(count)]
    values, numbers = np.unique(np.concatenate(right), return_inverse=True)
    owners = np.repeat(np.arange(count), [len(row) for row in right])
    order = np.argsort(numbers, kind="stable")
    bounds = np.searchsorted(numbers[order], np.arange(len(values) + 1))
    sizes = np.array([len(row) for row in right])
    same, other = np.zeros(count), np.zeros(count)
    for place, row in enumerate(left):
        at = np.minimum(np.searchsorted(values, row), len(values) - 1)
        known = at[values[at] == row]
        lists = [owners[order[bounds[k] : bounds[k + 1]]] for k in known]
        shared = np.bincount(np.concatenate(lists), minlength=count) if lists else np.zeros(count, dtype=np.int64)
        jaccard = shared / np.maximum(1, len(row) + sizes - shared)
        same[place] = jaccard[place]
        jaccard[place] = 0.0
        other[place] = jaccard.max()
    return same, other


def best_threshold(same: np.ndarray, other: np.ndarray) -> tuple[float, float, float]:  # type: ignore[type-arg]
    """The threshold, of hundredths, with the best F1, and its precision and recall; of several the middle one."""
    rows = []
    for step in range(2, 100):
        threshold = step / 100
        hits, wrong = int(np.sum(same >= threshold)), int(np.sum(other >= threshold))
        precision, recall = hits / max(1, hits + wrong), hits / len(same)
        rows.append((round(2 * precision * recall / max(1e-9, precision + recall), 4), threshold, precision, recall))
    most = max(row[0] for row in rows)
    good = [row for row in rows if row[0] == most]
    return good[len(good) // 2][1:]


def measured(root: Path, count: int = TEXTS) -> Iterator[dict[str, Any]]:
    """A row a kind of text, noise, rate and shingle."""
    for name, read in KINDS.items():
        texts = read(root)[:count]
        letters = "".join(texts)  # drawn from as it is: common ones often
        for noise in ("edit", "ocr"):
            for rate in RATES:
                random = Random(SEED)
                copies = [noisy(text, rate, noise, letters, random) for text in texts]
                for shingle in SHINGLES[name]:
                    same, other = similarities(texts, copies, shingle)
                    threshold, precision, recall = best_threshold(same, other)
                    yield {
                        "kind": "noise",
                        "texts": name,
                        "count": len(texts),
                        "noise": noise,
                        "rate": rate,
                        "shingle": shingle,
                        "same_p1": float(np.percentile(same, 1)),
                        "same_median": float(np.median(same)),
                        "other_p99": float(np.percentile(other, 99)),
                        "other_max": float(other.max()),
                        "gap": float(np.percentile(same, 1) - np.percentile(other, 99)),
                        "threshold": threshold,
                        "precision": precision,
                        "recall": recall,
                        "at_default": float(np.mean(same >= 0.8)),
                    }


def main(given: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.quality_noise", description=__doc__)
    parser.add_argument("--texts", type=int, default=TEXTS, help="texts of each kind")
    parser.add_argument("--output", type=Path, help="a file for the results, a line of JSON each; added to")
    chosen = parser.parse_args(sys.argv[1:] if given is None else given)
    root = needs.data("tang_poetry").parent
    print("\n".join(report.machine()))
    for row in measured(root, chosen.texts):
        print(
            f"{row['texts']:8} {row['noise']:5} {row['rate']:4.0%}  {row['shingle']:8} same: 1 % {row['same_p1']:.3f}"
            f" median {row['same_median']:.3f}  other: 99 % {row['other_p99']:.3f} most {row['other_max']:.3f}"
            f"  gap {row['gap']:+.3f}  best at {row['threshold']:.2f}: precision {row['precision']:.3f} recall"
            f" {row['recall']:.3f}  at 0.8 {row['at_default']:.3f}",
            flush=True,
        )
        if chosen.output:
            with chosen.output.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()

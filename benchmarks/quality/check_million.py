"""Is the exact answer exact on a million documents? `python -m benchmarks.quality.check_million --documents 1000000`.

The library finds all pairs of a generated corpus. Then some documents, 1,000 drawn from a seed, are compared with *all*
others in a way that shares nothing with it: words by `truth.py`'s definition, 5-grams as tuples of words, an
inverted list of the 5-grams of the chosen documents, and one pass over all documents that counts what each shares with
each. No hashes, no prefixes, no filters, no sketches. For every chosen document the two lists of partners must be the
same, with the same `shared`, sizes and similarity.

Cost: the pass reads every word in Python; one process a core. `--by hashes` counts on the library's own shingle
sets instead: a minute, and independent of the join alone.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, Final

import dedup
from benchmarks.corpora import named, truth
from benchmarks.publish import report

SEED: Final = 1
CHUNK: Final = 2_000  # documents that a process takes at a time
TOP_BITS: Final = 26  # of a hash, in the table that says whether a chosen document may have it

Gram = tuple[str, ...]
Found = dict[tuple[int, int], tuple[int, int, int]]  # (chosen, other): shared, size of chosen, size of other

_posted: dict[Gram, list[int]] = {}  # 5-gram of a chosen document -> the chosen documents that have it
_sizes: dict[int, int] = {}


def grams(text: str) -> set[Gram]:
    """The set of word 5-grams of a text: the words themselves, nothing is hashed away."""
    words = truth.words(text)
    if 0 < len(words) < truth.SIZE:
        return {tuple(words)}
    return set(zip(words, words[1:], words[2:], words[3:], words[4:], strict=False))


def post(path: str, chosen: list[int]) -> None:
    """Make the inverted list of the chosen documents."""
    for place, text in zip(chosen, texts_at(path, chosen), strict=True):
        found = grams(text)
        _sizes[place] = len(found)
        for gram in found:
            _posted.setdefault(gram, []).append(place)


def texts_at(path: str, places: list[int]) -> list[str]:
    """Some documents of a corpus on disk."""
    import numpy as np

    offsets = np.load(Path(path).with_suffix(".npy"), mmap_mode="r")
    with Path(path).open("rb") as file:
        texts = []
        for place in places:
            file.seek(int(offsets[place]))
            texts.append(file.read(int(offsets[place + 1] - offsets[place])).decode("utf-8", "surrogatepass"))
    return texts


def compare(job: tuple[str, int, int, float]) -> Found:
    """Compare documents [first, last) with all chosen ones; the pairs that reach the threshold."""
    path, first, last, threshold = job
    reached: Found = {}
    for other, text in zip(range(first, last), texts_at(path, list(range(first, last))), strict=True):
        mine = grams(text)
        shared: Counter[int] = Counter()
        for gram in mine:
            shared.update(_posted.get(gram, ()))
        for chosen, count in shared.items():
            if chosen != other and count / (_sizes[chosen] + len(mine) - count) >= threshold:
                reached[chosen, other] = (count, _sizes[chosen], len(mine))
    return reached


def by_hand(path: str, documents: int, chosen: list[int], threshold: float, processes: int) -> Found:
    """All pairs between the chosen documents and any other one."""
    post(path, chosen)
    jobs = [(path, *span, threshold) for span in pairwise([*range(0, documents, CHUNK), documents])]
    found: Found = {}
    with multiprocessing.get_context("fork").Pool(processes) as pool:  # the inverted list is shared by the fork
        for part in pool.imap_unordered(compare, jobs):
            found.update(part)
    return found


def by_hashes(path: str, documents: int, chosen: list[int], threshold: float) -> Found:
    """The same as `by_hand`, on the library's shingle hashes: an inverted list and counting, no filters."""
    import numpy as np

    from dedup.shingling import shingles

    mine = shingles(texts_at(path, chosen))
    sizes = np.diff(mine.offsets)
    order = np.argsort(mine.values, kind="stable")
    keys, owners = mine.values[order], np.repeat(np.arange(len(chosen)), sizes)[order]
    top = np.uint64(64 - TOP_BITS)
    there = np.zeros(1 << TOP_BITS, dtype=np.bool_)
    there[keys >> top] = True
    found: Found = {}
    for first in range(0, documents, CHUNK):
        last = min(first + CHUNK, documents)
        others = shingles(texts_at(path, list(range(first, last))))
        met = np.flatnonzero(there[others.values >> top])
        low, high = (np.searchsorted(keys, others.values[met], side=side) for side in ("left", "right"))
        other = np.repeat(np.searchsorted(others.offsets, met, side="right") - 1, high - low)
        place = np.repeat(low - np.cumsum(high - low) + (high - low), high - low) + np.arange(len(other))
        pairs, shared = np.unique(owners[place] * CHUNK + other, return_counts=True)
        for pair, count in zip(pairs.tolist(), shared.tolist(), strict=True):
            owner, row = divmod(pair, CHUNK)
            size, other_size = int(sizes[owner]), int(others.offsets[row + 1] - others.offsets[row])
            if chosen[owner] != first + row and count / (size + other_size - count) >= threshold:
                found[chosen[owner], first + row] = (count, size, other_size)
    return found


def by_library(path: str, chosen: list[int], threshold: float, threads: int | None) -> tuple[Found, dict[str, Any]]:
    """What the library says of the chosen documents."""
    texts = named.loaded(path)
    begun = time.perf_counter()
    result = dedup.find_duplicates(texts, threshold=threshold, pairs="all", threads=threads)
    table = result.pairs
    seconds = time.perf_counter() - begun
    wanted = set(chosen)
    found: Found = {}
    columns = ("left", "right", "left_size", "right_size", "shared", "jaccard")
    for left, right, left_size, right_size, shared, jaccard in zip(
        *(table[name].to_pylist() for name in columns), strict=True
    ):
        if jaccard != shared / (left_size + right_size - shared) or jaccard < threshold:
            raise SystemExit(f"{left}, {right}: jaccard {jaccard} of {shared}, {left_size}, {right_size}")
        if left in wanted:
            found[left, right] = (shared, left_size, right_size)
        if right in wanted:
            found[right, left] = (shared, right_size, left_size)
    return found, {"seconds": seconds, "pairs": table.num_rows, "timings": result.timings}


def main(given: list[str] | None = None) -> None:
    """Check and print; end with 1 where the answers differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.check_million", description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--chosen", type=int, default=1_000, help="documents that are compared with all others")
    parser.add_argument("--threshold", type=float, default=0.8)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument(
        "--by", choices=("words", "hashes"), default="words", help="hashes: quick, on the library's own shingle sets"
    )
    parser.add_argument("--output", type=Path, help="a file for the result, a line of JSON; added to")
    arguments = parser.parse_args(sys.argv[1:] if given is None else given)
    print("\n".join(report.machine()))
    corpus = named.prepared(f"generated:{arguments.documents}")
    print(report.title(corpus), flush=True)
    random = Random(SEED)
    chosen = sorted({int(random.random() * corpus.documents) for _ in range(arguments.chosen)})
    begun = time.perf_counter()
    processes = arguments.threads or len(os.sched_getaffinity(0))
    if arguments.by == "words":
        expected = by_hand(corpus.path, corpus.documents, chosen, arguments.threshold, processes)
    else:
        expected = by_hashes(corpus.path, corpus.documents, chosen, arguments.threshold)
    slow = time.perf_counter() - begun
    found, told = by_library(corpus.path, chosen, arguments.threshold, arguments.threads)
    wrong = {pair for pair in expected.keys() | found.keys() if expected.get(pair) != found.get(pair)}
    for pair in sorted(wrong)[:10]:
        print(f"{pair}: expected {expected.get(pair)}, found {found.get(pair)}")
    print(
        f"{len(chosen):,} documents against all: {len(expected):,} pairs by hand in {slow:.0f} s, {len(found):,} by "
        f"the library ({told['pairs']:,} in all, {told['seconds']:.1f} s); {len(wrong)} differ"
    )
    if arguments.output:
        record = {
            "kind": "million",
            "corpus": corpus.name,
            "digest": corpus.digest,
            "documents": corpus.documents,
            "bytes": corpus.bytes,
            "chosen": len(chosen),
            "by": arguments.by,
            "threshold": arguments.threshold,
            "expected": len(expected),
            "found": len(found),
            "differ": len(wrong),
            "slow_seconds": slow,
            **told,
        }
        with arguments.output.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, sort_keys=True) + "\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()

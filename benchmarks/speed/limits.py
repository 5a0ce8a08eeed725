"""How near a search is to what the machine allows: `python -m benchmarks.speed.limits generated:20000 ota_dev`.

On one core, with the same texts in one run, in turns: what it costs to read their bytes once, to read them as strings
of Python (the length of each, and its bytes), to check that they are UTF-8, to hash them, and to split them into words
by the fastest library at hand; then each stage of the exact search. A search reads, checks, folds, splits and hashes
all texts, and finds the pairs, so the ratio to the fastest split is what all of that costs above the split alone.
Medians, processor time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from benchmarks.corpora import named
from benchmarks.speed.asked import asking, chosen_corpora, keep
from benchmarks.speed.serial_share import recorded, summary

SPLITS: Final = ("Arrow, white space of ASCII", "Arrow, white space", "Polars, blanks", "Python, str.split")


def _splits(texts: list[str]) -> dict[str, Callable[[], Any]]:
    """Ways to split the texts into words; what a library needs to hold them is made before the clock runs."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = pa.array(texts, pa.large_string())
    ways: dict[str, Callable[[], Any]] = {
        SPLITS[0]: lambda: pc.ascii_split_whitespace(column),
        SPLITS[1]: lambda: pc.utf8_split_whitespace(column),
        SPLITS[3]: lambda: [len(text.split()) for text in texts],
    }
    try:
        import polars as pl
    except ImportError:
        return ways
    series = pl.Series(texts)
    return {**ways, SPLITS[2]: lambda: series.str.split(" ")}


def _costs(texts: list[str]) -> dict[str, Callable[[], Any]]:
    """What is measured beside the search."""
    import xxhash

    joined = "\n".join(texts).encode()
    words = np.frombuffer(joined, dtype=np.uint64, count=len(joined) // 8)
    return {
        "read the bytes once": words.sum,
        "read the strings": lambda: [hash(text.isascii()) + len(text.encode()) for text in texts],
        "check UTF-8 (Python)": joined.decode,
        "hash the bytes (xxh3)": lambda: xxhash.xxh3_64_intdigest(joined),
        **{f"split: {name}": way for name, way in _splits(texts).items()},
    }


def measured(texts: list[str], rounds: int) -> dict[str, float]:
    """Return the seconds of each cost and of each stage of the search, by name."""
    costs = _costs(texts)
    taken: dict[str, list[float]] = {name: [] for name in costs}
    stages: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, run in costs.items():
            begun = time.process_time()
            run()
            taken[name].append(time.process_time() - begun)
        row = summary(recorded(texts, 1), 1)
        stages.setdefault("search", []).append(row["seconds"])
        for name, stage in row["stages"].items():
            seconds = stage["outside"] + stage["caller"] + stage["blocks"]
            stages.setdefault(f"search: {name}", []).append(seconds)
    return {name: statistics.median(values) for name, values in (*taken.items(), *stages.items())}


def printed(corpus: named.Corpus, seconds: dict[str, float]) -> None:
    """Print the table of a corpus."""
    best = min(value for name, value in seconds.items() if name.startswith("split"))
    print(f"{corpus.name}, {corpus.bytes / 1e6:.0f} MB")
    print(f"  {'':<36}{'s':>8}{'MB/s':>9}{'of the fastest split':>22}")
    for name, value in seconds.items():
        speed = corpus.bytes / 1e6 / max(value, 1e-9)
        print(f"  {name:<36}{value:>8.3f}{speed:>9.0f}{value / best:>22.2f}")


def main() -> None:
    """Measure and print."""
    parser = asking("benchmarks.speed.limits", __doc__)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    for corpus in chosen_corpora(chosen):
        seconds = measured(named.loaded(corpus.path), chosen.rounds)
        printed(corpus, seconds)
        keep(chosen, {"kind": "limits", "corpus": corpus.name, "bytes": corpus.bytes, "seconds": seconds})


if __name__ == "__main__":
    main()

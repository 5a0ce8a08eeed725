"""`dedup.pairs.seen_twice.FEWEST_PARTS_BITS`.

How many parts a small table has at least: work for threads.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.seen_twice.FEWEST_PARTS_BITS",
    [0, 1, 2, 4, 6],
    searching(),
    stages=("join",),
    corpus="generated:1000,generated:5000",
    threads=2,
)

if __name__ == "__main__":
    main(CURVE)

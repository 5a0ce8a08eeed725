"""`dedup.pairs.compact_filter.LEAST_CHARACTERS`.

From which size of a collection on its hashes are filtered, not held: each corpus is on one side of a value.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.compact_filter.LEAST_CHARACTERS",
    [1 << 20, 1 << 27, 1 << 40],
    searching(),
    corpus="generated:5000,generated:20000,generated:80000",
)

if __name__ == "__main__":
    main(CURVE)

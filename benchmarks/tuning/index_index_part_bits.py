"""`dedup.pairs.prefixes.index.INDEX_PART_BITS`.

How many buckets of the index are made together, which with their keys have to fit the cache.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.prefixes.index.INDEX_PART_BITS",
    list(range(10, 23, 3)),
    searching(),
    stages=("join",),
    corpus="generated:100000,versions:2650:45000,chinese:40000",
)

if __name__ == "__main__":
    main(CURVE)

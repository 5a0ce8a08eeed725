"""`dedup.pairs.prefixes.counters.COUNTED_PART_BITS`.

The size of a part of the table of counters, which has to fit the cache.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.prefixes.counters.COUNTED_PART_BITS",
    list(range(12, 25, 3)),
    searching(),
    stages=("join",),
    corpus="generated:100000,versions:2650:45000,chinese:40000",
)

if __name__ == "__main__":
    main(CURVE)

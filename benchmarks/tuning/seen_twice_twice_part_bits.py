"""`dedup.pairs.seen_twice.TWICE_PART_BITS`.

The size of a part of the table, which has to fit the cache.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.seen_twice.TWICE_PART_BITS",
    list(range(13, 25, 2)),
    searching(),
    stages=("join",),
    corpus="generated:20000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)

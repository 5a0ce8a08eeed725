"""`dedup.lsh.buckets.PAIRS_HELD`.

How many candidates wait before repeated ones are dropped.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.lsh.buckets.PAIRS_HELD",
    [1 << bits for bits in range(15, 28, 3)],
    searching(method="lsh"),
    stages=("buckets",),
    corpus="generated:20000,win32_docs",
)

if __name__ == "__main__":
    main(CURVE)

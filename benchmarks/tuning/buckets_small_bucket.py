"""`dedup.lsh.buckets.SMALL_BUCKET`.

Up to which size all pairs of a bucket are candidates; this is part of what LSH means here.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.lsh.buckets.SMALL_BUCKET",
    [4, 16, 64, 256],
    searching(method="lsh"),
    corpus="generated:20000,win32_docs",
)

if __name__ == "__main__":
    main(CURVE)

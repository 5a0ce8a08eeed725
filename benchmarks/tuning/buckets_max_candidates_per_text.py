"""`dedup.lsh.buckets.MAX_CANDIDATES_PER_TEXT`.

From how many candidates per text on an exact search is made instead; the pairs found depend on it.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.lsh.buckets.MAX_CANDIDATES_PER_TEXT",
    [1, 8, 64, 512],
    searching(method="lsh"),
    corpus="family:2000,licences",
    also={"dedup.lsh.buckets.PAIRS_HELD": 1024},
)

if __name__ == "__main__":
    main(CURVE)

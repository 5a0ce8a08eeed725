"""`dedup.lsh.bands.LANE_COST`.

The assumed cost of a permutation when bands are chosen; the bands, and so the pairs found, depend on it.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.lsh.bands.LANE_COST",
    [0.875, 3.5, 14.0, 56.0, 224.0],
    searching(method="lsh"),
    corpus="generated:20000,win32_docs",
)

if __name__ == "__main__":
    main(CURVE)

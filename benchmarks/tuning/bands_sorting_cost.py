"""`dedup.lsh.bands.SORTING_COST`.

The assumed cost of the set of a candidate when bands are chosen; the bands, and so the pairs found, depend on it.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.lsh.bands.SORTING_COST",
    [112.5, 450.0, 1800.0, 7200.0, 28800.0],
    searching(method="lsh"),
    corpus="generated:20000,win32_docs",
)

if __name__ == "__main__":
    main(CURVE)

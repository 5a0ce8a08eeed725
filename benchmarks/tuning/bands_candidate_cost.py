"""`dedup.lsh.bands.CANDIDATE_COST`.

The assumed cost of a candidate when bands are chosen; the bands, and so the pairs found, depend on it.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.lsh.bands.CANDIDATE_COST",
    [18.75, 75.0, 300.0, 1200.0, 4800.0],
    searching(method="lsh"),
    corpus="generated:20000,win32_docs",
)

if __name__ == "__main__":
    main(CURVE)

"""`dedup.pairs.verify.MANY_PAIRS`.

From how many pairs on memory is returned to the system before they are sorted: see the peak.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.verify.MANY_PAIRS",
    [1 << bits for bits in range(12, 26, 4)],
    searching(pairs="all"),
    stages=("join",),
    corpus="family:2000",
)

if __name__ == "__main__":
    main(CURVE)

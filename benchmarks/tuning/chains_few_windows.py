"""`dedup.passages.chains.FEW_WINDOWS`.

Up to how many windows numpy finds the seeds.
"""

from benchmarks.tuning.calls import repeating
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.passages.chains.FEW_WINDOWS",
    [0, 1 << 11, 1 << 13, 1 << 15, 1 << 17],
    repeating(),
    stages=(),
    corpus="generated:2,generated:10",
)

if __name__ == "__main__":
    main(CURVE)

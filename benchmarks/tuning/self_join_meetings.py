"""`dedup.pairs.self_join.MEETINGS`.

How many entries may be compared per merge if only a few pairs are wanted.
"""

from benchmarks.tuning.calls import finding_nothing
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.self_join.MEETINGS",
    [10.0, 30.0, 100.0, 300.0, 1000.0],
    finding_nothing(),
    stages=(),
    corpus="generated:20000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)

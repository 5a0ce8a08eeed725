"""`dedup.pairs.self_join.ROUNDS`.

How often counters may drop texts.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.self_join.ROUNDS",
    [1, 2, 3, 5],
    searching(),
    stages=("join",),
    corpus="generated:20000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)

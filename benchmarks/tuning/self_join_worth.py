"""`dedup.pairs.self_join.WORTH`.

Below which share of kept texts another round of counters is made.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.self_join.WORTH",
    [0.25, 0.5, 0.75, 0.9],
    searching(),
    stages=("join",),
    corpus="generated:20000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)

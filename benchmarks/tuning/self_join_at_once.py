"""`dedup.pairs.self_join.AT_ONCE`.

How many pairs a thread takes from the kernel at a time.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.self_join.AT_ONCE",
    [1 << bits for bits in range(10, 22, 3)],
    searching(pairs="all"),
    stages=("join",),
    corpus="family:2000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)

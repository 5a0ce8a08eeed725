"""`dedup.lsh.join.SIGNED`.

How many units a thread signs at a time.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.lsh.join.SIGNED",
    [16, 64, 256, 1024, 4096],
    searching(method="lsh"),
    stages=("signatures",),
    corpus="generated:20000",
)

if __name__ == "__main__":
    main(CURVE)

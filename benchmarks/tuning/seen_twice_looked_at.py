"""`dedup.pairs.seen_twice.LOOKED_AT`.

Which part of a text is examined to see whether it seems to be a candidate.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.seen_twice.LOOKED_AT",
    [2, 4, 8, 16, 32],
    searching(),
    stages=("join",),
    corpus="generated:20000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
